//! The same tests on a database: where `HOS_TEST_STORE_ON` names one (`postgres://…`, `mysql://…`), each store lies in a
//! database of its own there, which goes with it. A directory (`sqlite:///tmp`) means SQLite files of a host's, one a store, with
//! the journal that `HOS_TEST_JOURNAL` names (`WAL`, `DELETE`).

use hos_engine::Builder;
use hos_engine::store::server::Connector;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A database that is made for one store.
pub(crate) struct Database {
    server: Arc<dyn Connector>,
    pub(crate) own: Arc<dyn Connector>,
    name: String,
}

/// Whether the tests are told to use a database: then what is of files alone says so, and is left out.
pub(crate) fn is_on() -> bool {
    let on = std::env::var_os("HOS_TEST_STORE_ON").is_some_and(|url| !url.is_empty());
    if on {
        eprintln!("left out: it is about a file");
    }
    on
}

/// Whether whoever reads keeps every writer out, as in an SQLite file without WAL: no transaction there has an older snapshot than
/// what others see.
pub(crate) fn readers_keep_writers_out() -> bool {
    let on_a_file = std::env::var("HOS_TEST_STORE_ON").is_ok_and(|url| url.starts_with("sqlite://"));
    let kept_out = on_a_file && std::env::var("HOS_TEST_JOURNAL").is_ok_and(|journal| !journal.eq_ignore_ascii_case("WAL"));
    if kept_out {
        eprintln!("left out: there is no older snapshot");
    }
    kept_out
}

/// A new database, if the tests are told to use one.
pub(crate) fn fresh() -> Option<Database> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("HOS_TEST_STORE_ON").ok().filter(|url| !url.is_empty())?;
    let name = format!("hos_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    if let Some(dir) = url.strip_prefix("sqlite://") {
        let path = format!("{dir}/{name}.db");
        let journal = std::env::var("HOS_TEST_JOURNAL").unwrap_or_else(|_| "WAL".to_owned());
        // As its owner makes it, who is not us.
        let owner = rusqlite::Connection::open(&path).unwrap();
        let mode: String = owner.pragma_update_and_check(None, "journal_mode", &journal, |row| row.get(0)).unwrap();
        assert!(mode.eq_ignore_ascii_case(&journal), "{mode}");
        let own = hos_drivers::connector(&format!("sqlite://{path}")).unwrap();
        return Some(Database { server: own.clone(), own, name: path });
    }
    let server = hos_drivers::connector(&url).unwrap();
    say(&server, &format!("CREATE DATABASE {name}"));
    let (base, _) = url.rsplit_once('/').unwrap();
    let own = hos_drivers::connector(&format!("{base}/{name}")).unwrap();
    Some(Database { server, own, name })
}

fn say(server: &Arc<dyn Connector>, sql: &str) {
    let mut connection = server.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
    connection.say(sql).map_err(|e| e.message).unwrap();
}

/// The builder, with the store in the database, or in the file.
pub(crate) fn place(builder: Builder, database: Option<&Database>, path: &Path) -> Builder {
    match database {
        Some(database) => builder.server(database.own.clone()).key_file(format!("{}.key", path.display())),
        None => builder.sqlite(path),
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.own.dialect() == hos_engine::store::sql::dialect::Dialect::Sqlite {
            for end in ["", "-wal", "-shm", "-journal"] {
                let _ = std::fs::remove_file(format!("{}{end}", self.name));
            }
            return;
        }
        let force =
            if self.server.dialect() == hos_engine::store::sql::dialect::Dialect::Postgres { " WITH (FORCE)" } else { "" };
        if let Ok(mut connection) = self.server.connect(Duration::from_secs(20)) {
            // A test that failed says why by itself.
            let _ = connection.say(&format!("DROP DATABASE {}{force}", self.name));
        }
    }
}
