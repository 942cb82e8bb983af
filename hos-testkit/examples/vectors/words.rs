//! Rust, in its own words: calls are made by the engine's builders, and answers put together again field by field.

use crate::Language;
use crate::raw::{Raw, closed, failed};
use crate::scenario::Came;
use hos_core::answer::{Answer, Receipt};
use hos_core::call::{Adopt, Begin, By, Can, Change, Directory, Legacy, LegacyEntry, LegacyLog, Note, Transition};
use hos_core::id::{DottedName, InstanceId, Name, OnceKey, RequestId, Tenant, Uid};
use hos_core::policy::{Effect, Entity};
use hos_core::proof::record::{Decision, Durability};
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use hos_engine::{Available, Engine, Failure, HistoryEntry};
use serde_json::{Map, Value as Json, json};

/// The engine by its own calls.
#[derive(Default)]
pub(crate) struct Words(Raw);

impl Language for Words {
    fn open(&mut self, options: &Json) -> Came {
        self.0.open(options)
    }

    fn try_open(&mut self, options: &Json) -> Came {
        self.0.try_open(options)
    }

    fn close(&mut self) -> Came {
        self.0.close()
    }

    fn call(&mut self, operation: &str, json: &[u8]) -> Came {
        self.0.call(operation, json)
    }

    fn words(&mut self, operation: &str, call: &Json) -> Came {
        let Some(engine) = self.0.engine() else { return closed() };
        match said(engine, operation, call) {
            Ok(json) => {
                let status = if json.get("allowed") == Some(&json!(false)) { "refused" } else { "allowed" };
                Came { status: status.into(), json }
            }
            Err(failure) => failed(&failure),
        }
    }
}

