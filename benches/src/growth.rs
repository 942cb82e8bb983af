//! What a store's length costs: a move, a `can`, opening it, and its size.

use crate::Result;
use crate::harness::{Seen, each};
use crate::shop::{Shop, owner};
use crate::table::{Bar, Row, Table};
use hos_core::call::{By, Can};
use hos_core::id::Tenant;
use std::time::Instant;

/// Moves in one commit.
const GROUP: usize = 64;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    records(if quick { &[1_000, 4_000] } else { &[1_000, 10_000, 100_000, 1_000_000] }, quick, table)?;
    tenants(if quick { &[10, 100] } else { &[100, 1_000, 10_000] }, quick, table)
}

/// The same up to ten million records: twenty minutes, and 17 GB.
pub(crate) fn more_records(quick: bool, table: &mut Table) -> Result<()> {
    records(if quick { &[1_000, 4_000] } else { &[1_000, 1_000_000, 10_000_000] }, quick, table)
}

/// The same up to a hundred thousand tenants: some minutes.
pub(crate) fn more_tenants(quick: bool, table: &mut Table) -> Result<()> {
    tenants(if quick { &[10, 100] } else { &[100, 100_000] }, quick, table)
}

/// A move in a group of 64 and a `can` in a store of so many records, and what opening it takes.
fn records(sizes: &[usize], quick: bool, table: &mut Table) -> Result<()> {
    let shop = Shop::new(GROUP)?;
    let (mut first, mut written) = (None, 0);
    let mut shop = Some(shop);
    for size in sizes {
        let Some(open) = shop.take() else { break };
        while written + GROUP < *size {
            open.batch(GROUP, (written / GROUP).is_multiple_of(2))?;
            written += GROUP;
        }
        let bytes = open.bytes()?;
        let (moved, asked) = (moves(&open, quick, &mut written)?, can(&open, quick)?);
        let (path, place) = (open.path(), open.leave()?);
        let begun = Instant::now();
        let again = Shop::open(&path, written)?;
        let opened = Seen::once(begun.elapsed().as_secs_f64());
        let Some((move_then, can_then, open_then)) = first else {
            first = Some((moved, asked, opened));
            shop = Some(again.kept(place));
            continue;
        };
        let of = format!("{size} records");
        table.row(
            Row::time(format!("a move in a group of {GROUP}, {of}"), moved)
                .beside("itself at the smallest size", move_then)
                .wants(Bar::RatioAtMost(1.3)),
        );
        table.row(
            Row::time(format!("`can`, {of}"), asked).beside("itself at the smallest size", can_then).wants(Bar::RatioAtMost(1.3)),
        );
        table.row(Row::time(format!("opening the store, {of}"), opened).beside("itself at the smallest size", open_then));
        table.row(Row::bytes(format!("the file, a record, {of}"), bytes / written as f64));
        shop = Some(again.kept(place));
    }
    Ok(())
}

fn moves(shop: &Shop, quick: bool, written: &mut usize) -> Result<Seen> {
    let mut rounds = Vec::new();
    for _ in 0..if quick { 4 } else { 60 } {
        let begun = Instant::now();
        shop.batch(GROUP, (*written / GROUP).is_multiple_of(2))?;
        rounds.push(begun.elapsed().as_secs_f64() / GROUP as f64);
        *written += GROUP;
    }
    Ok(Seen::of(rounds))
}

fn can(shop: &Shop, quick: bool) -> Result<Seen> {
    let can = Can::new(owner()?, "directory.account", owner()?);
    assert!(shop.tenant.can(&can)?.allowed);
    let rounds = (0..if quick { 3 } else { 21 }).map(|_| each(2_000, || assert!(shop.tenant.can(&can).is_ok())).as_secs_f64());
    Ok(Seen::of(rounds.collect()))
}

/// The same where there are so many tenants.
fn tenants(sizes: &[usize], quick: bool, table: &mut Table) -> Result<()> {
    let shop = Shop::new(GROUP)?;
    let (mut first, mut opened, mut written) = (None, 0, 0);
    for size in sizes {
        while opened < *size {
            let name = Tenant::new(format!("t{opened}"))?;
            assert!(shop.engine.open_tenant(&By::new(owner()?), &name)?.allowed);
            opened += 1;
        }
        let (moved, asked) = (moves(&shop, quick, &mut written)?, can(&shop, quick)?);
        let Some((move_then, can_then)) = first else {
            first = Some((moved, asked));
            continue;
        };
        let of = format!("{size} tenants");
        table.row(
            Row::time(format!("a move in a group of {GROUP}, {of}"), moved)
                .beside("itself among the fewest", move_then)
                .wants(Bar::RatioAtMost(1.3)),
        );
        table.row(
            Row::time(format!("`can`, {of}"), asked).beside("itself among the fewest", can_then).wants(Bar::RatioAtMost(1.3)),
        );
    }
    Ok(())
}
