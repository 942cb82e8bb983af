//! A store in an SQLite file of a host's: which files are refused, what stays the host's, and what becomes of a file that is
//! replaced.

mod world;

use hos_core::call::{Call, Note};
use hos_core::refusal::Code;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, Failure, Settings};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::{Kind, World, birth, builder, go, patience, root};

fn world(journal: &str) -> World {
    World::new(&Kind { server: "sqlite".into(), session: journal.into() })
}

fn open(path: &Path) -> Result<Engine, Failure> {
    builder(&format!("sqlite://{}", path.display()), Path::new("/nowhere.key")).open()
}

#[track_caller]
fn refused(opened: Result<Engine, Failure>, code: Code, words: &str) {
    let failure = opened.err().expect("it was opened");
    assert!(failure.code == code && failure.message.contains(words), "{failure}");
}

/// What a pragma says on a connection.
fn pragma(url: &str, name: &str) -> String {
    let mut conn = hos_drivers::connector(url).unwrap().connect(patience()).map_err(|e| e.message).unwrap();
    let mut said = String::new();
    conn.query(&format!("PRAGMA {name}"), &[], &mut |cells| {
        said = match &cells[..] {
            [Sql::Int(n)] => n.to_string(),
            [Sql::Text(text)] => text.clone(),
            other => panic!("{other:?}"),
        };
        ControlFlow::Break(())
    })
    .map_err(|e| e.message)
    .unwrap();
    said
}

#[test]
fn a_path_is_absolute_and_its_file_is_there() {
    for url in ["sqlite://shop.db", "sqlite://", "sqlite:shop.db"] {
        let failure = hos_drivers::connector(url).err().unwrap();
        assert_eq!(failure.code, Code::StoreUnavailable, "{url}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.db");
    refused(open(&path), Code::StoreUnavailable, "unable to open");
    assert!(!path.exists(), "it is made by its owner, and not by us");
    std::fs::write(&path, "").unwrap();
    refused(open(&path), Code::StoreVersion, "0 of");
    std::fs::write(&path, "no database, but a text that somebody wrote, long enough to be the header of one, and then some more")
        .unwrap();
    refused(open(&path), Code::StoreIntegrity, "file is not a database");
}

#[test]
fn a_store_of_its_own_and_a_hosts_file_are_not_taken_for_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hos.db");
    let own = Engine::builder().law(Arc::new(world::law::law())).sqlite(&path);
    let founder = hos_core::policy::Entity { uid: root(), attrs: Default::default(), parents: [].into(), record: None };
    own.found(hos_engine::Founding { founder, roles: Vec::new() }).unwrap().close().unwrap();
    refused(open(&path), Code::StoreUnavailable, "a store of its own");
    let vault = dir.path().join("hos.db.vault");
    assert!(vault.exists());
    refused(open(&vault), Code::StoreVersion, "step 1 of the schema (`vault`) is not the one");
    // This process has the host's file open by another SQLite. Where it has a log, that alone is told: nothing is opened beside it.
    let told =
        [("WAL", Code::StoreIntegrity, "something else in this process"), ("DELETE", Code::StoreUnavailable, "another kind")];
    for (journal, code, words) in told {
        let world = world(journal);
        let hosts = world.url.strip_prefix("sqlite://").unwrap();
        let settings = Settings { busy_timeout: Duration::from_millis(200), ..Settings::default() };
        refused(Engine::builder().settings(settings).sqlite(hosts).open(), code, words);
    }
}

#[test]
fn the_journal_stays_the_hosts_and_what_we_commit_is_synced() {
    for (journal, mode) in [("WAL", "wal"), ("DELETE", "delete"), ("TRUNCATE", "delete")] {
        let world = world(journal);
        assert!(
            world
                .engine
                .tenant("t1")
                .unwrap()
                .begin(match birth("1") {
                    Call::Begin(call) => call,
                    other => panic!("{other:?}"),
                })
                .unwrap()
                .allowed
        );
        world.intact();
        // TRUNCATE is a setting of a connection, WAL one of the file.
        assert_eq!(pragma(&world.url, "journal_mode"), mode);
        for (name, value) in [("synchronous", "3"), ("secure_delete", "1"), ("mmap_size", "0")] {
            assert_eq!(pragma(&world.url, name), value, "{name}");
        }
        assert_eq!(pragma(&world.url, "application_id"), "0", "the file is marked by nobody");
    }
}

