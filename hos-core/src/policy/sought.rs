//! What was looked for in a directory: for whoever judges over a part of one, where what is not there may only not have been kept.

use super::cedar::{Key, uid};
use super::rule::{Rule, Scope};
use crate::id::Uid;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What was looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sought {
    /// Entities that the directory lacks.
    pub(crate) entities: BTreeSet<Uid>,
    /// Templates whose links were looked for, found or not.
    pub(crate) links: BTreeSet<LinksSought>,
}

/// The links of a template that were looked for, for one principal and one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinksSought {
    /// The template.
    pub(crate) template: String,
    /// Who asked.
    pub(crate) principal: Uid,
    /// What was asked about.
    resource: Uid,
    by_principal: Reach,
    by_resource: Reach,
}

/// With what a slot may be filled for a link to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// There is no slot.
    NoSlot,
    Itself,
    /// Itself, or what stands above it.
    Above,
}

impl Reach {
    fn of(scope: &Scope) -> Self {
        match scope {
            Scope::EqSlot => Self::Itself,
            Scope::InSlot | Scope::IsInSlot(_) => Self::Above,
            Scope::Any | Scope::Is(_) | Scope::Eq(_) | Scope::In(_) | Scope::IsIn(..) => Self::NoSlot,
        }
    }

    fn covers(self, other: Self) -> bool {
        (self == Self::NoSlot) == (other == Self::NoSlot) && self >= other
    }
}

impl LinksSought {
    /// Whether who looked for these has found all of the others.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let same = (&self.template, &self.principal, &self.resource) == (&other.template, &other.principal, &other.resource);
        same && self.by_principal.covers(other.by_principal) && self.by_resource.covers(other.by_resource)
    }
}

/// Remembers what is looked for in a directory that is watched by it.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Sought>);

impl Watch {
    /// What was looked for until now.
    pub(crate) fn sought(&self) -> Sought {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn lacks(&self, uid: &Uid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entities.insert(uid.clone());
    }

    pub(super) fn links(&self, rule: &Rule, principal: &Key, resource: &Key) {
        let (Some(principal), Some(resource)) = (uid::from_cedar(principal.uid()), uid::from_cedar(resource.uid())) else {
            return;
        };
        let sought = LinksSought {
            template: rule.id.to_string(),
            principal,
            resource,
            by_principal: Reach::of(&rule.principal),
            by_resource: Reach::of(&rule.resource),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).links.insert(sought);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looked_above_has_found_what_is_itself_and_no_slot_is_another_question() {
        use Reach::{Above, Itself, NoSlot};
        let uid = |id: &str| Uid::new("U", id).unwrap();
        let sought = |template: &str, who: &str, by_principal: Reach, by_resource: Reach| LinksSought {
            template: template.to_owned(),
            principal: uid(who),
            resource: uid("r"),
            by_principal,
            by_resource,
        };
        let own = sought("t", "a", Above, Itself);
        for (other, is_covered) in [
            (sought("t", "a", Above, Itself), true),
            (sought("t", "a", Itself, Itself), true),
            (sought("t", "a", Above, Above), false),
            (sought("t", "a", NoSlot, Itself), false),
            (sought("t", "a", Above, NoSlot), false),
            (sought("t", "b", Above, Itself), false),
            (sought("s", "a", Above, Itself), false),
        ] {
            assert_eq!(own.covers(&other), is_covered, "{other:?}");
        }
        assert!(sought("t", "a", NoSlot, Itself).covers(&sought("t", "a", NoSlot, Itself)));
    }
}
