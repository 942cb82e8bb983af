//! What the table says of the order of its rows, and of bytes that no field is due for.

use super::*;
use crate::audit_support::record::{Rec, grant};
use crate::audit_support::story::{desk_link, row};
use crate::audit_support::*;
use hos_core::id::Handle;
use hos_core::proof::bundle::Why;
use hos_core::proof::record::Slot;
use hos_core::time::Timestamp;

/// A field that no bundle has, in which so many arrays stand in each other.
fn nested(arrays: usize) -> impl FnOnce(Vec<u8>) -> Vec<u8> {
    move |bytes| {
        let mut value = vec![0x81; arrays - 1];
        value.push(0x80);
        cbor::with_field(&bytes, 11, Some(&value))
    }
}

pub(super) fn cases() -> Vec<Case> {
    let early: fn(&str, &mut Rec) = |name, rec| match name {
        "birth" => rec.header.time = Timestamp(START - 5001),
        "pay" => rec.header.law = None,
        _ => {}
    };
    vec![
        spelled("unknown_deep", "an unknown field, as deep as a bundle nests", "bundle.unknown_field", &Plan::least(), nested(5)),
        spelled(
            "unknown_deeper",
            "an unknown field, nested deeper than a bundle is",
            "bundle.not_canonical",
            &Plan::least(),
            nested(6),
        ),
        told(
            "laws_before_times",
            "a record that is early, and one behind it that names no law: every law is looked at before any time",
            "activation.law",
            &small().bending(early),
        ),
        told(
            "put_among_grants",
            "the universe's row is put in a thread that began with a grant",
            "directory.other",
            &Plan::default().adding(|name, log| {
                if name == "key" {
                    log.put("grant above", row("row of buyer", 1, grant(&desk_link(None))));
                }
            }),
        ),
        told(
            "grant_among_puts",
            "the grant cited stands in a thread that began with an entity",
            "directory.other",
            &Plan::default().bending(|name, rec| {
                if name == "grant" {
                    rec.header.thread = Handle(drawn("own row of buyer", 0));
                }
            }),
        ),
    ]
}

/// Entities in what is judged, of which nothing else is looked at.
pub(super) fn entities() -> Vec<Case> {
    vec![told(
        "link_type",
        "a link whose principal's type is no identifier, where the grant itself is erased",
        "directory.other",
        &Plan::default().bending(|name, rec| {
            if name == "grant" {
                rec.part_mut(Slot::Change).withheld = Some(Why::Erased);
            }
            if name == "birth" {
                // What no slice is written as: its bytes are bent once it is written.
                let links = rec.slice.take().map(|slice| record::slice(&slice)).unwrap_or_default();
                let at = links.windows(14).rposition(|bytes| bytes == b"Pazar::Account").unwrap();
                let mut bent = links;
                bent[at] = b'+';
                rec.parts.push(record::part(Slot::Slice, bent));
            }
        }),
    )]
}
