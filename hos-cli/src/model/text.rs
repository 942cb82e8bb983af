//! Findings and their traces in words, and as JSON.

use super::{Told, file_of};
use hos_core::contract::model::{Finding, Happened, Step};
use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::id::Shown;
use hos_core::law::{Law, render};
use hos_wire::answer::fault_json;
use serde_json::{Map, Value as Json, json};
use std::fmt::Write;

/// All findings of all contracts, each with its trace, and a line for each contract.
pub(crate) fn text(told: &[Told<'_>], law: &Law, language: &str) -> String {
    let turkish = language == "tr";
    let mut out = String::new();
    for one in told {
        for (_, finding) in one.numbered() {
            let (fault, file) = fault(finding, one, law, language);
            out.push_str(&render::one(&fault, file));
            steps(&mut out, &finding.trace, turkish);
            if !finding.other.is_empty() {
                out.push_str(if turkish { "   öbür sırayla:\n" } else { "   in the other order:\n" });
                steps(&mut out, &finding.other, turkish);
            }
            out.push('\n');
        }
    }
    for one in told {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{}", summary(one, turkish));
    }
    if told.iter().flat_map(|one| &one.report.findings).any(|finding| finding.possible) {
        out.push_str(if turkish {
            "olası: koşulların ve dalların her yöne çıkabileceği varsayıldı; gerçek değerlerle bu yol hiç olmayabilir\n"
        } else {
            "possible: guards and conditions were taken to come out either way; with real values there may be no such path\n"
        });
    }
    out
}

fn fault<'l>(finding: &Finding, of: &Told<'_>, law: &'l Law, language: &str) -> (Fault, Option<&'l SourceFile>) {
    let file = file_of(law, of.contract);
    let nowhere = SourceFile { path: of.contract.file.clone(), text: String::new() };
    (finding.fault(file.unwrap_or(&nowhere), language), file)
}

fn summary(one: &Told<'_>, turkish: bool) -> String {
    let report = &one.report;
    let count = |severity| report.findings.iter().filter(|f| f.kind.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let found = match (errors, warnings, turkish) {
        (0, 0, false) => "nothing found".to_owned(),
        (0, 0, true) => "bir şey bulunmadı".to_owned(),
        (_, _, false) => format!("{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings)),
        (_, _, true) => format!("{errors} hata, {warnings} uyarı"),
    };
    let (name, version, worlds, depth) = (&one.contract.name, one.contract.version, report.worlds, report.depth);
    match turkish {
        false => format!("model  {name} {version}: {worlds} worlds, {depth} steps deep: {found}"),
        true => format!("model  {name} {version}: {worlds} dünya, {depth} adım derin: {found}"),
    }
}

fn steps(out: &mut String, steps: &[Step], turkish: bool) {
    let width = |of: fn(&Step) -> String| steps.iter().map(|s| of(s).chars().count()).max().unwrap_or_default();
    let (names, moves) = (width(name), width(states));
    for (number, step) in (1..).zip(steps) {
        let line = format!("{number:>5}  {:names$}  {:moves$}  {}", name(step), states(step), remarks(step, turkish));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn name(step: &Step) -> String {
    step.event.as_ref().map_or_else(|| "migrate".to_owned(), ToString::to_string)
}

fn states(step: &Step) -> String {
    match &step.from {
        Some(from) if *from == step.to => step.to.to_string(),
        Some(from) => format!("{from} -> {}", step.to),
        None => format!("-> {}", step.to),
    }
}

fn remarks(step: &Step, turkish: bool) -> String {
    let mut said = Vec::new();
    let how = match (step.happened, turkish) {
        (Happened::Born | Happened::Moved, _) => String::new(),
        (Happened::Migrated(version), false) => format!("from version {version}"),
        (Happened::Migrated(version), true) => format!("{version}. sürümden"),
        (Happened::Overridden, false) => "override".to_owned(),
        (Happened::Overridden, true) => "geçersiz kılma".to_owned(),
        (Happened::Fired, false) => "deadline".to_owned(),
        (Happened::Fired, true) => "süre doldu".to_owned(),
        (Happened::Disarmed, false) => "deadline, refused: it runs no more".to_owned(),
        (Happened::Disarmed, true) => "süre doldu, reddedildi: bir daha işlemez".to_owned(),
        (Happened::Same, false) => "answered as done already".to_owned(),
        (Happened::Same, true) => "zaten yapılmış diye yanıtlanır".to_owned(),
        (Happened::Repeated, false) => "the same call again, under the same once-key".to_owned(),
        (Happened::Repeated, true) => "aynı çağrı, aynı tek-sefer anahtarıyla yeniden".to_owned(),
        (Happened::Refused, false) => "refused".to_owned(),
        (Happened::Refused, true) => "reddedilir".to_owned(),
    };
    said.extend(Some(how).filter(|how| !how.is_empty()));
    if !step.given.is_empty() {
        let conditions = conditions(&step.given);
        let given = Shown(&conditions).to_string();
        said.push(if turkish { format!("koşul: {given}") } else { format!("if {given}") });
    }
    if !step.effects.is_empty() {
        let sent = step.effects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        said.push(if turkish { format!("gönderir: {sent}") } else { format!("sends {sent}") });
    }
    said.join("; ")
}

/// Conditions that all hold, as one of Cedar's.
pub(super) fn conditions(given: &[String]) -> String {
    match given {
        [one] => one.clone(),
        several => several.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" && "),
    }
}

/// What was found in one contract: `{"contract", "version", "worlds", "depth", "complete", "findings"}`.
pub(crate) fn json(one: &Told<'_>, law: &Law, language: &str) -> Json {
    let finding = |(number, finding): (usize, &Finding)| {
        let mut out = match fault_json(&fault(finding, one, law, language).0) {
            Json::Object(fields) => fields,
            _ => Map::new(),
        };
        out.insert("number".into(), json!(number));
        out.insert("possible".into(), json!(finding.possible));
        out.insert("trace".into(), finding.trace.iter().map(step_json).collect());
        if !finding.other.is_empty() {
            out.insert("other".into(), finding.other.iter().map(step_json).collect());
        }
        Json::Object(out)
    };
    json!({
        "contract": one.contract.name.as_str(),
        "version": one.contract.version,
        "worlds": one.report.worlds,
        "depth": one.report.depth,
        "complete": one.report.bound.is_none(),
        "findings": one.numbered().map(finding).collect::<Vec<_>>(),
    })
}

fn step_json(step: &Step) -> Json {
    let how = match step.happened {
        Happened::Born => "born",
        Happened::Migrated(_) => "migrated",
        Happened::Moved => "moved",
        Happened::Overridden => "overridden",
        Happened::Fired => "fired",
        Happened::Disarmed => "disarmed",
        Happened::Same => "same",
        Happened::Repeated => "repeated",
        Happened::Refused => "refused",
    };
    json!({
        "happened": how,
        "event": step.event.as_ref().map(|e| e.as_str()),
        "from": step.from.as_ref().map(|s| s.as_str()),
        "to": step.to.as_str(),
        "given": step.given,
        "effects": step.effects.iter().map(|e| e.as_str()).collect::<Vec<_>>(),
        "possible": step.possible,
    })
}
