//! The directory's rows that an erasure ends: those that say of themselves that they are the person's, and those of which the evidence does.
//! A row may have been changed past the engine, and what nobody can read any more speaks against nobody.

use super::endings::EndedRow;
use super::settle::encode;
use super::{Court, ended};
use crate::Failure;
use crate::store::Tx;
use crate::store::sql::state::SealedEntity;
use crate::store::sql::{erase as sql, evidence as evidence_sql, state as state_sql};
use crate::survey::Survey;
use hos_core::id::{Handle, KeyId, Tenant, Uid};
use hos_core::judge::{self, DirectoryAfter, DirectoryRows, DirectoryThread};
use hos_core::policy::Link;
use hos_core::proof::record::{Decision, Header, Kind, Slot};
use hos_core::proof::stored::decode_stored;
use hos_core::refusal::Code;
use std::collections::{BTreeMap, HashSet};

/// A row of the directory.
enum Standing {
    Entity(SealedEntity),
    Grant(DirectoryThread, Link, bool),
}

impl Standing {
    fn thread(&self) -> DirectoryThread {
        match self {
            Self::Entity(row) => row.thread,
            Self::Grant(thread, ..) => *thread,
        }
    }
}

/// Threads of the directory whose last change lies under a key.
pub(super) struct Theirs {
    threads: BTreeMap<(Tenant, Handle), Own>,
}

#[derive(Clone, Copy)]
struct Own {
    thread: DirectoryThread,
    /// Whether the thread is the person's whatever its row says: a grant's, or one of which every change lies under the key. Of what is no
    /// person and only joined this one and left, the rest goes on.
    ends: bool,
}

impl Theirs {
    fn of(&self, tenant: &Tenant, thread: &Handle) -> Option<&Own> {
        self.threads.get(&(tenant.clone(), *thread))
    }
}

/// Rows that end, and how many were met that are not what their records say.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) ending: Vec<(DirectoryThread, EndedRow)>,
    pub(super) differing: u64,
}

impl Court {
    /// The threads of the directory whose last change lies under a survey's key.
    pub(super) fn theirs(&self, tx: &Tx<'_>, survey: &Survey) -> Result<Theirs, Failure> {
        let mut threads = BTreeMap::new();
        for ((tenant, handle), changed) in &survey.changed {
            let next = changed.n.saturating_add(1);
            if tx.row(&evidence_sql::record(tenant, handle, next))?.is_none() {
                let thread = DirectoryThread { handle: *handle, n: changed.n, last: changed.last };
                let ends = changed.is_grant || changed.count == next;
                threads.insert((tenant.clone(), *handle), Own { thread, ends });
            }
        }
        Ok(Theirs { threads })
    }

    /// Adds who lies under the key in a tenant's directory, as the evidence has it and the vault, to the persons whose rows are looked for.
    pub(super) fn persons_under(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        key: &KeyId,
        theirs: &Theirs,
        persons: &mut Vec<Uid>,
    ) -> Result<(), Failure> {
        for row in tx.rows(&sql::entities_of_key(tenant, key))? {
            let row = state_sql::entity_from(&row)?;
            if theirs.of(tenant, &row.thread.handle).is_some() && !persons.contains(&row.uid) {
                let kept = self.vault.of_subject(tx, None, &self.tag(&row.uid))?;
                persons.extend(kept.filter(|kept| kept.id == *key).map(|_| row.uid));
            }
        }
        Ok(())
    }

    /// The rows of a tenant's directory that end with the persons.
    pub(super) fn rows_of(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        key: &KeyId,
        theirs: &Theirs,
        persons: &[Uid],
    ) -> Result<Rows, Failure> {
        let mut rows = Rows::default();
        let mut met = HashSet::new();
        for row in self.candidates(tx, tenant, key, theirs, persons)? {
            let thread = row.thread();
            if !met.insert(thread.handle) {
                continue;
            }
            let own = theirs.of(tenant, &thread.handle);
            let said = self.said(tx, tenant, &thread.handle)?;
            let differs = match &said {
                Some(said) => !self.is_said(tx, &row, said)?,
                None => own.is_some_and(|own| own.thread != thread),
            };
            rows.differing += u64::from(differs);
            // What somebody else's records say is somebody else's, whatever its row says.
            if differs && own.is_none() {
                continue;
            }
            let row = match row {
                Standing::Entity(row) => EndedRow::Entity(row.uid),
                Standing::Grant(_, link, _) => EndedRow::Grant(link.id),
            };
            rows.ending.push((own.map_or(thread, |own| own.thread), row));
        }
        Ok(rows)
    }

