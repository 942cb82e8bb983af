//! `hos history`: an instance's records.

use super::export::{code_of, write_own};
use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::story;
use crate::usage::usage;
use clap::Args;
use hos_core::id::{InstanceId, Name};
use hos_core::proof::record::Kind;
use hos_core::value::Value;
use hos_engine::{Failure, HistoryEntry, TenantRef};
use hos_wire::answer::{history_json, kind_text};
use hos_wire::call::HISTORY_MAX;
use hos_wire::page::page;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

/// Show an instance's records, oldest first.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// The instance
    #[arg(value_name = "ID")]
    id: String,
    /// The first record's place in the thread
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// How many records at most
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Show what the records hold
    #[arg(long)]
    parts: bool,
    /// Write the whole story as one page for people to read, with the contract's picture and the path in it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "limit", "parts"])]
    html: Option<PathBuf>,
}

impl History {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        if self.limit == 0 {
            // It would go on where it began, for ever.
            return Err(usage("--limit: at least 1"));
        }
        let engine = global.engine()?;
        let tenant = global.tenant(&engine)?;
        let (contract, id) = (Name::new(&self.contract)?, InstanceId::new(&self.id)?);
        hos_wire::recorded(&*engine.law()?, &tenant, &contract, &id)?;
        if let Some(file) = &self.html {
            let entries = story::records(&tenant, &contract, &id)?;
            let of = story::contract(&engine, &contract, &entries)?;
            let page = page(tenant.name().as_str(), contract.as_str(), id.as_str(), &entries, of.as_ref(), &global.language());
            let shown = show::inert(&file.to_string_lossy());
            // What was there is not replaced: a page may be somebody's copy of what can no longer be read.
            write_own(file, page.as_bytes()).map_err(|e| {
                let what = if global.language() == "tr" { "yazılamıyor" } else { "cannot be written" };
                Failure::new(code_of(&e), format!("`{shown}` {what}: {e}"))
            })?;
            let json = json!({ "file": file.to_string_lossy(), "records": entries.len() });
            return Ok(Done::ok(format!("{shown}  {} records\n", entries.len()), json));
        }
        let (entries, next) = self.page(&tenant, &contract, &id)?;
        let mut text = entries.iter().map(|e| self.line(e)).collect::<String>();
        let mut json = history_json(&entries);
        if let Some(next) = next {
            let word = if global.language() == "tr" { "devamı" } else { "more" };
            let _ = writeln!(text, "{word}: --from {next}");
            json["next"] = json!(next);
        }
        Ok(Done::ok(text, json))
    }

    /// As many records as are asked for, and the place of the first that is left.
    fn page(&self, tenant: &TenantRef, contract: &Name, id: &InstanceId) -> Result<(Vec<HistoryEntry>, Option<u64>), Failure> {
        let (mut entries, mut next) = (Vec::new(), self.from);
        // The engine gives a page at once, however many are wanted, and one that its bytes ended is all that is shown.
        while entries.len() < self.limit {
            let asked = (self.limit - entries.len()).min(HISTORY_MAX);
            let page = tenant.history(contract, id, next, asked)?;
            let is_short = page.len() < asked;
            next = next.saturating_add(page.len() as u64);
            entries.extend(page);
            if is_short {
                break;
            }
        }
        let is_more = !tenant.history(contract, id, next, 1)?.is_empty();
        Ok((entries, is_more.then_some(next)))
    }

    fn line(&self, entry: &HistoryEntry) -> String {
        let header = &entry.header;
        let event = header.event.as_ref().map_or(String::new(), |e| format!("  {e}"));
        let states = match (&header.from, &header.to) {
            (Some(from), Some(to)) => format!("  {from} -> {to}"),
            (None, Some(to)) => format!("  -> {to}"),
            _ => String::new(),
        };
        let refusal = header.refusal.as_ref().map_or(String::new(), |code| format!("  {}", show::inert(code)));
        let by = principal(entry).map_or(String::new(), |p| format!("  by {p}"));
        let mut out = format!(
            "{:>3}  {}  {:<10}{event}{states}{refusal}{by}  ",
            entry.receipt.n.unwrap_or_default(),
            header.time,
            kind_text(header.kind)
        );
        out.push_str(&show::seal(&entry.receipt));
        out.push('\n');
        out.push_str(&told(entry));
        if self.parts {
            for (name, record) in &entry.parts {
                let _ = writeln!(out, "     {name}: {}", show::record(record));
            }
        }
        if !entry.erased.is_empty() {
            let _ = writeln!(out, "     erased: {}", entry.erased.join(", "));
        }
        out
    }
}

/// What an older log told: in the old world's words, and never judged.
fn told(entry: &HistoryEntry) -> String {
    let payload = entry.parts.iter().find(|(name, _)| name == "payload");
    let Some((_, row)) = payload.filter(|_| entry.header.kind == Kind::Legacy) else { return String::new() };
    let word = |name: &str| match row.get(name) {
        Some(Value::String(text) | Value::Ext(_, text)) => Some(show::inert(text)),
        _ => None,
    };
    let states = [word("from"), Some("->".into()), word("to")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let by = word("actor").map(|actor| format!("by {actor}"));
    let words = [word("at"), word("event"), Some(states), by].into_iter().flatten().collect::<Vec<_>>();
    format!("     told by the old world: {}\n", words.join("  "))
}

fn principal(entry: &HistoryEntry) -> Option<String> {
    let (_, record) = entry.parts.iter().find(|(name, _)| name == "principal")?;
    record.values().find_map(|v| if let Value::Entity(uid) = v { Some(uid.to_string()) } else { None })
}
