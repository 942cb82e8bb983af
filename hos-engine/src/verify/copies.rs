//! Sealed copies in rows: what they hold when opened, against what the records say.

use super::Pass;
use super::ring::Kept;
use crate::Failure;
use crate::sealed::open_copy;
use hos_core::id::KeyId;

/// What a sealed copy holds.
pub(super) enum Opened {
    /// This.
    Copy(Vec<u8>),
    /// Its key was destroyed, and the vault says so.
    Gone,
    /// It does not open, which is among the findings.
    Told,
}

/// Opens a sealed copy.
pub(super) fn open(pass: &mut Pass<'_>, at: &str, column: &str, key: KeyId, bytes: &[u8]) -> Result<Opened, Failure> {
    let kept = if key.0 == [0; 16] { Kept::Destroyed } else { pass.ring.of(&key)? };
    let secret = match &kept {
        Kept::Key(secret) => Some(secret),
        Kept::Destroyed => None,
        Kept::Never => {
            pass.findings.add(at, format!("column {column}_key: the vault never had it"));
            return Ok(Opened::Told);
        }
    };
    match open_copy(key, secret, bytes) {
        Ok(opened) => Ok(opened.map_or(Opened::Gone, Opened::Copy)),
        Err(failure) => {
            pass.findings.add(at, format!("column {column}: {}", failure.message));
            Ok(Opened::Told)
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
    is_said: impl FnOnce(Option<&[u8]>) -> bool,
) -> Result<(), Failure> {
    let same = match open(pass, at, column, key, bytes)? {
        Opened::Copy(found) => is_said(Some(&found)),
        Opened::Gone => is_said(None),
        Opened::Told => true,
    };
    if !same {
        pass.findings.add(at, format!("column {column}: not what the records say"));
    }
    Ok(())
}
