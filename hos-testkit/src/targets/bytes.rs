//! Bytes of our own formats: each meaning has one form.

use hos_core::id::{Handle, Tenant, TreeHash};
use hos_core::proof::bundle::Bundle;
use hos_core::proof::chain::{Entry, EntryView};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::epoch::Turn;
use hos_core::proof::erasure::{Erasure, decode_key};
use hos_core::proof::fork::Fork;
use hos_core::proof::key::SealKey;
use hos_core::proof::keyring::{KeyChange, KeyRing};
use hos_core::proof::receipt::Receipt;
use hos_core::proof::record::Header;
use hos_core::proof::roots::TenantRoot;
use hos_core::proof::stored::{BoxTable, decode_stored, encode_stored};
use hos_core::proof::tiles::{TileWriter, entries_path, split_entries, tile_path};
use hos_core::proof::tree::Frontier;
use hos_core::proof::trust::Trust;
use hos_core::proof::view::HeaderView;
use hos_core::{audit, canon, digest, judge};

/// Canonical values.
pub(super) fn canon(data: &[u8]) {
    if let Ok(value) = canon::decode_value(data) {
        assert_eq!(canon::encode_value(&value), data, "a second form of one value was accepted");
        assert_eq!(canon::check_items(data), Ok(()), "a value was accepted that is no item");
    }
    if let Ok(record) = canon::decode_record(data) {
        assert_eq!(canon::encode_record(&record), data, "a second form of one record was accepted");
    }
    let _ = canon::check_items(data);
}

/// Record headers.
pub(super) fn header(data: &[u8]) {
    let view = HeaderView::decode(data);
    match Header::decode(data) {
        Ok(header) => {
            assert_eq!(header.encode().as_deref(), Ok(data), "a second form of one header was accepted");
            let seen = view.and_then(|view| view.to_header());
            assert_eq!(seen.as_ref(), Ok(&header), "a header's view is another header");
        }
        Err(_) => assert!(!view.is_ok_and(|view| view.to_header().is_ok()), "a view of no header was accepted"),
    }
}

/// Log entries.
pub(super) fn entry(data: &[u8]) {
    let view = EntryView::decode(data);
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode().as_deref(), Ok(data), "a second form of one entry was accepted");
        let view = view.unwrap_or_else(|e| panic!("an entry has no view: {e}"));
        assert_eq!((view.seq, view.epoch, view.header), (entry.seq, entry.epoch, entry.header.as_slice()));
        assert_eq!((view.tenant, view.stream, view.disputed), (entry.tenant.as_str(), entry.stream, entry.disputed));
    } else if let Ok(view) = view {
        assert_eq!(view.encode_into(Vec::new()).as_deref(), Ok(data), "a second form of one entry was seen");
    }
}

/// Parts as they are stored.
pub(super) fn parts(data: &[u8]) {
    let mut table = BoxTable::default();
    let read = table.read(data);
    let Ok(boxes) = decode_stored(data) else {
        assert!(read.is_err(), "a table of no parts was read");
        return;
    };
    assert_eq!(encode_stored(&boxes).as_deref(), Ok(data), "a second form of one list of parts was accepted");
    assert_eq!(read, Ok(()), "what decodes is read");
    let (seen, known): (Vec<bool>, Vec<bool>) =
        (table.boxes(data).map(|b| b.is_clear()).collect(), boxes.iter().map(|b| b.is_clear()).collect());
    assert_eq!(seen, known, "a table has other boxes than the list");
    for one in boxes.iter().filter(|one| one.is_clear()) {
        let _ = one.open_listed(None, &[]);
    }
}

/// Receipts.
pub(super) fn receipt(data: &[u8]) {
    if let Ok(receipt) = Receipt::decode(data) {
        assert_eq!(receipt.encode(), data, "a second form of one receipt was accepted");
        let key = NoteKey::new("none", key().verify_key()).unwrap_or_else(|e| panic!("{e}"));
        assert!(receipt.verify(data, &[], &key).is_err(), "a receipt was believed that covers no entry");
    }
}

