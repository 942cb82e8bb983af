//! The universe's directory after other processes of the same file have changed it. It holds every account, so that one that signs up must
//! not cost everybody else the reading of all: what changed is told by the records that say so, as long as they are few and near.

use super::Court;
use super::host::FOLLOWED_MAX;
use crate::Failure;
use crate::join::{self, Read};
use crate::roots::Changed;
use crate::sealed::FreshKeys;
use crate::store::Tx;
use crate::store::sql::{evidence as evidence_sql, state as state_sql};
use crate::view::{self, InForce, View};
use hos_core::id::Tenant;
use hos_core::judge;
use hos_core::proof::record::{Decision, Header, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many of the records written last are looked through at a time.
const PAGE: i64 = 256;
/// How many of them are looked through for each entity of the directory: reading an entity anew takes longer than passing so many by.
const PASSED_BY: usize = 4;

/// A change that a record tells of.
struct Told {
    what: Changed,
    /// Whether it is the first of its thread: nobody could name the entity before.
    is_first: bool,
}

impl Court {
    /// The universe's directory as it stands: from the one that is known, if its records tell all that became of it since.
    pub(crate) fn caught_up(
        &self,
        tx: &Tx<'_>,
        known: Option<Arc<View>>,
        in_force: Arc<InForce>,
        fresh: &FreshKeys,
    ) -> Result<View, Failure> {
        let known = known.filter(|view| view.in_force.activation.record == in_force.activation.record && !view.is_doubted());
        if let Some(known) = known
            && let Some(changes) = self.told_since(tx, &known)?
            && let Some(view) = self.with_changes(tx, &known, changes, fresh)?
        {
            return Ok(view);
        }
        View::read(tx, &Tenant::universe(), in_force, &self.keys(tx), fresh)
    }

    /// What changed since a version, in its order: of each version that followed, the record of the change that made it. `None` where one
    /// of them has none that tells it, as an erasure's has not, or they are too many or too far.
    fn told_since(&self, tx: &Tx<'_>, known: &View) -> Result<Option<Vec<Told>>, Failure> {
        let universe = Tenant::universe();
        let count = view::version(tx, &universe)?.checked_sub(known.version).and_then(|count| usize::try_from(count).ok());
        let Some(count) = count.filter(|count| (1..=FOLLOWED_MAX).contains(count)) else { return Ok(None) };
        let mut told: Vec<Option<Told>> = std::iter::repeat_with(|| None).take(count).collect();
        let Some(last) = tx.row(&evidence_sql::last_written())?.map(|row| row.int(0)).transpose()? else { return Ok(None) };
        let budget = i64::try_from(known.directory.entity_count().saturating_mul(PASSED_BY)).unwrap_or(i64::MAX);
        let (mut before, mut missing) = (last, count);
        while missing > 0 && before > 0 && last - before <= budget {
            for row in tx.rows(&evidence_sql::written_in(&universe, before - PAGE, before))? {
                let Ok(header) = Header::decode(row.blob(1)?) else { return Ok(None) };
                if header.kind != Kind::Directory || header.decision == Decision::Deny {
                    continue;
                }
                // A change is judged at the version that it ends.
                let place = header.directory_version.checked_sub(known.version).and_then(|place| usize::try_from(place).ok());
                let Some(place @ None) = place.and_then(|place| told.get_mut(place)) else { return Ok(None) };
                let Some(parts) = tx.row(&evidence_sql::parts_written(row.int(0)?))? else { return Ok(None) };
                let Some(change) = self.change_of(tx, &header, parts.blob(0)?)? else { return Ok(None) };
                let Ok(change) = judge::decode_change(&change) else { return Ok(None) };
                let what = match join::subject(&change) {
                    Read::Entity(uid) => Changed::Entity(uid),
                    Read::Grant(id) => Changed::Grant(id),
                    _ => return Ok(None),
                };
                *place = Some(Told { what, is_first: header.n == Some(0) });
                missing -= 1;
                if missing == 0 {
                    break;
                }
            }
            before -= PAGE;
        }
        Ok(told.into_iter().collect())
    }

    /// The directory with the rows of what changed, as they stand now. `None` where somebody is gone who may be another's role, or comes
    /// back whom others name still; and where the rows make no directory, which is told by whoever reads all of them.
    fn with_changes(&self, tx: &Tx<'_>, known: &View, changes: Vec<Told>, fresh: &FreshKeys) -> Result<Option<View>, Failure> {
        let (universe, version) = (Tenant::universe(), known.version + changes.len() as u64);
        // Of each row: whether nobody could name its entity before.
        let (mut entities, mut grants) = (BTreeMap::new(), BTreeSet::new());
        for Told { what, is_first } in changes {
            match what {
                Changed::Entity(uid) => *entities.entry(uid).or_insert(false) |= is_first,
                Changed::Grant(id) => {
                    grants.insert(id);
                }
            }
        }
        let (mut put, mut links) = (Vec::with_capacity(entities.len()), Vec::with_capacity(grants.len()));
        for (uid, is_first) in entities {
            let row = tx.row(&state_sql::directory_entity(&universe, &uid))?;
            let row = row.map(|row| state_sql::entity_from(&row)).transpose()?;
            let row = row.filter(|row| !row.removed && (is_first || known.directory.get(&uid).is_some()));
            let Some(row) = row else { return Ok(None) };
            put.push(view::open_entity(&row, &self.keys(tx), fresh)?);
        }
        for id in grants {
            let row = tx.row(&state_sql::grant(&universe, &id))?;
            let Some((_, link, removed)) = row.map(|row| state_sql::grant_from(&row)).transpose()? else { return Ok(None) };
            links.push((id, (!removed).then_some(link)));
        }
        Ok(known.with(version, put, links).ok())
    }
}
