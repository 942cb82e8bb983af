//! PostgreSQL, MySQL and MariaDB, and an SQLite file of the world's: the engine's own connections to it ([`connector`]).
//!
//! Programs that fork (PHP, Python and Node under their servers) bring their own connections and do without this crate: the
//! client of PostgreSQL brings a runtime with it, which does not survive a fork.
//!
//! What a server must be, and what is refused with a code and never with a yes: a primary that takes writes (no replica, not
//! `read_only`, not `default_transaction_read_only`), with the tables that `hos init` makes or `hos schema` prints, of this version.
//! A connection that died is replaced before anything is said on it; one that dies while it commits is `hos.outcome_unknown`, which
//! a once-key resolves. Each connection speaks to one server for its whole life: a pooler that lends it to others between two
//! transactions forgets prepared statements.
//!
//! **TLS is not spoken.** A URL that asks for it (`sslmode=require`, `ssl-mode=VERIFY_CA`, `require_ssl=true`, …) is refused; every
//! other connects in the clear, with records and keys of persons to be read on the way: connect on this host, by a network that
//! nobody else is on, or by a tunnel.
//!
//! A password stands in the URL and is never shown again: every message names the server without it ([`without_password`]).
//!
//! A process that joins transactions on an SQLite file by a library of its own (PHP, Python, Node) must not open that file by
//! this crate as well: two SQLite libraries in one process destroy each other's locks.

pub mod join;
mod mysql;
mod postgres;
mod sqlite;
mod tls;
mod url;

pub use mysql::SQL_MODE as MYSQL_MODE;
pub use url::{is_url, without_password};

use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::server::Connector;
use std::sync::Arc;

/// The database that a URL names: `postgres://user:password@host:port/database`, `mysql://…`, or `sqlite:///srv/shop.db`, a file that
/// is there already (an absolute path, taken as it is: nothing in it is decoded).
///
/// # Errors
///
/// [`Code::StoreUnavailable`]: no such kind of URL, or it is not whole. Nothing is connected yet.
pub fn connector(url: &str) -> Result<Arc<dyn Connector>, Failure> {
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Ok(Arc::new(postgres::Server::new(url)?)),
        Some("mysql" | "mariadb") => Ok(Arc::new(mysql::Server::new(url)?)),
        Some("sqlite") => Ok(Arc::new(sqlite::File::new(url)?)),
        _ => Err(Failure::new(
            Code::StoreUnavailable,
            "a store in a database is named by `postgres://user:password@host:port/database`, `mysql://user:password@host:port/database` or `sqlite:///path/of/a/file`",
        )),
    }
}
