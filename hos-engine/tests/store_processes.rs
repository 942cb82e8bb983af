//! The SQLite store among processes: races, kills, full disks, other users' files.
//!
//! Each test starts this very binary again in a role; see `role_of_a_child`.

mod store_log;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hos_core::refusal::Code;
use hos_engine::store::sqlite::SqliteStore;
use hos_testkit::told::{Fault, Told};
use hos_testkit::victim::Victim;
use store_log::{Job, Log, add, child, child_after, child_store, entries, numbers, open, options, role};

const PATIENCE: Duration = Duration::from_secs(120);

/// Says a line to the test that started this process. `println!` would panic on a closed pipe.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What a child does; nothing when this binary runs as itself.
#[test]
fn role_of_a_child() {
    let Some(role) = role() else { return };
    let path = child_store();
    let mut words = role.split(' ');
    match (words.next().unwrap_or(""), words.next().unwrap_or("")) {
        ("race", who) => race(&path, who),
        ("writer", who) => write_until_killed(&path, who),
        ("fill", _) => fill(&path),
        ("once", who) => {
            let placed = open(&path).submit(&Log::default(), add(who, 0)).unwrap();
            say(&format!("placed {}", placed.seq));
        }
        ("foreign", _) => {
            let other = rusqlite::Connection::open(&path).unwrap();
            let n: i64 = other.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap();
            other.close().unwrap();
            say(&format!("foreign {n}"));
        }
        // The SQLite that we bundle asks for the index's locks too before it unlinks; older ones ask for the file's alone.
        // This does what those do once the file's locks are gone: everything into the file, then the log is unlinked.
        ("older", _) => {
            let other = rusqlite::Connection::open(&path).unwrap();
            let busy: i64 = other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(0)).unwrap();
            other.close().unwrap();
            for suffix in ["-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                fs::remove_file(name).unwrap();
            }
            say(&format!("unlinked {}", 1 - busy));
        }
        ("open", _) => match SqliteStore::<Log>::open(&path, options()) {
            Ok(_) => say("opened 1"),
            Err(error) => say(&format!("code {}", error.code.number())),
        },
        ("hold", _) => hold(&path),
        _ => panic!("no such role"),
    }
}

/// Writes for a fixed time and says how often it came to write.
fn race(path: &Path, who: &str) {
    let store = open(path);
    let runner = Log::default();
    // Both start when the file is there, so that neither has the store to itself.
    say("ready 1");
    while !path.with_extension("go").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let until = Instant::now() + Duration::from_millis(1500);
    let mut k = 0;
    let mut longest = Duration::ZERO;
    while Instant::now() < until {
        let start = Instant::now();
        store.submit(&runner, add(who, k)).unwrap();
        longest = longest.max(start.elapsed());
        k += 1;
    }
    say(&format!("moves {k}"));
    say(&format!("longest_ms {}", longest.as_millis()));
}

/// Writes from two threads until somebody kills the process, and says what was acknowledged.
fn write_until_killed(path: &Path, who: &str) {
    let store = open(path);
    let runner = Log::default();
    std::thread::scope(|scope| {
        for thread in 0..2i64 {
            let (store, runner) = (&store, &runner);
            scope.spawn(move || {
                for k in 0.. {
                    let k = k * 2 + thread;
                    say(&format!("try {who}:{k}"));
                    store.submit(runner, Job::Add { who: who.to_owned(), k, bytes: 300 }).unwrap();
                    say(&format!("ack {who}:{k}"));
                }
            });
        }
    });
}

/// Writes until the disk is full, and says what was stored for sure, perhaps, and not.
fn fill(path: &Path) {
    let store = open(path);
    let runner = Log::default();
    let mut failures = 0;
    for k in 0..100_000 {
        match store.submit(&runner, Job::Add { who: "a".into(), k, bytes: 5000 }) {
            Ok(_) => say(&format!("ack {k}")),
            Err(error) => {
                say(&format!("code {}", error.code.number()));
                say(&format!("{} {k}", if error.code == Code::OutcomeUnknown { "unknown" } else { "not" }));
                failures += 1;
                if failures == 12 {
                    return;
                }
            }
        }
    }
}

