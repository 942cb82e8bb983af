//! A store in a database server: PostgreSQL, MySQL, MariaDB. Also an SQLite file that belongs to somebody else.
//!
//! Many processes on many hosts write it, some of them in transactions of their own, so nothing is taken for granted between
//! two statements: what decides is claimed first ([`Tx::claim`](crate::store::Tx::claim)), places in queues come from the database, and records get
//! their place in the log in short transactions of our own, one after the other. Which client speaks to the server is not
//! known here: a [`Connector`] is given.
//!
//! COMMIT POINT: the answer to COMMIT in [`ServerStore::submit_all`]. A crash before it leaves nothing. When the connection is
//! lost while COMMIT is under way, nobody knows, and the answer says so ([`Code::OutcomeUnknown`]); the once-key resolves it.

mod client;
mod migrate;
mod session;

pub use client::{ClientError, Connection, Connector, Several, Trouble};
pub use session::{Isolation, Reach};

use self::session::{Open, OpenSession};
use super::sql::dialect::Dialect;
use super::sqlite::{Runner, Stats};
use super::{StoreError, Tx};
use hos_core::refusal::Code;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many idle connections are kept.
const IDLE_MAX: usize = 4;

/// A store in a database that others use too.
pub struct ServerStore {
    connector: Arc<dyn Connector>,
    idle: Mutex<Vec<Box<dyn Connection>>>,
    /// How long a statement waits for another transaction's lock.
    patience: Duration,
    commits: AtomicU64,
    jobs: AtomicU64,
}

impl ServerStore {
    /// Connects; with `create`, makes the tables that are missing.
    ///
    /// # Errors
    ///
    /// [`Code::StoreUnavailable`]: the server does not answer, or refuses; it is a replica; [`Code::StoreVersion`]: the tables are
    /// not ours, or of another version; without `create`, also when there are none.
    pub fn open(connector: Arc<dyn Connector>, patience: Duration, create: bool) -> Result<Self, StoreError> {
        let store = Self { connector, idle: Mutex::default(), patience, commits: AtomicU64::new(0), jobs: AtomicU64::new(0) };
        store.with(|conn, dialect| migrate::bring_up(conn, dialect, create))?;
        Ok(store)
    }

    /// What the database speaks.
    pub fn dialect(&self) -> Dialect {
        self.connector.dialect()
    }

    /// Where it is, without its password.
    pub fn shown(&self) -> String {
        self.connector.shown()
    }

    /// Runs one job in a commit of its own.
    pub fn submit<R: Runner>(&self, runner: &R, job: R::Job) -> Result<R::Answer, StoreError> {
        let answer = self.submit_all(runner, vec![job])?.pop();
        answer.unwrap_or_else(|| Err(StoreError::internal("a job got no answer")))
    }

    /// Runs these jobs in one commit, each in a savepoint of its own, and answers each, in their order. The outer error means
    /// that none of them ran, or that nobody knows.
    pub fn submit_all<R: Runner>(&self, runner: &R, jobs: Vec<R::Job>) -> Result<Vec<Result<R::Answer, StoreError>>, StoreError> {
        self.submit_as(runner, jobs, false)
    }

    /// Runs one job in a commit of its own, and waits but a moment for what another transaction holds: then it is
    /// [`Code::StoreBusy`], and nothing of it is stored.
    pub fn submit_hurried<R: Runner>(&self, runner: &R, job: R::Job) -> Result<R::Answer, StoreError> {
        let answer = self.submit_as(runner, vec![job], true)?.pop();
        answer.unwrap_or_else(|| Err(StoreError::internal("a job got no answer")))
    }

