//! The SQLite store in a process that believes that it was forked: alone in this program, for what belief does to one store it does to all.

mod store_log;

use hos_core::refusal::Code;
use hos_engine::store::sqlite::SqliteStore;
use std::sync::atomic::{AtomicU32, Ordering};
use store_log::{Log, add, entries, options};

static PID: AtomicU32 = AtomicU32::new(0);

#[test]
fn a_forked_child_parts_from_its_parent_and_goes_on() {
    // A real fork needs `unsafe`; here the process only believes that it was forked.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    PID.store(100, Ordering::SeqCst);
    let mut options = options();
    options.pid = || PID.load(Ordering::SeqCst);
    let store: SqliteStore<Log> = SqliteStore::open(&path, options.clone()).unwrap();
    let runner = Log::default();
    store.submit(&runner, add("parent", 0)).unwrap();

    // Idle at the fork: the child goes on with handles of its own.
    PID.store(101, Ordering::SeqCst);
    assert_eq!(store.submit(&runner, add("child", 0)).unwrap().seq, 2);
    assert_eq!(entries(&store).len(), 2);
    // A child that opens an engine of its own may; the one it inherited is then in the way of itself only.
    PID.store(102, Ordering::SeqCst);
    let own: SqliteStore<Log> = SqliteStore::open(&path, options).unwrap();
    own.submit(&runner, add("child", 1)).unwrap();
    assert_eq!(store.submit(&runner, add("child", 2)).unwrap_err().code, Code::StoreBusy);
    own.submit(&runner, add("child", 2)).unwrap();
    drop(own);
    assert_eq!(store.submit(&runner, add("child", 3)).unwrap().seq, 5);
    // In the middle of a read of another thread: nothing here may be touched, and nothing hangs.
    store
        .read(|_| {
            PID.store(103, Ordering::SeqCst);
            for _ in 0..2 {
                let error = store.submit(&runner, add("grandchild", 0)).unwrap_err();
                assert!(error.code == Code::StoreUnavailable && error.message.contains("forked"), "{error}");
                assert_eq!(store.read(|_| Ok(())).unwrap_err().code, Code::StoreUnavailable);
            }
            Ok(())
        })
        .unwrap_or(());
}