/// Holds SQLite's write lock, as an administrator's shell may.
fn hold(path: &Path) {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    say("held 1");
    std::thread::sleep(Duration::from_secs(60));
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn two_processes_race_and_neither_starves_or_loses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    drop(open(&path));
    let children: Vec<_> = ["a", "b"].map(|who| child(&format!("race {who}"), &path).spawn().unwrap()).into();
    std::thread::sleep(Duration::from_millis(100));
    fs::write(path.with_extension("go"), "").unwrap();
    let mut moves = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        moves.push((numbers(&text, "moves")[0], numbers(&text, "longest_ms")[0]));
    }
    println!("moves and longest wait in ms: {moves:?}");
    // `entries` checks the counter, the head and that places have no gap: an update that was lost would show.
    let found = entries(&open(&path));
    assert_eq!(found.len() as i64, moves[0].0 + moves[1].0);
    let (less, more) = (moves[0].0.min(moves[1].0), moves[0].0.max(moves[1].0));
    assert!(less * 4 > more, "one starved: {moves:?}");
}

#[test]
fn what_was_known_is_believed_only_while_nobody_else_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    let (store, runner) = (open(&path), Log::default());
    let spared = || runner.spared.load(std::sync::atomic::Ordering::SeqCst);
    let write = |k| store.submit(&runner, add("here", k)).unwrap().seq;
    assert_eq!((write(0), spared()), (1, 0), "nothing is known yet");
    assert_eq!((write(1), spared()), (2, 1));
    for there in 0..2 {
        let known = spared();
        assert_eq!(numbers(&run(child(&format!("once there{there}"), &path)), "placed"), [3 + there * 3]);
        assert_eq!((write(2 + there * 2), spared()), (4 + there * 3, known), "the other process's entry was not read");
        assert_eq!((write(3 + there * 2), spared()), (5 + there * 3, known + 1));
    }
    let known = spared();
    store.submit(&runner, store_log::Job::Fail).unwrap_err();
    assert_eq!(spared(), known + 1);
    assert_eq!((write(9), spared()), (9, known + 1), "a group that was undone leaves nothing");
    assert_eq!(entries(&store).len(), 9);
}

#[test]
fn who_opens_after_a_kill_moves_what_was_left_into_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    drop(open(&path));
    let mut writer = Victim::start(&mut child("writer w", &path)).unwrap();
    assert!(writer.says("ack", 5, PATIENCE), "{}", writer.end().unwrap().trouble);
    writer.kill();
    writer.end().unwrap();
    let in_the_file = |name: &str| {
        // By a program of its own: closing a second descriptor here would drop the store's locks.
        let copy = dir.path().join(name);
        assert!(Command::new("cp").arg(&path).arg(&copy).status().unwrap().success());
        let copy = rusqlite::Connection::open(copy).unwrap();
        copy.query_row("SELECT count(*) FROM log", [], |row| row.get::<_, i64>(0)).unwrap() as usize
    };
    assert_eq!(in_the_file("before.db"), 0, "the test is worth nothing where the log was moved already");
    let store = open(&path);
    // Before anything else is asked of it: what a power loss may still take must not be answered for.
    assert!(in_the_file("after.db") >= 5);
    assert_eq!(in_the_file("again.db"), entries(&store).len());
}

/// A checkpoint that the power cut off may leave any sector of the file torn, the first as well: the log, which was synced before it,
/// has them all.
#[test]
fn a_first_page_that_is_torn_is_what_the_log_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    drop(open(&path));
    let mut writer = Victim::start(&mut child("writer w", &path)).unwrap();
    assert!(writer.says("ack", 60, PATIENCE), "{}", writer.end().unwrap().trouble);
    writer.kill();
    writer.end().unwrap();
    let log = dir.path().join("hos.db-wal");
    let file = fs::read(&path).unwrap();
    fs::write(&path, [&[0x5a; 512], &file[512..]].concat()).unwrap();
    // The same file without a log that says otherwise is no store.
    let alone = dir.path().join("alone.db");
    fs::copy(&path, &alone).unwrap();
    let error = SqliteStore::<Log>::open(&alone, options()).err().unwrap();
    assert_eq!(error.code, Code::StoreIntegrity, "{error}");
    // The first page is in the log: whoever opens writes it there.
    let first_page = 1u32.to_be_bytes();
    let frames = fs::read(&log).unwrap();
    assert!(frames[32..].chunks(24 + 4096).any(|frame| frame[..4] == first_page), "the test is worth nothing where it is not");
    assert!(entries(&open(&path)).len() >= 60);
}

