//! A call that a Rust program made, in the bytes that it would have come in: so it can wait in the inbox of a store.

use crate::value::{entity_json, record_json, uid_json};
use hos_core::call::{By, Call, Change, LegacyEntry};
use hos_core::id::Tenant;
use hos_core::refusal::Code;
use hos_engine::Failure;
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;

/// The operation's name, a line's end, and the call in JSON; [`call_that_came`](crate::joined::call_that_came) reads it.
///
/// # Errors
///
/// [`Code::CallTooLarge`] and others: nobody could have sent it.
pub fn call_bytes(tenant: &Tenant, call: &Call) -> Result<Vec<u8>, Failure> {
    let mut out = by_json(tenant, call.by());
    let mut set = |name: &str, value: Json| out.insert(name.to_owned(), value);
    let operation = match call {
        Call::Begin(c) => {
            set("contract", json!(c.contract.as_str()));
            set("id", json!(c.id.as_str()));
            set("event", json!(c.event.as_str()));
            set("facts", record_json(&c.facts));
            set("args", record_json(&c.args));
            "begin"
        }
        Call::Transition(c) => {
            set("contract", json!(c.contract.as_str()));
            set("id", json!(c.id.as_str()));
            set("event", json!(c.event.as_str()));
            set("args", record_json(&c.args));
            if let Some(reason) = &c.reason {
                set("reason", json!(reason));
            }
            "transition"
        }
        Call::Note(c) => {
            set("stream", json!(c.stream.as_str()));
            set("payload_hex", json!(hex(&c.payload)));
            if let Some(subject) = &c.subject {
                set("subject", uid_json(subject));
            }
            "record"
        }
        Call::Directory(c) => {
            set("change", change_json(&c.change));
            "directory"
        }
        Call::Adopt(c) => {
            set("contract", json!(c.contract.as_str()));
            set("id", json!(c.id.as_str()));
            set("state", json!(c.state.as_str()));
            set("facts", record_json(&c.facts));
            "adopt"
        }
        Call::LegacyLog(c) => {
            set("contract", json!(c.contract.as_str()));
            set("id", json!(c.id.as_str()));
            set("entries", c.entries.iter().map(entry_json).collect());
            "legacy"
        }
    };
    if let Some(key) = call.once() {
        set("once", json!(key.as_str()));
    }
    let json = crate::serve::bytes(&Json::Object(out));
    if json.len() > crate::CALL_BYTES_MAX {
        let message = format!("the call is {} bytes of JSON, at most {} are read", json.len(), crate::CALL_BYTES_MAX);
        return Err(Failure::new(Code::CallTooLarge, message));
    }
    let bytes = [operation.as_bytes(), b"\n", &json].concat();
    // What nobody could read again is not left to wait.
    crate::joined::call_that_came(&bytes)?;
    Ok(bytes)
}

fn by_json(tenant: &Tenant, by: &By) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("tenant".into(), json!(tenant.as_str()));
    out.insert("principal".into(), uid_json(&by.principal));
    if let Some(request) = &by.request {
        out.insert("request".into(), json!(request.as_str()));
    }
    if !by.context.is_empty() {
        out.insert("context".into(), record_json(&by.context));
    }
    if !by.given.is_empty() {
        out.insert("given".into(), by.given.iter().map(entity_json).collect());
    }
    if let Some(legacy) = &by.legacy {
        let mut said = Map::from_iter([("allowed".to_owned(), json!(legacy.allowed))]);
        if let Some(state) = &legacy.state {
            said.insert("state".into(), json!(state.as_str()));
        }
        out.insert("legacy".into(), Json::Object(said));
    }
    out
}

fn entry_json(entry: &LegacyEntry) -> Json {
    let LegacyEntry { at, from, to, event, actor, detail, key } = entry;
    let mut out = Map::from_iter([("at".to_owned(), json!(at.to_string())), ("to".to_owned(), json!(to))]);
    for (name, text) in [("from", from), ("event", event), ("actor", actor), ("detail", detail), ("key", key)] {
        if let Some(text) = text {
            out.insert(name.into(), json!(text));
        }
    }
    Json::Object(out)
}

