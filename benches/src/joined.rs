//! The host's transaction on a database server, with the law in it and without, and beside one who sleeps in theirs. The servers are
//! those that `HOS_TEST_POSTGRES` and `HOS_TEST_MARIADB` name; on this machine both sides share its cores with the server.

use crate::Result;
use crate::harness::{Seen, in_turns};
use crate::shop;
use crate::table::{Bar, Row, Table};
use hos_core::call::{Begin, Call, Change, Directory, Note, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::value::{Record, Value};
use hos_engine::joined::{Asked, Joined};
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector};
use hos_engine::{Engine, Failure, Settings};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const WORKERS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(20);
const ASLEEP: Duration = Duration::from_secs(2);

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    for (name, variable) in [("PostgreSQL", "HOS_TEST_POSTGRES"), ("MariaDB", "HOS_TEST_MARIADB")] {
        match std::env::var(variable) {
            Ok(url) if !url.is_empty() => on(name, &url, quick, table)?,
            _ => eprintln!("left out: {variable} names no {name}"),
        }
    }
    Ok(())
}

/// A database of this benchmark's own.
struct Place {
    server: Arc<dyn Connector>,
    own: Arc<dyn Connector>,
    name: String,
    engine: Engine,
    joined: Joined,
    dir: tempfile::TempDir,
    numbers: AtomicU64,
    /// Whether each worker's lamp is on.
    on: Vec<AtomicBool>,
}

/// What somebody does in a transaction before they fall asleep.
#[derive(Clone, Copy)]
enum Act {
    Move,
    Birth,
    Record,
    Directory,
}

fn on(name: &str, url: &str, quick: bool, table: &mut Table) -> Result<()> {
    let place = Place::new(url)?;
    let (rounds, round) = if quick { (1, Duration::from_millis(300)) } else { (5, Duration::from_secs(2)) };
    let times = RefCell::new([Vec::new(), Vec::new()]);
    let take = |law: bool, workers: usize| {
        let (per_second, mut seen) = place.round(workers, law, round);
        times.borrow_mut()[usize::from(law)].append(&mut seen);
        per_second
    };
    let row = Row::count(format!("{name}: exchanges of a joined move, BEGIN and COMMIT not counted"), place.exchanges()?);
    table.row(row.wants(Bar::AtMost(2.0)));
    for workers in [1, WORKERS] {
        times.borrow_mut().iter_mut().for_each(Vec::clear);
        let [with, without] = in_turns(rounds, [Box::new(|| take(true, workers)), Box::new(|| take(false, workers))]);
        let [bare, law] = [0, 1].map(|of| percentile(&times.borrow()[of], 0.5));
        let what = format!("{name}: host's transactions with a joined move, {workers} at once");
        table.row(Row::rate(what, with).beside("without", without));
        let row = Row::time(format!("{name}: the middle one, {workers} at once"), Seen::once(law));
        table.row(row.beside("without", Seen::once(bare)));
    }
    let (sealed, seconds) = place.seal()?;
    let row = Row::rate(format!("{name}: records sealed, one tenant"), Seen::once(sealed / seconds));
    table.row(row.wants(Bar::AtLeast(10_000.0)));
    for (what, act) in
        [("a move", Act::Move), ("a birth", Act::Birth), ("a record", Act::Record), ("a directory change", Act::Directory)]
    {
        let times = RefCell::new([Vec::new(), Vec::new()]);
        let take = |sleeps: bool| {
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                if sleeps {
                    scope.spawn(|| place.sleep(act, &over));
                    std::thread::sleep(Duration::from_millis(50));
                }
                let (per_second, mut seen) = place.round(WORKERS - 1, true, round);
                over.store(true, Ordering::Relaxed);
                times.borrow_mut()[usize::from(sleeps)].append(&mut seen);
                per_second
            })
        };
        let [asleep, awake] = in_turns(rounds.min(3), [Box::new(|| take(true)), Box::new(|| take(false))]);
        let [quiet, beside] = [0, 1].map(|of| percentile(&times.borrow()[of], 0.99));
        let row = Row::rate(format!("{name}: 15 workers beside one asleep 2 s after {what}"), asleep);
        table.row(row.beside("none asleep", awake).wants(Bar::RatioAtLeast(0.8)));
        let row = Row::time(format!("{name}: their 99th of 100"), Seen::once(beside));
        table.row(row.beside("none asleep", Seen::once(quiet)).wants(Bar::RatioAtMost(2.0)));
        place.seal()?;
    }
    let report = place.engine.verify(&hos_engine::VerifyOptions::default())?;
    if report.level != hos_engine::Level::Intact {
        return Err(format!("{name}: what was measured does not verify: {:?}", report.findings.first()).into());
    }
    Ok(())
}

