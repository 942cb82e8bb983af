//! `can`, against Cedar's own authorizer over the same policies, entities and request.

use crate::harness::{Seen, each, in_turns};
use crate::law::{self, SCHEMA, entity, uid};
use crate::table::{Bar, Row, Table};
use crate::{Result, cold};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Schema};
use hos_core::call::Can;
use hos_core::policy::{self, Bound, Directory, Effect};
use hos_core::value::{Record, Value};
use hos_engine::{Engine, Founding};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

/// How often the rival is asked in a round: it is linear in the policies.
fn rival_times(policies: usize) -> u32 {
    (100_000 / policies.max(1)).clamp(1, 2_000) as u32
}

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let sizes: &[usize] = if quick { &[20, 1_000] } else { &[20, 1_000, 100_000] };
    let mut at_twenty = None;
    for size in sizes {
        let (engine, core) = one(*size, quick, table)?;
        let (first_engine, first_core) = *at_twenty.get_or_insert((engine, core));
        if *size > 20 {
            for (where_from, now, then) in [("engine", engine, first_engine), ("core", core, first_core)] {
                let row = Row::time(format!("`can`, {size} policies, {where_from}"), now).beside("itself at 20 policies", then);
                table.row(row.wants(Bar::RatioAtMost(1.3)));
            }
        }
    }
    cold::run(quick, table)
}

/// What the engine takes at twenty policies, for who measures others beside it.
pub(crate) fn at_twenty(quick: bool) -> Result<Seen> {
    one(20, quick, &mut Table::default()).map(|(engine, _)| engine)
}

fn one(size: usize, quick: bool, table: &mut Table) -> Result<(Seen, Seen)> {
    let text = law::policies(size);
    let begun = Instant::now();
    let law = Arc::new(law::law(&text)?);
    println!("{size} policies: the law loads in {:.2} s", begun.elapsed().as_secs_f64());

    let (ayse, staff, folder, doc) = (uid("User", "ayse")?, uid("Group", "staff")?, uid("Folder", "f0")?, uid("Doc", "d0")?);
    let person = entity(ayse.clone(), &[("active", Value::Bool(true))], std::slice::from_ref(&staff));
    let group = entity(staff.clone(), &[], &[]);
    let given = vec![
        entity(
            doc.clone(),
            &[("owner", Value::Entity(ayse.clone())), ("public", Value::Bool(true))],
            std::slice::from_ref(&folder),
        ),
        entity(folder, &[], &[]),
    ];

    let place = tempfile::tempdir()?;
    let founding = Founding { founder: person.clone(), roles: vec![group.clone()] };
    let engine = Engine::builder().law(law.clone()).sqlite(place.path().join("bench.db")).found(founding)?;
    let tenant = engine.tenant("universe")?;
    let mut can = Can::new(ayse.clone(), "v", doc.clone()).with("level", 3);
    can.by.given = given.clone().into();
    let answer = tenant.can(&can)?;
    assert!(answer.allowed && answer.policies.len() == 3, "the measured request is not what it should be: {answer:?}");

    let bound =
        Bound::new(law.policy.clone(), Arc::new(Directory::new(vec![person, group], Vec::new()).map_err(|b| b.to_string())?));
    let bound = bound.map_err(|b| b.to_string())?;
    let action = uid("Action", "v")?;
    let context = Record::from([("level".to_owned(), Value::Long(3))]);
    let request = policy::Request { principal: &ayse, action: &action, resource: &doc, given: &given, context: &context };
    assert_eq!(bound.decide(&request).map(|r| r.effect), Ok(Effect::Allow));

    let begun = Instant::now();
    let rival = Rival::new(&text)?;
    println!("{size} policies: plain Cedar parses in {:.2} s", begun.elapsed().as_secs_f64());
    assert_eq!(rival.decide(), Decision::Allow);

    let (rounds, times) = if quick { (3, 200) } else { (if size > 10_000 { 15 } else { 41 }, 4_000) };
    let [ours, core, theirs] = in_turns(
        rounds,
        [
            Box::new(|| each(times, || assert!(tenant.can(std::hint::black_box(&can)).is_ok_and(|a| a.allowed))).as_secs_f64()),
            Box::new(|| each(times, || assert!(bound.decide(std::hint::black_box(&request)).is_ok())).as_secs_f64()),
            Box::new(|| each(rival_times(size), || assert_eq!(rival.decide(), Decision::Allow)).as_secs_f64()),
        ],
    );
    for (where_from, time) in [("engine, freshness check included", ours), ("core", core)] {
        let row = Row::time(format!("`can`, {size} policies, {where_from}"), time).beside("Cedar's authorizer", theirs);
        table.row(row.wants(Bar::AtMost(3e-6)));
    }
    engine.close()?;
    Ok((ours, core))
}

/// Cedar as one would use it without us: policies parsed once, entities closed once, one request.
struct Rival {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    request: Request,
}

impl Rival {
    fn new(text: &str) -> Result<Self> {
        let schema = Schema::from_str(SCHEMA)?;
        let policies = PolicySet::from_str(text)?;
        let entities = Entities::from_json_str(
            r#"[
              {"uid":{"type":"B::User","id":"ayse"},"attrs":{"active":true},"parents":[{"type":"B::Group","id":"staff"}]},
              {"uid":{"type":"B::Group","id":"staff"},"attrs":{},"parents":[]},
              {"uid":{"type":"B::Folder","id":"f0"},"attrs":{},"parents":[]},
              {"uid":{"type":"B::Doc","id":"d0"},
               "attrs":{"owner":{"__entity":{"type":"B::User","id":"ayse"}},"public":true},
               "parents":[{"type":"B::Folder","id":"f0"}]}
            ]"#,
            Some(&schema),
        )?;
        let uid = EntityUid::from_str;
        let (principal, action, resource) = (uid(r#"B::User::"ayse""#)?, uid(r#"B::Action::"v""#)?, uid(r#"B::Doc::"d0""#)?);
        let context = Context::from_pairs([("level".to_owned(), cedar_policy::RestrictedExpression::new_long(3))])?;
        let request = Request::new(principal, action, resource, context, Some(&schema))?;
        Ok(Self { authorizer: Authorizer::new(), policies, entities, request })
    }

    fn decide(&self) -> Decision {
        let response = self.authorizer.is_authorized(std::hint::black_box(&self.request), &self.policies, &self.entities);
        std::hint::black_box(&response).decision()
    }
}
