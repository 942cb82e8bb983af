//! `hos law types`: the law's names as types of a language.

use crate::global::Global;
use crate::out::Done;
use crate::types::{self, Language};
use crate::usage::usage;
use clap::Args;
use hos_engine::{Failure, load_law};
use serde_json::json;
use std::path::PathBuf;

/// Write the law's names as types of a language: a misspelt event is found by the editor
#[derive(Debug, Args)]
pub(crate) struct Types {
    /// The law's directory; the store's active law if none
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    language: Which,
    /// Write into this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// TypeScript, for `Engine.open<..>`
    #[arg(long)]
    ts: bool,
    /// Python: a protocol that an actor fits
    #[arg(long)]
    py: bool,
    /// PHP: enums, and a class for each contract
    #[arg(long)]
    php: bool,
    /// Rust: a module for each contract
    #[arg(long)]
    rust: bool,
}

impl Types {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let (language, name) = match self.language {
            Which { ts: true, .. } => (Language::Ts, "ts"),
            Which { py: true, .. } => (Language::Py, "py"),
            Which { php: true, .. } => (Language::Php, "php"),
            Which { .. } => (Language::Rust, "rust"),
        };
        let (text, hash) = match &self.dir {
            Some(dir) => {
                let law = load_law(dir)?;
                (types::write(&law, language), law.hash)
            }
            None => {
                let law = global.engine()?.law()?;
                (types::write(&law, language), law.hash)
            }
        };
        let Some(path) = &self.output else {
            let json = json!({ "law": hash.to_string(), "language": name, "text": text });
            return Ok(Done::ok(text, json));
        };
        std::fs::write(path, &text)
            .map_err(|e| usage(format!("`{}` cannot be written: {e}", crate::show::inert(&path.to_string_lossy()))))?;
        let json = json!({ "law": hash.to_string(), "language": name, "file": path.to_string_lossy() });
        Ok(Done::ok(format!("{} names of law {hash}\n", name), json))
    }
}
