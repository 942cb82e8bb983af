//! A store that was put back to an older copy: noticed by the mark outside, quarantined, gone on from as a new epoch; and two
//! histories under one key, proved to a stranger.

mod support;

use hos_core::audit;
use hos_core::call::Call;
use hos_core::id::{InstanceId, KeyId, Name, Tenant, TreeHash};
use hos_core::law::mode::Modes;
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::erasure::LastVerdict;
use hos_core::proof::trust::Trust;
use hos_core::refusal::Code;
use hos_engine::clock::SetClock;
use hos_engine::{Engine, Erasure, ExportOptions, Failure, Level, Settings, VerifyOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use support::{go, new_order, root};

struct World {
    dir: tempfile::TempDir,
    path: PathBuf,
    mark: PathBuf,
    clock: Arc<SetClock>,
}

impl World {
    /// A store with a mark and an old copy of it, and four more records since.
    fn put_back() -> (Self, String) {
        let support::Store { engine, clock, path, dir, .. } = support::fresh(Settings::default());
        engine.close().unwrap();
        let world = Self { mark: dir.path().join("mark"), path, dir, clock };
        let engine = world.builder().unmarked().open().unwrap();
        engine.write_mark().unwrap();
        for id in ["1", "2"] {
            assert!(engine.tenant("t1").unwrap().begin(new_order(id)).unwrap().allowed);
        }
        engine.close().unwrap();
        std::fs::copy(&world.path, world.dir.path().join("old")).unwrap();
        let engine = world.open().unwrap();
        for id in ["3", "4"] {
            assert!(engine.tenant("t1").unwrap().begin(new_order(id)).unwrap().allowed);
            assert!(engine.tenant("t1").unwrap().transition(go(id)).unwrap().allowed);
        }
        let lost = engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
        engine.close().unwrap();
        world.restore("old");
        (world, lost)
    }

    fn restore(&self, name: &str) {
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", self.path.display()));
        }
        std::fs::copy(self.dir.path().join(name), &self.path).unwrap();
    }

    fn builder(&self) -> hos_engine::Builder {
        Engine::builder().sqlite(&self.path).clock(self.clock.clone()).mark(&self.mark)
    }

    fn open(&self) -> Result<Engine, Failure> {
        self.builder().open()
    }
}

#[track_caller]
fn report(engine: &Engine, anchors: &[&str]) -> hos_engine::VerifyReport {
    let anchors = anchors.iter().map(|a| (*a).to_owned()).collect();
    engine.verify(&VerifyOptions { anchors, ..VerifyOptions::default() }).unwrap()
}

#[test]
fn a_store_behind_its_mark_is_only_read() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    let engine = world.open().unwrap();
    let why = engine.quarantine().unwrap();
    assert!(why.contains("`t1`") && why.contains("its end is lost"), "{why}");
    // Nothing is written, by any door; what is there can be looked at.
    let t1 = engine.tenant("t1").unwrap();
    let refused = |failure: Option<Failure>| assert_eq!(failure.unwrap().code, Code::Quarantined);
    refused(t1.begin(new_order("5")).err());
    refused(engine.batch(Vec::new()).err());
    refused(engine.work().err());
    refused(
        engine
            .rotate_key(Arc::new(hos_engine::signer::FileSigner::new(hos_core::proof::key::SealKey::from_seed(&[1; 32]))))
            .err(),
    );
    refused(engine.backup(&world.dir.path().join("copy"), None).err());
    let (order, id) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    refused(t1.export(&order, &id, &ExportOptions { without_map: true, ..ExportOptions::default() }).err());
    assert_eq!(t1.history(&order, &id, 0, 10).unwrap().len(), 1);
    let verified = report(&engine, &[]);
    assert_eq!(verified.level, Level::Broken);
    assert!(verified.findings.iter().all(|(at, _)| at == "mark"), "{:?}", verified.findings);
    assert!(report(&engine, &[&lost]).findings.len() > 1, "the lost checkpoint is beyond the log");
    drop(t1);
    engine.close().unwrap();
    // It stays so, and the mark stays what it was.
    let again = world.open().unwrap();
    assert_eq!(again.quarantine(), Some(why));
    again.close().unwrap();
    // Without its mark a store that should have one does not open.
    std::fs::rename(&world.mark, world.dir.path().join("away")).unwrap();
    assert_eq!(world.open().err().unwrap().code, Code::StoreIntegrity);
}

