//! A report of a fork: made from a store, verified by anybody.

use crate::exit;
use crate::out::Done;
use crate::turkish;
use hos_core::proof::fork::Fork;
use hos_core::proof::trust::Trust;
use serde_json::json;

/// Whether a report proves that a log signed two histories. One that holds is no refusal: it is believed.
pub(super) fn run(bytes: &[u8], trust: &Trust, language: &str) -> Done {
    let turkish = language == "tr";
    match Fork::decode(bytes).and_then(|fork| fork.prove(trust)) {
        Ok(proved) => {
            let (one, other) = (proved.keys.0.to_string(), proved.keys.1.to_string());
            let (origin, size) = (&proved.origin, proved.sizes.0);
            let mut text = if turkish {
                format!("çatallı  {origin} ilk {size} girdisi için iki geçmiş imzalamış\n")
            } else {
                format!("forked   {origin} signed two histories of its first {size} entries\n")
            };
            let (signed, also) = if turkish { ("imza    ", "ve") } else { ("signed   by", "and") };
            text.push_str(&format!("  {}\n  {}\n{signed} {one}\n", proved.roots.0, proved.roots.1));
            if one != other {
                text.push_str(&format!("         {also} {other}\n"));
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
            let text = if turkish {
                format!("reddedildi  {code}: {}\n", turkish::evidence(&code))
            } else {
                format!("refused  {code}: {error}\n")
            };
            Done { exit: exit::FINDINGS, text, json }
        }
    }
}
