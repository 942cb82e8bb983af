//! Entity identities: ours to Cedar's, and keys that carry their own hash.

use crate::id::{Uid, uid_hash};
use cedar_policy_core::ast::{Eid, EntityType, EntityUID};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An entity's identity with its hash beside it: that of our own word for it, so that who has our word need not hash again.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Key {
    hash: u64,
    uid: Arc<EntityUID>,
}

impl Key {
    /// Hashes Cedar's word.
    pub(in crate::policy) fn new(uid: Arc<EntityUID>) -> Self {
        Self { hash: uid_hash(&uid.entity_type().to_string(), uid.eid().as_ref()), uid }
    }

    /// Takes the hash of ours; `core` is the same identity in Cedar's words.
    pub(in crate::policy) fn of(uid: &Uid, core: EntityUID) -> Self {
        Self { hash: uid.hash64(), uid: Arc::new(core) }
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
