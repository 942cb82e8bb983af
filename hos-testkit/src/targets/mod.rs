//! The bodies of the fuzz targets: one for each decoder and parser that reads bytes from outside, and for each door that is asked by
//! strangers.
//!
//! A body must never panic on any input, and asserts what must hold of what was accepted: bytes that decode are the bytes
//! that encode again (one meaning, one form), text that parses says the same when it is written and read again, and a proof that
//! holds is the one that the whole tree or map would have given.

mod bytes;
mod calls;
mod doors;
mod outside;
mod rows;
mod texts;
mod trees;

pub use bytes::forked;
pub use doors::stored;
pub use rows::CALLS as CALLS_OF_A_HOST;
pub use texts::{base_law, cosigned};

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// What runs on each input.
    pub body: fn(&[u8]),
    /// How long one run takes, in runs of the swift ones: those that are slow are run less often in the same time.
    pub cost: u64,
}

/// One that takes microseconds.
const fn swift(name: &'static str, body: fn(&[u8])) -> Target {
    Target { name, body, cost: 1 }
}

/// One that takes longer.
const fn slow(name: &'static str, cost: u64, body: fn(&[u8])) -> Target {
    Target { name, body, cost }
}

/// Every target.
pub const ALL: &[Target] = &[
    swift("canon", bytes::canon),
    swift("header", bytes::header),
    swift("entry", bytes::entry),
    swift("parts", bytes::parts),
    swift("receipt", bytes::receipt),
    swift("frontier", bytes::frontier),
    swift("modes", texts::modes),
    swift("evidence", bytes::evidence),
    swift("contents", bytes::contents),
    swift("tiles", bytes::tiles),
    swift("note", texts::note),
    swift("vkey", texts::vkey),
    swift("cosignature", texts::cosignature),
    swift("proof", texts::proof),
    swift("toml", texts::toml),
    swift("json", calls::json),
    swift("call", calls::call),
    swift("ids", outside::ids),
    swift("url", outside::url),
    swift("signer", outside::signer),
    slow("words", 2, outside::words),
    slow("tree", 4, trees::tree),
    slow("heads", 4, trees::heads),
    slow("fork", 4, bytes::fork),
    slow("trust", 2, bytes::trust),
    slow("bundle", 4, bytes::bundle),
    slow("contract", 8, texts::contract_toml),
    slow("history", 8, outside::history),
    slow("policies", 8, texts::policies),
    slow("step", 8, rows::step),
    slow("law", 40, texts::law),
    slow("serve", 40, doors::serve),
    slow("rows", 40, rows::rows),
];
