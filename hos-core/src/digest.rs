//! The only hashing: BLAKE3 in derive-key mode with a domain tag each, and RFC 6962's SHA-256 tree hashes.
//!
//! `spec/chain.md` lists the tags. Lengths and numbers that are hashed beside variable bytes are 64-bit, big-endian.

use crate::id::{
    CallDigest, Commitment, EntryHash, Handle, LawHash, MapHash, MapKey, RecordHash, StoreId, Tenant, TreeHash, Uid,
};
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The domain of [`law_hash`].
pub const TAG_LAW: &str = "hos 2026-11 law-hash v1";
/// The domain of [`record_hash`].
pub const TAG_RECORD: &str = "hos 2026-11 record-hash v1";
/// The domain of [`entry_hash`].
pub const TAG_ENTRY: &str = "hos 2026-11 entry-hash v1";
/// The domain of [`genesis_hash`].
pub const TAG_GENESIS: &str = "hos 2026-11 genesis-hash v1";
/// The domain of [`commitment`].
pub const TAG_COMMITMENT: &str = "hos 2026-11 part-commitment v1";
/// The domain of [`call_digest`].
pub const TAG_CALL: &str = "hos 2026-11 call-digest v1";
/// The domain of [`expand`].
pub const TAG_EXPAND: &str = "hos 2026-11 expand v1";
/// The domain of [`subject_tag`].
pub const TAG_SUBJECT: &str = "hos 2026-11 subject-tag v1";
/// The domain of [`stream_handle`].
pub const TAG_STREAM: &str = "hos 2026-11 stream-handle v1";
/// The domain of [`heads_label`].
pub const TAG_HEADS_LABEL: &str = "hos 2026-11 heads-label v1";
/// The domain of [`heads_thread`].
pub const TAG_HEADS_THREAD: &str = "hos 2026-11 heads-thread v1";
/// The domain of [`heads_leaf`].
pub const TAG_HEADS_LEAF: &str = "hos 2026-11 heads-leaf v1";
/// The domain of [`heads_node`].
pub const TAG_HEADS_NODE: &str = "hos 2026-11 heads-node v1";
/// The domain of [`ErasureList`].
pub const TAG_ERASURE_LIST: &str = "hos 2026-11 erasure-list v1";
/// Every tag in use.
pub const TAGS: [&str; 14] = [
    TAG_LAW,
    TAG_RECORD,
    TAG_ENTRY,
    TAG_GENESIS,
    TAG_COMMITMENT,
    TAG_CALL,
    TAG_EXPAND,
    TAG_SUBJECT,
    TAG_STREAM,
    TAG_HEADS_LABEL,
    TAG_HEADS_THREAD,
    TAG_HEADS_LEAF,
    TAG_HEADS_NODE,
    TAG_ERASURE_LIST,
];

/// Deriving a context costs more than hashing a short input: the key of each is derived once. A hasher is made of it anew each time, for
/// one that is ready is two kilobytes to copy.
macro_rules! domain {
    ($name:ident, $tag:ident) => {
        fn $name() -> blake3::Hasher {
            static KEY: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context($tag));
            blake3::Hasher::new_from_context_key(&KEY)
        }
    };
}
domain!(law_domain, TAG_LAW);
domain!(record_domain, TAG_RECORD);
domain!(entry_domain, TAG_ENTRY);
domain!(genesis_domain, TAG_GENESIS);
domain!(commitment_domain, TAG_COMMITMENT);
domain!(call_domain, TAG_CALL);
domain!(expand_domain, TAG_EXPAND);
domain!(subject_domain, TAG_SUBJECT);
domain!(stream_domain, TAG_STREAM);
domain!(heads_label_domain, TAG_HEADS_LABEL);
domain!(heads_thread_domain, TAG_HEADS_THREAD);
domain!(heads_leaf_domain, TAG_HEADS_LEAF);
domain!(heads_node_domain, TAG_HEADS_NODE);
domain!(erasure_list_domain, TAG_ERASURE_LIST);

fn sized<'h>(hasher: &'h mut blake3::Hasher, bytes: &[u8]) -> &'h mut blake3::Hasher {
    hasher.update(&(bytes.len() as u64).to_be_bytes()).update(bytes)
}

