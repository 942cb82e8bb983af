//! `hos`: the command line of H-OS. Words in, a call, words out; no rule is decided here.

mod cli;
mod command;
mod context;
mod demo;
mod entity;
mod exit;
mod global;
mod infer;
mod input;
mod model;
mod options;
mod out;
mod place;
mod progress;
mod show;
mod story;
mod turkish;
mod typed;
mod types;
mod usage;
mod witnesses;
mod world;

use clap::{CommandFactory, Parser};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return out::usage(&error),
    };
    let language = cli.global.language();
    let law_dir = cli.command.law_dir().or(cli.global.law_dir.as_deref()).map(std::path::Path::to_path_buf);
    match command::run(&cli.global, cli.command, cli::Cli::command) {
        Ok(done) => out::done(&done, cli.global.json),
        Err(failure) => out::failed(&failure, cli.global.json, &language, law_dir.as_deref()),
    }
}
