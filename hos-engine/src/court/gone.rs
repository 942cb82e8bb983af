//! Whose keys are destroyed by the store's own word: an erasure's record counts from its commit on, and a vault in a file follows a
//! moment later, or after a crash with the next start.

use super::founding::STREAM_ERASED;
use super::{Court, lock, streams};
use crate::Failure;
use crate::sealed::FreshKeys;
use crate::store::Tx;
use crate::vault::Vault;
use hos_core::id::KeyId;
use hos_core::proof::erasure::decode_key;
use hos_core::refusal::Code;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The keys that the store's records say are destroyed, as far as they are known.
#[derive(Default)]
pub(crate) struct KnownGone {
    /// How many records were read, and what they say.
    read: RwLock<(u64, Arc<HashSet<KeyId>>)>,
    /// Of how many it is certain that the vault has followed.
    followed: Mutex<usize>,
}

impl Court {
    /// The keys that the store's records say are destroyed. Costs one row where nothing has changed. For who has written no erasure in
    /// this transaction: what it says is remembered.
    pub(crate) fn gone(&self, tx: &Tx<'_>) -> Result<Arc<HashSet<KeyId>>, Failure> {
        let known = self.known_gone.read.read().unwrap_or_else(PoisonError::into_inner).0;
        let (count, gone) = self.gone_here(tx)?;
        if count != known {
            *self.known_gone.read.write().unwrap_or_else(PoisonError::into_inner) = (count, gone.clone());
        }
        Ok(gone)
    }

    /// The same as this transaction sees it, its own erasures among them; with how many records there are.
    pub(super) fn gone_here(&self, tx: &Tx<'_>) -> Result<(u64, Arc<HashSet<KeyId>>), Failure> {
        let count = streams::own_count(tx, STREAM_ERASED)?;
        let (known, gone) = self.known_gone.read.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known == count {
            return Ok((count, gone));
        }
        // A store that was restored has fewer: it is read anew.
        let (from, mut gone) = if known < count { (known, (*gone).clone()) } else { (0, HashSet::new()) };
        for row in streams::own_records_from(tx, STREAM_ERASED, from)? {
            let broken = |what: &str| Failure::new(Code::StoreIntegrity, format!("an erasure's record: {what}"));
            let content = super::roots::content(row.blob(1)?, row.blob(2)?).map_err(|why| broken(&why))?;
            let key = decode_key(&content).map_err(|e| broken(&e.to_string()))?;
            // Of a person who never had a key older records name none.
            if key.0 != [0; 16] {
                gone.insert(key);
            }
        }
        Ok((count, Arc::new(gone)))
    }

    /// The keys that are gone, for who writes: nothing where keys lie in the database, and go in the very transaction of the record.
    pub(super) fn gone_in_file(&self, tx: &Tx<'_>) -> Result<Arc<HashSet<KeyId>>, Failure> {
        match self.vault {
            Vault::File(_) => self.gone(tx),
            Vault::Table(_) | Vault::Host => Ok(Arc::default()),
        }
    }

    /// Keys for who only reads. Where nothing may be written no key is destroyed, and those of erased persons open nothing all the same.
    pub(crate) fn reading_keys(&self, tx: &Tx<'_>) -> Result<FreshKeys, Failure> {
        let is_held = self.reading || lock(&self.quarantine).is_some();
        Ok(FreshKeys::without(if is_held { self.gone_in_file(tx)? } else { Arc::default() }))
    }

    /// Destroys keys whose erasure is committed and that are there still: a crash came between, the vault was busy, or it was restored
    /// from an older copy. Gives the keys that the vault says are destroyed, and no record does.
    pub(crate) fn follow_erasures(&self, gone: &HashSet<KeyId>) -> Result<Vec<KeyId>, Failure> {
        let destroyed: HashSet<KeyId> = self.vault.destroyed()?.into_iter().collect();
        for key in gone.difference(&destroyed) {
            self.vault.destroy_by_id(*key, self.clock.now())?;
        }
        let is_wiped = match &self.vault {
            // A read elsewhere keeps the bytes: the next round tries again.
            Vault::File(file) => file.tidy().is_ok(),
            Vault::Table(_) | Vault::Host => true,
        };
        if is_wiped {
            *lock(&self.known_gone.followed) = gone.len();
        }
        Ok(destroyed.difference(gone).copied().collect())
    }

    /// The same with each round of work, where there is anything new.
    pub(crate) fn follow_new_erasures(&self, gone: &HashSet<KeyId>) -> Result<(), Failure> {
        if matches!(self.vault, Vault::File(_)) && *lock(&self.known_gone.followed) != gone.len() {
            self.follow_erasures(gone)?;
        }
        Ok(())
    }
}
