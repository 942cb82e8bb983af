//! A call in shadow, or a question that carries the world's own answer, must not hurt the host's transaction, whatever happens
//! to us: it stands behind a savepoint, and waits for no lock for long.

use super::{Came, Connection, Dialect, Error, Here, Joining, Judged, Said, is_question};
use hos_core::call::{Call, Can, Legacy};
use hos_core::id::Tenant;
use hos_core::judge::{self, About};
use hos_engine::joined::{Asked, Next};
use hos_engine::store::Sql;

/// Before all else of a call in shadow.
pub(super) const SET: &str = "SAVEPOINT hos_shadow";
/// Where the call is kept.
pub(super) const KEEP: &str = "RELEASE SAVEPOINT hos_shadow";
/// Where it is not.
pub(super) const UNDO: &str = "ROLLBACK TO SAVEPOINT hos_shadow";

/// How long a call in shadow waits for locks, and the host around it. What is set is set back before the call ends.
pub(super) struct Brace {
    /// As the host has it.
    pub(super) asked: &'static str,
    /// As we have it.
    pub(super) bound: &'static str,
    /// Who waits no longer than this anyway is left alone, where it is told as a number.
    pub(super) most: Option<i64>,
    /// As the host had it again, which stands for `{}`, in the order of the columns.
    pub(super) back: &'static str,
    /// Whether going back to the savepoint sets it back too.
    pub(super) undone: bool,
}

pub(super) fn brace(dialect: Dialect) -> Brace {
    match dialect {
        // A handler of the host's own is told as 0; no setting would bring it back.
        Dialect::Sqlite => Brace {
            asked: "PRAGMA busy_timeout",
            bound: "PRAGMA busy_timeout = 250",
            most: Some(250),
            back: "PRAGMA busy_timeout = {}",
            undone: false,
        },
        Dialect::Postgres => Brace {
            asked: "SELECT current_setting('lock_timeout')",
            bound: "SET LOCAL lock_timeout = '1s'",
            most: None,
            back: "SET LOCAL lock_timeout = '{}'",
            undone: true,
        },
        Dialect::Mysql => Brace {
            asked: "SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout",
            bound: "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1",
            most: Some(1),
            back: "SET SESSION lock_wait_timeout = {}, innodb_lock_wait_timeout = {}",
            undone: false,
        },
    }
}

/// Why a call in shadow came to nothing.
struct Failed {
    error: Error,
    /// Whether the host's transaction is gone: what the world did in it is undone, and to say that it stands would have the rest
    /// of the host's work committed without it.
    undone: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, undone: false }
    }
}

impl Brace {
    fn is_short(&self, told: &[Vec<Sql>]) -> bool {
        let is_short = |most: i64| told.iter().flatten().all(|cell| matches!(cell, Sql::Int(n) if *n <= most));
        self.most.is_some_and(is_short)
    }
}

/// A statement about the transaction.
pub(super) fn plain(sql: &str, reads: bool) -> Said {
    Said { sql: sql.to_owned(), params: Vec::new(), reads }
}

/// The answer to a question for which the database is not asked, since this process has read all of it a moment ago.
pub(super) fn at_hand(joining: &Joining, asked: Asked) -> Option<Judged> {
    let mut step = joining.0.step(asked, None);
    let Next::Settle(_, outcome) = step.go(&joining.0, Vec::new()) else { return None };
    outcome.answer.ok().map(|answer| Judged { earlier: Vec::new(), answer, refusal: None })
}

/// The statement that sets back what the host had.
pub(super) fn back(brace: &Brace, had: &[Vec<Sql>]) -> Option<Said> {
    let values = had.first()?.iter().map(|value| match value {
        Sql::Int(n) => n.to_string(),
        Sql::Text(text) => text.clone(),
        Sql::Raw(bytes) | Sql::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Sql::Null => "DEFAULT".to_owned(),
    });
    Some(plain(&values.fold(brace.back.to_owned(), |sql, value| sql.replacen("{}", &value, 1)), false))
}

