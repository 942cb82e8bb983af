//! Every state of the models within small bounds; with `HOS_TORTURE_SECONDS`, of larger ones for as long.

use hos_models::explore::{Visit, all, hunt, walks};
use hos_models::joined::{self, Call, Joined};
use hos_models::shared::{self, Shared};
use hos_models::tail::{self, Tail};
use hos_models::terms::{seed, tell, time};

/// Two hosts come with one call, as a message that is delivered twice; the third moves the same instance.
fn joined_twice() -> Joined {
    let calls = vec![Call { key: 0, thread: Some(0) }, Call { key: 0, thread: Some(0) }, Call { key: 1, thread: Some(0) }];
    Joined { calls, tries: 1, sealers: 2, rounds: 2, limit: 2, crashes: 1, fault: None }
}

/// Hosts that have nothing in common, one of them with a record of the stream.
fn joined_apart() -> Joined {
    let calls = vec![Call { key: 0, thread: Some(0) }, Call { key: 1, thread: None }];
    Joined { calls, tries: 2, limit: 1, ..joined_twice() }
}

fn joined_large() -> Joined {
    let mut model = joined_twice();
    model.calls.extend([Call { key: 2, thread: Some(1) }, Call { key: 3, thread: None }]);
    Joined { tries: 2, rounds: 3, crashes: 2, ..model }
}

fn shared_killed() -> Shared {
    Shared { callers: 3, tries: 1, group_max: 2, terms: 2, kills: 1, failures: 0, panics: 0, others: 0, fault: None }
}

fn shared_failing() -> Shared {
    Shared { kills: 0, failures: 1, ..shared_killed() }
}

fn shared_raced() -> Shared {
    Shared { kills: 0, others: 1, ..shared_killed() }
}

fn shared_panic() -> Shared {
    Shared { kills: 0, panics: 1, group_max: 3, ..shared_killed() }
}

fn shared_large() -> Shared {
    Shared { callers: 4, tries: 2, group_max: 3, terms: 2, kills: 1, failures: 1, panics: 1, others: 1, fault: None }
}

fn tail_small() -> Tail {
    Tail { commits: 4, every: 2, kills: 1, powers: 1, failures: 1, fault: None }
}

fn tail_large() -> Tail {
    Tail { commits: 7, every: 3, kills: 3, powers: 3, failures: 2, fault: None }
}

#[test]
fn the_joined_transaction_holds() {
    let states = all(joined_twice(), None).sound().states + all(joined_apart(), None).sound().lively().states;
    tell("the joined transaction", states, "states");
}

#[test]
fn the_shared_commit_holds() {
    let models = [shared_killed(), shared_failing(), shared_raced(), shared_panic()];
    let visits = models.map(|model| all(model, None).sound().lively().states);
    tell("the shared commit", visits.iter().sum::<usize>(), "states");
}

#[test]
fn the_tail_holds() {
    tell("the tail", all(tail_small(), None).sound().lively().states, "states");
}

#[test]
fn every_fault_in_the_joined_transaction_is_found() {
    for (fault, what) in joined::FAULTS {
        let apart = matches!(fault, joined::Fault::SignBeforeCommit | joined::Fault::GreaterThanLast);
        let model = if apart { joined_apart() } else { joined_twice() };
        hunt(Joined { fault: Some(fault), ..model }, what).finds(what);
    }
}

#[test]
fn every_fault_in_the_shared_commit_is_found() {
    for (fault, what) in shared::FAULTS {
        let model = match fault {
            shared::Fault::WakeOwnSeat => shared_panic(),
            shared::Fault::OnceForgotten => shared_killed(),
            _ => shared_raced(),
        };
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
    let told = |name: &str, visit: Visit| {
        let visit = visit.sound();
        tell(name, visit.states, if visit.whole { "states (all)" } else { "states" });
    };
    told("the joined transaction", all(joined_large(), Some(whole)));
    told("the shared commit", all(shared_large(), Some(whole)));
    told("the tail", all(tail_large(), Some(whole)));
    let told = |name: &str, visit: Visit| tell(name, visit.sound().states, "steps by chance");
    told("the joined transaction", walks(joined_large(), walk, seed()));
    told("the shared commit", walks(shared_large(), walk, seed()));
    told("the tail", walks(tail_large(), walk, seed()));
}
