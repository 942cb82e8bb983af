//! `hos check`: everything that is wrong, or unwise, in a law's directory.

use crate::exit;
use crate::global::Global;
use crate::model;
use crate::out::{Done, sources};
use crate::usage::usage;
use clap::Args;
use hos_core::contract::model::Limits;
use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::law::{Law, render};
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
    /// Follow every path of every contract too, and show the shortest one to whatever is wrong
    #[arg(long)]
    model: bool,
    /// Draw each of these paths into this directory (`order-1.svg`)
    #[arg(long, value_name = "DIR", requires = "model", help_heading = "With --model")]
    trace_diagram: Option<PathBuf>,
    /// Write each of these paths into this directory as a test that repeats it on a store (`order-1.sh`)
    #[arg(long, value_name = "DIR", requires = "model", help_heading = "With --model")]
    trace_test: Option<PathBuf>,
    /// The most worlds of a contract: states, each with the deadlines that may run in it
    #[arg(long, value_name = "COUNT", requires = "model", default_value_t = Limits::default().worlds_max, help_heading = "With --model")]
    worlds_max: usize,
    /// The most steps of a path
    #[arg(long, value_name = "COUNT", requires = "model", default_value_t = Limits::default().depth_max, help_heading = "With --model")]
    depth_max: usize,
}

impl Check {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let dir = self.dir.as_ref().or(global.law_dir.as_ref()).ok_or_else(|| usage("no law is named: give its directory"))?;
        match load_law(dir) {
            Ok(law) => {
                let summary = format!("{} {}: {} contracts\n", hos_core::id::Shown(&law.name), law.hash, law.contracts.len());
                let mut done = self.done(&law.check(), &law.files, summary, Some(law.hash.to_string()));
                if self.model {
                    self.follow(&law, &global.language(), &mut done)?;
                }
                Ok(done)
            }
            Err(failure) if failure.code == Code::LawInvalid && !failure.faults.is_empty() => {
                let files = sources(Some(dir), &failure.faults);
                Ok(self.done(&failure.faults, &files, String::new(), None))
            }
            Err(failure) => Err(failure),
        }
    }

    fn done(&self, faults: &[Fault], files: &[SourceFile], summary: String, hash: Option<String>) -> Done {
        let found = faults.iter().any(|f| f.severity <= self.worst());
        let mut json = json!({ "loads": hash.is_some(), "faults": faults.iter().map(fault_json).collect::<Vec<_>>() });
        if let Some(hash) = hash {
            json["law"] = json!(hash);
        }
        Done { exit: if found { exit::FINDINGS } else { exit::OK }, text: format!("{}{summary}", render(faults, files)), json }
    }

    fn worst(&self) -> Severity {
        if self.strict { Severity::Warning } else { Severity::Error }
    }

    fn follow(&self, law: &Law, language: &str, done: &mut Done) -> Result<(), Failure> {
        let limits = Limits { worlds_max: self.worlds_max, depth_max: self.depth_max, ..Limits::default() };
        let told = model::follow(law, limits);
        if let Some(dir) = &self.trace_diagram {
            model::draw(&told, dir, language)?;
        }
        if let Some(dir) = &self.trace_test {
            model::write_tests(&told, dir, language)?;
        }
        if told.iter().any(|one| one.is_found(self.worst())) {
            done.exit = exit::FINDINGS;
        }
        done.text.push('\n');
        done.text.push_str(&model::text(&told, law, language));
        done.json["model"] = told.iter().map(|one| model::json(one, law, language)).collect();
        Ok(())
    }
}
