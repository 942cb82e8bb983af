//! Instances that this process moved lately, as they then stood: what a call is judged on ahead of its turn without reading.
//!
//! Nothing here is believed. A row that moved since is seen when the step is written, for it is swapped against the version
//! that was judged; so it does not matter who else writes, or whether anything here is old. Facts of persons lie here in the
//! clear, as they do in every call: an erasure empties it.

use super::fetch::Before;
use crate::store::sqlite::Look;
use hos_core::call::Call;
use hos_core::id::{InstanceId, Name, Tenant};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::mem;
use std::sync::Arc;

/// So many in each of the two halves.
const HALF_MAX: usize = 1024;
/// Facts that are larger, in bytes as they are sealed, are read again.
const FACTS_BYTES_MAX: usize = 2048;

/// The instances. When the young half is full, it becomes the old one, and what was old and not asked for is forgotten.
#[derive(Default)]
pub(crate) struct Recent {
    hasher: RandomState,
    young: HashMap<u64, (Tenant, Arc<Before>)>,
    old: HashMap<u64, (Tenant, Arc<Before>)>,
    /// The vault's word on erasures when this was filled.
    look: Option<Look>,
}

impl Recent {
    /// The instance that a call is about, if it is known.
    pub(crate) fn of(&mut self, tenant: &Tenant, call: &Call) -> Option<Arc<Before>> {
        let (contract, id) = call.instance()?;
        let place = self.place(tenant, contract, id);
        if let Some(found) = self.old.remove(&place) {
            self.young.entry(place).or_insert(found);
        }
        let (of, before) = self.young.get(&place)?;
        let instance = &before.instance;
        (of == tenant && instance.contract == *contract && instance.id == *id).then(|| before.clone())
    }

    /// The vault's word on erasures when this was filled.
    pub(crate) fn look(&self) -> Option<Look> {
        self.look
    }

    /// Notes how instances stand now; whoever was erased since `look` is forgotten first.
    pub(crate) fn note(&mut self, look: Option<Look>, moved: Vec<(Tenant, Before)>) {
        if look.is_some() && self.look != look {
            self.forget();
            self.look = look;
        }
        for (tenant, before) in moved {
            let place = self.place(&tenant, &before.instance.contract, &before.instance.id);
            self.old.remove(&place);
            if before.facts_sealed.len() > FACTS_BYTES_MAX {
                self.young.remove(&place);
                continue;
            }
            if self.young.len() >= HALF_MAX {
                self.old = mem::take(&mut self.young);
            }
            self.young.insert(place, (tenant, Arc::new(before)));
        }
    }

    /// Forgets all.
    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    fn place(&self, tenant: &Tenant, contract: &Name, id: &InstanceId) -> u64 {
        self.hasher.hash_one((tenant.as_str(), contract.as_str(), id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hos_core::call::Transition;
    use hos_core::id::{Handle, KeyId, LawHash, RecordHash, Uid};
    use hos_core::judge::Instance;
    use hos_core::time::Timestamp;
    use hos_core::value::Record;

    fn before(id: &str, version: u64, facts: usize) -> (Tenant, Before) {
        let instance = Instance {
            contract: Name::new("order").unwrap(),
            id: InstanceId::new(id).unwrap(),
            handle: Handle([1; 16]),
            n: version,
            last: RecordHash([2; 32]),
            state: Name::new("new").unwrap(),
            version,
            entered_n: 0,
            entered_at: Timestamp(0),
            last_time: Timestamp(0),
            law: LawHash([3; 32]),
            contract_version: 1,
            facts: Record::new(),
            subject: None,
            deadlines: Vec::new(),
        };
        let before = Before { facts_key: KeyId([0; 16]), facts_sealed: vec![0; facts], instance: Arc::new(instance) };
        (Tenant::new("t").unwrap(), before)
    }

    fn known(recent: &mut Recent, tenant: &str, id: &str) -> Option<u64> {
        let call = Call::Transition(Transition::new(Uid::new("A", "a").unwrap(), "order", id, "pay").unwrap());
        recent.of(&Tenant::new(tenant).unwrap(), &call).map(|before| before.instance.version)
    }

    #[test]
    fn the_newest_is_known_and_only_under_its_own_name() {
        let mut recent = Recent::default();
        recent.note(None, vec![before("a", 1, 10), before("b", 1, 10), before("a", 2, 10)]);
        assert_eq!((known(&mut recent, "t", "a"), known(&mut recent, "t", "b")), (Some(2), Some(1)));
        assert_eq!((known(&mut recent, "u", "a"), known(&mut recent, "t", "c")), (None, None));
        recent.note(None, vec![before("a", 3, FACTS_BYTES_MAX + 1)]);
        assert_eq!(known(&mut recent, "t", "a"), None, "what grew too large is no longer known as it was");
    }

    #[test]
    fn it_is_bounded_and_what_is_asked_for_stays() {
        let mut recent = Recent::default();
        recent.note(None, vec![before("kept", 7, 10)]);
        for round in 0..3 * HALF_MAX {
            recent.note(None, vec![before(&round.to_string(), 1, 10)]);
            assert_eq!(known(&mut recent, "t", "kept"), Some(7));
            assert!(recent.young.len() + recent.old.len() <= 2 * HALF_MAX + 1);
        }
        assert_eq!(known(&mut recent, "t", "0"), None);
        recent.forget();
        assert_eq!(known(&mut recent, "t", "kept"), None);
    }
}
