//! The SQLite store inside one process: shared commits, errors, foreign hands.

mod store_log;

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use hos_core::refusal::Code;
use hos_engine::store::sqlite::{Migration, OpenOptions, SqliteStore, after_fork_in_parent, before_fork};
use hos_engine::store::{Statement, StoreError};
use store_log::{APPLICATION_ID, Job, Log, SCHEMA, add, entries, open, options};

fn failed(result: Result<SqliteStore<Log>, StoreError>) -> StoreError {
    match result {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn eight_threads_share_commits_and_all_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, runner, start) = (&store, &runner, &start);
            scope.spawn(move || {
                start.wait();
                for k in 0..200 {
                    let placed = store.submit(runner, add(&format!("t{thread}"), k)).unwrap();
                    assert!(placed.sealed && placed.confirmed && placed.seq > 0);
                }
            });
        }
    });
    let stats = store.stats().unwrap();
    assert_eq!(stats.jobs, 1600);
    assert!(stats.commits < 1600, "no commit was ever shared");
    println!("1600 jobs of 8 threads in {} commits", stats.commits);
    drop(store);
    assert!(!dir.path().join("hos.db-wal").exists(), "the last one to close empties the log");
    let found: BTreeSet<_> = entries(&open(&path)).into_iter().collect();
    assert_eq!(found.len(), 1600);
}

#[test]
fn a_batch_is_one_commit_and_its_bad_jobs_fail_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    let runner = Log::default();
    let jobs = vec![add("a", 0), Job::Fail, add("a", 1), Job::Panic, add("a", 2)];
    let answers = store.submit_all(&runner, jobs).unwrap();
    let shape: Vec<Result<i64, Code>> = answers.into_iter().map(|a| a.map(|p| p.seq).map_err(|e| e.code)).collect();
    assert_eq!(shape, [Ok(1), Err(Code::WrongState), Ok(2), Err(Code::Internal), Ok(3)]);
    assert_eq!(store.stats().unwrap().commits, 1);
    assert_eq!(entries(&store).len(), 3);
    assert_eq!(store.submit_all(&runner, Vec::new()).unwrap().len(), 0);
}

#[test]
fn a_group_of_bad_jobs_alone_commits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    let runner = Log::default();
    assert_eq!(store.submit(&runner, Job::Panic).unwrap_err().code, Code::Internal);
    assert_eq!(store.submit(&runner, Job::Fail).unwrap_err().code, Code::WrongState);
    assert_eq!((store.stats().unwrap().commits, runner.undone.load(Ordering::SeqCst)), (0, 2));
    assert_eq!(entries(&store).len(), 0);
    assert_eq!(store.submit(&runner, add("a", 0)).unwrap().seq, 1);
}

#[test]
fn a_panic_while_sealing_undoes_all_and_one_after_the_commit_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    let runner = Log::default();
    runner.panic_in_finish.store(true, Ordering::SeqCst);
    let answers = store.submit_all(&runner, vec![add("a", 0), add("a", 1), Job::Fail]).unwrap();
    let codes: Vec<Code> = answers.into_iter().map(|a| a.unwrap_err().code).collect();
    assert_eq!(codes, [Code::Internal, Code::Internal, Code::WrongState]);
    assert_eq!(entries(&store).len(), 0);

    runner.panic_in_finish.store(false, Ordering::SeqCst);
    runner.panic_in_committed.store(true, Ordering::SeqCst);
    assert_eq!(store.submit(&runner, add("a", 0)).unwrap_err().code, Code::OutcomeUnknown);
    assert_eq!(entries(&store).len(), 1, "it was stored, so the answer may not be a plain no");

    runner.panic_in_committed.store(false, Ordering::SeqCst);
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap().seq, 2);
}

#[test]
fn threads_that_fail_and_panic_leave_the_others_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    let runner = Log::default();
    std::thread::scope(|scope| {
        for thread in 0..8i64 {
            let (store, runner) = (&store, &runner);
            scope.spawn(move || {
                for k in 0..60 {
                    match (thread + k) % 3 {
                        0 => assert_eq!(store.submit(runner, Job::Panic).unwrap_err().code, Code::Internal),
                        1 => assert_eq!(store.submit(runner, Job::Fail).unwrap_err().code, Code::WrongState),
                        _ => assert!(store.submit(runner, add("good", thread * 100 + k)).unwrap().confirmed),
                    }
                }
            });
        }
    });
    assert_eq!(entries(&store).len(), 160);
}

