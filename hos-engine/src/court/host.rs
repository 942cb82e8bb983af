//! What is different in a transaction beside others', and most of all in one that is somebody else's: the directory follows its rows,
//! whoever is asked about is held by their own rows, and everything that can be foreseen is asked for at once.

use super::fetch::WAITING;
use super::settle::INBOX;
use super::{Court, Group, Refusal};
use crate::Failure;
use crate::join::{self, Read};
use crate::roots::{Changed, Lasts, Roots, Since, Stand, is_row, tenants};
use crate::sealed::{Chance, FreshKeys, Refused};
use crate::store::sql::{claim, evidence as evidence_sql, inbox, law as law_sql, state as state_sql, vault as vault_sql};
use crate::store::{Row, Statement, Tx};
use crate::view::{self, InForce, View};
use hos_core::answer::{Answer, Receipt};
use hos_core::call::Call;
use hos_core::id::{RecordHash, Tenant, Uid};
use hos_core::judge::Bench;
use hos_core::policy::{Entity, Link};
use hos_core::proof::record::Durability;
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use hos_core::value::Value;
use std::sync::{Arc, PoisonError};

/// How many changes one transaction counts.
pub(crate) const COUNTED_MAX: u64 = 1000;
/// How many changed rows are read one by one; beyond it the whole directory is read.
pub(super) const FOLLOWED_MAX: usize = 64;
/// Of how many persons that a birth names the keys are asked for at once.
const PERSONS_FORESEEN: usize = 4;

impl Court {
    /// Asks for all that a call will surely need, its claims first.
    pub(crate) fn foresee(&self, tx: &Tx<'_>, tenant: &Tenant, call: &Call) -> Result<(), Failure> {
        self.claim(tx, tenant, call, &join::first_needs(call, &join::Rows::default()))?;
        tx.foresee(&[law_sql::activation(), evidence_sql::head(tenant), Stand::asked(tenant)])?;
        if let Some(view) = self.known_view(tenant) {
            tx.foresee(&held(&view, tenant, &call.by().principal))?;
        }
        tx.foresee(&[vault_sql::by_subject(&self.tag(&call.by().principal))])?;
        for person in self.persons(call) {
            tx.foresee(&[vault_sql::by_subject(&self.tag(person))])?;
        }
        if let Some((contract, id)) = call.instance() {
            let about = hos_core::digest::heads_label(tenant, contract.as_str(), id.as_str());
            tx.foresee(&[inbox::waits_about(tenant, &about)])?;
        }
        Ok(())
    }

