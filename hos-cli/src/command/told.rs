//! `hos told`: what the records tell, as rows that the world's pages read.

use crate::global::Global;
use crate::out::Done;
use crate::progress::Progress;
use crate::usage::usage;
use crate::world::World;
use crate::world::told::{follow, removal, script};
use clap::Args;
use hos_engine::Failure;
use hos_engine::store::sql::dialect::Dialect;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Print tables, and views that look like the world's own logs; with --follow, bring them up to the records.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hos told world.toml --dialect postgres | psql -v ON_ERROR_STOP=1 -d pazar
  hos told world.toml --follow --store mysql://hos@db/pazar
  hos told world.toml --dialect mysql --remove | mariadb pazar

For pages that read the world's own log: each `[[logs]]` of the file (spec/world.md) has a view with its columns, `hos_` before the
table's name, of what the records tell. The rows are a copy and no evidence. They follow what is sealed: run `hos told --follow` behind
`hos work`. An erasure reaches them in the same way. The script may be put in again, and those of other tenants beside it. With
--remove the tenant's views and rows go; behind the last tenant: DROP TABLE hos_told; DROP TABLE hos_told_upto.")]
pub(crate) struct Told {
    /// The file that says which rows are which instances, and how the world's logs look
    #[arg(value_name = "WORLD.toml")]
    world: PathBuf,
    /// Which database: `sqlite`, `postgres` or `mysql` (MariaDB too)
    #[arg(long, value_name = "DIALECT", required_unless_present = "follow")]
    dialect: Option<String>,
    /// Print the statements that take the tenant's views and rows away
    #[arg(long, conflicts_with = "follow")]
    remove: bool,
    /// Write the rows of what was sealed since the last time
    #[arg(long, conflicts_with = "dialect")]
    follow: bool,
}

impl Told {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let world = World::read(&self.world)?;
        let Some(dialect) = &self.dialect else { return Self::follow(&world, global) };
        if world.logs.is_empty() {
            return Err(usage("the file has no `[[logs]]`: nothing says how a log of the world's looks"));
        }
        let wrong = || usage(format!("--dialect `{}`: sqlite, postgres or mysql", hos_core::id::Shown(dialect)));
        let dialect = Dialect::named(dialect).ok_or_else(wrong)?;
        let script = if self.remove { removal(&world, dialect) } else { script(&world, dialect) };
        let json = json!({ "dialect": dialect.name(), "script": script });
        Ok(Done::ok(script, json))
    }

    fn follow(world: &World, global: &Global) -> Result<Done, Failure> {
        world.is_of(global)?;
        let connector = global.place()?.connector("what the records tell is written into the world's database")?;
        let engine = global.engine()?;
        let connection = connector.connect(Duration::from_secs(10));
        let mut connection = connection.map_err(|e| Failure::from(e.into_store("cannot connect")))?;
        let progress = Progress::new("telling", global.json);
        let followed = follow(&mut *connection, connector.dialect(), &engine, world, &|upto| progress.tell(upto, upto))?;
        drop(progress);
        super::closed(engine);
        let text = format!("told {}, erased {}, up to place {} of the log\n", followed.told, followed.erased, followed.upto);
        Ok(Done::ok(text, json!({ "told": followed.told, "erased": followed.erased, "upto": followed.upto })))
    }
}