#[test]
fn no_acknowledged_entry_is_lost_when_writers_are_killed() {
    let kills: usize = std::env::var("HOS_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    drop(open(&path));
    let mut told = Told::default();
    let mut killed = 0;
    let mut round = 0;
    while killed < kills {
        // Three writers at a time; each is killed after another number of acknowledgements.
        let writers: Vec<_> = (0..3)
            .map(|n| {
                let writer = Victim::start(&mut child(&format!("writer w{round}-{n}"), &path)).unwrap();
                (writer, 1 + (round * 7 + n * 5) % 23)
            })
            .collect();
        let ends: Vec<_> = writers
            .into_iter()
            .map(|(mut writer, after)| {
                std::thread::spawn(move || {
                    let in_time = writer.says("ack", after, PATIENCE);
                    writer.kill();
                    let end = writer.end().unwrap();
                    assert!(in_time && end.is_killed(), "a writer ended by itself: {end:?}");
                    end.text
                })
            })
            .collect();
        for end in ends {
            told.read(&end.join().unwrap());
            killed += 1;
        }
        round += 1;
    }
    let held = told.held(there(&open(&path))).unwrap();
    println!("count: {killed} kills of writers\ncount: {} acknowledgements (none lost) of writers", held.acknowledged);
    assert!(held.acknowledged >= killed);
    // Each thread waits for its answer before it goes on, so at most one entry of each is stored and not acknowledged.
    assert!(held.unanswered <= killed * 2, "{held:?}");
}

/// All entries, by the keys that writers have for them.
fn there(store: &SqliteStore<Log>) -> Vec<(String, String)> {
    entries(store).into_iter().map(|(who, k)| (format!("{who}:{k}"), String::new())).collect()
}

#[test]
fn a_lost_entry_and_one_that_is_there_twice_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (store, runner) = (open(&dir.path().join("hos.db")), Log::default());
    let mut told = Told::default();
    for k in 0..4 {
        told.read(&format!("try a:{k}\n"));
        store.submit(&runner, add("a", k)).unwrap();
        told.read(&format!("ack a:{k}\n"));
    }
    let all = there(&store);
    assert_eq!(told.held(all.clone()).unwrap().acknowledged, 4);
    assert_eq!(told.held(all[..3].to_vec()), Err(vec![Fault::Lost("a:3".to_owned())]));
    store.submit(&runner, add("a", 0)).unwrap();
    assert_eq!(told.held(there(&store)), Err(vec![Fault::Twice("a:0".to_owned())]));
    store.submit(&runner, add("b", 0)).unwrap();
    assert_eq!(told.held(there(&store)), Err(vec![Fault::Twice("a:0".to_owned()), Fault::Strange("b:0".to_owned())]));
}

#[test]
fn a_log_that_another_process_unlinks_after_our_locks_were_dropped_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let store = open(&path);
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();

    // While our locks stand, another process that opens and closes the file does no harm.
    assert_eq!(numbers(&run(child("foreign", &path)), "foreign"), [1]);
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap().seq, 2);
    assert_eq!(store.stats().unwrap().reopens, 0);

    // Dropped by a plain read in this process, they no longer keep the other from unlinking the log.
    fs::read(&path).unwrap();
    assert_eq!(numbers(&run(child("older", &path)), "unlinked"), [1]);
    assert!(!dir.path().join("hos.db-wal").exists(), "the trap did not close");
    let error = store.submit(&runner, add("a", 2)).unwrap_err();
    assert_eq!(error.code, Code::StoreIntegrity, "{error}");
    assert_eq!(store.submit(&runner, add("a", 2)).unwrap().seq, 3);

    // The same while the locks stand: only the comparison of inodes can tell.
    assert_eq!(numbers(&run(child("older", &path)), "unlinked"), [1]);
    let error = store.submit(&runner, add("a", 3)).unwrap_err();
    assert!(error.code == Code::StoreIntegrity && error.message.contains("hos.db-wal"), "{error}");
    assert_eq!(store.submit(&runner, add("a", 3)).unwrap().seq, 4);
    assert_eq!(store.stats().unwrap().reopens, 2);
    drop(store);
    assert_eq!(entries(&open(&path)).len(), 4);
}

