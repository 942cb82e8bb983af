//! Every limit of the floor at its edge, which is accepted, and one beyond, which is refused with the code that stands beside it.
//!
//! `cargo xtask tidy` knows the cases by `("NAME",` and finds limits that have none, here or on a floor above.

#[path = "../policy_support/mod.rs"]
mod policy_support;
#[path = "../proof_support/mod.rs"]
mod proof_support;

mod carried;
mod contract;
mod judging;
mod law;
mod record;

use hos_core::limits::{ALL, held};

/// A limit's name, and what says by which code a size was refused.
type Case<'a> = (&'a str, &'a dyn Fn(usize) -> Result<(), String>);

/// All must hold; what does not is told at once.
fn all_hold(cases: &[Case<'_>]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, tried)| {
            let limit = ALL.iter().find(|limit| limit.name == *name).unwrap_or_else(|| panic!("there is no `{name}`"));
            held(limit, tried).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every code that a text was refused with, but for those that it would have with any size.
fn but(found: impl IntoIterator<Item = String>, beside: &[&str]) -> Result<(), String> {
    let mut found: Vec<String> = found.into_iter().filter(|code| !beside.contains(&code.as_str())).collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() { Ok(()) } else { Err(found.join(", ")) }
}
