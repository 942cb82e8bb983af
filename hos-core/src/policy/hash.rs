//! The two hashers of this wing's tables: one for keys that carry their hash, one for keys that the law alone puts in.

use std::hash::{BuildHasherDefault, Hasher};

/// Takes a hash that is already there.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PassHasher(u64);

/// The hasher of maps whose keys carry their hash.
pub(super) type PassHash = BuildHasherDefault<PassHasher>;

impl Hasher for PassHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is used; this keeps the trait's promise for whatever else.
        for b in bytes {
            self.0 = (self.0.rotate_left(8) ^ u64::from(*b)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Mixes quickly and without a seed, for maps that a law fills once (its types, its actions, the numbers of its index):
/// whoever asks chooses what is looked up, never what it is looked up among, so no flood of like hashes can be sent.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct MixHasher(u64);

/// The hasher of maps that only the law fills.
pub(super) type MixHash = BuildHasherDefault<MixHasher>;

impl Hasher for MixHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(23) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn near_names_and_near_numbers_fall_apart() {
        let hash = MixHash::default();
        let names: Vec<String> = (0..20_000).map(|i| format!("Pazar::Type{i}")).collect();
        let low = |h: u64| h & 0xffff;
        let texts: HashSet<u64> = names.iter().map(|n| low(hash.hash_one(n.as_str()))).collect();
        let numbers: HashSet<u64> = (0..20_000u32).map(|i| low(hash.hash_one((1u32, i, i / 7)))).collect();
        // 20,000 balls in 65,536 bins fill about 17,000 of them.
        assert!(texts.len() > 15_000 && numbers.len() > 15_000, "{} {}", texts.len(), numbers.len());
    }
}
