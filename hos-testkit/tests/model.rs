//! The engine and the reference model are asked the same, step by step, over several tenants, with the engine going away in
//! between; they must agree on every answer, every instance and the number of records, and the evidence must hold.
//!
//! `HOS_MODEL_CASES` sets the number of scenarios (else 24), `HOS_MODEL_SEED` where the long form begins.

mod words;

use hos_core::call::{By, Change, Directory};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::time::Timestamp;
use hos_engine::clock::SetClock;
use hos_engine::{Engine, Failure, Level, ReplayOptions, VerifyOptions};
use hos_testkit::model::{self, ACCOUNTS, Contract, IDS, Said, Step, TENANTS, World};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use words::account;

/// 2026-11-02T08:00:00Z, a Monday.
const START_MS: i64 = 1_793_606_400_000;
const STEPS: usize = 60;

struct Rig {
    place: tempfile::TempDir,
    clock: Arc<SetClock>,
    engine: Option<Engine>,
    before: BTreeMap<String, u64>,
}

impl Rig {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at(Timestamp(START_MS)));
        let mut rig = Self { place, clock, engine: None, before: BTreeMap::new() };
        let law = Path::new(env!("CARGO_MANIFEST_DIR")).join("law");
        let builder = Engine::builder().law_dir(law).unwrap().sqlite(rig.store()).clock(rig.clock.clone());
        let engine = builder.found(words::founding()).unwrap();
        let root = By::new(account(ACCOUNTS[0]));
        for tenant in TENANTS {
            assert!(engine.open_tenant(&root, &Tenant::new(tenant).unwrap()).unwrap().allowed);
        }
        let universe = engine.tenant(Tenant::UNIVERSE).unwrap();
        for known in &ACCOUNTS[1..ACCOUNTS.len() - 1] {
            let put = Change::Put { uid: account(known), attrs: words::active() };
            assert!(universe.directory(Directory::new(account(ACCOUNTS[0]), put)).unwrap().allowed);
        }
        rig.engine = Some(engine);
        rig.before = rig.sizes().unwrap();
        rig
    }

    fn store(&self) -> PathBuf {
        self.place.path().join("kit.db")
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    /// Goes away, with or without a word, and comes back.
    fn reopen(&mut self, closed: bool) -> Result<(), Failure> {
        match (self.engine.take(), closed) {
            (Some(engine), true) => engine.close()?,
            (engine, _) => drop(engine),
        }
        // The law is not given: the store knows which is active.
        self.engine = Some(Engine::builder().sqlite(self.store()).clock(self.clock.clone()).open()?);
        Ok(())
    }

    /// The sizes of all logs, from a verification that finds nothing.
    fn sizes(&self) -> Result<BTreeMap<String, u64>, Failure> {
        let report = self.engine().verify(&VerifyOptions::default())?;
        assert_eq!((report.level, &report.findings[..]), (Level::Intact, &[][..]));
        assert_eq!(report.unsealed.0, 0);
        let replay = self.engine().replay(&ReplayOptions::default())?;
        assert_eq!(replay.listed, [], "what was judged is judged again");
        Ok(report.logs.into_iter().map(|(tenant, size, _)| (tenant, size)).collect())
    }
}

fn ask(rig: &Rig, given: &model::Call) -> Result<Said, Failure> {
    let (tenant, call) = words::call(given);
    Ok(words::said(&rig.engine().tenant(tenant.as_str())?.call(call)?))
}

fn agree(at: usize, step: &Step, engine: &Said, model: &Said) -> Result<(), TestCaseError> {
    // A once-key's first receipt tells the state it led to; the model keeps it likewise. What a refused directory change or
    // birth says of a state is nothing.
    prop_assert_eq!(engine, model, "step {}: {:?}\n  left is the engine's answer, right the model's", at, step);
    Ok(())
}

fn instances_agree(rig: &Rig, world: &World, at: usize) -> Result<(), TestCaseError> {
    for tenant in TENANTS {
        let of = rig.engine().tenant(tenant).unwrap();
        for contract in [Contract::Ticket, Contract::Stay] {
            for id in IDS {
                let found = of.instance(&Name::new(contract.name()).unwrap(), &InstanceId::new(id).unwrap()).unwrap();
                let found = found.map(|i| (i.state.as_str().to_owned(), i.version));
                let wanted = world.instance(tenant, contract, id).map(|(state, version)| (state.to_owned(), version));
                prop_assert_eq!(found, wanted, "after step {}: {} {:?} {:?}", at, tenant, contract, id);
            }
        }
    }
    Ok(())
}

