//! `hos drift`: the world's rows against the law's.

use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::world::columns::look_at_rows;
use crate::world::drift::{Finding, How, compare};
use crate::world::{World, connect};
use clap::Args;
use hos_core::id::{InstanceId, Name, Shown};
use hos_engine::{Failure, TenantRef};
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Compare the world's rows with the law's, and name each that bypassed it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hos drift world.toml --store mysql://hos@db/pazar

The exit code is 3 where rows differ. `bypassed`: the law holds another state; `unknown`: no instance stands for the row;
`gone`: an instance stands for no row. What differs while calls in shadow of it wait for `hos work` is none of these, and only
counted. Whether the law's own rows are what the records say is the question of `hos verify`.")]
pub(crate) struct Drift {
    /// The file that says which rows are which instances
    #[arg(value_name = "WORLD.toml")]
    world: PathBuf,
}

impl Drift {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let world = World::read(&self.world)?;
        world.is_of(global)?;
        let connector = global.place()?.connector("the world's rows are compared in the world's database")?;
        let engine = global.engine()?;
        world.fits(&*engine.law()?)?;
        let tenant = engine.tenant(&world.tenant)?;
        let mut connection = connect(&*connector)?;
        look_at_rows(&mut *connection, connector.dialect(), &world)?;
        let (mut text, mut tables, mut differ) = (String::new(), Vec::new(), 0);
        for (rows, found) in world.rows.iter().zip(compare(&mut *connection, connector.dialect(), &world)?) {
            differ += found.differ;
            let _ = writeln!(text, "{}: {} rows, {} differ", rows.table, found.rows, found.differ);
            for finding in &found.listed {
                let _ = writeln!(text, "  {}", line(finding, since(&tenant, finding)));
            }
            if found.differ > found.listed.len() as u64 {
                let _ = writeln!(text, "  and {} more", found.differ - found.listed.len() as u64);
            }
            if found.waiting > 0 {
                let waiting = found.waiting;
                let _ =
                    writeln!(text, "  {waiting} not compared: calls in shadow of them wait to be judged; `hos work` does that");
            }
            let listed = found.listed.iter().map(|f| {
                json!({ "contract": f.contract, "id": f.id, "how": f.how.as_str(), "row": f.row, "law": f.law, "since": since(&tenant, f) })
            });
            tables.push(json!({
                "table": rows.table, "rows": found.rows, "differ": found.differ, "waiting": found.waiting,
                "listed": listed.collect::<Vec<_>>(),
            }));
        }
        let exit = if differ == 0 { exit::OK } else { exit::FINDINGS };
        Ok(Done { exit, text, json: json!({ "differ": differ, "tables": tables }) })
    }
}

fn line(finding: &Finding, since: Option<String>) -> String {
    let id = Shown(&finding.id);
    let (row, law) = (finding.row.as_deref().unwrap_or("nothing"), finding.law.as_deref().unwrap_or("nothing"));
    let since = since.map(|since| format!(" {since}")).unwrap_or_default();
    match finding.how {
        How::Bypassed => {
            format!("bypassed  {}/{id}: the row says {}, the law says {}{since}", finding.contract, Shown(row), Shown(law))
        }
        How::Unknown => {
            format!("unknown   {}/{id}: the row says {}, and no instance stands for it", finding.contract, Shown(row))
        }
        How::Gone => format!("gone      {}/{id}: the law says {}{since}, and there is no row", finding.contract, Shown(law)),
    }
}

/// Since which record the law holds its state, as the records themselves say.
fn since(tenant: &TenantRef, finding: &Finding) -> Option<String> {
    finding.law.as_ref()?;
    let (contract, id) = (Name::new(finding.contract.as_str()).ok()?, InstanceId::new(finding.id.as_str()).ok()?);
    let entered = tenant.instance(&contract, &id).ok()??.entered_n;
    let entry = tenant.history(&contract, &id, entered, 1).ok()?.pop()?;
    let event = entry.header.event.map_or_else(|| "adoption".to_owned(), |event| event.to_string());
    Some(format!("since record {entered} ({event}, {})", entry.header.time))
}
