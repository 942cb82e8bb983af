//! The host's connections, one kind like another.

use super::patience;
use hos_core::answer::Answer;
use hos_core::call::{Call, Can};
use hos_drivers::join::{self, AnyError, Claimed, Connection, Dialect, End, Error, Here, Joining, Judged, KeptRefusal};
use mysql::prelude::Queryable;
use std::ops::ControlFlow;
use std::str::FromStr;

/// A connection of the host's, by its own client.
pub(crate) enum Client {
    Sqlite(rusqlite::Connection),
    Postgres(postgres::Client),
    Mysql(mysql::Conn),
}

/// What is done in a transaction, whatever its client.
pub(crate) trait Inside {
    fn write(&mut self, sql: &str) -> Result<(), AnyError>;
    fn call(&mut self, call: Call) -> Result<Judged, Error>;
    fn claim(&mut self, call: &Call) -> Result<Claimed, Error>;
}

/// What [`Here`] can do, whatever its client.
pub(crate) trait Calls {
    fn call(&mut self, call: Call) -> Result<Judged, Error>;
    fn can(&mut self, can: Can) -> Result<Judged, Error>;
    fn can_all(&mut self, all: Vec<Can>) -> Result<Vec<Answer>, Error>;
    fn all(&mut self, calls: Vec<Call>) -> Result<Judged, Error>;
    fn claim(&mut self, call: &Call) -> Result<Claimed, Error>;
    fn leave(&mut self, claimed: Claimed) -> Result<(), Error>;
    fn refused(&mut self, refusal: Box<KeptRefusal>) -> Result<Judged, Error>;
}

impl<C: Connection> Calls for Here<'_, C> {
    fn call(&mut self, call: Call) -> Result<Judged, Error> {
        Here::call(self, call)
    }

    fn can(&mut self, can: Can) -> Result<Judged, Error> {
        Here::can(self, can)
    }

    fn can_all(&mut self, all: Vec<Can>) -> Result<Vec<Answer>, Error> {
        Here::can_all(self, all)
    }

    fn all(&mut self, calls: Vec<Call>) -> Result<Judged, Error> {
        Here::all(self, calls)
    }

    fn claim(&mut self, call: &Call) -> Result<Claimed, Error> {
        Here::claim(self, call)
    }

    fn leave(&mut self, claimed: Claimed) -> Result<(), Error> {
        Here::leave(self, claimed)
    }

    fn refused(&mut self, refusal: Box<KeptRefusal>) -> Result<Judged, Error> {
        Here::refused(self, refusal)
    }
}

struct Tx<'j, T>(&'j Joining, T);

impl Inside for Tx<'_, &rusqlite::Transaction<'_>> {
    fn write(&mut self, sql: &str) -> Result<(), AnyError> {
        Ok(self.1.execute_batch(sql)?)
    }

    fn call(&mut self, call: Call) -> Result<Judged, Error> {
        join::rusqlite::on(self.0, "t1", self.1)?.call(call)
    }

    fn claim(&mut self, call: &Call) -> Result<Claimed, Error> {
        join::rusqlite::on(self.0, "t1", self.1)?.claim(call)
    }
}

impl Inside for Tx<'_, &mut postgres::Transaction<'_>> {
    fn write(&mut self, sql: &str) -> Result<(), AnyError> {
        Ok(self.1.batch_execute(sql)?)
    }

    fn call(&mut self, call: Call) -> Result<Judged, Error> {
        join::postgres::on(self.0, "t1", self.1)?.call(call)
    }

    fn claim(&mut self, call: &Call) -> Result<Claimed, Error> {
        join::postgres::on(self.0, "t1", self.1)?.claim(call)
    }
}

impl Inside for Tx<'_, &mut mysql::Transaction<'_>> {
    fn write(&mut self, sql: &str) -> Result<(), AnyError> {
        Ok(self.1.query_drop(sql)?)
    }

    fn call(&mut self, call: Call) -> Result<Judged, Error> {
        join::mysql::on(self.0, "t1", self.1)?.call(call)
    }

    fn claim(&mut self, call: &Call) -> Result<Claimed, Error> {
        join::mysql::on(self.0, "t1", self.1)?.claim(call)
    }
}