/// `law_hash`: over the files sorted by path (bytewise), their number first, then each as (path length, path, length,
/// bytes); nothing is normalised.
pub fn law_hash<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> LawHash {
    let mut files: Vec<_> = files.collect();
    files.sort_unstable();
    let mut hasher = law_domain();
    hasher.update(&(files.len() as u64).to_be_bytes());
    for (path, bytes) in files {
        sized(&mut hasher, path.as_bytes());
        sized(&mut hasher, bytes);
    }
    LawHash(hasher.finalize().into())
}
/// A record's hash, over its header's bytes.
pub fn record_hash(header: &[u8]) -> RecordHash {
    RecordHash(record_domain().update(header).finalize().into())
}
/// An entry's hash, over its bytes.
pub fn entry_hash(entry: &[u8]) -> EntryHash {
    EntryHash(entry_domain().update(entry).finalize().into())
}
/// What the first entry of a log cites as its predecessor: hash of (store, epoch, tenant length, tenant, predecessor
/// length, predecessor checkpoint or empty).
pub fn genesis_hash(store: &StoreId, epoch: u64, tenant: &Tenant, predecessor: &[u8]) -> EntryHash {
    let mut hasher = genesis_domain();
    hasher.update(store.as_bytes()).update(&epoch.to_be_bytes());
    sized(&mut hasher, tenant.as_str().as_bytes());
    sized(&mut hasher, predecessor);
    EntryHash(hasher.finalize().into())
}
/// A part's commitment, over (32-byte salt, length, plaintext).
pub fn commitment(salt: &[u8; 32], plaintext: &[u8]) -> Commitment {
    let mut hasher = commitment_domain();
    hasher.update(salt);
    Commitment(sized(&mut hasher, plaintext).finalize().into())
}
/// A part's commitment, over the same bytes where they already stand one after the other.
pub fn commitment_of(preimage: &[u8]) -> Commitment {
    Commitment(commitment_domain().update(preimage).finalize().into())
}
/// What stands for bytes among those who know a secret, and tells nobody else anything of them (BLAKE3, keyed).
pub fn mark(secret: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    blake3::keyed_hash(secret, bytes).into()
}
/// The digest of a call under a once-key, over its canonical bytes.
pub fn call_digest(canonical: &[u8]) -> CallDigest {
    CallDigest(call_domain().update(canonical).finalize().into())
}
/// The name under which a store's vault knows a person: over (store, type length, type, id length, id).
pub fn subject_tag(store: &StoreId, subject: &Uid) -> [u8; 32] {
    let mut hasher = subject_domain();
    hasher.update(store.as_bytes());
    sized(&mut hasher, subject.type_name().as_bytes());
    sized(&mut hasher, subject.id().as_bytes()).finalize().into()
}
/// The handle of a named stream's thread: the first 16 bytes of the hash over (store id, tenant length, tenant, name length, name),
/// so that whoever writes to a stream first need not wait for who else does. Streams are the law's and the engine's, no person's.
pub fn stream_handle(store: &StoreId, tenant: &Tenant, name: &str) -> Handle {
    let mut hasher = stream_domain();
    hasher.update(store.as_bytes());
    sized(&mut hasher, tenant.as_str().as_bytes());
    let hash = sized(&mut hasher, name.as_bytes()).finalize();
    let mut handle = [0; 16];
    handle.copy_from_slice(hash.as_bytes().split_at(16).0);
    Handle(handle)
}
/// The label of an instance in the map of heads: over (tenant length, tenant, contract length, contract, id length, id).
pub fn heads_label(tenant: &Tenant, contract: &str, id: &str) -> MapKey {
    let mut hasher = heads_label_domain();
    sized(&mut hasher, tenant.as_str().as_bytes());
    sized(&mut hasher, contract.as_bytes());
    MapKey(sized(&mut hasher, id.as_bytes()).finalize().into())
}
/// The key of a thread without label in the map of heads: over (tenant length, tenant, handle).
pub fn heads_thread(tenant: &Tenant, thread: &Handle) -> MapKey {
    let mut hasher = heads_thread_domain();
    MapKey(sized(&mut hasher, tenant.as_str().as_bytes()).update(thread.as_bytes()).finalize().into())
}
/// A leaf of the map of heads: over (key, kind, handle, n, record hash), all of fixed length.
pub fn heads_leaf(key: &MapKey, kind: u8, thread: &Handle, n: u64, last: &RecordHash) -> MapHash {
    let mut hasher = heads_leaf_domain();
    hasher.update(key.as_bytes()).update(&[kind]).update(thread.as_bytes()).update(&n.to_be_bytes());
    MapHash(hasher.update(last.as_bytes()).finalize().into())
}
/// A node of the map of heads: over (left, right).
pub fn heads_node(left: &MapHash, right: &MapHash) -> MapHash {
    MapHash(heads_node_domain().update(left.as_bytes()).update(right.as_bytes()).finalize().into())
}
/// The records that hold parts under one key, hashed as they come: over each (tenant length, tenant, seq, record hash).
#[derive(Clone)]
pub struct ErasureList(blake3::Hasher);

impl Default for ErasureList {
    fn default() -> Self {
        Self(erasure_list_domain())
    }
}

