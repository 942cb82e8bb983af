//! Whether the vault in a file is the store's own, and not older than the store.

use crate::Failure;
use crate::court::Court;
use crate::seal;
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use crate::vault::Vault;
use hos_core::id::{KeyId, Tenant};
use hos_core::proof::stored::decode_stored;
use hos_core::refusal::Code;
use std::collections::HashSet;

/// How many of the universe's records are looked at, at either end of its log: the founder came first, and persons come there.
const LOOKED_AT: usize = 32;

impl Court {
    /// Sees that the vault once had the keys that the universe's first and newest records name. `gone` are those that were destroyed:
    /// the vault may be older than that.
    ///
    /// # Errors
    /// `hos.store_integrity`: it never had one. Whoever wrote under it would make persons second keys, and take living ones for erased.
    pub(crate) fn has_its_vault(&self, tx: &Tx<'_>, gone: &HashSet<KeyId>) -> Result<(), Failure> {
        let Vault::File(vault) = &self.vault else { return Ok(()) };
        let universe = Tenant::universe();
        let newest = seal::head(tx, &universe, self.of)?.size.saturating_sub(LOOKED_AT as u64);
        let mut seen = HashSet::new();
        for from in [0, newest] {
            for row in tx.rows(&sql::log_records(&universe, from, LOOKED_AT))? {
                // What is missing or does not decode is found by who verifies.
                let Some(boxes) = row.blob(9).ok().and_then(|parts| decode_stored(parts).ok()) else { continue };
                for stored in boxes.iter().filter(|stored| !stored.is_clear() && !gone.contains(&stored.key)) {
                    if seen.insert(stored.key) && vault.get_by_id(stored.key)?.is_none() {
                        let what = "which a record of this store names: it is another store's vault, or older than the store";
                        let (path, key) = (vault.path().display(), stored.key);
                        return Err(Failure::new(
                            Code::StoreIntegrity,
                            format!("the vault {path} never had the key {key}, {what}"),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
