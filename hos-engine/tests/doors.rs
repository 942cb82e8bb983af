//! One order through the three doors, and what stands in its way.

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/database.rs"]
mod database;

use hos_core::call::{By, Can, Change, Directory, Note, Transition};
use hos_core::id::{InstanceId, Name, Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::time::Timestamp;
use hos_core::value::{Record, Value};
use hos_engine::call::Begin;
use hos_engine::clock::SetClock;
use hos_engine::{Answer, Engine, Founding, Level, VerifyOptions, load_law};
use std::path::Path;
use std::sync::Arc;

fn account(id: &str) -> Uid {
    Uid::new("Pazar::Account", id).unwrap()
}

fn role(id: &str) -> Uid {
    Uid::new("Pazar::Role", id).unwrap()
}

fn active() -> Record {
    Record::from([("active".to_owned(), Value::Bool(true))])
}

struct World {
    engine: Engine,
    clock: Arc<SetClock>,
    _dir: tempfile::TempDir,
    _database: Option<database::Database>,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let law = load_law(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law"))
        .unwrap_or_else(|f| panic!("{f} {:#?}", f.faults));
    let clock = Arc::new(SetClock::at(Timestamp::parse("2026-01-01T00:00:00Z").unwrap()));
    let operator = Entity { uid: role("operator"), attrs: Record::new(), parents: [].into(), record: None };
    let founder = Entity { uid: account("root"), attrs: active(), parents: [role("operator")].into(), record: None };
    let database = database::fresh();
    let engine = database::place(Engine::builder(), database.as_ref(), &dir.path().join("hos.db"))
        .law(Arc::new(law))
        .clock(clock.clone())
        .found(Founding { founder, roles: vec![operator] })
        .unwrap();
    let root = By::new(account("root"));
    let opened = engine.open_tenant(&root, &Tenant::new("pazar-tr").unwrap()).unwrap();
    assert!(opened.allowed, "{opened:?}");
    World { engine, clock, _dir: dir, _database: database }
}

fn change(world: &World, tenant: &str, change: Change) -> Answer {
    world.engine.tenant(tenant).unwrap().directory(Directory::new(account("root"), change)).unwrap()
}

fn populate(world: &World) {
    for name in ["ayse", "mehmet", "zeynep"] {
        let answer = change(world, "universe", Change::Put { uid: account(name), attrs: active() });
        assert!(answer.allowed, "{:?}", answer.blockers);
    }
    let shop = Uid::new("Pazar::Shop", "s1").unwrap();
    let answer = change(world, "pazar-tr", Change::Put { uid: shop.clone(), attrs: active() });
    assert!(answer.allowed, "{:?}", answer.blockers);
    for role_name in ["seller", "manager", "worker"] {
        let answer = change(world, "pazar-tr", Change::Put { uid: role(role_name), attrs: Record::new() });
        assert!(answer.allowed, "{:?}", answer.blockers);
    }
    for (who, parent) in [("mehmet", role("seller")), ("mehmet", shop), ("zeynep", role("worker"))] {
        let answer = change(world, "pazar-tr", Change::Join { uid: account(who), parent });
        assert!(answer.allowed, "{:?}", answer.blockers);
    }
}

#[test]
fn a_note_passes_and_the_store_verifies() {
    let world = world();
    populate(&world);
    let pazar = world.engine.tenant("pazar-tr").unwrap();
    let answer = pazar.record(Note::new(account("zeynep"), "audit", b"hello".to_vec()).unwrap()).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    let receipt = answer.receipt.unwrap();
    assert!(receipt.seal.unwrap().checkpoint.is_some());
    assert_eq!(pazar.last_note("audit").unwrap().as_deref(), Some(&b"hello"[..]));
    let refused = pazar.record(Note::new(account("ayse"), "audit", b"no".to_vec()).unwrap()).unwrap();
    assert_eq!(refused.code(), Some("hos.not_permitted"));
    let report = world.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

#[test]
fn a_reservation_goes_its_way() {
    let world = world();
    populate(&world);
    let desk = change(&world, "pazar-tr", Change::Put { uid: role("desk"), attrs: Record::new() });
    assert!(desk.allowed);
    assert!(change(&world, "pazar-tr", Change::Join { uid: account("mehmet"), parent: role("desk") }).allowed);
    let pazar = world.engine.tenant("pazar-tr").unwrap();
    let request = |id: &str, guests: i64, nights: i64| {
        Begin::new(account("ayse"), "reservation", id, "request")
            .unwrap()
            .fact("booker", account("ayse"))
            .fact("guests", guests)
            .fact("nights", nights)
            .fact("room", "A")
            .fact("rate", 8000)
            .fact("deposit", "No Deposit")
    };
    let none = pazar.begin(request("r-0", 0, 0)).unwrap();
    assert!(!none.allowed);
    let codes: Vec<&str> = none.blockers.iter().map(|b| &*b.code).collect();
    assert_eq!(codes, ["reservation.no_guests", "reservation.no_nights"]);
    let first = pazar.begin(request("r-1", 2, 3).once("k1").unwrap()).unwrap();
    assert!(first.allowed, "{:?}", first.blockers);
    let again = pazar.begin(request("r-1", 2, 3).once("k1").unwrap()).unwrap();
    assert!(again.allowed && again.again);
    assert_eq!(again.receipt.as_ref().map(|r| r.record), first.receipt.as_ref().map(|r| r.record));
    let other = pazar.begin(request("r-1", 2, 4).once("k1").unwrap()).unwrap();
    assert_eq!(other.code(), Some("hos.once_conflict"));
    let step =
        |who: &str, event: &str| pazar.transition(Transition::new(account(who), "reservation", "r-1", event).unwrap()).unwrap();
    assert_eq!(step("ayse", "confirm").code(), Some("hos.not_permitted"));
    assert_eq!(step("mehmet", "check_in").code(), Some("hos.wrong_state"));
    for event in ["confirm", "modify", "check_in", "check_out"] {
        world.clock.set(Timestamp::parse("2026-01-02T00:00:00Z").unwrap());
        let answer = step("mehmet", event);
        assert!(answer.allowed, "{event}: {:?}", answer.blockers);
    }
    assert_eq!(step("mehmet", "check_out").code(), Some("hos.terminal"));
    let (contract, id) = (Name::new("reservation").unwrap(), InstanceId::new("r-1").unwrap());
    let instance = pazar.instance(&contract, &id).unwrap().unwrap();
    assert_eq!((instance.state.as_str(), instance.version), ("checked_out", 5));
    assert_eq!(pazar.history(&contract, &id, 0, 100).unwrap().len(), 5);
    let resource = Uid::new("Pazar::Reservation", "r-1").unwrap();
    let mut attrs = instance.facts.clone();
    attrs.insert("state".into(), "checked_out".into());
    let given = Entity { uid: resource.clone(), attrs, parents: [].into(), record: None };
    assert!(pazar.can(&Can::new(account("ayse"), "reservation.view", resource).given(given)).unwrap().allowed);
    let report = world.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}
