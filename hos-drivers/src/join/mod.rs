//! The law in the transaction that a Rust host already has.
//!
//! The host's rows, the decision, the move, its evidence and its once-key are one commit, or none. One [`Joining`] serves a
//! process; in each transaction, `on` of the client's module gives a [`Here`] that judges in it:
//!
//! | module | in |
//! |---|---|
//! | [`rusqlite`] | a `rusqlite::Transaction`, or any `Connection` that is in a transaction |
//! | [`postgres`] | a `postgres::Transaction` or `Client` |
//! | [`mysql`] | a `mysql::Transaction`, `Conn` or `PooledConn` |
//! | [`tokio_postgres`] | a `tokio_postgres::Transaction` or `Client`, async; behind the feature of this name |
//!
//! ```no_run
//! use hos_core::call::Transition;
//! use hos_core::id::Uid;
//! use hos_drivers::join::{self, Dialect, Joining};
//!
//! # fn main() -> Result<(), join::AnyError> {
//! let law = Joining::open(hos_engine::Engine::builder().law_dir("law")?, Dialect::Sqlite);
//! let mut conn = rusqlite::Connection::open("shop.db")?;
//! let paid = join::rusqlite::run(&mut conn, |tx| {
//!     tx.execute("UPDATE products SET stock = stock - 1 WHERE id = 17", [])?;
//!     let ayse = Uid::new("Pazar::Account", "ayse")?;
//!     let pay = Transition::new(ayse, "order", "o-17", "pay")?.arg("amount", 4200).once("psp-evt-9")?;
//!     Ok(join::rusqlite::on(&law, "pazar-tr", tx)?.transition(pay)?.end())    // allowed: commit; refused: roll back
//! })?;
//! println!("{}", paid.allowed);                               // stock, state, evidence, once-key: together
//! # Ok(())
//! # }
//! ```
//!
//! # Promises
//!
//! - A connection that is in no transaction is refused (`hos.no_transaction`): each database is asked itself.
//!   Only a question (`can`, `can_all`) needs none, and leaves none behind: without autocommit MySQL would begin one with it.
//!   What MySQL was told of the next transaction alone (`SET TRANSACTION` without `SESSION`) it may use up, as any `SELECT` would.
//! - Statements run on the host's connection and nowhere else, and no setting of it outlives a call.
//! - An error of the database ends the call; the host rolls back. [`Error::is_retry`] says that its whole transaction may be begun
//!   again, which `run` does for it, a few times, after a short pause. Nothing else is tried again here.
//! - `run` says that all is stored only of the transaction that the work ran in: one in which a statement has failed (PostgreSQL rolls
//!   it back and calls that no error), or that has ended (MySQL's, by a deadlock that the work passed over), is an error, be it that
//!   another was begun in its place.
//! - A COMMIT that the server did not answer is an error with the code `hos.outcome_unknown`: the same work under the same once-key
//!   finds out what came of it. Its connection is none to go on with.
//! - A refused call leaves nothing of itself, though the host commits. What may become evidence of it comes with the answer
//!   ([`Judged::refusal`]), for [`Here::refused`] in another transaction.
//! - COMMIT POINT: the host's. Records are sealed by `hos work` afterwards, so receipts are pending until then.

mod error;
pub mod mysql;
pub mod postgres;
mod retry;
pub mod rusqlite;
mod shadow;
#[cfg(feature = "tokio-postgres")]
pub mod tokio_postgres;

pub use error::{AnyError, Error};
pub use hos_engine::joined::KeptRefusal;
pub use hos_engine::store::sql::dialect::Dialect;
#[cfg(feature = "tokio-postgres")]
pub use retry::Tries;
pub use retry::{End, TRIES};

use hos_core::answer::Answer;
use hos_core::call::{Adopt, Begin, Call, Can, Directory, LegacyLog, Note, Transition};
use hos_core::id::Tenant;
use hos_core::refusal::Code;
use hos_engine::joined::{Asked, Joined, Outcome, Over, Rows, Speaker};
use hos_engine::store::server::Several;
use hos_engine::store::sql::dialect::{self, say};
use hos_engine::store::{Sql, Statement};
use hos_engine::{Builder, Failure};
use std::ops::Deref;

/// What judges in a host's transactions: one for a process, shared by its threads. It has no connection; nothing is read before the
/// first call.
pub struct Joining(Joined);

impl Joining {
    /// Takes a builder's law (if given, it must be the active one), clock and settings.
    pub fn open(builder: Builder, dialect: Dialect) -> Self {
        Self(Joined::open(builder, dialect, dialect.places()))
    }

    /// The active law, as this process last saw it.
    pub fn law(&self) -> Option<std::sync::Arc<hos_core::law::Law>> {
        self.0.law()
    }

