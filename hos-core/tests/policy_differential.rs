//! The indexed door against Cedar's plain authorizer: decision, reasons and errors must be equal on random cases.
//!
//! `HOS_CASES` raises the number of cases, `HOS_SEED` repeats a run; a failure prints seed, policies, entities and request.

#[path = "policy_support/dice.rs"]
mod dice;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, EvaluationError, PolicyId, PolicySet, Request, SlotId,
};
use dice::{ACTIONS, Dice, IDS, TYPES, attributes, entities, json_uid, policies};
use hos_core::policy::plain::PlainLaw;
use hos_core::policy::{Effect, Ruling};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

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
    assert!(ruling.determining.is_sorted_by(|a, b| a < b), "each once, in order: {:?}", ruling.determining);
    assert!(ruling.errors.is_sorted_by(|a, b| a.policy < b.policy), "each once, in order: {:?}", ruling.errors);
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

/// What our side forgets: faults that an index could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// Every policy of a bucket is in it, but the last.
    Policy,
    /// One entity's parents, by which policies on groups are found.
    Ancestors,
    /// One link of a template.
    Link,
    /// What could not be evaluated.
    Errors,
}

fn forgotten(planted: Planted, text: &str, entities_json: &str) -> (String, String) {
    let mut entities: serde_json::Value = serde_json::from_str(entities_json).unwrap();
    let mut parents = entities.as_array_mut().unwrap().iter_mut().map(|e| &mut e["parents"]);
    let known = parents.rfind(|p| p.as_array().is_some_and(|p| !p.is_empty()));
    if let (Planted::Ancestors, Some(parents)) = (planted, known) {
        *parents = serde_json::json!([]);
    }
    let last = text.trim_end().trim_end_matches(';').rfind(";\n").map_or(0, |at| at + 2);
    let kept = if planted == Planted::Policy { &text[..last] } else { text };
    (kept.to_owned(), entities.to_string())
}

/// Holds so many cases together; what was met, or where the two differ.
fn held(cases: u64, seed: u64, planted: Planted) -> Result<HashMap<&'static str, u64>, String> {
    const REQUESTS: u64 = 200;
    /// Reading a context takes Cedar longer than judging in it.
    const IN_ONE_CONTEXT: u64 = 10;
    let mut tally: HashMap<&str, u64> = HashMap::new();
    for round in 0..cases.div_ceil(REQUESTS) {
        let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let (text, templates) = policies(&mut dice);
        let entities_json = entities(&mut dice).to_string();
        let mut set: PolicySet = text.parse().unwrap_or_else(|e| panic!("round {round}: {e}\n{text}"));
        let (our_text, our_entities) = forgotten(planted, &text, &entities_json);
        let mut law = PlainLaw::new(&our_text, None, &our_entities).unwrap_or_else(|e| panic!("round {round}: {e}\n{text}"));
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
            let linked = law.link(template, &id, p.then_some((pt, pi)), r.then_some((rt, ri)));
            // A template that is forgotten cannot be linked.
            assert!(linked.is_ok() || planted == Planted::Policy);
            if planted == Planted::Link && n == 0 {
                law = PlainLaw::new(&our_text, None, &our_entities).unwrap();
            }
        }
        let entities = Entities::from_json_str(&entities_json, None).unwrap();
        let euids: HashMap<(&str, &str), EntityUid> = TYPES
            .iter()
            .flat_map(|ty| IDS.iter().map(move |id| (*ty, *id)))
            .chain(ACTIONS.iter().map(|id| ("Action", *id)))
            .map(|(ty, id)| ((ty, id), format!("{ty}::\"{id}\"").parse().unwrap()))
            .collect();
        let mut surroundings = None;
        for n in 0..REQUESTS {
            let (pt, pi, rt, ri) = (dice.pick(&TYPES), dice.pick(&IDS), dice.pick(&TYPES), dice.pick(&IDS));
            let act = dice.pick(&ACTIONS);
            if n % IN_ONE_CONTEXT == 0 {
                let json = attributes(&mut dice);
                let read = law.context(("Action", act), &json.to_string()).unwrap();
                surroundings = Some((Context::from_json_value(json.clone(), None).unwrap(), read, json));
            }
            let Some((context, read, json)) = &surroundings else { unreachable!("the first of all is asked in a new one") };
            let [principal, action, resource] = [(pt, pi), ("Action", act), (rt, ri)].map(|uid| euids[&uid].clone());
            let request = Request::new(principal, action, resource, context.clone(), None).unwrap();
            let expected = theirs(&set, &entities, &request);
            let ruling = law.decide_in((pt, pi), ("Action", act), (rt, ri), read).unwrap();
            let mut said = ours(&ruling);
            if planted == Planted::Errors {
                said.2.clear();
            }
            if said != expected {
                return Err(format!(
                    "HOS_SEED={seed} round {round} request {n}: {pt}::{pi} {act} {rt}::{ri} {json}\n{text}\n{links}\n\
                     {entities_json}\n left is ours, right Cedar's:\n{said:?}\n{expected:?}"
                ));
            }
            *tally.entry(if expected.0 { "allow" } else { "deny" }).or_default() += 1;
            *tally.entry("with errors").or_default() += u64::from(!expected.2.is_empty());
            *tally.entry("by link").or_default() += u64::from(expected.1.iter().any(|r| r.starts_with("link")));
            *tally.entry("forbidden").or_default() += u64::from(ruling.effect == Effect::Forbidden);
            *tally.entry("cases").or_default() += 1;
        }
    }
    Ok(tally)
}

