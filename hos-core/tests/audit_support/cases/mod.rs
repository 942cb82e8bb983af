//! The cases of bundles: what is told, what is bent, and how the verdict must begin.
#![allow(unreachable_pub, missing_docs, reason = "a test's own")]

mod bytes;
mod good;
pub mod heads;
mod keys;
mod laws;
mod legacy;
mod logs;
mod records;
mod roles;
mod roots;
mod rows;
pub mod trust;

use crate::audit_support::story::{Made, Plan, made};

/// One case.
pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub bundle: Vec<u8>,
    pub trust: String,
    pub against: Vec<String>,
    /// The code of a refusal; else the standing.
    pub expected: &'static str,
}

/// A story that is told as it is.
fn told(name: &'static str, about: &'static str, expected: &'static str, plan: &Plan) -> Case {
    bent(name, about, expected, plan, |_| ())
}

/// A bundle of which something is changed.
fn bent(name: &'static str, about: &'static str, expected: &'static str, plan: &Plan, change: impl FnOnce(&mut Made)) -> Case {
    let mut made = made(plan);
    change(&mut made);
    of(name, about, expected, &made)
}

fn of(name: &'static str, about: &'static str, expected: &'static str, made: &Made) -> Case {
    let (bundle, trust, against) = (made.bytes(), made.trust.clone(), made.against.clone());
    Case { name, about, bundle, trust, against, expected }
}

/// A bundle whose bytes are changed.
fn spelled(
    name: &'static str,
    about: &'static str,
    expected: &'static str,
    plan: &Plan,
    change: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> Case {
    let case = told(name, about, expected, plan);
    Case { bundle: change(case.bundle.clone()), ..case }
}

/// An order that lies in the universe itself, without a directory: three records and a map.
fn small() -> Plan {
    Plan { universe: false, roles: false, noise: 0, ..Plan::default() }
}

/// All, in the order of their numbers. New ones are added behind the last.
pub fn all() -> Vec<Case> {
    let rooms = [good::cases(), bytes::cases(), logs::cases(), records::cases(), laws::cases(), roles::cases()];
    let later = [roots::cases(), rows::cases(), keys::cases(), rows::entities(), keys::no_key(), legacy::cases()];
    let last = [logs::epochs(), keys::taken_back()];
    rooms.into_iter().chain(later).chain(last).flatten().collect()
}
