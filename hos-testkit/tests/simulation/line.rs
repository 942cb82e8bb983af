//! The connections of a simulated process: the real ones, with turns, failures and planted faults in between, and a note of what
//! was committed in which order.

use super::planted::Plant;
use super::turns::Turns;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector, Several, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use hos_testkit::simulation::{Fault, Kind};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often somebody asks for a lock that another holds, when it is not alone.
const ATTEMPTS: usize = 100_000;

/// What became of a transaction, in the order of all processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) process: usize,
    /// Whether it is committed; else it was rolled back.
    pub(crate) stored: bool,
    /// Instances whose deadlines were taken away in it: tenant, contract, id.
    pub(crate) fired: Vec<(String, String, String)>,
}

/// What a process is in the midst of.
#[derive(Default)]
pub(crate) struct Doing {
    pub(crate) turns: Option<Arc<Turns>>,
    pub(crate) fault: Option<Fault>,
    /// Whether the fault has happened; and whether it happened at a commit.
    pub(crate) failed: Option<bool>,
    /// Whether transactions of the host's are noted, and not those of the engine's own jobs.
    pub(crate) hosts: bool,
    /// The database's clock.
    pub(crate) now: i64,
    pub(crate) dead: bool,
    pub(crate) statements: usize,
    pub(crate) commits: usize,
}

/// A life of a process, as its connections know it.
pub(crate) struct Port {
    process: usize,
    plant: Plant,
    doing: Mutex<Doing>,
    stamps: Arc<Mutex<Vec<Stamp>>>,
}

impl Port {
    pub(crate) fn new(process: usize, plant: Plant, stamps: Arc<Mutex<Vec<Stamp>>>) -> Self {
        Self { process, plant, doing: Mutex::default(), stamps }
    }

    /// Begins something else.
    pub(crate) fn begin(&self, doing: Doing) {
        let mut now = self.doing();
        *now = Doing { dead: now.dead, ..doing };
    }

    pub(crate) fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.doing().dead
    }

    /// The process ends here: nothing that it says reaches the database any more.
    pub(crate) fn kill(&self) {
        self.doing().dead = true;
    }

    fn pause(&self) {
        let turns = self.doing().turns.clone();
        if let Some(turns) = turns {
            turns.pause(self.process);
        }
    }

    /// What happens at the next statement, if anything.
    fn due(&self, is_commit: bool) -> Option<Kind> {
        let mut doing = self.doing();
        let (statement, commit) = (doing.statements, doing.commits);
        doing.statements += 1;
        doing.commits += usize::from(is_commit);
        let fault = doing.fault.filter(|fault| match fault.kind.is_of_commit() {
            true => is_commit && fault.at == commit,
            false => fault.at == statement,
        })?;
        doing.failed = Some(is_commit);
        doing.dead |= fault.kind == Kind::Crash;
        Some(fault.kind)
    }
}

/// The database, as one process reaches it.
pub(crate) struct Line {
    pub(crate) to: Arc<dyn Connector>,
    pub(crate) port: Arc<Port>,
}

impl Connector for Line {
    fn dialect(&self) -> Dialect {
        self.to.dialect()
    }

    fn shown(&self) -> String {
        self.to.shown()
    }

    fn connect(&self, _patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        if self.port.is_dead() {
            return Err(gone());
        }
        // Nobody waits for a lock: it is asked for again, in turn.
        let conn = self.to.connect(Duration::ZERO)?;
        Ok(Box::new(Wire { conn: Some(conn), port: self.port.clone(), open: None }))
    }
}

struct Wire {
    /// None once it is lost.
    conn: Option<Box<dyn Connection>>,
    port: Arc<Port>,
    open: Option<Open>,
}

/// A transaction on a wire.
#[derive(Default)]
struct Open {
    job: bool,
    fired: Vec<(String, String, String)>,
}

fn gone() -> ClientError {
    ClientError { trouble: Trouble::Lost, message: "the connection is gone".to_owned() }
}

impl Wire {
    /// Hangs up; the database rolls back what was open.
    fn lose(&mut self) -> ClientError {
        (self.conn, self.open) = (None, None);
        gone()
    }

