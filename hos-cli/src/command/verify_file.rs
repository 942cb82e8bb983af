//! `hos verify FILE`: whether a bundle, a log given as tiles, or one record's proof holds, with nothing but that and the
//! verifier's own trust file.

use super::verify_fork;
use crate::exit;
use crate::global::Global;
use crate::input;
use crate::out::{Done, to_stderr};
use crate::show;
use crate::turkish;
use crate::usage::usage;
use hos_core::audit::log::{LogVerdict, TilesAudit};
use hos_core::audit::{self, Complete, Notice, Refused, Replayed, Standing, Verdict};
use hos_core::limits::{BUNDLE_BYTES_MAX, ENTRY_BYTES_MAX, NOTE_BYTES_MAX, TRUST_BYTES_MAX};
use hos_core::proof::bundle::Bundle;
use hos_core::proof::checkpoint::{Note, NoteKey};
use hos_core::proof::fork;
use hos_core::proof::tiles::TileFile;
use hos_core::proof::tlog_proof::{MAGIC, TlogProof};
use hos_core::proof::tree::TILE_WIDTH;
use hos_core::proof::trust::Trust;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::verdict::{log_verdict_json, verdict_json};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Verifies a bundle, a log or a proof. `key` is the verifier's own copy of the key that must have signed it.
pub(super) fn run(
    path: &Path,
    trust: &Path,
    kept: &[PathBuf],
    key: Option<&str>,
    replay: bool,
    global: &Global,
) -> Result<Done, Failure> {
    let language = global.language();
    let language = language.as_str();
    let key = key.map(NoteKey::parse).transpose();
    let key = key.map_err(|e| Failure::new(Code::ValueInvalid, format!("--key: {e}")))?;
    let trust = match Trust::parse(&input::bounded_file(trust, TRUST_BYTES_MAX)?) {
        Ok(trust) => trust,
        Err(error) => {
            let (code, what) = (error.code(), error.to_string());
            let name = show::inert(&trust.to_string_lossy());
            let text = match (language, error.line) {
                ("tr", 0) => format!("hata   {code}: `{name}`: {}\n", turkish::evidence(code)),
                ("tr", line) => format!("hata   {code}: `{name}`, {line}. satır: {}\n", turkish::evidence(code)),
                _ => format!("error  {code}: `{name}`: {what}\n"),
            };
            // It is a failure, though its code is none of a call's.
            if !global.json {
                to_stderr(&text);
            }
            return Ok(Done {
                exit: exit::USAGE,
                text: String::new(),
                json: json!({ "error": { "code": code, "message": format!("`{name}`: {what}"), "faults": [] } }),
            });
        }
    };
    let nothing = || {
        usage(match language {
            "tr" => "yalnız bir deponun ya da delil dosyasının kayıtları yeniden yargılanabilir: günlük ya da kanıt içerik açmaz",
            _ => "only a store's records or a bundle's can be judged again: a log or a proof opens none",
        })
    };
    let kept = kept.iter().map(|path| input::bounded_file(path, TRUST_BYTES_MAX)).collect::<Result<Vec<_>, Failure>>()?;
    let kept: Vec<&[u8]> = kept.iter().map(Vec::as_slice).collect();
    if path.is_dir() {
        if replay {
            return Err(nothing());
        }
        return Ok(of_log(tiles(path, &trust, &kept, key.as_ref())?, language));
    }
    let bytes = input::bounded_file(path, BUNDLE_BYTES_MAX)?;
    let foreign = key.as_ref().filter(|key| is_foreign(&notes(&bytes), &trust, key)).map(|_| unsigned());
    if bytes.starts_with(fork::FIRST.as_bytes()) {
        return Ok(foreign.map_or_else(|| verify_fork::run(&bytes, &trust, language), |refused| of_fork(&refused, language)));
    }
    if bytes.starts_with(MAGIC.as_bytes()) {
        if replay {
            return Err(nothing());
        }
        return Ok(of_log(foreign.map_or_else(|| audit::log::proof(&bytes, &trust, &kept), Err), language));
    }
    if let Some(refused) = foreign {
        return Ok(of_bundle(&Verdict::refused(refused), language));
    }
    if replay {
        let (verdict, replayed) = audit::bundle_replayed(&bytes, &trust, &kept);
        let mut done = of_bundle(&verdict, language);
        if let Some(replayed) = &replayed {
            again(replayed, &mut done, language);
        }
        return Ok(done);
    }
    Ok(of_bundle(&audit::bundle(&bytes, &trust, &kept), language))
}

