//! Entity identities: ours to Cedar's, and keys that carry their own hash.

use crate::id::Uid;
use cedar_policy_core::ast::{Eid, EntityType, EntityUID};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

/// One seed for the whole process, so that keys made by a directory meet those made by a law.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Hashes a text with the process's seed.
pub(in crate::policy) fn hash_text(text: &str) -> u64 {
    SEED.hash_one(text)
}

/// An entity's identity with its hash beside it: an ancestor is hashed when the directory is made, not when it is looked up.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Key {
    hash: u64,
    uid: Arc<EntityUID>,
}

impl Key {
    pub(in crate::policy) fn new(uid: Arc<EntityUID>) -> Self {
        Self { hash: SEED.hash_one(&*uid), uid }
    }

    pub(in crate::policy) fn hash64(&self) -> u64 {
        self.hash
    }

    pub(in crate::policy) fn uid(&self) -> &Arc<EntityUID> {
        &self.uid
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && (Arc::ptr_eq(&self.uid, &other.uid) || self.uid == other.uid)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Takes a hash that is already there.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::policy) struct PassHasher(u64);

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

/// The hasher of maps whose keys carry their hash.
pub(in crate::policy) type PassHash = BuildHasherDefault<PassHasher>;

/// A type's name as Cedar's, or nothing where Cedar reserves the word (`__cedar`, `if`).
pub(in crate::policy) fn entity_type(name: &str) -> Option<EntityType> {
    EntityType::from_normalized_str(name).ok()
}

/// An identity of a type that is at hand.
pub(in crate::policy) fn entity_uid(ty: &EntityType, id: &str) -> EntityUID {
    EntityUID::from_components(ty.clone(), Eid::new(id), None)
}

/// Ours as Cedar's.
pub(in crate::policy) fn to_cedar(uid: &Uid) -> Option<EntityUID> {
    entity_type(uid.type_name()).map(|ty| entity_uid(&ty, uid.id()))
}

/// Cedar's as ours, if its id is one that our ids may be.
pub(in crate::policy) fn from_cedar(uid: &EntityUID) -> Option<Uid> {
    Uid::new(uid.entity_type().to_string(), AsRef::<str>::as_ref(uid.eid())).ok()
}
