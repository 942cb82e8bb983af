//! What stands beside the rows that a change of a directory concerns: ids that come back, the universe above a tenant, persons whom
//! attributes name, the clock.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Call, Can, Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::law::mode::Modes;
use hos_core::limits::{ALL, held};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_engine::joined::Joined;
use hos_engine::store::sql::inbox;
use hos_engine::{Engine, Level, ReplayOptions, Settings, TenantRef, VerifyOptions};
use std::ops::Range;
use std::sync::Arc;
use support::{Store, at, change, fresh, fresh_under, host, law, root, uid};

fn intact(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(store.engine.replay(&ReplayOptions::default()).unwrap().listed, []);
}

fn tried(store: &Store, tenant: &str, change: Change) -> Answer {
    store.tenant(tenant).directory(Directory::new(uid("A", "root"), change)).unwrap()
}

fn put(uid: Uid) -> Change {
    Change::Put { uid, attrs: Record::new() }
}

/// Why a change cannot be made, of which no record is written.
fn failed(at: &TenantRef, change: Change) -> Code {
    at.directory(Directory::new(uid("A", "root"), change)).unwrap_err().code
}

/// Whether ann may make a note; no role of hers forbids it.
fn may(store: &Store) -> bool {
    let gate = Entity { uid: uid("Gate", "x"), attrs: Record::new(), parents: [].into(), record: None };
    store.tenant("t1").can(&Can::new(uid("A", "ann"), "record.note", uid("Gate", "x")).given(gate)).unwrap().allowed
}

