//! The words between an engine and its signer: one request, one answer, both short and strict (`spec/signer.md`).

use super::failed;
use crate::Failure;
use crate::limits::{SIGNER_ANSWER_BYTES_MAX, SIGNER_REQUEST_BYTES_MAX};
use hos_core::id::{Shown, TreeHash};
use hos_core::limits::PROOF_MAX;
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::key::VerifyKey;
use std::fmt::Write;

const FIRST: &str = "hos signer 1";

/// What an engine asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// The public half.
    Key,
    /// A signature over a head, with the proof that it extends the one of size `old`.
    Sign { old: u64, proof: Vec<TreeHash>, checkpoint: Checkpoint },
}

/// What a signer answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Key(Box<VerifyKey>),
    Signature([u8; 64]),
    /// It signed this size last, and wants the proof from there.
    Stale(u64),
    /// It does not sign: a code, and words for a person.
    Refused(String, String),
}

/// An answer of refusal, for who serves requests and could not even read one.
pub fn refusal(code: &str, why: &str) -> Vec<u8> {
    Answer::Refused(code.to_owned(), why.to_owned()).encode()
}

fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|n| n.to_string() == text)
}

/// Lower-case hexadecimal alone: there is one spelling of everything.
fn hash(text: &str) -> Option<TreeHash> {
    TreeHash::from_hex(text).filter(|hash| hash.to_string() == text)
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = format!("{FIRST}\n");
        match self {
            Request::Key => out.push_str("key\n"),
            Request::Sign { old, proof, checkpoint } => {
                let _ = writeln!(out, "sign {old}");
                proof.iter().for_each(|hash| {
                    let _ = writeln!(out, "{hash}");
                });
                out.push('\n');
                out.push_str(&checkpoint.text());
            }
        }
        out.into_bytes()
    }

    /// Reads a request; the reason is for a person.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > SIGNER_REQUEST_BYTES_MAX {
            return Err("the request is too long");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "the request is not UTF-8")?;
        let rest = text.strip_prefix(FIRST).and_then(|r| r.strip_prefix('\n')).ok_or("the request is of no known version")?;
        if rest == "key\n" {
            return Ok(Request::Key);
        }
        let (head, text) = rest.split_once("\n\n").ok_or("no empty line before the checkpoint")?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("sign ")).and_then(number).ok_or("the request is none")?;
        let proof = lines.map(hash).collect::<Option<Vec<_>>>().ok_or("a line of the proof is no hash")?;
        if proof.len() > PROOF_MAX {
            return Err("the proof has too many hashes");
        }
        let checkpoint = Checkpoint::parse(text).map_err(|_| "the text is no checkpoint")?;
        if !checkpoint.extensions.is_empty() || text.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err("the checkpoint has more than three lines, or a control character");
        }
        Ok(Request::Sign { old, proof, checkpoint })
    }
}

