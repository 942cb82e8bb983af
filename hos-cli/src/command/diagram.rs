//! `hos diagram`: a contract's picture, from its data; with an instance, the path that it took.

use crate::entity;
use crate::global::Global;
use crate::out::Done;
use crate::story;
use crate::usage::usage;
use clap::{Args, ValueEnum};
use hos_core::contract::{Contract, Walk, draw, svg};
use hos_core::fault::nearest;
use hos_core::id::Shown;
use hos_engine::{Failure, load_law};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Draw a contract, or the path of an instance.
#[derive(Debug, Args)]
pub(crate) struct Diagram {
    /// The law's directory
    #[arg(value_name = "LAW", required_unless_present = "instance", requires = "contract")]
    dir: Option<PathBuf>,
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: Option<String>,
    /// How [default: mermaid; svg with an instance]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The same as `--format svg`
    #[arg(long, conflicts_with = "format")]
    svg: bool,
    /// An instance of the store: its contract is drawn, and the path that it took
    #[arg(long, value_name = "CONTRACT/ID", conflicts_with = "dir")]
    instance: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A Mermaid state diagram
    Mermaid,
    /// A Graphviz graph
    Dot,
    /// A picture
    Svg,
}

impl Diagram {
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let format = match (self.format, self.svg || self.instance.is_some()) {
            (Some(format), _) => format,
            (None, true) => Format::Svg,
            (None, false) => Format::Mermaid,
        };
        if let Some(instance) = &self.instance {
            if format != Format::Svg {
                return Err(usage("an instance's path is drawn as a picture: `--format svg`"));
            }
            return walked(instance, global);
        }
        let (Some(dir), Some(name)) = (&self.dir, &self.contract) else { return Err(usage("no law and contract are named")) };
        let law = load_law(dir)?;
        let Some(of) = law.contracts.get(name.as_str()) else {
            let known = law.contracts.keys().map(|n| n.as_str());
            let hint = nearest(name, known).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            return Err(usage(format!("`{}` is no contract of this law{hint}", Shown(name))));
        };
        Ok(drawn(&of.contract, format, None))
    }
}

fn walked(instance: &str, global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let tenant = global.tenant(&engine)?;
    let law = engine.law()?;
    let (contract, id) = entity::instance(instance)?;
    hos_wire::recorded(&law, &tenant, &contract, &id)?;
    let entries = story::records(&tenant, &contract, &id)?;
    let walk = hos_wire::page::walk(&entries, &global.language());
    let lost = || usage(format!("the law of `{}` has no such contract", Shown(instance)));
    let of = story::contract(&engine, &contract, &entries)?.ok_or_else(lost)?;
    Ok(drawn(&of, Format::Svg, Some(&walk)))
}

fn drawn(contract: &Contract, format: Format, walk: Option<&Walk>) -> Done {
    let (word, text) = match format {
        Format::Mermaid => ("mermaid", draw::mermaid(contract)),
        Format::Dot => ("dot", draw::dot(contract)),
        Format::Svg => ("svg", svg::svg(contract, walk)),
    };
    let json = json!({ "contract": contract.name.as_str(), "format": word, "text": text });
    Done::ok(text, json)
}