/// A law under which anybody makes notes who is in no role `banned`.
fn with_a_ban() -> Store {
    let more = "@id(\"notes\")permit(principal is N::A,action==N::Action::\"record.note\",resource);
@id(\"ban\")forbid(principal in N::R::\"banned\",action,resource);\n";
    fresh_under(Settings::default(), |path, text| if path == "policies/p.cedar" { text + more } else { text })
}

/// Whoever was in a role is in it again when it is put again, in the process that puts it as in every other.
#[test]
fn a_ban_that_comes_back_bans_at_once() {
    for owner in ["t1", "universe"] {
        let store = with_a_ban();
        let ban = || uid("R", "banned");
        change(&store.tenant(owner), put(ban()));
        change(&store.tenant("t1"), Change::Join { uid: uid("A", "ann"), parent: ban() });
        assert!(!may(&store), "{owner}");
        change(&store.tenant(owner), Change::Remove { uid: ban() });
        assert!(may(&store), "{owner}");
        change(&store.tenant(owner), put(ban()));
        assert!(!may(&store), "{owner}: her row names the role still");
        intact(&store);
    }
    // In a tenant, where the universe had it.
    let store = with_a_ban();
    let ban = || uid("R", "banned");
    change(&store.tenant("universe"), put(ban()));
    change(&store.tenant("t1"), Change::Join { uid: uid("A", "ann"), parent: ban() });
    change(&store.tenant("universe"), Change::Remove { uid: ban() });
    assert!(may(&store));
    change(&store.tenant("t1"), put(ban()));
    assert!(!may(&store));
    intact(&store);
    // Named by the universe's own row, and put by a tenant: also where the tenant's rows are read on top of the universe's once more.
    let store = with_a_ban();
    change(&store.tenant("universe"), put(ban()));
    change(&store.tenant("universe"), Change::Join { uid: uid("A", "ann"), parent: ban() });
    change(&store.tenant("universe"), Change::Remove { uid: ban() });
    assert!(may(&store));
    change(&store.tenant("t1"), put(ban()));
    assert!(!may(&store));
    change(&store.tenant("universe"), put(uid("A", "new")));
    assert!(!may(&store), "the universe's directory changed beside it");
    change(&store.tenant("t1"), Change::Remove { uid: ban() });
    assert!(may(&store));
    intact(&store);
}

#[test]
fn what_the_universe_has_is_put_by_no_tenant_that_has_a_row_of_it() {
    let store = fresh(Settings::default());
    // The tenant's own; then the universe's as well.
    change(&store.tenant("t1"), put(uid("R", "night")));
    change(&store.tenant("universe"), put(uid("R", "night")));
    let again = tried(&store, "t1", put(uid("R", "night")));
    assert_eq!(again.code(), Some("hos.directory_conflict"), "{:?}", again.blockers);
    change(&store.tenant("universe"), Change::Remove { uid: uid("R", "night") });
    assert!(tried(&store, "t1", put(uid("R", "night"))).allowed);
    intact(&store);
}

/// A law under which roles are in roles.
fn nested(path: &str, text: String) -> String {
    if path != "schema.cedarschema" {
        return text;
    }
    text.replace("entity R;", "entity R in [R];").replace("subject:A}", "subject:R}")
}

/// So many roles, each in the one before it, and the first in a role that was removed.
fn chain(at: &TenantRef, top_s: &TenantRef, roles: usize) {
    change(top_s, put(uid("R", "top")));
    for i in 0..roles {
        let above = i.checked_sub(1).map_or_else(|| uid("R", "top"), role);
        change(at, put(role(i)));
        change(at, Change::Join { uid: role(i), parent: above });
        if i == 0 {
            change(top_s, Change::Remove { uid: uid("R", "top") });
        }
    }
}

fn role(i: usize) -> Uid {
    uid("R", &format!("r{i}"))
}

/// Else nothing could be decided any more, and nobody could take it away again.
#[test]
fn what_comes_back_leaves_a_hierarchy() {
    for (above, owner) in [("t1", "t1"), ("universe", "universe"), ("universe", "t1")] {
        let store = fresh_under(Settings::default(), nested);
        let at = store.tenant(owner);
        chain(&at, &store.tenant(above), 65);
        assert_eq!(failed(&at, put(uid("R", "top"))), Code::HierarchyInvalid, "{above} {owner}");
        assert!(tried(&store, owner, put(uid("R", "other"))).allowed, "{above} {owner}: whoever asks next is answered");
        // It is one level too many.
        change(&at, Change::Remove { uid: role(64) });
        change(&at, put(uid("R", "top")));
        assert!(tried(&store, owner, put(uid("R", "another"))).allowed, "{above} {owner}");
        intact(&store);
    }
}

#[test]
fn what_comes_back_in_a_host_s_transaction_leaves_a_hierarchy() {
    let store = fresh_under(Settings::default(), nested);
    if store.database.is_none() {
        eprintln!("left out: a host has a database");
        return;
    }
    // Hosts go by the database's clock.
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    store.clock.set(hos_core::time::Timestamp(i64::try_from(now).unwrap()));
    chain(&store.tenant("t1"), &store.tenant("t1"), 65);
    let dialect = store.database.as_ref().unwrap().own.dialect();
    let joined = Arc::new(Joined::open(Engine::builder(), dialect, dialect.places()));
    let mut host = host::host(&store, &joined);
    let begin = host::begin(dialect);
    let call = |change: Change| Call::Directory(Directory::new(uid("A", "root"), change));
    host.say(begin);
    assert_eq!(host.call(call(put(uid("R", "top")))).unwrap_err().code, Code::HierarchyInvalid);
    host.say("ROLLBACK");
    host.say(begin);
    for change in [Change::Remove { uid: role(64) }, put(uid("R", "top")), put(uid("R", "other"))] {
        let answer = host.call(call(change)).unwrap();
        assert!(answer.allowed, "{:?}", answer.blockers);
    }
    host.say("COMMIT");
    host::intact(&store);
}

/// However many they are, and though no once-key is past its time: whoever judges beside them reads all that are not counted.
#[test]
fn a_round_counts_all_changes_that_hosts_left() {
    let Some(store) = host::world() else { return };
    let mut host = host::host(&store, &host::joined(&store));
    let of = Tenant::new("t1").unwrap();
    let change = |i: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&i.to_be_bytes());
        inbox::change_entity(&of, &id, &uid("A", "ann"))
    };
    host.do_all(&(0..2_100).map(change).collect::<Vec<_>>());
    let mut version = || host.number("SELECT directory_version FROM hos_tenant WHERE tenant = 't1'");
    let before = version();
    store.engine.work().unwrap();
    assert_eq!(version() - before, 2_100);
    assert_eq!(host.number("SELECT count(*) FROM hos_change"), 0);
}