/// The checkpoints under which a file stands, read and not believed.
fn notes(bytes: &[u8]) -> Vec<String> {
    if bytes.starts_with(fork::FIRST.as_bytes()) {
        return fork::Fork::decode(bytes).map_or_else(|_| Vec::new(), |fork| vec![fork.smaller, fork.larger]);
    }
    if bytes.starts_with(MAGIC.as_bytes()) {
        return TlogProof::parse(bytes).map_or_else(|_| Vec::new(), |proof| vec![proof.checkpoint]);
    }
    // The universe's log may stand under another key of the store: it is the first that the records are in.
    Bundle::decode(bytes).map_or_else(|_| Vec::new(), |bundle| bundle.logs.into_iter().take(1).map(|log| log.note).collect())
}

/// Whether all of these are believed, and the key that the verifier has signed none. What the trust file does not believe is left
/// to the audit, which says why.
fn is_foreign(notes: &[String], trust: &Trust, key: &NoteKey) -> bool {
    let signed = |note: &str| {
        // A copy of the key bears the name of some log of the store; what counts is the key.
        let named = NoteKey::new(note.lines().next().unwrap_or_default(), key.key().clone());
        named.is_ok_and(|named| Note::parse(note.as_bytes()).is_ok_and(|note| note.verify(&named).is_ok()))
    };
    !notes.is_empty() && notes.iter().all(|note| trust.signers(note.as_bytes()).is_ok() && !signed(note))
}

fn unsigned() -> Refused {
    Refused::new("checkpoint.unsigned", "--key", "the checkpoint bears no signature of the key given")
}

fn of_bundle(verdict: &Verdict, language: &str) -> Done {
    let exit = if verdict.holds() { exit::OK } else { exit::FINDINGS };
    Done { exit, text: text(verdict, language), json: verdict_json(verdict) }
}

/// Adds what judging the records again came to.
fn again(replayed: &Replayed, done: &mut Done, language: &str) {
    let (same, differs, erased, attested) = replayed.counts();
    if differs > 0 {
        done.exit = exit::FINDINGS;
    }
    let _ = if language == "tr" {
        let said = format!("{same} aynı, {differs} başka, {erased} silinmiş ya da gizli, {attested} beyan");
        writeln!(done.text, "{:<10} {said}", "yeniden")
    } else {
        let said = format!("{same} the same, {differs} other, {erased} erased or hidden, {attested} attested");
        writeln!(done.text, "{:<10} {said}", "replayed")
    };
    let first = replayed.first.as_ref().map(|(place, difference)| {
        let (was, now) = (show::inert(&difference.was), show::inert(&difference.now));
        let word = if language == "tr" { "başka" } else { "differs" };
        let _ = writeln!(done.text, "{word:<10} records {place}: {}: {was} -> {now}", difference.what);
        json!({ "record": place, "what": difference.what, "was": difference.was, "now": difference.now })
    });
    done.json["replay"] = json!({ "replayed": same, "differs": differs, "erased": erased, "attested": attested, "first": first });
}

