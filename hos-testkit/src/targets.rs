//! The bodies of the fuzz targets: one for each decoder and parser that reads bytes from outside.
//!
//! A body must never panic on any input, and asserts what must hold of what was accepted: bytes that decode are the bytes
//! that encode again (one meaning, one form), and text that parses says the same when it is written and read again.

use hos_core::fault::SourceFile;
use hos_core::id::{InstanceId, Shown, Tenant, Uid};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::proof::bundle::Bundle;
use hos_core::proof::chain::Entry;
use hos_core::proof::checkpoint::{Checkpoint, Note, NoteKey};
use hos_core::proof::key::SealKey;
use hos_core::proof::receipt::Receipt;
use hos_core::proof::record::Header;
use hos_core::proof::stored::{decode_stored, encode_stored};
use hos_core::proof::tree::Frontier;
use hos_core::proof::trust::Trust;
use hos_core::time::{Span, Timestamp};
use hos_core::{audit, canon, contract, digest, judge, spanned};

/// A target: its name (and that of its corpus), and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: &[Target] = &[
    ("canon", canon),
    ("header", header),
    ("entry", entry),
    ("parts", parts),
    ("receipt", receipt),
    ("frontier", frontier),
    ("modes", modes),
    ("evidence", evidence),
    ("note", note),
    ("vkey", vkey),
    ("toml", toml),
    ("contract", contract_toml),
    ("law", law),
    ("call", call),
    ("ids", ids),
    ("bundle", bundle),
    ("trust", trust),
];

/// Canonical values.
pub fn canon(data: &[u8]) {
    if let Ok(value) = canon::decode_value(data) {
        assert_eq!(canon::encode_value(&value), data, "a second form of one value was accepted");
    }
    if let Ok(record) = canon::decode_record(data) {
        assert_eq!(canon::encode_record(&record), data, "a second form of one record was accepted");
    }
    let _ = canon::check_items(data);
}

/// Record headers.
pub fn header(data: &[u8]) {
    if let Ok(header) = Header::decode(data) {
        assert_eq!(header.encode().as_deref(), Ok(data), "a second form of one header was accepted");
    }
}

/// Log entries.
pub fn entry(data: &[u8]) {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode().as_deref(), Ok(data), "a second form of one entry was accepted");
    }
}

/// Parts as they are stored.
pub fn parts(data: &[u8]) {
    if let Ok(boxes) = decode_stored(data) {
        assert_eq!(encode_stored(&boxes).as_deref(), Ok(data), "a second form of one list of parts was accepted");
    }
}

/// Receipts.
pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = Receipt::decode(data) {
        assert_eq!(receipt.encode(), data, "a second form of one receipt was accepted");
    }
}

/// Bundles, judged under the key that signed the seeds, whatever log they say they are of.
pub fn bundle(data: &[u8]) {
    let Ok(bundle) = Bundle::decode(data) else {
        assert!(!audit::bundle(data, &trusting("none"), &[]).holds(), "what does not decode was believed");
        return;
    };
    assert_eq!(bundle.encode().as_deref(), Ok(data), "a second form of one bundle was accepted");
    let origin = bundle.logs.first().and_then(|log| log.note.lines().next()).unwrap_or_default();
    let verdict = audit::bundle(data, &trusting(origin), &[]);
    if verdict.holds() {
        assert_eq!(verdict.records, bundle.records.len() as u64);
        assert_eq!(verdict.gapless, Some(verdict.records - 1), "a gap was believed");
        assert_eq!(verdict.complete.is_some(), bundle.heads.is_some());
        assert!(!audit::bundle(data, &trusting("none"), &[]).holds(), "a log was believed that nobody named");
    }
}

/// A trust file that names one log, with the key of the seeds.
fn trusting(origin: &str) -> Trust {
    let mut seed = [0; 32];
    digest::expand(&[11; 32], "seal-key", 0, &mut seed);
    let key = SealKey::from_seed(&seed).verify_key();
    let named = NoteKey::new(origin, key.clone()).or_else(|_| NoteKey::new("none", key));
    let text = named.map(|named| format!("log {named}\nquorum none\n")).unwrap_or_default();
    Trust::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Trust files, and what they believe.
pub fn trust(data: &[u8]) {
    let Ok(trust) = Trust::parse(data) else { return };
    assert!(!trust.logs().is_empty(), "a trust file without a log was accepted");
    let note = format!("{}\n0\nAAAA\n\n\u{2014} x AAAAAAAA\n", trust.logs().first().map(NoteKey::name).unwrap_or_default());
    assert!(trust.believe(note.as_bytes()).is_err(), "an unsigned note was believed");
    let spaced = [data, b"\n# a comment behind\n"].concat();
    if spaced.len() <= hos_core::limits::TRUST_BYTES_MAX {
        assert_eq!(Trust::parse(&spaced).map(|t| t.asks_witnesses()).ok(), Some(trust.asks_witnesses()));
    }
}

/// The edge of a tree.
pub fn frontier(data: &[u8]) {
    if let Ok(mut frontier) = Frontier::decode(data) {
        assert_eq!(frontier.encode(), data, "a second form of one frontier was accepted");
        if frontier.size() < u64::MAX {
            frontier.append(b"leaf");
        }
        let _ = frontier.root();
    }
}

/// Modes, as an activation's record keeps them and as a file says them.
pub fn modes(data: &[u8]) {
    if let Ok(modes) = Modes::decode(data) {
        assert_eq!(modes.encode(), data, "a second form of one table of modes was accepted");
    }
    if let Some(file) = text(data, "modes.toml") {
        let _ = Modes::parse(&file);
    }
}

/// What parts hold when they are opened.
pub fn evidence(data: &[u8]) {
    let _ = judge::decode_entity(data);
    let _ = judge::decode_text(data);
    let _ = judge::decode_slice(data);
    let _ = judge::decode_blockers(data);
    let _ = judge::decode_once(data);
    let _ = judge::decode_messages(data);
    let _ = judge::decode_armed(data);
    let _ = judge::decode_change(data);
    let _ = judge::decode_asked(data);
    let _ = judge::decode_values(data);
}

/// Signed notes, and the checkpoints in them.
pub fn note(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert!(data.starts_with(note.text().as_bytes()), "a note's text is not its beginning");
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            assert_eq!(
                Checkpoint::parse(&checkpoint.text()).as_ref(),
                Ok(&checkpoint),
                "a checkpoint does not survive its own text"
            );
        }
    }
}

