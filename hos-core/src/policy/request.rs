//! What a call asks of the policy door, and what it brings along.

use crate::id::{RecordHash, Uid};
use crate::value::Record;
use std::collections::BTreeSet;

/// Whether an erroring `forbid` that applies denies (ours), or is skipped (Cedar's own rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compat {
    /// Doubt is a refusal.
    Strict,
    /// `compat = "cedar"`.
    Cedar,
}

/// One entity: from the directory, or given with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Who.
    pub uid: Uid,
    /// Attributes.
    pub attrs: Record,
    /// Direct parents (groups, roles, a shop).
    pub parents: BTreeSet<Uid>,
    /// The directory record that made it so; `None` for what came with the call.
    pub record: Option<RecordHash>,
}

impl Entity {
    /// Whom its attributes name, however deep, as often as they do.
    pub(crate) fn names(&self) -> Vec<&Uid> {
        let mut names = Vec::new();
        self.attrs.values().for_each(|value| value.entities(&mut names));
        names
    }
}

/// A grant: a link of one of the law's templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id, unique in the tenant; answers name it.
    pub id: String,
    /// The template's `@id`.
    pub template: String,
    /// Fills `?principal`.
    pub principal: Option<Uid>,
    /// Fills `?resource`.
    pub resource: Option<Uid>,
    /// The directory record that made it so.
    pub record: Option<RecordHash>,
}

/// A request, checked for bounds already.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who; must be in the directory, or among `given` if its type is one of which the directory holds nobody.
    pub principal: &'a Uid,
    /// The action's full identity (`Pazar::Action::"order.pay"`).
    pub action: &'a Uid,
    /// On what.
    pub resource: &'a Uid,
    /// Entities that come with the call: the resource with its attributes and parents, and whom they name; at most
    /// [`GIVEN_MAX`](super::GIVEN_MAX). A given entity whose uid the directory holds, or names as a parent, is refused.
    pub given: &'a [Entity],
    /// The context.
    pub context: &'a Record,
}
