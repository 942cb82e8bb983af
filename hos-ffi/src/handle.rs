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
    /// Whether others who open it so get this number.
    shared: bool,
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
    let seat = Seat { pid: std::process::id(), engine, shared: false };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    OPEN.rcu(|table| with(table, number, seat.clone()));
    number
}

/// The number under which this process shares an engine, a new one if it has none yet. Threads that come at once get the same.
pub(crate) fn share(engine: Engine) -> u64 {
    let seat = Seat { pid: std::process::id(), engine, shared: true };
    let number_of = |table: &Table| {
        let same = |other: &Seat| other.shared && other.pid == seat.pid && other.engine.is(&seat.engine);
        table.iter().find(|(_, other)| same(other)).map(|(number, _)| *number)
    };
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
