//! One instance's story for a stranger: a bundle, and the trust file that its verifier would have got another way.

use crate::plan::Plan;
use crate::trouble::Trouble;
use hos_core::id::Name;
use hos_engine::{Engine, ExportOptions};
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
        std::fs::write(path, bytes).map_err(|e| Trouble::new(format!("{}: {e}", path.display())))?;
    }
    Ok(Bundle { file: file.to_owned(), trust, instance: format!("{contract}/{id}") })
}
