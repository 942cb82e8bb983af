//! What the law's schema says of types and actions, as tables of our own: a request is checked by look-ups alone.

use super::cedar::{CoreEntity, EntityType, Key};
use super::hash::{MixHash, PassHash};
use crate::id::Uid;
use crate::refusal::{Blocker, Code};
use crate::value::{Ext, Record, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// A type of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ty {
    Bool,
    Long,
    String,
    Ext(Ext),
    Entity(String),
    Set(Box<Ty>),
    Record(Shape),
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Bool => f.write_str("Bool"),
            Ty::Long => f.write_str("Long"),
            Ty::String => f.write_str("String"),
            Ty::Ext(Ext::Ip) => f.write_str("ipaddr"),
            Ty::Ext(ext) => f.write_str(ext.function()),
            Ty::Entity(name) => f.write_str(name),
            Ty::Set(inner) => write!(f, "Set<{inner}>"),
            Ty::Record(_) => f.write_str("record"),
        }
    }
}

/// A declared attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) ty: Ty,
    pub(super) required: bool,
}

/// The attributes of a record, an entity or a context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) fields: BTreeMap<String, Field>,
}

/// How a value departs from its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) code: Code,
    pub(super) detail: String,
}

impl Misfit {
    /// The refusal, with whose attribute it is.
    pub(super) fn of(self, owner: &dyn fmt::Display) -> Blocker {
        Blocker::new(self.code, format!("{owner}: {}", self.detail))
    }
}

impl Shape {
    /// Whether the record has exactly what is declared. Recursion is bounded by the declaration's own depth.
    pub(super) fn check(&self, record: &Record) -> Result<(), Misfit> {
        // Nearly every record fits: only one that does not is gone through again for the words.
        if self.fits(record) { Ok(()) } else { self.find_misfit(record) }
    }

    /// Whether the record has what is declared, whatever else it has.
    pub(super) fn check_declared(&self, record: &Record) -> Result<(), Misfit> {
        if self.fits(record) { Ok(()) } else { self.check(&self.declared(record)) }
    }

    /// The record without what is not declared, inside of records too.
    fn declared(&self, record: &Record) -> Record {
        record.iter().filter_map(|(name, value)| Some((name.clone(), self.fields.get(name)?.ty.declared(value)))).collect()
    }

    /// Both are sorted by name, so they are walked side by side.
    fn fits(&self, record: &Record) -> bool {
        let mut fields = self.fields.iter();
        for (name, value) in record {
            let passed_over = |(declared, field): &(&String, &Field)| *declared != name && !field.required;
            match fields.find(|next| !passed_over(next)) {
                Some((declared, field)) if declared == name && field.ty.fits(value) => {}
                _ => return false,
            }
        }
        fields.all(|(_, field)| !field.required)
    }

    fn find_misfit(&self, record: &Record) -> Result<(), Misfit> {
        let missing = self.fields.iter().find(|(name, field)| field.required && !record.contains_key(*name));
        if let Some((name, _)) = missing {
            return Err(Misfit { code: Code::AttributeMissing, detail: format!("`{name}` is missing") });
        }
        for (name, value) in record {
            let Some(field) = self.fields.get(name) else {
                let detail = format!("`{}` is not declared", crate::id::Shown(name));
                return Err(Misfit { code: Code::AttributeUnknown, detail });
            };
            field.ty.check(value, name)?;
        }
        Ok(())
    }
}

impl Ty {
    fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Ty::Bool, Value::Bool(_)) | (Ty::Long, Value::Long(_)) | (Ty::String, Value::String(_)) => true,
            (Ty::Ext(want), Value::Ext(have, _)) => want == have,
            (Ty::Entity(want), Value::Entity(uid)) => want == uid.type_name(),
            (Ty::Set(inner), Value::Set(items)) => items.iter().all(|v| inner.fits(v)),
            (Ty::Record(shape), Value::Record(fields)) => shape.fits(fields),
            _ => false,
        }
    }

    fn declared(&self, value: &Value) -> Value {
        match (self, value) {
            (Ty::Set(inner), Value::Set(items)) => Value::Set(items.iter().map(|item| inner.declared(item)).collect()),
            (Ty::Record(shape), Value::Record(fields)) => Value::Record(shape.declared(fields)),
            _ => value.clone(),
        }
    }

    fn check(&self, value: &Value, name: &str) -> Result<(), Misfit> {
        match (self, value) {
            _ if self.fits(value) => return Ok(()),
            (Ty::Set(inner), Value::Set(items)) => return items.iter().try_for_each(|v| inner.check(v, name)),
            (Ty::Record(shape), Value::Record(fields)) => {
                let inside = |m: Misfit| Misfit { detail: format!("in `{name}`, {}", m.detail), ..m };
                return shape.find_misfit(fields).map_err(inside);
            }
            _ => {}
        }
        let found = match value {
            Value::Entity(uid) => uid.type_name(),
            other => other.kind(),
        };
        Err(Misfit { code: Code::AttributeType, detail: format!("`{name}` must be {self}, not {found}") })
    }
}

/// Names of types.
pub(super) type TypeNameSet = HashSet<String, MixHash>;

/// An entity type.
#[derive(Debug)]
pub(super) struct TypeInfo {
    pub(super) core: EntityType,
    pub(super) shape: Shape,
    /// The ids that an enumerated type has; its entities need nobody to give them.
    pub(super) choices: Option<HashSet<String>>,
    /// Types that it may be a member of, directly or not.
    pub(super) within: TypeNameSet,
    /// Its number in the index.
    pub(super) number: u32,
}