#[test]
fn no_face_writes_into_a_store_that_is_only_read() {
    if support::database::is_on() {
        return;
    }
    let (world, _) = World::put_back();
    // Deadlines are due.
    world.clock.set(support::at("2026-01-01T02:00:00Z"));
    let refused = |engine: &Engine, code: Code| {
        let before = report(engine, &[]).records;
        let (t1, ann) = (engine.tenant("t1").unwrap(), support::uid("A", "ann"));
        let call = || Call::Begin(new_order("5"));
        let failures = [
            ("a call", t1.call(call()).err()),
            ("a batch", engine.batch(vec![(t1.name().clone(), call())]).err()),
            ("a tick", t1.tick(10).err()),
            ("a round of work", engine.work().err()),
            ("a poll", t1.outbox_poll(&root(), 10, Duration::from_secs(1)).err()),
            ("an acknowledgement", t1.outbox_ack(&root(), 0, &KeyId([0; 16])).err()),
            ("a tenant", engine.open_tenant(&root(), &Tenant::new("t9").unwrap()).err()),
            ("a law", engine.activate(&root(), engine.law().unwrap(), None, Modes::default()).err()),
            ("a hold", engine.hold(&root(), &ann, "case 1").err()),
            ("an erasure", engine.erase(&root(), &ann, "request").err()),
        ];
        for (face, failure) in failures {
            assert_eq!(failure.map(|failure| failure.code), Some(code), "{face}");
        }
        assert_eq!(report(engine, &[]).records, before);
    };
    let engine = world.open().unwrap();
    refused(&engine, Code::Quarantined);
    engine.close().unwrap();
    let engine = world.builder().unmarked().reading().open().unwrap();
    refused(&engine, Code::StoreReadOnly);
}

#[test]
fn no_key_goes_on_the_word_of_a_store_in_quarantine() {
    if support::database::is_on() {
        return;
    }
    let support::Store { engine, clock, path, dir, .. } = support::fresh(Settings::default());
    engine.close().unwrap();
    let world = World { mark: dir.path().join("mark"), path, dir, clock };
    let engine = world.builder().unmarked().open().unwrap();
    engine.write_mark().unwrap();
    engine.close().unwrap();
    // A copy in which somebody is erased, and the store that knows nothing of it.
    let copy = world.dir.path().join("copy.db");
    for ending in ["", ".vault", ".key"] {
        std::fs::copy(format!("{}{ending}", world.path.display()), format!("{}{ending}", copy.display())).unwrap();
    }
    let other = Engine::builder().sqlite(&copy).clock(world.clock.clone()).open().unwrap();
    assert!(other.erase(&root(), &support::uid("A", "ann"), "request").unwrap().allowed);
    other.close().unwrap();
    let engine = world.open().unwrap();
    let put = hos_core::call::Change::Put { uid: support::uid("R", "x"), attrs: Default::default() };
    support::change(&engine.tenant("universe").unwrap(), put);
    engine.close().unwrap();
    world.restore("copy.db");
    let engine = world.open().unwrap();
    assert!(engine.quarantine().is_some());
    assert_eq!(engine.work().err().unwrap().code, Code::Quarantined);
    engine.close().unwrap();
    let vault = rusqlite::Connection::open(format!("{}.vault", world.path.display())).unwrap();
    let destroyed = vault.query_row("SELECT count(*) FROM hos_vault WHERE key IS NULL", [], |row| row.get::<_, i64>(0));
    assert_eq!(destroyed, Ok(0), "the store itself never erased anybody");
}

