//! The decision of `benches/src/can.rs` at twenty policies, by other engines, each as its own users would have it: policies
//! loaded once, a request judged again and again. One line an engine: its name, nanoseconds a decision (the median of rounds),
//! and what of the request it was given ready-made.
//!
//! Every engine must also say no where the law does, or its time means nothing.

mod apps;

use casbin::{CoreApi, DefaultModel, Enforcer, FileAdapter};
use serde::Serialize;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 21;
const TIMES: u32 = 2_000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, directory] = &args[..]
        && word == "apps"
    {
        return apps::run(directory.as_ref());
    }
    let law = concat!(env!("CARGO_MANIFEST_DIR"), "/law");
    casbin(law)?;
    regorus(law)?;
    biscuit(law)
}

/// Who asks for what, and whether it is allowed: the measured request first, then refusals.
const ASKED: [(Person, &str, i64, bool); 4] = [
    (Person { id: "ayse", active: true }, "v", 3, true),
    (Person { id: "ayse", active: false }, "v", 3, false),
    (Person { id: "ayse", active: true }, "v", -1, false),
    (Person { id: "zeki", active: true }, "e", 3, false),
];

#[derive(Serialize, Hash, Clone, Copy)]
struct Person {
    id: &'static str,
    active: bool,
}

#[derive(Serialize, Hash, Clone, Copy)]
struct Document {
    id: &'static str,
    owner: &'static str,
    #[serde(rename = "shown")]
    public: bool,
}

const DOCUMENT: Document = Document { id: "d0", owner: "ayse", public: true };

fn told(name: &str, given: &str, mut decide: impl FnMut() -> bool) {
    let each = middle(TIMES, |_| assert!(decide(), "{name}: the measured request is allowed"));
    println!("{name}\t{each:.1}\t{given}");
}

/// Nanoseconds that one of so many takes, in the middle one of the rounds.
fn middle(times: u32, mut work: impl FnMut(u32)) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        (0..times).for_each(&mut work);
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(times)
    };
    let mut rounds: Vec<f64> = (0..ROUNDS).map(round).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn casbin(law: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (model, policy) = (format!("{law}/model.conf"), format!("{law}/policy.csv"));
    let enforcer =
        runtime.block_on(async { Enforcer::new(DefaultModel::from_file(model).await?, FileAdapter::new(policy)).await })?;
    let ask = |(person, action, level, _): (Person, &'static str, i64, bool)| enforcer.enforce((person, DOCUMENT, action, level));
    for asked in ASKED {
        assert_eq!(ask(asked)?, asked.3, "casbin: {} {}", asked.0.id, asked.1);
    }
    told("casbin 2.20.0", "the request as structs", || ask(black_box(ASKED[0])).is_ok_and(|said| said));
    Ok(())
}

fn regorus(law: &str) -> Result<()> {
    let mut engine = regorus::Engine::new();
    engine.add_policy_from_file(format!("{law}/law.rego"))?;
    let input = |(person, action, level, _): (Person, &str, i64, bool)| {
        let groups = if person.id == "ayse" { "[\"staff\"]" } else { "[]" };
        regorus::Value::from_json_str(&format!(
            "{{\"principal\":{{\"id\":\"{}\",\"active\":{},\"groups\":{groups}}},\"action\":\"{action}\",\
             \"resource\":{{\"id\":\"d0\",\"owner\":\"ayse\",\"public\":true,\"folders\":[\"f0\"]}},\"context\":{{\"level\":{level}}}}}",
            person.id, person.active
        ))
    };
    let mut ask = |input: regorus::Value| -> Result<bool> {
        engine.set_input(input);
        Ok(engine.eval_rule("data.law.allow".to_owned())? == regorus::Value::from(true))
    };
    for asked in ASKED {
        assert_eq!(ask(input(asked)?)?, asked.3, "regorus: {} {}", asked.0.id, asked.1);
    }
    let ready = input(ASKED[0])?;
    told("regorus 0.14.1", "the input as a value", || ask(black_box(ready.clone())).is_ok_and(|said| said));
    Ok(())
}

fn biscuit(law: &str) -> Result<()> {
    use biscuit_auth::builder::AuthorizerBuilder;
    // Its own limit of a millisecond would make a pause of the machine a refusal.
    let limits = biscuit_auth::AuthorizerLimits { max_time: std::time::Duration::from_secs(10), ..Default::default() };
    let policies = AuthorizerBuilder::new().set_limits(limits).code(std::fs::read_to_string(format!("{law}/law.biscuit"))?)?;
    let facts = |(person, action, level, _): (Person, &str, i64, bool)| {
        let activity = if person.active { "active" } else { "inactive" };
        let group = if person.id == "ayse" { "in_group(\"ayse\", \"staff\");" } else { "" };
        format!(
            "principal(\"{0}\"); action(\"{action}\"); resource(\"d0\"); level({level}); {activity}(\"{0}\"); {group} \
             public(\"d0\"); owner(\"d0\", \"ayse\"); in_folder(\"d0\", \"f0\");",
            person.id
        )
    };
    let ask = |builder: AuthorizerBuilder| builder.build_unauthenticated().is_ok_and(|mut a| a.authorize().is_ok());
    for asked in ASKED {
        assert_eq!(ask(policies.clone().code(facts(asked))?), asked.3, "biscuit: {} {}", asked.0.id, asked.1);
    }
    let ready = policies.code(facts(ASKED[0]))?;
    told("biscuit 6.0.0", "facts parsed; no token", || ask(black_box(ready.clone())));
    Ok(())
}
