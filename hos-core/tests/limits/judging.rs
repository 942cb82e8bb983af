//! What judging one call may take: entities from outside, hierarchies, tables of modes.

use super::policy_support::{draft, entity, order, pazar, people, uid, view};
use super::{all_hold, but};
use hos_core::canon::Writer;
use hos_core::law::mode::Modes;
use hos_core::policy::{Bound, Directory, Entity};
use hos_core::refusal::Blocker;
use hos_core::value::{Record, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

fn told<T>(result: Result<T, Blocker>) -> Result<(), String> {
    but(result.err().map(|blocker| blocker.code.into_owned()), &[])
}

fn role(n: usize) -> String {
    format!("Role::\"{n}\"")
}

#[test]
fn of_what_is_judged() {
    let given = |n: usize| {
        let mut call = view("ayse");
        // The order is one of them.
        call.given.extend((1..n).map(|i| entity(&format!("Region::\"r{i}\""), Record::new(), &[])));
        told(call.on(&pazar()))
    };
    // The call names accounts; each is drawn in.
    let slice = |n: usize| {
        let seen: Vec<Entity> = (0..n).map(|i| super::policy_support::account(&format!("Account::\"a{i}\""), &[])).collect();
        let own: BTreeSet<Value> = seen.iter().map(|e| Value::from(e.uid.clone())).collect();
        let bound = Bound::new(draft().law(), Arc::new(Directory::new([people(), seen].concat(), vec![]).unwrap())).unwrap();
        let mut call = view("a0");
        call.principal = uid("Account::\"a0\"");
        let mut own_order = order(&[]);
        own_order.attrs.insert("buyer".into(), uid("Account::\"a0\"").into());
        call.given = vec![own_order];
        call.context.insert("seen".into(), Value::Set(own));
        told(call.on(&bound))
    };
    let chain =
        |n: usize| told(Directory::new((0..n).map(|i| entity(&role(i), Record::new(), &[&role(i + 1)])).collect(), vec![]));
    let wide = |n: usize| {
        let parents = (0..n).map(|i| uid(&role(i))).collect();
        told(Directory::new(vec![Entity { parents, ..entity("Role::\"w\"", Record::new(), &[]) }], vec![]))
    };
    let modes = |n: usize| {
        let mut w = Writer::default();
        w.array(3).uint(1).uint(0).array(n);
        (0..n).for_each(|i| {
            w.array(3).text("").text(&format!("c{i:06}")).uint(1);
        });
        Modes::decode(&w.finish()).map(drop).map_err(|_| "not_canonical".to_owned())
    };
    all_hold(&[
        ("GIVEN_MAX", &given),
        ("SLICE_MAX", &slice),
        ("HIERARCHY_DEPTH_MAX", &chain),
        ("ANCESTORS_MAX", &wide),
        ("MODES_MAX", &modes),
    ]);
}