fn percentile(times: &[Duration], part: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() as f64 * part) as usize).map_or(f64::NAN, Duration::as_secs_f64)
}

fn told(error: ClientError) -> Failure {
    error.into_store("the host's own statement").into()
}

impl Place {
    fn new(url: &str) -> Result<Self> {
        let server = hos_drivers::connector(url)?;
        let name = format!("hos_bench_{}", std::process::id());
        server.connect(PATIENCE).map_err(told)?.say(&format!("CREATE DATABASE {name}")).map_err(told)?;
        let (base, _) = url.rsplit_once('/').ok_or("a URL without a database")?;
        let own = hos_drivers::connector(&format!("{base}/{name}"))?;
        let dir = tempfile::tempdir()?;
        let law = Arc::new(shop::lamps()?);
        let settings = Settings { seal: hos_engine::Seal::Worker, ..Settings::default() };
        let builder = Engine::builder().server(own.clone()).key_file(dir.path().join("key"));
        let engine = builder.law(law.clone()).settings(settings).found(shop::founding()?)?;
        engine.open_tenant(&hos_core::call::By::new(shop::owner()?), &Tenant::new("bench")?)?;
        let joined = Joined::open(Engine::builder().law(law), own.dialect(), own.dialect().places());
        let place = Self {
            server,
            own,
            name,
            engine,
            joined,
            dir,
            numbers: AtomicU64::new(0),
            on: (0..=WORKERS).map(|_| AtomicBool::new(false)).collect(),
        };
        let mut conn = place.connect()?;
        conn.say("CREATE TABLE orders (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)").map_err(told)?;
        for worker in 0..=WORKERS {
            conn.say(&format!("INSERT INTO orders VALUES ({worker}, 0)")).map_err(told)?;
            place.engine.tenant("bench")?.begin(birth(&worker.to_string())?)?;
        }
        place.engine.work()?;
        Ok(place)
    }

    /// How often a move asks the database something and waits for it, once the process knows the law.
    fn exchanges(&self) -> Result<f64> {
        const MOVES: u32 = 8;
        let mut conn = self.connect()?;
        let mut before = 0;
        for i in 0..=MOVES {
            conn.say("BEGIN").map_err(told)?;
            self.act(&mut *conn, Act::Move, 0)?;
            conn.say("COMMIT").map_err(told)?;
            if i == 0 {
                before = self.joined.exchanges();
            }
        }
        Ok((self.joined.exchanges() - before) as f64 / f64::from(MOVES))
    }

    fn connect(&self) -> std::result::Result<Box<dyn Connection>, Failure> {
        self.own.connect(PATIENCE).map_err(told)
    }

