//! Laws put in force, tenants opened: always in our own transaction, judged, recorded.

use crate::Failure;
use crate::court::founding::{STREAM_LAW, STREAM_TENANTS, encode_activation};
use crate::court::{Court, Group};
use crate::seal;
use crate::store::Tx;
use crate::store::sql::claim;
use crate::store::sql::law::{self as sql, Activation};
use crate::store::sql::state as state_sql;
use crate::view::{InForce, View};
use crate::work::OldOnces;
use hos_core::answer::{Answer, Receipt};
use hos_core::call::By;
use hos_core::canon::Writer;
use hos_core::id::{LawHash, Shown, Tenant, Uid};
use hos_core::judge::{self, Act, Bench, Slice};
use hos_core::law::Law;
use hos_core::law::living;
use hos_core::law::mode::Modes;
use hos_core::policy::Effect;
use hos_core::proof::record::Kind;
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;

/// The reserved action; its resource is the gate `law`.
const ACTIVATE: &str = "law.activate";

/// How long once-keys are kept at least.
pub(crate) const ONCE_KEPT_MS: i64 = 30 * 86_400_000;

/// How far the clock by which once-keys are forgotten may be ahead of the newest time that the tenant's log claims.
pub(crate) const AHEAD_OF_LOG_MS: i64 = 86_400_000;

/// Once-keys are looked through for old ones each time that such a share of the time for which they are kept has passed: for each that is
/// forgotten about as many are read.
const ONCE_SHARES: i64 = 30;

/// How many once-keys are looked at in one piece, and forgotten in one commit at most: each that is forgotten is a statement.
const ONCES_LOOKED_AT: usize = 10_000;

impl Court {
    /// Judges an operator's act at a gate of the universe and writes its answer.
    pub(crate) fn at_gate(bench: &Bench<'_>, act: &str, gate: &str, by: &By, answer: &mut Answer) -> Slice {
        let (ruling, slice) = judge::at_gate(bench.active, act, gate, by);
        judge::apply_ruling(answer, ruling);
        answer.allowed = answer.blockers.is_empty();
        slice
    }

    /// Puts a law in force, with its modes and a candidate beside it.
    pub(crate) fn activate(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        by: &By,
        law: &Arc<Law>,
        candidate: Option<&Arc<Law>>,
        modes: &Modes,
    ) -> Result<Answer, Failure> {
        let universe = Tenant::universe();
        if tx.is_shared() {
            // One after the other: each is judged under the law that the one before it has put in force.
            self.stream_end(tx, &universe, STREAM_LAW)?;
            group.in_force = self.read_in_force(tx)?;
        }
        let view = self.view_for(tx, group, &universe, &by.principal)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        let slice = Self::at_gate(&bench, ACTIVATE, "law", by, &mut answer);
        if answer.allowed {
            let bar = self.needed_by_the_living(tx, &view, law)?;
            let bar = bar.map_or_else(|| Self::needed_by_the_next(&view, law, by), |bar| Ok(Some(bar)))?;
            let bar = bar.map_or_else(|| self.called_as_a_grant(tx, &view, law), |bar| Ok(Some(bar)))?;
            answer.allowed = bar.is_none();
            answer.blockers.extend(bar);
        }
        if !answer.allowed {
            return Ok(answer);
        }
        self.keep_law(tx, law)?;
        if let Some(candidate) = candidate {
            self.keep_law(tx, candidate)?;
        }
        let candidate_hash = candidate.map(|c| c.hash);
        let change = encode_activation(&law.hash, candidate_hash.as_ref(), modes);
        let act =
            Act { kind: Kind::Activated, stream: STREAM_LAW, by: Some(by), change: &change, judged: Some((&answer, &slice)) };
        let draft = judge::act(&bench, &act)?;
        let (thread, n, record) = self.write_own(tx, group, &universe, draft, &bench.seed)?;
        let activation = Activation {
            n: view.in_force.activation.n + 1,
            record,
            law: law.hash,
            candidate: candidate_hash,
            modes: modes.clone(),
        };
        tx.execute(&sql::insert_activation(&activation))?;
        group.in_force = Some(Arc::new(InForce { activation, law: law.clone(), candidate: candidate.cloned() }));
        group.views.clear();
        group.changes += 1;
        group.changed.insert(Tenant::universe());
        answer.receipt = Some(Receipt { tenant: universe, thread, n: Some(n), record, seal: None });
        Ok(answer)
    }

