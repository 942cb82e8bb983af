//! Newtypes for every identifier, each checked once, when it is made.
//!
//! No bare string is an id. Ids that people choose are UTF-8, compared bytewise, at most [`ID_BYTES_MAX`] bytes, and are
//! escaped whenever they are shown ([`Shown`]): an id may hold control characters or text-direction marks, and a terminal
//! or a log must never obey them.

use crate::limits::{ID_BYTES_MAX, NAME_BYTES_MAX, REQUEST_BYTES_MAX, TENANT_BYTES_MAX};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Nothing was given.
    #[error("the {0} may not be empty")]
    Empty(&'static str),
    /// Too many bytes.
    #[error("the {what} has at most {max} bytes, this one has {len}")]
    TooLong {
        /// What was being made.
        what: &'static str,
        /// The limit, in bytes.
        max: usize,
        /// The length found, in bytes.
        len: usize,
    },
    /// A character that this kind of id does not allow.
    #[error("`{}` is not {} {what}: {rule}", Shown(text), article(what))]
    Malformed {
        /// What was being made.
        what: &'static str,
        /// The text given, shortened.
        text: String,
        /// What is allowed.
        rule: &'static str,
    },
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i']) { "an" } else { "a" }
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

fn bounded(what: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty(what));
    }
    if text.len() > max {
        return Err(IdError::TooLong { what, max, len: text.len() });
    }
    Ok(())
}

/// Shows a text that came from outside: control characters, text-direction marks and backslashes are escaped, so that no
/// terminal, log or page obeys it.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            let steers = matches!(c,
                '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            if c.is_control() || steers || c == '\\' {
                write!(f, "{}", c.escape_default())?;
            } else {
                fmt::Write::write_char(f, c)?;
            }
        }
        Ok(())
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and makes the id.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                Self::check(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// Checks the text alone.
            pub fn check(text: &str) -> Result<(), IdError> {
                bounded($what, text, $max)?;
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(()) } else { Err(IdError::Malformed { what: $what, text: shorten(text), rule: $rule }) }
            }

            /// The text, as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Shown(&self.0).fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), Shown(&self.0))
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

fn is_tenant(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_name(text: &str) -> bool {
    text.bytes().enumerate().all(|(i, b)| b.is_ascii_alphabetic() || b == b'_' || (i > 0 && (b.is_ascii_digit() || b == b'-')))
}

fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|piece| !piece.is_empty() && is_name(piece))
}

text_id!(
    /// Whose data it is: the unit of isolation, of log and of shard.
    Tenant, "tenant", TENANT_BYTES_MAX, "only a-z, 0-9 and - are allowed", is_tenant
);
text_id!(
    /// The name of a contract, a state, an event, a fact or an argument: an ASCII identifier (`-` is allowed inside).
    Name, "name", NAME_BYTES_MAX, "a letter or _ first, then letters, digits, _ or -", is_name
);
text_id!(
    /// A name of several pieces, such as an effect's kind (`mail.order_paid`) or a stream.
    DottedName, "dotted name", NAME_BYTES_MAX, "names joined by single dots", is_dotted_name
);
text_id!(
    /// The world's own id of an instance (an order number, say). Any UTF-8.
    InstanceId, "instance id", ID_BYTES_MAX, "", |_| true
);
text_id!(
    /// An idempotency key, unique within a tenant. Any UTF-8.
    OnceKey, "once-key", ID_BYTES_MAX, "", |_| true
);
text_id!(
    /// The caller's own id of a request, for tracing. It stands in record headers, so it must hold no personal data.
    RequestId, "request id", REQUEST_BYTES_MAX, "only A-Z a-z 0-9 . _ : - are allowed",
    |t| t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
);

impl Tenant {
    /// The reserved tenant that holds accounts, laws and keys.
    pub const UNIVERSE: &'static str = "universe";

    /// The reserved tenant `universe`.
    pub fn universe() -> Self {
        Self(Arc::from(Self::UNIVERSE))
    }

