//! What was judged over a directory row that an erasure took since: it is exported, verified and judged again as before.

mod support;

use hos_core::audit::{Notice, Standing, bundle_replayed};
use hos_core::call::{Begin, Change, Directory, Transition};
use hos_core::id::{InstanceId, Name};
use hos_core::policy::Entity;
use hos_core::proof::bundle::Bundle;
use hos_core::proof::record::Slot;
use hos_core::proof::trust::Trust;
use hos_core::value::Record;
use hos_engine::{Engine, ExportOptions, Level, ReplayOptions, Settings, TenantRef, VerifyOptions};
use support::{change, fresh, fresh_under, root, uid};

/// All that was written holds, and what was judged is judged again.
#[track_caller]
fn intact(engine: &Engine) {
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    let replayed = engine.replay(&ReplayOptions::default()).unwrap();
    assert_eq!((replayed.differs, replayed.listed), (0, vec![]));
}

/// An order's bundle holds for whoever has nothing else, every role of it traced to its record.
#[track_caller]
fn holds(tenant: &TenantRef, id: &str, options: &ExportOptions) -> Bundle {
    let exported = tenant.export(&Name::new("o").unwrap(), &InstanceId::new(id).unwrap(), options).unwrap();
    let trust = Trust::parse(exported.trust.as_bytes()).unwrap();
    let (verdict, replayed) = bundle_replayed(&exported.bytes, &trust, &[]);
    assert!(!matches!(verdict.standing, Standing::Refused(_)), "{verdict:?}");
    assert!(!verdict.notices.contains(&Notice::DirectoryWithheld), "{:?}", verdict.notices);
    assert_eq!(replayed.unwrap().first, None);
    Bundle::decode(&exported.bytes).unwrap()
}

/// A law under which a role may be erased, which is nobody's.
fn roles_may_go(path: &str, text: String) -> String {
    match path {
        "schema.cedarschema" => {
            text.replace("appliesTo{principal:[A],resource:[A]};}", "appliesTo{principal:[A],resource:[A,R]};}")
        }
        _ => text,
    }
}

/// A law that calls nobody a person, so that nothing is sealed.
fn nobody_is_a_person(path: &str, text: String) -> String {
    match path {
        "law.toml" => text.replace("persons=[\"A\"]\n", ""),
        "contracts/o.toml" => text.replace("data_subject=\"facts.who\"\n", ""),
        _ => text,
    }
}

#[test]
fn a_role_that_was_erased_bears_what_its_members_did() {
    let store = fresh_under(Settings::default(), roles_may_go);
    let tenant = store.tenant("t1");
    let (bob, staff) = (uid("A", "bob"), uid("R", "staff"));
    change(&store.tenant("universe"), Change::Put { uid: bob.clone(), attrs: Record::new() });
    change(&tenant, Change::Join { uid: bob.clone(), parent: uid("R", "op") });
    // Ann may take him in by a grant on the role, which ends with it.
    let (to, on) = (Some(uid("A", "ann")), Some(staff.clone()));
    change(&tenant, Change::Grant { id: "g".into(), template: "t".into(), principal: to, resource: on });
    let join = Change::Join { uid: bob.clone(), parent: staff.clone() };
    let joined = tenant.directory(Directory::new(uid("A", "ann"), join)).unwrap();
    assert!(joined.allowed, "{:?}", joined.blockers);
    let born = Begin::new(bob.clone(), "o", "1", "new").unwrap().fact("who", bob.clone());
    assert!(tenant.begin(born).unwrap().allowed);
    let before = holds(&tenant, "1", &ExportOptions::default());
    intact(&store.engine);

    let mut by = root();
    by.given.push(Entity { uid: staff.clone(), attrs: Record::new(), parents: [].into(), record: None });
    assert!(store.engine.erase(&by, &staff, "x").unwrap().allowed);
    let after = holds(&tenant, "1", &ExportOptions::default());
    assert_eq!(after.cited.len(), before.cited.len() + 1, "the same threads, one of them with its end");
    intact(&store.engine);

    // Put again it is another row with another thread, and what stood on the old one stands there still.
    assert!(tenant.transition(Transition::new(bob, "o", "1", "go").unwrap()).unwrap().allowed);
    change(&tenant, Change::Put { uid: staff, attrs: Record::new() });
    holds(&tenant, "1", &ExportOptions::default());
    intact(&store.engine);

    // Who erased it is hidden by the patterns, as who made it is.
    let hidden = ExportOptions { hide: vec!["principal".to_owned()], ..ExportOptions::default() };
    let cited = holds(&tenant, "1", &hidden).cited;
    let mut opened = cited.iter().filter(|(log, _)| *log == 0).flat_map(|(_, item)| &item.opened);
    assert!(opened.all(|part| part.slot != Slot::Principal));
}

#[test]
fn a_row_from_before_the_law_named_persons_bears_what_was_judged_over_it() {
    let store = fresh_under(Settings::default(), nobody_is_a_person);
    let (universe, tenant, bob) = (store.tenant("universe"), store.tenant("t1"), uid("A", "bob"));
    let put = || change(&universe, Change::Put { uid: bob.clone(), attrs: Record::new() });
    let join = || change(&tenant, Change::Join { uid: bob.clone(), parent: uid("R", "op") });
    put();
    join();
    let born = Begin::new(bob.clone(), "o", "1", "new").unwrap().fact("who", bob.clone());
    assert!(tenant.begin(born).unwrap().allowed);
    let before = holds(&tenant, "1", &ExportOptions::default());
    intact(&store.engine);
    assert!(store.engine.erase(&root(), &bob, "x").unwrap().allowed);
    // Memberships are the tenant's, the rest is the universe's: both rows ended, and it takes both.
    let after = holds(&tenant, "1", &ExportOptions::default());
    assert_eq!(after.cited.len(), before.cited.len() + 2);
    intact(&store.engine);
    put();
    join();
    holds(&tenant, "1", &ExportOptions::default());
    intact(&store.engine);
}

#[test]
fn changes_of_a_row_that_was_erased_count_in_the_tenant_s_version() {
    let store = fresh(Settings::default());
    let (universe, tenant) = (store.tenant("universe"), store.tenant("t1"));
    change(&universe, Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    let born = Begin::new(uid("A", "root"), "o", "1", "new").unwrap().fact("who", uid("A", "bob"));
    assert!(tenant.begin(born).unwrap().allowed);
    // The row of the universe's that this stands on goes on. That it did so later is told by versions, less the tenant's own
    // changes.
    change(&universe, Change::Put { uid: uid("R", "op"), attrs: Record::new() });
    intact(&store.engine);
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    intact(&store.engine);
}
