//! The clock jumps, back and forth, by seconds, hours and ten years, between and during the calls of several processes. What a
//! record may claim is claimed, the rest is refused; deadlines come neither early nor twice; the log's times never go back; and
//! once somebody confirms the clock, it goes on. `cargo xtask torture clocks` does it for long.

mod support;

use hos_core::judge::Limits;
use hos_core::proof::record::Header;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_engine::clock::{SetClock, SystemClock};
use hos_engine::ports::Clock;
use hos_engine::{Engine, Settings};
use hos_testkit::chance::Chance;
use hos_testkit::told::Told;
use hos_testkit::victim::Victim;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::evidence::evidence;
use support::writers::{ack, birth, builder, found, process, say, set, told, went, whole};
use support::{at, fresh, fresh_under};

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const TEN_YEARS: i64 = 3653 * 24 * HOUR;
const PATIENCE: Duration = Duration::from_secs(120);

/// A machine's clock: off by what stands in a file, which anybody sets, for all processes at once.
struct Machine(File);

impl Machine {
    fn at(path: &Path) -> Self {
        Self(File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap())
    }

    fn jump(&self, to: i64) {
        self.0.write_all_at(&to.to_le_bytes(), 0).unwrap();
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let mut off = [0; 8];
        self.0.read_exact_at(&mut off, 0).unwrap();
        Timestamp(SystemClock.now().0.saturating_add(i64::from_le_bytes(off)))
    }
}

/// What a process is that one of these tests started; nothing when this program runs as itself.
#[test]
fn a_process() {
    if told("ROLE") != "writer" {
        return;
    }
    say("");
    let store = PathBuf::from(told("STORE"));
    let engine = builder(&store).clock(Arc::new(Machine::at(&store.with_extension("clock")))).open().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let engine = &engine;
            scope.spawn(move || work(engine, &format!("{}.{thread}", told("NAME")), thread));
        }
    });
}

/// Births, events of those that were born some time ago, ticks; each answer is a yes, or one of the refusals that time may bring.
fn work(engine: &Engine, name: &str, seed: u64) {
    let tenant = engine.tenant("t1").unwrap();
    let mut dice = Chance::new(seed);
    for k in 0.. {
        let key = format!("{name}-{k}");
        say(&format!("try {key}"));
        let answer = birth(&tenant, &key).unwrap();
        match answer.code() {
            None => say(&ack(&key, &answer)),
            Some("hos.clock_implausible") => say(&format!("not {key}")),
            other => panic!("{other:?}: {:?}", answer.blockers),
        }
        let key = format!("{name}-{}", k - dice.below((k as usize).min(40) + 1) as u64);
        say(&format!("try {key}+go"));
        let answer = went(&tenant, &key).unwrap();
        match answer.code() {
            None => say(&ack(&format!("{key}+go"), &answer)),
            // Refused for its time, never born, or late: its deadline came first.
            Some("hos.clock_implausible" | "hos.instance_unknown" | "hos.terminal") => say(&format!("not {key}+go")),
            other => panic!("{other:?}: {:?}", answer.blockers),
        }
        if k % 16 == 0 {
            match tenant.tick(20) {
                Ok(_) => {}
                // What is due is refused for its time as any call is.
                Err(failure) if failure.code == Code::ClockImplausible => {}
                Err(failure) => panic!("{failure:?}"),
            }
        }
    }
}

/// An entry of the log, as far as time goes.
#[derive(Debug, Clone)]
struct Seen {
    thread: [u8; 16],
    n: Option<u64>,
    time: i64,
    event: String,
    /// What was refused says what the clock said.
    refused: bool,
    sealed_at: i64,
}

fn log(store: &Path) -> Vec<Seen> {
    let file = rusqlite::Connection::open(store).unwrap();
    let sql = "SELECT e.sealed_at, r.header FROM hos_entry e
        JOIN hos_record r ON r.tenant = e.tenant AND r.thread = e.thread AND r.n = e.n WHERE e.tenant = 't1' ORDER BY e.seq";
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let seen = rows.map(|row| {
        let (sealed_at, header) = row.unwrap();
        let header = Header::decode(&header).unwrap();
        let event = header.event.as_ref().map(|event| event.as_str().to_owned()).unwrap_or_default();
        Seen { thread: header.thread.0, n: header.n, time: header.time.0, event, refused: header.refusal.is_some(), sealed_at }
    });
    seen.collect()
}

