//! `hos guard`: triggers by which the world's database refuses a status that the law does not hold.

use crate::out::Done;
use crate::usage::usage;
use crate::world::World;
use crate::world::guard::{Unknown, removal, script};
use clap::Args;
use hos_engine::Failure;
use hos_engine::store::sql::dialect::Dialect;
use serde_json::json;
use std::path::PathBuf;

/// Print triggers by which the database itself refuses a status that the law's tables do not hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hos guard world.toml --dialect postgres | psql -v ON_ERROR_STOP=1 -d pazar
  hos guard world.toml --dialect mysql --unless-unknown | mariadb pazar
  hos guard world.toml --dialect mysql --remove | mariadb pazar

The file says which row of which table is which instance (spec/world.md). PostgreSQL holds a status against the law when the
transaction commits. MySQL and SQLite have no such triggers and do it when the status is written: there the program asks H-OS first
and then writes the status, in one transaction.")]
pub(crate) struct Guard {
    /// The file that says which rows are which instances
    #[arg(value_name = "WORLD.toml")]
    world: PathBuf,
    /// Which database: `sqlite`, `postgres` or `mysql` (MariaDB too)
    #[arg(long, value_name = "DIALECT")]
    dialect: String,
    /// Let rows pass that no instance stands for: not all are adopted yet
    #[arg(long)]
    unless_unknown: bool,
    /// Print the statements that take the triggers away
    #[arg(long)]
    remove: bool,
}

impl Guard {
    pub(crate) fn run(&self) -> Result<Done, Failure> {
        let wrong = || usage(format!("--dialect `{}`: sqlite, postgres or mysql", hos_core::id::Shown(&self.dialect)));
        let dialect = Dialect::named(&self.dialect).ok_or_else(wrong)?;
        let world = World::read(&self.world)?;
        let unknown = if self.unless_unknown { Unknown::Passed } else { Unknown::Refused };
        let script = if self.remove { removal(&world, dialect) } else { script(&world, dialect, unknown) };
        let json = json!({ "dialect": dialect.name(), "script": script });
        Ok(Done::ok(script, json))
    }
}
