//! A table and the program beside it.

use super::{Run, hos, run};
use std::path::PathBuf;
use tempfile::TempDir;

/// A directory with one table in it.
pub(crate) struct Desk {
    pub(crate) dir: TempDir,
}

impl Desk {
    /// With this table as `orders.csv`.
    pub(crate) fn new(table: impl AsRef<[u8]>) -> Self {
        let desk = Desk { dir: tempfile::tempdir().unwrap() };
        std::fs::write(desk.path("orders.csv"), table).unwrap();
        desk
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `hos infer orders.csv --contract order ..`
    pub(crate) fn infer(&self, words: &[&str]) -> Run {
        let mut command = hos();
        command.current_dir(self.dir.path()).args(["infer", "orders.csv", "--contract", "order"]).args(words);
        run(command)
    }

    /// The program, in it.
    pub(crate) fn hos(&self, words: &[&str]) -> Run {
        let mut command = hos();
        command.current_dir(self.dir.path()).args(words);
        run(command)
    }
}
