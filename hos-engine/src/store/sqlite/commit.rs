//! Shared commits: many callers, one fsync, no thread of our own.
//!
//! Callers stand in a [`Line`]. The first who finds nobody at work becomes the *leader*: it takes what waits (its own
//! job first), runs all in one transaction, each in a savepoint of its own where they are several, commits once, and hands out
//! the answers. Then it makes the next waiting caller the leader, or leaves. A lone caller waits for nobody; under load groups form by
//! themselves, since callers queue up while a leader waits for the disk. The engine lives in programs that fork, and
//! threads do not survive that: so no thread is ever started.
//!
//! What can be judged before its turn is ([`Runner::ahead`]): by its caller's own thread, beside the leader's, from what is
//! known or from the rows of the last commit. The leader then only sees whether that still holds and writes it; what does not
//! hold is undone and run as if nothing had been judged.
//!
//! # The commit point
//!
//! It is the COMMIT that [`Group::run`] ends with, and for the callers the check that follows it.
//!
//! - A crash before COMMIT returns, up to the write of the commit frame: nothing of the group is stored. Nobody was answered.
//! - A crash after the commit frame is on disk and before the answers: all of the group is stored and nobody was answered.
//!   The callers' once-keys resolve it; [`Runner::reopened`] sees it.
//! - COMMIT answers an error: if SQLite says that nothing was written, nothing is stored. Otherwise the outcome is unknown
//!   (the log may hold the whole commit frame though the fsync failed), the answer says so, and the store is opened anew.
//! - COMMIT answers OK and the guard finds the file touched: the outcome is unknown as well, for the log may have no name.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hos_core::refusal::Code;
use rusqlite::Connection;

use super::connection::run;
use super::db::{Db, Desk};
use super::error::from_sqlite;
use super::foresight::{Desks, Foresight, Luck};
use super::fork::Stay;
use super::line::Line;
use super::session::Session;
use crate::store::{StoreError, Tx};

/// What runs inside a shared commit. One runner serves one store; all callers of a store give the same one, for the leader
/// runs the others' jobs with its own.
///
/// All methods but the last two run inside the transaction, on the leader's thread, one at a time; [`Runner::reopened`] and
/// [`Runner::ahead`] run on the threads of who reads too, beside it. A panic in any of them is caught. None may call the store
/// that it serves; all reads and writes go through the given transaction.
pub trait Runner: Sized {
    /// One caller's work.
    type Job: Send;
    /// What the caller gets.
    type Answer: Send;
    /// What the jobs of one commit share, such as heads that were read once, records that wait for sealing.
    type Group;
    /// How far a group had come; see [`Runner::mark`].
    type Mark;
    /// What comes of judging a job before its turn.
    type Ahead: Send;

