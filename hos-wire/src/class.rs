//! The stable class of how a call ended: what a caller can act on without knowing every code (`spec/c-abi.md`).

use crate::Standing;
use hos_core::refusal::Code;

/// How a call ended. Only `Allowed` is a yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The answer is yes, what was asked for is told, or it is done.
    Allowed,
    /// The answer is no.
    Refused,
    /// The call is not of its form. Mend the caller.
    Call,
    /// The engine is not open here.
    Closed,
    /// The law does not load, is not the active one, or asks for what the call lacks.
    Law,
    /// The store, the key or the machine failed; nothing was stored.
    Store,
    /// Nothing was stored, and the same call may be made again.
    Retry,
    /// The commit's outcome is unknown; the same call under the same once-key resolves it.
    Unknown,
    /// What the call names is not there.
    Absent,
    /// A fault inside.
    Internal,
}

impl Class {
    /// The class of how a call was served.
    pub fn of(standing: Standing) -> Self {
        match standing {
            Standing::Allowed => Self::Allowed,
            Standing::Refused => Self::Refused,
            Standing::Failed(code) => Self::of_code(code),
        }
    }

    /// The class of a failure.
    pub fn of_code(code: Code) -> Self {
        match code {
            Code::Internal => Self::Internal,
            Code::EngineClosed => Self::Closed,
            Code::OutcomeUnknown => Self::Unknown,
            Code::StoreBusy | Code::Retry | Code::DirectoryStale => Self::Retry,
            Code::LawInvalid | Code::LawNotActive | Code::LawInUse | Code::ModeOff | Code::LegacyMissing => Self::Law,
            Code::CallMalformed
            | Code::CallTooLarge
            | Code::IdInvalid
            | Code::ValueInvalid
            | Code::TenantUnknown
            | Code::NoTransaction => Self::Call,
            code if code.number() < Code::LawInvalid.number() => Self::Store,
            _ => Self::Absent,
        }
    }

    /// In small letters: `allowed`, `refused`, `call`, ..
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Call => "call",
            Self::Closed => "closed",
            Self::Law => "law",
            Self::Store => "store",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Absent => "absent",
            Self::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_is_a_yes_or_a_no() {
        for code in Code::ALL {
            assert!(!matches!(Class::of(Standing::Failed(*code)), Class::Allowed | Class::Refused), "{code}");
        }
        let table = [
            (Code::StoreFull, "store"),
            (Code::Quarantined, "store"),
            (Code::EngineClosed, "closed"),
            (Code::InstanceUnknown, "absent"),
            (Code::Retry, "retry"),
            (Code::OutcomeUnknown, "unknown"),
            (Code::Internal, "internal"),
            (Code::LegacyMissing, "law"),
            (Code::TenantUnknown, "call"),
        ];
        for (code, wanted) in table {
            assert_eq!(Class::of_code(code).as_str(), wanted, "{code}");
        }
        assert_eq!((Class::of(Standing::Allowed).as_str(), Class::of(Standing::Refused).as_str()), ("allowed", "refused"));
    }
}
