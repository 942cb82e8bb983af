//! A whole step over one connection: its rounds and what it settles to, in as few exchanges as the database allows.
//!
//! | database | a round | what is written |
//! |---|---|---|
//! | PostgreSQL | one text, a result for each statement that reads | one text |
//! | MariaDB | one compound statement, a result for each that reads | one compound statement |
//! | MySQL, SQLite | a statement at a time | a statement at a time |
//!
//! So a step takes two exchanges in the usual case: one that claims and reads, and one that writes.

use super::{Asked, Joined, Next, Outcome, probe};
use crate::Failure;
use crate::store::host::Ask;
use crate::store::server::{ClientError, Connection, Several, Trouble};
use crate::store::sql::dialect::{Dialect, Said, say};
use crate::store::{Sql, Statement, StoreError, together};
use hos_core::answer::Answer;
use hos_core::refusal::Code;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

/// The rows of a statement.
pub type Rows = Vec<Vec<Sql>>;

/// A connection that is in a transaction, by whichever client.
pub trait Speaker {
    /// What it fails with.
    type Error: From<Failure>;

    /// Whether nothing is believed of the transaction: that there is one is asked, and what is written is written whole or not at
    /// all, whatever becomes of the transaction after an error.
    const WARY: bool;

    /// Whether there is a transaction.
    fn inside(&mut self) -> Result<bool, Self::Error>;

    /// Runs a statement; its rows, where they are wanted.
    fn one(&mut self, said: &Said, params: &[&Sql], reads: bool) -> Result<Rows, Self::Error>;

    /// Runs several statements that stand in one text, without parameters.
    fn several(&mut self, text: &str) -> Result<Several, Self::Error>;

    /// Runs a statement about the transaction itself.
    fn say(&mut self, sql: &str) -> Result<(), Self::Error>;
}

/// How a step ended.
pub enum Over {
    /// With an answer.
    Judged(Box<Outcome>),
    /// With several; see [`Next::Answered`].
    Answered(Vec<Answer>),
    /// It is claimed; see [`Next::Claimed`].
    Claimed(Vec<Statement>),
    /// The law was read; see [`Next::Learned`].
    Learned,
}

impl Joined {
    /// Runs a step to its end in the transaction that the connection is in; the caller commits, or rolls back where it failed: part
    /// of what it writes may be there then. A failure with the code [`Code::Retry`] is one of the database's that goes by: the
    /// transaction is rolled back and begun again.
    pub fn over(&self, connection: &mut dyn Connection, asked: Asked) -> Result<Outcome, Failure> {
        match self.run(&mut Ours(connection), asked)? {
            Over::Judged(outcome) => Ok(*outcome),
            Over::Answered(_) | Over::Claimed(_) | Over::Learned => Err(Failure::new(
                Code::CallMalformed,
                "a claim, several questions, or reading the law is no step with one answer",
            )),
        }
    }

    /// The same by any client.
    pub fn run<S: Speaker>(&self, speaker: &mut S, asked: Asked) -> Result<Over, S::Error> {
        let mut texts = self.takes_texts();
        // A question needs no transaction. Whether there is one for anything else is asked in the first text, where there is one.
        let (inside, mut sure) = match (&asked, texts) {
            (Asked::Can(..) | Asked::CanAll(..) | Asked::Law, _) => (None, true),
            (_, true) => (Some(true), !S::WARY),
            (_, false) => (Some(speaker.inside()?), true),
        };
        let mut step = self.step(asked, inside);
        let (mut rows, mut took) = (Vec::new(), false);
        loop {
            match step.go(self, std::mem::take(&mut rows)) {
                Next::Need(asks) => {
                    let text = if texts { together::listed(&asks, self.dialect(), !sure) } else { None };
                    // What is better run one by one says nothing of the next round.
                    let dealt = text.map(|text| self.dealt(speaker, &asks, &text)).transpose()?;
                    texts &= dealt.as_ref().is_none_or(Option::is_some);
                    rows = match dealt.flatten() {
                        Some(rows) => {
                            took = true;
                            rows
                        }
                        None => {
                            if !sure && !speaker.inside()? {
                                return Err(probe::outside().into());
                            }
                            asks.iter().map(|ask| self.one(speaker, &ask.statement, ask.reads)).collect::<Result<_, _>>()?
                        }
                    };
                    sure = true;
                }
                Next::Settle(statements, outcome) => {
                    // Why it failed may be that the session takes no such text; what takes claims back is nothing that is whole or not.
                    self.settle(speaker, &statements, texts && took && outcome.answer.is_ok())?;
                    return Ok(Over::Judged(outcome));
                }
                Next::Answered(answers) => return Ok(Over::Answered(answers)),
                Next::Claimed(leave) => return Ok(Over::Claimed(leave)),
                Next::Learned => return Ok(Over::Learned),
            }
        }
    }

