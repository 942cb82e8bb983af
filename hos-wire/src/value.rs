//! Values as JSON, in Cedar's own forms, both ways.
//!
//! | value | JSON |
//! |---|---|
//! | `Bool`, `Long`, `String` | `true`, `4200`, `"x"` |
//! | set | array; order and repetition mean nothing |
//! | record | object |
//! | entity | `{"__entity": {"type": "Pazar::Account", "id": "ayse"}}` |
//! | extension | `{"__extn": {"fn": "decimal", "arg": "1.50"}}` |

use crate::fields::{Fields, malformed};
use crate::strict::Tree;
use hos_core::id::{Shown, Uid};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Ext, Record, Value};
use hos_engine::Failure;
use serde_json::{Map, Value as Json, json};

/// A record from an object, bounded.
pub fn record(what: &'static str, tree: Tree) -> Result<Record, Failure> {
    let Tree::Object(fields) = tree else {
        return Err(malformed(format!("{what} must be an object, not {}", tree.kind())));
    };
    fields.keys().try_for_each(|name| attribute(name))?;
    let record = fields.into_iter().map(|(k, v)| Ok((k, value(v)?))).collect::<Result<Record, Failure>>()?;
    Value::check_bounds(&record).map_err(|e| Failure::new(Code::CallTooLarge, format!("{what}: {e}")))?;
    Ok(record)
}

/// One value. The tree's own bound on nesting bounds this.
pub fn value(tree: Tree) -> Result<Value, Failure> {
    Ok(match tree {
        Tree::Bool(v) => Value::Bool(v),
        Tree::Long(v) => Value::Long(v),
        Tree::Text(v) => Value::String(v),
        Tree::List(items) => Value::Set(items.into_iter().map(value).collect::<Result<_, _>>()?),
        Tree::Object(mut fields) => {
            let marked = fields.keys().find(|k| k.starts_with("__")).cloned();
            match marked.as_deref() {
                None => Value::Record(fields.into_iter().map(|(k, v)| Ok((k, value(v)?))).collect::<Result<_, Failure>>()?),
                Some(mark @ ("__entity" | "__extn")) if fields.len() == 1 => match fields.remove(mark) {
                    Some(inner) if mark == "__entity" => Value::Entity(pair("`__entity`", inner)?),
                    Some(inner) => extension(inner)?,
                    None => return Err(malformed(format!("`{mark}` holds nothing"))),
                },
                Some(mark) => return Err(reserved(mark)),
            }
        }
    })
}

/// Whether a field can be called so: what begins with `__` says which kind of value stands under it.
pub(crate) fn attribute(name: &str) -> Result<(), Failure> {
    if name.starts_with("__") { Err(reserved(name)) } else { Ok(()) }
}

fn reserved(name: &str) -> Failure {
    let shown: String = name.chars().take(80).collect();
    malformed(format!("`{}` is no attribute: only `__entity` or `__extn`, alone, begin so", Shown(&shown)))
}

/// An entity's identity where one is expected: `{"type": .., "id": ..}`, or Cedar's longer form.
pub fn uid(what: &'static str, tree: Tree) -> Result<Uid, Failure> {
    match tree {
        Tree::Object(mut fields) if fields.len() == 1 && fields.contains_key("__entity") => match fields.remove("__entity") {
            Some(inner) => pair(what, inner),
            None => Err(malformed(format!("{what} is empty"))),
        },
        other => pair(what, other),
    }
}

fn pair(what: &'static str, tree: Tree) -> Result<Uid, Failure> {
    let mut fields = Fields::of(what, tree, &["type", "id"])?;
    let (type_name, id) = (fields.text("type")?, fields.text("id")?);
    Ok(Uid::new(type_name, id)?)
}

fn extension(tree: Tree) -> Result<Value, Failure> {
    let mut fields = Fields::of("`__extn`", tree, &["fn", "arg"])?;
    let (function, arg) = (fields.text("fn")?, fields.text("arg")?);
    let Some(ext) = Ext::from_function(&function) else {
        let shown: String = function.chars().take(80).collect();
        return Err(malformed(format!("`{}` is no extension: decimal, datetime, duration or ip", Shown(&shown))));
    };
    Ok(Value::Ext(ext, arg))
}

/// An entity that comes with a call: `{"uid": .., "attrs": {..}, "parents": [..]}`, the last two if there are any.
pub fn entity(tree: Tree) -> Result<Entity, Failure> {
    let mut fields = Fields::of("an entity", tree, &["uid", "attrs", "parents"])?;
    let uid = uid("`uid`", fields.need("uid")?)?;
    let attrs = fields.take("attrs").map_or(Ok(Record::new()), |t| record("`attrs`", t))?;
    let parents = match fields.take("parents") {
        None => Vec::new(),
        Some(Tree::List(items)) => items,
        Some(other) => return Err(malformed(format!("`parents` of an entity must be an array, not {}", other.kind()))),
    };
    let parents = parents.into_iter().map(|t| self::uid("a parent", t)).collect::<Result<_, _>>()?;
    Ok(Entity { uid, attrs, parents, record: None })
}

