//! Makes bundles, most of them bent somewhere, judges them, and writes what was said: for a second verifier to say the same.
//!
//! `cargo run -p hos-testkit --example bundles -- --count 20000 --seed 1 | node verifier/testing/differential.mjs`
//!
//! Each of them is three pieces, each with its length in four bytes before it, big-endian: the bundle, the trust file, and the verdict as JSON.
//! `--only N` writes the one bundle of that number alone, so that a difference can be looked at.

#[path = "../../../hos-core/tests/audit_support/mod.rs"]
mod audit_support;
mod bend;
mod bytes;
mod plan;
mod roots;

use hos_core::audit::bundle;
use hos_core::proof::trust::Trust;
use hos_testkit::chance::Chance;
use std::io::{BufWriter, Write};

struct Wanted {
    count: u64,
    seed: u64,
    only: Option<u64>,
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted { count: 1000, seed: 1, only: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse().ok()).ok_or_else(|| format!("`{word}` takes a number"))?;
        match word.as_str() {
            "--count" => wanted.count = number,
            "--seed" => wanted.seed = number,
            "--only" => wanted.only = Some(number),
            _ => return Err(format!("`{word}` is not known here: --count, --seed, --only")),
        }
    }
    Ok(wanted)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = wanted()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for number in wanted.only.map_or(0..wanted.count, |only| only..only + 1) {
        // Each has a seed of its own, so that one can be made again without those before it.
        let mut chance = Chance::new(Chance::new(wanted.seed ^ number.rotate_left(32)).bits());
        let (bytes, trust) = made(&mut chance);
        let said = said(&bytes, &trust).to_string();
        for piece in [&bytes[..], trust.as_bytes(), said.as_bytes()] {
            out.write_all(&u32::try_from(piece.len())?.to_be_bytes())?;
            out.write_all(piece)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// A story that may be bent while it is written, while it is told, and in its bytes; one in eight is none of these.
fn made(chance: &mut Chance) -> (Vec<u8>, String) {
    let (written, told, spelled) = match chance.below(8) {
        0 => (0, 0, 0),
        1..=3 => (1, 0, 0),
        4 | 5 => (0, 1, 0),
        6 => (1 + chance.below(2), chance.below(2), 0),
        _ => (0, 0, 1),
    };
    let plan = plan::plan(chance, written);
    let mut made = roots::told(chance, plan);
    for _ in 0..told {
        bend::bend(chance, &mut made);
    }
    let Ok(mut bytes) = made.bundle.encode() else { return (Vec::new(), made.trust) };
    for _ in 0..spelled {
        bytes = bytes::bend(chance, bytes);
    }
    (bytes, made.trust)
}

fn said(bytes: &[u8], trust: &str) -> serde_json::Value {
    match Trust::parse(trust.as_bytes()) {
        Ok(trust) => hos_wire::verdict::verdict_json(&bundle(bytes, &trust, &[])),
        Err(error) => {
            let mut said = hos_wire::verdict::verdict_json(&bundle(&[], &nobody(), &[]));
            said["code"] = error.code().into();
            said["where"] = serde_json::Value::Null;
            said
        }
    }
}

/// A trust file under which nothing that was made here is believed.
fn nobody() -> Trust {
    let key = audit_support::log_key(&hos_core::id::Tenant::universe(), u64::MAX);
    match Trust::parse(audit_support::trust(&key, 0, 0).as_bytes()) {
        Ok(trust) => trust,
        Err(error) => unreachable!("{error}"),
    }
}
