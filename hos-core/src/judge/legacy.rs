//! What an older log tells of an instance: a record each, behind what its thread holds. Policy says who may bring it in; nothing is
//! judged of it, and the instance stays as it is.

use super::bench::Bench;
use super::birth::BeginRows;
use super::door;
use super::draft::{Drafting, Place};
use super::evidence::{self, refuse as unreadable};
use super::instance::Instance;
use super::motion::{Motion, refuse};
use super::slice::Slice;
use super::verdict::{Verdict, contract_unknown, person, resource_of, shown, with_given};
use super::{Judged, call_digest};
use crate::answer::Answer;
use crate::call::{Call, LegacyEntry, LegacyLog};
use crate::canon::CanonError;
use crate::contract::Contract;
use crate::id::{DottedName, Name};
use crate::policy::Request;
use crate::proof::record::{Kind, Slot};
use crate::refusal::{Blocker, Code};
use crate::time::Timestamp;
use crate::value::{Ext, Record, Value};

/// Takes a log's rows in, `rows` saying what stands where no instance is.
pub fn legacy_log(bench: &Bench<'_>, call: &LegacyLog, instance: Option<&Instance>, rows: BeginRows) -> Judged {
    let mut answer = bench.blank();
    let whole = Call::LegacyLog(call.clone());
    let stop = |answer: Answer, blocker| refuse(bench, answer, "legacy", &whole, blocker);
    let Some(instance) = instance else {
        let blocker = match rows {
            BeginRows::Erased => Blocker::new(Code::InstanceErased, shown(&call.id)),
            _ if bench.active.law.contracts.contains_key(&call.contract) => Blocker::new(Code::InstanceUnknown, shown(&call.id)),
            _ => contract_unknown(bench.active.law, &call.contract),
        };
        return stop(answer, blocker);
    };
    let Some(of) = bench.contract(&call.contract) else {
        return stop(answer, Blocker::new(Code::ContractUnknown, shown(&call.contract)));
    };
    if let Err(blocker) = bench.check_clock(Some(instance.last_time)) {
        return stop(answer, blocker);
    }
    let resource = match resource_of(of, instance) {
        Ok(resource) => resource,
        Err(blocker) => return stop(answer, blocker),
    };
    let uid = resource.uid.clone();
    let given = with_given(resource, &call.by.given);
    let (ruling, slice) = match door::action(bench.active, &format!("{}.adopt", call.contract)) {
        Ok(action) => {
            let context = &call.by.context;
            let request = Request { principal: &call.by.principal, action, resource: &uid, given: &given, context };
            door::ruled(bench.active, &request)
        }
        Err(blocker) => (Err(blocker), Slice::default()),
    };
    door::apply_ruling(&mut answer, ruling);
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    if !answer.blockers.is_empty() {
        let verdict = Verdict { slice, ..Verdict::against(answer.blockers.clone()) };
        return motion.refused(answer, "legacy", &whole, verdict);
    }
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&whole)));
    let mut after = instance.clone();
    after.last_time = after.last_time.max(bench.now);
    for (ordinal, entry) in call.entries.iter().enumerate() {
        let place = Place::Thread { handle: instance.handle, n: after.n + 1, prev: Some(after.last) };
        let mut d = Drafting::new(bench, Kind::Legacy, place, ordinal).request(call.by.request.as_ref());
        d.header().contract = Some(instance.contract.clone());
        d.header().contract_version = Some(instance.contract_version);
        d.header().from = entry.from.as_deref().and_then(|word| state(&of.contract, word));
        d.header().to = state(&of.contract, &entry.to);
        d.header().event = entry.event.as_deref().and_then(|word| event(&of.contract, word));
        let whose = instance.subject.as_ref();
        d.part(Slot::Principal, person(bench, &call.by.principal), evidence::encode_entity(&call.by.principal));
        d.part(Slot::Payload, whose, evidence::encode_record(&values(entry)));
        d.part(Slot::Context, whose, evidence::encode_record(&call.by.context));
        // The receipt under the key is the last record's.
        if let Some((key, digest)) = once.as_ref().filter(|_| ordinal + 1 == call.entries.len()) {
            d.part(Slot::Once, whose, evidence::encode_once(key, digest));
        }
        let draft = match d.finish() {
            Ok(draft) => draft,
            Err(blocker) => return stop(answer, blocker),
        };
        (after.n, after.last) = (after.n + 1, draft.hash);
        motion.drafts.push(draft);
    }
    answer.allowed = true;
    answer.from = Some(after.state.clone());
    answer.to = Some(after.state.clone());
    answer.version = Some(after.version);
    motion.done(answer, Some(after), once)
}