#[test]
fn a_call_from_inside_its_own_transaction_is_refused_not_hung() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&dir.path().join("hos.db")));
    let runner = Log::default();
    *runner.store.lock().unwrap() = Some(Arc::downgrade(&store));
    assert_eq!(store.submit(&runner, Job::Inside).unwrap_err().code, Code::Internal);
    assert_eq!(entries(&store).len(), 0);
}

#[test]
fn a_read_is_of_one_moment_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    let count = Statement::new("SELECT count(*) FROM log", []);
    store
        .read(|tx| {
            assert_eq!(tx.row(&count)?.unwrap().int(0)?, 1);
            store.submit(&runner, add("a", 1)).unwrap();
            assert_eq!(tx.row(&count)?.unwrap().int(0)?, 1, "the moment moved");
            let error = tx.execute(&Statement::new("DELETE FROM log", [])).unwrap_err();
            assert_eq!(error.code, Code::StoreReadOnly);
            Ok(())
        })
        .unwrap();
    assert_eq!(entries(&store).len(), 2);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.read::<()>(|_| panic!("planted"))));
    assert!(caught.is_err());
    assert_eq!(entries(&store).len(), 2);
}

#[test]
fn what_is_no_store_is_refused_by_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("text"), "[law]\nname = \"pazar\"\n").unwrap();
    fs::write(at("short"), "SQLite").unwrap();
    fs::write(at("empty"), "").unwrap();
    let app = rusqlite::Connection::open(at("app.db")).unwrap();
    app.execute_batch("CREATE TABLE orders (id INTEGER)").unwrap();
    app.close().unwrap();
    let before = fs::read(at("app.db")).unwrap();
    open(&at("linked")).stats().unwrap();
    fs::hard_link(at("linked"), at("second name")).unwrap();

    let plain = OpenOptions::new(APPLICATION_ID, SCHEMA);
    for (name, options, code, says) in [
        ("directory", options(), Code::StoreUnavailable, "is a directory"),
        ("text", options(), Code::StoreIntegrity, "is not an SQLite file"),
        ("short", options(), Code::StoreIntegrity, "is not an SQLite file"),
        ("app.db", options(), Code::StoreUnavailable, "another kind"),
        ("absent", plain.clone(), Code::StoreUnavailable, "there is no store"),
        ("empty", plain.clone(), Code::StoreUnavailable, "is empty"),
        ("empty", plain.clone().read_only(true), Code::StoreUnavailable, "is empty"),
        ("no/where", options(), Code::StoreUnavailable, "cannot make the store"),
        ("linked", options(), Code::StoreUnavailable, "several names"),
    ] {
        let error = failed(SqliteStore::open(at(name), options));
        assert_eq!(error.code, code, "{name}: {error}");
        assert!(error.message.contains(says), "{name}: {error}");
    }
    assert_eq!(fs::read(at("app.db")).unwrap(), before, "another program's file was touched");
    assert!(!at("text-lock").exists() && !at("short-lock").exists(), "a lock was left beside what is no store");
    // An empty file may become a store when making one was asked for.
    assert_eq!(entries(&open(&at("empty"))).len(), 0);
}

#[test]
fn a_schema_that_is_not_ours_is_refused_and_an_older_one_is_brought_up() {
    const OTHER: &[Migration] = &[SCHEMA[0], Migration { name: "counter", sql: "CREATE TABLE counter (n INTEGER) STRICT;" }];
    const BROKEN: &[Migration] = &[SCHEMA[0], SCHEMA[1], Migration { name: "broken", sql: "CREATE TABLE a (x); CREATE GARBAGE" }];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let with = |schema| OpenOptions::new(APPLICATION_ID, schema).create(true);
    drop(SqliteStore::<Log>::open(&path, with(&SCHEMA[..1])).unwrap());

    let error = failed(SqliteStore::open(&path, with(SCHEMA).read_only(true)));
    assert_eq!(error.code, Code::StoreVersion, "{error}");
    drop(open(&path));
    let error = failed(SqliteStore::open(&path, with(&SCHEMA[..1])));
    assert!(error.code == Code::StoreVersion && error.message.contains("newer"), "{error}");
    let error = failed(SqliteStore::open(&path, with(OTHER)));
    assert!(error.code == Code::StoreVersion && error.message.contains("`counter`"), "{error}");
    let error = failed(SqliteStore::open(&path, with(BROKEN)));
    assert_eq!(error.code, Code::Internal, "{error}");
    // The step that failed left nothing behind.
    let store = open(&path);
    assert_eq!(
        store.read(|tx| tx.rows(&Statement::new("SELECT name FROM sqlite_schema WHERE name = 'a'", []))).unwrap().len(),
        0
    );
}

