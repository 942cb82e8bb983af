//! `hos infer`: a contract proposed from what happened.

use crate::global::Global;
use crate::infer::{self, Said, Title};
use crate::out::Done;
use crate::usage::usage;
use clap::Args;
use hos_core::contract::{draw, infer as judging};
use hos_engine::Failure;
use serde_json::json;
use std::path::PathBuf;

/// How a move is judged, in the words of the command; `spec/infer.md` says more.
fn bounds() -> String {
    format!(
        "How moves are judged (spec/infer.md):\n  \
         rare      at most one in {} of {} visits or more to its source; kept\n  \
         illegal   it leaves a state that ends nearly everything ({} came or more, at most one in {} left) for one that at most one\n            \
         in {} comes to that way; or runs backwards against {} or more of the opposite move, {} times as many; or is rare at\n            \
         both ends while a usual way joins them; or most of its rows say another state than the instance was in.\n            \
         Written and switched off\n  \
         deadline  {} moves or more, nine in ten of whose times in state lie within a {}th of the median, at least a minute and\n            \
         ten times the times' own unit, and at most one in {} stayed longer; written and switched off",
        judging::RARE_ONE_IN,
        judging::RARE_VISITS_MIN,
        judging::END_ENTRIES_MIN,
        judging::END_ONE_IN,
        judging::OTHERWISE_ONE_IN,
        judging::OPPOSITE_MIN,
        judging::OPPOSITE_TIMES,
        judging::RULE_MOVES_MIN,
        judging::RULE_SPREAD_ONE_IN,
        judging::RULE_BEYOND_ONE_IN,
    )
}

/// Propose a contract from a history: what is usual, what is rare, what looks illegal
#[derive(Debug, Args)]
#[command(after_long_help = bounds())]
pub(crate) struct Infer {
    /// A CSV file with a header, gzipped or not; `-` for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The contract's name
    #[arg(long, value_name = "NAME")]
    contract: String,
    /// The law's namespace [default: none]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    namespace: String,
    /// The contract's entity type [default: the contract's name in capitals]
    #[arg(long, value_name = "TYPE")]
    entity: Option<String>,
    /// The column with the instance's id [default: guessed by usual names, as all columns]
    #[arg(long, value_name = "COLUMN", help_heading = "Columns")]
    instance: Option<String>,
    /// The column with the state that a row leaves; `-`: the state of the row before it
    #[arg(long, value_name = "COLUMN", help_heading = "Columns", allow_hyphen_values = true)]
    from: Option<String>,
    /// The column with the state that a row leads to
    #[arg(long, value_name = "COLUMN", help_heading = "Columns")]
    to: Option<String>,
    /// The column with the event; `-`: events are named after the state that they lead to
    #[arg(long, value_name = "COLUMN", help_heading = "Columns", allow_hyphen_values = true)]
    event: Option<String>,
    /// The column with the time; `-`: none
    #[arg(long, value_name = "COLUMN", help_heading = "Columns", allow_hyphen_values = true)]
    at: Option<String>,
    /// The rows stand as they happened, whatever their times say
    #[arg(long, help_heading = "Columns")]
    file_order: bool,
    /// Write a law with the contract into this directory, which is empty or not there
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print the contract as a Mermaid state diagram
    #[arg(long, conflicts_with = "dot")]
    mermaid: bool,
    /// Print the contract as a Graphviz graph
    #[arg(long)]
    dot: bool,
}

impl Infer {
    pub(crate) fn run(&self, _: &Global) -> Result<Done, Failure> {
        let title = Title::new(&self.contract, self.entity.as_deref(), &self.namespace)?;
        let said = Said {
            instance: self.instance.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            event: self.event.as_deref(),
            time: self.at.as_deref(),
        };
        let read = infer::read(&self.file, &said, &self.contract, self.file_order)?;
        let proposal = judging::judge::judge(&read.history);
        let arrows = judging::arrows(&proposal, &title.contract).map_err(|e| usage(format!("{}: {e}", read.name)))?;
        // The law names the file, not where it lies on this machine.
        let source = read.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let (files, law) = infer::compiled(&proposal, &arrows, &title, source)?;
        let mut json = infer::figures(&read, &proposal, &arrows);
        json["files"] = json!(files);
        json["law"] = json!(law.hash.to_string());
        let picture = law.contracts.values().next().map(|of| match self.dot {
            true => draw::dot(&of.contract),
            false => draw::mermaid(&of.contract),
        });
        let drawn = picture.filter(|_| self.dot || self.mermaid);
        if let Some(drawn) = &drawn {
            json["diagram"] = json!(drawn);
        }
        let mut text = drawn.clone().unwrap_or_else(|| infer::text(&read, &proposal, &arrows));
        if let Some(dir) = &self.output {
            infer::write(&files, dir)?;
            json["directory"] = json!(dir.to_string_lossy());
        }
        if drawn.is_none() {
            text.push_str(&self.next());
        }
        Ok(Done::ok(text, json))
    }

    fn next(&self) -> String {
        match &self.output {
            Some(dir) => {
                let dir = crate::show::inert(&dir.to_string_lossy());
                format!("\nwritten   {dir}: read it, write its policies, and ask `hos check {dir}`\n")
            }
            None => "\nnext      -o DIR writes a law with this contract, --mermaid and --dot draw it\n".to_owned(),
        }
    }
}
