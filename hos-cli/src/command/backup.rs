//! `hos backup`: a verified copy of a store in use.

use super::export::is_free;
use super::verify;
use crate::global::Global;
use crate::out::Done;
use crate::place::Place;
use crate::progress::Progress;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_engine::Failure;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Copy the store while it is in use, and verify the copy before it gets its name.
///
/// The key file is never copied.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The copy's file; it must not exist. What a backup that was killed left of it (FILE.partial-…) is removed by the next
    #[arg(value_name = "FILE")]
    to: PathBuf,
    /// Copy the vault too, with the keys of persons: keep that copy apart, and for a short time
    #[arg(long, value_name = "FILE")]
    vault: Option<PathBuf>,
}

impl Backup {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        if let Place::Database(url) = global.place()? {
            return Err(usage(format!("a store in a database is copied with the database's own tools: {}", tools(&url))));
        }
        is_free(&self.to)?;
        if let Some(vault) = &self.vault {
            is_free(vault)?;
            is_apart(vault, &self.to)?;
        }
        verify::found(self.copied(global), "broken   nothing was copied: ")
    }

    fn copied(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let progress = Progress::new("copying", global.json);
        let tell = |done, all| {
            progress.tell(done, all);
            if done == all {
                progress.next("verifying the copy");
            }
        };
        let copied = engine.backup(&self.to, Some(&tell));
        drop(progress);
        let report = copied?;
        if let Some(vault) = &self.vault {
            // After the store, so that no record of the copy lacks its key. One of two copies is none: the name is free again.
            engine.backup_vault(vault).inspect_err(|_| drop(std::fs::remove_file(&self.to)))?;
        }
        super::closed(engine);
        let name = show::inert(&self.to.to_string_lossy());
        let mut done = verify::done(&report, false);
        done.text = format!("copied   {name}\n{}", done.text);
        done.json["backup"] = json!(name);
        done.text.push_str(
            "note     before a copy takes a store's place, move that store's files away, `-wal` and `-shm` with them: its log is not the \
             copy's\n",
        );
        match &self.vault {
            Some(vault) => {
                let vault = show::inert(&vault.to_string_lossy());
                done.text.push_str(&format!("vault    {vault}: every key of a person that is not erased; keep it briefly\n"));
                done.json["vault"] = json!(vault);
            }
            None => done.text.push_str(&format!(
                "note     to open the copy, put the vault beside it as {name}.vault (`--vault FILE` copies it), and give --key-file\n"
            )),
        }
        Ok(done)
    }
}

/// Refuses a name for the vault's copy that the store's copy will have, before hours go into that one.
fn is_apart(vault: &Path, copy: &Path) -> Result<(), Failure> {
    let name = show::inert(&vault.to_string_lossy());
    // Nothing is there yet that could be told apart but the directory and the last name.
    let place = |path: &Path| {
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        directory.canonicalize().map(|directory| directory.join(path.file_name().unwrap_or_default()))
    };
    let wanted = place(vault).map_err(|e| usage(format!("the directory of `{name}` cannot be found: {e}")))?;
    if place(copy).is_ok_and(|place| place == wanted) {
        return Err(usage(format!("`{name}` is the copy's own name: keep the vault's copy apart, in a file of its own")));
    }
    Ok(())
}

/// How a database is copied: of one moment, and apart from the keys of persons, which an old copy would bring back.
fn tools(url: &str) -> String {
    let later = "Keep those for a short time, and restore the newest of them with whichever copy; then run `hos verify`";
    match url.split("://").next() {
        Some("postgres" | "postgresql") => format!(
            "`pg_dump --exclude-table-data=hos_vault`, and the keys of persons apart: `pg_dump --data-only --table=hos_vault`. {later}"
        ),
        Some("sqlite") => {
            "`sqlite3 FILE '.backup COPY'`. The keys of persons are in it (`hos_vault`): keep such a copy for a short time"
                .to_owned()
        }
        _ => format!(
            "`mariadb-dump --single-transaction --hex-blob --ignore-table-data=DATABASE.hos_vault DATABASE`, and the keys of persons \
             apart: `mariadb-dump --single-transaction --hex-blob --no-create-info DATABASE hos_vault`. {later}"
        ),
    }
}
