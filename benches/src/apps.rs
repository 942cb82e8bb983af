//! The three apps of Cedar's paper (Cutler et al., "Cedar: A New Language for Expressive, Fast, Safe, and Analyzable
//! Authorization", OOPSLA 2024) over worlds of growing size, ours beside Cedar's authorizer. Policies and schemas are Cedar's
//! own and lie where `HOS_CEDAR_EXAMPLES` says (`oopsla2024-benchmarks`), or beside the project; where they do not, this part is
//! left out, saying so. Worlds are made here, from a seed.

mod world;

use crate::Result;
use crate::harness::in_turns;
use crate::table::{Row, Table};
use cedar_policy::{Authorizer, Decision, Entities, PolicySet, Request, Schema, SchemaFragment};
use hos_core::fault::SourceFile;
use hos_core::policy::{self, Bound, Compat, Directory, Effect, PolicyLaw, Sources};
use hos_core::value::Record;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use world::World;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
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
            one(name, &text, &schema, &make(size)?, quick, table)?;
        }
    }
    Ok(())
}

fn one(name: &str, text: &str, schema: &str, world: &World, quick: bool, table: &mut Table) -> Result<()> {
    let bound = ours(text, schema, world)?;
    let (policies, entities, requests) = (text.parse::<PolicySet>()?, world.cedar(&schema_of(schema)?)?, world.requests()?);
    let authorizer = Authorizer::new();
    let (empty, count) = (Record::new(), world.asked.len());
    let decide = |i: usize| {
        let (principal, action, resource) = &world.asked[i % count];
        bound.decide(&policy::Request { principal, action, resource, given: &[], context: &empty }).map(|ruling| ruling.effect)
    };
    let cedars = |i: usize| authorizer.is_authorized(&requests[i % count], &policies, &entities).decision();
    let mut allowed = 0;
    for i in 0..count {
        let (one, other) = (decide(i).map_err(|b| b.to_string())?, cedars(i));
        assert_eq!(one == Effect::Allow, other == Decision::Allow, "{name}: {:?}", world.asked[i]);
        allowed += usize::from(other == Decision::Allow);
    }
    let measured = |ask: &dyn Fn(usize)| {
        let begun = Instant::now();
        (0..count).for_each(ask);
        begun.elapsed().as_secs_f64() / count as f64
    };
    let [ours, theirs] = in_turns(
        if quick { 2 } else { 21 },
        [
            Box::new(|| measured(&|i| assert!(std::hint::black_box(decide(i)).is_ok()))),
            Box::new(|| {
                measured(&|i| {
                    std::hint::black_box(cedars(i));
                })
            }),
        ],
    );
    let what = format!("{name}, {} entities, {count} requests at random ({allowed} allowed)", world.entities.len());
    table.row(Row::time(what, ours).beside("Cedar's authorizer", theirs));
    Ok(())
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

fn schema_of(text: &str) -> Result<Schema> {
    Ok(Schema::from_json_str(text)?)
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
