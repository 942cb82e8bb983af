//! Other engines asked what `can` is asked. They are a program of its own (`benches/peers`), so that what they are built from is
//! no part of the house.

use crate::can;
use crate::harness::Seen;
use crate::table::{Row, Table};
use crate::{Result, apps};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let told = asked(&[])?;
    let ours = can::at_twenty(quick)?;
    for line in told.lines() {
        let [name, nanoseconds, given] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("what is `{line}`?").into());
        };
        let theirs = Seen::once(nanoseconds.parse::<f64>()? / 1e9);
        let row = Row::time("the same decision, 20 policies, ours through the engine", ours);
        table.row(row.beside(format!("{name} ({given})"), theirs));
    }
    worlds(quick, table)
}

/// The apps of Cedar's paper, in Rego.
fn worlds(quick: bool, table: &mut Table) -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut ours = Vec::new();
    apps::each(quick, |app| {
        std::fs::write(place.path().join(format!("{:03}.json", ours.len())), app.told()?)?;
        ours.push((app.what(), app.measured(if quick { 2 } else { 21 })));
        Ok(())
    })?;
    if ours.is_empty() {
        return Ok(());
    }
    let told = asked(&["apps".as_ref(), place.path().as_os_str()])?;
    let times: Vec<f64> = told.lines().filter_map(|line| line.split_once('\t')?.1.parse().ok()).collect();
    if times.len() != ours.len() {
        return Err(format!("{} worlds were measured where {} are", times.len(), ours.len()).into());
    }
    for ((what, ours), nanoseconds) in ours.into_iter().zip(times) {
        let theirs = Seen::once(nanoseconds / 1e9);
        table.row(Row::time(what, ours).beside("regorus 0.14.1 (the request as a value, entities closed)", theirs));
    }
    Ok(())
}

/// What the other program prints.
fn asked(args: &[&OsStr]) -> Result<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = ["run", "--release", "--quiet", "--manifest-path"];
    let output = Command::new(cargo).args(run).arg(&manifest).arg("--").args(args).output()?;
    if !output.status.success() {
        return Err(format!("`{}`: {}", manifest.display(), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
