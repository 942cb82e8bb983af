//! `hos completions`: what a shell needs to complete our words.

use crate::out::Done;
use clap::Args;
use clap_complete::Shell;
use serde_json::json;

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, words: &mut clap::Command) -> Done {
        // Into memory first: the generator would panic on a closed pipe.
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, words, "hos", &mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = json!({ "shell": self.shell.to_string(), "script": text });
        Done::ok(text, json)
    }
}