    /// How often a database was asked something for a call, and waited for, by the clients that wait ([`tokio_postgres`] sends all of
    /// a round at once, and is not counted).
    pub fn exchanges(&self) -> u64 {
        self.0.exchanges()
    }

    fn tenant(&self, name: &str, speaks: Dialect) -> Result<Tenant, Error> {
        let ours = self.0.dialect();
        if ours != speaks {
            let message = format!("a connection of {} was given where {} was opened", speaks.name(), ours.name());
            return Err(Failure::new(Code::CallMalformed, message).into());
        }
        Ok(Tenant::new(name).map_err(Failure::from)?)
    }

    fn said(&self, statement: &Statement, reads: bool) -> Said {
        let said = say(statement, self.0.dialect(), self.0.places());
        Said { params: said.params(statement).cloned().collect(), sql: said.sql.clone(), reads }
    }
}

/// A statement in the database's words.
pub struct Said {
    pub(crate) sql: String,
    pub(crate) params: Vec<Sql>,
    /// Whether its rows are wanted.
    pub(crate) reads: bool,
}

/// A connection of the host's, in a transaction of the host's.
pub trait Connection {
    /// Whether it is in a transaction.
    fn inside(&mut self) -> Result<bool, Error>;

    /// Whether what is read next begins a transaction by itself: there is none, and nothing commits by itself here. Nothing can be
    /// written in it then.
    fn reads(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Runs a statement; its rows, where they are wanted.
    fn rows(&mut self, said: &Said) -> Result<Vec<Vec<Sql>>, Error>;

    /// Runs several statements that stand in one text, where the database takes such.
    fn several(&mut self, text: &str) -> Result<Several, Error>;
}

/// What a call came to in a host's transaction. It reads as its answer does.
#[must_use = "a refusal is an answer, and no error"]
pub struct Judged {
    /// Of several calls ([`Here::all`]): the answers before the last one.
    pub earlier: Vec<Answer>,
    /// The answer.
    pub answer: Answer,
    /// Of a refusal: what may become evidence of it, by [`Here::refused`] after the rollback.
    pub refusal: Option<Box<KeptRefusal>>,
}

impl Judged {
    /// Allowed: commit. Refused: roll back. For `run`.
    pub fn end(self) -> End<Self> {
        if self.answer.allowed { End::Commit(self) } else { End::Rollback(self) }
    }
}

impl Deref for Judged {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

/// What was claimed for a call that is still to be made; see [`Here::claim`].
#[must_use = "what is claimed is called, or left"]
pub struct Claimed(Vec<Said>);

/// One tenant, in one transaction of the host's. Calls are made after the host's own writes, as many as it likes.
pub struct Here<'j, C> {
    joining: &'j Joining,
    tenant: Tenant,
    connection: C,
}

/// Whether it only reads, and needs no transaction.
fn is_question(asked: &Asked) -> bool {
    matches!(asked, Asked::Can(..) | Asked::CanAll(..) | Asked::Law)
}

/// What a step came to.
enum Came {
    Judged(Box<Judged>),
    Answered(Vec<Answer>),
    Claimed(Claimed),
    Learned,
}

impl Came {
    /// What comes of one call, or of one question.
    fn judged(self) -> Result<Judged, Error> {
        if let Came::Judged(judged) = self { Ok(*judged) } else { Err(Self::other()) }
    }

    /// What comes of several questions.
    fn answers(self) -> Result<Vec<Answer>, Error> {
        if let Came::Answered(answers) = self { Ok(answers) } else { Err(Self::other()) }
    }

    fn claimed(self) -> Result<Claimed, Error> {
        if let Came::Claimed(claimed) = self { Ok(claimed) } else { Err(Self::other()) }
    }

    fn other() -> Error {
        Failure::new(Code::Internal, "a step came to what was not asked of it").into()
    }
}

impl<C: Connection> Here<'_, C> {
    /// May this principal do this to that?
    pub fn can(&mut self, can: Can) -> Result<Judged, Error> {
        if can.by.legacy.is_some() {
            return self.can_in_shadow(&can);
        }
        self.judged(Asked::Can(self.tenant.clone(), Box::new(can)))
    }

    /// Several questions, over one directory and one law, answered in their order. Where one of them carries the world's own
    /// answer, each is asked by itself.
    pub fn can_all(&mut self, all: Vec<Can>) -> Result<Vec<Answer>, Error> {
        // One that fails must harm neither the host's transaction nor the others.
        if all.iter().any(|can| can.by.legacy.is_some()) {
            return all.into_iter().map(|can| self.can(can).map(|judged| judged.answer)).collect();
        }
        self.go(Asked::CanAll(self.tenant.clone(), all))?.answers()
    }

    /// A birth.
    pub fn begin(&mut self, call: Begin) -> Result<Judged, Error> {
        self.call(Call::Begin(call))
    }

