//! Backups while several processes write: each holds all that was acknowledged before it began, opens elsewhere and goes on; one
//! that is killed leaves nothing that is called a backup; an old one that is put back is only read.

mod support;

use hos_core::call::Note;
use hos_core::refusal::Code;
use hos_engine::clock::SystemClock;
use hos_engine::{Engine, Failure};
use hos_testkit::told::Told;
use hos_testkit::victim::Victim;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::evidence::evidence;
use support::uid;
use support::writers::{birth, builder, die, found, process, say, set, told, whole, write};

const WRITERS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(120);

/// What a process is that one of these tests started; nothing when this program runs as itself.
#[test]
fn a_process() {
    let store = PathBuf::from(told("STORE"));
    match told("ROLE").as_str() {
        "writer" => {
            say("");
            write(&open(&store), &told("NAME"), 2);
        }
        // A backup that ends at a step of its own, or is killed by somebody else.
        "backup" => {
            say("");
            let engine = open(&store);
            let (at, steps) = (told("AT").parse::<u64>().unwrap(), Cell::new(0));
            say("began");
            let done = engine.backup(
                Path::new(&told("TO")),
                Some(&|_, _| {
                    steps.set(steps.get() + 1);
                    if steps.get() == at {
                        die();
                    }
                }),
            );
            done.unwrap();
            say("done");
        }
        _ => {}
    }
}

fn open(store: &Path) -> Engine {
    builder(store).mark(store.with_extension("mark")).open().unwrap()
}

/// A store large enough that a backup has steps, writers at work on it, and what all of them say.
struct Scene {
    dir: tempfile::TempDir,
    engine: Engine,
    writers: Vec<Victim>,
    /// What writers said that are gone.
    ended: Told,
    begun: usize,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.db");
        found(&path, Arc::new(SystemClock)).close().unwrap();
        // From now on with a mark outside of the store.
        let marking = builder(&path).mark(path.with_extension("mark")).unmarked().open().unwrap();
        marking.write_mark().unwrap();
        let notes = marking.tenant("t1").unwrap();
        for _ in 0..96 {
            assert!(notes.record(Note::new(uid("A", "root"), "n", vec![7; 60_000]).unwrap()).unwrap().allowed);
        }
        drop(notes);
        marking.close().unwrap();
        let mut scene = Self { engine: open(&path), dir, writers: Vec::new(), ended: Told::default(), begun: 0 };
        scene.fill();
        scene
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("s.db")
    }

    /// As many writers as there should be; each has written something.
    fn fill(&mut self) {
        while self.writers.len() < WRITERS {
            self.begun += 1;
            let name = format!("w{}", self.begun);
            let mut writer = process("writer", &self.store(), &[("NAME", &name)]);
            assert!(writer.says("ack", 3, PATIENCE), "{}", writer.end().unwrap().trouble);
            self.writers.push(writer);
        }
    }

    /// All that was said until now.
    fn told(&self) -> Told {
        let mut told = self.ended.clone();
        self.writers.iter().for_each(|writer| told.read(&writer.said()));
        told
    }

    fn kill(&mut self, at: usize) {
        let mut writer = self.writers.swap_remove(at);
        writer.kill();
        let end = writer.end().unwrap();
        assert!(end.is_killed(), "a writer ended by itself: {}", end.trouble);
        self.ended.read(&end.text);
    }
}

/// Holds a backup against what was said before it began; what was tried since may be in it. Its level, where it stands.
fn judged(copy: &Path, before: &Told, since: &Told) -> Result<usize, String> {
    let mut told = before.clone();
    told.tried_too(since);
    told.held(evidence(copy)?).map(|held| held.acknowledged).map_err(|faults| format!("{faults:?}"))
}

/// Puts a backup where there is nothing yet, with the vault and the key, and works with it.
fn moves(scene: &Scene, copy: &Path, number: usize) -> Result<(), String> {
    let dir = scene.dir.path().join(format!("restored-{number}"));
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("s.db");
    std::fs::copy(copy, &path).unwrap();
    // Every key that the backup's records need: the vault's copy is the younger.
    scene.engine.backup_vault(&dir.join("s.db.vault")).map_err(|failure| failure.to_string())?;
    std::fs::copy(scene.dir.path().join("s.db.key"), dir.join("s.db.key")).unwrap();
    // The mark stays where it is: what is put elsewhere is another store's life.
    let engine = builder(&path).unmarked().open().map_err(|failure| failure.to_string())?;
    whole(&engine)?;
    let tenant = engine.tenant("t1").map_err(|failure| failure.to_string())?;
    let answer = birth(&tenant, "after the restore").map_err(|failure| failure.to_string())?;
    assert!(answer.allowed, "{:?}", answer.blockers);
    drop(tenant);
    whole(&engine)?;
    drop(engine);
    std::fs::remove_dir_all(&dir).unwrap();
    Ok(())
}

