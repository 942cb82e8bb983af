//! The door that every shell hands calls to, over a store of its own: many calls, whatever stands in them.

use super::calls::apart;
use crate::chance::Chance;
use crate::model::{ACCOUNTS, ROLES, TENANTS};
use hos_core::call::{By, Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::time::Timestamp;
use hos_core::value::{Record, Value};
use hos_engine::clock::SetClock;
use hos_engine::ports::Entropy;
use hos_engine::{Builder, Engine, Failure, Founding, Level, ReplayOptions, VerifyOptions};
use hos_wire::{Standing, serve_with};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

/// 2026-11-02T08:00:00Z.
pub(super) const START_MS: i64 = 1_793_606_400_000;
/// After so many calls that changed something the store is verified, what was judged is judged again, and another begins.
const CHANGES: usize = 200;
/// The most calls of one input.
const CALLS: usize = 12;

/// The small law.
pub(super) static LAW: LazyLock<Arc<Law>> =
    LazyLock::new(|| Arc::new(Law::load(super::base_law()).unwrap_or_else(|faults| panic!("{faults:?}"))));

/// Chance that is the same each time, so that an input does again what it did.
pub(super) struct Drawn(Mutex<Chance>);

impl Drawn {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Chance::new(seed))))
    }
}

impl Entropy for Drawn {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failure> {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.iter_mut().for_each(|byte| *byte = chance.bits() as u8);
        Ok(())
    }
}

thread_local! {
    static BROKEN: Cell<bool> = const { Cell::new(false) };
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Runs what must not panic, even where the engine catches it: a panic that becomes a refusal is a fault all the same.
pub(super) fn unbroken<T>(what: &str, work: impl FnOnce() -> T) -> T {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            BROKEN.set(true);
            before(panic);
        }));
    });
    BROKEN.set(false);
    let done = work();
    assert!(!BROKEN.get(), "a panic was caught inside: {what}");
    done
}

pub(super) fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("Kit::{kind}"), id).unwrap_or_else(|e| panic!("{e}"))
}

/// Founds a store: every tenant open, the first account its operator, all but the last account known and active.
pub(super) fn founded(builder: Builder) -> Engine {
    let entity = |uid: Uid, attrs: Record, parents: &[Uid]| Entity {
        uid,
        attrs,
        parents: parents.iter().cloned().collect(),
        record: None,
    };
    let account = |id: &str| uid("Account", id);
    let active = || Record::from([("active".to_owned(), Value::Bool(true))]);
    let founding = Founding {
        founder: entity(account(ACCOUNTS[0]), active(), &[uid("Role", "operator")]),
        roles: ROLES.iter().map(|role| entity(uid("Role", role), Record::new(), &[])).collect(),
    };
    let founded = || -> Result<Engine, Failure> {
        let engine = builder.law(Arc::clone(&LAW)).found(founding)?;
        let root = By::new(account(ACCOUNTS[0]));
        for tenant in TENANTS {
            engine.open_tenant(&root, &Tenant::new(tenant)?)?;
        }
        let universe = engine.tenant(Tenant::UNIVERSE)?;
        for known in &ACCOUNTS[1..ACCOUNTS.len() - 1] {
            let put = Change::Put { uid: account(known), attrs: active() };
            assert!(universe.directory(Directory::new(account(ACCOUNTS[0]), put))?.allowed);
        }
        Ok(engine)
    };
    founded().unwrap_or_else(|failure| panic!("a store was not founded: {failure:?}"))
}

struct World {
    engine: Engine,
    clock: Arc<SetClock>,
    now: i64,
    /// What changed it since it was founded.
    past: Vec<Vec<u8>>,
    _place: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let clock = Arc::new(SetClock::at(Timestamp(START_MS)));
        let builder = Engine::builder().sqlite(place.path().join("kit.db")).clock(clock.clone()).entropy(Drawn::new(1));
        Self { engine: founded(builder), clock, now: START_MS, past: Vec::new(), _place: place }
    }

    /// One call; whether it changed anything.
    fn ask(&mut self, given: &[u8]) -> bool {
        let Some((operation, json)) = apart(given) else { return false };
        if operation == "wait" {
            let ms: i64 = std::str::from_utf8(json).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default();
            // A year forward at most, a day back.
            self.now = self.now.saturating_add(ms.clamp(-86_400_000, 31_536_000_000)).clamp(START_MS, 4 * START_MS);
            self.clock.set(Timestamp(self.now));
            return false;
        }
        let served = unbroken(operation, || serve_with(&self.engine, operation, json, 1 << 16));
        let said: serde_json::Value = serde_json::from_slice(&served.json).unwrap_or_else(|e| panic!("no JSON: {e}"));
        let reads = matches!(operation, "available" | "history" | "message");
        match served.standing {
            Standing::Allowed if reads => assert!(said.is_object() || said.is_array(), "{said}"),
            Standing::Allowed => assert_eq!(said["allowed"], serde_json::json!(true), "{operation}: {said}"),
            Standing::Refused => assert_eq!(said["allowed"], serde_json::json!(false), "{operation}: {said}"),
            Standing::Failed(code) => {
                assert_eq!(said["error"]["code"], serde_json::json!(code.as_str()), "{operation}: {said}");
                assert!(said.get("allowed").is_none(), "a failure that is an answer: {said}");
                assert_ne!(code.as_str(), "hos.internal", "{operation}: {said}");
            }
        }
        matches!(served.standing, Standing::Allowed | Standing::Refused) && !reads && operation != "can"
    }

    /// The store holds what it should, and what was judged is judged again.
    fn verified(&self) {
        let told = || {
            let past: Vec<String> = self.past.iter().map(|input| format!("\"{}\"", input.escape_ascii())).collect();
            format!("after these inputs, in this order:\n{}", past.join("\n"))
        };
        let report = self.engine.verify(&VerifyOptions::default()).unwrap_or_else(|f| panic!("{f:?} {}", told()));
        assert_eq!((report.level, &report.findings[..]), (Level::Intact, &[][..]), "{}", told());
        let replay = self.engine.replay(&ReplayOptions::default()).unwrap_or_else(|f| panic!("{f:?} {}", told()));
        assert!(replay.listed.is_empty(), "what was judged is judged otherwise: {:?} {}", replay.listed, told());
    }
}

/// Calls, apart by an empty line; each an operation's name, and its JSON in the next line. `wait` sets the clock.
pub(super) fn serve(data: &[u8]) {
    WORLD.with_borrow_mut(|kept| {
        // A world that an input broke is not kept.
        let mut world = kept.take().unwrap_or_else(World::new);
        let mut changed = false;
        let mut rest = data;
        for _ in 0..CALLS {
            let end = rest.windows(2).position(|w| w == b"\n\n");
            let (one, after) = rest.split_at(end.unwrap_or(rest.len()));
            changed |= world.ask(one);
            rest = after.get(2..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
        }
        if changed {
            world.past.push(data.to_vec());
        }
        if world.past.len() < CHANGES {
            *kept = Some(world);
        } else {
            world.verified();
        }
    });
}

/// Founds a store like that of `serve` in a directory of its own, which nobody takes away: for targets beside this crate.
pub fn stored(name: &str) -> std::path::PathBuf {
    let place = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}")).keep();
    let path = place.join(format!("{name}.db"));
    drop(founded(Engine::builder().sqlite(&path)));
    path
}