#[test]
fn a_mark_that_is_bent_or_another_stores_is_refused() {
    if support::database::is_on() {
        return;
    }
    let (world, _) = World::put_back();
    let sound = std::fs::read(&world.mark).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&world.mark, bytes).unwrap();
        match world.open() {
            // Whatever is bent, it is never less than a quarantine.
            Ok(engine) => assert!(engine.quarantine().is_some()),
            Err(failure) => assert_eq!(failure.code, Code::StoreIntegrity),
        }
    };
    for cut in [0, 5, 11, 40, sound.len() / 2, sound.len() - 1] {
        refused(&sound[..cut]);
    }
    let text = String::from_utf8(sound.clone()).unwrap();
    refused(text.replace("end 2", "end 1").as_bytes());
    refused(format!("{text}x").as_bytes());
    refused(text.replace("hos mark 1", "hos mark 2").as_bytes());
    let other = support::fresh(Settings::default());
    let id = |engine: &Engine| engine.store_id().to_string();
    std::fs::write(&world.mark, &sound).unwrap();
    let ours = id(&world.open().unwrap());
    refused(text.replace(&ours, &id(&other.engine)).as_bytes());
}

#[test]
fn another_history_under_the_same_mark_is_seen_however_long_it_is() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    // The old copy goes on without its mark, longer than what was lost.
    let careless = Engine::builder().sqlite(&world.path).clock(world.clock.clone()).open().unwrap();
    for id in ["a", "b", "c", "d", "e", "f", "g"] {
        assert!(careless.tenant("t1").unwrap().begin(new_order(id)).unwrap().allowed);
    }
    // Whoever kept the checkpoint proves the fork to anybody.
    let fork = careless.fork(&lost).unwrap().unwrap();
    let trust = format!("log {}\nquorum none\n", careless.vkey(&Tenant::new("t1").unwrap()).unwrap());
    let proved = fork.prove(&Trust::parse(trust.as_bytes()).unwrap()).unwrap();
    assert!(proved.origin.ends_with("/t1/0"));
    assert_eq!(report(&careless, &[&lost]).level, Level::Broken);
    let own = careless.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
    assert_eq!(careless.fork(&own).unwrap(), None, "a log does not fork from itself");
    careless.close().unwrap();
    let engine = world.open().unwrap();
    assert!(engine.quarantine().unwrap().contains("are not those that were answered for"), "{:?}", engine.quarantine());
}

#[test]
fn a_new_epoch_s_reason_ends_at_its_limit() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    let limit = hos_core::limits::ALL.iter().find(|limit| limit.name == "EPOCH_REASON_BYTES_MAX").unwrap();
    let begun = |n: usize| {
        let begun = world.open().unwrap().new_epoch(&"x".repeat(n), std::slice::from_ref(&lost));
        begun.map(drop).map_err(|failure| failure.code.as_str().to_owned())
    };
    assert_eq!(hos_core::limits::held(limit, begun), Ok(()));
}

