//! Steps 4 to 6: records that do not hold, threads that do not follow, ends that are elsewhere.

use super::*;
use crate::audit_support::cbor;
use crate::audit_support::record::*;
use crate::audit_support::story::{ORDER, grow, tell};
use crate::audit_support::*;
use hos_core::digest::heads_label;
use hos_core::id::*;
use hos_core::proof::bundle::{Opening, Why, Withheld};
use hos_core::proof::heads::HeadKind;
use hos_core::proof::record::*;
use hos_core::time::Timestamp;

/// The order's birth, bent before it is put.
fn birth(name: &'static str, about: &'static str, code: &'static str, change: impl Fn(&mut Rec) + 'static) -> Case {
    let plan = Plan::least().bending(move |record, rec| {
        if record == "birth" {
            change(rec);
        }
    });
    told(name, about, code, &plan)
}

/// A field of the birth's header, spelled otherwise.
fn header(name: &'static str, about: &'static str, code: &'static str, key: u64, value: Option<Vec<u8>>) -> Case {
    birth(name, about, code, move |rec| {
        let value = value.clone();
        rec.bent_header_bytes = Some(Box::new(move |bytes| *bytes = cbor::with_field(bytes, key, value.as_deref())));
    })
}

/// A field of the birth's entry, spelled otherwise.
fn entry(name: &'static str, about: &'static str, code: &'static str, key: u64, value: Option<Vec<u8>>) -> Case {
    birth(name, about, code, move |rec| {
        let value = value.clone();
        rec.bent_entry_bytes = Some(Box::new(move |bytes| *bytes = cbor::with_field(bytes, key, value.as_deref())));
    })
}

/// The field of 1948's first moment, of a claimed time.
fn of_1948() -> Vec<u8> {
    cbor::written_head(1, 694_224_000_000 - 1)
}

fn entries() -> Vec<Case> {
    vec![
        entry("entry_version", "an entry of version 2", "entry.version", 1, Some(vec![2])),
        entry("entry_suite", "an entry of suite 2", "entry.suite", 2, Some(vec![2])),
        entry("entry_unknown_field", "an entry with a field more", "entry.unknown_field", 13, Some(vec![0])),
        entry("entry_missing_field", "an entry without its header", "entry.missing_field", 12, None),
        entry("entry_tenant", "an entry's tenant in capitals", "entry.malformed", 5, Some(cbor::text("UNIVERSE"))),
        entry("entry_place", "a stream's place without a predecessor", "entry.place", 9, Some(vec![5])),
        entry("entry_time_2262", "sealed in 2262", "entry.time", 8, Some(cbor::uint(9_214_646_400_000))),
        entry("entry_time_1948", "sealed in 1948", "entry.not_canonical", 8, Some(of_1948())),
        entry("entry_long_int", "an entry's epoch in two bytes", "entry.not_canonical", 4, Some(vec![0x18, 0])),
        entry("entry_header_long", "an entry's header of 16385 bytes", "entry.too_large", 12, Some(cbor::bytes(&[0; 16_385]))),
        entry("entry_store", "an entry of another store", "foreign", 3, Some(cbor::bytes(&[1; 16]))),
        entry("entry_epoch", "an entry of another epoch", "foreign", 4, Some(vec![1])),
        entry("entry_other_tenant", "an entry of another tenant", "foreign", 5, Some(cbor::text("pazar-tr"))),
        birth("disputed", "the sealer disputes the record", "disputed", |rec| rec.disputed = Some(9)),
        entry("disputed_unknown", "disputed for a reason that is not known", "disputed", 11, Some(cbor::uint(65_535))),
        birth("disputed_before_header", "disputed, its header does not decode", "disputed", |rec| {
            rec.disputed = Some(1);
            rec.bent_header_bytes = Some(Box::new(|bytes| bytes.push(0)));
        }),
    ]
}

