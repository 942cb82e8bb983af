//! What a finding says to a person, in English and in Turkish.

use super::search::Bound;
use super::trace::{Finding, Kind};
use crate::contract::definition::PathRule;
use crate::fault::{Fault, SourceFile};
use crate::id::Name;

impl Finding {
    /// As a fault of the contract's file, in this language (`tr`, or else English).
    pub fn fault(&self, file: &SourceFile, language: &str) -> Fault {
        let (code, severity) = (self.kind.code(), self.kind.severity());
        let message = self.message(language);
        match self.span.is_empty() {
            true => Fault::whole(code, severity, &file.path, message),
            false => Fault::at(code, severity, file, self.span.clone(), message),
        }
    }

    /// What was found; lower-case first letter, no full stop.
    pub fn message(&self, language: &str) -> String {
        let turkish = language == "tr";
        let said = if turkish { turkish_of(&self.kind) } else { english_of(&self.kind) };
        match (self.possible, turkish) {
            (false, _) => said,
            (true, false) => format!("{said} (possible)"),
            (true, true) => format!("{said} (olası)"),
        }
    }
}

fn english_of(kind: &Kind) -> String {
    match kind {
        Kind::Trap { state } => format!("no end can be reached from the state `{state}`"),
        Kind::EffectTwice { event, effect } => format!("one move of `{event}` sends `{effect}` twice, with the same content"),
        Kind::Replay { event } => format!(
            "a call of `{event}` that was answered as done already moves the instance when it comes again: only a move takes its once-key"
        ),
        Kind::Diverges { one, other, ends, otherwise } => format!(
            "`{one}` and `{other}` tell the same news, and their order decides where it ends: in `{ends}`, or the other way round in {}",
            listed(otherwise)
        ),
        Kind::Promise { code, rule, state } => {
            let broken = match rule {
                PathRule::Before(never, before) => format!("`{never}` is entered before `{before}` was"),
                PathRule::After(never, after) if never == after => format!("`{never}` is entered a second time"),
                PathRule::After(never, after) => format!("`{never}` is entered after `{after}` was"),
                PathRule::Apart(states) => {
                    let others: Vec<Name> = states.iter().filter(|s| *s != state).cloned().collect();
                    format!("`{state}` is entered after one of {}", listed(&others))
                }
            };
            format!("the promise `{code}` is broken: {broken}")
        }
        Kind::ReplyLost { event, reply, states } => {
            format!("the reply `{reply}` to `{event}` is refused where it comes late: in {}", listed(states))
        }
        Kind::Waits { state, event, refused } => {
            let how = if *refused { "was refused" } else { "came and left it there" };
            format!("an instance may wait in `{state}` for ever: the deadline's event `{event}` {how}, and nothing arms it again")
        }
        Kind::Incomplete { bound, limits } => {
            let (what, max) = match bound {
                Bound::Worlds => ("worlds", limits.worlds_max),
                Bound::Depth => ("steps of one path", limits.depth_max),
                Bound::Steps => ("steps in all", limits.steps_max),
            };
            format!("not everything was explored, so nothing is known of the rest: at most {max} {what}")
        }
    }
}

fn turkish_of(kind: &Kind) -> String {
    match kind {
        Kind::Trap { state } => format!("`{state}` durumundan hiçbir sona ulaşılamıyor"),
        Kind::EffectTwice { event, effect } => {
            format!("`{event}` olayının tek bir adımı `{effect}` iletisini aynı içerikle iki kez gönderiyor")
        }
        Kind::Replay { event } => format!(
            "zaten yapılmış diye yanıtlanan bir `{event}` çağrısı, yeniden geldiğinde işi ilerletiyor: tek-sefer anahtarını yalnızca bir adım tutar"
        ),
        Kind::Diverges { one, other, ends, otherwise } => format!(
            "`{one}` ile `{other}` aynı haberi getiriyor, işin nerede biteceğini ise sıraları belirliyor: `{one}` önce gelirse `{ends}`, `{other}` önce gelirse {}",
            listed(otherwise)
        ),
        Kind::Promise { code, rule, state } => {
            let broken = match rule {
                PathRule::Before(never, before) => format!("`{before}` durumundan önce `{never}` durumuna giriliyor"),
                PathRule::After(never, after) if never == after => format!("`{never}` durumuna ikinci kez giriliyor"),
                PathRule::After(never, after) => format!("`{after}` durumundan sonra `{never}` durumuna giriliyor"),
                PathRule::Apart(states) => {
                    let others: Vec<Name> = states.iter().filter(|s| *s != state).cloned().collect();
                    format!("şunlardan birinden sonra `{state}` durumuna giriliyor: {}", listed(&others))
                }
            };
            format!("`{code}` sözü tutulmuyor: {broken}")
        }
        Kind::ReplyLost { event, reply, states } => {
            format!("`{event}` olayına gelen `{reply}` yanıtı gecikirse şu durumlarda reddediliyor: {}", listed(states))
        }
        Kind::Waits { state, event, refused } => {
            let how = if *refused { "reddedildi" } else { "işi orada bıraktı" };
            format!(
                "bir iş `{state}` durumunda sonsuza dek bekleyebilir: süre dolunca gelen `{event}` olayı {how}, süreyi yeniden kuran da yok"
            )
        }
        Kind::Incomplete { bound, limits } => {
            let (what, max) = match bound {
                Bound::Worlds => ("dünya", limits.worlds_max),
                Bound::Depth => ("adımlık yol", limits.depth_max),
                Bound::Steps => ("adım (toplam)", limits.steps_max),
            };
            format!("her şey gezilmedi, kalanı bilinmiyor: en çok {max} {what}")
        }
    }
}

fn listed(names: &[Name]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
