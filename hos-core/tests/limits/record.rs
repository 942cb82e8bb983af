//! Records: headers, parts, entries, notes, keys.

use super::proof_support::*;
use super::{all_hold, but};
use hos_core::canon::{decode_value, encode_value};
use hos_core::id::*;
use hos_core::proof::chain::LogHead;
use hos_core::proof::checkpoint::Note;
use hos_core::proof::format::FormatError;
use hos_core::proof::heads::{Head, HeadKind, HeadsError, verify_presence};
use hos_core::proof::key::SealKey;
use hos_core::proof::keyring::{KeyChange, KeyRing, KeyRingError};
use hos_core::proof::part::PartError;
use hos_core::proof::receipt::{Receipt, Seal};
use hos_core::proof::record::{Header, Part, PartRef, Slot};
use hos_core::proof::stored::{StoredBox, decode_stored, encode_stored};
use hos_core::proof::tree::{TreeError, verify_inclusion};
use hos_core::time::Timestamp;
use hos_core::value::Value;
use std::collections::{BTreeMap, BTreeSet};

fn format<T>(result: Result<T, FormatError>) -> Result<(), String> {
    but(result.err().map(|error| error.code().to_owned()), &[])
}

/// A header of exactly so many bytes: three policies' names are long enough to reach any size.
fn header_of(bytes: usize) -> Result<Vec<u8>, FormatError> {
    let with = |lengths: &[usize]| {
        let policies = lengths.iter().enumerate().map(|(i, len)| format!("{i:03}{}", "x".repeat(len - 3))).collect();
        Header { policies, ..bare_header() }.encode()
    };
    let mut lengths = vec![200usize; 60];
    loop {
        let found = match with(&lengths) {
            Ok(header) => header.len(),
            Err(_) => return with(&lengths),
        };
        if found == bytes {
            return with(&lengths);
        }
        let missing = bytes - found;
        match lengths.iter_mut().find(|len| **len < 255) {
            Some(len) => *len += missing.min(255 - *len),
            None => lengths.push(100.min(missing.max(7) - 2)),
        }
    }
}

