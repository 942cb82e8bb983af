//! A store's first records: what it is, its key, its law, and who may do the first directory change.

use crate::Failure;
use crate::court::settle::failure_of;
use crate::court::{Court, Group};
use crate::sealed::Chance;
use crate::store::Tx;
use crate::store::sql::law::{self as sql, Activation};
use crate::view::{InForce, View};
use crate::work::Plan;
use hos_core::answer::Answer;
use hos_core::call::Change;
use hos_core::canon::Writer;
use hos_core::id::{LawHash, RecordHash, Tenant};
use hos_core::judge::{self, Act, Bench, DirectoryAfter, DirectoryRows, Draft};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::policy::Entity;
use hos_core::proof::keyring::{self, KeyChange};
use hos_core::proof::record::Kind;
use hos_core::refusal::Code;
use std::sync::Arc;

/// The streams of the engine's own records, all in the universe.
pub(crate) const STREAM_STORE: &str = "hos.store";
pub(crate) const STREAM_KEYS: &str = keyring::STREAM;
pub(crate) const STREAM_LAW: &str = "hos.law";
pub(crate) const STREAM_TENANTS: &str = "hos.tenants";
pub(crate) const STREAM_ERASED: &str = "hos.erased";
pub(crate) const STREAM_HOLDS: &str = "hos.holds";

/// What the store says of itself, by key.
pub(crate) const KEY_STORE: &str = "store_id";
pub(crate) const KEY_EPOCH: &str = "epoch";
pub(crate) const KEY_SEAL: &str = "seal_key";

/// What an activation's record holds: `[law hash, candidate's hash or empty, modes]`.
pub(crate) fn encode_activation(law: &LawHash, candidate: Option<&LawHash>, modes: &Modes) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).bytes(law.as_bytes()).bytes(candidate.map_or(&[][..], |c| c.as_bytes())).bytes(&modes.encode());
    w.finish()
}

/// What a founding's record holds: `[store id, epoch]`.
pub(crate) fn encode_store(of: crate::seal::Origin) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(2).bytes(of.store.as_bytes()).uint(of.epoch);
    w.finish()
}

impl Court {
    /// Writes a new store's first records.
    pub(crate) fn found(&self, tx: &Tx<'_>, group: &mut Group, plan: Plan) -> Result<Answer, Failure> {
        if tx.row(&sql::store_value(KEY_STORE))?.is_some() {
            return Err(Failure::new(Code::DirectoryConflict, "the file holds a store already"));
        }
        let universe = Tenant::universe();
        tx.execute(&sql::insert_store_value(KEY_STORE, self.of.store.as_bytes()))?;
        tx.execute(&sql::insert_store_value(KEY_EPOCH, &self.of.epoch.to_be_bytes()))?;
        tx.execute(&sql::insert_store_value(KEY_SEAL, self.signing.public().as_bytes()))?;
        let now = self.clock.now();
        tx.execute(&sql::insert_tenant(&universe, now))?;
        self.keep_law(tx, &plan.law)?;

        let modes = Modes::default();
        let nothing = Activation { n: 0, record: RecordHash([0; 32]), law: plan.law.hash, candidate: None, modes: modes.clone() };
        let before = Arc::new(InForce { activation: nothing, law: plan.law.clone(), candidate: None });
        let view = View::read(tx, &universe, before, &self.keys(tx), &group.fresh)?;
        let public = self.signing.public();
        let acts = [
            (Kind::Founded, STREAM_STORE, encode_store(self.of)),
            (Kind::Key, STREAM_KEYS, KeyChange::First(public).encode()),
            (Kind::Activated, STREAM_LAW, encode_activation(&plan.law.hash, None, &modes)),
        ];
        let mut activation = RecordHash([0; 32]);
        for (kind, stream, change) in acts {
            let bench = Bench { activation: None, now, ..self.bench(tx, group, &universe, &view, None)? };
            let draft = judge::act(&bench, &Act { kind, stream, by: None, change: &change, judged: None })?;
            let (.., hash) = self.write_own(tx, group, &universe, draft, &bench.seed)?;
            activation = hash;
        }
        let activation = Activation { n: 0, record: activation, law: plan.law.hash, candidate: None, modes };
        tx.execute(&sql::insert_activation(&activation))?;
        group.in_force = Some(Arc::new(InForce { activation, law: plan.law, candidate: None }));
        group.changes += 1;
        group.changed.insert(Tenant::universe());
        group.views.clear();

        for role in &plan.roles {
            self.attest(tx, group, &universe, role)?;
        }
        self.attest(tx, group, &universe, &plan.founder)?;
        let view = self.view(tx, group, &universe)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        answer.allowed = true;
        Ok(answer)
    }

    /// An entity and its memberships, attested.
    fn attest(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant, entity: &Entity) -> Result<(), Failure> {
        let put = Change::Put { uid: entity.uid.clone(), attrs: entity.attrs.clone() };
        let joins = entity.parents.iter().map(|parent| Change::Join { uid: entity.uid.clone(), parent: parent.clone() });
        let mut rows = DirectoryRows::default();
        for change in std::iter::once(put).chain(joins) {
            let view = self.view(tx, group, tenant)?;
            let bench = self.bench(tx, group, tenant, &view, None)?;
            let seed = bench.seed;
            let (draft, after) = judge::attest(&bench, &change, &rows)?;
            // No policy is asked, and so no schema with it: whoever does not fit could do nothing, and nobody could mend them.
            if let Some(DirectoryAfter::Entity { entity, .. }) = &after {
                view.active.bound.fits(entity)?;
            }
            self.write_own(tx, group, tenant, draft, &seed)?;
            if let Some(after) = after {
                if let DirectoryAfter::Entity { thread, entity, removed } = &after {
                    rows.entity = Some((*thread, entity.clone(), *removed));
                }
                self.write_directory(tx, group, tenant, &view, after, &mut Chance::new(&seed_for(&seed)))?;
            }
        }
        Ok(())
    }

    /// Writes a record of the engine's own.
    pub(crate) fn write_own(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        draft: Draft,
        seed: &[u8; 32],
    ) -> Result<(hos_core::id::Handle, u64, RecordHash), Failure> {
        let mut chance = Chance::new(seed);
        let parts = self.keys(tx).seal_parts(&draft, &mut group.fresh, &mut chance).map_err(failure_of)?;
        self.write_record(tx, group, tenant, draft, parts, &mut chance)
    }

    /// Keeps a law's files by their hash.
    pub(crate) fn keep_law(&self, tx: &Tx<'_>, law: &Arc<Law>) -> Result<(), Failure> {
        let files: Vec<(String, Vec<u8>)> = law.files.iter().map(|f| (f.path.clone(), f.text.clone().into_bytes())).collect();
        tx.execute(&sql::insert_law(&law.hash, &files))?;
        self.laws.keep(law.clone());
        Ok(())
    }
}

/// Another seed, for what is sealed beside a record of the same case.
fn seed_for(seed: &[u8; 32]) -> [u8; 32] {
    let mut other = [0; 32];
    hos_core::digest::expand(seed, "beside", 0, &mut other);
    other
}