#[test]
fn one_process_opens_a_file_once_by_whatever_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = open(&path);
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    for name in [&path, &link] {
        let error = failed(SqliteStore::open(name, options()));
        assert!(error.code == Code::StoreBusy && error.message.contains("already open"), "{error}");
    }
    // The refusal itself must not have opened the file: that would have dropped the locks.
    store.submit(&runner, add("a", 1)).unwrap();
    assert_eq!(store.stats().unwrap().reopens, 0);
    drop(store);
    assert_eq!(entries(&open(&link)).len(), 2);
}

#[test]
fn files_are_for_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    store.submit(&Log::default(), add("a", 0)).unwrap();
    for name in ["hos.db", "hos.db-wal", "hos.db-shm", "hos.db-lock"] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_file_that_may_not_grow_is_full_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let mut options = options();
    options.file_pages_max = 40;
    let store: SqliteStore<Log> = SqliteStore::open(&path, options).unwrap();
    let runner = Log::default();
    let mut kept = 0;
    let error = loop {
        match store.submit(&runner, Job::Add { who: "a".into(), k: kept, bytes: 3000 }) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "it never became full");
    };
    assert_eq!(error.code, Code::StoreFull, "{error}");
    assert_eq!(entries(&store).len() as i64, kept);
    // One job too many does not cost the others their commit.
    let batch = vec![add("a", 1), Job::Add { who: "a".into(), k: 2, bytes: 50_000 }, add("a", 3)];
    let answers = store.submit_all(&runner, batch).unwrap();
    assert!(answers.iter().all(|a| a.is_ok() || a.as_ref().unwrap_err().code == Code::StoreFull));
    let good = answers.iter().filter(|a| a.is_ok()).count();
    assert_eq!(entries(&store).len(), usize::try_from(kept).unwrap() + good);
}

#[test]
fn a_store_opened_for_reading_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    open(&path).submit(&Log::default(), add("a", 0)).unwrap();
    fs::remove_file(dir.path().join("hos.db-lock")).unwrap();
    let before = fs::read(&path).unwrap();
    let store: SqliteStore<Log> = SqliteStore::open(&path, options().read_only(true)).unwrap();
    assert_eq!(entries(&store).len(), 1);
    assert_eq!(store.submit(&Log::default(), add("a", 1)).unwrap_err().code, Code::StoreReadOnly);
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!dir.path().join("hos.db-lock").exists());
}

/// Somebody else's hands on the file, in this very process.
fn foreign_sqlite(path: &Path) {
    let other = rusqlite::Connection::open(path).unwrap();
    let _: i64 = other.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap();
    other.close().unwrap();
}

#[test]
fn a_plain_read_of_the_file_is_noticed_before_the_next_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    fs::read(&path).unwrap();

    let error = store.submit(&runner, add("a", 1)).unwrap_err();
    assert_eq!(error.code, Code::StoreIntegrity, "{error}");
    assert_eq!(runner.verified.load(Ordering::SeqCst), 0);
    // The next call opens anew, verifies, and goes on.
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap().seq, 2);
    assert_eq!((store.stats().unwrap().reopens, runner.verified.load(Ordering::SeqCst)), (1, 1));
    for k in 2..10 {
        store.submit(&runner, add("a", k)).unwrap();
    }
    assert_eq!((store.stats().unwrap().reopens, entries(&store).len()), (1, 10));
}

#[test]
fn a_touch_between_begin_and_commit_makes_the_outcome_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    *runner.touch_in_finish.lock().unwrap() = Some(path.clone());
    let answers = store.submit_all(&runner, vec![add("a", 1), Job::Fail]).unwrap();
    let codes: Vec<Code> = answers.into_iter().map(|a| a.unwrap_err().code).collect();
    assert_eq!(codes, [Code::OutcomeUnknown, Code::WrongState]);
    assert_eq!(runner.undone.load(Ordering::SeqCst), 1, "a commit that is not known may not be signed");
    assert_eq!(store.submit(&runner, add("a", 2)).unwrap().seq, 3, "the log had its name all the while");
    assert_eq!(runner.verified.load(Ordering::SeqCst), 1);
}

