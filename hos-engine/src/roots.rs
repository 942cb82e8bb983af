//! What a directory that was read beside others who change it stands on. A host's own changes are among it and may be rolled back, and a
//! database may be put back to an earlier day, so a number says too little: each change has an id by chance, and the directory is good
//! where the ids are the same, or what they add up to.

use crate::Failure;
use crate::store::Tx;
use crate::store::sql::claim;
use crate::store::sql::inbox::{self, MARKS};
use crate::store::sql::law as law_sql;
use crate::store::sql::state as state_sql;
use crate::store::{Row, Statement};
use hos_core::id::{RecordHash, Tenant, Uid};
use hos_core::layered::Layered;
use hos_core::refusal::Code;
use std::collections::BTreeMap;

/// How many changes that are not counted yet are read, at most: beyond it nobody seals, and the directory is read anew each time.
const CHANGES_MAX: i64 = 10_000;

/// One tenant's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    tenant: Tenant,
    base: u64,
    /// The sum of all changes' marks, counted ones and others.
    marks: i64,
    changes: BTreeMap<[u8; 16], Changed>,
}

/// What a change was of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Changed {
    Entity(Uid),
    Grant(String),
}

/// What became of a directory since it was read.
pub(crate) struct Since {
    /// The parts as they stand now.
    pub(crate) parts: Vec<Root>,
    /// What changed in them.
    pub(crate) new: Vec<Changed>,
    /// Changes that are not listed any more, each with its part's place: as many were counted, but whether these were is told by
    /// their rows alone. One's own that was rolled back is gone too, and another's that was never seen may have been counted.
    pub(crate) gone: Vec<(usize, Changed)>,
}

/// The universe's part and the tenant's, and whose rows there are.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    parts: Vec<Root>,
    /// The last record of each entity's rows. Who goes on from a directory holds all but a few in common with it.
    pub(crate) rows: Layered<Uid, Lasts>,
}

/// The last records of an entity's rows: of the universe's, and of the tenant's own.
pub(crate) type Lasts = [Option<RecordHash>; 2];

/// How a directory stands now, by three numbers a tenant: version, changes beside it, the sum of all changes' marks.
pub(crate) struct Stand(Vec<(Tenant, u64, u64, i64)>);

impl Stand {
    /// The statement that tells.
    pub(crate) fn asked(tenant: &Tenant) -> Statement {
        law_sql::directory_stands(tenant)
    }

    pub(crate) fn read(tx: &Tx<'_>, tenant: &Tenant) -> Result<Self, Failure> {
        let rows = tx.rows(&Self::asked(tenant))?;
        let one = |t: &Tenant| {
            let row = rows.iter().find(|row| row.text(0).is_ok_and(|name| name == t.as_str()));
            let row = row.ok_or_else(|| Failure::new(Code::TenantUnknown, format!("`{t}`")))?;
            Ok::<_, Failure>((t.clone(), row.uint(1)?, row.uint(2)?, row.int(3)?.rem_euclid(MARKS)))
        };
        Ok(Self(tenants(tenant).iter().map(one).collect::<Result<_, _>>()?))
    }

    /// The version that answers name.
    pub(crate) fn version(&self) -> u64 {
        self.0.iter().map(|(_, base, count, _)| base + count).sum()
    }

    /// Whether nothing changed since.
    pub(crate) fn is(&self, roots: &Roots) -> bool {
        self.0.len() == roots.parts.len()
            && self.0.iter().zip(&roots.parts).all(|((tenant, base, count, marks), root)| {
                let is_counted_as = root.base == *base && root.changes.len() as u64 == *count;
                root.tenant == *tenant && is_counted_as && root.marks == *marks
            })
    }
}

/// The tenants whose rows make a tenant's directory, the universe first.
pub(crate) fn tenants(tenant: &Tenant) -> Vec<Tenant> {
    if tenant.is_universe() { vec![tenant.clone()] } else { vec![Tenant::universe(), tenant.clone()] }
}

impl Roots {
    /// The statements that read the parts.
    pub(crate) fn asked(tenant: &Tenant) -> Vec<Statement> {
        let changes = tenants(tenant);
        let changes = changes.iter().map(|t| inbox::changes(t, CHANGES_MAX));
        std::iter::once(Stand::asked(tenant)).chain(changes).collect()
    }

