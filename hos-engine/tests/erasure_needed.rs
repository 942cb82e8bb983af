//! Whose erasure waits, and for what: live instances that name the person, and whoever is in them; and who is erased though no directory
//! has them.

mod support;

use hos_core::call::{Begin, By, Change};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Engine, Level, ReplayOptions, Settings, VerifyOptions};
use rusqlite::Connection;
use std::sync::Arc;
use support::{Store, change, fresh, fresh_under, go, law, new_order, root, uid};

/// All that was written holds, and what was judged is judged again.
#[track_caller]
fn intact(engine: &Engine) {
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(engine.replay(&ReplayOptions::default()).unwrap().listed, []);
}

fn put(store: &Store, id: &str) {
    change(&store.tenant("universe"), Change::Put { uid: uid("A", id), attrs: Record::new() });
}

/// A person that comes with the call.
fn known(id: &str) -> Entity {
    Entity { uid: uid("A", id), attrs: Record::new(), parents: [].into(), record: None }
}

/// Who stands in the way of erasing somebody, as the refusal names them.
#[track_caller]
fn needed_by(store: &Store, id: &str) -> String {
    let refused = store.engine.erase(&root(), &uid("A", id), "x").unwrap();
    assert_eq!(refused.code(), Some("hos.subject_in_use"), "{:?}", refused.blockers);
    refused.blockers[0].detail.clone()
}

#[track_caller]
fn erased(store: &Store, id: &str) {
    let answer = store.engine.erase(&root(), &uid("A", id), "x").unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    intact(&store.engine);
}

/// A law under which orders name others than the person whose data theirs is.
fn sold(path: &str, text: String) -> String {
    match path {
        "contracts/o.toml" => text.replace("who=\"A\"\n", "who=\"A\"\nseller=\"A?\"\nothers=\"Set<A>?\"\n"),
        _ => text,
    }
}

#[test]
fn whom_a_live_instance_names_is_not_erased_before_it_ends() {
    for (fact, value) in
        [("seller", Value::Entity(uid("A", "sel"))), ("others", Value::Set([Value::Entity(uid("A", "sel"))].into()))]
    {
        let store = fresh_under(Settings::default(), sold);
        put(&store, "sel");
        let tenant = store.tenant("t1");
        for id in ["1", "2"] {
            assert!(tenant.begin(new_order(id).fact(fact, value.clone())).unwrap().allowed);
        }
        assert!(tenant.begin(new_order("3")).unwrap().allowed);
        assert_eq!(needed_by(&store, "sel"), "t1: o/1, t1: o/2", "{fact}");
        // What was refused changed nothing: it goes on.
        assert!(tenant.transition(go("1")).unwrap().allowed);
        assert_eq!(needed_by(&store, "sel"), "t1: o/2", "{fact}");
        assert_eq!(needed_by(&store, "ann"), "t1: o/2, t1: o/3", "{fact}");
        assert!(tenant.transition(go("2")).unwrap().allowed);
        erased(&store, "sel");
        assert!(tenant.transition(go("3")).unwrap().allowed);
        erased(&store, "ann");
    }
}

#[test]
fn a_law_that_comes_to_call_them_persons_takes_no_instance_along_with_its_facts_in_the_clear() {
    let store = fresh_under(Settings::default(), |path, text| match path {
        "law.toml" => text.replace("persons=[\"A\"]\n", ""),
        _ => text,
    });
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let moved = |path: &str, text: String| match path {
        "contracts/o.toml" => {
            text.replace("version=1\n", "version=2\n").replace("[begin.new]", "[migrate.\"1\"]\na=\"a\"\n[begin.new]")
        }
        _ => text,
    };
    let activate = |law: Law| store.engine.activate(&root(), Arc::new(law), None, Modes::default()).unwrap();
    let refused = activate(law::law_but(moved));
    assert_eq!(refused.code(), Some("hos.law_in_use"), "{:?}", refused.blockers);
    assert!(refused.blockers[0].detail.contains("is a person under the new law"), "{:?}", refused.blockers);
    // Whoever keeps the version lives on as nobody's data, and the person is needed till then all the same.
    assert!(activate(law::law()).allowed);
    assert_eq!(needed_by(&store, "ann"), "t1: o/1");
    assert!(tenant.transition(go("1")).unwrap().allowed);
    // At its end too: it could be revived there. Left behind it stays nobody's.
    assert_eq!(activate(law::law_but(moved)).code(), Some("hos.law_in_use"));
    let left =
        |path: &str, text: String| if path == "contracts/o.toml" { text.replace("version=1\n", "version=2\n") } else { text };
    assert!(activate(law::law_but(left)).allowed);
    erased(&store, "ann");
}

