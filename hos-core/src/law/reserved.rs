//! Actions that the engine itself asks about: their ids are reserved in a law's default namespace.
//!
//! Every directory change and every act of an operator is judged by policy like anything else. A law that lacks one of
//! these actions, or permits it to nobody, refuses what it stands for.

/// An account is made or changed. Resource: the account.
pub const ACCOUNT: &str = "directory.account";
/// A role, a shop or another group is made or changed. Resource: it.
pub const ENTITY: &str = "directory.entity";
/// An account joins. Resource: the role or shop joined; context: `{ subject: Account }`.
pub const MEMBER: &str = "directory.member";
/// An account leaves. As [`MEMBER`].
pub const UNMEMBER: &str = "directory.unmember";
/// A template is linked. Resource: the grant's resource, or the role; context: `{ template: String, subject: Account }`.
pub const GRANT: &str = "directory.grant";
/// A link is taken back. As [`GRANT`].
pub const REVOKE: &str = "directory.revoke";
/// An entity is taken out of the directory. Resource: it.
pub const REMOVE: &str = "directory.remove";
/// A law is activated. Resource: the [`GATE`] `law`.
pub const LAW_ACTIVATE: &str = "law.activate";
/// A tenant is opened or its state changed. Resource: the [`GATE`] named like the tenant.
pub const TENANT_OPEN: &str = "tenant.open";
/// Messages of the outbox are taken. Resource: the [`GATE`] named like the tenant.
pub const OUTBOX_POLL: &str = "outbox.poll";
/// A person's data is erased. Resource: the account.
pub const ERASE: &str = "evidence.erase";
/// A person's data is held against erasure. Resource: the account.
pub const HOLD: &str = "evidence.hold";
/// A hold is taken back. Resource: the account.
pub const RELEASE: &str = "evidence.release";
/// A free record is written. Resource: the [`GATE`] named like the stream.
pub const NOTE: &str = "record.note";

/// The entity type, in the default namespace, of what an operator's act is about when it is neither person nor group.
pub const GATE: &str = "Gate";

/// All of them.
pub const ALL: [&str; 14] = [
    ACCOUNT,
    ENTITY,
    MEMBER,
    UNMEMBER,
    GRANT,
    REVOKE,
    REMOVE,
    LAW_ACTIVATE,
    TENANT_OPEN,
    OUTBOX_POLL,
    ERASE,
    HOLD,
    RELEASE,
    NOTE,
];