/// Verifier keys.
pub fn vkey(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    if let Ok(key) = NoteKey::parse(given) {
        let again = NoteKey::parse(&key.to_string());
        assert_eq!(
            again.map(|k| (k.name().to_owned(), k.id(), *k.key().as_bytes())),
            Ok((key.name().to_owned(), key.id(), *key.key().as_bytes()))
        );
    }
}

/// TOML with places.
pub fn toml(data: &[u8]) {
    if let Some(file) = text(data, "any.toml")
        && let Err(faults) = spanned::parse(&file)
    {
        assert!(!faults.is_empty(), "a file was refused for no fault");
    }
}

/// A contract's file.
pub fn contract_toml(data: &[u8]) {
    let Some(file) = text(data, "contracts/fuzzed.toml") else { return };
    match contract::parse::parse(&file, "Kit") {
        Ok((contract, _)) => {
            assert!(!contract.states.is_empty(), "a contract without states was accepted");
            for event in contract.begins.values() {
                assert!(!event.branches.is_empty(), "a birth that leads nowhere was accepted");
            }
            let limits = contract::model::Limits { worlds_max: 64, depth_max: 32, steps_max: 4_096 };
            for finding in contract::model::explore(&contract, limits).findings {
                let unseen = matches!(finding.kind, contract::model::Kind::Incomplete { .. });
                assert_eq!(finding.trace.is_empty(), unseen, "a finding and no path to it");
                assert!(finding.span.end <= file.text.len(), "a finding points outside its file");
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "a contract was refused for no fault");
            for fault in &faults {
                assert!(fault.span.end <= file.text.len(), "a fault points outside its file: {fault}");
            }
        }
    }
}

/// A law of several files: pieces between lines `=== path`, the rest of the small law being as it is.
pub fn law(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    let mut files = base_law();
    for piece in given.split("=== ").skip(1) {
        let Some((path, body)) = piece.split_once('\n') else { continue };
        match files.iter_mut().find(|(p, _)| p == path) {
            Some((_, bytes)) => *bytes = body.as_bytes().to_vec(),
            None => files.push((path.to_owned(), body.as_bytes().to_vec())),
        }
    }
    match Law::load(files) {
        Ok(law) => drop(law.check()),
        Err(faults) => assert!(!faults.is_empty(), "a law was refused for no fault"),
    }
}

/// The small law's files, as they are in the tree.
pub fn base_law() -> Vec<(String, Vec<u8>)> {
    [
        ("law.toml", include_str!("../law/law.toml")),
        ("schema.cedarschema", include_str!("../law/schema.cedarschema")),
        ("policies/all.cedar", include_str!("../law/policies/all.cedar")),
        ("contracts/ticket.toml", include_str!("../law/contracts/ticket.toml")),
        ("contracts/stay.toml", include_str!("../law/contracts/stay.toml")),
    ]
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .to_vec()
}

/// Calls as JSON: the first line is the operation.
pub fn call(data: &[u8]) {
    let cut = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (Ok(operation), json) = (std::str::from_utf8(&data[..cut]), &data[(cut + 1).min(data.len())..]) else { return };
    if let Err(failure) = hos_wire::call::parse(operation, json, 1 << 16) {
        assert!(
            !failure.message.chars().any(|c| c == '\u{1b}' || c == '\0'),
            "a message steers a terminal: {:?}",
            failure.message
        );
    }
}

/// Ids, times and spans, and that nothing that is shown steers a terminal.
pub fn ids(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!Shown(given).to_string().contains(steers), "a control character is shown as it is");
    if let Ok(id) = InstanceId::new(given) {
        assert_eq!(id.as_str(), given);
        assert!(!id.to_string().contains(steers));
    }
    if let Err(error) = Tenant::new(given) {
        assert!(!error.to_string().contains(steers));
    }
    if let Ok(uid) = Uid::parse(given) {
        assert_eq!(Uid::new(uid.type_name(), uid.id()), Ok(uid));
    }
    if let Ok(time) = Timestamp::parse(given) {
        assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }
    if let Ok(span) = Span::parse(given) {
        assert!(span.0 >= 0, "a length of time is negative");
    }
}

fn text(data: &[u8], path: &str) -> Option<SourceFile> {
    let text = std::str::from_utf8(data).ok()?.to_owned();
    Some(SourceFile { path: path.to_owned(), text })
}
