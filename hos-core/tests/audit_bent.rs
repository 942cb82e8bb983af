//! A good bundle, bent everywhere: every bit, every byte cut, every item exchanged. Nothing of it may ever read better, and nothing may
//! panic; what may be changed without being noticed is listed here and in `spec/layers.md`, and is no evidence.

mod audit_support;

use audit_support::record::Rec;
use audit_support::story::{Made, Plan, grow, made, tell};
use audit_support::{cbor, witnessed};
use hos_core::audit::{Standing, Verdict, bundle};
use hos_core::proof::bundle::{Bundle, Why};
use hos_core::proof::record::{Kind, Slot};
use hos_core::proof::roots::{STREAM, TenantRoot};
use hos_core::proof::trust::Trust;
use std::ops::Range;

fn hiding(name: &str, rec: &mut Rec) {
    if name == "birth" {
        rec.part_mut(Slot::Facts).withheld = Some(Why::Hidden);
    }
}

/// One log, three records, a map, a hidden part.
fn small() -> Made {
    made(&Plan { universe: false, roles: false, noise: 0, ..Plan::default() }.bending(hiding))
}

/// Two logs, roles, witnesses.
fn whole() -> Made {
    made(&Plan { witnesses: (2, vec![0, 1], 2), ..Plan::default() }.bending(hiding))
}

/// Two witnesses of the universe's checkpoint alone, and its record of the order's log.
fn through_the_universe() -> Made {
    let plan = Plan { witnesses: (3, Vec::new(), 2), ..Plan::default() };
    let plan = plan.bending(hiding);
    let mut grown = grow(&plan);
    let own = grown.logs[0].checkpoint();
    let said = TenantRoot { tenant: grown.logs[0].tenant.clone(), epoch: 0, size: own.size, root: own.root };
    let rec = Rec::of_stream(Kind::Checkpoint, STREAM, 70).with(Slot::Change, said.encode());
    grown.logs[1].put("root", rec);
    let mut made = tell(&plan, &grown);
    let log = &grown.logs[1];
    made.bundle.cited.push((1, log.item(log.place_of("root"))));
    made.bundle.logs[1].note = witnessed(&log.note(), &[0, 2]);
    made
}

/// Where a field of the outermost map stands.
fn field(bytes: &[u8], key: u64) -> Range<usize> {
    let mut at = cbor::head(bytes).2;
    for pair in cbor::items(bytes).chunks(2) {
        let start = at + pair[0].len();
        at = start + pair[1].len();
        if cbor::head(&pair[0]).1 == key {
            return start..at;
        }
    }
    panic!("no field {key}");
}

/// What no hash and no signature leads to: the list of key ranges, and why a part is not shown.
fn uncovered(bytes: &[u8]) -> Vec<usize> {
    let mut places: Vec<usize> = field(bytes, 10).collect();
    let records = field(bytes, 6);
    let mut at = records.start + cbor::head(&bytes[records.clone()]).2;
    for item in cbor::items(&bytes[records]) {
        let parts = cbor::items(&item);
        let mut list = at + item.len() - parts[3].len() + cbor::head(&parts[3]).2;
        for withheld in cbor::items(&parts[3]) {
            list += withheld.len();
            places.push(list - 1);
        }
        at += item.len();
    }
    places
}

fn rank(verdict: &Verdict) -> u8 {
    match verdict.standing {
        Standing::Refused(_) => 0,
        Standing::Intact => 1,
        Standing::Anchored => 2,
    }
}

/// Everything by which one verdict may be better than another.
type Claims<'v> = (u8, &'v str, u64, u64, Option<u64>, bool, &'v [String], u64, u64);

/// What a verdict claims, without what is the exporter's word alone.
fn claims(verdict: &Verdict) -> Claims<'_> {
    let (opened, hidden, erased) = verdict.parts;
    let complete = verdict.complete.is_some();
    let Verdict { origin, size, records, gapless, witnesses, .. } = verdict;
    (rank(verdict), origin, *size, *records, *gapless, complete, witnesses, opened, hidden + erased)
}

fn bend_every_byte(made: &Made, bends: impl Fn(usize, u8) -> Vec<u8>) {
    let (good, trust) = (made.bytes(), Trust::parse(made.trust.as_bytes()).unwrap());
    let verdict = bundle(&good, &trust, &[]);
    assert!(verdict.holds(), "{verdict:?}");
    let uncovered = uncovered(&good);
    let mut unnoticed = 0;
    for at in 0..good.len() {
        for other in bends(at, good[at]) {
            let mut bytes = good.clone();
            bytes[at] = other;
            let found = bundle(&bytes, &trust, &[]);
            if found.holds() {
                assert!(uncovered.contains(&at), "byte {at} of {} may be {other:02x}: {found:?}", good.len());
                assert_eq!(claims(&found), claims(&verdict), "byte {at} as {other:02x}");
                unnoticed += 1;
            }
        }
    }
    assert!(unnoticed > 0, "the list of what is not covered is out of date");
}

