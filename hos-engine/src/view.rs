//! A tenant's directory under the laws in force, as `can` and transactions judge by it: built from the rows once, shared,
//! and good as long as its version is the store's.

use crate::Failure;
use crate::laws::Laws;
use crate::roots::{Lasts, Roots, Stand, tenants};
use crate::sealed::{FreshKeys, Keys};
use crate::store::Tx;
use crate::store::sql::law::{self as law_sql, Activation};
use crate::store::sql::state::{self as state_sql, SealedEntity};
use crate::store::sqlite::key_bytes;
use hos_core::canon::Reader;
use hos_core::id::{LawHash, Shown, Tenant, Uid};
use hos_core::judge::Standing;
use hos_core::law::Law;
use hos_core::layered::Layered;
use hos_core::policy::{Bound, Directory, Entity, Link};
use hos_core::refusal::Code;
use hos_core::value::Record;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The laws in force: an activation, and its laws compiled.
pub(crate) struct InForce {
    pub(crate) activation: Activation,
    pub(crate) law: Arc<Law>,
    pub(crate) candidate: Option<Arc<Law>>,
}

impl InForce {
    /// The newest activation of the store.
    pub(crate) fn read(tx: &Tx<'_>, laws: &Laws) -> Result<Self, Failure> {
        let row =
            tx.row(&law_sql::activation())?.ok_or_else(|| Failure::new(Code::StoreIntegrity, "the store has no activation"))?;
        let activation = law_sql::activation_from(&row)?;
        let law = laws.get(tx, &activation.law)?;
        let candidate = activation.candidate.as_ref().map(|hash| laws.get(tx, hash)).transpose()?;
        Ok(Self { activation, law, candidate })
    }
}

/// A law with a tenant's directory bound to it.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) law: Arc<Law>,
    pub(crate) bound: Arc<Bound>,
}

impl Bench {
    pub(crate) fn standing(&self) -> Standing<'_> {
        Standing { law: &self.law, bound: &self.bound }
    }
}

/// A tenant's directory at a version, under the laws in force.
pub(crate) struct View {
    /// The universe's directory version and the tenant's, added: raised by every change of either.
    pub(crate) version: u64,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) active: Bench,
    pub(crate) candidate: Option<Bench>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) older: Mutex<HashMap<LawHash, Bench>>,
    /// Where others write beside us: what it stands on, so that it is known from another, and can follow the rows in a host's transaction.
    pub(crate) roots: Option<Roots>,
    /// Parents that its entities' rows name and that are not in it. The universe's may be in a tenant's directory.
    missing: Missing,
    /// Whether the store's file may have been another since: then neither its version nor its records tell what became of this one.
    doubted: AtomicBool,
}

/// Parents that are not there, by whose they are.
pub(crate) type Missing = BTreeMap<Uid, BTreeSet<Uid>>;

/// A directory as its rows make it.
pub(crate) struct Rows {
    pub(crate) entities: Vec<Entity>,
    pub(crate) links: Vec<Link>,
    missing: Missing,
    lasts: Layered<Uid, Lasts>,
}

impl View {
    /// Reads the tenant's and the universe's rows and binds them to the laws in force.
    pub(crate) fn read(
        tx: &Tx<'_>,
        tenant: &Tenant,
        in_force: Arc<InForce>,
        keys: &Keys<'_, '_>,
        fresh: &FreshKeys,
    ) -> Result<Self, Failure> {
        let version = version(tx, tenant)?;
        // Before the rows: what is changed between the two is read anew by whoever comes next.
        let roots = if tx.is_shared() { Some(Roots::read(tx, tenant)?) } else { None };
        let Rows { entities, links, missing, lasts } = read_directory(tx, tenant, &in_force.law, keys, fresh)?;
        let directory = Arc::new(Directory::new(entities, links)?);
        let roots = roots.map(|roots| roots.with_rows(lasts));
        Ok(Self { roots, missing, ..Self::bind(version, in_force, directory)? })
    }