    /// Rows that are sealed under the key, that name one of the persons, or whose threads the evidence has as theirs.
    fn candidates(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        key: &KeyId,
        theirs: &Theirs,
        persons: &[Uid],
    ) -> Result<Vec<Standing>, Failure> {
        let mut found = Vec::new();
        if key.0 != [0; 16] {
            for row in tx.rows(&sql::entities_of_key(tenant, key))? {
                found.push(Standing::Entity(state_sql::entity_from(&row)?));
            }
        }
        for person in persons {
            // A row that is not sealed under the key: of a time before the law called this a person.
            if let Some(row) = tx.row(&state_sql::directory_entity(tenant, person))? {
                found.push(Standing::Entity(state_sql::entity_from(&row)?));
            }
            for row in tx.rows(&sql::grants_naming(tenant, person))? {
                let (thread, link, removed) = state_sql::grant_from(&row)?;
                found.push(Standing::Grant(thread, link, removed));
            }
        }
        let known: HashSet<Handle> = found.iter().map(|row| row.thread().handle).collect();
        let ends = theirs.threads.iter().filter(|((of, handle), own)| of == tenant && own.ends && !known.contains(handle));
        let wanted: HashSet<Handle> = ends.map(|((_, handle), _)| *handle).collect();
        // Rows have no index by their threads, and nearly always all are known by now.
        if !wanted.is_empty() {
            tx.each(&state_sql::directory_entities(tenant), |row| {
                let row = state_sql::entity_from(&row)?;
                found.extend(wanted.contains(&row.thread.handle).then_some(Standing::Entity(row)));
                Ok(())
            })?;
            tx.each(&state_sql::grants(tenant), |row| {
                let (thread, link, removed) = state_sql::grant_from(&row)?;
                found.extend(wanted.contains(&thread.handle).then_some(Standing::Grant(thread, link, removed)));
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// What the records of a thread come to; none where one of them cannot be read.
    fn said(&self, tx: &Tx<'_>, tenant: &Tenant, thread: &Handle) -> Result<Option<DirectoryAfter>, Failure> {
        let (mut rows, mut said, mut from) = (DirectoryRows::default(), None, 0);
        loop {
            let page = tx.rows(&evidence_sql::thread_records(tenant, thread, from, ended::PAGE))?;
            for row in &page {
                let n = row.uint(0)?;
                from = n.saturating_add(1);
                let Ok(header) = Header::decode(row.blob(1)?) else { return Ok(None) };
                if header.kind != Kind::Directory || header.decision == Decision::Deny {
                    continue;
                }
                let last = hos_core::digest::record_hash(row.blob(1)?);
                let Some(bytes) = self.change_of(tx, &header, row.blob(2)?)? else { return Ok(None) };
                let Ok(change) = judge::decode_change(&bytes) else { return Ok(None) };
                let thread = DirectoryThread { handle: *thread, n, last };
                let Some(after) = judge::apply_change(&change, &rows, thread) else { return Ok(None) };
                rows = match after.clone() {
                    DirectoryAfter::Entity { thread, entity, removed } => {
                        DirectoryRows { entity: Some((thread, entity, removed)), ..DirectoryRows::default() }
                    }
                    DirectoryAfter::Grant { thread, link, removed } => {
                        DirectoryRows { grant: Some((thread, link, removed)), ..DirectoryRows::default() }
                    }
                };
                said = Some(after);
            }
            if page.len() < ended::PAGE {
                return Ok(said);
            }
        }
    }

    /// A record's change of the directory, where it can be read.
    pub(super) fn change_of(&self, tx: &Tx<'_>, header: &Header, parts: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let Ok(boxes) = decode_stored(parts) else { return Ok(None) };
        let stored = boxes.iter().find(|stored| stored.places.iter().any(|(slot, _)| *slot == Slot::Change));
        let Some(stored) = stored else { return Ok(None) };
        match self.open_box(tx, header, stored) {
            Ok(opened) => {
                let change = opened.and_then(|parts| parts.into_iter().find(|part| part.slot == Slot::Change));
                Ok(change.map(|part| part.plaintext))
            }
            // It does not hold: nobody's erasure waits for it.
            Err(failure) if failure.code == Code::StoreIntegrity => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Whether a row is what its records say.
    fn is_said(&self, tx: &Tx<'_>, row: &Standing, said: &DirectoryAfter) -> Result<bool, Failure> {
        match (row, said) {
            (Standing::Grant(thread, link, removed), DirectoryAfter::Grant { thread: of, link: wanted, removed: gone }) => {
                Ok((thread, link, removed) == (of, wanted, gone))
            }
            (Standing::Entity(row), DirectoryAfter::Entity { thread, entity, removed }) => {
                if (&row.uid, &row.thread, &row.removed, &row.parents) != (&entity.uid, thread, removed, &entity.parents) {
                    return Ok(false);
                }
                match self.keys(tx).open_copy(&row.attrs_key, &row.attrs, &self.reading_keys(tx)?) {
                    Ok(attrs) => Ok(attrs.is_some_and(|attrs| attrs == encode(&entity.attrs))),
                    Err(failure) if failure.code == Code::StoreIntegrity => Ok(false),
                    Err(failure) => Err(failure),
                }
            }
            _ => Ok(false),
        }
    }
}
