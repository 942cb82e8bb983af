//! Open engines by number: each once in the life of a process, and looked up without a lock (`numbers.rs`).

use crate::numbers::Numbers;
use hos_engine::Engine;
use hos_wire::JoinedEngine;
use std::sync::{Arc, LazyLock};

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

static OPEN: LazyLock<Numbers<Seat>> = LazyLock::new(Numbers::new);

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
    OPEN.insert(Seat { pid: std::process::id(), engine, shared: Shared::Nobody })
}

/// The number under which this process shares an engine, a new one if it has none yet. Threads that come at once get the same.
pub(crate) fn share(engine: Engine) -> u64 {
    seated(Seat { pid: std::process::id(), engine: Opened::Store(engine), shared: Shared::Store })
}

/// The number of the joined engine that was opened by these options, if one is open.
pub(crate) fn joined_by(options: &[u8]) -> Option<u64> {
    let pid = std::process::id();
    OPEN.find(|seat| seat.pid == pid && matches!(&seat.shared, Shared::Options(known) if known == options))
}

/// As [`share`], for an engine that joins transactions: who opens by the same options gets the same.
pub(crate) fn share_joined(options: &[u8], engine: JoinedEngine) -> u64 {
    let engine = Opened::Joined(Arc::new(engine));
    seated(Seat { pid: std::process::id(), engine, shared: Shared::Options(options.to_vec()) })
}

fn seated(seat: Seat) -> u64 {
    let own = seat.clone();
    OPEN.share(seat, |other| {
        other.pid == own.pid
            && other.shared == own.shared
            && match (&other.engine, &own.engine) {
                (Opened::Store(other), Opened::Store(own)) => other.is(own),
                (Opened::Joined(_), Opened::Joined(_)) => true,
                (Opened::Store(_), Opened::Joined(_)) | (Opened::Joined(_), Opened::Store(_)) => false,
            }
    })
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
    let pid = std::process::id();
    let engine = OPEN.look(number, |seat| if seat.pid == pid { Ok(seat.engine.clone()) } else { Err(Closed::Foreign) });
    engine.unwrap_or(Err(Closed::Unknown))
}

/// Takes a number away. An engine of the parent is left as it is: what is open there is not this process's to close.
pub(crate) fn remove(number: u64) -> Result<Opened, Closed> {
    let engine = opened(number)?;
    if OPEN.remove(number) { Ok(engine) } else { Err(Closed::Unknown) }
}

/// Makes the table before the first fork can meet its making half done.
pub(crate) fn prepare() {
    LazyLock::force(&OPEN);
}
