//! The rows that a call's rounds ask for, read in our own transaction.

use super::{Court, Group};
use crate::Failure;
use crate::join::{Found, Read, Rows};
use crate::store::Row;
use crate::store::Statement;
use crate::store::Tx;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::{
    claim, erase as erase_sql, evidence as evidence_sql, inbox, operation as operation_sql, state as state_sql,
    vault as vault_sql,
};
use crate::view::{self, Bench as LawBench, View};
use hos_core::answer::{Receipt, Seal};
use hos_core::call::Call;
use hos_core::id::{CallDigest, EntryHash, Handle, InstanceId, KeyId, Name, RecordHash, Tenant};
use hos_core::judge::{self, Beside, DirectoryRows, DirectoryThread, Instance, OnceHit};
use hos_core::proof::record::Header;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::Record;
use std::sync::Arc;

/// An instance's row as it was read: what a settlement swaps it against.
pub(crate) struct Before {
    pub(crate) facts_key: KeyId,
    pub(crate) facts_sealed: Vec<u8>,
    pub(crate) instance: Arc<Instance>,
}

/// The place of a record that waits in the inbox, as far as anybody can say.
pub(crate) const WAITING: u64 = u64::MAX;

/// A read that decides, where others write beside us: of a row that was claimed.
fn deciding(tx: &Tx<'_>, read: Statement) -> Statement {
    if tx.is_shared() { read.locked() } else { read }
}

/// What is read beside a directory row, in one exchange: when the last record of its thread was made, and another row where it lies.
fn beside(
    tx: &Tx<'_>,
    tenant: &Tenant,
    thread: Option<&DirectoryThread>,
    other: Option<Statement>,
) -> Result<(Option<Timestamp>, Option<Row>), Failure> {
    let last = thread.map(|thread| present(tx, evidence_sql::record(tenant, &thread.handle, thread.n)));
    let asked: Vec<Statement> = last.iter().chain(&other).cloned().collect();
    tx.foresee(&asked)?;
    let read = |asked: Option<Statement>| asked.map_or(Ok(None), |asked| tx.row(&asked));
    let (last, other) = (read(last)?, read(other)?);
    let header = last.map(|row| Ok::<_, Failure>(Header::decode(row.blob(0)?).ok())).transpose()?.flatten();
    // What does not read is found by verifying; the clock is not measured by it.
    Ok((header.map(|header| header.time), other))
}

/// A read of a row that another names, which was read under a lock: it is there, though a host's snapshot may be too old to
/// show it.
pub(crate) fn present(tx: &Tx<'_>, read: Statement) -> Statement {
    if tx.is_host() { read.latest() } else { read }
}

/// An instance's row; of an erased one whose id named a person, the one that stands in its place.
pub(crate) fn instance_row(tx: &Tx<'_>, tenant: &Tenant, contract: &Name, id: &InstanceId) -> Result<Option<Row>, Failure> {
    standing_row(tx, tenant, contract, id, state_sql::instance(tenant, contract, id))
}

fn standing_row(tx: &Tx<'_>, tenant: &Tenant, contract: &Name, id: &InstanceId, read: Statement) -> Result<Option<Row>, Failure> {
    match tx.row(&read)? {
        Some(row) if !row.text(3)?.is_empty() => Ok(Some(row)),
        _ => {
            let label = hos_core::digest::heads_label(tenant, contract.as_str(), id.as_str());
            Ok(tx.row(&erase_sql::tombstone(tenant, contract, &label))?)
        }
    }
}