/// Else nothing could be decided about them any more, though it were by them that it was put.
#[test]
fn what_comes_back_has_nobody_in_it_whom_the_law_does_not_let_be_there() {
    let with_shops = |a: &'static str| {
        move |path: &str, text: String| {
            if path != "schema.cedarschema" {
                return text;
            }
            let text = text.replace("entity A in [R]={};", &format!("entity S;{a}"));
            let text = text.replace("resource:[A,R]", "resource:[A,R,S]");
            text.replace("resource:[R],context:{subject", "resource:[R,S],context:{subject")
        }
    };
    let store = fresh_under(Settings::default(), with_shops("entity A in [R,S]={};"));
    let universe = store.tenant("universe");
    let (old, new) = (|| uid("S", "old"), || uid("S", "new"));
    change(&universe, put(old()));
    change(&universe, Change::Join { uid: uid("A", "root"), parent: old() });
    change(&universe, Change::Remove { uid: old() });
    let narrower = Arc::new(law::law_but(with_shops("entity A in [R]={};")));
    assert!(store.engine.activate(&root(), narrower, None, Modes::default()).unwrap().allowed);
    assert_eq!(failed(&universe, put(old())), Code::HierarchyInvalid);
    assert!(tried(&store, "universe", put(new())).allowed, "the founder acts as before");
    intact(&store);
}

/// A law under which attributes of persons name persons.
fn teams(path: &str, text: String) -> String {
    if path == "schema.cedarschema" { text.replace("entity A in [R]={};", "entity A in [R]={team?:Set<A>};") } else { text }
}

fn friend(i: usize) -> Uid {
    uid("A", &format!("f{i}"))
}

fn naming(who: Uid, team: impl IntoIterator<Item = Uid>) -> Change {
    let team = Value::Set(team.into_iter().map(Value::from).collect());
    Change::Put { uid: who, attrs: [("team".to_owned(), team)].into() }
}

/// Whom attributes name is taken into each record about them, and a record has room for so many.
#[test]
fn nobody_is_put_who_names_too_many() {
    let named = |n: usize| {
        let store = fresh_under(Settings::default(), teams);
        (0..n).for_each(|i| drop(change(&store.tenant("universe"), put(friend(i)))));
        change(&store.tenant("universe"), naming(friend(0), (1..n).map(friend)));
        // One by name, and whom that one names in turn.
        let ann = tried(&store, "universe", naming(uid("A", "root"), [friend(0)]));
        // Whatever was said, who asks is who can act.
        assert!(tried(&store, "universe", put(uid("A", "new"))).allowed);
        intact(&store);
        if ann.allowed { Ok(()) } else { Err(ann.code().unwrap_or_default().to_owned()) }
    };
    let (name, tried) = ("PERSONS_NAMED_MAX", &named);
    held(ALL.iter().find(|limit| limit.name == name).unwrap(), tried).unwrap();
}

/// Whoever is named may be changed by another than those who name them, and these are to act as before.
#[test]
fn nobody_is_put_by_whom_another_would_name_too_many() {
    let store = fresh_under(Settings::default(), teams);
    let friends = |range: Range<usize>| range.map(friend);
    (0..80).for_each(|i| drop(change(&store.tenant("universe"), put(friend(i)))));
    let tried = |change: Change| tried(&store, "universe", change);
    let too_many = |change: Change| {
        let answer = tried(change);
        assert_eq!(answer.code(), Some("hos.call_too_large"), "{:?}", answer.blockers);
        assert!(answer.blockers.iter().any(|b| b.detail.contains("names more than 40 persons")), "{:?}", answer.blockers);
    };
    // The founder names forty: one, and those whom that one names.
    assert!(tried(naming(uid("A", "root"), [friend(0)])).allowed);
    assert!(tried(naming(friend(0), friends(1..40))).allowed);
    too_many(naming(friend(1), friends(40..80)));
    too_many(naming(friend(1), [friend(40)]));
    assert!(tried(naming(friend(1), [friend(0), friend(39)])).allowed, "whom the founder names already");
    assert!(tried(naming(friend(50), friends(40..80))).allowed, "whom nobody names");
    // One who is not there yet is named without being counted, and counts when they come.
    assert!(tried(naming(friend(2), [uid("A", "late")])).allowed);
    too_many(put(uid("A", "late")));
    assert!(tried(put(friend(2))).allowed);
    assert!(tried(put(uid("A", "late"))).allowed, "nobody names them any more");
    intact(&store);
}

