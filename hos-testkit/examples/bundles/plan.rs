//! A story by chance, and what is bent while it is written: everything after it is made to fit.

use crate::audit_support::log::LogMaker;
use crate::audit_support::record::*;
use crate::audit_support::story::{Plan, buyer, buyers, desk_link, law, row, seller};
use crate::audit_support::{START, cbor, drawn};
use hos_core::digest::heads_label;
use hos_core::id::*;
use hos_core::proof::bundle::Why;
use hos_core::proof::record::*;
use hos_core::time::Timestamp;
use hos_testkit::chance::Chance;

const NAMES: [&str; 13] = [
    "founded",
    "key",
    "activated",
    "activated again",
    "put buyer",
    "put seller",
    "join buyer",
    "grant",
    "birth",
    "pay",
    "ship",
    "erased",
    "heads",
];

fn coin(chance: &mut Chance) -> bool {
    chance.below(2) == 0
}

/// A plan, with so many bends.
pub(crate) fn plan(chance: &mut Chance, bends: usize) -> Plan {
    let asked = (chance.below(6) as u64).saturating_sub(2);
    let mut signing: Vec<u64> = (0..4).filter(|_| chance.below(12) > 0).collect();
    if asked == 0 && coin(chance) {
        signing.clear();
    }
    let moment = [5, 15, 20, 25, 30, 45][chance.below(6)] * 60_000 + [-5001, -5000, -1, 0, 1, 5000, 5001][chance.below(7)];
    let plan = Plan {
        universe: chance.below(3) > 0,
        label: chance.below(3) > 0,
        map: chance.below(4) > 0,
        moves: chance.below(3) > 0,
        roles: chance.below(3) > 0,
        erased: chance.below(6) == 0,
        second_law: (chance.below(3) == 0).then_some(moment),
        noise: chance.below(5) as u64,
        later: chance.below(3) as u64 / 2,
        epoch: chance.below(8) as u64 / 7,
        witnesses: if asked == 0 { (0, signing, 0) } else { (3, signing, asked) },
        ..Plan::default()
    };
    let steps: Vec<(&str, u64)> = (0..bends).map(|_| (NAMES[chance.below(NAMES.len())], chance.bits())).collect();
    let more = chance.below(4) == 0 && bends > 0;
    let (after, seed) = (NAMES[chance.below(NAMES.len())], chance.bits());
    plan.bending(move |name, rec| {
        steps.iter().filter(|(of, _)| *of == name).for_each(|(_, seed)| bend(&mut Chance::new(*seed), rec));
        // What no encoder writes is bent in the bytes.
        rec.parts.sort_by_key(|part| (part.slot, part.index));
        rec.parts.dedup_by_key(|part| (part.slot, part.index));
        if rec.stream {
            rec.header.label = None;
        }
    })
    .adding(move |name, log| {
        if more && name == after {
            add(&mut Chance::new(seed), log);
        }
    })
}

fn account(chance: &mut Chance) -> Uid {
    [buyer(), seller(), buyers(), uid("Role", "desk")][chance.below(4)].clone()
}

fn change(chance: &mut Chance) -> Vec<u8> {
    let (one, other) = (account(chance), account(chance));
    match chance.below(7) {
        0 => put(&one, &active(coin(chance))),
        1 => remove(&one),
        2 => membership(2, &one, &other),
        3 => membership(3, &one, &other),
        4 => grant(&JudgedLink { principal: Some(one), ..desk_link(None) }),
        5 => revoke("grant-1"),
        _ => grant(&desk_link(None)),
    }
}

/// Puts a record that the story does not have.
fn add(chance: &mut Chance, log: &mut LogMaker) {
    let rec = match chance.below(6) {
        0..=3 => {
            let thread = ["row of buyer", "row of seller", "own row of buyer", "grant"][chance.below(4)];
            let mut rec = row(thread, 2, change(chance));
            if chance.below(4) == 0 {
                rec.header.decision = Decision::Deny;
                rec.header.refusal = coin(chance).then(|| "hos.forbidden".into());
            }
            if chance.below(5) == 0 {
                rec.part_mut(Slot::Change).withheld = Some(Why::Erased);
            }
            rec
        }
        4 => {
            let hash = law(1 + chance.below(3) as u64).hash;
            Rec::of_stream(Kind::Activated, "hos.law", chance.below(40) as i64).with(Slot::Change, activation(&hash))
        }
        _ => {
            let mut rec = Rec::new(Kind::Begun, "order", 10);
            rec.header.thread = Handle(drawn("twin", 0));
            rec.header.label = Some(heads_label(&log.tenant, "order", "o-17"));
            rec
        }
    };
    log.put("added", rec);
}