/// What records of the office say: keys, epochs, erasures, tenants' roots, rows of an old log.
pub(super) fn contents(data: &[u8]) {
    if let Ok(change) = KeyChange::decode(data) {
        assert_eq!(change.encode(), data, "a second form of one change of keys was accepted");
        let mut ring = KeyRing::default();
        let first = !matches!(change, KeyChange::First(_));
        assert!(ring.take(&hos_core::id::StoreId([0; 16]), change).is_err() == first, "a ring begins with its first key alone");
        assert_eq!(ring.current().is_none(), first);
    }
    if let Ok(turn) = Turn::decode(data) {
        assert_eq!(turn.encode(), data, "a second form of one turn was accepted");
    }
    if let Ok(erasure) = Erasure::decode(data) {
        assert_eq!(erasure.encode(), data, "a second form of one erasure was accepted");
    }
    if let Ok(root) = TenantRoot::decode(data) {
        assert_eq!(root.encode(), data, "a second form of one root was accepted");
        assert!(!root.contradicts(&root), "a root contradicts itself");
    }
    let _ = decode_key(data);
    if let Ok(row) = judge::decode_legacy(data) {
        assert!(canon::decode_record(data).is_ok(), "a row of an old log is no record of values: {row:?}");
    }
}

/// Bundles, judged under the key that signed the seeds, whatever log they say they are of.
pub(super) fn bundle(data: &[u8]) {
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

/// The key that signs what the seeds have signed.
pub(super) fn key() -> SealKey {
    let mut seed = [0; 32];
    digest::expand(&[11; 32], "seal-key", 0, &mut seed);
    SealKey::from_seed(&seed)
}

/// A trust file that names one log, with the key of the seeds.
fn trusting(origin: &str) -> Trust {
    let key = key().verify_key();
    let named = NoteKey::new(origin, key.clone()).or_else(|_| NoteKey::new("none", key));
    let text = named.map(|named| format!("log {named}\nquorum none\n")).unwrap_or_default();
    Trust::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Trust files, and what they believe.
pub(super) fn trust(data: &[u8]) {
    let Ok(trust) = Trust::parse(data) else { return };
    assert!(!trust.logs().is_empty(), "a trust file without a log was accepted");
    let note = format!("{}\n0\nAAAA\n\n\u{2014} x AAAAAAAA\n", trust.logs().first().map(NoteKey::name).unwrap_or_default());
    assert!(trust.believe(note.as_bytes()).is_err(), "an unsigned note was believed");
    let spaced = [data, b"\n# a comment behind\n"].concat();
    if spaced.len() <= hos_core::limits::TRUST_BYTES_MAX {
        assert_eq!(Trust::parse(&spaced).map(|t| t.asks_witnesses()).ok(), Some(trust.asks_witnesses()));
    }
}

/// The size of the smaller history that the seeds have signed, and of the larger.
const FORKED: (u64, u64) = (5, 9);

/// Reports of forks. Two histories are signed: what is proved of them is that they part, and nothing else can be.
pub(super) fn fork(data: &[u8]) {
    let Ok(fork) = Fork::decode(data) else { return };
    assert_eq!(fork.encode(), data, "a second form of one report was accepted");
    let origin = fork.smaller.lines().next().unwrap_or_default();
    let Ok(proved) = fork.prove(&trusting(origin)) else { return };
    assert_ne!(proved.roots.0, proved.roots.1, "one history was taken for two");
    let signed = |size, named| (0..=9).any(|grown| history(grown, named).is_some_and(|(n, root)| (n, root) == size));
    for (size, root) in [(proved.sizes.0, proved.roots.0), (proved.sizes.1, fork_root(&fork))] {
        assert!(signed((size, root), "a") || signed((size, root), "b"), "a fork of histories that nobody signed");
    }
}

/// The root that the larger checkpoint of a report names.
fn fork_root(fork: &Fork) -> TreeHash {
    let note = hos_core::proof::checkpoint::Note::parse(fork.larger.as_bytes()).ok();
    let checkpoint = note.and_then(|note| Checkpoint::parse(note.text()).ok());
    checkpoint.map_or(TreeHash([0; 32]), |checkpoint| checkpoint.root)
}

/// A history of so many entries: its size and root.
fn history(size: u64, named: &str) -> Option<(u64, TreeHash)> {
    let mut frontier = Frontier::default();
    (0..size).for_each(|i| frontier.append(format!("{named}{i}").as_bytes()));
    (size > 0).then(|| (size, frontier.root()))
}

/// A report of two histories under the key of the seeds: what the corpus begins with.
pub fn forked() -> Vec<u8> {
    let origin = hos_core::proof::checkpoint::origin(&hos_core::id::StoreId([1; 16]), &Tenant::universe(), 0);
    let note = |(size, root): (u64, TreeHash)| {
        let checkpoint = Checkpoint { origin: origin.clone(), size, root, extensions: Vec::new() };
        checkpoint.sign(&key()).unwrap_or_default()
    };
    let (one, other) = (history(FORKED.0, "a"), history(FORKED.1, "b"));
    let leaves: Vec<TreeHash> = (0..FORKED.1).map(|i| digest::tree_leaf(format!("b{i}").as_bytes())).collect();
    let nodes = |level: u8, index: u64| super::trees::node(&leaves, level, index);
    let proof = hos_core::proof::tree::prove_consistency(FORKED.0, FORKED.1, &nodes).unwrap_or_default();
    let root = history(FORKED.0, "b").map_or(TreeHash([0; 32]), |(_, root)| root);
    let [smaller, larger] = [one, other].map(|grown| grown.map(note).unwrap_or_default());
    Fork { root, proof, smaller, larger }.encode()
}

/// The edge of a tree.
pub(super) fn frontier(data: &[u8]) {
    if let Ok(mut frontier) = Frontier::decode(data) {
        assert_eq!(frontier.encode(), data, "a second form of one frontier was accepted");
        if frontier.size() < u64::MAX {
            frontier.append(b"leaf");
        }
        let _ = frontier.root();
    }
}

/// Bundles of entries as tiles hold them, and the tiles over them.
pub(super) fn tiles(data: &[u8]) {
    let Some(entries) = split_entries(data) else { return };
    let mut joined = Vec::new();
    for entry in &entries {
        joined.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        joined.extend_from_slice(entry);
    }
    assert_eq!(joined, data, "a second form of one bundle of entries was accepted");
    let mut writer = TileWriter::default();
    let mut files: Vec<(String, Vec<u8>)> = entries.iter().flat_map(|entry| writer.push(entry)).collect();
    assert_eq!(writer.size(), entries.len() as u64);
    files.extend(writer.finish());
    let held: usize = files.iter().filter(|(path, _)| path.starts_with("tile/entries/")).map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(held, data.len(), "an entry is lost in the tiles");
    let number = entries.first().map_or(0, |entry| entry.iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)));
    for path in [tile_path(data.len() as u8 % 6, number, 1 + data.len() % 256), entries_path(number, 256)] {
        let digits = path.split('/').all(|piece| piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'));
        assert!(digits, "a path that is none: {path}");
    }
}

/// What parts hold when they are opened.
pub(super) fn evidence(data: &[u8]) {
    let _ = judge::decode_entity(data);
    let _ = judge::decode_text(data);
    if let Ok((entities, links)) = judge::decode_slice(data) {
        assert_eq!(judge::encode_world(&entities, &links), data, "a second form of one slice was accepted");
    }
    let _ = judge::decode_blockers(data);
    if let Ok((key, digest)) = judge::decode_once(data) {
        assert_eq!(judge::read_once(data), Ok((key.as_str(), digest)), "a once-key is read in two ways");
    }
    let _ = judge::decode_messages(data);
    if let Ok(armed) = judge::decode_armed(data) {
        assert_eq!(judge::encode_armed(&armed), data, "a second form of one list of deadlines was accepted");
    }
    let _ = judge::decode_change(data);
    let _ = judge::decode_asked(data);
    if let Ok(values) = judge::decode_values(data) {
        assert_eq!(canon::encode_record(&values), data, "a second form of one record was accepted");
    }
    let _ = Handle::from_slice(data);
}
