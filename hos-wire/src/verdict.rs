//! A verifier's verdict as JSON: the same object from every verifier (`spec/bundle.md`).

use hos_core::audit::log::LogVerdict;
use hos_core::audit::{Refused, Standing, Verdict};
use serde_json::{Value as Json, json};

/// A verdict on a bundle.
pub fn verdict_json(verdict: &Verdict) -> Json {
    let refused = match &verdict.standing {
        Standing::Refused(refused) => Some(refused),
        Standing::Intact | Standing::Anchored => None,
    };
    let holds = verdict.holds();
    json!({
        "verdict": verdict.standing.as_str(),
        "code": refused.map(|r| r.code.as_ref()),
        "where": refused.map(|r| r.at.as_str()),
        "origin": holds.then_some(&verdict.origin),
        "size": holds.then_some(verdict.size),
        "instance": verdict.instance.as_ref().map(|i| json!({ "contract": i.contract.as_str(), "id": i.id })),
        "records": verdict.records,
        "gapless": verdict.gapless,
        "complete": verdict.complete.map(|c| json!({ "as_of": c.as_of, "of": if c.labelled { "instance" } else { "thread" } })),
        "parts": { "opened": verdict.parts.0, "hidden": verdict.parts.1, "erased": verdict.parts.2 },
        "witnesses": verdict.witnesses,
        "notices": verdict.notices.iter().map(|n| n.as_str()).collect::<Vec<_>>(),
    })
}

/// A verdict on a log given as tiles, or on one entry's proof.
pub fn log_verdict_json(verdict: &Result<LogVerdict, Refused>) -> Json {
    let (log, refused) = match verdict {
        Ok(log) => (Some(log), None),
        Err(refused) => (None, Some(refused)),
    };
    json!({
        "verdict": log.map_or("refused", |l| if l.anchored.is_some() { "anchored" } else { "intact" }),
        "code": refused.map(|r| r.code.as_ref()),
        "where": refused.map(|r| r.at.as_str()),
        "origin": log.map(|l| l.origin.as_str()),
        "size": log.map(|l| l.size),
        "anchored": log.map(|l| l.anchored),
        "root": log.map(|l| l.root.to_string()),
        "entries": log.map_or(0, |l| l.entries),
        "threads": log.map_or(0, |l| l.threads),
        "disputed": log.map_or(0, |l| l.disputed),
        "witnesses": log.map(|l| l.witnesses.clone()).unwrap_or_default(),
    })
}
