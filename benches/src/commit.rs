//! Durable moves, against bare SQLite that writes as many rows of the same sizes, in groups of the same size, with a savepoint for each
//! move of several, under the same pragmas.

use crate::Result;
use crate::harness::{Seen, in_turns};
use crate::shop::Shop;
use crate::table::{Bar, Row, Table};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hos_core::proof::key::SealKey;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const CALLERS: usize = 64;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let (rounds, round) = if quick { (2, Duration::from_millis(200)) } else { (9, Duration::from_secs(1)) };
    pair("one caller", 1, 0.85, rounds, round, table)?;
    pair("64 callers", CALLERS, 0.7, rounds, round, table)
}

fn pair(what: &str, callers: usize, bar: f64, rounds: usize, round: Duration, table: &mut Table) -> Result<()> {
    let shop = Shop::new(callers)?;
    let times = Mutex::new(Vec::new());
    let spent = Cell::new((0.0, 0u64));
    let failed = AtomicBool::new(false);
    let states: Vec<AtomicBool> = (0..callers).map(|_| AtomicBool::new(false)).collect();
    // A first round tells how large groups become and how large rows are; the rival is made after it.
    ours(&shop, &states, round / 2, &failed, &times);
    forget(&times);
    let sizes = Sizes::of(&shop)?;
    let place = tempfile::tempdir()?;
    let rival = RefCell::new(Bare::new(&place.path().join("bare.db"), callers, sizes)?);
    let least = RefCell::new(Bare::new(&place.path().join("least.db"), callers, sizes)?.with_evidence());
    let group = Cell::new(1usize);
    let bare_spent = Cell::new((0.0, 0.0));
    let [fast, bare, least] = in_turns(
        rounds,
        [
            Box::new(|| {
                let before = shop.engine.stats().map(|s| (s.commits, s.jobs)).unwrap_or_default();
                let cpu = cpu_seconds();
                let per_second = ours(&shop, &states, round, &failed, &times);
                let cpu = cpu_seconds() - cpu;
                let after = shop.engine.stats().map(|s| (s.commits, s.jobs)).unwrap_or_default();
                let (commits, jobs) = (after.0 - before.0, after.1 - before.1);
                spent.set((spent.get().0 + cpu, spent.get().1 + jobs));
                group.set((jobs as f64 / commits.max(1) as f64).round().max(1.0) as usize);
                per_second
            }),
            Box::new(|| {
                let cpu = cpu_seconds();
                let per_second = rival.borrow_mut().run(group.get(), round).unwrap_or(f64::NAN);
                let (spent, moves) = bare_spent.get();
                bare_spent.set((spent + cpu_seconds() - cpu, moves + per_second * round.as_secs_f64()));
                per_second
            }),
            Box::new(|| least.borrow_mut().run(group.get(), round).unwrap_or(f64::NAN)),
        ],
    );
    if failed.load(Ordering::Relaxed) {
        return Err("a move failed while it was measured".into());
    }
    let what = format!("durable moves, {what} (groups of {})", group.get());
    table.row(Row::rate(what, fast).beside("bare SQLite", bare).wants(Bar::RatioAtLeast(bar)));
    // What no engine that keeps this evidence can leave out, though it judges nothing: how far any of them may come.
    let what = format!("bare SQLite, its bytes hashed and encrypted, its commits signed, groups of {}", group.get());
    table.row(Row::rate(what, least).beside("bare SQLite", bare));
    let mut times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
    times.sort_unstable();
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).map_or(f64::NAN, |t| f64::from(*t) / 1e6);
    let (middle, late) = (at(0.5), at(0.99));
    let what = if callers == 1 { "of a lone caller".to_owned() } else { format!("of {callers} callers") };
    let row = Row::time(format!("a durable move {what}, 99th of 100"), Seen::once(late));
    table.row(row.beside("the middle one", Seen::once(middle)));
    let (cpu, moves) = spent.get();
    let each = cpu / moves.max(1) as f64;
    let row = Row::time(format!("processor time a move {what}, the kernel's too"), Seen::once(each));
    let row = row.beside("a move's share of the clock", Seen::once(1.0 / fast.median));
    table.row(if callers == 1 { row } else { row.wants(Bar::AtMost(45e-6)) });
    let (cpu, moves) = bare_spent.get();
    let row = Row::time(format!("processor time a move {what}, the kernel's too"), Seen::once(each));
    table.row(row.beside("bare SQLite's", Seen::once(cpu / moves)));
    Ok(())
}