    /// The view of a tenant on top of this one, which is the universe's as it stands: of the rows, only the tenant's own are read, and what
    /// all tenants have in common is held once.
    pub(crate) fn of_tenant(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        in_force: Arc<InForce>,
        keys: &Keys<'_, '_>,
        fresh: &FreshKeys,
    ) -> Result<Self, Failure> {
        let (mut own, mut links) = (BTreeMap::new(), Vec::new());
        for entity in entities_of(tx, tenant, keys, fresh)? {
            let above = self.directory.get(&entity.uid).cloned();
            own.extend(upon(above, entity, &in_force.law).map(|entity| (entity.uid.clone(), entity)));
        }
        for (uid, parents) in &self.missing {
            let here: Vec<Uid> = parents.iter().filter(|p| own.contains_key(*p)).cloned().collect();
            if let (false, Some(known)) = (here.is_empty(), self.directory.get(uid)) {
                own.entry(uid.clone()).or_insert_with(|| known.clone()).parents.extend(here);
            }
        }
        let known: BTreeSet<Uid> = own.keys().cloned().collect();
        for entity in own.values_mut() {
            entity.parents.retain(|p| known.contains(p) || self.directory.get(p).is_some());
        }
        for link in links_of(tx, tenant)? {
            if self.directory.link(&link.id).is_some() {
                let twice = format!("the link `{}` is given twice", Shown(&link.id));
                return Err(Failure::new(Code::DirectoryConflict, twice));
            }
            links.push((link.id.clone(), Some(link)));
        }
        let own = own.into_iter().map(|(uid, entity)| (uid, Some(entity))).collect();
        Self::bind(version(tx, tenant)?, in_force, Arc::new(self.directory.with(own, links)?))
    }

    pub(crate) fn bind(version: u64, in_force: Arc<InForce>, directory: Arc<Directory>) -> Result<Self, Failure> {
        let bind = |law: &Arc<Law>| -> Result<Bench, Failure> {
            Ok(Bench { law: law.clone(), bound: Arc::new(Bound::new(law.policy.clone(), directory.clone())?) })
        };
        let active = bind(&in_force.law)?;
        let candidate = in_force.candidate.as_ref().map(bind).transpose()?;
        Ok(Self {
            version,
            in_force,
            active,
            candidate,
            directory,
            older: Mutex::new(HashMap::new()),
            roots: None,
            missing: Missing::new(),
            doubted: AtomicBool::new(false),
        })
    }

    /// The view of a later version, at which these entities are there, and these grants given or taken away. All at once: between two of
    /// the changes the rows that are there now may make no hierarchy. A row may name what was removed since: nobody is in what is not
    /// there.
    pub(crate) fn with(&self, version: u64, entities: Vec<Entity>, links: Vec<(String, Option<Link>)>) -> Result<Self, Failure> {
        let put: BTreeSet<Uid> = entities.iter().map(|entity| entity.uid.clone()).collect();
        let is_gone = |parent: &Uid| self.directory.get(parent).is_none() && !put.contains(parent);
        let mut missing = self.missing.clone();
        let placed = |mut entity: Entity| {
            let (gone, parents): (BTreeSet<Uid>, _) = std::mem::take(&mut entity.parents).into_iter().partition(is_gone);
            entity.parents = parents;
            missing.remove(&entity.uid);
            if !gone.is_empty() {
                missing.insert(entity.uid.clone(), gone);
            }
            (entity.uid.clone(), Some(entity))
        };
        let entities = entities.into_iter().map(placed).collect();
        let directory = Arc::new(self.directory.with(entities, links)?);
        Ok(Self { missing, ..Self::bind(version, self.in_force.clone(), directory)? })
    }

    /// The view after a directory change of this tenant for which the rows were read again.
    pub(crate) fn read_again(&self, rows: Rows) -> Result<Self, Failure> {
        let directory = Arc::new(Directory::new(rows.entities, rows.links)?);
        Ok(Self { missing: rows.missing, ..Self::bind(self.version + 1, self.in_force.clone(), directory)? })
    }

