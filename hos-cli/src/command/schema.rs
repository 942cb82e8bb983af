//! `hos schema`: the tables of a store, and the rights of who uses it, for a database's own client to run.

use crate::out::Done;
use crate::usage::usage;
use clap::Args;
use hos_engine::Failure;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::schema;
use serde_json::json;

/// Print the tables of a store in a database, and the rights of an application's user.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hos schema --dialect postgres | psql --single-transaction -v ON_ERROR_STOP=1 -d pazar
  hos schema --dialect mysql | mariadb pazar
  hos schema --dialect sqlite | sqlite3 app.db
  hos schema --dialect postgres --from 1 | psql --single-transaction -v ON_ERROR_STOP=1 -d pazar
  hos schema --dialect postgres --grants shop | psql -d pazar

`hos init` makes the tables by itself where its user may; print and run them where an administrator does. After that the founder
and `hos work` need SELECT, INSERT, UPDATE and DELETE on the tables, and no right to define any. `--grants` is for programs that
write in transactions of their own: they add to the evidence, and can neither change nor delete what was written.")]
pub(crate) struct Schema {
    /// Which database: `sqlite`, `postgres` or `mysql` (MariaDB too)
    #[arg(long, value_name = "DIALECT")]
    dialect: String,
    /// Print what a database needs that has this many of the schema's steps, as an older H-OS left it
    #[arg(long, value_name = "STEPS", default_value_t = 0, conflicts_with = "grants")]
    from: usize,
    /// Print the rights of this user instead: a role of PostgreSQL, or `name@host` of MySQL
    #[arg(long, value_name = "USER")]
    grants: Option<String>,
}

impl Schema {
    pub(crate) fn run(&self) -> Result<Done, Failure> {
        let wrong = || usage(format!("--dialect `{}`: sqlite, postgres or mysql", hos_core::id::Shown(&self.dialect)));
        let dialect = Dialect::named(&self.dialect).ok_or_else(wrong)?;
        let script = match &self.grants {
            None => schema::script(dialect, self.from),
            Some(_) if dialect == Dialect::Sqlite => {
                return Err(usage("an SQLite file knows no users: who may write it is a matter of its file's mode"));
            }
            Some(user) if user.is_empty() || user.chars().any(char::is_control) => {
                return Err(usage("--grants: a user's name is not empty and holds no control characters"));
            }
            Some(user) => schema::grants(dialect, user),
        };
        let json = json!({ "dialect": dialect.name(), "script": script });
        Ok(Done::ok(script, json))
    }
}
