//! How a call ended, as a number: stable classes; the code stands in the answer.

use hos_core::refusal::Code;
use hos_wire::{Class, Standing, Stepped};

/// How a call ended. Only `HOS_ALLOWED` is a yes; memory that is zero reads as a no.
#[allow(non_camel_case_types, reason = "the name is C's")]
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hos_status {
    /// The answer is no.
    HOS_REFUSED = 0,
    /// The answer is yes, what was asked for is told, or it is done.
    HOS_ALLOWED = 1,
    /// Of a step: it is on its way. Run what it needs, and go on with the rows. It is no yes.
    HOS_NEED = 2,
    /// The call is not of its form: a pointer that is null, text that is not UTF-8, JSON that is none, an id, a value, a
    /// tenant that is not there. Mend the caller.
    HOS_CALL = -1,
    /// The engine is not open: never was, was closed, or was opened in another process (after a fork, open again).
    HOS_CLOSED = -2,
    /// The law does not load, is not the active one, or asks for what the call lacks.
    HOS_LAW = -3,
    /// The store, the key or the machine failed; nothing was stored.
    HOS_STORE = -4,
    /// Nothing was stored, and the same call may be made again.
    HOS_RETRY = -5,
    /// The commit ended in a way that leaves its outcome unknown; the same call under the same once-key resolves it.
    HOS_UNKNOWN = -6,
    /// What the call names is not there.
    HOS_ABSENT = -7,
    /// A fault inside. It is never a yes.
    HOS_INTERNAL = -8,
}

impl hos_status {
    /// The class of how a call was served.
    pub(crate) fn of(standing: Standing) -> Self {
        match standing {
            Standing::Allowed => Self::HOS_ALLOWED,
            Standing::Refused => Self::HOS_REFUSED,
            Standing::Failed(code) => Self::of_code(code),
        }
    }

    /// The class of what a round of a step came to.
    pub(crate) fn of_step(stepped: &Stepped) -> Self {
        stepped.standing.map_or(Self::HOS_NEED, Self::of)
    }

    /// The class of a failure.
    pub(crate) fn of_code(code: Code) -> Self {
        match Class::of_code(code) {
            Class::Allowed => Self::HOS_ALLOWED,
            Class::Refused => Self::HOS_REFUSED,
            Class::Call => Self::HOS_CALL,
            Class::Closed => Self::HOS_CLOSED,
            Class::Law => Self::HOS_LAW,
            Class::Store => Self::HOS_STORE,
            Class::Retry => Self::HOS_RETRY,
            Class::Unknown => Self::HOS_UNKNOWN,
            Class::Absent => Self::HOS_ABSENT,
            Class::Internal => Self::HOS_INTERNAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_is_a_yes_or_a_no() {
        for code in Code::ALL {
            assert!((hos_status::of_code(*code) as i32) < 0, "{code}");
        }
        assert_eq!(hos_status::of_code(Code::StoreFull), hos_status::HOS_STORE);
        assert_eq!(hos_status::of_code(Code::EngineClosed), hos_status::HOS_CLOSED);
        assert_eq!(hos_status::of_code(Code::Quarantined), hos_status::HOS_STORE);
        assert_eq!(hos_status::of_code(Code::InstanceUnknown), hos_status::HOS_ABSENT);
    }
}
