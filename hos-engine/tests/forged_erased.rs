//! Rows that somebody changed whose records can be read no more, because their person was erased, or because somebody destroyed the key:
//! no grant, role or once-key passes for evidence by that, and an erasure ends what the evidence says is the person's.

mod support;

use hos_core::call::Change;
use hos_core::proof::erasure::LastVerdict;
use hos_core::value::Record;
use hos_engine::{Engine, Erasure, Level, Settings, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use support::{Store, change, fresh, fresh_under, go, new_order, root, uid};

/// A store in which ann has the grant `g` and bob the grant `h`.
fn granted() -> Store {
    let store = fresh(Settings::default());
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    for (id, to) in [("g", "ann"), ("h", "bob")] {
        let (principal, resource) = (Some(uid("A", to)), Some(uid("R", "staff")));
        change(&store.tenant("t1"), Change::Grant { id: id.into(), template: "t".into(), principal, resource });
    }
    store.engine.work().unwrap();
    store
}

/// A store that is closed, and edited past the engine; `edits` may name the vault's file as `vault`.
struct Edited {
    store: Store,
}

impl Edited {
    fn new(store: Store, edits: &str) -> Self {
        let Store { engine, clock, path, dir, database } = store;
        engine.close().unwrap();
        let db = Connection::open(&path).unwrap();
        db.execute("ATTACH ?1 AS vault", [dir.path().join("s.db.vault").to_str().unwrap()]).unwrap();
        let before = db.total_changes();
        db.execute_batch(edits).unwrap();
        assert!(db.total_changes() > before, "{edits}: nothing was changed");
        drop(db);
        let engine = Engine::builder().sqlite(&path).clock(clock.clone()).reading().open().unwrap();
        Self { store: Store { engine, clock, path, dir, database } }
    }

    /// What verifying it finds that only reads.
    fn found(&self) -> Vec<(String, String)> {
        verified(&self.store.engine).findings
    }

    /// Opened to write.
    fn opened(self) -> Store {
        let Store { engine, clock, path, dir, database } = self.store;
        engine.close().unwrap();
        let engine = Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
        Store { engine, clock, path, dir, database }
    }
}

fn verified(engine: &Engine) -> VerifyReport {
    engine.verify(&VerifyOptions::default()).unwrap()
}

#[track_caller]
fn intact(store: &Store) {
    let report = verified(&store.engine);
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

fn grants(store: &Store) -> Vec<String> {
    store.tenant("t1").directory_entities().unwrap().1.into_iter().map(|link| link.id).collect()
}

fn erase_ann(store: &Store) -> LastVerdict {
    let done = store.engine.erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    done.record.unwrap().verdict
}

/// Somebody takes `g` for bob.
const TO_BOB: &str = "UPDATE hos_grant SET principal = (SELECT principal FROM hos_grant WHERE id = x'68') WHERE id = x'67';";
/// Somebody destroys the key of ann.
const DESTROYED: &str = "UPDATE vault.hos_vault SET key = NULL, destroyed = 1
     WHERE key_id = (SELECT attrs_key FROM main.hos_directory WHERE tenant = 'universe' AND id = x'616e6e');";

#[test]
fn a_grant_that_somebody_took_ends_with_the_person_whose_it_was() {
    if support::database::is_on() {
        return;
    }
    let edited = Edited::new(granted(), TO_BOB);
    assert!(edited.found().iter().any(|(at, _)| at == "hos_grant t1 g"), "{:?}", edited.found());
    let store = edited.opened();
    assert_eq!(erase_ann(&store), LastVerdict::Broken(1), "one row was not what its record says");
    assert_eq!(grants(&store), ["h"]);
    intact(&store);
}

#[test]
fn a_grant_of_somebody_else_that_names_the_person_by_its_row_alone_does_not_end() {
    if support::database::is_on() {
        return;
    }
    let store = granted();
    let copy = store.dir.path().join("before.db");
    store.engine.backup(&copy, None).unwrap();
    let bob: String = Connection::open(&copy)
        .unwrap()
        .query_row("SELECT hex(principal) FROM hos_grant WHERE id = x'68'", [], |row| row.get(0))
        .unwrap();
    let to_ann = "UPDATE hos_grant SET principal = (SELECT principal FROM hos_grant WHERE id = x'67') WHERE id = x'68'";
    let store = Edited::new(store, to_ann).opened();
    assert_eq!(erase_ann(&store), LastVerdict::Broken(1));
    let edited = Edited::new(store, &format!("UPDATE hos_grant SET principal = x'{bob}' WHERE id = x'68'"));
    assert!(edited.found().is_empty(), "{:#?}", edited.found());
    let store = edited.opened();
    assert_eq!(grants(&store), ["h"]);
    intact(&store);
}

#[test]
fn what_stands_under_a_key_that_no_erasure_destroyed_is_found_and_ends_at_the_next_start() {
    if support::database::is_on() {
        return;
    }
    for edits in [String::from(DESTROYED), format!("{DESTROYED} {TO_BOB}")] {
        let edited = Edited::new(granted(), &edits);
        let found = edited.found();
        let unsaid =
            |(at, what): &(String, String)| at.starts_with("vault key ") && what.contains("no erasure's record of this store");
        assert!(found.iter().any(unsaid), "{found:#?}");
        assert_eq!(found.iter().any(|(at, _)| at == "hos_grant t1 g"), edits.contains(TO_BOB), "{found:#?}");
        // As after a store was restored: the erasure is carried out, over all that the evidence has under the key.
        let store = edited.opened();
        assert_eq!(grants(&store), ["h"]);
        intact(&store);
    }
}

#[test]
fn under_a_key_that_no_erasure_destroyed_no_once_key_is_added_and_no_deadline_goes() {
    if support::database::is_on() {
        return;
    }
    for (edit, at) in [
        ("INSERT INTO hos_once SELECT tenant, x'7a', digest, thread, n, at FROM hos_once WHERE key = x'6b31'", "hos_once t1"),
        ("DELETE FROM hos_deadline", "hos_deadline t1"),
        ("UPDATE hos_deadline SET due = due + 1", "hos_deadline t1"),
        (
            "UPDATE hos_directory SET id = x'6d616c' WHERE tenant = 'universe' AND id = x'616e6e'",
            "hos_directory universe N::A::mal",
        ),
    ] {
        let store = granted();
        assert!(store.tenant("t1").begin(new_order("1").once("k1").unwrap()).unwrap().allowed);
        let found = Edited::new(store, &format!("{DESTROYED} {edit}")).found();
        assert!(found.iter().any(|(place, _)| place.starts_with(at)), "{edit}: {found:#?}");
    }
}

#[test]
fn what_the_records_of_an_erased_person_sent_is_what_the_law_says() {
    if support::database::is_on() {
        return;
    }
    let store = || {
        let store = fresh_under(Settings::default(), |path, text| match path {
            "contracts/o.toml" => {
                text.replace("[{kind=\"m\",body=[\"id\"]}]", "[{kind=\"m\",body=[\"id\"]},{kind=\"w\",body=[\"id\"]}]")
            }
            _ => text,
        });
        let tenant = store.tenant("t1");
        assert!(tenant.begin(new_order("1")).unwrap().allowed && tenant.transition(go("1")).unwrap().allowed);
        drop(tenant);
        erase_ann(&store);
        store.engine.work().unwrap();
        store
    };
    // What is the queue's own is no evidence.
    let found = Edited::new(store(), "UPDATE hos_outbox SET attempts = attempts + 1").found();
    assert!(found.is_empty(), "{found:#?}");
    for (edit, what) in [
        ("UPDATE hos_outbox SET kind = 'x' WHERE i = 0", "column kind"),
        ("UPDATE hos_outbox SET kind = CASE kind WHEN 'm' THEN 'w' ELSE 'm' END", "column kind"),
        ("DELETE FROM hos_outbox WHERE i = 1", "the row is missing"),
        (
            "INSERT INTO hos_outbox (tenant, pos, thread, n, i, kind, body_key, body, lease, leased_until, attempts, acked)
             SELECT tenant, pos + 1, thread, n, i + 1, kind, body_key, body, NULL, 0, 0, 0 FROM hos_outbox WHERE i = 1",
            "no record made it",
        ),
        ("UPDATE hos_outbox SET pos = pos + 10; UPDATE hos_outbox SET pos = 13 - pos", "column pos: before an earlier message"),
    ] {
        let found = Edited::new(store(), edit).found();
        let is_told = |(at, told): &(String, String)| at.starts_with("hos_outbox t1") && told.contains(what);
        assert!(found.iter().any(is_told), "{edit}: {found:#?}");
    }
}

#[test]
fn a_copy_from_before_an_erasure_verifies_beside_the_store_that_knows_of_it() {
    if support::database::is_on() {
        return;
    }
    let store = granted();
    let copy = store.dir.path().join("before.db");
    store.engine.backup(&copy, None).unwrap();
    assert_eq!(erase_ann(&store), LastVerdict::Intact);
    let report = store.engine.verify_copy(&copy).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    // What was changed in it is found all the same.
    Connection::open(&copy).unwrap().execute_batch(TO_BOB).unwrap();
    let found = store.engine.verify_copy(&copy).unwrap().findings;
    assert!(found.iter().any(|(at, _)| at == "hos_grant t1 g"), "{found:#?}");
}

/// A law under which what is no person may be in one.
fn carts(path: &str, text: String) -> String {
    match path {
        "schema.cedarschema" => text
            .replace("entity R;", "entity R;entity C in [A];")
            .replace("resource:[A,R]}", "resource:[A,R,C]}")
            .replace("resource:[R],context:{subject:A}", "resource:[A],context:{subject:C}"),
        _ => text,
    }
}

#[test]
fn what_was_in_a_person_and_left_goes_on_when_the_person_is_erased() {
    let store = fresh_under(Settings::default(), carts);
    let (cart, bag, ann) = (uid("C", "cart"), uid("C", "bag"), uid("A", "ann"));
    let (universe, tenant) = (store.tenant("universe"), store.tenant("t1"));
    change(&tenant, Change::Put { uid: cart.clone(), attrs: Record::new() });
    // Its row in the tenant says nothing but that.
    change(&universe, Change::Put { uid: bag.clone(), attrs: Record::new() });
    for uid in [&cart, &bag] {
        change(&tenant, Change::Join { uid: uid.clone(), parent: ann.clone() });
        change(&tenant, Change::Leave { uid: uid.clone(), parent: ann.clone() });
    }
    assert_eq!(erase_ann(&store), LastVerdict::Intact);
    store.engine.work().unwrap();
    intact(&store);
    let there = tenant.directory_entities().unwrap().0;
    assert!([&cart, &bag].into_iter().all(|uid| there.iter().any(|entity| entity.uid == *uid)), "{there:?}");
    change(&tenant, Change::Put { uid: cart, attrs: Record::new() });
    store.engine.work().unwrap();
    intact(&store);
}