impl Court {
    #[expect(clippy::too_many_arguments, reason = "the rows so far, and what only our own transaction keeps beside them")]
    pub(super) fn fetch(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        view: &View,
        read: Read,
        rows: &mut Rows,
        before: &mut Option<Arc<Before>>,
        guards: &mut Option<LawBench>,
    ) -> Result<(), Failure> {
        match read {
            Read::Once(key) => {
                let hit = match tx.row(&deciding(tx, operation_sql::once(tenant, &key)))? {
                    None => None,
                    Some(row) => match row.int(2)? {
                        claim::CLAIMED => {
                            group.claims.push(claim::leave_once(tenant, &key));
                            None
                        }
                        claim::WAITING => Some((CallDigest(row.bytes(0)?), Handle(row.bytes(1)?), WAITING)),
                        _ => Some((CallDigest(row.bytes(0)?), Handle(row.bytes(1)?), row.uint(2)?)),
                    },
                };
                rows.once = Some(hit);
            }
            Read::Instance(contract, id) => {
                let (found, kept) = self.instance(tx, group, tenant, view, &contract, &id)?;
                rows.instance = Some(found);
                *before = kept;
            }
            Read::Entity(uid) => {
                let row = tx.row(&deciding(tx, state_sql::directory_entity(tenant, &uid)))?;
                let entity = match row {
                    None => None,
                    Some(row) if row.int(3)? == claim::CLAIMED => {
                        group.claims.push(claim::leave_entity(tenant, &uid));
                        None
                    }
                    Some(row) => {
                        let sealed = state_sql::entity_from(&row)?;
                        let entity = view::open_entity(&sealed, &self.keys(tx), &group.fresh)?;
                        Some((sealed.thread, entity, sealed.removed))
                    }
                };
                let above = (!tenant.is_universe()).then(|| state_sql::directory_entity(&Tenant::universe(), &uid));
                let (last_time, above) = beside(tx, tenant, entity.as_ref().map(|(thread, ..)| thread), above)?;
                let above = above.map(|row| state_sql::entity_from(&row)).transpose()?;
                let is_universes = above.is_some_and(|above| !above.removed);
                let beside = Some(Beside { last_time, is_universes, is_granted: false });
                rows.directory = Some(DirectoryRows { entity, grant: None, beside });
            }
            Read::Grant(id) => {
                let row = tx.row(&deciding(tx, state_sql::grant(tenant, &id)))?;
                let claimed = row.as_ref().map(|row| row.int(2)).transpose()? == Some(claim::CLAIMED);
                if claimed {
                    group.claims.push(claim::leave_grant(tenant, &id));
                }
                let grant = row.filter(|_| !claimed).map(|row| state_sql::grant_from(&row)).transpose()?;
                let elsewhere = tenant.is_universe().then(|| state_sql::granted_in_a_tenant(&id));
                let (last_time, elsewhere) = beside(tx, tenant, grant.as_ref().map(|(thread, ..)| thread), elsewhere)?;
                let beside = Some(Beside { last_time, is_universes: false, is_granted: elsewhere.is_some() });
                rows.directory = Some(DirectoryRows { entity: None, grant, beside });
            }
            Read::Record(thread, n) => rows.hit = Some(self.once_hit(tx, tenant, rows, thread, n)?),
            Read::Law(hash) => *guards = Some(view.under(self.laws.get(tx, &hash)?)?),
        }
        Ok(())
    }

    fn once_hit(&self, tx: &Tx<'_>, tenant: &Tenant, rows: &Rows, thread: Handle, n: u64) -> Result<OnceHit, Failure> {
        let lost = || {
            Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}`, which a once-key names, is missing"))
        };
        if n == WAITING {
            return self.waiting_hit(tx, tenant, rows, thread);
        }
        let row = tx.row(&present(tx, evidence_sql::record(tenant, &thread, n)))?.ok_or_else(lost)?;
        let bytes = row.blob(0)?;
        let header = Header::decode(bytes)
            .map_err(|e| Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}`: {e}")))?;
        let digest = rows.once.flatten().map(|(digest, ..)| digest).ok_or_else(lost)?;
        let receipt = self.receipt(tx, tenant, thread, n, hos_core::digest::record_hash(bytes))?;
        Ok(OnceHit { digest, receipt, header })
    }

    /// A once-key whose record waits in the inbox: its place is not known yet.
    fn waiting_hit(&self, tx: &Tx<'_>, tenant: &Tenant, rows: &Rows, id: Handle) -> Result<OnceHit, Failure> {
        let placed = || Failure::new(Code::Retry, "the record that a once-key names was given its place just now");
        let row = tx.row(&present(tx, inbox::get(tenant, &id.0)))?.ok_or_else(placed)?;
        let broken = |e| Failure::new(Code::StoreIntegrity, format!("a record that waits in `{tenant}`: {e}"));
        let bytes = row.blob(1)?;
        let header = Header::decode(bytes).map_err(broken)?;
        let digest = rows.once.flatten().map(|(digest, ..)| digest).ok_or_else(placed)?;
        let record = hos_core::digest::record_hash(bytes);
        let receipt = Receipt { tenant: tenant.clone(), thread: header.thread, n: None, record, seal: None };
        Ok(OnceHit { digest, receipt, header })
    }

    /// Claims what a round's reads are about, and says what will be read: where others write beside us.
    pub(crate) fn claim(&self, tx: &Tx<'_>, tenant: &Tenant, call: &Call, reads: &[Read]) -> Result<(), Failure> {
        self.claim_all(tx, tenant, reads.iter().map(|read| (call, read)))
    }

