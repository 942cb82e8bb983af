//! One order's story in two logs, and the bundle that tells it.

use super::log::LogMaker;
use super::record::*;
use super::{START, drawn, seal_key, tenant, trust, witnessed};
use hos_core::digest::{heads_label, law_hash};
use hos_core::id::*;
use hos_core::proof::bundle::{Bundle, Item, KeyRange, LawFiles, LogNote};
use hos_core::proof::heads::{Head, HeadsMap};
use hos_core::proof::record::*;
use hos_core::time::Timestamp;

/// The id of the order.
pub const ORDER: &str = "o-17";

type OnRec = Box<dyn Fn(&str, &mut Rec)>;
type OnLog = Box<dyn Fn(&str, &mut LogMaker)>;

/// What the story is to be.
pub struct Plan {
    /// Whether the universe has a log of its own; else the order lies in the universe itself.
    pub universe: bool,
    pub label: bool,
    pub map: bool,
    /// Whether the order moves after its birth: paid, then shipped.
    pub moves: bool,
    /// Whether slices and the directory are told.
    pub roles: bool,
    /// Whether the last record erases the order.
    pub erased: bool,
    /// When a second law comes into force, in milliseconds after the start. What is later is judged under it.
    pub second_law: Option<i64>,
    /// Entries of other threads before the order's and behind the map's.
    pub noise: u64,
    pub later: u64,
    pub epoch: u64,
    /// Witnesses in the trust file, those that sign, and how many are asked for.
    pub witnesses: (u64, Vec<u64>, u64),
    /// Bends a record before it is put.
    pub bend: OnRec,
    /// Is called after each record, to put more.
    pub after: OnLog,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            universe: true,
            label: true,
            map: true,
            moves: true,
            roles: true,
            erased: false,
            second_law: None,
            noise: 1,
            later: 0,
            epoch: 0,
            witnesses: (0, Vec::new(), 0),
            bend: Box::new(|_, _| ()),
            after: Box::new(|_, _| ()),
        }
    }
}

impl Plan {
    /// One record, nothing besides.
    pub fn least() -> Self {
        Self { universe: false, moves: false, roles: false, noise: 0, map: false, label: false, ..Self::default() }
    }

    pub fn bending(self, bend: impl Fn(&str, &mut Rec) + 'static) -> Self {
        Self { bend: Box::new(bend), ..self }
    }

    pub fn adding(self, after: impl Fn(&str, &mut LogMaker) + 'static) -> Self {
        Self { after: Box::new(after), ..self }
    }
}

/// A law's files, tiny.
pub fn law(number: u64) -> LawFiles {
    let files = vec![
        ("law.toml".to_owned(), format!("version = {number}\n").into_bytes()),
        ("policies/all.cedar".to_owned(), b"permit(principal, action, resource);\n".to_vec()),
    ];
    let hash = law_hash(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
    LawFiles { hash, files }
}

/// The two logs, and where the order's thread ended when the map was made.
pub struct Grown {
    pub logs: Vec<LogMaker>,
    pub thread: Handle,
    pub end: Option<(HeadsMap, Head)>,
    second_law: Option<i64>,
}

impl Grown {
    /// The log in which the universe's records lie.
    pub fn universe(&self) -> &LogMaker {
        self.logs.last().unwrap()
    }
}

struct Growing<'p> {
    plan: &'p Plan,
    laws: Vec<(i64, LawHash, RecordHash)>,
}

impl Growing<'_> {
    fn put(&self, log: &mut LogMaker, name: &str, mut rec: Rec) -> RecordHash {
        (self.plan.bend)(name, &mut rec);
        let hash = log.put(name, rec);
        (self.plan.after)(name, log);
        hash
    }

    /// Under the law that is in force at its time.
    fn judged(&self, mut rec: Rec) -> Rec {
        let time = rec.header.time.0 - START;
        if let Some((_, law, activation)) = self.laws.iter().rev().find(|(from, ..)| *from <= time) {
            (rec.header.law, rec.header.activation) = (Some(*law), Some(*activation));
        }
        rec.header.decision = Decision::Allow;
        rec.header.policies = vec!["buyer-acts".to_owned()];
        rec.header.contract = Some(Name::new("order").unwrap());
        rec.header.contract_version = Some(1);
        rec
    }

    fn activate(&mut self, log: &mut LogMaker, name: &str, number: u64, at: i64) {
        let law = law(number).hash;
        let mut rec = Rec::of_stream(Kind::Activated, "hos.law", 0).with(Slot::Change, activation(&law));
        rec.header.time = Timestamp(START + at);
        rec.header.law = Some(law);
        let hash = self.put(log, name, rec);
        self.laws.push((at, law, hash));
    }

    fn moved(&self, minutes: i64, event: &str, from: &str, to: &str) -> Rec {
        let mut rec = self.judged(Rec::new(Kind::Moved, "order", minutes));
        rec.header.event = Some(DottedName::new(event).unwrap());
        (rec.header.from, rec.header.to) = (Some(Name::new(from).unwrap()), Some(Name::new(to).unwrap()));
        rec.with(Slot::Principal, entity(&buyer()))
    }
}