    /// Says that the store's file may have been another since this was read.
    pub(crate) fn doubt(&self) {
        self.doubted.store(true, Ordering::Release);
    }

    /// Whether the store's file may have been another since this was read.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Acquire)
    }

    /// The same, standing on these roots.
    pub(crate) fn on(self, roots: Option<Roots>) -> Self {
        Self { roots, ..self }
    }

    /// Whether a tenant's directory stands as it did when this was read. Where others write beside us, a version says too little: a
    /// database that was put back may come to the same again.
    pub(crate) fn stands(&self, tx: &Tx<'_>, tenant: &Tenant) -> Result<bool, Failure> {
        if tx.is_shared() {
            let stand = Stand::read(tx, tenant)?;
            return Ok(self.roots.as_ref().is_some_and(|roots| stand.is(roots)));
        }
        Ok(!self.is_doubted() && self.version == version(tx, tenant)?)
    }

    /// An older law with this directory: what instances that began under it are judged by.
    pub(crate) fn under(&self, law: Arc<Law>) -> Result<Bench, Failure> {
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bench) = older.get(&law.hash) {
            return Ok(bench.clone());
        }
        let bench = Bench { bound: Arc::new(Bound::new(law.policy.clone(), self.directory.clone())?), law };
        older.insert(bench.law.hash, bench.clone());
        Ok(bench)
    }
}

/// A tenant's view version as the store has it now; refused when the tenant was never opened.
pub(crate) fn version(tx: &Tx<'_>, tenant: &Tenant) -> Result<u64, Failure> {
    if tx.is_shared() {
        return Ok(Stand::read(tx, tenant)?.version());
    }
    let own = |t: &Tenant| -> Result<u64, Failure> {
        let row = tx.row(&law_sql::tenant_row(t))?.ok_or_else(|| Failure::new(Code::TenantUnknown, format!("`{t}`")))?;
        Ok(row.uint(0)?)
    };
    let universe = own(&Tenant::universe())?;
    if tenant.is_universe() { Ok(universe) } else { Ok(universe + own(tenant)?) }
}

/// What a tenant's own row of an entity comes to upon the universe's, where that stands: the universe's attributes, and the memberships of
/// both. What a tenant says of a person whom the universe lacks says nothing.
pub(crate) fn upon(above: Option<Entity>, own: Entity, law: &Law) -> Option<Entity> {
    match above {
        Some(mut above) => {
            above.parents.extend(own.parents);
            Some(Entity { record: own.record, ..above })
        }
        None => Some(own).filter(|own| !law.persons.contains(own.uid.type_name())),
    }
}

/// The directory of a tenant: the universe's entities, the tenant's own ([`upon`] them), and the grants of both.
pub(crate) fn read_directory(
    tx: &Tx<'_>,
    tenant: &Tenant,
    law: &Law,
    keys: &Keys<'_, '_>,
    fresh: &FreshKeys,
) -> Result<Rows, Failure> {
    read_directory_with(tx, tenant, law, keys, fresh, None)
}

/// The same with an entity that comes into it, whose row a host's transaction does not show yet.
pub(crate) fn read_directory_with(
    tx: &Tx<'_>,
    tenant: &Tenant,
    law: &Law,
    keys: &Keys<'_, '_>,
    fresh: &FreshKeys,
    coming: Option<Entity>,
) -> Result<Rows, Failure> {
    let mut entities: BTreeMap<Uid, Entity> = BTreeMap::new();
    let (mut links, mut lasts) = (Vec::new(), Layered::default());
    for (place, owner) in tenants(tenant).iter().enumerate() {
        let rows = rows_of(tx, owner, fresh)?;
        if tx.is_shared() {
            rows.iter().for_each(|row| note_last(&mut lasts, row, place));
        }
        for entity in opened(&rows, keys, fresh)? {
            let entity = if place == 0 { Some(entity) } else { upon(entities.remove(&entity.uid), entity, law) };
            entities.extend(entity.map(|entity| (entity.uid.clone(), entity)));
        }
        links.extend(links_of(tx, owner)?);
    }
    if let Some(entity) = coming {
        entities.entry(entity.uid.clone()).or_insert(entity);
    }
    // A membership in what is there no longer holds nothing up.
    let known: BTreeSet<Uid> = entities.keys().cloned().collect();
    let mut missing = Missing::new();
    for entity in entities.values_mut() {
        let (parents, gone) = std::mem::take(&mut entity.parents).into_iter().partition(|p| known.contains(p));
        entity.parents = parents;
        if !BTreeSet::is_empty(&gone) {
            missing.insert(entity.uid.clone(), gone);
        }
    }
    Ok(Rows { entities: entities.into_values().collect(), links, missing, lasts })
}

