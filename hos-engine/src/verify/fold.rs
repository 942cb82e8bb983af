//! The fold of a tenant's records: what every derived row must say.

use super::Findings;
use super::aside::{ByThread, Marks, Room};
use super::folded::Folded;
use super::laws::{Activation, Laws, Untimely, activation};
use super::messages::Messages;
use super::met::Met;
use super::onces::Onces;
use crate::store::StoreError;
use hos_core::audit::legacy::Claim;
use hos_core::call::Change;
use hos_core::id::{Handle, KeyId, LawHash, Name, RecordHash, Tenant};
use hos_core::judge::{self, DirectoryAfter, DirectoryRows, DirectoryThread};
use hos_core::policy::{Entity, Link};
use hos_core::proof::erasure::Erasure;
use hos_core::proof::examine::Examined;
use hos_core::proof::record::{Decision, Kind, Slot, stream_of};
use hos_core::proof::view::HeaderView;
use hos_core::time::Timestamp;
use std::collections::{HashMap, HashSet};

/// A directory row, as its records say.
pub(super) enum FoldedRow {
    Entity {
        thread: DirectoryThread,
        entity: Entity,
        removed: bool,
        /// Keys that are gone of persons whom it joined or left: what says which lies under theirs.
        joined: Vec<KeyId>,
    },
    Grant {
        thread: DirectoryThread,
        link: Link,
        removed: bool,
    },
    /// Its last record cannot be read any more: the key is gone that it lies under, or nothing is vouched for of it.
    Unreadable {
        thread: DirectoryThread,
        key: Option<KeyId>,
    },
    /// An erasure's record ended its thread: there is no row.
    Ended,
}

/// What is wrong with a record behind the one that ends its thread.
const AFTER_ITS_END: &str = "the thread goes on behind the erasure that ended it";

/// A record as the fold takes it.
pub(super) struct Taken<'r> {
    pub(super) header: &'r HeaderView<'r>,
    pub(super) record: &'r Examined<'r>,
    pub(super) n: u64,
    /// The place of its entry, if it has one.
    pub(super) seq: Option<u64>,
    /// Whether its parts may be believed.
    pub(super) readable: bool,
}

impl<'r> Taken<'r> {
    /// The plaintext of the first part of a slot, where it is there and could be opened.
    fn part(&self, slot: Slot) -> Option<&'r [u8]> {
        if self.readable { self.record.part(slot) } else { None }
    }

    /// The key that is gone under which the first part of a slot lies.
    fn gone(&self, slot: Slot) -> Option<KeyId> {
        if self.readable { self.record.part_gone(slot) } else { None }
    }
}

/// What a tenant's rows must be.
pub(super) struct Fold {
    tenant: Tenant,
    pub(super) marks: Marks,
    pub(super) instances: ByThread<Folded>,
    pub(super) onces: Onces,
    pub(super) messages: Messages,
    pub(super) directory: HashMap<Handle, FoldedRow>,
    pub(super) streams: HashMap<Handle, (String, u64, RecordHash)>,
    /// Activations, each behind its record.
    pub(super) activations: Vec<(RecordHash, Activation)>,
    /// Tenants opened, with when.
    pub(super) opened: Vec<(String, Timestamp)>,
    pub(super) founded_at: Option<Timestamp>,
    pub(super) founded: Option<Vec<u8>>,
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) erasures: Vec<Erasure>,
    pub(super) directory_version: u64,
    /// Records of which nothing is vouched for.
    pub(super) disputed: HashSet<(Handle, u64)>,
    /// Where the log is not read from its beginning: what is known of its threads.
    pub(super) since: Option<Met>,
    /// Records whose activation was not in force when they claim to be made.
    pub(super) untimely: Untimely,
    /// The law that the last record cited, once it was found to be there.
    last_law: Option<LawHash>,
}

impl Fold {
    pub(super) fn new(tenant: &Tenant, since: Option<Met>, room: Room, marks: &Marks) -> Self {
        Self {
            tenant: tenant.clone(),
            marks: marks.clone(),
            instances: ByThread::new(room.threads),
            onces: Onces::new(room, marks),
            messages: Messages::new(room, marks),
            directory: HashMap::new(),
            streams: HashMap::new(),
            activations: Vec::new(),
            opened: Vec::new(),
            founded_at: None,
            founded: None,
            keys: Vec::new(),
            roots: Vec::new(),
            erasures: Vec::new(),
            directory_version: 0,
            disputed: HashSet::new(),
            since,
            untimely: Untimely::default(),
            last_law: None,
        }
    }

