//! Every state of the models within small bounds; with `HOS_TORTURE_SECONDS`, of larger ones for as long.

use hos_models::explore::{all, hunt, walks};
use hos_models::joined::{self, Call, Joined};
use hos_models::shared::{self, Shared};
use hos_models::tail::{self, Tail};
use hos_models::terms::{seed, tell, time};

fn joined_small() -> Joined {
    // Two hosts come with one call, as a message that is delivered twice; the third moves the same instance.
    let calls = vec![Call { key: 0, thread: Some(0) }, Call { key: 0, thread: Some(0) }, Call { key: 1, thread: Some(0) }];
    Joined { calls, tries: 1, sealers: 2, rounds: 2, limit: 2, crashes: 1, fault: None }
}

fn joined_apart() -> Joined {
    let calls = vec![Call { key: 0, thread: Some(0) }, Call { key: 1, thread: Some(1) }, Call { key: 2, thread: None }];
    Joined { calls, tries: 2, crashes: 0, ..joined_small() }
}

fn joined_large() -> Joined {
    let mut model = joined_small();
    model.calls.extend([Call { key: 2, thread: Some(1) }, Call { key: 3, thread: None }]);
    Joined { tries: 2, rounds: 3, crashes: 2, ..model }
}

fn shared_small() -> Shared {
    Shared { callers: 3, tries: 1, group_max: 2, terms: 2, kills: 1, failures: 1, panics: 0, others: 1, fault: None }
}

fn shared_panic() -> Shared {
    Shared { kills: 0, panics: 1, others: 0, group_max: 3, tries: 2, ..shared_small() }
}

fn shared_large() -> Shared {
    Shared { callers: 4, tries: 2, group_max: 3, panics: 1, ..shared_small() }
}

fn tail_small() -> Tail {
    Tail { commits: 4, every: 2, kills: 1, powers: 1, failures: 1, fault: None }
}

fn tail_large() -> Tail {
    Tail { commits: 6, kills: 2, powers: 2, ..tail_small() }
}

#[test]
fn the_joined_transaction_holds() {
    let states = all(joined_small(), None).sound().states + all(joined_apart(), None).sound().lively().states;
    tell("joined", states as u64, "states");
}

#[test]
fn the_shared_commit_holds() {
    let states = all(shared_small(), None).sound().lively().states + all(shared_panic(), None).sound().states;
    tell("shared", states as u64, "states");
}

#[test]
fn the_tail_holds() {
    tell("tail", all(tail_small(), None).sound().lively().states as u64, "states");
}

#[test]
fn every_fault_in_the_joined_transaction_is_found() {
    for (fault, what) in joined::FAULTS {
        let model = if what == joined::FAULTS[1].1 { joined_apart() } else { joined_small() };
        hunt(Joined { fault: Some(fault), ..model }, what).finds(what);
    }
}

#[test]
fn every_fault_in_the_shared_commit_is_found() {
    for (fault, what) in shared::FAULTS {
        let model = if fault == shared::Fault::WakeOwnSeat { shared_panic() } else { shared_small() };
        hunt(Shared { fault: Some(fault), ..model }, what).finds(what);
    }
}

#[test]
fn every_fault_in_the_tail_is_found() {
    for (fault, what) in tail::FAULTS {
        hunt(Tail { fault: Some(fault), ..tail_small() }, what).finds(what);
    }
}

/// The long forms: each model whole or for a time, then walks by chance through it.
#[test]
fn long() {
    let (Some(whole), Some(walk)) = (time(16), time(7)) else { return };
    let told = |name: &str, visit: hos_models::explore::Visit| {
        let visit = visit.sound();
        tell(name, visit.states as u64, if visit.whole { "states, all there are" } else { "states" });
    };
    told("joined, larger,", all(joined_large(), Some(whole)));
    told("shared, larger,", all(shared_large(), Some(whole)));
    told("tail, larger,", all(tail_large(), Some(whole)));
    let told = |name: &str, visit: hos_models::explore::Visit| tell(name, visit.sound().states as u64, "steps by chance");
    told("joined, larger,", walks(joined_large(), walk, seed()));
    told("shared, larger,", walks(shared_large(), walk, seed()));
    told("tail, larger,", walks(tail_large(), walk, seed()));
}