#[test]
fn a_new_epoch_says_what_was_lost_and_goes_on() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    let kept = {
        let engine = world.builder().unmarked().open().unwrap();
        engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap()
    };
    let refused = |reason: &str, notes: &[String]| {
        let failure = world.open().unwrap().new_epoch(reason, notes).err().unwrap();
        assert_eq!(failure.code, Code::CallMalformed, "{failure}");
    };
    refused("", std::slice::from_ref(&lost));
    let unmarked = Engine::builder().sqlite(&world.path).clock(world.clock.clone()).open().unwrap();
    assert_eq!(unmarked.new_epoch("the disk died", &[]).unwrap_err().code, Code::CallMalformed);
    refused("the disk died", std::slice::from_ref(&kept));
    refused("the disk died", &[lost.replacen("/t1/", "/t2/", 1)]);
    let size: u64 = lost.lines().nth(1).unwrap().parse().unwrap();
    refused("the disk died", &[lost.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1)]);
    assert_eq!(world.open().unwrap().new_epoch("the disk died", std::slice::from_ref(&lost)).unwrap(), 1);

    let engine = world.open().unwrap();
    assert_eq!(engine.quarantine(), None);
    let first = report(&engine, &[]);
    assert_eq!(first.level, Level::Intact, "{:#?}", first.findings);
    assert!(first.notices.iter().any(|n| n.contains("epoch 1 of `t1`") && n.contains(&size.to_string())), "{:?}", first.notices);
    // The universe's log lost nothing, and that is said.
    let of_universe: Vec<&String> = first.notices.iter().filter(|n| n.contains("epoch 1 of `universe`")).collect();
    assert!(matches!(of_universe[..], [n] if n.ends_with("nothing of it was lost")), "{of_universe:?}");
    // It works as before; checkpoints are of another origin.
    let t1 = engine.tenant("t1").unwrap();
    for id in ["3", "5"] {
        assert!(t1.begin(new_order(id)).unwrap().allowed);
    }
    assert!(t1.transition(go("1")).unwrap().allowed);
    let now = t1.checkpoint().unwrap().unwrap();
    assert!(now.lines().next().unwrap().ends_with("/t1/1"));
    // A tenant that is opened later begins in the epoch.
    assert!(engine.open_tenant(&root(), &Tenant::new("t2").unwrap()).unwrap().allowed);
    support::change(
        &engine.tenant("t2").unwrap(),
        hos_core::call::Change::Put { uid: support::uid("R", "x"), attrs: Default::default() },
    );
    // What was kept of the first epoch still vouches; what was lost does not, and is named; another is a finding.
    assert_eq!(report(&engine, &[&kept]).level, Level::Anchored, "{:#?}", report(&engine, &[&kept]).findings);
    assert_eq!(report(&engine, &[&now]).level, Level::Anchored);
    let with_lost = report(&engine, &[&lost]);
    assert_eq!(with_lost.level, Level::Intact, "{:#?}", with_lost.findings);
    assert!(with_lost.notices.iter().any(|n| n.contains("were lost")), "{:?}", with_lost.notices);
    // An order from before is exported under the new epoch, and holds.
    let done = t1.export(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap(), &ExportOptions::default()).unwrap();
    let verdict = audit::bundle(&done.bytes, &Trust::parse(done.trust.as_bytes()).unwrap(), &[]);
    assert!(verdict.holds(), "{:?}", verdict.standing);
    assert!(verdict.origin.ends_with("/t1/1"));
    // So is the whole log, as tiles: its first entries are of the first epoch.
    let trust = Trust::parse(done.trust.as_bytes()).unwrap();
    let mut files = std::collections::BTreeMap::new();
    let mut keep = |(path, bytes): &(String, Vec<u8>)| {
        files.insert(path.clone(), bytes.clone());
        Ok(())
    };
    t1.export_tiles(&mut keep, None).unwrap();
    let mut pass = audit::log::TilesAudit::open(&files["checkpoint"], &trust, &[]).unwrap();
    while let Some((path, _)) = pass.next() {
        pass.take(&files[&path]).unwrap();
    }
    assert!(pass.finish().unwrap().1.entries > size);
    // Who kept a checkpoint of the first epoch, of entries that the second kept, sees that they are the same.
    let mut pass = audit::log::TilesAudit::open(&files["checkpoint"], &trust, &[kept.as_bytes()]).unwrap();
    while let Some((path, _)) = pass.next() {
        pass.take(&files[&path]).unwrap();
    }
    assert!(pass.finish().unwrap().1.anchored.is_some());
    for (_, text) in t1.export_proofs(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap()).unwrap() {
        audit::log::proof(text.as_bytes(), &trust, &[]).unwrap();
    }
    drop(t1);
    engine.work().unwrap();
    engine.backup(&world.dir.path().join("second"), None).unwrap();
    engine.tenant("t1").unwrap().begin(new_order("9")).unwrap();
    let lost_again = engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
    engine.close().unwrap();

    // And once more, from the second epoch to the third.
    world.restore("second");
    let engine = world.open().unwrap();
    assert!(engine.quarantine().unwrap().contains("its end is lost"));
    assert_eq!(engine.new_epoch("again", &[lost_again]).unwrap(), 2);
    let engine = world.open().unwrap();
    let third = report(&engine, &[&kept, &now]);
    assert_eq!(third.level, Level::Anchored, "{:#?}", third.findings);
    assert!(engine.tenant("t2").unwrap().checkpoint().unwrap().unwrap().lines().next().unwrap().ends_with("/t2/2"));
    let lost_in_third = engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
    // The first copy is a store of epoch 0 now: behind the mark by two lives.
    engine.close().unwrap();
    world.restore("old");
    assert!(world.open().unwrap().quarantine().unwrap().contains("epoch"));
    // The second copy is of epoch 1, and what was lost of a later one than it knows: it goes on in one that nobody has signed in.
    world.restore("second");
    let engine = world.open().unwrap();
    assert!(engine.quarantine().unwrap().contains("was in epoch 2"));
    let newest = lost_in_third;
    assert_eq!(engine.new_epoch("the second copy again", std::slice::from_ref(&newest)).unwrap(), 3);
    let engine = world.open().unwrap();
    assert_eq!(engine.quarantine(), None);
    assert!(engine.tenant("t1").unwrap().begin(new_order("10")).unwrap().allowed);
    let fourth = report(&engine, &[&newest]);
    assert_eq!(fourth.level, Level::Intact, "{:#?}", fourth.findings);
    assert!(fourth.notices.iter().any(|n| n.contains("were lost")), "{:?}", fourth.notices);
}