/// Verifies a log given as tiles: every entry, and every tile of hashes byte for byte.
fn tiles(root: &Path, trust: &Trust, kept: &[&[u8]], key: Option<&NoteKey>) -> Result<Result<LogVerdict, Refused>, Failure> {
    let tile_bytes_max = TILE_WIDTH * (ENTRY_BYTES_MAX + 2);
    let note = input::bounded_file(&root.join("checkpoint"), NOTE_BYTES_MAX)?;
    if key.is_some_and(|key| is_foreign(&[String::from_utf8_lossy(&note).into_owned()], trust, key)) {
        return Ok(Err(unsigned()));
    }
    let mut pass = match TilesAudit::open(&note, trust, kept) {
        Ok(pass) => pass,
        Err(refused) => return Ok(Err(refused)),
    };
    let differing = |files: &[TileFile]| -> Result<Option<Refused>, Failure> {
        for (path, wanted) in files {
            if input::bounded_file(&root.join(path), tile_bytes_max)? != *wanted {
                return Ok(Some(Refused::new("tiles.hashes", path.as_str(), "the tile is not made of the log's entries")));
            }
        }
        Ok(None)
    };
    while let Some((path, _)) = pass.next() {
        let files = match pass.take(&input::bounded_file(&root.join(&path), tile_bytes_max)?) {
            Ok(files) => files,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Some(refused) = differing(&files)? {
            return Ok(Err(refused));
        }
    }
    Ok(match pass.finish() {
        Err(refused) => Err(refused),
        Ok((files, verdict)) => differing(&files)?.map_or(Ok(verdict), Err),
    })
}

fn of_log(verdict: Result<LogVerdict, Refused>, language: &str) -> Done {
    let turkish = language == "tr";
    let json = log_verdict_json(&verdict);
    match verdict {
        Err(refused) => Done { exit: exit::FINDINGS, text: refused_text(&refused, turkish), json },
        Ok(log) => {
            let standing = if log.anchored.is_some() { Standing::Anchored } else { Standing::Intact };
            let (entries, threads) = if turkish { ("girdi", "dizi") } else { ("entries", "threads") };
            let mut text = format!(
                "{:<10} {} {entries}, {} {threads}: {} @ {}\n",
                standing_word(&standing, turkish),
                log.entries,
                log.threads,
                log.origin,
                log.size
            );
            if let Some(size) = log.anchored.filter(|&size| size < log.size) {
                let _ = match turkish {
                    true => writeln!(
                        text,
                        "not        dışarıda saklanan, ilk {size} girdi için kefildir; sonrası kütüğün kendi sözüdür"
                    ),
                    false => writeln!(
                        text,
                        "note       what was kept outside vouches for the first {size} entries; the rest is the log's own word"
                    ),
                };
            }
            if !log.witnesses.is_empty() {
                let names = log.witnesses.iter().map(|w| show::inert(w)).collect::<Vec<_>>().join(", ");
                let _ = writeln!(text, "{:<10} {names}", if turkish { "tanıklar" } else { "witnesses" });
            }
            Done { exit: exit::OK, text, json }
        }
    }
}

/// A report of a fork that is not believed, as `verify_fork` says it.
fn of_fork(refused: &Refused, language: &str) -> Done {
    let json = json!({ "verdict": "refused", "code": refused.code, "why": refused.why });
    Done { exit: exit::FINDINGS, text: refused_text(refused, language == "tr"), json }
}

fn refused_text(refused: &Refused, turkish: bool) -> String {
    let (code, at) = (&refused.code, show::inert(&refused.at));
    if turkish {
        format!("reddedildi  {code} ({at}): {}\n", turkish::evidence(code))
    } else {
        format!("refused  {code} ({at}): {}\n", show::inert(&refused.why))
    }
}

fn text(verdict: &Verdict, language: &str) -> String {
    let turkish = language == "tr";
    if let Standing::Refused(refused) = &verdict.standing {
        return refused_text(refused, turkish);
    }
    let mut out = String::new();
    let instance = verdict.instance.as_ref().map_or_else(String::new, |i| {
        let hidden = if turkish { "(gizli)" } else { "(not disclosed)" };
        format!("{}/{}: ", i.contract, i.id.as_deref().map_or_else(|| hidden.to_owned(), show::inert))
    });
    let states = verdict.states.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" -> ");
    let records = if turkish { "kayıt" } else { "records" };
    let _ = writeln!(out, "{:<10} {instance}{} {records}, {states}", standing_word(&verdict.standing, turkish), verdict.records);
    let _ = match (verdict.complete, turkish) {
        (Some(Complete { as_of, labelled }), false) => {
            let what = if labelled { "these are all its records" } else { "these are all records of this thread" };
            writeln!(out, "complete   {what}, as of entry {as_of} of {}", verdict.origin)
        }
        (Some(Complete { as_of, labelled }), true) => {
            let what = if labelled { "bütün kayıtları bunlar" } else { "bu dizinin bütün kayıtları bunlar" };
            writeln!(out, "eksiksiz   {what}; {} günlüğünün {as_of}. girdisi itibarıyla", verdict.origin)
        }
        (None, false) => {
            writeln!(out, "gapless    up to record {}, under {}", verdict.gapless.unwrap_or_default(), verdict.origin)
        }
        (None, true) => writeln!(out, "kesintisiz {}. kayda kadar, {}", verdict.gapless.unwrap_or_default(), verdict.origin),
    };
    let (opened, hidden, erased) = verdict.parts;
    let _ = if turkish {
        writeln!(out, "parçalar   {opened} açık, {hidden} gizli, {erased} silinmiş")
    } else {
        writeln!(out, "parts      {opened} opened, {hidden} hidden, {erased} erased")
    };
    if !verdict.witnesses.is_empty() {
        let names = verdict.witnesses.iter().map(|w| show::inert(w)).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "{:<10} {names}", if turkish { "tanıklar" } else { "witnesses" });
    }
    for notice in &verdict.notices {
        let _ = writeln!(out, "{:<10} {}", if turkish { "not" } else { "note" }, notice_words(*notice, turkish));
    }
    out
}

