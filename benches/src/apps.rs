//! The three apps of Cedar's paper (Cutler et al., "Cedar: A New Language for Expressive, Fast, Safe, and Analyzable
//! Authorization", OOPSLA 2024) over worlds of growing size, ours beside Cedar's authorizer. Policies and schemas are Cedar's
//! own and lie where `HOS_CEDAR_EXAMPLES` says (`oopsla2024-benchmarks`), or beside the project; where they do not, this part is
//! left out, saying so. Worlds are made here, from a seed.

mod world;

use crate::Result;
use crate::harness::{Seen, in_turns};
use crate::table::{Row, Table};
use cedar_policy::{Authorizer, Decision, Entities, PolicySet, Request, Schema, SchemaFragment};
use hos_core::fault::SourceFile;
use hos_core::policy::{self, Bound, Compat, Directory, Effect, PolicyLaw, Sources};
use hos_core::refusal::Blocker;
use hos_core::value::{Record, Value};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use world::World;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    each(quick, |app| {
        let authorizer = Authorizer::new();
        let cedars = |i: usize| authorizer.is_authorized(&app.requests[i], &app.policies, &app.entities).decision();
        let measures: [Box<dyn FnMut() -> f64 + '_>; 2] = [
            Box::new(|| app.timed(|i| assert!(std::hint::black_box(app.decide(i)).is_ok()))),
            Box::new(|| {
                app.timed(|i| {
                    std::hint::black_box(cedars(i));
                })
            }),
        ];
        let [ours, theirs] = in_turns(if quick { 2 } else { 21 }, measures);
        table.row(Row::time(app.what(), ours).beside("Cedar's authorizer", theirs));
        Ok(())
    })
}

/// Each app in worlds of each size, in which ours and Cedar's authorizer give the same answers.
pub(crate) fn each(quick: bool, mut each: impl FnMut(&App) -> Result<()>) -> Result<()> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cedar/examples/oopsla2024-benchmarks");
    let place = std::env::var_os("HOS_CEDAR_EXAMPLES").map_or_else(beside, PathBuf::from);
    if !place.is_dir() {
        eprintln!("left out: Cedar's example apps are not at `{}`", place.display());
        return Ok(());
    }
    for (name, policies, make) in [
        ("github", "policies.cedar", world::github as fn(usize) -> Result<World>),
        ("gdrive", "policies.cedar", world::gdrive),
        ("tinytodo", "tinytodo.cedar", world::tinytodo),
    ] {
        let dir = place.join("benches").join(name).join("cedar");
        let text = std::fs::read_to_string(dir.join(policies))?;
        let schema = std::fs::read_to_string(dir.join(format!("{name}.cedarschema.json")))?;
        for size in if quick { vec![5] } else { vec![5, 50, 500] } {
            each(&App::new(name, &text, &schema, make(size)?)?)?;
        }
    }
    Ok(())
}

/// An app in one world.
pub(crate) struct App {
    name: &'static str,
    world: World,
    bound: Bound,
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Request>,
    /// Whether each request is allowed.
    allowed: Vec<bool>,
}

impl App {
    fn new(name: &'static str, text: &str, schema: &str, world: World) -> Result<Self> {
        let (bound, policies) = (ours(text, schema, &world)?, text.parse::<PolicySet>()?);
        let (entities, requests) = (world.cedar(&Schema::from_json_str(schema)?)?, world.requests()?);
        let authorizer = Authorizer::new();
        let allowed = |request| authorizer.is_authorized(request, &policies, &entities).decision() == Decision::Allow;
        let allowed = requests.iter().map(allowed).collect();
        let app = Self { name, world, bound, policies, entities, requests, allowed };
        for (i, allowed) in app.allowed.iter().enumerate() {
            let ours = app.decide(i).map_err(|b| b.to_string())?;
            assert_eq!(ours == Effect::Allow, *allowed, "{name}: {:?}", app.world.asked[i]);
        }
        Ok(app)
    }

    /// What the world is, in words.
    pub(crate) fn what(&self) -> String {
        let (entities, requests) = (self.world.entities.len(), self.requests.len());
        let allowed = self.allowed.iter().filter(|allowed| **allowed).count();
        format!("{}, {entities} entities, {requests} requests at random ({allowed} allowed)", self.name)
    }

