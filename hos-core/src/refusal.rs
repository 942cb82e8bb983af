//! Refusal codes: a refusal is a value, and its number is forever.
//!
//! A call is refused at the first stage of judging that refuses it (`spec/contract.md`). Among the refusals of one stage the order
//! of [`Code::ALL`] is the order of precedence. Codes of guards are the contract's own (`order.amount_short`); codes here all
//! begin with `hos.`. A number is never used twice; `spec/refusal-codes.md` lists them in the same order.

mod turkish;

use std::borrow::Cow;
use std::fmt;

macro_rules! codes {
    ($($variant:ident = $number:literal, $text:literal, $doc:literal;)*) => {
        /// A refusal of H-OS itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $doc] $variant = $number,)*
        }

        impl Code {
            /// Every code, ascending by number: among those of one stage of judging, the order of precedence.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable text, `hos.…`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// What it means and what to do, in English, one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $doc,)* }
            }

            /// The meaning in a language (`en`, `tr`, `tr-TR`, ..); English where it is not known in that one.
            pub fn meaning_in(self, language: &str) -> &'static str {
                match language.split(['-', '_']).next() {
                    Some("tr") => turkish::meaning(self),
                    _ => self.meaning(),
                }
            }

            /// The stable number.
            pub fn number(self) -> u16 {
                self as u16
            }

            /// The code with this text.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Code::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    // The engine itself.
    Internal = 1, "hos.internal", "The engine failed inside; nothing of this call was stored. Report it with the message.";
    StoreUnavailable = 2, "hos.store_unavailable", "The store, or a file that was named, cannot be opened, read or written; nothing of this call was stored. Read the message, mend, retry.";
    StoreIntegrity = 3, "hos.store_integrity", "The store is not what its evidence says, or something else touched its file; writing is stopped. Run `hos verify`.";
    StoreFull = 4, "hos.store_full", "The disk is full; nothing of this call was stored. Make room, then retry.";
    StoreReadOnly = 5, "hos.store_read_only", "The store's file or directory cannot be written by this user.";
    StoreBusy = 6, "hos.store_busy", "Another process kept the store locked for too long; nothing was stored. Retry.";
    StoreVersion = 7, "hos.store_version", "The store was written by another version of H-OS.";
    OutcomeUnknown = 8, "hos.outcome_unknown", "The commit failed in a way that leaves its outcome unknown. Retry with the same once-key: it resolves it.";
    KeyInvalid = 9, "hos.key_invalid", "The key file is missing, too open, too short, or holds another key than the store names.";
    Retry = 10, "hos.retry", "The database asked for a retry (deadlock or serialization failure); nothing was stored.";
    SignerFailed = 11, "hos.signer_failed", "The signer cannot be reached, took too long, or refused; what was stored stays stored, without a checkpoint. Run `hos work` once it answers.";
    Quarantined = 12, "hos.quarantined", "The log is shorter than, or other than, the mark kept outside the store says; it is only read until `hos epoch new` says what was lost.";
    EngineClosed = 13, "hos.engine_closed", "The engine was closed, was never opened, or was opened before a fork in another process. Open it again.";
    NoTransaction = 14, "hos.no_transaction", "The connection is in no transaction. Begin one, do your own writes, call H-OS last, then commit or roll back.";
    // The law in force.
    LawInvalid = 20, "hos.law_invalid", "The law has faults and does not load. Run `hos check`.";
    LawNotActive = 21, "hos.law_not_active", "The law given is not the one that is active in this store. Activate it, or open with the active one.";
    LawInUse = 22, "hos.law_in_use", "Live instances, or who activates laws, need something that the new law lacks; it cannot be activated yet.";
    ModeOff = 23, "hos.mode_off", "The law is switched off here; a call without the world's own outcome cannot be answered.";
    LegacyMissing = 24, "hos.legacy_missing", "The law is in shadow here; the call must carry the world's own outcome.";
    // The call as such.
    CallMalformed = 30, "hos.call_malformed", "The call is not of its form: an unknown, missing or repeated field, or JSON that is none.";
    CallTooLarge = 31, "hos.call_too_large", "The call is larger or nested deeper than allowed.";
    IdInvalid = 32, "hos.id_invalid", "An id is empty, too long, or holds what its kind does not allow.";
    ValueInvalid = 33, "hos.value_invalid", "A value is none that the law knows, such as a null, a float or an integer beyond 64 bits.";
    TenantUnknown = 34, "hos.tenant_unknown", "No such tenant in this store.";
    ClockImplausible = 35, "hos.clock_implausible", "The clock went back, or jumped forward, by more than is allowed. Set it right; a jump that is right is confirmed once, by `--clock-confirmed` (`Settings::clock_confirmed`).";
    // Once-key and existence.
    OnceConflict = 40, "hos.once_conflict", "This once-key was used for a different call.";
    ContractUnknown = 41, "hos.contract_unknown", "The law has no such contract.";
    InstanceUnknown = 42, "hos.instance_unknown", "No such instance.";
    InstanceExists = 43, "hos.instance_exists", "An instance with this id exists already.";
    InstanceErased = 44, "hos.instance_erased", "This instance was erased.";
    SubjectErased = 45, "hos.subject_erased", "The person this would be written about was erased.";
    EventUnknown = 46, "hos.event_unknown", "The contract has no such event, birth or override.";
    SubjectInUse = 47, "hos.subject_in_use", "Live instances still need what is kept of this person, or others are in it; they are named.";
    SubjectHeld = 48, "hos.subject_held", "A legal hold keeps what is kept of this person; it must be released before anything is erased.";
    SubjectNotHeld = 49, "hos.subject_not_held", "No hold is on this person.";
    // Absence: refused before judging.
    ActionUnknown = 50, "hos.action_unknown", "The law's schema has no such action.";
    PrincipalTypeUnknown = 51, "hos.principal_type_unknown", "The principal's type is not one the action applies to.";
    PrincipalUnknown = 52, "hos.principal_unknown", "Nobody gave this principal: it is not in the directory.";
    ResourceTypeUnknown = 53, "hos.resource_type_unknown", "The resource's type is not one the action applies to.";
    EntityMissing = 54, "hos.entity_missing", "The call names an entity that neither the directory nor the call gives.";
    AttributeMissing = 55, "hos.attribute_missing", "A required attribute, fact or argument is missing.";
    AttributeUnknown = 56, "hos.attribute_unknown", "An attribute, fact or argument is not declared.";
    AttributeType = 57, "hos.attribute_type", "An attribute, fact or argument has the wrong type.";
    DirectoryStale = 58, "hos.directory_stale", "The directory could not be confirmed to be fresh enough.";
    HierarchyInvalid = 59, "hos.hierarchy_invalid", "The entity hierarchy is cyclic, too deep or too large.";
    // The policy door.
    Forbidden = 60, "hos.forbidden", "A forbid policy applies.";
    ForbidError = 61, "hos.forbid_error", "A forbid policy that applies could not be evaluated; doubt is a refusal.";
    NotPermitted = 62, "hos.not_permitted", "No policy permits this.";
    // The contract door.
    Terminal = 70, "hos.terminal", "The instance is in a terminal state.";
    WrongState = 71, "hos.wrong_state", "The event is not lawful in the instance's present state.";
    GuardError = 72, "hos.guard_error", "A guard could not be evaluated; doubt is a refusal.";
    ReasonMissing = 73, "hos.reason_missing", "An override needs a reason.";
    DeadlineLimit = 74, "hos.deadline_limit", "More deadlines were due than one call may fire; run `hos tick`.";
    // The directory.
    DirectoryConflict = 80, "hos.directory_conflict", "The directory already holds, or does not hold, what this change needs; or a store is there already.";
    TemplateUnknown = 81, "hos.template_unknown", "The law has no such policy template, or its slots differ.";
    // The outbox.
    LeaseLost = 90, "hos.lease_lost", "The message's lease is no longer yours, or the message is gone.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason against a call: ours or a guard's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocker {
    /// `hos.…`, or the contract's `order.amount_short`.
    pub code: Cow<'static, str>,
    /// What exactly, for a person; may hold ids (escaped), never secrets.
    pub detail: String,
}

impl Blocker {
    /// A blocker of H-OS itself.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code.as_str()), detail: detail.into() }
    }

    /// A guard's blocker; `code` is already namespaced.
    pub fn guard(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: Cow::Owned(code.into()), detail: detail.into() }
    }

    /// The code of H-OS, if it is one.
    pub fn hos(&self) -> Option<Code> {
        Code::from_text(&self.code)
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() { f.write_str(&self.code) } else { write!(f, "{}: {}", self.code, self.detail) }
    }
}

impl std::error::Error for Blocker {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascend_with_their_precedence() {
        assert!(Code::ALL.windows(2).all(|w| w[0].number() < w[1].number()));
        for code in Code::ALL {
            assert_eq!(Code::from_text(code.as_str()), Some(*code));
            assert!(code.as_str().starts_with("hos."));
        }
    }
}
