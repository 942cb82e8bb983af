//! How a call ended, as one text: the class of the end, a line feed, and the JSON. One text crosses into JavaScript for less
//! than an object does.

use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::answer::failure_json;
use hos_wire::{Class, Decided, Served};
use std::panic::{AssertUnwindSafe, catch_unwind};

const FAULT: &str = "internal\n{\"error\":{\"code\":\"hos.internal\",\"message\":\"a fault inside\",\"faults\":[]}}";

/// A failure, told.
pub(crate) fn failure(failure: &Failure) -> String {
    format!("{}\n{}", Class::of_code(failure.code).as_str(), failure_json(failure))
}

/// What was served, told.
pub(crate) fn served(served: Served) -> String {
    ended(Class::of(served.standing), served.json)
}

/// What was decided, told.
pub(crate) fn decided(decided: &Decided) -> String {
    ended(if decided.allowed() { Class::Allowed } else { Class::Refused }, decided.json())
}

fn ended(class: Class, json: Vec<u8>) -> String {
    under_way(class.as_str(), json)
}

/// What has not ended, told under a word that is no class.
pub(crate) fn under_way(word: &str, json: Vec<u8>) -> String {
    // What is served is JSON, and so text; were it not, this is no yes.
    String::from_utf8(json).map_or_else(|_| FAULT.to_owned(), |json| format!("{word}\n{json}"))
}

/// The end of a call on an engine that is not open.
pub(crate) fn closed() -> String {
    failure(&Failure::new(Code::EngineClosed, "the engine was closed; open it again"))
}

/// A fault inside.
pub(crate) fn fault() -> String {
    FAULT.to_owned()
}

/// Runs what may panic; a panic ends here.
pub(crate) fn guarded(work: impl FnOnce() -> String) -> String {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| FAULT.to_owned())
}

/// Runs what makes something or fails; the failure is told in the error's message.
pub(crate) fn made<T>(work: impl FnOnce() -> Result<T, Failure>) -> napi::Result<T> {
    let made = catch_unwind(AssertUnwindSafe(|| work().map_err(|e| failure(&e)))).unwrap_or_else(|_| Err(FAULT.to_owned()));
    made.map_err(napi::Error::from_reason)
}