fn headers() -> Vec<Case> {
    let part = |slot: u64, index: u64| cbor::of_items(4, &[cbor::uint(slot), cbor::uint(index), cbor::bytes(&[1; 32])]);
    let judge = |compat: u64| cbor::of_items(4, &[vec![4], vec![5], vec![1], cbor::uint(compat)]);
    vec![
        header("header_version", "a header of version 2", "header.version", 1, Some(vec![2])),
        header("header_suite", "a header of suite 2", "header.suite", 2, Some(vec![2])),
        header("header_unknown_field", "a header with a field more", "header.unknown_field", 29, Some(vec![0])),
        header("header_missing_field", "a header without its time", "header.missing_field", 9, None),
        header("header_kind", "kind 23", "header.unknown_number", 8, Some(vec![23])),
        header("header_compat", "compat 2", "header.unknown_number", 13, Some(judge(2))),
        header("header_mode", "mode 3", "header.unknown_number", 14, Some(vec![3])),
        header("header_judge_bits", "a judge's number of 17 bits", "header.not_canonical", 13, Some(judge(65_536))),
        header(
            "header_contract",
            "a contract's name that begins with a digit",
            "header.malformed",
            19,
            Some(cbor::text("1order")),
        ),
        header(
            "header_parts_order",
            "parts out of order",
            "header.order",
            27,
            Some(cbor::of_items(4, &[part(6, 0), part(3, 0)])),
        ),
        header("header_parts_65", "65 parts", "header.too_large", 27, {
            Some(cbor::of_items(4, &(0..65).map(|index| part(3, index)).collect::<Vec<_>>()))
        }),
        header("header_time_2262", "a clock of 2262", "header.time", 9, Some(cbor::uint(9_214_646_400_000))),
        header("header_time_1948", "a clock of 1948", "header.not_canonical", 9, Some(of_1948())),
        header("header_n", "n 1 without a previous hash", "header.place", 6, Some(vec![1])),
        header("header_long_int", "a kind in two bytes", "header.not_canonical", 8, Some(vec![0x18, 1])),
        header("header_null", "a null for an absent field", "header.not_canonical", 17, Some(vec![0xf6])),
        header("header_store", "a header of another store", "foreign", 3, Some(cbor::bytes(&[1; 16]))),
        header("header_tenant", "a header of another tenant", "foreign", 4, Some(cbor::text("pazar-tr"))),
        told(
            "label_later",
            "a label where n is not 0",
            "header.place",
            &small().bending(|name, rec| {
                if name == "pay" {
                    rec.bent_header_bytes =
                        Some(Box::new(|bytes| *bytes = cbor::with_field(bytes, 28, Some(&cbor::bytes(&[1; 32])))));
                }
            }),
        ),
    ]
}

