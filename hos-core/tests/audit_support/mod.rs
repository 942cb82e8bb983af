//! Whole bundles from fixed seeds, made without the engine: two logs, their records, trees, checkpoints, cosignatures, trust files.
//!
//! Everything can be bent, and what comes after is made again: hashed, linked, proved, signed. So a case can break one duty of a
//! verifier alone.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test takes what it needs")]

pub mod cbor;
pub mod log;
pub mod record;
pub mod story;

use hos_core::digest::expand;
use hos_core::id::*;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey, WitnessKey, cosigned, origin};
use hos_core::proof::key::SealKey;

/// Bytes that look random and are the same every time.
pub fn drawn<const N: usize>(purpose: &str, index: u64) -> [u8; N] {
    let mut out = [0; N];
    expand(&[11; 32], purpose, index, &mut out);
    out
}

pub const START: i64 = 1_783_000_000_000;

pub fn store() -> StoreId {
    StoreId(drawn("store", 0))
}

pub fn tenant() -> Tenant {
    Tenant::new("pazar-tr").unwrap()
}

pub fn seal_key() -> SealKey {
    SealKey::from_seed(&drawn("seal-key", 0))
}

pub fn log_key(tenant: &Tenant, epoch: u64) -> NoteKey {
    NoteKey::new(origin(&store(), tenant, epoch), seal_key().verify_key()).unwrap()
}

/// A witness's key, and the name under which it signs.
pub fn witness(i: u64) -> (SealKey, WitnessKey) {
    let key = SealKey::from_seed(&drawn("witness", i));
    let named = WitnessKey::new(format!("witness.example/w{i}"), key.verify_key()).unwrap();
    (key, named)
}

/// Base64, for signature lines that the library does not write.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = word >> (18 - 6 * place) & 63;
            out.push(if place <= chunk.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    out
}

/// A witness's line under a note.
pub fn cosignature(note: &str, i: u64, seconds: u64) -> String {
    let (key, named) = witness(i);
    let text = &note[..note.rfind("\n\n").unwrap() + 1];
    let typed = [&[4], &named.key().as_bytes()[..]].concat();
    let id = hos_core::digest::note_key_id(named.name(), 4, &typed[1..]);
    let signature = key.sign(cosigned(seconds, text).as_bytes());
    format!("\u{2014} {} {}\n", named.name(), base64(&[&id[..], &seconds.to_be_bytes(), &signature].concat()))
}

/// A note with the cosignatures of these witnesses.
pub fn witnessed(note: &str, witnesses: &[u64]) -> String {
    let lines: String = witnesses.iter().map(|i| cosignature(note, *i, 1_783_000_100 + i)).collect();
    format!("{note}{lines}")
}

/// A trust file that names one log, so many witnesses, and how many of them are asked for.
pub fn trust(key: &NoteKey, witnesses: u64, asked: u64) -> String {
    let mut text = format!("log {key}\n");
    for i in 0..witnesses {
        text += &format!("witness w{i} {}\n", witness(i).1);
    }
    if asked == 0 {
        return text + "quorum none\n";
    }
    let names: Vec<String> = (0..witnesses).map(|i| format!("w{i}")).collect();
    text + &format!("group most {asked} {}\nquorum most\n", names.join(" "))
}

/// A checkpoint signed by any key.
pub fn signed(checkpoint: &Checkpoint, key: &SealKey) -> String {
    checkpoint.sign(key).unwrap()
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0);
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// A note over any text, by a log's key under any name.
pub fn note_of(text: &str, name: &str, key: &SealKey) -> String {
    let id = hos_core::digest::note_key_id(name, 1, key.verify_key().as_bytes());
    format!("{text}\n\u{2014} {name} {}\n", base64(&[&id[..], &key.sign(text.as_bytes())].concat()))
}
