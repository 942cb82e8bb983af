//! One instance's story for a stranger: a bundle, and the trust file that its verifier would have got another way.

use crate::plan::Plan;
use crate::trouble::Trouble;
use hos_core::id::Name;
use hos_engine::{Engine, ExportOptions};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What was exported.
pub(crate) struct Bundle {
    /// The bundle's file.
    pub(crate) file: PathBuf,
    /// The trust file.
    pub(crate) trust: PathBuf,
    /// Whose story it is.
    pub(crate) instance: String,
}

/// Exports the story of the instance with the most to tell; files that are there are replaced.
pub(crate) fn export(engine: &Engine, plan: &Plan, file: &Path) -> Result<Bundle, Trouble> {
    let (tenant, contract, id) = plan.telling().ok_or_else(|| Trouble::new("nothing lawful happened that could be exported"))?;
    let contract = Name::new(contract).map_err(|e| Trouble::new(e.to_string()))?;
    let exported = engine.tenant(tenant.as_str())?.export(&contract, &id, &ExportOptions::default())?;
    let mut trust = file.as_os_str().to_owned();
    trust.push(".trust");
    let trust = PathBuf::from(trust);
    for (path, bytes) in [(file, &exported.bytes[..]), (&trust, exported.trust.as_bytes())] {
        write_own(path, bytes).map_err(|e| Trouble::new(format!("{}: {e}", path.display())))?;
    }
    Ok(Bundle { file: file.to_owned(), trust, instance: format!("{contract}/{id}") })
}

/// Writes a file for nobody else to read: a bundle holds what it is about in the clear.
fn write_own(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // One that was there has the mode that it had.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_bundle_is_for_nobody_else_to_read() {
        let dir = std::env::temp_dir();
        let [fresh, old] = ["fresh", "old"].map(|name| dir.join(format!("pazar-{}-{name}", std::process::id())));
        std::fs::write(&old, "something longer that was there").unwrap();
        std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o644)).unwrap();
        for path in [fresh, old] {
            write_own(&path, b"bundle").unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
            assert_eq!(std::fs::read(&path).unwrap(), b"bundle");
            std::fs::remove_file(&path).unwrap();
        }
    }
}