fn inclusion_and_parts() -> Vec<Case> {
    let first = |name, about, code, change: fn(&mut hos_core::proof::bundle::Item)| {
        bent(name, about, code, &small(), move |m| change(&mut m.bundle.records[0]))
    };
    vec![
        first("inclusion_root", "a hash of the proof is another", "inclusion.root", |item| item.proof[0].0[0] ^= 1),
        first("inclusion_swapped", "two hashes of the proof swapped", "inclusion.root", |item| item.proof.swap(0, 1)),
        first("inclusion_short", "a hash too few", "inclusion.length", |item| item.proof.truncate(item.proof.len() - 1)),
        first("inclusion_long", "a hash too many", "inclusion.length", |item| item.proof.push(item.proof[0])),
        first("inclusion_64", "64 hashes", "inclusion.length", |item| item.proof = vec![item.proof[0]; 64]),
        bent("inclusion_size", "a checkpoint of fewer entries, rightly signed", "inclusion.range", &small(), |m| {
            m.bundle.logs[0].note = story::resigned(m, 0, |c| c.size = 2);
        }),
        bent("inclusion_empty", "a checkpoint of the empty log", "inclusion.range", &Plan::least(), |m| {
            m.bundle.logs[0].note = story::resigned(m, 0, |c| (c.size, c.root) = (0, hos_core::digest::tree_empty()));
        }),
        bent("bent_entry", "a bit of an entry's header", "inclusion.root", &Plan::least(), |m| {
            let entry = &mut m.bundle.records[0].entry;
            let at = entry.windows(11).position(|w| w == b"buyer-acts\x13" || w.starts_with(b"buyer-acts")).unwrap();
            entry[at] ^= 1;
        }),
        told(
            "never_committed",
            "signed for, never committed",
            "inclusion.root",
            &small().bending(|name, rec| rec.lost = name == "ship"),
        ),
        told(
            "never_committed_last",
            "never committed, and nothing came after",
            "inclusion.range",
            &Plan { map: false, ..small() }.bending(|name, rec| rec.lost = name == "ship"),
        ),
        first("part_unlisted", "a part that the header does not list", "part.unlisted", |item| {
            item.opened.push(Opening { slot: Slot::Legacy, index: 0, salt: [0; 32], plaintext: vec![0x60] });
        }),
        first("part_unlisted_index", "a listed slot under another index", "part.unlisted", |item| {
            item.withheld.push(Withheld { slot: Slot::Facts, index: 1, why: Why::Hidden });
        }),
        first("part_missing", "a part is neither opened nor withheld", "part.missing", |item| drop(item.opened.pop())),
        first("part_twice", "a part is opened and withheld", "part.twice", |item| {
            item.withheld.push(Withheld { slot: Slot::Facts, index: 0, why: Why::Erased });
        }),
        first("part_plaintext", "a part that reads better", "part.mismatch", |item| {
            *item.opened[0].plaintext.last_mut().unwrap() ^= 1
        }),
        first("part_salt", "a part under another salt", "part.mismatch", |item| item.opened[0].salt[0] ^= 1),
        first("part_longer", "a part with a byte more", "part.mismatch", |item| item.opened[1].plaintext.push(0)),
        first("parts_exchanged", "two parts' contents exchanged", "part.mismatch", |item| {
            let (left, right) = item.opened.split_at_mut(1);
            std::mem::swap(&mut left[0].plaintext, &mut right[0].plaintext);
        }),
        bent(
            "erased_offered_again",
            "an erased part, offered again with another content",
            "part.mismatch",
            &small().bending(|name, rec| {
                if name == "birth" {
                    rec.part_mut(Slot::Facts).withheld = Some(Why::Erased);
                }
            }),
            |m| {
                let item = &mut m.bundle.records[0];
                item.withheld.clear();
                item.opened.insert(0, Opening { slot: Slot::Facts, index: 0, salt: [5; 32], plaintext: values(&active(true)) });
            },
        ),
        bent("unlisted_before_missing", "one part named wrongly: the wrong name is told", "part.unlisted", &small(), |m| {
            m.bundle.records[0].opened[0].index = 7;
        }),
    ]
}

