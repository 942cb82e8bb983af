//! What an exit code says.

use hos_core::refusal::Code;

/// Allowed, or done.
pub(crate) const OK: u8 = 0;
/// The law said no.
pub(crate) const REFUSED: u8 = 1;
/// The command was not understood.
pub(crate) const USAGE: u8 = 2;
/// A check or a verification found something.
pub(crate) const FINDINGS: u8 = 3;
/// The store, the key or the machine failed.
pub(crate) const STORE: u8 = 4;
/// There is no law to judge by.
pub(crate) const LAW: u8 = 5;

/// The table that `hos help exit-codes` shows.
pub(crate) const TABLE: &str = "\
What the exit codes mean

  0  allowed, or done
  1  refused: the law said no, what the call names is not there, or a value is of another type than the declared one; `hos adopt --rows`
     left rows out
  2  usage: the command or an id is not of its form, or a value is none of any type (1.5, null); no such tenant; a file that would be
     written exists already
  3  findings: `hos check` found an error (with --strict a warning; with --model it may not have seen everything), `hos verify` or `hos backup`
     found the evidence broken or judged it otherwise, `hos law diff` or `hos law backtest` found a difference, `hos drift` found rows that differ
  4  store: the store, the key file or the machine failed; nothing was stored unless the code is hos.outcome_unknown;
     `hos work` left heads unsigned, could not write the mark, or found rows of queues that lead nowhere; `hos witness` did not meet the quorum
  5  law: the law does not load, or the law given is not the active one

A reader that closes the pipe early (`hos history .. | head -1`) is no failure: the code is that of the command.";

/// The exit code of a failure.
pub(crate) fn of(code: Code) -> u8 {
    match code {
        Code::LawInvalid | Code::LawNotActive => LAW,
        Code::CallMalformed | Code::CallTooLarge | Code::IdInvalid | Code::ValueInvalid | Code::TenantUnknown => USAGE,
        Code::Internal
        | Code::StoreUnavailable
        | Code::StoreIntegrity
        | Code::StoreFull
        | Code::StoreReadOnly
        | Code::StoreBusy
        | Code::StoreVersion
        | Code::OutcomeUnknown
        | Code::KeyInvalid
        | Code::Retry
        | Code::SignerFailed
        | Code::Quarantined
        | Code::EngineClosed
        | Code::NoTransaction => STORE,
        _ => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_the_machine_is_told_from_a_refusal() {
        for code in Code::ALL {
            assert_eq!(of(*code) == STORE, code.number() < 20, "{code}");
            assert_ne!(of(*code), OK);
        }
        assert_eq!(of(Code::NotPermitted), REFUSED);
        assert_eq!(of(Code::LawNotActive), LAW);
    }
}