/// What time did that it may not.
fn faults(log: &[Seen]) -> Vec<String> {
    let limits = Limits::default();
    let mut faults = Vec::new();
    let mut last: Option<&Seen> = None;
    let mut threads: BTreeMap<[u8; 16], Vec<&Seen>> = BTreeMap::new();
    for seen in log {
        if let Some(last) = last {
            if seen.sealed_at < last.sealed_at {
                faults.push(format!("sealed back in time: {seen:?} after {last:?}"));
            }
            let claimed = if seen.refused { seen.sealed_at } else { seen.time.max(seen.sealed_at) };
            if claimed > last.sealed_at.saturating_add(limits.jump_max_ms) {
                faults.push(format!("a jump forward: {seen:?} after {last:?}"));
            }
        }
        last = Some(seen);
        let thread = threads.entry(seen.thread).or_default();
        if let Some(before) = thread.last().filter(|_| seen.n.is_some())
            && seen.time < before.time - limits.skew_max_ms
        {
            faults.push(format!("a step back: {seen:?} after {before:?}"));
        }
        if seen.event == "late" {
            if thread.iter().any(|before| before.event == "late") {
                faults.push(format!("a deadline twice: {seen:?}"));
            }
            if thread.first().is_none_or(|born| seen.time < born.time + HOUR) {
                faults.push(format!("a deadline too early: {seen:?} of {:?}", thread.first()));
            }
        }
        thread.push(seen);
    }
    faults
}

/// What a round came to.
#[derive(Debug, Default)]
struct Counts {
    jumps: usize,
    acknowledged: usize,
    refused: usize,
    late: usize,
}

fn writer(store: &Path, name: &str) -> Victim {
    let mut writer = process("writer", store, &[("NAME", name)]);
    assert!(writer.says("try", 2, PATIENCE), "{}", writer.end().unwrap().trouble);
    writer
}

fn round(counts: &mut Counts, jumps: usize, seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("s.db");
    let clock = store.with_extension("clock");
    let machine = Machine::at(&clock);
    machine.jump(0);
    found(&store, Arc::new(Machine::at(&clock))).close().unwrap();
    let mut dice = Chance::new(seed);
    let mut told = Told::default();
    let mut writers: Vec<Victim> = (0..3).map(|n| writer(&store, &format!("w{n}"))).collect();
    let mut hear = |mut writer: Victim, is_over: bool| {
        writer.kill();
        let end = writer.end().unwrap();
        assert!(end.is_killed(), "a writer ended by itself, {is_over}: {}", end.trouble);
        told.read(&end.text);
    };
    let mut off: i64 = 0;
    for n in 0..jumps {
        let by = [SECOND, 3 * SECOND, 7 * SECOND, HOUR * 3 / 2, 26 * HOUR, TEN_YEARS][dice.below(6)];
        // From where it is, or from the true time: so that hours add up, and nothing stays away for good.
        off = match dice.below(4) {
            0 => 0,
            1 if off.abs() < TEN_YEARS => off + by,
            2 => -by,
            _ => by,
        };
        machine.jump(off);
        std::thread::sleep(Duration::from_millis(10 + dice.below(80) as u64));
        if n % 8 == 7 {
            // With the clock as it is: whoever opens now, opens.
            hear(writers.swap_remove(dice.below(writers.len())), false);
            writers.push(writer(&store, &format!("x{n}")));
        }
    }
    writers.into_iter().for_each(|writer| hear(writer, true));
    counts.jumps += jumps;
    machine.jump(0);
    let engine = builder(&store).clock(Arc::new(Machine::at(&clock))).open().unwrap();
    whole(&engine).unwrap();
    let held = told.held(evidence(&store).unwrap()).unwrap();
    let seen = log(&store);
    assert_eq!(faults(&seen), [""; 0]);
    counts.acknowledged += held.acknowledged;
    counts.refused += held.refused;
    counts.late += seen.iter().filter(|seen| seen.event == "late").count();
    assert!(birth(&engine.tenant("t1").unwrap(), "at the true time").unwrap().allowed);
    confirmed(engine, &machine, &store);
}

