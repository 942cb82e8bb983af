//! What stands beside the rows that a change of a directory concerns: ids that come back, the universe above a tenant, persons whom
//! attributes name, the clock.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Can, Change, Directory};
use hos_core::limits::{ALL, held};
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Level, ReplayOptions, Settings, VerifyOptions};
use support::{Store, at, change, fresh, fresh_under, uid};

fn intact(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(store.engine.replay(&ReplayOptions::default()).unwrap().listed, []);
}

fn tried(store: &Store, tenant: &str, change: Change) -> Answer {
    store.tenant(tenant).directory(Directory::new(uid("A", "root"), change)).unwrap()
}

fn put(uid: hos_core::id::Uid) -> Change {
    Change::Put { uid, attrs: Record::new() }
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

/// Whom attributes name is taken into each record about them, and a record has room for so many.
#[test]
fn nobody_is_put_who_names_too_many() {
    let wide = |path: &str, text: String| {
        if path == "schema.cedarschema" { text.replace("entity A in [R]={};", "entity A in [R]={team?:Set<A>};") } else { text }
    };
    let named = |n: usize| {
        let store = fresh_under(Settings::default(), wide);
        let friend = |i: usize| uid("A", &format!("f{i}"));
        (0..n).for_each(|i| drop(change(&store.tenant("universe"), put(friend(i)))));
        let team = Value::Set((1..n).map(|i| Value::from(friend(i))).collect());
        change(&store.tenant("universe"), Change::Put { uid: friend(0), attrs: [("team".to_owned(), team)].into() });
        // One by name, and whom that one names in turn.
        let one = Value::Set([Value::from(friend(0))].into());
        let ann = tried(&store, "universe", Change::Put { uid: uid("A", "root"), attrs: [("team".to_owned(), one)].into() });
        // Whatever was said, who asks is who can act.
        assert!(tried(&store, "universe", put(uid("A", "new"))).allowed);
        intact(&store);
        if ann.allowed { Ok(()) } else { Err(ann.code().unwrap_or_default().to_owned()) }
    };
    let (name, tried) = ("PERSONS_NAMED_MAX", &named);
    held(ALL.iter().find(|limit| limit.name == name).unwrap(), tried).unwrap();
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
