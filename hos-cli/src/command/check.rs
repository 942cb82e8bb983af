//! `hos check`: everything that is wrong, or unwise, in a law's directory.

use crate::exit;
use crate::global::Global;
use crate::out::{Done, sources};
use crate::usage::usage;
use clap::Args;
use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::law::render;
use hos_core::refusal::Code;
use hos_engine::{Failure, load_law};
use hos_wire::answer::fault_json;
use serde_json::json;
use std::path::PathBuf;

/// Check a law's directory: what does not load, and what loads and is still unwise.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The law's directory [default: --law]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Warnings are findings too
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let dir = self.dir.as_ref().or(global.law_dir.as_ref()).ok_or_else(|| usage("no law is named: give its directory"))?;
        let (faults, files, summary, hash) = match load_law(dir) {
            Ok(law) => {
                let summary = format!("{} {}: {} contracts\n", hos_core::id::Shown(&law.name), law.hash, law.contracts.len());
                (law.check(), law.files.clone(), summary, Some(law.hash.to_string()))
            }
            Err(failure) if failure.code == Code::LawInvalid && !failure.faults.is_empty() => {
                let files = sources(Some(dir), &failure.faults);
                (failure.faults, files, String::new(), None)
            }
            Err(failure) => return Err(failure),
        };
        Ok(self.done(&faults, &files, summary, hash))
    }

    fn done(&self, faults: &[Fault], files: &[SourceFile], summary: String, hash: Option<String>) -> Done {
        let worst = if self.strict { Severity::Warning } else { Severity::Error };
        let found = faults.iter().any(|f| f.severity <= worst);
        let mut json = json!({ "loads": hash.is_some(), "faults": faults.iter().map(fault_json).collect::<Vec<_>>() });
        if let Some(hash) = hash {
            json["law"] = json!(hash);
        }
        Done { exit: if found { exit::FINDINGS } else { exit::OK }, text: format!("{}{summary}", render(faults, files)), json }
    }
}
