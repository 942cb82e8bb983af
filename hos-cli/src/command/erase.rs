//! `hos erase`: a person's data becomes unreadable; the evidence stays whole.

use super::said;
use crate::context::Beside;
use crate::entity;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_core::proof::erasure::{Erasure as Record, LastVerdict};
use hos_engine::keys::read_seal_key;
use hos_engine::{Erasure, Failure};
use hos_wire::answer::kind_text;
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::PathBuf;

/// Erase a person: their keys are destroyed, and it cannot be undone.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hos erase Account::ayse --ground \"request 2026-114\" --legal \"KVKK 7\" --as Account::root")]
pub(crate) struct Erase {
    /// The person
    #[arg(value_name = "ENTITY", required_unless_present = "subject", conflicts_with = "subject")]
    person: Option<String>,
    /// The person
    #[arg(long, value_name = "ENTITY")]
    subject: Option<String>,
    /// On what ground (a request's number, say); stands in the record for good, so nothing personal
    #[arg(long, value_name = "TEXT")]
    ground: String,
    /// The article of law
    #[arg(long, value_name = "ARTICLE", default_value = "")]
    legal: String,
    /// A second key's file: it attests that the person's records were verified before they became unreadable
    #[arg(long, value_name = "KEYFILE")]
    attest: Option<PathBuf>,
    /// Entities that come with the call, such as the person where no directory has them: a JSON array of {"uid", "attrs",
    /// "parents"}, `@FILE` or `-`
    #[arg(long, value_name = "JSON")]
    given: Option<String>,
}

impl Erase {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let whom = self.person.as_deref().or(self.subject.as_deref()).ok_or_else(|| usage("nobody is named"))?;
        let attest = self.attest.as_deref().map(read_seal_key).transpose()?;
        let engine = global.engine()?;
        let law = engine.law()?;
        let subject = entity::uid(whom, &law)?;
        let what = Erasure { ground: &self.ground, article: &self.legal, attest: attest.as_ref() };
        let beside = Beside { given: self.given.clone(), ..Beside::default() };
        let erased = engine.erase_with(&global.by_beside(&law, &beside)?, &subject, &what)?;
        super::closed(engine);
        let mut done = said(&erased.answer, whom, "erase", &law, global);
        let turkish = global.language() == "tr";
        if let Some(record) = &erased.record {
            done.text.push_str(&text(record, turkish));
            set(&mut done.json, "erasure", json(record));
        }
        for notice in &erased.notices {
            let _ = writeln!(done.text, "{}  {}", if turkish { "dikkat  " } else { "notice  " }, show::inert(notice));
        }
        set(&mut done.json, "notices", json!(erased.notices));
        Ok(done)
    }
}

fn set(json: &mut Json, name: &str, value: Json) {
    if let Some(object) = json.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn text(record: &Record, turkish: bool) -> String {
    let word = |en: &'static str, tr: &'static str| if turkish { tr } else { en };
    let mut out = String::new();
    for lost in &record.lost {
        let what = word("record(s) can no longer be judged again", "kayıt artık yeniden yargılanamaz");
        let _ = writeln!(out, "         {}: {} {} {what}", lost.tenant, lost.count, kind_text(lost.kind));
    }
    let stood = match record.verdict {
        LastVerdict::Unread => word("they were not looked at", "kayıtlara bakılmadı").to_owned(),
        LastVerdict::Intact => word("they were intact until now", "kayıtlar bu ana kadar bütündü").to_owned(),
        LastVerdict::Broken(n) => format!("{n} {}", word("of them did not hold", "kayıt tutmuyordu")),
    };
    let attested = record
        .attestation
        .as_ref()
        .map_or(String::new(), |a| format!("; {} {}", word("attested by key", "doğrulayan anahtar"), hex(&a.key)));
    let _ = writeln!(out, "         {stood}{attested}");
    out
}

fn json(record: &Record) -> Json {
    let lost =
        |l: &hos_core::proof::erasure::Lost| json!({ "tenant": l.tenant.as_str(), "kind": kind_text(l.kind), "count": l.count });
    let (verdict, broken) = match record.verdict {
        LastVerdict::Unread => ("unread", 0),
        LastVerdict::Intact => ("intact", 0),
        LastVerdict::Broken(n) => ("broken", n),
    };
    json!({
        "key": record.key.to_string(),
        "ground": record.ground,
        "legal": record.article,
        "lost": record.lost.iter().map(lost).collect::<Vec<_>>(),
        "verdict": verdict,
        "broken": broken,
        "attested_by": record.attestation.as_ref().map(|a| hex(&a.key)),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}
