//! Engines that are open in this process, by how they were opened: who opens a store again in the same way gets the same engine.
//!
//! A process has a store's file open once (its locks are the process's), and a program that embeds the engine cannot always hand
//! one over: worker threads that share nothing, modules that know nothing of each other. Nothing here keeps an engine open.
//!
//! An engine whose store was put back from a copy answers nothing any more, and whoever holds it may not be there to close it: it parts
//! with its files when the store is opened again.

use hos_core::refusal::Code;
use hos_engine::{Engine, Failure, WeakEngine};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long the list may be kept by another thread, whose work with it takes microseconds. In a child that was forked in that
/// moment it is kept for ever.
const LIST_WAIT: Duration = Duration::from_secs(1);
/// How long to wait for another thread that is opening or closing the same.
const OPENING_WAIT: Duration = Duration::from_secs(60);

struct Seat {
    pid: u32,
    /// None if there is no file.
    place: Option<PathBuf>,
    how: String,
    /// None while it is being opened.
    engine: Option<WeakEngine>,
}

static OPEN: Mutex<Vec<Seat>> = Mutex::new(Vec::new());

impl Seat {
    fn engine(&self) -> Option<Engine> {
        self.engine.as_ref().and_then(WeakEngine::upgrade)
    }
}

/// The engine that is open there in this way, else the one that `open` opens.
pub(crate) fn or_open(
    place: Option<PathBuf>,
    how: String,
    open: impl FnOnce() -> Result<Engine, Failure>,
) -> Result<Engine, Failure> {
    let pid = std::process::id();
    if let Some(place) = &place {
        part_with_lost(pid, place)?;
    }
    let until = Instant::now() + OPENING_WAIT;
    loop {
        let mut list = list()?;
        // One that is being closed is waited for, as one that is being opened.
        list.retain(|seat| seat.pid == pid && seat.engine.as_ref().is_none_or(|engine| !engine.is_closed()));
        match list.iter().find(|seat| seat.place == place && seat.how == how).map(Seat::engine) {
            Some(Some(engine)) => {
                drop(list);
                return Ok(engine);
            }
            Some(None) if Instant::now() > until => {
                drop(list);
                return Err(Failure::new(Code::StoreBusy, "another thread has been opening or closing this store for a minute"));
            }
            Some(None) => {
                drop(list);
                std::thread::sleep(Duration::from_millis(1));
            }
            None => {
                list.push(Seat { pid, place: place.clone(), how: how.clone(), engine: None });
                drop(list);
                break;
            }
        }
    }
    // The seat is given back whatever happens, a panic included.
    let mut taken = Taken { pid, place, how, opened: None };
    let opened = open();
    taken.opened = opened.as_ref().ok().map(Engine::downgrade);
    opened
}

/// Has engines part with their files, however they were opened, that have answered from another store than the one that lies there now.
fn part_with_lost(pid: u32, place: &Path) -> Result<(), Failure> {
    let there: Vec<Engine> =
        list()?.iter().filter(|seat| seat.pid == pid && seat.place.as_deref() == Some(place)).filter_map(Seat::engine).collect();
    for engine in there {
        if engine.leave_if_lost()? {
            list()?.retain(|seat| seat.engine.as_ref().is_none_or(|other| !other.is(&engine)));
        }
    }
    Ok(())
}

struct Taken {
    pid: u32,
    place: Option<PathBuf>,
    how: String,
    opened: Option<WeakEngine>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Ok(mut list) = list() else { return };
        let own = |seat: &Seat| seat.pid == self.pid && seat.place == self.place && seat.how == self.how;
        match self.opened.take() {
            Some(engine) => list.iter_mut().filter(|seat| own(seat)).for_each(|seat| seat.engine = Some(engine.clone())),
            None => list.retain(|seat| !own(seat)),
        }
    }
}

fn list() -> Result<MutexGuard<'static, Vec<Seat>>, Failure> {
    let until = Instant::now() + LIST_WAIT;
    loop {
        match OPEN.try_lock() {
            Ok(list) => return Ok(list),
            Err(TryLockError::Poisoned(list)) => return Ok(PoisonError::into_inner(list)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_micros(100)),
            Err(TryLockError::WouldBlock) => {
                let message = "this process was forked while another thread was opening a store; open stores after the fork";
                return Err(Failure::new(Code::StoreUnavailable, message));
            }
        }
    }
}
