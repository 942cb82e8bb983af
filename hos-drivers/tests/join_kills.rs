//! Hosts that are killed in every phase of a transaction, and two workers at once, with clocks that are hours apart, killed as
//! well: the host's row and our record are both there or neither is, nothing that was acknowledged is lost or there twice, and
//! every checkpoint is of one history. `cargo xtask torture joined` does it for long.

mod kills;
mod world;

use kills::roles;
use kills::storm::{Scene, Storm, storm};
use kills::verdict::{judge, verified};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use world::{Kind, kinds, kinds_and_settings};

/// What a process is that one of these tests started; nothing when this program runs as itself.
#[test]
fn a_process() {
    roles::play();
}

const PATIENCE: Duration = Duration::from_secs(60);

/// One process for each statement of a transaction, and each side of it: it dies there, and nothing else does.
#[test]
fn a_host_dies_on_either_side_of_each_statement() {
    for kind in kinds() {
        let mut scene = Scene::new(&kind);
        let mut storm = Storm::default();
        let worker = scene.worker(1, 0, "never");
        for side in ["before", "after"] {
            let last = format!("{side} COMMIT");
            let (mut at, mut ended) = (0, 0);
            // Transactions of one kind differ by a statement now and then: past the end it goes back, until one has died at the last.
            while ended == 0 || !storm.phases.contains_key(&last) {
                let name = format!("{side}{at}at{ended}");
                let host = scene.host(&name, at, "rounds", &format!("{at} {side}"), &[("DEED", "both"), ("DEEDS", "1")]);
                let dead = storm.killed;
                scene.hear(host, &mut storm);
                if storm.killed > dead {
                    at += 1;
                    continue;
                }
                // It came to its end: there is no statement of this number.
                assert!(at > 15, "{kind:?}: {at} statements");
                ended += 1;
                assert!(ended < 20, "{kind:?}: nobody dies {last}: {:?}", storm.phases);
                at -= 2;
            }
        }
        let mut worker = worker;
        worker.kill();
        scene.hear(worker, &mut storm);
        scene.verdict(&mut storm);
        for phase in
            ["before BEGIN", "after BEGIN", "before COMMIT", "after COMMIT", "after INSERT hos_once", "after INSERT pays"]
        {
            assert!(storm.phases.contains_key(phase), "{kind:?}: nobody died {phase}: {:?}", storm.phases);
        }
        println!("{}: {} statements' sides, {:?}", kind.dialect().name(), storm.killed, storm.held);
    }
}

/// Storms until as many processes are dead as `HOS_TEST_KILLS` says, on each database in turn, with each setting in turn.
#[test]
fn hosts_and_workers_are_killed_at_any_moment() {
    let set = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let long = set("HOS_TEST_KILLS");
    let kinds: Vec<Kind> = if long.is_some() { kinds_and_settings() } else { kinds() };
    let until = Instant::now() + Duration::from_secs(set("HOS_TEST_SECONDS").unwrap_or(0));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut phases: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0.. {
        for (at, kind) in kinds.iter().enumerate() {
            let seed = set("HOS_TEST_SEED").unwrap_or(1) + round * 100 + at as u64;
            let since = Instant::now();
            let done = storm(kind, long.map_or(14, |n| n as usize), seed);
            println!("{} {}: {done:?}, {:?}", kind.dialect().name(), kind.session, since.elapsed());
            assert!(done.held.acknowledged > 0, "{done:?}");
            let name = kind.dialect().name();
            for (what, count) in [
                (format!("kills of hosts and workers on {name}"), done.killed),
                ("sessions cut of hosts and workers".to_owned(), done.sessions),
                ("kills of database servers".to_owned(), done.crashes),
                (format!("acknowledgements (none lost) of hosts on {name}"), done.held.acknowledged),
                ("checkpoints (of one history each) of workers".to_owned(), done.checkpoints),
            ] {
                *counts.entry(what).or_default() += count;
            }
            for (phase, count) in done.phases {
                *phases.entry(phase).or_default() += count;
            }
        }
        if Instant::now() >= until {
            break;
        }
    }
    assert!(counts.iter().any(|(what, count)| what.starts_with("checkpoints") && *count > 0), "no worker published anything");
    println!("where they died: {phases:?}");
    for (what, count) in counts.iter().filter(|(_, count)| **count > 0) {
        println!("count: {count} {what}");
    }
}

