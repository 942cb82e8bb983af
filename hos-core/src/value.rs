//! Values as Cedar knows them, without Cedar: what calls carry, what facts and arguments are, what evidence keeps.

use crate::id::Uid;
use crate::limits::{VALUE_BYTES_MAX, VALUE_DEPTH_MAX};
use std::collections::{BTreeMap, BTreeSet};

/// A record: attribute names to values.
pub type Record = BTreeMap<String, Value>;

/// One of Cedar's extension types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ext {
    /// `decimal("1.5000")`: four decimal places.
    Decimal,
    /// `datetime("2015-07-01T00:00:00Z")`.
    Datetime,
    /// `duration("1h30m")`.
    Duration,
    /// `ip("10.0.0.0/8")`.
    Ip,
}

impl Ext {
    /// The name of Cedar's constructor function.
    pub fn function(self) -> &'static str {
        match self {
            Ext::Decimal => "decimal",
            Ext::Datetime => "datetime",
            Ext::Duration => "duration",
            Ext::Ip => "ip",
        }
    }

    /// The extension with this constructor function.
    pub fn from_function(name: &str) -> Option<Self> {
        [Ext::Decimal, Ext::Datetime, Ext::Duration, Ext::Ip].into_iter().find(|e| e.function() == name)
    }
}

/// A Cedar value. There is no null and no float, as in Cedar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A 64-bit signed integer.
    Long(i64),
    /// UTF-8 text.
    String(String),
    /// A reference to an entity.
    Entity(Uid),
    /// A set: order and repetition mean nothing.
    Set(BTreeSet<Value>),
    /// A record.
    Record(Record),
    /// An extension value, by the argument of its constructor; two spellings of one value count as two.
    Ext(Ext, String),
}

impl Value {
    /// Checks depth and size once, at the door.
    pub fn check_bounds(record: &Record) -> Result<(), BoundsError> {
        fn walk(value: &Value, depth: usize, bytes: &mut usize) -> Result<(), BoundsError> {
            if depth > VALUE_DEPTH_MAX {
                return Err(BoundsError::TooDeep);
            }
            *bytes += match value {
                Value::Bool(_) => 1,
                Value::Long(_) => 8,
                Value::String(s) | Value::Ext(_, s) => s.len() + 2,
                Value::Entity(uid) => uid.type_name().len() + uid.id().len() + 2,
                Value::Set(_) | Value::Record(_) => 2,
            };
            if *bytes > VALUE_BYTES_MAX {
                return Err(BoundsError::TooLarge);
            }
            match value {
                Value::Set(items) => items.iter().try_for_each(|v| walk(v, depth + 1, bytes)),
                Value::Record(fields) => fields.iter().try_for_each(|(k, v)| {
                    *bytes += k.len();
                    walk(v, depth + 1, bytes)
                }),
                _ => Ok(()),
            }
        }
        let mut bytes = 0;
        record.iter().try_for_each(|(k, v)| {
            bytes += k.len();
            walk(v, 1, &mut bytes)
        })
    }

    /// Every entity that the value names, however deep.
    pub fn entities<'a>(&'a self, found: &mut Vec<&'a Uid>) {
        match self {
            Value::Entity(uid) => found.push(uid),
            Value::Set(items) => items.iter().for_each(|v| v.entities(found)),
            Value::Record(fields) => fields.values().for_each(|v| v.entities(found)),
            _ => {}
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Bool(_) => "Bool",
            Value::Long(_) => "Long",
            Value::String(_) => "String",
            Value::Entity(_) => "entity",
            Value::Set(_) => "Set",
            Value::Record(_) => "record",
            Value::Ext(Ext::Decimal, _) => "decimal",
            Value::Ext(Ext::Datetime, _) => "datetime",
            Value::Ext(Ext::Duration, _) => "duration",
            Value::Ext(Ext::Ip, _) => "ipaddr",
        }
    }
}

/// Why a value from outside is refused before anything looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    /// Nested beyond [`VALUE_DEPTH_MAX`].
    #[error("values nest more than {VALUE_DEPTH_MAX} deep")]
    TooDeep,
    /// More than [`VALUE_BYTES_MAX`] in all.
    #[error("values hold more than {VALUE_BYTES_MAX} bytes")]
    TooLarge,
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Value::Long(v)
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Value::Bool(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Value::String(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Value::String(v)
    }
}
impl From<Uid> for Value {
    fn from(v: Uid) -> Self {
        Value::Entity(v)
    }
}
