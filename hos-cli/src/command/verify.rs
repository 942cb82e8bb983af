//! `hos verify`: whether a store's evidence holds, or a bundle's.

use super::verify_file;
use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_engine::{Failure, Level, VerifyOptions, VerifyReport};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::PathBuf;

/// Verify all evidence of a store, or a bundle that somebody exported.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A bundle; without it the store is verified
    #[arg(value_name = "BUNDLE", requires = "trust")]
    file: Option<PathBuf>,
    /// Whom you trust (a C2SP tlog-policy file of your own): a bundle's keys are never taken from the bundle
    #[arg(long, value_name = "POLICY", requires = "file")]
    trust: Option<PathBuf>,
    /// A checkpoint of the bundle's log that you kept (a C2SP signed note)
    #[arg(long = "against", value_name = "NOTE", requires = "file")]
    against: Vec<PathBuf>,
    /// A checkpoint kept outside the store (a C2SP signed note)
    #[arg(long = "anchor", value_name = "FILE")]
    anchors: Vec<PathBuf>,
    /// Your own copy of the seal key (a C2SP vkey); without it the store is asked for its key
    #[arg(long = "key", value_name = "VKEY")]
    key: Option<String>,
}

impl Verify {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        if let (Some(file), Some(trust)) = (&self.file, &self.trust) {
            return verify_file::run(file, trust, &self.against, &global.language());
        }
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map_err(|e| usage(format!("`{}` cannot be read: {e}", show::inert(&path.to_string_lossy()))))
        };
        let anchors = self.anchors.iter().map(read).collect::<Result<_, _>>()?;
        let engine = global.engine()?;
        let progress = Progress::new("verifying", global.json);
        let tell = |done, all| progress.tell(done, all);
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
        let report = engine.verify(&VerifyOptions { anchors, vkey: self.key.clone(), progress: Some(&tell), threads })?;
        drop(progress);
        engine.close()?;
        Ok(done(&report))
    }
}

/// A report, said; a broken store is a finding.
pub(crate) fn done(report: &VerifyReport) -> Done {
    let exit = if report.level == Level::Broken { exit::FINDINGS } else { exit::OK };
    Done { exit, text: text(report), json: json(report) }
}

fn text(report: &VerifyReport) -> String {
    let mut out = format!("{}  {} records in {} logs\n", report.level.as_str(), report.records, report.logs.len());
    for (tenant, size, root) in &report.logs {
        let _ = writeln!(out, "  {tenant}: {size} entries, root {root}");
    }
    for (place, what) in &report.findings {
        let _ = writeln!(out, "finding  {}: {}", show::inert(place), show::inert(what));
    }
    if report.unsealed.0 > 0 {
        let _ = writeln!(out, "unsealed {} records, the oldest for {} ms", report.unsealed.0, report.unsealed.1);
    }
    if report.erased_parts > 0 {
        let _ = writeln!(out, "erased   {} parts", report.erased_parts);
    }
    for notice in &report.notices {
        let _ = writeln!(out, "note     {}", show::inert(notice));
    }
    out
}

fn json(report: &VerifyReport) -> Json {
    let logs = report.logs.iter().map(|(tenant, size, root)| json!({ "tenant": tenant, "size": size, "root": root }));
    let findings = report.findings.iter().map(|(place, what)| json!({ "where": place, "what": what }));
    json!({
        "level": report.level.as_str(),
        "records": report.records,
        "logs": logs.collect::<Vec<_>>(),
        "unsealed": { "records": report.unsealed.0, "oldest_ms": report.unsealed.1 },
        "erased_parts": report.erased_parts,
        "findings": findings.collect::<Vec<_>>(),
        "notices": report.notices,
    })
}
