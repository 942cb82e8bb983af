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
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let seat = Seat { pid: std::process::id(), engine };
    OPEN.rcu(|table| {
        let mut table = Table::clone(table);
        table.insert(number, seat.clone());
        table
    });
    number
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
