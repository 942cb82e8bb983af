//! What came of a call, as JSON (`spec/answer.md`). A field that has nothing to say is left out; there is no null.

use crate::value::record_json;
use hos_core::answer::{Answer, Candidate, Receipt};
use hos_core::fault::{Fault, Severity};
use hos_core::law::Law;
use hos_core::law::mode::Mode;
use hos_core::policy::Effect;
use hos_core::proof::record::{Decision, Durability, Kind};
use hos_core::refusal::Blocker;
use hos_engine::{Available, Failure, HistoryEntry};
use serde_json::{Map, Value as Json, json};

/// Where messages for end users come from: a law, and a language.
pub type Words<'a> = Option<(&'a Law, &'a str)>;

/// An answer. With `words`, blockers carry the message that the law has for an end user.
pub fn answer_json(answer: &Answer, words: Words<'_>) -> Json {
    let mut out = Map::new();
    out.insert("allowed".into(), json!(answer.allowed));
    put(&mut out, "code", answer.code().map(Json::from));
    out.insert("blockers".into(), blockers_json(&answer.blockers, words));
    put(&mut out, "effect", answer.effect.map(|e| json!(effect_text(e))));
    out.insert("policies".into(), json!(answer.policies));
    let errors = answer.errors.iter().map(|e| json!({ "policy": e.policy, "kind": e.kind, "message": e.message }));
    out.insert("errors".into(), Json::Array(errors.collect()));
    out.insert("mode".into(), json!(answer.mode.as_str()));
    out.insert("divergence".into(), json!(answer.divergence));
    put(&mut out, "candidate", answer.candidate.as_ref().map(|c| candidate_json(c, words)));
    out.insert("law".into(), json!(answer.law.to_string()));
    out.insert("directory_version".into(), json!(answer.directory_version));
    put(&mut out, "from", answer.from.as_ref().map(|n| json!(n.as_str())));
    put(&mut out, "to", answer.to.as_ref().map(|n| json!(n.as_str())));
    put(&mut out, "version", answer.version.map(Json::from));
    out.insert("fired".into(), answer.fired.iter().map(|n| json!(n.as_str())).collect());
    out.insert("again".into(), json!(answer.again));
    put(&mut out, "receipt", answer.receipt.as_ref().map(receipt_json));
    Json::Object(out)
}

/// Several answers, in the order of the questions (AuthZEN's `evaluations`), and whether all of them are yes.
pub fn answers_json(answers: &[Answer], words: Words<'_>) -> (bool, Json) {
    let allowed = answers.iter().all(|answer| answer.allowed);
    let each: Vec<Json> = answers.iter().map(|answer| answer_json(answer, words)).collect();
    (allowed, json!({ "allowed": allowed, "evaluations": each }))
}

fn put(out: &mut Map<String, Json>, name: &str, value: Option<Json>) {
    if let Some(value) = value {
        out.insert(name.to_owned(), value);
    }
}

fn blockers_json(blockers: &[Blocker], words: Words<'_>) -> Json {
    let one = |b: &Blocker| {
        let mut out = Map::new();
        out.insert("code".into(), json!(b.code));
        out.insert("detail".into(), json!(b.detail));
        put(&mut out, "message", words.map(|(law, language)| json!(law.message(language, &b.code))));
        Json::Object(out)
    };
    Json::Array(blockers.iter().map(one).collect())
}

fn candidate_json(candidate: &Candidate, words: Words<'_>) -> Json {
    json!({
        "law": candidate.law.to_string(),
        "allowed": candidate.allowed,
        "blockers": blockers_json(&candidate.blockers, words),
    })
}

/// A receipt: where the record is, and its seal once it has one.
pub fn receipt_json(receipt: &Receipt) -> Json {
    let mut out = Map::new();
    out.insert("tenant".into(), json!(receipt.tenant.as_str()));
    out.insert("thread".into(), json!(receipt.thread.to_string()));
    out.insert("n".into(), json!(receipt.n));
    out.insert("record".into(), json!(receipt.record.to_string()));
    let seal = receipt.seal.as_ref().map(|seal| {
        let mut out = Map::new();
        out.insert("seq".into(), json!(seal.seq));
        out.insert("entry".into(), json!(seal.entry.to_string()));
        put(&mut out, "checkpoint", seal.checkpoint.as_ref().map(|c| json!(&**c)));
        Json::Object(out)
    });
    put(&mut out, "seal", seal);
    Json::Object(out)
}

/// A failure: `{"error": {"code", "message", "faults"}}`. Never an answer, never a yes.
pub fn failure_json(failure: &Failure) -> Json {
    json!({ "error": {
        "code": failure.code.as_str(),
        "message": failure.message,
        "faults": failure.faults.iter().map(fault_json).collect::<Vec<_>>(),
    } })
}