#[test]
fn indexed_equals_plain() {
    let tally = held(number("HOS_CASES", 100_000), number("HOS_SEED", 1), Planted::Nothing).unwrap_or_else(|e| panic!("{e}"));
    println!("{tally:?}");
    println!("count: {} cases of the indexed door, plain", tally["cases"]);
    // The cases must be worth their name.
    for what in ["allow", "deny", "with errors", "by link", "forbidden"] {
        assert!(tally.get(what).copied().unwrap_or(0) * 50 > tally["cases"], "too few cases {what}: {tally:?}");
    }
}

#[test]
fn planted_faults_are_found() {
    for planted in [Planted::Policy, Planted::Ancestors, Planted::Link, Planted::Errors] {
        assert!(held(20_000, number("HOS_SEED", 1), planted).is_err(), "an index that forgets {planted:?} was not found");
    }
}

mod under_a_law {
    //! The same for a validated law over a directory, given entities and links: what is not refused must be judged alike.

    use super::{Dice, json_uid, number, theirs};
    use cedar_policy::{Context, Entities, EntityUid, PolicyId, PolicySet, Request as CedarRequest, SlotId};
    use hos_core::fault::SourceFile;
    use hos_core::id::Uid;
    use hos_core::policy::{Bound, Compat, Directory, Effect, Entity, Link, PolicyLaw, Request, Sources};
    use hos_core::value::{Record, Value};
    use serde_json::json;
    use std::collections::{BTreeSet, HashMap};
    use std::sync::Arc;

    const SCHEMA: &str = r#"
entity G in [G];
entity U in [G] = { n: Long, b: Bool, e?: U };
entity F in [F];
entity D in [F] = { n: Long, owner: U, s: Set<U> };
action "all";
action "rw" in ["all"];
action "r", "w" in ["rw"] appliesTo { principal: [U], resource: [D, F], context: { n: Long, who?: U } };
action "x" in ["all"] appliesTo { principal: [U], resource: [D, F], context: { n: Long, who?: U } };
"#;

    const CONDITIONS: [&str; 17] = [
        "true",
        "principal.b",
        "principal.n * context.n > 5",
        "principal.n + context.n > 5",
        "context.n * 5 - principal.n > 5",
        "resource is D && resource.owner == principal",
        "resource is D && resource.s.contains(principal)",
        "resource is D && resource.owner.b",
        "principal has e && principal.e.b",
        "principal has e && principal.e has e && principal.e.e.n > 1",
        "resource is D && resource.owner in G::\"1\"",
        "principal in [G::\"2\", G::\"3\"]",
        "context has who && context.who.b",
        "context has who && context.who in G::\"0\"",
        "U::\"0\".b || U::\"1\" in G::\"2\"",
        "action in Action::\"rw\" && Action::\"r\" in Action::\"all\"",
        "resource in F::\"1\"",
    ];

