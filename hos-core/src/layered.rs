//! A map that is cheap to copy and to change a little: a shared base with a small layer of changes over it.
//!
//! A directory of 100,000 entities changes one entity at a time, and every change makes a new version while readers still
//! hold the old one. Copying costs the layer alone; the layer is folded into a new base when it has grown to about the square
//! root of the base, so that a change costs O(sqrt n) in the long run and nothing is ever shared mutably.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Below this many changes a layer is not worth folding.
const LAYER_MIN: usize = 64;

/// The map: a clone is another version, which goes its own way.
#[derive(Debug, Clone)]
pub struct Layered<K, V, S = std::hash::RandomState> {
    base: Arc<HashMap<K, V, S>>,
    over: HashMap<K, Option<V>, S>,
    len: usize,
}

impl<K, V, S: Default> Default for Layered<K, V, S> {
    fn default() -> Self {
        Self { base: Arc::default(), over: HashMap::default(), len: 0 }
    }
}

impl<K: Eq + Hash + Clone, V: Clone, S: BuildHasher + Clone> Layered<K, V, S> {
    /// The value under a key.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if !self.over.is_empty()
            && let Some(changed) = self.over.get(key)
        {
            return changed.as_ref();
        }
        self.base.get(key)
    }

    /// Whether there is a value under a key.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.get(key).is_some()
    }

    /// How many keys have a value.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no key has a value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a value under a key, in the place of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        self.len += usize::from(!self.contains(&key));
        if self.over.is_empty()
            && let Some(base) = Arc::get_mut(&mut self.base)
        {
            base.insert(key, value);
            return;
        }
        self.over.insert(key, Some(value));
        self.fold();
    }

    /// Takes away what is under a key, if anything is.
    pub fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if !self.contains(key) {
            return;
        }
        self.len -= 1;
        if self.over.is_empty()
            && let Some(base) = Arc::get_mut(&mut self.base)
        {
            base.remove(key);
            return;
        }
        self.over.insert(key.to_owned(), None);
        self.fold();
    }

    /// Changes one value where it stands if nobody else holds it, and on a copy if somebody does. `None` removes it.
    pub fn modify(&mut self, key: K, change: impl FnOnce(Option<V>) -> Option<V>) {
        let sole = if self.over.is_empty() { Arc::get_mut(&mut self.base) } else { None };
        if let Some(base) = sole {
            let old = base.remove(&key);
            self.len -= usize::from(old.is_some());
            if let Some(new) = change(old) {
                self.len += 1;
                base.insert(key, new);
            }
            return;
        }
        let old = match self.over.remove(&key) {
            Some(changed) => changed,
            None => self.base.get(&key).cloned(),
        };
        self.len -= usize::from(old.is_some());
        let new = change(old);
        self.len += usize::from(new.is_some());
        self.over.insert(key, new);
        self.fold();
    }

    /// Each key with its value, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let changed = self.over.iter().filter_map(|(k, v)| v.as_ref().map(|v| (k, v)));
        changed.chain(self.base.iter().filter(|(k, _)| !self.over.contains_key(*k)))
    }

    /// Folds the layer into the base once it has outgrown it.
    fn fold(&mut self) {
        let layer = self.over.len();
        if layer <= LAYER_MIN || layer.saturating_mul(layer) <= self.base.len() {
            return;
        }
        let base = Arc::make_mut(&mut self.base);
        for (key, value) in self.over.drain() {
            match value {
                Some(value) => {
                    base.insert(key, value);
                }
                None => {
                    base.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn versions_stay_as_they_were_while_later_ones_change() {
        let mut truth: BTreeMap<String, usize> = BTreeMap::new();
        let mut map: Layered<String, usize> = Layered::default();
        let mut old = Vec::new();
        let mut seed = 7u64;
        for round in 0..4_000usize {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = ((seed >> 40) % 500).to_string();
            if seed >> 33 & 3 == 0 {
                map.remove(key.as_str());
                truth.remove(&key);
            } else if seed >> 33 & 3 == 1 {
                let change = |old: Option<usize>| old.is_none_or(|n| n % 2 == 0).then_some(round);
                map.modify(key.clone(), change);
                match change(truth.remove(&key)) {
                    Some(new) => truth.insert(key, new),
                    None => None,
                };
            } else {
                map.insert(key.clone(), round);
                truth.insert(key, round);
            }
            if round % 500 == 0 {
                old.push((map.clone(), truth.clone()));
            }
        }
        old.push((map, truth));
        for (map, truth) in old {
            assert_eq!(map.len(), truth.len());
            assert_eq!(map.is_empty(), truth.is_empty());
            assert_eq!(map.iter().map(|(k, v)| (k.clone(), *v)).collect::<BTreeMap<_, _>>(), truth);
            assert!((0..500).all(|k| map.get(k.to_string().as_str()) == truth.get(&k.to_string())));
        }
    }
}