#[test]
fn reads_notice_it_too_and_nothing_is_written_until_the_head_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    fs::read(&path).unwrap();
    assert_eq!(store.read(|_| Ok(())).unwrap_err().code, Code::StoreIntegrity);
    assert_eq!(entries(&store).len(), 1);

    runner.refuse_reopened.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(store.submit(&runner, add("a", 1)).unwrap_err().code, Code::StoreIntegrity);
        let read = store.read_verified(&runner, |_| Ok(())).unwrap_err();
        assert_eq!(read.code, Code::StoreIntegrity, "nor is anything answered from it");
    }
    assert_eq!(entries(&store).len(), 1);
    runner.refuse_reopened.store(false, Ordering::SeqCst);
    let verified = runner.verified.load(Ordering::SeqCst);
    for _ in 0..2 {
        store.read_verified(&runner, |_| Ok(())).unwrap();
    }
    store.submit(&runner, add("a", 1)).unwrap();
    assert_eq!(runner.verified.load(Ordering::SeqCst), verified + 1, "once is enough");
    assert_eq!(entries(&store).len(), 2);
}

#[test]
fn a_store_that_was_replaced_or_removed_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    fs::rename(&path, dir.path().join("moved.db")).unwrap();
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap_err().code, Code::StoreIntegrity);
    // Nothing is made in its place.
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap_err().code, Code::StoreUnavailable);
    assert!(!path.exists());
    fs::rename(dir.path().join("moved.db"), &path).unwrap();
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap().seq, 2);

    fs::remove_file(dir.path().join("hos.db-wal")).unwrap();
    assert_eq!(store.submit(&runner, add("a", 2)).unwrap_err().code, Code::StoreIntegrity);
}

#[test]
fn another_sqlite_in_the_process_is_noticed_while_threads_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    let stop = AtomicBool::new(false);
    // The bundled library is one library, so a second connection of it shares its locks; what a foreign library does to
    // them, a plain open and close does as well.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                std::thread::sleep(std::time::Duration::from_millis(5));
                fs::read(&path).unwrap();
                foreign_sqlite(&path);
            }
            stop.store(true, Ordering::SeqCst);
        });
        let mut acknowledged = Vec::new();
        let mut unknown = Vec::new();
        let mut k = 0;
        while !stop.load(Ordering::SeqCst) {
            match store.submit(&runner, add("a", k)) {
                Ok(_) => acknowledged.push(k),
                Err(error) if error.code == Code::OutcomeUnknown => unknown.push(k),
                Err(error) => assert_eq!(error.code, Code::StoreIntegrity, "{error}"),
            }
            k += 1;
        }
        let found: BTreeSet<i64> = loop {
            match store.read(|_| Ok(())) {
                Ok(()) => break entries(&store).into_iter().map(|(_, k)| k).collect(),
                Err(error) => assert_eq!(error.code, Code::StoreIntegrity),
            }
        };
        assert!(acknowledged.iter().all(|k| found.contains(k)), "an acknowledged entry is gone");
        assert!(found.iter().all(|k| acknowledged.contains(k) || unknown.contains(k)), "a refused entry is there");
        assert!(store.stats().unwrap().reopens > 0, "nothing was noticed");
    });
}

#[test]
fn a_backup_under_writes_is_whole_and_named_last() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let target = dir.path().join("copy.db");
    let store = open(&path);
    let runner = Log::default();
    for k in 0..300 {
        store.submit(&runner, Job::Add { who: "before".into(), k, bytes: 9000 }).unwrap();
    }
    let stop = AtomicBool::new(false);
    let mut steps = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut k = 0;
            while !stop.load(Ordering::SeqCst) {
                store.submit(&runner, add("during", k)).unwrap();
                k += 1;
            }
        });
        let verify = |copy: &Path| {
            assert!(!target.exists(), "named before it was verified");
            let copy: SqliteStore<Log> = SqliteStore::open(copy, options().read_only(true))?;
            assert!(entries(&copy).iter().filter(|(who, _)| who == "before").count() == 300);
            Ok(())
        };
        let mut progress = |_| {
            steps += 1;
            ControlFlow::Continue(())
        };
        store.backup(&target, &mut progress, &verify).unwrap();
        stop.store(true, Ordering::SeqCst);
    });
    assert!(steps > 1, "no steps");
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let whole = fs::read(&target).unwrap();
    let again = store.backup(&target, &mut |_| ControlFlow::Continue(()), &|_| Ok(())).unwrap_err();
    assert!(again.message.contains("exists already"), "{again}");
    assert_eq!(fs::read(&target).unwrap(), whole);

    let refused = dir.path().join("refused.db");
    let error =
        store.backup(&refused, &mut |_| ControlFlow::Continue(()), &|_| Err(StoreError::integrity("planted"))).unwrap_err();
    assert_eq!(error, StoreError::integrity("planted"));
    let error = store.backup(&refused, &mut |_| ControlFlow::Break(()), &|_| Ok(())).unwrap_err();
    assert!(error.message.contains("stopped"), "{error}");
    let names: Vec<String> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.contains("partial") && !name.contains("refused")), "{names:?}");

    // The copy is a store like any other.
    let copy = open(&target);
    let next = entries(&copy).len() as i64 + 1;
    assert_eq!(copy.submit(&runner, add("after", 0)).unwrap().seq, next);
}

