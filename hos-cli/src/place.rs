//! Where a store is: a file, or a database. A database's URL may hold a password, which nothing here ever shows.

use crate::global::Global;
use crate::usage::usage;
use hos_core::id::Shown;
use hos_engine::store::server::Connector;
use hos_engine::{Builder, Engine, Failure};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that names a store holds no more than this.
const NAME_BYTES_MAX: usize = 4096;

/// Where a store is.
pub(crate) enum Place {
    /// A file of its own.
    File(PathBuf),
    /// A database on a server, by its URL.
    Database(String),
}

impl Place {
    /// What a store's name means. What is a URL, or was meant as one, must not become a file, whose name is told.
    fn named(name: OsString) -> Result<Self, Failure> {
        match name.to_str() {
            Some(text) if hos_wire::is_address(text) => Ok(Self::Database(text.to_owned())),
            None if is_url(&name) => Err(usage("the store's URL is no UTF-8")),
            _ => Ok(Self::File(name.into())),
        }
    }

    /// A builder of an engine on it.
    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        Ok(match self {
            Self::File(path) => Engine::builder().sqlite(path),
            Self::Database(url) => Engine::builder().server(hos_drivers::connector(url)?),
        })
    }

    /// The database, for what only a database has; `why` is it, for the message.
    pub(crate) fn connector(&self, why: &str) -> Result<Arc<dyn Connector>, Failure> {
        match self {
            Self::Database(url) => hos_drivers::connector(url),
            Self::File(_) => Err(usage(format!("{why}: give its URL by --store"))),
        }
    }

    /// For a person, and for a program.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::File(path) => Shown(&path.to_string_lossy()).to_string(),
            Self::Database(url) => hos_drivers::without_password(url),
        }
    }

    /// The seal key's file where nothing else is said: beside a file, and nowhere for a database.
    pub(crate) fn key_beside(&self) -> Option<PathBuf> {
        let Self::File(path) = self else { return None };
        let mut name = path.as_os_str().to_owned();
        name.push(".key");
        Some(name.into())
    }
}

impl Global {
    /// The store.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        match (&self.store, &self.store_file) {
            (Some(name), _) => Place::named(name.clone()),
            (None, Some(path)) => in_file(path),
            (None, None) => match (said("HOS_STORE"), said("HOS_STORE_FILE")) {
                (Some(_), Some(_)) => Err(usage("both HOS_STORE and HOS_STORE_FILE are set: one names the store")),
                (Some(name), None) => Place::named(name),
                (None, Some(path)) => in_file(Path::new(&path)),
                (None, None) => Err(usage("no store is named: give --store STORE, or set HOS_STORE")),
            },
        }
    }
}

/// The store that a file names, in its one line.
fn in_file(path: &Path) -> Result<Place, Failure> {
    let wrong = |why: &str| usage(format!("`{}` names no store: {why}", Shown(&path.to_string_lossy())));
    let bytes = crate::input::bounded_file(path, NAME_BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is no UTF-8"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong("it is empty")),
        name if name.len() > NAME_BYTES_MAX || name.contains(['\r', '\n']) => Err(wrong("it is more than one line")),
        name => Place::named(name.into()),
    }
}

fn is_url(text: &OsStr) -> bool {
    hos_wire::is_address(value(&text.to_string_lossy()))
}

/// `--store=postgres://…` is a URL with something before it.
fn value(word: &str) -> &str {
    word.split_once('=').filter(|(option, _)| option.starts_with('-')).map_or(word, |(_, value)| value)
}

/// A text in which no URL that stands on the command line shows its password.
pub(crate) fn without_passwords(text: &str) -> String {
    let words = std::env::args_os().filter(|word| is_url(word));
    words.fold(text.to_owned(), |text, word| hide(&text, &word.to_string_lossy()))
}

fn hide(text: &str, word: &str) -> String {
    let url = value(word);
    text.replace(url, &hos_drivers::without_password(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Place, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        in_file(file.path())
    }

    #[test]
    fn a_url_is_no_file_however_it_is_spelt() {
        for name in [
            "postgres://hos:canary@db/pazar",
            "postgre://hos:canary@db/pazar",
            "mysql://db",
            "sqlite://x",
            "postgres:/hos:canary@db/pazar",
            " MySQL:hos:canary@db/pazar",
        ] {
            let place = Place::named(name.into()).unwrap();
            assert!(matches!(place, Place::Database(_)) && place.key_beside().is_none(), "{name}");
            assert!(!place.shown().contains("canary"), "{}", place.shown());
            let failed = place.builder().err().map_or(String::new(), |failure| failure.message);
            assert_eq!(failed.is_empty(), name.starts_with("postgres://") || name.starts_with("mysql://"), "{failed}");
            assert!(!failed.contains("canary"), "{failed}");
        }
        let place = Place::named("/srv/hos.db".into()).unwrap();
        assert_eq!((place.shown().as_str(), place.key_beside()), ("/srv/hos.db", Some("/srv/hos.db.key".into())));
    }

    #[test]
    fn a_file_names_a_store_in_one_line() {
        assert!(matches!(file("mysql://hos:canary@db/x\n"), Ok(Place::Database(url)) if url == "mysql://hos:canary@db/x"));
        assert!(matches!(file("hos.db\r\n"), Ok(Place::File(path)) if path == Path::new("hos.db")));
        for wrong in ["", "\n", "mysql://hos:canary@db/x\nmysql://other", &"x".repeat(NAME_BYTES_MAX + 1)] {
            let message = file(wrong).err().unwrap().message;
            assert!(message.contains("names no store") && !message.contains("canary"), "{message}");
        }
    }

    #[test]
    fn what_is_said_of_a_command_line_shows_no_password() {
        assert_eq!(hide("no `mysql://u:canary@db/x` here", "mysql://u:canary@db/x"), "no `mysql://u@db/x` here");
        assert_eq!(hide("'--stor=mysql://u:canary@db/x'", "--stor=mysql://u:canary@db/x"), "'--stor=mysql://u@db/x'");
        assert_eq!(hide("'--stor=mysql:/u:canary@db/x'", "--stor=mysql:/u:canary@db/x"), "'--stor=a database'");
        let all = ["mysql:/u:canary@db/x", "--stor=pgsql:canary", "x/mysql://u:canary@db"];
        assert!(all.into_iter().all(|word| is_url(OsStr::new(word))) && !is_url(OsStr::new("--arg=note: mysql:x")));
    }
}