impl std::fmt::Debug for ErasureList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasureList(…)")
    }
}

impl ErasureList {
    /// Takes the next record.
    pub fn push(&mut self, tenant: &Tenant, seq: u64, record: &RecordHash) {
        sized(&mut self.0, tenant.as_str().as_bytes()).update(&seq.to_be_bytes()).update(record.as_bytes());
    }
    /// The hash of those taken so far.
    pub fn finish(&self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
/// RFC 6962 leaf: SHA-256(0x00 || bytes).
pub fn tree_leaf(bytes: &[u8]) -> TreeHash {
    TreeHash(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
}
/// RFC 6962 node: SHA-256(0x01 || left || right).
pub fn tree_node(left: &TreeHash, right: &TreeHash) -> TreeHash {
    let mut block = [1u8; 65];
    let (_, pair) = block.split_at_mut(1);
    let (l, r) = pair.split_at_mut(32);
    l.copy_from_slice(left.as_bytes());
    r.copy_from_slice(right.as_bytes());
    TreeHash(Sha256::digest(block).into())
}
/// The hash of the empty tree: SHA-256 of nothing.
pub fn tree_empty() -> TreeHash {
    TreeHash(Sha256::digest(b"").into())
}
/// The first four bytes of SHA-256: the id that C2SP signed notes give a key (`spec/chain.md`).
pub fn note_key_id(name: &str, kind: u8, public: &[u8]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(public).finalize();
    let [a, b, c, d, ..]: [u8; 32] = digest.into();
    [a, b, c, d]
}
/// How a page's policy names its style: `'sha256-…'`, the hash in base64.
pub fn style_source(css: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let hash = Sha256::digest(css);
    let mut out = String::from("'sha256-");
    for chunk in hash.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out.push('\'');
    out
}
/// So many bytes of randomness for one purpose, expanded from one seed (BLAKE3 XOF). Core has no randomness of its own.
pub fn expand(seed: &[u8; 32], purpose: &str, index: u64, out: &mut [u8]) {
    let mut hasher = expand_domain();
    hasher.update(seed);
    sized(&mut hasher, purpose.as_bytes()).update(&index.to_be_bytes()).finalize_xof().fill(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_differ_and_so_do_hashes_of_the_same_bytes() {
        let mut tags = TAGS.to_vec();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), TAGS.len());
        assert_ne!(record_hash(b"x").0, entry_hash(b"x").0);
        assert_ne!(entry_hash(b"x").0, call_digest(b"x").0);
        assert_eq!(record_hash(b"x").0, blake3::derive_key(TAG_RECORD, b"x"));
    }

    #[test]
    fn a_law_is_its_files_whatever_their_order() {
        let (a, b) = (("a", &b"1"[..]), ("b", &b"2"[..]));
        assert_eq!(law_hash([a, b].into_iter()), law_hash([b, a].into_iter()));
        assert_ne!(law_hash([a, b].into_iter()), law_hash([a].into_iter()));
        assert_ne!(law_hash([("ab", &b"c"[..])].into_iter()), law_hash([("a", &b"bc"[..])].into_iter()));
    }

    #[test]
    fn lengths_keep_neighbours_apart() {
        let (store, tenant) = (StoreId([1; 16]), Tenant::new("a").unwrap());
        let long = Tenant::new("ab").unwrap();
        assert_ne!(genesis_hash(&store, 0, &tenant, b"b"), genesis_hash(&store, 0, &long, b""));
        assert_ne!(genesis_hash(&store, 0, &tenant, b""), genesis_hash(&store, 1, &tenant, b""));
        assert_ne!(commitment(&[0; 32], b""), commitment(&[0; 32], b"\0"));
    }

    #[test]
    fn the_tree_hashes_are_rfc_6962s() {
        assert_eq!(tree_empty().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(tree_leaf(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        let (l, r) = (tree_leaf(b""), tree_leaf(&[0]));
        assert_eq!(tree_node(&l, &r).to_string(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    }

    #[test]
    fn a_style_is_named_by_its_hash() {
        assert_eq!(style_source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
        assert_eq!(style_source("abc"), "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
    }

    #[test]
    fn expansion_depends_on_seed_purpose_and_index() {
        let take = |seed: [u8; 32], purpose: &str, index: u64| {
            let mut out = [0u8; 40];
            expand(&seed, purpose, index, &mut out);
            out
        };
        let base = take([1; 32], "salt", 0);
        assert_eq!(base, take([1; 32], "salt", 0));
        for other in [take([2; 32], "salt", 0), take([1; 32], "salts", 0), take([1; 32], "salt", 1)] {
            assert_ne!(base, other);
        }
    }
}