    /// The same of several calls. What no claim holds still is read behind all claims.
    pub(crate) fn claim_all<'r>(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        reads: impl Iterator<Item = (&'r Call, &'r Read)> + Clone,
    ) -> Result<(), Failure> {
        if !tx.is_shared() {
            return Ok(());
        }
        let is_birth = |call: &Call| matches!(call, Call::Begin(_) | Call::Adopt(_));
        for (call, read) in reads.clone() {
            let asked = match read {
                Read::Once(key) => {
                    tx.claim(&claim::once(tenant, key))?;
                    operation_sql::once(tenant, key)
                }
                Read::Instance(contract, id) => {
                    // PostgreSQL locks no gaps: an instance that must be there is claimed by the read itself.
                    if tx.dialect() != Dialect::Postgres || is_birth(call) {
                        tx.claim(&claim::instance(tenant, contract, id))?;
                    }
                    state_sql::instance(tenant, contract, id)
                }
                Read::Entity(uid) => {
                    tx.claim(&claim::entity(tenant, uid))?;
                    state_sql::directory_entity(tenant, uid)
                }
                Read::Grant(id) => {
                    tx.claim(&claim::grant(tenant, id))?;
                    state_sql::grant(tenant, id)
                }
                Read::Record(..) | Read::Law(_) => continue,
            };
            let asked = asked.locked();
            // In PostgreSQL the insertion holds no row that is there: the read does, which a host runs in the same round.
            if tx.dialect() == Dialect::Postgres && !tx.is_host() {
                tx.row(&asked)?;
            }
            tx.foresee(&[asked])?;
        }
        for (call, read) in reads {
            let Read::Instance(contract, id) = read else { continue };
            tx.foresee(&[if is_birth(call) {
                // Nothing is there, as a rule; but what was erased may be.
                let label = hos_core::digest::heads_label(tenant, contract.as_str(), id.as_str());
                erase_sql::tombstone(tenant, contract, &label)
            } else {
                vault_sql::of_instance(tenant, contract, id)
            }])?;
        }
        Ok(())
    }

    /// The receipt of a record that is stored.
    pub(crate) fn receipt(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        thread: Handle,
        n: u64,
        record: RecordHash,
    ) -> Result<Receipt, Failure> {
        let seal = match tx.row(&evidence_sql::entry_of(tenant, &thread, n))? {
            Some(row) => Some(Seal { seq: row.uint(0)?, entry: EntryHash(row.bytes(1)?), checkpoint: None }),
            None => None,
        };
        Ok(Receipt { tenant: tenant.clone(), thread, n: Some(n), record, seal })
    }

    pub(super) fn instance(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        view: &View,
        contract: &Name,
        id: &InstanceId,
    ) -> Result<(Found, Option<Arc<Before>>), Failure> {
        let read = deciding(tx, state_sql::instance(tenant, contract, id));
        let Some(row) = standing_row(tx, tenant, contract, id, read)? else {
            if tx.is_shared() {
                group.claims.push(claim::leave_instance(tenant, contract, id));
            }
            return Ok((Found::Nothing, None));
        };
        let sealed = state_sql::instance_from(&row, contract.clone(), id.clone())?;
        let state_sql::SealedInstance { instance, facts_key, facts: facts_sealed } = sealed;
        let opened = self.open_instance(tx, view, instance, &facts_key, &facts_sealed, &group.fresh)?;
        let Some(instance) = opened else {
            // A tombstone has another id: what was claimed under this one would keep it.
            if tx.is_shared() {
                group.claims.push(claim::leave_instance(tenant, contract, id));
            }
            return Ok((Found::Erased, None));
        };
        let instance = Arc::new(instance);
        let before = Before { facts_key, facts_sealed, instance: instance.clone() };
        Ok((Found::Live(instance), Some(Arc::new(before))))
    }

    /// An instance with its facts opened; `None` when the person they belong to was erased.
    pub(crate) fn open_instance(
        &self,
        tx: &Tx<'_>,
        view: &View,
        mut instance: Instance,
        facts_key: &KeyId,
        facts_sealed: &[u8],
        fresh: &crate::sealed::FreshKeys,
    ) -> Result<Option<Instance>, Failure> {
        let Some(bytes) = self.keys(tx).open_copy(facts_key, facts_sealed, fresh)? else { return Ok(None) };
        instance.facts = if bytes.is_empty() { Record::new() } else { view::decode_record(&bytes)? };
        let law =
            if instance.law == view.active.law.hash { view.active.law.clone() } else { self.laws.get(tx, &instance.law)? };
        if let Some(of) = law.contracts.get(&instance.contract) {
            instance.subject = judge::data_subject(&law, &of.contract, &instance.facts);
        }
        Ok(Some(instance))
    }
}