    /// Before a statement: somebody else's turn, and what fails.
    fn before(&mut self, is_commit: bool) -> Result<Option<Kind>, ClientError> {
        if self.port.is_dead() || self.conn.is_none() {
            return Err(self.lose());
        }
        self.port.pause();
        let error = |trouble, message: &str| ClientError { trouble, message: message.to_owned() };
        match self.port.due(is_commit) {
            Some(Kind::Crash | Kind::Lost | Kind::Unsent) => Err(self.lose()),
            Some(Kind::Busy) => Err(error(Trouble::Busy, "a lock is held for too long")),
            Some(Kind::Full) => Err(error(Trouble::Full, "the disk is full")),
            other => Ok(other),
        }
    }

    /// Says it again as long as another holds a lock that it needs, where others go on meanwhile.
    fn patiently<T>(&mut self, mut say: impl FnMut(&mut dyn Connection) -> Result<T, ClientError>) -> Result<T, ClientError> {
        let shared = self.port.doing().turns.is_some();
        for attempt in 0.. {
            let Some(conn) = &mut self.conn else { return Err(gone()) };
            match say(&mut **conn) {
                Err(e) if e.trouble == Trouble::Busy && shared && attempt < ATTEMPTS => self.port.pause(),
                other => return other,
            }
        }
        Err(gone())
    }

    fn stamp(&mut self, stored: bool) {
        let Some(open) = self.open.take() else { return };
        if open.job || self.port.doing().hosts {
            let stamp = Stamp { process: self.port.process, stored, fired: open.fired };
            self.port.stamps.lock().unwrap_or_else(PoisonError::into_inner).push(stamp);
        }
    }

    fn commit(&mut self, fails: Option<Kind>) -> Result<(), ClientError> {
        let word = if self.port.plant.loses_commit() { "ROLLBACK" } else { "COMMIT" };
        let said = self.conn.as_mut().map_or_else(|| Err(gone()), |conn| conn.say(word));
        said?;
        self.stamp(true);
        match fails {
            Some(Kind::Unheard) => Err(self.lose()),
            _ => Ok(()),
        }
    }
}

impl Connection for Wire {
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError> {
        self.before(false)?;
        if let (true, [Sql::Text(tenant), _, Sql::Text(contract), Sql::Blob(id), ..], Some(open)) =
            (sql.starts_with("DELETE FROM hos_deadline"), params, &mut self.open)
        {
            open.fired.push((tenant.clone(), contract.clone(), String::from_utf8_lossy(id).into_owned()));
        }
        if self.port.plant.swallows(sql) {
            return Ok(1);
        }
        self.patiently(|conn| conn.execute(sql, params))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[&Sql],
        take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        self.before(false)?;
        let other = self.port.plant.misread(sql, params);
        let params: Vec<&Sql> = other.as_ref().map_or_else(|| params.to_vec(), |other| other.iter().collect());
        // The database's clock is the world's.
        let now = sql.contains("julianday('now')").then(|| self.port.doing().now);
        let mut rows = Vec::new();
        self.patiently(|conn| {
            rows.clear();
            conn.query(sql, &params, &mut |cells| {
                rows.push(cells);
                ControlFlow::Continue(())
            })
        })?;
        for mut cells in rows {
            if let (Some(now), Some(first)) = (now, cells.first_mut()) {
                *first = Sql::Int(now);
            }
            if take(cells).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn say(&mut self, sql: &str) -> Result<(), ClientError> {
        let fails = self.before(sql == "COMMIT")?;
        match sql {
            "COMMIT" => return self.commit(fails),
            "ROLLBACK" => {
                let said = self.conn.as_mut().map_or_else(|| Err(gone()), |conn| conn.say(sql));
                self.stamp(false);
                return said;
            }
            _ => {}
        }
        self.patiently(|conn| conn.say(sql))?;
        if sql.starts_with("BEGIN") {
            self.open = Some(Open::default());
        }
        if let (true, Some(open)) = (sql.starts_with("SAVEPOINT"), &mut self.open) {
            open.job = true;
        }
        Ok(())
    }

    fn several(&mut self, _text: &str) -> Result<Several, ClientError> {
        // Statement by statement, so that each has its turn.
        Ok(Several::Unknown)
    }

    fn is_alive(&self) -> bool {
        !self.port.is_dead() && self.conn.as_ref().is_some_and(|conn| conn.is_alive())
    }
}