/// Whoever leads back to themselves by those who name each other does not name themselves.
#[test]
fn those_who_name_each_other_in_a_ring_are_counted_once() {
    let store = fresh_under(Settings::default(), teams);
    (0..42).for_each(|i| drop(change(&store.tenant("universe"), put(friend(i)))));
    let tried = |change: Change| tried(&store, "universe", change);
    for i in 0..40 {
        assert!(tried(naming(friend(i), [friend((i + 1) % 40)])).allowed, "each names 39 others at most");
    }
    assert!(tried(naming(friend(39), [friend(0), friend(40)])).allowed, "each of them names 40");
    assert_eq!(tried(naming(friend(40), [friend(41)])).code(), Some("hos.call_too_large"));
    assert!(tried(naming(friend(20), [friend(40)])).allowed, "the ring is open");
    assert_eq!(
        tried(naming(friend(40), [friend(41)])).code(),
        Some("hos.call_too_large"),
        "and its first leads to all the others"
    );
    assert!(tried(naming(friend(10), [friend(9)])).allowed, "it is two");
    assert!(tried(naming(friend(40), [friend(41)])).allowed);
    intact(&store);
}

/// A law may come to call those persons who were none before.
#[test]
fn whoever_names_too_many_already_can_be_mended() {
    let boxes = |persons: &'static str| {
        move |path: &str, text: String| match path {
            "schema.cedarschema" => text
                .replace("entity A in [R]={};", "entity A in [R]={team?:Set<B>};entity B={team?:Set<B>};")
                .replace("resource:[A,R]", "resource:[A,R,B]"),
            "law.toml" => text.replace("persons=[\"A\"]", persons),
            _ => text,
        }
    };
    let store = fresh_under(Settings::default(), boxes("persons=[\"A\"]"));
    let one = |i: usize| uid("B", &format!("b{i}"));
    let universe = store.tenant("universe");
    (0..60).for_each(|i| drop(change(&universe, put(one(i)))));
    change(&universe, naming(uid("A", "root"), [one(0), one(1)]));
    change(&universe, naming(one(0), (2..22).map(one)));
    change(&universe, naming(one(1), (22..47).map(one)));
    let wider = Arc::new(law::law_but(boxes("persons=[\"A\",\"B\"]")));
    assert!(store.engine.activate(&root(), wider, None, Modes::default()).unwrap().allowed);
    // 47 are named, and 45 after a step that names somebody anew.
    assert!(tried(&store, "universe", naming(one(0), (2..19).chain([50]).map(one))).allowed);
    assert!(tried(&store, "universe", put(one(0))).allowed);
    let worse = tried(&store, "universe", naming(one(0), (2..22).map(one)));
    assert_eq!(worse.code(), Some("hos.call_too_large"), "27 are named, and would be 47 again: {:?}", worse.blockers);
}

/// As of every thread: a record is not made long before the one that it follows.
#[test]
fn a_clock_that_went_back_changes_no_row() {
    let store = fresh(Settings::default());
    store.clock.set(at("2026-01-01T00:01:00Z"));
    change(&store.tenant("t1"), put(uid("R", "staff")));
    store.clock.set(at("2026-01-01T00:00:30Z"));
    let back = tried(&store, "t1", put(uid("R", "staff")));
    assert_eq!(back.code(), Some("hos.clock_implausible"), "{:?}", back.blockers);
    assert!(tried(&store, "t1", put(uid("R", "other"))).allowed, "a thread of its own");
    store.clock.set(at("2026-01-01T00:00:56Z"));
    assert!(tried(&store, "t1", put(uid("R", "staff"))).allowed, "within the skew");
    intact(&store);
}
