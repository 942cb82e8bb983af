//! The only hashing: BLAKE3 in derive-key mode with a domain tag each, and RFC 6962's SHA-256 tree hashes.

use crate::id::{CallDigest, Commitment, EntryHash, LawHash, RecordHash, TreeHash};

/// `law_hash`: over the files sorted by path, each as (path, length, bytes); nothing is normalised.
pub fn law_hash<'a>(_files: impl Iterator<Item = (&'a str, &'a [u8])>) -> LawHash {
    todo!()
}
/// A record's hash, over its header's bytes.
pub fn record_hash(_header: &[u8]) -> RecordHash {
    todo!()
}
/// An entry's hash, over its bytes.
pub fn entry_hash(_entry: &[u8]) -> EntryHash {
    todo!()
}
/// What the first entry of a log cites as its predecessor: hash of (store, epoch, tenant, predecessor checkpoint or empty).
pub fn genesis_hash(_store: &crate::id::StoreId, _epoch: u64, _tenant: &crate::id::Tenant, _predecessor: &[u8]) -> EntryHash {
    todo!()
}
/// A part's commitment, over (32-byte salt, length, plaintext).
pub fn commitment(_salt: &[u8; 32], _plaintext: &[u8]) -> Commitment {
    todo!()
}
/// The digest of a call under a once-key, over its canonical bytes.
pub fn call_digest(_canonical: &[u8]) -> CallDigest {
    todo!()
}
/// RFC 6962 leaf: SHA-256(0x00 || bytes).
pub fn tree_leaf(_bytes: &[u8]) -> TreeHash {
    todo!()
}
/// RFC 6962 node: SHA-256(0x01 || left || right).
pub fn tree_node(_left: &TreeHash, _right: &TreeHash) -> TreeHash {
    todo!()
}
/// The hash of the empty tree: SHA-256 of nothing.
pub fn tree_empty() -> TreeHash {
    todo!()
}
/// So many bytes of randomness for one purpose, expanded from one seed (BLAKE3 XOF). Core has no randomness of its own.
pub fn expand(_seed: &[u8; 32], _purpose: &str, _index: u64, _out: &mut [u8]) {
    todo!()
}
