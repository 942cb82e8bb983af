//! The past judged again: every kind of record gives the same answer, a planted verdict is named, another law is tried.

mod support;

use hos_core::answer::Answer;
use hos_core::audit::{self, replay::Outcome};
use hos_core::call::{Adopt, Begin, By, Change, Directory, Legacy, Note, Transition};
use hos_core::id::{InstanceId, Name, Tenant, Uid};
use hos_core::judge::{decode_slice, encode_world};
use hos_core::law::Law;
use hos_core::law::mode::{Mode, Modes};
use hos_core::policy::Entity;
use hos_core::proof::record::{Header, Part, Slot};
use hos_core::proof::stored::{StoredBox, decode_stored, encode_stored};
use hos_core::proof::trust::Trust;
use hos_core::value::{Record, Value};
use hos_engine::clock::SetClock;
use hos_engine::{Change as Changed, Engine, ExportOptions, Founding, Level, ReplayOptions, ReplayReport, Seal, Settings};
use hos_engine::{TenantRef, VerifyOptions};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::{Store, at, rich, store, uid};

fn replayed(engine: &Engine) -> ReplayReport {
    let (report, replay) = engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
    assert_eq!(report.findings, Vec::new());
    assert_eq!((replay.differs, &replay.listed), (0, &Vec::new()), "{replay:#?}");
    assert_eq!((report.level, replay.evidence), (Level::Replayed, Some(Level::Intact)));
    assert_eq!(replay.replayed + replay.erased + replay.attested, report.records);
    replay
}