    /// The store was opened anew, because its file was touched from outside or a commit broke: check that its heads are
    /// those last answered for. Runs in the next commit's transaction, before [`Runner::start`], or in the next read's, before
    /// anything is answered from it. While it errs, nothing is written, nor read by [`SqliteStore::read_verified`].
    ///
    /// [`SqliteStore::read_verified`]: super::SqliteStore::read_verified
    fn reopened(&self, _tx: &Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Begins a group; the transaction has just begun, and holds the store's write lock.
    fn start(&self, tx: &Tx<'_>) -> Result<Self::Group, StoreError>;

    /// How far the group has come, taken before each job. Usually lengths of the group's lists, or a copy of its heads.
    fn mark(&self, group: &Self::Group) -> Self::Mark;

    /// Brings the group back to the mark: the job that followed it was undone in the database. After a panic the group may
    /// hold anything that the job had half done.
    fn rewind(&self, group: &mut Self::Group, mark: Self::Mark);

    /// Runs one job, in a savepoint of its own unless it is alone. An error or a panic undoes this job alone: its caller gets the
    /// error ([`Code::Internal`] for a panic), the others are not touched.
    fn run(&self, tx: &Tx<'_>, group: &mut Self::Group, job: Self::Job) -> Result<Self::Answer, StoreError>;

    /// Whether [`Runner::ahead`] may have something to say of this job, without a look at anything.
    fn foresees(&self, _job: &Self::Job) -> bool {
        false
    }

    /// Judges a job on its caller's own thread, before its turn and outside the group: on the rows of the last commit, which may
    /// only be read, or on what is known without any.
    fn ahead(&self, _rows: Option<&Tx<'_>>, _job: &Self::Job) -> Foresight<Self::Ahead> {
        Foresight::Dark
    }

    /// Writes what was judged ahead, in the job's place, having made sure that it would be judged so now. Any error says
    /// that it would not, or that nobody knows: the job is undone and run, a lone one in a group that is begun anew.
    fn run_ahead(
        &self,
        _tx: &Tx<'_>,
        _group: &mut Self::Group,
        _job: &Self::Job,
        _ahead: Self::Ahead,
    ) -> Result<Self::Answer, StoreError> {
        Err(StoreError::internal("nothing is judged ahead here"))
    }

    /// Runs once after all jobs, before COMMIT: sealing. `answers` are in the order in which the jobs ran; those that are
    /// errors were undone. An error undoes the whole group. Turning an answer into an error here does not undo its job.
    fn finish(
        &self,
        tx: &Tx<'_>,
        group: &mut Self::Group,
        answers: &mut [Result<Self::Answer, StoreError>],
    ) -> Result<(), StoreError>;

    /// The commit is durable and the guard has passed: sign, complete receipts. The same `answers` as in
    /// [`Runner::finish`]. The side lock is free again; no other group of this process runs before this returns.
    fn committed(&self, group: Self::Group, answers: &mut [Result<Self::Answer, StoreError>]);

    /// The group was not committed, or nobody knows whether it was. All its callers get an error, but for the lone one whose job is
    /// run again in a group that is begun anew ([`Runner::run_ahead`]).
    fn undone(&self, group: Self::Group);
}

/// What the runner says of one job.
type Outcome<R> = Result<<R as Runner>::Answer, StoreError>;

/// A job, and what its caller has judged of it before its turn.
struct Brought<R: Runner> {
    job: R::Job,
    ahead: Option<R::Ahead>,
}

/// The callers of a store, and what is known of judging ahead.
pub(super) struct Queue<R: Runner> {
    line: Line<Brought<R>, Outcome<R>>,
    pub(super) luck: Luck,
    reading: Desks,
}

thread_local! {
    /// The stores in whose groups this thread is: it would wait for itself.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Refuses a call of the store from inside one of its own transactions. (Another store, such as the vault, may be called.)
pub(super) fn refuse_inside(db: &Db) -> Result<(), StoreError> {
    let id = std::ptr::from_ref(db).addr();
    if INSIDE.with_borrow(|inside| inside.contains(&id)) {
        return Err(StoreError::internal("the store was called from inside its own transaction"));
    }
    Ok(())
}

/// Marks this thread as inside, also while a panic passes.
struct Inside;

impl Inside {
    fn enter(db: &Db) -> Self {
        INSIDE.with_borrow_mut(|inside| inside.push(std::ptr::from_ref(db).addr()));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(|inside| inside.pop());
    }
}

/// How a group went, for the store's counters.
pub(super) struct Tally {
    pub(super) committed: bool,
    pub(super) jobs: usize,
}

impl<R: Runner> Queue<R> {
    pub(super) fn new() -> Self {
        Self { line: Line::new(), luck: Luck::default(), reading: Desks::default() }
    }

    /// Runs these jobs in one commit, perhaps with others, and answers each. As many answers as jobs, in their order.
    pub(super) fn submit(&self, db: &Db, runner: &R, jobs: Vec<R::Job>, tally: impl Fn(Tally)) -> Vec<Outcome<R>> {
        // What the runner does behind the commit takes locks of its own: no fork comes between.
        let _stay = Stay::enter();
        let jobs = match self.foreseen(db, runner, jobs) {
            Ok(jobs) => jobs,
            Err(error) => return vec![Err(error)],
        };
        let run = |jobs| {
            let _inside = Inside::enter(db);
            run_group(db, runner, &self.luck, jobs, &tally)
        };
        self.line.submit(jobs, db.options.group_max, run, || {
            Err(StoreError::unknown("the commit ended in a panic of the store itself"))
        })
    }

    /// The jobs, judged ahead as far as that can be done. Several of one caller are not: the second may well stand on the
    /// first. A panic is the one caller's answer, as it would be in its turn.
    fn foreseen(&self, db: &Db, runner: &R, jobs: Vec<R::Job>) -> Result<Vec<Brought<R>>, StoreError> {
        let [job] = match <[R::Job; 1]>::try_from(jobs) {
            Ok(one) => one,
            Err(jobs) => return Ok(jobs.into_iter().map(|job| Brought { job, ahead: None }).collect()),
        };
        if !(runner.foresees(&job) && self.luck.holds()) {
            return Ok(vec![Brought { job, ahead: None }]);
        }
        let mut foresight = guarded("judging ahead", || Ok(runner.ahead(None, &job)))?;
        if matches!(foresight, Foresight::Rows)
            // Who need not wait reads in its turn.
            && self.line.is_led()
            && let Some(_desk) = self.reading.enter()
        {
            let _inside = Inside::enter(db);
            // What cannot be read is met again, and told, when the job is run.
            let read = self::read(db, runner, |tx| Ok(guarded("judging ahead", || Ok(runner.ahead(Some(tx), &job)))));
            foresight = read.unwrap_or(Ok(Foresight::Dark))?;
        }
        let ahead = match foresight {
            Foresight::Judged(ahead) => Some(ahead),
            Foresight::Rows | Foresight::Dark => None,
        };
        Ok(vec![Brought { job, ahead }])
    }
}

/// Reads what something is answered from: after the store was opened anew, only what the runner agrees with, of the same moment.
pub(super) fn read<R: Runner, T>(
    db: &Db,
    runner: &R,
    work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.read(|tx| {
        verify(db, runner, tx)?;
        work(tx)
    })
}

/// Whether a store that was opened anew is the one that was answered from. It is not opened anew once more while this goes on.
fn verify<R: Runner>(db: &Db, runner: &R, tx: &Tx<'_>) -> Result<(), StoreError> {
    if !db.is_unverified() {
        return Ok(());
    }
    match guarded("verifying the store after it was opened anew", || runner.reopened(tx)) {
        // Where another was faster, more may have been answered since than this moment has: its word is enough.
        Err(error) if db.is_unverified() => {
            if error.code == Code::StoreIntegrity {
                db.set_lost();
            }
            Err(error)
        }
        Ok(()) | Err(_) => {
            db.set_verified();
            Ok(())
        }
    }
}

/// Runs a group from the side lock to the answers. As many answers as jobs.
fn run_group<R: Runner>(db: &Db, runner: &R, luck: &Luck, jobs: Vec<Brought<R>>, tally: impl Fn(Tally)) -> Vec<Outcome<R>> {
    let count = jobs.len();
    let ended = db.write(|desk| {
        let group = Group { desk, db, runner, luck };
        group.run(jobs)
    });
    match ended {
        // From here on the side lock is free.
        Ok(Ended::Committed { group, mut answers }) => {
            if guarded("completing the receipts", || {
                runner.committed(group, &mut answers);
                Ok(())
            })
            .is_err()
            {
                // It is stored; only a retry under the same once-key may say what the answer was.
                let error = StoreError::unknown("it was stored, but completing the answer ended in a panic");
                for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                    *answer = Err(error.clone());
                }
            }
            tally(Tally { committed: true, jobs: count });
            answers
        }
        Ok(Ended::Undone { group, answers }) => {
            if let Some(group) = group {
                give_up(runner, group);
            }
            tally(Tally { committed: false, jobs: count });
            answers
        }
        Err(error) => {
            tally(Tally { committed: false, jobs: count });
            (0..count).map(|_| Err(error.clone())).collect()
        }
    }
}

enum Ended<R: Runner> {
    Committed { group: R::Group, answers: Vec<Outcome<R>> },
    Undone { group: Option<R::Group>, answers: Vec<Outcome<R>> },
}

struct Group<'g, 'd, R: Runner> {
    desk: &'g mut Desk<'d>,
    db: &'g Db,
    runner: &'g R,
    luck: &'g Luck,
}

impl<R: Runner> Group<'_, '_, R> {
    fn conn(&self) -> &Connection {
        self.desk.conn
    }

    fn run(self, jobs: Vec<Brought<R>>) -> Result<Ended<R>, StoreError> {
        // Whatever ends this group before its commit leaves the number unknown.
        let known = self.desk.seen.take();
        // IMMEDIATE: a deferred transaction that turns to writing fails at once when another one wrote meanwhile.
        let begun = run(self.conn(), "BEGIN IMMEDIATE").and_then(|()| others(self.conn()));
        let seen = match begun {
            Ok(seen) => seen,
            Err(error) => {
                self.desk.abandon();
                return Err(from_sqlite(error, "cannot begin"));
            }
        };
        let session = Session::of_group(self.conn(), known == Some(seen));
        let tx = Tx::of(&session);
        let mut group = match self.begin(&tx) {
            Ok(group) => group,
            Err(error) => {
                self.desk.abandon();
                return Err(error);
            }
        };
        let mut broken: Option<StoreError> = None;
        let mut answers: Vec<Outcome<R>> = match <[Brought<R>; 1]>::try_from(jobs) {
            Ok([lone]) => match self.lone(&tx, &mut group, lone) {
                Ok(answer) => vec![answer],
                Err(job) => {
                    drop(session);
                    self.desk.abandon();
                    give_up(self.runner, group);
                    return self.run(vec![Brought { job, ahead: None }]);
                }
            },
            Err(jobs) => {
                let run = |job| match &broken {
                    Some(error) => Err(not_run(error)),
                    None => self.job(&session, &mut group, job, &mut broken),
                };
                jobs.into_iter().map(run).collect()
            }
        };
        if broken.is_none() && answers.iter().all(Result::is_err) {
            // Nothing was kept that could be committed; each has its own error.
            self.desk.abandon();
            return Ok(Ended::Undone { group: Some(group), answers });
        }
        if broken.is_none() {
            broken = guarded("sealing the commit", || self.runner.finish(&tx, &mut group, &mut answers)).err();
        }
        if let Some(error) = broken {
            self.desk.abandon();
            undo_all(&mut answers, &error);
            return Ok(Ended::Undone { group: Some(group), answers });
        }
        // ---- the commit point; see the head of this file ----
        match self.desk.commit() {
            Ok(()) => {
                self.desk.seen.set(Some(seen));
                Ok(Ended::Committed { group, answers })
            }
            Err(error) => {
                undo_all(&mut answers, &error);
                Ok(Ended::Undone { group: Some(group), answers })
            }
        }
    }

    fn begin(&self, tx: &Tx<'_>) -> Result<R::Group, StoreError> {
        verify(self.db, self.runner, tx)?;
        guarded("starting the commit", || self.runner.start(tx))
    }

    /// The one job of a group. It needs no savepoint: what undoes it undoes the transaction. The job comes back where what was judged
    /// ahead of it cannot be written; then the transaction is to be given up, and the job run in another.
    fn lone(&self, tx: &Tx<'_>, group: &mut R::Group, brought: Brought<R>) -> Result<Outcome<R>, R::Job> {
        let Brought { job, ahead } = brought;
        let Some(ahead) = ahead else {
            let answer = guarded("running the call", || self.runner.run(tx, group, job));
            return Ok(if self.conn().is_autocommit() { Err(ended(answer)) } else { answer });
        };
        let written = guarded("running the call", || self.runner.run_ahead(tx, group, &job, ahead));
        let written = written.ok().filter(|_| !self.conn().is_autocommit());
        self.luck.turned_out(written.is_some());
        written.map(Ok).ok_or(job)
    }

    /// One job in its savepoint. `broken` is set when the whole transaction is gone.
    fn job(
        &self,
        session: &Session<'_>,
        group: &mut R::Group,
        brought: Brought<R>,
        broken: &mut Option<StoreError>,
    ) -> Outcome<R> {
        if let Err(error) = session.run("SAVEPOINT job") {
            let error = from_sqlite(error, "cannot begin a savepoint");
            return Err(broken.insert(error).clone());
        }
        let Brought { job, ahead } = brought;
        let mut answer = None;
        if let Some(ahead) = ahead {
            let written = self.attempt(session, group, broken, |tx, group| self.runner.run_ahead(tx, group, &job, ahead));
            self.luck.turned_out(written.is_ok());
            answer = written.ok();
        }
        let answer = match (answer, &*broken) {
            (Some(answer), _) => Ok(answer),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => self.attempt(session, group, broken, |tx, group| self.runner.run(tx, group, job)),
        };
        if broken.is_none()
            && let Err(error) = session.run("RELEASE job")
        {
            let error = from_sqlite(error, "cannot end a savepoint");
            return Err(broken.insert(error).clone());
        }
        answer
    }

    /// Works in the open savepoint; what fails has left nothing in it, nor in the group.
    fn attempt(
        &self,
        session: &Session<'_>,
        group: &mut R::Group,
        broken: &mut Option<StoreError>,
        work: impl FnOnce(&Tx<'_>, &mut R::Group) -> Outcome<R>,
    ) -> Outcome<R> {
        let mark = match guarded("marking the group", || Ok(self.runner.mark(group))) {
            Ok(mark) => mark,
            Err(error) => return Err(broken.insert(error).clone()),
        };
        let answer = guarded("running the call", || work(&Tx::of(session), group));
        if self.conn().is_autocommit() {
            return Err(broken.insert(ended(answer)).clone());
        }
        if answer.is_err() {
            if let Err(error) = session.run("ROLLBACK TO job") {
                let error = from_sqlite(error, "cannot undo a savepoint");
                return Err(broken.insert(error).clone());
            }
            let rewound = guarded("rewinding the group", || {
                self.runner.rewind(group, mark);
                Ok(())
            });
            if let Err(error) = rewound {
                *broken = Some(error);
            }
        }
        answer
    }
}

/// A number that changes whenever another connection has committed. It is that of the moment of this transaction, which
/// holds the write lock: until its end nobody else changes it.
fn others(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// The error of a job with which the whole transaction ended: SQLite rolls it back by itself when the disk is full, an I/O error or
/// a lack of memory hits it at the wrong place.
fn ended<A>(answer: Result<A, StoreError>) -> StoreError {
    answer.err().unwrap_or_else(|| StoreError::internal("a job ended the transaction"))
}

/// Tells the runner of a group that is not committed.
fn give_up<R: Runner>(runner: &R, group: R::Group) {
    let _ = guarded("giving up the group", || {
        runner.undone(group);
        Ok(())
    });
}

/// The error of a job that did not run, because another broke the transaction they shared.
fn not_run(error: &StoreError) -> StoreError {
    shared(error)
}

fn shared(error: &StoreError) -> StoreError {
    StoreError { code: error.code, message: format!("the shared commit was given up: {}", error.message) }
}

/// Gives the group's error to all jobs that had an answer; those that have an error of their own keep it.
fn undo_all<A>(answers: &mut [Result<A, StoreError>], error: &StoreError) {
    for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
        *answer = Err(if error.code == Code::OutcomeUnknown { error.clone() } else { shared(error) });
    }
}

/// Runs the runner's code; a panic becomes an error, never an answer.
fn guarded<T>(doing: &str, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // What a panic may have left half done is undone: rows by the savepoint, the group by its mark.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::internal(format!("{doing} ended in a panic"))))
}
