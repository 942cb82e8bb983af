//! Options that go with others.

use crate::usage::usage;
use hos_engine::Failure;

/// Refuses options that mean something with another one alone, where that one is not given. clap's `requires` is passed over
/// wherever something is given that the required option conflicts with.
pub(crate) fn needs(other: &str, is_given: bool, options: &[(&str, bool)]) -> Result<(), Failure> {
    match options.iter().find(|(_, said)| *said && !is_given) {
        Some((option, _)) => Err(usage(format!("`{option}` goes with `{other}` alone: give both, or leave `{option}` out"))),
        None => Ok(()),
    }
}
