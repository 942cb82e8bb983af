//! One record's proof as text (C2SP tlog-proof): the entry, its index, its inclusion proof, the checkpoint.

use super::armor::{from_base64, to_base64};
use crate::id::TreeHash;
use crate::limits::{PROOF_MAX, TLOG_PROOF_BYTES_MAX};

/// The first line.
pub const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// A proof, parsed but not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's bytes, carried as the format's extra data.
    pub entry: Vec<u8>,
    /// The entry's place.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub proof: Vec<TreeHash>,
    /// The checkpoint: the whole note.
    pub checkpoint: String,
}

impl TlogProof {
    /// The text.
    pub fn encode(&self) -> String {
        let mut text = format!("{MAGIC}\nextra {}\nindex {}\n", to_base64(&self.entry), self.index);
        for hash in &self.proof {
            text.push_str(&to_base64(hash.as_bytes()));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// The proof that this text is; what is wrong with it otherwise.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > TLOG_PROOF_BYTES_MAX {
            return Err("the proof is too long");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "the proof is not UTF-8")?;
        let rest = text.strip_prefix(MAGIC).and_then(|t| t.strip_prefix('\n')).ok_or("the first line is another")?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or("no empty line before the checkpoint")?;
        let mut lines = head.split('\n');
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or("the entry is not carried as extra data")?;
        let entry = from_base64(extra).ok_or("the extra data are not base64")?;
        let digits = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or("no index")?;
        let index: u64 = digits.parse().map_err(|_| "the index is no number")?;
        if index.to_string() != digits {
            return Err("the index is not written in the one way");
        }
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == PROOF_MAX {
                return Err("a proof of more than 64 hashes");
            }
            let hash = from_base64(line).and_then(|raw| TreeHash::from_slice(&raw));
            proof.push(hash.ok_or("a hash is not the base64 of 32 bytes")?);
        }
        Ok(Self { entry, index, proof, checkpoint: checkpoint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> TlogProof {
        TlogProof {
            entry: vec![1, 2, 3],
            index: 7,
            proof: vec![TreeHash([1; 32]), TreeHash([2; 32])],
            checkpoint: "o\n8\nr\n\n— o x\n".into(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for one in [proof(), TlogProof { proof: vec![], index: 0, ..proof() }] {
            assert_eq!(TlogProof::parse(one.encode().as_bytes()), Ok(one));
        }
    }

    #[test]
    fn every_other_text_is_refused() {
        let good = proof().encode();
        let long = TlogProof { proof: vec![TreeHash([0; 32]); 65], ..proof() }.encode();
        for (bad, why) in [
            (good.replace("@v1", "@v2"), "the first line is another"),
            (good.replace("extra ", "extra"), "the entry is not carried as extra data"),
            (good.replace("index 7", "index 07"), "the index is not written in the one way"),
            (good.replace("index 7", "index x"), "the index is no number"),
            (good.replace("AQEB", "!QEB"), "a hash is not the base64 of 32 bytes"),
            (good.replace("\n\n", "\n"), "no empty line before the checkpoint"),
            (long, "a proof of more than 64 hashes"),
        ] {
            assert_eq!(TlogProof::parse(bad.as_bytes()), Err(why));
        }
        assert_eq!(TlogProof::parse(&[0xff]), Err("the proof is not UTF-8"));
        assert!(TlogProof::parse(&vec![b'a'; TLOG_PROOF_BYTES_MAX + 1]).is_err());
    }
}
