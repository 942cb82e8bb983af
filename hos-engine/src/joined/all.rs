//! Which calls can be judged as one, and what they claim.

use crate::Failure;
use crate::join::{self, Read};
use crate::limits::ALL_MAX;
use hos_core::call::Call;
use hos_core::refusal::Code;

/// Whether calls can be judged as one. Each is judged on the rows that were there before the first, so none may stand on another.
pub(super) fn can_be_one(calls: &[Call]) -> Result<(), Failure> {
    let malformed = |message: String| Err(Failure::new(Code::CallMalformed, message));
    if calls.is_empty() || calls.len() > ALL_MAX {
        return malformed(format!("{} calls are made as one, not 1 to {ALL_MAX}", calls.len()));
    }
    for (at, call) in calls.iter().enumerate() {
        let place = at + 1;
        if matches!(call, Call::Directory(_) | Call::LegacyLog(_)) {
            return malformed(format!("call {place} of several is of the directory or of an older log: make it by itself"));
        }
        if call.by().legacy.is_some() {
            return malformed(format!("call {place} of several has `legacy`: a call in shadow is made by itself"));
        }
        let before = calls.iter().take(at);
        let is_same = |other: &Call| {
            call.instance().is_some_and(|instance| other.instance() == Some(instance))
                || call.once().is_some_and(|once| other.once() == Some(once))
        };
        if let Some(other) = before.zip(1..).find_map(|(other, n)| is_same(other).then_some(n)) {
            return malformed(format!(
                "calls {other} and {place} of several are about the same instance, or have the same once-key"
            ));
        }
    }
    Ok(())
}

/// What they claim: once-keys, then instances, each in the order of their bytes, so that no two who claim the same wait for each other.
pub(super) fn needs(calls: &[Call]) -> Vec<(&Call, Read)> {
    let reads = |call| join::first_needs(call, &join::Rows::default()).into_iter().map(move |read| (call, read));
    let mut all: Vec<(&Call, Read)> = calls.iter().flat_map(reads).collect();
    all.sort_by_cached_key(|(_, read)| match read {
        Read::Once(key) => (0, key.as_str().to_owned(), String::new()),
        Read::Instance(contract, id) => (1, contract.as_str().to_owned(), id.as_str().to_owned()),
        Read::Entity(_) | Read::Grant(_) | Read::Record(..) | Read::Law(_) => (2, String::new(), String::new()),
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::tried;
    use hos_core::call::Note;
    use hos_core::id::Uid;

    #[test]
    fn several_calls_end_at_their_limit() {
        let note = Call::Note(Note::new(Uid::new("A", "x").unwrap(), "s", Vec::new()).unwrap());
        let one = |n| can_be_one(&vec![note.clone(); n]).map_err(|failure| failure.code.as_str().to_owned());
        assert_eq!(tried("ALL_MAX", one), Ok(()));
        assert!(one(0).is_err());
    }
}
