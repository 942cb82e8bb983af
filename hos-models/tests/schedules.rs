//! Schedules of the engine's own files: some thousands; with `HOS_TORTURE_SECONDS`, for as long.

use hos_models::schedules::Scene;
use hos_models::terms::{seed, tell, time};
use std::time::Instant;

const SHORT: usize = 20000;

#[test]
fn everybody_wakes_with_their_own_answer() {
    Scene::Seats.hold(seed(), SHORT);
}

#[test]
fn nobody_waits_for_ever_and_each_gets_its_own_answers() {
    Scene::Few.hold(seed(), 10 * SHORT);
    Scene::Callers.hold(seed(), SHORT);
}

#[test]
fn a_panic_of_the_machinery_leaves_nobody_waiting() {
    Scene::Panics.hold(seed(), SHORT);
}

#[test]
fn places_come_back() {
    Scene::Desks.hold(seed(), SHORT);
}

#[test]
fn numbers_are_given_once() {
    Scene::Numbers.hold(seed(), SHORT);
}

#[test]
fn planted_faults_are_found() {
    for scene in Scene::PLANTED {
        assert_eq!(scene.found(seed(), SHORT), (true, true), "{scene:?}");
    }
}

#[test]
fn long() {
    let Some(time) = time(5) else { return };
    for scene in Scene::SOUND {
        let (begun, mut schedules) = (Instant::now(), 0);
        while begun.elapsed() < time {
            scene.hold(seed().wrapping_add(1 + schedules as u64), SHORT);
            schedules += SHORT;
        }
        tell(scene.name(), schedules, "schedules");
    }
}
