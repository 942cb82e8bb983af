//! Open engines by number. A number is given once in the life of a process and never again, so that one that was closed is no
//! other's.
//!
//! No lock is taken to look one up: a child that was forked while another thread opened or closed an engine finds no lock held
//! by a thread that is not there.

use arc_swap::ArcSwap;
use hos_engine::Engine;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

type Table = HashMap<u64, Seat>;

/// An engine, and the process that opened it.
#[derive(Clone)]
struct Seat {
    pid: u32,
    engine: Engine,
    /// The options that it was opened with, where others may come upon it by them.
    shared: Option<Arc<[u8]>>,
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
}

/// Takes an engine in and gives it a number.
pub(crate) fn insert(engine: Engine) -> u64 {
    let seat = Seat { pid: std::process::id(), engine, shared: None };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    OPEN.rcu(|table| with(table, number, seat.clone()));
    number
}

/// The number under which this process has opened an engine to be shared, by the very same options.
pub(crate) fn shared(options: &[u8]) -> Option<u64> {
    number_of(&OPEN.load(), options)
}

/// Takes in an engine to be shared. Where two threads opened the same at once, both get the number of the one that came first,
/// and the other engine comes back.
pub(crate) fn share(engine: Engine, options: &[u8]) -> (u64, Option<Engine>) {
    let seat = Seat { pid: std::process::id(), engine, shared: Some(options.into()) };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut first = None;
    OPEN.rcu(|table| {
        first = number_of(table, options);
        if first.is_some() { Table::clone(table) } else { with(table, number, seat.clone()) }
    });
    match first {
        Some(other) => (other, Some(seat.engine)),
        None => (number, None),
    }
}

fn with(table: &Table, number: u64, seat: Seat) -> Table {
    let mut table = table.clone();
    table.insert(number, seat);
    table
}

fn number_of(table: &Table, options: &[u8]) -> Option<u64> {
    let own = |seat: &Seat| seat.pid == std::process::id() && seat.shared.as_deref() == Some(options);
    table.iter().find(|(_, seat)| own(seat)).map(|(number, _)| *number)
}

/// The engine of a number. It stays open while the answer is held, whoever closes the number meanwhile.
pub(crate) fn get(number: u64) -> Result<Engine, Closed> {
    let table = OPEN.load();
    let seat = table.get(&number).ok_or(Closed::Unknown)?;
    if seat.pid == std::process::id() { Ok(seat.engine.clone()) } else { Err(Closed::Foreign) }
}

/// Takes a number away. An engine of the parent is left as it is: what is open there is not this process's to close.
pub(crate) fn remove(number: u64) -> Result<Engine, Closed> {
    let engine = get(number)?;
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
