//! Processes of every language, on one store under the law of the call vectors.

#![allow(dead_code, reason = "each test file uses its own part of this")]

#[path = "../../../hos-engine/tests/support/evidence.rs"]
pub(crate) mod evidence;

use hos_core::call::{Begin, By, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Answer, Engine, Failure, Founding, Level, ReplayOptions, TenantRef, VerifyOptions};
use hos_testkit::told::Told;
use hos_testkit::victim::{End, Victim};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A number that a campaign sets for tests that are otherwise short.
pub(crate) fn set(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("S::{kind}"), id).unwrap()
}

pub(crate) fn ayse() -> Uid {
    uid("Account", "ayse")
}

/// A new store in a directory of its own.
pub(crate) fn found(dir: &Path) -> PathBuf {
    let store = dir.join("hos.db");
    let role = Entity { uid: uid("Role", "operator"), attrs: Record::new(), parents: [].into(), record: None };
    let attrs = Record::from([("active".to_owned(), Value::from(true))]);
    let founder = Entity { uid: ayse(), attrs, parents: [role.uid.clone()].into(), record: None };
    let law = root().join("testdata/vectors/call/law");
    let engine = Engine::builder().law_dir(law).unwrap().sqlite(&store).found(Founding { founder, roles: vec![role] }).unwrap();
    assert!(engine.open_tenant(&By::new(ayse()), &Tenant::new("t1").unwrap()).unwrap().allowed);
    engine.close().unwrap();
    store
}

pub(crate) fn open(store: &Path) -> Engine {
    Engine::builder().sqlite(store).open().unwrap()
}

/// Does what a key stands for: `x` makes the lamp `x`, `x+step` lets it go out.
pub(crate) fn done(tenant: &TenantRef, key: &str) -> Result<Answer, Failure> {
    match key.split_once('+') {
        Some((lamp, _)) => tenant.transition(Transition::new(ayse(), "lamp", lamp, "step").unwrap().once(key)?),
        None => tenant.begin(Begin::new(ayse(), "lamp", key, "make").unwrap().once(key)?),
    }
}

/// The store verifies and is judged again as it was, and all that was told is true of it.
#[track_caller]
pub(crate) fn holds(store: &Path, told: &Told) -> hos_testkit::told::Held {
    let engine = open(store);
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((report.level, report.unsealed.0), (Level::Intact, 0), "{:#?}", report.findings);
    assert_eq!(engine.replay(&ReplayOptions::default()).unwrap().listed, []);
    told.held(evidence::evidence(store).unwrap()).unwrap()
}

/// What a build left beside this program.
fn built(name: &str) -> Result<PathBuf, String> {
    let program = std::env::current_exe().unwrap();
    let path = program.parent().and_then(Path::parent).unwrap().join(name);
    if path.exists() { Ok(path) } else { Err(format!("{} is not there: cargo build --workspace --lib", path.display())) }
}

fn runs(program: &str, args: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err(format!("`{program}` is missing, or too old")) }
}

/// A language whose processes write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
    Php,
    Node,
}

impl Language {
    /// Every language that is here; one that is missing is said to be left out, and is a failure where all are wanted.
    pub(crate) fn all() -> Vec<Self> {
        let all = [Self::Rust, Self::Python, Self::Php, Self::Node];
        all.into_iter().filter(|language| language.is_here()).collect()
    }

    pub(crate) fn is_here(self) -> bool {
        let Err(why) = self.script("") else { return true };
        let wanted = std::env::var("HOS_TEST_LANGUAGES").is_ok_and(|which| which == "all");
        assert!(!wanted, "{self:?}: {why}");
        eprintln!("left out: {self:?}: {why}");
        false
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::Php => "PHP",
            Self::Node => "Node",
        }
    }

    /// A script of this language's, told where the build lies; why that cannot be.
    pub(crate) fn script(self, name: &str) -> Result<Command, String> {
        let path = |end: &str| root().join("hos-testkit/tests/processes").join(format!("{name}.{end}"));
        let mut command;
        match self {
            Self::Rust => {
                command = Command::new(std::env::current_exe().unwrap());
                command.args(["--exact", "a_process", "--nocapture", "--test-threads=1"]);
            }
            Self::Python => {
                let library = built("libhos_python.so")?;
                runs("python3", &["-c", "import sys, sqlite3; sys.exit(sys.version_info < (3, 9))"])?;
                command = Command::new("python3");
                command.args(["-W", "ignore::DeprecationWarning"]).arg(path("py"));
                command.env("CARGO_TARGET_DIR", library.parent().and_then(Path::parent).unwrap()).env("HOS_PYTHON_LIB", library);
            }
            Self::Php => {
                let library = built("libhos.so")?;
                runs("php", &["-r", "exit(PHP_VERSION_ID >= 80200 && extension_loaded('ffi') ? 0 : 1);"])?;
                command = Command::new("php");
                command.arg(path("php")).env("HOS_LIBRARY", library);
            }
            Self::Node => {
                let library = built("libhos_node.so")?;
                runs("node", &["-e", "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)"])?;
                command = Command::new("node");
                command.arg(path("mjs")).env("CARGO_TARGET_DIR", library.parent().and_then(Path::parent).unwrap());
            }
        }
        Ok(command)
    }
}

/// Starts a script with its arguments.
pub(crate) fn start(language: Language, script: &str, args: &[&str]) -> Victim {
    let mut command = language.script(script).unwrap();
    match language {
        // This program again: what it is comes by the environment.
        Language::Rust => command.env("HOS_PROCESS", args.join("\n")),
        _ => command.args(args),
    };
    Victim::start(&mut command).unwrap()
}

/// The end of one that should end by itself, and well.
#[track_caller]
pub(crate) fn ended(mut victim: Victim) -> String {
    let in_time = victim.ends(PATIENCE);
    if !in_time {
        victim.kill();
    }
    let End { text, trouble, status } = victim.end().unwrap();
    assert!(in_time && status.success(), "it hangs: {}; {status}: {trouble}\n{text}", !in_time);
    text
}
