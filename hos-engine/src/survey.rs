//! What a person's key still opens, seen just before it is destroyed: which records, whether they hold, which once-keys.

use crate::Failure;
use crate::seal::Origin;
use crate::store::Row;
use crate::store::sql::claim;
use hos_core::digest;
use hos_core::id::{DottedName, EntryHash, Handle, KeyId, OnceKey, RecordHash, Tenant, TreeHash};
use hos_core::judge;
use hos_core::proof::chain::Entry;
use hos_core::proof::erasure::{LastVerdict, Lost, RecordList};
use hos_core::proof::part::SubjectKey;
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::stored::decode_stored;
use hos_core::time::Timestamp;
use std::collections::BTreeMap;

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spot {
    /// At this place in its thread.
    Placed(u64),
    /// Nowhere yet: it waits in the inbox under this id.
    Waits(Handle),
}

/// A record that took a once-key: which one, as the key's row has it; the key itself where the part could be opened.
#[derive(Debug, Clone)]
pub(crate) struct Took {
    pub(crate) tenant: Tenant,
    /// The thread; of a record that waits, the id under which it does.
    pub(crate) thread: Handle,
    /// The place there; of a record that waits, [`claim::WAITING`].
    pub(crate) n: i64,
    pub(crate) key: Option<OnceKey>,
}

/// A thread of the directory, as far as its changes lie under the key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    /// The last of these changes: its place, and its record.
    pub(crate) n: u64,
    pub(crate) last: RecordHash,
    /// How many there are.
    pub(crate) count: u64,
    /// Whether the last is of a grant.
    pub(crate) is_grant: bool,
}

/// What was seen so far.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) key: KeyId,
    /// Up to which entry each log was gone through.
    pub(crate) next: BTreeMap<Tenant, u64>,
    lost: BTreeMap<(Tenant, Kind), u64>,
    pub(crate) took: Vec<Took>,
    pub(crate) changed: BTreeMap<(Tenant, Handle), Changed>,
    pub(crate) records: u64,
    broken: u64,
    opened: bool,
    pub(crate) list: RecordList,
}

impl Survey {
    /// Nothing seen yet.
    pub(crate) fn new(key: KeyId) -> Self {
        Self {
            key,
            next: BTreeMap::new(),
            lost: BTreeMap::new(),
            took: Vec::new(),
            changed: BTreeMap::new(),
            records: 0,
            broken: 0,
            opened: true,
            list: RecordList::default(),
        }
    }

    /// What can no longer be judged again, as the erasure's record lists it.
    pub(crate) fn lost(&self) -> Vec<Lost> {
        self.lost.iter().map(|((tenant, kind), count)| Lost { tenant: tenant.clone(), kind: *kind, count: *count }).collect()
    }

    /// How it stood.
    pub(crate) fn verdict(&self) -> LastVerdict {
        match (self.opened, self.broken) {
            (false, _) => LastVerdict::Unread,
            (true, 0) => LastVerdict::Intact,
            (true, broken) => LastVerdict::Broken(broken),
        }
    }

    /// Counts rows that are not what their records say: these hold, and what stood on them did not.
    pub(crate) fn differ(&mut self, rows: u64) {
        self.broken += rows;
    }

    /// Up to which entry a tenant's log was gone through.
    pub(crate) fn size(&self, tenant: &Tenant) -> u64 {
        self.next.get(tenant).copied().unwrap_or(0)
    }

    /// Takes a record that holds something under the key; says whether it does.
    pub(crate) fn take(
        &mut self,
        tenant: &Tenant,
        spot: Spot,
        bytes: &[u8],
        parts: &[u8],
        secret: Option<&SubjectKey>,
    ) -> Option<RecordHash> {
        // What does not decode cannot say whose it is; `verify` finds it.
        let boxes = decode_stored(parts).ok()?;
        let theirs = boxes.iter().find(|stored| stored.key == self.key && !stored.is_clear())?;
        let header = Header::decode(bytes).ok()?;
        self.records += 1;
        *self.lost.entry((tenant.clone(), header.kind)).or_default() += 1;
        let hash = digest::record_hash(bytes);
        let changes = header.kind == Kind::Directory && theirs.places.iter().any(|(slot, _)| *slot == Slot::Change);
        if let Spot::Placed(n) = spot
            && changes
        {
            let event = header.event.as_ref().map(DottedName::as_str);
            let is_grant = matches!(event, Some("directory.grant" | "directory.revoke"));
            let changed = self.changed.entry((tenant.clone(), header.thread));
            let changed = changed.or_insert(Changed { n, last: hash, count: 0, is_grant });
            changed.count += 1;
            if n > changed.n {
                (changed.n, changed.last, changed.is_grant) = (n, hash, is_grant);
            }
        }
        let opened = match secret {
            None => {
                self.opened = false;
                None
            }
            Some(secret) => match theirs.open_listed(Some(secret), &header.parts) {
                Ok(opened) => Some(opened),
                Err(_) => {
                    self.broken += 1;
                    None
                }
            },
        };
        if theirs.places.iter().any(|(slot, _)| *slot == Slot::Once) {
            let part = opened.iter().flatten().find(|part| part.slot == Slot::Once);
            let key = part.and_then(|part| judge::decode_once(&part.plaintext).ok()).map(|(key, _)| key);
            let (thread, n) = match spot {
                Spot::Placed(n) => (header.thread, i64::try_from(n).unwrap_or(i64::MAX)),
                Spot::Waits(id) => (id, claim::WAITING),
            };
            self.took.push(Took { tenant: tenant.clone(), thread, n, key });
        }
        Some(hash)
    }

    /// One entry of a log, and its record; `of` is the store and the epoch that the entry is of.
    pub(crate) fn entry(
        &mut self,
        of: Origin,
        tenant: &Tenant,
        row: &Row,
        prev: EntryHash,
        secret: Option<&SubjectKey>,
    ) -> Result<(), Failure> {
        let (Some(bytes), Some(parts)) = (row.opt_blob(8)?, row.opt_blob(9)?) else { return Ok(()) };
        let (seq, n, broken) = (row.uint(0)?, row.uint(2)?, self.broken);
        let Some(hash) = self.take(tenant, Spot::Placed(n), bytes, parts, secret) else { return Ok(()) };
        self.list.push(tenant, seq, &hash);
        let is_stream = Header::decode(bytes).is_ok_and(|header| header.n.is_none());
        let entry = Entry {
            store: of.store,
            epoch: of.epoch,
            tenant: tenant.clone(),
            seq,
            prev,
            sealed_at: Timestamp(row.int(3)?),
            stream: is_stream.then_some((n, row.opt_bytes(4)?.map(RecordHash))),
            disputed: row.opt_uint(5)?.map(|d| d as u16),
            header: bytes.to_vec(),
        };
        let stored = (EntryHash(row.bytes(6)?), TreeHash(row.bytes(7)?));
        let holds = entry.encode().is_ok_and(|bytes| (digest::entry_hash(&bytes), digest::tree_leaf(&bytes)) == stored);
        if !holds && self.broken == broken {
            self.broken += 1;
        }
        Ok(())
    }
}
