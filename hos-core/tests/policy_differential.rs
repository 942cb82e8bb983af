//! The indexed door against Cedar's plain authorizer: decision, reasons and errors must be equal on random cases.
//!
//! `HOS_CASES` raises the number of cases, `HOS_SEED` repeats a run; a failure prints seed, policies, entities and request.

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, EvaluationError, PolicyId, PolicySet,
    Request, SlotId,
};
use hos_core::policy::plain::PlainLaw;
use hos_core::policy::{Effect, Ruling};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// A small deterministic generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

const TYPES: [&str; 4] = ["User", "Group", "Doc", "Org::Folder"];
const IDS: [&str; 4] = ["a", "b", "c", "d"];
const ACTIONS: [&str; 5] = ["view", "edit", "share", "read", "all"];
const ATTRS: [&str; 6] = ["n", "s", "b", "e", "set", "rec"];

fn uid(dice: &mut Dice) -> String {
    format!("{}::\"{}\"", dice.pick(&TYPES), dice.pick(&IDS))
}

fn action(dice: &mut Dice) -> String {
    format!("Action::\"{}\"", dice.pick(&ACTIONS))
}

/// An expression, often ill-typed, often reading what is not there.
fn expr(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.one_in(6) {
        return match dice.below(11) {
            0 => "principal".into(),
            1 => "resource".into(),
            2 => "context".into(),
            3 => "action".into(),
            4 => uid(dice),
            5 => ["0", "1", "9223372036854775807", "-1"][dice.below(4)].into(),
            6 => ["true", "false"][dice.below(2)].into(),
            7 => ["\"x\"", "\"y*\""][dice.below(2)].into(),
            8 => format!("principal.{}", dice.pick(&ATTRS)),
            9 => format!("resource.{}", dice.pick(&ATTRS)),
            _ => format!("context.{}", dice.pick(&ATTRS)),
        };
    }
    let d = depth - 1;
    match dice.below(22) {
        0 => format!("({} == {})", expr(dice, d), expr(dice, d)),
        1 => format!("({} != {})", expr(dice, d), expr(dice, d)),
        2 => format!("({} < {})", expr(dice, d), expr(dice, d)),
        3 => format!("({} + {})", expr(dice, d), expr(dice, d)),
        4 => format!("({} * {})", expr(dice, d), expr(dice, d)),
        5 | 6 => format!("({} && {})", expr(dice, d), expr(dice, d)),
        7 | 8 => format!("({} || {})", expr(dice, d), expr(dice, d)),
        9 => format!("!({})", expr(dice, d)),
        10 => format!("({} in {})", expr(dice, d), expr(dice, d)),
        11 => format!("({} in [{}, {}])", expr(dice, d), uid(dice), uid(dice)),
        12 => format!("({} is {})", expr(dice, d), dice.pick(&TYPES)),
        13 => format!("({} has {})", expr(dice, d), dice.pick(&ATTRS)),
        14 => format!("({}).{}", expr(dice, d), dice.pick(&ATTRS)),
        15 => format!("(if {} then {} else {})", expr(dice, d), expr(dice, d), expr(dice, d)),
        16 => format!("({}).contains({})", expr(dice, d), expr(dice, d)),
        17 => format!("({} like \"*{}\")", expr(dice, d), dice.pick(&["x", "y", ""])),
        18 => format!("[{}, {}]", expr(dice, d), expr(dice, d)),
        19 => format!("decimal({})", dice.pick(&["\"1.5\"", "context.s", "principal.s"])),
        20 => format!("(action in {})", action(dice)),
        _ => format!("-({})", expr(dice, d)),
    }
}

/// A condition that is often well-typed, so that policies hold often enough.
fn condition(dice: &mut Dice) -> String {
    match dice.below(8) {
        0 => "true".into(),
        1 => "principal has n && principal.n > 0".into(),
        2 => format!("resource in {}", uid(dice)),
        3 => format!("principal is {}", dice.pick(&TYPES)),
        4 => "context.b".into(),
        5 => "resource.e == principal || principal.e.b".into(),
        _ => expr(dice, 3),
    }
}