    /// The persons whom the facts of a birth name, or whom a record is about: what is written will be sealed under the key of one of
    /// them.
    fn persons<'c>(&self, call: &'c Call) -> Vec<&'c Uid> {
        let (facts, subject) = match call {
            Call::Begin(begin) => (Some(&begin.facts), None),
            Call::Adopt(adopt) => (Some(&adopt.facts), None),
            Call::Note(note) => (None, note.subject.as_ref()),
            _ => return Vec::new(),
        };
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        let Some(law) = in_force.as_ref().map(|in_force| &in_force.law) else { return Vec::new() };
        let entity = |value: &'c Value| match value {
            Value::Entity(uid) => Some(uid),
            _ => None,
        };
        let named = facts.into_iter().flat_map(|facts| facts.values()).filter_map(entity).chain(subject);
        let others = named.filter(|uid| law.persons.contains(uid.type_name()) && **uid != call.by().principal);
        others.take(PERSONS_FORESEEN).collect()
    }

    /// A tenant's directory beside others who write: the one that is known, if its rows are those of now; else brought up to them, or read
    /// anew.
    pub(crate) fn beside(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        known: Option<Arc<View>>,
        in_force: Arc<InForce>,
        fresh: &FreshKeys,
    ) -> Result<Arc<View>, Failure> {
        let stand = Stand::read(tx, tenant)?;
        let known = known.filter(|view| view.in_force.activation.record == in_force.activation.record);
        if let Some((view, roots)) = known.as_ref().and_then(|view| Some((view, view.roots.as_ref()?))) {
            if stand.is(roots) {
                return Ok(view.clone());
            }
            if let Some(view) = self.brought_up(tx, fresh, tenant, view, roots)? {
                return Ok(Arc::new(view));
            }
        }
        Ok(Arc::new(View::read(tx, tenant, in_force, &self.keys(tx), fresh)?))
    }

    /// The directory that somebody is judged by, whose own rows stand still from here on: they are shared with all who judge them, and
    /// not with who changes them. In a transaction of our own they are held before the directory is read.
    pub(crate) fn view_for(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        principal: &Uid,
    ) -> Result<Arc<View>, Failure> {
        if tx.is_host() {
            let view = self.view(tx, group, tenant)?;
            return self.hold_principal(tx, group, tenant, view, principal);
        }
        if tx.is_shared() {
            for owner in tenants(tenant) {
                tx.row(&state_sql::directory_entity(&owner, principal).shared())?;
            }
        }
        self.view(tx, group, tenant)
    }

    /// A known directory with the rows that changed since; `None` where that is more than reading it anew.
    fn brought_up(
        &self,
        tx: &Tx<'_>,
        fresh: &FreshKeys,
        tenant: &Tenant,
        view: &View,
        roots: &Roots,
    ) -> Result<Option<View>, Failure> {
        let Some(Since { parts, new: changes, gone }) = roots.since(tx, tenant)? else { return Ok(None) };
        if changes.len() + gone.len() > FOLLOWED_MAX {
            return Ok(None);
        }
        for change in changes.iter().chain(gone.iter().map(|(_, change)| change)) {
            tx.foresee(&rows_of(tenant, change))?;
        }
        for (place, change) in &gone {
            if !self.stands(tx, tenant, view, roots, *place, change)? {
                return Ok(None);
            }
        }
        let mut roots = roots.over(parts);
        let mut entities: Vec<Entity> = Vec::new();
        let mut links: Vec<(String, Option<Link>)> = Vec::new();
        for change in changes {
            match change {
                Changed::Entity(uid) => {
                    let Now { entity, lasts, is_new } = self.entity_now(tx, fresh, tenant, view, &uid, |s| s)?;
                    // What is gone may be somebody's role, and what comes back one that others name still.
                    let Some(entity) = entity.filter(|_| is_new || view.directory.get(&uid).is_some()) else { return Ok(None) };
                    roots.rows.insert(uid, lasts);
                    entities.push(entity);
                }
                Changed::Grant(id) => {
                    let mut found = None;
                    for t in tenants(tenant) {
                        let row = tx.row(&state_sql::grant(&t, &id))?.map(|row| state_sql::grant_from(&row)).transpose()?;
                        found = row.filter(|(.., removed)| !removed).map(|(_, link, _)| link).or(found);
                    }
                    links.push((id, found));
                }
            }
        }
        // Rows may be newer than the list of changes: what makes no directory is read anew.
        let brought_up = view.with(roots.version(), entities, links).ok();
        Ok(brought_up.map(|view| view.on(Some(roots))))
    }

    /// Whether the row of a change that a directory stands on is still as that change left it.
    fn stands(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        view: &View,
        roots: &Roots,
        place: usize,
        change: &Changed,
    ) -> Result<bool, Failure> {
        let Some(of) = tenants(tenant).into_iter().nth(place) else { return Ok(false) };
        Ok(match change {
            Changed::Entity(uid) => {
                let known = roots.rows.get(uid).and_then(|lasts| *lasts.get(place)?);
                let row = tx.row(&state_sql::directory_entity(&of, uid))?;
                let last = row.map(|row| state_sql::entity_from(&row)).transpose()?.map(|entity| entity.thread.last);
                known.is_some() && last == known
            }
            // A grant that was revoked has no record here to be known by.
            Changed::Grant(id) => {
                let known = view.directory.link(id).and_then(|link| link.record);
                let row = tx.row(&state_sql::grant(&of, id))?;
                let last = row.map(|row| state_sql::grant_from(&row)).transpose()?.map(|(thread, ..)| thread.last);
                known.is_some() && last == known
            }
        })
    }

    /// An entity as its rows make it now.
    fn entity_now(
        &self,
        tx: &Tx<'_>,
        fresh: &FreshKeys,
        tenant: &Tenant,
        view: &View,
        uid: &Uid,
        how: fn(Statement) -> Statement,
    ) -> Result<Now, Failure> {
        let (mut entity, mut lasts): (Option<Entity>, Lasts) = (None, [None, None]);
        let mut records = 0;
        for (place, t) in tenants(tenant).iter().enumerate() {
            let Some(row) = tx.row(&how(state_sql::directory_entity(t, uid)))? else { continue };
            if !is_row(&row)? {
                continue;
            }
            let sealed = state_sql::entity_from(&row)?;
            records += sealed.thread.n + 1;
            if let Some(last) = lasts.get_mut(place) {
                *last = Some(sealed.thread.last);
            }
            if sealed.removed {
                continue;
            }
            let own = view::open_entity(&sealed, &self.keys(tx), fresh)?;
            entity = if place == 0 { Some(own) } else { view::upon(entity, own, &view.in_force.law) };
        }
        Ok(Now { entity, lasts, is_new: records == 1 })
    }

    /// Holds whoever asks as they are until the host's transaction ends: by their own rows, which are shared with all who judge
    /// them, and not with who changes them. Where the rows are newer than the directory, the directory follows.
    fn hold_principal(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        view: Arc<View>,
        principal: &Uid,
    ) -> Result<Arc<View>, Failure> {
        let asked = held(&view, tenant, principal);
        let Some(known) = view.roots.as_ref().and_then(|roots| roots.rows.get(principal)).filter(|_| !asked.is_empty()) else {
            return Ok(view);
        };
        tx.foresee(&asked)?;
        let mut lasts = [None, None];
        for ((last, before), t) in lasts.iter_mut().zip(known).zip(tenants(tenant)) {
            if before.is_some() {
                let row = tx.row(&state_sql::directory_entity(&t, principal).shared())?;
                *last = row.map(|row| state_sql::entity_from(&row)).transpose()?.map(|entity| entity.thread.last);
            }
        }
        if lasts == *known {
            return Ok(view);
        }
        let Now { mut entity, .. } = self.entity_now(tx, &group.fresh, tenant, &view, principal, Statement::shared)?;
        if let Some(entity) = &mut entity {
            entity.parents.retain(|p| view.directory.get(p).is_some());
        }
        let directory = Arc::new(view.directory.with(vec![(principal.clone(), entity)], Vec::new())?);
        let view = Arc::new(View::bind(view.version, view.in_force.clone(), directory)?.on(view.roots.clone()));
        group.views.insert(tenant.clone(), view.clone());
        // It is this transaction's alone.
        group.changes += 1;
        group.changed.insert(tenant.clone());
        Ok(view)
    }
}