    /// Somebody who may activate the law after this one. Under a law whose schema fits nobody, or that permits it to nobody, the store
    /// would stay for ever.
    fn needed_by_the_next(view: &View, new: &Arc<Law>, by: &By) -> Result<Option<Blocker>, Failure> {
        let after = view.under(new.clone())?;
        let ask = |who: &Uid| judge::at_gate(after.standing(), ACTIVATE, "law", &By { principal: who.clone(), ..by.clone() }).0;
        let may = |who: &Uid| ask(who).is_ok_and(|ruling| ruling.effect == Effect::Allow);
        if may(&by.principal) || view.directory.entities().any(|entity| may(&entity.uid)) {
            return Ok(None);
        }
        let why = ask(&by.principal).err().map_or_else(|| "no policy permits it to anybody".to_owned(), |bar| bar.to_string());
        Ok(Some(Blocker::new(Code::LawInUse, format!("under the new law nobody could activate another: {why}"))))
    }

    /// A policy that is called as somebody's grant is: answers could not tell them apart, and a record names nothing twice.
    fn called_as_a_grant(&self, tx: &Tx<'_>, view: &View, new: &Law) -> Result<Option<Blocker>, Failure> {
        // The law in force may have other modes or a candidate whatever grants there are.
        if new.hash == view.active.law.hash {
            return Ok(None);
        }
        let policies: HashSet<&str> = new.policy.policy_ids().collect();
        for tenant in self.tenants(tx)? {
            let mut found = None;
            tx.each(&state_sql::grants(&tenant), |row| {
                let (_, link, removed) = state_sql::grant_from(&row)?;
                if !removed && policies.contains(link.id.as_str()) {
                    found.get_or_insert(link.id);
                }
                Ok(())
            })?;
            if let Some(id) = found {
                let detail = format!("`{tenant}` has a grant `{}`, which is what a policy of the new law is called", Shown(&id));
                return Ok(Some(Blocker::new(Code::LawInUse, detail)));
            }
        }
        Ok(None)
    }

    /// What live instances need and a new law lacks: a contract, a place for their state, their facts, what their events ask for.
    fn needed_by_the_living(&self, tx: &Tx<'_>, view: &View, new: &Law) -> Result<Option<Blocker>, Failure> {
        // What the law in force has no place for lives beside it already: its own contract's override has revived it.
        if new.hash == view.active.law.hash {
            return Ok(None);
        }
        // What is sound for one tenant's instances is so for another's.
        let mut sound: HashSet<(String, LawHash, String)> = HashSet::new();
        for row in tx.rows(&sql::tenants())? {
            let tenant = Tenant::new(row.text(0)?).map_err(|e| row.fault(0, &e.to_string()))?;
            for live in tx.rows(&state_sql::standing(&tenant))? {
                let (contract, state) = (live.text(0)?, live.text(3)?);
                let hash = LawHash(live.bytes(1)?);
                if hash == new.hash || !sound.insert((contract.to_owned(), hash, state.to_owned())) {
                    continue;
                }
                let old = self.laws.get(tx, &hash)?;
                if let Some(bar) = living::bar(&old, new, contract, state) {
                    let detail = format!("`{tenant}` has live instances of `{contract}` in `{state}`: {bar}");
                    return Ok(Some(Blocker::new(Code::LawInUse, detail)));
                }
            }
        }
        Ok(None)
    }

