//! A call in shadow must not hurt the host's transaction, whatever happens to us: it stands behind a savepoint, and waits for no
//! lock for long.

use super::{Connection, Dialect, Error, Here, Joining, Judged, Said};
use hos_core::call::{Call, Legacy};
use hos_core::id::Tenant;
use hos_core::judge::{self, About};
use hos_engine::joined::Asked;
use hos_engine::store::Sql;

/// What is said around a call in shadow. What it sets is set back before it ends.
pub(super) struct Brace {
    /// Before all else.
    pub(super) set: &'static str,
    /// How long locks are waited for, as the host has it.
    pub(super) asked: Option<&'static str>,
    /// And as we have it.
    pub(super) bound: Option<&'static str>,
    /// As the host had it, which stands for `{}`, in the order of the columns.
    pub(super) back: &'static str,
    /// Whether going back to the savepoint sets it back too.
    pub(super) undone: bool,
    /// Where the call is kept.
    pub(super) keep: &'static str,
    /// Where it is not.
    pub(super) undo: &'static str,
}

const SET: &str = "SAVEPOINT hos_shadow";
const KEEP: &str = "RELEASE SAVEPOINT hos_shadow";
const UNDO: &str = "ROLLBACK TO SAVEPOINT hos_shadow";

pub(super) fn brace(dialect: Dialect) -> Brace {
    let bare = Brace { set: SET, asked: None, bound: None, back: "", undone: true, keep: KEEP, undo: UNDO };
    match dialect {
        Dialect::Sqlite => bare,
        Dialect::Postgres => Brace {
            asked: Some("SELECT current_setting('lock_timeout')"),
            bound: Some("SET LOCAL lock_timeout = '1s'"),
            back: "SET LOCAL lock_timeout = '{}'",
            ..bare
        },
        Dialect::Mysql => Brace {
            asked: Some("SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout"),
            bound: Some("SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"),
            back: "SET SESSION lock_wait_timeout = {}, innodb_lock_wait_timeout = {}",
            undone: false,
            ..bare
        },
    }
}

/// A statement about the transaction.
pub(super) fn plain(sql: &str, reads: bool) -> Said {
    Said { sql: sql.to_owned(), params: Vec::new(), reads }
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
        let came = hos_wire::call_bytes(&self.tenant, &call);
        let judged =
            came.map_err(Error::from).and_then(|came| self.braced(Asked::Call(self.tenant.clone(), Box::new(call), came)));
        judged.or_else(|error| self.instead(About::of(&spare), legacy.as_ref(), error))
    }

    fn braced(&mut self, asked: Asked) -> Result<Judged, Error> {
        if !self.connection.inside()? {
            return self.judged(asked);
        }
        let brace = brace(self.joining.0.dialect());
        self.connection.rows(&plain(brace.set, false))?;
        let had = match (brace.asked, brace.bound) {
            (Some(asked), Some(bound)) => {
                self.connection.rows(&plain(asked, true)).and_then(|had| self.connection.rows(&plain(bound, false)).map(|_| had))
            }
            _ => Ok(Vec::new()),
        };
        let (had, judged) = match had {
            Ok(had) => (had, self.judged(asked)),
            Err(error) => (Vec::new(), Err(error)),
        };
        let kept = judged.is_ok();
        if !kept {
            self.connection.rows(&plain(brace.undo, false))?;
        }
        if let Some(back) = back(&brace, &had).filter(|_| kept || !brace.undone) {
            self.connection.rows(&back)?;
        }
        self.connection.rows(&plain(brace.keep, false))?;
        judged
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