    fn of(dice: &mut Dice, ty: &str, ids: usize) -> String {
        format!("{ty}::\"{}\"", dice.below(ids))
    }

    fn side(dice: &mut Dice, var: &str, types: [(&str, usize); 2], slot: bool) -> String {
        let (group, member) = (types[0], types[1]);
        if slot {
            return format!("{var} {} ?{var}", dice.pick(&["==", "in"]));
        }
        match dice.below(6) {
            0 => format!("{var} == {}", of(dice, member.0, member.1)),
            1 | 2 => format!("{var} in {}", of(dice, group.0, group.1)),
            3 => format!("{var} is {}", member.0),
            4 => format!("{var} is {} in {}", member.0, of(dice, group.0, group.1)),
            _ => var.to_owned(),
        }
    }

    fn policies(dice: &mut Dice) -> (String, Vec<(String, bool, bool)>) {
        let (mut text, mut templates) = (String::new(), Vec::new());
        for i in 0..3 + dice.below(8) {
            let (p, r) = (dice.one_in(3), dice.one_in(3));
            if p || r {
                templates.push((format!("p{i}"), p, r));
            }
            let effect = dice.pick(&["permit", "permit", "forbid"]);
            let principal = side(dice, "principal", [("G", 5), ("U", 6)], p);
            let resource = side(dice, "resource", [("F", 4), ("D", 2)], r);
            let act = dice.pick(&[
                "action",
                "action in Action::\"rw\"",
                "action in [Action::\"r\", Action::\"rw\"]",
                "action == Action::\"r\"",
                "action in [Action::\"all\", Action::\"x\"]",
            ]);
            let (when, condition) = (dice.pick(&["when", "when", "unless"]), dice.pick(&CONDITIONS));
            text.push_str(&format!("@id(\"p{i}\") {effect}({principal}, {act}, {resource}) {when} {{ {condition} }};\n"));
        }
        (text, templates)
    }

    fn law(text: &str, compat: Compat) -> Arc<PolicyLaw> {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let (law, faults) = PolicyLaw::compile(&Sources {
            proven: false,
            schema: &file("schema.cedarschema", SCHEMA),
            policies: &[file("policies/a.cedar", text)],
            namespace: "",
            compat,
            entities: &[],
            actions: &[],
            expressions: &[],
        });
        Arc::new(law.unwrap_or_else(|| panic!("{faults:?}\n{text}")))
    }

    fn uid(ty: &str, id: usize) -> Uid {
        Uid::new(ty, id.to_string()).unwrap()
    }

    fn parents(dice: &mut Dice, ty: &str, ids: std::ops::Range<usize>) -> BTreeSet<Uid> {
        ids.filter(|_| dice.one_in(3)).map(|i| uid(ty, i)).collect()
    }

    fn number_of(dice: &mut Dice) -> Value {
        Value::Long([0, 1, 3, i64::MAX][dice.below(4)])
    }

    fn user(dice: &mut Dice, id: usize) -> Entity {
        let mut attrs = Record::from([("n".into(), number_of(dice)), ("b".into(), dice.one_in(2).into())]);
        if dice.one_in(2) {
            attrs.insert("e".into(), uid("U", dice.below(8)).into());
        }
        Entity { uid: uid("U", id), attrs, parents: parents(dice, "G", 0..5), record: None }
    }

    fn group(dice: &mut Dice, ty: &str, id: usize, of: usize) -> Entity {
        Entity { uid: uid(ty, id), attrs: Record::new(), parents: parents(dice, ty, id + 1..of), record: None }
    }

    /// A user who is mostly there.
    fn somebody(dice: &mut Dice) -> Uid {
        let known = if dice.one_in(20) { 7 } else { 6 };
        uid("U", dice.below(known))
    }