fn side(dice: &mut Dice, var: &str, slot: bool) -> String {
    if slot {
        let ty = dice.pick(&TYPES);
        return match dice.below(3) {
            0 => format!("{var} == ?{var}"),
            1 => format!("{var} in ?{var}"),
            _ => format!("{var} is {ty} in ?{var}"),
        };
    }
    match dice.below(7) {
        0 | 1 => var.into(),
        2 => format!("{var} == {}", uid(dice)),
        3 | 4 => format!("{var} in {}", uid(dice)),
        5 => format!("{var} is {}", dice.pick(&TYPES)),
        _ => format!("{var} is {} in {}", dice.pick(&TYPES), uid(dice)),
    }
}

/// A policy set as text, and which policies have which slots.
fn policies(dice: &mut Dice) -> (String, Vec<(String, bool, bool)>) {
    let (mut text, mut templates) = (String::new(), Vec::new());
    for i in 0..4 + dice.below(12) {
        let (p, r) = (dice.one_in(4), dice.one_in(4));
        if p || r {
            templates.push((format!("policy{i}"), p, r));
        }
        let effect = dice.pick(&["permit", "permit", "forbid"]);
        let (principal, resource) = (side(dice, "principal", p), side(dice, "resource", r));
        let act = match dice.below(6) {
            0 | 1 => "action".into(),
            2 => format!("action == {}", action(dice)),
            3 => format!("action in {}", action(dice)),
            _ => format!("action in [{}, {}]", action(dice), action(dice)),
        };
        writeln!(text, "{effect}({principal}, {act}, {resource})").unwrap();
        for _ in 0..dice.below(3) {
            writeln!(text, "  {} {{ {} }}", dice.pick(&["when", "when", "unless"]), condition(dice)).unwrap();
        }
        text.push_str(";\n");
    }
    (text, templates)
}

fn json_uid(ty: &str, id: &str) -> serde_json::Value {
    serde_json::json!({ "type": ty, "id": id })
}

fn attributes(dice: &mut Dice) -> serde_json::Value {
    let mut attrs = serde_json::Map::new();
    for name in ATTRS {
        if dice.one_in(3) {
            continue;
        }
        let entity = serde_json::json!({ "__entity": json_uid(dice.pick(&TYPES), dice.pick(&IDS)) });
        let value = match (name, dice.below(5)) {
            ("n", 0) => serde_json::json!(i64::MAX),
            ("n", n) => serde_json::json!(n),
            ("s", n) => serde_json::json!(["x", "y", "1.5", "", "yx"][n]),
            ("b", n) => serde_json::json!(n < 3),
            ("e", _) => entity,
            ("set", n) => serde_json::json!([n, 1, entity]),
            _ => serde_json::json!({ "n": 1, "e": entity }),
        };
        attrs.insert(name.into(), value);
    }
    attrs.into()
}

/// Entities in which parents always come later in a fixed order, so that there is no cycle; some are absent.
fn entities(dice: &mut Dice) -> serde_json::Value {
    let all: Vec<(&str, &str)> = TYPES.iter().flat_map(|t| IDS.iter().map(move |i| (*t, *i))).collect();
    let mut found = Vec::new();
    for (at, (ty, id)) in all.iter().enumerate() {
        if dice.one_in(6) {
            continue;
        }
        let later = &all[at + 1..];
        let parents: Vec<_> = later.iter().filter(|_| dice.one_in(6)).map(|(t, i)| json_uid(t, i)).collect();
        found.push(serde_json::json!({ "uid": json_uid(ty, id), "attrs": attributes(dice), "parents": parents }));
    }
    for (at, id) in ACTIONS.iter().enumerate() {
        let later = &ACTIONS[at + 1..];
        let parents: Vec<_> = later.iter().filter(|_| dice.one_in(3)).map(|i| json_uid("Action", i)).collect();
        found.push(serde_json::json!({ "uid": json_uid("Action", id), "attrs": {}, "parents": parents }));
    }
    found.into()
}

fn kind(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "EntityMissing",
        EvaluationError::EntityAttrDoesNotExist(_) | EvaluationError::RecordAttrDoesNotExist(_) => "AttributeMissing",
        EvaluationError::TypeError(_) => "TypeError",
        EvaluationError::IntegerOverflow(_) => "Overflow",
        EvaluationError::FailedExtensionFunctionExecution(_) => "ExtensionError",
        other => panic!("unexpected kind of error: {other}"),
    }
}

/// What both sides must agree on: allowed, reasons, and (policy, kind, message) of every error.
type Verdict = (bool, BTreeSet<String>, BTreeSet<(String, String, String)>);