#[test]
fn every_bit_of_a_bundle_is_covered_or_is_no_evidence() {
    bend_every_byte(&small(), |_, byte| (0..8).map(|bit| byte ^ 1 << bit).chain([byte.wrapping_add(1)]).collect());
}

#[test]
fn every_byte_of_a_cosigned_bundle_is_covered_or_is_no_evidence() {
    bend_every_byte(&whole(), |at, byte| vec![byte ^ 1 << (at % 8)]);
}

#[test]
fn every_byte_of_what_vouches_through_the_universe_is_covered_or_is_no_evidence() {
    bend_every_byte(&through_the_universe(), |at, byte| vec![byte ^ 1 << (at % 8)]);
}

#[test]
fn a_bundle_that_is_cut_anywhere_is_refused() {
    let made = whole();
    let (good, trust) = (made.bytes(), Trust::parse(made.trust.as_bytes()).unwrap());
    for len in 0..good.len() {
        assert!(!bundle(&good[..len], &trust, &[]).holds(), "{len} bytes of {}", good.len());
    }
    for at in 0..good.len() {
        let without = [&good[..at], &good[at + 1..]].concat();
        assert!(!bundle(&without, &trust, &[]).holds(), "without byte {at}");
    }
}

/// Every item, list and field in the place of every other of its kind.
#[test]
fn what_is_exchanged_is_noticed() {
    let made = whole();
    let trust = Trust::parse(made.trust.as_bytes()).unwrap();
    let good = made.bundle.clone();
    let refused = |what: &str, bent: &Bundle| {
        if *bent != good {
            let verdict = bundle(&bent.encode().unwrap(), &trust, &[]);
            assert!(!verdict.holds(), "{what}: {verdict:?}");
        }
    };
    let mut items: Vec<_> = good.records.clone();
    items.extend(good.cited.iter().map(|(_, item)| item.clone()));
    items.extend(good.heads.iter().map(|heads| heads.item.clone()));
    for (i, item) in items.iter().enumerate() {
        for (j, place) in (0..good.records.len()).enumerate() {
            let mut bent = good.clone();
            bent.records[place] = item.clone();
            refused(&format!("item {i} as record {j}"), &bent);
        }
        for place in 0..good.cited.len() {
            let mut bent = good.clone();
            bent.cited[place].1 = item.clone();
            refused(&format!("item {i} as cited {place}"), &bent);
        }
        let mut bent = good.clone();
        bent.heads.as_mut().unwrap().item = item.clone();
        refused(&format!("item {i} as the map's record"), &bent);
    }
    for (i, of) in items.iter().enumerate() {
        for place in 0..good.records.len() {
            let mut proof = good.clone();
            proof.records[place].proof.clone_from(&of.proof);
            refused(&format!("proof of {i} for record {place}"), &proof);
            let mut opened = good.clone();
            opened.records[place].opened.clone_from(&of.opened);
            refused(&format!("parts of {i} for record {place}"), &opened);
            let mut entry = good.clone();
            entry.records[place].entry.clone_from(&of.entry);
            refused(&format!("entry of {i} for record {place}"), &entry);
        }
    }
    let mut notes = good.clone();
    let second = notes.logs[1].note.clone();
    notes.logs[1].note = std::mem::replace(&mut notes.logs[0].note, second);
    refused("the notes of two logs", &notes);
    let mut logs = good.clone();
    logs.logs.reverse();
    refused("the logs", &logs);
}

/// A verdict without a map, a witness or a record says less, and never the same.
#[test]
fn what_is_left_out_is_not_claimed() {
    let made = whole();
    let trust = Trust::parse(made.trust.as_bytes()).unwrap();
    let whole = bundle(&made.bytes(), &trust, &[]);
    assert_eq!((rank(&whole), whole.complete.is_some(), whole.gapless), (2, true, Some(2)));
    let mut no_map = made.bundle.clone();
    no_map.heads = None;
    let found = bundle(&no_map.encode().unwrap(), &trust, &[]);
    assert_eq!((rank(&found), found.complete), (2, None));
    no_map.records.pop();
    let found = bundle(&no_map.encode().unwrap(), &trust, &[]);
    assert_eq!((rank(&found), found.complete, found.gapless), (2, None, Some(1)));
    let mut unsigned = made.bundle.clone();
    let note = &mut unsigned.logs[0].note;
    let cut = note.trim_end().rfind('\n').unwrap() + 1;
    note.truncate(cut);
    assert!(!bundle(&unsigned.encode().unwrap(), &trust, &[]).holds());
}