fn records_agree(rig: &Rig, world: &World, at: usize) -> Result<(), TestCaseError> {
    let sizes = rig.sizes().unwrap();
    for tenant in TENANTS.into_iter().chain([Tenant::UNIVERSE]) {
        let made = sizes.get(tenant).copied().unwrap_or(0) - rig.before.get(tenant).copied().unwrap_or(0);
        prop_assert_eq!(made, world.records(tenant), "records of {} after step {}", tenant, at);
    }
    Ok(())
}

fn run(seed: u64) -> Result<(), TestCaseError> {
    run_against(seed, |_, said| said)
}

/// A scenario, with the model's answers as `bend` has them.
fn run_against(seed: u64, bend: fn(&model::Call, Said) -> Said) -> Result<(), TestCaseError> {
    let mut rig = Rig::new();
    let mut world = World::new(START_MS);
    let steps = model::scenario(seed, STEPS, START_MS);
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Call(given) => agree(at, step, &ask(&rig, given).unwrap(), &bend(given, world.call(given)))?,
            Step::Skewed(back, given) => {
                rig.clock.set(Timestamp(world.now - back));
                let engine = ask(&rig, given).unwrap();
                rig.clock.set(Timestamp(world.now));
                agree(at, step, &engine, &world.skewed(*back, given))?;
            }
            Step::Batch(calls) => {
                let answers = rig.engine().batch(calls.iter().map(words::call).collect()).unwrap();
                prop_assert_eq!(answers.len(), calls.len());
                for (answer, given) in answers.into_iter().zip(calls) {
                    agree(at, &Step::Call(given.clone()), &words::said(&answer.unwrap()), &world.call(given))?;
                }
            }
            Step::Wait(ms) => {
                world.now += ms;
                rig.clock.set(Timestamp(world.now));
            }
            Step::Tick(tenant) => {
                let fired = rig.engine().tenant(tenant).unwrap().tick(1_000).unwrap();
                prop_assert_eq!(fired, world.tick(tenant) as u64, "step {}: {:?}", at, step);
            }
            Step::Work => {
                let report = rig.engine().work().unwrap();
                let fired: usize = TENANTS.iter().map(|t| world.tick(t)).sum();
                prop_assert_eq!(report.fired, fired as u64, "step {}: {:?}", at, step);
            }
            Step::Reopen { closed } => {
                rig.reopen(*closed).unwrap();
                records_agree(&rig, &world, at)?;
            }
        }
        if at % 16 == 0 {
            instances_agree(&rig, &world, at)?;
        }
    }
    rig.reopen(false).unwrap();
    instances_agree(&rig, &world, steps.len())?;
    records_agree(&rig, &world, steps.len())
}

fn cases() -> u32 {
    std::env::var("HOS_MODEL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() })]

    /// A seed is a scenario; a failure names the step, so that nothing is gained by shrinking the seed.
    #[test]
    fn engine_and_model_agree(seed in any::<u64>()) {
        run(seed)?;
    }
}

/// More scenarios than every build has: as many as `HOS_MODEL_CASES` says, from `HOS_MODEL_SEED` on; without the latter none.
#[test]
fn long() {
    let Some(seed) = std::env::var("HOS_MODEL_SEED").ok().and_then(|text| text.parse::<u64>().ok()) else { return };
    for case in 0..u64::from(cases()) {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(case);
        run(seed).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    println!("count: {} steps of the engine, against the model", u64::from(cases()) * STEPS as u64);
}

/// A model that is wrong in one thing is told from the engine: with an edge out of where everything ends, one that knows every
/// account, one that forgets that a key was used.
#[test]
fn planted_faults_are_found() {
    let bends: [fn(&model::Call, Said) -> Said; 3] = [
        |_, said| match said.codes.iter().any(|code| code == "hos.terminal") {
            true => Said { allowed: true, codes: Vec::new(), ..said },
            false => said,
        },
        |_, said| match said.codes.iter().any(|code| code == "hos.principal_unknown") {
            true => Said { codes: vec!["hos.not_permitted".to_owned()], ..said },
            false => said,
        },
        |_, said| Said { again: false, ..said },
    ];
    for (at, bend) in bends.into_iter().enumerate() {
        assert!((0..20).any(|seed| run_against(seed, bend).is_err()), "planted fault {at} was not found");
    }
}

/// The same scenarios on every run, besides those that chance chooses.
#[test]
fn engine_and_model_agree_on_known_scenarios() {
    let failed: BTreeSet<String> = (0..8)
        .chain([4_083_720_508_602_352_910])
        .filter_map(|seed| run(seed).err().map(|e| format!("seed {seed}: {e}")))
        .collect();
    assert!(failed.is_empty(), "{}", failed.into_iter().collect::<Vec<_>>().join("\n"));
}
