//! Our values as Cedar's.

use super::uid;
use crate::id::Uid;
use crate::value::{Ext, Record, Value};
use cedar_policy_core::ast::{self, EntityType, EntityUID, Name, PartialValue, ValueKind};
use cedar_policy_core::extensions::Extensions;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Where types' names are known already, so that no name is parsed twice.
pub(in crate::policy) trait TypeNames {
    /// Cedar's form of a type's name; nothing if Cedar has no such name.
    fn entity_type(&mut self, name: &str) -> Option<EntityType>;

    /// Cedar's form of an identity.
    fn entity_uid(&mut self, uid: &Uid) -> Result<EntityUID, String> {
        match self.entity_type(uid.type_name()) {
            Some(ty) => Ok(uid::entity_uid(&ty, uid.id())),
            None => Err(format!("`{}` is not an entity type", uid.type_name())),
        }
    }
}

/// A value as Cedar's. Recursive: only for values whose depth was bounded.
pub(in crate::policy) fn value(value: &Value, names: &mut impl TypeNames) -> Result<ast::Value, String> {
    Ok(match value {
        Value::Bool(b) => ast::Value::from(*b),
        Value::Long(n) => ast::Value::from(*n),
        Value::String(s) => ast::Value::from(s.as_str()),
        Value::Entity(uid) => ast::Value::from(names.entity_uid(uid)?),
        Value::Set(items) => {
            let items = items.iter().map(|v| self::value(v, names)).collect::<Result<Vec<_>, _>>()?;
            ast::Value::set(items, None)
        }
        Value::Record(fields) => record(fields, names)?,
        Value::Ext(ext, text) => extension(*ext, text)?,
    })
}

fn record(fields: &Record, names: &mut impl TypeNames) -> Result<ast::Value, String> {
    let mut map = BTreeMap::new();
    for (name, field) in fields {
        map.insert(name.as_str().into(), value(field, names)?);
    }
    Ok(ast::Value::record_arc(Arc::new(map), None))
}

fn extension(ext: Ext, text: &str) -> Result<ast::Value, String> {
    static NAMES: LazyLock<[Option<Name>; 4]> = LazyLock::new(|| {
        [Ext::Decimal, Ext::Datetime, Ext::Duration, Ext::Ip].map(|e| Name::parse_unqualified_name(e.function()).ok())
    });
    let wrong = || format!("`{}` is not a {}", crate::id::Shown(text), ext.function());
    let name = match ext {
        Ext::Decimal => &NAMES[0],
        Ext::Datetime => &NAMES[1],
        Ext::Duration => &NAMES[2],
        Ext::Ip => &NAMES[3],
    };
    let function = name.as_ref().and_then(|n| Extensions::all_available().func(n).ok()).ok_or_else(wrong)?;
    match function.call(&[ast::Value::from(text)]) {
        Ok(PartialValue::Value(value)) => Ok(value),
        _ => Err(wrong()),
    }
}

/// Attributes of an entity, or a context. Copies share everything.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Attrs(ast::Value);

impl Attrs {
    pub(in crate::policy) fn new(fields: &Record, names: &mut impl TypeNames) -> Result<Self, String> {
        record(fields, names).map(Self)
    }

    /// Those of Cedar's own entity, if all of them are known.
    pub(in crate::policy) fn of(entity: &ast::Entity) -> Option<Self> {
        let mut map = BTreeMap::new();
        for (name, value) in entity.attrs() {
            let PartialValue::Value(value) = value else { return None };
            map.insert(name.clone(), value.clone());
        }
        Some(Self(ast::Value::record_arc(Arc::new(map), None)))
    }

    pub(in crate::policy) fn iter(&self) -> impl Iterator<Item = (&str, &ast::Value)> {
        let fields = match self.0.value_kind() {
            ValueKind::Record(fields) => Some(&**fields),
            _ => None,
        };
        fields.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// As a value.
    pub(in crate::policy) fn value(&self) -> &ast::Value {
        &self.0
    }

    /// As a request's context.
    pub(in crate::policy) fn into_context(self) -> ast::Context {
        match self.0.value {
            ValueKind::Record(fields) => ast::Context::Value(fields),
            _ => ast::Context::empty(),
        }
    }
}