/// What a round came to.
#[derive(Debug, Default)]
struct Counts {
    backups: usize,
    acknowledged: usize,
    killed: usize,
    whole: usize,
    put_back: usize,
}

fn round(counts: &mut Counts, seed: u64, online: usize, killed: usize) {
    let mut scene = Scene::new();
    let mut first = None;
    for number in 0..online {
        let to = scene.dir.path().join(format!("copy-{number}"));
        let before = scene.told();
        let report = scene.engine.backup(&to, None).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        counts.acknowledged += judged(&to, &before, &scene.told()).unwrap();
        moves(&scene, &to, number).unwrap();
        counts.backups += 1;
        if first.is_none() {
            first = Some(to);
        } else {
            std::fs::remove_file(&to).unwrap();
        }
        // Writers are killed as well, and others begin.
        scene.kill(number % WRITERS);
        scene.fill();
    }
    for number in 0..killed {
        let to = scene.dir.path().join(format!("killed-{number}"));
        let mut dice = hos_testkit::chance::Chance::new(seed + number as u64);
        // At a step of its own, or at any moment: while it verifies, names, ends.
        let own = number % 2 == 0;
        let at = if own { (1 + dice.below(4)).to_string() } else { "0".to_owned() };
        let before = scene.told();
        let mut backup = process("backup", &scene.store(), &[("TO", &to.display().to_string()), ("AT", &at)]);
        if !own && backup.says("began", 1, PATIENCE) {
            std::thread::sleep(Duration::from_micros(dice.below(250_000) as u64));
            backup.kill();
        }
        let end = backup.end().unwrap();
        assert!(end.is_killed() || end.text.contains("done"), "{}", end.trouble);
        counts.killed += usize::from(end.is_killed());
        if to.exists() {
            // It was killed after it had its name: then it is whole.
            counts.acknowledged += judged(&to, &before, &scene.told()).unwrap();
            moves(&scene, &to, 1000 + number).unwrap();
            counts.whole += 1;
        } else {
            assert!(end.is_killed(), "it was done, and has no name");
        }
        // What it left is in nobody's way, under the same name, and goes.
        let again = to;
        let _ = std::fs::remove_file(&again);
        scene.engine.backup(&again, None).unwrap();
        std::fs::remove_file(&again).unwrap();
        let names = std::fs::read_dir(scene.dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = names.filter(|name| name.starts_with("killed-")).collect();
        assert_eq!(left, Vec::<String>::new());
    }
    while !scene.writers.is_empty() {
        scene.kill(0);
    }
    whole(&scene.engine).unwrap();
    scene.told().held(evidence(&scene.store()).unwrap()).unwrap();
    put_back(scene, &first.unwrap());
    counts.put_back += 1;
}

/// An old backup in the store's own place: it opens, says what is lost, and nothing is written.
fn put_back(scene: Scene, old: &Path) {
    let (store, dir) = (scene.store(), scene.dir);
    scene.engine.close().unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", store.display()));
    }
    std::fs::copy(old, &store).unwrap();
    let engine = open(&store);
    assert!(engine.quarantine().is_some_and(|why| why.contains("its end is lost")), "{:?}", engine.quarantine());
    let refused = |failure: Option<Failure>| assert_eq!(failure.unwrap().code, Code::Quarantined);
    refused(birth(&engine.tenant("t1").unwrap(), "x").err());
    refused(engine.backup(&dir.path().join("of the old"), None).err());
}