/// A law under which persons may be in persons.
fn teams(path: &str, text: String) -> String {
    match path {
        "schema.cedarschema" => text
            .replace("entity A in [R]={}", "entity A in [R,A]={}")
            .replace("resource:[R],context:{subject:A}", "resource:[R,A],context:{subject:A}"),
        _ => text,
    }
}

#[test]
fn who_is_in_a_person_leaves_before_that_one_is_erased() {
    let store = fresh_under(Settings::default(), teams);
    let (bob, canary) = (uid("A", "bob"), uid("A", "canary-4711"));
    put(&store, "bob");
    put(&store, "canary-4711");
    let (universe, tenant) = (store.tenant("universe"), store.tenant("t1"));
    change(&universe, Change::Join { uid: bob.clone(), parent: canary.clone() });
    change(&tenant, Change::Join { uid: uid("A", "root"), parent: canary.clone() });
    let members = "t1: N::A::\"root\" is in it, universe: N::A::\"bob\" is in it";
    assert_eq!(needed_by(&store, "canary-4711"), members);
    change(&tenant, Change::Leave { uid: uid("A", "root"), parent: canary.clone() });
    // A row names one that was removed still.
    change(&universe, Change::Remove { uid: canary.clone() });
    assert_eq!(needed_by(&store, "canary-4711"), "universe: N::A::\"bob\" is in it");
    put(&store, "canary-4711");
    change(&universe, Change::Leave { uid: bob, parent: canary });
    erased(&store, "canary-4711");
    if store.database.is_none() {
        let copy = store.dir.path().join("copy.db");
        store.engine.backup(&copy, None).unwrap();
        let named = "SELECT count(*) FROM hos_directory WHERE instr(hex(parents) || hex(id), hex('canary')) > 0";
        assert_eq!(Connection::open(&copy).unwrap().query_row(named, [], |row| row.get::<_, i64>(0)), Ok(0));
    }
}

#[test]
fn whom_no_directory_has_is_held_and_erased_where_the_vault_knows_them() {
    let store = fresh(Settings::default());
    let (engine, tenant) = (&store.engine, store.tenant("t1"));
    put(&store, "bob");
    put(&store, "dan");
    change(&store.tenant("universe"), Change::Remove { uid: uid("A", "dan") });
    let mut born = Begin::new(uid("A", "root"), "o", "1", "new").unwrap().fact("who", uid("A", "walkin"));
    born.by.given.push(known("walkin"));
    assert!(tenant.begin(born).unwrap().allowed);
    assert_eq!(needed_by(&store, "walkin"), "t1: o/1");
    let mut end = go("1");
    end.by.given.push(known("walkin"));
    assert!(tenant.transition(end).unwrap().allowed);
    // Who may do none of it does not learn by that whom the vault knows.
    let bob = By::new(uid("A", "bob"));
    let told = ["walkin", "dan", "nobody"].map(|id| {
        let erase = engine.erase(&bob, &uid("A", id), "x").unwrap();
        let hold = engine.hold(&bob, &uid("A", id), "x").unwrap();
        [erase, hold].map(|answer| answer.blockers.iter().map(|b| (b.code.to_string(), b.detail.clone())).collect::<Vec<_>>())
    });
    assert!(told[0] == told[1] && told[1] == told[2], "{told:?}");
    assert!(told[0].iter().all(|told| told[0].0 == "hos.not_permitted"), "{told:?}");
    for id in ["walkin", "dan"] {
        let person = uid("A", id);
        let answer = |answer: hos_core::answer::Answer| answer.code().map(str::to_owned);
        assert_eq!(answer(engine.hold(&root(), &person, "case 7").unwrap()), None, "{id}");
        assert_eq!(answer(engine.erase(&root(), &person, "x").unwrap()).as_deref(), Some("hos.subject_held"), "{id}");
        assert_eq!(answer(engine.release(&root(), &person, "closed").unwrap()), None, "{id}");
        erased(&store, id);
        assert_eq!(answer(engine.erase(&root(), &person, "x").unwrap()).as_deref(), Some("hos.subject_erased"), "{id}");
        assert_eq!(answer(engine.hold(&root(), &person, "late").unwrap()).as_deref(), Some("hos.subject_erased"), "{id}");
    }
    let nobody = uid("A", "nobody");
    assert_eq!(engine.erase(&root(), &nobody, "x").unwrap().code(), Some("hos.entity_missing"));
    assert_eq!(engine.release(&root(), &nobody, "x").unwrap().code(), Some("hos.entity_missing"));
    intact(engine);
}