/// A header holds the law's own names alone: what an old log has in such a column may be anything, of anybody.
fn state(of: &Contract, word: &str) -> Option<Name> {
    of.state(word).map(|state| state.name.clone())
}

fn event(of: &Contract, word: &str) -> Option<DottedName> {
    let known = [&of.events, &of.overrides].into_iter().any(|all| all.contains_key(word)) || of.begins.contains_key(word);
    DottedName::new(word).ok().filter(|_| known)
}

/// A log's row as values: what part 8 holds.
pub(super) fn values(entry: &LegacyEntry) -> Record {
    let LegacyEntry { at, from, to, event, actor, detail, key } = entry;
    let texts = [("from", from), ("event", event), ("actor", actor), ("detail", detail), ("key", key)];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text.clone()?))));
    let needed = [("at".to_owned(), Value::Ext(Ext::Datetime, at.to_string())), ("to".to_owned(), Value::String(to.clone()))];
    needed.into_iter().chain(texts).collect()
}

/// Reads a log's row.
pub fn decode_legacy(bytes: &[u8]) -> Result<LegacyEntry, CanonError> {
    let mut record = evidence::decode_values(bytes)?;
    let at = match record.remove("at") {
        Some(Value::Ext(Ext::Datetime, text)) => Timestamp::parse(&text).ok().filter(|at| at.to_string() == text),
        _ => None,
    };
    let mut text = |name: &str| match record.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        None => Ok(None),
        Some(_) => Err(unreadable("a row of a log whose words are no texts")),
    };
    let entry = LegacyEntry {
        at: at.ok_or_else(|| unreadable("a row of a log without its time"))?,
        from: text("from")?,
        to: text("to")?.ok_or_else(|| unreadable("a row of a log without its state"))?,
        event: text("event")?,
        actor: text("actor")?,
        detail: text("detail")?,
        key: text("key")?,
    };
    if record.is_empty() { Ok(entry) } else { Err(unreadable("a row of a log that says what no row says")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let whole = LegacyEntry {
            at: Timestamp(1_700_000_000_007),
            from: Some("yeni".into()),
            to: "ödendi".into(),
            event: Some("pay".into()),
            actor: Some("ayşe".into()),
            detail: Some("{\"a\":1}".into()),
            key: Some("17".into()),
        };
        for entry in [LegacyEntry::new(Timestamp(0), "x"), whole] {
            assert_eq!(decode_legacy(&evidence::encode_record(&values(&entry))), Ok(entry.clone()));
            assert_eq!(entry.fault(), None);
        }
        let bent = |bend: fn(&mut Record)| {
            let mut record = values(&LegacyEntry::new(Timestamp(0), "x"));
            bend(&mut record);
            decode_legacy(&evidence::encode_record(&record))
        };
        let datetime = |text: &str| Value::Ext(Ext::Datetime, text.to_owned());
        assert!(bent(|r| drop(r.remove("to"))).is_err());
        assert!(bent(|r| drop(r.insert("at".into(), Value::from("1970-01-01T00:00:00.000Z")))).is_err());
        assert!(bent(|r| drop(r.insert("from".into(), Value::Long(1)))).is_err());
        assert!(bent(|r| drop(r.insert("state".into(), Value::from("x")))).is_err());
        let mut other = values(&LegacyEntry::new(Timestamp(0), "x"));
        other.insert("at".into(), datetime("1970-01-01"));
        assert!(decode_legacy(&evidence::encode_record(&other)).is_err(), "a time has one spelling");
    }

    #[test]
    fn a_row_is_spelled_as_the_specification_has_it() {
        let told = LegacyEntry { key: Some("17".into()), ..LegacyEntry::new(Timestamp(1_709_287_200_000), "paid") };
        let bytes = evidence::encode_record(&values(&told));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let at = "6261748302686461746574696d657818323032342d30332d30315431303a30303a30302e3030305a";
        assert_eq!(hex, format!("a3{at}62746f6470616964636b6579623137"));
    }

    #[test]
    fn texts_are_bounded() {
        let mut entry = LegacyEntry::new(Timestamp(0), "x");
        entry.detail = Some("d".repeat(65_535));
        assert_eq!(entry.fault(), None);
        entry.actor = Some(String::new());
        assert_eq!(entry.fault().as_deref(), Some("`actor` has 0 bytes, not 1 to 255"));
        assert!(LegacyEntry::new(Timestamp(-1), "x").fault().is_some());
        assert!(LegacyEntry::new(Timestamp(0), &"s".repeat(256)).fault().is_some());
    }
}
