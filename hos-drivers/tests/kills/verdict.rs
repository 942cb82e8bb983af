//! What is there when all is quiet: the host's rows and ours, the log, the checkpoints, each held against what was said.

use crate::world::client::Client;
use crate::world::{World, patience};
use hos_core::call::Call;
use hos_core::digest::record_hash;
use hos_drivers::join::Dialect;
use hos_engine::store::Sql;
use hos_engine::{Level, ReplayOptions, VerifyOptions};
use hos_testkit::told::{Held, Told};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::deeds::{HOT, part};

/// How many of the acknowledged calls are made again.
const AGAIN: usize = 24;

/// Seals what waits, and holds everything against everything. `before` is what [`records`] said before the first deed.
pub(crate) fn judge(world: &World, told: &Told, before: i64) -> Result<Held, String> {
    world.engine.work().map_err(|failure| failure.to_string())?;
    let there = evidence(world);
    let held = told.held(there.clone()).map_err(|faults| format!("{faults:?}"))?;
    let ours: BTreeSet<&str> = there.iter().map(|(key, _)| key.as_str()).collect();
    rows(world, &ours)?;
    log(world, before + ours.len() as i64)?;
    verified(world, told)?;
    again(world, told)?;
    Ok(held)
}

/// Once-keys that are taken, each with the hash of its record, which is computed from the record's own bytes.
fn evidence(world: &World) -> Vec<(String, String)> {
    let key = if world.kind.dialect() == Dialect::Mysql { "o.`key`" } else { "o.key" };
    let sql = format!(
        "SELECT {key}, r.header FROM hos_once o JOIN hos_record r ON r.tenant = o.tenant AND r.thread = o.thread AND r.n = o.n WHERE o.tenant = 't1'"
    );
    let mut found = Vec::new();
    let bytes = |cell: &Sql| match cell {
        Sql::Blob(bytes) | Sql::Raw(bytes) => bytes.clone(),
        Sql::Text(text) => text.clone().into_bytes(),
        other => panic!("{other:?}"),
    };
    let mut connection = hos_drivers::connector(&world.url).unwrap().connect(patience()).map_err(|e| e.message).unwrap();
    let take = &mut |cells: Vec<Sql>| {
        let key = String::from_utf8(bytes(&cells[0])).unwrap();
        found.push((key, record_hash(&bytes(&cells[1])).to_string()));
        ControlFlow::Continue(())
    };
    connection.query(&sql, &[], take).map_err(|e| e.message).unwrap();
    found
}

/// How many records the tenant has.
pub(crate) fn records(client: &mut Client) -> i64 {
    client.number("SELECT count(*) FROM hos_record WHERE tenant = 't1'")
}