fn threads() -> Vec<Case> {
    let place = |name: &'static str, about: &'static str, code: &'static str, change: fn(&mut Header)| {
        told(
            name,
            about,
            code,
            &small().bending(move |record, rec| {
                if record == "ship" {
                    rec.bent_header = Some(Box::new(change));
                }
            }),
        )
    };
    vec![
        bent("thread_other", "the bundle is said to be of another thread", "thread.handle", &small(), |m| {
            m.bundle.thread = Handle([1; 16]);
        }),
        bent("thread_stranger", "a record of another thread among them", "thread.handle", &Plan { noise: 1, ..small() }, |m| {
            let place = m.logs[0].place_of("noise 0");
            m.bundle.records.insert(1, m.logs[0].item(place));
        }),
        bent("head_cut", "the birth is cut away", "thread.thread_n", &small(), |m| drop(m.bundle.records.remove(0))),
        bent("gap", "a record from the middle is missing", "thread.thread_n", &small(), |m| drop(m.bundle.records.remove(1))),
        bent("reordered", "two records swapped", "thread.thread_n", &small(), |m| m.bundle.records.swap(1, 2)),
        bent("record_twice", "a record twice", "thread.thread_n", &small(), |m| {
            let again = m.bundle.records[1].clone();
            m.bundle.records.insert(2, again);
        }),
        place("n_skips", "n skips one", "thread.thread_n", |h| h.n = Some(3)),
        place("prev_other", "another record is cited", "thread.thread_prev", |h| h.prev = Some(RecordHash([1; 32]))),
        place("no_place", "a place in neither header nor entry", "thread.placed", |h| (h.n, h.prev) = (None, None)),
        told(
            "two_places",
            "a place in header and entry",
            "thread.placed",
            &small().bending(|name, rec| {
                if name == "ship" {
                    rec.bent_entry = Some(Box::new(|entry| entry.stream = Some((0, None))));
                }
            }),
        ),
        thread_seq(),
        birth("label_other", "the label is another id's", "thread.label", |rec| {
            rec.header.label = Some(heads_label(&Tenant::universe(), "order", "o-18"));
        }),
        birth("label_other_contract", "the label is another contract's", "thread.label", |rec| {
            rec.header.label = Some(heads_label(&Tenant::universe(), "stay", ORDER));
        }),
        birth("label_no_contract", "a label, and no contract in the header", "thread.label", |rec| {
            rec.header.label = Some(heads_label(&Tenant::universe(), "order", ORDER));
            rec.header.contract = None;
        }),
        birth("label_unreadable", "the id does not decode", "thread.label", |rec| {
            rec.header.label = Some(heads_label(&Tenant::universe(), "order", ORDER));
            rec.part_mut(Slot::Id).plaintext.push(0);
        }),
        told(
            "label_later_id",
            "a later record opens another id",
            "thread.label",
            &small().bending(|name, rec| {
                if name == "ship" {
                    rec.parts.push(part(Slot::Id, text("o-18")));
                }
            }),
        ),
        bent(
            "cited_gap",
            "a cited thread begins with its second record",
            "thread.thread_n",
            &Plan { second_law: Some(25 * 60_000), ..small() },
            |m| m.drop_cited("activated"),
        ),
        bent("cited_bent", "a cited record's part is another", "part.mismatch", &Plan::least(), |m| {
            m.bundle.cited[0].1.opened[0].plaintext.push(0);
        }),
        told(
            "cited_disputed",
            "a cited record is disputed",
            "disputed",
            &Plan::least().bending(|name, rec| {
                if name == "activated" {
                    rec.disputed = Some(6);
                }
            }),
        ),
        bent("cited_of_other_log", "a cited record under the wrong log", "foreign", &Plan::default(), |m| {
            m.drop_cited("key");
            let (_, item) = m.bundle.cited.remove(0);
            m.bundle.cited.retain(|(log, _)| *log == 1);
            m.bundle.cited.insert(0, (1, item));
        }),
    ]
}

/// The log has the payment before the birth that it follows.
fn thread_seq() -> Case {
    let plan = || {
        Plan { map: false, moves: false, ..small() }.bending(|name, rec| {
            if name == "birth" {
                rec.header.label = None;
            }
        })
    };
    let born = grow(&plan());
    let birth = born.logs[0].hash_of("birth");
    let header =
        hos_core::proof::chain::Entry::decode(&born.logs[0].placed[born.logs[0].place_of("birth")].entry).unwrap().header;
    let like = Header::decode(&header).unwrap();
    let plan = plan()
        .adding(move |name, log| {
            if name == "activated" {
                let mut rec = Rec::new(Kind::Moved, "order", 20);
                rec.header = Header { kind: Kind::Moved, parts: Vec::new(), ..like.clone() };
                rec.bent_header = Some(Box::new(move |h| (h.n, h.prev) = (Some(1), Some(birth))));
                log.put("pay", rec);
            }
        })
        .bending(|name, rec| {
            if name == "birth" {
                rec.header.label = None;
                rec.bent_header = Some(Box::new(|h| (h.n, h.prev) = (Some(0), None)));
            }
        });
    bent("seq_back", "the log has the record before the one that it follows", "thread.seq", &plan, |m| m.bundle.records.reverse())
}

