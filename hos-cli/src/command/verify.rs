//! `hos verify`: whether a store's evidence holds, or a bundle's.

use super::export::write_new;
use super::verify_file;
use crate::exit;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use crate::witnesses;
use clap::{ArgGroup, Args};
use hos_core::limits::NOTE_BYTES_MAX;
use hos_core::refusal::Code;
use hos_engine::{Failure, Level, ReplayReport, VerifyOptions, VerifyReport};
use hos_wire::answer::failure_json;
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::PathBuf;

/// Verify all evidence of a store, or what somebody exported of one.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("kept").multiple(true).args(["against", "since"]))]
pub(crate) struct Verify {
    /// A bundle, a log as a directory of tiles, a record's proof (C2SP tlog-proof), or a report of a fork; without it the store is verified
    #[arg(value_name = "BUNDLE", requires = "trust")]
    file: Option<PathBuf>,
    /// Whom you trust (a C2SP tlog-policy file of your own): a bundle's keys are never taken from the bundle, and of a store's kept
    /// checkpoints those count as cosigned that a witness of yours signed
    #[arg(long, value_name = "POLICY")]
    trust: Option<PathBuf>,
    /// A checkpoint of the log that you kept outside (a C2SP signed note)
    #[arg(long = "against", alias = "anchor", value_name = "NOTE")]
    against: Vec<PathBuf>,
    /// A checkpoint that you kept when you last verified: its log is read from there on, and so are the threads that went on
    /// since; the report says what was not read again
    #[arg(long, value_name = "NOTE", conflicts_with_all = ["file", "replay"])]
    since: Vec<PathBuf>,
    /// Where a checkpoint that you kept and the store's own prove that the log signed two histories, write the proof here
    #[arg(long, value_name = "FILE", requires = "kept", conflicts_with = "file")]
    fork_report: Option<PathBuf>,
    /// Your own copy of the seal key (a C2SP vkey); without it the store is asked for its key. What is in a file must bear its
    /// signature, beside being what the trust file believes
    #[arg(long = "key", value_name = "VKEY")]
    key: Option<String>,
    /// Judge every record again: the level is `replayed` where each gives the same answer
    #[arg(long)]
    replay: bool,
    /// About how much of what grows with the store is kept in memory; the rest lies in temporary files (in TMPDIR) meanwhile
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_048_576), conflicts_with = "file")]
    memory: u32,
}

impl Verify {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        if let (Some(file), Some(trust)) = (&self.file, &self.trust) {
            let key = self.key.as_deref();
            return verify_file::run(file, trust, &self.against, key, self.replay, global);
        }
        let turkish = global.language() == "tr";
        found(self.store(global, turkish), if turkish { "bozuk  " } else { "broken  " })
    }

    fn store(&self, global: &Global, turkish: bool) -> Result<Done, Failure> {
        let unreadable = if turkish { "okunamıyor" } else { "cannot be read" };
        let read = |path: &PathBuf| input::text(path, NOTE_BYTES_MAX, unreadable);
        let anchors: Vec<String> = self.against.iter().map(read).collect::<Result<_, _>>()?;
        let since: Vec<String> = self.since.iter().map(read).collect::<Result<_, _>>()?;
        let trust = self.trust.as_deref().map(witnesses::policy).transpose()?;
        let engine = global.reading()?;
        let progress = Progress::new("verifying", global.json);
        let tell = |done, all| progress.tell(done, all);
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
        let options = VerifyOptions {
            anchors: anchors.clone(),
            since: since.clone(),
            vkey: self.key.clone(),
            trust: trust.as_ref(),
            progress: Some(&tell),
            threads,
            memory: Some((self.memory as usize) << 20),
        };
        if self.replay {
            let (report, replay) = engine.verify_replayed(&options, Some(&tell))?;
            drop(progress);
            super::closed(engine);
            return Ok(replayed(&report, &replay, turkish));
        }
        let report = engine.verify(&options)?;
        drop(progress);
        let mut done = done(&report, turkish);
        for anchor in anchors.iter().chain(&since).filter(|_| report.level == Level::Broken) {
            // What is no checkpoint of a log of this store is a finding already.
            let Ok(Some(fork)) = engine.fork(anchor) else { continue };
            done.text.push_str(if turkish {
                "çatallı  günlük iki geçmiş imzalamış\n"
            } else {
                "forked   the log signed two histories\n"
            });
            done.json["forked"] = json!(true);
            if let Some(path) = &self.fork_report {
                write_new(path, &fork.encode())?;
            }
            break;
        }
        super::closed(engine);
        Ok(done)
    }
}

/// What came of a store. One that cannot even be opened or read through, because its evidence is broken, is a finding as well, said
/// behind this word.
pub(crate) fn found(came: Result<Done, Failure>, word: &str) -> Result<Done, Failure> {
    match came {
        Err(failure) if failure.code == Code::StoreIntegrity => {
            let mut told = failure_json(&failure);
            told["level"] = json!(Level::Broken.as_str());
            Ok(Done { exit: exit::FINDINGS, text: format!("{word}{}\n", show::inert(&failure.message)), json: told })
        }
        came => came,
    }
}

/// A report, said; a broken store is a finding.
pub(crate) fn done(report: &VerifyReport, turkish: bool) -> Done {
    let exit = if report.level == Level::Broken { exit::FINDINGS } else { exit::OK };
    Done { exit, text: text(report, turkish), json: json(report) }
}

