//! `hos diagram`: a contract's picture, from its data.

use crate::out::Done;
use crate::usage::usage;
use clap::{Args, ValueEnum};
use hos_core::contract::draw;
use hos_core::fault::nearest;
use hos_core::id::Shown;
use hos_engine::{Failure, load_law};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Draw a contract.
#[derive(Debug, Args)]
pub(crate) struct Diagram {
    /// The law's directory
    #[arg(value_name = "LAW")]
    dir: PathBuf,
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// How
    #[arg(long, value_enum, default_value = "mermaid")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A Mermaid state diagram
    Mermaid,
    /// A Graphviz graph
    Dot,
}

impl Diagram {
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn run(&self) -> Result<Done, Failure> {
        let law = load_law(&self.dir)?;
        let Some(of) = law.contracts.get(self.contract.as_str()) else {
            let known = law.contracts.keys().map(|n| n.as_str());
            let hint = nearest(&self.contract, known).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            return Err(usage(format!("`{}` is no contract of this law{hint}", Shown(&self.contract))));
        };
        let (word, text) = match self.format {
            Format::Mermaid => ("mermaid", draw::mermaid(&of.contract)),
            Format::Dot => ("dot", draw::dot(&of.contract)),
        };
        let json = json!({ "contract": self.contract, "format": word, "text": text });
        Ok(Done::ok(text, json))
    }
}