#[test]
fn a_log_that_was_empty_through_an_epoch_begins_with_the_next() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    world.open().unwrap().new_epoch("the disk died", &[lost]).unwrap();
    let engine = world.open().unwrap();
    assert!(engine.open_tenant(&root(), &Tenant::new("t2").unwrap()).unwrap().allowed);
    engine.backup(&world.dir.path().join("second"), None).unwrap();
    assert!(engine.tenant("t1").unwrap().begin(new_order("9")).unwrap().allowed);
    let lost_again = engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
    engine.close().unwrap();
    world.restore("second");
    assert_eq!(world.open().unwrap().new_epoch("again", &[lost_again]).unwrap(), 2);
    let engine = world.open().unwrap();
    let second = report(&engine, &[]);
    assert_eq!(second.level, Level::Intact, "{:#?}", second.findings);
    engine.backup(&world.dir.path().join("third"), None).unwrap();
    let t2 = engine.tenant("t2").unwrap();
    assert!(t2.begin(new_order("1")).unwrap().allowed);
    let done = t2.export(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap(), &ExportOptions::default()).unwrap();
    let verdict = audit::bundle(&done.bytes, &Trust::parse(done.trust.as_bytes()).unwrap(), &[]);
    assert!(verdict.holds(), "{:?}", verdict.standing);
}

#[test]
fn an_erasure_in_a_later_epoch_says_that_all_held() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    world.open().unwrap().new_epoch("the disk died", &[lost]).unwrap();
    let engine = world.open().unwrap();
    for id in ["1", "2"] {
        assert!(engine.tenant("t1").unwrap().transition(go(id)).unwrap().allowed);
    }
    let what = Erasure { ground: "x", ..Erasure::default() };
    let done = engine.erase_with(&root(), &support::uid("A", "ann"), &what).unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    assert_eq!(done.record.unwrap().verdict, LastVerdict::Intact);
    let verified = report(&engine, &[]);
    assert_eq!(verified.level, Level::Intact, "{:#?}", verified.findings);
}

#[test]
fn a_row_that_no_record_bears_begins_no_epoch() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    let size = lost.lines().nth(1).unwrap();
    let forge = |sql: &str| {
        let db = rusqlite::Connection::open(&world.path).unwrap();
        db.execute_batch(sql).unwrap();
    };
    // The old copy, with rows that say that its end was lost lawfully.
    let rows = format!(
        "INSERT INTO hos_epoch (tenant, epoch, seq, note) SELECT tenant, 1, size, 'x' || char(10) || '{size}' || char(10) FROM hos_head"
    );
    forge(&rows);
    let engine = world.open().unwrap();
    assert!(engine.quarantine().is_some());
    let found = report(&engine, &[&lost]);
    assert_eq!(found.level, Level::Broken, "{:#?}", found.notices);
    engine.close().unwrap();
    forge("UPDATE hos_store SET value = x'0000000000000001' WHERE key = 'epoch'; UPDATE hos_head SET epoch = 1");
    match world.open() {
        Ok(engine) => {
            let why = engine.quarantine().expect("nobody writes on");
            assert!(why.contains("no record begins epoch 1"), "{why}");
            assert_eq!(report(&engine, &[&lost]).level, Level::Broken);
        }
        Err(failure) => assert_eq!(failure.code, Code::StoreIntegrity),
    }
}

