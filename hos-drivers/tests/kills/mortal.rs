//! Connections on which a process dies at a statement that was chosen before: on this side of it, or on the other.

use hos_drivers::join::Dialect;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector, Several};
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::say;

/// When a process dies.
pub(crate) struct Fate {
    /// How many statements are said before the one.
    left: AtomicI64,
    /// Whether the database has done that one.
    after: bool,
    /// Whether statements are said one by one, so that a process dies between them too; else a round is one text.
    apart: bool,
}

impl Fate {
    /// `12 before`, `12 after`; anything else is never.
    pub(crate) fn parse(text: &str) -> Arc<Self> {
        let (number, side) = text.split_once(' ').unwrap_or(("", ""));
        let left = number.parse().unwrap_or(i64::MAX);
        Arc::new(Self { left: AtomicI64::new(left), after: side == "after", apart: left % 2 == 0 })
    }

    fn around<T>(&self, sql: &str, run: impl FnOnce() -> T) -> T {
        let is_the_one = self.left.fetch_sub(1, Ordering::SeqCst) == 0;
        if is_the_one && !self.after {
            die(&format!("before {}", what(sql)));
        }
        let done = run();
        if is_the_one {
            die(&format!("after {}", what(sql)));
        }
        done
    }
}

/// Nothing of this process runs after it: no rollback, no goodbye.
pub(crate) fn die(phase: &str) {
    say(&format!("died {phase}"));
    Command::new("kill").args(["-9", &std::process::id().to_string()]).status().unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// The statement's verb, and the first table that it names.
fn what(sql: &str) -> String {
    let mut words = sql.split_whitespace();
    let verb = words.next().unwrap_or("").to_uppercase();
    let table = words.find(|word| word.starts_with("hos_") || ["orders", "pays"].contains(word)).unwrap_or("");
    format!("{verb} {table}").trim_end().to_owned()
}

/// A server with such connections.
pub(crate) struct Mortal {
    server: Arc<dyn Connector>,
    fate: Arc<Fate>,
}

impl Mortal {
    pub(crate) fn new(url: &str, fate: Arc<Fate>) -> Self {
        Self { server: hos_drivers::connector(url).unwrap(), fate }
    }
}

impl Connector for Mortal {
    fn dialect(&self) -> Dialect {
        self.server.dialect()
    }

    fn shown(&self) -> String {
        self.server.shown()
    }

    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        Ok(Box::new(MortalConnection { inner: self.server.connect(patience)?, fate: self.fate.clone() }))
    }
}

struct MortalConnection {
    inner: Box<dyn Connection>,
    fate: Arc<Fate>,
}

impl Connection for MortalConnection {
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError> {
        self.fate.around(sql, || self.inner.execute(sql, params))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[&Sql],
        take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        self.fate.around(sql, || self.inner.query(sql, params, take))
    }

    fn say(&mut self, sql: &str) -> Result<(), ClientError> {
        self.fate.around(sql, || self.inner.say(sql))
    }

    fn several(&mut self, text: &str) -> Result<Several, ClientError> {
        if self.fate.apart {
            return Ok(Several::Unknown);
        }
        self.fate.around(text, || self.inner.several(text))
    }

    fn is_alive(&self) -> bool {
        self.inner.is_alive()
    }
}
