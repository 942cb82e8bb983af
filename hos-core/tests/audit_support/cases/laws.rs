//! Steps 7 and 8: laws that are not those of their hashes, and laws that were not in force.

use super::*;
use crate::audit_support::record::*;
use crate::audit_support::story::law;
use crate::audit_support::*;
use hos_core::id::{DottedName, LawHash, RecordHash};
use hos_core::proof::bundle::Why;
use hos_core::proof::record::*;
use hos_core::time::Timestamp;

const AGAIN: i64 = 30 * 60_000;

fn two() -> Plan {
    Plan { second_law: Some(AGAIN), ..small() }
}

/// The order's last record, bent.
fn ship(name: &'static str, about: &'static str, code: &'static str, plan: Plan, change: fn(&mut Rec)) -> Case {
    told(
        name,
        about,
        code,
        &plan.bending(move |record, rec| {
            if record == "ship" {
                change(rec);
            }
        }),
    )
}

/// The activation, bent.
fn activated(name: &'static str, about: &'static str, code: &'static str, change: fn(&mut Rec)) -> Case {
    told(
        name,
        about,
        code,
        &Plan::least().bending(move |record, rec| {
            if record == "activated" {
                change(rec);
            }
        }),
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        bent("law_bent", "a file of the law is another", "law.hash", &Plan::least(), |m| m.bundle.laws[0].files[1].1.push(b' ')),
        bent("law_file_missing", "a file of the law is missing", "law.hash", &Plan::least(), |m| {
            drop(m.bundle.laws[0].files.pop())
        }),
        bent("law_file_more", "a file more", "law.hash", &Plan::least(), |m| {
            m.bundle.laws[0].files.push(("z.toml".into(), Vec::new()));
        }),
        bent("law_moved", "a byte moved from a path into its file", "law.hash", &Plan::least(), |m| {
            let (path, bytes) = &mut m.bundle.laws[0].files[0];
            bytes.insert(0, path.pop().unwrap().try_into().unwrap());
        }),
        bent("law_absent", "no law", "law.missing", &Plan::least(), |m| m.bundle.laws.clear()),
        bent("law_second_absent", "the second law is not there", "law.missing", &two(), |m| {
            m.bundle.laws.retain(|l| l.hash == law(1).hash);
        }),
        ship("guard_law_absent", "the guards' law is not there", "law.missing", small(), |rec| {
            rec.header.guard_law = Some(LawHash([3; 32]));
        }),
        bent("activation_absent", "the activation is not cited", "activation.missing", &Plan::least(), |m| {
            m.bundle.cited.clear()
        }),
        ship("activation_none", "a record that names no activation", "activation.missing", small(), |rec| {
            rec.header.activation = None
        }),
        ship("activation_unknown", "a record that names another's activation", "activation.missing", small(), |rec| {
            rec.header.activation = Some(RecordHash([3; 32]));
        }),
        activated("activation_kind", "what is cited is no activation", "activation.missing", |rec| rec.header.kind = Kind::Noted),
        activated("activation_stream", "an activation of another stream", "activation.missing", |rec| {
            rec.header.event = Some(DottedName::new("hos.other").unwrap());
        }),
        activated("activation_no_stream", "an activation whose place stands in its header", "activation.missing", |rec| {
            rec.stream = false;
        }),
        activated("activation_hidden", "the activation's content is hidden", "activation.missing", |rec| {
            rec.part_mut(Slot::Change).withheld = Some(Why::Hidden);
        }),
        activated("activation_unreadable", "the activation's content does not decode", "activation.missing", |rec| {
            rec.part_mut(Slot::Change).plaintext.push(0);
        }),
        activated("activation_candidate", "the activation's candidate is a hash of one byte", "activation.missing", |rec| {
            let mut w = hos_core::canon::Writer::default();
            w.array(3).bytes(law(1).hash.as_bytes()).bytes(&[1]).bytes(&[0xa0]);
            rec.part_mut(Slot::Change).plaintext = w.finish();
        }),
        activated("activation_other_law", "the activation put another law in force", "activation.law", |rec| {
            rec.part_mut(Slot::Change).plaintext = activation(&law(2).hash);
        }),
        ship("law_none", "a record under an activation that names no law", "activation.law", small(), |rec| {
            rec.header.law = None
        }),
        ship("law_of_first", "the law is the first's, the activation the second's", "activation.law", two(), |rec| {
            rec.header.law = Some(law(1).hash);
        }),
        told(
            "retired",
            "a law that was retired long ago",
            "activation.stale",
            &Plan { second_law: Some(15 * 60_000), ..small() }.bending(|name, rec| {
                // At its claimed time the second law was in force; the record stays with the first.
                if name == "activated again" {
                    rec.header.time = Timestamp(START + 60_000);
                }
                if name == "birth" {
                    rec.header.time = Timestamp(START + 14 * 60_000);
                }
            }),
        ),
        told(
            "stale_by_one",
            "the retired law was used for 5001 ms more",
            "activation.stale",
            &Plan { second_law: Some(AGAIN + 1), ..small() }.bending(|name, rec| {
                if name == "ship" {
                    rec.header.time = Timestamp(START + AGAIN + 5002);
                }
            }),
        ),
        told(
            "early_by_one",
            "claimed 5001 ms before its law was activated",
            "activation.early",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.header.time = Timestamp(START - 5001);
                }
            }),
        ),
        told(
            "clock_1970",
            "a clock that was never set",
            "activation.early",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.header.time = Timestamp(0);
                }
            }),
        ),
    ]
}
