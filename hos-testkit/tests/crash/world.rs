//! What the campaigns ask of the engine: a store with its keys, mark and backups below one directory, and callers who do what a
//! seed says and tell what they were answered.

use crate::law;
use crate::told::{Deed, Kept, line};
use hos_core::call::{Begin, By, Change, Directory, Note, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::Record;
use hos_engine::clock::SetClock;
use hos_engine::keys::{make_seal_key, read_seal_key, settle_seal_key};
use hos_engine::ports::{Clock, Entropy};
use hos_engine::signer::FileSigner;
use hos_engine::{Answer, Builder, Engine, Failure, Founding, Settings};
use hos_testkit::chance::Chance;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// 2026-11-02T08:00:00Z, for ever: nothing becomes due.
const NOW: Timestamp = Timestamp(1_793_606_400_000);
pub(crate) const TENANTS: [&str; 2] = ["t1", "t2"];
/// Directories below the root, made before anything is watched.
const PLACES: [&str; 4] = ["store", "keys", "mark", "copies"];

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn at(root: &Path) -> Self {
        Self(root.to_owned())
    }

    /// Makes the directories.
    pub(crate) fn make(root: &Path) -> Self {
        PLACES.iter().for_each(|dir| std::fs::create_dir_all(root.join(dir)).unwrap());
        Self(root.to_owned())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store/s.db")
    }

    pub(crate) fn key(&self, number: usize) -> PathBuf {
        self.0.join(format!("keys/k{number}"))
    }

    pub(crate) fn mark(&self) -> PathBuf {
        self.0.join("mark/m")
    }

    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        self.0.join("copies").join(name)
    }
}

/// Chance that is the same in every run of a seed: then so is each operation on a file.
struct Seeded(Mutex<Chance>);

impl Entropy for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failure> {
        let mut chance = self.0.lock().unwrap();
        out.iter_mut().for_each(|byte| *byte = chance.bits() as u8);
        Ok(())
    }
}

/// How the engine is opened: chance of its own where a run must be repeated byte for byte.
pub(crate) struct Opening<'p> {
    pub(crate) place: &'p Place,
    pub(crate) seed: Option<u64>,
}

impl Opening<'_> {
    fn builder(&self, key: usize) -> Builder {
        // A lock that cannot be set looks like one that somebody holds: where they fail, nobody waits for long.
        let patience = Duration::from_millis(if self.seed.is_some() { 100 } else { 3000 });
        let settings = Settings { busy_timeout: patience, ..Settings::default() };
        let clock: Arc<dyn Clock> = Arc::new(SetClock::at(NOW));
        let builder = Engine::builder().sqlite(self.place.store()).key_file(self.place.key(key)).clock(clock).settings(settings);
        match self.seed {
            Some(seed) => builder.entropy(Arc::new(Seeded(Mutex::new(Chance::new(seed))))),
            None => builder,
        }
    }

    /// Opens, as an operator does who has the keys and the mark.
    pub(crate) fn open(&self) -> Result<Engine, Failure> {
        let marked = |builder: Builder| if self.place.mark().exists() { builder.mark(self.place.mark()) } else { builder };
        let mut first = None;
        for key in [1, 0].into_iter().filter(|key| self.place.key(*key).exists()) {
            match marked(self.builder(key)).open() {
                Ok(engine) => return Ok(engine),
                // A change of key that was cut short is gone on with by who has the other one.
                Err(failure) if failure.code == Code::KeyInvalid => first = first.or(Some(failure)),
                Err(failure) => return Err(failure),
            }
        }
        Err(first.unwrap_or_else(|| Failure::new(Code::StoreUnavailable, "there is no key, so no store was founded")))
    }

    pub(crate) fn found(&self) -> Result<Engine, Failure> {
        let entity =
            |uid, parents: Vec<Uid>| Entity { uid, attrs: Record::new(), parents: parents.into_iter().collect(), record: None };
        let founding =
            Founding { founder: entity(root(), vec![uid("R", "op")]), roles: vec![entity(uid("R", "op"), Vec::new())] };
        self.builder(0).mark(self.place.mark()).law(law_of(0)).found(founding)
    }
}

