//! What every command shares: where, who, and how it is said.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    /// The store: a file of its own, or a database's URL: `postgres://…`, `mysql://…` (no TLS: see SECURITY.md), `sqlite:///…`
    /// [env: HOS_STORE]
    #[arg(long, global = true, value_name = "STORE", help_heading = "Where and who")]
    pub(crate) store: Option<OsString>,
    /// A file whose one line names the store, for a URL with a password: a list of processes shows what stands in `--store`
    /// [env: HOS_STORE_FILE]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "store", help_heading = "Where and who")]
    pub(crate) store_file: Option<PathBuf>,
    /// The tenant [env: HOS_TENANT, but for `hos witness` and `hos law backtest`]
    #[arg(long, global = true, value_name = "TENANT", help_heading = "Where and who")]
    pub(crate) tenant: Option<String>,
    /// Who asks: `Account::ayse` in the law's namespace, or `Pazar::Account::"ayse"` [env: HOS_AS]
    #[arg(long = "as", id = "as", global = true, value_name = "ENTITY", help_heading = "Where and who")]
    pub(crate) principal: Option<String>,
    /// The law's directory; where a store is opened it must be the active law
    #[arg(long = "law", id = "law_dir", global = true, value_name = "DIR", help_heading = "Where and who")]
    pub(crate) law_dir: Option<PathBuf>,
    /// The seal key's file [default: the store's name with `.key`; of a database none: then others sign, `hos work` for one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where and who")]
    pub(crate) key_file: Option<PathBuf>,
    /// An agent's Unix socket signs instead of a key file (`hos signer`) [env: HOS_SIGNER_SOCKET, but for `hos signer` itself]
    #[arg(long, global = true, value_name = "PATH", conflicts_with_all = ["key_file", "signer_command"], help_heading = "Where and who")]
    pub(crate) signer_socket: Option<PathBuf>,
    /// A program signs instead of a key file; words are separated by spaces
    /// [env: HOS_SIGNER_COMMAND, but for `hos signer`]
    #[arg(long, global = true, value_name = "WORDS", conflicts_with = "key_file", help_heading = "Where and who")]
    pub(crate) signer_command: Option<String>,
    /// A file outside the store that keeps the newest checkpoint of each log; a store that is behind it is only read
    /// [env: HOS_MARK]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where and who")]
    pub(crate) mark: Option<PathBuf>,
    /// The time to claim instead of the machine's, for replays (`2026-11-22T12:00:00Z`)
    #[arg(long, global = true, value_name = "RFC3339", help_heading = "Where and who")]
    pub(crate) time: Option<String>,
    /// Accept the clock as it is, though it jumped forward
    #[arg(long, global = true, help_heading = "Where and who")]
    pub(crate) clock_confirmed: bool,
    /// One JSON object on standard output
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// The language of messages: `en` or `tr`; a law's own in any that it has. Where there is none in a language, English [default:
    /// from LANG]
    #[arg(long, global = true, value_name = "LANG", help_heading = "Output")]
    pub(crate) lang: Option<String>,
}

impl Global {
    /// The language of messages: what was asked for, or the environment's, or English.
    pub(crate) fn language(&self) -> String {
        let from_environment =
            || ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        tag(&self.lang.clone().or_else(from_environment).unwrap_or_default())
    }
}

/// A language however it is written: `TR` and `tr_TR.UTF-8` are `tr`, in which we speak too; `pt_BR.UTF-8` is `pt-BR`, in which a law may
/// have messages; none at all is English.
fn tag(said: &str) -> String {
    let said = said.split(['.', '@']).next().unwrap_or_default();
    let (base, region) = said.split_at(said.find(['_', '-']).unwrap_or(said.len()));
    match base.to_ascii_lowercase().as_str() {
        "" | "c" | "posix" => "en".to_owned(),
        "tr" => "tr".to_owned(),
        base => format!("{base}{}", region.replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_one_however_it_is_written() {
        for (said, wanted) in [
            ("tr", "tr"),
            ("TR", "tr"),
            ("tr_TR.UTF-8", "tr"),
            ("TR_tr", "tr"),
            ("tr-CY", "tr"),
            ("", "en"),
            ("C", "en"),
            ("C.UTF-8", "en"),
            ("POSIX", "en"),
            ("en", "en"),
            ("EN_GB", "en-GB"),
            ("pt_BR.UTF-8", "pt-BR"),
            ("de@euro", "de"),
        ] {
            assert_eq!(tag(said), wanted, "{said}");
        }
    }
}