pub fn buyer() -> Uid {
    uid("Account", "ayse")
}

pub fn seller() -> Uid {
    uid("Shop", "kitap")
}

pub fn buyers() -> Uid {
    uid("Role", "buyer")
}

pub fn desk_link(record: Option<RecordHash>) -> JudgedLink {
    JudgedLink { id: "grant-1".into(), template: "desk".into(), principal: Some(buyer()), resource: Some(seller()), record }
}

/// A record of the directory, of the row's own thread.
pub fn row(thread: &str, minutes: i64, change: Vec<u8>) -> Rec {
    let mut rec = Rec::new(Kind::Directory, thread, minutes).with(Slot::Change, change);
    rec.header.decision = Decision::Allow;
    rec
}

pub fn note(thread: &str, minutes: i64) -> Rec {
    Rec::of_stream(Kind::Noted, thread, minutes)
}

/// Writes the story into its logs.
pub fn grow(plan: &Plan) -> Grown {
    let mut g = Growing { plan, laws: Vec::new() };
    let mut above = LogMaker::new(Tenant::universe(), plan.epoch);
    g.put(&mut above, "founded", Rec::of_stream(Kind::Founded, "hos.store", 0));
    if plan.roles || plan.universe {
        g.put(&mut above, "key", Rec::of_stream(Kind::Key, "hos.keys", 0));
    }
    g.activate(&mut above, "activated", 1, 0);
    let mut slice = Slice::default();
    let judged = |uid: Uid, attrs: bool, parents: Vec<Uid>, record| Judged { uid, attrs: active(attrs), parents, record };
    if plan.roles {
        let put_buyer = g.put(&mut above, "put buyer", row("row of buyer", 1, put(&buyer(), &active(true))));
        let put_seller = g.put(&mut above, "put seller", row("row of seller", 1, put(&seller(), &active(false))));
        slice.entities.push(judged(buyer(), true, vec![buyers()], Some(put_buyer)));
        slice.entities.push(judged(seller(), false, Vec::new(), Some(put_seller)));
    }
    if let Some(at) = plan.second_law {
        g.activate(&mut above, "activated again", 2, at);
    }
    let mut own = plan.universe.then(|| LogMaker::new(tenant(), plan.epoch));
    let log = own.as_mut().unwrap_or(&mut above);
    for i in 0..plan.noise {
        let mut rec = note("noise", 1);
        rec.header.thread = Handle(drawn("noise", i));
        g.put(log, &format!("noise {i}"), rec);
    }
    if plan.roles {
        let of = if plan.universe { "own row of buyer" } else { "row of buyer" };
        let join = g.put(log, "join buyer", row(of, 2, membership(2, &buyer(), &buyers())));
        let granted = g.put(log, "grant", row("grant", 2, grant(&desk_link(None))));
        if let Some(first) = slice.entities.first_mut() {
            first.record = Some(join);
        }
        slice.links.push(desk_link(Some(granted)));
        // What came with the call cites no record of the directory.
        slice.entities.push(judged(uid("Order", ORDER), true, Vec::new(), None));
    }
    let slice = plan.roles.then_some(slice);
    let mut birth = g.judged(Rec::new(Kind::Begun, "order", 10));
    birth.header.event = Some(DottedName::new("place").unwrap());
    birth.header.to = Some(Name::new("new").unwrap());
    birth.header.label = plan.label.then(|| heads_label(&log.tenant, "order", ORDER));
    birth = birth.with(Slot::Id, text(ORDER)).with(Slot::Facts, values(&active(true)));
    birth.slice.clone_from(&slice);
    let thread = birth.header.thread;
    g.put(log, "birth", birth);
    if plan.moves {
        let mut pay = g.moved(20, "pay", "new", "paid");
        pay.slice = slice;
        g.put(log, "pay", pay);
        g.put(log, "ship", g.moved(30, "ship", "paid", "shipped"));
    }
    if plan.erased {
        let mut rec = g.judged(Rec::new(Kind::Erased, "order", 40));
        rec.header.policies = Vec::new();
        g.put(log, "erased", rec.with(Slot::Change, erasure()));
    }
    let end = plan.map.then(|| (log.map(), log.head(&thread)));
    if plan.map {
        let rec = Rec::of_stream(Kind::Heads, "hos.heads", 50).with(Slot::Change, log.heads_content());
        g.put(log, "heads", rec);
    }
    for i in 0..plan.later {
        g.put(log, &format!("later {i}"), note("later", 60));
    }
    let logs = own.into_iter().chain([above]).collect();
    Grown { logs, thread, end, second_law: plan.second_law }
}