impl Answer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |out, b| format!("{out}{b:02x}"));
        let line = match self {
            Answer::Key(key) => format!("key {}\n", hex(key.as_bytes())),
            Answer::Signature(signature) => format!("signature {}\n", hex(signature)),
            Answer::Stale(size) => format!("stale {size}\n"),
            Answer::Refused(code, why) => {
                let why: String = Shown(why).to_string().chars().filter(char::is_ascii).take(300).collect();
                format!("refused {code} {why}\n")
            }
        };
        line.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Failure> {
        let wrong = || failed("the signer's answer is none");
        let line = std::str::from_utf8(bytes).ok().and_then(|t| t.strip_suffix('\n')).ok_or_else(wrong)?;
        if bytes.len() > SIGNER_ANSWER_BYTES_MAX || line.bytes().any(|b| b < 0x20) {
            return Err(wrong());
        }
        let (word, rest) = line.split_once(' ').ok_or_else(wrong)?;
        match word {
            "key" => {
                let bytes = hash(rest).ok_or_else(wrong)?;
                Ok(Answer::Key(Box::new(VerifyKey::from_bytes(&bytes.0).map_err(|e| failed(format!("the signer's key: {e}")))?)))
            }
            "signature" => {
                let halves = rest.split_at_checked(64).and_then(|(r, s)| hash(r).zip(hash(s))).ok_or_else(wrong)?;
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&halves.0.0);
                signature[32..].copy_from_slice(&halves.1.0);
                Ok(Answer::Signature(signature))
            }
            "stale" => Ok(Answer::Stale(number(rest).ok_or_else(wrong)?)),
            "refused" => {
                let (code, why) = rest.split_once(' ').ok_or_else(wrong)?;
                Ok(Answer::Refused(code.to_owned(), why.to_owned()))
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "hos/00/t/0".into(), size: 3, root: TreeHash([7; 32]), extensions: Vec::new() }
    }

    #[test]
    fn every_word_is_read_as_it_was_written() {
        let signs =
            |old, n: u8| Request::Sign { old, proof: (0..n).map(|i| TreeHash([i; 32])).collect(), checkpoint: checkpoint() };
        for request in [Request::Key, signs(0, 0), signs(2, 1), signs(u64::MAX, 64)] {
            assert_eq!(Request::decode(&request.encode()).unwrap(), request);
        }
        assert!(signs(1, 64).encode().len() < SIGNER_REQUEST_BYTES_MAX);
        let key = hos_core::proof::key::SealKey::from_seed(&[1; 32]).verify_key();
        let refused = Answer::Refused("signer.stale".into(), "a b".into());
        for answer in [Answer::Key(Box::new(key)), Answer::Signature([9; 64]), Answer::Stale(7), refused] {
            assert_eq!(Answer::decode(&answer.encode()).unwrap(), answer);
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let good =
            String::from_utf8(Request::Sign { old: 2, proof: vec![TreeHash([0xab; 32])], checkpoint: checkpoint() }.encode())
                .unwrap();
        let bent = [
            good.replace("hos signer 1", "hos signer 2"),
            good.replace("sign 2", "sign 02"),
            good.replace("sign 2", "sign +2"),
            good.replace("sign 2", "sign -1"),
            good.replace("sign 2", "sing 2"),
            good.replace("abab", "ABAB"),
            good.replacen("ab", "", 1),
            good.replace("\n\n", "\n"),
            good.replace("\n3\n", "\n03\n"),
            good.replace("hos/00/t/0", "hos/00\u{1}"),
            good.trim_end().to_owned(),
            format!("{good}more\n"),
            format!("{good}\n"),
            String::new(),
            "hos signer 1\nkey".into(),
            "hos signer 1\nkey\n\n".into(),
            format!("hos signer 1\nsign 1\n{}\n{}", format!("{}\n", "00".repeat(32)).repeat(65), checkpoint().text()),
            "x".repeat(SIGNER_REQUEST_BYTES_MAX + 1),
        ];
        for bent in bent {
            assert!(Request::decode(bent.as_bytes()).is_err(), "{bent:?}");
        }
        assert!(Request::decode(b"hos signer 1\nkey\xff\n").is_err());
        for answer in [
            "",
            "\n",
            "key\n",
            "key 00\n",
            "signature 00\n",
            "stale -1\n",
            "stale 01\n",
            "yes 1\n",
            "refused x\n",
            "stale 1",
            "stale 1\n\n",
        ] {
            assert!(Answer::decode(answer.as_bytes()).is_err(), "{answer:?}");
        }
        assert!(Answer::decode(format!("key {}\n", "00".repeat(32)).as_bytes()).is_err(), "a key of small order");
        assert!(Answer::decode(format!("signature {}\n", "é".repeat(64)).as_bytes()).is_err());
    }

    #[test]
    fn requests_and_answers_end_at_their_limits() {
        use crate::limits::tried;
        let request = |n: usize| {
            let of = |origin: String| {
                let checkpoint = Checkpoint { origin, ..checkpoint() };
                Request::Sign { old: 0, proof: Vec::new(), checkpoint }.encode()
            };
            let bytes = of("o".repeat(n + 1 - of("o".to_owned()).len()));
            assert_eq!(bytes.len(), n);
            Request::decode(&bytes).map(drop).map_err(|_| "refused".to_owned())
        };
        assert_eq!(tried("SIGNER_REQUEST_BYTES_MAX", request), Ok(()));
        let answer = |n: usize| {
            let line = format!("refused code {}\n", "x".repeat(n - 14));
            assert_eq!(line.len(), n);
            Answer::decode(line.as_bytes()).map(drop).map_err(|failure| failure.code.as_str().to_owned())
        };
        assert_eq!(tried("SIGNER_ANSWER_BYTES_MAX", answer), Ok(()));
    }
}