    /// What a directory that is read now will stand on, still without its rows.
    pub(crate) fn read(tx: &Tx<'_>, tenant: &Tenant) -> Result<Self, Failure> {
        tx.foresee(&Self::asked(tenant))?;
        tx.foresee(&tenants(tenant).iter().map(state_sql::directory_with_keys).collect::<Vec<_>>())?;
        Ok(Self { parts: Self::parts(tx, tenant)?, rows: Layered::default() })
    }

    /// The same over these rows.
    pub(crate) fn with_rows(self, rows: Layered<Uid, Lasts>) -> Self {
        Self { rows, ..self }
    }

    /// Whether every change that it stands on is counted: whoever counts sees only what is committed.
    pub(crate) fn is_counted(&self) -> bool {
        self.parts.iter().all(|part| part.changes.is_empty())
    }

    fn parts(tx: &Tx<'_>, tenant: &Tenant) -> Result<Vec<Root>, Failure> {
        let stand = Stand::read(tx, tenant)?;
        let part = |(t, base, _, marks): &(Tenant, u64, u64, i64)| {
            let rows = tx.rows(&inbox::changes(t, CHANGES_MAX))?;
            let changes = rows.iter().map(|row| Ok((row.bytes(0)?, changed(row)?))).collect::<Result<_, Failure>>()?;
            Ok::<_, Failure>(Root { tenant: t.clone(), base: *base, marks: *marks, changes })
        };
        stand.0.iter().map(part).collect()
    }

    /// How the parts stand now, and what changed since; `None` where that cannot be told: changes were counted that were never
    /// seen, or others than those that were.
    pub(crate) fn since(&self, tx: &Tx<'_>, tenant: &Tenant) -> Result<Option<Since>, Failure> {
        tx.foresee(&Self::asked(tenant))?;
        let now = Self::parts(tx, tenant)?;
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        for (place, (then, now)) in self.parts.iter().zip(&now).enumerate() {
            let before = gone.len();
            let lost = then.changes.iter().filter(|(id, _)| !now.changes.contains_key(*id));
            gone.extend(lost.map(|(_, what)| (place, what.clone())));
            // Where fewer were counted, one was rolled back; where more were, some were never seen. Marks tell these from as many others.
            let counted = (gone.len() - before) as u64;
            let fresh = || now.changes.iter().filter(|(id, _)| !then.changes.contains_key(*id));
            let marks = then.marks + fresh().map(|(id, _)| inbox::mark_of(id)).sum::<i64>();
            let is_as_seen = now.base.checked_sub(then.base) == Some(counted) && now.marks == marks.rem_euclid(MARKS);
            if !is_as_seen || now.changes.len() as i64 >= CHANGES_MAX {
                return Ok(None);
            }
            new.extend(fresh().map(|(_, what)| what.clone()));
        }
        Ok(Some(Since { parts: now, new, gone }))
    }

    /// The version that answers name.
    pub(crate) fn version(&self) -> u64 {
        self.parts.iter().map(|part| part.base + part.changes.len() as u64).sum()
    }

    /// How many changes are counted in the parts: it never falls, but under a snapshot of earlier.
    pub(crate) fn counted(&self) -> u64 {
        self.parts.iter().map(|part| part.base).sum()
    }

    /// The same with one more change of a tenant's, of this mark, which was counted at once.
    pub(crate) fn with_one_more(mut self, tenant: &Tenant, mark: i64) -> Self {
        for part in self.parts.iter_mut().filter(|part| part.tenant == *tenant) {
            part.base += 1;
            part.marks = (part.marks + mark).rem_euclid(MARKS);
        }
        self
    }

    /// The same rows over other parts.
    pub(crate) fn over(&self, parts: Vec<Root>) -> Self {
        Self { parts, rows: self.rows.clone() }
    }
}

fn changed(row: &Row) -> Result<Changed, Failure> {
    let text = std::str::from_utf8(row.blob(2)?).map_err(|_| row.fault(2, "not UTF-8"))?;
    Ok(match row.text(1)? {
        "" => Changed::Grant(text.to_owned()),
        kind => Changed::Entity(Uid::new(kind, text).map_err(|e| row.fault(1, &e.to_string()))?),
    })
}

/// A directory row that is there and is no claim.
pub(crate) fn is_row(row: &Row) -> Result<bool, Failure> {
    Ok(row.int(3)? != claim::CLAIMED)
}
