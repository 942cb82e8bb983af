//! `hos adopt`: an existing row, brought in as it is.

use super::answered;
use crate::context::Beside;
use crate::exit;
use crate::global::Global;
use crate::input;
use crate::options::needs;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use crate::usage::usage;
use crate::world::adopt::{Adoption, How};
use crate::world::people::{self, Known};
use crate::world::{World, connect};
use clap::Args;
use hos_core::id::{InstanceId, Name, OnceKey};
use hos_engine::{Failure, call};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How much of the time an adoption works: of two cores that a shop shares with its database, all of the time of one connection is felt
/// by every buyer.
const SHARE: u32 = 75;

/// Bring an existing row in as an instance, in the state it is in: attested, not judged.
///
/// Or all rows of the world's tables.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hos adopt order o-17 paid --fact buyer=ayse --fact total=4200
  hos adopt --rows world.toml --store mysql://hos@db/pazar --as Account::root --dry-run

With --rows every row of the tables that the file names (spec/world.md) becomes an instance: one row, one transaction, which locks
that row, while the world goes on. What others have locked is left for a later pass. A run that was ended goes on where it was.
Behind the rows come the world's logs of them, told into the instances' threads.")]
pub(crate) struct Adopt {
    /// The contract
    #[arg(value_name = "CONTRACT", required_unless_present = "rows")]
    contract: Option<String>,
    /// The instance
    #[arg(value_name = "ID", required_unless_present = "rows")]
    id: Option<String>,
    /// The state it is in
    #[arg(value_name = "STATE", required_unless_present = "rows")]
    state: Option<String>,
    /// All rows of the world's tables, as this file says
    #[arg(long, value_name = "WORLD.toml", conflicts_with_all = ["contract", "facts", "facts_json", "once"])]
    rows: Option<PathBuf>,
    /// With --rows: do everything, and roll it back
    #[arg(long)]
    dry_run: bool,
    /// With --rows: at most so many rows of each table; refused ones do not count
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// With --rows: how often what was locked is tried [default: 3]
    #[arg(long, value_name = "N")]
    passes: Option<u32>,
    /// With --rows: work at most so many hundredths of the time, and leave the rest to who sells meanwhile
    /// [default: 75]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    share: Option<u32>,
    /// A fact, read as the contract declares it
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// Facts as a JSON object, `@FILE` or `-`
    #[arg(long = "facts", value_name = "JSON", id = "facts_json")]
    facts_object: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    once: Option<String>,
    #[command(flatten)]
    beside: Beside,
}

