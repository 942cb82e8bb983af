//! A small log on the generic store: what the tests of several processes and threads write, and how it is checked.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hos_engine::store::Tx;
use hos_engine::store::sqlite::{Migration, OpenOptions, Runner, SqliteStore};
use hos_engine::store::{Sql, Statement, StoreError};

pub const APPLICATION_ID: i32 = 0x484f_5354;
pub const SCHEMA: &[Migration] = &[
    Migration {
        name: "log",
        sql: "CREATE TABLE log (seq INTEGER PRIMARY KEY, who TEXT NOT NULL, k INTEGER NOT NULL, load BLOB NOT NULL) STRICT;
              CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL) STRICT;
              INSERT INTO head VALUES (1, 0);",
    },
    Migration { name: "counter", sql: "CREATE TABLE counter (who TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;" },
];

pub fn options() -> OpenOptions {
    OpenOptions::new(APPLICATION_ID, SCHEMA).create(true)
}

/// What a job does.
#[derive(Clone)]
pub enum Job {
    /// Appends an entry and answers its place.
    Add { who: String, k: i64, bytes: usize },
    /// Appends and then fails.
    Fail,
    /// Appends and then panics.
    Panic,
    /// Calls the store from inside.
    Inside,
}

pub fn add(who: &str, k: i64) -> Job {
    Job::Add { who: who.to_owned(), k, bytes: 20 }
}

/// Appends without gaps: the head is read once for a group, so a job that was undone without a rewind would leave a gap.
#[derive(Default)]
pub struct Log {
    pub verified: AtomicUsize,
    pub refuse_reopened: std::sync::atomic::AtomicBool,
    pub panic_in_finish: std::sync::atomic::AtomicBool,
    pub panic_in_committed: std::sync::atomic::AtomicBool,
    pub undone: AtomicUsize,
    /// Held by who keeps the runner from telling what was committed.
    pub telling: Mutex<()>,
    /// The head after the last commit; believed where the store says that nobody else has written since.
    pub kept: Mutex<Option<i64>>,
    /// How often it was believed.
    pub spared: AtomicUsize,
    /// A file to be opened and closed in the middle of the next group.
    pub touch_in_finish: Mutex<Option<std::path::PathBuf>>,
    pub store: Mutex<Option<std::sync::Weak<SqliteStore<Log>>>>,
}

#[derive(Clone)]
pub struct Head {
    pub seq: i64,
}

/// A place in the log, and whether the commit was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub seq: i64,
    pub sealed: bool,
    pub confirmed: bool,
}

impl Runner for Log {
    type Job = Job;
    type Answer = Placed;
    type Group = Head;
    type Mark = i64;
    type Ahead = ();

    fn reopened(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.verified.fetch_add(1, Ordering::SeqCst);
        if self.refuse_reopened.load(Ordering::SeqCst) {
            return Err(StoreError::integrity("the head is not the one that was answered for"));
        }
        head(tx).map(drop)
    }

    fn start(&self, tx: &Tx<'_>) -> Result<Head, StoreError> {
        if let Some(seq) = self.kept.lock().unwrap().take().filter(|_| tx.is_untouched()) {
            self.spared.fetch_add(1, Ordering::SeqCst);
            return Ok(Head { seq });
        }
        head(tx).map(|seq| Head { seq })
    }

    fn mark(&self, group: &Head) -> i64 {
        group.seq
    }

    fn rewind(&self, group: &mut Head, mark: i64) {
        group.seq = mark;
    }

    fn run(&self, tx: &Tx<'_>, group: &mut Head, job: Job) -> Result<Placed, StoreError> {
        group.seq += 1;
        let (who, k, bytes) = match &job {
            Job::Add { who, k, bytes } => (who.as_str(), *k, *bytes),
            _ => ("undone", 0, 1),
        };
        let load: Sql = vec![0xa5u8; bytes].into();
        tx.execute(&Statement::new("INSERT INTO log VALUES (?1, ?2, ?3, ?4)", [group.seq.into(), who.into(), k.into(), load]))?;
        let count = "INSERT INTO counter VALUES (?1, 1) ON CONFLICT (who) DO UPDATE SET n = n + 1";
        tx.execute(&Statement::new(count, [who.into()]))?;
        match job {
            Job::Add { .. } => Ok(Placed { seq: group.seq, sealed: false, confirmed: false }),
            Job::Fail => Err(StoreError::new(hos_core::refusal::Code::WrongState, "this job fails")),
            Job::Panic => panic!("this job panics"),
            Job::Inside => {
                let store = self.store.lock().unwrap().as_ref().and_then(std::sync::Weak::upgrade).unwrap();
                store.read(|_| Ok(()))?;
                Ok(Placed { seq: group.seq, sealed: false, confirmed: false })
            }
        }
    }

