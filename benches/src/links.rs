//! A directory that holds grants by the hundred thousand: what asking, and adding one more, costs then. And what a law costs
//! to load and to keep.

use crate::Result;
use crate::child;
use crate::harness::{Seen, each, in_turns};
use crate::law::{self, entity, uid};
use crate::table::{Bar, Row, Table};
use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use hos_core::policy::{Bound, Directory, Effect, Link, Request};
use hos_core::value::{Record, Value};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

/// Whoever a document was shared with may see it.
const SHARED: &str = "@id(\"shared\") permit (principal == ?principal, action == B::Action::\"v\", resource == ?resource) when { context.level >= 0 };\n";

/// How often a law is loaded and kept to be weighed.
const COPIES: usize = 4;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let sizes: &[usize] = if quick { &[20, 10_000] } else { &[20, 1_000, 1_000_000] };
    // A law of thousands of policies, and links for the rest.
    let law = law::law(&format!("{}{SHARED}", law::policies(if quick { 20 } else { 2_000 })))?;
    let mut first = None;
    for links in sizes {
        let bound = Bound::new(law.policy.clone(), Arc::new(world(*links)?)).map_err(|b| b.to_string())?;
        let (ayse, doc, action) = (uid("User", "ayse")?, uid("Doc", "shared")?, uid("Action", "v")?);
        let given = [entity(doc.clone(), &[("owner", Value::Entity(uid("User", "u0")?)), ("public", Value::Bool(false))], &[])];
        let context = Record::from([("level".to_owned(), Value::Long(3))]);
        let request = Request { principal: &ayse, action: &action, resource: &doc, given: &given, context: &context };
        let ruling = bound.decide(&request).map_err(|b| b.to_string())?;
        assert!(ruling.effect == Effect::Allow && ruling.determining == ["g0"], "{ruling:?}");
        let (rounds, times) = if quick { (3, 200) } else { (21, 4_000) };
        let mut next = 0;
        let [asked, granted] = in_turns(
            rounds,
            [
                Box::new(|| each(times, || assert!(bound.decide(std::hint::black_box(&request)).is_ok())).as_secs_f64()),
                Box::new(|| {
                    each(50, || {
                        next += 1;
                        let link = link(&format!("new{next}"), "ayse", "other").ok();
                        let after = bound.directory().with(Vec::new(), vec![(format!("new{next}"), link)]);
                        let after = after.and_then(|directory| Bound::new(bound.law().clone(), Arc::new(directory)));
                        assert!(std::hint::black_box(after).is_ok());
                    })
                    .as_secs_f64()
                }),
            ],
        );
        if let Some(then) = first {
            let row = Row::time(format!("`can`, {links} grants, core"), asked).beside("itself at 20 grants", then);
            table.row(row.wants(Bar::RatioAtMost(1.3)));
        }
        first = first.or(Some(asked));
        table.row(Row::time(format!("one grant more, at {links}"), granted).wants(Bar::AtMost(50e-6)));
    }
    load(quick, table)
}

fn link(id: &str, who: &str, what: &str) -> Result<Link> {
    let (principal, resource) = (Some(uid("User", who)?), Some(uid("Doc", what)?));
    Ok(Link { id: id.to_owned(), template: "shared".to_owned(), principal, resource, record: None })
}

fn world(links: usize) -> Result<Directory> {
    let mut people = vec![entity(uid("User", "ayse")?, &[("active", Value::Bool(true))], &[])];
    for i in 0..(links / 100).max(1) {
        people.push(entity(uid("User", &format!("u{i}"))?, &[("active", Value::Bool(true))], &[]));
    }
    let other = |i: usize| link(&format!("g{i}"), &format!("u{}", i % people.len()), &format!("d{i}"));
    let mut all = vec![link("g0", "ayse", "shared")?];
    for i in 1..links {
        all.push(other(i)?);
    }
    Directory::new(people, all).map_err(|b| b.to_string().into())
}

/// How long a law takes to load and how much it keeps, against Cedar's own parser, validator and set of policies.
fn load(quick: bool, table: &mut Table) -> Result<()> {
    let size = if quick { 1_000 } else { 20_000 };
    let text = law::policies(size);
    let [ours, cedar] = in_turns(
        if quick { 1 } else { 5 },
        [
            Box::new(|| {
                let begun = Instant::now();
                assert!(law::law(&text).is_ok());
                begun.elapsed().as_secs_f64()
            }),
            Box::new(|| {
                let begun = Instant::now();
                assert!(validated(&text).is_ok());
                begun.elapsed().as_secs_f64()
            }),
        ],
    );
    let row = Row::time(format!("a law of {size} policies loaded, validated, indexed"), ours);
    table.row(row.beside("parsed and validated by Cedar", cedar).wants(Bar::RatioAtMost(1.3)));
    let weigh = |whose: &str| child::number(&["weigh", whose, &size.to_string()]);
    let row = Row::bytes(format!("memory of a law of {size} policies"), weigh("ours")?);
    let row = row.beside("Cedar's `PolicySet`", Seen::once(weigh("cedar")?));
    table.row(row.wants(Bar::RatioAtMost(3.0)));
    Ok(())
}

fn validated(text: &str) -> Result<PolicySet> {
    let (schema, policies) = (Schema::from_str(law::SCHEMA)?, PolicySet::from_str(text)?);
    let result = Validator::new(schema).validate(&policies, ValidationMode::Strict);
    if result.validation_passed() { Ok(policies) } else { Err("what is measured does not validate".into()) }
}

/// In a process of its own: what a law, or Cedar's set of the same policies, adds to the memory that is in use.
pub(crate) fn weigh(args: &[String]) -> Result<String> {
    let size = args.get(1).ok_or("how many policies?")?.parse()?;
    let text = law::policies(size);
    let load = || -> Result<Box<dyn std::any::Any>> {
        match args.first().map(String::as_str) {
            Some("ours") => Ok(Box::new(law::law(&text)?)),
            Some("cedar") => Ok(Box::new(validated(&text)?)),
            _ => Err("`ours` or `cedar`".into()),
        }
    };
    // The first leaves behind what loading needs by the way; those after it find that room again, and add what they keep.
    let mut kept = vec![load()?];
    let before = child::resident()?;
    for _ in 0..COPIES {
        kept.push(load()?);
    }
    let after = child::resident()?;
    drop(kept);
    Ok(format!("{}", (after - before) / COPIES as f64))
}
