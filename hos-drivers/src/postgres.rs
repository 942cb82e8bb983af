//! PostgreSQL, by its own protocol.

use crate::tls;
use crate::url::without_password;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector, Several, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use postgres::error::{DbError, SqlState};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, SimpleQueryMessage, Statement};
use std::collections::HashMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::Duration;

/// How long a host may leave what it was sent unacknowledged, or be silent before it is probed.
const GONE: Duration = Duration::from_secs(30);

/// One PostgreSQL database.
pub(crate) struct Server {
    config: Config,
    shown: String,
}

impl Server {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        // What the client says of a URL may quote it.
        let wrong = |_| Failure::new(Code::StoreUnavailable, format!("{}: not a URL of PostgreSQL", without_password(url)));
        let mut config = Config::from_str(&tls::unasked(url)?).map_err(wrong)?;
        config.application_name("hos");
        Ok(Self { config, shown: without_password(url) })
    }
}

impl Connector for Server {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn shown(&self) -> String {
        self.shown.clone()
    }

    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        let mut config = self.config.clone();
        // A host that is gone says nothing: it is noticed by what it does not acknowledge.
        config.connect_timeout(patience).keepalives(true).keepalives_idle(GONE).tcp_user_timeout(GONE);
        let named = |e: &postgres::Error| {
            let told = told(e);
            ClientError { message: format!("{}: {}", self.shown, told.message), ..told }
        };
        let mut client = config.connect(NoTls).map_err(|e| named(&e))?;
        // A transaction that is forgotten holds nobody up for ever. What an administrator gives each statement is not told apart from a
        // lock, and is too little for reading a whole log; how a database spells its indexes is compared with how the steps do.
        let settings = format!(
            "SET lock_timeout = {0}; SET idle_in_transaction_session_timeout = {1}; SET client_min_messages = warning;
             SET statement_timeout = 0; SET quote_all_identifiers = off",
            patience.as_millis(),
            patience.as_millis().saturating_mul(6)
        );
        client.batch_execute(&settings).map_err(|e| named(&e))?;
        let asked = "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') <> 'off',
               current_setting('server_encoding')";
        let row = client.query_one(asked, &[]).map_err(|e| named(&e))?;
        let is = |column| row.try_get::<_, bool>(column).map_err(|e| named(&e));
        let refused = |why| Err(ClientError { trouble: Trouble::ReadOnly, message: format!("{}: {why}", self.shown) });
        if is(0)? {
            return refused("a replica is never asked what decides; name the primary");
        }
        // Whoever says so means it, though a transaction could say otherwise: hosters do when the disk is nearly full.
        if is(1)? {
            return refused("the database is read-only (`default_transaction_read_only`)");
        }
        // A checkpoint's note holds a dash that LATIN1 lacks, for one: in such a database a store is founded, and never keeps one.
        let encoding: String = row.try_get(2).map_err(|e| named(&e))?;
        if !["UTF8", "SQL_ASCII"].contains(&encoding.as_str()) {
            let message = format!(
                "{}: the database is encoded in {encoding}, which lacks what a store writes; make one with ENCODING 'UTF8'",
                self.shown
            );
            return Err(ClientError { trouble: Trouble::Unavailable, message });
        }
        Ok(Box::new(Postgres { client, prepared: HashMap::new() }))
    }
}