/// A report with what judging again came to; a record that differs is a finding.
fn replayed(report: &VerifyReport, replay: &ReplayReport, turkish: bool) -> Done {
    let mut done = done(report, turkish);
    if report.level == Level::Broken {
        done.text.push_str(if turkish {
            "yeniden  yargılanmadı: delilin kendisi bozuk\n"
        } else {
            "replay   not judged again: the evidence itself is broken\n"
        });
        return done;
    }
    if replay.differs > 0 {
        done.exit = exit::FINDINGS;
    }
    let (same, other, erased, attested) = (replay.replayed, replay.differs, replay.erased, replay.attested);
    let _ = if turkish {
        writeln!(done.text, "yeniden  {same} aynı, {other} başka, {erased} silinmiş, {attested} beyan")
    } else {
        writeln!(done.text, "replay   {same} the same, {other} other, {erased} erased, {attested} attested")
    };
    let word = if turkish { "başka  " } else { "differs" };
    for one in &replay.listed {
        let seq = one.seq.map_or_else(|| "unsealed".to_owned(), |seq| format!("seq {seq}"));
        let (was, now) = (show::inert(&one.was), show::inert(&one.now));
        let _ = writeln!(
            done.text,
            "{word}  {} {seq}  {}  thread {} n {}  {}: {was} -> {now}",
            one.tenant,
            show::inert(&one.event),
            one.thread,
            one.n,
            one.what
        );
    }
    let listed = replay.listed.iter().map(|one| {
        json!({
            "tenant": one.tenant.as_str(),
            "seq": one.seq,
            "thread": one.thread.to_string(),
            "n": one.n,
            "event": one.event,
            "what": one.what,
            "was": one.was,
            "now": one.now,
        })
    });
    done.json["replay"] = json!({
        "replayed": replay.replayed,
        "differs": replay.differs,
        "erased": replay.erased,
        "attested": replay.attested,
        "evidence": replay.evidence.map(Level::as_str),
        "first": listed.clone().next(),
        "listed": listed.collect::<Vec<_>>(),
    });
    done
}

fn text(report: &VerifyReport, turkish: bool) -> String {
    let (records, logs) = (report.records, report.logs.len());
    let mut out = match (turkish, report.level) {
        (false, level) => format!("{}  {records} records in {logs} logs\n", level.as_str()),
        (true, Level::Broken) => format!("bozuk  {logs} günlükte {records} kayıt\n"),
        (true, Level::Intact) => format!("bozulmamış  {logs} günlükte {records} kayıt\n"),
        (true, Level::Anchored) => format!("dayanaklı  {logs} günlükte {records} kayıt\n"),
        (true, Level::Replayed) => format!("yeniden yargılanmış  {logs} günlükte {records} kayıt\n"),
    };
    let (entries, root) = if turkish { ("girdi", "kök") } else { ("entries", "root") };
    for (tenant, size, hash) in &report.logs {
        let _ = writeln!(out, "  {tenant}: {size} {entries}, {root} {hash}");
    }
    let (since, entry) = if turkish { ("şuradan ", "girdi") } else { ("since   ", "entry") };
    for (tenant, from) in &report.since {
        let _ = writeln!(out, "{since} {tenant}: {entry} {from}");
    }
    let (cosigned, at, by) = if turkish { ("eşimzalı", "boyu", "imzalayan") } else { ("cosigned", "at", "by") };
    for one in &report.cosigned {
        let _ = writeln!(out, "{cosigned} {} {at} {} {by} {}", one.tenant, one.size, show::inert(&one.witnesses.join(", ")));
    }
    // What a finding says is for whoever mends the store, and is in English; that there is one is said in both.
    let word = if turkish { "bulgu  " } else { "finding" };
    for (place, what) in &report.findings {
        let _ = writeln!(out, "{word}  {}: {}", show::inert(place), show::inert(what));
    }
    if report.unsealed.0 > 0 {
        let (count, oldest) = report.unsealed;
        let _ = match turkish {
            true => writeln!(out, "mühürsüz {count} kayıt, en eskisi {oldest} ms’dir"),
            false => writeln!(out, "unsealed {count} records, the oldest for {oldest} ms"),
        };
    }
    if report.erased_parts > 0 {
        let (word, parts) = if turkish { ("silinmiş", "parça") } else { ("erased  ", "parts") };
        let _ = writeln!(out, "{word} {} {parts}", report.erased_parts);
    }
    let word = if turkish { "not " } else { "note" };
    for notice in &report.notices {
        let _ = writeln!(out, "{word}     {}", show::inert(notice));
    }
    out
}

fn json(report: &VerifyReport) -> Json {
    let logs = report.logs.iter().map(|(tenant, size, root)| json!({ "tenant": tenant, "size": size, "root": root }));
    let since = report.since.iter().map(|(tenant, from)| json!({ "tenant": tenant, "entry": from }));
    let findings = report.findings.iter().map(|(place, what)| json!({ "where": place, "what": what }));
    let cosigned =
        report.cosigned.iter().map(|one| json!({ "tenant": one.tenant, "size": one.size, "witnesses": one.witnesses }));
    let anchored = report.anchored.iter().map(|(tenant, size)| json!({ "tenant": tenant, "size": size }));
    json!({
        "level": report.level.as_str(),
        "records": report.records,
        "logs": logs.collect::<Vec<_>>(),
        "since": since.collect::<Vec<_>>(),
        "anchored": anchored.collect::<Vec<_>>(),
        "unsealed": { "records": report.unsealed.0, "oldest_ms": report.unsealed.1 },
        "erased_parts": report.erased_parts,
        "cosigned": cosigned.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "notices": report.notices,
    })
}
