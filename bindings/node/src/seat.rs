//! One engine for a store and its options, whoever in this process opens it: the main thread and each worker have a handle of
//! their own, and the last one that is closed closes the engine.

use crate::told;
use hos_engine::{Engine, Failure};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

/// An open engine.
pub struct Seat {
    pub(crate) engine: Engine,
}

/// The lock of a place is held while its engine is being opened: who opens the same meanwhile waits and shares it.
type Place = Arc<Mutex<Weak<Seat>>>;

static PLACES: LazyLock<Mutex<HashMap<Vec<u8>, Place>>> = LazyLock::new(Mutex::default);

/// Opens an engine by options in JSON, or gives the one that this process has opened by the very same bytes.
pub(crate) fn open(options: &[u8]) -> Result<Arc<Seat>, String> {
    let place = {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| Arc::strong_count(place) > 1 || place.try_lock().is_ok_and(|seat| seat.strong_count() > 0));
        places.entry(options.to_vec()).or_default().clone()
    };
    let mut held = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(seat) = held.upgrade() {
        return Ok(seat);
    }
    let engine = hos_wire::open(options).map_err(|failure| told::failure(&failure))?;
    let seat = Arc::new(Seat { engine });
    *held = Arc::downgrade(&seat);
    Ok(seat)
}

/// Leaves a seat; the last one that does stores what is still in memory and lets go of the file.
pub(crate) fn leave(seat: Arc<Seat>) -> Result<(), Failure> {
    Arc::into_inner(seat).map_or(Ok(()), |seat| seat.engine.close())
}