impl Client {
    /// Runs work in a transaction by the driver's own helper.
    pub(crate) fn run<T>(
        &mut self,
        joining: &Joining,
        mut work: impl FnMut(&mut dyn Inside) -> Result<End<T>, AnyError>,
    ) -> Result<T, AnyError> {
        match self {
            Self::Sqlite(conn) => join::rusqlite::run(conn, |tx| work(&mut Tx(joining, tx))),
            Self::Postgres(client) => join::postgres::run(client, |tx| work(&mut Tx(joining, tx))),
            Self::Mysql(conn) => join::mysql::run(conn, |tx| work(&mut Tx(joining, tx))),
        }
    }

    /// Whatever transaction the connection is in.
    pub(crate) fn on<T>(&mut self, joining: &Joining, work: impl FnOnce(&mut dyn Calls) -> T) -> T {
        match self {
            Self::Sqlite(conn) => work(&mut join::rusqlite::on(joining, "t1", conn).unwrap()),
            Self::Postgres(client) => work(&mut join::postgres::on(joining, "t1", client).unwrap()),
            Self::Mysql(conn) => work(&mut join::mysql::on(joining, "t1", conn).unwrap()),
        }
    }

    pub(crate) fn call(&mut self, joining: &Joining, call: Call) -> Result<Judged, Error> {
        self.on(joining, |here| here.call(call))
    }

    pub(crate) fn say(&mut self, sql: &str) -> Result<(), AnyError> {
        match self {
            Self::Sqlite(conn) => Ok(conn.execute_batch(sql)?),
            Self::Postgres(client) => Ok(client.batch_execute(sql)?),
            Self::Mysql(conn) => Ok(conn.query_drop(sql)?),
        }
    }

    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(conn) => conn.query_row(sql, [], |row| row.get(0)).unwrap(),
            Self::Postgres(client) => client.query_one(sql, &[]).unwrap().get(0),
            Self::Mysql(conn) => conn.query_first(sql).unwrap().unwrap(),
        }
    }

    /// Waits for other transactions no longer than a moment.
    pub(crate) fn hurry(&mut self) {
        match self {
            Self::Sqlite(conn) => conn.busy_timeout(std::time::Duration::from_millis(200)).unwrap(),
            Self::Postgres(client) => client.batch_execute("SET lock_timeout = 200").unwrap(),
            Self::Mysql(conn) => conn.query_drop("SET SESSION innodb_lock_wait_timeout = 1, lock_wait_timeout = 1").unwrap(),
        }
    }
}

/// A connection, with a setting said on it.
pub(crate) fn connect(url: &str, session: &str) -> Client {
    try_connect(url, session).unwrap()
}

/// The same, where there may be no server.
pub(crate) fn try_connect(url: &str, session: &str) -> Result<Client, AnyError> {
    Ok(match Dialect::named(url.split(':').next().unwrap()).unwrap() {
        Dialect::Sqlite => {
            let conn = rusqlite::Connection::open(url.strip_prefix("sqlite://").unwrap())?;
            conn.busy_timeout(patience())?;
            Client::Sqlite(conn)
        }
        Dialect::Postgres => {
            let config = postgres::Config::from_str(url)?;
            let mut client = config.connect(postgres::NoTls)?;
            client.batch_execute(session)?;
            Client::Postgres(client)
        }
        Dialect::Mysql => {
            let mut conn = mysql::Conn::new(mysql::Opts::from_url(url)?)?;
            if !session.is_empty() {
                conn.query_drop(session)?;
            }
            Client::Mysql(conn)
        }
    })
}

/// Runs a statement on a server by a connection of its own.
pub(crate) fn tell(url: &str, sql: &str) -> Result<(), String> {
    let mut conn = hos_drivers::connector(url).unwrap().connect(patience()).map_err(|e| e.message)?;
    conn.say(sql).map_err(|e| e.message)
}

/// The first column of a statement's rows, as the engine's own connection sees them.
pub(crate) fn count(url: &str, sql: &str) -> usize {
    let mut rows = 0;
    let mut conn = hos_drivers::connector(url).unwrap().connect(patience()).map_err(|e| e.message).unwrap();
    conn.query(sql, &[], &mut |_| {
        rows += 1;
        ControlFlow::Continue(())
    })
    .map_err(|e| e.message)
    .unwrap();
    rows
}
