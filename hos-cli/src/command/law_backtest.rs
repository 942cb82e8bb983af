//! `hos law backtest`: how much of the kept past another law would have decided otherwise.

use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_core::id::Tenant;
use hos_core::time::Timestamp;
use hos_engine::{BacktestReport, Counts, Failure, ReplayOptions, Span, Witness, load_law};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Judge the kept past again under another law: how many decisions would differ, and which.
///
/// Exit 3 where any would. With `--tenant` one tenant's past alone; HOS_TENANT is not looked at.
#[derive(Debug, Args)]
pub(super) struct Backtest {
    /// The other law's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// From this claimed time on
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this claimed time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// As Markdown, for a pull request
    #[arg(long)]
    markdown: bool,
}

fn time(text: Option<&String>) -> Result<Option<Timestamp>, Failure> {
    let parse = |text: &String| Timestamp::parse(text).map_err(|e| usage(e.to_string()));
    text.map(parse).transpose()
}

impl Backtest {
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let law = Arc::new(load_law(&self.dir)?);
        // What the environment names is where calls go; a past is narrowed only on purpose.
        let tenant = global.tenant.as_deref().map(Tenant::new).transpose()?;
        let (from, to) = (time(self.from.as_ref())?, time(self.to.as_ref())?);
        let engine = global.engine()?;
        let progress = Progress::new("judging again", global.json);
        let tell = |done, all| progress.tell(done, all);
        let options = ReplayOptions { tenant, from, to, progress: Some(&tell), ..ReplayOptions::default() };
        let report = engine.backtest(&law, &options)?;
        drop(progress);
        super::closed(engine);
        let exit = if report.differs() > 0 { exit::FINDINGS } else { exit::OK };
        let text = if self.markdown { markdown(&report, &law.name) } else { text(&report, &law.name) };
        Ok(Done { exit, text, json: json(&report) })
    }
}

fn words(counts: &Counts) -> String {
    counts.iter().map(|(change, count)| format!("{count} {}", change.as_str().replace('_', " "))).collect::<Vec<_>>().join(", ")
}

fn place(witness: &Witness) -> String {
    witness.seq.map_or_else(|| "unsealed".to_owned(), |seq| format!("seq {seq}"))
}

fn text(report: &BacktestReport, name: &str) -> String {
    let mut out =
        format!("{} of {} decisions would differ under {} {}\n", report.differs(), report.judged, show::inert(name), report.law);
    let _ = writeln!(out, "same     {}, of them {} by other policies", report.same, report.other_policies);
    let _ = writeln!(out, "unjudged {} erased, {} attested", report.erased, report.attested);
    for (change, count) in &report.changes {
        let _ = writeln!(out, "{:<13} {count}", change.as_str());
    }
    for (title, table) in tables(report) {
        for (key, counts) in table {
            let _ = writeln!(out, "{title:<8} {}: {}", show::inert(key), words(counts));
        }
    }
    for witness in &report.witnesses {
        let _ = writeln!(
            out,
            "witness  {} {}  {}  {} -> {}",
            witness.tenant,
            place(witness),
            show::inert(&witness.instance),
            show::inert(&witness.was),
            show::inert(&witness.now)
        );
    }
    for span in &report.spans {
        let _ = writeln!(out, "range    {}: {}", span.origin, range(span));
    }
    out
}

fn range(span: &Span) -> String {
    match span.seqs {
        Some((first, last)) => format!("entries {first} to {last}, root {} at size {}", span.root, span.size),
        None => "nothing".to_owned(),
    }
}

fn tables(report: &BacktestReport) -> [(&'static str, &BTreeMap<String, Counts>); 3] {
    [("policy", &report.by_policy), ("event", &report.by_event), ("tenant", &report.by_tenant)]
}

/// Text inside a cell: nothing in it ends the cell, or begins anything.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in show::inert(text).chars() {
        if matches!(c, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '&' | '@') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn markdown(report: &BacktestReport, name: &str) -> String {
    let mut out = format!("### {} of {} decisions would differ\n\n", report.differs(), report.judged);
    let _ = writeln!(
        out,
        "Law {} `{}`; {} would be the same ({} by other policies), {} erased, {} attested.\n",
        cell(name),
        report.law,
        report.same,
        report.other_policies,
        report.erased,
        report.attested
    );
    for (title, table) in tables(report).into_iter().filter(|(_, table)| !table.is_empty()) {
        let _ = writeln!(out, "| {title} | would differ |\n|---|---|");
        for (key, counts) in table {
            let _ = writeln!(out, "| {} | {} |", cell(key), words(counts));
        }
        out.push('\n');
    }
    if !report.witnesses.is_empty() {
        let _ = writeln!(out, "| witness | was | would be |\n|---|---|---|");
        for witness in &report.witnesses {
            let where_ = format!("{} {} {}", witness.tenant, place(witness), witness.instance);
            let _ = writeln!(out, "| {} | {} | {} |", cell(&where_), cell(&witness.was), cell(&witness.now));
        }
        out.push('\n');
    }
    for span in &report.spans {
        let _ = writeln!(out, "- `{}`: {}", span.origin, range(span));
    }
    out
}

fn counts_json(counts: &Counts) -> Json {
    Json::Object(counts.iter().map(|(change, count)| (change.as_str().to_owned(), json!(count))).collect())
}

fn json(report: &BacktestReport) -> Json {
    let table = |table: &BTreeMap<String, Counts>| {
        Json::Object(table.iter().map(|(key, counts)| (key.clone(), counts_json(counts))).collect::<Map<_, _>>())
    };
    let witnesses = report.witnesses.iter().map(|w| {
        json!({
            "change": w.change.as_str(),
            "tenant": w.tenant.as_str(),
            "seq": w.seq,
            "instance": w.instance,
            "event": w.event,
            "was": { "words": w.was, "policies": w.policies_before },
            "now": { "words": w.now, "policies": w.policies_after },
        })
    });
    let spans = report.spans.iter().map(|span| {
        json!({
            "origin": span.origin,
            "from_seq": span.seqs.map(|(first, _)| first),
            "to_seq": span.seqs.map(|(_, last)| last),
            "size": span.size,
            "root": span.root.to_string(),
            "checkpoint": span.checkpoint,
        })
    });
    json!({
        "law": report.law.to_string(),
        "judged": report.judged,
        "differs": report.differs(),
        "same": report.same,
        "other_policies": report.other_policies,
        "erased": report.erased,
        "attested": report.attested,
        "changes": counts_json(&report.changes),
        "by_policy": table(&report.by_policy),
        "by_event": table(&report.by_event),
        "by_tenant": table(&report.by_tenant),
        "witnesses": witnesses.collect::<Vec<_>>(),
        "ranges": spans.collect::<Vec<_>>(),
    })
}
