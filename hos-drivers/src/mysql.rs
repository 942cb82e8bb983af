//! MySQL and MariaDB, by their own protocol.

use crate::tls;
use crate::url::without_password;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector, Several, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::together::OUTSIDE_MYSQL;
use mysql::prelude::Queryable;
use mysql::{Conn, Error, Opts, OptsBuilder, Params, Value};
use std::ops::ControlFlow;
use std::time::Duration;

/// The mode of a session of MySQL's, in which statements mean what they say here; what does not fit is refused, never cut.
pub const SQL_MODE: &str = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO";
/// How long a host may leave what it was sent unacknowledged, or be silent before it is probed, in milliseconds.
const GONE_MS: u32 = 30_000;
/// How long a probe is waited for, in seconds, and how many are.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const PROBED_SECS: u32 = 10;
#[cfg(any(target_os = "linux", target_os = "macos"))]
const PROBES: u32 = 3;

/// One MySQL or MariaDB database.
pub(crate) struct Server {
    opts: Opts,
    shown: String,
}

impl Server {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let wrong = |_| Failure::new(Code::StoreUnavailable, format!("{}: not a URL of MySQL", without_password(url)));
        let url = tls::unasked(&url.replacen("mariadb://", "mysql://", 1))?;
        Ok(Self { opts: Opts::from_url(&url).map_err(wrong)?, shown: without_password(&url) })
    }

    /// How the host is reached, and how long one that is gone is waited for: it says nothing, and is noticed by what it does not
    /// acknowledge.
    fn reaching(&self, patience: Duration) -> OptsBuilder {
        let opts =
            OptsBuilder::from_opts(self.opts.clone()).tcp_connect_timeout(Some(patience)).tcp_keepalive_time_ms(Some(GONE_MS));
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        let opts = opts.tcp_keepalive_probe_interval_secs(Some(PROBED_SECS)).tcp_keepalive_probe_count(Some(PROBES));
        #[cfg(target_os = "linux")]
        let opts = opts.tcp_user_timeout_ms(Some(GONE_MS));
        opts.prefer_socket(false)
    }
}

impl Connector for Server {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn shown(&self) -> String {
        self.shown.clone()
    }

    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        let seconds = patience.as_secs().max(1);
        let init = vec![
            "SET NAMES utf8mb4".to_owned(),
            format!("SET SESSION sql_mode = '{SQL_MODE}'"),
            // What an administrator set for all sessions must not decide what is kept, what is read, and how tables are described.
            "SET SESSION autocommit = 1, completion_type = 0, sql_select_limit = 18446744073709551615, group_concat_max_len = 1048576"
                .to_owned(),
            format!("SET SESSION innodb_lock_wait_timeout = {seconds}"),
            format!("SET SESSION wait_timeout = {}", (seconds * 6).max(60)),
        ];
        let opts = self.reaching(patience).init(init).stmt_cache_size(Some(256));
        let named = |e: Error| {
            let told = told(e);
            ClientError { message: format!("{}: {}", self.shown, told.message), ..told }
        };
        let mut conn = Conn::new(opts).map_err(named)?;
        // A number in most versions, a word in the newest. What is not surely `off` is read-only.
        let read_only: Option<Value> = conn.query_first("SELECT @@global.read_only").map_err(named)?;
        let is_off = match &read_only {
            Some(Value::Int(0) | Value::UInt(0)) => true,
            Some(Value::Bytes(word)) => word == b"0" || word.eq_ignore_ascii_case(b"off"),
            _ => false,
        };
        if !is_off {
            let message = format!("{}: the server is read-only, as replicas are; name the primary", self.shown);
            return Err(ClientError { trouble: Trouble::ReadOnly, message });
        }
        Ok(Box::new(Mysql { conn, alive: true }))
    }
}

struct Mysql {
    conn: Conn,
    alive: bool,
}

impl Mysql {
    fn told(&mut self, error: Error) -> ClientError {
        let told = told(error);
        if matches!(told.trouble, Trouble::Lost | Trouble::Unavailable) {
            self.alive = false;
        }
        told
    }
}

