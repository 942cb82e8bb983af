//! A report of a fork: made from a store, verified by anybody.

use crate::exit;
use crate::out::Done;
use hos_core::proof::fork::Fork;
use hos_core::proof::trust::Trust;
use serde_json::json;

/// Whether a report proves that a log signed two histories. One that holds is no refusal: it is believed.
pub(super) fn run(bytes: &[u8], trust: &Trust) -> Done {
    match Fork::decode(bytes).and_then(|fork| fork.prove(trust)) {
        Ok(proved) => {
            let (one, other) = (proved.keys.0.to_string(), proved.keys.1.to_string());
            let mut text = format!(
                "forked   {} signed two histories of its first {} entries\n  {}\n  {}\nsigned   by {one}\n",
                proved.origin, proved.sizes.0, proved.roots.0, proved.roots.1
            );
            if one != other {
                text.push_str(&format!("         and {other}\n"));
            }
            Done::ok(
                text,
                json!({
                    "verdict": "forked",
                    "code": null,
                    "origin": proved.origin,
                    "sizes": [proved.sizes.0, proved.sizes.1],
                    "roots": [proved.roots.0.to_string(), proved.roots.1.to_string()],
                    "keys": [one, other],
                }),
            )
        }
        Err(error) => {
            let code = error.code();
            let json = json!({ "verdict": "refused", "code": code, "why": error.to_string() });
            Done { exit: exit::FINDINGS, text: format!("refused  {code}: {error}\n"), json }
        }
    }
}
