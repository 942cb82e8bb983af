//! Sealed copies in rows: what they hold when opened, against what the records say.

use super::Pass;
use super::ring::Kept;
use crate::Failure;
use crate::sealed::open_copy;
use hos_core::id::KeyId;

/// A sealed copy against what the records say. `Ok(None)`: its key was destroyed, and the vault says so.
fn copy(pass: &mut Pass<'_>, at: &str, column: &str, key: KeyId, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let kept = if key.0 == [0; 16] { Kept::Destroyed } else { pass.ring.of(&key)? };
    let secret = match &kept {
        Kept::Key(secret) => Some(secret),
        Kept::Destroyed => None,
        Kept::Never => {
            pass.findings.add(at, format!("column {column}_key: the vault never had it"));
            return Ok(None);
        }
    };
    match open_copy(key, secret, bytes) {
        Ok(opened) => Ok(opened),
        Err(failure) => {
            pass.findings.add(at, format!("column {column}: {}", failure.message));
            Ok(None)
        }
    }
}

/// A copy must be what the records say; one of an erased person says nothing any more.
pub(super) fn same_copy(
    pass: &mut Pass<'_>,
    at: &str,
    column: &str,
    key: KeyId,
    bytes: &[u8],
    wanted: Option<&[u8]>,
) -> Result<(), Failure> {
    let before = pass.findings.listed.len();
    let found = copy(pass, at, column, key, bytes)?;
    if pass.findings.listed.len() == before && found.as_deref() != wanted {
        pass.findings.add(at, format!("column {column}: not what the records say"));
    }
    Ok(())
}
