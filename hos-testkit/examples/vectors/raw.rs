//! Rust, by the wire: the bytes as they stand.

use crate::Language;
use crate::scenario::Came;
use hos_core::refusal::Code;
use hos_engine::{Engine, Failure};
use hos_wire::{CALL_BYTES_MAX, Class, answer::failure_json};
use serde_json::Value as Json;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An engine, opened by options in JSON.
#[derive(Default)]
pub(crate) struct Raw {
    engine: Option<Engine>,
}

pub(crate) fn failed(failure: &Failure) -> Came {
    Came { status: Class::of_code(failure.code).as_str().into(), json: failure_json(failure) }
}

/// In Rust a closed engine is gone, and what would use it does not compile: there is nothing to run.
pub(crate) fn closed() -> Came {
    failed(&Failure::new(Code::EngineClosed, "moved away: the compiler refuses this"))
}

pub(crate) fn done() -> Came {
    Came { status: "allowed".into(), json: Json::Object(Default::default()) }
}

impl Raw {
    pub(crate) fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }
}

impl Language for Raw {
    fn open(&mut self, options: &Json) -> Came {
        match hos_wire::open(options.to_string().as_bytes()) {
            Ok(engine) => self.engine = Some(engine),
            Err(failure) => return failed(&failure),
        }
        done()
    }

    fn try_open(&mut self, options: &Json) -> Came {
        match hos_wire::open(options.to_string().as_bytes()).and_then(Engine::close) {
            Ok(()) => done(),
            Err(failure) => failed(&failure),
        }
    }

    fn close(&mut self) -> Came {
        match self.engine.take().map(Engine::close) {
            Some(Ok(())) => done(),
            Some(Err(failure)) => failed(&failure),
            None => closed(),
        }
    }

    fn call(&mut self, operation: &str, json: &[u8]) -> Came {
        let Some(engine) = &self.engine else { return closed() };
        let served = catch_unwind(AssertUnwindSafe(|| hos_wire::serve_with(engine, operation, json, CALL_BYTES_MAX)));
        let Ok(served) = served else { return failed(&Failure::new(Code::Internal, "a panic outside the guard")) };
        let status = Class::of(served.standing).as_str();
        Came { status: status.into(), json: serde_json::from_slice(&served.json).expect("JSON") }
    }

    fn words(&mut self, operation: &str, call: &Json) -> Came {
        self.call(operation, call.to_string().as_bytes())
    }
}