impl Adopt {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let options = [
            ("--dry-run", self.dry_run),
            ("--limit", self.limit.is_some()),
            ("--passes", self.passes.is_some()),
            ("--share", self.share.is_some()),
        ];
        needs("--rows", self.rows.is_some(), &options)?;
        if let Some(rows) = &self.rows {
            return self.all(rows, global);
        }
        let (Some(contract), Some(id), Some(state)) = (&self.contract, &self.id, &self.state) else {
            return Err(usage("give CONTRACT, ID and STATE, or --rows"));
        };
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let declared = input::contract(&law, contract).map(|c| &c.facts);
        let adopt = call::Adopt {
            by: global.by_beside(&law, &self.beside)?,
            contract: Name::new(contract)?,
            id: InstanceId::new(id)?,
            state: Name::new(state)?,
            facts: input::values(["--fact", "--facts"], &self.facts, self.facts_object.as_ref(), declared, &law)?,
            once: self.once.as_ref().map(OnceKey::new).transpose()?,
        };
        let answer = tenant.adopt(adopt)?;
        answered(engine, &answer, &format!("{contract}/{id}"), "adopt", global)
    }

    fn all(&self, path: &Path, global: &Global) -> Result<Done, Failure> {
        let world = World::read(path)?;
        world.is_of(global)?;
        let connector = global.place()?.connector("rows are adopted in the world's database")?;
        let engine = global.engine()?;
        let law = engine.law()?;
        world.fits(&law)?;
        let by = global.by_beside(&law, &self.beside)?;
        let connection = connect(&*connector)?;
        let mut adoption = Adoption::new(connection, connector.dialect(), &world, &law);
        adoption.look()?;
        let (mut text, mut tables, mut left) = (String::new(), Vec::new(), 0);
        let progress = Progress::new("adopting", global.json);
        let limit = self.limit.unwrap_or(u64::MAX);
        let (passes, share) = (self.passes.unwrap_or(3), self.share.unwrap_or(SHARE));
        let how = How { by, dry: self.dry_run, limit, passes, share, progress: &progress };
        let mut known = Known::read(&engine, &world.tenant)?;
        let mut directory = Vec::new();
        let mut told = |table: &str, done: people::Done| {
            let would = if self.dry_run { "would be put" } else { "put" };
            let _ = writeln!(text, "{table}: {} {would}, {} known, {} refused", done.put, done.known, done.refused);
            untold(&mut text, done.untold);
            for (id, why) in &done.listed {
                let _ = writeln!(text, "  refused {}: {}", show::inert(id), show::inert(why));
            }
            left += done.refused;
            let refused = done.listed.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>();
            directory.push(json!({
                "table": table, "put": done.put, "known": done.known, "untold": done.untold, "refused": refused, "refused_rows": done.refused,
            }));
        };
        for of in &world.people {
            told(&of.table, adoption.people(&engine, of, &mut known, &how)?);
        }
        for of in &world.memberships {
            told(&of.table, adoption.memberships(&engine, of, &mut known, &how)?);
        }
        for rows in &world.rows {
            let done = adoption.run(rows, &how)?;
            let adopted: u64 = done.adopted.values().sum();
            let would = if self.dry_run { "would be adopted" } else { "adopted" };
            let _ = writeln!(text, "{}: {adopted} {would}, {} refused, {} locked", rows.table, done.refused, done.locked);
            for (state, count) in &done.adopted {
                let _ = writeln!(text, "  {count:>9} {state}");
            }
            untold(&mut text, done.untold);
            for (id, why) in &done.listed {
                let _ = writeln!(text, "  refused {id}: {}", show::inert(why));
            }
            left += done.refused + done.locked;
            let refused = done.listed.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>();
            tables.push(json!({ "table": rows.table, "adopted": done.adopted, "untold": done.untold, "refused": done.refused, "locked": done.locked, "listed": refused }));
        }
        let mut logs = Vec::new();
        for log in &world.logs {
            let done = adoption.logs(&engine, log, &how)?;
            let count: u64 = done.told.values().sum();
            let would = if self.dry_run { "would be told" } else { "told" };
            let (known, unknown, refused, locked) = (done.known, done.unknown, done.refused, done.locked);
            let _ = writeln!(
                text,
                "{}: {count} {would}, {known} known, {unknown} of no instance, {refused} refused, {locked} locked",
                log.table
            );
            for (contract, count) in &done.told {
                let _ = writeln!(text, "  {count:>9} {contract}");
            }
            for id in &done.strangers {
                let _ = writeln!(text, "  no instance {}", show::inert(id));
            }
            for (which, why) in &done.listed {
                let _ = writeln!(text, "  refused {}: {}", show::inert(which), show::inert(why));
            }
            left += refused + locked;
            let listed = done.listed.iter().map(|(which, why)| json!({ "row": which, "why": why })).collect::<Vec<_>>();
            logs.push(json!({
                "table": log.table, "told": done.told, "known": known, "unknown": unknown, "strangers": done.strangers,
                "refused": refused, "locked": locked, "listed": listed,
            }));
        }
        drop(progress);
        super::closed(engine);
        let exit = if left == 0 { exit::OK } else { exit::REFUSED };
        Ok(Done { exit, text, json: json!({ "dry_run": self.dry_run, "directory": directory, "tables": tables, "logs": logs }) })
    }
}

/// Memberships or rows of which only the real run can say what becomes of them.
fn untold(text: &mut String, count: u64) {
    if count > 0 {
        let _ = writeln!(text, "  {count:>9} cannot be told in a dry run: they name what it has put and rolled back");
    }
}