fn ours(ruling: &Ruling) -> Verdict {
    let errors = ruling.errors.iter().map(|e| (e.policy.clone(), e.kind.clone(), e.message.clone())).collect();
    assert_eq!(ruling.effect == Effect::Forbidden, ruling.effect != Effect::Allow && !ruling.determining.is_empty());
    (ruling.effect == Effect::Allow, ruling.determining.iter().cloned().collect(), errors)
}

fn theirs(set: &PolicySet, entities: &Entities, request: &Request) -> Verdict {
    let response = Authorizer::new().is_authorized(request, set, entities);
    let reasons = response.diagnostics().reason().map(ToString::to_string).collect();
    let errors = response.diagnostics().errors().map(|e| match e {
        AuthorizationError::PolicyEvaluationError(e) => {
            (e.policy_id().to_string(), kind(e.inner()).to_owned(), e.inner().to_string())
        }
    });
    (response.decision() == Decision::Allow, reasons, errors.collect())
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn indexed_equals_plain() {
    const REQUESTS: u64 = 100;
    let (cases, seed) = (number("HOS_CASES", 100_000), number("HOS_SEED", 1));
    let mut tally: HashMap<&str, u64> = HashMap::new();
    for round in 0..cases.div_ceil(REQUESTS) {
        let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let (text, templates) = policies(&mut dice);
        let entities_json = entities(&mut dice).to_string();
        let mut set: PolicySet = text.parse().unwrap_or_else(|e| panic!("round {round}: {e}\n{text}"));
        let mut law = PlainLaw::new(&text, None, &entities_json).unwrap_or_else(|e| panic!("round {round}: {e}\n{text}"));
        let mut links = String::new();
        for n in 0..if templates.is_empty() { 0 } else { dice.below(12) } {
            let (template, p, r) = &templates[dice.below(templates.len())];
            let (pt, pi, rt, ri) = (dice.pick(&TYPES), dice.pick(&IDS), dice.pick(&TYPES), dice.pick(&IDS));
            let id = format!("link{n}");
            let text = |t: &str, i: &str| format!("{t}::\"{i}\"").parse::<EntityUid>().unwrap();
            let mut values = HashMap::new();
            p.then(|| values.insert(SlotId::principal(), text(pt, pi)));
            r.then(|| values.insert(SlotId::resource(), text(rt, ri)));
            writeln!(links, "{id}: {template} {values:?}").unwrap();
            set.link(PolicyId::new(template), PolicyId::new(&id), values).unwrap();
            law.link(template, &id, p.then_some((pt, pi)), r.then_some((rt, ri))).unwrap();
        }
        let entities = Entities::from_json_str(&entities_json, None).unwrap();
        for n in 0..REQUESTS {
            let (pt, pi, rt, ri) = (dice.pick(&TYPES), dice.pick(&IDS), dice.pick(&TYPES), dice.pick(&IDS));
            let act = dice.pick(&ACTIONS);
            let context = attributes(&mut dice);
            let euid = |t: &str, i: &str| format!("{t}::\"{i}\"").parse::<EntityUid>().unwrap();
            let request = Request::new(
                euid(pt, pi),
                euid("Action", act),
                euid(rt, ri),
                Context::from_json_value(context.clone(), None).unwrap(),
                None,
            )
            .unwrap();
            let expected = theirs(&set, &entities, &request);
            let ruling = law.decide((pt, pi), ("Action", act), (rt, ri), &context.to_string()).unwrap();
            assert_eq!(
                ours(&ruling),
                expected,
                "HOS_SEED={seed} round {round} request {n}: {pt}::{pi} {act} {rt}::{ri} {context}\n{text}\n{links}\n{entities_json}"
            );
            *tally.entry(if expected.0 { "allow" } else { "deny" }).or_default() += 1;
            *tally.entry("with errors").or_default() += u64::from(!expected.2.is_empty());
            *tally.entry("by link").or_default() += u64::from(expected.1.iter().any(|r| r.starts_with("link")));
            *tally.entry("forbidden").or_default() += u64::from(ruling.effect == Effect::Forbidden);
            *tally.entry("cases").or_default() += 1;
        }
    }
    println!("{tally:?}");
    // The cases must be worth their name.
    for what in ["allow", "deny", "with errors", "by link", "forbidden"] {
        assert!(tally.get(what).copied().unwrap_or(0) * 50 > tally["cases"], "too few cases {what}: {tally:?}");
    }
}
