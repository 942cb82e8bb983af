//! What a schema's actions and entity types are in, counted before Cedar closes it.
//!
//! Resolving a schema, Cedar writes down for each of them all that it is in, itself or by others: of a chain that is the square of its
//! length. It goes there by recursion, and how deep follows from how many.

use super::place::Trouble;
use crate::limits::SCHEMA_ANCESTORS_MAX;
use cedar_policy_core::validator::RawName;
use cedar_policy_core::validator::json_schema::{EntityTypeKind, Fragment};
use std::collections::HashMap;

/// An entity type or an action where it is declared: the namespace, and its name in it.
type Node = (String, String);
/// What somebody is said to be in: the namespace, where it is written, and the name.
type Reference = (Option<String>, String);

/// What is too much of a schema's hierarchies.
pub(super) fn beyond_bounds(fragment: &Fragment<RawName>) -> Option<Trouble> {
    let mut left = SCHEMA_ANCESTORS_MAX;
    if gathered(fragment).iter().all(|declared| are_few(declared, &mut left)) {
        return None;
    }
    Some(Trouble {
        span: None,
        message: format!("all that entity types and actions are in, by others too, is more than {SCHEMA_ANCESTORS_MAX}"),
        help: Some("put actions into few groups, and groups into fewer".to_owned()),
    })
}

/// The entity types, then the actions, each with what it is said to be in.
fn gathered(fragment: &Fragment<RawName>) -> [Vec<(Node, Vec<Reference>)>; 2] {
    let (mut types, mut actions) = (Vec::new(), Vec::new());
    for (namespace, declared) in &fragment.0 {
        let namespace = namespace.as_ref().map(ToString::to_string).unwrap_or_default();
        for (name, of) in &declared.entity_types {
            let within = match &of.kind {
                EntityTypeKind::Standard(of) => of.member_of_types.iter().map(|ty| reference(&ty.to_string())).collect(),
                EntityTypeKind::Enum { .. } => Vec::new(),
            };
            let name: &str = name.as_ref();
            types.push(((namespace.clone(), name.to_owned()), within));
        }
        for (id, of) in &declared.actions {
            // Of a group's type the last word is `Action`, if it is written at all.
            let space = |ty: &RawName| reference(&ty.to_string()).0;
            let groups = of.member_of.iter().flatten();
            let within = groups.map(|group| (group.ty.as_ref().and_then(space), group.id.to_string())).collect();
            actions.push(((namespace.clone(), id.to_string()), within));
        }
    }
    [types, actions]
}

fn reference(text: &str) -> Reference {
    match text.rsplit_once("::") {
        Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
        None => (None, text.to_owned()),
    }
}

/// Whether no more are above all of these than are left, from which they are taken. What the schema does not declare is told elsewhere.
fn are_few(declared: &[(Node, Vec<Reference>)], left: &mut usize) -> bool {
    let numbers: HashMap<&Node, usize> = declared.iter().enumerate().map(|(number, (node, _))| (node, number)).collect();
    let number = |own: &str, (namespace, name): &Reference| {
        let of = |namespace: &str| numbers.get(&(namespace.to_owned(), name.clone())).copied();
        match namespace {
            Some(namespace) => of(namespace),
            // As Cedar reads it: of the own namespace, else of none.
            None => of(own).or_else(|| of("")),
        }
    };
    let parents: Vec<Vec<usize>> =
        declared.iter().map(|((own, _), within)| within.iter().filter_map(|of| number(own, of)).collect()).collect();
    // From where each was come to last: one table for all walks.
    let mut met = vec![usize::MAX; parents.len()];
    let mut open = Vec::new();
    for start in 0..parents.len() {
        open.push(start);
        while let Some(at) = open.pop() {
            for parent in parents.get(at).into_iter().flatten() {
                let Some(from) = met.get_mut(*parent).filter(|from| **from != start) else { continue };
                *from = start;
                let Some(fewer) = left.checked_sub(1) else { return false };
                *left = fewer;
                open.push(*parent);
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy_core::extensions::Extensions;

    /// How many are above all that a schema declares.
    fn above(schema: &str) -> usize {
        let (fragment, _) = Fragment::from_cedarschema_str(schema, Extensions::all_available()).unwrap();
        let mut left = usize::MAX;
        assert!(gathered(&fragment).iter().all(|declared| are_few(declared, &mut left)));
        usize::MAX - left
    }

    #[test]
    fn what_is_above_by_others_counts_once_for_each_that_is_below() {
        for (schema, wanted) in [
            ("entity A, B; action \"x\", \"y\";", 0),
            ("entity A; entity B in [A]; entity C in [B];", 3),
            ("entity A; entity B, C in [A]; entity D in [B, C];", 5),
            ("entity A in [A];", 1),
            ("entity A in [B]; entity B in [A];", 4),
            ("entity E enum [\"e\"]; entity A in [E];", 1),
            ("action \"g\"; action \"x\", \"y\" in [\"g\"]; action \"z\" in [\"x\", \"y\"];", 5),
            ("namespace N { entity A; entity B in [A]; entity C in [N::B]; }", 3),
            ("entity A; namespace N { entity B in [A]; }", 1),
            ("namespace N { action \"g\"; action \"h\" in [\"g\"]; } namespace M { action \"x\" in [N::Action::\"h\"]; }", 3),
        ] {
            assert_eq!(above(schema), wanted, "{schema}");
        }
    }
}
