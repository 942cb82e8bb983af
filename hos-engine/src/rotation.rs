//! A change of the seal key, step by step; and what is left when it stops between two of them.
//!
//! 1. The old key signs what it still owes, and that is stored.
//! 2. The record of the change: from which size on the new key signs each log. COMMIT POINT of the change. After a crash here
//!    the old key may still sign the sizes before and no others; who opens with the old key and asks again goes on with step 3.
//! 3. The old key signs the universe's head that covers the record: the last thing that it is needed for.
//! 4. The record that confirms it, with that checkpoint inside; the store names the new key from here on. A crash before it
//!    is resolved by whoever opens with the new key, if step 3 was stored, or named if it was not.

use crate::court::lock;
use crate::ports::{Growth, Signer};
use crate::store::sql::evidence as sql;
use crate::work::{Job, KeyAct};
use crate::{Engine, Failure, KeyRange, seal};
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey, origin};
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
            Some(_) => return refuse("a change to another key has begun; finish that one first"),
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
        while desk.counted(Job::Seal { tenant: Tenant::universe(), limit: 1000 })? > 0 {}
        desk.sign_all();
        desk.counted(Job::Flush)?;
        self.confirm_key(new, &public)
    }

    /// The first two steps alone: a test plays what comes after.
    #[doc(hidden)]
    pub fn begin_rotation_and_stop(&self, public: &VerifyKey) -> Result<(), Failure> {
        self.0.counted(Job::Key(KeyAct::Rotate(public.clone())))?;
        self.0.counted(Job::Flush).map(drop)
    }

    /// Steps 3 and 4.
    pub(crate) fn confirm_key(&self, new: Arc<dyn Signer>, public: &VerifyKey) -> Result<(), Failure> {
        let desk = &self.0;
        let ring = desk.read(|tx| desk.court.ring(tx))?;
        let note = self.closing(&ring)?;
        desk.counted(Job::Key(KeyAct::Confirm(public.clone(), note)))?;
        desk.court.signing.replace(new, public.clone());
        desk.sign_all();
        desk.counted(Job::Flush).map(drop)
    }

    /// The universe's last checkpoint under the key in force: stored, or signed now.
    fn closing(&self, ring: &KeyRing) -> Result<String, Failure> {
        let desk = &self.0;
        let (court, universe) = (&desk.court, Tenant::universe());
        let size = ring.newest_from(&universe) - 1;
        let old = ring.current().ok_or_else(|| Failure::new(Code::StoreIntegrity, "the store has no key"))?;
        let (stored, head) = desk.read(|tx| Ok((tx.row(&sql::checkpoint(&universe))?, seal::head(tx, &universe, court.of)?)))?;
        if head.size < size {
            return Err(Failure::new(Code::StoreIntegrity, "the record of the change has no place in the log"));
        }
        let name = origin(&court.of.store, &universe, head.epoch);
        let key = NoteKey::new(name.as_str(), old.clone()).map_err(|e| Failure::new(Code::KeyInvalid, e.to_string()))?;
        let known = lock(&court.checkpoints).get(&universe).map(|signed| signed.note.to_string());
        let stored = stored.map(|row| row.text(1).map(str::to_owned)).transpose()?;
        let fits = |note: &String| Checkpoint::open(note.as_bytes(), &key).is_ok_and(|said| said.size == size);
        if let Some(note) = known.into_iter().chain(stored).find(fits) {
            return Ok(note);
        }
        if court.signing.public() != *old {
            let what = "a change to this key has begun, and the old key has not vouched for it yet: open the store with the old key and \
                        rotate again";
            return Err(Failure::new(Code::KeyInvalid, what));
        }
        let root = desk.read(|tx| {
            hos_core::proof::tree::root(size, &|level, index| seal::node(tx, &universe, head.size, level, index))
                .map_err(|e| Failure::new(Code::StoreIntegrity, format!("the universe's tree: {e}")))
        })?;
        let checkpoint = Checkpoint { origin: name, size, root, extensions: Vec::new() };
        let proof = |from| desk.read(|tx| court.consistency(tx, &universe, from, size));
        Ok(court.signing.note(&Growth { checkpoint: &checkpoint, proof: &proof })?)
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