/// A clock that is ten years ahead is refused, until somebody says that it is right; then it goes on.
fn confirmed(engine: Engine, machine: &Machine, store: &Path) {
    let clock = store.with_extension("clock");
    machine.jump(TEN_YEARS);
    let tenant = engine.tenant("t1").unwrap();
    for _ in 0..2 {
        assert_eq!(birth(&tenant, "years on").unwrap().code(), Some(Code::ClockImplausible.as_str()));
    }
    drop(tenant);
    engine.close().unwrap();
    for (settings, key) in
        [(Settings { clock_confirmed: true, ..Settings::default() }, "years on"), (Settings::default(), "and further")]
    {
        let engine = builder(store).settings(settings).clock(Arc::new(Machine::at(&clock))).open().unwrap();
        let answer = birth(&engine.tenant("t1").unwrap(), key).unwrap();
        assert!(answer.allowed, "{:?}", answer.blockers);
        whole(&engine).unwrap();
        engine.close().unwrap();
    }
}

#[test]
fn clocks_jump_while_processes_write() {
    let until = Instant::now() + Duration::from_secs(set("HOS_TEST_SECONDS").unwrap_or(0));
    let jumps = if set("HOS_TEST_SECONDS").is_some() { 200 } else { 32 };
    let mut counts = Counts::default();
    for n in 0.. {
        round(&mut counts, jumps, set("HOS_TEST_SEED").unwrap_or(1) * 1000 + n);
        if Instant::now() >= until {
            break;
        }
    }
    assert!(counts.refused > 0 && counts.late > 0, "the clock did no harm: {counts:?}");
    println!("count: {} jumps of a clock", counts.jumps);
    println!("count: {} acknowledgements (none lost) of writers under a clock that jumps", counts.acknowledged);
    println!("count: {} refusals (nothing stored) of writers under a clock that jumps", counts.refused);
    println!("count: {} deadlines (none early, none twice) of orders under a clock that jumps", counts.late);
}

/// Planted: limits that let everything pass, a deadline that is shorter than it should be, a log whose times were edited.
#[test]
fn what_time_may_not_do_is_found() {
    let lax = Settings {
        limits: Limits { skew_max_ms: i64::MAX / 4, jump_max_ms: i64::MAX / 4, ..Limits::default() },
        ..Settings::default()
    };
    let found_by = |store: &support::Store, what: &str| {
        store.engine.work().unwrap();
        let faults = faults(&log(&store.path));
        assert!(faults.iter().any(|fault| fault.starts_with(what)), "{what}: {faults:?}");
    };
    let clock = |store: &support::Store, text: &str| SetClock::set(&store.clock, at(text));
    if support::database::is_on() {
        return;
    }
    let store = fresh(lax.clone());
    assert!(birth(&store.tenant("t1"), "1").unwrap().allowed);
    assert_eq!(faults(&log(&store.path)), [""; 0]);
    clock(&store, "2025-12-31T23:00:00Z");
    assert!(went(&store.tenant("t1"), "1").unwrap().allowed);
    found_by(&store, "a step back");

    let store = fresh(lax);
    clock(&store, "2036-01-01T00:00:00Z");
    assert!(birth(&store.tenant("t1"), "1").unwrap().allowed);
    found_by(&store, "a jump forward");

    let store = fresh_under(Settings::default(), |_, text| text.replace("PT1H", "PT1M"));
    assert!(birth(&store.tenant("t1"), "1").unwrap().allowed);
    clock(&store, "2026-01-01T00:02:00Z");
    assert_eq!(store.tenant("t1").tick(10).unwrap(), 1);
    found_by(&store, "a deadline too early");

    let mut seen = log(&store.path);
    seen.push(seen.last().unwrap().clone());
    assert!(faults(&seen).iter().any(|fault| fault.starts_with("a deadline twice")));
    seen.last_mut().unwrap().sealed_at -= 1;
    assert!(faults(&seen).iter().any(|fault| fault.starts_with("sealed back in time")));
}
