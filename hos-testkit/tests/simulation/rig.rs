//! The simulated world: one database, several processes with an engine each, and everything that an engine asks of the world given
//! to it.

use super::host::{self, Hosted};
use super::line::{Doing, Line, Port, Stamp};
use super::planted::{Plant, What};
use super::turns::Turns;
use crate::words;
use hos_core::answer::Answer;
use hos_core::call::{By, Change, Directory};
use hos_core::id::{KeyId, Tenant};
use hos_core::law::Law;
use hos_core::law::mode::{Mode, Modes};
use hos_core::time::Timestamp;
use hos_engine::clock::{SetClock, SystemEntropy};
use hos_engine::joined::Joined;
use hos_engine::ports::Entropy;
use hos_engine::store::server::Connector;
use hos_engine::{Builder, Engine, Failure, OutboxMessage, Seal, Settings, WorkReport};
use hos_testkit::chance::Chance;
use hos_testkit::model::{ACCOUNTS, Contract, TENANTS};
use hos_testkit::simulation::{Act, Deed, End, Sealing};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// 2026-11-02T08:00:00Z, a Monday.
pub(crate) const START_MS: i64 = 1_793_606_400_000;

/// Chance that is none: a seed's numbers.
struct Seeded(Mutex<Chance>);

impl Seeded {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Chance::new(seed))))
    }
}

impl Entropy for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failure> {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for eight in out.chunks_mut(8) {
            let bits = chance.bits().to_be_bytes();
            eight.copy_from_slice(&bits[..eight.len()]);
        }
        Ok(())
    }
}

/// A founded store with its tenants and accounts, of which each day begins with a copy.
struct Founded {
    law: Arc<Law>,
    store: Vec<u8>,
    key: Vec<u8>,
    mark: Vec<u8>,
    sizes: BTreeMap<String, u64>,
}

fn founded() -> &'static Founded {
    static FOUNDED: OnceLock<Founded> = OnceLock::new();
    FOUNDED.get_or_init(|| {
        let dir = place();
        let [path, key, mark] = ["db", "key", "mark"].map(|end| dir.path().join("world").with_extension(end));
        make(&path);
        let law = Arc::new(hos_engine::load_law(&Path::new(env!("CARGO_MANIFEST_DIR")).join("law")).unwrap());
        let clock = Arc::new(SetClock::at(Timestamp(START_MS)));
        let builder = Engine::builder().law(law.clone()).server(reach(&path)).key_file(&key).mark(&mark).clock(clock);
        let engine = builder.entropy(Seeded::new(0)).found(words::founding()).unwrap();
        let root = By::new(words::account(ACCOUNTS[0]));
        for tenant in TENANTS {
            assert!(engine.open_tenant(&root, &Tenant::new(tenant).unwrap()).unwrap().allowed);
        }
        let universe = engine.tenant(Tenant::UNIVERSE).unwrap();
        for known in &ACCOUNTS[1..ACCOUNTS.len() - 1] {
            let put = Change::Put { uid: words::account(known), attrs: words::active() };
            assert!(universe.directory(Directory::new(words::account(ACCOUNTS[0]), put)).unwrap().allowed);
        }
        engine.work().unwrap();
        let report = engine.verify(&hos_engine::VerifyOptions::default()).unwrap();
        let sizes = report.logs.into_iter().map(|(tenant, size, _)| (tenant, size)).collect();
        drop((universe, engine));
        assert!(!path.with_extension("db-wal").exists(), "the last connection empties the log");
        let read = |path: &Path| std::fs::read(path).unwrap();
        Founded { law, store: read(&path), key: read(&key), mark: read(&mark), sizes }
    })
}

/// In memory where the machine has such a place: what a power loss leaves is no question here.
fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let mut place = tempfile::Builder::new();
    place.prefix("hos-simulation-");
    if memory.is_dir() { place.tempdir_in(memory).unwrap() } else { place.tempdir().unwrap() }
}

/// The database, as its owner makes it.
fn make(path: &Path) {
    let owner = rusqlite::Connection::open(path).unwrap();
    owner.pragma_update(None, "journal_mode", "WAL").unwrap();
}

fn reach(path: &Path) -> Arc<dyn Connector> {
    hos_drivers::connector(&format!("sqlite://{}", path.display())).unwrap()
}

/// A process.
struct Process {
    sealing: Sealing,
    skew: i64,
    /// How often it has begun.
    lives: u64,
    clock: Arc<SetClock>,
    life: Option<Life>,
}

/// What a running process has.
pub(crate) struct Life {
    pub(crate) engine: Engine,
    pub(crate) joined: Joined,
    pub(crate) line: Arc<dyn Connector>,
    pub(crate) port: Arc<Port>,
}

