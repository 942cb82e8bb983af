//! What tests in every language ask for on purpose: a failure of any code, a panic at each depth, a clock that they set.
//!
//! The operation `failpoint` takes one of
//!
//! | call | |
//! |---|---|
//! | `{"code": "hos.store_full"}` | fails with this code |
//! | `{"panic": "call"}` | panics where calls are guarded |
//! | `{"panic": "boundary"}` | panics outside of that, where the shell's own guard must hold |
//! | `{"panic": "step"}` | the next round of a joined step panics, in the middle of it; `{}` is answered |
//! | `{"panic": "clock"}` | the clock panics when it is read next, in the middle of the engine's work; `{}` is answered |
//! | `{"clock": "PT61M"}` | the clock goes so far before the machine's (`-PT61M`: behind); `{}` is answered |
//!
//! The clock is one for the process and belongs to the engines that were opened with the option `clock`.

use crate::fields::{Fields, malformed};
use crate::{CALL_BYTES_MAX, strict};
use hos_core::refusal::Code;
use hos_core::time::{Span, Timestamp};
use hos_engine::Failure;
use hos_engine::clock::SystemClock;
use hos_engine::ports::Clock;
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

static AHEAD: AtomicI64 = AtomicI64::new(0);
static BROKEN: AtomicBool = AtomicBool::new(false);
static TRIPPED: AtomicBool = AtomicBool::new(false);

/// The clock that calls set.
pub(crate) struct CallClock;

impl Clock for CallClock {
    fn now(&self) -> Timestamp {
        assert!(!BROKEN.swap(false, Ordering::SeqCst), "planted in the clock");
        Timestamp(SystemClock.now().0.saturating_add(AHEAD.load(Ordering::SeqCst)))
    }
}

/// Sets the clock.
pub(crate) fn set_clock(text: &str) -> Result<(), Failure> {
    let (sign, span) = text.strip_prefix('-').map_or((1, text), |span| (-1, span));
    let span = Span::parse(span).map_err(|_| malformed("`clock` is a span like PT61M or -PT61M"))?;
    AHEAD.store(sign * span.0, Ordering::SeqCst);
    BROKEN.store(false, Ordering::SeqCst);
    Ok(())
}

/// The operation's name.
pub(crate) const OPERATION: &str = "failpoint";

/// Panics where that is asked for outside of every guard.
pub(crate) fn boundary(json: &[u8]) {
    assert!(!matches!(asked(json), Ok((None, Some(at), None)) if at == "boundary"), "planted at the boundary");
}

/// Panics in a round of a joined step where that was asked for.
pub(crate) fn step() {
    assert!(!TRIPPED.swap(false, Ordering::SeqCst), "planted in a step");
}

/// Does what else is asked.
pub(crate) fn answer(json: &[u8]) -> Result<(bool, Json), Failure> {
    match asked(json)? {
        (Some(code), None, None) => {
            let code = Code::ALL.iter().find(|known| known.as_str() == code).ok_or_else(|| malformed("no such code"))?;
            return Err(Failure::new(*code, "planted"));
        }
        (None, Some(at), None) if at == "call" => panic!("planted in the call"),
        (None, Some(at), None) if at == "clock" => BROKEN.store(true, Ordering::SeqCst),
        (None, Some(at), None) if at == "step" => TRIPPED.store(true, Ordering::SeqCst),
        (None, None, Some(text)) => set_clock(&text)?,
        _ => return Err(malformed("a failpoint has one of `code`, `panic` (call, boundary, step, clock) and `clock`")),
    }
    Ok((true, json!({})))
}

type Asked = (Option<String>, Option<String>, Option<String>);

fn asked(json: &[u8]) -> Result<Asked, Failure> {
    let mut f = Fields::of("the call", strict::parse(json, CALL_BYTES_MAX)?, &["code", "panic", "clock"])?;
    Ok((f.optional_text("code")?, f.optional_text("panic")?, f.optional_text("clock")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_can_be_planted() {
        let code = |call: &str| answer(call.as_bytes()).unwrap_err().code;
        for wanted in Code::ALL {
            assert_eq!(code(&format!(r#"{{"code":"{wanted}"}}"#)), *wanted);
        }
        for call in ["", "{}", r#"{"code":"hos.none"}"#, r#"{"clock":"noon"}"#, r#"{"panic":"here"}"#] {
            assert_eq!(code(call), Code::CallMalformed, "{call}");
        }
        assert!(std::panic::catch_unwind(|| answer(br#"{"panic":"call"}"#)).is_err());
        assert!(std::panic::catch_unwind(|| boundary(br#"{"panic":"boundary"}"#)).is_err());
        boundary(br#"{"panic":"call"}"#);
        boundary(b"{");
        step();
        assert!(answer(br#"{"panic":"step"}"#).is_ok() && std::panic::catch_unwind(step).is_err());
        step();
    }
}
