//! `verify`, against bare hashing of exactly what a verifier hashes.

use crate::Result;
use crate::harness::in_turns;
use crate::shop::Shop;
use crate::table::{Bar, Row, Table};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hos_core::digest::genesis_hash;
use hos_core::id::{EntryHash, KeyId, RecordHash, StoreId, Tenant};
use hos_core::proof::chain::EntryView;
use hos_core::proof::part::SubjectKey;
use hos_core::proof::record::Slot;
use hos_core::proof::stored::{StoredBox, decode_stored};
use hos_core::proof::view::HeaderView;
use hos_core::time::Timestamp;
use hos_engine::store::sqlite::Vault;
use hos_engine::{Level, VerifyOptions};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What is hashed, piece by piece, one after the other in one run of bytes: of each record the header, the entry, and what the
/// commitment of each part is over.
#[derive(Default)]
struct Pieces {
    bytes: Vec<u8>,
    /// Of each record: the lengths of header, entry and parts' preimages.
    records: Vec<(usize, usize, Vec<usize>)>,
    /// The boxes of persons' parts, as they are stored.
    boxes: Vec<Closed>,
}

/// A box that the cipher opens: its key, what is bound to it, and nonce, ciphertext and tag one after the other.
struct Closed {
    key: [u8; 32],
    bound: Vec<u8>,
    sealed: Vec<u8>,
}

impl Pieces {
    /// Hashes the records of a part of all: BLAKE3 over each piece, and SHA-256 over each entry.
    fn hash(&self, part: usize, of: usize) {
        let mut at = 0;
        let (from, to) = (self.records.len() * part / of, self.records.len() * (part + 1) / of);
        for (i, (header, entry, parts)) in self.records.iter().enumerate() {
            let mut next = |len: &usize| {
                at += len;
                &self.bytes[at - len..at]
            };
            if !(from..to).contains(&i) {
                let skipped: usize = parts.iter().sum();
                at += header + entry + skipped;
                continue;
            }
            black_box(blake3::hash(black_box(next(header))));
            let entry = next(entry);
            black_box(blake3::hash(black_box(entry)));
            black_box(Sha256::digest(black_box(entry)));
            for part in parts {
                black_box(blake3::hash(black_box(next(part))));
            }
        }
        black_box(at);
    }

    /// Opens every box, and holds what is in it against nothing.
    fn open(&self) -> Result<()> {
        let mut room = Vec::new();
        for Closed { key, bound, sealed } in &self.boxes {
            let parted = sealed.split_first_chunk::<24>().and_then(|(nonce, rest)| Some((nonce, rest.split_last_chunk::<16>()?)));
            let (nonce, (content, tag)) = parted.ok_or("a box is too short")?;
            room.clear();
            room.extend_from_slice(content);
            XChaCha20Poly1305::new(&(*key).into())
                .decrypt_inout_detached(&XNonce::from(*nonce), bound, room.as_mut_slice().into(), &Tag::from(*tag))
                .map_err(|_| "a box does not open")?;
            black_box(&room);
        }
        Ok(())
    }

    /// The mean of a length, in bytes a record.
    fn mean(&self, of: impl Fn(&(usize, usize, Vec<usize>)) -> usize) -> usize {
        self.records.iter().map(of).sum::<usize>() / self.records.len().max(1)
    }
}

/// The rival of all lines.
const BARE: &str = "bare hashing of the same bytes";

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let moves = if quick { 500 } else { 20_000 };
    let shop = Shop::with_moves(moves)?;
    let copy = shop.path().with_extension("copy");
    shop.engine.backup(&copy, None)?;
    let pieces = pieces(shop.engine.store_id(), &copy, &vault_copy(&shop.path())?)?;
    let report = shop.engine.verify(&VerifyOptions::default())?;
    assert_eq!(report.level, Level::Intact, "{:?}", report.findings);
    let records = report.records as usize;
    assert_eq!(records, pieces.records.len(), "the rival hashes what is verified");

    let cores = std::thread::available_parallelism()?.get();
    let per_second = |begun: Instant| records as f64 / begun.elapsed().as_secs_f64();
    let verify = |threads: usize| {
        let begun = Instant::now();
        let options = VerifyOptions { threads, ..VerifyOptions::default() };
        assert!(shop.engine.verify(&options).is_ok_and(|r| r.level == Level::Intact));
        per_second(begun)
    };
    let hash = |threads: usize| {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for part in 1..threads {
                let pieces = &pieces;
                scope.spawn(move || pieces.hash(part, threads));
            }
            pieces.hash(0, threads);
        });
        per_second(begun)
    };
    let rows = Connection::open(&copy)?;
    let least = || {
        let begun = Instant::now();
        assert!(read(&rows).is_ok_and(|read| read > records), "the rows of the log are read");
        assert!(pieces.open().is_ok());
        pieces.hash(0, 1);
        per_second(begun)
    };
    let measures: [Box<dyn FnMut() -> f64 + '_>; 5] =
        [Box::new(|| verify(1)), Box::new(|| hash(1)), Box::new(|| verify(cores)), Box::new(|| hash(cores)), Box::new(least)];
    let [ours, bare, ours_all, bare_all, least] = in_turns(if quick { 3 } else { 9 }, measures);
    let (header, entry) = (pieces.mean(|(h, ..)| *h), pieces.mean(|(_, e, _)| *e));
    let parts = pieces.mean(|(.., p)| p.iter().sum());
    let number = pieces.mean(|(.., p)| p.len() * 10) as f64 / 10.0;
    let bytes = format!("header {header} B, entry {entry} B twice, {number} parts of {parts} B in all");
    let what = |threads: usize| format!("records verified, of {records}, on {threads} thread(s) ({bytes})");
    for (threads, ours, bare) in [(1, ours, bare), (cores, ours_all, bare_all)] {
        let row = Row::rate(what(threads), ours).beside(BARE, bare);
        table.row(row.wants(Bar::RatioAtLeast(0.8)));
    }
    // What no verifier of these rows can leave out, though it compares nothing: how far any of them may come.
    table.row(Row::rate("records read, opened and hashed, held against nothing, on 1 thread", least).beside(BARE, bare));
    table.row(
        Row::rate(format!("records verified, of {records}, on 1 thread"), ours).beside("the same, held against nothing", least),
    );
    Ok(())
}