impl<C: Connection> Here<'_, C> {
    pub(super) fn in_shadow(&mut self, call: Call) -> Result<Judged, Error> {
        let legacy = call.by().legacy.clone();
        let spare = judge::bare(&call);
        let came = hos_wire::call_bytes(&self.tenant, &call).map_err(|e| Failed::from(Error::from(e)));
        match came.and_then(|came| self.braced(Asked::Call(self.tenant.clone(), Box::new(call), came))) {
            Ok(came) => came.judged(),
            Err(failed) => self.stands(About::of(&spare), legacy.as_ref(), failed),
        }
    }

    pub(super) fn can_in_shadow(&mut self, can: &Can) -> Result<Judged, Error> {
        let asked = Asked::Can(self.tenant.clone(), Box::new(can.clone()));
        if let Some(judged) = at_hand(self.joining, asked) {
            return Ok(judged);
        }
        match self.braced(Asked::Can(self.tenant.clone(), Box::new(can.clone()))) {
            Ok(came) => came.judged(),
            Err(failed) => self.stands(About::Act(&can.action), can.by.legacy.as_ref(), failed),
        }
    }

    /// The world's own outcome, unless it was undone. Where no law was read yet it is read now, or nobody knew what it leaves the
    /// world.
    fn stands(&mut self, about: About<'_>, legacy: Option<&Legacy>, failed: Failed) -> Result<Judged, Error> {
        if failed.undone {
            return Err(failed.error);
        }
        if self.joining.0.law().is_none()
            && let Err(Failed { error, undone: true }) = self.braced(Asked::Law)
        {
            return Err(error);
        }
        self.instead(about, legacy, failed.error)
    }

    fn braced(&mut self, asked: Asked) -> Result<Came, Failed> {
        let begins = is_question(&asked) && self.connection.reads()?;
        if begins || !self.connection.inside()? {
            return Ok(self.go(asked)?);
        }
        self.connection.rows(&plain(SET, false))?;
        let brace = brace(self.joining.0.dialect());
        let mut had = Vec::new();
        let came = self.bound(&brace, &mut had).and_then(|()| self.go(asked));
        let back = back(&brace, &had);
        match came {
            Ok(came) => {
                back.map_or(Ok(Vec::new()), |back| self.connection.rows(&back))?;
                self.connection.rows(&plain(KEEP, false))?;
                Ok(came)
            }
            // A deadlock took MySQL's transaction, and the savepoint with it: all else is set back nevertheless, and what failed
            // first is told.
            Err(error) => {
                let undo = [plain(UNDO, false)].into_iter().chain(back.filter(|_| !brace.undone));
                for said in undo.chain([plain(KEEP, false)]) {
                    let _ = self.connection.rows(&said);
                }
                // On a connection that is lost, the host's own next statement says so.
                let undone = self.connection.inside().is_ok_and(|inside| !inside);
                Err(Failed { error, undone })
            }
        }
    }

    /// Locks are waited for as we have it from now on; `had` is what is to be set back.
    fn bound(&mut self, brace: &Brace, had: &mut Vec<Vec<Sql>>) -> Result<(), Error> {
        let told = self.connection.rows(&plain(brace.asked, true))?;
        if brace.is_short(&told) {
            return Ok(());
        }
        *had = told;
        self.connection.rows(&plain(brace.bound, false)).map(drop)
    }

    pub(super) fn instead(&self, about: About<'_>, legacy: Option<&Legacy>, error: Error) -> Result<Judged, Error> {
        instead(self.joining, &self.tenant, about, legacy, error)
    }
}

/// The world's own outcome, where the law left it the last word; else the error.
pub(super) fn instead(
    joining: &Joining,
    tenant: &Tenant,
    about: About<'_>,
    legacy: Option<&Legacy>,
    error: Error,
) -> Result<Judged, Error> {
    let (failure, source) = error.into_parts();
    let answer = joining.0.instead(tenant, about, legacy, failure);
    answer.map(|answer| Judged { earlier: Vec::new(), answer, refusal: None }).map_err(|failure| Error::with(failure, source))
}
