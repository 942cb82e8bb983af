//! `hos shadow`: what shadow showed.

use crate::global::Global;
use crate::out::Done;
use clap::{Args, Subcommand};
use hos_core::contract::svg::xml_text;
use hos_core::id::{Shown, Tenant};
use hos_engine::{Act, Failure, Shadowed};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What shadow showed: where the law and the world differed.
#[derive(Debug, Args)]
pub(crate) struct Shadow {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Report(Report),
}

/// Where the law and the world differed, by tenant, contract and event; of all tenants, unless one is named.
#[derive(Debug, Args)]
struct Report {
    /// Write a page for a person, which loads nothing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Shadow {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let What::Report(report) = &self.what;
        let engine = global.engine()?;
        let tenants = global.tenant_said()?.map(Tenant::new).transpose()?;
        if let Some(tenant) = &tenants {
            // Of one that is not there nothing would be told, as of one in which nothing was judged.
            engine.tenant(tenant.as_str())?;
        }
        let found = engine.shadowed(&tenants.into_iter().collect::<Vec<_>>())?;
        super::closed(engine);
        if let Some(path) = &report.html {
            super::export::write_new(path, page(&found).as_bytes())?;
        }
        let acts = found.iter().map(|(act, of)| {
            json!({
                "tenant": act.tenant.as_str(), "contract": act.contract, "event": act.event,
                "agreed": of.agreed, "diverged": of.diverged(), "held": of.held, "elsewhere": of.elsewhere, "moved": of.moved, "refused": of.refused, "policies": of.policies,
                "first": of.between.map(|b| b.0.to_string()), "last": of.between.map(|b| b.1.to_string()),
            })
        });
        Ok(Done::ok(text(&found), json!({ "acts": acts.collect::<Vec<_>>() })))
    }
}

fn name(act: &Act) -> String {
    let or = |text: &str| if text.is_empty() { "?".to_owned() } else { Shown(text).to_string() };
    format!("{}  {}.{}", act.tenant, or(&act.contract), or(&act.event))
}

const HELD: &str = "the law allows it, the world refused";
const ELSEWHERE: &str = "the law allows it, and leads elsewhere than the world went";
const REFUSED: &str = "the law refused, and nothing was moved here";

fn text(found: &BTreeMap<Act, Shadowed>) -> String {
    if found.is_empty() {
        return "nothing was judged in shadow\n".to_owned();
    }
    let mut out = String::new();
    for (act, of) in found {
        let _ = writeln!(out, "{}: {} agreed, {} differ", name(act), of.agreed, of.diverged());
        for (count, what) in [(of.held, HELD), (of.elsewhere, ELSEWHERE)] {
            if count > 0 {
                let _ = writeln!(out, "  {count:>8}  {what}");
            }
        }
        for (code, count) in &of.moved {
            let _ = writeln!(out, "  {count:>8}  {}  the world moved, the law would not", Shown(code));
        }
        for (code, count) in &of.refused {
            let _ = writeln!(out, "  {count:>8}  {}  {REFUSED}", Shown(code));
        }
        for (policy, count) in &of.policies {
            let _ = writeln!(out, "  {count:>8}  by policy {}", Shown(policy));
        }
        if let Some((first, last)) = of.between {
            let _ = writeln!(out, "            from {first} to {last}");
        }
    }
    out
}

/// A page of one table; everything of a record's is escaped, nothing is loaded, nothing runs.
fn page(found: &BTreeMap<Act, Shadowed>) -> String {
    let mut rows = String::new();
    for (act, of) in found {
        let list = |map: &BTreeMap<String, u64>| {
            map.iter()
                .map(|(what, count)| format!("{} × {}", count, xml_text(&Shown(what).to_string())))
                .collect::<Vec<_>>()
                .join("<br>")
        };
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            xml_text(&name(act)),
            of.agreed,
            of.diverged(),
            of.held,
            of.elsewhere,
            list(&of.moved),
            list(&of.refused),
            list(&of.policies)
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">\
<title>What shadow showed</title></head><body><h1>What shadow showed</h1>\n<table border=\"1\" cellpadding=\"6\">\n\
<tr><th>act</th><th>agreed</th><th>differ</th><th>{HELD}</th><th>{ELSEWHERE}</th><th>the world moved, the law would not</th><th>{REFUSED}</th><th>policies</th></tr>\n{rows}</table></body></html>\n"
    )
}
