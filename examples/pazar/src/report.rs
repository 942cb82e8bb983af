//! What a replay ends with: for a person, or as one line of JSON.

use crate::evidence::Bundle;
use crate::plan::{Market, Plan};
use crate::replay::Done;
use hos_core::law::Law;
use hos_engine::{Level, VerifyReport};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::Path;

/// Everything that is told.
pub(crate) struct Report<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) done: &'a Done,
    pub(crate) verify: &'a VerifyReport,
    pub(crate) store: &'a Path,
    pub(crate) law: &'a Law,
    /// The bundle that was exported, if one was asked for.
    pub(crate) bundle: Option<&'a Bundle>,
}

impl Report<'_> {
    /// Whether the evidence holds and every call is accounted for.
    pub(crate) fn sound(&self) -> bool {
        let totals = &self.done.totals;
        self.verify.level >= Level::Intact
            && totals.attempted == self.plan.events.len() as u64
            && totals.accepted + totals.refused == totals.attempted
    }

    /// One JSON object, in one line.
    pub(crate) fn json(&self) -> Value {
        let totals = &self.done.totals;
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        match &self.plan.market {
            Market::Hotels(hotels) => {
                put("bookings", json!(hotels.bookings()));
                put("forfeits", json!(hotels.forfeits()));
                put("moved", json!(hotels.moved));
            }
            Market::Shop(shop) => {
                let (placed, returned) = (totals.step("order.place"), totals.step("return.accept"));
                put("orders", json!(placed.0));
                put("placed", json!(placed.1));
                put("returns", json!(returned.0));
                put("returns_accepted", json!(returned.1));
                put("lines_without_customer", json!(shop.left_out()));
            }
        }
        put("attempted", json!(totals.attempted));
        put("accepted", json!(totals.accepted));
        put("refused", self.refused());
        put("refused_calls", json!(totals.refused));
        put("policies", json!(totals.policies));
        put("events", json!(totals.steps.iter().map(|(name, (tried, _))| (local(name), *tried)).collect::<Map2>()));
        put("final", self.last_states());
        put("records", json!(self.verify.records));
        put("rate_per_second", json!(totals.rate()));
        put("seconds", json!(totals.millis.div_ceil(1_000)));
        put("resumed_at", json!(self.done.resumed_at));
        put("input", json!(self.plan.digest));
        put("law", json!(self.law.hash.to_string()));
        put("store", json!(self.store.display().to_string()));
        put("ask", json!(self.ask()));
        if let Some(bundle) = self.bundle {
            let (file, trust) = (bundle.file.display().to_string(), bundle.trust.display().to_string());
            put("bundle", json!({ "file": file, "trust": trust, "instance": bundle.instance }));
        }
        put(
            "verify",
            json!({
                "level": self.verify.level.as_str(),
                "records": self.verify.records,
                "unsealed": self.verify.unsealed.0,
                "logs": self.verify.logs.iter().map(|(tenant, size, root)| json!({"tenant": tenant, "size": size, "root": root})).collect::<Vec<_>>(),
                "findings": self.verify.findings.iter().map(|(place, what)| json!({"where": place, "what": what})).collect::<Vec<_>>(),
            }),
        );
        Value::Object(out)
    }

    fn refused(&self) -> Value {
        let mut out = Map::new();
        for (code, count) in &self.done.totals.codes {
            out.insert(local(code).to_owned(), json!(count));
        }
        Value::Object(out)
    }

    fn last_states(&self) -> Value {
        let always: &[&str] = match &self.plan.market {
            Market::Hotels(_) => &["checked_out", "cancelled", "no_show"],
            Market::Shop(_) => &["new", "accepted"],
        };
        let totals = &self.done.totals;
        let mut out: Map<String, Value> = always.iter().map(|s| ((*s).to_owned(), json!(totals.in_state(s)))).collect();
        for (state, count) in totals.states.iter().filter(|(_, count)| **count > 0) {
            out.insert(state.clone(), json!(count));
        }
        Value::Object(out)
    }

    /// A command that shows one instance's records: the one with the most to tell.
    fn ask(&self) -> String {
        let Some((tenant, contract, id)) = self.plan.telling() else { return String::new() };
        format!(
            "hos history --store {} --tenant {tenant} {} {}",
            quoted(&self.store.display().to_string()),
            contract,
            quoted(id.as_str())
        )
    }

    /// For a person.
    pub(crate) fn text(&self) -> String {
        let (totals, mut out) = (&self.done.totals, String::new());
        // Writing into a string cannot fail.
        let mut say = |head: &str, rest: String| {
            let _ = writeln!(out, "{head:<10} {rest}");
        };
        match &self.plan.market {
            Market::Hotels(hotels) => {
                let moved = match hotels.moved {
                    0 => String::new(),
                    n => format!(", {} events dated before what must come first, done together with it", grouped(n)),
                };
                say("replayed", format!("{} bookings of {}{moved}", grouped(hotels.bookings() as u64), self.plan.origin));
            }
            Market::Shop(shop) => {
                say(
                    "replayed",
                    format!(
                        "{} orders and {} returned lines of {}",
                        grouped(shop.orders()),
                        grouped(shop.returns()),
                        self.plan.origin
                    ),
                );
                say(
                    "",
                    format!(
                        "{} lines without a customer left out; totals in units of 1/10^{}",
                        grouped(shop.left_out()),
                        shop.places()
                    ),
                );
            }
        }
        say("into", self.store.display().to_string());
        if self.done.resumed_at as u64 == totals.attempted {
            say("", "all of it was there already; nothing was replayed now".into());
        } else if self.done.resumed_at > 0 {
            say("", format!("gone on after {} events that an earlier run had done", grouped(self.done.resumed_at as u64)));
        }
        say("", String::new());
        say(
            "calls",
            format!(
                "{:>9}  {:>9} allowed  {:>7} refused",
                grouped(totals.attempted),
                grouped(totals.accepted),
                grouped(totals.refused)
            ),
        );
        for (name, (tried, accepted)) in &totals.steps {
            let refused = match tried - accepted {
                0 => String::new(),
                n => format!("  {:>7} refused", grouped(n)),
            };
            say("", format!("{:>9}  {:>9} allowed{refused:<17}  {name}", grouped(*tried), grouped(*accepted)));
        }
        if let Market::Hotels(hotels) = &self.plan.market {
            say("", format!("{:>9}  cancellations kept the deposit", grouped(hotels.forfeits())));
        }
        for (index, (code, count)) in totals.codes.iter().enumerate() {
            say(
                if index == 0 { "refused by" } else { "" },
                format!("{:>9}  guard {code}: {}", grouped(*count), self.law.message("en", code)),
            );
        }
        for (index, (policy, count)) in totals.policies.iter().enumerate() {
            say(if index == 0 { "allowed by" } else { "" }, format!("{:>9}  policy {policy}", grouped(*count)));
        }
        for (index, (state, count)) in totals.states.iter().filter(|(_, n)| **n > 0).enumerate() {
            say(if index == 0 { "now" } else { "" }, format!("{:>9}  {state}", grouped(*count)));
        }
        say("rate", format!("{:>9}  calls a second", grouped(totals.rate())));
        say("", String::new());
        say(
            "evidence",
            format!(
                "{}: {} records verified, {} not yet sealed",
                self.verify.level.as_str(),
                grouped(self.verify.records),
                grouped(self.verify.unsealed.0)
            ),
        );
        for (tenant, size, root) in &self.verify.logs {
            say("", format!("{tenant}: {} entries, root {root}", grouped(*size)));
        }
        self.verify.findings.iter().for_each(|(place, what)| say("FINDING", format!("{place}: {what}")));
        self.verify.notices.iter().for_each(|notice| say("notice", notice.clone()));
        say("ask", self.ask());
        if let Some(bundle) = self.bundle {
            let (file, trust) = (quoted(&bundle.file.display().to_string()), quoted(&bundle.trust.display().to_string()));
            say("bundle", format!("the story of {}, for a stranger", bundle.instance));
            say("", format!("hos verify {file} --trust {trust}"));
            say("", format!("node verifier/cli.mjs {file} --trust {trust}"));
        }
        out
    }
}

type Map2<'a> = std::collections::BTreeMap<&'a str, u64>;

/// A name without its namespace.
fn local(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// A number with its thousands parted.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_words() {
        assert_eq!([0, 999, 1_000, 34_649, 1_234_567].map(grouped), ["0", "999", "1,000", "34,649", "1,234,567"]);
        assert_eq!(local("reservation.no_guests"), "no_guests");
        assert_eq!(quoted("target/a.db"), "target/a.db");
        assert_eq!(quoted("my store's.db"), "'my store'\\''s.db'");
    }
}
