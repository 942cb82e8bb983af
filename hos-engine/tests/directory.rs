//! Changes of a directory: who is in what afterwards, and what is no change at all.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Call, Can, Change, Directory};
use hos_core::id::Tenant;
use hos_core::law::mode::Modes;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Level, Settings, VerifyOptions};
use std::sync::Arc;
use support::{Store, change, fresh, fresh_under, go, law, new_order, root, uid};

fn intact(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

fn tried(store: &Store, tenant: &str, change: Change) -> Answer {
    store.tenant(tenant).directory(Directory::new(uid("A", "root"), change)).unwrap()
}

#[test]
fn nobody_is_in_a_role_that_was_removed() {
    let notes = "@id(\"staff\")permit(principal in N::R::\"staff\",action==N::Action::\"record.note\",resource);\n";
    let store = fresh_under(Settings::default(), |path, text| if path == "policies/p.cedar" { text + notes } else { text });
    let t1 = store.tenant("t1");
    let may = || {
        let gate = Entity { uid: uid("Gate", "x"), attrs: Record::new(), parents: [].into(), record: None };
        t1.can(&Can::new(uid("A", "ann"), "record.note", uid("Gate", "x")).given(gate)).unwrap().allowed
    };
    let (ann, staff, night) = (|| uid("A", "ann"), || uid("R", "staff"), || uid("R", "night"));
    change(&t1, Change::Join { uid: ann(), parent: staff() });
    assert!(may());
    change(&t1, Change::Remove { uid: staff() });
    assert!(!may());
    // Her row still names it; whatever else is changed of her, she is not in it.
    change(&t1, Change::Put { uid: night(), attrs: Record::new() });
    change(&t1, Change::Join { uid: ann(), parent: night() });
    assert!(!may(), "the role is gone");
    assert!(t1.begin(new_order("1")).unwrap().allowed);
    intact(&store);
}

#[test]
fn a_grant_keeps_its_name_above_a_tenant_and_below() {
    let store = fresh(Settings::default());
    let grant = |id: &str, on: &str| Change::Grant {
        id: id.into(),
        template: "t".into(),
        principal: Some(uid("A", "ann")),
        resource: Some(uid("R", on)),
    };
    change(&store.tenant("universe"), grant("g", "op"));
    let twice = tried(&store, "t1", grant("g", "staff"));
    assert_eq!(twice.code(), Some("hos.directory_conflict"), "{:?}", twice.blockers);
    change(&store.tenant("t1"), grant("h", "staff"));
    let above = tried(&store, "universe", grant("h", "op"));
    assert_eq!(above.code(), Some("hos.directory_conflict"), "{:?}", above.blockers);
    change(&store.tenant("t1"), Change::Revoke { id: "h".into() });
    change(&store.tenant("universe"), grant("h", "op"));
    intact(&store);
}

#[test]
fn what_the_schema_does_not_let_be_is_not_put() {
    let store = fresh(Settings::default());
    let attrs: Record = [("nobody_declared_it".to_owned(), Value::Bool(true))].into();
    let put = tried(&store, "universe", Change::Put { uid: uid("A", "root"), attrs });
    assert_eq!(put.code(), Some("hos.attribute_unknown"), "{:?}", put.blockers);
    let join = tried(&store, "t1", Change::Join { uid: uid("R", "staff"), parent: uid("R", "op") });
    assert!(!join.allowed, "roles are in no roles here");
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "root"), attrs: Record::new() });
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().allowed, "and who asks is who they were");
    intact(&store);
}

#[test]
fn behind_a_change_that_is_undone_the_law_is_the_one_in_force() {
    let cyclic = |path: &str, text: String| {
        if path == "schema.cedarschema" {
            text.replace("entity R;", "entity R in [R];").replace("subject:A}", "subject:R}")
        } else {
            text
        }
    };
    let store = fresh_under(Settings::default(), cyclic);
    if store.database.is_none() {
        eprintln!("left out: two engines of one process share a file's");
        return;
    }
    change(&store.tenant("t1"), Change::Put { uid: uid("R", "night"), attrs: Record::new() });
    change(&store.tenant("t1"), Change::Join { uid: uid("R", "night"), parent: uid("R", "staff") });
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().allowed);
    // Another process activates another law, of which this one has not heard.
    let other = store.builder().open().unwrap();
    let newer = law::law_but(|path, text| if path == "law.toml" { text + "# newer\n" } else { cyclic(path, text) });
    let newer = Arc::new(newer);
    assert!(other.activate(&root(), newer.clone(), None, Modes::default()).unwrap().allowed);
    let t1 = || Tenant::new("t1").unwrap();
    let circle = Change::Join { uid: uid("R", "staff"), parent: uid("R", "night") };
    let calls = vec![(t1(), Call::Directory(Directory::new(uid("A", "root"), circle))), (t1(), Call::Transition(go("1")))];
    let answers = store.engine.batch(calls).unwrap();
    assert!(!answers[0].as_ref().is_ok_and(|answer| answer.allowed), "a circle is no hierarchy");
    let moved = answers[1].as_ref().unwrap();
    assert_eq!((moved.allowed, moved.law), (true, newer.hash), "{:?}", moved.blockers);
    intact(&store);
}
