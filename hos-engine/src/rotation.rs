//! A change of the seal key, step by step; and what is left when it stops between two of them.
//!
//! 1. The old key signs what it still owes, and that is stored.
//! 2. The record of the change: from which size on the new key signs each log. COMMIT POINT of the change. After a crash here
//!    the old key may still sign the sizes before and no others; who opens with the old key and asks again goes on with step 3.
//! 3. The old key signs the universe's head that covers the record, and that is stored: the last thing that it is needed for. Nobody else
//!    signs that head ([`Court::ends_plainly`](crate::court::Court::ends_plainly)): who can write the store can write the record too, and
//!    this signature is what makes the other key the store's.
//! 4. The record that confirms it, with that checkpoint inside; the store names the new key from here on. A crash before it
//!    is resolved by whoever opens with the new key, if step 3 was stored, or named if it was not.
//!
//! Until step 3 the change can be taken back.

use crate::court::{Signed, keys, lock};
use crate::ports::{Growth, Signer};
use crate::store::sql::evidence as sql;
use crate::work::{Job, KeyAct};
use crate::{Engine, Failure, KeyRange, seal};
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Checkpoint, origin};
use hos_core::proof::key::VerifyKey;
use hos_core::proof::keyring::KeyRing;
use hos_core::refusal::Code;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Engine {
    /// Has another key seal the store from here on. Whoever has the old key may do it; this process signs with the new one
    /// when it returns, others must be opened with it anew.
    pub fn rotate_key(&self, new: Arc<dyn Signer>) -> Result<(), Failure> {
        let desk = &self.0;
        let public = new.public()?;
        let ring = desk.read(|tx| desk.court.ring(tx))?;
        let refuse = |what: &str| Err(Failure::new(Code::KeyInvalid, what));
        match ring.pending() {
            Some(begun) if *begun == public => {}
            Some(begun) => return refuse(&keys::begun(begun)),
            None if ring.knows(&public) => return refuse("this key seals the store already, or did before"),
            None => {
                desk.sign_all();
                if let Some((tenant, why)) = desk.court.signing.failures().into_iter().next() {
                    return Err(Failure::new(
                        Code::SignerFailed,
                        format!("the old key still owes the head of `{tenant}`: {why}"),
                    ));
                }
                desk.counted(Job::Flush)?;
                desk.counted(Job::Key(KeyAct::Rotate(public.clone())))?;
            }
        }
        self.vouch_for_change(&public)?;
        self.confirm_key(new, &public)
    }

    /// The first two steps alone: a test plays what comes after.
    #[doc(hidden)]
    pub fn begin_rotation_and_stop(&self, public: &VerifyKey) -> Result<(), Failure> {
        self.0.counted(Job::Key(KeyAct::Rotate(public.clone())))?;
        self.0.counted(Job::Flush).map(drop)
    }

    /// Step 3: the old key vouches for the change, and that is stored.
    #[doc(hidden)]
    pub fn vouch_for_change(&self, public: &VerifyKey) -> Result<(), Failure> {
        let (desk, universe) = (&self.0, Tenant::universe());
        while desk.drained(&universe, 1000)?.is_something() {}
        // The other logs' heads up to the change.
        desk.sign_all();
        let ring = desk.read(|tx| desk.court.ring(tx))?;
        if self.closing(&ring)?.is_none() {
            let court = &desk.court;
            let size = ring.newest_from(&universe).saturating_sub(1);
            if ring.current() != Some(&court.signing.public()) {
                let what = "the old key has to vouch for the change: open the store with it and rotate again";
                return Err(Failure::new(Code::KeyInvalid, what));
            }
            let checkpoint = desk.read(|tx| {
                let head = seal::head(tx, &universe, court.of)?;
                if head.size < size {
                    return Err(Failure::new(Code::StoreIntegrity, "the record of the change has no place in the log"));
                }
                let root = seal::root_at(tx, &universe, head.size, size)?;
                if court.change_at_end(tx, size, &root)?.as_ref() != Some(public) {
                    return Err(Failure::new(Code::StoreIntegrity, "the log has no record of this change in its place"));
                }
                Ok(Checkpoint { origin: origin(&court.of.store, &universe, head.epoch), size, root, extensions: Vec::new() })
            })?;
            let proof = |from| desk.read(|tx| court.consistency(tx, &universe, from, size));
            let note = court.signing.note(&Growth { checkpoint: &checkpoint, proof: &proof })?;
            let mut checkpoints = lock(&court.checkpoints);
            let stored = checkpoints.get(&universe).map_or(0, |signed| signed.stored);
            checkpoints.insert(universe, Signed { size, note: note.into(), stored });
        }
        desk.counted(Job::Flush).map(drop)
    }

    /// Step 4.
    pub(crate) fn confirm_key(&self, new: Arc<dyn Signer>, public: &VerifyKey) -> Result<(), Failure> {
        let desk = &self.0;
        let ring = desk.read(|tx| desk.court.ring(tx))?;
        let note = self.closing(&ring)?.ok_or_else(|| {
            let what = "a change to this key has begun, and the old key has not vouched for it yet: open the store with the old key and \
                        rotate again";
            Failure::new(Code::KeyInvalid, what)
        })?;
        desk.counted(Job::Key(KeyAct::Confirm(public.clone(), note)))?;
        desk.court.signing.replace(new, public.clone());
        desk.sign_all();
        desk.counted(Job::Flush).map(drop)
    }

    /// The universe's last checkpoint under the key in force, where it has vouched for a change.
    fn closing(&self, ring: &KeyRing) -> Result<Option<String>, Failure> {
        let (desk, universe) = (&self.0, Tenant::universe());
        let size = ring.newest_from(&universe).saturating_sub(1);
        let known = lock(&desk.court.checkpoints).get(&universe).map(|signed| signed.note.to_string());
        let stored =
            desk.read(|tx| Ok(tx.row(&sql::checkpoint(&universe))?.map(|row| row.text(1).map(str::to_owned)).transpose()?))?;
        let fits = |note: &String| {
            keys::signed(ring, &desk.court.of.store, &universe, note).is_some_and(|marked| marked.said.size == size)
        };
        Ok(known.into_iter().chain(stored).find(fits))
    }

    /// The key of a change that has begun and is not confirmed, as this process last saw it.
    pub fn pending_key(&self) -> Option<VerifyKey> {
        self.0.court.pending_key()
    }

    /// Takes back a change of key that has begun and that the old key has not vouched for, as if it had not begun; says which key was to
    /// take over. Whoever has the key in force does it, where the new one is lost, or where somebody else wrote the change.
    pub fn withdraw_key(&self, reason: &str) -> Result<VerifyKey, Failure> {
        let desk = &self.0;
        let refuse = |what: &str| Err(Failure::new(Code::KeyInvalid, what));
        let ring = desk.read(|tx| desk.court.ring(tx))?;
        let Some(begun) = ring.pending().cloned() else { return refuse("no change of key has begun") };
        if self.closing(&ring)?.is_some() {
            return refuse("the old key has vouched for the change already: rotate again with both keys, and then to another");
        }
        desk.counted(Job::Key(KeyAct::Revoke(begun.clone(), BTreeMap::new(), reason.to_owned())))?;
        desk.sign_all();
        desk.counted(Job::Flush)?;
        Ok(begun)
    }

    /// The key of a change that has begun and that the old key has not vouched for.
    pub(crate) fn unvouched(&self) -> Result<Option<VerifyKey>, Failure> {
        let ring = self.0.read(|tx| self.0.court.ring(tx))?;
        Ok(match ring.pending() {
            Some(begun) if self.closing(&ring)?.is_none() => Some(begun.clone()),
            _ => None,
        })
    }

    /// Says that signatures of a key are worthless, in each log named from that size on.
    pub fn revoke_key(&self, key: &VerifyKey, from: &BTreeMap<Tenant, u64>, reason: &str) -> Result<(), Failure> {
        let tenants = self.tenants()?;
        if let Some(stranger) = from.keys().find(|tenant| !tenants.contains(tenant)) {
            return Err(Failure::new(Code::TenantUnknown, format!("`{stranger}`")));
        }
        let act = KeyAct::Revoke(key.clone(), from.clone(), reason.to_owned());
        self.0.counted(Job::Key(act))?;
        // What the key in force vouches for takes the place of what is worthless now.
        self.0.sign_all();
        self.0.counted(Job::Flush).map(drop)
    }

    /// Which keys seal which sizes of which log, and a change that is half done.
    pub fn keys(&self) -> Result<(Vec<KeyRange>, Option<VerifyKey>), Failure> {
        let court = &self.0.court;
        let (ring, tenants) = self.0.read(|tx| Ok((court.ring(tx)?, court.tenants(tx)?)))?;
        let ranges = tenants.iter().flat_map(|tenant| {
            let of = |range: hos_core::proof::keyring::Range| KeyRange {
                tenant: tenant.clone(),
                key: range.key,
                from: range.from,
                to: Some(range.to).filter(|to| *to > 0),
            };
            ring.ranges(tenant).into_iter().map(of).collect::<Vec<_>>()
        });
        Ok((ranges.collect(), ring.pending().cloned()))
    }
}
