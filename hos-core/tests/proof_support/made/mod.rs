//! The vectors, made from fixed seeds.

mod chain;
mod record;

pub(super) use chain::chain_vectors;
pub(super) use record::record_vectors;

use super::*;

fn numbered(cases: Vec<(&str, Json)>) -> Vectors {
    cases.into_iter().enumerate().map(|(i, (name, case))| (format!("{:03}_{name}.json", i + 1), case)).collect()
}

fn refused(what: &str, note: &str, bytes: &[u8], error: &str) -> Json {
    json!({"what": what, "about": note, "bytes": hex(bytes), "error": error})
}

/// Replaces the one place where a run of bytes stands.
#[track_caller]
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at: Vec<usize> = (0..=bytes.len() - from.len()).filter(|i| bytes[*i..].starts_with(from)).collect();
    assert_eq!(at.len(), 1, "the place is not the only one");
    [&bytes[..at[0]], to, &bytes[at[0] + from.len()..]].concat()
}

fn bent(case: &Json, note: &str, error: &str, change: impl FnOnce(&mut Json)) -> Json {
    let mut case = case.clone();
    case["about"] = note.into();
    case["error"] = error.into();
    change(&mut case);
    case
}
