//! Open engines by number. A number is given once in the life of a process and never again, so that one that was closed is no
//! other's.
//!
//! No lock is taken to look one up: a child that was forked while another thread opened or closed an engine finds no lock held
//! by a thread that is not there.

use arc_swap::ArcSwap;
use hos_engine::Engine;
use hos_wire::JoinedEngine;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

type Table = HashMap<u64, Seat>;

/// What stands behind a number.
#[derive(Clone)]
pub(crate) enum Opened {
    /// An engine with a store of its own.
    Store(Engine),
    /// One that joins a host's transactions.
    Joined(Arc<JoinedEngine>),
}

/// An engine, and the process that opened it.
#[derive(Clone)]
struct Seat {
    pid: u32,
    engine: Opened,
    shared: Shared,
}

/// Who else gets this number.
#[derive(Clone, PartialEq, Eq)]
enum Shared {
    Nobody,
    /// Who opens the same store so.
    Store,
    /// Who opens by the very same options.
    Options(Vec<u8>),
}

static OPEN: LazyLock<ArcSwap<Table>> = LazyLock::new(|| ArcSwap::from_pointee(Table::new()));
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Why a number leads to no engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Never given, or closed.
    Unknown,
    /// Opened before a fork, in the parent.
    Foreign,
    /// It has a store of its own, and a step of a joined engine was asked for.
    Store,
    /// It joins a host's transactions, and a call was asked for.
    Joined,
}

/// Takes an engine in and gives it a number.
pub(crate) fn insert(engine: Opened) -> u64 {
    let seat = Seat { pid: std::process::id(), engine, shared: Shared::Nobody };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    OPEN.rcu(|table| with(table, number, seat.clone()));
    number
}

/// The number under which this process shares an engine, a new one if it has none yet. Threads that come at once get the same.
pub(crate) fn share(engine: Engine) -> u64 {
    seated(Seat { pid: std::process::id(), engine: Opened::Store(engine), shared: Shared::Store })
}

/// The number of the joined engine that was opened by these options, if one is open.
pub(crate) fn joined_by(options: &[u8]) -> Option<u64> {
    let pid = std::process::id();
    let table = OPEN.load();
    let same = |seat: &Seat| seat.pid == pid && matches!(&seat.shared, Shared::Options(known) if known == options);
    table.iter().find(|(_, seat)| same(seat)).map(|(number, _)| *number)
}

/// As [`share`], for an engine that joins transactions: who opens by the same options gets the same.
pub(crate) fn share_joined(options: &[u8], engine: JoinedEngine) -> u64 {
    let engine = Opened::Joined(Arc::new(engine));
    seated(Seat { pid: std::process::id(), engine, shared: Shared::Options(options.to_vec()) })
}

fn seated(seat: Seat) -> u64 {
    let is_same = |other: &Seat| {
        other.pid == seat.pid
            && other.shared == seat.shared
            && match (&other.engine, &seat.engine) {
                (Opened::Store(other), Opened::Store(own)) => other.is(own),
                (Opened::Joined(_), Opened::Joined(_)) => true,
                (Opened::Store(_), Opened::Joined(_)) | (Opened::Joined(_), Opened::Store(_)) => false,
            }
    };
    let number_of = |table: &Table| table.iter().find(|(_, other)| is_same(other)).map(|(number, _)| *number);
    if let Some(known) = number_of(&OPEN.load()) {
        return known;
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut first = None;
    OPEN.rcu(|table| {
        first = number_of(table);
        if first.is_some() { Table::clone(table) } else { with(table, number, seat.clone()) }
    });
    first.unwrap_or(number)
}

fn with(table: &Table, number: u64, seat: Seat) -> Table {
    let mut table = table.clone();
    table.insert(number, seat);
    table
}

/// The engine of a number, with its own store. It stays open while the answer is held, whoever closes the number meanwhile.
pub(crate) fn get(number: u64) -> Result<Engine, Closed> {
    match opened(number)? {
        Opened::Store(engine) => Ok(engine),
        Opened::Joined(_) => Err(Closed::Joined),
    }
}

/// The engine of a number, which joins transactions.
pub(crate) fn get_joined(number: u64) -> Result<Arc<JoinedEngine>, Closed> {
    match opened(number)? {
        Opened::Joined(engine) => Ok(engine),
        Opened::Store(_) => Err(Closed::Store),
    }
}

fn opened(number: u64) -> Result<Opened, Closed> {
    let table = OPEN.load();
    let seat = table.get(&number).ok_or(Closed::Unknown)?;
    if seat.pid == std::process::id() { Ok(seat.engine.clone()) } else { Err(Closed::Foreign) }
}

/// Takes a number away. An engine of the parent is left as it is: what is open there is not this process's to close.
pub(crate) fn remove(number: u64) -> Result<Opened, Closed> {
    let engine = opened(number)?;
    let mut was_there = false;
    OPEN.rcu(|table| {
        let mut table = Table::clone(table);
        was_there = table.remove(&number).is_some();
        table
    });
    if was_there { Ok(engine) } else { Err(Closed::Unknown) }
}

/// Makes the table before the first fork can meet its making half done.
pub(crate) fn prepare() {
    let _: &Arc<Table> = &OPEN.load();
}
