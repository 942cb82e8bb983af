//! The verdict as the object of `spec/bundle.md`, written here once more from the specification.
#![allow(unreachable_pub, reason = "a test's own")]

use hos_core::audit::{Standing, bundle};
use hos_core::proof::trust::Trust;
use serde_json::{Value as Json, json};

/// The verdict on a bundle by a trust file's text and checkpoints that were kept.
pub fn of(bytes: &[u8], trust: &str, against: &[String]) -> Json {
    let refused = |code: &str, at: Option<&str>| {
        json!({
            "verdict": "refused", "code": code, "where": at, "origin": null, "size": null, "instance": null, "records": 0,
            "gapless": null, "complete": null, "parts": { "opened": 0, "hidden": 0, "erased": 0 }, "witnesses": [], "notices": [],
        })
    };
    let trust = match Trust::parse(trust.as_bytes()) {
        Ok(trust) => trust,
        Err(error) => return refused(error.code(), None),
    };
    let kept: Vec<&[u8]> = against.iter().map(String::as_bytes).collect();
    let verdict = bundle(bytes, &trust, &kept);
    if let Standing::Refused(why) = &verdict.standing {
        return refused(&why.code, Some(&why.at));
    }
    let complete =
        verdict.complete.map(|map| json!({ "as_of": map.as_of, "of": if map.labelled { "instance" } else { "thread" } }));
    let instance = verdict.instance.map(|one| json!({ "contract": one.contract.as_str(), "id": one.id }));
    let (opened, hidden, erased) = verdict.parts;
    json!({
        "verdict": verdict.standing.as_str(), "code": null, "where": null, "origin": verdict.origin, "size": verdict.size,
        "instance": instance, "records": verdict.records, "gapless": verdict.gapless, "complete": complete,
        "parts": { "opened": opened, "hidden": hidden, "erased": erased }, "witnesses": verdict.witnesses,
        "notices": verdict.notices.iter().map(|notice| notice.as_str()).collect::<Vec<_>>(),
    })
}