/// Reads each row of the tables that a move writes, once, in its own order, and says how many there were.
fn read(conn: &Connection) -> Result<usize> {
    let mut rows_read = 0;
    for table in ["hos_record", "hos_entry", "hos_once", "hos_instance"] {
        let mut statement = conn.prepare_cached(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                black_box(row.get_ref(column)?);
            }
            rows_read += 1;
        }
    }
    Ok(rows_read)
}

/// Every record of a store with what is hashed of it.
fn pieces(store: StoreId, copy: &Path, vault: &Path) -> Result<Pieces> {
    let keys = keys(vault)?;
    let conn = Connection::open(copy)?;
    let mut tenants = conn.prepare("SELECT DISTINCT tenant FROM hos_entry ORDER BY tenant")?;
    let tenants: Vec<String> = tenants.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut found = Pieces::default();
    for tenant in tenants {
        let mut prev = genesis_hash(&store, 0, &Tenant::new(&tenant)?, b"");
        let mut rows = conn.prepare(
            "SELECT e.seq, e.n, e.sealed_at, e.stream_prev, e.hash, r.header, r.parts FROM hos_entry e
             JOIN hos_record r USING (tenant, thread, n) WHERE e.tenant = ?1 ORDER BY e.seq",
        )?;
        let mut rows = rows.query([&tenant])?;
        while let Some(row) = rows.next()? {
            let header: Vec<u8> = row.get(5)?;
            let view = HeaderView::decode(&header)?;
            let entry = entry(store, &tenant, prev, row, &header, view.n.is_none())?;
            let stored: Vec<u8> = row.get(6)?;
            let mut parts = Vec::new();
            found.bytes.extend_from_slice(&header);
            found.bytes.extend_from_slice(&entry);
            for b in decode_stored(&stored)? {
                found.boxes.extend(closed(&b, &keys, &view)?);
                for part in b.open_listed(keys.get(&b.key), &view.parts)? {
                    found.bytes.extend_from_slice(&part.salt);
                    found.bytes.extend_from_slice(&(part.plaintext.len() as u64).to_be_bytes());
                    found.bytes.extend_from_slice(&part.plaintext);
                    parts.push(40 + part.plaintext.len());
                }
            }
            found.records.push((header.len(), entry.len(), parts));
            prev = EntryHash(row.get(4)?);
        }
    }
    Ok(found)
}

/// A box as the cipher takes it; none where it is nobody's and lies in the clear.
fn closed(b: &StoredBox<'_>, keys: &HashMap<KeyId, SubjectKey>, header: &HeaderView<'_>) -> Result<Option<Closed>> {
    if b.is_clear() {
        return Ok(None);
    }
    let key = *keys.get(&b.key).ok_or("a box has no key")?.expose();
    let listed = |place: &(Slot, u8)| header.parts.iter().find(|part| (part.slot, part.index) == *place);
    let bound = b.places.iter().flat_map(|place| listed(place).map(|part| part.commitment.0).into_iter().flatten()).collect();
    Ok(Some(Closed { key, bound, sealed: b.sealed.to_vec() }))
}

fn entry(
    store: StoreId,
    tenant: &str,
    prev: EntryHash,
    row: &rusqlite::Row<'_>,
    header: &[u8],
    streams: bool,
) -> Result<Vec<u8>> {
    let stream = (row.get::<_, i64>(1)?.unsigned_abs(), row.get::<_, Option<[u8; 32]>>(3)?.map(RecordHash));
    let view = EntryView {
        store,
        epoch: 0,
        tenant,
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        prev,
        sealed_at: Timestamp(row.get(2)?),
        stream: streams.then_some(stream),
        disputed: None,
        header,
    };
    let bytes = view.encode_into(Vec::new())?;
    assert_eq!(hos_core::digest::entry_hash(&bytes).0, row.get::<_, [u8; 32]>(4)?, "the rival hashes the entry as it is");
    Ok(bytes)
}

/// The vault, copied by another process: to open and close the file in this one would let go of the engine's locks on it.
fn vault_copy(store: &Path) -> Result<PathBuf> {
    let to = store.with_extension("vault-copy");
    for end in ["", "-wal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        let from = with(&Vault::path_beside(store));
        if from.exists() && !Command::new("cp").arg(&from).arg(with(&to)).status()?.success() {
            return Err(format!("`{}` could not be copied", from.display()).into());
        }
    }
    Ok(to)
}

fn keys(vault: &Path) -> Result<HashMap<KeyId, SubjectKey>> {
    let conn = Connection::open(vault)?;
    let mut rows = conn.prepare("SELECT key_id, key FROM hos_vault WHERE key IS NOT NULL")?;
    let keys = rows.query_map([], |row| Ok((KeyId(row.get(0)?), SubjectKey::new(row.get(1)?))))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}
