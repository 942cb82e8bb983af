//! How an engine is opened, as JSON: the one form for every shell that has no builder of its own.

use crate::fields::{Fields, malformed};
use crate::limits::{BUSY_TIMEOUT_MS_MAX, DIRECTORY_AGE_MS_MAX, OPTIONS_BYTES_MAX};
use crate::shared;
use crate::strict::{self, Tree};
use hos_engine::{Builder, Engine, Failure, Seal, Settings};
use std::time::Duration;

const FIELDS: &[&str] =
    &["store", "law", "key_file", "signer_socket", "signer_command", "mark", "seal", "busy_timeout_ms", "directory_age_max_ms"];
#[cfg(feature = "failpoints")]
const KNOWN: &[&str] = &["clock"];
#[cfg(not(feature = "failpoints"))]
const KNOWN: &[&str] = &[];

/// Opens a store that exists by options in JSON (`spec/c-abi.md`). Where this process has opened the same file by the same options
/// and has not closed it everywhere, the engine is the same.
pub fn open(json: &[u8]) -> Result<Engine, Failure> {
    let tree = strict::parse(json, OPTIONS_BYTES_MAX)?;
    let mut others = tree.clone();
    let mut f = Fields::of("the options", tree, &[FIELDS, KNOWN].concat())?;
    let store = path(&mut f, "store")?.ok_or_else(|| malformed("the options lack the field `store`"))?;
    // It is not quoted, nor looked for as a file, of which the failure would tell the name: a password stands in it.
    if is_address(&store) {
        return Err(malformed("`store` is a file's name: where it lies in a database, give the connection, not its URL"));
    }
    // Where the file lies, whatever it was called. Which file lies there is for the engine to say that has it open.
    let place = std::fs::canonicalize(&store).ok();
    if let (Tree::Object(fields), Some(_)) = (&mut others, &place) {
        fields.remove("store");
    }
    let how = format!("{others:?}");
    let law = path(&mut f, "law")?;
    let builder = builder(&mut f, Engine::builder().sqlite(store))?;
    // The law's files are looked at when the store is opened, and not where it is open.
    shared::or_open(place, how, || match law {
        Some(dir) => builder.law_dir(dir)?.open(),
        None => builder.open(),
    })
}

/// Whether a store's name is where a database is, and no file's: a URL, or what begins as one of them does, which may be misspelt and
/// has its password in it all the same (`mysql:/u:password@host/db`).
pub fn is_address(name: &str) -> bool {
    let known = |scheme: &str| {
        let scheme = scheme.to_ascii_lowercase();
        let rest = ["postgres", "pgsql", "mysql", "mariadb", "sqlite"].into_iter().find_map(|kind| scheme.strip_prefix(kind));
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '+')))
    };
    name.contains("://") || name.trim_start().split_once(':').is_some_and(|(scheme, _)| known(scheme))
}

fn builder(f: &mut Fields, mut builder: Builder) -> Result<Builder, Failure> {
    match (path(f, "key_file")?, path(f, "signer_socket")?, f.optional_text("signer_command")?) {
        (None, None, None) => {}
        (Some(file), None, None) => builder = builder.key_file(file),
        (None, Some(socket), None) => builder = builder.signer_socket(socket),
        (None, None, Some(words)) if !words.trim().is_empty() => builder = builder.signer_command(&words),
        (None, None, Some(_)) => return Err(malformed("`signer_command` names no program")),
        _ => return Err(malformed("the options have one of `key_file`, `signer_socket` and `signer_command`, not several")),
    }
    if let Some(mark) = path(f, "mark")? {
        builder = builder.mark(mark);
    }
    #[cfg(feature = "failpoints")]
    if let Some(time) = f.optional_text("clock")? {
        crate::failpoint::set_clock(&time)?;
        builder = builder.clock(std::sync::Arc::new(crate::failpoint::CallClock));
    }
    let seal = match f.optional_text("seal")?.as_deref() {
        None | Some("inline") => Seal::Inline,
        Some("worker") => Seal::Worker,
        Some(_) => return Err(malformed("`seal` is `inline` or `worker`")),
    };
    let mut settings = Settings { seal, ..Settings::default() };
    if let Some(ms) = f.optional_count("busy_timeout_ms")? {
        if ms > BUSY_TIMEOUT_MS_MAX {
            return Err(malformed(format!("`busy_timeout_ms` is at most {BUSY_TIMEOUT_MS_MAX}")));
        }
        settings.busy_timeout = Duration::from_millis(ms);
    }
    if let Some(ms) = f.optional_count("directory_age_max_ms")? {
        if ms > DIRECTORY_AGE_MS_MAX {
            return Err(malformed(format!("`directory_age_max_ms` is at most {DIRECTORY_AGE_MS_MAX}")));
        }
        settings.directory_age_max = Duration::from_millis(ms);
    }
    Ok(builder.settings(settings))
}

