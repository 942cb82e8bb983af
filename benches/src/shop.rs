//! A store with instances that move to and fro: what writing and verifying are measured on.

use crate::Result;
use hos_core::call::{Begin, By, Call, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Engine, Founding, Settings, TenantRef};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SCHEMA: &str = r#"namespace S {
  entity Account in [Role] = { active: Bool };
  entity Role;
  entity Clock;
  entity Gate;
  entity Lamp;
  action "lamp.make", "lamp.on", "lamp.off" appliesTo { principal: [Account], resource: [Lamp] };
  action "tenant.open", "record.note" appliesTo { principal: [Account], resource: [Gate] };
  action "directory.account" appliesTo { principal: [Account], resource: [Account] };
}
"#;

const POLICIES: &str = r#"
@id("owner") permit (principal, action in [S::Action::"lamp.make", S::Action::"lamp.on", S::Action::"lamp.off"], resource)
  when { principal == resource.owner };
@id("operator") permit (principal in S::Role::"operator",
  action in [S::Action::"tenant.open", S::Action::"record.note", S::Action::"directory.account"], resource);
@id("inactive") forbid (principal is S::Account, action, resource) unless { principal.active };
"#;

const CONTRACT: &str = r#"
contract     = "lamp"
version      = 1
entity       = "S::Lamp"
data_subject = "facts.owner"
states       = ["off", "on"]
forever      = ["off", "on"]

[facts]
owner = "Account"
watts = "Long"

[begin.make]
to     = "off"
action = "lamp.make"

[event.on]
from    = ["off"]
to      = "on"
args    = { amount = "Long", ref = "String" }
action  = "lamp.on"
require = [{ code = "too_much", when = "context.amount <= resource.watts" }]

[event.off]
from    = ["on"]
to      = "off"
args    = { amount = "Long", ref = "String" }
action  = "lamp.off"
require = [{ code = "too_much", when = "context.amount <= resource.watts" }]
"#;

/// An open store in a directory of its own.
pub(crate) struct Shop {
    path: PathBuf,
    /// The directory, where it is to go with the shop.
    place: Option<tempfile::TempDir>,
    pub(crate) engine: Engine,
    pub(crate) tenant: TenantRef,
    keys: AtomicU64,
}

/// Who owns the lamps.
pub(crate) fn owner() -> Result<Uid> {
    Ok(Uid::new("S::Account", "ayse")?)
}

fn law(policies: &str) -> Result<Law> {
    let files = [
        ("law.toml", "name = \"lamps\"\nnamespace = \"S\"\npersons = [\"Account\"]\n"),
        ("schema.cedarschema", SCHEMA),
        ("policies/all.cedar", policies),
        ("contracts/lamp.toml", CONTRACT),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).to_vec();
    let law = Law::load(files).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok(law)
}

/// The law.
pub(crate) fn lamps() -> Result<Law> {
    law(POLICIES)
}

/// Who founds a store of lamps.
pub(crate) fn founding() -> Result<Founding> {
    let role = Uid::new("S::Role", "operator")?;
    let entity = |uid: Uid, attrs: Record, parents: BTreeSet<Uid>| Entity { uid, attrs, parents, record: None };
    let founder = entity(owner()?, Record::from([("active".to_owned(), Value::Bool(true))]), [role.clone()].into());
    Ok(Founding { founder, roles: vec![entity(role, Record::new(), BTreeSet::new())] })
}

impl Shop {
    /// The law with one policy more, which every `on` of the past breaks.
    pub(crate) fn stricter_law() -> Result<Law> {
        law(&format!(
            "{POLICIES}@id(\"dim\") forbid (principal, action == S::Action::\"lamp.on\", resource) when {{ context.amount > 41 }};\n"
        ))
    }

    /// With this many instances, all off.
    pub(crate) fn new(instances: usize) -> Result<Self> {
        Self::with(instances, Settings::default())
    }