/// An epoch is written without the key: by who put the old copy back, or by an operator whose signer does not answer.
#[test]
fn an_epoch_that_nobody_has_signed_excuses_nothing() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    let size = lost.lines().nth(1).unwrap();
    let unsigned = || Engine::builder().sqlite(&world.path).clock(world.clock.clone()).signer_command("false");
    let engine = unsigned().open().unwrap();
    assert_eq!(engine.new_epoch("maintenance", std::slice::from_ref(&lost)).unwrap(), 1);
    let engine = world.open().unwrap();
    let why = engine.quarantine().unwrap();
    assert!(why.contains("epoch 1 began, of which no checkpoint is signed"), "{why}");
    let found = report(&engine, &[&lost]);
    assert_eq!(found.level, Level::Broken);
    assert!(found.findings.iter().any(|(at, _)| at != "mark"), "{:?}", found.findings);
    assert!(found.notices.iter().any(|n| n.contains("epoch 1 of `t1` began") && n.contains(size)), "{:?}", found.notices);
    let marked = std::fs::read(&world.mark).unwrap();
    engine.close().unwrap();
    assert_eq!(std::fs::read(&world.mark).unwrap(), marked, "the mark says what it said");
    std::fs::copy(&world.path, world.dir.path().join("unsigned")).unwrap();

    // A worker that has the key signs it.
    let worker = Engine::builder().sqlite(&world.path).clock(world.clock.clone()).open().unwrap();
    worker.work().unwrap();
    worker.close().unwrap();
    let engine = world.open().unwrap();
    assert_eq!(engine.quarantine(), None);
    let signed = report(&engine, &[&lost]);
    assert_eq!(signed.level, Level::Intact, "{:#?}", signed.findings);
    let told = |what: &str| signed.notices.iter().any(|n| n.starts_with(what) && n.contains(size) && n.contains("were lost"));
    assert!(told("the checkpoint of `t1`") && told("the mark has `t1`"), "{:?}", signed.notices);
    engine.close().unwrap();

    // Or whoever has it begins an epoch again.
    world.restore("unsigned");
    std::fs::write(&world.mark, &marked).unwrap();
    assert_eq!(world.open().unwrap().new_epoch("the disk died", std::slice::from_ref(&lost)).unwrap(), 2);
    let engine = world.open().unwrap();
    assert_eq!(engine.quarantine(), None);
    let again = report(&engine, &[&lost]);
    assert_eq!(again.level, Level::Intact, "{:#?}", again.findings);
    let failure = engine.new_epoch("once more", &[lost]).err().unwrap();
    assert_eq!(failure.code, Code::CallMalformed, "it is lost already, and that is signed");
}

/// What says what was lost is a checkpoint of the log itself, under a key that took over for certain.
#[test]
fn a_key_that_nobody_vouched_for_says_nothing_of_what_was_lost() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    let theirs = hos_core::proof::key::SealKey::from_seed(&[9; 32]);
    let unsigned = || Engine::builder().sqlite(&world.path).clock(world.clock.clone()).signer_command("false").open().unwrap();
    unsigned().begin_rotation_and_stop(&theirs.verify_key()).unwrap();
    let said = Checkpoint {
        origin: lost.lines().next().unwrap().to_owned(),
        size: 999_999,
        root: TreeHash([7; 32]),
        extensions: Vec::new(),
    };
    let failure = unsigned().new_epoch("maintenance", &[said.sign(&theirs).unwrap()]).err().unwrap();
    assert!(failure.code == Code::CallMalformed && failure.message.contains("not signed by a key of this store"), "{failure}");
    // The key in force says it, whatever change has begun.
    assert_eq!(unsigned().new_epoch("the disk died", std::slice::from_ref(&lost)).unwrap(), 1);
    // Nor does that change stay, for it would keep the key in force from signing the epoch.
    assert_eq!(world.open().unwrap().new_epoch("the disk died", &[lost]).unwrap(), 2);
    let engine = world.open().unwrap();
    assert!(engine.quarantine().is_none() && engine.pending_key().is_none(), "{:?}", engine.quarantine());
    assert_eq!(report(&engine, &[]).level, Level::Intact);
}