impl Court {
    /// Sees that what a call of a host's changes is in the directory as its claimed row has it. A snapshot may be older than the row, for
    /// which the call has waited: then the host begins again, as it does where the database says so itself.
    pub(super) fn is_as_claimed(&self, tx: &Tx<'_>, tenant: &Tenant, view: &View, call: &Call) -> Result<(), Failure> {
        let (true, Call::Directory(_), Some(roots)) = (tx.is_host(), call, &view.roots) else { return Ok(()) };
        for read in join::first_needs(call, &join::Rows::default()) {
            let is_same = match read {
                Read::Entity(uid) => {
                    let row = tx.row(&state_sql::directory_entity(tenant, &uid).locked())?;
                    let is_there = row.as_ref().map(is_row).transpose()? == Some(true);
                    let row = row.filter(|_| is_there).map(|row| state_sql::entity_from(&row)).transpose()?;
                    let own = tenants(tenant).len() - 1;
                    let known = roots.rows.get(&uid).and_then(|lasts| *lasts.get(own)?);
                    row.map(|row| row.thread.last) == known
                }
                Read::Grant(id) => {
                    let known = view.directory.link(&id).and_then(|link| link.record);
                    let own = granted(tx.row(&state_sql::grant(tenant, &id).locked())?.as_ref())?;
                    let above = match (own, known) {
                        (None, Some(_)) if !tenant.is_universe() => tx.row(&state_sql::grant(&Tenant::universe(), &id))?,
                        _ => None,
                    };
                    own.or(granted(above.as_ref())?) == known
                }
                Read::Once(_) | Read::Instance(..) | Read::Record(..) | Read::Law(_) => true,
            };
            if !is_same {
                return Err(Failure::new(
                    Code::Retry,
                    "what the call changes was changed after the transaction's snapshot was taken",
                ));
            }
        }
        Ok(())
    }