impl Connection for Mysql {
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError> {
        self.conn.exec_drop(sql, values(params)).map_err(|e| self.told(e))?;
        Ok(usize::try_from(self.conn.affected_rows()).unwrap_or(usize::MAX))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[&Sql],
        take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let mut failed = None;
        match self.conn.exec_iter(sql, values(params)) {
            Ok(mut rows) => {
                for row in rows.by_ref() {
                    let taken = row.map(|row| take(row.unwrap().into_iter().map(cell).collect()));
                    match taken {
                        Ok(ControlFlow::Continue(())) => {}
                        Ok(ControlFlow::Break(())) => break,
                        Err(error) => {
                            failed = Some(error);
                            break;
                        }
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
        failed.map_or(Ok(()), |error| Err(self.told(error)))
    }

    fn say(&mut self, sql: &str) -> Result<(), ClientError> {
        self.conn.query_drop(sql).map_err(|e| self.told(e))
    }

    fn several(&mut self, text: &str) -> Result<Several, ClientError> {
        several(&mut self.conn, text).map_err(|e| self.told(e))
    }

    fn is_alive(&self) -> bool {
        self.alive
    }
}

/// MySQL's number of a syntax error: it knows no compound statement outside of a procedure, and MariaDB does.
const SYNTAX: u16 = 1064;

/// Runs a compound statement.
pub(crate) fn several<Q: Queryable>(conn: &mut Q, text: &str) -> Result<Several, Error> {
    let mut run = || {
        let mut results = Vec::new();
        let mut result = conn.query_iter(text)?;
        while let Some(set) = result.iter() {
            let brings = !set.columns().as_ref().is_empty();
            let rows = set.map(|row| row.map(|row| row.unwrap().into_iter().map(cell).collect())).collect::<Result<_, _>>()?;
            // The compound statement's own end is a result without columns.
            if brings {
                results.push(rows);
            }
        }
        Ok(Several::Rows(results))
    };
    match run() {
        Err(Error::MySqlError(said)) if said.code == SYNTAX => Ok(Several::Unknown),
        Err(Error::MySqlError(said)) if (said.code, said.message.as_str()) == OUTSIDE_MYSQL => Ok(Several::Outside),
        done => done,
    }
}

fn values(params: &[&Sql]) -> Params {
    if params.is_empty() {
        return Params::Empty;
    }
    Params::Positional(
        params
            .iter()
            .map(|param| match param {
                Sql::Null => Value::NULL,
                Sql::Int(n) => Value::Int(*n),
                Sql::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
                Sql::Blob(bytes) | Sql::Raw(bytes) => Value::Bytes(bytes.clone()),
            })
            .collect(),
    )
}

/// Text and bytes look the same on this wire: who asks for the column says what it is.
pub(crate) fn cell(value: Value) -> Sql {
    match value {
        Value::NULL => Sql::Null,
        Value::Int(n) => Sql::Int(n),
        Value::UInt(n) => i64::try_from(n).map_or_else(|_| Sql::Raw(n.to_string().into_bytes()), Sql::Int),
        Value::Bytes(bytes) => Sql::Raw(bytes),
        // Our tables have no such columns; what is none is refused where it is read.
        Value::Float(_) | Value::Double(_) | Value::Date(..) | Value::Time(..) => Sql::Raw(b"?".to_vec()),
    }
}

/// What became of a statement. Messages of some errors quote rows: those are told by their number alone.
fn told(error: Error) -> ClientError {
    let (trouble, message) = match &error {
        Error::MySqlError(said) => {
            let trouble = match said.code {
                // Deadlock; changed since the snapshot.
                1213 | 1020 => Trouble::Retry,
                // A lock, or the time that the server gives a statement.
                1205 | 3572 | 1969 | 3024 => Trouble::Busy,
                1290 | 1792 | 1836 => Trouble::ReadOnly,
                1146 | 1054 => Trouble::Missing,
                1142 | 1143 | 1044 | 1227 | 1370 => Trouble::Forbidden,
                1062 => Trouble::Duplicate,
                1021 | 1114 => Trouble::Full,
                // Too many connections, or an account that may not have one: limited, locked, its password expired.
                1040 | 1045 | 1046 | 1049 | 1129 | 1130 | 1203 | 1226 | 1698 | 1820 | 1862 | 3118 | 4151 => Trouble::Unavailable,
                1053 | 1080 | 1152 | 1159 | 1160 | 1161 | 1317 | 1927 | 4031 => Trouble::Lost,
                _ => Trouble::Other,
            };
            let quotes =
                !matches!(trouble, Trouble::Retry | Trouble::Busy | Trouble::ReadOnly | Trouble::Missing | Trouble::Forbidden);
            let words = if quotes { String::new() } else { format!("{} ", said.message) };
            (trouble, format!("{words}(error {}, SQLSTATE {})", said.code, said.state))
        }
        Error::IoError(e) => (Trouble::Lost, e.to_string()),
        Error::DriverError(e) => (Trouble::Unavailable, e.to_string()),
        _ => (Trouble::Lost, "the connection is of no use any more".to_owned()),
    };
    ClientError { trouble, message }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_gone_is_not_waited_for_without_end() {
        let server = Server::new("mysql://u@h/d").unwrap();
        let opts = Opts::from(server.reaching(Duration::from_secs(5)));
        assert_eq!(opts.get_tcp_connect_timeout(), Some(Duration::from_secs(5)));
        assert_eq!((opts.get_tcp_keepalive_time_ms(), opts.get_tcp_user_timeout_ms()), (Some(GONE_MS), Some(GONE_MS)));
        let probes = (opts.get_tcp_keepalive_probe_interval_secs(), opts.get_tcp_keepalive_probe_count());
        assert_eq!(probes, (Some(PROBED_SECS), Some(PROBES)));
    }
}
