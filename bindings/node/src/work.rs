//! What runs on the pool of libuv, so that the loop goes on meanwhile.

use crate::told;
use hos_engine::Engine;
use hos_wire::CALL_BYTES_MAX;
use napi::{Env, Result, Task};

/// Makes one call. The engine stays open until it has ended, whoever closes it meanwhile.
pub struct Call {
    pub(crate) engine: Option<Engine>,
    pub(crate) operation: String,
    pub(crate) call: Vec<u8>,
}

impl Task for Call {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        // Taken: if it is the last hold on the store, the store is let go of on this thread.
        let Some(engine) = self.engine.take() else { return Ok(told::closed()) };
        Ok(told::guarded(move || told::served(hos_wire::serve_with(&engine, &self.operation, &self.call, CALL_BYTES_MAX))))
    }

    fn resolve(&mut self, _: Env, told: String) -> Result<String> {
        Ok(told)
    }
}

/// Lets go of an engine.
pub struct Close {
    pub(crate) engine: Option<Engine>,
}

impl Task for Close {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        let engine = self.engine.take();
        told::made(|| engine.map_or(Ok(()), Engine::close))
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}
