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

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Five minutes that show what this is
    Demo(demo::Demo),
    /// Found a store: its first account, its key, its law
    Init(init::Init),
    /// Check a law's directory
    Check(check::Check),
    /// May this principal do this to that?
    Can(can::Can),
    /// Bring an instance into being
    Begin(begin::Begin),
    /// Have an event, or an override, happen to an instance
    Transition(transition::Transition),
    /// Bring an existing row in as an instance, in the state it is in
    Adopt(adopt::Adopt),
    /// Show an instance's records
    History(history::History),
    /// Say what can be done with an instance now, and why not the rest
    Available(available::Available),
    /// Write a free record into a stream
    Record(record::Record),
    /// Serve one call given as JSON, as a binding would
    Call(call::Call),
    /// Verify all evidence of a store, or a bundle that somebody exported
    Verify(verify::Verify),
    /// Export one instance's story as a bundle that anybody can verify
    Export(export::Export),
    /// Print the newest checkpoint of a tenant's log, to be kept outside
    Checkpoint(checkpoint::Checkpoint),
    /// Seal keys
    Keys(keys::Keys),
    /// Go on after the end of a log was lost
    Epoch(epoch::Epoch),
    /// Write the mark outside the store anew
    Mark(mark::Mark),
    /// Have witnesses cosign the newest checkpoints
    Witness(witness::Witness),
    /// Sign checkpoints for programs that never get the key
    Signer(signer::Signer),
    /// The active law
    Law(law::Law),
    /// Tenants
    Tenant(tenant::Tenant),
    /// Accounts, roles, memberships and grants
    Directory(directory::Directory),
    /// Print the tables of a store in a database, and the rights of an application's user
    Schema(schema::Schema),
    /// Compare the world's rows with the law's, and name each that bypassed it
    Drift(drift::Drift),
    /// Print triggers by which the world's database refuses what the law does not hold
    Guard(guard::Guard),
    Told(told::Told),
    /// What shadow showed: where the law and the world differed
    Shadow(shadow::Shadow),
    /// Draw a contract, or the path of an instance
    Diagram(diagram::Diagram),
    /// Propose a contract from a history
    Infer(infer::Infer),
    /// Fire due deadlines of one tenant
    Tick(tick::Tick),
    /// Seal, sign, fire deadlines, forget old once-keys, for all tenants
    Work(work::Work),
    /// Messages that wait for the world
    Outbox(outbox::Outbox),
    /// Copy the store while it is in use, and verify the copy
    Backup(backup::Backup),
    /// Erase a person
    Erase(erase::Erase),
    /// Hold a person's data against erasure
    Hold(hold::Hold),
    /// Take a hold back
    Release(hold::Hold),
    /// Print completions for a shell
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

/// Closes an engine behind what was committed. A checkpoint that it still held and could not store takes nothing of that back,
/// and is signed again by whoever opens the store next: it is told beside the answer, and never in its place.
pub(crate) fn closed(engine: Engine) {
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
