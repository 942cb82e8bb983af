//! The target that `HOS_FUZZ_TARGET` names; `planted` is a fault that whoever runs the others must see found.

#![no_main]

#[path = "../../hos-ffi/tests/support/sequence.rs"]
mod sequence;

use hos_testkit::targets::{ALL, CALLS_OF_A_HOST, stored};
use std::path::PathBuf;
use std::sync::OnceLock;

static BODY: OnceLock<fn(&[u8])> = OnceLock::new();
static STORE: OnceLock<PathBuf> = OnceLock::new();

/// The C ABI, asked in any order.
fn abi(data: &[u8]) {
    sequence::run(data, STORE.get_or_init(|| stored("abi")), &CALLS_OF_A_HOST);
}

fn named() -> fn(&[u8]) {
    let name = std::env::var("HOS_FUZZ_TARGET").unwrap_or_default();
    let mut known = ALL.iter().map(|target| (target.name, target.body)).chain([("abi", abi as fn(&[u8])), ("planted", sequence::planted)]);
    match known.find(|(known, _)| *known == name) {
        Some((_, body)) => body,
        None => panic!("HOS_FUZZ_TARGET names no target: `{name}`"),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| BODY.get_or_init(named)(data));