    /// Whether this is the reserved tenant.
    pub fn is_universe(&self) -> bool {
        &*self.0 == Self::UNIVERSE
    }
}

/// One seed for the whole process: a hash is never written down, and nobody outside can aim at it.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The hash of an identity with these halves.
pub(crate) fn uid_hash(type_name: &str, id: &str) -> u64 {
    SEED.hash_one((type_name, id))
}

/// Hashes a text with the process's seed.
pub(crate) fn text_hash(text: &str) -> u64 {
    SEED.hash_one(text)
}

/// An entity's identity as in Cedar: a type (`Pazar::Account`) and an id (any UTF-8, possibly empty in Cedar, never here).
///
/// It carries its hash: one request looks the same few identities up again and again.
#[derive(Clone)]
pub struct Uid {
    hash: u64,
    type_name: Arc<str>,
    id: Arc<str>,
}

impl PartialEq for Uid {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.id == other.id && self.type_name == other.type_name
    }
}

impl Eq for Uid {}

impl Hash for Uid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for Uid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Uid {
    fn cmp(&self, other: &Self) -> Ordering {
        // By its words alone: an order that a process's seed had a part in would be another one tomorrow.
        (&self.type_name, &self.id).cmp(&(&other.type_name, &other.id))
    }
}

impl Uid {
    /// Checks both halves and makes the identity.
    pub fn new(type_name: impl AsRef<str>, id: impl AsRef<str>) -> Result<Self, IdError> {
        let (type_name, id) = (type_name.as_ref(), id.as_ref());
        bounded("entity type", type_name, ID_BYTES_MAX)?;
        let sound = type_name.split("::").all(|piece| {
            piece.bytes().enumerate().all(|(i, b)| b.is_ascii_alphabetic() || b == b'_' || (i > 0 && b.is_ascii_digit()))
                && !piece.is_empty()
        });
        if !sound {
            return Err(IdError::Malformed { what: "entity type", text: shorten(type_name), rule: "identifiers joined by ::" });
        }
        bounded("entity id", id, ID_BYTES_MAX)?;
        Ok(Self { hash: uid_hash(type_name, id), type_name: Arc::from(type_name), id: Arc::from(id) })
    }

    /// Reads Cedar's own form, `Pazar::Account::"ayse"`; the id's escapes are `\"`, `\\`, `\n`, `\r`, `\t`, `\0`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let malformed = || IdError::Malformed { what: "entity", text: shorten(text), rule: "expected Type::\"id\"" };
        let (type_name, quoted) = text.split_once("::\"").ok_or_else(malformed)?;
        let inner = quoted.strip_suffix('"').ok_or_else(malformed)?;
        let mut id = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => return Err(malformed()),
                '\\' => id.push(match chars.next() {
                    Some('"') => '"',
                    Some('\\') => '\\',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('0') => '\0',
                    _ => return Err(malformed()),
                }),
                other => id.push(other),
            }
        }
        Self::new(type_name, id)
    }

    /// The type with its namespace, `Pazar::Account`.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The id within its type.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The hash that it carries.
    pub(crate) fn hash64(&self) -> u64 {
        self.hash
    }
}

