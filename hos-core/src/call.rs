//! What a caller asks: one type per operation, every id already checked, every value already bounded.

use crate::id::{DottedName, IdError, InstanceId, Name, OnceKey, RequestId, Uid};
use crate::limits::{LEGACY_DETAIL_BYTES_MAX, LEGACY_WORD_BYTES_MAX};
use crate::policy::Entity;
use crate::time::Timestamp;
use crate::value::{Record, Value};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Who asks, and what they bring along; common to every call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The principal.
    pub principal: Uid,
    /// The caller's own request id; stands in headers.
    pub request: Option<RequestId>,
    /// Context beyond an event's arguments.
    pub context: Shared<Record>,
    /// Entities that come with the call: resources of the world, with their attributes and parents.
    pub given: Shared<Vec<Entity>>,
    /// The world's own outcome, for modes `off` and `shadow`.
    pub legacy: Option<Legacy>,
}

impl By {
    /// This principal, with nothing else.
    pub fn new(principal: Uid) -> Self {
        Self { principal, request: None, context: Shared::default(), given: Shared::default(), legacy: None }
    }

    /// The same, whose copies share what they bring along: of a thousand questions each would else hold all that was said once for all.
    pub fn shared(self) -> Self {
        Self { context: self.context.share(), given: self.given.share(), ..self }
    }
}

/// What a call brings along. Copies are whole, or, behind [`Shared::share`], one until one of them is changed.
#[derive(Clone)]
pub struct Shared<T>(Held<T>);

#[derive(Clone)]
enum Held<T> {
    Own(T),
    Common(Arc<T>),
}

impl<T> Shared<T> {
    /// The same, which its copies share.
    pub fn share(self) -> Self {
        match self.0 {
            Held::Own(own) => Self(Held::Common(Arc::new(own))),
            common @ Held::Common(_) => Self(common),
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Held::Own(own) => own,
            Held::Common(common) => common,
        }
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Held::Own(own) => own,
            Held::Common(common) => Arc::make_mut(common),
        }
    }
}

impl<T> From<T> for Shared<T> {
    fn from(own: T) -> Self {
        Self(Held::Own(own))
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        T::default().into()
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// What the world decided by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legacy {
    /// Whether it allowed.
    pub allowed: bool,
    /// The state its row has now, where the call moves an instance.
    pub state: Option<Name>,
}

/// May this principal do this to that?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Can {
    /// Who.
    pub by: By,
    /// The action's id in the law's namespace (`order.pay`).
    pub action: String,
    /// On what.
    pub resource: Uid,
}

/// A birth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Who.
    pub by: By,
    /// The contract.
    pub contract: Name,
    /// The new instance.
    pub id: InstanceId,
    /// Which birth of the contract.
    pub event: Name,
    /// The facts.
    pub facts: Record,
    /// The arguments.
    pub args: Record,
    /// The idempotency key.
    pub once: Option<OnceKey>,
}

/// An event, or an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Who.
    pub by: By,
    /// The contract.
    pub contract: Name,
    /// The instance.
    pub id: InstanceId,
    /// The event or override.
    pub event: Name,
    /// The arguments.
    pub args: Record,
    /// The idempotency key.
    pub once: Option<OnceKey>,
    /// Why; mandatory for an override.
    pub reason: Option<String>,
}

/// A free record in a named stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub by: By,
    /// The stream.
    pub stream: DottedName,
    /// The bytes, as they are.
    pub payload: Vec<u8>,
    /// Whose data they are.
    pub subject: Option<Uid>,
    /// The idempotency key.
    pub once: Option<OnceKey>,
}

/// A change of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Who.
    pub by: By,
    /// What.
    pub change: Change,
    /// The idempotency key.
    pub once: Option<OnceKey>,
}

