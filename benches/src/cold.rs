//! `can` for another principal and another resource each time, over as many stored entities as there are policies: what the
//! last request left in the processor's caches is of little use to the next. Nothing is given; who asks and what is asked
//! about are drawn at random before the clock starts.

use crate::Result;
use crate::harness::in_turns;
use crate::law::{self, entity, uid};
use crate::table::{Bar, Row, Table};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, RestrictedExpression};
use hos_core::id::Uid;
use hos_core::policy::{Bound, Directory, Effect, Entity, Request};
use hos_core::value::{Record, Value};
use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

/// How many members a group or a folder has.
const MEMBERS: usize = 100;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let (size, asks, rounds) = if quick { (1_000, 500, 3) } else { (100_000, 50_000, 9) };
    let text = law::policies(size);
    let world = World::new(size)?;
    let law = law::law(&text)?;
    let begun = Instant::now();
    let directory = Directory::new(world.entities.clone(), Vec::new()).map_err(|b| b.to_string())?;
    println!("{size} entities: the directory closes in {:.2} s", begun.elapsed().as_secs_f64());
    let bound = Bound::new(law.policy, Arc::new(directory)).map_err(|b| b.to_string())?;
    let rival = Rival::new(&text, &world.entities)?;

    let (action, context) = (uid("Action", "v")?, Record::from([("level".to_owned(), Value::Long(3))]));
    let mut dice = Dice(7);
    let asked = (0..asks).map(|_| world.ask(&mut dice)).collect::<Result<Vec<_>>>()?;
    let decide = |(principal, resource): &(Uid, Uid)| {
        let request = Request { principal, action: &action, resource, given: &[], context: &context };
        bound.decide(std::hint::black_box(&request)).map(|ruling| ruling.effect)
    };
    let mut theirs = 0;
    let [ours, cedar] = in_turns(
        rounds,
        [
            Box::new(|| {
                let begun = Instant::now();
                asked.iter().for_each(|ask| assert!(decide(ask).is_ok()));
                begun.elapsed().as_secs_f64() / asked.len() as f64
            }),
            Box::new(|| {
                // One at a time: it is linear in the policies.
                let ask = &asked[theirs % asked.len()];
                theirs += 1;
                let request = rival.request(ask).unwrap_or_else(|e| panic!("{ask:?}: {e}"));
                let begun = Instant::now();
                let decision = rival.authorizer.is_authorized(&request, &rival.policies, &rival.entities).decision();
                let taken = begun.elapsed().as_secs_f64();
                assert_eq!(decide(ask) == Ok(Effect::Allow), decision == Decision::Allow, "{ask:?}");
                taken
            }),
        ],
    );
    let what = format!("`can`, {size} policies, {size} entities, each request at random, core");
    table.row(Row::time(what, ours).beside("Cedar's authorizer", cedar).wants(Bar::AtMost(8e-6)));
    Ok(())
}

/// Half of the entities are people in groups, half are documents in folders; every document has an owner.
struct World {
    people: usize,
    documents: usize,
    entities: Vec<Entity>,
}

impl World {
    fn new(size: usize) -> Result<Self> {
        let sides = size / 2 / (MEMBERS + 1);
        let (people, documents) = (size / 2 - sides, size / 2 - sides);
        let group = |i: usize| uid("Group", &if i == 0 { "staff".to_owned() } else { format!("g{i}") });
        let folder = |i: usize| uid("Folder", &format!("f{i}"));
        let mut entities = Vec::with_capacity(size);
        let mut dice = Dice(3);
        for i in 0..sides {
            entities.push(entity(group(i)?, &[], &[]));
            entities.push(entity(folder(i)?, &[], &[]));
        }
        for i in 0..people {
            let active = Value::Bool(dice.below(10) > 0);
            entities.push(entity(person(i)?, &[("active", active)], &[group(dice.below(sides))?]));
        }
        for i in 0..documents {
            let attrs = [("owner", Value::Entity(person(dice.below(people))?)), ("public", Value::Bool(dice.below(2) == 0))];
            entities.push(entity(document(i)?, &attrs, &[folder(dice.below(sides))?]));
        }
        Ok(Self { people, documents, entities })
    }

    fn ask(&self, dice: &mut Dice) -> Result<(Uid, Uid)> {
        Ok((person(dice.below(self.people))?, document(dice.below(self.documents))?))
    }
}

fn person(i: usize) -> Result<Uid> {
    uid("User", &format!("u{i}"))
}

fn document(i: usize) -> Result<Uid> {
    uid("Doc", &format!("d{i}"))
}

/// Chance that is the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// Cedar as one would use it without us: policies parsed once, entities closed once.
struct Rival {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

impl Rival {
    fn new(text: &str, entities: &[Entity]) -> Result<Self> {
        let theirs = entities.iter().map(to_cedar).collect::<Result<Vec<_>>>()?;
        let (policies, entities) = (PolicySet::from_str(text)?, Entities::from_entities(theirs, None)?);
        Ok(Self { authorizer: Authorizer::new(), policies, entities })
    }

    fn request(&self, (principal, resource): &(Uid, Uid)) -> Result<cedar_policy::Request> {
        let context = Context::from_pairs([("level".to_owned(), RestrictedExpression::new_long(3))])?;
        let action = EntityUid::from_str(r#"B::Action::"v""#)?;
        Ok(cedar_policy::Request::new(uid_to_cedar(principal)?, action, uid_to_cedar(resource)?, context, None)?)
    }
}

/// An entity as Cedar's own.
pub(crate) fn to_cedar(entity: &Entity) -> Result<cedar_policy::Entity> {
    let attrs = entity.attrs.iter().map(|(name, value)| Ok((name.clone(), value_to_cedar(value)?))).collect::<Result<_>>()?;
    let parents = entity.parents.iter().map(uid_to_cedar).collect::<Result<HashSet<_>>>()?;
    Ok(cedar_policy::Entity::new(uid_to_cedar(&entity.uid)?, attrs, parents)?)
}

fn value_to_cedar(value: &Value) -> Result<RestrictedExpression> {
    Ok(match value {
        Value::Bool(b) => RestrictedExpression::new_bool(*b),
        Value::Long(n) => RestrictedExpression::new_long(*n),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Entity(uid) => RestrictedExpression::new_entity_uid(uid_to_cedar(uid)?),
        Value::Set(items) => RestrictedExpression::new_set(items.iter().map(value_to_cedar).collect::<Result<Vec<_>>>()?),
        other => return Err(format!("these worlds have no {}", other.kind()).into()),
    })
}

/// An identity as Cedar's own.
pub(crate) fn uid_to_cedar(uid: &Uid) -> Result<EntityUid> {
    Ok(EntityUid::from_str(&uid.to_string())?)
}
