//! A whole step over a connection of ours: the driver for programs that speak to the database by this engine's own clients.

use super::{Asked, Joined, Next, Outcome};
use crate::Failure;
use crate::store::Statement;
use crate::store::server::{ClientError, Connection, Trouble};
use crate::store::sql::dialect::say;
use crate::store::{Sql, StoreError};
use hos_core::refusal::Code;
use std::ops::ControlFlow;

impl Joined {
    /// Runs a step to its end in the transaction that the connection is in; the caller commits, or rolls back where it failed: part
    /// of what it writes may be there then. A failure with the code [`Code::Retry`] is one of the database's that goes by: the
    /// transaction is rolled back and begun again.
    pub fn over(&self, connection: &mut dyn Connection, asked: Asked) -> Result<Outcome, Failure> {
        let mut step = self.step(asked, Some(true))?;
        let mut next = step.go(self, Vec::new());
        loop {
            match next {
                Next::Need(asks) => {
                    let rows =
                        asks.iter().map(|ask| self.run(connection, &ask.statement, ask.reads)).collect::<Result<_, _>>()?;
                    next = step.go(self, rows);
                }
                Next::Settle(statements, outcome) => {
                    for statement in &statements {
                        self.run(connection, statement, false)?;
                    }
                    return Ok(*outcome);
                }
                Next::Claimed(_) => return Err(Failure::new(Code::CallMalformed, "a claim is no step with an answer")),
            }
        }
    }

    fn run(&self, connection: &mut dyn Connection, statement: &Statement, reads: bool) -> Result<Vec<Vec<Sql>>, Failure> {
        let said = say(statement, self.dialect(), self.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        let mut rows = Vec::new();
        let done = if reads {
            connection.query(&said.sql, &params, &mut |cells| {
                rows.push(cells);
                ControlFlow::Continue(())
            })
        } else {
            connection.execute(&said.sql, &params).map(drop)
        };
        done.map(|()| rows).map_err(|error| told(error, statement).into())
    }
}

fn told(error: ClientError, statement: &Statement) -> StoreError {
    match error.trouble {
        // In a host's transaction a lock that took too long is no fault either: it begins again.
        Trouble::Retry | Trouble::Busy => StoreError::new(Code::Retry, error.message),
        _ => error.into_store(&format!("`{}` failed", statement.sql)),
    }
}
