//! The shapes that contracts give to entities and action contexts, and the expressions they hold: what the contract wing
//! says and the policy wing compiles, so that neither names the other.

use crate::id::Uid;
use crate::value::{Ext, Value};
use std::fmt;
use std::ops::Range;

/// The type of a fact or an argument, in Cedar's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `Bool`
    Bool,
    /// `Long`
    Long,
    /// `String`
    String,
    /// `Set<T>`
    Set(Box<Type>),
    /// `decimal`, `datetime`, `duration`, `ipaddr`
    Ext(Ext),
    /// An entity type, fully qualified (`Pazar::Account`).
    Entity(String),
}

impl Type {
    /// Reads `Long`, `Set<String>`, `datetime`, `Account` (put into `namespace`) or `Other::Account`.
    pub fn parse(text: &str, namespace: &str) -> Option<Type> {
        Self::parse_nested(text.trim(), namespace, 0)
    }

    fn parse_nested(text: &str, namespace: &str, depth: usize) -> Option<Type> {
        if depth > 4 {
            return None;
        }
        Some(match text {
            "Bool" => Type::Bool,
            "Long" => Type::Long,
            "String" => Type::String,
            "decimal" => Type::Ext(Ext::Decimal),
            "datetime" => Type::Ext(Ext::Datetime),
            "duration" => Type::Ext(Ext::Duration),
            "ipaddr" => Type::Ext(Ext::Ip),
            _ => match text.strip_prefix("Set<").and_then(|rest| rest.strip_suffix('>')) {
                Some(inner) => Type::Set(Box::new(Self::parse_nested(inner.trim(), namespace, depth + 1)?)),
                None => {
                    let qualified = if text.contains("::") || namespace.is_empty() {
                        text.to_owned()
                    } else {
                        format!("{namespace}::{text}")
                    };
                    Uid::new(&qualified, "x").ok()?;
                    Type::Entity(qualified)
                }
            },
        })
    }

    /// Whether the value is of this type (an extension's argument is not parsed here).
    pub fn admits(&self, value: &Value) -> bool {
        match (self, value) {
            (Type::Bool, Value::Bool(_)) | (Type::Long, Value::Long(_)) | (Type::String, Value::String(_)) => true,
            (Type::Set(inner), Value::Set(items)) => items.iter().all(|v| inner.admits(v)),
            (Type::Ext(want), Value::Ext(have, _)) => want == have,
            (Type::Entity(want), Value::Entity(uid)) => uid.type_name() == want,
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("Bool"),
            Type::Long => f.write_str("Long"),
            Type::String => f.write_str("String"),
            Type::Set(inner) => write!(f, "Set<{inner}>"),
            Type::Ext(Ext::Ip) => f.write_str("ipaddr"),
            Type::Ext(ext) => f.write_str(ext.function()),
            Type::Entity(name) => f.write_str(name),
        }
    }
}

/// A named, typed attribute, and where it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: Type,
    /// Whether it may be absent (`"Long?"`).
    pub optional: bool,
    /// Where, in the contract's file.
    pub span: Range<usize>,
}

/// What a contract says of its resource type: facts and `state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityShape {
    /// The contract's file.
    pub file: String,
    /// The entity type, fully qualified.
    pub type_name: String,
    /// Where the type was named.
    pub span: Range<usize>,
    /// Facts, and `state` (a `String`).
    pub attributes: Vec<Attribute>,
}

/// What a contract says of one action: the resource it applies to and the arguments in its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionShape {
    /// The contract's file.
    pub file: String,
    /// The action's id within the default namespace (`order.pay`).
    pub action: String,
    /// Where the action was named.
    pub span: Range<usize>,
    /// The resource's entity type, fully qualified.
    pub resource: String,
    /// The arguments. Two events with one action must agree; what only one of them has becomes optional.
    pub context: Vec<Attribute>,
}

/// What an expression must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A condition: `true` or `false`.
    Bool,
    /// An instant (`datetime`).
    Instant,
}

/// An expression in Cedar, judged over principal, action, resource and context of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The contract's file.
    pub file: String,
    /// The action's id within the default namespace.
    pub action: String,
    /// The resource's entity type, fully qualified.
    pub resource: String,
    /// The Cedar text.
    pub text: String,
    /// Where the text stands in the file (inside the quotes).
    pub span: Range<usize>,
    /// What it must come to.
    pub wanted: Wanted,
}

/// An expression's place in the law's list of them; the law numbers contracts by name, expressions by order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExpressionId(pub u32);
