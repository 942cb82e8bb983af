//! Makes bundles, most of them bent somewhere, judges them, and writes what was said: for a second verifier to say the same.
//!
//! `cargo run -p hos-testkit --example bundles -- --count 20000 --seed 1 | node verifier/testing/differential.mjs`
//!
//! Each of them is three pieces, each with its length in four bytes before it, big-endian: the bundle, the trust file, and the verdict as JSON.
//! `--only N` writes the one bundle of that number alone, so that a difference can be looked at. `--judge` makes none: it reads bundles, two
//! pieces each (bundle, trust file), and writes them with their verdicts.

#[path = "../../../hos-core/tests/audit_support/mod.rs"]
mod audit_support;
mod bend;
mod bytes;
mod plan;
mod roots;

use hos_core::audit::bundle;
use hos_core::proof::trust::Trust;
use hos_testkit::chance::Chance;
use std::io::{BufReader, BufWriter, Read, Write};

/// How many bundles are told of one story: writing a story costs more than telling it.
const TOLD_OF_ONE: u64 = 8;

struct Wanted {
    count: u64,
    seed: u64,
    only: Option<u64>,
    judge: bool,
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted { count: 1000, seed: 1, only: None, judge: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--judge" {
            wanted.judge = true;
            continue;
        }
        let number = words.next().and_then(|text| text.parse().ok()).ok_or_else(|| format!("`{word}` takes a number"))?;
        match word.as_str() {
            "--count" => wanted.count = number,
            "--seed" => wanted.seed = number,
            "--only" => wanted.only = Some(number),
            _ => return Err(format!("`{word}` is not known here: --count, --seed, --only, --judge")),
        }
    }
    Ok(wanted)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = wanted()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if wanted.judge {
        let mut input = BufReader::new(std::io::stdin().lock());
        while let Some(bytes) = piece(&mut input)? {
            let trust = piece(&mut input)?.ok_or("the input ends in the middle")?;
            write(&mut out, &bytes, &trust)?;
        }
        return Ok(out.flush()?);
    }
    for number in wanted.only.map_or(0..wanted.count, |only| only..only + 1) {
        // Each has a seed of its own, so that one can be made again without those before it; several share their story.
        let seeded = |number: u64| Chance::new(Chance::new(wanted.seed ^ number.rotate_left(32)).bits());
        let (bytes, trust) = made(&mut seeded(number / TOLD_OF_ONE), &mut seeded(!number));
        write(&mut out, &bytes, trust.as_bytes())?;
    }
    Ok(out.flush()?)
}

/// The next piece; nothing where the input ends before it.
fn piece(input: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn write(out: &mut impl Write, bytes: &[u8], trust: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let said = said(bytes, trust).to_string();
    for piece in [bytes, trust, said.as_bytes()] {
        out.write_all(&u32::try_from(piece.len())?.to_be_bytes())?;
        out.write_all(piece)?;
    }
    Ok(())
}

/// A story that may be bent while it is written, while it is told, and in its bytes; some are none of these.
fn made(story: &mut Chance, chance: &mut Chance) -> (Vec<u8>, String) {
    let written = [0, 0, 1, 1, 1, 2][story.below(6)];
    let (told, spelled) = match chance.below(8) {
        0 => (0, 0),
        1..=5 => (1, 0),
        6 => (2, 0),
        _ => (0, 1),
    };
    let plan = plan::plan(story, written);
    let mut made = roots::told(story, plan);
    for _ in 0..told {
        bend::bend(chance, &mut made);
    }
    let Ok(mut bytes) = made.bundle.encode() else { return (Vec::new(), made.trust) };
    for _ in 0..spelled {
        bytes = bytes::bend(chance, bytes);
    }
    (bytes, made.trust)
}

fn said(bytes: &[u8], trust: &[u8]) -> serde_json::Value {
    match Trust::parse(trust) {
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
