//! Cedar enters the house here, and nowhere else.
//!
//! `uid` words and their prehashed keys · `value` our values as Cedar's · `entity` an entity's attributes, and the rest of it
//! when asked · `schema` the merged schema and its tables · `hierarchy` what its types and actions are in, counted · `parse`
//! texts to policies · `check` validation · `walk` what a body holds · `light` a body that needs no entities · `judge` the
//! evaluator.

pub(super) mod check;
pub(super) mod entity;
mod expansion;
mod hierarchy;
pub(super) mod judge;
pub(super) mod light;
pub(super) mod parse;
pub(super) mod place;
pub(super) mod plain;
pub(super) mod schema;
pub(super) mod uid;
pub(super) mod value;
pub(super) mod walk;

pub(super) use cedar_policy_core::ast::{Entity as CoreEntity, EntityType};
pub(super) use uid::Key;

/// Runs what recurses over a text that was let through, on a stack that is surely deep enough for it.
///
/// The depth of every text is bounded before; this reserve is for that bound, whoever the calling thread is.
pub(super) fn on_deep_stack<T>(work: impl FnOnce() -> T) -> T {
    const COMPILE_STACK_BYTES: usize = 64 << 20;
    stacker::maybe_grow(COMPILE_STACK_BYTES / 2, COMPILE_STACK_BYTES, work)
}

/// The entity type of actions in a namespace.
pub(super) fn action_type(namespace: &str) -> String {
    if namespace.is_empty() { "Action".to_owned() } else { format!("{namespace}::Action") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_little_stack_is_given_a_deep_one() {
        let little = std::thread::Builder::new().stack_size(256 << 10);
        let left = little.spawn(|| [stacker::remaining_stack(), on_deep_stack(stacker::remaining_stack)]);
        let [own, given] = left.unwrap().join().unwrap().map(Option::unwrap);
        assert!(own < 32 << 20 && given > 32 << 20, "{own} {given}");
    }
}
