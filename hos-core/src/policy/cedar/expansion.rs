//! What a schema's common types come to, counted before Cedar puts them where they are named.
//!
//! Resolving a schema, Cedar writes a common type out at each place that names it: of types that name another twice each, a line
//! more is twice as much. How deep they nest then is for whoever goes through them by recursion.

use super::place::Trouble;
use crate::limits::{CEDAR_DEPTH_MAX, SCHEMA_EXPANDED_MAX};
use cedar_policy_core::validator::RawName;
use cedar_policy_core::validator::json_schema::{EntityTypeKind, Fragment, Type, TypeVariant};
use std::collections::HashMap;

/// A type as it is written: how much it holds, and which others it names.
#[derive(Default)]
struct Written {
    /// How many types it is of, itself counted; those that it names not.
    types: usize,
    depth: usize,
    /// The namespace, where it is written, and the name; how deep it stands.
    names: Vec<(Option<String>, String, usize)>,
}

/// What a common type comes to where it is written out.
#[derive(Clone, Copy, Default)]
struct Size {
    types: usize,
    depth: usize,
}

/// What is too much of a schema's common types.
pub(super) fn beyond_bounds(fragment: &Fragment<RawName>) -> Option<Trouble> {
    let mut commons = Vec::new();
    let mut others = Vec::new();
    for (namespace, declared) in &fragment.0 {
        let namespace = namespace.as_ref().map(ToString::to_string).unwrap_or_default();
        for (name, of) in &declared.common_types {
            commons.push(((namespace.clone(), name.to_string()), written([&of.ty])));
        }
        for of in declared.entity_types.values() {
            if let EntityTypeKind::Standard(of) = &of.kind {
                others.push((namespace.clone(), written([&of.shape.0].into_iter().chain(&of.tags))));
            }
        }
        let contexts = declared.actions.values().filter_map(|action| action.applies_to.as_ref());
        others.extend(contexts.map(|applies| (namespace.clone(), written([&applies.context.0]))));
    }
    let places: HashMap<&(String, String), usize> = commons.iter().enumerate().map(|(at, (name, _))| (name, at)).collect();
    // As Cedar reads a name without a namespace: of the own one, else of none. What is no common type is an entity's, or told elsewhere.
    let of = |own: &str, namespace: Option<&String>, name: &String| {
        let of = |namespace: &str| places.get(&(namespace.to_owned(), name.clone())).copied();
        namespace.map_or_else(|| of(own).or_else(|| of("")), |namespace| of(namespace))
    };
    let named = |own: &str, written: &Written| -> Vec<(usize, usize)> {
        written.names.iter().filter_map(|(space, name, depth)| Some((of(own, space.as_ref(), name)?, *depth))).collect()
    };
    let below: Vec<Vec<(usize, usize)>> = commons.iter().map(|((own, _), written)| named(own, written)).collect();
    // What is named and no common type, as `Long` and entities, is a type where it stands.
    let own = |written: &Written, below: &Vec<_>| written.types.saturating_add(written.names.len() - below.len());
    let own = commons.iter().zip(&below).map(|((_, written), below)| Size { types: own(written, below), depth: written.depth });
    let sizes = sizes(&own.collect::<Vec<_>>(), &below);
    let (mut types, mut depth) = (0usize, 0);
    let everywhere = below.into_iter().zip(commons.iter().map(|(_, written)| written));
    for (names, written) in everywhere.chain(others.iter().map(|(own, written)| (named(own, written), written))) {
        depth = depth.max(written.depth);
        for (at, under) in names {
            let size = sizes.get(at).copied().unwrap_or_default();
            types = types.saturating_add(size.types);
            depth = depth.max(under.saturating_add(size.depth));
        }
    }
    let message = if types > SCHEMA_EXPANDED_MAX {
        format!("common types, written out wherever they are named, come to more than {SCHEMA_EXPANDED_MAX} types")
    } else if depth > CEDAR_DEPTH_MAX {
        format!("common types, written out where they are named, nest more than {CEDAR_DEPTH_MAX} levels deep")
    } else {
        return None;
    };
    let help = "let types name each other less often, or make one that many name an entity type".to_owned();
    Some(Trouble { span: None, message, help: Some(help) })
}

fn written<'t>(types: impl IntoIterator<Item = &'t Type<RawName>>) -> Written {
    let mut written = Written::default();
    types.into_iter().for_each(|ty| gather(ty, 0, &mut written));
    written
}

/// By recursion: how deep a schema's text nests is bounded before it is parsed.
fn gather(ty: &Type<RawName>, depth: usize, into: &mut Written) {
    into.depth = into.depth.max(depth);
    let name = match ty {
        Type::CommonTypeRef { type_name, .. } | Type::Type { ty: TypeVariant::EntityOrCommon { type_name }, .. } => type_name,
        Type::Type { ty, .. } => {
            into.types += 1;
            match ty {
                TypeVariant::Set { element } => gather(element, depth + 1, into),
                TypeVariant::Record(record) => record.attributes.values().for_each(|of| gather(&of.ty, depth + 1, into)),
                _ => {}
            }
            return;
        }
    };
    let text = name.to_string();
    into.names.push(match text.rsplit_once("::") {
        Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned(), depth),
        None => (None, text, depth),
    });
}

/// What each comes to by its own types and those below. One that is in itself is told by Cedar: here it ends where it comes again.
fn sizes(own: &[Size], below: &[Vec<(usize, usize)>]) -> Vec<Size> {
    let mut sizes: Vec<Option<Size>> = vec![None; own.len()];
    let mut met = vec![false; own.len()];
    for start in 0..own.len() {
        // Each stands on the stack until those it names have their sizes.
        let mut open = vec![start];
        while let Some(&at) = open.last() {
            let (Some(names), Some(own)) = (below.get(at), own.get(at)) else { break };
            let first = met.get_mut(at).is_some_and(|met| !std::mem::replace(met, true));
            let before = open.len();
            if first {
                open.extend(names.iter().map(|(name, _)| *name).filter(|name| !met.get(*name).copied().unwrap_or(true)));
            }
            if open.len() > before {
                continue;
            }
            open.pop();
            let mut size = *own;
            for (name, under) in names {
                let of = sizes.get(*name).copied().flatten().unwrap_or_default();
                size.types = size.types.saturating_add(of.types);
                size.depth = size.depth.max(under.saturating_add(of.depth));
            }
            if let Some(place) = sizes.get_mut(at).filter(|place| place.is_none()) {
                *place = Some(size);
            }
        }
    }
    sizes.into_iter().map(Option::unwrap_or_default).collect()
}
