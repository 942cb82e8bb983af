//! Texts: notes and keys, law files.

use super::bytes::key;
use hos_core::fault::SourceFile;
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::policy::plain::PlainLaw;
use hos_core::proof::checkpoint::{
    Checkpoint, Note, NoteKey, WitnessKey, cosignature as signed_by, hash_from_base64, origin_parts,
};
use hos_core::proof::key::SealKey;
use hos_core::proof::tlog_proof::TlogProof;
use hos_core::proof::witness::{add_checkpoint, conflict, with_cosignature};
use hos_core::shape::Type;
use hos_core::{contract, spanned};
use std::sync::LazyLock;

fn text(data: &[u8], path: &str) -> Option<SourceFile> {
    let text = std::str::from_utf8(data).ok()?.to_owned();
    Some(SourceFile { path: path.to_owned(), text })
}

/// Modes, as an activation's record keeps them and as a file says them.
pub(super) fn modes(data: &[u8]) {
    if let Ok(modes) = Modes::decode(data) {
        assert_eq!(modes.encode(), data, "a second form of one table of modes was accepted");
    }
    if let Some(Ok(modes)) = text(data, "modes.toml").map(|file| Modes::parse(&file)) {
        assert_eq!(Modes::decode(&modes.encode()), Ok(modes), "modes do not survive their record");
    }
}

/// Signed notes, and the checkpoints in them.
pub(super) fn note(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert!(data.starts_with(note.text().as_bytes()), "a note's text is not its beginning");
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            assert_eq!(
                Checkpoint::parse(&checkpoint.text()).as_ref(),
                Ok(&checkpoint),
                "a checkpoint does not survive its own text"
            );
            if let Some((store, tenant, epoch)) = origin_parts(&checkpoint.origin) {
                let again = hos_core::proof::checkpoint::origin(&store, &tenant, epoch);
                assert_eq!(again, checkpoint.origin, "an origin is written in two ways");
            }
        }
        let stranger = NoteKey::new("none", key().verify_key());
        assert!(stranger.is_ok_and(|key| note.verify(&key).is_err()), "a stranger's note was believed");
    }
}

/// Verifier keys, of logs and of witnesses.
pub(super) fn vkey(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    if let Ok(key) = NoteKey::parse(given) {
        let again = NoteKey::parse(&key.to_string());
        assert_eq!(
            again.map(|k| (k.name().to_owned(), k.id(), *k.key().as_bytes())),
            Ok((key.name().to_owned(), key.id(), *key.key().as_bytes()))
        );
        assert!(WitnessKey::parse(given).is_err(), "a log's key was taken for a witness's");
    }
    if let Ok(key) = WitnessKey::parse(given) {
        assert_eq!(key.to_string(), given, "a witness's key is written in two ways");
    }
    if let Some(hash) = hash_from_base64(given) {
        assert_eq!(hos_core::proof::checkpoint::hash_base64(&hash), given, "a hash is written in two ways");
    }
}

/// The witness that cosigns in the seeds, the note that it is asked about, and its line under it.
static ASKED: LazyLock<(WitnessKey, String, String)> = LazyLock::new(|| {
    let (log, witness) = (key(), SealKey::from_seed(&[7; 32]));
    let checkpoint =
        Checkpoint { origin: "log.example".into(), size: 3, root: hos_core::id::TreeHash([5; 32]), extensions: vec![] };
    let note = checkpoint.sign(&log).unwrap_or_else(|e| panic!("{e}"));
    let line = signed_by("witness.example/w", &witness, 1_783_000_000, &checkpoint.text()).unwrap_or_else(|e| panic!("{e}"));
    let key = WitnessKey::new("witness.example/w", witness.verify_key()).unwrap_or_else(|e| panic!("{e}"));
    (key, note, line)
});

/// What the witness of the seeds answers when it cosigns.
pub fn cosigned() -> Vec<u8> {
    let mut line = ASKED.2.trim_end_matches('\n').to_owned();
    line.push('\n');
    line.into_bytes()
}

