//! What must be accepted.

use super::*;
use crate::audit_support::record::*;
use crate::audit_support::*;
use hos_core::proof::bundle::{KeyRange, Why};
use hos_core::proof::record::*;
use hos_core::time::Timestamp;

pub(super) fn cases() -> Vec<Case> {
    let sized = |entries: u64| Plan { roles: false, moves: false, map: false, noise: entries - 1, ..Plan::default() };
    vec![
        told("whole", "two logs, roles, a map", "intact", &Plan::default()),
        told("least", "one record in the universe itself, no label, no map", "intact", &Plan::least()),
        told("small", "the tenant is the universe: one log", "intact", &small()),
        told("no_map", "nothing says that the records are all", "intact", &Plan { map: false, ..small() }),
        told("thread", "no label: personal ids, the map knows the thread alone", "intact", &Plan { label: false, ..small() }),
        told(
            "hidden",
            "the exporter kept parts back",
            "intact",
            &small().bending(|name, rec| {
                if name == "birth" {
                    rec.part_mut(Slot::Facts).withheld = Some(Why::Hidden);
                }
                if name == "pay" {
                    rec.part_mut(Slot::Principal).withheld = Some(Why::Hidden);
                }
            }),
        ),
        told(
            "erased_parts",
            "a person's parts are erased, the id among them: the label stands",
            "intact",
            &small().bending(|name, rec| {
                if ["birth", "pay", "ship"].contains(&name) {
                    rec.parts.iter_mut().for_each(|part| part.withheld = Some(Why::Erased));
                }
            }),
        ),
        told("tombstone", "the order's last record is its erasure", "intact", &Plan { erased: true, ..small() }),
        told(
            "slice_hidden",
            "a slice is hidden: roles cannot be traced",
            "intact",
            &Plan::default().bending(|name, rec| {
                if name == "pay" {
                    let judged = rec.slice.take().unwrap();
                    let plaintext = slice(&judged);
                    rec.parts.push(PartOf { withheld: Some(Why::Hidden), ..part(Slot::Slice, plaintext) });
                }
            }),
        ),
        told(
            "row_hidden",
            "a row of the directory is erased: who stands on it cannot be traced",
            "intact",
            &Plan::default().bending(|name, rec| {
                if name == "join buyer" {
                    rec.part_mut(Slot::Change).withheld = Some(Why::Erased);
                }
            }),
        ),
        told(
            "universe_row_hidden",
            "the universe's row under the tenant's is erased",
            "intact",
            &Plan::default().bending(|name, rec| {
                if name == "put buyer" {
                    rec.part_mut(Slot::Change).withheld = Some(Why::Erased);
                }
            }),
        ),
        told(
            "two_laws",
            "a second law came into force before the parcel left",
            "intact",
            &Plan { second_law: Some(25 * 60_000), ..small() },
        ),
        told(
            "boundary",
            "the retired law was used for 5000 ms more",
            "intact",
            &Plan { second_law: Some(30 * 60_000 + 1), ..small() }.bending(|name, rec| {
                if name == "ship" {
                    rec.header.time = Timestamp(START + 30 * 60_000 + 5001);
                }
            }),
        ),
        told(
            "early_boundary",
            "claimed 5000 ms before its law was activated",
            "intact",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.header.time = Timestamp(START - 5000);
                }
            }),
        ),
        told(
            "guard_law",
            "guards of another law",
            "intact",
            &Plan { second_law: Some(25 * 60_000), ..small() }.bending(|name, rec| {
                if name == "ship" {
                    rec.header.guard_law = Some(crate::audit_support::story::law(1).hash);
                }
            }),
        ),
        told("cosigned", "two of three witnesses", "anchored", &Plan { witnesses: (3, vec![0, 2], 2), ..Plan::least() }),
        told("cosigned_all", "all of three witnesses", "anchored", &Plan { witnesses: (3, vec![2, 1, 0], 3), ..Plan::least() }),
        told(
            "stranger_cosigned",
            "a witness whom nobody knows is passed over",
            "intact",
            &Plan { witnesses: (0, vec![7], 0), ..Plan::least() },
        ),
        told(
            "cosigned_unasked",
            "witnesses sign though none is asked for",
            "intact",
            &Plan { witnesses: (2, vec![1], 0), ..Plan::least() },
        ),
        bent("kept", "a checkpoint kept elsewhere has the same size and root", "anchored", &small(), |m| {
            m.against = vec![m.bundle.logs[0].note.clone()];
        }),
        bent("kept_older", "a checkpoint kept elsewhere is older: it says nothing here", "intact", &small(), |m| {
            m.against = vec![m.logs[0].note(), crate::audit_support::story::resigned(m, 0, |c| c.size -= 1)];
            m.against.remove(0);
        }),
        told(
            "weak",
            "a record could be lost with the power",
            "intact",
            &small().bending(|name, rec| {
                if name == "pay" {
                    rec.header.durability = Durability::Weak;
                }
            }),
        ),
        told(
            "attested",
            "the birth brought in an existing row; a move was observed",
            "intact",
            &small().bending(|name, rec| match name {
                "birth" => rec.header.kind = Kind::Adopted,
                "pay" => rec.header.kind = Kind::Observed,
                _ => {}
            }),
        ),
        told("later", "entries behind the map's record", "intact", &Plan { later: 2, ..small() }),
        told("epoch", "a log of the second epoch", "intact", &Plan { epoch: 1, ..Plan::least() }),
        told("size_1", "a log of one entry", "intact", &sized(1)),
        told("size_255", "a log of 255 entries", "intact", &sized(255)),
        told("size_256", "a log of 256 entries: one full tile", "intact", &sized(256)),
        told("size_257", "a log of 257 entries", "intact", &sized(257)),
        told("map_of_many", "a map of 40 threads", "intact", &Plan { roles: false, noise: 39, moves: false, ..Plan::default() }),
        told(
            "refused_attempt",
            "a call that was refused stands in the thread",
            "intact",
            &small().bending(|name, rec| {
                if name == "pay" {
                    rec.header.kind = Kind::Refused;
                    rec.header.decision = Decision::Deny;
                    rec.header.refusal = Some("hos.forbidden".into());
                    rec.header.to = None;
                }
            }),
        ),
        told(
            "stream",
            "the thread is a named stream: its places stand in the entries",
            "intact",
            &Plan { label: false, ..small() }.bending(|name, rec| {
                if ["birth", "pay", "ship"].contains(&name) {
                    rec.stream = true;
                }
            }),
        ),
        bent("key_ranges", "the signing key is listed for a range that holds the size", "intact", &small(), |m| {
            let size = m.logs[0].size();
            let vkey = m.bundle.keys[0].vkey.clone();
            let range = |from, to| KeyRange { log: 0, vkey: vkey.clone(), from, to };
            m.bundle.keys = vec![range(0, 1), range(2, size), range(size + 1, 0)];
        }),
        bent("law_unused", "a law that no record names", "intact", &small(), |m| {
            m.bundle.laws.push(crate::audit_support::story::law(9));
            m.bundle.laws.sort_by_key(|law| law.hash);
        }),
        bent("cited_none_of_roles", "nothing cited but the law", "intact", &Plan::least(), |m| {
            assert_eq!(m.bundle.cited.len(), 1);
        }),
        told(
            "rejoined",
            "an account that left, was removed from the tenant and joined again",
            "intact",
            &Plan::default().adding(|name, log| {
                if name == "noise 0" {
                    for (n, change) in [(0, membership(2, &story::buyer(), &story::buyers())), (1, remove(&story::buyer()))] {
                        log.put(&format!("row {n}"), story::row("own row of buyer", 1, change));
                    }
                }
            }),
        ),
        told(
            "ids_of_all_kinds",
            "a part index beyond 0, a request id, a group, an event of two names",
            "intact",
            &small().bending(|name, rec| {
                if name == "pay" {
                    rec.parts.push(PartOf { index: 255, ..part(Slot::Args, values(&active(true))) });
                    rec.header.request = Some(hos_core::id::RequestId::new("req-1").unwrap());
                    rec.header.group = Some((hos_core::id::GroupId([1; 16]), 0, 2));
                    rec.header.event = Some(hos_core::id::DottedName::new("pay.card").unwrap());
                }
            }),
        ),
    ]
}