struct Postgres {
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Postgres {
    fn prepare(&mut self, sql: &str) -> Result<Statement, ClientError> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).map_err(|e| told(&e))?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Connection for Postgres {
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError> {
        let statement = self.prepare(sql)?;
        let values: Vec<Value<'_>> = params.iter().map(|param| Value(param)).collect();
        let refs: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let changed = self.client.execute(&statement, &refs).map_err(|e| told(&e))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[&Sql],
        take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let statement = self.prepare(sql)?;
        let values: Vec<Value<'_>> = params.iter().map(|param| Value(param)).collect();
        let mut rows =
            self.client.query_raw(&statement, values.iter().map(|v| v as &(dyn ToSql + Sync))).map_err(|e| told(&e))?;
        while let Some(row) = rows.next().map_err(|e| told(&e))? {
            let cells = (0..row.len()).map(|column| row.try_get::<_, Cell>(column).map(|cell| cell.0));
            let cells = cells.collect::<Result<Vec<_>, _>>().map_err(|e| told(&e))?;
            if take(cells).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn say(&mut self, sql: &str) -> Result<(), ClientError> {
        self.client.batch_execute(sql).map_err(|e| told(&e))
    }

    fn several(&mut self, text: &str) -> Result<Several, ClientError> {
        Ok(Several::Rows(results(self.client.simple_query(text).map_err(|e| told(&e))?)))
    }

    fn is_alive(&self) -> bool {
        !self.client.is_closed()
    }
}

/// The rows of each statement of a text that brings any. Every cell comes as text; what begins with `\\x` is bytes, for no text that
/// the engine stores begins so.
pub(crate) fn results(messages: Vec<SimpleQueryMessage>) -> Vec<Vec<Vec<Sql>>> {
    let mut results: Vec<Vec<Vec<Sql>>> = Vec::new();
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(_) => results.push(Vec::new()),
            SimpleQueryMessage::Row(row) => {
                if let Some(rows) = results.last_mut() {
                    rows.push((0..row.len()).map(|column| row.get(column).map_or(Sql::Null, written)).collect());
                }
            }
            _ => {}
        }
    }
    results
}

/// A cell as PostgreSQL writes it.
fn written(cell: &str) -> Sql {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes = cell.strip_prefix("\\x").and_then(|digits| digits.as_bytes().chunks(2).map(pair).collect());
    Sql::Raw(bytes.unwrap_or_else(|| cell.as_bytes().to_vec()))
}

/// A parameter, in the type that the statement wants.
#[derive(Debug)]
struct Value<'v>(&'v Sql);

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut postgres::types::private::BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Sql::Null => Ok(IsNull::Yes),
            Sql::Int(n) if *ty == Type::INT2 => i16::try_from(*n)?.to_sql(ty, out),
            Sql::Int(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Sql::Int(n) => n.to_sql(ty, out),
            Sql::Text(text) => text.as_str().to_sql(ty, out),
            Sql::Blob(bytes) | Sql::Raw(bytes) => bytes.as_slice().to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::INT2, Type::TEXT, Type::VARCHAR, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

/// A column, in the types that our tables have.
struct Cell(Sql);

impl<'r> FromSql<'r> for Cell {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT8 => Sql::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Sql::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Sql::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Sql::Int(bool::from_sql(ty, raw)?.into()),
            Type::BYTEA => Sql::Blob(raw.to_vec()),
            _ => Sql::Text(String::from_utf8(raw.to_vec())?),
        }))
    }

    fn from_sql_null(_ty: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Sql::Null))
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::INT2, Type::BOOL, Type::BYTEA, Type::TEXT, Type::VARCHAR, Type::NAME].contains(ty)
    }
}

/// What became of a statement, without any value of a row: details and hints may quote them.
fn told(error: &postgres::Error) -> ClientError {
    let Some(said) = error.as_db_error() else {
        let trouble = if error.is_closed() { Trouble::Lost } else { Trouble::Unavailable };
        return ClientError { trouble, message: error.to_string() };
    };
    ClientError { trouble: trouble(said), message: format!("{} (SQLSTATE {})", said.message(), said.code().code()) }
}

fn trouble(said: &DbError) -> Trouble {
    let code = said.code();
    match code.code() {
        "40001" | "40P01" => Trouble::Retry,
        "55P03" => Trouble::Busy,
        "25006" => Trouble::ReadOnly,
        "42P01" | "42703" | "3F000" => Trouble::Missing,
        "42501" => Trouble::Forbidden,
        "23505" => Trouble::Duplicate,
        "53100" => Trouble::Full,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => Trouble::Lost,
        other if other.starts_with("28") || other.starts_with("08") || other.starts_with("3D") || other.starts_with("53") => {
            Trouble::Unavailable
        }
        _ if *code == SqlState::QUERY_CANCELED => Trouble::Busy,
        _ => Trouble::Other,
    }
}
