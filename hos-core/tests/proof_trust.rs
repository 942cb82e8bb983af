//! Trust files at their edges, and which line of one is wrong.

mod proof_support;

use hos_core::limits::{FORK_BYTES_MAX, TRUST_BYTES_MAX};
use hos_core::proof::checkpoint::{Note, NoteKey, WitnessKey, cosignature};
use hos_core::proof::fork::{Fork, ForkError};
use hos_core::proof::key::SealKey;
use hos_core::proof::trust::{Trust, TrustError};
use proof_support::*;

fn secret(i: u64) -> SealKey {
    SealKey::from_seed(&drawn("witness", i))
}

fn vkey(i: u64) -> WitnessKey {
    WitnessKey::new(format!("w{i}"), secret(i).verify_key()).unwrap()
}

fn log_line() -> String {
    format!("log {}\n", note_key())
}

fn why(text: &str) -> (usize, &'static str) {
    let error: TrustError = Trust::parse(text.as_bytes()).expect_err("this file says nothing to be believed");
    assert_eq!(error.to_string().starts_with("line "), error.line > 0, "{error}");
    (error.line, error.code())
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let (log, w1, w2) = (log_line(), vkey(1), vkey(2));
    let cases = [
        (format!("{log}quorum none\nnonsense\n"), (3, "policy.syntax")),
        (format!("nonsense\n{log}quorum none\n"), (1, "policy.syntax")),
        (format!("{log}\n# a remark\nlog\nquorum none\n"), (4, "policy.syntax")),
        (format!("{log}quorum none\nquorum none\n"), (3, "policy.no_quorum")),
        (format!("{log}quorum w\n"), (2, "policy.unknown_name")),
        (format!("{log}witness w {w1}\nwitness w {w2}\nquorum w\n"), (3, "policy.duplicate")),
        // A group of nobody can never be met, and is not one that is always met.
        (format!("{log}witness w {w1}\ngroup g any\nquorum g\n"), (3, "policy.syntax")),
        (format!("{log}witness w {w1}\ngroup g all\nquorum g\n"), (3, "policy.syntax")),
        (format!("{log}witness w {w1}\ngroup g 0 w\nquorum g\n"), (3, "policy.syntax")),
        (format!("{log}witness w {w1}\ngroup g 2 w\nquorum g\n"), (3, "policy.syntax")),
        (format!("{log}witness w {w1}\ngroup g 01 w\nquorum g\n"), (3, "policy.syntax")),
        (log.clone(), (0, "policy.no_quorum")),
        ("quorum none\n".into(), (0, "policy.no_log")),
        (String::new(), (0, "policy.no_quorum")),
    ];
    for (text, wrong) in cases {
        assert_eq!(why(&text), wrong, "{text}");
    }
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let start = format!("{}quorum none\n#", log_line());
    let file = |bytes: usize| format!("{start}{}", "x".repeat(bytes - start.len()));
    assert!(Trust::parse(file(TRUST_BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(why(&file(TRUST_BYTES_MAX + 1)), (0, "policy.too_large"));
    let long = |bytes: usize| Fork::decode(&vec![b'x'; bytes]);
    assert_eq!(long(FORK_BYTES_MAX), Err(ForkError::Malformed("the first line")));
    assert_eq!(long(FORK_BYTES_MAX + 1), Err(ForkError::Malformed("it is too long")));
    assert_eq!(long(FORK_BYTES_MAX + 2), Err(ForkError::Malformed("it is too long")));
}

#[test]
fn the_logs_and_witnesses_of_a_file_are_told_in_its_order() {
    let other = NoteKey::new("another/log", secret(7).verify_key()).unwrap();
    let text = format!(
        "{}log {other}\nwitness first {} https://w1.example\nwitness second {}\nquorum none\n",
        log_line(),
        vkey(1),
        vkey(2)
    );
    let trust = Trust::parse(text.as_bytes()).unwrap();
    assert_eq!(trust.logs(), [note_key(), other.clone()]);
    let witnesses: Vec<(String, &str, Option<&str>)> =
        trust.witnesses().map(|(name, key, url)| (name, key.name(), url)).collect();
    assert_eq!(witnesses, [("first".into(), "w1", Some("https://w1.example")), ("second".into(), "w2", None)]);
    assert!(!trust.asks_witnesses());
    assert_eq!(trust.keys_of("another/log").collect::<Vec<_>>(), [&other]);
}

#[test]
fn who_vouches_here_or_there_vouches() {
    let text = format!("{}witness a {}\nwitness b {}\ngroup g 2 a b\nquorum g\n", log_line(), vkey(1), vkey(2));
    let trust = Trust::parse(text.as_bytes()).unwrap();
    let log = Log::grown(3);
    let line = |i: u64| cosignature(&format!("w{i}"), &secret(i), 5, &log.checkpoint().text()).unwrap();
    let vouching = |lines: &[u64]| {
        let note = lines.iter().fold(log.note(), |note, i| note + &line(*i));
        trust.vouching(&Note::parse(note.as_bytes()).unwrap()).unwrap()
    };
    let cases: [(&[u64], bool, bool, &[&str]); 5] = [
        (&[], true, false, &[]),
        (&[3], true, false, &[]),
        (&[1], false, false, &["a"]),
        (&[2, 3], false, false, &["b"]),
        (&[2, 1], false, true, &["a", "b"]),
    ];
    for (lines, is_empty, is_met, names) in cases {
        let found = vouching(lines);
        assert_eq!((found.is_empty(), trust.is_met(&found)), (is_empty, is_met), "{lines:?}");
        assert_eq!(trust.names(&found), names);
    }
    assert_eq!(vouching(&[1]).or(&vouching(&[2])), vouching(&[1, 2]));
    assert_eq!(vouching(&[1]).or(&vouching(&[])), vouching(&[1]));
    assert!(trust.asks_witnesses());
}
