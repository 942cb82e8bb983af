//! The tables as they are: nothing of them may be another's, and nothing may hang on them that works by itself.

use super::Pass;
use crate::Failure;
use crate::store::{StoreError, Tx, tables};
use crate::vault::Vault;

/// Compares the tables, as the database has them, with what the schema's steps make. The same of the file that keeps the keys of
/// persons.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    for (at, what) in tables::differences(tx)? {
        pass.findings.add(at, what);
    }
    if let Vault::File(vault) = &pass.court.vault {
        for (at, what) in vault.faults()? {
            pass.findings.add(format!("vault, {at}"), what);
        }
    }
    Ok(())
}

/// What is wrong, each with where.
pub(super) type Faults = Vec<(String, String)>;

/// Looks whether each table of a file and its indexes hold the same rows: a sixth of the work, for which no other part of it waits, so
/// that a thread may do it that reads for itself.
///
/// What that thread sees need not be of the same moment as what the rest is verified by. Nothing is lost by it: no writer makes rows
/// that differ from their index, nor mends them.
pub(super) fn faults(tx: &Tx<'_>) -> Result<Faults, StoreError> {
    tables::faults(tx)
}