    /// The same, with these settings.
    pub(crate) fn with(instances: usize, settings: Settings) -> Result<Self> {
        let place = tempfile::tempdir()?;
        let path = place.path().join("bench.db");
        let engine = Engine::builder().law(Arc::new(lamps()?)).sqlite(&path).settings(settings).found(founding()?)?;
        let name = Tenant::new("bench")?;
        assert!(engine.open_tenant(&By::new(owner()?), &name)?.allowed);
        let tenant = engine.tenant("bench")?;
        for i in 0..instances {
            let begin = Begin::new(owner()?, "lamp", &i.to_string(), "make")?.fact("owner", owner()?).fact("watts", 100);
            assert!(tenant.begin(begin)?.allowed);
        }
        Ok(Self { path, place: Some(place), engine, tenant, keys: AtomicU64::new(0) })
    }

    /// So many instances more, each with a once-key, in commits of 64.
    pub(crate) fn grow(&self, from: usize, instances: usize) -> Result<()> {
        let places: Vec<usize> = (from..from + instances).collect();
        for group in places.chunks(64) {
            let born = group.iter().map(|i| {
                let begin = Begin::new(owner()?, "lamp", &i.to_string(), "make")?.fact("owner", owner()?).fact("watts", 100);
                Ok((self.tenant.name().clone(), Call::Begin(begin.once(&format!("made-{i}"))?)))
            });
            for answer in self.engine.batch(born.collect::<Result<_>>()?)? {
                assert!(answer?.allowed);
            }
        }
        Ok(())
    }

    /// One that another process has made, or this one has left; its once-keys begin at a number that nobody else uses.
    pub(crate) fn open(path: &Path, number: usize) -> Result<Self> {
        let engine = Engine::builder().sqlite(path).open()?;
        let tenant = engine.tenant("bench")?;
        Ok(Self { path: path.to_owned(), place: None, engine, tenant, keys: AtomicU64::new((number as u64 + 1) << 32) })
    }

    /// Closes the store; its directory stays as long as what is given back.
    pub(crate) fn leave(mut self) -> Result<Option<tempfile::TempDir>> {
        let place = self.place.take();
        self.engine.close()?;
        Ok(place)
    }

    /// Has the directory go with the shop.
    pub(crate) fn kept(mut self, place: Option<tempfile::TempDir>) -> Self {
        self.place = place;
        self
    }

    /// The size of the store's files.
    pub(crate) fn bytes(&self) -> Result<f64> {
        let of = |end: &str| std::fs::metadata(format!("{}{end}", self.path.display())).map_or(0, |m| m.len());
        Ok(of("") as f64)
    }

    /// The store's file.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// A shop of 16 instances with this many moves behind it, for what measures the reading alone: written in groups, from as
    /// many threads.
    pub(crate) fn with_moves(moves: usize) -> Result<Self> {
        let shop = Self::new(16)?;
        shop.move_all(moves)?;
        Ok(shop)
    }

    /// So many moves of the first 16 instances, from as many threads.
    pub(crate) fn move_all(&self, moves: usize) -> Result<()> {
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16)
                .map(|instance| {
                    let mut turns = 0..moves.div_ceil(32) * 2;
                    scope.spawn(move || turns.try_for_each(|i| self.toggle(instance, i % 2 == 0).map_err(|e| e.to_string())))
                })
                .collect();
            writers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|_| Err("a writer panicked".into())))
        })?;
        Ok(())
    }

    /// One move of each of the first instances, in one commit.
    pub(crate) fn batch(&self, instances: usize, on: bool) -> Result<()> {
        let calls = (0..instances).map(|instance| Ok((self.tenant.name().clone(), Call::Transition(self.step(instance, on)?))));
        for answer in self.engine.batch(calls.collect::<Result<_>>()?)? {
            let answer = answer?;
            if !answer.allowed || answer.again {
                return Err(format!("a move was not made: {answer:?}").into());
            }
        }
        Ok(())
    }

    /// One move of one instance, under a once-key of its own.
    pub(crate) fn toggle(&self, instance: usize, on: bool) -> Result<()> {
        let answer = self.tenant.transition(self.step(instance, on)?)?;
        if answer.allowed && !answer.again { Ok(()) } else { Err(format!("a move was not made: {answer:?}").into()) }
    }

    fn step(&self, instance: usize, on: bool) -> Result<Transition> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let event = if on { "on" } else { "off" };
        let call = Transition::new(owner()?, "lamp", &instance.to_string(), event)?;
        Ok(call.arg("amount", 42).arg("ref", format!("psp-reference-{key}").as_str()).once(&format!("once-{key}"))?)
    }
}
