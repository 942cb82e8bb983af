//! The heart: law + case -> answer and rows to write. The only room that knows all wings.
//!
//! Nothing here reads a store, a clock or a source of chance: the case brings rows, the time and a seed. Judging one case
//! twice gives the same answer and the same records, byte for byte.
//!
//! Order of judging (DESIGN: contract door): once-key, existence, clock, migration, due deadlines, policy, state and
//! `on_same`, guards. The first stage that refuses ends it; all guards of the last stage are reported.

mod bench;
mod birth;
mod deadline;
mod door;
mod draft;
mod evidence;
mod instance;
mod legacy;
mod membership;
mod motion;
mod note;
mod office;
mod slice;
mod transition;
mod verdict;
mod world;

pub use bench::{Bench, Limits, NEAR_BYTES, Standing};
pub use birth::{BeginRows, adopt, begin};
pub use deadline::{may_fire, tick};
pub use door::{apply_ruling, at_gate, can, can_all, gate};
pub use draft::{Draft, Place};
pub use evidence::{
    WasAsked, decode_armed, decode_asked, decode_blockers, decode_change, decode_entity, decode_messages, decode_once,
    decode_slice, decode_text, decode_values, encode_armed, encode_world, read_once,
};
pub use instance::{Instance, Message, data_subject};
pub use legacy::{decode_legacy, legacy_log};
pub use membership::{Beside, DirectoryAfter, DirectoryRows, DirectoryThread, apply as apply_change, change};
pub use note::note;
pub use office::{Act, Ended, act, act_about, attest, end};
pub use slice::Slice;
pub use transition::{available, erased, migrate, transition};
pub use world::{About, bare, stands, unjudged};

use crate::answer::{Answer, Receipt};
use crate::call::{Call, Transition};
use crate::canon::Writer;
use crate::digest;
use crate::id::{CallDigest, OnceKey};
use crate::proof::record::{Header, Kind};
use crate::refusal::{Blocker, Code};

/// What a once-key was used for before.
#[derive(Debug, Clone)]
pub struct OnceHit {
    /// The digest of the call that took it.
    pub digest: CallDigest,
    /// The receipt of its record.
    pub receipt: Receipt,
    /// The record's header.
    pub header: Header,
}

/// What comes of a case: the answer, and everything to be written in the same commit.
#[derive(Debug)]
pub struct Judged {
    /// The answer. `receipt` is filled in by the engine for the last of `drafts`, or is an older one already.
    pub answer: Answer,
    /// Records in the order in which they must be sealed. The last is the call's own.
    pub drafts: Vec<Draft>,
    /// The instance as it now is, if it was born or changed.
    pub instance: Option<Instance>,
    /// Messages for the outbox: (index of the draft that made it, message).
    pub messages: Vec<(usize, Message)>,
    /// The once-key that the call took.
    pub once: Option<(OnceKey, CallDigest)>,
    /// The directory's rows as they now are, if the call changed them.
    pub directory: Option<DirectoryAfter>,
}

impl Judged {
    /// An answer that writes nothing.
    fn only(answer: Answer) -> Self {
        Self { answer, drafts: Vec::new(), instance: None, messages: Vec::new(), once: None, directory: None }
    }
}

/// Answers a call whose once-key was used before: the first receipt again, or a refusal.
pub fn again(bench: &Bench<'_>, call: &Call, hit: &OnceHit) -> Judged {
    let (digest, legacy) = (call_digest(call), call.by().legacy.as_ref());
    let mode = About::of(call).mode(bench.active.law, bench.modes, bench.tenant);
    let mut answer = bench.blank();
    if hit.digest != digest {
        answer.blockers.push(Blocker::new(Code::OnceConflict, "the once-key was used for a call with other content"));
        stands(&mut answer, mode, legacy);
        return Judged::only(answer);
    }
    answer.allowed = true;
    answer.again = true;
    answer.policies = hit.header.policies.clone();
    // What the old world told is no state of the instance's.
    if hit.header.kind != Kind::Legacy {
        answer.from = hit.header.from.clone();
        answer.to = hit.header.to.clone();
    }
    answer.receipt = Some(hit.receipt.clone());
    stands(&mut answer, mode, legacy);
    Judged::only(answer)
}

/// The digest of a call under its once-key: operation, contract, instance, event, principal and what the caller supplied;
/// not context, not time, so that a retry is the same call.
pub fn call_digest(call: &Call) -> CallDigest {
    let mut w = Writer::default();
    let by = &call.by().principal;
    match call {
        Call::Begin(c) => {
            w.array(8).text("begin").text(c.contract.as_str()).text(c.id.as_str()).text(c.event.as_str());
            w.text(by.type_name()).text(by.id()).record(&c.facts).record(&c.args);
        }
        Call::Transition(c) => return transition_digest(c),
        Call::Note(c) => {
            w.array(6).text("note").text(c.stream.as_str()).text(by.type_name()).text(by.id()).bytes(&c.payload);
            w.text(&c.subject.as_ref().map(ToString::to_string).unwrap_or_default());
        }
        Call::Directory(c) => {
            w.array(4).text("directory").text(by.type_name()).text(by.id()).bytes(&evidence::encode_change(&c.change));
        }
        Call::Adopt(c) => {
            w.array(7).text("adopt").text(c.contract.as_str()).text(c.id.as_str()).text(c.state.as_str());
            w.text(by.type_name()).text(by.id()).record(&c.facts);
        }
        Call::LegacyLog(c) => {
            w.array(6).text("legacy").text(c.contract.as_str()).text(c.id.as_str()).text(by.type_name()).text(by.id());
            w.array(c.entries.len());
            for entry in &c.entries {
                w.record(&legacy::values(entry));
            }
        }
    }
    digest::call_digest(&w.finish())
}

/// The same of an event or an override.
fn transition_digest(c: &Transition) -> CallDigest {
    let (mut w, by) = (Writer::default(), &c.by.principal);
    w.array(8).text("transition").text(c.contract.as_str()).text(c.id.as_str()).text(c.event.as_str());
    w.text(by.type_name()).text(by.id()).record(&c.args).text(c.reason.as_deref().unwrap_or(""));
    digest::call_digest(&w.finish())
}