#[test]
fn a_lock_that_is_held_for_too_long_is_busy_and_stores_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let mut options = options();
    options.busy_timeout = Duration::from_millis(200);
    let store: SqliteStore<Log> = SqliteStore::open(&path, options).unwrap();
    let runner = Log::default();
    store.submit(&runner, add("a", 0)).unwrap();
    let mut holder = child("hold", &path).spawn().unwrap();
    let mut output = BufReader::new(holder.stdout.take().unwrap());
    let mut text = String::new();
    while numbers(&text, "held").is_empty() {
        assert!(output.read_line(&mut text).unwrap() > 0, "{text}");
    }
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap_err().code, Code::StoreBusy);
    assert_eq!(entries(&store).len(), 1, "reads go on");
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(store.submit(&runner, add("a", 1)).unwrap().seq, 2);
}

/// What must hold after a disk was full: all that was acknowledged, nothing that was refused.
fn check_after_full(path: &Path, text: &str, lawful: &[Code]) {
    let (acks, unknown, not) = (numbers(text, "ack"), numbers(text, "unknown"), numbers(text, "not"));
    assert!(!acks.is_empty() && unknown.len() + not.len() == 12, "{text}");
    for code in numbers(text, "code") {
        assert!(lawful.iter().any(|lawful| i64::from(lawful.number()) == code), "code {code}");
    }
    let found: BTreeSet<i64> = entries(&open(path)).into_iter().map(|(_, k)| k).collect();
    assert!(acks.iter().all(|k| found.contains(k)), "an acknowledged entry is gone");
    assert!(not.iter().all(|k| !found.contains(k)), "a refused entry is there");
    let stored = unknown.iter().filter(|k| found.contains(k)).count();
    println!("{} acknowledged, {} refused, {} unknown of which {stored} stored", acks.len(), not.len(), unknown.len());
}

#[test]
fn a_limit_on_file_sizes_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    drop(open(&path));
    // The limit strikes in the middle of the log; the signal is ignored, so that the write fails instead.
    let output = child_after("trap '' XFSZ; ulimit -f 1500; exec \"$@\"", "fill", &path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    check_after_full(&path, &text, &[Code::StoreFull, Code::OutcomeUnknown, Code::StoreUnavailable]);
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    let kept = dir.path().join("kept");
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&kept).unwrap();
    // A small disk of the child's own, in name spaces of its own; its files are copied out when the writer is done.
    let probe = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs"]).arg(&disk).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: name spaces of one's own are not allowed here");
        return;
    }
    let setup = format!(
        "exec unshare -rm sh -c 'mount -t tmpfs -o size=2m tmpfs {0} && \"$@\" && cp {0}/* {1}/' sh \"$@\"",
        disk.display(),
        kept.display()
    );
    let output = child_after(&setup, "fill", &disk.join("hos.db")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    check_after_full(&kept.join("hos.db"), &text, &[Code::StoreFull, Code::OutcomeUnknown]);
}

#[test]
fn a_file_or_directory_that_may_not_be_written_is_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    drop(open(&path));
    let new = dir.path().join("new.db");
    let root = nix_is_root();
    // As root every file can be written: the child then runs as somebody else, if it can.
    let as_other = |path: &Path| {
        let mut command = child("open", path);
        if root {
            command.uid(65534).gid(65534);
        }
        command.output().ok().filter(|output| output.status.success()).map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
    };
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    set(dir.path(), 0o777);
    set(&path, 0o666);
    set(&dir.path().join("hos.db-lock"), 0o666);
    let Some(text) = as_other(&path) else {
        println!("skipped: this process cannot run as another user here");
        return;
    };
    assert_eq!(numbers(&text, "opened"), [1], "{text}");
    let read_only = i64::from(Code::StoreReadOnly.number());
    set(&path, 0o444);
    assert_eq!(numbers(&as_other(&path).unwrap(), "code"), [read_only], "a file that may not be written");
    set(&path, 0o666);
    set(dir.path(), 0o555);
    assert_eq!(numbers(&as_other(&new).unwrap(), "code"), [read_only], "a directory that may not be written");
    fs::remove_file(dir.path().join("hos.db-lock"))
        .or_else(|_| {
            set(dir.path(), 0o755);
            let removed = fs::remove_file(dir.path().join("hos.db-lock"));
            set(dir.path(), 0o555);
            removed
        })
        .unwrap();
    assert_eq!(numbers(&as_other(&path).unwrap(), "code"), [read_only], "a lock file that cannot be made");
    set(dir.path(), 0o755);
}

fn nix_is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}
