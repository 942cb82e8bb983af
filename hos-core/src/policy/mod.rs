//! The policy door: who may do what, in Cedar, indexed.
//!
//! [`PolicyLaw`] is compiled once from the law's schema and policies; a [`Directory`] holds a tenant's closed entities and
//! links; [`Bound`] is the two together; [`Bound::prepare`] checks a [`Request`] for absences and assembles its slice;
//! [`Prepared`] answers: the ruling of the policies and the truth of a contract's expressions.

use crate::fault::{Fault, SourceFile};
use crate::id::{RecordHash, Uid};
use crate::refusal::Blocker;
use crate::shape::{ActionShape, EntityShape, Expression, ExpressionId};
use crate::time::Timestamp;
use crate::value::Record;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whether an erroring `forbid` that applies denies (ours), or is skipped (Cedar's own rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compat {
    /// Doubt is a refusal.
    Strict,
    /// `compat = "cedar"`.
    Cedar,
}

/// What a policy law is compiled from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// `schema.cedarschema`.
    pub schema: &'a SourceFile,
    /// `policies/*.cedar`, sorted by path.
    pub policies: &'a [SourceFile],
    /// The default namespace, into which action ids are put (`Pazar`), or empty.
    pub namespace: &'a str,
    /// The rule for erroring forbids.
    pub compat: Compat,
    /// What contracts say of their entity types: merged into the schema's declarations.
    pub entities: &'a [EntityShape],
    /// What contracts say of their actions: merged into the schema's declarations.
    pub actions: &'a [ActionShape],
    /// The contracts' expressions; [`ExpressionId`] is the index.
    pub expressions: &'a [Expression],
}

/// An immutable, indexed policy law.
#[derive(Debug)]
pub struct PolicyLaw {
    _private: (),
}

impl PolicyLaw {
    /// Parses, merges, validates strictly and indexes. All faults at once; a law without an error may still have warnings.
    pub fn compile(_sources: &Sources<'_>) -> (Option<PolicyLaw>, Vec<Fault>) {
        todo!()
    }

    /// Whether the schema declares this action id in the default namespace.
    pub fn has_action(&self, _action: &str) -> bool {
        todo!()
    }

    /// Whether some permit's scope could match this action, for some principal and resource type the schema allows it.
    pub fn may_permit(&self, _action: &str) -> bool {
        todo!()
    }

    /// stub
    pub fn may_permit_to(&self, _action: &str, _principal: &Uid, _resource: &str) -> bool {
        todo!()
    }

    /// Whether the schema declares this entity type.
    pub fn has_entity_type(&self, _type_name: &str) -> bool {
        todo!()
    }

    /// The slots of the template with this `@id`: (has principal slot, has resource slot).
    pub fn template_slots(&self, _template: &str) -> Option<(bool, bool)> {
        todo!()
    }
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

/// A tenant's entities, closed once, as shared pointers. Independent of any law.
#[derive(Debug, Default)]
pub struct Directory {
    _private: (),
}

impl Directory {
    /// Closes the hierarchy once. Refuses cycles, depth and size beyond the bounds (`hos.hierarchy_invalid`).
    pub fn new(_entities: Vec<Entity>, _links: Vec<Link>) -> Result<Directory, Blocker> {
        todo!()
    }

    /// The same directory with some entities put (or removed: `None`) and links put or removed, closing again only what
    /// stands below a changed entity.
    pub fn with(&self, _entities: Vec<(Uid, Option<Entity>)>, _links: Vec<(String, Option<Link>)>) -> Result<Directory, Blocker> {
        todo!()
    }

    /// The entity as it was put.
    pub fn get(&self, _uid: &Uid) -> Option<&Entity> {
        todo!()
    }

    /// The link with this id.
    pub fn link(&self, _id: &str) -> Option<&Link> {
        todo!()
    }
}

/// A directory under a law: its links compiled and indexed beside the law's policies.
#[derive(Debug, Clone)]
pub struct Bound {
    _private: (),
}

impl Bound {
    /// Compiles the directory's links against the law; links whose template the law lacks are kept out and reported by
    /// [`Bound::orphans`].
    pub fn new(_law: Arc<PolicyLaw>, _directory: Arc<Directory>) -> Result<Bound, Blocker> {
        todo!()
    }

    /// Ids of links whose template this law lacks.
    pub fn orphans(&self) -> &[String] {
        todo!()
    }

    /// The directory.
    pub fn directory(&self) -> &Arc<Directory> {
        todo!()
    }

    /// Refuses what is absent or unknown (action, types, principal, entities that the call names, required attributes,
    /// undeclared or mistyped ones) and assembles the slice.
    pub fn prepare<'a>(&'a self, _request: &'a Request<'a>) -> Result<Prepared<'a>, Blocker> {
        todo!()
    }

    /// The whole of `can`: prepare and rule.
    pub fn decide(&self, _request: &Request<'_>) -> Result<Ruling, Blocker> {
        todo!()
    }
}

/// A request, checked for bounds already.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who; must be in the directory, or among `given` as neither account nor role.
    pub principal: &'a Uid,
    /// The action's full identity (`Pazar::Action::"order.pay"`).
    pub action: &'a Uid,
    /// On what.
    pub resource: &'a Uid,
    /// Entities that come with the call: the resource with its attributes and parents, and whom they name. A given entity
    /// whose uid the directory holds is refused.
    pub given: &'a [Entity],
    /// The context.
    pub context: &'a Record,
}

/// A request whose slice stands: nothing it needs is absent.
#[derive(Debug)]
pub struct Prepared<'a> {
    _private: &'a (),
}

impl Prepared<'_> {
    /// Judges the policies that the index selects.
    pub fn ruling(&self) -> Ruling {
        todo!()
    }

    /// Judges a contract's condition.
    pub fn condition(&self, _id: ExpressionId) -> Result<bool, String> {
        todo!()
    }

    /// Evaluates a contract's instant.
    pub fn instant(&self, _id: ExpressionId) -> Result<Timestamp, String> {
        todo!()
    }

    /// The closed slice that was judged: principal, resource and every ancestor and named entity, sorted by uid, for the
    /// evidence; and the links among those that determined or errored.
    pub fn slice(&self) -> Vec<Entity> {
        todo!()
    }
}

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The decision.
    pub effect: Effect,
    /// Ids of the policies (or links) that decided, sorted; on a denial by forbid the forbids, on an allowance the permits.
    pub determining: Vec<String>,
    /// Policies that could not be evaluated, sorted by id. What errs is skipped and reported; an erroring forbid also
    /// denies under [`Compat::Strict`].
    pub errors: Vec<PolicyError>,
}

/// The decision, with why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Some permit holds, no forbid.
    Allow,
    /// A forbid holds.
    Forbidden,
    /// A forbid that applies could not be evaluated.
    ForbidError,
    /// No permit holds.
    NotPermitted,
}

/// A policy that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The policy or link.
    pub policy: String,
    /// What kind, such as `TypeError`, `AttributeMissing`, `Overflow`.
    pub kind: String,
    /// Cedar's words.
    pub message: String,
}