    /// Whether the database takes several statements in one text, as far as is known.
    fn takes_texts(&self) -> bool {
        self.dialect() != Dialect::Sqlite && self.texts.load(Ordering::Relaxed)
    }

    /// A round by its text; nothing where it must be asked for statement by statement.
    fn dealt<S: Speaker>(&self, speaker: &mut S, asks: &[Ask], text: &str) -> Result<Option<Vec<Rows>>, S::Error> {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        match speaker.several(text)? {
            Several::Rows(results) => Ok(together::dealt(asks, self.dialect(), results).map_err(Failure::from)?),
            Several::Unknown => {
                self.texts.store(false, Ordering::Relaxed);
                Ok(None)
            }
            Several::Outside => Ok(None),
        }
    }

    fn one<S: Speaker>(&self, speaker: &mut S, statement: &Statement, reads: bool) -> Result<Rows, S::Error> {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let said = say(statement, self.dialect(), self.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        speaker.one(&said, &params, reads)
    }

    /// Writes what a step settles to. PostgreSQL's transaction ends by an error as a whole; in others a savepoint keeps what a host
    /// may commit all the same from being a part of it.
    fn settle<S: Speaker>(&self, speaker: &mut S, statements: &[Statement], text: bool) -> Result<(), S::Error> {
        if let Some(text) = if text { together::settled(statements, self.dialect()) } else { None } {
            self.exchanges.fetch_add(1, Ordering::Relaxed);
            return match speaker.several(&text)? {
                Several::Rows(_) => Ok(()),
                Several::Unknown | Several::Outside => {
                    Err(Failure::new(Code::Internal, "the connection took one text, and not the next").into())
                }
            };
        }
        let guarded = S::WARY && statements.len() > 1 && self.dialect() != Dialect::Postgres;
        if guarded {
            speaker.say("SAVEPOINT hos_settle")?;
        }
        let written = statements.iter().try_for_each(|statement| self.one(speaker, statement, false).map(drop));
        if guarded {
            let end = if written.is_ok() { "RELEASE SAVEPOINT hos_settle" } else { "ROLLBACK TO SAVEPOINT hos_settle" };
            // A deadlock took the savepoint with the transaction; the error that says so is the one to tell.
            return written.and(speaker.say(end));
        }
        written
    }
}

/// A connection of this engine's own, whose transaction the caller begins and ends.
struct Ours<'c>(&'c mut dyn Connection);

impl Speaker for Ours<'_> {
    type Error = Failure;
    const WARY: bool = false;

    fn inside(&mut self) -> Result<bool, Failure> {
        Ok(true)
    }

    fn one(&mut self, said: &Said, params: &[&Sql], reads: bool) -> Result<Rows, Failure> {
        let mut rows = Vec::new();
        let done = if reads {
            self.0.query(&said.sql, params, &mut |cells| {
                rows.push(cells);
                ControlFlow::Continue(())
            })
        } else {
            self.0.execute(&said.sql, params).map(drop)
        };
        done.map(|()| rows).map_err(|error| told(error, &said.sql))
    }

    fn several(&mut self, text: &str) -> Result<Several, Failure> {
        self.0.several(text).map_err(|error| told(error, "several statements in one text"))
    }

    fn say(&mut self, sql: &str) -> Result<(), Failure> {
        self.0.say(sql).map_err(|error| told(error, sql))
    }
}

fn told(error: ClientError, what: &str) -> Failure {
    let error = match error.trouble {
        // In a host's transaction a lock that took too long is no fault either: it begins again.
        Trouble::Retry | Trouble::Busy => StoreError::new(Code::Retry, error.message),
        _ => error.into_store(&format!("`{what}` failed")),
    };
    error.into()
}