#[test]
fn a_file_that_is_locked_is_busy_and_nothing_is_stored() {
    for journal in ["WAL", "DELETE"] {
        let world = world(journal);
        let mut holder = world.client();
        holder.say("BEGIN IMMEDIATE").unwrap();
        let settings = Settings { busy_timeout: Duration::from_millis(300), ..Default::default() };
        let engine = builder(&world.url, &world.dir.path().join("seal.key")).settings(settings).open();
        // In both modes reading goes on beside one who writes.
        let engine = engine.unwrap();
        let since = Instant::now();
        let Call::Begin(call) = birth("1") else { panic!() };
        let failure = engine.tenant("t1").unwrap().begin(call).unwrap_err();
        assert_eq!(failure.code, Code::StoreBusy, "{failure}");
        assert!(
            since.elapsed() > Duration::from_millis(250) && since.elapsed() < Duration::from_secs(5),
            "{:?}",
            since.elapsed()
        );
        holder.say("ROLLBACK").unwrap();
        let Call::Begin(call) = birth("1") else { panic!() };
        assert!(engine.tenant("t1").unwrap().begin(call).unwrap().allowed);
        world.intact();
    }
}

/// A connector to a file that may grow no further.
struct Full(Arc<dyn Connector>);

impl Connector for Full {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn shown(&self) -> String {
        self.0.shown()
    }

    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        let mut conn = self.0.connect(patience)?;
        conn.query("PRAGMA max_page_count = 1", &[], &mut |_| ControlFlow::Continue(()))?;
        Ok(conn)
    }
}

/// SQLite takes the whole transaction back then, and with it the savepoint of the call.
#[test]
fn a_file_that_can_grow_no_further_is_full_and_nothing_is_stored() {
    for journal in ["WAL", "DELETE"] {
        let world = world(journal);
        let before = world.intact();
        let full = Arc::new(Full(hos_drivers::connector(&world.url).unwrap()));
        let engine = builder(&world.url, &world.dir.path().join("seal.key")).server(full).open().unwrap();
        let note = Note::new(root(), "n", vec![0; 200_000]).unwrap();
        let failure = engine.tenant("t1").unwrap().record(note).unwrap_err();
        assert_eq!(failure.code, Code::StoreFull, "{failure}");
        assert_eq!(world.intact(), before);
    }
}

/// A host restores a backup by moving it over the file while an engine has it open: nothing more is written where nobody reads.
#[test]
fn a_file_that_was_replaced_is_opened_anew() {
    for journal in ["WAL", "DELETE"] {
        let world = world(journal);
        let path = world.url.strip_prefix("sqlite://").unwrap().to_owned();
        let tenant = world.engine.tenant("t1").unwrap();
        let born = |id: &str| {
            let Call::Begin(call) = birth(id) else { panic!() };
            tenant.begin(call).unwrap()
        };
        assert!(born("1").allowed);
        world.engine.work().unwrap();
        rusqlite::Connection::open(&path).unwrap().execute("VACUUM INTO ?1", [format!("{path}.new")]).unwrap();
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{path}{end}"));
        }
        std::fs::rename(format!("{path}.new"), &path).unwrap();
        assert!(born("2").allowed);
        let moved = match go("1") {
            Call::Transition(call) => tenant.transition(call).unwrap(),
            other => panic!("{other:?}"),
        };
        assert!(moved.allowed);
        world.intact();
        let mut client = world.client();
        assert_eq!(
            client.number("SELECT count(*) FROM hos_instance WHERE tenant = 't1'"),
            2,
            "{journal}: what was answered is in the file"
        );
    }
}

#[test]
fn a_file_that_cannot_be_written_is_read_only() {
    let world = world("DELETE");
    let path = world.url.strip_prefix("sqlite://").unwrap();
    let as_root =
        Path::new("/proc/self/mem").exists() && std::process::Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if as_root {
        eprintln!("left out: this user may write every file");
    } else {
        let mut rights = std::fs::metadata(path).unwrap().permissions();
        rights.set_readonly(true);
        std::fs::set_permissions(path, rights).unwrap();
        refused(open(Path::new(path)), Code::StoreReadOnly, "cannot be written");
    }
}

#[test]
fn broken_pages_are_an_integrity_error_and_never_an_answer() {
    let world = world("DELETE");
    let path = world.url.strip_prefix("sqlite://").unwrap().to_owned();
    world.intact();
    let copy = world.dir.path().join("broken.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Everything behind the first page: tables without a root.
    bytes[4096..].fill(0xa5);
    std::fs::write(&copy, bytes).unwrap();
    refused(open(&copy), Code::StoreIntegrity, "malformed");
}