pub(crate) fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("N::{kind}"), id).unwrap()
}

pub(crate) fn root() -> Uid {
    uid("A", "root")
}

/// The laws that come into force, by their numbers.
pub(crate) fn law_of(number: usize) -> Arc<Law> {
    static LAWS: OnceLock<[Arc<Law>; 2]> = OnceLock::new();
    let other = "@id(\"none\")forbid(principal == N::A::\"nobody\",action,resource);\n";
    let laws = LAWS.get_or_init(|| {
        let more = |path: &str, text: String| if path.ends_with(".cedar") { text + other } else { text };
        [Arc::new(law::law()), Arc::new(law::law_but(more))]
    });
    laws[number].clone()
}

/// Asks the engine. `None`: it keeps no record, or tells no receipt.
pub(crate) fn ask(engine: &Engine, place: &Place, deed: &Deed, seed: u64) -> Result<Option<Answer>, Failure> {
    let by = By::new(root());
    let tenant = |name: &str| engine.tenant(name);
    let wrong = |e: hos_core::id::IdError| Failure::from(e);
    match deed {
        Deed::Found => Ok(None),
        Deed::Mark => engine.write_mark().map(|_| None),
        Deed::Tenant(name) => engine.open_tenant(&by, &Tenant::new(name.as_str())?).map(Some),
        Deed::Person(name) => {
            let put = Change::Put { uid: uid("A", name), attrs: Record::new() };
            tenant("universe")?.directory(Directory::new(root(), put)).map(Some)
        }
        Deed::Begin(at, id, who) => {
            let begin = Begin::new(root(), "o", id, "new").map_err(wrong)?.fact("who", uid("A", who));
            tenant(at)?.begin(begin.once(&format!("begin-{id}")).map_err(wrong)?).map(Some)
        }
        Deed::Go(at, id) => {
            let go = Transition::new(root(), "o", id, "go").map_err(wrong)?;
            tenant(at)?.transition(go.once(&format!("go-{id}")).map_err(wrong)?).map(Some)
        }
        Deed::Refused(at, id) => {
            let go = Transition::new(uid("A", "stranger"), "o", id, "go").map_err(wrong)?;
            tenant(at)?.transition(go).map(Some)
        }
        Deed::Note(at, text) => {
            let note = Note::new(root(), "n", text.as_bytes().to_vec()).map_err(wrong)?;
            tenant(at)?.record(note).map(Some)
        }
        Deed::Activate(number) => engine.activate(&by, law_of(*number), None, Modes::default()).map(Some),
        Deed::Erase(who) => engine.erase(&by, &uid("A", who), "asked for").map(Some),
        Deed::Rotate => {
            let path = place.key(1);
            let key = if path.exists() {
                settle_seal_key(&path)?;
                read_seal_key(&path)?
            } else {
                make_seal_key(&path, &Seeded(Mutex::new(Chance::new(seed ^ 0xb))))?
            };
            engine.rotate_key(Arc::new(FileSigner::new(key))).map(|()| None)
        }
        Deed::Backup(name) => engine.backup(&place.copy(name), None).map(|_| None),
        Deed::Vault(name) => engine.backup_vault(&place.copy(name)).map(|()| None),
    }
}

/// A receipt as a caller keeps it, if its place in the log is known.
pub(crate) fn kept(answer: &Answer) -> Option<Kept> {
    let receipt = answer.receipt.as_ref()?;
    let seal = receipt.seal.as_ref()?;
    Some(Kept {
        tenant: receipt.tenant.to_string(),
        record: receipt.record.to_string(),
        seq: seal.seq,
        checkpoint: seal.checkpoint.as_deref().map(str::to_owned),
    })
}

/// Where a program tells its callers.
pub(crate) struct Teller(Mutex<File>);

impl Teller {
    pub(crate) fn at(path: &Path) -> Self {
        Self(Mutex::new(File::options().create(true).append(true).open(path).unwrap()))
    }

