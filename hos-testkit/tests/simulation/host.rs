//! A transaction of the world's own, in which an engine judges: its statements one by one on the process's own connection.

use super::rig::Life;
use crate::words;
use hos_core::answer::Answer;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::joined::{Asked, Next};
use hos_engine::store::server::{ClientError, Connection, Trouble};
use hos_engine::store::sql::dialect::say;
use hos_engine::store::{Sql, Statement};
use hos_testkit::simulation::Transaction;
use std::ops::ControlFlow;
use std::time::Duration;

/// How often a host begins its transaction anew when the database wants it so.
const ATTEMPTS: usize = 50;

/// What a host heard.
pub(crate) struct Hosted {
    /// An answer for each call.
    pub(crate) answers: Vec<Answer>,
    /// Whether the transaction was committed.
    pub(crate) committed: bool,
}

/// Why a transaction came to no end.
enum Ended {
    /// It is begun anew.
    Again,
    Failed(Failure),
}

/// The whole transaction, begun anew as often as the database wants it.
pub(crate) fn carried_out(life: &Life, of: &Transaction) -> Result<Hosted, Failure> {
    let mut conn = life.line.connect(Duration::ZERO).map_err(failure)?;
    for _ in 0..ATTEMPTS {
        match attempt(life, of, &mut *conn) {
            Ok(hosted) => return Ok(hosted),
            Err(Ended::Again) => _ = conn.say("ROLLBACK"),
            Err(Ended::Failed(failure)) => {
                let _ = conn.say("ROLLBACK");
                return Err(failure);
            }
        }
    }
    Err(Failure::new(Code::Retry, "the transaction was begun anew too often"))
}

fn attempt(life: &Life, of: &Transaction, conn: &mut dyn Connection) -> Result<Hosted, Ended> {
    conn.say(if of.immediate { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" }).map_err(told)?;
    let mut answers = Vec::with_capacity(of.calls.len());
    for given in &of.calls {
        let (tenant, call) = words::call(given);
        let mut step = life.joined.step(Asked::Call(tenant, Box::new(call), Vec::new()), Some(true));
        let mut next = step.go(&life.joined, Vec::new());
        loop {
            match next {
                Next::Need(asks) => {
                    let mut rows = Vec::with_capacity(asks.len());
                    for ask in &asks {
                        rows.push(run(life, conn, &ask.statement, ask.reads).map_err(told)?);
                    }
                    next = step.go(&life.joined, rows);
                }
                Next::Settle(statements, outcome) => {
                    for statement in &statements {
                        run(life, conn, statement, false).map_err(told)?;
                    }
                    match outcome.answer {
                        Ok(answer) => answers.push(answer),
                        Err(failure) if failure.code == Code::Retry => return Err(Ended::Again),
                        Err(failure) => return Err(Ended::Failed(failure)),
                    }
                    break;
                }
                Next::Claimed(_) | Next::Answered(_) | Next::Learned => {
                    return Err(Ended::Failed(Failure::new(Code::Internal, "nothing was to be claimed")));
                }
            }
        }
    }
    conn.say(if of.commits { "COMMIT" } else { "ROLLBACK" }).map_err(|e| match (of.commits, e.trouble) {
        // Nobody knows whether it is stored.
        (true, Trouble::Lost) => Ended::Failed(Failure::new(Code::OutcomeUnknown, e.message)),
        _ => Ended::Failed(failure(e)),
    })?;
    Ok(Hosted { answers, committed: of.commits })
}

fn run(life: &Life, conn: &mut dyn Connection, statement: &Statement, reads: bool) -> Result<Vec<Vec<Sql>>, ClientError> {
    let said = say(statement, life.joined.dialect(), life.joined.places());
    let params: Vec<&Sql> = said.params(statement).collect();
    let mut rows = Vec::new();
    if reads {
        conn.query(&said.sql, &params, &mut |cells| {
            rows.push(cells);
            ControlFlow::Continue(())
        })?;
    } else {
        conn.execute(&said.sql, &params)?;
    }
    Ok(rows)
}

fn told(e: ClientError) -> Ended {
    if e.trouble == Trouble::Retry { Ended::Again } else { Ended::Failed(failure(e)) }
}

fn failure(e: ClientError) -> Failure {
    e.into_store("the host's transaction").into()
}
