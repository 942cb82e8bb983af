//! The words of the command line, and what every command shares.

use crate::command;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

/// The law layer's command line.
#[derive(Debug, Parser)]
#[command(name = "hos", version, about = "H-OS: lawful, explainable, provable steps", propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 allowed or done, 1 refused, 2 usage, 3 findings, 4 store or I/O, 5 no law (`hos help exit-codes`)"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    /// The store's file [env: HOS_STORE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where and who")]
    pub(crate) store: Option<PathBuf>,
    /// The tenant [env: HOS_TENANT]
    #[arg(long, global = true, value_name = "TENANT", help_heading = "Where and who")]
    pub(crate) tenant: Option<String>,
    /// Who asks: `Account::ayse` in the law's namespace, or `Pazar::Account::"ayse"` [env: HOS_AS]
    #[arg(long = "as", id = "as", global = true, value_name = "ENTITY", help_heading = "Where and who")]
    pub(crate) principal: Option<String>,
    /// The law's directory; where a store is opened it must be the active law
    #[arg(long = "law", id = "law_dir", global = true, value_name = "DIR", help_heading = "Where and who")]
    pub(crate) law_dir: Option<PathBuf>,
    /// The seal key's file [default: the store's name with `.key`]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where and who")]
    pub(crate) key_file: Option<PathBuf>,
    /// The time to claim instead of the machine's, for replays (`2026-11-22T12:00:00Z`)
    #[arg(long, global = true, value_name = "RFC3339", help_heading = "Where and who")]
    pub(crate) time: Option<String>,
    /// Accept the clock as it is, though it jumped
    #[arg(long, global = true, help_heading = "Where and who")]
    pub(crate) clock_confirmed: bool,
    /// One JSON object on standard output
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// The language of messages, `en` or `tr` [default: from LANG]
    #[arg(long, global = true, value_name = "LANG", help_heading = "Output")]
    pub(crate) lang: Option<String>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Found a store: its first account, its key, its law
    Init(command::init::Init),
    /// Check a law's directory
    Check(command::check::Check),
    /// May this principal do this to that?
    Can(command::can::Can),
    /// Bring an instance into being
    Begin(command::begin::Begin),
    /// Have an event, or an override, happen to an instance
    Transition(command::transition::Transition),
    /// Bring an existing row in as an instance, in the state it is in
    Adopt(command::adopt::Adopt),
    /// Show an instance's records
    History(command::history::History),
    /// Say what can be done with an instance now, and why not the rest
    Available(command::available::Available),
    /// Write a free record into a stream
    Record(command::record::Record),
    /// Serve one call given as JSON, as a binding would
    Call(command::call::Call),
    /// Verify all evidence of a store
    Verify(command::verify::Verify),
    /// Seal keys
    Keys(command::keys::Keys),
    /// The active law
    Law(command::law::Law),
    /// Tenants
    Tenant(command::tenant::Tenant),
    /// Accounts, roles, memberships and grants
    Directory(command::directory::Directory),
    /// Draw a contract
    Diagram(command::diagram::Diagram),
    /// Fire due deadlines of one tenant
    Tick(command::tick::Tick),
    /// Seal, sign, fire deadlines, forget old once-keys, for all tenants
    Work(command::work::Work),
    /// Messages that wait for the world
    Outbox(command::outbox::Outbox),
    /// Copy the store while it is in use, and verify the copy
    Backup(command::backup::Backup),
    /// Erase a person
    Erase(command::erase::Erase),
    /// Print completions for a shell
    Completions(command::completions::Completions),
    /// What the exit codes mean
    #[command(long_about = crate::exit::TABLE)]
    ExitCodes,
}

impl Command {
    /// The law's directory that the command itself names.
    pub(crate) fn law_dir(&self) -> Option<&Path> {
        match self {
            Command::Law(law) => law.dir(),
            Command::Diagram(diagram) => Some(diagram.dir()),
            _ => None,
        }
    }
}

impl Global {
    /// The language of messages: what was asked for, or the environment's, or English.
    pub(crate) fn language(&self) -> String {
        let from_environment = || {
            let said =
                ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
            said.map(|v| v.split(['_', '.', '@', '-']).next().unwrap_or_default().to_ascii_lowercase())
        };
        match self.lang.clone().or_else(from_environment) {
            Some(language) if language != "c" && language != "posix" => language,
            _ => "en".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_words_are_consistent() {
        Cli::command().debug_assert();
    }

    // An argument of a command that shared its id with an option of all would silently be taken for it: a `--principal` for
    // the `--as` of who asks, say.
    #[test]
    fn no_word_of_a_command_is_taken_for_an_option_of_all() {
        fn walk(command: &clap::Command, shared: &[clap::Id]) {
            for sub in command.get_subcommands() {
                let own = sub.get_arguments().filter(|a| !a.is_global_set());
                own.for_each(|a| assert!(!shared.contains(a.get_id()), "{} {}", sub.get_name(), a.get_id()));
                let global = sub.get_arguments().filter(|a| a.is_global_set()).map(|a| a.get_id().clone());
                walk(sub, &shared.iter().cloned().chain(global).collect::<Vec<_>>());
            }
        }
        let command = Cli::command();
        let shared: Vec<clap::Id> = command.get_arguments().filter(|a| a.is_global_set()).map(|a| a.get_id().clone()).collect();
        assert!(shared.len() >= 9, "{shared:?}");
        walk(&command, &shared);
    }
}