fn bend(chance: &mut Chance, rec: &mut Rec) {
    match chance.below(10) {
        0 | 1 => bend_part(chance, rec),
        2 | 3 if rec.slice.is_some() => bend_slice(chance, rec),
        4 => {
            let (key, value) = (1 + chance.below(29) as u64, small(chance));
            rec.bent_header_bytes = Some(Box::new(move |bytes| *bytes = cbor::with_field(bytes, key, value.as_deref())));
        }
        5 => {
            let (key, value) = (1 + chance.below(13) as u64, small(chance));
            rec.bent_entry_bytes = Some(Box::new(move |bytes| *bytes = cbor::with_field(bytes, key, value.as_deref())));
        }
        6 => {
            let seed = chance.bits();
            rec.bent_header = Some(Box::new(move |header| place(&mut Chance::new(seed), header)));
        }
        _ => bend_header(chance, rec),
    }
}

/// A value that a field might have, or none.
fn small(chance: &mut Chance) -> Option<Vec<u8>> {
    Some(match chance.below(9) {
        0 => return None,
        1 => cbor::uint(chance.below(4) as u64),
        2 => cbor::uint(chance.bits()),
        3 => cbor::bytes(&[chance.below(3) as u8; 32]),
        4 => cbor::bytes(&[1; 16]),
        5 => cbor::text(["order", "universe", "pazar-tr", "hos.law", "", "a.b", "A b"][chance.below(7)]),
        6 => vec![0x80],
        7 => vec![0xf6],
        _ => cbor::uint(9_214_646_399_999 + chance.below(2) as u64),
    })
}

fn place(chance: &mut Chance, header: &mut Header) {
    (header.n, header.prev) = match chance.below(4) {
        0 => (None, None),
        1 => (Some(0), None),
        2 => (Some(header.n.unwrap_or(0) + 1), Some(RecordHash([1; 32]))),
        _ => (header.n, header.prev.map(|_| RecordHash([2; 32]))),
    };
    if header.n == Some(0) {
        header.prev = None;
    } else {
        header.label = None;
    }
}

fn bend_part(chance: &mut Chance, rec: &mut Rec) {
    let count = rec.parts.len();
    let Some(part) = rec.parts.get_mut(chance.below(count)) else {
        rec.parts.push(part(Slot::Id, text("o-17")));
        return;
    };
    match chance.below(6) {
        0 => part.withheld = Some(Why::Hidden),
        1 => part.withheld = Some(Why::Erased),
        2 => part.plaintext.push(chance.bits() as u8),
        3 => {
            let at = chance.below(part.plaintext.len());
            if let Some(byte) = part.plaintext.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        4 if part.slot == Slot::Change => part.plaintext = change(chance),
        4 => part.plaintext = text(["o-17", "o-18", ""][chance.below(3)]),
        _ => {
            rec.parts.remove(chance.below(count));
        }
    }
}

fn bend_slice(chance: &mut Chance, rec: &mut Rec) {
    let Some(slice) = &mut rec.slice else { return };
    let at = chance.below(slice.entities.len());
    let other = slice.links.first().and_then(|link| link.record);
    match chance.below(8) {
        0 => slice.entities[at].parents.push(account(chance)),
        1 => slice.entities[at].parents.clear(),
        2 => slice.entities[at].attrs = active(coin(chance)),
        3 => slice.entities[at].record = [None, other, Some(RecordHash([1; 32]))][chance.below(3)],
        4 => slice.entities[at].uid = account(chance),
        5 => slice.links[0].principal = coin(chance).then(|| account(chance)),
        6 => slice.links[0].record = [slice.entities[0].record, None][chance.below(2)],
        _ => slice.entities.swap(0, at),
    }
}

fn bend_header(chance: &mut Chance, rec: &mut Rec) {
    let header = &mut rec.header;
    match chance.below(14) {
        0 => header.kind = Kind::ALL[chance.below(Kind::ALL.len())],
        1 => header.decision = [Decision::None, Decision::Allow, Decision::Deny][chance.below(3)],
        2 => header.refusal = coin(chance).then(|| "hos.forbidden".into()),
        3 => header.law = [None, Some(law(1).hash), Some(law(2).hash)][chance.below(3)],
        4 => header.guard_law = [None, Some(law(1).hash), Some(law(2).hash)][chance.below(3)],
        5 => header.activation = [None, Some(RecordHash([1; 32]))][chance.below(2)],
        6 => header.time = Timestamp(START + chance.below(60) as i64 * 60_000 + [-5001, -5000, 0, 5000, 5001][chance.below(5)]),
        7 => header.contract = [None, Some(Name::new("stay"))][chance.below(2)].clone().and_then(Result::ok),
        8 => header.durability = [Durability::Unknown, Durability::Weak][chance.below(2)],
        9 => header.event = ["hos.law", "hos.other", "pay"].get(chance.below(4)).and_then(|text| DottedName::new(*text).ok()),
        10 => header.thread = Handle(drawn(["order", "noise", "hos.law", "row of buyer"][chance.below(4)], 0)),
        11 => {
            rec.stream = !rec.stream;
            header.label = None;
        }
        12 => rec.disputed = Some(1 + chance.below(9) as u16),
        _ => rec.lost = true,
    }
    if rec.header.label.is_some() && rec.header.kind != Kind::Begun && coin(chance) {
        rec.header.label = None;
    }
}
