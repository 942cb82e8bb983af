//! A library's desk: it judges calls, keeps what comes of them, and tells it line by line.
//!
//! Whatever is judged is judged twice, and each record is judged again from its own bytes: every test of the judge is one of
//! the fold and of the replay as well.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test takes what it needs")]

pub mod law;
pub mod tell;

use hos_core::audit::replay::{Before, Outcome, Part, Past, Record as Again, RowFold, Rows, Thread};
use hos_core::call::{Begin, By, Call, Change, Transition};
use hos_core::digest::{commitment, record_hash};
use hos_core::id::{Handle, RecordHash, StoreId, Tenant, Uid};
use hos_core::judge::{
    self, BeginRows, Bench, DirectoryAfter, DirectoryRows, DirectoryThread, Draft, Instance, Judged, Limits, Place, Standing,
};
use hos_core::law::{Law, Mode, Modes};
use hos_core::policy::{Bound, Directory, Entity, Link};
use hos_core::proof::record::Durability;
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// When the library opens.
pub const START: i64 = 1_783_000_000_000;
pub const HOUR: i64 = 3_600_000;

pub fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("Lib::{kind}"), id).unwrap()
}

pub fn reader(id: &str) -> Uid {
    uid("Reader", id)
}

pub fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// An instant so many hours after the library opened.
pub fn after(hours: i64) -> Value {
    Value::Ext(Ext::Datetime, Timestamp(START + hours * HOUR).to_string())
}

/// `who` asks for a book of so many pages.
pub fn ask(who: &str, id: &str, pages: i64) -> Begin {
    let begin = Begin::new(reader(who), "loan", id, "ask").unwrap();
    begin.fact("reader", reader(who)).fact("shelf", uid("Shelf", "a")).fact("pages", pages)
}

pub fn event(who: &str, event: &str, id: &str) -> Transition {
    Transition::new(reader(who), "loan", id, event).unwrap()
}

/// The desk, and everything it has in its books.
pub struct Desk {
    pub law: Arc<Law>,
    pub candidate: Option<Arc<Law>>,
    pub tenant: Tenant,
    pub now: Timestamp,
    pub last_sealed: Option<Timestamp>,
    pub modes: Modes,
    pub limits: Limits,
    pub erased: bool,
    /// Whether it judges as earlier builds did.
    pub earlier: bool,
    pub instances: BTreeMap<String, Instance>,
    pub rows: BTreeMap<Uid, (DirectoryThread, Entity, bool)>,
    pub grants: BTreeMap<String, (DirectoryThread, Link, bool)>,
    pub version: u64,
    /// Every record, in the order in which it was made.
    pub records: Vec<Draft>,
    pub last: Option<Judged>,
    laws: Vec<Arc<Law>>,
    threads: HashMap<Handle, Thread>,
    folds: HashMap<Handle, RowFold>,
    told: Rows,
    salts: HashSet<[u8; 32]>,
    case: u8,
}

impl Desk {
    /// Readers ana (may carry 500 pages), ben and the inactive idle; sue is of the staff; shelf `a` closes after ten hours, `b` after three.
    pub fn new(law: Arc<Law>) -> Self {
        let mut desk = Self {
            laws: vec![law.clone()],
            law,
            candidate: None,
            tenant: Tenant::new("lib-tr").unwrap(),
            now: Timestamp(START),
            last_sealed: None,
            modes: Modes::default(),
            limits: Limits::default(),
            erased: false,
            earlier: false,
            instances: BTreeMap::new(),
            rows: BTreeMap::new(),
            grants: BTreeMap::new(),
            version: 0,
            records: Vec::new(),
            last: None,
            threads: HashMap::new(),
            folds: HashMap::new(),
            told: Rows::default(),
            salts: HashSet::new(),
            case: 0,
        };
        for (id, active, limit) in [("ana", true, 500), ("ben", true, 100), ("idle", false, 100), ("sue", true, 900)] {
            let attrs = record(&[("active", active.into()), ("limit", limit.into())]);
            desk.attest(&Change::Put { uid: reader(id), attrs });
        }
        desk.attest(&Change::Put { uid: uid("Role", "staff"), attrs: Record::new() });
        desk.attest(&Change::Join { uid: reader("sue"), parent: uid("Role", "staff") });
        desk.attest(&Change::Put { uid: uid("Shelf", "a"), attrs: record(&[("closes", after(10))]) });
        desk.attest(&Change::Put { uid: uid("Shelf", "b"), attrs: record(&[("closes", after(3))]) });
        desk
    }

