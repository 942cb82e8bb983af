//! What stops a replay, in words for whoever started it.

use hos_core::id::IdError;
use hos_engine::Failure;
use std::fmt;

/// Why the replay stops. Nothing is done after it.
#[derive(Debug)]
pub(crate) struct Trouble(String);

impl Trouble {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let mut text = failure.to_string();
        for fault in &failure.faults {
            text.push_str(&format!("\n  {fault}"));
        }
        Self(text)
    }
}

impl From<IdError> for Trouble {
    fn from(error: IdError) -> Self {
        Self(error.to_string())
    }
}

impl From<crate::input::InputError> for Trouble {
    fn from(error: crate::input::InputError) -> Self {
        Self(error.to_string())
    }
}
