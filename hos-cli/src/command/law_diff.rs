//! `hos law diff`: what two laws say differently.

use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use clap::Args;
use hos_core::law::Law;
use hos_core::law::diff::{Item, LawDiff, Mark, diff};
use hos_engine::{Failure, load_law};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// How long a text may be shown to a person.
const SHOWN_MAX: usize = 160;

/// Compare two laws: files, policies, schema, contracts, machines.
///
/// Exit 3 where they differ.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The old law: a directory, or `active` for the store's
    #[arg(value_name = "OLD")]
    old: String,
    /// The new law: a directory, or `active`
    #[arg(value_name = "NEW")]
    new: String,
    /// As Markdown, for a pull request
    #[arg(long)]
    markdown: bool,
}

fn law(said: &str, global: &Global) -> Result<Arc<Law>, Failure> {
    if said != "active" {
        return Ok(Arc::new(load_law(Path::new(said))?));
    }
    let engine = global.engine()?;
    let law = engine.law()?;
    super::closed(engine);
    Ok(law)
}

impl Diff {
    pub(super) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let found = diff(&*law(&self.old, global)?, &*law(&self.new, global)?);
        let exit = if found.items.is_empty() { exit::OK } else { exit::FINDINGS };
        let text = if self.markdown { markdown(&found) } else { text(&found) };
        Ok(Done { exit, text, json: json(&found) })
    }
}

fn sign(mark: Mark) -> char {
    match mark {
        Mark::Added => '+',
        Mark::Removed => '-',
        Mark::Changed => '~',
    }
}

fn named(item: &Item) -> String {
    let of = if item.contract.is_empty() { String::new() } else { format!("{}: ", item.contract) };
    let name = if item.name.is_empty() { String::new() } else { format!(" {}", show::inert(&item.name)) };
    format!("{of}{}{name}", item.what)
}

fn short(text: &str) -> String {
    let shown = show::inert(text);
    if shown.chars().count() <= SHOWN_MAX {
        return shown;
    }
    shown.chars().take(SHOWN_MAX).chain("…".chars()).collect()
}

fn text(found: &LawDiff) -> String {
    if found.items.is_empty() {
        return format!("same     {}\n", found.new);
    }
    let mut out = format!("old      {}\nnew      {}\n", found.old, found.new);
    for item in &found.items {
        let _ = writeln!(out, "{} {}", sign(item.mark), named(item));
        for field in item.fields.iter().filter(|_| item.mark == Mark::Changed && item.what != "file") {
            let _ = writeln!(out, "    {}: {} -> {}", show::inert(&field.field), short(&field.was), short(&field.now));
        }
    }
    out
}

fn cell(text: &str) -> String {
    // A code span ends at a run of as many backticks, and a cell at a bar; neither may come from a law's text.
    let shown = short(text).replace('`', "'").replace('|', "\\|");
    if shown.is_empty() { String::new() } else { format!("`{shown}`") }
}

fn markdown(found: &LawDiff) -> String {
    let mut out = format!("Law `{}` -> `{}`\n\n", found.old, found.new);
    if found.items.is_empty() {
        out.push_str("The same.\n");
        return out;
    }
    out.push_str("| | what | field | was | now |\n|---|---|---|---|---|\n");
    for item in &found.items {
        let told = item.mark == Mark::Changed && item.what != "file";
        let _ = writeln!(out, "| {} | {} | | | |", item.mark.as_str(), cell(&named(item)));
        for field in item.fields.iter().filter(|_| told) {
            let _ = writeln!(out, "| | | {} | {} | {} |", cell(&field.field), cell(&field.was), cell(&field.now));
        }
    }
    out
}

fn json(found: &LawDiff) -> Json {
    let items = found.items.iter().map(|item| {
        let fields = item.fields.iter().map(|f| json!({ "field": f.field, "was": f.was, "now": f.now }));
        let mut json = json!({
            "mark": item.mark.as_str(),
            "what": item.what,
            "name": item.name,
            "fields": fields.collect::<Vec<_>>(),
        });
        if !item.contract.is_empty() {
            json["contract"] = json!(item.contract);
        }
        json
    });
    json!({
        "old": found.old.to_string(),
        "new": found.new.to_string(),
        "same": found.items.is_empty(),
        "items": items.collect::<Vec<_>>(),
    })
}