/// What was heard of an act.
pub(crate) enum Heard {
    Answer(Result<Box<Answer>, Failure>),
    Answers(Result<Vec<Result<Answer, Failure>>, Failure>),
    Host(Result<Hosted, Failure>),
    Ticked(Result<u64, Failure>),
    Worked(Result<WorkReport, Failure>),
    Messages(Result<Vec<OutboxMessage>, Failure>),
    Acknowledged(Result<(), Failure>),
    /// There was nothing to do.
    Nothing,
}

/// What became of an act.
pub(crate) struct Done {
    pub(crate) heard: Heard,
    /// Whether something failed meanwhile; and whether that was at a commit.
    pub(crate) failed: Option<bool>,
    /// Whether the process has died of it: then nobody heard anything.
    pub(crate) died: bool,
}

/// A lease as the engine gave it.
pub(crate) type Token = (u64, KeyId);

pub(crate) struct Rig {
    dir: tempfile::TempDir,
    processes: Vec<Process>,
    stamps: Arc<Mutex<Vec<Stamp>>>,
    plant: Plant,
    pub(crate) now: i64,
}

impl Rig {
    /// A new world with these processes, and one more that only looks.
    pub(crate) fn new(processes: &[Sealing], plant: &Plant) -> Self {
        let (dir, founded) = (place(), founded());
        std::fs::write(dir.path().join("world.db"), &founded.store).unwrap();
        std::fs::write(dir.path().join("world.mark"), &founded.mark).unwrap();
        let mut key =
            std::fs::File::options().write(true).create_new(true).mode(0o600).open(dir.path().join("world.key")).unwrap();
        key.write_all(&founded.key).unwrap();
        let process =
            |sealing| Process { sealing, skew: 0, lives: 0, clock: Arc::new(SetClock::at(Timestamp(START_MS))), life: None };
        let processes = processes.iter().copied().chain([Sealing::Worker]).map(process).collect();
        Self { dir, processes, stamps: Arc::default(), plant: plant.clone(), now: START_MS }
    }

