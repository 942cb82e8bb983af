//! An erasure counts from its commit on, though the vault's file, or the store's, is in somebody's hands just then; and what a shared
//! commit holds.

mod support;

use hos_core::call::{Begin, Call, Change, Directory};
use hos_core::id::{InstanceId, KeyId, Name, Tenant};
use hos_core::policy::Entity;
use hos_core::proof::erasure::LastVerdict;
use hos_core::value::Record;
use hos_engine::joined::Joined;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, Erasure, Level, Settings, VerifyOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use support::host::{host, joined, world};
use support::{Store, change, files, fresh, fresh_under, go, new_order, root, uid};

const ROLE: &str = "HOS_TEST_VAULT_HELD";

/// What a child does: it holds the vault's file.
#[test]
fn role_of_a_child() {
    let Some(path) = std::env::var_os(ROLE) else { return };
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    println!("\nheld");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

/// Another program that writes to the vault, and does not come to an end.
struct Holder(Child);

impl Holder {
    fn of(store: &Path) -> Self {
        let mut path = store.as_os_str().to_owned();
        path.push(".vault");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "role_of_a_child", "--nocapture", "--test-threads=1"]);
        let mut child = command.env(ROLE, path).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        assert!(BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap().ends_with("held")));
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[track_caller]
fn intact(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

#[test]
fn nothing_is_written_of_an_erased_person_while_the_vault_is_busy() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let given = || Entity { uid: uid("A", "ann"), attrs: Record::new(), parents: [].into(), record: None };
    let held = Holder::of(&store.path);
    let done = store.engine.erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(done.answer.allowed && done.notices.iter().any(|notice| notice.contains("not destroyed yet")), "{:?}", done.notices);
    // The key lies in the vault; and by the store's word there is none.
    let mut begin = new_order("2");
    begin.by.given.push(given());
    assert_eq!(tenant.begin(begin).unwrap().code(), Some("hos.subject_erased"));
    drop(held);
    store.engine.work().unwrap();
    intact(&store);
    // Destroyed by now, and so for whoever opens anew.
    let Store { engine, clock, path, dir, database } = store;
    drop((engine, tenant));
    let vault = dir.path().join("s.db.vault");
    let keys = rusqlite::Connection::open(vault).unwrap();
    assert_eq!(keys.query_row("SELECT count(*) FROM hos_vault WHERE destroyed IS NOT NULL", [], |row| row.get(0)), Ok(1));
    drop(keys);
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    intact(&Store { engine, clock, path, dir, database });
}

/// A read that goes on until what it waits for is dropped: meanwhile nobody empties the write-ahead log.
fn reading(engine: &Engine) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (began, has_begun) = mpsc::channel();
    let (goes_on, until) = mpsc::channel::<()>();
    let engine = engine.clone();
    let reader = std::thread::spawn(move || {
        let hold = |_: u64, _: u64| {
            let _ = began.send(());
            let _ = until.recv();
        };
        // What it comes to is of no interest: the person's key goes while it reads.
        let _ = engine.verify(&VerifyOptions { progress: Some(&hold), ..VerifyOptions::default() });
    });
    has_begun.recv().unwrap();
    (goes_on, reader)
}

#[test]
fn what_an_erasure_could_not_wipe_is_wiped_by_the_next_round_of_work_and_by_the_next_start() {
    if support::database::is_on() {
        return;
    }
    let waits = |engine: &Engine| {
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        report.notices.iter().any(|notice| notice.contains("1 erasure(s) deleted may still lie in the file"))
    };
    for by_start in [false, true] {
        let store = fresh(Settings { busy_timeout: Duration::from_millis(200), ..Settings::default() });
        let t1 = Tenant::new("t1").unwrap();
        let all = |call: &dyn Fn(u32) -> Call| {
            let answers = store.engine.batch((0..400).map(|i| (t1.clone(), call(i))).collect()).unwrap();
            assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.allowed)));
        };
        // So many rows that whole pages are freed with them, which keep what they held.
        all(&|i| Call::Begin(new_order(&i.to_string()).once(&format!("canary-{i}")).unwrap()));
        all(&|i| Call::Transition(go(&i.to_string())));
        let (goes_on, reader) = reading(&store.engine);
        let done = store.engine.erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
        assert!(done.answer.allowed, "{:?}", done.answer.blockers);
        assert!(done.notices.iter().any(|notice| notice.starts_with("traces of deleted rows")), "{:?}", done.notices);
        assert!(waits(&store.engine));
        drop(goes_on);
        reader.join().unwrap();
        let Store { engine, clock, path, dir, .. } = store;
        assert!(!files(dir.path(), b"canary-").is_empty());
        let engine = if by_start {
            // Who begins knows of the erasure, and not what it deleted.
            engine.close().unwrap();
            Engine::builder().sqlite(&path).clock(clock).open().unwrap()
        } else {
            engine.work().unwrap();
            engine
        };
        assert_eq!(files(dir.path(), b"canary-"), Vec::<String>::new(), "by a start: {by_start}");
        assert!(!waits(&engine));
    }
}

