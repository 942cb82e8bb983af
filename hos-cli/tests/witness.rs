//! Witnesses: a witness written for these tests, asked by `hos witness` and `hos export`.

mod common;

use common::World;
use common::witness::{Mood, Witness};
use hos_core::proof::checkpoint::{Note, NoteKey};
use serde_json::{Value as Json, json};
use std::sync::Arc;

struct Watched {
    world: World,
    witnesses: Vec<(Arc<Witness>, String)>,
}

/// The vkey of a tenant's log.
fn vkey(world: &World, tenant: &str) -> String {
    let keys = world.run(&["keys", "show", "--json"]).ended(0).json();
    keys["keys"].as_array().unwrap().iter().find(|row| row["tenant"] == tenant).unwrap()["vkey"].as_str().unwrap().to_owned()
}

/// A world with two tenants and three witnesses, two of whom are enough; they know the universe's log and that of `pazar`.
fn watched() -> Watched {
    watched_by(&["universe", "pazar"])
}

fn watched_by(known: &[&str]) -> Watched {
    let world = World::new();
    world.order("o-1");
    world.run(&["tenant", "open", "bazaar"]).ended(0);
    let logs: Vec<NoteKey> = known.iter().map(|tenant| NoteKey::parse(&vkey(&world, tenant)).unwrap()).collect();
    let witnesses: Vec<_> = (1..=3).map(|n| Witness::start(n, &logs)).collect();
    for (name, tenant) in [("policy", "pazar"), ("policy.bazaar", "bazaar"), ("policy.store", "universe")] {
        let mut policy = format!("log {}\n", vkey(&world, tenant));
        for (n, (witness, address)) in witnesses.iter().enumerate() {
            policy.push_str(&format!("witness w{n} {} {address}\n", witness.vkey()));
        }
        policy.push_str("group most 2 w0 w1 w2\nquorum most\n");
        std::fs::write(world.path(name), policy).unwrap();
    }
    Watched { world, witnesses }
}

impl Watched {
    fn mood(&self, n: usize, mood: Mood) {
        *self.witnesses[n].0.mood.lock().unwrap() = mood;
    }

    /// How often each witness was asked for a log of this tenant.
    fn asked(&self, tenant: &str) -> Vec<usize> {
        let of = |origin: &&String| origin.split('/').nth(2) == Some(tenant);
        self.witnesses.iter().map(|(witness, _)| witness.asked.lock().unwrap().iter().filter(of).count()).collect()
    }

    /// An order of the other tenant.
    fn other_order(&self, id: &str) {
        let world = &self.world;
        let begin = ["begin", "order", id, "place", "--fact", "buyer=ayse", "--fact", "total=10", "--tenant", "bazaar"];
        world.ayse(&begin).ended(0);
    }

    /// Exports an order under a policy and verifies it by the same.
    fn anchored(&self, tenant: &str, id: &str, policy: &str, file: &str) -> Json {
        let (bundle, policy) = (self.world.path(file), self.world.path(policy));
        let order = format!("order/{id}");
        self.world.run(&["export", "--tenant", tenant, "--instance", &order, "--policy", &policy, "-o", &bundle]).ended(0);
        let verdict = self.world.run(&["verify", &bundle, "--trust", &policy, "--json"]).ended(0).json();
        assert_eq!(verdict["verdict"], "anchored", "{verdict}");
        assert!(verdict["complete"].is_object());
        verdict["witnesses"].clone()
    }
}

#[test]
fn one_tenants_checkpoint_is_cosigned_again_and_again_as_its_log_grows() {
    let watched = watched();
    let world = &watched.world;
    let ask = || world.run(&["witness", "--tenant", "pazar", "--policy", &world.path("policy"), "--json"]).ended(0).json();
    let first = ask();
    assert_eq!((&first["cosigned"], &first["quorum"]), (&json!(["w0", "w1", "w2"]), &json!(true)));
    assert_eq!((&first["tenant"], &first["recorded"]), (&json!("pazar"), &json!(0)));
    let note = first["checkpoint"].as_str().unwrap();
    assert_eq!(Note::parse(note.as_bytes()).unwrap().signatures().len(), 4);
    // The same again: whoever signed is not asked twice.
    let asked = watched.asked("pazar");
    assert_eq!(ask()["cosigned"], json!(["w0", "w1", "w2"]));
    assert_eq!((asked, watched.asked("universe")), (watched.asked("pazar"), vec![0; 3]));
    // Then grown: each wants the proof from what it saw last.
    for n in 2..7 {
        world.order(&format!("o-{n}"));
        assert_eq!(ask()["cosigned"], json!(["w0", "w1", "w2"]), "at {n}");
    }
    let seen = watched.witnesses[0].0.seen.lock().unwrap().values().next().unwrap().size;
    assert!(seen >= 6);
}

