//! Free records of named streams.

use super::bench::Bench;
use super::door;
use super::draft::{Drafting, Place};
use super::evidence;
use super::{Judged, call_digest, world};
use crate::call::{Call, Note};
use crate::id::DottedName;
use crate::law::mode::Mode;
use crate::law::reserved;
use crate::proof::record::{Kind, Slot};
use crate::refusal::{Blocker, Code};

/// Judges a free record (`record.note`, on `Gate::"<stream>"`) and makes it. A refused one is not recorded: its bytes are
/// the caller's, and nobody permitted them.
pub fn note(bench: &Bench<'_>, call: &Note) -> Judged {
    let mut answer = bench.blank();
    answer.mode = bench.mode(reserved::NOTE, None);
    if answer.mode == Mode::Off {
        return Judged::only(door::off(answer, call.by.legacy.as_ref().map(|l| l.allowed)));
    }
    // The engine's own records stand in these streams, and are read there as such.
    if call.stream.as_str().split('.').next() == Some("hos") {
        answer.blockers.push(Blocker::new(Code::IdInvalid, format!("the stream `{}` is the engine's own", call.stream)));
        return Judged::only(answer);
    }
    if let Err(blocker) = bench.check_clock(None) {
        answer.blockers.push(blocker);
        let mode = answer.mode;
        world::stands(&mut answer, mode, call.by.legacy.as_ref());
        return Judged::only(answer);
    }
    let by = &call.by;
    // Sealed under a key of whom the law calls no person, it could be erased by nobody.
    if let Some(subject) = call.subject.as_ref().filter(|subject| !bench.is_person(subject)) {
        let detail = format!("the subject `{subject}` is of a type that `persons` of `law.toml` does not name");
        answer.blockers.push(Blocker::new(Code::ResourceTypeUnknown, detail));
        let mode = answer.mode;
        world::stands(&mut answer, mode, by.legacy.as_ref());
        return Judged::only(answer);
    }
    let (ruling, slice) = door::at_gate(bench.active, reserved::NOTE, call.stream.as_str(), by);
    door::apply_ruling(&mut answer, ruling);
    answer.candidate = bench.candidate.and_then(|standing| {
        let mut other = bench.blank();
        door::apply_ruling(&mut other, door::at_gate(standing, reserved::NOTE, call.stream.as_str(), by).0);
        door::differing(&answer.blockers, standing, other.blockers)
    });
    answer.allowed = answer.blockers.is_empty();
    if answer.mode == Mode::Shadow {
        door::shadowed(&mut answer, by.legacy.as_ref().map(|l| l.allowed));
    }
    if !answer.allowed {
        return Judged::only(answer);
    }
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&Call::Note(call.clone()))));
    let mut d = Drafting::new(bench, Kind::Noted, Place::Stream(call.stream.clone()), 0)
        .request(by.request.as_ref())
        .decided(&answer.blockers, &answer.policies);
    d.header().mode = answer.mode as u8;
    d.header().event = DottedName::new(call.stream.as_str()).ok();
    let person = bench.is_person(&by.principal).then_some(&by.principal);
    d.part(Slot::Principal, person, evidence::encode_entity(&by.principal));
    d.part(Slot::Payload, call.subject.as_ref(), call.payload.clone());
    if let Some((key, digest)) = &once {
        d.part(Slot::Once, person, evidence::encode_once(key, digest));
    }
    d.part(Slot::Context, person, evidence::encode_record(&by.context));
    slice.parts(bench, &mut d);
    let draft = match d.finish() {
        Ok(draft) => draft,
        Err(blocker) => {
            answer.allowed = false;
            answer.blockers.push(blocker);
            let mode = answer.mode;
            world::stands(&mut answer, mode, by.legacy.as_ref());
            return Judged::only(answer);
        }
    };
    Judged { answer, drafts: vec![draft], instance: None, messages: Vec::new(), once, directory: None }
}