fn change_json(change: &Change) -> Json {
    match change {
        Change::Put { uid, attrs } => json!({ "put": { "uid": uid_json(uid), "attrs": record_json(attrs) } }),
        Change::Remove { uid } => json!({ "remove": { "uid": uid_json(uid) } }),
        Change::Join { uid, parent } => json!({ "join": { "uid": uid_json(uid), "parent": uid_json(parent) } }),
        Change::Leave { uid, parent } => json!({ "leave": { "uid": uid_json(uid), "parent": uid_json(parent) } }),
        Change::Grant { id, template, principal, resource } => {
            let mut grant = Map::from_iter([("id".to_owned(), json!(id)), ("template".to_owned(), json!(template))]);
            for (name, uid) in [("principal", principal), ("resource", resource)] {
                if let Some(uid) = uid {
                    grant.insert(name.into(), uid_json(uid));
                }
            }
            json!({ "grant": grant })
        }
        Change::Revoke { id } => json!({ "revoke": { "id": id } }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // A string takes all that is written into it.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joined::call_that_came;
    use hos_core::call::{Adopt, Begin, Directory, Legacy, LegacyLog, Note, Transition};
    use hos_core::id::{Name, OnceKey, RequestId, Uid};
    use hos_core::policy::Entity;
    use hos_core::time::Timestamp;
    use hos_core::value::{Ext, Record, Value};

    fn by() -> By {
        let mut by = By::new(Uid::new("N::A", "a\"\0🍎").unwrap());
        by.request = Some(RequestId::new("r-1").unwrap());
        by.context = Record::from([("n".to_owned(), Value::Long(i64::MIN))]).into();
        by.given.push(Entity {
            uid: Uid::new("N::O", "1").unwrap(),
            attrs: Record::from([("e".to_owned(), Value::Ext(Ext::Decimal, "1.5".into()))]),
            parents: [Uid::new("N::R", "r").unwrap()].into(),
            record: None,
        });
        by.legacy = Some(Legacy { allowed: true, state: Some(Name::new("paid").unwrap()) });
        by
    }

    fn whole_entry() -> LegacyEntry {
        LegacyEntry {
            from: Some("a".into()),
            event: Some("e".into()),
            actor: Some("who".into()),
            detail: Some("{\"a\":1}\n".into()),
            key: Some("17".into()),
            ..LegacyEntry::new(Timestamp(0), "b")
        }
    }

    #[test]
    fn every_call_comes_back_as_it_was() {
        let who = Uid::new("N::A", "b").unwrap();
        let args = || Record::from([("s".to_owned(), Value::from("ş")), ("w".to_owned(), Value::Entity(who.clone()))]);
        let mut calls = Vec::new();
        let mut begin = Begin::new(who.clone(), "o", "1 ", "new").unwrap().once("k 1").unwrap();
        (begin.by, begin.facts, begin.args) = (by(), args(), args());
        calls.push(Call::Begin(begin));
        let mut go = Transition::new(who.clone(), "o", "1", "go").unwrap().because("why\n");
        (go.by, go.args) = (by(), args());
        calls.push(Call::Transition(go));
        calls.push(Call::Transition(Transition::new(who.clone(), "o", "1", "go").unwrap()));
        let mut note = Note::new(who.clone(), "a.b", vec![0, 255, 16]).unwrap();
        (note.by, note.subject, note.once) = (by(), Some(who.clone()), Some(OnceKey::new("k").unwrap()));
        calls.push(Call::Note(note));
        let uid = || who.clone();
        for change in [
            Change::Put { uid: uid(), attrs: args() },
            Change::Remove { uid: uid() },
            Change::Join { uid: uid(), parent: uid() },
            Change::Leave { uid: uid(), parent: uid() },
            Change::Grant { id: "g".into(), template: "t".into(), principal: Some(uid()), resource: None },
            Change::Revoke { id: "g".into() },
        ] {
            let mut call = Directory::new(uid(), change);
            call.by = by();
            calls.push(Call::Directory(call));
        }
        calls.push(Call::Adopt(Adopt {
            by: by(),
            contract: Name::new("o").unwrap(),
            id: hos_core::id::InstanceId::new("7").unwrap(),
            state: Name::new("a").unwrap(),
            facts: args(),
            once: None,
        }));
        calls.push(Call::LegacyLog(LegacyLog {
            by: by(),
            contract: Name::new("o").unwrap(),
            id: hos_core::id::InstanceId::new("7").unwrap(),
            entries: vec![LegacyEntry::new(Timestamp(7), "ö"), whole_entry()],
            once: Some(OnceKey::new("k").unwrap()),
        }));
        for call in calls {
            let bytes = call_bytes(&Tenant::new("t").unwrap(), &call).unwrap();
            assert_eq!(call_that_came(&bytes).unwrap(), call, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn what_nobody_could_send_is_not_written() {
        let note = Note::new(Uid::new("N::A", "a").unwrap(), "n", vec![0; crate::CALL_BYTES_MAX]).unwrap();
        let failure = call_bytes(&Tenant::new("t").unwrap(), &Call::Note(note)).unwrap_err();
        assert_eq!(failure.code, Code::CallTooLarge);
    }

    #[test]
    fn what_waits_is_read_as_it_came_and_what_could_not_be_read_does_not_wait() {
        let parents: std::collections::BTreeSet<Uid> = (0..9).map(|i| Uid::new("N::G", format!("g{i}")).unwrap()).collect();
        let given = (0..1000).map(|i| {
            let uid = Uid::new("N::A", format!("a{i}")).unwrap();
            hos_core::policy::Entity { uid, attrs: Record::new(), parents: parents.clone(), record: None }
        });
        let mut note = Note::new(Uid::new("N::A", "a").unwrap(), "n", vec![7]).unwrap();
        note.by.given = given.collect::<Vec<_>>().into();
        let call = Call::Note(note);
        let bytes = call_bytes(&Tenant::new("t").unwrap(), &call).unwrap();
        assert_eq!(call_that_came(&bytes).unwrap(), call);
        let json = &bytes["record\n".len()..];
        assert_eq!(crate::call::parse("record", json, crate::CALL_BYTES_MAX).unwrap_err().code, Code::CallTooLarge);
        // A host that is none of the shells may know names that JSON has another use for.
        let mut note = Note::new(Uid::new("N::A", "a").unwrap(), "n", vec![7]).unwrap();
        note.by.context = Record::from([("__x".to_owned(), Value::Long(1))]).into();
        let failure = call_bytes(&Tenant::new("t").unwrap(), &Call::Note(note)).unwrap_err();
        assert_eq!(failure.code, Code::CallMalformed);
    }
}