/// The host's own rows are there with our records, or neither is.
fn rows(world: &World, ours: &BTreeSet<&str>) -> Result<(), String> {
    let mut own: BTreeSet<String> = BTreeSet::new();
    let mut connection = hos_drivers::connector(&world.url).unwrap().connect(patience()).map_err(|e| e.message).unwrap();
    for sql in ["SELECT id FROM orders", "SELECT evt FROM pays"] {
        let take = &mut |cells: Vec<Sql>| {
            own.insert(match &cells[0] {
                Sql::Text(text) => text.clone(),
                Sql::Blob(bytes) | Sql::Raw(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => panic!("{other:?}"),
            });
            ControlFlow::Continue(())
        };
        connection.query(sql, &[], take).map_err(|e| e.message).unwrap();
    }
    let alone: Vec<_> = own.iter().filter(|key| !ours.contains(key.as_str())).collect();
    let unseen: Vec<_> = ours.iter().filter(|key| !own.contains(**key)).collect();
    if !alone.is_empty() || !unseen.is_empty() {
        return Err(format!("rows of the host's without a record: {alone:?}; records without a row of the host's: {unseen:?}"));
    }
    let mut client = world.client();
    for hot in 0..HOT {
        let n = client.number(&format!(
            "SELECT coalesce(max(n), 0) FROM hos_record WHERE tenant = 't1' AND thread = (SELECT thread FROM hos_once WHERE tenant = 't1' AND {} = {})",
            if world.kind.dialect() == Dialect::Mysql { "`key`" } else { "key" },
            bytes_of(world, &format!("hot{hot}.b"))
        ));
        let pays = client.number(&format!("SELECT count(*) FROM pays WHERE id = 'hot{hot}.b'"));
        if n != pays {
            return Err(format!("`hot{hot}.b` has {n} events, and the host {pays} payments of it"));
        }
    }
    Ok(())
}

fn bytes_of(world: &World, text: &str) -> String {
    match world.kind.dialect() {
        Dialect::Postgres => format!("convert_to('{text}', 'UTF8')"),
        Dialect::Mysql => format!("'{text}'"),
        Dialect::Sqlite => format!("CAST('{text}' AS BLOB)"),
    }
}

/// Every record has its place in the log, once, and no place is empty.
fn log(world: &World, expected: i64) -> Result<(), String> {
    let mut client = world.client();
    let mut number = |sql: &str| client.number(sql);
    let records = number("SELECT count(*) FROM hos_record WHERE tenant = 't1'");
    let entries = number("SELECT count(*) FROM hos_entry WHERE tenant = 't1'");
    let places = number("SELECT count(DISTINCT seq) FROM hos_entry WHERE tenant = 't1'");
    let last = number("SELECT max(seq) FROM hos_entry WHERE tenant = 't1'");
    let back = number(
        "SELECT count(*) FROM hos_entry a JOIN hos_entry b ON b.tenant = a.tenant AND b.seq = a.seq + 1 WHERE b.sealed_at < a.sealed_at",
    );
    let inverted = number(
        "SELECT count(*) FROM hos_entry a JOIN hos_entry b ON b.tenant = a.tenant AND b.thread = a.thread AND b.n = a.n + 1 WHERE b.seq < a.seq",
    );
    let found = (records, entries, places, last + 1, back, inverted);
    if found == (expected, expected, expected, expected, 0, 0) {
        return Ok(());
    }
    Err(format!(
        "{expected} records expected; (records, entries, places, end of the log, times back, threads inverted): {found:?}"
    ))
}

/// The store verifies, every checkpoint that anybody published is of its one history, and all is judged again as it was.
pub(crate) fn verified(world: &World, told: &Told) -> Result<(), String> {
    let anchors: Vec<String> = told.notes().map(str::to_owned).collect();
    let level = if anchors.is_empty() { Level::Intact } else { Level::Anchored };
    let report = world.engine.verify(&VerifyOptions { anchors, ..VerifyOptions::default() }).map_err(|f| f.to_string())?;
    if (report.level, report.unsealed.0) != (level, 0) {
        return Err(format!("{:?}, {} unsealed: {:#?}", report.level, report.unsealed.0, report.findings));
    }
    let listed = world.engine.replay(&ReplayOptions::default()).map_err(|f| f.to_string())?.listed;
    if listed.is_empty() { Ok(()) } else { Err(format!("judged otherwise now: {listed:?}")) }
}

/// A once-key answers again with the receipt that it gave first.
fn again(world: &World, told: &Told) -> Result<(), String> {
    let tenant = world.engine.tenant("t1").map_err(|failure| failure.to_string())?;
    let all: Vec<(&str, &str)> = told.acknowledged().collect();
    for (key, receipt) in all.iter().step_by(all.len().div_ceil(AGAIN).max(1)) {
        let answer = match part(key).call {
            Call::Begin(call) => tenant.begin(call),
            Call::Transition(call) => tenant.transition(call),
            other => panic!("{other:?}"),
        };
        let answer = answer.map_err(|failure| format!("{key}: {failure}"))?;
        let given = answer.receipt.as_ref().map(|receipt| receipt.record.to_string());
        if !answer.again || given.as_deref() != Some(*receipt) {
            return Err(format!("{key} was told {receipt}, and now {given:?}, again: {}", answer.again));
        }
    }
    Ok(())
}
