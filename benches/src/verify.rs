//! `verify`, against bare hashing of as many bytes.

use crate::Result;
use crate::harness::{Table, in_turns, rate};
use crate::shop::Shop;
use hos_engine::{Level, VerifyOptions};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::time::Instant;

/// What an entry adds to the header that it holds: store, epoch, tenant, place, previous hash, time.
const ENTRY_EXTRA: usize = 96;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let moves = if quick { 500 } else { 20_000 };
    let shop = Shop::new(16)?;
    // Written in groups, from a few threads: what is measured is the reading.
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..16)
            .map(|instance| {
                let shop = &shop;
                scope
                    .spawn(move || (0..moves / 16).try_for_each(|i| shop.toggle(instance, i % 2 == 0).map_err(|e| e.to_string())))
            })
            .collect();
        writers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|_| Err("a writer panicked".into())))
    })?;
    let report = shop.engine.verify(&VerifyOptions::default())?;
    assert_eq!(report.level, Level::Intact, "{:?}", report.findings);
    let records = report.records as usize;
    let copy = shop.path().with_extension("copy");
    shop.engine.backup(&copy, None)?;
    let conn = Connection::open(&copy)?;
    let total = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|v| v as usize);
    let headers = total("SELECT sum(length(header)) FROM hos_record")?;
    let parts = total("SELECT sum(length(parts)) FROM hos_record")?;

    // BLAKE3 over each header, each entry and each record's parts; SHA-256 over each entry: what the chains, the commitments and the
    // tree's leaves are made of. Piece by piece, as a verifier has them; and in one piece, which no verifier can have.
    let mean = |sum: usize| sum / records.max(1);
    let (header, entry, part) = (mean(headers), mean(headers) + ENTRY_EXTRA, mean(parts));
    let bytes = vec![0x5a_u8; entry.max(part) + 1];
    let whole = vec![0x5a_u8; headers + records * entry + parts];
    let per_second = |begun: Instant| records as f64 / begun.elapsed().as_secs_f64();
    let [ours, pieces, one] = in_turns(
        if quick { 2 } else { 9 },
        [
            Box::new(|| {
                let begun = Instant::now();
                assert!(shop.engine.verify(&VerifyOptions::default()).is_ok_and(|r| r.level == Level::Intact));
                per_second(begun)
            }),
            Box::new(|| {
                let begun = Instant::now();
                for _ in 0..records {
                    std::hint::black_box(blake3::hash(std::hint::black_box(&bytes[..header])));
                    std::hint::black_box(blake3::hash(std::hint::black_box(&bytes[..entry])));
                    std::hint::black_box(blake3::hash(std::hint::black_box(&bytes[..part])));
                    std::hint::black_box(Sha256::digest(std::hint::black_box(&bytes[..entry])));
                }
                per_second(begun)
            }),
            Box::new(|| {
                let begun = Instant::now();
                std::hint::black_box(blake3::hash(std::hint::black_box(&whole)));
                std::hint::black_box(Sha256::digest(std::hint::black_box(&whole[..records * entry])));
                per_second(begun)
            }),
        ],
    );
    let what = format!("records verified, of {records} ({header} B header, {part} B parts)");
    table.row(format!("{what}; bare hashing, piece by piece"), rate(ours), rate(pieces), ours / pieces, "at least 0.5");
    table.row(format!("{what}; bare hashing in one piece"), rate(ours), rate(one), ours / one, "");
    Ok(())
}
