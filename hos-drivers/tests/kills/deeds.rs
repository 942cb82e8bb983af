//! What one transaction of a host's does: its own rows, and the calls that go with them.

use crate::world::client::{Client, Inside};
use crate::world::{birth, go, law, once, root};
use hos_core::call::{Call, Transition};
use hos_core::id::Tenant;
use hos_core::law::Law;
use hos_core::refusal::Code;
use hos_drivers::join::{AnyError, Claimed, Dialect, End, Error, Joining, Judged};
use hos_engine::Failure;
use hos_engine::joined::{Asked, Joined, Next, Outcome};
use hos_engine::store::server::{ClientError, Connection, Connector, Trouble};
use hos_engine::store::sql::dialect::say as said;
use hos_engine::store::{Sql, Statement};
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use super::mortal::Mortal;
use super::say;

/// How many instances all processes write to.
pub(crate) const HOT: u64 = 4;

/// The smallest law, with an event that can happen for ever, and a deadline that never comes: workers' clocks are hours apart.
pub(crate) fn law() -> Law {
    law::law_but(|path, text| match path {
        "schema.cedarschema" => text.replace("\"o.new\",", "\"o.new\",\"o.turn\","),
        "contracts/o.toml" => {
            text.replace("[event.late]", "[event.turn]\nfrom=[\"a\"]\nto=\"a\"\n[event.late]").replace("PT1H", "PT90000H")
        }
        _ => text,
    })
}

/// What a transaction does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// A new instance, and the host's order.
    Birth,
    /// An event of an instance that all write to, and the host's payment.
    Turn(u64),
    /// Both.
    Both(u64),
    /// Both, and the host thinks better of it.
    Back(u64),
    /// Refused, and the host commits nonetheless.
    Refused,
}

/// A part of a deed: the call, and the host's own row.
pub(crate) struct Part {
    /// The once-key.
    pub(crate) key: String,
    pub(crate) call: Call,
    pub(crate) row: String,
}

impl Deed {
    pub(crate) fn parts(self, name: &str) -> Vec<Part> {
        match self {
            Self::Birth => vec![part(&format!("{name}.b"))],
            Self::Turn(hot) => vec![part(&format!("{name}.{hot}"))],
            Self::Both(hot) | Self::Back(hot) => vec![part(&format!("{name}.b")), part(&format!("{name}.{hot}"))],
            Self::Refused => vec![part(&format!("{name}.r"))],
        }
    }
}

/// The part that has this key: `w3-17.b` is a birth, `w3-17.2` an event of the instance `hot2.b`, `w3-17.r` what is refused.
pub(crate) fn part(key: &str) -> Part {
    let (call, row) = match key.rsplit_once('.').unwrap().1 {
        "b" => (birth(key), format!("INSERT INTO orders VALUES ('{key}', 'a')")),
        "r" => (go("none"), String::new()),
        hot => {
            let id = format!("hot{hot}.b");
            let row = format!("INSERT INTO pays VALUES ('{id}', '{key}')");
            (Call::Transition(Transition::new(root(), "o", &id, "turn").unwrap()), row)
        }
    };
    Part { call: once(call, key), key: key.to_owned(), row }
}

/// What is to be said of a transaction once it has ended: `ack KEY RECEIPT`, `not KEY`.
pub(crate) type Lines = Vec<String>;

/// Does a deed in a transaction.
pub(crate) fn perform(tx: &mut dyn Inside, deed: Deed, name: &str) -> Result<End<Lines>, AnyError> {
    let mut lines = Vec::new();
    for Part { key, call, row } in deed.parts(name) {
        let judged = tx.call(call)?;
        if matches!(deed, Deed::Refused) {
            assert!(!judged.allowed, "{judged:?}", judged = judged.answer);
            return Ok(End::Commit(vec![format!("not {key}")]));
        }
        assert!(judged.allowed, "{key}: {:?}", judged.blockers);
        if !judged.again {
            tx.write(&row)?;
        }
        lines.push(format!("ack {key} {}", judged.receipt.as_ref().unwrap().record));
    }
    if matches!(deed, Deed::Back(_)) {
        return Ok(End::Rollback(deed.parts(name).iter().map(|part| format!("not {}", part.key)).collect()));
    }
    Ok(End::Commit(lines))
}

/// A host whose transactions go by a driver, or by the rounds themselves on a connection that may be its end.
pub(crate) enum Host {
    Driver(Box<ByDriver>),
    Rounds(Box<ByRounds>),
}

pub(crate) struct ByDriver {
    url: String,
    session: String,
    joining: Joining,
    client: Option<Client>,
}

pub(crate) struct ByRounds {
    server: Mortal,
    session: String,
    joined: Joined,
    connection: Option<Box<dyn Connection>>,
    /// Planted: what is not committed yet is acknowledged.
    early: bool,
}