    /// The sizes of the logs when the day began.
    pub(crate) fn begun(&self) -> &'static BTreeMap<String, u64> {
        &founded().sizes
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("world.db")
    }

    /// What a process's clock says.
    pub(crate) fn clock(&self, process: usize) -> i64 {
        self.now + self.processes.get(process).map_or(0, |process| process.skew)
    }

    pub(crate) fn skew(&mut self, process: usize, ms: i64) {
        self.processes[process].skew = ms;
    }

    pub(crate) fn restart(&mut self, process: usize, end: End) -> Result<(), Failure> {
        match (self.processes[process].life.take(), end) {
            (Some(life), End::Closed) => {
                life.port.begin(Doing::default());
                life.engine.close()
            }
            (Some(life), End::Dropped) => {
                life.port.kill();
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// The process that only looks.
    pub(crate) fn looks(&mut self) -> Result<&Life, Failure> {
        self.life(self.processes.len() - 1)
    }

    /// A running process, its clock set.
    pub(crate) fn life(&mut self, process: usize) -> Result<&Life, Failure> {
        let (path, now) = (self.path(), self.clock(process));
        let looks = process + 1 == self.processes.len();
        let (stamps, plant) = (self.stamps.clone(), if looks { Plant::default() } else { self.plant.clone() });
        let it = &mut self.processes[process];
        it.clock.set(Timestamp(now));
        if it.life.is_none() {
            it.lives += 1;
            let port = Arc::new(Port::new(process, plant.clone(), stamps));
            let line: Arc<dyn Connector> = Arc::new(Line { to: reach(&path), port: port.clone() });
            let seal = if it.sealing == Sealing::Inline { Seal::Inline } else { Seal::Worker };
            // A directory's age is told by a clock that goes on between two steps of the same instant: it is confirmed each time.
            let settings = Settings { seal, directory_age_max: Duration::ZERO, ..Settings::default() };
            let entropy: Arc<dyn Entropy> = match plant.what {
                Some(What::OtherChance) => Arc::new(SystemEntropy),
                _ => Seeded::new((process as u64 + 1) << 32 | it.lives),
            };
            let builder = || -> Builder {
                let builder = Engine::builder().law(founded().law.clone()).clock(it.clock.clone());
                builder.entropy(entropy.clone()).settings(settings.clone())
            };
            let marked = builder().server(line.clone()).key_file(path.with_extension("key")).mark(path.with_extension("mark"));
            let engine = if plant.what == Some(What::ForgetsMark) { marked.unmarked() } else { marked }.open()?;
            let joined = Joined::open(builder(), line.dialect(), line.dialect().places());
            it.life = Some(Life { engine, joined, line, port });
        }
        it.life.as_ref().ok_or_else(|| Failure::new(hos_core::refusal::Code::Internal, "a process did not begin"))
    }

    /// What processes do, at once where there are several; and the transactions that came of it, in their order.
    pub(crate) fn act(&mut self, turns: u64, acts: &[Act], tokens: &[Option<Token>]) -> Result<(Vec<Done>, Vec<Stamp>), Failure> {
        for act in acts {
            self.life(act.process)?;
        }
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let shared = (acts.len() > 1).then(|| Arc::new(Turns::new(turns, acts.iter().map(|act| act.process).collect())));
        let one = |act: &Act, token: Option<Token>| {
            let life = self.processes[act.process].life.as_ref().unwrap();
            let hosts = matches!(act.deed, Deed::Host(_));
            life.port.begin(Doing { turns: shared.clone(), fault: act.fault, hosts, now: self.now, ..Doing::default() });
            if let Some(turns) = &shared {
                turns.begin(act.process);
            }
            let heard = carried_out(life, &act.deed, token);
            if let Some(turns) = &shared {
                turns.end(act.process);
            }
            let failed = life.port.doing().failed;
            life.port.begin(Doing::default());
            Done { heard, failed, died: life.port.is_dead() }
        };
        let done: Vec<Done> = match acts {
            [act] => vec![one(act, tokens[0])],
            _ => std::thread::scope(|scope| {
                let one = &one;
                let threads: Vec<_> = acts.iter().zip(tokens).map(|(act, token)| scope.spawn(move || one(act, *token))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            }),
        };
        for (act, done) in acts.iter().zip(&done) {
            if done.died {
                self.processes[act.process].life = None;
            }
        }
        let stamps = std::mem::take(&mut *self.stamps.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((done, stamps))
    }

    /// Copies the database as it is. Nobody is in the midst of anything; another process copies, for one that closes a file drops
    /// its locks.
    pub(crate) fn keep(&self) {
        self.copy("world", "kept");
    }

    /// All processes die, and the copy comes back.
    pub(crate) fn restore(&mut self) {
        for process in &mut self.processes {
            if let Some(life) = process.life.take() {
                life.port.kill();
            }
        }
        self.copy("kept", "world");
    }

    fn copy(&self, from: &str, to: &str) {
        for end in ["db", "db-wal"] {
            let [from, to] = [from, to].map(|name| self.dir.path().join(format!("{name}.{end}")));
            _ = std::fs::remove_file(&to);
            if from.exists() {
                assert!(std::process::Command::new("cp").args([&from, &to]).status().unwrap().success());
            }
        }
    }

    /// How long the logs are, by tenant.
    pub(crate) fn sizes(&self) -> BTreeMap<&'static str, i64> {
        let size = |tenant: &str| self.number(&format!("SELECT coalesce(max(size), 0) FROM hos_head WHERE tenant = '{tenant}'"));
        TENANTS.into_iter().chain([Tenant::UNIVERSE]).map(|tenant| (tenant, size(tenant))).collect()
    }

    /// An engine for who repairs the store: it seals inline, as a new epoch wants it, and is nobody's afterwards.
    pub(crate) fn repairs(&mut self, process: usize) -> Result<Engine, Failure> {
        let sealing = std::mem::replace(&mut self.processes[process].sealing, Sealing::Inline);
        let engine = self.life(process).map(|life| life.engine.clone());
        self.processes[process].sealing = sealing;
        self.processes[process].life = None;
        engine
    }

    /// A number out of the database.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let conn = rusqlite::Connection::open(self.path()).unwrap();
        conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn carried_out(life: &Life, deed: &Deed, token: Option<Token>) -> Heard {
    let tenant = |name: &str| life.engine.tenant_named(&Tenant::new(name).unwrap());
    let by = |name: &str| By::new(words::account(name));
    match deed {
        Deed::Call(given) => {
            let (at, call) = words::call(given);
            Heard::Answer(life.engine.tenant_named(&at).call(call).map(Box::new))
        }
        Deed::Batch(calls) => Heard::Answers(life.engine.batch(calls.iter().map(words::call).collect())),
        Deed::Host(transaction) => Heard::Host(host::carried_out(life, transaction)),
        Deed::Tick(name) => Heard::Ticked(tenant(name).tick(1_000)),
        Deed::Work => Heard::Worked(life.engine.work()),
        Deed::Activate { by: who, off } => {
            let entry =
                |(at, contract): &(&str, Contract)| ((Some(Tenant::new(*at).unwrap()), contract.name().to_owned()), Mode::Off);
            let modes = Modes { entries: off.iter().map(entry).collect(), ..Modes::default() };
            Heard::Answer(life.engine.activate(&by(who), founded().law.clone(), None, modes).map(Box::new))
        }
        Deed::Poll { tenant: name, by: who, limit, lease_ms } => {
            let lease = Duration::from_millis(lease_ms.unsigned_abs());
            Heard::Messages(tenant(name).outbox_poll(&by(who), *limit, lease))
        }
        Deed::Acknowledge { tenant: name, by: who, .. } => match token {
            Some((pos, lease)) => Heard::Acknowledged(tenant(name).outbox_ack(&by(who), pos, &lease)),
            None => Heard::Nothing,
        },
    }
}
