//! What can be saved of a call that was not answered: whose it was, what it was about, and what the world did.
//!
//! In shadow the world's own answer stands even where the call was too large, or held a value that no call may hold. So this
//! reads past all that, keeps a few short strings whatever the call's size, and gives up where it is in doubt: no JSON, a key
//! twice, another kind of value. Who may stand on it is decided by the engine, by the laws in force.

use hos_core::call::Legacy;
use hos_core::id::{Name, Tenant};
use hos_core::judge::About;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A call, as far as it could be read.
#[derive(Debug, Deserialize)]
pub(crate) struct Saved {
    tenant: String,
    legacy: Object<World>,
    pub(crate) language: Option<String>,
    action: Option<String>,
    contract: Option<String>,
    event: Option<String>,
}

#[derive(Debug, Deserialize)]
struct World {
    allowed: bool,
    #[serde(default, rename = "state")]
    _state: Option<IgnoredAny>,
}

/// What is read from an object and from nothing else: a list of as many values would be taken for the same by itself.
#[derive(Debug)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Object)
    }
}

/// Reads what can be read; `None` where the world's own answer cannot be told from the bytes.
pub(crate) fn saved(json: &[u8]) -> Option<Saved> {
    serde_json::from_slice(json).ok().map(|Object(saved)| saved)
}

impl Saved {
    /// Asks `then` with the tenant, what the call was about, and the world's own outcome.
    pub(crate) fn ask<T>(&self, operation: &str, then: impl FnOnce(&Tenant, About<'_>, &Legacy) -> Option<T>) -> Option<T> {
        let tenant = Tenant::new(&self.tenant).ok()?;
        let legacy = Legacy { allowed: self.legacy.0.allowed, state: None };
        let named = || Some((Name::new(self.contract.as_ref()?).ok()?, Name::new(self.event.as_ref()?).ok()?));
        match operation {
            "can" => then(&tenant, About::Act(self.action.as_ref()?), &legacy),
            "begin" => named().and_then(|(contract, event)| then(&tenant, About::Birth(&contract, &event), &legacy)),
            "transition" => named().and_then(|(contract, event)| then(&tenant, About::Event(&contract, &event), &legacy)),
            "record" => then(&tenant, About::Note, &legacy),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(operation: &str, json: &str) -> Option<String> {
        saved(json.as_bytes())?.ask(operation, |tenant, about, legacy| Some(format!("{tenant} {about:?} {}", legacy.allowed)))
    }

    #[test]
    fn the_world_s_word_is_read_past_everything_else() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for stray in ["1.5", "null", "99999999999999999999999999", "{\"x\":1,\"x\":2}", "\"\"", &deep] {
            let json = format!(r#"{{"tenant":"t1","x":{stray},"legacy":{{"allowed":true,"state":"s"}},"action":"o.go"}}"#);
            assert_eq!(about("can", &json).as_deref(), Some("t1 Act(\"o.go\") true"), "{:.40}", stray);
        }
        let event = r#"{"contract":"o","event":"go","legacy":{"allowed":false},"tenant":"t1"}"#;
        assert!(about("transition", event).is_some_and(|said| said.contains("Event") && said.ends_with("false")));
    }

    #[test]
    fn doubt_saves_nothing() {
        let table = [
            ("can", r#"{"tenant":"t1","action":"o.go"}"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":{}}"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":{"allowed":"yes"}}"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":true}"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":[true]}"#),
            ("can", r#"["t1",{"allowed":true},"en","o.go"]"#),
            ("can", r#"["t1",{"allowed":true},"en","o.go",null,null]"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":{"allowed":false},"legacy":{"allowed":true}}"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":{"allowed":false,"allowed":true}}"#),
            ("can", r#"{"tenant":"t1","tenant":"t2","action":"o.go","legacy":{"allowed":true}}"#),
            ("can", r#"{"tenant":"T 1","action":"o.go","legacy":{"allowed":true}}"#),
            ("can", r#"{"tenant":"t1","action":"o.go","legacy":{"allowed":true}"#),
            ("transition", r#"{"tenant":"t1","contract":"o","legacy":{"allowed":true}}"#),
            ("directory", r#"{"tenant":"t1","legacy":{"allowed":true}}"#),
            ("adopt", r#"{"tenant":"t1","contract":"o","event":"go","legacy":{"allowed":true}}"#),
            ("history", r#"{"tenant":"t1","legacy":{"allowed":true}}"#),
        ];
        for (operation, json) in table {
            assert_eq!(about(operation, json), None, "{operation} {json}");
        }
    }
}
