//! A world with a database of its own, in which a store was founded, and its clients in Rust.

#![allow(dead_code, reason = "each test file uses its own part of this")]

pub(crate) mod client;
pub(crate) mod cut;
#[path = "../../../hos-engine/tests/support/law.rs"]
pub(crate) mod law;

use hos_core::call::{Begin, By, Call, Can, Change, Directory, Legacy, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::law::mode::{Mode, Modes};
use hos_core::policy::Entity;
use hos_core::value::Record;
use hos_drivers::join::{Dialect, Joining};
use hos_engine::{Builder, Engine, Founding, Level, ReplayOptions, VerifyOptions};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("N::{kind}"), id).unwrap()
}

pub(crate) fn root() -> Uid {
    uid("A", "root")
}

/// A kind of database, and a setting of the host's connections.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// A server's URL, or `sqlite`.
    pub(crate) server: String,
    /// What each connection says first; SQLite: its file's journal.
    pub(crate) session: String,
}

impl Kind {
    pub(crate) fn dialect(&self) -> Dialect {
        Dialect::named(self.server.split(':').next().unwrap()).unwrap()
    }
}

/// Every database that there is, as its clients find it; servers that are not there are said to be left out.
pub(crate) fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut add = |server: &str, session: &str| kinds.push(Kind { server: server.to_owned(), session: session.to_owned() });
    add("sqlite", "WAL");
    for name in ["HOS_TEST_POSTGRES", "HOS_TEST_MARIADB"] {
        match std::env::var(name).ok().filter(|url| !url.is_empty()) {
            Some(url) => add(&url, ""),
            None => eprintln!("left out: {name} names no server"),
        }
    }
    kinds
}

/// The same, and settings under which transactions meet in other ways.
pub(crate) fn kinds_and_settings() -> Vec<Kind> {
    let mut kinds = kinds();
    for kind in kinds.clone() {
        let sessions: &[&str] = match kind.dialect() {
            Dialect::Sqlite => &["DELETE"],
            Dialect::Postgres => &[
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            ],
            Dialect::Mysql => {
                &["SET SESSION innodb_snapshot_isolation = ON", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"]
            }
        };
        kinds.extend(sessions.iter().map(|session| Kind { session: (*session).to_owned(), ..kind.clone() }));
    }
    kinds
}

/// A database in which a store was founded, with the tenant `t1`, and the host's table of orders; it goes with this.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    name: String,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) engine: Engine,
}

impl World {
    pub(crate) fn new(kind: &Kind) -> Self {
        Self::under(kind, law::law())
    }

    pub(crate) fn under(kind: &Kind, law: hos_core::law::Law) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let dir = tempfile::tempdir().unwrap();
        let name = format!("hos_join_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = if kind.dialect() == Dialect::Sqlite {
            let path = dir.path().join("shop.db");
            let owner = rusqlite::Connection::open(&path).unwrap();
            owner.pragma_update_and_check(None, "journal_mode", &kind.session, |row| row.get::<_, String>(0)).unwrap();
            format!("sqlite://{}", path.display())
        } else {
            client::tell(&kind.server, &format!("CREATE DATABASE {name}")).unwrap();
            format!("{}/{name}", kind.server.rsplit_once('/').unwrap().0)
        };
        let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
        let founder = Entity { uid: root(), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
        let builder = builder(&url, &dir.path().join("seal.key"));
        let engine = builder.law(Arc::new(law)).found(Founding { founder, roles: vec![role] }).unwrap();
        assert!(engine.open_tenant(&By::new(root()), &Tenant::new("t1").unwrap()).unwrap().allowed);
        let put = Change::Put { uid: uid("A", "ann"), attrs: Record::new() };
        assert!(engine.tenant("universe").unwrap().directory(Directory::new(root(), put)).unwrap().allowed);
        let world = Self { kind: kind.clone(), url, name, dir, engine };
        let mut owner = world.client();
        owner.say("CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY, status VARCHAR(16) NOT NULL)").unwrap();
        owner.say("CREATE TABLE pays (id VARCHAR(64) NOT NULL, evt VARCHAR(64) PRIMARY KEY)").unwrap();
        world
    }

    /// One more connection of the host's.
    pub(crate) fn client(&self) -> client::Client {
        client::connect(&self.url, &self.kind.session)
    }

    pub(crate) fn joining(&self) -> Joining {
        joining(self.kind.dialect())
    }