    /// Writes the record of a refusal that a host's transaction did not keep; one too many of its principal in this hour is answered
    /// without a receipt, and nothing is written of it.
    pub(crate) fn keep_refusal(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        refusal: &Refusal,
    ) -> Result<Answer, Failure> {
        let view = self.view(tx, group, tenant)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        let codes = refusal.drafts.iter().filter_map(|draft| draft.header.refusal.clone());
        answer.blockers.extend(codes.map(|code| Blocker { code, detail: String::new() }));
        if !self.may_keep_refusal(tx, tenant, &view, &refusal.principal)? {
            return Ok(answer);
        }
        let mut chance = Chance::new(&refusal.seed);
        for draft in refusal.drafts.iter().cloned() {
            let parts = match self.keys(tx).seal_parts(&draft, &mut group.fresh, &mut chance) {
                Ok(parts) => parts,
                Err(Refused::Erased(blocker)) => {
                    answer.blockers.push(blocker);
                    return Ok(answer);
                }
                Err(Refused::Failure(failure)) => return Err(failure),
            };
            // Whoever asks again in the same process has the same chance: until it is sealed, what was recorded is there to be seen.
            if tx.is_host() && tx.row(&inbox::get(tenant, &chance.clone().bytes(INBOX)))?.is_some() {
                return Err(Failure::new(Code::CallMalformed, "the refusal was recorded before"));
            }
            let (thread, n, record) = self.write_record(tx, group, tenant, draft, parts, &mut chance)?;
            let n = Some(n).filter(|n| *n != WAITING);
            answer.receipt = Some(Receipt { tenant: tenant.clone(), thread, n, record, seal: None });
        }
        self.count_refusal(tx, tenant, &refusal.principal)?;
        Ok(answer)
    }

    /// Counts the changes of a directory that hosts' transactions wrote in its version, which they do not touch: nobody waits for
    /// the tenant's row there. At most [`COUNTED_MAX`] of them: says how many it counted.
    pub(crate) fn count_changes(&self, tx: &Tx<'_>, tenant: &Tenant) -> Result<u64, Failure> {
        let ids = tx.rows(&inbox::changes(tenant, COUNTED_MAX as i64))?;
        let ids = ids.iter().map(|row| row.bytes(0)).collect::<Result<Vec<_>, _>>()?;
        let (mut counted, mut marks) = (0, 0);
        for id in &ids {
            // Another worker may have been faster.
            if tx.execute(&inbox::delete_change(tenant, id))? > 0 {
                counted += 1;
                marks += inbox::mark_of(id);
            }
        }
        if counted > 0 {
            tx.execute(&law_sql::raise_directory_version(tenant, counted, marks))?;
        }
        Ok(counted)
    }

    /// A bench for looking: what is judged on it makes no record and fires no deadline.
    pub(crate) fn looking<'a>(&self, view: &'a View, tenant: &'a Tenant) -> Bench<'a> {
        Bench {
            store: self.of.store,
            tenant,
            now: Timestamp(0),
            last_sealed: None,
            durability: Durability::Unknown,
            seed: [0; 32],
            compared: false,
            active: view.active.standing(),
            candidate: view.candidate.as_ref().map(view::Bench::standing),
            guards: None,
            modes: &view.in_force.activation.modes,
            activation: Some(view.in_force.activation.record),
            directory_version: view.version,
            limits: self.limits(&view.in_force),
        }
    }
}

/// The record of a grant that stands, by its row.
fn granted(row: Option<&Row>) -> Result<Option<RecordHash>, Failure> {
    let Some(row) = row.filter(|row| row.int(2) != Ok(claim::CLAIMED)) else { return Ok(None) };
    let (thread, _, removed) = state_sql::grant_from(row)?;
    Ok((!removed).then_some(thread.last))
}

/// An entity as its rows make it.
struct Now {
    entity: Option<Entity>,
    /// The last record of each row.
    lasts: Lasts,
    /// Whether these rows have one record between them: nothing could name the entity before.
    is_new: bool,
}

/// The statements that hold a principal.
fn held(view: &View, tenant: &Tenant, principal: &Uid) -> Vec<Statement> {
    let Some(known) = view.roots.as_ref().and_then(|roots| roots.rows.get(principal)) else { return Vec::new() };
    let there = known.iter().zip(tenants(tenant)).filter(|(last, _)| last.is_some());
    there.map(|(_, t)| state_sql::directory_entity(&t, principal).shared()).collect()
}

/// The statements that read what changed.
fn rows_of(tenant: &Tenant, change: &Changed) -> Vec<Statement> {
    let one = |t: &Tenant| match change {
        Changed::Entity(uid) => state_sql::directory_entity(t, uid),
        Changed::Grant(id) => state_sql::grant(t, id),
    };
    tenants(tenant).iter().map(one).collect()
}