/// Planted: a host that says so before it has committed, and is killed between the two.
#[test]
fn what_is_acknowledged_too_early_is_found_to_be_lost() {
    let kind = kinds().pop().unwrap();
    let mut scene = Scene::new(&kind);
    let mut storm = Storm::default();
    // Found out where COMMIT is, by a host that lives.
    // Twice, for a transaction is longer by a statement now and then.
    let before_commit = (10..80)
        .chain(10..80)
        .find(|at| {
            let host = scene.host(&format!("p{at}"), 5, "early", &format!("{at} before"), &[("DEED", "both"), ("DEEDS", "1")]);
            scene.hear(host, &mut storm);
            storm.phases.contains_key("before COMMIT")
        })
        .unwrap();
    let why = judge(&scene.world, &scene.told, scene.before).unwrap_err();
    assert!(why.contains("Lost(") && why.contains(&format!("p{before_commit}-0.b")), "{why}");
}

/// Planted: a row of the host's that was written outside of the transaction, and an event that the host knows nothing of.
#[test]
fn a_row_without_its_record_and_a_record_without_its_row_are_found() {
    for kind in kinds() {
        let mut scene = Scene::new(&kind);
        let host = scene.host("w", 3, "rounds", "never", &[("DEED", "both"), ("DEEDS", "3")]);
        scene.hear(host, &mut Storm::default());
        let held = judge(&scene.world, &scene.told, scene.before).unwrap();
        assert!(held.acknowledged == 6 + 4, "{held:?}");
        let mut client = scene.world.client();
        client.say("INSERT INTO orders VALUES ('x.b', 'a')").unwrap();
        let why = judge(&scene.world, &scene.told, scene.before).unwrap_err();
        assert!(why.starts_with("rows of the host's without a record: [\"x.b\"]"), "{kind:?}: {why}");
        client.say("DELETE FROM orders WHERE id IN ('x.b', 'w-1.b')").unwrap();
        let why = judge(&scene.world, &scene.told, scene.before).unwrap_err();
        assert!(why.contains("records without a row of the host's: [\"w-1.b\"]"), "{kind:?}: {why}");
        client.say("INSERT INTO orders VALUES ('w-1.b', 'a')").unwrap();
        // Once more without its key: what a host would do that forgot it between two tries.
        let turn = hos_core::call::Transition::new(world::root(), "o", "hot1.b", "turn").unwrap();
        assert!(scene.world.engine.tenant("t1").unwrap().transition(turn).unwrap().allowed);
        let why = judge(&scene.world, &scene.told, scene.before).unwrap_err();
        assert!(why.contains("`hot1.b` has"), "{kind:?}: {why}");
    }
}

/// Planted: a checkpoint of another history, and the end of a log that is gone.
#[test]
fn another_history_is_found() {
    let kind = kinds().pop().unwrap();
    let mut scene = Scene::new(&kind);
    let mut worker = scene.worker(1, 7, "never");
    assert!(worker.says("note", 2, PATIENCE), "no checkpoint was published: {}", worker.said());
    worker.kill();
    scene.hear(worker, &mut Storm::default());
    verified(&scene.world, &scene.told).unwrap();
    let note = scene.told.notes().last().unwrap().to_owned();
    // The same bytes in another order are another root.
    let root = note.lines().nth(2).unwrap();
    let turned: String = root[..8].chars().rev().chain(root[8..].chars()).collect();
    assert_ne!(root, turned);
    let mut bent = scene.told.clone();
    bent.publish(&note.replacen(root, &turned, 1));
    assert!(judge(&scene.world, &bent, scene.before).unwrap_err().contains("Fork("));
    // Nobody saw the sound one: the log itself contradicts it.
    let mut alone = hos_testkit::told::Told::default();
    alone.publish(&note.replacen(root, &turned, 1));
    assert!(verified(&scene.world, &alone).unwrap_err().starts_with("Broken"));
    let mut client = scene.world.client();
    client.say("DELETE FROM hos_entry WHERE tenant = 't1' AND seq = 2").unwrap();
    assert!(verified(&scene.world, &scene.told).unwrap_err().starts_with("Broken"));
}