#[test]
fn the_whole_store_is_cosigned_by_one_question_a_witness() {
    let watched = watched();
    let world = &watched.world;
    watched.other_order("b-1");
    watched.mood(1, Mood::HangsUp);
    let policy = world.path("policy.store");
    let first = world.run(&["witness", "--policy", &policy, "--json"]).ended(0).json();
    assert_eq!((&first["tenant"], &first["recorded"], &first["quorum"]), (&json!("universe"), &json!(2), &json!(true)));
    assert_eq!((&first["cosigned"], &first["missing"][0]["witness"]), (&json!(["w0", "w2"]), &json!("w1")));
    assert_eq!((watched.asked("universe"), watched.asked("pazar")), (vec![1, 0, 1], vec![0; 3]));
    // The one who was down comes back, and is further on than anybody asks from: it says so, and from where.
    watched.mood(1, Mood::Honest);
    let again = world.run(&["witness", "--policy", &policy, "--json"]).ended(0).json();
    assert_eq!((&again["recorded"], &again["cosigned"], &again["size"]), (&json!(0), &json!(["w0", "w1", "w2"]), &first["size"]));
    world.order("o-2");
    let grown = world.run(&["witness", "--policy", &policy]).ended(0);
    assert!(grown.out.contains("recorded 1 checkpoint(s) of tenants\ncosigned universe at "), "{}", grown.out);
    // What is kept is shown, verified, and stands in a backup.
    let kept = world.run(&["witness", "--json"]).ended(0).json();
    assert_eq!((&kept["kept"][0]["tenant"], kept["kept"].as_array().unwrap().len()), (&json!("universe"), 1));
    let report = world.run(&["verify", "--json"]).ended(0).json();
    assert_eq!(report["cosigned"][0]["witnesses"].as_array().unwrap().len(), 3, "{report}");
    let told = world.run(&["verify"]).ended(0).out;
    assert!(told.contains("cosigned universe at ") && told.contains("the store's own word"), "{told}");
    // By a trust file of the verifier's own.
    let told = world.run(&["verify", "--trust", &policy]).ended(0).out;
    assert!(told.contains("cosigned universe at ") && !told.contains("the store's own word"), "{told}");
    world.run(&["backup", &world.path("copy.db")]).ended(0);
    std::fs::copy(world.path("hos.db.vault"), world.path("copy.db.vault")).unwrap();
    let copy = ["witness", "--store", &world.path("copy.db"), "--key-file", &world.path("hos.db.key"), "--json"];
    assert_eq!(world.run(&copy).ended(0).json(), kept);
    // Judging again, the map of heads and the tiles of the universe know the new kind.
    let replay = world.run(&["verify", "--replay", "--json"]).ended(0).json();
    assert_eq!((&replay["level"], &replay["replay"]["differs"]), (&json!("replayed"), &json!(0)), "{replay}");
    let (tiles, trust) = (world.path("tiles"), world.path("tiles.trust"));
    world.run(&["export", "--tenant", "universe", "--tiles", &tiles, "--trust-out", &trust]).ended(0);
    let tiled = world.run(&["verify", &tiles, "--trust", &trust, "--json"]).ended(0).json();
    assert_eq!(tiled["verdict"], "intact", "{tiled}");
    world.run(&["history", "order", "o-1"]).ended(0);
}

#[test]
fn a_witness_that_was_down_is_asked_again_and_nothing_is_recorded_twice() {
    let watched = watched();
    let world = &watched.world;
    (0..3).for_each(|n| watched.mood(n, Mood::HangsUp));
    let policy = world.path("policy.store");
    let ask = |exit| world.run(&["witness", "--policy", &policy, "--json"]).ended(exit).json();
    let first = ask(4);
    assert_eq!((&first["recorded"], &first["cosigned"]), (&json!(1), &json!([])));
    assert_eq!(world.run(&["witness", "--json"]).ended(0).json()["kept"], json!([]));
    let second = ask(4);
    assert_eq!((&second["recorded"], &second["checkpoint"]), (&json!(0), &first["checkpoint"]));
    (0..2).for_each(|n| watched.mood(n, Mood::Honest));
    let third = ask(0);
    assert_eq!((&third["size"], &third["cosigned"]), (&first["size"], &json!(["w0", "w1"])));
}