/// Notes the last record of an entity's row, of the universe's or the tenant's own.
pub(crate) fn note_last(lasts: &mut Layered<Uid, Lasts>, row: &SealedEntity, place: usize) {
    lasts.modify(row.uid.clone(), |known| {
        let mut known = known.unwrap_or_default();
        if let Some(last) = known.get_mut(place) {
            *last = Some(row.thread.last);
        }
        Some(known)
    });
}

/// The entities of a tenant's own rows, opened.
fn entities_of(tx: &Tx<'_>, owner: &Tenant, keys: &Keys<'_, '_>, fresh: &FreshKeys) -> Result<Vec<Entity>, Failure> {
    opened(&rows_of(tx, owner, fresh)?, keys, fresh)
}

fn opened(rows: &[SealedEntity], keys: &Keys<'_, '_>, fresh: &FreshKeys) -> Result<Vec<Entity>, Failure> {
    rows.iter().filter(|row| !row.removed).map(|row| open_entity(row, keys, fresh)).collect()
}

/// The rows of a tenant's own entities, those that were removed too.
fn rows_of(tx: &Tx<'_>, owner: &Tenant, fresh: &FreshKeys) -> Result<Vec<SealedEntity>, Failure> {
    let mut rows = Vec::new();
    // Over a wire each question costs: the keys come with the rows.
    let asked = if tx.is_shared() { state_sql::directory_with_keys(owner) } else { state_sql::directory_entities(owner) };
    tx.each(&asked, |mut row| {
        let entity = state_sql::entity_from(&row)?;
        if tx.is_shared() && !row.is_null(9)? {
            fresh.know(entity.attrs_key, key_bytes(&mut row, 9)?);
        }
        rows.push(entity);
        Ok(())
    })?;
    Ok(rows)
}

/// The grants of a tenant's own rows.
fn links_of(tx: &Tx<'_>, owner: &Tenant) -> Result<Vec<Link>, Failure> {
    let mut links = Vec::new();
    tx.each(&state_sql::grants(owner), |row| {
        let (_, link, removed) = state_sql::grant_from(&row)?;
        if !removed {
            links.push(link);
        }
        Ok(())
    })?;
    Ok(links)
}

/// A directory row with its attributes opened; those of an erased person are gone.
pub(crate) fn open_entity(row: &SealedEntity, keys: &Keys<'_, '_>, fresh: &FreshKeys) -> Result<Entity, Failure> {
    let attrs = match keys.open_copy(&row.attrs_key, &row.attrs, fresh)? {
        Some(bytes) => decode_record(&bytes)?,
        None => Record::new(),
    };
    Ok(Entity { uid: row.uid.clone(), attrs, parents: row.parents.clone(), record: Some(row.thread.last) })
}

/// A record of values from its canonical bytes.
pub(crate) fn decode_record(bytes: &[u8]) -> Result<Record, Failure> {
    let broken = |e: hos_core::canon::CanonError| Failure::new(Code::StoreIntegrity, format!("stored values: {e}"));
    let mut r = Reader::new(bytes);
    let record = r.record().map_err(broken)?;
    r.end().map_err(broken)?;
    Ok(record)
}