/// A store under the rich law, with the shops `s` (closing in a day) and `f` (frozen).
fn world(settings: Settings) -> Store {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    let clock = Arc::new(SetClock::at(at("2026-01-01T00:00:00Z")));
    let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
    let founder = Entity { uid: uid("A", "root"), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
    let founding = Founding { founder, roles: vec![role] };
    let database = support::database::fresh();
    let engine = support::database::place(Engine::builder(), database.as_ref(), &path)
        .law(rich::law())
        .clock(clock.clone())
        .settings(settings)
        .found(founding)
        .unwrap();
    assert!(engine.open_tenant(&support::root(), &Tenant::new("t1").unwrap()).unwrap().allowed);
    let store = Store { engine, clock, path, dir, database };
    for name in ["ann", "bob"] {
        support::change(&store.tenant("universe"), Change::Put { uid: uid("A", name), attrs: Record::new() });
    }
    for (name, frozen) in [("s", false), ("f", true)] {
        let closes = Value::Ext(hos_core::value::Ext::Datetime, "2026-01-02".into());
        let attrs = Record::from([("closes".to_owned(), closes), ("frozen".to_owned(), Value::Bool(frozen))]);
        support::change(&store.tenant("t1"), Change::Put { uid: uid("S", name), attrs });
    }
    support::change(&store.tenant("t1"), Change::Put { uid: uid("R", "staff"), attrs: Record::new() });
    store
}

fn new(who: &str, shop: &str, id: &str) -> Begin {
    let begin = Begin::new(uid("A", "root"), "o", id, "new").unwrap();
    begin.fact("who", uid("A", who)).fact("shop", uid("S", shop)).fact("cap", 100)
}

fn event(by: Uid, id: &str, event: &str) -> Transition {
    Transition::new(by, "o", id, event).unwrap()
}

fn root() -> Uid {
    uid("A", "root")
}

#[track_caller]
fn yes(answer: Answer) -> Answer {
    assert!(answer.allowed, "{:?}", answer.blockers);
    answer
}

#[track_caller]
fn no(answer: Answer, code: &str) {
    assert_eq!(answer.code(), Some(code), "{answer:?}");
}

/// Births, moves, refusals of every stage, deadlines that fire and one that is refused, an override, directory changes of
/// every sort, notes, an adoption.
fn days(store: &Store) {
    let t1 = store.tenant("t1");
    for id in ["1", "2", "3", "4"] {
        yes(t1.begin(new("ann", "s", id).once(&format!("k{id}")).unwrap()).unwrap());
    }
    yes(t1.begin(new("bob", "f", "f").once("kf").unwrap()).unwrap());
    moves(store, &t1);
    refusals(&t1);
    store.clock.set(at("2026-01-01T12:00:00Z"));
    assert_eq!(t1.tick(100).unwrap(), 1, "the move to `b` waited an hour");
    store.clock.set(at("2026-01-03T00:00:00Z"));
    no(t1.transition(event(root(), "3", "go").arg("amount", 1)).unwrap(), "hos.terminal");
    assert_eq!(t1.tick(100).unwrap(), 0, "what the frozen shop refuses moves nothing, and is disarmed all the same");
    no(t1.transition(event(root(), "3", "back")).unwrap(), "hos.reason_missing");
    let back = event(root(), "3", "back").because("a mistake").once("back").unwrap();
    yes(t1.transition(back).unwrap());
    directory(store, &t1);
    yes(t1.record(Note::new(root(), "n", b"x".to_vec()).unwrap()).unwrap());
    let adopt = Adopt {
        by: By::new(root()),
        contract: Name::new("o").unwrap(),
        id: InstanceId::new("old").unwrap(),
        state: Name::new("b").unwrap(),
        facts: new("ann", "s", "old").facts,
        once: None,
    };
    no(t1.adopt(Adopt { by: By::new(uid("A", "ann")), ..adopt.clone() }).unwrap(), "hos.not_permitted");
    yes(t1.adopt(adopt).unwrap());
}

fn moves(store: &Store, t1: &TenantRef) {
    yes(t1.transition(event(root(), "1", "more").arg("cap", 500)).unwrap());
    no(t1.transition(event(uid("A", "ann"), "1", "go").arg("amount", 501)).unwrap(), "o.much");
    yes(t1.transition(event(uid("A", "ann"), "1", "go").arg("amount", 499).once("go").unwrap()).unwrap());
    // A provider that the directory does not know comes with the call.
    let mut paid = event(uid("P", "psp"), "1", "paid").arg("ref", "r");
    paid.by.given.push(Entity { uid: uid("P", "psp"), attrs: Record::new(), parents: [].into(), record: None });
    yes(t1.transition(paid.clone()).unwrap());
    assert!(yes(t1.transition(paid).unwrap()).again, "the same again writes nothing");
    yes(t1.transition(event(root(), "2", "go").arg("amount", 1)).unwrap());
    store.clock.set(at("2026-01-01T00:10:00Z"));
    yes(t1.transition(event(root(), "4", "go").arg("amount", 0)).unwrap());
}

fn refusals(t1: &TenantRef) {
    let ann = || uid("A", "ann");
    no(t1.begin(new("ann", "s", "1")).unwrap(), "hos.instance_exists");
    no(t1.begin(new("ann", "nowhere", "9")).unwrap(), "hos.entity_missing");
    no(t1.begin(Begin { event: Name::new("made-up").unwrap(), ..new("ann", "s", "9") }).unwrap(), "hos.event_unknown");
    no(t1.begin(Begin { contract: Name::new("made-up").unwrap(), ..new("ann", "s", "9") }).unwrap(), "hos.contract_unknown");
    no(t1.begin(Begin { by: By::new(ann()), ..new("ann", "s", "9") }).unwrap(), "hos.not_permitted");
    no(t1.begin(new("ann", "s", "9").fact("cap", "much")).unwrap(), "hos.attribute_type");
    no(t1.transition(event(root(), "never", "go").arg("amount", 1)).unwrap(), "hos.instance_unknown");
    no(t1.transition(event(root(), "3", "made-up")).unwrap(), "hos.event_unknown");
    no(t1.transition(event(root(), "3", "go")).unwrap(), "hos.attribute_missing");
    no(t1.transition(event(uid("A", "ghost"), "3", "go").arg("amount", 1)).unwrap(), "hos.principal_unknown");
    no(t1.transition(event(ann(), "3", "paid").arg("ref", "r")).unwrap(), "hos.not_permitted");
    no(t1.transition(event(root(), "3", "paid").arg("ref", "r")).unwrap(), "hos.wrong_state");
    no(t1.transition(event(uid("S", "s"), "3", "go").arg("amount", 1)).unwrap(), "hos.principal_type_unknown");
}

fn directory(store: &Store, t1: &TenantRef) {
    let staff = || uid("R", "staff");
    let as_ann = |change: Change| t1.directory(Directory::new(uid("A", "ann"), change)).unwrap();
    let join = || Change::Join { uid: uid("A", "bob"), parent: staff() };
    no(as_ann(join()), "hos.not_permitted");
    let grant = Change::Grant { id: "g".into(), template: "t".into(), principal: Some(uid("A", "ann")), resource: Some(staff()) };
    no(as_ann(grant.clone()), "hos.not_permitted");
    support::change(t1, grant);
    yes(as_ann(join()));
    no(as_ann(Change::Leave { uid: uid("A", "bob"), parent: staff() }), "hos.not_permitted");
    no(as_ann(Change::Revoke { id: "g".into() }), "hos.not_permitted");
    no(as_ann(Change::Remove { uid: staff() }), "hos.not_permitted");
    support::change(t1, Change::Leave { uid: uid("A", "bob"), parent: staff() });
    support::change(t1, join());
    support::change(t1, Change::Revoke { id: "g".into() });
    support::change(t1, Change::Put { uid: uid("R", "gone"), attrs: Record::new() });
    support::change(t1, Change::Remove { uid: uid("R", "gone") });
    no(as_ann(Change::Put { uid: uid("R", "mine"), attrs: Record::new() }), "hos.not_permitted");
    no(
        as_ann(Change::Grant { id: "h".into(), template: "none".into(), principal: None, resource: None }),
        "hos.template_unknown",
    );
    let ghost = Change::Put { uid: uid("A", "ghost"), attrs: Record::new() };
    no(t1.directory(Directory::new(root(), ghost)).unwrap(), "hos.directory_conflict");
    yes(store.engine.open_tenant(&By::new(root()), &Tenant::new("t2").unwrap()).unwrap());
}

/// Moves under a law whose policies are another's than the guards', then under one with a newer contract.
fn laws(store: &Store) {
    let t1 = store.tenant("t1");
    for id in ["g1", "m1", "m2", "m3"] {
        yes(t1.begin(new("ann", "s", id)).unwrap());
    }
    let activate = |law: Arc<Law>, modes| yes(store.engine.activate(&By::new(root()), law, None, modes).unwrap());
    activate(rich::stricter(), Modes::default());
    yes(t1.transition(event(root(), "g1", "more").arg("cap", 60)).unwrap());
    no(t1.transition(event(root(), "g1", "go").arg("amount", 61)).unwrap(), "hos.forbidden");
    no(t1.transition(event(root(), "g1", "more")).unwrap(), "hos.attribute_missing");
    yes(t1.transition(event(root(), "g1", "go").arg("amount", 50)).unwrap());
    activate(rich::newer(), Modes::default());
    // The migration and the move are of one call: the newer contract's guard holds.
    no(t1.transition(event(root(), "m1", "go").arg("amount", 7)).unwrap(), "o.odd");
    yes(t1.transition(event(root(), "m2", "go").arg("amount", 8)).unwrap());
    yes(t1.transition(event(root(), "m1", "go").arg("amount", 9)).unwrap());
    let mut modes = Modes::default();
    modes.entries.insert((Some(Tenant::new("t1").unwrap()), "o".into()), Mode::Shadow);
    activate(rich::newer(), modes);
    let mut seen = event(uid("A", "bob"), "m3", "go").arg("amount", 1);
    seen.by.legacy = Some(Legacy { allowed: true, state: Name::new("b").ok() });
    yes(t1.transition(seen).unwrap());
}

fn kinds(store: &Store) -> BTreeSet<String> {
    let copy = store.dir.path().join("kinds.db");
    store.engine.backup(&copy, None).unwrap();
    let db = Connection::open(copy).unwrap();
    let mut rows = db.prepare("SELECT header FROM hos_record").unwrap();
    let headers = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    headers.map(|bytes| format!("{:?}", Header::decode(&bytes.unwrap()).unwrap().kind)).collect()
}

#[test]
fn every_kind_of_record_gives_the_same_answer() {
    if support::database::is_on() {
        return;
    }
    let store = world(Settings::default());
    days(&store);
    let replay = replayed(&store.engine);
    let kinds = kinds(&store);
    let wanted = ["Activated", "Adopted", "Begun", "Directory", "Expired", "Moved", "Noted", "Overridden", "Refused", "Tenant"];
    assert!(wanted.iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
    assert!(replay.replayed >= 50, "{replay:?}");
    assert_eq!(replay.erased, 0);
    // What one tenant's share is, and what a range's.
    let one = ReplayOptions { tenant: Some(Tenant::new("t1").unwrap()), ..ReplayOptions::default() };
    let t1 = store.engine.replay(&one).unwrap();
    assert!(t1.replayed < replay.replayed && t1.replayed > 40, "{t1:?}");
    let range = ReplayOptions { from_seq: Some(10), to_seq: Some(20), ..one };
    let range = store.engine.replay(&range).unwrap();
    assert_eq!(range.replayed + range.attested, 10);
    let none = ReplayOptions { to: Some(at("2026-01-01T00:00:00Z")), ..ReplayOptions::default() };
    assert_eq!(store.engine.replay(&none).unwrap(), ReplayReport::default());
}

#[test]
fn what_was_judged_under_several_laws_is_judged_under_them_again() {
    if support::database::is_on() {
        return;
    }
    let store = world(Settings::default());
    laws(&store);
    let replay = replayed(&store.engine);
    assert!(replay.attested > 0, "what the world did in its shadow is attested");
    let kinds = kinds(&store);
    assert!(kinds.contains("Migrated") && kinds.contains("Observed"), "{kinds:?}");
}

#[test]
fn the_engine_s_own_small_store_is_judged_again_with_a_person_erased() {
    let store = store();
    replayed(&store.engine);
    yes(store.tenant("t1").transition(support::go("2")).unwrap());
    yes(store.engine.erase(&support::root(), &uid("A", "ann"), "KVKK m.7").unwrap());
    let replay = replayed(&store.engine);
    assert!(replay.erased >= 4, "{replay:?}");
}

/// Rewrites the header of an instance's last record before it has a place in the log, as a bent judge would have made it.
fn bend(store: Store, id: &str, change: impl FnOnce(&mut Header)) -> (Engine, tempfile::TempDir) {
    bend_all(store, id, |header, _| change(header))
}

/// As [`bend`], with the stored parts.
fn bend_all(store: Store, id: &str, change: impl FnOnce(&mut Header, &mut Vec<u8>)) -> (Engine, tempfile::TempDir) {
    let (builder, path) = (store.builder(), store.path.clone());
    let Store { engine, dir, .. } = store;
    engine.close().unwrap();
    let db = Connection::open(&path).unwrap();
    let read = "SELECT i.handle, i.n, r.header, r.parts FROM hos_instance i JOIN hos_record r
                ON r.tenant = i.tenant AND r.thread = i.handle AND r.n = i.n WHERE i.tenant = 't1' AND i.id = ?1";
    let (handle, n, bytes, mut parts): (Vec<u8>, i64, Vec<u8>, Vec<u8>) =
        db.query_row(read, params![id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    let mut header = Header::decode(&bytes).unwrap();
    change(&mut header, &mut parts);
    let bent = header.encode().unwrap();
    let write = "UPDATE hos_record SET header = ?3, parts = ?4 WHERE tenant = 't1' AND thread = ?1 AND n = ?2";
    assert_eq!(db.execute(write, params![handle, n, bent, parts]).unwrap(), 1);
    let last = hos_core::digest::record_hash(&bent);
    let write = "UPDATE hos_instance SET last = ?2 WHERE tenant = 't1' AND handle = ?1";
    assert_eq!(db.execute(write, params![handle, last.0.to_vec()]).unwrap(), 1);
    drop(db);
    let engine = builder.open().unwrap();
    engine.work().unwrap();
    (engine, dir)
}

#[test]
fn a_planted_verdict_is_named_though_the_evidence_is_whole() {
    if support::database::is_on() {
        return;
    }
    type Bend = (&'static str, fn(&mut Header));
    let bends: [Bend; 3] = [
        ("policies", |header| header.policies = vec!["own".into()]),
        ("to", |header| header.to = Name::new("d").ok()),
        ("contract version", |header| header.contract_version = Some(7)),
    ];
    for (what, change) in bends {
        let store = world(Settings { seal: Seal::Worker, ..Settings::default() });
        let t1 = store.tenant("t1");
        for id in ["1", "2", "3"] {
            yes(t1.begin(new("ann", "s", id)).unwrap());
            yes(t1.transition(event(root(), id, "go").arg("amount", 1)).unwrap());
        }
        drop(t1);
        let (engine, _dir) = bend(store, "2", change);
        let replay = engine.replay(&ReplayOptions::default()).unwrap();
        assert_eq!(replay.differs, 1, "{replay:#?}");
        let first = &replay.listed[0];
        assert_eq!((first.tenant.as_str(), first.n, first.what.as_str()), ("t1", 1, what), "{first:?}");
        assert_eq!(first.event, "o.go");
        assert!(first.seq.is_some());
        if what != "to" {
            // The state is a row as well, which verifying holds against the record; all else is whole.
            let (report, replay) = engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
            assert_eq!((report.level, replay.differs), (Level::Intact, 1), "{:?}", report.findings);
        }
    }
}

/// Puts another shop into the world that a record says was judged, with its commitment; what is nobody's lies in the clear.
fn another_shop(header: &mut Header, parts: &mut Vec<u8>, change: impl Fn(&mut Entity)) {
    let mut boxes = decode_stored(parts).unwrap();
    let stored = boxes.first_mut().filter(|stored| stored.is_clear()).unwrap();
    let opened = stored.open_listed(None, &header.parts).unwrap();
    let made: Vec<Part> = opened
        .into_iter()
        .map(|part| {
            let mut plaintext = part.plaintext;
            if part.slot == Slot::Slice {
                let (mut entities, links) = decode_slice(&plaintext).unwrap();
                entities.iter_mut().filter(|e| e.uid == uid("S", "s")).for_each(&change);
                plaintext = encode_world(&entities, &links);
            }
            Part::new(part.slot, part.index, None, part.salt, plaintext)
        })
        .collect();
    for part in &made {
        let listed = header.parts.iter_mut().find(|p| (p.slot, p.index) == (part.slot, part.index)).unwrap();
        listed.commitment = part.commitment();
    }
    let listed: Vec<_> = made.iter().map(|part| (part, part.commitment())).collect();
    *stored = StoredBox::seal(&listed, None, [0; 24]).unwrap();
    let bent = encode_stored(&boxes).unwrap();
    *parts = bent;
}

#[test]
fn a_world_that_the_directory_never_had_is_named() {
    if support::database::is_on() {
        return;
    }
    let made = || {
        let store = world(Settings { seal: Seal::Worker, ..Settings::default() });
        let t1 = store.tenant("t1");
        let mut shop = shop_of(&t1);
        let first = shop.clone();
        yes(t1.begin(new("ann", "s", "1")).unwrap());
        shop.attrs.insert("frozen".to_owned(), Value::Bool(true));
        support::change(&t1, Change::Put { uid: shop.uid, attrs: shop.attrs });
        yes(t1.transition(event(root(), "1", "go").arg("amount", 1)).unwrap());
        (store, first)
    };
    let (store, first) = made();
    replayed(&store.engine);
    // The shop as it was before the move, which the directory had changed by then.
    let (engine, _dir) = bend_all(store, "1", |header, parts| another_shop(header, parts, |shop| *shop = first.clone()));
    let replay = engine.replay(&ReplayOptions::default()).unwrap();
    assert_eq!((replay.differs, replay.listed[0].what.as_str()), (1, "part slice"), "{replay:#?}");
    assert_eq!(replay.listed[0].now, "by then the directory had changed it");
    // The shop with an attribute that no record gave, and one that cites a record that there never was.
    type Forge = (fn(&mut Entity), &'static str);
    let forge: [Forge; 2] = [
        (|shop| drop(shop.attrs.insert("frozen".to_owned(), Value::Bool(false))), "the directory records come to another"),
        (|shop| shop.record = Some(hos_core::id::RecordHash([7; 32])), "no directory record made it"),
    ];
    for (forge, why) in forge {
        let (store, _) = made();
        let (engine, _dir) = bend_all(store, "1", |header, parts| another_shop(header, parts, forge));
        let (report, replay) = engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
        assert_eq!((report.level, replay.differs), (Level::Intact, 1), "{:?}", report.findings);
        assert_eq!(replay.listed[0].now, why);
    }
}

fn shop_of(tenant: &TenantRef) -> Entity {
    let (entities, _) = tenant.directory_entities().unwrap();
    entities.into_iter().find(|e| e.uid == uid("S", "s")).unwrap()
}

#[test]
fn a_bundle_s_records_are_judged_again_under_the_laws_in_it() {
    let store = world(Settings::default());
    days(&store);
    for (id, hide) in [("1", None), ("3", None), ("f", None), ("2", Some("slice"))] {
        let options = ExportOptions { hide: hide.into_iter().map(str::to_owned).collect(), ..ExportOptions::default() };
        let exported = store.tenant("t1").export(&Name::new("o").unwrap(), &InstanceId::new(id).unwrap(), &options).unwrap();
        let trust = Trust::parse(exported.trust.as_bytes()).unwrap();
        let (verdict, replayed) = audit::bundle_replayed(&exported.bytes, &trust, &[]);
        assert!(verdict.holds(), "{verdict:?}");
        let replayed = replayed.unwrap();
        assert_eq!(replayed.first, None);
        assert_eq!(replayed.outcomes.len() as u64, verdict.records);
        let wanted = if hide.is_some() { Outcome::Erased } else { Outcome::Same };
        assert!(replayed.outcomes.iter().all(|outcome| *outcome == wanted), "{id}: {replayed:?}");
    }
}

/// A deadline in shadow fires nothing, and whether it is in shadow stands in the activation alone.
#[test]
fn a_deadline_in_shadow_accuses_no_call_that_is_enforced() {
    let store = world(Settings::default());
    let mut modes = Modes::default();
    modes.entries.insert((None, "o.late".into()), Mode::Shadow);
    yes(store.engine.activate(&By::new(root()), rich::law(), None, modes).unwrap());
    let t1 = store.tenant("t1");
    for id in ["1", "2"] {
        yes(t1.begin(new("ann", "s", id)).unwrap());
    }
    // The shop is closed by then: `late` is due.
    store.clock.set(at("2026-01-03T00:00:00Z"));
    no(t1.transition(event(uid("A", "ghost"), "1", "go").arg("amount", 1)).unwrap(), "hos.principal_unknown");
    yes(t1.transition(event(root(), "1", "more").arg("cap", 50)).unwrap());
    yes(t1.transition(event(root(), "1", "go").arg("amount", 1)).unwrap());
    // Enforced again, it comes before the call.
    yes(store.engine.activate(&By::new(root()), rich::law(), None, Modes::default()).unwrap());
    no(t1.transition(event(root(), "2", "go").arg("amount", 1)).unwrap(), "hos.terminal");
    replayed(&store.engine);
    for id in ["1", "2"] {
        let options = ExportOptions::default();
        let exported = t1.export(&Name::new("o").unwrap(), &InstanceId::new(id).unwrap(), &options).unwrap();
        let trust = Trust::parse(exported.trust.as_bytes()).unwrap();
        let (verdict, replayed) = audit::bundle_replayed(&exported.bytes, &trust, &[]);
        assert!(verdict.holds(), "{verdict:?}");
        assert_eq!(replayed.unwrap().first, None, "{id}");
    }
}

#[test]
fn another_law_is_tried_on_the_past() {
    let store = world(Settings::default());
    let t1 = store.tenant("t1");
    for (id, amount) in [("1", 10), ("2", 60), ("3", 51), ("4", 0)] {
        yes(t1.begin(new("ann", "s", id)).unwrap());
        yes(t1.transition(event(root(), id, "go").arg("amount", amount)).unwrap());
    }
    yes(t1.begin(new("ann", "s", "5")).unwrap());
    yes(t1.transition(event(root(), "5", "more").arg("cap", 50)).unwrap());
    no(t1.transition(event(root(), "5", "go").arg("amount", 51)).unwrap(), "o.much");
    no(t1.transition(event(root(), "5", "new")).unwrap(), "hos.event_unknown");
    no(t1.begin(Begin { event: Name::new("go").unwrap(), ..new("ann", "s", "6") }).unwrap(), "hos.event_unknown");
    let all = ReplayOptions::default;
    let same = store.engine.backtest(&rich::law(), &all()).unwrap();
    assert_eq!((same.differs(), same.other_policies), (0, 0), "{same:#?}");
    assert_eq!(same.judged, same.same);

    let strict = store.engine.backtest(&rich::stricter(), &all()).unwrap();
    assert_eq!(strict.changes, [(Changed::AllowToDeny, 2), (Changed::OtherCode, 1)].into(), "{strict:#?}");
    assert_eq!(strict.by_event["o.go"], strict.changes);
    assert_eq!(strict.by_tenant["t1"], strict.changes);
    assert_eq!(strict.by_policy["small"], strict.changes);
    assert_eq!(strict.by_policy["all"][&Changed::AllowToDeny], 2);
    let first = &strict.witnesses[0];
    assert_eq!((first.instance.as_str(), first.policies_after.as_slice()), ("o/2", ["small".to_owned()].as_slice()));
    assert_eq!((first.was.as_str(), first.now.as_str()), ("allow by all", "deny hos.forbidden by small"));
    assert_eq!(strict.same + strict.differs(), strict.judged);
    let span = strict.spans.iter().find(|span| span.origin.contains("/t1/")).unwrap();
    assert_eq!(span.seqs.map(|(_, last)| last + 1), Some(span.size));
    let checkpoint = t1.checkpoint().unwrap().unwrap();
    let said = hos_core::proof::checkpoint::Checkpoint::parse(
        hos_core::proof::checkpoint::Note::parse(checkpoint.as_bytes()).unwrap().text(),
    );
    assert_eq!(said.map(|c| (c.size, c.root)).unwrap(), (span.size, span.root));

    // Whom a template that is there already would let move, no record of a move says; of a new one there are no grants.
    let templated = store.engine.backtest(&rich::templated(), &all()).unwrap();
    assert_eq!(templated.differs(), 0, "{templated:#?}");
    let more = store.engine.backtest(&rich::granting_more(), &all()).unwrap();
    assert_eq!(more.changes, [(Changed::Unknown, 5)].into(), "{more:#?}");
    assert_eq!(more.witnesses[0].now, "it asks for grants of `t`, which the record does not hold");

    let without = store.engine.backtest(&rich::without_more(), &all()).unwrap();
    assert_eq!(without.changes, [(Changed::EventGone, 1)].into(), "{without:#?}");
    let other = store.engine.backtest(&Arc::new(support::law::law()), &all()).unwrap();
    assert!(other.changes.contains_key(&Changed::EventGone), "{other:#?}");
}