#[test]
fn of_a_record() {
    let part = |index| PartRef { slot: Slot::Args, index, commitment: Commitment([1; 32]) };
    let policies = |n: usize| format(Header { policies: (0..n).map(|i| format!("{i:03}")).collect(), ..bare_header() }.encode());
    let parts = |n: usize| format(Header { parts: (0..n).map(|i| part(i as u8)).collect(), ..bare_header() }.encode());
    let plain = |n: usize| {
        let part = Part::new(Slot::Payload, 0, None, [1; 32], vec![0; n]);
        let sealed = StoredBox::seal(&[(&part, part.commitment())], None, [0; 24]);
        but(sealed.err().map(|error: PartError| error.code().to_owned()), &[])
    };
    let boxes = |n: usize| {
        let one = StoredBox { key: KeyId([1; 16]), places: vec![(Slot::Args, 0)], sealed: vec![0; n].into() };
        let written = encode_stored(std::slice::from_ref(&one)).map(drop);
        let read = decode_stored(&written_boxes(&[one])).map(drop);
        assert_eq!(written, read, "what is not read is not written");
        format(read)
    };
    let entry = |n: usize| {
        // A header at its edge, and places that fill what an entry has besides: beyond it there is none to make.
        if n > hos_core::limits::ENTRY_BYTES_MAX {
            return format(hos_core::proof::chain::Entry::decode(&vec![0; n]));
        }
        let head = LogHead::genesis(store(), 0, tenant(), b"");
        let entry = head.next(Timestamp(START), None, None, header_of(hos_core::limits::HEADER_BYTES_MAX).unwrap());
        format(entry.encode())
    };
    let receipt = |n: usize| {
        let of = |checkpoint: String| Receipt {
            tenant: tenant(),
            thread: Handle([1; 16]),
            n: Some(4),
            record: RecordHash([2; 32]),
            seal: Seal::Sealed { seq: 7, entry: EntryHash([3; 32]), checkpoint },
        };
        let around = of("x".repeat(60_000)).encode().len() - 60_000;
        // Beyond 65,535 bytes the text's head is two bytes longer.
        let text = n - around - 2;
        let bytes = of("x".repeat(text)).encode();
        assert_eq!(bytes.len(), n);
        format(Receipt::decode(&bytes))
    };
    let note = |n: usize| {
        let rest = Log::grown(1).note();
        let padding = n - rest.len();
        let whole = format!("{}{rest}", "x".repeat(padding));
        assert_eq!(whole.len(), n);
        but(Note::parse(whole.as_bytes()).err().map(|error| error.code().to_owned()), &[])
    };
    let signatures = |n: usize| {
        let note = Log::grown(1).note();
        let line = note.lines().last().unwrap();
        let whole = format!("text\n\n{}", format!("{line}\n").repeat(n));
        but(Note::parse(whole.as_bytes()).err().map(|error| error.code().to_owned()), &[])
    };
    // The largest tree there can be: a leaf's path in it has a hash for each level.
    let proof = |n: usize| {
        let leaf = TreeHash([1; 32]);
        let way: Vec<TreeHash> = (0..n).map(|i| TreeHash([i as u8; 32])).collect();
        let root = way.iter().fold(leaf, |hash, other| hos_core::digest::tree_node(&hash, other));
        match verify_inclusion(0, u64::MAX, &leaf, &way, &root) {
            Ok(()) => Ok(()),
            Err(TreeError::Length) => Err("TreeError::Length".to_owned()),
            Err(other) => Err(other.to_string()),
        }
    };
    let siblings = |n: usize| {
        let head = Head { key: MapKey([0; 32]), kind: HeadKind::Live, thread: Handle([1; 16]), n: 1, last: RecordHash([1; 32]) };
        match verify_presence(&MapHash([0; 32]), &head, &vec![MapHash([1; 32]); n]) {
            Err(HeadsError::Length) => Err("HeadsError::Length".to_owned()),
            // Made-up siblings lead to another root, and were all looked at.
            _ => Ok(()),
        }
    };
    let ring = |n: usize| {
        let (seal, universe) = (|i: usize| SealKey::from_seed(&drawn("ring", i as u64)), Tenant::universe());
        let mut ring = KeyRing::default();
        ring.take(&store(), KeyChange::First(seal(0).verify_key())).unwrap();
        for i in 1..n {
            let size = 2 * i as u64;
            let rotated = KeyChange::Rotated(seal(i).verify_key(), BTreeMap::from([(universe.clone(), size)]));
            ring.take(&store(), rotated).map_err(|error| match error {
                KeyRingError::Order(_) => "KeyRingError::Order".to_owned(),
                other => other.to_string(),
            })?;
            let origin = hos_core::proof::checkpoint::origin(&store(), &universe, 0);
            let closing = hos_core::proof::checkpoint::Checkpoint {
                origin,
                size: size - 1,
                root: TreeHash([7; 32]),
                extensions: Vec::new(),
            };
            let note = closing.sign(&seal(i - 1)).unwrap();
            ring.take(&store(), KeyChange::Confirmed(seal(i).verify_key(), note)).map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    let revoked = |n: usize| {
        let change = KeyChange::Revoked(seal_key().verify_key(), BTreeMap::from([(tenant(), 6)]), "x".repeat(n));
        match KeyChange::decode(&change.encode()) {
            Err(KeyRingError::Content(_)) => Err("KeyRingError::Content".to_owned()),
            other => other.map(drop).map_err(|error| error.to_string()),
        }
    };
    let canon = |levels: usize| {
        let empty = Value::Set(BTreeSet::new());
        let nested = (1..levels).fold(empty, |inner, _| Value::Set([inner].into()));
        decode_value(&encode_value(&nested)).map(drop).map_err(|_| "not_canonical".to_owned())
    };
    all_hold(&[
        ("HEADER_BYTES_MAX", &|n| format(header_of(n))),
        ("POLICIES_MAX", &policies),
        ("PARTS_MAX", &parts),
        ("PART_BYTES_MAX", &plain),
        ("BOXES_BYTES_MAX", &boxes),
        ("ENTRY_BYTES_MAX", &entry),
        ("RECEIPT_BYTES_MAX", &receipt),
        ("NOTE_BYTES_MAX", &note),
        ("SIGNATURES_MAX", &signatures),
        ("PROOF_MAX", &proof),
        ("SIBLINGS_MAX", &siblings),
        ("STORE_KEYS_MAX", &ring),
        ("REVOKED_REASON_BYTES_MAX", &revoked),
        ("CANON_DEPTH_MAX", &canon),
    ]);
}
