//! What leaves a store: a bundle made and verified, the map of heads, a log as tiles; each against the hashing that it cannot
//! do without.

use crate::Result;
use crate::harness::in_turns;
use crate::shop::Shop;
use crate::table::{Row, Table};
use hos_core::audit;
use hos_core::digest;
use hos_core::id::{Handle, InstanceId, MapKey, Name, RecordHash};
use hos_core::proof::heads::{Head, HeadKind, HeadsBuilder};
use hos_core::proof::tiles::TileWriter;
use hos_core::proof::trust::Trust;
use hos_engine::ExportOptions;
use sha2::{Digest, Sha256};
use std::time::Instant;

/// A leaf's preimage: key, kind, handle, n, record hash; a node's: two hashes.
const LEAF_BYTES: usize = 32 + 1 + 16 + 8 + 32;
const NODE_BYTES: usize = 64;
/// An entry of the shop's log, about.
const ENTRY_BYTES: usize = 486;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    bundle(quick, table)?;
    map(if quick { 20_000 } else { 1_000_000 }, quick, table);
    tiles(if quick { 20_000 } else { 1_000_000 }, quick, table);
    Ok(())
}

fn per_second(count: usize, work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    count as f64 / begun.elapsed().as_secs_f64()
}

/// One instance of a hundred records.
fn bundle(quick: bool, table: &mut Table) -> Result<()> {
    let shop = Shop::new(1)?;
    for i in 0..99 {
        shop.toggle(0, i % 2 == 0)?;
    }
    let (contract, id) = (Name::new("lamp")?, InstanceId::new("0")?);
    let exported = shop.tenant.export(&contract, &id, &ExportOptions::default())?;
    let trust = Trust::parse(exported.trust.as_bytes())?;
    let verdict = audit::bundle(&exported.bytes, &trust, &[]);
    assert!(verdict.holds() && verdict.complete.is_some() && exported.records == 100, "{verdict:?}");
    let bytes = exported.bytes.clone();
    let [made, verified, hashed] = in_turns(
        if quick { 2 } else { 9 },
        [
            Box::new(|| per_second(100, || assert!(shop.tenant.export(&contract, &id, &ExportOptions::default()).is_ok()))),
            Box::new(|| per_second(100, || assert!(audit::bundle(&bytes, &trust, &[]).holds()))),
            Box::new(|| {
                per_second(100, || {
                    std::hint::black_box(blake3::hash(std::hint::black_box(&bytes)));
                    std::hint::black_box(Sha256::digest(std::hint::black_box(&bytes)));
                })
            }),
        ],
    );
    let what = format!("a bundle of 100 records ({} KB), records", bytes.len() / 1000);
    table.row(Row::rate(format!("{what} made"), made).beside("both hashes over its bytes", hashed));
    table.row(Row::rate(format!("{what} verified"), verified).beside("both hashes over its bytes", hashed));
    Ok(())
}

fn head(n: u64) -> Head {
    let mut bytes = [0u8; 80];
    digest::expand(&[1; 32], "bench head", n, &mut bytes);
    let half = |at: usize| -> [u8; 32] { std::array::from_fn(|i| bytes[at + i]) };
    let thread = Handle(std::array::from_fn(|i| bytes[64 + i]));
    Head { key: MapKey(half(0)), kind: HeadKind::Live, thread, n, last: RecordHash(half(32)) }
}

/// The map of so many threads, and the memory that it takes: key and leaf, 64 bytes each.
fn map(threads: usize, quick: bool, table: &mut Table) {
    let heads: Vec<Head> = (0..threads as u64).map(head).collect();
    let (leaf, node) = ([7u8; LEAF_BYTES], [7u8; NODE_BYTES]);
    let [ours, bare] = in_turns(
        if quick { 2 } else { 5 },
        [
            Box::new(|| {
                per_second(threads, || {
                    let mut builder = HeadsBuilder::default();
                    heads.iter().for_each(|head| builder.push(head));
                    let map = builder.finish().map(|map| map.root());
                    assert!(std::hint::black_box(map).is_ok());
                })
            }),
            Box::new(|| {
                per_second(threads, || {
                    for _ in 0..threads {
                        std::hint::black_box(blake3::hash(std::hint::black_box(&leaf)));
                        std::hint::black_box(blake3::hash(std::hint::black_box(&node)));
                    }
                })
            }),
        ],
    );
    let what = format!("map of heads of {threads} threads ({} MB), threads", threads * 64 / 1_000_000);
    table.row(Row::rate(what, ours).beside("the hash of a leaf and of a node each", bare));
}

/// A log of so many entries as tiles; at most one bundle of entries and a tile a level are held.
fn tiles(entries: usize, quick: bool, table: &mut Table) {
    let entry = vec![0x5a_u8; ENTRY_BYTES];
    let [ours, bare] = in_turns(
        if quick { 2 } else { 5 },
        [
            Box::new(|| {
                per_second(entries, || {
                    let mut writer = TileWriter::default();
                    let mut written = 0usize;
                    for _ in 0..entries {
                        written += writer.push(&entry).iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
                    }
                    written += writer.finish().iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
                    assert!(std::hint::black_box(written) > entries * ENTRY_BYTES);
                })
            }),
            Box::new(|| {
                per_second(entries, || {
                    for _ in 0..entries {
                        std::hint::black_box(Sha256::digest(std::hint::black_box(&entry)));
                    }
                })
            }),
        ],
    );
    let what = format!("{entries} entries as tiles (at most {} KB held), entries", 256 * ENTRY_BYTES / 1000);
    table.row(Row::rate(what, ours).beside("the hashes of their leaves", bare));
}