    pub(crate) fn tell(&self, line: &str) {
        let line = format!("{line}\n");
        // One write: a line is told whole or not at all.
        assert_eq!(self.0.lock().unwrap().write(line.as_bytes()).unwrap(), line.len());
    }
}

/// A caller.
pub(crate) struct Caller<'w> {
    pub(crate) engine: &'w Engine,
    pub(crate) place: &'w Place,
    pub(crate) teller: &'w Teller,
    pub(crate) seed: u64,
    /// Stands in the ids of all it asks.
    pub(crate) name: String,
    count: usize,
}

impl<'w> Caller<'w> {
    pub(crate) fn new(engine: &'w Engine, place: &'w Place, teller: &'w Teller, seed: u64, name: String) -> Self {
        Self { engine, place, teller, seed, name, count: 0 }
    }

    /// An id of what is asked next.
    pub(crate) fn next_id(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.name, self.count)
    }

    /// Asks, and tells the answer; again under its once-key if nobody knows what came of it. Says whether it is done.
    pub(crate) fn act(&mut self, deed: Deed) -> bool {
        let id = self.next_id();
        self.act_as(&id, &deed)
    }

    pub(crate) fn act_as(&self, id: &str, deed: &Deed) -> bool {
        for _ in 0..2 {
            self.teller.tell(&line::ask(id, deed));
            let (told, open) = match ask(self.engine, self.place, deed, self.seed) {
                Ok(None) => (line::done(id, None), false),
                Ok(Some(answer)) if answer.allowed != matches!(deed, Deed::Refused(..)) => {
                    (line::done(id, kept(&answer).as_ref()), false)
                }
                Ok(Some(answer)) => (line::other("denied", id, answer.code().unwrap_or("-")), false),
                Err(failure) => {
                    let open = failure.code == Code::OutcomeUnknown;
                    // For who looks closer; callers are told the code.
                    eprintln!("{id} {deed:?}: {failure}");
                    (line::other(if open { "unknown" } else { "not" }, id, &failure.code.to_string()), open)
                }
            };
            self.teller.tell(&told);
            if !(open && matches!(deed, Deed::Begin(..) | Deed::Go(..))) {
                return told.starts_with("got") || told.starts_with("did");
            }
        }
        false
    }

    /// Does so much of what chance says.
    pub(crate) fn work(&mut self, steps: usize) {
        let mut chance = Chance::new(self.seed ^ self.name.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)));
        let mut waiting: Vec<(String, String)> = Vec::new();
        let people: Vec<String> = (0..2).map(|n| format!("p{}-{n}", self.name)).collect();
        for step in 0..steps {
            let tenant = TENANTS[chance.below(TENANTS.len())].to_owned();
            let who = people[chance.below(people.len())].clone();
            let choice = if step < people.len() { 100 } else { chance.below(20) };
            match choice {
                100 => drop(self.act(Deed::Person(people[step].clone()))),
                0..=8 => {
                    let id = format!("i{}-{step}", self.name);
                    if self.act(Deed::Begin(tenant.clone(), id.clone(), who)) {
                        waiting.push((tenant, id));
                    }
                }
                9..=13 if !waiting.is_empty() => {
                    let (tenant, id) = waiting.swap_remove(chance.below(waiting.len()));
                    self.act(Deed::Go(tenant, id));
                }
                14 if !waiting.is_empty() => {
                    let (tenant, id) = waiting[chance.below(waiting.len())].clone();
                    self.act(Deed::Refused(tenant, id));
                }
                15 => drop(self.act(Deed::Person(format!("q{}-{step}", self.name)))),
                _ => drop(self.act(Deed::Note(tenant, format!("n{}-{step}-{}", self.name, "x".repeat(chance.below(600)))))),
            }
        }
    }

    /// A person about whom all is done comes and is erased.
    pub(crate) fn come_and_go(&mut self) {
        let (who, id) = (format!("v{}", self.name), format!("w{}", self.name));
        self.act(Deed::Person(who.clone()));
        self.act(Deed::Begin(TENANTS[0].into(), id.clone(), who.clone()));
        self.act(Deed::Go(TENANTS[0].into(), id));
        self.act(Deed::Erase(who));
    }
}
