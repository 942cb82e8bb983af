//! Keys that were read, kept in memory.

use std::collections::HashMap;
use std::hash::Hash;

use super::VaultKey;

/// Keys in memory, true while the number in the lock file is this one.
#[derive(Default)]
pub(super) struct Known {
    pub(super) stamp: u64,
    pub(super) by_subject: Recent<[u8; 32]>,
    pub(super) by_id: Recent<[u8; 16]>,
}

/// How many keys a generation holds.
const GENERATION: usize = 2048;

/// The last keys used, in two generations: when the young one is full it becomes the old one, and the old one goes.
pub(super) struct Recent<K> {
    young: HashMap<K, VaultKey>,
    old: HashMap<K, VaultKey>,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash + Copy> Recent<K> {
    pub(super) fn get(&mut self, k: &K) -> Option<VaultKey> {
        if let Some(key) = self.young.get(k) {
            return Some(key.clone());
        }
        let key = self.old.remove(k)?;
        self.put(*k, key.clone());
        Some(key)
    }

    pub(super) fn put(&mut self, k: K, key: VaultKey) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(k, key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hos_core::id::KeyId;

    #[test]
    fn memory_is_bounded_and_keeps_what_is_used() {
        let mut recent = Recent::default();
        let key = VaultKey { id: KeyId([1; 16]), key: None };
        for n in 0..10_000u64 {
            recent.put(n, key.clone());
            assert!(recent.get(&0).is_some(), "used all the time, forgotten at {n}");
            assert!(recent.young.len() + recent.old.len() <= 2 * GENERATION);
        }
        assert!(recent.get(&1).is_none());
    }
}
