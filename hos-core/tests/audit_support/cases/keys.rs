//! Step 5, its end: the records of keys, and the keys that sign.

use super::*;
use crate::audit_support::log::LogMaker;
use crate::audit_support::record::Rec;
use crate::audit_support::*;
use hos_core::id::{DottedName, Tenant};
use hos_core::proof::bundle::{KeyRange, Why};
use hos_core::proof::checkpoint::{NoteKey, origin};
use hos_core::proof::key::SealKey;
use hos_core::proof::keyring::KeyChange;
use hos_core::proof::record::{Kind, Slot};
use std::collections::BTreeMap;

/// The key that takes over.
fn next() -> SealKey {
    SealKey::from_seed(&[21; 32])
}

/// How a change of key is told; what is left as it is makes a good one.
#[derive(Clone, Copy)]
struct Course {
    /// Whether there is a change, and whether it is confirmed.
    changed: bool,
    confirmed: bool,
    /// Whether it is taken back.
    back: bool,
    /// From which size on the new key signs the tenant's log, of 5 entries.
    tenant_from: u64,
    /// How much later than due it signs the universe's.
    late: u64,
    /// The epoch of the note that confirms.
    epoch: u64,
    /// Bends the first record of keys.
    first: fn(&mut Rec),
}

const CHANGED: Course = Course { changed: true, confirmed: true, back: false, tenant_from: 5, late: 0, epoch: 0, first: |_| () };
const FIRST: Course = Course { changed: false, ..CHANGED };

impl Course {
    fn plan(self) -> Plan {
        Plan { roles: false, ..Plan::default() }
            .bending(move |name, rec| {
                if name == "key" {
                    rec.parts.push(record::part(Slot::Change, KeyChange::First(seal_key().verify_key()).encode()));
                    (self.first)(rec);
                }
            })
            .adding(move |name, log| {
                if name == "activated" && self.changed {
                    self.change(log);
                }
            })
    }

    fn change(self, log: &mut LogMaker) {
        let says = |change: KeyChange| Rec::of_stream(Kind::Key, "hos.keys", 1).with(Slot::Change, change.encode());
        let from = [(tenant(), self.tenant_from), (Tenant::universe(), log.size() + 2 + self.late)];
        log.put("rotated", says(KeyChange::Rotated(next().verify_key(), from.into())));
        if self.back {
            log.put("taken back", says(KeyChange::Revoked(next().verify_key(), BTreeMap::new(), "not ours".into())));
        }
        if self.confirmed {
            let mut closing = log.checkpoint();
            closing.origin = origin(&store(), &Tenant::universe(), self.epoch);
            closing.size += self.late;
            log.put("confirmed", says(KeyChange::Confirmed(next().verify_key(), closing.sign(&seal_key()).unwrap())));
        }
    }

    /// Tells it: who signs the two logs, and whom the trust file names.
    fn told(self, signers: [&[SealKey]; 2], named: &[SealKey]) -> Made {
        let mut made = made(&self.plan());
        let vkey = |log: &LogMaker, key: &SealKey| NoteKey::new(log.key().name(), key.verify_key()).unwrap().to_string();
        made.bundle.keys.clear();
        for (place, log) in made.logs.iter().enumerate() {
            let notes: Vec<String> = signers[place].iter().map(|key| log.checkpoint().sign(key).unwrap()).collect();
            let lines = notes.iter().skip(1).filter_map(|note| note.lines().last()).map(|line| format!("{line}\n"));
            made.bundle.logs[place].note = notes[0].clone() + &lines.collect::<String>();
            let turn = if place == 0 { self.tenant_from } else { 5 + self.late };
            let range = |key: &SealKey, from, to| KeyRange { log: place, vkey: vkey(log, key), from, to };
            match self.changed && !self.back {
                true => made.bundle.keys.extend([range(&seal_key(), 0, turn - 1), range(&next(), turn, 0)]),
                false => made.bundle.keys.push(range(&seal_key(), 0, 0)),
            }
        }
        let logs: String = named.iter().map(|key| format!("log {}\n", vkey(&made.logs[0], key))).collect();
        made.trust = format!("{logs}quorum none\n");
        made
    }
}

fn class(rec: &mut Rec, class: &str) {
    rec.header.event = Some(DottedName::new(class).unwrap());
}