#[test]
fn a_backup_holds_what_was_acknowledged_before_it_began() {
    let until = Instant::now() + Duration::from_secs(set("HOS_TEST_SECONDS").unwrap_or(0));
    let long = set("HOS_TEST_SECONDS").is_some();
    let mut counts = Counts::default();
    for n in 0.. {
        let (online, killed) = if long { (6, 24) } else { (2, 4) };
        round(&mut counts, set("HOS_TEST_SEED").unwrap_or(1) * 1000 + n * 100, online, killed);
        if Instant::now() >= until {
            break;
        }
    }
    assert!(counts.killed > 0 && counts.acknowledged > 0, "{counts:?}");
    println!("count: {} backups (whole, moved on elsewhere) of stores under load", counts.backups);
    println!(
        "count: {} backups killed on the way ({} had their names, and were whole) of stores under load",
        counts.killed, counts.whole
    );
    println!("count: {} acknowledgements (none missing) of backups", counts.acknowledged);
    println!("count: {} old backups put back (each quarantined) of stores", counts.put_back);
}

/// A process was killed, so that a log is left; what is put in the place of its file is another file.
#[test]
fn a_copy_beside_the_log_of_another_file_is_left_alone() {
    if support::database::is_on() {
        return;
    }
    let support::Store { engine, clock, path, dir, .. } = support::store();
    let copy = dir.path().join("copy.db");
    engine.backup(&copy, None).unwrap();
    engine.backup_vault(&dir.path().join("copy.db.vault")).unwrap();
    assert!(engine.tenant("t1").unwrap().begin(support::new_order("9")).unwrap().allowed);
    let beside = |path: &Path, ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    // By another process: who closes a file here drops the store's locks on it.
    for ending in ["-wal", ".vault-wal"] {
        let (from, to) = (beside(&path, ending), beside(&dir.path().join("left"), ending));
        assert!(std::process::Command::new("cp").arg(&from).arg(&to).status().unwrap().success());
        assert!(std::fs::metadata(&to).unwrap().len() > 0, "{}", from.display());
    }
    engine.close().unwrap();
    let open = || Engine::builder().sqlite(&copy).key_file(beside(&path, ".key")).clock(clock.clone());
    for ending in ["-wal", ".vault-wal"] {
        let file = beside(&copy, ending.strip_suffix("-wal").unwrap());
        let (before, log) = (std::fs::read(&file).unwrap(), beside(&copy, ending));
        std::fs::copy(beside(&dir.path().join("left"), ending), &log).unwrap();
        for builder in [open(), open().reading()] {
            let refused = builder.open().map(drop).unwrap_err();
            assert_eq!(refused.code, Code::StoreIntegrity, "{}", refused.message);
            assert!(refused.message.contains(&format!("copy.db{ending}` is the log of another file")), "{}", refused.message);
        }
        assert!(std::fs::read(&file).unwrap() == before && log.exists(), "{} was touched", file.display());
        std::fs::remove_file(&log).unwrap();
    }
    let engine = open().open().unwrap();
    assert!(engine.tenant("t1").unwrap().begin(support::new_order("9")).unwrap().allowed);
    engine.close().unwrap();
}

/// Planted: the file copied as any file, a backup that was cut short and given its name, one that began too early.
#[test]
fn what_is_no_backup_is_found_out() {
    let mut scene = Scene::new();
    let early = scene.dir.path().join("early");
    scene.engine.backup(&early, None).unwrap();
    for writer in &mut scene.writers {
        let more = writer.said().matches("ack ").count() + 10;
        assert!(writer.says("ack", more, PATIENCE));
    }
    let before = scene.told();
    let lost = |copy: &Path| judged(copy, &before, &scene.told());
    assert!(lost(&early).unwrap_err().contains("Lost("));

    // By a program of its own: closing a second descriptor here would drop the store's locks.
    let copied = scene.dir.path().join("copied");
    assert!(std::process::Command::new("cp").arg(scene.store()).arg(&copied).status().unwrap().success());
    let why = lost(&copied);
    assert!(why.is_err(), "{why:?}");

    let to = scene.dir.path().join("cut");
    let backup = process("backup", &scene.store(), &[("TO", &to.display().to_string()), ("AT", "1")]);
    let pid = backup.id();
    assert!(backup.end().unwrap().is_killed() && !to.exists());
    let partial = scene.dir.path().join(format!("cut.partial-{pid}-0"));
    std::fs::rename(&partial, &to).unwrap_or_else(|e| panic!("{}: {e}", partial.display()));
    assert!(lost(&to).is_err() || moves(&scene, &to, 1).is_err(), "a part of a copy was taken for the whole");
    scene.kill(0);
}
