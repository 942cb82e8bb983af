//! One noun, one file: each takes the options, makes a call, and says what came of it.

pub(crate) mod adopt;
pub(crate) mod available;
pub(crate) mod backup;
pub(crate) mod begin;
pub(crate) mod call;
pub(crate) mod can;
pub(crate) mod check;
pub(crate) mod checkpoint;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod diagram;
pub(crate) mod directory;
pub(crate) mod drift;
pub(crate) mod epoch;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod guard;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod infer;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod law;
mod law_backtest;
mod law_diff;
mod law_types;
pub(crate) mod mark;
pub(crate) mod outbox;
pub(crate) mod record;
pub(crate) mod schema;
pub(crate) mod shadow;
pub(crate) mod signer;
pub(crate) mod tenant;
pub(crate) mod tick;
pub(crate) mod told;
pub(crate) mod transition;
pub(crate) mod verify;
mod verify_file;
mod verify_fork;
pub(crate) mod witness;
pub(crate) mod work;

use crate::exit;
use crate::global::Global;
use crate::out::{Done, to_stderr};
use crate::show;
use clap::Subcommand;
use hos_core::answer::Answer;
use hos_core::law::Law;
use hos_engine::{Engine, Failure};
use hos_wire::answer::answer_json;
use serde_json::json;
use std::path::Path;

/// What can be done. A command's help is what its own options say of themselves; a word here would stand in place of it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Init(init::Init),
    Check(check::Check),
    Can(can::Can),
    Begin(begin::Begin),
    Transition(transition::Transition),
    Adopt(adopt::Adopt),
    History(history::History),
    Available(available::Available),
    Record(record::Record),
    Call(call::Call),
    Verify(verify::Verify),
    Export(export::Export),
    Checkpoint(checkpoint::Checkpoint),
    Keys(keys::Keys),
    Epoch(epoch::Epoch),
    Mark(mark::Mark),
    Witness(witness::Witness),
    Signer(signer::Signer),
    Law(law::Law),
    Tenant(tenant::Tenant),
    Directory(directory::Directory),
    Schema(schema::Schema),
    Drift(drift::Drift),
    Guard(guard::Guard),
    Told(told::Told),
    Shadow(shadow::Shadow),
    Diagram(diagram::Diagram),
    Infer(infer::Infer),
    Tick(tick::Tick),
    Work(work::Work),
    Outbox(outbox::Outbox),
    Backup(backup::Backup),
    Erase(erase::Erase),
    /// Hold a person's data against erasure
    Hold(hold::Hold),
    /// Take a hold back
    Release(hold::Hold),
    Completions(completions::Completions),
    /// What the exit codes mean
    #[command(long_about = crate::exit::TABLE)]
    ExitCodes,
}

impl Command {
    /// The law's directory that the command itself names.
    pub(crate) fn law_dir(&self) -> Option<&Path> {
        match self {
            Command::Law(law) => law.dir(),
            Command::Diagram(diagram) => diagram.dir(),
            _ => None,
        }
    }
}

/// Runs a command. `words` makes the whole command line, for completions.
pub(crate) fn run(global: &Global, command: Command, words: fn() -> clap::Command) -> Result<Done, Failure> {
    match command {
        Command::Demo(c) => c.run(global),
        Command::Init(c) => c.run(global),
        Command::Check(c) => c.run(global),
        Command::Can(c) => c.run(global),
        Command::Begin(c) => c.run(global),
        Command::Transition(c) => c.run(global),
        Command::Adopt(c) => c.run(global),
        Command::History(c) => c.run(global),
        Command::Available(c) => c.run(global),
        Command::Record(c) => c.run(global),
        Command::Call(c) => c.run(global),
        Command::Verify(c) => c.run(global),
        Command::Export(c) => c.run(global),
        Command::Checkpoint(c) => c.run(global),
        Command::Keys(c) => c.run(global),
        Command::Epoch(c) => c.run(global),
        Command::Mark(c) => c.run(global),
        Command::Witness(c) => c.run(global),
        Command::Signer(c) => c.run(global),
        Command::Law(c) => c.run(global),
        Command::Tenant(c) => c.run(global),
        Command::Directory(c) => c.run(global),
        Command::Schema(c) => c.run(),
        Command::Drift(c) => c.run(global),
        Command::Guard(c) => c.run(),
        Command::Told(c) => c.run(global),
        Command::Shadow(c) => c.run(global),
        Command::Diagram(c) => c.run(global),
        Command::Infer(c) => c.run(global),
        Command::Tick(c) => c.run(global),
        Command::Work(c) => c.run(global),
        Command::Outbox(c) => c.run(global),
        Command::Backup(c) => c.run(global),
        Command::Erase(c) => c.run(global),
        Command::Hold(c) => c.run(true, global),
        Command::Release(c) => c.run(false, global),
        Command::Completions(c) => Ok(c.run(&mut words())),
        Command::ExitCodes => Ok(Done::ok(exit::TABLE, exit_codes())),
    }
}

fn exit_codes() -> serde_json::Value {
    json!({ "exit_codes": {
        "ok": exit::OK,
        "refused": exit::REFUSED,
        "usage": exit::USAGE,
        "findings": exit::FINDINGS,
        "store": exit::STORE,
        "law": exit::LAW,
    } })
}

/// Closes an engine behind what was committed, and tells of a mark that could not follow: a store that is put back to where the mark still
/// is would pass for the one that was answered for.
pub(crate) fn closed(engine: Engine) {
    let marks = engine.clone();
    stored(engine);
    if let Some(failure) = marks.mark_trouble() {
        let why = show::inert(&failure.message);
        to_stderr(&format!("notice {}: what was answered is stored, and the mark lags behind it: {why}\n", failure.code));
    }
}

/// The same for who tells of the mark in its own report. A checkpoint that it still held and could not store takes nothing of that back,
/// and is signed again by whoever opens the store next: it is told beside the answer, and never in its place.
fn stored(engine: Engine) {
    if let Err(failure) = engine.close() {
        let why = show::inert(&failure.message);
        to_stderr(&format!("notice {}: what was answered is stored, its newest checkpoint is not: {why}\n", failure.code));
    }
}

/// An answer, said; the engine is closed, so that what it still holds in memory is stored.
fn answered(engine: Engine, answer: &Answer, subject: &str, event: &str, global: &Global) -> Result<Done, Failure> {
    let law = engine.law()?;
    closed(engine);
    Ok(said(answer, subject, event, &law, global))
}

fn said(answer: &Answer, subject: &str, event: &str, law: &Law, global: &Global) -> Done {
    let language = global.language();
    Done {
        exit: if answer.allowed { exit::OK } else { exit::REFUSED },
        text: show::answer(answer, subject, event, law, &language),
        json: answer_json(answer, Some((law, &language))),
    }
}