/// What a directory change does. In the universe it concerns accounts and the roles that hold everywhere; in a tenant, its
/// roles, groups, memberships and grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes an entity, or gives it other attributes. Judged as `directory.account` where the law names its type in `persons`, as
    /// `directory.entity` else.
    Put {
        /// Who or what.
        uid: Uid,
        /// All its attributes.
        attrs: Record,
    },
    /// Takes an entity away; judged as `directory.remove`.
    Remove {
        /// Who or what.
        uid: Uid,
    },
    /// Makes an entity a member of a role or group; judged as `directory.member` on that role.
    Join {
        /// Who.
        uid: Uid,
        /// Of what.
        parent: Uid,
    },
    /// Ends a membership; judged as `directory.unmember` on the role.
    Leave {
        /// Who.
        uid: Uid,
        /// Of what.
        parent: Uid,
    },
    /// Links a template of the law; judged as `directory.grant`.
    Grant {
        /// The grant's id, unique in the tenant.
        id: String,
        /// The template.
        template: String,
        /// Fills `?principal`.
        principal: Option<Uid>,
        /// Fills `?resource`.
        resource: Option<Uid>,
    },
    /// Ends a grant; judged as `directory.revoke`.
    Revoke {
        /// The grant.
        id: String,
    },
}

/// Brings an existing row in: attested, not judged against the contract's births.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopt {
    /// Who; policy must permit `<contract>.adopt` on the instance.
    pub by: By,
    /// The contract.
    pub contract: Name,
    /// The instance.
    pub id: InstanceId,
    /// The state it is in.
    pub state: Name,
    /// Its facts.
    pub facts: Record,
    /// The idempotency key.
    pub once: Option<OnceKey>,
}

/// What an older log tells of an instance that is there: told by the old world, never judged. Its state stays what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyLog {
    /// Who; policy must permit `<contract>.adopt` on the instance.
    pub by: By,
    /// The contract.
    pub contract: Name,
    /// The instance.
    pub id: InstanceId,
    /// The log's rows, the oldest first; 1 to [`LEGACY_ENTRIES_MAX`].
    pub entries: Vec<LegacyEntry>,
    /// The idempotency key.
    pub once: Option<OnceKey>,
}

/// A row of an older log, in the old world's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyEntry {
    /// When it happened, as that log says.
    pub at: Timestamp,
    /// The state before.
    pub from: Option<String>,
    /// The state after.
    pub to: String,
    /// What happened.
    pub event: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// What else the row says, as it stands there.
    pub detail: Option<String>,
    /// The row's own key in that log: by it, who brings a log in knows what is told already.
    pub key: Option<String>,
}

impl LegacyEntry {
    /// `to` came at `at`; nothing else is known.
    pub fn new(at: Timestamp, to: &str) -> Self {
        Self { at, from: None, to: to.to_owned(), event: None, actor: None, detail: None, key: None }
    }

    /// What is wrong with it, if anything: an instant that no record may claim, a text that is empty or too long.
    pub fn fault(&self) -> Option<String> {
        if !self.at.is_claimable() {
            return Some("`at` is no instant between 1970 and 2261".to_owned());
        }
        let words = [("from", &self.from), ("event", &self.event), ("actor", &self.actor), ("key", &self.key)];
        let words = words.into_iter().filter_map(|(name, word)| Some((name, word.as_ref()?, LEGACY_WORD_BYTES_MAX)));
        let detail = self.detail.iter().map(|text| ("detail", text, LEGACY_DETAIL_BYTES_MAX));
        let mut all = std::iter::once(("to", &self.to, LEGACY_WORD_BYTES_MAX)).chain(words).chain(detail);
        let (name, text, max) = all.find(|(_, text, max)| text.is_empty() || text.len() > *max)?;
        Some(format!("`{name}` has {} bytes, not 1 to {max}", text.len()))
    }