/// In Cedar's own form: a quote in the id is escaped, so that nobody's id reads as another entity and something behind it.
impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::\"", self.type_name)?;
        for (at, piece) in self.id.split('"').enumerate() {
            f.write_str(if at > 0 { "\\\"" } else { "" })?;
            fmt::Display::fmt(&Shown(piece), f)?;
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Takes exactly this many bytes, or nothing.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads lower- or upper-case hexadecimal of exactly the right length.
            pub fn from_hex(text: &str) -> Option<Self> {
                let raw = text.as_bytes();
                if raw.len() != $len * 2 {
                    return None;
                }
                let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
                let mut out = [0u8; $len];
                for (slot, pair) in out.iter_mut().zip(raw.chunks_exact(2)) {
                    *slot = digit(pair[0])? << 4 | digit(pair[1])?;
                }
                Some(Self(out))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Digit by digit: they stand in what is made for every commit, and formatting each byte costs ten times as much.
                let mut digits = self.0.iter().flat_map(|b| [b >> 4, b & 0xf]);
                digits.try_for_each(|digit| fmt::Write::write_char(f, char::from_digit(digit.into(), 16).unwrap_or('?')))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

byte_id!(
    /// A store's identity: 16 random bytes, made when the store is made.
    StoreId, 16
);
byte_id!(
    /// A thread's handle: 16 bytes, of which at least the last ten are random. It stands in headers where the (possibly personal) id may not.
    Handle, 16
);
byte_id!(
    /// The id of an encryption key of one data subject; all zero means "no subject, not encrypted".
    KeyId, 16
);
byte_id!(
    /// Binds the records of one call over several tenants.
    GroupId, 16
);
byte_id!(
    /// The hash of a law's files.
    LawHash, 32
);
byte_id!(
    /// The hash of a record's header.
    RecordHash, 32
);
byte_id!(
    /// The hash of a log entry.
    EntryHash, 32
);
byte_id!(
    /// A node of an RFC 6962 tree (SHA-256).
    TreeHash, 32
);
byte_id!(
    /// A part's commitment.
    Commitment, 32
);
byte_id!(
    /// The key of a thread in the map of heads: its label, or the hash of its handle.
    MapKey, 32
);
byte_id!(
    /// A node of the map of heads; 32 zero bytes where there is no leaf.
    MapHash, 32
);
byte_id!(
    /// The digest of a call under a once-key.
    CallDigest, 32
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bounded_and_shown_escaped() {
        assert_eq!(InstanceId::new(""), Err(IdError::Empty("instance id")));
        assert!(InstanceId::new("x".repeat(255)).is_ok());
        assert!(matches!(InstanceId::new("x".repeat(256)), Err(IdError::TooLong { len: 256, .. })));
        let odd = InstanceId::new("a\0\u{1b}[2J\u{202e}b").unwrap();
        assert_eq!(odd.to_string(), "a\\u{0}\\u{1b}[2J\\u{202e}b");
        assert_eq!(odd.as_str().len(), "a\0\u{1b}[2J\u{202e}b".len());
    }

    #[test]
    fn tenants_names_and_uids_follow_their_alphabet() {
        assert!(Tenant::new("pazar-tr").is_ok());
        assert!(Tenant::new("Pazar").is_err());
        assert!(Name::new("on_hold").is_ok());
        assert!(Name::new("9lives").is_err());
        assert!(DottedName::new("mail.order_paid").is_ok());
        assert!(DottedName::new("mail..x").is_err());
        let uid = Uid::parse("Pazar::Account::\"a\\\"b\"").unwrap();
        assert_eq!((uid.type_name(), uid.id()), ("Pazar::Account", "a\"b"));
        assert!(Uid::parse("Pazar::Account::\"a\"b\"").is_err());
        assert!(Uid::new("Pazar:Account", "x").is_err());
    }

    #[test]
    fn hex_round_trips() {
        let handle = Handle([0xab; 16]);
        assert_eq!(Handle::from_hex(&handle.to_string()), Some(handle));
        assert_eq!(Handle::from_hex("ab"), None);
        assert_eq!(Handle::from_hex(&"zz".repeat(16)), None);
    }

    #[test]
    fn entities_of_one_hash_are_told_apart_by_their_words() {
        let ayse = Uid::new("Account", "ayse").unwrap();
        for (type_name, id) in [("Account", "can"), ("Shop", "ayse"), ("Shop", "can")] {
            let other = Uid { hash: ayse.hash, ..Uid::new(type_name, id).unwrap() };
            assert_ne!(ayse, other, "a hash may be met by chance");
        }
    }

    #[test]
    fn a_text_has_one_hash_and_another_text_another() {
        assert_eq!(text_hash("clerks"), text_hash("clerks"));
        assert_ne!(text_hash("clerks"), text_hash("buyers"));
        assert_eq!(uid_hash("Account", "ayse"), Uid::new("Account", "ayse").unwrap().hash64());
    }
}
