//! A change of the directory: its row, the version, and the view with which the group goes on.

use super::settle::{encode, failure_of};
use super::{Court, Group};
use crate::Failure;
use crate::roots::tenants;
use crate::sealed::Chance;
use crate::store::Tx;
use crate::store::sql::state::{self as state_sql, SealedEntity};
use crate::store::sql::{claim, inbox, law as law_sql};
use crate::view::{self, View};
use hos_core::id::Tenant;
use hos_core::judge::DirectoryAfter;
use hos_core::policy::Entity;
use std::sync::Arc;

impl Court {
    /// A tenant's entity as its directory shows it: on top of what the universe says of it. Nothing where it takes the place of one that
    /// the universe once had, for rows may name that still.
    fn merged(
        &self,
        tx: &Tx<'_>,
        group: &Group,
        tenant: &Tenant,
        view: &View,
        entity: Entity,
    ) -> Result<Option<Entity>, Failure> {
        if tenant.is_universe() {
            return Ok(Some(entity));
        }
        let row = tx.row(&state_sql::directory_entity(&Tenant::universe(), &entity.uid))?;
        let above = match row.map(|row| state_sql::entity_from(&row)).transpose()? {
            Some(row) if row.removed && view.directory.get(&entity.uid).is_none() => return Ok(None),
            row => row.filter(|row| !row.removed),
        };
        let above = above.map(|row| view::open_entity(&row, &self.keys(tx), &group.fresh)).transpose()?;
        Ok(view::upon(above, entity, &view.in_force.law))
    }

    /// The view behind an entity's row that stands. All changes in place but what others may name still: that is read anew.
    fn standing(
        &self,
        tx: &Tx<'_>,
        group: &Group,
        tenant: &Tenant,
        view: &View,
        entity: Entity,
        is_new: bool,
    ) -> Result<View, Failure> {
        let merged = if is_new { self.merged(tx, group, tenant, view, entity.clone())? } else { None };
        match merged {
            Some(merged) => view.with(view.version + 1, vec![merged], Vec::new()),
            None => self.back(tx, group, tenant, view, entity),
        }
    }

    /// The view behind an entity that comes back, with all who are in it again. Refuses where they make no hierarchy any more, for nothing
    /// could be decided under it, and where the schema does not let one of them be there, about whom nothing could be: nobody could take
    /// the entity away again. No record tells who names it, so nobody could judge such a refusal again: it is a failure.
    fn back(&self, tx: &Tx<'_>, group: &Group, tenant: &Tenant, view: &View, entity: Entity) -> Result<View, Failure> {
        let asked = tenants(tenant);
        let asked = asked.iter().flat_map(|owner| [state_sql::directory_with_keys(owner), state_sql::grants(owner)]);
        tx.foresee(&asked.collect::<Vec<_>>())?;
        let (uid, law, bound) = (entity.uid.clone(), &view.in_force.law, &view.active.bound);
        let rows = view::read_directory_with(tx, tenant, law, &self.keys(tx), &group.fresh, Some(entity))?;
        for member in rows.entities.iter().filter(|member| member.parents.contains(&uid)) {
            // Whoever did not fit before is not what this is about.
            if view.directory.get(&member.uid).is_some_and(|before| bound.fits(before).is_ok()) {
                bound.fits(member)?;
            }
        }
        view.read_again(rows)
    }

    /// Counts a change in a directory's version, in a transaction of our own; gives its mark.
    pub(super) fn raise_version(&self, tx: &Tx<'_>, tenant: &Tenant, chance: &mut Chance) -> Result<i64, Failure> {
        let mark = inbox::mark_of(&chance.bytes("change"));
        tx.execute(&law_sql::raise_directory_version(tenant, 1, mark))?;
        Ok(mark)
    }

    /// Writes a directory row, raises the version, and has the group go on with the changed directory.
    ///
    /// # Errors
    /// `hos.hierarchy_invalid` where the change leaves no hierarchy; whatever was written is undone with the job.
    pub(crate) fn write_directory(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        view: &View,
        after: DirectoryAfter,
        chance: &mut Chance,
    ) -> Result<(), Failure> {
        group.changes += 1;
        group.changed.insert(tenant.clone());
        let mut roots = None;
        if tx.is_host() {
            let id = chance.bytes("change");
            tx.execute(&match &after {
                DirectoryAfter::Entity { entity, .. } => inbox::change_entity(tenant, &id, &entity.uid),
                DirectoryAfter::Grant { link, .. } => inbox::change_grant(tenant, &id, &link.id),
            })?;
        } else {
            let mark = self.raise_version(tx, tenant, chance)?;
            roots = view.roots.clone().map(|roots| roots.with_one_more(tenant, mark));
        }
        let changed = match after {
            DirectoryAfter::Entity { thread, entity, removed } => {
                let person = view.active.law.persons.contains(entity.uid.type_name()).then_some(&entity.uid);
                let plaintext = encode(&entity.attrs);
                let (attrs_key, attrs) =
                    self.keys(tx).seal_copy(person, plaintext, &mut group.fresh, chance).map_err(failure_of)?;
                let row =
                    SealedEntity { uid: entity.uid.clone(), thread, removed, attrs_key, attrs, parents: entity.parents.clone() };
                tx.execute(&state_sql::put_entity(tenant, &row))?;
                if let Some(roots) = &mut roots {
                    view::note_last(&mut roots.rows, &row, tenants(tenant).len() - 1);
                }
                group.taken(&claim::leave_entity(tenant, &entity.uid));
                let is_new = thread.n == 0 || view.directory.get(&entity.uid).is_some();
                // What is removed may be somebody's role: who asks next reads the directory anew.
                if removed { None } else { Some(self.standing(tx, group, tenant, view, entity, is_new)?) }
            }
            DirectoryAfter::Grant { thread, link, removed } => {
                tx.execute(&state_sql::put_grant(tenant, &thread, &link, removed))?;
                group.taken(&claim::leave_grant(tenant, &link.id));
                Some(view.with(view.version + 1, Vec::new(), vec![(link.id.clone(), (!removed).then_some(link))])?)
            }
        };
        if tenant.is_universe() {
            // Every tenant's directory stands on the universe's: those that were read are of an older version now.
            group.views.retain(|t, _| t.is_universe());
        }
        match changed {
            Some(view) => {
                group.views.insert(tenant.clone(), Arc::new(view.on(roots)));
            }
            None => {
                group.views.remove(tenant);
            }
        }
        Ok(())
    }
}