/// A value as JSON.
pub fn value_json(value: &Value) -> Json {
    match value {
        Value::Bool(v) => json!(v),
        Value::Long(v) => json!(v),
        Value::String(v) => json!(v),
        Value::Entity(uid) => json!({ "__entity": uid_json(uid) }),
        Value::Set(items) => Json::Array(items.iter().map(value_json).collect()),
        Value::Record(fields) => record_json(fields),
        Value::Ext(ext, arg) => json!({ "__extn": { "fn": ext.function(), "arg": arg } }),
    }
}

/// A record as JSON.
pub fn record_json(record: &Record) -> Json {
    Json::Object(record.iter().map(|(k, v)| (k.clone(), value_json(v))).collect::<Map<_, _>>())
}

/// An identity as JSON: `{"type": .., "id": ..}`.
pub fn uid_json(uid: &Uid) -> Json {
    json!({ "type": uid.type_name(), "id": uid.id() })
}

/// An entity as JSON.
pub fn entity_json(entity: &Entity) -> Json {
    json!({
        "uid": uid_json(&entity.uid),
        "attrs": record_json(&entity.attrs),
        "parents": entity.parents.iter().map(uid_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict::parse;

    fn read(text: &str) -> Result<Value, Failure> {
        value(parse(text.as_bytes(), 1 << 20)?)
    }

    #[test]
    fn values_go_out_and_come_back() {
        let text = r#"{"a":true,"e":{"__entity":{"type":"Pazar::Account","id":"a\"\u0000"}},"n":-1,"r":{"x":""},"s":[1,2],"t":{"__extn":{"fn":"decimal","arg":"1.5"}}}"#;
        let value = read(text).unwrap();
        let again = serde_json::to_string(&value_json(&value)).unwrap();
        assert_eq!(read(&again).unwrap(), value);
        let Value::Record(fields) = value else { panic!("no record") };
        assert_eq!(fields["e"], Value::Entity(Uid::new("Pazar::Account", "a\"\0").unwrap()));
        assert_eq!(fields["t"], Value::Ext(Ext::Decimal, "1.5".into()));
    }

    #[test]
    fn sets_forget_order_and_repetition() {
        assert_eq!(read("[2,1,2]").unwrap(), read("[1,2]").unwrap());
    }

    #[test]
    fn reserved_keys_are_not_attributes() {
        for (text, wanted) in [
            (r#"{"__entity":{"type":"A","id":"x"},"more":1}"#, Code::CallMalformed),
            (r#"{"__expr":"1 + 1"}"#, Code::CallMalformed),
            (r#"{"__entity":{"type":"A"}}"#, Code::CallMalformed),
            (r#"{"__entity":{"type":"A","id":"x","uid":"y"}}"#, Code::CallMalformed),
            (r#"{"__entity":"A::\"x\""}"#, Code::CallMalformed),
            (r#"{"__entity":{"type":"A","id":""}}"#, Code::IdInvalid),
            (r#"{"__entity":{"type":"A:B","id":"x"}}"#, Code::IdInvalid),
            (r#"{"__extn":{"fn":"eval","arg":"x"}}"#, Code::CallMalformed),
            (r#"{"__extn":{"fn":"decimal","arg":1}}"#, Code::CallMalformed),
        ] {
            assert_eq!(read(text).unwrap_err().code, wanted, "{text}");
        }
    }

    #[test]
    fn a_record_as_a_whole_holds_no_reserved_key_either() {
        for (text, told) in [
            (r#"{"__x":1}"#, "`__x` is no attribute"),
            (r#"{"a":1,"__x":{"b":2}}"#, "`__x` is no attribute"),
            (r#"{"__entity":{"type":"A","id":"x"}}"#, "`__entity` is no attribute"),
        ] {
            let failure = record("x", parse(text.as_bytes(), 1 << 20).unwrap()).unwrap_err();
            assert_eq!(failure.code, Code::CallMalformed, "{text}");
            assert!(failure.message.starts_with(told), "{}", failure.message);
        }
        assert!(record("x", parse(br#"{"_x":1,"x__":2}"#, 1 << 20).unwrap()).is_ok());
    }

    #[test]
    fn depth_of_values_is_bounded_besides_the_depth_of_text() {
        let nested = format!("{{\"a\":{}1{}}}", "[".repeat(35), "]".repeat(35));
        assert_eq!(record("x", parse(nested.as_bytes(), 1 << 20).unwrap()).unwrap_err().code, Code::CallTooLarge);
    }

    #[test]
    fn entities_name_their_parents() {
        let tree = parse(br#"{"uid":{"type":"A","id":"x"},"parents":[{"__entity":{"type":"G","id":"y"}}]}"#, 1 << 20).unwrap();
        let entity = entity(tree).unwrap();
        assert!(entity.attrs.is_empty() && entity.parents.contains(&Uid::new("G", "y").unwrap()));
    }
}