fn ends() -> Vec<Case> {
    let heads = |name: &'static str, about: &'static str, code: &'static str, change: fn(&mut Rec)| {
        told(
            name,
            about,
            code,
            &small().bending(move |record, rec| {
                if record == "heads" {
                    change(rec);
                }
            }),
        )
    };
    let proof = |name, about, code, change: fn(&mut hos_core::proof::bundle::HeadsProof)| {
        bent(name, about, code, &Plan { noise: 2, ..small() }, move |m| change(m.bundle.heads.as_mut().unwrap()))
    };
    vec![
        heads("heads_kind", "the map's record is of another kind", "heads.record", |rec| rec.header.kind = Kind::Noted),
        heads("heads_hidden", "the map's content is hidden", "heads.record", |rec| {
            rec.part_mut(Slot::Change).withheld = Some(Why::Hidden);
        }),
        heads("heads_unreadable", "the map's content does not decode", "heads.record", |rec| {
            rec.part_mut(Slot::Change).plaintext.push(0);
        }),
        heads("heads_no_content", "the map's record has no content", "heads.record", |rec| rec.parts.clear()),
        heads("heads_size", "a map of other entries than those below it", "heads.size", |rec| {
            let plaintext = &mut rec.part_mut(Slot::Change).plaintext;
            plaintext[1] -= 1;
        }),
        heads("heads_root_other", "the map's root is another", "heads.root", |rec| {
            *rec.part_mut(Slot::Change).plaintext.last_mut().unwrap() ^= 1;
        }),
        heads("heads_disputed", "the map's record is disputed", "disputed", |rec| rec.disputed = Some(5)),
        proof("sibling_bent", "a sibling is another", "heads.root", |proof| proof.siblings[0].0[0] ^= 1),
        proof("sibling_missing", "a sibling too few", "heads.root", |proof| proof.siblings.truncate(0)),
        proof("sibling_more", "a sibling too many", "heads.root", |proof| proof.siblings.push(hos_core::id::MapHash([0; 32]))),
        proof("head_n", "the thread is said to end later", "heads.root", |proof| proof.n += 1),
        proof("head_kind", "the thread is said to be erased", "heads.root", |proof| proof.kind = HeadKind::Erased),
        bent("heads_inclusion", "the map's record is not in the log", "inclusion.root", &small(), |m| {
            m.bundle.heads.as_mut().unwrap().item.proof[0].0[0] ^= 1;
        }),
        bent("tail_cut", "the newest record is cut away", "heads.end", &small(), |m| drop(m.bundle.records.pop())),
        bent("tombstone_cut", "the erasure is cut away", "heads.end", &Plan { erased: true, ..small() }, |m| {
            m.bundle.records.pop();
        }),
        told(
            "behind",
            "a record that the map does not cover",
            "heads.behind",
            &small().adding(|name, log| {
                if name == "heads" {
                    let mut rec = Rec::new(Kind::Moved, "order", 60);
                    rec.header.time = Timestamp(START + 60 * 60_000);
                    log.put("moved later", rec);
                }
            }),
        ),
        two_threads(),
        told(
            "tombstone_said_live",
            "the map says that an erased thread stands",
            "heads.end",
            &Plan { erased: true, ..small() }.bending(|name, rec| {
                // The log's maker lied in the map: the thread's end is a tombstone, and the map calls it standing.
                if name == "erased" {
                    rec.header.kind = Kind::Moved;
                    rec.bent_header = Some(Box::new(|h| h.kind = Kind::Erased));
                }
            }),
        ),
    ]
}

/// Two threads for one order: the map has the first alone.
fn two_threads() -> Case {
    let plan = small().adding(|name, log| {
        if name == "birth" {
            let first = log.placed.last().unwrap().clone();
            let header = hos_core::proof::chain::Entry::decode(&first.entry).unwrap().header;
            let mut rec = Rec::new(Kind::Begun, "order twin", 10);
            let like = Header::decode(&header).unwrap();
            rec.header = Header { thread: Handle(drawn("order twin", 0)), parts: Vec::new(), ..like };
            log.put("twin", rec.with(Slot::Id, text(ORDER)));
        }
    });
    let mut grown = grow(&plan);
    grown.thread = Handle(drawn("order twin", 0));
    let (map, _) = grown.end.take().unwrap();
    let head = grown.logs[0].head(&grown.thread);
    grown.end = Some((map, head));
    of("two_threads", "a second thread for one order", "heads.root", &tell(&plan, &grown))
}

pub(super) fn cases() -> Vec<Case> {
    [entries(), headers(), inclusion_and_parts(), threads(), ends()].into_iter().flatten().collect()
}