    fn json(value: &Value) -> serde_json::Value {
        match value {
            Value::Bool(b) => json!(b),
            Value::Long(n) => json!(n),
            Value::Entity(uid) => json!({ "__entity": json_uid(uid.type_name(), uid.id()) }),
            Value::Set(items) => items.iter().map(json).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn json_record(record: &Record) -> serde_json::Value {
        record.iter().map(|(k, v)| (k.clone(), json(v))).collect::<serde_json::Map<_, _>>().into()
    }

    fn json_entity(entity: &Entity) -> serde_json::Value {
        let parents: Vec<_> = entity.parents.iter().map(|p| json_uid(p.type_name(), p.id())).collect();
        json!({
            "uid": json_uid(entity.uid.type_name(), entity.uid.id()),
            "attrs": json_record(&entity.attrs),
            "parents": parents,
        })
    }

    fn cedar(uid: &Uid) -> EntityUid {
        uid.to_string().parse().unwrap()
    }

    /// What a caller knows of one document, and of the folders that nobody stored.
    fn given(dice: &mut Dice, directory: &Directory) -> (Uid, Vec<Entity>) {
        let mut given = Vec::new();
        (0..4).for_each(|i| {
            if directory.get(&uid("F", i)).is_none() && !dice.one_in(20) {
                given.push(group(dice, "F", i, 4));
            }
        });
        let attrs = Record::from([
            ("n".into(), number_of(dice)),
            ("owner".into(), somebody(dice).into()),
            ("s".into(), Value::Set((0..6).filter(|_| dice.one_in(3)).map(|i| uid("U", i).into()).collect())),
        ]);
        let document = uid("D", dice.below(2));
        given.push(Entity { uid: document.clone(), attrs, parents: parents(dice, "F", 0..4), record: None });
        (document, given)
    }

    #[test]
    fn bound_equals_plain() {
        const REQUESTS: u64 = 60;
        /// Reading entities takes Cedar longer than judging by them.
        const OF_ONE_SLICE: u64 = 6;
        let (cases, seed) = (number("HOS_CASES", 100_000) / 4, number("HOS_SEED", 1));
        let mut tally: HashMap<&str, u64> = HashMap::new();
        for round in 0..cases.div_ceil(REQUESTS) {
            let mut dice = Dice(seed.wrapping_mul(7_000_003).wrapping_add(round));
            let (text, templates) = policies(&mut dice);
            let (strict, lenient) = (law(&text, Compat::Strict), law(&text, Compat::Cedar));
            let mut set: PolicySet = PolicySet::new();
            for policy in text.parse::<PolicySet>().unwrap().policies() {
                set.add(policy.new_id(PolicyId::new(policy.annotation("id").unwrap()))).unwrap();
            }
            for template in text.parse::<PolicySet>().unwrap().templates() {
                set.add_template(template.new_id(PolicyId::new(template.annotation("id").unwrap()))).unwrap();
            }
            // The directory is built in two steps, so that closing again what changed is tried as well.
            let mut stored: Vec<Entity> = Vec::new();
            stored.extend((0..6).map(|i| user(&mut dice, i)));
            (0..5).for_each(|i| {
                if !dice.one_in(4) {
                    stored.push(group(&mut dice, "G", i, 5))
                }
            });
            // Mostly all folders are stored, or none: a stored one whose parent is given is refused.
            let folders = [0, 4, 4, 2][dice.below(4)];
            (4 - folders..4).for_each(|i| stored.push(group(&mut dice, "F", i, 4)));
            let mut links = Vec::new();
            for n in 0..if templates.is_empty() { 0 } else { dice.below(8) } {
                let (template, p, r) = templates[dice.below(templates.len())].clone();
                let principal = if dice.one_in(2) { uid("U", dice.below(6)) } else { uid("G", dice.below(5)) };
                let resource = if dice.one_in(2) { uid("D", dice.below(2)) } else { uid("F", dice.below(4)) };
                let link = Link {
                    id: format!("l{n}"),
                    template,
                    principal: p.then_some(principal),
                    resource: r.then_some(resource),
                    record: None,
                };
                let mut values = HashMap::new();
                link.principal.iter().for_each(|u| drop(values.insert(SlotId::principal(), cedar(u))));
                link.resource.iter().for_each(|u| drop(values.insert(SlotId::resource(), cedar(u))));
                set.link(PolicyId::new(&link.template), PolicyId::new(&link.id), values).unwrap();
                links.push(link);
            }
            let mut draft = stored.clone();
            draft.iter_mut().for_each(|e| {
                if dice.one_in(3) {
                    e.parents.clear()
                }
            });
            draft.extend((6..8).map(|i| user(&mut dice, i)));
            let changes = stored.iter().map(|e| (e.uid.clone(), Some(e.clone())));
            let gone = (6..8).map(|i| (uid("U", i), None));
            let put = links.iter().map(|l| (l.id.clone(), Some(l.clone()))).collect();
            let mut wrong = links.clone();
            wrong.iter_mut().for_each(|l| l.principal = l.principal.as_ref().map(|_| uid("U", 0)));
            let directory = Directory::new(draft, wrong).unwrap().with(changes.chain(gone).collect(), put).unwrap();
            let directory = Arc::new(directory);
            let [strict, lenient] = [strict, lenient].map(|law| Bound::new(law, Arc::clone(&directory)).unwrap());
            let actions = [("rw", "all"), ("r", "rw"), ("w", "rw"), ("x", "all")]
                .map(|(id, group)| json!({ "uid": json_uid("Action", id), "attrs": {}, "parents": [json_uid("Action", group)] }));
            let known: Vec<_> = stored.iter().map(json_entity).chain(actions).collect();
            let mut about = None;
            for n in 0..REQUESTS {
                if n % OF_ONE_SLICE == 0 {
                    let slice = given(&mut dice, &directory);
                    let all: Vec<_> = known.iter().cloned().chain(slice.1.iter().map(json_entity)).collect();
                    about = Some((slice, Entities::from_json_value(all.into(), None).ok()));
                }
                let Some(((document, given), entities)) = &about else { unreachable!("the first of all brings its own") };
                let principal = uid("U", dice.below(6));
                let action = Uid::new("Action", dice.pick(&["r", "w", "x"])).unwrap();
                let resource = if dice.one_in(4) { uid("F", dice.below(4)) } else { document.clone() };
                let mut context = Record::from([("n".into(), number_of(&mut dice))]);
                if dice.one_in(2) {
                    context.insert("who".into(), somebody(&mut dice).into());
                }
                let request = Request { principal: &principal, action: &action, resource: &resource, given, context: &context };
                *tally.entry("cases").or_default() += 1;
                let ruling = match lenient.decide(&request) {
                    Ok(ruling) => ruling,
                    Err(blocker) => {
                        assert_eq!(strict.decide(&request), Err(blocker));
                        *tally.entry("refused").or_default() += 1;
                        continue;
                    }
                };
                let entities = entities.as_ref().expect("Cedar takes what was not refused");
                let plain = CedarRequest::new(
                    cedar(&principal),
                    cedar(&action),
                    cedar(&resource),
                    Context::from_json_value(json_record(&context), None).unwrap(),
                    None,
                )
                .unwrap();
                let expected = theirs(&set, entities, &plain);
                let told = || format!("HOS_SEED={seed} round {round} request {n}: {request:?}\n{text}\n{links:?}\n{stored:?}");
                assert_eq!(super::ours(&ruling), expected, "{}", told());
                // Strict differs in one thing alone.
                let sterner = strict.decide(&request).unwrap();
                assert_eq!(sterner.errors, ruling.errors, "{}", told());
                let forbids = |id: &str| {
                    let template = links.iter().find(|l| l.id == id).map_or(id, |l| &l.template);
                    text.contains(&format!("@id(\"{template}\") forbid"))
                };
                let doubt: Vec<String> = ruling.errors.iter().map(|e| e.policy.clone()).filter(|id| forbids(id)).collect();
                if ruling.effect != Effect::Forbidden && !doubt.is_empty() {
                    assert_eq!((sterner.effect, sterner.determining), (Effect::ForbidError, doubt), "{}", told());
                    *tally.entry("doubt").or_default() += 1;
                } else {
                    assert_eq!(sterner, ruling, "{}", told());
                }
                *tally.entry(if expected.0 { "allow" } else { "deny" }).or_default() += 1;
                *tally.entry("by link").or_default() += u64::from(expected.1.iter().any(|r| r.starts_with('l')));
            }
        }
        println!("{tally:?}");
        println!("count: {} cases of the indexed door, under a law", tally["cases"]);
        for what in ["allow", "deny", "refused", "doubt", "by link"] {
            assert!(tally.get(what).copied().unwrap_or(0) * 400 > tally["cases"], "too few cases {what}: {tally:?}");
        }
    }
}
