//! What runs on the pool of libuv, so that the loop goes on meanwhile.

use crate::handle::Handle;
use crate::seat::{self, Seat};
use crate::told;
use hos_wire::CALL_BYTES_MAX;
use napi::{Env, Result, Task};
use std::sync::Arc;

/// Opens an engine.
pub struct Open {
    pub(crate) options: Vec<u8>,
}

impl Task for Open {
    type Output = Arc<Seat>;
    type JsValue = Handle;

    fn compute(&mut self) -> Result<Arc<Seat>> {
        told::made(|| seat::open(&self.options))
    }

    fn resolve(&mut self, _: Env, seat: Arc<Seat>) -> Result<Handle> {
        Ok(Handle::of(seat))
    }
}

/// Makes one call. The engine stays open until it has ended, whoever closes it meanwhile.
pub struct Call {
    pub(crate) seat: Option<Arc<Seat>>,
    pub(crate) operation: String,
    pub(crate) call: Vec<u8>,
}

impl Task for Call {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let Some(seat) = self.seat.take() else { return Ok(told::closed()) };
        let told =
            told::guarded(|| told::served(hos_wire::serve_with(&seat.engine, &self.operation, &self.call, CALL_BYTES_MAX)));
        // What the call came to is told, whether or not the file could be let go of in order.
        let _ = told::made(|| seat::leave(seat).map_err(|failure| told::failure(&failure)));
        Ok(told)
    }

    fn resolve(&mut self, _: Env, told: String) -> Result<String> {
        Ok(told)
    }
}

/// Lets go of an engine.
pub struct Close {
    pub(crate) seat: Option<Arc<Seat>>,
}

impl Task for Close {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        let seat = self.seat.take();
        told::made(|| seat.map_or(Ok(()), seat::leave).map_err(|failure| told::failure(&failure)))
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}