fn standing_word(standing: &Standing, turkish: bool) -> &'static str {
    match (standing, turkish) {
        (Standing::Refused(_), false) => "refused",
        (Standing::Refused(_), true) => "reddedildi",
        (Standing::Intact, false) => "intact",
        (Standing::Intact, true) => "bozulmamış",
        (Standing::Anchored, false) => "anchored",
        (Standing::Anchored, true) => "dayanaklı",
    }
}

fn notice_words(notice: Notice, turkish: bool) -> &'static str {
    let (english, turkish_words) = match notice {
        Notice::HiddenParts => ("the exporter kept parts back", "dışa aktaran bazı parçaları gizledi"),
        Notice::ErasedParts => ("parts were erased: their commitments stand", "bazı parçalar silindi: taahhütleri duruyor"),
        Notice::ClaimedTime => ("times are claims of the log's operator", "zamanlar, günlüğü işletenin beyanıdır"),
        Notice::WeakDurability => ("a record could have been lost with the power", "bir kayıt elektrikle birlikte yitebilirdi"),
        Notice::NoMap => ("nothing proves that these are all records", "bütün kayıtların bunlar olduğunu kanıtlayan yok"),
        Notice::LaterEntries => (
            "the log went on after the map of heads; later records are not covered",
            "günlük haritadan sonra sürdü; sonraki kayıtlar kapsam dışı",
        ),
        Notice::NoWitness => (
            "no witness vouches for the checkpoint: its signer could show others another log",
            "denetim noktasına tanık yok: imzalayan başkasına başka günlük gösterebilir",
        ),
        Notice::DirectoryWithheld => {
            ("a role could not be traced: a part is withheld", "bir rolün kaynağı görülemedi: bir parça verilmemiş")
        }
        Notice::Attested => ("a record attests what the law did not judge", "bir kayıt, kanunun yargılamadığını beyan ediyor"),
        Notice::FormerKey => (
            "the trust file names a key that the store's records of keys do not tell of: this is from before that change of key, \
             or was written with a key from before it",
            "güven dosyası, deponun anahtar kayıtlarında geçmeyen bir anahtarı anıyor: bu, o anahtar değişiminden önceden kalma \
             ya da eski bir anahtarla yazılmış",
        ),
    };
    if turkish { turkish_words } else { english }
}