    /// An event or an override.
    pub fn transition(&mut self, call: Transition) -> Result<Judged, Error> {
        self.call(Call::Transition(call))
    }

    /// A free record.
    pub fn record(&mut self, call: Note) -> Result<Judged, Error> {
        self.call(Call::Note(call))
    }

    /// A directory change.
    pub fn directory(&mut self, call: Directory) -> Result<Judged, Error> {
        self.call(Call::Directory(call))
    }

    /// An existing row brought in.
    pub fn adopt(&mut self, call: Adopt) -> Result<Judged, Error> {
        self.call(Call::Adopt(call))
    }

    /// What an older log tells of an instance.
    pub fn legacy(&mut self, call: LegacyLog) -> Result<Judged, Error> {
        self.call(Call::LegacyLog(call))
    }

    /// Any call. One in shadow waits for `hos work` to judge it; the world's own outcome is its answer, whatever fails here.
    pub fn call(&mut self, call: Call) -> Result<Judged, Error> {
        if call.by().legacy.is_some() {
            return self.in_shadow(call);
        }
        self.judged(Asked::Call(self.tenant.clone(), Box::new(call), Vec::new()))
    }

    /// Several calls, judged in their order as one: all of it is written, or nothing, in the exchanges of one call. They are births,
    /// events, adoptions and free records, at most 16, none in shadow, and no two about the same instance or under the same once-key.
    /// The answer is the last one's, or the first that is no.
    pub fn all(&mut self, calls: Vec<Call>) -> Result<Judged, Error> {
        self.judged(Asked::All(self.tenant.clone(), calls))
    }

    /// Claims what a call is about (its once-key, its instance, its directory row), for a host that reads its own rows for the
    /// call's arguments: they stand still until the transaction ends. The call follows, or [`Here::leave`].
    pub fn claim(&mut self, call: &Call) -> Result<Claimed, Error> {
        self.go(Asked::Claim(self.tenant.clone(), Box::new(call.clone())))?.claimed()
    }

    /// The call that was claimed for is not made; nothing of the claim is left, though the host commits.
    pub fn leave(&mut self, claimed: Claimed) -> Result<(), Error> {
        claimed.0.iter().try_for_each(|said| self.connection.rows(said).map(drop))
    }

    /// Makes evidence of a refusal, in a transaction after the one that was rolled back.
    pub fn refused(&mut self, refusal: Box<KeptRefusal>) -> Result<Judged, Error> {
        self.judged(Asked::Refused(refusal))
    }

    fn judged(&mut self, asked: Asked) -> Result<Judged, Error> {
        self.go(asked)?.judged()
    }

    fn go(&mut self, asked: Asked) -> Result<Came, Error> {
        let begins = if is_question(&asked) { None } else { Some(false) };
        let mut speaking = Speaking { connection: &mut self.connection, begins };
        let over = self.joining.0.run(&mut speaking, asked);
        if speaking.begins == Some(true) {
            // Nobody else would end it. On a connection that is lost it is gone.
            let _ = self.connection.rows(&shadow::plain("ROLLBACK", false));
        }
        match over? {
            Over::Judged(outcome) => {
                let Outcome { earlier, answer, refusal } = *outcome;
                Ok(Came::Judged(Box::new(Judged { earlier, answer: answer?, refusal })))
            }
            Over::Answered(answers) => Ok(Came::Answered(answers)),
            Over::Claimed(leave) => {
                let leave = leave.iter().map(|statement| self.joining.said(statement, false));
                Ok(Came::Claimed(Claimed(leave.collect())))
            }
            Over::Learned => Ok(Came::Learned),
        }
    }
}

/// The host's connection, as a step's rounds are run on it.
struct Speaking<'c, C> {
    connection: &'c mut C,
    /// Whether a transaction is its own to end, of which it is found out before the first statement.
    begins: Option<bool>,
}

impl<C: Connection> Speaking<'_, C> {
    /// The connection, before a statement.
    fn ready(&mut self) -> Result<&mut C, Error> {
        if self.begins.is_none() {
            self.begins = Some(self.connection.reads()?);
        }
        Ok(&mut *self.connection)
    }
}

impl<C: Connection> Speaker for Speaking<'_, C> {
    type Error = Error;
    const WARY: bool = true;

    fn inside(&mut self) -> Result<bool, Error> {
        self.connection.inside()
    }

    fn one(&mut self, said: &dialect::Said, params: &[&Sql], reads: bool) -> Result<Rows, Error> {
        let params = params.iter().copied().cloned().collect();
        self.ready()?.rows(&Said { sql: said.sql.clone(), params, reads })
    }

    fn several(&mut self, text: &str) -> Result<Several, Error> {
        self.ready()?.several(text)
    }

    fn say(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.rows(&shadow::plain(sql, false)).map(drop)
    }
}