    fn decide(&self, i: usize) -> std::result::Result<Effect, Blocker> {
        let (principal, action, resource) = &self.world.asked[i];
        let context = Record::new();
        let request = policy::Request { principal, action, resource, given: &[], context: &context };
        self.bound.decide(&request).map(|ruling| ruling.effect)
    }

    /// What each request takes, if they come one after the other.
    fn timed(&self, ask: impl Fn(usize)) -> f64 {
        let begun = Instant::now();
        (0..self.requests.len()).for_each(ask);
        begun.elapsed().as_secs_f64() / self.requests.len() as f64
    }

    /// What ours takes.
    pub(crate) fn measured(&self, rounds: usize) -> Seen {
        let round = |_| self.timed(|i| assert!(std::hint::black_box(self.decide(i)).is_ok()));
        Seen::of((0..rounds).map(round).collect())
    }

    /// The world for other engines: each entity's attributes and all that it stands in, itself among it; and the requests, each
    /// with Cedar's answer.
    pub(crate) fn told(&self) -> Result<Vec<u8>> {
        let mut entities = Map::new();
        for entity in self.entities.iter() {
            let of = entity.uid();
            let above = self.entities.ancestors(&of).into_iter().flatten().map(ToString::to_string).chain([of.to_string()]);
            let above: Map<String, Json> = above.map(|uid| (uid, Json::Bool(true))).collect();
            entities.insert(of.to_string(), json!({ "above": above, "attrs": {} }));
        }
        for entity in &self.world.entities {
            let attrs: Map<String, Json> = entity.attrs.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
            entities[&entity.uid.to_string()]["attrs"] = Json::Object(attrs);
        }
        let asked = self.world.asked.iter().zip(&self.allowed).map(|((principal, action, resource), allowed)| {
            json!({ "principal": principal.to_string(), "action": action.to_string(), "resource": resource.to_string(),
                "allowed": allowed })
        });
        let world = json!({ "law": self.name, "data": { "entities": entities }, "asked": asked.collect::<Vec<_>>() });
        Ok(serde_json::to_vec(&world)?)
    }
}

/// A value as other engines know it: an entity is its name.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(b) => json!(b),
        Value::Long(n) => json!(n),
        Value::String(text) => json!(text),
        Value::Entity(uid) => json!(uid.to_string()),
        Value::Set(set) => set.iter().map(plain).collect(),
        other => json!(format!("{other:?}")),
    }
}

/// The app as a law of ours: Cedar's schema in its other spelling, and each policy with an id.
fn ours(text: &str, schema: &str, world: &World) -> Result<Bound> {
    let schema = SchemaFragment::from_json_str(schema)?.to_cedarschema()?;
    let mut number = 0;
    let mut named = String::new();
    for line in text.lines() {
        if line.starts_with("permit") || line.starts_with("forbid") {
            named.push_str(&format!("@id(\"p{number}\")\n"));
            number += 1;
        }
        named.push_str(line);
        named.push('\n');
    }
    let file = |path: &str, text: String| SourceFile { path: path.to_owned(), text };
    let (law, faults) = PolicyLaw::compile(&Sources {
        schema: &file("schema.cedarschema", schema),
        policies: &[file("policies/all.cedar", named)],
        namespace: "",
        compat: Compat::Strict,
        entities: &[],
        actions: &[],
        expressions: &[],
        proven: false,
    });
    let law = law.ok_or_else(|| faults.iter().map(|fault| format!("{fault}\n")).collect::<String>())?;
    let directory = Directory::new(world.entities.clone(), Vec::new()).map_err(|b| b.to_string())?;
    Bound::new(Arc::new(law), Arc::new(directory)).map_err(|b| b.to_string().into())
}

impl World {
    /// The entities, closed once, and the schema's actions with them.
    fn cedar(&self, schema: &Schema) -> Result<Entities> {
        let entities = self.entities.iter().map(crate::cold::to_cedar).collect::<Result<Vec<_>>>()?;
        Ok(Entities::from_entities(entities, Some(schema))?)
    }

    fn requests(&self) -> Result<Vec<Request>> {
        let uid = crate::cold::uid_to_cedar;
        let ask = |(p, a, r): &_| Ok(Request::new(uid(p)?, uid(a)?, uid(r)?, cedar_policy::Context::empty(), None)?);
        self.asked.iter().map(ask).collect()
    }
}
