//! Databases that run beside the tests, and a store in one of them.

use super::{NOON, Run, World, hos, law, run};
use hos_engine::store::Sql;
use hos_engine::store::server::Connector;
use hos_engine::store::sql::dialect::Dialect;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Runs a test on each database that the environment names; where there is none, it says so.
pub(crate) fn on_each(test: impl Fn(&Database)) {
    let named = ["HOS_TEST_POSTGRES", "HOS_TEST_MARIADB"].map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
    for (name, url) in ["PostgreSQL", "MariaDB"].iter().zip(named) {
        match url {
            Some(url) => test(&Database::new(&url)),
            None => eprintln!("left out: no {name} runs for tests"),
        }
    }
}

/// A database of one test, which goes with it.
pub(crate) struct Database {
    server: Arc<dyn Connector>,
    /// Its URL, with the password.
    pub(crate) url: String,
    pub(crate) name: String,
    users: std::sync::Mutex<Vec<String>>,
}

impl Database {
    fn new(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("hos_cli_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = hos_drivers::connector(url).unwrap();
        let (base, _) = url.rsplit_once('/').unwrap();
        let database = Self { server, url: format!("{base}/{name}"), name, users: std::sync::Mutex::default() };
        database.tell_server(&format!("CREATE DATABASE {}", database.name));
        database
    }

    /// Another one on the same server.
    pub(crate) fn beside(other: &Database) -> Self {
        Self::new(&other.url)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.server.dialect() == Dialect::Postgres
    }

    /// What it is called on the command line.
    pub(crate) fn dialect(&self) -> &'static str {
        self.server.dialect().name()
    }

    /// The password in its URL.
    pub(crate) fn password(&self) -> &str {
        self.url.split(['/', '@']).nth(2).and_then(|user| user.split_once(':')).unwrap().1
    }

    /// `HOST:PORT`.
    fn at(&self) -> &str {
        self.url.split(['/', '@']).nth(3).unwrap()
    }

    fn tell_server(&self, sql: &str) {
        let mut connection = self.server.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
        connection.say(sql).map_err(|e| e.message).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Runs one statement as somebody; says what the server refused.
    pub(crate) fn tell(&self, url: &str, sql: &str) -> Result<(), String> {
        let connector = hos_drivers::connector(url).unwrap();
        let mut connection = connector.connect(Duration::from_secs(20)).map_err(|e| e.message)?;
        connection.say(sql).map_err(|e| e.message)
    }

    /// The first column of all rows, as text.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        ask(&self.url, sql)
    }

    /// A new user without any right but to connect; gives its name and the database's URL as this user.
    pub(crate) fn user(&self, name: &str) -> (String, String) {
        let user = format!("{}_{name}", self.name);
        if self.is_postgres() {
            self.tell_server(&format!("CREATE ROLE {user} LOGIN PASSWORD 'canary'"));
        } else {
            self.tell_server(&format!("CREATE USER {user}@'%' IDENTIFIED BY 'canary'"));
        }
        self.users.lock().unwrap().push(user.clone());
        let (scheme, _) = self.url.split_once("://").unwrap();
        let url = format!("{scheme}://{user}:canary@{}/{}", self.at(), self.name);
        (user, url)
    }

    /// All tables of ours.
    pub(crate) fn tables(&self) -> Vec<String> {
        let (name, schema) =
            if self.is_postgres() { ("table_name::text", "current_schema()") } else { ("table_name", "database()") };
        self.ask(&format!("SELECT {name} FROM information_schema.tables WHERE table_schema = {schema}"))
    }

    /// The database without the rows of the vault, or those alone, as `hos backup` says.
    pub(crate) fn dump(&self, vault: bool) -> String {
        let mut command = if self.is_postgres() {
            let mut command = Command::new("pg_dump");
            command.args(if vault {
                ["--data-only", "--table=hos_vault"]
            } else {
                ["--no-owner", "--exclude-table-data=hos_vault"]
            });
            command.arg(&self.url);
            command
        } else {
            let mut command = self.mariadb("mariadb-dump");
            command.args(["--single-transaction", "--hex-blob"]);
            match vault {
                true => command.args(["--no-create-info", &self.name, "hos_vault"]),
                false => command.args([&format!("--ignore-table-data={}.hos_vault", self.name), &self.name]),
            };
            command
        };
        let output = command.output().expect("the program is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn mariadb(&self, program: &str) -> Command {
        let (host, port) = self.at().split_once(':').unwrap();
        let user = self.url.split(['/', ':']).nth(3).unwrap();
        let mut command = Command::new(program);
        command.args(["-h", host, "-P", port, "-u", user]).env("MYSQL_PWD", self.password());
        command
    }

    /// The database's own client, as a person uses it, fed with a script.
    pub(crate) fn client(&self, script: &str) -> (bool, String) {
        let mut command = if self.is_postgres() {
            let mut command = Command::new("psql");
            command.args(["--single-transaction", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url]);
            command
        } else {
            let mut command = self.mariadb("mariadb");
            command.arg(&self.name);
            command
        };
        fed(&mut command, script)
    }
}

/// Runs a program on a script; says whether it ended well, and what it said.
pub(crate) fn fed(command: &mut Command, script: &str) -> (bool, String) {
    use std::io::Write;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client is installed");
    // A client that fails early closes its end; its exit says so.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), said)
}

impl Drop for Database {
    fn drop(&mut self) {
        let force = if self.is_postgres() { " WITH (FORCE)" } else { "" };
        if let Ok(mut connection) = self.server.connect(Duration::from_secs(20)) {
            // A test that failed says why by itself.
            let _ = connection.say(&format!("DROP DATABASE {}{force}", self.name));
            for user in self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
                let host = if self.is_postgres() { "" } else { "@'%'" };
                let _ = connection.say(&format!("DROP USER {user}{host}"));
            }
        }
    }
}

/// Founds a store in a database as somebody, with the key in the world's directory, and opens the tenant `pazar`.
pub(crate) fn found(world: &World, url: &str) -> Run {
    std::fs::write(world.path("url"), format!("{url}\n")).unwrap();
    let mut command = hos();
    command.arg("init").arg("--law").arg(law()).args(["--time", NOON, "--tenant", "pazar"]);
    command.args(["--store-file", &world.path("url"), "--key-file", &world.path("hos.db.key")]);
    command.args(["--founder", "Account::root", "--role", "Role::operator", "--attr", "active=true"]);
    run(command)
}

/// The first column of all rows, as text.
pub(crate) fn ask(url: &str, sql: &str) -> Vec<String> {
    let connector = hos_drivers::connector(url).unwrap();
    let mut connection = connector.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
    let mut out = Vec::new();
    let asked = connection.query(sql, &[], &mut |cells| {
        out.push(match cells.into_iter().next().unwrap() {
            Sql::Int(n) => n.to_string(),
            Sql::Text(text) => text,
            Sql::Raw(bytes) | Sql::Blob(bytes) => String::from_utf8(bytes).unwrap(),
            Sql::Null => "null".to_owned(),
        });
        ControlFlow::Continue(())
    });
    asked.map_err(|e| e.message).unwrap();
    out
}