fn said(engine: &Engine, operation: &str, call: &Json) -> Result<Json, Failure> {
    let text = |name: &str| call[name].as_str().unwrap_or_default();
    // In shadow the world's word stands even for a tenant that is not there: the call says so, not its beginning.
    let tenant = engine.tenant_named(&Tenant::new(text("tenant"))?);
    if ["available", "history", "message"].contains(&operation) {
        engine.tenant(text("tenant"))?;
    }
    let language = call["language"].as_str();
    let once = || call["once"].as_str().map(OnceKey::new).transpose();
    let answer = match operation {
        "can" => {
            let (by, resource) = (by(call)?, uid(&call["resource"])?);
            tenant.can(&Can { by, action: text("action").into(), resource })?
        }
        "can_all" => {
            let asked = call["evaluations"].as_array().cloned().unwrap_or_default();
            if asked.is_empty() {
                // No question is no call on the wire; asked for no answer the engine gives none.
                return Err(Failure::new(Code::CallMalformed, "no questions"));
            }
            let one = |own: &Json| {
                let mut words = call.clone();
                for name in ["context", "given"].into_iter().filter(|name| own.get(name).is_some()) {
                    words[name] = own[name].clone();
                }
                let action = own["action"].as_str().unwrap_or_default().to_owned();
                Ok(Can { by: by(&words)?, action, resource: uid(&own["resource"])? })
            };
            let answers = tenant.can_all(&asked.iter().map(one).collect::<Result<Vec<_>, Failure>>()?)?;
            let each: Vec<Json> = answers.iter().map(|answer| again(engine, answer, language)).collect();
            return Ok(json!({ "allowed": answers.iter().all(|answer| answer.allowed), "evaluations": each }));
        }
        "begin" => {
            let by = by(call)?;
            let begin = Begin::new(by.principal.clone(), text("contract"), text("id"), text("event"))?;
            tenant.begin(Begin { by, facts: record(&call["facts"]), args: record(&call["args"]), once: once()?, ..begin })?
        }
        "transition" => {
            let by = by(call)?;
            let moved = Transition::new(by.principal.clone(), text("contract"), text("id"), text("event"))?;
            let reason = call["reason"].as_str().map(str::to_owned);
            tenant.transition(Transition { by, args: record(&call["args"]), once: once()?, reason, ..moved })?
        }
        "record" => {
            let by = by(call)?;
            let payload = match call["payload_hex"].as_str() {
                Some(hex) => (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect(),
                None => text("payload").as_bytes().to_vec(),
            };
            let note = Note::new(by.principal.clone(), text("stream"), payload)?;
            let subject = call.get("subject").map(uid).transpose()?;
            tenant.record(Note { by, subject, once: once()?, ..note })?
        }
        "directory" => {
            let by = by(call)?;
            tenant.directory(Directory {
                once: once()?,
                by: by.clone(),
                ..Directory::new(by.principal, change(&call["change"])?)
            })?
        }
        "adopt" => tenant.adopt(Adopt {
            by: by(call)?,
            contract: Name::new(text("contract"))?,
            id: InstanceId::new(text("id"))?,
            state: Name::new(text("state"))?,
            facts: record(&call["facts"]),
            once: once()?,
        })?,
        "legacy" => tenant.legacy(LegacyLog {
            by: by(call)?,
            contract: Name::new(text("contract"))?,
            id: InstanceId::new(text("id"))?,
            entries: entries(&call["entries"])?,
            once: once()?,
        })?,
        "message" => return Ok(json!({ "message": engine.law()?.message(language.unwrap_or_default(), text("code")) })),
        _ => {
            let (contract, id) = (Name::new(text("contract"))?, InstanceId::new(text("id"))?);
            let law = engine.law()?;
            if operation == "available" {
                let by = by(call)?;
                hos_wire::present(&law, &tenant, &contract, &id)?;
                let told = tenant.available(&contract, &id, &by)?;
                return Ok(json!({ "available": told.iter().map(|a| available(engine, a, language)).collect::<Vec<_>>() }));
            }
            hos_wire::recorded(&law, &tenant, &contract, &id)?;
            let limit = call["limit"].as_u64().map_or(1_000, |n| usize::try_from(n).unwrap().min(1_000));
            let told = tenant.history(&contract, &id, call["from"].as_u64().unwrap_or(0), limit)?;
            return Ok(json!({ "history": told.iter().map(entry).collect::<Vec<_>>() }));
        }
    };
    Ok(again(engine, &answer, language))
}

/// A Rust program can make any list; what is no list of rows on the wire is refused by the engine under another code, in its own tests.
fn entries(rows: &Json) -> Result<Vec<LegacyEntry>, Failure> {
    match rows.as_array() {
        Some(rows) if !rows.is_empty() => rows.iter().map(entry_of).collect(),
        _ => Err(Failure::new(Code::CallMalformed, "no rows")),
    }
}

fn entry_of(row: &Json) -> Result<LegacyEntry, Failure> {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let at = Timestamp::parse(row["at"].as_str().unwrap_or_default());
    let at = at.map_err(|e| Failure::new(Code::ValueInvalid, e.to_string()))?;
    let new = LegacyEntry::new(at, row["to"].as_str().unwrap_or_default());
    let entry = LegacyEntry {
        from: text("from"),
        event: text("event"),
        actor: text("actor"),
        detail: text("detail"),
        key: text("key"),
        ..new
    };
    entry.fault().map_or(Ok(entry), |fault| Err(Failure::new(Code::CallMalformed, fault)))
}

fn by(call: &Json) -> Result<By, Failure> {
    let given = |entity: &Json| -> Result<Entity, Failure> {
        let parents = entity["parents"].as_array().into_iter().flatten().map(uid).collect::<Result<_, _>>()?;
        Ok(Entity { uid: uid(&entity["uid"])?, attrs: record(&entity["attrs"]), parents, record: None })
    };
    let legacy = call.get("legacy").map(|world| -> Result<Legacy, Failure> {
        let state = world["state"].as_str().map(Name::new).transpose()?;
        Ok(Legacy { allowed: world["allowed"].as_bool().unwrap(), state })
    });
    Ok(By {
        principal: uid(&call["principal"])?,
        request: call["request"].as_str().map(RequestId::new).transpose()?,
        context: record(&call["context"]).into(),
        given: call["given"].as_array().into_iter().flatten().map(given).collect::<Result<Vec<_>, _>>()?.into(),
        legacy: legacy.transpose()?,
    })
}

fn uid(json: &Json) -> Result<Uid, Failure> {
    Ok(Uid::new(json["type"].as_str().unwrap_or_default(), json["id"].as_str().unwrap_or_default())?)
}

fn record(json: &Json) -> Record {
    json.as_object().into_iter().flatten().map(|(name, v)| (name.clone(), value(v))).collect()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Bool(v) => Value::Bool(*v),
        Json::Number(v) => Value::Long(v.as_i64().expect("an integer: others stand in a `text`")),
        Json::String(v) => Value::String(v.clone()),
        Json::Array(items) => Value::Set(items.iter().map(value).collect()),
        Json::Object(fields) => match (fields.get("__entity"), fields.get("__extn")) {
            (Some(entity), _) => Value::Entity(uid(entity).expect("a uid")),
            (_, Some(ext)) => {
                let of = Ext::from_function(ext["fn"].as_str().unwrap()).expect("an extension");
                Value::Ext(of, ext["arg"].as_str().unwrap().into())
            }
            _ => Value::Record(record(json)),
        },
        Json::Null => panic!("a null stands in a `text`"),
    }
}

fn change(json: &Json) -> Result<Change, Failure> {
    let (kind, of) = json.as_object().and_then(|o| o.iter().next()).expect("one change");
    let text = |name: &str| of[name].as_str().unwrap_or_default().to_owned();
    Ok(match kind.as_str() {
        "put" => Change::Put { uid: uid(&of["uid"])?, attrs: record(&of["attrs"]) },
        "remove" => Change::Remove { uid: uid(&of["uid"])? },
        "join" => Change::Join { uid: uid(&of["uid"])?, parent: uid(&of["parent"])? },
        "leave" => Change::Leave { uid: uid(&of["uid"])?, parent: uid(&of["parent"])? },
        "grant" => Change::Grant {
            id: text("id"),
            template: text("template"),
            principal: of.get("principal").map(uid).transpose()?,
            resource: of.get("resource").map(uid).transpose()?,
        },
        _ => Change::Revoke { id: text("id") },
    })
}

