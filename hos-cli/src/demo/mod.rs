//! Five minutes with H-OS: a shop's log, a shop's database, and the law in its transactions. Everything runs in a folder of its own, by
//! this very program; what is shown is what it said.

mod log;
mod shop;
mod steps;

use crate::out::Done;
use crate::usage::usage;
use hos_engine::Failure;
use serde_json::json;
use shop::Shop;
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

/// One thing that is shown: why, what is done, and how it must end.
pub(crate) struct Step {
    pub(crate) english: &'static str,
    pub(crate) turkish: &'static str,
    pub(crate) acts: &'static [Act],
}

/// What is done.
pub(crate) enum Act {
    /// The program, with these words, and the exit code that is due.
    Hos(&'static [&'static str], i32),
    /// A statement on the shop's own database, as somebody with its password would; whether it must succeed.
    Sql(&'static str, bool),
    /// The triggers that the program prints, run on the shop's database.
    Guard(&'static [&'static str]),
    /// A byte of a file is turned over.
    Flip(&'static str),
    /// The lines of a file that have a word.
    Line(&'static str, &'static str),
    /// A word of the law is another.
    Change { file: &'static str, from: &'static str, to: &'static str },
}

/// Runs it in a directory that is empty or not there; a pause after each step where a person watches.
pub(crate) fn run(place: &Path, language: &str, pause: bool, json: bool) -> Result<Done, Failure> {
    if place.read_dir().is_ok_and(|mut files| files.next().is_some()) {
        return Err(usage(format!("{}: not empty; the demonstration wants a folder of its own", place.display())));
    }
    let shop = Shop::open(place, language)?;
    let watched = pause && !json && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut told = Vec::new();
    for (number, step) in (1..).zip(steps::ALL) {
        let words = if language == "tr" { step.turkish } else { step.english };
        let mut text = format!("\n{number}. {words}\n\n");
        let mut acts = Vec::new();
        for act in step.acts {
            let (line, said) = shop.run(act)?;
            let _ = writeln!(text, "   $ {line}");
            said.lines().for_each(|line| {
                let _ = writeln!(text, "     {line}");
            });
            acts.push(json!({ "did": line, "said": said }));
        }
        if !json {
            show(&text)?;
        }
        told.push(json!({ "step": number, "words": words, "acts": acts }));
        if watched && number < steps::ALL.len() {
            wait(language)?;
        }
    }
    let last = match language {
        "tr" => format!("Hepsi {} klasöründe duruyor.\n", place.display()),
        _ => format!("All of it lies in {}.\n", place.display()),
    };
    Ok(Done::ok(last, json!({ "folder": place.display().to_string(), "steps": told })))
}

fn show(text: &str) -> Result<(), Failure> {
    // Who closes the pipe has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(())
}

fn wait(language: &str) -> Result<(), Failure> {
    show(if language == "tr" { "\n   [Enter: devam]" } else { "\n   [Enter: go on]" })?;
    let _ = std::io::stdout().lock().flush();
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    Ok(())
}