    /// The bytes of its texts.
    pub fn bytes(&self) -> usize {
        let besides = [&self.from, &self.event, &self.actor, &self.detail, &self.key];
        self.to.len() + besides.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl Can {
    /// `principal` asks to do `action` to `resource`.
    pub fn new(principal: Uid, action: &str, resource: Uid) -> Self {
        Self { by: By::new(principal), action: action.to_owned(), resource }
    }

    /// Adds a value to the context.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.by.context.insert(name.to_owned(), value.into());
        self
    }

    /// Brings an entity along: the resource with its attributes, say.
    pub fn given(mut self, entity: Entity) -> Self {
        self.by.given.push(entity);
        self
    }
}

impl Begin {
    /// `principal` brings instance `id` of `contract` into being by the birth `event`.
    pub fn new(principal: Uid, contract: &str, id: &str, event: &str) -> Result<Self, IdError> {
        Ok(Self {
            by: By::new(principal),
            contract: Name::new(contract)?,
            id: InstanceId::new(id)?,
            event: Name::new(event)?,
            facts: Record::new(),
            args: Record::new(),
            once: None,
        })
    }

    /// Gives a fact.
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Gives an argument.
    pub fn arg(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the idempotency key.
    pub fn once(mut self, key: &str) -> Result<Self, IdError> {
        self.once = Some(OnceKey::new(key)?);
        Ok(self)
    }
}

impl Transition {
    /// `principal` has `event` happen to instance `id` of `contract`.
    pub fn new(principal: Uid, contract: &str, id: &str, event: &str) -> Result<Self, IdError> {
        Ok(Self {
            by: By::new(principal),
            contract: Name::new(contract)?,
            id: InstanceId::new(id)?,
            event: Name::new(event)?,
            args: Record::new(),
            once: None,
            reason: None,
        })
    }

    /// Gives an argument.
    pub fn arg(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the idempotency key.
    pub fn once(mut self, key: &str) -> Result<Self, IdError> {
        self.once = Some(OnceKey::new(key)?);
        Ok(self)
    }

    /// Says why; mandatory for an override.
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }
}

impl Directory {
    /// `principal` changes the directory.
    pub fn new(principal: Uid, change: Change) -> Self {
        Self { by: By::new(principal), change, once: None }
    }
}

impl Note {
    /// `principal` writes `payload` into a stream.
    pub fn new(principal: Uid, stream: &str, payload: Vec<u8>) -> Result<Self, IdError> {
        Ok(Self { by: By::new(principal), stream: DottedName::new(stream)?, payload, subject: None, once: None })
    }
}

/// Any call that writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A birth.
    Begin(Begin),
    /// An event.
    Transition(Transition),
    /// A free record.
    Note(Note),
    /// A directory change.
    Directory(Directory),
    /// An existing row.
    Adopt(Adopt),
    /// What an older log tells.
    LegacyLog(LegacyLog),
}

impl Call {
    /// Who asks.
    pub fn by(&self) -> &By {
        match self {
            Call::Begin(c) => &c.by,
            Call::Transition(c) => &c.by,
            Call::Note(c) => &c.by,
            Call::Directory(c) => &c.by,
            Call::Adopt(c) => &c.by,
            Call::LegacyLog(c) => &c.by,
        }
    }

    /// The idempotency key.
    pub fn once(&self) -> Option<&OnceKey> {
        match self {
            Call::Begin(c) => c.once.as_ref(),
            Call::Transition(c) => c.once.as_ref(),
            Call::Note(c) => c.once.as_ref(),
            Call::Directory(c) => c.once.as_ref(),
            Call::Adopt(c) => c.once.as_ref(),
            Call::LegacyLog(c) => c.once.as_ref(),
        }
    }

    /// The contract and instance, where there is one.
    pub fn instance(&self) -> Option<(&Name, &InstanceId)> {
        match self {
            Call::Begin(c) => Some((&c.contract, &c.id)),
            Call::Transition(c) => Some((&c.contract, &c.id)),
            Call::Adopt(c) => Some((&c.contract, &c.id)),
            Call::LegacyLog(c) => Some((&c.contract, &c.id)),
            Call::Note(_) | Call::Directory(_) => None,
        }
    }
}