fn put<T: Into<Json>>(out: &mut Map<String, Json>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        out.insert(name.into(), value.into());
    }
}

fn again(engine: &Engine, answer: &Answer, language: Option<&str>) -> Json {
    let mut out = Map::new();
    out.insert("allowed".into(), json!(answer.allowed));
    put(&mut out, "code", answer.code());
    out.insert("blockers".into(), blockers(engine, &answer.blockers, language));
    put(&mut out, "effect", answer.effect.map(effect));
    out.insert("policies".into(), json!(answer.policies));
    let errors = answer.errors.iter().map(|e| json!({ "policy": e.policy, "kind": e.kind, "message": e.message }));
    out.insert("errors".into(), errors.collect());
    out.insert("mode".into(), json!(answer.mode.as_str()));
    out.insert("divergence".into(), json!(answer.divergence));
    let candidate = answer.candidate.as_ref();
    put(
        &mut out,
        "candidate",
        candidate.map(|c| json!({ "allowed": c.allowed, "blockers": blockers(engine, &c.blockers, language) })),
    );
    out.insert("directory_version".into(), json!(answer.directory_version));
    put(&mut out, "from", answer.from.as_ref().map(Name::as_str));
    put(&mut out, "to", answer.to.as_ref().map(Name::as_str));
    put(&mut out, "version", answer.version);
    out.insert("fired".into(), answer.fired.iter().map(Name::as_str).collect());
    out.insert("again".into(), json!(answer.again));
    put(&mut out, "receipt", answer.receipt.as_ref().map(receipt));
    Json::Object(out)
}

fn blockers(engine: &Engine, blockers: &[Blocker], language: Option<&str>) -> Json {
    let one = |b: &Blocker| {
        let mut out = json!({ "code": b.code, "detail": b.detail });
        if let (Some(language), Ok(law)) = (language, engine.law()) {
            out["message"] = json!(law.message(language, &b.code));
        }
        out
    };
    blockers.iter().map(one).collect()
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Forbidden => "forbidden",
        Effect::ForbidError => "forbid_error",
        Effect::NotPermitted => "not_permitted",
    }
}

fn receipt(receipt: &Receipt) -> Json {
    let mut out = json!({ "tenant": receipt.tenant.as_str(), "n": receipt.n });
    if let Some(seal) = &receipt.seal {
        out["seal"] = json!({ "seq": seal.seq });
    }
    out
}

fn available(engine: &Engine, told: &Available, language: Option<&str>) -> Json {
    let mut out = Map::new();
    out.insert("event".into(), json!(told.event.as_str()));
    out.insert("allowed".into(), json!(told.answer.allowed));
    put(&mut out, "code", told.answer.code());
    out.insert("blockers".into(), blockers(engine, &told.answer.blockers, language));
    put(&mut out, "to", told.answer.to.as_ref().map(Name::as_str));
    out.insert("needs".into(), told.needs.iter().map(Name::as_str).collect());
    Json::Object(out)
}

fn entry(entry: &HistoryEntry) -> Json {
    let header = &entry.header;
    let mut out = Map::new();
    out.insert("n".into(), json!(entry.receipt.n));
    out.insert("kind".into(), json!(format!("{:?}", header.kind).to_lowercase()));
    put(&mut out, "event", header.event.as_ref().map(DottedName::as_str));
    put(&mut out, "from", header.from.as_ref().map(Name::as_str));
    put(&mut out, "to", header.to.as_ref().map(Name::as_str));
    let decision = match header.decision {
        Decision::None => "none",
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    out.insert("decision".into(), json!(decision));
    put(&mut out, "code", header.refusal.as_deref());
    out.insert("policies".into(), json!(header.policies));
    out.insert("mode".into(), json!(["off", "shadow", "enforce"][usize::from(header.mode)]));
    put(&mut out, "contract_version", header.contract_version);
    out.insert("directory_version".into(), json!(header.directory_version));
    let durability = match header.durability {
        Durability::Unknown => "unknown",
        Durability::Full => "full",
        Durability::Weak => "weak",
    };
    out.insert("durability".into(), json!(durability));
    put(&mut out, "request", header.request.as_ref().map(RequestId::as_str));
    let parts = entry.parts.iter().map(|(name, record)| (name.clone(), hos_wire::value::record_json(record)));
    out.insert("parts".into(), Json::Object(parts.collect()));
    out.insert("erased".into(), json!(entry.erased));
    out.insert("receipt".into(), receipt(&entry.receipt));
    Json::Object(out)
}