/// How many moves these callers make in the time.
pub(crate) fn steps(shop: &Shop, callers: usize, time: Duration) -> Result<u64> {
    let states: Vec<AtomicBool> = (0..callers).map(|_| AtomicBool::new(false)).collect();
    let (failed, times) = (AtomicBool::new(false), Mutex::default());
    let per_second = ours(shop, &states, time, &failed, &times);
    if failed.into_inner() { Err("a move failed".into()) } else { Ok((per_second * time.as_secs_f64()) as u64) }
}

/// So many commits of the rival, each of as many moves as the shop has callers' instances.
pub(crate) fn bare(shop: &Shop, callers: usize, commits: usize) -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut rival = Bare::new(&place.path().join("bare.db"), callers, Sizes::of(shop)?)?;
    (0..commits).try_for_each(|_| rival.commit(callers))
}

/// How long each move of a caller took, in microseconds.
type Times = Mutex<Vec<u32>>;

fn forget(times: &Times) {
    times.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// The processor time of this process so far, its own and the kernel's for it, in seconds; counted in hundredths. NaN where
/// the system does not tell it so.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in brackets, which may hold anything; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let field = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (field(11) + field(12)) / 100.0
}

/// Moves a second from as many callers as there are states; each moves an instance of its own.
fn ours(shop: &Shop, states: &[AtomicBool], round: Duration, failed: &AtomicBool, times: &Times) -> f64 {
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for (instance, state) in states.iter().enumerate() {
            let done = &done;
            scope.spawn(move || {
                let mut own = Vec::with_capacity(4096);
                while begun.elapsed() < round {
                    let on = !state.load(Ordering::Relaxed);
                    let asked = Instant::now();
                    if let Err(error) = shop.toggle(instance, on) {
                        eprintln!("{error}");
                        failed.store(true, Ordering::Relaxed);
                        return;
                    }
                    own.push(asked.elapsed().as_micros() as u32);
                    state.store(on, Ordering::Relaxed);
                    done.fetch_add(1, Ordering::Relaxed);
                }
                times.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// The mean sizes of what a move writes, in bytes, as they are in our file.
#[derive(Clone, Copy)]
struct Sizes {
    header: usize,
    parts: usize,
    facts: usize,
    frontier: usize,
    note: usize,
}

impl Sizes {
    /// Reads them from a copy: the store's file belongs to the engine, which notices whoever else opens it in this process.
    fn of(shop: &Shop) -> Result<Self> {
        let copy = shop.path().with_extension("sizes");
        shop.engine.backup(&copy, None)?;
        let conn = Connection::open(&copy)?;
        let mean = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, f64>(0)).map(|v| v as usize);
        Ok(Self {
            header: mean("SELECT avg(length(header)) FROM hos_record WHERE tenant = 'bench'")?,
            parts: mean("SELECT avg(length(parts)) FROM hos_record WHERE tenant = 'bench'")?,
            facts: mean("SELECT avg(length(facts)) FROM hos_instance")?,
            frontier: mean("SELECT avg(length(frontier)) FROM hos_head")?,
            note: mean("SELECT coalesce(avg(length(note)), 300) FROM hos_checkpoint")?,
        })
    }
}

/// Bare SQLite, writing what a move writes, column for column: a record, the instance's row, the log's entry, the once-key;
/// for each commit the log's head; and a checkpoint as often as ours.
struct Bare {
    conn: Connection,
    sizes: Sizes,
    next: u64,
    /// How long the log was when a checkpoint was last stored.
    noted: u64,
    callers: usize,
    evidence: Option<Evidence>,
}

/// What makes evidence of bytes, beside writing them.
struct Evidence {
    cipher: XChaCha20Poly1305,
    key: SealKey,
}

impl Evidence {
    /// How long a part of a record is, about.
    const PART: usize = 100;

    /// One move's: its parts hashed and encrypted, its header hashed as itself and as an entry's longest part.
    fn of_move(&self, header: &[u8], parts: &mut [u8]) -> Result<()> {
        for part in parts.chunks(Self::PART) {
            black_box(blake3::hash(part));
        }
        self.cipher.encrypt_inout_detached(&XNonce::default(), b"", parts.into()).map_err(|_| "the cipher refuses")?;
        black_box((blake3::hash(header), blake3::hash(header), Sha256::digest(header)));
        Ok(())
    }
}

/// A time of today, in milliseconds: as wide as ours.
const NOW: i64 = 1_790_000_000_000;
/// We store a checkpoint as often.
const CHECKPOINT_EVERY: u64 = 64;

const TABLES: &str = "
CREATE TABLE record (tenant TEXT NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL, header BLOB NOT NULL, parts BLOB NOT NULL,
  PRIMARY KEY (tenant, thread, n)) STRICT;
CREATE TABLE instance (tenant TEXT NOT NULL, contract TEXT NOT NULL, id BLOB NOT NULL, handle BLOB NOT NULL, n INTEGER NOT NULL,
  last BLOB NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL, entered_n INTEGER NOT NULL, entered_at INTEGER NOT NULL,
  last_time INTEGER NOT NULL, law BLOB NOT NULL, contract_version INTEGER NOT NULL, facts_key BLOB NOT NULL, facts BLOB NOT NULL,
  deadlines BLOB NOT NULL, PRIMARY KEY (tenant, contract, id)) STRICT, WITHOUT ROWID;
CREATE TABLE entry (tenant TEXT NOT NULL, seq INTEGER NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL, sealed_at INTEGER NOT NULL,
  stream_prev BLOB, disputed INTEGER, hash BLOB NOT NULL, leaf BLOB NOT NULL, PRIMARY KEY (tenant, seq)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entry_thread ON entry (tenant, thread, n);
CREATE TABLE once (tenant TEXT NOT NULL, key BLOB NOT NULL, digest BLOB NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (tenant, key)) STRICT, WITHOUT ROWID;
CREATE TABLE head (tenant TEXT PRIMARY KEY, epoch INTEGER NOT NULL, size INTEGER NOT NULL, entry BLOB NOT NULL, frontier BLOB NOT NULL,
  sealed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (tenant TEXT PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

impl Bare {
    fn new(path: &Path, callers: usize, sizes: Sizes) -> Result<Self> {
        let conn = Connection::open(path)?;
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        for (name, value) in [
            ("synchronous", "FULL"),
            ("secure_delete", "FAST"),
            ("temp_store", "MEMORY"),
            ("cell_size_check", "ON"),
            ("trusted_schema", "OFF"),
            ("cache_size", "-8192"),
        ] {
            conn.pragma_update(None, name, value)?;
        }
        // As long a log as the engine's own: the length decides how often a page is written twice.
        conn.pragma_update_and_check(None, "wal_autocheckpoint", 4_000, |_| Ok(()))?;
        conn.set_prepared_statement_cache_capacity(64);
        conn.execute_batch(TABLES)?;
        for i in 0..callers {
            conn.execute(
                "INSERT INTO instance VALUES ('bench', 'lamp', ?1, zeroblob(16), 0, zeroblob(32), 'off', 1, 0, 0, 0, zeroblob(32), 1, zeroblob(16), zeroblob(?2), x'80')",
                params![i.to_string().into_bytes(), sizes.facts as i64],
            )?;
        }
        Ok(Self { conn, sizes, next: 0, noted: 0, callers, evidence: None })
    }

    /// The same, and what evidence of it costs at the least.
    fn with_evidence(mut self) -> Self {
        self.evidence = Some(Evidence { cipher: XChaCha20Poly1305::new(&[7; 32].into()), key: SealKey::from_seed(&[7; 32]) });
        self
    }

    /// Moves a second, in commits of this many.
    fn run(&mut self, group: usize, round: Duration) -> Result<f64> {
        let (begun, first) = (Instant::now(), self.next);
        while begun.elapsed() < round {
            self.commit(group)?;
        }
        Ok((self.next - first) as f64 / begun.elapsed().as_secs_f64())
    }

    fn commit(&mut self, group: usize) -> Result<()> {
        let conn = &self.conn;
        // Bytes that do not compress into zero pages and differ from row to row, as hashes and ciphertexts do.
        let bytes = |seed: u64, len: usize| -> Vec<u8> {
            (0..len as u64).map(|i| (seed.wrapping_mul(0x9e37_79b9).wrapping_add(i * 131) >> 3) as u8).collect()
        };
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..group {
            let at = self.next;
            self.next += 1;
            let caller = at as usize % self.callers;
            let (n, thread) = (at as i64, bytes(caller as u64, 16));
            let (header, mut parts) = (bytes(at, self.sizes.header), bytes(at + 1, self.sizes.parts));
            if let Some(evidence) = &self.evidence {
                evidence.of_move(&header, &mut parts)?;
            }
            if group > 1 {
                conn.prepare_cached("SAVEPOINT job")?.execute([])?;
            }
            conn.prepare_cached("INSERT INTO record VALUES ('bench', ?1, ?2, ?3, ?4)")?
                .execute(params![thread, n, header, parts])?;
            let moved = conn
                .prepare_cached(
                    "UPDATE instance SET handle = ?2, n = ?3, last = ?4, state = ?5, version = version + 1, entered_n = ?3, entered_at = ?6,
                       last_time = ?6, law = ?7, contract_version = 1, facts_key = ?8, facts = ?9, deadlines = x'80'
                     WHERE tenant = 'bench' AND contract = 'lamp' AND id = ?1",
                )?
                .execute(params![
                    caller.to_string().into_bytes(),
                    thread,
                    n,
                    bytes(at, 32),
                    if at.is_multiple_of(2) { "on" } else { "off" },
                    NOW + n,
                    bytes(3, 32),
                    bytes(5, 16),
                    bytes(7, self.sizes.facts)
                ])?;
            assert_eq!(moved, 1);
            conn.prepare_cached("INSERT INTO once VALUES ('bench', ?1, ?2, ?3, ?4, ?5)")?.execute(params![
                format!("once-{at}").into_bytes(),
                bytes(at, 32),
                thread,
                n,
                NOW + n
            ])?;
            if group > 1 {
                conn.prepare_cached("RELEASE job")?.execute([])?;
            }
            conn.prepare_cached("INSERT INTO entry VALUES ('bench', ?1, ?2, ?1, ?3, NULL, NULL, ?4, ?5)")?.execute(params![
                n,
                thread,
                NOW + n,
                bytes(at, 32),
                bytes(at + 2, 32)
            ])?;
        }
        conn.prepare_cached("INSERT OR REPLACE INTO head VALUES ('bench', 0, ?1, ?2, ?3, ?4)")?.execute(params![
            self.next as i64,
            bytes(self.next, 32),
            bytes(self.next, self.sizes.frontier),
            NOW + self.next as i64
        ])?;
        if self.next - self.noted >= CHECKPOINT_EVERY {
            self.noted = self.next;
            conn.prepare_cached("INSERT OR REPLACE INTO checkpoint VALUES ('bench', ?1, ?2)")?
                .execute(params![self.next as i64, bytes(self.next, self.sizes.note)])?;
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        if let Some(evidence) = &self.evidence {
            black_box(evidence.key.sign(&bytes(self.next, self.sizes.note)));
        }
        Ok(())
    }
}