    /// The once-keys that the records took, and the messages that they sent: to be compared, once.
    pub(super) fn operations(&mut self, room: Room) -> (Onces, Messages) {
        let onces = std::mem::replace(&mut self.onces, Onces::new(room, &self.marks));
        (onces, std::mem::replace(&mut self.messages, Messages::new(room, &self.marks)))
    }

    /// Whether it has a log's records from the first on.
    pub(super) fn is_whole(&self) -> bool {
        self.since.is_none()
    }

    /// Whether it has this record, if the log has it.
    pub(super) fn covers(&self, thread: &Handle, n: u64) -> bool {
        self.since.as_ref().is_none_or(|since| since.covers(thread, n))
    }

    /// Whether it has a thread, if the log has it: an instance's or a directory row's from its birth on.
    pub(super) fn has(&self, thread: &Handle) -> bool {
        self.since.as_ref().is_none_or(|since| since.has(thread))
    }

    /// Whose records.
    pub(super) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// What is put aside cannot be written, or read.
    pub(super) fn take(&mut self, findings: &mut Findings, laws: &Laws, taken: &Taken<'_>) -> Result<(), StoreError> {
        let Taken { header, n, .. } = *taken;
        let hash = taken.record.hash();
        let tenant = self.tenant.clone();
        let at = || format!("tenant {tenant}, thread {}, n {n}", header.thread);
        if let Some(law) = header.law.filter(|law| self.last_law != Some(*law)) {
            if laws.has(&law) {
                self.last_law = Some(law);
            } else {
                findings.add(at(), format!("the record cites law {law}, which the store does not have"));
            }
        }
        if !taken.readable {
            self.disputed.insert((header.thread, n));
        } else if let Some(cited) = &header.activation {
            laws.hold((cited, header.law, header.time), &at, findings, &mut self.untimely);
        } else if !(tenant.is_universe() && self.activations.is_empty()) {
            findings.add(at(), "the record cites no activation");
        }
        let listed = |slot: Slot| header.parts.iter().any(|part| part.slot == slot);
        let opened = |slot: Slot| taken.part(slot);
        if header.n.is_none() {
            self.stream(findings, header, hash, n);
        }
        if listed(Slot::Once) {
            match opened(Slot::Once).map(judge::read_once) {
                Some(Ok((key, digest))) => self.onces.push(key, digest, (header.thread, n), header.time, taken.seq)?,
                Some(Err(e)) => findings.add(at(), format!("part once: {e}")),
                None => self.onces.unread((header.thread, n), taken.gone(Slot::Once))?,
            }
        }
        if listed(Slot::Effects) {
            match opened(Slot::Effects).map(judge::decode_messages) {
                Some(Ok(messages)) => {
                    for (i, message) in messages.into_iter().enumerate() {
                        let body = crate::court::settle::encode(&message.body);
                        self.messages.push((header.thread, n), i as u64, message.kind.as_str(), &body)?;
                    }
                }
                Some(Err(e)) => findings.add(at(), format!("part effects: {e}")),
                None if taken.readable => self.messages.unread((header.thread, n), laws.sent(header).as_deref())?,
                // Nobody says what a disputed record sent.
                None => {}
            }
        }
        match header.kind {
            Kind::Begun | Kind::Adopted | Kind::Moved | Kind::Expired | Kind::Overridden | Kind::Migrated => {
                self.moved(findings, laws, taken)?;
            }
            Kind::Observed | Kind::Refused if header.n.is_some() => self.moved(findings, laws, taken)?,
            Kind::Legacy => self.told(findings, taken)?,
            Kind::Directory => self.directory(findings, taken),
            Kind::Activated => match opened(Slot::Change).and_then(activation) {
                Some(said) => self.activations.push((hash, said)),
                None => findings.add(at(), "an activation that says nothing"),
            },
            Kind::Tenant => match opened(Slot::Change).map(judge::decode_text) {
                Some(Ok(name)) => self.opened.push((name, header.time)),
                _ => findings.add(at(), "a tenant's record that names none"),
            },
            Kind::Founded => {
                self.founded_at = Some(header.time);
                self.founded = opened(Slot::Change).map(<[u8]>::to_vec);
            }
            Kind::Checkpoint => self.roots.extend(opened(Slot::Change).map(<[u8]>::to_vec)),
            Kind::Key => self.keys.extend(opened(Slot::Change).map(<[u8]>::to_vec)),
            Kind::Erased if header.n.is_some() => self.ended(findings, header, hash, n)?,
            Kind::Erased => {
                self.directory_version += 1;
                match opened(Slot::Change).map(Erasure::decode) {
                    Some(Ok(erasure)) => self.erasures.push(erasure),
                    Some(Err(e)) => findings.add(at(), format!("part change: {e}")),
                    None => findings.add(at(), "an erasure's record that says nothing"),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A record of a named stream.
    pub(super) fn stream(&mut self, findings: &mut Findings, header: &HeaderView<'_>, hash: RecordHash, n: u64) {
        let name = stream_of(header.kind, header.event).unwrap_or_default().to_owned();
        let known = self.streams.entry(header.thread).or_insert_with(|| (name.clone(), n, hash));
        if known.0 != name {
            findings.add(
                format!("tenant {}, thread {}, n {n}", self.tenant, header.thread),
                format!("a record of `{name}` in the stream `{}`", known.0),
            );
        }
        (known.1, known.2) = (n, hash);
    }

    /// The last record of an erased thread.
    fn ended(&mut self, findings: &mut Findings, header: &HeaderView<'_>, hash: RecordHash, n: u64) -> Result<(), StoreError> {
        if let Some(folded) = self.instances.get(&header.thread)? {
            let state = folded.state.as_ref().map(Name::as_str);
            if header.from != state || header.to != state || header.contract != folded.contract.as_ref().map(Name::as_str) {
                let at = format!("tenant {}, thread {}, n {n}", self.tenant, header.thread);
                findings.add(at, "an erasure's record that names another contract or state than the instance's");
            }
            (folded.n, folded.last, folded.last_time) = (n, hash, folded.last_time.max(header.time));
            folded.version += 1;
            folded.facts = None;
            folded.deadlines = Vec::new();
            folded.ended = true;
        } else {
            self.directory.insert(header.thread, FoldedRow::Ended);
        }
        Ok(())
    }

    /// What an older log tells of an instance: its thread goes on, and nothing else of it.
    fn told(&mut self, findings: &mut Findings, taken: &Taken<'_>) -> Result<(), StoreError> {
        let Taken { header, n, .. } = *taken;
        let at = || format!("tenant {}, thread {}, n {n}", self.tenant, header.thread);
        if let Some(excess) = Claim::over(header).excess(taken.part(Slot::Payload)) {
            findings.add(at(), excess.to_string());
        }
        match self.instances.get(&header.thread)? {
            Some(folded) => {
                if header.contract != folded.contract.as_ref().map(Name::as_str) {
                    let at = format!("tenant {}, thread {}, n {n}", self.tenant, header.thread);
                    findings.add(at, "what an older log tells names another contract than the instance's");
                }
                (folded.n, folded.last) = (n, taken.record.hash());
                folded.last_time = folded.last_time.max(header.time);
            }
            None => {
                let at = format!("tenant {}, thread {}, n {n}", self.tenant, header.thread);
                findings.add(at, "what an older log tells stands in the thread of no instance");
            }
        }
        Ok(())
    }

    fn moved(&mut self, findings: &mut Findings, laws: &Laws, taken: &Taken<'_>) -> Result<(), StoreError> {
        let Taken { header, n, .. } = *taken;
        let hash = taken.record.hash();
        let opened = |slot: Slot| taken.part(slot);
        let birth = n == 0;
        let had_facts = header.parts.iter().any(|p| p.slot == Slot::Facts);
        let born = || Folded {
            contract: header.contract.and_then(|name| Name::new(name).ok()),
            id: opened(Slot::Id).and_then(|bytes| judge::decode_text(bytes).ok()).map(|id| self.marks.of(id.as_bytes())),
            n,
            last: hash,
            state: None,
            version: 0,
            entered_n: n,
            entered_at: header.time,
            last_time: header.time,
            law: header.guard_law.or(header.law),
            contract_version: header.contract_version.unwrap_or_default(),
            facts: Some(self.marks.of(&[])),
            deadlines: Vec::new(),
            label: header.label.map(|label| self.marks.of(label.as_bytes())),
            ended: false,
        };
        let folded = self.instances.or_insert(header.thread, born)?;
        if folded.ended {
            findings.add(format!("tenant {}, thread {}, n {n}", self.tenant, header.thread), AFTER_ITS_END);
        }
        folded.n = n;
        folded.last = hash;
        folded.last_time = folded.last_time.max(header.time);
        if had_facts {
            folded.facts = opened(Slot::Facts).map(|facts| self.marks.of(facts));
        }
        if header.parts.iter().any(|p| p.slot == Slot::Deadlines) {
            match opened(Slot::Deadlines).map(judge::decode_armed) {
                Some(Ok(armed)) => folded.deadlines = armed,
                _ => findings
                    .add(format!("tenant {}, thread {}, n {n}", self.tenant, header.thread), "part deadlines does not decode"),
            }
        }
        if header.kind == Kind::Refused {
            return Ok(());
        }
        folded.version += 1;
        let law = header.guard_law.or(header.law);
        if header.kind == Kind::Migrated {
            folded.law = header.law;
            folded.contract_version = header.contract_version.unwrap_or_default();
        }
        let rearm = || {
            let of = laws.get(&law?)?.contracts.get(header.contract?)?;
            let (event, _) = of.contract.event(header.event?, header.from?)?;
            Some(event.rearm)
        };
        let same = header.to == folded.state.as_ref().map(Name::as_str);
        if !birth && (!same || header.kind != Kind::Migrated && rearm().unwrap_or(false)) {
            folded.entered_n = n;
            folded.entered_at = header.time;
        }
        if !same {
            folded.state = header.to.and_then(|name| Name::new(name).ok());
        }
        Ok(())
    }

    fn directory(&mut self, findings: &mut Findings, taken: &Taken<'_>) {
        let Taken { header, n, .. } = *taken;
        if header.decision == Decision::Deny {
            return;
        }
        self.directory_version += 1;
        let thread = DirectoryThread { handle: header.thread, n, last: taken.record.hash() };
        let at = format!("tenant {}, thread {}, n {n}", self.tenant, header.thread);
        if matches!(self.directory.get(&header.thread), Some(FoldedRow::Ended)) {
            return findings.add(at, AFTER_ITS_END);
        }
        let Some(bytes) = taken.part(Slot::Change) else {
            return self.unreadable(header.event, thread, taken.gone(Slot::Change));
        };
        let change: Change = match judge::decode_change(bytes) {
            Ok(change) => change,
            Err(e) => return findings.add(at, format!("part change: {e}")),
        };
        let mut joined = Vec::new();
        let rows = match self.directory.get(&header.thread) {
            Some(FoldedRow::Entity { thread, entity, removed, joined: before }) => {
                joined.clone_from(before);
                DirectoryRows { entity: Some((*thread, entity.clone(), *removed)), ..DirectoryRows::default() }
            }
            Some(FoldedRow::Grant { thread, link, removed }) => {
                DirectoryRows { grant: Some((*thread, link.clone(), *removed)), ..DirectoryRows::default() }
            }
            Some(FoldedRow::Unreadable { key, .. }) => {
                joined.extend(*key);
                DirectoryRows::default()
            }
            Some(FoldedRow::Ended) | None => DirectoryRows::default(),
        };
        let row = match judge::apply_change(&change, &rows, thread) {
            // What is removed is in nobody.
            Some(DirectoryAfter::Entity { thread, entity, removed: true }) => {
                FoldedRow::Entity { thread, entity, removed: true, joined: Vec::new() }
            }
            Some(DirectoryAfter::Entity { thread, entity, removed }) => FoldedRow::Entity { thread, entity, removed, joined },
            Some(DirectoryAfter::Grant { thread, link, removed }) => FoldedRow::Grant { thread, link, removed },
            None => return findings.add(at, "a change of a row that was never made"),
        };
        self.directory.insert(header.thread, row);
    }

    /// A change that cannot be read any more. What joins a person or leaves one, and is none itself, has that change under the person's
    /// key: all else that the row says stands as it was.
    fn unreadable(&mut self, event: Option<&str>, thread: DirectoryThread, key: Option<KeyId>) {
        let moves = matches!(event, Some("directory.join" | "directory.leave"));
        if let Some(key) = key.filter(|_| moves)
            && let Some(FoldedRow::Entity { thread: of, removed, joined, .. }) = self.directory.get_mut(&thread.handle)
        {
            (*of, *removed) = (thread, false);
            if !joined.contains(&key) {
                joined.push(key);
            }
            return;
        }
        self.directory.insert(thread.handle, FoldedRow::Unreadable { thread, key });
    }
}