#[test]
fn who_never_had_a_key_is_found_again_by_the_one_that_was_destroyed() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    let mut by = root();
    by.given.push(Entity { uid: uid("A", "zoe"), attrs: Record::new(), parents: [].into(), record: None });
    let held = Holder::of(&store.path);
    // Her key cannot be made: nothing is committed.
    assert!(store.engine.erase(&by, &uid("A", "zoe"), "x").is_err());
    drop(held);
    let done = store.engine.erase_with(&by, &uid("A", "zoe"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    let record = done.record.unwrap();
    assert!(done.answer.allowed && record.key != KeyId([0; 16]) && record.lost.is_empty());
    intact(&store);
}

#[test]
fn what_a_sleeping_host_wrote_of_a_person_who_is_erased_is_told_and_no_fault() {
    let Some(store) = world() else { return };
    let joined = joined(&store);
    if joined.dialect() == hos_engine::store::sql::dialect::Dialect::Sqlite {
        eprintln!("left out: who writes has the whole file to itself");
        return;
    }
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed && tenant.transition(go("1")).unwrap().allowed);
    let mut sleeper = host(&store, &joined);
    sleeper.say("BEGIN");
    let begin = Begin::new(uid("A", "root"), "o", "2", "new").unwrap().fact("who", uid("A", "ann")).once("of-ann").unwrap();
    assert!(sleeper.call(hos_core::call::Call::Begin(begin)).unwrap().allowed);
    let erased = store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    let Some(()) = sleeper.commit() else { return };
    store.engine.work().unwrap();
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert!(report.notices.iter().any(|notice| notice.contains("nobody can read it")), "{:#?}", report.notices);
    let left = tenant.instance(&Name::new("o").unwrap(), &InstanceId::new("2").unwrap());
    assert!(left.is_err() || left.unwrap().is_none_or(|instance| instance.facts.is_empty()));
}

/// What is sealed nobody can read; what a row says by itself goes when the person is erased once more.
#[test]
fn what_a_sleeping_host_left_in_the_clear_is_told_and_goes_when_the_person_is_erased_again() {
    // Ids name persons in this law.
    let store = fresh_under(Settings::default(), |path, text| match path {
        "contracts/o.toml" => text.replace("version=1\n", "version=1\npersonal_ids=true\n"),
        _ => text,
    });
    let Some(dialect) = store.database.as_ref().map(|database| database.own.dialect()) else { return };
    if dialect != Dialect::Postgres {
        eprintln!("left out: an erasure waits for who holds a row beside its own");
        return;
    }
    // Hosts go by the database's clock.
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    store.clock.set(hos_core::time::Timestamp(i64::try_from(now).unwrap()));
    let joined = Arc::new(Joined::open(Engine::builder(), dialect, dialect.places()));
    let ann = uid("A", "ann");
    let mut sleeper = host(&store, &joined);
    sleeper.say("BEGIN");
    let (to, on) = (Some(ann.clone()), Some(uid("R", "staff")));
    let grant = Change::Grant { id: "g-ann".into(), template: "t".into(), principal: to, resource: on };
    for change in [Change::Join { uid: ann.clone(), parent: uid("R", "staff") }, grant] {
        assert!(sleeper.call(Call::Directory(Directory::new(uid("A", "root"), change))).unwrap().allowed);
    }
    let begin = Begin::new(uid("A", "root"), "o", "order-of-ann", "new").unwrap().fact("who", ann.clone());
    assert!(sleeper.call(Call::Begin(begin.once("once-ann").unwrap())).unwrap().allowed);
    let erase = || store.engine.erase_with(&root(), &ann, &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(erase().answer.allowed);
    let Some(()) = sleeper.commit() else { return };
    store.engine.work().unwrap();

    let clear = [
        "SELECT count(*) FROM hos_directory WHERE id = 'ann'",
        "SELECT count(*) FROM hos_grant",
        "SELECT count(*) FROM hos_instance WHERE id = 'order-of-ann'",
        "SELECT count(*) FROM hos_deadline",
        "SELECT count(*) FROM hos_once",
    ];
    assert_eq!(clear.map(|sql| sleeper.number(sql)), [1; 5]);
    let left = || -> Vec<String> {
        let report = store.engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        report.notices.into_iter().filter(|notice| notice.contains("who was erased, and it is there")).collect()
    };
    let told = left();
    for at in ["hos_directory t1 N::A::\"ann\"", "hos_grant t1 g-ann", "hos_instance t1 o/order-of-ann", "hos_once t1"] {
        assert!(told.iter().any(|notice| notice.starts_with(at)), "{at}: {told:#?}");
    }

    let again = erase();
    assert!(again.answer.allowed, "{:?}", again.answer.blockers);
    let record = again.record.unwrap();
    assert_eq!((record.verdict, record.lost.iter().map(|lost| lost.count).sum::<u64>()), (LastVerdict::Unread, 4));
    assert_eq!(clear.map(|sql| sleeper.number(sql)), [0; 5]);
    assert_eq!(left(), Vec::<String>::new());
    assert_eq!(store.tenant("t1").tick(10).unwrap(), 0);
    let order = (Name::new("o").unwrap(), InstanceId::new("order-of-ann").unwrap());
    assert!(store.tenant("t1").is_erased(&order.0, &order.1).unwrap());
    assert_eq!(erase().answer.code(), Some("hos.subject_erased"));
    store.engine.work().unwrap();
    assert_eq!(left(), Vec::<String>::new());
}
