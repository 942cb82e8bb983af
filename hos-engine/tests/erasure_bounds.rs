//! What an erasure leaves alone: what is somebody else's, what somebody else wrote, and what it says of itself.

mod support;

use hos_core::call::{Begin, By, Call, Change, Directory, Note, Transition};
use hos_core::id::{InstanceId, Name, OnceKey};
use hos_core::policy::Entity;
use hos_core::proof::erasure::LastVerdict;
use hos_core::proof::key::SealKey;
use hos_core::proof::record::Kind;
use hos_core::value::Record;
use hos_engine::{Engine, Erasure, Level, ReplayOptions, Seal, Settings, VerifyOptions};
use support::host::{host, joined, world};
use support::{Store, at, change, fresh, fresh_under, go, new_order, root, uid};

/// All that was written holds, and what was judged is judged again.
#[track_caller]
fn intact(engine: &Engine) {
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(engine.replay(&ReplayOptions::default()).unwrap().listed, []);
}

/// An order of another person's.
fn order_of(who: &str, id: &str) -> Begin {
    Begin::new(uid("A", "root"), "o", id, "new").unwrap().fact("who", uid("A", who))
}

/// A store in which `ann` took the key `evt-9` and, after it was forgotten, `bob` did.
fn one_key_twice(settings: Settings) -> Store {
    let store = fresh(settings);
    let tenant = store.tenant("t1");
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    assert!(tenant.begin(new_order("1").once("evt-9").unwrap()).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    store.engine.work().unwrap();
    store.clock.set(at("2026-02-05T00:00:00Z"));
    // Keys are forgotten as far as the log shows how late it is.
    assert!(tenant.record(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap()).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().forgotten, 1);
    assert!(!tenant.begin(order_of("bob", "2").once("evt-9").unwrap()).unwrap().again);
    store
}

#[test]
fn a_key_that_is_another_person_s_by_now_stays() {
    for seal in [Seal::Inline, Seal::Worker] {
        let store = one_key_twice(Settings { seal, ..Settings::default() });
        assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
        intact(&store.engine);
        let again = store.tenant("t1").begin(order_of("bob", "2").once("evt-9").unwrap()).unwrap();
        assert!(again.allowed && again.again, "a retry is no second call: {again:?}");
    }
}

#[test]
fn a_key_that_was_taken_anew_goes_with_who_took_it_last() {
    let store = one_key_twice(Settings::default());
    assert!(store.tenant("t1").transition(go("2")).unwrap().allowed);
    assert!(store.engine.erase(&root(), &uid("A", "bob"), "x").unwrap().allowed);
    intact(&store.engine);
    // It is free: ann's own was forgotten long before.
    assert!(!store.tenant("t1").begin(new_order("3").once("evt-9").unwrap()).unwrap().again);
    intact(&store.engine);
}

#[test]
fn a_key_whose_record_waits_for_its_place_goes_too() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    change(&store.tenant("t1"), Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
    // Whose a note's key is: the caller's.
    for (who, key) in [("ann", "of-ann"), ("root", "of-root")] {
        let mut note = Note::new(uid("A", who), "n", b"x".to_vec()).unwrap();
        note.once = Some(OnceKey::new(key).unwrap());
        host.say("BEGIN");
        assert!(host.call(Call::Note(note)).unwrap().allowed);
        host.commit().unwrap();
    }
    assert_eq!(host.number("SELECT count(*) FROM hos_once WHERE n = -2"), 2);
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    assert_eq!(host.number("SELECT count(*) FROM hos_once"), 1, "the other one's stays");
    support::host::intact(&store);
    assert_eq!(host.number("SELECT count(*) FROM hos_once WHERE n >= 0"), 1);
}

/// A law under which everybody may erase themselves.
fn themselves(path: &str, text: String) -> String {
    let own = "@id(\"own\")permit(principal,action==N::Action::\"evidence.erase\",resource)when{principal==resource};\n";
    if path == "policies/p.cedar" { text + own } else { text }
}

#[test]
fn who_erases_themselves_leaves_nothing_under_the_key_that_goes() {
    let second = SealKey::from_seed(&[42; 32]);
    for attest in [None, Some(&second)] {
        let store = fresh_under(Settings::default(), themselves);
        let (tenant, ann) = (store.tenant("t1"), uid("A", "ann"));
        change(&tenant, Change::Join { uid: ann.clone(), parent: uid("R", "staff") });
        assert!(tenant.begin(new_order("1").once("k1").unwrap()).unwrap().allowed);
        assert!(!tenant.transition(Transition::new(ann.clone(), "o", "1", "go").unwrap()).unwrap().allowed);
        assert!(tenant.transition(go("1")).unwrap().allowed);
        store.engine.work().unwrap();
        let by = By::new(ann.clone());
        assert_eq!(store.engine.erase(&by, &uid("A", "root"), "x").unwrap().code(), Some("hos.not_permitted"));
        let done = store.engine.erase_with(&by, &ann, &Erasure { ground: "x", article: "", attest }).unwrap();
        assert!(done.answer.allowed, "{:?}", done.answer.blockers);
        let record = done.record.unwrap();
        assert_eq!((record.verdict, record.attestation.is_some()), (LastVerdict::Intact, attest.is_some()));
        intact(&store.engine);
        // Nobody is named by the last records: who asked is whose the key was.
        let order = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
        let history = tenant.history(&order.0, &order.1, 0, 10).unwrap();
        let last = history.last().unwrap();
        assert_eq!((last.header.kind, last.erased.len()), (Kind::Erased, 0));
        assert!(last.parts.iter().all(|(name, _)| name != "principal"));
        assert_eq!(store.engine.erase(&by, &ann, "x").unwrap().code(), Some("hos.principal_unknown"));
        if store.database.is_none() {
            store.engine.backup(&store.dir.path().join("copy.db"), None).unwrap();
        }
        drop(tenant);
        store.engine.work().unwrap();
        intact(&store.engine);
    }
}

#[test]
fn nothing_comes_after_the_end_of_a_thread() {
    // Ids name persons in this law, and a row of no person's may be erased.
    let store = fresh_under(Settings::default(), |path, text| match path {
        "contracts/o.toml" => text.replace("version=1\n", "version=1\npersonal_ids=true\n"),
        "schema.cedarschema" => {
            text.replace("appliesTo{principal:[A],resource:[A]};}", "appliesTo{principal:[A],resource:[A,R]};}")
        }
        _ => text,
    });
    let tenant = store.tenant("t1");
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    assert!(tenant.begin(new_order("ann-1")).unwrap().allowed);
    assert!(tenant.transition(go("ann-1")).unwrap().allowed);
    // A refusal from before is not judged again as if nothing had stood there: its thread is found though no row holds the id.
    let made_up = Transition::new(uid("A", "root"), "o", "ann-1", "made-up").unwrap();
    assert_eq!(tenant.transition(made_up).unwrap().code(), Some("hos.event_unknown"));
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    let ended = || tenant.history(&Name::new("o").unwrap(), &InstanceId::new("ann-1").unwrap(), 0, 10).unwrap();
    assert_eq!(ended().last().unwrap().header.kind, Kind::Erased);
    let records = ended().len();
    let proofs = tenant.export_proofs(&Name::new("o").unwrap(), &InstanceId::new("ann-1").unwrap()).unwrap();
    assert_eq!(proofs.len(), records, "no row holds the id, and the thread is found by it");
    // Refused, and the refusal is the caller's, in the stream of refusals.
    let told = |answer: hos_core::answer::Answer| {
        let receipt = answer.receipt.unwrap();
        let entry = tenant.log(0, 1000).unwrap().into_iter().find(|e| e.receipt.record == receipt.record).unwrap();
        assert_eq!((entry.header.kind, entry.header.n), (Kind::Refused, None));
        answer.blockers[0].code.to_string()
    };
    assert_eq!(told(tenant.transition(go("ann-1")).unwrap()), "hos.instance_erased");
    assert_eq!(told(tenant.begin(order_of("bob", "ann-1")).unwrap()), "hos.instance_erased");
    let join = Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") };
    assert_eq!(told(tenant.directory(Directory::new(uid("A", "root"), join)).unwrap()), "hos.entity_missing");
    assert_eq!(tenant.tick(10).unwrap(), 0);
    assert_eq!(ended().len(), records);
    intact(&store.engine);
    if store.database.is_some() {
        let mut host = host(&store, &joined(&store));
        assert_eq!(host.number("SELECT count(*) FROM hos_instance"), 1, "the id lies in no row, the tombstone alone does");
    }
    // A row of no person's has an end as well; put again, it is another row with another thread.
    let mut by = root();
    by.given.push(Entity { uid: uid("R", "staff"), attrs: Record::new(), parents: [].into(), record: None });
    assert!(store.engine.erase(&by, &uid("R", "staff"), "x").unwrap().allowed);
    let put = change(&tenant, Change::Put { uid: uid("R", "staff"), attrs: Record::new() });
    assert_eq!(put.receipt.unwrap().n, Some(0));
    assert_eq!(store.engine.erase(&by, &uid("R", "staff"), "x").unwrap().code(), Some("hos.subject_erased"));
    intact(&store.engine);
}