impl Host {
    pub(crate) fn driver(url: &str, session: &str) -> Self {
        let dialect = Dialect::named(url.split(':').next().unwrap()).unwrap();
        let joining = Joining::open(hos_engine::Engine::builder(), dialect);
        Self::Driver(Box::new(ByDriver { url: url.to_owned(), session: session.to_owned(), joining, client: None }))
    }

    pub(crate) fn rounds(server: Mortal, session: &str, early: bool) -> Self {
        let dialect = server.dialect();
        let joined = Joined::open(hos_engine::Engine::builder(), dialect, dialect.places());
        Self::Rounds(Box::new(ByRounds { server, session: session.to_owned(), joined, connection: None, early }))
    }

    /// One transaction. After an error the connection is not used again: what was not committed goes with it.
    pub(crate) fn transact(&mut self, deed: Deed, name: &str) -> Result<Lines, AnyError> {
        match self {
            Self::Driver(host) => host.transact(deed, name),
            Self::Rounds(host) => host.transact(deed, name),
        }
    }
}

impl ByDriver {
    fn transact(&mut self, deed: Deed, name: &str) -> Result<Lines, AnyError> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => crate::world::client::try_connect(&self.url, &self.session)?,
        };
        let lines = client.run(&self.joining, |tx| perform(tx, deed, name))?;
        self.client = Some(client);
        Ok(lines)
    }
}

impl ByRounds {
    fn transact(&mut self, deed: Deed, name: &str) -> Result<Lines, AnyError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        connection.say("BEGIN").map_err(Met)?;
        let lines = match perform(&mut Rounds { connection: &mut *connection, joined: &self.joined }, deed, name)? {
            End::Commit(lines) => {
                if self.early {
                    lines.iter().for_each(|line| say(line));
                }
                connection.say("COMMIT").map_err(Met)?;
                lines
            }
            End::Rollback(lines) => {
                connection.say("ROLLBACK").map_err(Met)?;
                lines
            }
        };
        self.connection = Some(connection);
        Ok(lines)
    }

    fn connect(&self) -> Result<Box<dyn Connection>, AnyError> {
        let mut connection = self.server.connect(Duration::from_secs(20)).map_err(Met)?;
        // Of a file it is the journal that it was made with.
        if !self.session.is_empty() && self.server.dialect() != Dialect::Sqlite {
            connection.say(&self.session).map_err(Met)?;
        }
        Ok(connection)
    }
}

/// The rounds of a call on a connection: the same few lines that each language's driver is.
struct Rounds<'h> {
    connection: &'h mut dyn Connection,
    joined: &'h Joined,
}

impl Rounds<'_> {
    fn run(&mut self, statement: &Statement, reads: bool) -> Result<Vec<Vec<Sql>>, Error> {
        let said = said(statement, self.joined.dialect(), self.joined.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        let mut rows = Vec::new();
        if reads {
            let take = &mut |cells| {
                rows.push(cells);
                ControlFlow::Continue(())
            };
            self.connection.query(&said.sql, &params, take).map_err(failure)?;
        } else {
            self.connection.execute(&said.sql, &params).map_err(failure)?;
        }
        Ok(rows)
    }
}

impl Inside for Rounds<'_> {
    fn write(&mut self, sql: &str) -> Result<(), AnyError> {
        Ok(self.connection.say(sql).map_err(Met)?)
    }

    fn call(&mut self, call: Call) -> Result<Judged, Error> {
        let inside = (self.joined.dialect() != Dialect::Postgres).then_some(true);
        let mut step = self.joined.step(Asked::Call(Tenant::new("t1").unwrap(), Box::new(call), Vec::new()), inside);
        let mut next = step.go(self.joined, Vec::new());
        loop {
            match next {
                Next::Need(asks) => {
                    let rows = asks.iter().map(|ask| self.run(&ask.statement, ask.reads)).collect::<Result<_, _>>()?;
                    next = step.go(self.joined, rows);
                }
                Next::Settle(statements, outcome) => {
                    for statement in &statements {
                        self.run(statement, false)?;
                    }
                    let Outcome { earlier, answer, refusal } = *outcome;
                    return Ok(Judged { earlier, answer: answer?, refusal });
                }
                Next::Claimed(_) | Next::Answered(_) | Next::Learned => panic!("a call came to no answer of its own"),
            }
        }
    }

    fn claim(&mut self, _: &Call) -> Result<Claimed, Error> {
        panic!("no deed claims")
    }
}

fn failure(error: ClientError) -> Error {
    let code = match error.trouble {
        Trouble::Retry | Trouble::Busy => Code::Retry,
        Trouble::Lost | Trouble::Unavailable => Code::StoreUnavailable,
        _ => Code::Internal,
    };
    Failure::new(code, error.message).into()
}

/// What a connection met.
#[derive(Debug)]
pub(crate) struct Met(pub(crate) ClientError);

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.trouble, self.0.message)
    }
}

impl std::error::Error for Met {}