/// A witness's answers.
pub(super) fn cosignature(data: &[u8]) {
    let (key, note, line) = &*ASKED;
    if let Ok(whole) = with_cosignature(note, data, key) {
        assert!(whole.starts_with(note.as_str()), "a witness changed the note");
        let signed = Note::parse(whole.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(key.vouches(&signed), Ok(true), "a cosignature was taken over that does not hold");
        assert!(whole.contains(line.trim_end()), "a line was taken over that nobody signed");
    }
    if let Some(size) = conflict(data) {
        assert_eq!(format!("{size}\n").as_bytes(), data, "a size is written in two ways");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let body = add_checkpoint(data.len() as u64, &[], text);
        assert!(body.is_none_or(|body| body.ends_with(text)));
    }
}

/// Proofs as text (C2SP tlog-proof).
pub(super) fn proof(data: &[u8]) {
    if let Ok(proof) = TlogProof::parse(data) {
        assert_eq!(proof.encode().as_bytes(), data, "a second form of one proof was accepted");
    }
}

/// TOML with places.
pub(super) fn toml(data: &[u8]) {
    if let Some(file) = text(data, "any.toml")
        && let Err(faults) = spanned::parse(&file)
    {
        assert!(!faults.is_empty(), "a file was refused for no fault");
        assert!(faults.iter().all(|fault| fault.span.end <= file.text.len()), "a fault points outside its file");
    }
}

/// A contract's file.
pub(super) fn contract_toml(data: &[u8]) {
    let Some(file) = text(data, "contracts/fuzzed.toml") else { return };
    if let Some(ty) = Type::parse(&file.text, "Kit") {
        assert_eq!(Type::parse(&ty.to_string(), ""), Some(ty), "a type does not survive its own text");
    }
    match contract::parse::parse(&file, "Kit") {
        Ok((contract, _)) => {
            assert!(!contract.states.is_empty(), "a contract without states was accepted");
            for event in contract.begins.values() {
                assert!(!event.branches.is_empty(), "a birth that leads nowhere was accepted");
            }
            let _ = contract::check::check(&contract, &file);
            let limits = contract::model::Limits { worlds_max: 64, depth_max: 32, steps_max: 4_096 };
            for finding in contract::model::explore(&contract, limits).findings {
                let unseen = matches!(finding.kind, contract::model::Kind::Incomplete { .. });
                assert_eq!(finding.trace.is_empty(), unseen, "a finding and no path to it");
                assert!(finding.span.end <= file.text.len(), "a finding points outside its file");
            }
            let _ = (contract::draw::mermaid(&contract), contract::draw::dot(&contract));
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "a contract was refused for no fault");
            for fault in &faults {
                assert!(fault.span.end <= file.text.len(), "a fault points outside its file: {fault}");
            }
        }
    }
}

/// Cedar's policies without a law: read, indexed, asked once.
pub(super) fn policies(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    if let Ok(law) = PlainLaw::new(given, None, "[]") {
        let _ = law.decide(("User", "a"), ("Action", "view"), ("Doc", "b"), "{}");
    }
}

/// A law of several files: pieces between lines `=== path`, the rest of the small law being as it is.
pub(super) fn law(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    let mut files = base_law();
    for piece in given.split("=== ").skip(1) {
        let Some((path, body)) = piece.split_once('\n') else { continue };
        match files.iter_mut().find(|(p, _)| p == path) {
            Some((_, bytes)) => *bytes = body.as_bytes().to_vec(),
            None => files.push((path.to_owned(), body.as_bytes().to_vec())),
        }
    }
    match Law::load(files.clone()) {
        Ok(law) => {
            drop(law.check());
            let again = Law::load_again(files.clone(), &law.hash).unwrap_or_else(|f| panic!("a law is loaded once alone: {f:?}"));
            assert_eq!(again.hash, law.hash);
            assert_eq!(Law::hash_of(&files), Some(law.hash), "a law has two hashes");
            assert!(!law.message("en", "hos.forbidden").is_empty());
        }
        Err(faults) => assert!(!faults.is_empty(), "a law was refused for no fault"),
    }
}

/// The small law's files, as they are in the tree.
pub fn base_law() -> Vec<(String, Vec<u8>)> {
    [
        ("law.toml", include_str!("../../law/law.toml")),
        ("schema.cedarschema", include_str!("../../law/schema.cedarschema")),
        ("policies/all.cedar", include_str!("../../law/policies/all.cedar")),
        ("contracts/ticket.toml", include_str!("../../law/contracts/ticket.toml")),
        ("contracts/stay.toml", include_str!("../../law/contracts/stay.toml")),
    ]
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .to_vec()
}
