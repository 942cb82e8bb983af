//! The way out: one write to standard output, and a closed pipe is no failure.

use crate::exit;
use crate::place;
use crate::show;
use hos_core::fault::{Fault, SourceFile};
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::answer::failure_json;
use serde_json::Value as Json;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit code.
    pub(crate) exit: u8,
    /// For a person; a line feed is added where it lacks one.
    pub(crate) text: String,
    /// For a program: an object.
    pub(crate) json: Json,
}

impl Done {
    /// Done, without a refusal.
    pub(crate) fn ok(text: impl Into<String>, json: Json) -> Self {
        Self { exit: exit::OK, text: text.into(), json }
    }
}

/// Writes what a command came to.
pub(crate) fn done(done: &Done, json: bool) -> ExitCode {
    let mut text = if json { show::inert_json(&done.json.to_string()) } else { done.text.clone() };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    ExitCode::from(to_stdout(text.as_bytes()).unwrap_or(done.exit))
}

/// Writes a failure: for a program to standard output, for a person to standard error, with the lines of the law's files
/// that are at fault.
pub(crate) fn failed(failure: &Failure, json: bool, language: &str, law_dir: Option<&Path>) -> ExitCode {
    let exit = exit::of(failure.code);
    if json {
        return ExitCode::from(
            to_stdout(format!("{}\n", show::inert_json(&failure_json(failure).to_string())).as_bytes()).unwrap_or(exit),
        );
    }
    let mut text = String::new();
    if !failure.faults.is_empty() {
        text.push_str(&hos_core::law::render(&failure.faults, &sources(law_dir, &failure.faults)));
    }
    let turkish = language == "tr";
    let word = if turkish { "hata " } else { "error" };
    let said = if failure.message.is_empty() { String::new() } else { format!(": {}", show::inert(&failure.message)) };
    text.push_str(&format!("{word}  {}{said}\n", failure.code));
    // A law that could not even be read has no faults to be told, and `hos check` would say no more.
    let says_all = failure.code == Code::CallMalformed || failure.code == Code::LawInvalid && failure.faults.is_empty();
    // The message itself is in English, so in Turkish its meaning is always told.
    if turkish {
        text.push_str(&format!("       {}\n", failure.code.meaning_in("tr")));
    } else if !says_all {
        text.push_str(&format!("       {}\n", failure.code.meaning()));
    }
    to_stderr(&text);
    ExitCode::from(exit)
}

/// Writes clap's own words: help and version to standard output, complaints to standard error.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let asked = !error.use_stderr();
    let said = error.render();
    // Somebody may have put a store's URL where none belongs.
    let typed = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let hidden = match typed.into_iter().find(|word| show::inert(word) != *word) {
        // What was typed stands among clap's words, where nothing tells it from them any more.
        Some(word) if !asked => format!(
            "error: nothing that is asked for has the form `{}`\n\nFor more information, try '--help'.\n",
            place::without_passwords(&show::inert(&word))
        ),
        _ => place::without_passwords(&said.to_string()),
    };
    let is_json = std::env::args_os().any(|arg| arg == "--json");
    if asked && is_json {
        let word = if error.kind() == clap::error::ErrorKind::DisplayVersion { "version" } else { "help" };
        let json = serde_json::json!({ word: hidden.trim_end() });
        let text = format!("{}\n", show::inert_json(&json.to_string()));
        return ExitCode::from(to_stdout(text.as_bytes()).unwrap_or(exit::OK));
    }
    let printed = if hidden == said.to_string() {
        error.print().and_then(|()| io::stdout().flush())
    } else {
        to_stderr(&hidden);
        Ok(())
    };
    if asked {
        return ExitCode::from(unwritten(printed).unwrap_or(exit::OK));
    }
    if is_json {
        // What is missing stands in lines of its own, below the first and before an empty one.
        let first = hidden.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
        let json = failure_json(&Failure::new(Code::CallMalformed, show::inert(first.trim_start_matches("error: "))));
        let _ = to_stdout(format!("{json}\n").as_bytes());
    }
    ExitCode::from(exit::USAGE)
}

/// Tells a person something beside the result.
pub(crate) fn to_stderr(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn to_stdout(bytes: &[u8]) -> Option<u8> {
    let mut out = io::stdout().lock();
    unwritten(out.write_all(bytes).and_then(|()| out.flush()))
}

// `Some(code)` when the output could not be written, and not because its reader left.
fn unwritten(written: io::Result<()>) -> Option<u8> {
    match written {
        Ok(()) => None,
        Err(e) if e.kind() == ErrorKind::BrokenPipe => None,
        Err(e) => {
            to_stderr(&format!("error  the output could not be written: {e}\n"));
            Some(exit::STORE)
        }
    }
}

/// The files that faults speak of, read again for their lines.
pub(crate) fn sources(law_dir: Option<&Path>, faults: &[Fault]) -> Vec<SourceFile> {
    let Some(dir) = law_dir else { return Vec::new() };
    let mut paths: Vec<&str> = faults.iter().map(|f| f.file.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    let inside = |path: &&str| !path.is_empty() && path.split('/').all(|piece| !matches!(piece, "" | "." | ".."));
    let read = |path: &str| Some(SourceFile { path: path.to_owned(), text: std::fs::read_to_string(dir.join(path)).ok()? });
    paths.into_iter().filter(inside).filter_map(read).collect()
}