    /// All that can be is in shadow from now on.
    pub(crate) fn in_shadow(&self) {
        let mut modes = Modes::default();
        modes.entries.insert((Some(Tenant::new("t1").unwrap()), String::new()), Mode::Shadow);
        assert!(self.engine.activate(&By::new(root()), Arc::new(law::law()), None, modes).unwrap().allowed);
    }

    /// Sealed, verified, and judged again; how many records there are.
    #[track_caller]
    pub(crate) fn intact(&self) -> u64 {
        self.engine.work().unwrap();
        let report = self.engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!((report.level, report.unsealed.0), (Level::Intact, 0), "{:#?}", report.findings);
        assert_eq!(self.engine.replay(&ReplayOptions::default()).unwrap().listed, []);
        report.logs.iter().map(|(_, size, _)| size).sum()
    }

    /// The host's rows and the evidence agree one to one: orders with instances, payments with once-keys; how many were paid.
    #[track_caller]
    pub(crate) fn agree(&self) -> i64 {
        let mut client = self.client();
        let id = match self.kind.dialect() {
            Dialect::Postgres => "convert_to(o.id, 'UTF8')",
            Dialect::Mysql => "o.id",
            Dialect::Sqlite => "CAST(o.id AS BLOB)",
        };
        let orders = client.number("SELECT count(*) FROM orders");
        let same = format!(
            "SELECT count(*) FROM orders o JOIN hos_instance i ON i.tenant = 't1' AND i.contract = 'o' AND i.id = {id} AND i.state = o.status"
        );
        assert_eq!(client.number(&same), orders, "{:?}", self.kind);
        assert_eq!(
            client.number("SELECT count(*) FROM hos_instance WHERE tenant = 't1' AND state <> ''"),
            orders,
            "{:?}",
            self.kind
        );
        let paid = client.number("SELECT count(*) FROM orders WHERE status = 'b'");
        let keys = client.number("SELECT count(*) FROM hos_once WHERE tenant = 't1' AND n >= 0");
        assert_eq!((client.number("SELECT count(*) FROM pays"), keys), (paid, paid), "{:?}", self.kind);
        paid
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.kind.dialect() != Dialect::Sqlite {
            let force = if self.kind.dialect() == Dialect::Postgres { " WITH (FORCE)" } else { "" };
            // A test that failed says why by itself.
            let _ = client::tell(&self.kind.server, &format!("DROP DATABASE {}{force}", self.name));
        }
    }
}

pub(crate) fn builder(url: &str, key: &std::path::Path) -> Builder {
    Engine::builder().server(hos_drivers::connector(url).unwrap()).key_file(PathBuf::from(key))
}

/// What a process of the host's opens.
pub(crate) fn joining(dialect: Dialect) -> Joining {
    Joining::open(Engine::builder().law(Arc::new(law::law())), dialect)
}

pub(crate) fn birth(id: &str) -> Call {
    Call::Begin(Begin::new(root(), "o", id, "new").unwrap().fact("who", uid("A", "ann")))
}

pub(crate) fn go(id: &str) -> Call {
    Call::Transition(Transition::new(root(), "o", id, "go").unwrap())
}

/// The same call under a once-key.
pub(crate) fn once(call: Call, key: &str) -> Call {
    match call {
        Call::Begin(call) => Call::Begin(call.once(key).unwrap()),
        Call::Transition(call) => Call::Transition(call.once(key).unwrap()),
        other => other,
    }
}

/// The same call with the world's own outcome.
pub(crate) fn legacy(mut call: Call, allowed: bool) -> Call {
    let said = Some(Legacy { allowed, state: None });
    match &mut call {
        Call::Begin(call) => call.by.legacy = said,
        Call::Transition(call) => call.by.legacy = said,
        other => panic!("{other:?}"),
    }
    call
}

/// A question with the world's own answer.
pub(crate) fn question(id: &str, allowed: bool) -> Can {
    let attrs = Record::from([("who".into(), uid("A", "ann").into()), ("state".into(), "a".into())]);
    let order = Entity { uid: uid("O", id), attrs, parents: [].into(), record: None };
    let mut can = Can::new(root(), "o.go", uid("O", id)).given(order);
    can.by.legacy = Some(Legacy { allowed, state: None });
    can
}

/// Small chance, the same for each seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

pub(crate) fn patience() -> Duration {
    Duration::from_secs(20)
}
