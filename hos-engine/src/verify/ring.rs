//! The keys that a pass over a store meets, asked of the vault once while there is room for them; and what a record asked for in vain.

use crate::Failure;
use crate::vault::Vault;
use hos_core::id::KeyId;
use hos_core::proof::part::SubjectKey;
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// What the vault has under an id.
#[derive(Clone)]
pub(super) enum Kept {
    /// It never had a key of this id.
    Never,
    /// The key was destroyed.
    Destroyed,
    /// The key.
    Key(SubjectKey),
}

/// Keys by id. Ids come from the store's file, which may be an attacker's: so the map hashes them with a secret.
pub(super) struct KeyRing<'v> {
    vault: &'v Vault,
    /// Keys that an erasure's record names: where the vault has one still, it is older than the erasure or follows in a moment, and by the
    /// store's word the key opens nothing.
    named: HashSet<KeyId>,
    met: RwLock<HashMap<KeyId, Kept>>,
    /// How many are kept: then it begins anew.
    met_max: usize,
}

impl<'v> KeyRing<'v> {
    pub(super) fn new(vault: &'v Vault, named: HashSet<KeyId>, met_max: usize) -> Self {
        Self { vault, named, met: RwLock::default(), met_max }
    }

    /// What is kept under an id.
    pub(super) fn of(&self, id: &KeyId) -> Result<Kept, Failure> {
        if let Some(kept) = self.met.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(kept.clone());
        }
        let kept = match self.vault.get_by_id(*id)? {
            None => Kept::Never,
            Some(_) if self.named.contains(id) => Kept::Destroyed,
            Some(row) => row.key.as_ref().map_or(Kept::Destroyed, |key| Kept::Key(SubjectKey::new(*key.bytes()))),
        };
        let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
        if met.len() >= self.met_max {
            met.clear();
        }
        met.insert(*id, kept.clone());
        Ok(kept)
    }
}

impl KeyRing<'_> {
    /// Whether there was a key of this id, and it was destroyed.
    pub(super) fn is_destroyed(&self, id: &KeyId) -> Result<bool, Failure> {
        Ok(id.0 != [0; 16] && matches!(self.of(id)?, Kept::Destroyed))
    }
}

/// What became of the keys that a record's boxes name.
#[derive(Default)]
pub(super) struct Asked {
    /// Keys that the vault never had.
    pub(super) strange: Vec<KeyId>,
    /// Keys that were destroyed.
    pub(super) gone: Vec<KeyId>,
    failed: Option<Failure>,
}

impl Asked {
    /// The key of an id, if it is there.
    pub(super) fn key(&mut self, ring: &KeyRing<'_>, id: &KeyId) -> Option<SubjectKey> {
        match ring.of(id) {
            Ok(Kept::Key(key)) => return Some(key),
            Ok(Kept::Destroyed) => self.gone.push(*id),
            Ok(Kept::Never) => self.strange.push(*id),
            Err(failure) => self.failed = Some(failure),
        }
        None
    }

    /// Whether the vault could be asked at all.
    ///
    /// # Errors
    /// Why it could not.
    pub(super) fn answered(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), Err)
    }
}
