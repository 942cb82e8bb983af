//! A store under the test law, and the program run on it.

#![allow(dead_code, reason = "each test file uses its own part of this")]

pub(crate) mod database;
pub(crate) mod desk;
pub(crate) mod shop;
pub(crate) mod witness;

use assert_cmd::Command;
use database::Database;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A time at which nothing is due.
pub(crate) const NOON: &str = "2026-03-01T12:00:00Z";

/// The test law's directory.
pub(crate) fn law() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/law")
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The code of a refusal or a failure.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let code = json.get("code").or_else(|| json.get("error").and_then(|e| e.get("code")));
        code.and_then(Json::as_str).unwrap_or_else(|| panic!("no code: {json}")).to_owned()
    }

    /// Fails the test unless the run ended so.
    #[track_caller]
    pub(crate) fn ended(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self:?}");
        self
    }
}

/// The program, in an environment of its own.
pub(crate) fn hos() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hos"));
    for name in [
        "HOS_STORE",
        "HOS_STORE_FILE",
        "HOS_TENANT",
        "HOS_AS",
        "HOS_SIGNER_SOCKET",
        "HOS_SIGNER_COMMAND",
        "LC_ALL",
        "LC_MESSAGES",
    ] {
        command.env_remove(name);
    }
    command.env("LANG", "C");
    command
}

/// Runs it.
pub(crate) fn run(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A store with the tenant `pazar`, the operator `root`, and the accounts `ayse`, `mehmet` and (inactive) `kedi`.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    /// Whether the store lies in a database, whose URL stands in the file `url`.
    on_database: bool,
}

impl World {
    /// Founds it.
    pub(crate) fn new() -> Self {
        let world = World::empty();
        let law = law();
        let init = ["init", "--law", law.to_str().unwrap(), "--founder", "Account::root", "--role", "Role::operator"];
        world.run(&[&init[..], &["--attr", "active=true"]].concat()).ended(0);
        world.peopled()
    }

    /// A directory, and nothing founded.
    pub(crate) fn empty() -> Self {
        World { dir: tempfile::tempdir().unwrap(), on_database: false }
    }

    /// What was founded in a database ([`database::found`]).
    pub(crate) fn on_database(self) -> Self {
        World { on_database: true, ..self }.peopled()
    }

    /// Founds it in a database.
    pub(crate) fn on(database: &Database) -> Self {
        let world = World::empty();
        database::found(&world, &database.url).ended(0);
        world.on_database()
    }

    fn peopled(self) -> Self {
        for (name, active) in [("ayse", "active=true"), ("mehmet", "active=true"), ("kedi", "active=false")] {
            let account = format!("Account::{name}");
            self.run(&["directory", "put", &account, "--attr", active, "--tenant", "universe"]).ended(0);
        }
        self
    }

    /// A file in the world's directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// The program, on this store, as `root` at noon.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.without_key(arguments);
        if self.on_database && !arguments.contains(&"--key-file") {
            command.args(["--key-file", &self.path("hos.db.key")]);
        }
        command
    }

    /// The same; on a database without the key, as programs that use the store have none.
    pub(crate) fn without_key(&self, arguments: &[&str]) -> Command {
        let mut command = hos();
        if self.on_database {
            command.env("HOS_STORE_FILE", self.path("url"));
        } else {
            command.env("HOS_STORE", self.path("hos.db"));
        }
        command.env("HOS_TENANT", "pazar").env("HOS_AS", "Account::root");
        if !arguments.contains(&"--time") {
            command.args(["--time", NOON]);
        }
        command.args(arguments);
        command
    }

    /// Runs it as `root`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(self.command(arguments))
    }

    /// Runs it as `ayse`.
    pub(crate) fn ayse(&self, arguments: &[&str]) -> Run {
        run(self.with(arguments, "Account::ayse"))
    }

    /// Runs it as `ayse`, for a program.
    pub(crate) fn ayse_json(&self, arguments: &[&str]) -> Run {
        self.ayse(&[arguments, &["--json"]].concat())
    }

    /// The program as somebody.
    pub(crate) fn with(&self, arguments: &[&str], who: &str) -> Command {
        let mut command = self.command(arguments);
        command.env("HOS_AS", who);
        command
    }

    /// An order of 4200 that `ayse` placed.
    pub(crate) fn order(&self, id: &str) {
        self.ayse(&["begin", "order", id, "place", "--fact", "buyer=ayse", "--fact", "total=4200"]).ended(0);
    }
}