    /// Makes a tenant.
    pub(crate) fn open_tenant(&self, tx: &Tx<'_>, group: &mut Group, by: &By, tenant: &Tenant) -> Result<Answer, Failure> {
        let universe = Tenant::universe();
        if tx.is_shared() {
            // One after the other: who comes second finds the tenant there.
            self.stream_end(tx, &universe, STREAM_TENANTS)?;
        }
        let view = self.view_for(tx, group, &universe, &by.principal)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        let slice = Self::at_gate(&bench, "tenant.open", tenant.as_str(), by, &mut answer);
        if answer.allowed && tx.row(&sql::tenant_row(tenant))?.is_some() {
            answer.allowed = false;
            answer.blockers.push(Blocker::new(Code::DirectoryConflict, format!("the tenant `{tenant}` is open already")));
        }
        if !answer.allowed {
            if tx.is_shared() {
                tx.execute(&claim::leave_stream(&universe, STREAM_TENANTS))?;
            }
            return Ok(answer);
        }
        let mut w = Writer::default();
        w.text(tenant.as_str());
        let change = w.finish();
        let act =
            Act { kind: Kind::Tenant, stream: STREAM_TENANTS, by: Some(by), change: &change, judged: Some((&answer, &slice)) };
        let draft = judge::act(&bench, &act)?;
        let at = draft.header.time;
        let (thread, n, record) = self.write_own(tx, group, &universe, draft, &bench.seed)?;
        tx.execute(&sql::insert_tenant(tenant, at))?;
        answer.receipt = Some(Receipt { tenant: universe, thread, n: Some(n), record, seal: None });
        Ok(answer)
    }

    /// Since when once-keys are kept. By a clock that cannot be all of them would be forgotten; and as what is forgotten does not come
    /// back, no clock is believed further than the tenant's log bears it out.
    fn onces_kept_since(&self, now: Timestamp, sealed: Timestamp) -> Timestamp {
        Timestamp(now.0.min(sealed.0.saturating_add(AHEAD_OF_LOG_MS)).saturating_sub(self.onces_kept_ms()))
    }

    fn onces_kept_ms(&self) -> i64 {
        i64::try_from(self.settings.once_kept.as_millis()).unwrap_or(i64::MAX).max(ONCE_KEPT_MS)
    }

    /// Looks for once-keys of a tenant that are past their time, in a page of all that it has: the first, or the one behind a key. Says
    /// them, and behind which key the next page begins. To find them all are read, so that is done when a share of them is to be found and
    /// not with each round: the tenant's row says since when they are kept.
    pub(crate) fn old_onces(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        behind: Option<&[u8]>,
    ) -> Result<(OldOnces, Option<Vec<u8>>), Failure> {
        let before = self.onces_kept_since(self.clock.now(), seal::head(tx, tenant, self.of)?.sealed_at);
        let mut old = OldOnces { tenant: tenant.clone(), keys: Vec::new(), looked: behind.is_some() };
        if behind.is_none() {
            let Some(row) = tx.row(&sql::tenant_row(tenant))? else { return Ok((old, None)) };
            // No key is older than its tenant.
            let (opened, floor) = (row.int(1)?, row.int(2)?);
            old.looked = before.0 > opened && before.0 >= floor.saturating_add(self.onces_kept_ms() / ONCE_SHARES);
        }
        if !old.looked {
            return Ok((old, None));
        }
        let rows = tx.rows(&sql::onces_with_times(tenant, behind, ONCES_LOOKED_AT))?;
        for row in &rows {
            if row.int(1)? < before.0 {
                old.keys.push(row.blob(0)?.to_vec());
            }
        }
        let last = rows.last().filter(|_| rows.len() == ONCES_LOOKED_AT);
        let next = last.map(|last| last.blob(0).map(<[u8]>::to_vec)).transpose()?;
        Ok((old, next))
    }

    /// Forgets once-keys of a tenant that were found to be past their time and still are; says how many.
    pub(crate) fn forget(&self, tx: &Tx<'_>, group: &mut Group, old: &OldOnces) -> Result<u64, Failure> {
        let tenant = &old.tenant;
        let now = self.believed_now(tx, group, tenant)?;
        if !old.looked {
            return Ok(0);
        }
        self.meet_head(tx, group, tenant)?;
        let sealed = group.heads.get(tenant).map_or(Timestamp(0), |head| head.sealed_at);
        let before = self.onces_kept_since(now, sealed);
        let mut gone = 0;
        for key in &old.keys {
            // Another worker may have been faster.
            gone += tx.execute(&sql::forget_once(tenant, key, before))?;
        }
        tx.execute(&sql::raise_once_floor(tenant, before))?;
        Ok(gone as u64)
    }
}
