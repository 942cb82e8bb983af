//! Who was judged, against a row of the universe that went through much: what held at one of its records held together, and a stranger who
//! asks much of a long thread waits no longer for it.

mod audit_support;

use audit_support::record::{Judged, active, membership, put, uid};
use audit_support::story::{Made, Plan, buyer, buyers, made, row};
use hos_core::audit::{Standing, bundle};
use hos_core::id::Uid;
use hos_core::proof::trust::Trust;
use std::time::{Duration, Instant};

fn says(made: &Made) -> String {
    match &bundle(&made.bytes(), &Trust::parse(made.trust.as_bytes()).unwrap(), &made.kept()).standing {
        Standing::Refused(refused) => refused.code.to_string(),
        _ => "holds".to_owned(),
    }
}

fn role(id: &str) -> Uid {
    uid("Role", id)
}

/// A birth judged over the buyer as these say, once for each; the universe's row goes through these changes after it was put.
fn told(changes: Vec<Vec<u8>>, judged: Vec<(bool, Vec<Uid>)>) -> Made {
    let plan = Plan { moves: false, map: false, noise: 0, ..Plan::default() };
    let plan = plan.adding(move |name, log| {
        if name == "put buyer" {
            for (n, change) in changes.iter().enumerate() {
                log.put(&format!("row {n}"), row("row of buyer", 1, change.clone()));
            }
        }
    });
    made(&plan.bending(move |name, rec| {
        if name == "birth" {
            let slice = rec.slice.as_mut().unwrap();
            let record = slice.entities[0].record;
            let own = judged.iter().map(|(attrs, parents)| {
                let mut parents = parents.clone();
                parents.push(buyers());
                parents.sort();
                Judged { uid: buyer(), attrs: active(*attrs), parents, record }
            });
            drop(slice.entities.splice(0..1, own));
        }
    }))
}

#[test]
fn attributes_and_memberships_held_at_one_record_of_the_row() {
    let (join, leave) = (|of: &str| membership(2, &buyer(), &role(of)), |of: &str| membership(3, &buyer(), &role(of)));
    // The day's desk, then the night's, and behind that other attributes; the night's is left, and taken again at last.
    let changes =
        || vec![join("desk"), leave("desk"), join("night"), put(&buyer(), &active(false)), leave("night"), join("night")];
    let of =
        |attrs: bool, roles: &[&str]| says(&told(changes(), vec![(attrs, roles.iter().map(|role| self::role(role)).collect())]));
    let was: [(bool, &[&str]); 5] = [(true, &[]), (true, &["desk"]), (true, &["night"]), (false, &[]), (false, &["night"])];
    for (attrs, roles) in was {
        assert_eq!(of(attrs, roles), "holds", "{attrs} {roles:?}");
    }
    let never: [(bool, &[&str]); 4] =
        [(true, &["desk", "night"]), (false, &["desk"]), (true, &["nobody"]), (false, &["desk", "night"])];
    for (attrs, roles) in never {
        assert_eq!(of(attrs, roles), "directory.other", "{attrs} {roles:?}");
    }
    // One of several is wrong, whatever stands before it; and the same one twice is as good as once.
    let (good, wrong) = ((true, vec![role("desk")]), (false, vec![role("desk")]));
    assert_eq!(says(&told(changes(), vec![good.clone(), good.clone()])), "holds");
    assert_eq!(says(&told(changes(), vec![good.clone(), wrong, good])), "directory.other");
}

#[test]
fn a_long_row_is_not_walked_for_every_entity_that_is_asked_about() {
    let (roles, places) = (100, 1_500);
    let named: Vec<Uid> = (0..roles).map(|i| role(&format!("r{i:03}"))).collect();
    let mut changes: Vec<Vec<u8>> = named.iter().map(|role| membership(2, &buyer(), role)).collect();
    changes.extend((0..places).map(|i| membership(2 + i % 2, &buyer(), &role("to-and-fro"))));
    // Only the last record of the row makes it what each of them says: who walks finds that last.
    changes.push(membership(2, &buyer(), &role("z")));
    let but_two = |i: usize| {
        let mut parents: Vec<Uid> = named.clone();
        parents.swap_remove(i / (roles - 1));
        parents.swap_remove(i % (roles - 1));
        parents.push(role("z"));
        (true, parents)
    };
    let asked = told(changes, (0..1_500).map(but_two).collect());
    let begun = Instant::now();
    assert_eq!(says(&asked), "holds");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
