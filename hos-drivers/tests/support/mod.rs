//! A small store in a database of its own, on each server that the environment names.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use hos_core::call::{Begin, By, Can, Change, Directory, Transition};
use hos_core::id::{InstanceId, Name, Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::store::Sql;
use hos_engine::store::server::Connection;
use hos_engine::{Builder, Engine, Failure, Founding, Level, Settings, TenantRef, VerifyOptions};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const LAW: [(&str, &str); 4] = [
    ("law.toml", "name = \"notes\"\nnamespace = \"N\"\npersons = [\"A\"]\n"),
    (
        "schema.cedarschema",
        "namespace N {
  entity A in [R] = { name?: String };
  entity R;
  entity Gate;
  entity O;
  action \"o.new\", \"o.go\", \"o.view\", \"o.adopt\" appliesTo { principal: [A], resource: [O] };
  action \"directory.account\", \"directory.entity\" appliesTo { principal: [A], resource: [A, R] };
  action \"tenant.open\", \"law.activate\", \"record.note\" appliesTo { principal: [A], resource: [Gate] };
}
",
    ),
    ("policies/all.cedar", "@id(\"all\") permit (principal in N::R::\"op\", action, resource);\n"),
    (
        "contracts/o.toml",
        "contract = \"o\"\nversion = 1\nentity = \"N::O\"\nstates = [\"a\", \"b\"]\nterminal = [\"b\"]\n[facts]\nwho = \"A\"\n\
         text = \"String?\"\n[begin.new]\nto = \"a\"\naction = \"o.new\"\n[event.go]\nfrom = [\"a\"]\nto = \"b\"\naction = \"o.go\"\n",
    ),
];

/// How long a test waits for a server.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("N::{kind}"), id).unwrap()
}

pub(crate) fn root() -> Uid {
    uid("A", "root")
}

/// The URLs of the servers that run for tests; says which do not.
pub(crate) fn servers() -> Vec<String> {
    let named = ["HOS_TEST_POSTGRES", "HOS_TEST_MARIADB"].map(|name| {
        let url = std::env::var(name).ok().filter(|url| !url.is_empty());
        if url.is_none() {
            eprintln!("left out: {name} names no server");
        }
        url
    });
    named.into_iter().flatten().collect()
}

/// A store in a database of its own, which goes with it.
pub(crate) struct Store {
    pub(crate) server: String,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) dir: tempfile::TempDir,
}

impl Store {
    /// A database with nothing in it.
    pub(crate) fn empty(server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("hos_drivers_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (base, _) = server.rsplit_once('/').unwrap();
        let store = Self { server: server.to_owned(), url: format!("{base}/{name}"), name, dir: tempfile::tempdir().unwrap() };
        tell(server, &format!("CREATE DATABASE {}", store.name)).unwrap();
        store
    }

    /// A founded one, with the tenant `t`.
    pub(crate) fn founded(server: &str) -> Self {
        let store = Self::empty(server);
        store.found().unwrap();
        store
    }

    /// Founds it, and opens the tenant `t`.
    pub(crate) fn found(&self) -> Result<Engine, Failure> {
        let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
        let founder = Entity { uid: root(), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
        let files = LAW.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let law = Arc::new(Law::load(files).unwrap_or_else(|faults| panic!("{faults:#?}")));
        let engine = self.builder().law(law).found(Founding { founder, roles: vec![role] })?;
        assert!(engine.open_tenant(&By::new(root()), &Tenant::new("t")?)?.allowed);
        Ok(engine)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("seal.key")
    }

    pub(crate) fn builder(&self) -> Builder {
        self.builder_at(&self.url)
    }

    /// The same store under another URL.
    pub(crate) fn builder_at(&self, url: &str) -> Builder {
        let settings = Settings { busy_timeout: PATIENCE, ..Settings::default() };
        Engine::builder().server(hos_drivers::connector(url).unwrap()).key_file(self.key()).settings(settings)
    }

    pub(crate) fn open(&self) -> (Engine, TenantRef) {
        let engine = self.builder().open().unwrap();
        let tenant = engine.tenant("t").unwrap();
        (engine, tenant)
    }

    /// Runs a statement in the database.
    pub(crate) fn tell(&self, sql: &str) {
        tell(&self.url, sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// The first column of an answer, as numbers.
    pub(crate) fn ask(&self, sql: &str) -> Vec<i64> {
        let mut out = Vec::new();
        let take = &mut |cells: Vec<Sql>| {
            out.push(match cells.first() {
                Some(Sql::Int(n)) => *n,
                other => panic!("{sql}: {other:?}"),
            });
            ControlFlow::Continue(())
        };
        connect(&self.url).and_then(|mut connection| connection.query(sql, &[], take).map_err(|e| e.message)).unwrap();
        out
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let force = if self.is_postgres() { " WITH (FORCE)" } else { "" };
        // A test that failed says why by itself.
        let _ = tell(&self.server, &format!("DROP DATABASE {}{force}", self.name));
    }
}

fn connect(url: &str) -> Result<Box<dyn Connection>, String> {
    hos_drivers::connector(url).unwrap().connect(Duration::from_secs(20)).map_err(|e| e.message)
}

/// Runs a statement on a connection of its own.
pub(crate) fn tell(url: &str, sql: &str) -> Result<(), String> {
    connect(url)?.say(sql).map_err(|e| e.message)
}

/// An instance is born.
pub(crate) fn begin(id: &str) -> Begin {
    Begin::new(root(), "o", id, "new").unwrap().fact("who", root())
}

pub(crate) fn go(id: &str) -> Transition {
    Transition::new(root(), "o", id, "go").unwrap()
}

pub(crate) fn view(id: &str) -> Can {
    Can::new(root(), "o.view", uid("O", id))
}

/// An instance as a caller brings it along.
pub(crate) fn order(id: &str) -> Entity {
    let attrs = Record::from([("who".to_owned(), Value::from(root())), ("state".to_owned(), Value::from("a"))]);
    Entity { uid: uid("O", id), attrs, parents: [].into(), record: None }
}

pub(crate) fn name_of(account: &str, name: &str) -> Directory {
    let attrs = Record::from([("name".to_owned(), Value::from(name))]);
    Directory::new(root(), Change::Put { uid: uid("A", account), attrs })
}

pub(crate) fn history(tenant: &TenantRef, id: &str) -> Result<usize, Failure> {
    tenant.history(&Name::new("o")?, &InstanceId::new(id)?, 0, 100).map(|entries| entries.len())
}

#[track_caller]
pub(crate) fn intact(engine: &Engine) {
    engine.work().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((report.level, report.unsealed.0), (Level::Intact, 0), "{:?}", report.findings);
}