    /// Puts another law in force.
    pub fn activate(&mut self, law: Arc<Law>) {
        self.laws.push(law.clone());
        self.law = law;
    }

    pub fn mode(&mut self, subject: &str, mode: Mode) {
        self.modes.entries.insert((None, subject.to_owned()), mode);
    }

    pub fn wait(&mut self, ms: i64) {
        self.now.0 += ms;
    }

    pub fn directory(&self) -> Arc<Directory> {
        let entities = self.rows.values().filter(|(.., removed)| !removed).map(|(_, entity, _)| entity.clone()).collect();
        let links = self.grants.values().filter(|(.., removed)| !removed).map(|(_, link, _)| link.clone()).collect();
        Arc::new(Directory::new(entities, links).unwrap())
    }

    pub fn rows_of(&self, change: &Change) -> DirectoryRows {
        let mut rows = DirectoryRows::default();
        match change {
            Change::Grant { id, .. } | Change::Revoke { id } => rows.grant = self.grants.get(id).cloned(),
            Change::Put { uid, .. } | Change::Remove { uid } | Change::Join { uid, .. } | Change::Leave { uid, .. } => {
                rows.entity = self.rows.get(uid).cloned();
            }
        }
        rows
    }

    /// Does something at the bench, as it stands for an instance (or for nobody's).
    pub fn with<T>(&self, instance: Option<&Instance>, act: impl FnOnce(&Bench<'_>) -> T) -> T {
        let directory = self.directory();
        let bound = |law: &Arc<Law>| {
            let bound = Bound::new(law.policy.clone(), directory.clone()).unwrap();
            if self.earlier { bound.earlier() } else { bound }
        };
        let older = instance.filter(|i| i.law != self.law.hash).and_then(|i| self.laws.iter().find(|law| law.hash == i.law));
        let (active, older) = (bound(&self.law), older.map(|law| (law, bound(law))));
        let candidate = self.candidate.as_ref().map(|law| (law, bound(law)));
        let bench = Bench {
            store: StoreId([7; 16]),
            tenant: &self.tenant,
            now: self.now,
            last_sealed: self.last_sealed,
            durability: Durability::Full,
            seed: [self.case; 32],
            compared: false,
            active: Standing { law: &self.law, bound: &active },
            candidate: candidate.as_ref().map(|(law, bound)| Standing { law, bound }),
            guards: older.as_ref().map(|(law, bound)| Standing { law, bound }),
            modes: &self.modes,
            activation: Some(RecordHash([9; 32])),
            directory_version: self.version,
            limits: self.limits,
        };
        act(&bench)
    }

    /// Puts a row into the directory as a founding does.
    pub fn attest(&mut self, change: &Change) {
        let rows = self.rows_of(change);
        let (draft, after) = self.with(None, |bench| judge::attest(bench, change, &rows)).unwrap();
        self.keep(draft, &Before::Nothing);
        self.put(after.unwrap());
        self.case += 1;
    }

    fn put(&mut self, after: DirectoryAfter) {
        self.version += 1;
        match after {
            DirectoryAfter::Entity { thread, entity, removed } => {
                self.rows.insert(entity.uid.clone(), (thread, entity, removed));
            }
            DirectoryAfter::Grant { thread, link, removed } => {
                self.grants.insert(link.id.clone(), (thread, link, removed));
            }
        }
    }

    /// What of a kind of thing is judged: of one case, with the instance that it is about.
    fn judged(&self, call: &Call, instance: Option<&Instance>) -> Judged {
        let rows = match (self.erased, instance) {
            (true, _) => BeginRows::Erased,
            (_, Some(_)) => BeginRows::Taken,
            _ => BeginRows::Free,
        };
        self.with(instance, |bench| match call {
            Call::Begin(call) => judge::begin(bench, call, rows),
            Call::Transition(call) if self.erased => judge::erased(bench, call),
            Call::Transition(call) => judge::transition(bench, call, instance),
            Call::Note(call) => judge::note(bench, call),
            Call::Directory(call) => judge::change(bench, call, &self.rows_of(&call.change)),
            Call::Adopt(call) => judge::adopt(bench, call, rows),
            Call::LegacyLog(call) => judge::legacy_log(bench, call, instance, rows),
        })
    }

    /// Judges a call, keeps what comes of it, and tells it.
    pub fn call(&mut self, call: &Call) -> Vec<String> {
        let key = call.instance().map(|(contract, id)| format!("{contract}/{id}"));
        let before = key.as_ref().and_then(|key| self.instances.get(key)).cloned();
        let rows = if let Call::Directory(call) = call { Some(self.rows_of(&call.change)) } else { None };
        let judged = self.judged(call, before.as_ref());
        let again = self.judged(call, before.as_ref());
        assert_eq!(tell::judged(&judged), tell::judged(&again), "one case, one answer");
        self.settle(judged, before, rows)
    }

    pub fn begin(&mut self, call: Begin) -> Vec<String> {
        self.call(&Call::Begin(call))
    }

    pub fn moves(&mut self, call: Transition) -> Vec<String> {
        self.call(&Call::Transition(call))
    }

    /// Fires what is due of an instance.
    pub fn tick(&mut self, key: &str) -> Vec<String> {
        let before = self.instances[key].clone();
        let judged = self.with(Some(&before), |bench| judge::tick(bench, &before));
        self.settle(judged, Some(before), None)
    }

    /// Takes an instance to the law in force.
    pub fn migrate(&mut self, key: &str) -> Vec<String> {
        let before = self.instances[key].clone();
        let judged = self.with(Some(&before), |bench| judge::migrate(bench, &before));
        self.settle(judged, Some(before), None)
    }

    pub fn available(&self, who: &str, key: &str) -> Vec<String> {
        let instance = &self.instances[key];
        let by = By::new(reader(who));
        let found = self.with(Some(instance), |bench| judge::available(bench, instance, &by));
        found.iter().map(|(name, answer, needs)| tell::available(name, answer, needs)).collect()
    }

    /// Keeps what was judged: each record follows the one before, and judging it again comes to the same.
    fn settle(&mut self, judged: Judged, before: Option<Instance>, rows: Option<DirectoryRows>) -> Vec<String> {
        let mut lines = vec![tell::answer(&judged.answer)];
        let mut last = before.as_ref().map(|instance| (instance.handle, instance.n, instance.last));
        let mut stand = before.clone();
        for draft in &judged.drafts {
            if let Place::Thread { handle, n, prev } = &draft.place
                && rows.is_none()
            {
                let wanted = last.map_or((*handle, 0, None), |(handle, n, hash)| (handle, n + 1, Some(hash)));
                assert_eq!((*handle, *n, *prev), wanted, "a record follows the one before");
                last = Some((*handle, *n, draft.hash));
            }
            let outcome = match &rows {
                Some(rows) => self.keep(draft.clone(), &Before::Row(rows)),
                None => self.keep(draft.clone(), &Before::Instance(stand.as_ref())),
            };
            if let Some(thread) = self.threads.get(&draft.header.thread) {
                stand = thread.instance().cloned();
            }
            lines.extend(tell::draft(draft, &tell::outcome(&outcome)));
        }
        lines.extend(judged.messages.iter().map(|(of, message)| format!("message of {of}: {}", tell::message(message))));
        if let Some(after) = &judged.instance {
            assert_eq!(stand.as_ref(), Some(after), "records fold to the instance");
            self.instances.insert(format!("{}/{}", after.contract, after.id), after.clone());
        } else {
            assert!(judged.drafts.iter().all(|draft| matches!(draft.place, Place::Stream(_)) || rows.is_some()));
        }
        if let Some(after) = judged.directory.clone() {
            self.put(after);
        }
        self.case += 1;
        self.last = Some(judged);
        lines
    }

    /// Keeps a record; says what judging it again comes to.
    pub fn keep(&mut self, draft: Draft, before: &Before<'_>) -> Outcome {
        assert_eq!(draft.header.encode().unwrap(), draft.bytes);
        assert_eq!(record_hash(&draft.bytes), draft.hash);
        let committed: Vec<_> = draft.parts.iter().map(|p| (p.slot, p.index, commitment(&p.salt, &p.plaintext))).collect();
        assert!(draft.header.parts.iter().map(|p| (p.slot, p.index, p.commitment)).eq(committed.iter().copied()));
        assert!(committed.is_sorted_by_key(|(slot, index, _)| (*slot, *index)));
        assert!(draft.parts.iter().all(|part| self.salts.insert(part.salt)), "a salt is used once");
        let laws = self.laws.clone();
        let laws = |hash: &hos_core::id::LawHash| laws.iter().find(|law| law.hash == *hash).cloned();
        let table = Arc::new(self.modes.clone());
        let activated = |_: &RecordHash| Some(table.clone());
        let past = Past::new(&laws).activated(&activated);
        let again = again(&draft);
        let outcome = past.again(&again, before);
        let place = self.records.len() as u64;
        assert_eq!(self.told.held(&again, false, place), Outcome::Same, "what was judged stood in the directory");
        if draft.header.kind == hos_core::proof::record::Kind::Directory {
            let fold = self.folds.entry(draft.header.thread).or_default();
            self.told.take(false, fold, &again, place);
        } else if draft.header.n.is_some() {
            self.threads.entry(draft.header.thread).or_default().take(&past, &again);
        }
        self.records.push(draft);
        outcome
    }

    /// What the directory's rows hold of a record.
    pub fn told(&self) -> &Rows {
        &self.told
    }

    pub fn laws(&self) -> Vec<Arc<Law>> {
        self.laws.clone()
    }
}

/// A record as the replay reads it.
pub fn again(draft: &Draft) -> Again<'_> {
    let parts = draft.parts.iter().map(|p| Part { slot: p.slot, index: p.index, content: &p.plaintext }).collect();
    Again::new(&draft.header, draft.hash, parts)
}

/// A scene: what was asked, and what the desk said; compared with the text that was read once by a person.
///
/// `HOS_BLESS=1` writes the text anew, for who means to change it and reads it.
pub struct Scene {
    name: &'static str,
    text: String,
}

impl Scene {
    pub fn new(name: &'static str) -> Self {
        Self { name, text: String::new() }
    }

    /// Tells what was said to this.
    pub fn told(&mut self, about: &str, lines: Vec<String>) {
        self.text += &format!("## {about}\n{}\n\n", lines.join("\n"));
    }

    pub fn ends(self) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/judge_{}.txt", self.name));
        if std::env::var_os("HOS_BLESS").is_some() {
            std::fs::write(&path, &self.text).unwrap();
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = wanted.lines().zip(self.text.lines()).position(|(wanted, told)| wanted != told);
        let line = |of: &str| differs.and_then(|at| of.lines().nth(at).map(str::to_owned)).unwrap_or_default();
        assert_eq!(line(&self.text), line(&wanted), "{} line {:?}", self.name, differs.map(|at| at + 1));
        assert_eq!(self.text.len(), wanted.len(), "{}", self.name);
    }
}
