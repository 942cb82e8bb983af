//! The policy door: who may do what, in Cedar, indexed.
//!
//! [`PolicyLaw`] is compiled once from the law's schema and policies; a [`Directory`] holds a tenant's closed entities and
//! links; [`Bound`] is the two together; [`Bound::prepare`] checks a [`Request`] for absences and assembles its slice;
//! [`Prepared`] answers: the ruling of the policies and the truth of a contract's expressions.
//!
//! Cedar's semantics, and stricter in one case ([`Compat::Strict`]): a `forbid` that applies and cannot be evaluated denies.

mod around;
mod bound;
mod cedar;
mod decide;
mod depth;
mod directory;
mod given;
mod hash;
mod index;
mod law;
mod links;
pub mod outline;
pub mod plain;
mod request;
mod rule;
mod shape;
mod sought;

pub use bound::Bound;
pub use decide::{Effect, PolicyError, Prepared, Ruling};
pub use directory::Directory;
pub use law::{PolicyLaw, Sources};
pub use request::{Compat, Entity, Link, Request};
pub(crate) use sought::Sought;