    fn finish(&self, tx: &Tx<'_>, group: &mut Head, answers: &mut [Result<Placed, StoreError>]) -> Result<(), StoreError> {
        assert!(!self.panic_in_finish.load(Ordering::SeqCst), "planted");
        if let Some(path) = self.touch_in_finish.lock().unwrap().take() {
            std::fs::read(path).unwrap();
        }
        answers.iter_mut().flatten().for_each(|placed| placed.sealed = true);
        tx.execute(&Statement::new("UPDATE head SET seq = ?1", [group.seq.into()])).map(drop)
    }

    fn committed(&self, group: Head, answers: &mut [Result<Placed, StoreError>]) {
        assert!(!self.panic_in_committed.load(Ordering::SeqCst), "planted");
        drop(self.telling.lock().unwrap());
        *self.kept.lock().unwrap() = Some(group.seq);
        answers.iter_mut().flatten().for_each(|placed| placed.confirmed = true);
    }

    fn undone(&self, _group: Head) {
        self.undone.fetch_add(1, Ordering::SeqCst);
    }
}

fn head(tx: &Tx<'_>) -> Result<i64, StoreError> {
    tx.row(&Statement::new("SELECT seq FROM head", []))?.ok_or_else(|| StoreError::integrity("no head"))?.int(0)
}

pub fn open(path: &Path) -> SqliteStore<Log> {
    SqliteStore::open(path, options()).unwrap()
}

/// All entries as (who, k), after checking that places are gapless, that the head fits and that counters agree.
pub fn entries(store: &SqliteStore<Log>) -> Vec<(String, i64)> {
    store
        .read(|tx| {
            let mut found = Vec::new();
            tx.each(&Statement::new("SELECT seq, who, k FROM log ORDER BY seq", []), |row| {
                found.push((row.text(1)?.to_owned(), row.int(2)?));
                assert_eq!(row.int(0)?, i64::try_from(found.len()).unwrap(), "a gap in the log");
                Ok(())
            })?;
            assert_eq!(head(tx)?, i64::try_from(found.len()).unwrap(), "the head does not fit the log");
            tx.each(&Statement::new("SELECT who, n FROM counter", []), |row| {
                let who = row.text(0)?;
                let entries = found.iter().filter(|(name, _)| name == who).count();
                assert_eq!(row.uint(1)?, entries as u64, "the counter of {who}");
                Ok(())
            })?;
            Ok(found)
        })
        .unwrap()
}

/// The role this process was started for, if it was started by a test.
pub fn role() -> Option<String> {
    std::env::var("HOS_TEST_ROLE").ok()
}

/// This test binary again, in another process, in a role: it runs the test `role_of_a_child` and nothing else.
pub fn child(role: &str, store: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    prepare(&mut command, role, store);
    command.args(["--exact", "role_of_a_child", "--nocapture", "--test-threads=1"]);
    command
}

/// The same through a shell that first runs `setup` (a limit, a mount); `setup` ends in `exec "$@"`.
pub fn child_after(setup: &str, role: &str, store: &Path) -> Command {
    let mut command = Command::new("sh");
    prepare(&mut command, role, store);
    command.args(["-c", setup, "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "role_of_a_child", "--nocapture", "--test-threads=1"]);
    command
}

fn prepare(command: &mut Command, role: &str, store: &Path) {
    command.env("HOS_TEST_ROLE", role).env("HOS_TEST_STORE", store).stdin(Stdio::null()).stdout(Stdio::piped());
}

pub fn child_store() -> std::path::PathBuf {
    std::env::var_os("HOS_TEST_STORE").unwrap().into()
}

/// Numbers in lines `word n` of a child's output.
pub fn numbers(output: &str, word: &str) -> Vec<i64> {
    // The harness prints `test role_of_a_child ... ` without a line break before the child's first line.
    let lines = output.lines().map(|line| line.rsplit("... ").next().unwrap_or(line));
    lines.filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok()).collect()
}
