//! Other engines asked what `can` is asked. They are a program of its own (`benches/peers`), so that what they are built from is
//! no part of the house.

use crate::Result;
use crate::can;
use crate::harness::Seen;
use crate::table::{Row, Table};
use std::path::Path;
use std::process::Command;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["run", "--release", "--quiet", "--manifest-path"]).arg(&manifest).output()?;
    if !output.status.success() {
        return Err(format!("`{}`: {}", manifest.display(), String::from_utf8_lossy(&output.stderr)).into());
    }
    let ours = can::at_twenty(quick)?;
    for line in String::from_utf8(output.stdout)?.lines() {
        let [name, nanoseconds, given] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("what is `{line}`?").into());
        };
        let theirs = Seen::once(nanoseconds.parse::<f64>()? / 1e9);
        let row = Row::time("the same decision, 20 policies, ours through the engine", ours);
        table.row(row.beside(format!("{name} ({given})"), theirs));
    }
    Ok(())
}