#[test]
fn what_a_killed_backup_left_goes_with_the_next_one_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    store.submit(&Log::default(), add("a", 0)).unwrap();
    // In a container a process of later has the same number.
    let target = dir.path().join("copy.db");
    let number = std::process::id();
    let held = [format!("copy.db.partial-{number}-0"), format!("copy.db.partial-{number}-0-held")];
    let others = ["copy.db.partial-1".to_owned(), "copy.db.partial-of-mine".to_owned(), "another.db.partial-7-0".to_owned()];
    let left = ["copy.db.partial-7-0", "copy.db.partial-7-0-held", "copy.db.partial-7-0-journal", "copy.db.partial-8-1-held"];
    let stays: Vec<&str> = held.iter().chain(&others).map(String::as_str).collect();
    for name in stays.iter().chain(&left) {
        fs::write(dir.path().join(name), "half").unwrap();
    }
    // As long as somebody is at it, they hold this.
    let lock = fs::File::open(dir.path().join(&held[1])).unwrap();
    lock.lock().unwrap();
    store.backup(&target, &mut |_| ControlFlow::Continue(()), &|_| Ok(())).unwrap();
    assert_eq!(entries(&open(&target)).len(), 1);
    for name in stays {
        assert_eq!(fs::read(dir.path().join(name)).unwrap(), b"half", "{name}: another's, or no copy of this name");
    }
    let names: Vec<String> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let partials = names.iter().filter(|name| name.starts_with("copy.db.partial-")).count();
    assert_eq!(partials, 4, "what nobody holds is gone: {names:?}");
    drop(lock);
    fs::remove_file(&target).unwrap();
    store.backup(&target, &mut |_| ControlFlow::Continue(()), &|_| Ok(())).unwrap();
    assert!(held.iter().all(|name| !dir.path().join(name).exists()), "nobody holds it any more");
}

#[test]
fn a_fork_waits_until_what_was_committed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("hos.db"));
    let runner = Log::default();
    let forked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let held = runner.telling.lock().unwrap();
        scope.spawn(|| store.submit(&runner, add("a", 0)).unwrap());
        while entries(&store).is_empty() {
            std::thread::yield_now();
        }
        // Committed, and the runner's own locks are held: a child of now would wait for them for ever.
        scope.spawn(|| {
            before_fork();
            forked.store(true, Ordering::SeqCst);
            after_fork_in_parent();
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!forked.load(Ordering::SeqCst), "it forked in between");
        drop(held);
    });
    assert!(forked.load(Ordering::SeqCst));
}

#[test]
fn a_damaged_store_errs_and_never_panics() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    {
        let store = open(&path);
        for k in 0..50 {
            store.submit(&Log::default(), Job::Add { who: "a".into(), k, bytes: 2000 }).unwrap();
        }
    }
    let whole = fs::read(&path).unwrap();
    for cut in [100, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        let copy = dir.path().join(format!("cut at {cut}"));
        fs::write(&copy, &whole[..cut]).unwrap();
        let result = SqliteStore::<Log>::open(&copy, options()).and_then(|store| {
            store.read(|tx| {
                tx.each(&Statement::new("SELECT seq, who, k, load FROM log ORDER BY seq", []), |row| row.blob(3).map(drop))
            })
        });
        let error = result.expect_err("a file cut short reads as if it were whole");
        assert_eq!(error.code, Code::StoreIntegrity, "cut at {cut}: {error}");
    }
    // Bytes turned over inside the file: caught, or the rows are what they were; a panic is never an answer.
    let rows = |path: &Path| {
        let store = SqliteStore::<Log>::open(path, options())?;
        store.read(|tx| tx.rows(&Statement::new("SELECT seq, who, k FROM log ORDER BY seq", [])))
    };
    for (n, at) in (0..whole.len()).step_by(whole.len() / 40).enumerate() {
        let copy = dir.path().join(format!("turned {n}"));
        let mut bytes = whole.clone();
        bytes[at..(at + 7).min(whole.len())].iter_mut().for_each(|b| *b ^= 0x5a);
        fs::write(&copy, &bytes).unwrap();
        if let Err(error) = rows(&copy) {
            let lawful = [Code::StoreIntegrity, Code::StoreVersion, Code::StoreUnavailable, Code::Internal];
            assert!(lawful.contains(&error.code), "turned at {at}: {error}");
        }
    }
}