pub(super) fn cases() -> Vec<Case> {
    let (old, new) = (seal_key, next);
    let both = || [old(), new()];
    let after = |course: Course| course.told([&[new()], &[new()]], &both());
    let before = |course: Course, named: &[SealKey]| course.told([&[old()], &[old()]], named);
    let bent = |first: fn(&mut Rec), named: &[SealKey]| before(Course { first, ..FIRST }, named);
    let hidden: fn(&mut Rec) = |rec| rec.part_mut(Slot::Change).withheld = Some(Why::Hidden);
    let other_kind: fn(&mut Rec) = |rec| rec.header.kind = Kind::Noted;
    let mut kept = after(CHANGED);
    kept.against = vec![kept.logs[0].checkpoint().sign(&old()).unwrap()];
    let mut absent = before(FIRST, &both());
    absent.drop_cited("key");
    let mut mixed = after(CHANGED);
    mixed.bundle.keys.truncate(3);
    vec![
        of("keys_first", "the store's first key", "intact", &before(FIRST, &[old()])),
        of("keys_changed", "another key took over", "intact", &after(CHANGED)),
        of(
            "keys_idle",
            "an idle log under the old key, the universe under the new",
            "intact",
            &Course { tenant_from: 6, ..CHANGED }.told([&[old()], &[new()]], &both()),
        ),
        of(
            "keys_two_signers",
            "signed by the old key, which does not count any more, and by the new",
            "intact",
            &CHANGED.told([&both(), &both()], &both()),
        ),
        of(
            "keys_new_then_old",
            "signed by both, and the trust file names the old key last",
            "intact",
            &CHANGED.told([&both(), &both()], &[new(), old()]),
        ),
        of("kept_under_former_key", "what was kept is signed by the key before", "anchored", &kept),
        of("keys_before_change", "from before a change of key that the trust file knows of", "intact", &before(FIRST, &both())),
        of(
            "keys_change_not_confirmed",
            "under the old key, which tells of a change to the new one that nobody confirmed",
            "intact",
            &before(Course { confirmed: false, tenant_from: 1_000_000, ..CHANGED }, &both()),
        ),
        of("keys_hidden", "the record of keys is hidden, and the trust file names one key", "intact", &bent(hidden, &[old()])),
        of(
            "keys_hidden_of_two",
            "the record of keys is hidden, and the trust file names two keys",
            "key.missing",
            &bent(hidden, &both()),
        ),
        of("keys_absent", "no record of keys is cited, and the trust file names two keys", "key.missing", &absent),
        of(
            "keys_other_class",
            "a record of another class in place of the stream of keys, and the trust file names two keys",
            "key.missing",
            &bent(|rec| class(rec, "hos.other"), &both()),
        ),
        of("keys_other_kind", "a record of another kind in the stream of keys", "key.range", &bent(other_kind, &[old()])),
        of(
            "keys_class_changes",
            "a record of another class behind the first of the stream of keys",
            "key.range",
            &made_with_stranger(),
        ),
        of(
            "keys_confirmed_later",
            "the note that confirms is of a later epoch",
            "key.range",
            &after(Course { epoch: 1, ..CHANGED }),
        ),
        of(
            "keys_universe_late",
            "the change takes the universe from a later size than the one behind its record",
            "key.range",
            &after(Course { late: 1, ..CHANGED }),
        ),
        of(
            "keys_old_key_signs_on",
            "the old key for entries that are the new one's",
            "key.range",
            &CHANGED.told([&[old()], &[new()]], &both()),
        ),
        of("keys_list_short", "a range that the records come to is not listed", "key.range", &mixed),
    ]
}

/// The stream's thread goes on with a record that is none of it.
fn made_with_stranger() -> Made {
    let plan = FIRST.plan();
    let plan = plan.adding(|name, log| {
        if name == "activated" {
            let mut rec =
                Rec::of_stream(Kind::Key, "hos.keys", 1).with(Slot::Change, KeyChange::First(next().verify_key()).encode());
            class(&mut rec, "hos.other");
            log.put("stranger", rec);
        }
    });
    made(&plan)
}

/// A change to 32 bytes that are no key; the list is what the records would come to if they were one.
pub(super) fn no_key() -> Vec<Case> {
    let none = [2; 32];
    let plan = FIRST.plan().adding(move |name, log| {
        if name == "activated" {
            let mut w = hos_core::canon::Writer::default();
            w.array(3).uint(1).bytes(&none).array(2);
            w.array(2).text("pazar-tr").uint(6);
            w.array(2).text("universe").uint(log.size() + 2);
            log.put("rotated", Rec::of_stream(Kind::Key, "hos.keys", 1).with(Slot::Change, w.finish()));
        }
    });
    let mut made = made(&plan);
    made.bundle.keys.clear();
    for (place, log) in made.logs.iter().enumerate() {
        let name = log.key().name().to_owned();
        let id = hos_core::digest::note_key_id(&name, 1, &none);
        let vkey = format!("{name}+{}+{}", hex(id), base64(&[&[1], &none[..]].concat()));
        let turn = if place == 0 { 6 } else { 5 };
        made.bundle.keys.push(KeyRange { log: place, vkey: log.key().to_string(), from: 0, to: turn - 1 });
        made.bundle.keys.push(KeyRange { log: place, vkey, from: turn, to: 0 });
    }
    vec![of("keys_no_key", "a change to what is no key, which nobody confirmed", "key.range", &made)]
}

/// A change that nobody confirmed is taken back, and the first key goes on.
pub(super) fn taken_back() -> Vec<Case> {
    let course = Course { confirmed: false, back: true, ..CHANGED };
    let made = course.told([&[seal_key()], &[seal_key()]], &[seal_key()]);
    vec![of("keys_taken_back", "a change of key was taken back, and the first key goes on", "intact", &made)]
}
