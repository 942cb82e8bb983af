//! An instance's story for a person to read: one page, self-contained, that loads nothing and runs nothing.
//!
//! Everything that comes from records is escaped. The page says by its own policy that there is nothing to be loaded but its one
//! style, which it names by hash.

use crate::answer::kind_text;
use crate::value::record_json;
use hos_core::contract::svg::{STYLE, svg_body, xml_text};
use hos_core::contract::{Contract, PathStep, Walk};
use hos_core::digest::style_source;
use hos_core::proof::record::Kind;
use hos_core::value::{Record, Value};
use hos_engine::HistoryEntry;
use std::fmt::Write;

/// The page's own style; the picture's comes behind it.
const PAGE: &str = "body{margin:2rem auto;max-width:76rem;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;color:#1f2328;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}\
.pic{overflow-x:auto;border:1px solid #d1d9e0;border-radius:8px;padding:8px}\
ol{list-style:none;padding:0}li{border-left:3px solid #8c959f;padding:.2rem 0 .6rem 1rem;margin:0}\
li.no{border-color:#cf222e}li.end{border-color:#9a6700}\
.t,.f{color:#59636e;font-size:.85rem}b.ev{font-family:ui-monospace,monospace}\
code{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere}\
pre{background:#f6f8fa;border-radius:6px;padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem;margin:.3rem 0}\
.er{color:#9a6700;font-weight:600}.re{color:#cf222e;font-weight:600}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dd{margin:0}\
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}.pic{border-color:#30363d}pre{background:#161b22}.t,.f{color:#9198a1}.er{color:#d29922}.re{color:#f85149}}\
@media print{details{display:block}}";

/// The words of the page.
struct Words {
    language: &'static str,
    story: &'static str,
    state: &'static str,
    records: &'static str,
    path: &'static str,
    by: &'static str,
    policies: &'static str,
    refused: &'static str,
    holds: &'static str,
    erased: &'static str,
    erased_person: &'static str,
    pending: &'static str,
    entry: &'static str,
    record: &'static str,
    law: &'static str,
    claimed: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    story: "The story of",
    state: "State",
    records: "Records",
    path: "Path",
    by: "by",
    policies: "Policies",
    refused: "refused",
    holds: "What the record holds",
    erased: "Erased",
    erased_person: "erased",
    pending: "not sealed yet",
    entry: "entry",
    record: "record",
    law: "law",
    claimed: "Times are claims of the clock that wrote them. This page proves nothing: a bundle does (hos export).",
};

const TURKISH: Words = Words {
    language: "tr",
    story: "Geçmişi:",
    state: "Durum",
    records: "Kayıtlar",
    path: "İzlenen yol",
    by: "yapan:",
    policies: "Kurallar",
    refused: "reddedildi",
    holds: "Kaydın içeriği",
    erased: "Silinmiş",
    erased_person: "silindi",
    pending: "henüz mühürlenmedi",
    entry: "sıra",
    record: "kayıt",
    law: "kanun",
    claimed: "Zamanlar, onları yazan saatin beyanıdır. Bu sayfa bir şeyi kanıtlamaz: kanıt, dışa aktarılan delildir (hos export).",
};

/// A record's kind in the page's language.
fn kind(kind: Kind, words: &Words) -> &'static str {
    match kind {
        Kind::Legacy if words.language != "tr" => "told by the old world",
        _ if words.language != "tr" => kind_text(kind),
        Kind::Begun => "başladı",
        Kind::Moved => "ilerledi",
        Kind::Refused => "reddedildi",
        Kind::Expired => "süresi doldu",
        Kind::Overridden => "istisna",
        Kind::Migrated => "yeni sürüme geçti",
        Kind::Observed => "gözlendi",
        Kind::Adopted => "devralındı",
        Kind::Legacy => "eski dünyanın anlattığı",
        Kind::Erased => "silindi",
        other => kind_text(other),
    }
}

fn words(language: &str) -> &'static Words {
    if language.split(['-', '_']).next() == Some("tr") { &TURKISH } else { &ENGLISH }
}

/// The path that records tell, for the contract's picture.
pub fn walk(entries: &[HistoryEntry], language: &str) -> Walk {
    let mut walk = Walk::default();
    for entry in entries {
        let header = &entry.header;
        // What the old world told is none of the contract's steps.
        let Some(to) = header.to.as_ref().filter(|_| header.kind != Kind::Legacy) else { continue };
        walk.current = Some(to.to_string());
        match header.kind {
            Kind::Erased => walk.erased = Some(words(language).erased_person.to_owned()),
            Kind::Refused => {}
            of => walk.steps.push(PathStep {
                event: header.event.as_ref().map_or_else(|| kind(of, words(language)).to_owned(), ToString::to_string),
                from: header.from.as_ref().map(ToString::to_string),
                to: to.to_string(),
            }),
        }
    }
    walk
}