fn path(f: &mut Fields, name: &str) -> Result<Option<String>, Failure> {
    match f.optional_text(name)? {
        Some(path) if path.is_empty() || path.contains('\0') => Err(malformed(format!("`{name}` is no path"))),
        path => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_option_is_named() {
        let table: [(&str, &str); 12] = [
            ("", "hos.call_malformed"),
            ("[]", "the options must be an object"),
            ("{}", "lack the field `store`"),
            (r#"{"store":""}"#, "`store` is no path"),
            (r#"{"store":"a\u0000b"}"#, "`store` is no path"),
            (r#"{"store":"a.db","stor":"b.db"}"#, "has no field `stor`"),
            (r#"{"store":"a.db","store":"b.db"}"#, "store"),
            (r#"{"store":"a.db","seal":"later"}"#, "`inline` or `worker`"),
            (r#"{"store":"a.db","busy_timeout_ms":3600001}"#, "at most 3600000"),
            (r#"{"store":"a.db","directory_age_max_ms":60001}"#, "at most 60000"),
            (r#"{"store":"a.db","key_file":"k","signer_socket":"s"}"#, "not several"),
            (r#"{"store":"a.db","signer_command":"  "}"#, "names no program"),
        ];
        for (json, wanted) in table {
            let Err(failure) = open(json.as_bytes()) else { panic!("{json} was opened") };
            let said = format!("{} {}", failure.code, failure.message);
            assert!(said.starts_with("hos.call_malformed") && said.contains(wanted), "{json}: {said}");
        }
    }

    #[test]
    fn a_databases_url_is_no_file_and_is_told_to_nobody() {
        let urls = [
            "postgres://u:SECRET@127.0.0.1:1/db",
            "mysql://u:SECRET@h/db",
            "sqlite:///SECRET/x.db",
            "x/postgres://u:SECRET@h/db",
            "postgres:/u:SECRET@h/db",
            "mysql:u:SECRET@h/db",
            " MariaDB:/u:SECRET@h/db",
            "postgresql+psycopg:/u:SECRET@h/db",
            "pgsql:host=h;password=SECRET",
            "sqlite:/SECRET/x.db",
        ];
        for url in urls {
            let json = format!(r#"{{"store":"{url}"}}"#);
            let Err(failure) = open(json.as_bytes()) else { panic!("{url} was opened") };
            assert_eq!(failure.code.as_str(), "hos.call_malformed");
            assert!(failure.message.contains("not its URL"), "{}", failure.message);
            assert!(!failure.message.contains("SECRET"), "{}", failure.message);
        }
    }

    #[test]
    fn a_file_is_called_what_it_likes() {
        for name in ["hos.db", "/srv/postgres.db", "C:\\srv\\hos.db", "my sql: x.db", "a/mysql:x.db", "mysql", ":memory:"] {
            assert!(!is_address(name), "{name}");
        }
    }

    #[test]
    fn a_store_that_is_not_there_is_not_made() {
        let place = tempfile::tempdir().unwrap();
        let json = format!(r#"{{"store":"{}"}}"#, place.path().join("none.db").display());
        let Err(failure) = open(json.as_bytes()) else { panic!("it was opened") };
        assert_eq!(failure.code.as_str(), "hos.store_unavailable");
        assert!(!place.path().join("none.db").exists());
    }
}