/// A fault of a law's file; `line` and `column` count from 1, 0 means the whole file.
pub fn fault_json(fault: &Fault) -> Json {
    let mut out = Map::new();
    out.insert("code".into(), json!(fault.code));
    out.insert("severity".into(), json!(severity_text(fault.severity)));
    out.insert("file".into(), json!(fault.file));
    out.insert("line".into(), json!(fault.line));
    out.insert("column".into(), json!(fault.column));
    out.insert("message".into(), json!(fault.message));
    put(&mut out, "hint", fault.hint.as_ref().map(|h| json!(h)));
    Json::Object(out)
}

/// What can be done now: `{"available": [{"event", "allowed", "needs", ..}]}`.
pub fn available_json(available: &[Available], words: Words<'_>) -> Json {
    let one = |a: &Available| {
        let mut out = Map::new();
        out.insert("event".into(), json!(a.event.as_str()));
        out.insert("allowed".into(), json!(a.answer.allowed));
        put(&mut out, "code", a.answer.code().map(Json::from));
        out.insert("blockers".into(), blockers_json(&a.answer.blockers, words));
        put(&mut out, "to", a.answer.to.as_ref().map(|n| json!(n.as_str())));
        out.insert("needs".into(), a.needs.iter().map(|n| json!(n.as_str())).collect());
        Json::Object(out)
    };
    json!({ "available": available.iter().map(one).collect::<Vec<_>>() })
}

/// A thread's records: `{"history": [..]}`, oldest first.
pub fn history_json(entries: &[HistoryEntry]) -> Json {
    json!({ "history": entries.iter().map(entry_json).collect::<Vec<_>>() })
}

fn entry_json(entry: &HistoryEntry) -> Json {
    let header = &entry.header;
    let mut out = Map::new();
    out.insert("n".into(), json!(entry.receipt.n));
    out.insert("kind".into(), json!(kind_text(header.kind)));
    out.insert("time".into(), json!(header.time.to_string()));
    put(&mut out, "event", header.event.as_ref().map(|n| json!(n.as_str())));
    put(&mut out, "from", header.from.as_ref().map(|n| json!(n.as_str())));
    put(&mut out, "to", header.to.as_ref().map(|n| json!(n.as_str())));
    out.insert("decision".into(), json!(decision_text(header.decision)));
    put(&mut out, "code", header.refusal.as_ref().map(|c| json!(&**c)));
    out.insert("policies".into(), json!(header.policies));
    out.insert("mode".into(), json!(Mode::from_number(u64::from(header.mode)).map_or("unknown", Mode::as_str)));
    put(&mut out, "law", header.law.map(|h| json!(h.to_string())));
    put(&mut out, "guard_law", header.guard_law.map(|h| json!(h.to_string())));
    put(&mut out, "contract_version", header.contract_version.map(Json::from));
    out.insert("directory_version".into(), json!(header.directory_version));
    out.insert("durability".into(), json!(durability_text(header.durability)));
    put(&mut out, "request", header.request.as_ref().map(|r| json!(r.as_str())));
    let parts: Map<String, Json> = entry.parts.iter().map(|(name, record)| (name.clone(), record_json(record))).collect();
    out.insert("parts".into(), Json::Object(parts));
    out.insert("erased".into(), json!(entry.erased));
    out.insert("receipt".into(), receipt_json(&entry.receipt));
    Json::Object(out)
}

/// `allow`, `forbidden`, `forbid_error`, `not_permitted`.
pub fn effect_text(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Forbidden => "forbidden",
        Effect::ForbidError => "forbid_error",
        Effect::NotPermitted => "not_permitted",
    }
}

/// `error`, `warning`, `note`.
pub fn severity_text(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn decision_text(decision: Decision) -> &'static str {
    match decision {
        Decision::None => "none",
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    }
}

fn durability_text(durability: Durability) -> &'static str {
    match durability {
        Durability::Unknown => "unknown",
        Durability::Full => "full",
        Durability::Weak => "weak",
    }
}

/// A record's kind in one word.
pub fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Begun => "begun",
        Kind::Moved => "moved",
        Kind::Refused => "refused",
        Kind::Expired => "expired",
        Kind::Overridden => "overridden",
        Kind::Migrated => "migrated",
        Kind::Noted => "noted",
        Kind::Directory => "directory",
        Kind::Activated => "activated",
        Kind::Retired => "retired",
        Kind::Founded => "founded",
        Kind::Tenant => "tenant",
        Kind::Observed => "observed",
        Kind::Adopted => "adopted",
        Kind::Legacy => "legacy",
        Kind::Imported => "imported",
        Kind::Erased => "erased",
        Kind::Key => "key",
        Kind::Heads => "heads",
        Kind::Epoch => "epoch",
        Kind::Decided => "decided",
        Kind::Checkpoint => "checkpoint",
    }
}