    fn submit_as<R: Runner>(
        &self,
        runner: &R,
        jobs: Vec<R::Job>,
        hurried: bool,
    ) -> Result<Vec<Result<R::Answer, StoreError>>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let count = jobs.len() as u64;
        let mut conn = self.begun(Isolation::Latest)?;
        let open = Open::on(&mut *conn, self.dialect());
        let begun = if hurried { open.hurry() } else { Ok(()) };
        let (group, mut answers) = match begun.and_then(|()| Self::run(&open, runner, jobs)) {
            Ok(done) => done,
            Err(error) => {
                if open.abandon() {
                    self.give_back_as(conn, hurried);
                }
                return Err(error);
            }
        };
        if answers.iter().all(Result::is_err) {
            if open.abandon() {
                self.give_back_as(conn, hurried);
            }
            runner.undone(group);
            return Ok(answers);
        }
        // ---- the commit point; see the head of this file ----
        if let Err(error) = open.commit() {
            runner.undone(group);
            return Err(error);
        }
        self.give_back_as(conn, hurried);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.jobs.fetch_add(count, Ordering::Relaxed);
        let completed = guarded("completing the receipts", || {
            runner.committed(group, &mut answers);
            Ok(())
        });
        if completed.is_err() {
            let error = StoreError::unknown("it was stored, but completing the answer ended in a panic");
            for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                *answer = Err(error.clone());
            }
        }
        Ok(answers)
    }

    #[expect(clippy::type_complexity, reason = "a group and the answers of its jobs")]
    fn run<R: Runner>(
        open: &Open<'_>,
        runner: &R,
        jobs: Vec<R::Job>,
    ) -> Result<(R::Group, Vec<Result<R::Answer, StoreError>>), StoreError> {
        let session = OpenSession::new(open);
        let tx = Tx::of(&session);
        let mut group = guarded("starting the commit", || runner.start(&tx))?;
        let mut answers = Vec::with_capacity(jobs.len());
        let alone = jobs.len() == 1;
        for job in jobs {
            open.say("SAVEPOINT job")?;
            let mark = guarded("marking the group", || Ok(runner.mark(&group)))?;
            let answer = guarded("running the call", || runner.run(&tx, &mut group, job));
            match &answer {
                Ok(_) => open.say("RELEASE SAVEPOINT job")?,
                // A deadlock's victim is rolled back whole; what is left of the transaction is of no use. A call that is to come again
                // for a reason of its own takes no other with it.
                Err(error) if open.is_broken() || (alone && error.code == Code::Retry) => return Err(error.clone()),
                Err(error) => {
                    // Some failures take the whole transaction with them, and its savepoints, as a full disk does in SQLite.
                    if open.say("ROLLBACK TO SAVEPOINT job").is_err() {
                        return Err(error.clone());
                    }
                    open.say("RELEASE SAVEPOINT job")?;
                    guarded("rewinding the group", || {
                        runner.rewind(&mut group, mark);
                        Ok(())
                    })?;
                }
            }
            answers.push(answer);
        }
        if answers.iter().any(Result::is_ok) {
            guarded("sealing the commit", || runner.finish(&tx, &mut group, &mut answers))?;
        }
        Ok((group, answers))
    }

    /// Reads, all of one moment.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut conn = self.begun(Isolation::OneMoment)?;
        let open = Open::on(&mut *conn, self.dialect());
        let session = OpenSession::new(&open);
        let answer = guarded("reading", || work(&Tx::of(&session)));
        let whole = open.abandon();
        if whole {
            self.give_back(conn);
        }
        answer
    }

    /// Counters, since it was opened.
    pub fn stats(&self) -> Stats {
        let (commits, jobs) = (self.commits.load(Ordering::Relaxed), self.jobs.load(Ordering::Relaxed));
        Stats { commits, jobs, ahead: 0, stale: 0, reopens: 0, wal_bytes: 0 }
    }

    /// A connection on which a transaction has begun. An idle one may have died since, of a server that was started anew: nothing
    /// was said on it yet, so another takes its place.
    fn begun(&self, isolation: Isolation) -> Result<Box<dyn Connection>, StoreError> {
        while let Some(mut conn) = self.idle() {
            // Nothing was said on it yet: whatever it fails by, a new one says whether that is the server's.
            if Open::begin(&mut *conn, self.dialect(), isolation).is_ok() {
                return Ok(conn);
            }
        }
        let mut conn = self.connect()?;
        Open::begin(&mut *conn, self.dialect(), isolation).map_err(|e| e.into_store("cannot begin"))?;
        Ok(conn)
    }

    fn idle(&self) -> Option<Box<dyn Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, StoreError> {
        self.connector.connect(self.patience).map_err(|e| e.into_store("cannot connect"))
    }

    /// Keeps a connection on which nothing is open.
    fn give_back(&self, conn: Box<dyn Connection>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && conn.is_alive() {
            idle.push(conn);
        }
    }

    /// The same of one that may have been told to hurry: it has its patience again before anybody else uses it.
    fn give_back_as(&self, mut conn: Box<dyn Connection>, hurried: bool) {
        let patience = format!("SET SESSION innodb_lock_wait_timeout = {}", self.patience.as_secs().max(1));
        if !hurried || self.dialect() != Dialect::Mysql || conn.say(&patience).is_ok() {
            self.give_back(conn);
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn Connection, Dialect) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut conn = self.connect()?;
        let done = work(&mut *conn, self.dialect());
        self.give_back(conn);
        done
    }
}

impl Reach for ServerStore {
    fn read(&self, work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        ServerStore::read(self, |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut conn = self.begun(Isolation::Latest)?;
        let open = Open::on(&mut *conn, self.dialect());
        let done = work(&Tx::of(&OpenSession::new(&open)));
        match done {
            Ok(()) => open.commit()?,
            Err(error) => {
                if open.abandon() {
                    self.give_back(conn);
                }
                return Err(error);
            }
        }
        self.give_back(conn);
        Ok(())
    }
}

/// Runs the runner's code; a panic becomes an error, never an answer.
fn guarded<T>(doing: &str, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // What a panic may have left half done is undone with the transaction.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::internal(format!("{doing} ended in a panic"))))
}