    /// So many workers, each on its own order: transactions a second, and how long each took.
    fn round(&self, workers: usize, law: bool, round: Duration) -> (f64, Vec<Duration>) {
        let seen = Mutex::new(Vec::new());
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for worker in 0..workers {
                let seen = &seen;
                scope.spawn(move || {
                    let mut own = Vec::new();
                    if let Err(failure) = self.work(worker, law, begun + round, &mut own) {
                        eprintln!("worker {worker}: {}: {}", failure.code, failure.message);
                    }
                    seen.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
                });
            }
        });
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        (seen.len() as f64 / begun.elapsed().as_secs_f64(), seen)
    }

    fn work(&self, worker: usize, law: bool, until: Instant, seen: &mut Vec<Duration>) -> std::result::Result<(), Failure> {
        let mut conn = self.connect()?;
        let update = match self.own.dialect() {
            hos_engine::store::sql::dialect::Dialect::Postgres => "UPDATE orders SET n = n + 1 WHERE id = $1",
            _ => "UPDATE orders SET n = n + 1 WHERE id = ?",
        };
        while Instant::now() < until {
            let begun = Instant::now();
            conn.say("BEGIN").map_err(told)?;
            conn.execute(update, &[&Sql::Int(worker as i64)]).map_err(told)?;
            if law {
                self.act(&mut *conn, Act::Move, worker)?;
            }
            conn.say("COMMIT").map_err(told)?;
            seen.push(begun.elapsed());
        }
        Ok(())
    }

    fn act(&self, conn: &mut dyn Connection, act: Act, worker: usize) -> std::result::Result<(), Failure> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let owner = || shop::owner().map_err(|e| Failure::new(hos_core::refusal::Code::Internal, e.to_string()));
        let call = |call: Call| Asked::Call(tenant(), Box::new(call), Vec::new());
        let answer = match act {
            Act::Birth => self.joined.over(conn, call(Call::Begin(birth(&format!("b{number}"))?)))?.answer?,
            Act::Record => {
                let note = Note::new(owner()?, "notes", b"asleep".to_vec())?;
                self.joined.over(conn, call(Call::Note(note)))?.answer?
            }
            Act::Directory => {
                let attrs = Record::from([("active".to_owned(), Value::Bool(true))]);
                let uid = Uid::new("S::Account", format!("a{number}"))?;
                let put = Directory::new(owner()?, Change::Put { uid, attrs });
                let universe = Asked::Call(Tenant::universe(), Box::new(Call::Directory(put)), Vec::new());
                self.joined.over(conn, universe)?.answer?
            }
            Act::Move => {
                let on = self.on.get(worker).is_some_and(|on| !on.fetch_xor(true, Ordering::Relaxed));
                let go = Transition::new(owner()?, "lamp", &worker.to_string(), if on { "on" } else { "off" })?;
                let go = go.arg("amount", 42).arg("ref", "a").once(&format!("k{number}"))?;
                self.joined.over(conn, call(Call::Transition(go)))?.answer?
            }
        };
        if answer.allowed {
            Ok(())
        } else {
            Err(Failure::new(hos_core::refusal::Code::Internal, format!("{:?}", answer.blockers)))
        }
    }

    /// One who does something in a transaction, sleeps in it, and commits; again and again.
    fn sleep(&self, act: Act, over: &AtomicBool) {
        let sleeping = || -> std::result::Result<(), Failure> {
            let mut conn = self.connect()?;
            while !over.load(Ordering::Relaxed) {
                conn.say("BEGIN").map_err(told)?;
                self.act(&mut *conn, act, WORKERS)?;
                let until = Instant::now() + ASLEEP;
                while Instant::now() < until && !over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                conn.say("COMMIT").map_err(told)?;
            }
            Ok(())
        };
        if let Err(failure) = sleeping() {
            eprintln!("the sleeper: {}: {}", failure.code, failure.message);
        }
    }

    /// Seals what waits: how many records, in how many seconds.
    fn seal(&self) -> Result<(f64, f64)> {
        let begun = Instant::now();
        let sealed = self.engine.work()?.sealed;
        Ok((sealed as f64, begun.elapsed().as_secs_f64()))
    }
}

fn tenant() -> Tenant {
    Tenant::new("bench").unwrap_or_else(|_| Tenant::universe())
}

fn birth(id: &str) -> std::result::Result<Begin, Failure> {
    let owner = shop::owner().map_err(|e| Failure::new(hos_core::refusal::Code::Internal, e.to_string()))?;
    Ok(Begin::new(owner.clone(), "lamp", id, "make")?.fact("owner", owner).fact("watts", 100))
}

impl Drop for Place {
    fn drop(&mut self) {
        let force = if self.own.dialect() == hos_engine::store::sql::dialect::Dialect::Postgres { " WITH (FORCE)" } else { "" };
        if let Ok(mut conn) = self.server.connect(PATIENCE) {
            // What is left of a benchmark is nobody's loss.
            let _ = conn.say(&format!("DROP DATABASE {}{force}", self.name));
        }
        let _ = self.dir.path();
    }
}