#[test]
fn a_bundle_is_believed_by_the_quorum_and_says_who_cosigned() {
    let watched = watched();
    let world = &watched.world;
    let policy = world.path("policy");
    watched.other_order("b-1");
    watched.mood(1, Mood::HangsUp);
    assert_eq!(watched.anchored("pazar", "o-1", "policy", "o.hosb"), json!(["w0", "w2"]));
    assert_eq!((watched.asked("universe"), watched.asked("pazar")), (vec![1, 0, 1], vec![0; 3]));
    // Another order under the same checkpoint: what is kept is enough, and nobody is asked.
    watched.mood(0, Mood::Stranger);
    assert_eq!(watched.anchored("pazar", "o-1", "policy", "again.hosb"), json!(["w0", "w2"]));
    assert_eq!(watched.asked("universe"), [1, 0, 1]);
    watched.mood(0, Mood::Honest);
    // The witnesses know nothing of the other tenant's log, and need not.
    assert_eq!(watched.anchored("bazaar", "b-1", "policy.bazaar", "b.hosb"), json!(["w0", "w2"]));
    // Without witnesses the same policy believes nothing.
    let alone = world.path("alone.hosb");
    world.run(&["export", "--instance", "order/o-1", "-o", &alone]).ended(0);
    let verdict = world.run(&["verify", &alone, "--trust", &policy, "--json"]).ended(3).json();
    assert_eq!(verdict["code"], "trust.quorum");
    // And where the quorum is not met, nothing is written.
    world.order("o-2");
    watched.mood(0, Mood::Stranger);
    let none = world.path("none.hosb");
    let failed = world.run(&["export", "--instance", "order/o-1", "--policy", &policy, "-o", &none, "--json"]).ended(4);
    assert_eq!(failed.code(), "hos.signer_failed");
    assert!(failed.out.contains("w0: its answer: "), "{}", failed.out);
    assert!(!std::path::Path::new(&none).exists());
    // A policy that names another log is wrong before anybody is asked.
    let other = ["export", "--instance", "order/o-1", "--policy", &world.path("policy.bazaar"), "-o", &none];
    assert!(world.run(&other).ended(2).err.contains("trust.unknown_log"));
}

#[test]
fn witnesses_that_know_the_tenants_log_alone_are_asked_for_that() {
    let watched = watched_by(&["pazar"]);
    assert_eq!(watched.anchored("pazar", "o-1", "policy", "o.hosb"), json!(["w0", "w1", "w2"]));
    assert_eq!((watched.asked("universe"), watched.asked("pazar")), (vec![1; 3], vec![1; 3]));
    let whole = watched.world.run(&["witness", "--policy", &watched.world.path("policy"), "--json"]).ended(4).json();
    assert!(whole["missing"][0]["why"].as_str().unwrap().contains("404"), "{whole}");
}

#[test]
fn a_witness_that_fails_its_duty_does_not_count() {
    let watched = watched();
    let world = &watched.world;
    let policy = world.path("policy");
    let table = [
        (Mood::Stranger, "no signature of this key"),
        (Mood::Forges, "does not hold"),
        (Mood::Flees, ""),
        (Mood::Endless, "its answer"),
        (Mood::Redirects, "302"),
        (Mood::HangsUp, ""),
    ];
    for (n, (mood, what)) in table.into_iter().enumerate() {
        watched.mood(0, mood);
        world.order(&format!("m-{n}"));
        let done = world.run(&["witness", "--policy", &policy, "--json"]).ended(0).json();
        assert_eq!(done["cosigned"], json!(["w1", "w2"]), "{done}");
        assert!(done["missing"][0]["why"].as_str().unwrap().contains(what), "{done}");
    }
    // Two who fail are too many.
    watched.mood(1, Mood::Forges);
    world.order("m-9");
    let out = world.path("cosigned.note");
    let done = world.run(&["witness", "--policy", &policy, "-o", &out, "--json"]).ended(4).json();
    assert_eq!((&done["cosigned"], &done["quorum"]), (&json!(["w2"]), &json!(false)));
    assert!(!std::path::Path::new(&out).exists());
    // The newest is kept, and the newest that met the quorum.
    assert_eq!(world.run(&["witness", "--json"]).ended(0).json()["kept"].as_array().unwrap().len(), 2);
    world.run(&["witness", "--policy", &world.path("none")]).ended(4);
    std::fs::write(world.path("bad"), "quorum none\n").unwrap();
    world.run(&["witness", "--policy", &world.path("bad")]).ended(2);
    let stranger = std::fs::read_to_string(&policy).unwrap().replace("log hos/", "log hos/0");
    std::fs::write(world.path("stranger"), stranger).unwrap();
    world.run(&["witness", "--policy", &world.path("stranger")]).ended(2);
}

#[test]
fn a_store_that_was_put_back_gets_no_cosignature() {
    let watched = watched();
    let world = &watched.world;
    world.run(&["backup", &world.path("old.db")]).ended(0);
    for n in 2..5 {
        world.order(&format!("o-{n}"));
    }
    let policy = world.path("policy");
    let whole = ["witness", "--policy", &policy, "--json"];
    let own = [&whole[..], &["--tenant", "pazar"]].concat();
    world.run(&whole).ended(0);
    world.run(&own).ended(0);
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", world.path("hos.db")));
    }
    std::fs::copy(world.path("old.db"), world.path("hos.db")).unwrap();
    let shorter = world.run(&own).ended(4).json();
    assert_eq!(shorter["cosigned"], json!([]), "{shorter}");
    for n in 0..6 {
        world.order(&format!("other-{n}"));
    }
    // The tenant's log is another, and so is the universe's, which says so.
    for ask in [&own[..], &whole[..]] {
        let longer = world.run(ask).ended(4).json();
        assert_eq!(longer["cosigned"], json!([]), "{longer}");
        assert!(longer["missing"][0]["why"].as_str().unwrap().contains("422"), "{longer}");
    }
}
