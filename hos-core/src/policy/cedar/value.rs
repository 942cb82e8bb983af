//! Our values as Cedar's.

use super::uid;
use crate::id::Uid;
use crate::value::{Ext, Record, Value};
use cedar_policy_core::ast::{self, EntityType, EntityUID, Name, PartialValue};
use cedar_policy_core::extensions::Extensions;
use std::collections::HashSet;
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
        Value::Record(fields) => ast::Value::record(pairs(fields, names)?, None),
        Value::Ext(ext, text) => extension(*ext, text)?,
    })
}

fn pairs<'v>(fields: &'v Record, names: &mut impl TypeNames) -> Result<Vec<(&'v str, ast::Value)>, String> {
    fields.iter().map(|(k, v)| Ok((k.as_str(), value(v, names)?))).collect()
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

/// A request's context.
pub(in crate::policy) fn context(record: &Record, names: &mut impl TypeNames) -> Result<ast::Context, String> {
    if record.is_empty() {
        return Ok(ast::Context::empty());
    }
    let fields = pairs(record, names)?;
    Ok(ast::Context::Value(Arc::new(fields.into_iter().map(|(k, v)| (k.into(), v)).collect())))
}

/// An entity whose ancestors are closed already.
pub(in crate::policy) fn entity(
    uid: EntityUID,
    attrs: &Record,
    parents: HashSet<EntityUID>,
    indirect: HashSet<EntityUID>,
    names: &mut impl TypeNames,
) -> Result<ast::Entity, String> {
    let attrs = pairs(attrs, names)?.into_iter().map(|(k, v)| (k.into(), PartialValue::Value(v)));
    Ok(ast::Entity::new_with_attr_partial_value(uid, attrs, indirect, parents, []))
}