/// The page. `contract` is the one that the instance stands under; without it there is no picture.
pub fn page(tenant: &str, name: &str, id: &str, entries: &[HistoryEntry], contract: Option<&Contract>, language: &str) -> String {
    let words = words(language);
    let style = format!("{PAGE}{STYLE}");
    let walk = walk(entries, language);
    let title = xml_text(&format!("{name}/{id}"));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n",
        words.language,
        style_source(&style)
    );
    let _ = writeln!(out, "<h1>{} {title}</h1>", words.story);
    let state = walk.current.as_deref().unwrap_or("");
    let erased = walk.erased.as_ref().map_or(String::new(), |word| format!(" <span class=\"er\">{}</span>", xml_text(word)));
    let _ = writeln!(
        out,
        "<dl><dt>{}</dt><dd><code>{}</code>{erased}</dd><dt>{}</dt><dd>{}</dd></dl>",
        words.state,
        xml_text(state),
        words.records,
        entries.len()
    );
    if let Some(contract) = contract {
        let _ = writeln!(out, "<h2>{}</h2>\n<div class=\"pic\">{}</div>", words.path, svg_body(contract, Some(&walk)));
    }
    let _ = writeln!(out, "<h2>{}</h2>\n<ol>", words.records);
    for entry in entries {
        one(&mut out, entry, words);
    }
    let _ = writeln!(out, "</ol>\n<p class=\"f\">{} <code>{}</code></p>\n</body>\n</html>", words.claimed, xml_text(tenant));
    out
}

fn one(out: &mut String, entry: &HistoryEntry, words: &Words) {
    let header = &entry.header;
    let class = match header.kind {
        Kind::Erased => " class=\"end\"",
        Kind::Refused => " class=\"no\"",
        _ => "",
    };
    let _ = write!(
        out,
        "<li{class}><div class=\"t\">{} · {}</div><div><b class=\"ev\">",
        entry.receipt.n.unwrap_or_default(),
        header.time
    );
    let event = header.event.as_ref().map(ToString::to_string);
    out.push_str(&xml_text(event.as_deref().unwrap_or(kind(header.kind, words))));
    out.push_str("</b>");
    if event.is_some() {
        let _ = write!(out, " <span class=\"t\">{}</span>", kind(header.kind, words));
    }
    if let Some(to) = &header.to {
        let from = header.from.as_ref().map_or(String::new(), |from| format!("<code>{}</code> ", xml_text(from.as_str())));
        let _ = write!(out, " {from}→ <code>{}</code>", xml_text(to.as_str()));
    }
    if let Some(code) = &header.refusal {
        let _ = write!(out, " <span class=\"re\">{}: {}</span>", words.refused, xml_text(code));
    }
    if let Some(who) = principal(entry) {
        let _ = write!(out, " {} <code>{}</code>", words.by, xml_text(&who));
    }
    out.push_str("</div>\n");
    if !header.policies.is_empty() {
        let named = header.policies.iter().map(|p| format!("<code>{}</code>", xml_text(p))).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "<div class=\"f\">{}: {named}</div>", words.policies);
    }
    if !entry.erased.is_empty() {
        let _ = writeln!(out, "<div class=\"er\">{}: {}</div>", words.erased, xml_text(&entry.erased.join(", ")));
    }
    if !entry.parts.is_empty() {
        let _ = writeln!(out, "<details><summary class=\"f\">{}</summary>", words.holds);
        for (name, record) in &entry.parts {
            let _ = writeln!(out, "<div class=\"f\">{}</div><pre>{}</pre>", xml_text(name), shown(record));
        }
        out.push_str("</details>\n");
    }
    let place =
        entry.receipt.seal.as_ref().map_or_else(|| words.pending.to_owned(), |seal| format!("{} {}", words.entry, seal.seq));
    let law = header.law.map_or(String::new(), |law| format!(" · {} {}", words.law, short(&law.to_string())));
    let _ =
        writeln!(out, "<div class=\"f\">{place} · {} {}{law}</div></li>", words.record, short(&entry.receipt.record.to_string()));
}

fn short(hash: &str) -> String {
    format!("<code>{}…</code>", hash.get(..12).unwrap_or(hash))
}

fn principal(entry: &HistoryEntry) -> Option<String> {
    let (_, record) = entry.parts.iter().find(|(name, _)| name == "principal")?;
    record.values().find_map(|v| if let Value::Entity(uid) = v { Some(uid.to_string()) } else { None })
}

/// A part's content, its lines kept.
fn shown(record: &Record) -> String {
    let json = record_json(record);
    let text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.lines().map(xml_text).collect::<Vec<_>>().join("\n")
}
