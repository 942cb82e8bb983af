//! The programs whose disk is watched: each is one process on one store.

use crate::faults::LAST;
use crate::told::{Deed, line};
use crate::world::{Caller, Opening, Place, TENANTS, Teller};
use hos_engine::Engine;
use std::path::Path;

/// Runs the program that the role names.
pub(crate) fn run(role: &[&str], root: &Path, told: &Path) {
    let place = Place::at(root);
    let teller = Teller::at(told);
    let number = |at: usize| role.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap();
    match role[0] {
        "phase" => phase(number(1), number(2), &place, &teller),
        "short" => short(number(1), &place, &teller),
        _ => panic!("no such role"),
    }
}

/// A phase of a history: several callers at once in one process.
fn phase(phase: u64, seed: u64, place: &Place, teller: &Teller) {
    let opening = Opening { place, seed: None };
    let engine = match phase {
        0 | 4 => founded(&opening, phase, teller),
        _ => opening.open().unwrap(),
    };
    let caller = |name: String| Caller::new(&engine, place, teller, seed, name);
    let mut own = caller(format!("{phase}m"));
    if matches!(phase, 0 | 4) {
        own.act(Deed::Mark);
    }
    for name in TENANTS {
        if engine.tenant(name).is_err() {
            own.act(Deed::Tenant(name.to_owned()));
        }
    }
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let mut caller = caller(format!("{phase}{thread}"));
            scope.spawn(move || caller.work(9));
        }
        match phase {
            1 => {
                own.act(Deed::Backup(format!("b{phase}")));
                own.come_and_go();
                own.act(Deed::Activate(1));
                own.act(Deed::Vault(format!("v{phase}")));
            }
            2 => own.come_and_go(),
            3 => {
                own.come_and_go();
                own.act(Deed::Backup(format!("b{phase}")));
            }
            _ => {}
        }
    });
    if phase == 3 {
        own.act(Deed::Rotate);
        own.work(6);
    }
    engine.close().unwrap();
}

/// The store, made if nobody came to it before.
fn founded(opening: &Opening<'_>, phase: u64, teller: &Teller) -> Engine {
    let id = format!("{phase}f");
    teller.tell(&line::ask(&id, &Deed::Found));
    let engine = match opening.open() {
        Ok(engine) => engine,
        Err(_) => opening.found().unwrap(),
    };
    teller.tell(&line::done(&id, None));
    engine
}

/// How often what must be done is tried.
const TRIES: usize = 4;

/// One caller in one process, the same in every run of a seed to the last operation: whatever fails, it goes on, and does what it
/// still can.
fn short(seed: u64, place: &Place, teller: &Teller) {
    let opening = |turn: u64| Opening { place, seed: Some(seed ^ turn << 32) };
    let mut engine = None;
    for turn in 0..TRIES as u64 {
        teller.tell(&line::ask("f", &Deed::Found));
        let opening = opening(turn);
        match opening.found().or_else(|failure| opening.open().map_err(|_| failure)) {
            Ok(founded) => {
                teller.tell(&line::done("f", None));
                engine = Some(founded);
                break;
            }
            Err(failure) => teller.tell(&line::other("not", "f", &failure.code.to_string())),
        }
    }
    let Some(engine) = engine else { return };
    first_half(&engine, seed, place, teller);
    // What cannot be closed is dropped.
    let _ = engine.close();
    let Some(engine) = (0..TRIES as u64).find_map(|turn| opening(7 + turn).open().ok()) else { return };
    let mut caller = Caller::new(&engine, place, teller, seed, "b".into());
    caller.act(Deed::Mark);
    second_half(&mut caller);
    let _ = engine.close();
}

fn begin(tenant: &str, id: &str, who: &str) -> Deed {
    Deed::Begin(tenant.into(), id.into(), who.into())
}

fn go(tenant: &str, id: &str) -> Deed {
    Deed::Go(tenant.into(), id.into())
}

fn first_half(engine: &Engine, seed: u64, place: &Place, teller: &Teller) {
    let [t1, t2] = TENANTS;
    let mut caller = Caller::new(engine, place, teller, seed, "a".into());
    persist(&mut caller, Deed::Mark);
    let there = [t1, t2].map(|name| persist(&mut caller, Deed::Tenant(name.into())));
    let known = ["p0", "p1", "v0"].map(|name| persist(&mut caller, Deed::Person(name.into())));
    for n in 0..4 {
        let (tenant, who) = (TENANTS[n % 2], ["p0", "p1"][n / 2]);
        if there[n % 2] && known[n / 2] && caller.act(begin(tenant, &format!("i{n}"), who)) && n > 0 {
            caller.act(go(tenant, &format!("i{n}")));
        }
    }
    if there[0] {
        caller.act(Deed::Note(t1.into(), "once".into()));
        persist(&mut caller, Deed::Note(t1.into(), "surely".into()));
    }
    caller.act(Deed::Backup("b".into()));
    if there[0] && known[2] && persist(&mut caller, begin(t1, "w0", "v0")) && persist(&mut caller, go(t1, "w0")) {
        caller.act(Deed::Erase("v0".into()));
    }
    caller.act(Deed::Vault("v".into()));
    caller.act(Deed::Activate(1));
}

fn second_half(caller: &mut Caller<'_>) {
    let [t1, _] = TENANTS;
    let there = (0..TRIES).any(|_| caller.engine.tenant(t1).is_ok()) || persist(caller, Deed::Tenant(t1.into()));
    if there && persist(caller, Deed::Person("p2".into())) && persist(caller, begin(t1, "j0", "p2")) {
        caller.act(go(t1, "j0"));
        caller.act(begin(t1, "j1", "p2"));
    }
    caller.act(Deed::Rotate);
    if there {
        persist(caller, Deed::Note(t1.into(), LAST.into()));
    }
}

/// Asks until it is done, as callers do.
fn persist(caller: &mut Caller<'_>, deed: Deed) -> bool {
    let mut id = caller.next_id();
    (0..TRIES).any(|attempt| {
        // A note has no once-key: each time it is asked for is another, and what nobody knows of may be done besides.
        if attempt > 0 && matches!(deed, Deed::Note(..)) {
            id = caller.next_id();
        }
        caller.act_as(&id, &deed)
    })
}
