//! The words of the command line.

use crate::command::Command;
use crate::global::Global;
use clap::Parser;

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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_words_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn walk(command: &clap::Command) {
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{}", sub.get_name());
                walk(sub);
            }
        }
        walk(&Cli::command());
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
