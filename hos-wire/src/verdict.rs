//! A verifier's verdict as JSON: the same object from every verifier (`spec/bundle.md`).

use hos_core::audit::{Standing, Verdict};
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