/// An action.
#[derive(Debug)]
pub(super) struct ActionInfo {
    pub(super) key: Key,
    pub(super) entity: Arc<CoreEntity>,
    pub(super) groups: Vec<Key>,
    pub(super) principals: TypeNameSet,
    pub(super) resources: TypeNameSet,
    pub(super) context: Shape,
    /// Where its policies stand in the index.
    pub(super) buckets: Vec<u32>,
    /// Entities that the contracts' expressions of this action may read.
    pub(super) reads: Vec<Uid>,
    /// Whether one of them speaks of `action`.
    pub(super) expressions_name_action: bool,
}

/// All of a schema.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) types: HashMap<String, TypeInfo, MixHash>,
    pub(super) actions: HashMap<Uid, ActionInfo, PassHash>,
}

impl Tables {
    /// Whether anything is declared with an attribute of this name that may hold an entity.
    pub(super) fn entity_attributes(&self) -> HashSet<String> {
        fn collect(shape: &Shape, found: &mut HashSet<String>) {
            for (name, field) in &shape.fields {
                match &field.ty {
                    Ty::Entity(_) => {
                        found.insert(name.clone());
                    }
                    Ty::Record(inner) => collect(inner, found),
                    _ => {}
                }
            }
        }
        let mut found = HashSet::new();
        self.types.values().for_each(|t| collect(&t.shape, &mut found));
        self.actions.values().for_each(|a| collect(&a.context, &mut found));
        found
    }

    /// Whether an entity of this identity is part of the law itself: an action, or a choice of an enumerated type.
    pub(super) fn declares(&self, uid: &Uid) -> bool {
        self.actions.contains_key(uid)
            || self.types.get(uid.type_name()).and_then(|t| t.choices.as_ref()).is_some_and(|c| c.contains(uid.id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(of: &[(&str, Value)]) -> Record {
        of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn shape(of: &[(&str, Ty, bool)]) -> Shape {
        let field = |(name, ty, required): &(&str, Ty, bool)| ((*name).to_owned(), Field { ty: ty.clone(), required: *required });
        Shape { fields: of.iter().map(field).collect() }
    }

    #[test]
    fn what_is_not_declared_is_let_be_and_what_is_declared_is_as_it_says() {
        let inner = shape(&[("x", Ty::Bool, true)]);
        let outer = shape(&[("n", Ty::Long, true), ("all", Ty::Set(Box::new(Ty::Record(inner))), false)]);
        let all = |x: Value| Value::Set([Value::Record(record(&[("x", x), ("y", Value::Long(1))]))].into());
        let wider = record(&[("n", Value::Long(1)), ("more", Value::Bool(true)), ("all", all(Value::Bool(true)))]);
        assert_eq!(outer.check(&wider).unwrap_err().code, Code::AttributeUnknown);
        assert_eq!(outer.check_declared(&wider), Ok(()));
        assert_eq!(outer.check_declared(&record(&[("n", Value::Long(1))])), Ok(()));
        let retyped = record(&[("n", Value::Long(1)), ("all", all(Value::Long(1)))]);
        assert_eq!(outer.check_declared(&retyped).unwrap_err().code, Code::AttributeType);
        let lacking = record(&[("more", Value::Bool(true))]);
        assert_eq!(outer.check_declared(&lacking).unwrap_err().code, Code::AttributeMissing);
    }

    #[test]
    fn whatever_is_walked_past_is_what_the_search_finds_no_misfit_in() {
        let types = [Ty::Long, Ty::Record(shape(&[("x", Ty::Bool, true), ("y", Ty::Bool, false)])), Ty::Set(Box::new(Ty::Long))];
        let values = [
            Value::Long(1),
            Value::Record(record(&[("x", Value::Bool(true))])),
            Value::Record(record(&[("y", Value::Bool(true))])),
            Value::Record(record(&[("x", Value::Bool(true)), ("z", Value::Long(1))])),
            Value::Set([Value::Long(1), Value::Long(2)].into()),
            Value::Set([Value::Long(1), Value::Bool(true)].into()),
        ];
        // Every shape of up to three fields against every record of up to four attributes, absent ones written as `None`.
        let mut fitting = 0;
        for fields in 0..7usize.pow(3) {
            let at = |i: u32| fields / 7usize.pow(i) % 7;
            let names = ["b", "d", "f"];
            let declared: Vec<(&str, Ty, bool)> =
                (0..3u32).filter(|i| at(*i) < 6).map(|i| (names[i as usize], types[at(i) % 3].clone(), at(i) / 3 == 0)).collect();
            let shape = shape(&declared);
            for attributes in 0..7usize.pow(4) {
                let at = |i: u32| attributes / 7usize.pow(i) % 7;
                let names = ["b", "c", "d", "f"];
                let given: Vec<(&str, Value)> =
                    (0..4u32).filter(|i| at(*i) < 6).map(|i| (names[i as usize], values[at(i)].clone())).collect();
                let record = record(&given);
                let found = shape.find_misfit(&record);
                assert_eq!(shape.fits(&record), found.is_ok(), "{shape:?} {record:?} {found:?}");
                fitting += u32::from(found.is_ok());
            }
        }
        assert!(fitting > 100, "{fitting}");
    }
}