/// `[key id or zeros, ground]`.
fn erasure() -> Vec<u8> {
    let mut w = hos_core::canon::Writer::default();
    w.array(2).bytes(&[0; 16]).text("asked by the person");
    w.finish()
}

/// A bundle with what a verifier brings along.
#[derive(Clone)]
pub struct Made {
    pub bundle: Bundle,
    pub trust: String,
    pub against: Vec<String>,
    pub logs: Vec<LogMaker>,
}

impl Made {
    pub fn bytes(&self) -> Vec<u8> {
        self.bundle.encode().unwrap()
    }

    /// The checkpoints that whoever verifies it kept.
    pub fn kept(&self) -> Vec<&[u8]> {
        self.against.iter().map(String::as_bytes).collect()
    }

    /// The item that was made of a record of the story.
    pub fn item(&mut self, name: &str) -> &mut Item {
        let entry = self.logs.iter().flat_map(|log| &log.placed).find(|placed| placed.name == name).unwrap().entry.clone();
        let Bundle { records, cited, heads, .. } = &mut self.bundle;
        let cited = cited.iter_mut().map(|(_, item)| item);
        let heads = heads.iter_mut().map(|heads| &mut heads.item);
        records.iter_mut().chain(cited).chain(heads).find(|item| item.entry == entry).unwrap()
    }

    /// Takes a cited thread of this name away from a place of it on.
    pub fn drop_cited(&mut self, name: &str) {
        let entry = self.item(name).entry.clone();
        self.bundle.cited.retain(|(_, item)| item.entry != entry);
    }
}

/// Tells a story that was written: who is shown what, under which checkpoints.
pub fn tell(plan: &Plan, grown: &Grown) -> Made {
    let log = &grown.logs[0];
    let records = log.thread(&grown.thread).into_iter().map(|(_, item)| item).collect();
    let heads = grown.end.as_ref().map(|(map, head)| log.heads_proof(map, head, log.place_of("heads")));
    let mut cited: Vec<(usize, u64, Item)> = Vec::new();
    let named = |place: usize, thread: &str| (place, Handle(drawn(thread, 0)));
    let above = grown.logs.len() - 1;
    let threads = [
        named(above, "hos.law"),
        named(above, "hos.keys"),
        named(above, "row of buyer"),
        named(above, "row of seller"),
        named(0, "own row of buyer"),
        named(0, "grant"),
    ];
    for (place, thread) in threads {
        let items = grown.logs[place].thread(&thread);
        cited.extend(items.into_iter().map(|(seq, item)| (place, seq, item)));
    }
    cited.sort_by_key(|(place, seq, _)| (*place, *seq));
    let mut laws = vec![law(1)];
    laws.extend(grown.second_law.map(|_| law(2)));
    laws.sort_by_key(|law| law.hash);
    let (known, signing, asked) = &plan.witnesses;
    let notes = grown.logs.iter().enumerate().map(|(place, log)| LogNote {
        tenant: log.tenant.to_string(),
        note: if place == 0 { witnessed(&log.note(), signing) } else { log.note() },
    });
    let keys = grown.logs.iter().enumerate();
    let keys = keys.map(|(place, log)| KeyRange { log: place, vkey: log.key().to_string(), from: 0, to: 0 }).collect();
    let bundle = Bundle {
        logs: notes.collect(),
        thread: grown.thread,
        records,
        heads,
        cited: cited.into_iter().map(|(place, _, item)| (place, item)).collect(),
        laws,
        keys,
    };
    Made { bundle, trust: trust(&log.key(), *known, *asked), against: Vec::new(), logs: grown.logs.clone() }
}

pub fn made(plan: &Plan) -> Made {
    tell(plan, &grow(plan))
}

/// A note over another size or root, by the log's own key.
pub fn resigned(made: &Made, log: usize, change: impl FnOnce(&mut hos_core::proof::checkpoint::Checkpoint)) -> String {
    let mut checkpoint = made.logs[log].checkpoint();
    change(&mut checkpoint);
    checkpoint.sign(&seal_key()).unwrap()
}