#[test]
fn every_byte_of_an_epochs_row_is_evidence() {
    if support::database::is_on() {
        return;
    }
    let (world, lost) = World::put_back();
    world.open().unwrap().new_epoch("the disk died", &[lost]).unwrap();
    world.open().unwrap().close().unwrap();
    let change = |sql: &str| {
        let engine = world.builder().unmarked().open().unwrap();
        engine.backup(&world.dir.path().join("copy"), None).unwrap();
        let copy: PathBuf = world.dir.path().join("copy");
        {
            let db = rusqlite::Connection::open(&copy).unwrap();
            assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
        }
        let verified = engine.verify_copy(&copy);
        let found = verified.is_err() || verified.unwrap().level == Level::Broken;
        remove(&copy);
        assert!(found, "{sql}");
    };
    for sql in [
        "UPDATE hos_epoch SET seq = seq + 1 WHERE tenant = 't1'",
        "UPDATE hos_epoch SET seq = seq - 1 WHERE tenant = 't1'",
        "UPDATE hos_epoch SET epoch = 2 WHERE tenant = 't1'",
        "UPDATE hos_epoch SET note = note || 'x' WHERE tenant = 't1'",
        "UPDATE hos_epoch SET note = '' WHERE tenant = 't1'",
        "UPDATE hos_epoch SET epoch = 2 WHERE tenant = 'universe'",
        "DELETE FROM hos_epoch WHERE tenant = 't1'",
        "DELETE FROM hos_epoch",
        "INSERT INTO hos_epoch (tenant, epoch, seq, note) VALUES ('t1', 2, 2, '')",
        "INSERT INTO hos_epoch (tenant, epoch, seq, note) VALUES ('stranger', 1, 0, '')",
        "UPDATE hos_store SET value = x'0000000000000002' WHERE key = 'epoch'",
    ] {
        change(sql);
    }
}

fn remove(copy: &Path) {
    for ending in ["", "-wal", "-shm", "-lock"] {
        let _ = std::fs::remove_file(format!("{}{ending}", copy.display()));
    }
}

/// A copy that has grown beyond what this process answered for takes the place of its file.
#[test]
fn a_process_goes_on_in_no_other_history_than_its_own() {
    if support::database::is_on() {
        return;
    }
    let support::Store { engine, clock, path, dir, .. } = support::fresh(Settings::default());
    let copy = dir.path().join("copy.db");
    engine.backup(&copy, None).unwrap();
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", copy.display()));
    if !beside(".vault").exists() {
        engine.backup_vault(&beside(".vault")).unwrap();
    }
    std::fs::copy(format!("{}.key", path.display()), beside(".key")).unwrap();
    let t1 = engine.tenant("t1").unwrap();
    assert!(t1.begin(new_order("1")).unwrap().allowed);
    let other = Engine::builder().sqlite(&copy).clock(clock).open().unwrap();
    for id in ["2", "3", "4"] {
        assert!(other.tenant("t1").unwrap().begin(new_order(id)).unwrap().allowed);
    }
    other.close().unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
        let _ = std::fs::remove_file(beside(ending));
    }
    std::fs::rename(&copy, &path).unwrap();
    for _ in 0..3 {
        assert_eq!(t1.begin(new_order("9")).unwrap_err().code, Code::StoreIntegrity);
    }
}
