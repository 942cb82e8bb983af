//! Step 9: who was judged, against the records of the directory.

use super::*;
use crate::audit_support::cbor;
use crate::audit_support::record::*;
use crate::audit_support::story::{buyer, buyers, desk_link, row, seller};
use hos_core::proof::bundle::Why;
use hos_core::proof::record::*;

/// Bends the slice of the birth.
fn judged(name: &'static str, about: &'static str, code: &'static str, change: fn(&mut Slice)) -> Case {
    told(
        name,
        about,
        code,
        &Plan::default().bending(move |record, rec| {
            if record == "birth" {
                change(rec.slice.as_mut().unwrap());
            }
        }),
    )
}

/// Bends a record of the directory.
fn listed(name: &'static str, about: &'static str, code: &'static str, of: &'static str, change: fn(&mut Rec)) -> Case {
    told(
        name,
        about,
        code,
        &Plan::default().bending(move |record, rec| {
            if record == of {
                change(rec);
            }
        }),
    )
}

fn content(rec: &mut Rec, change: Vec<u8>) {
    rec.part_mut(Slot::Change).plaintext = change;
}

pub(super) fn cases() -> Vec<Case> {
    let (missing, other) = ("directory.missing", "directory.other");
    vec![
        judged("role_of_nobody", "a role that no record gave", other, |s| s.entities[0].parents.push(uid("Role", "desk"))),
        judged("role_alone", "another role than was given", other, |s| s.entities[0].parents = vec![uid("Role", "desk")]),
        judged("attributes", "other attributes than the directory has", other, |s| s.entities[1].attrs = active(true)),
        judged("attributes_of_universe", "other attributes than the universe's row has", other, |s| {
            s.entities[0].attrs = active(false);
        }),
        judged("attributes_none", "no attributes, though the universe's row has some", other, |s| s.entities[0].attrs.clear()),
        judged("entity_other", "another's record is cited", other, |s| s.entities[0].uid = uid("Account", "mehmet")),
        judged("record_unknown", "a record is cited that is not there", missing, |s| {
            s.entities[0].record = Some(hos_core::id::RecordHash([1; 32]));
        }),
        judged("record_unknown_for_link", "a link's record is not there", missing, |s| {
            s.links[0].record = Some(hos_core::id::RecordHash([1; 32]));
        }),
        judged("link_template", "a grant of another template", other, |s| s.links[0].template = "manager".into()),
        judged("link_id", "a grant of another id", other, |s| s.links[0].id = "grant-2".into()),
        judged("link_resource", "a grant over another resource", other, |s| s.links[0].resource = Some(buyer())),
        judged("link_principal", "a grant to anybody", other, |s| s.links[0].principal = None),
        judged("link_of_row", "an entity's record cited for a link", other, |s| s.links[0].record = s.entities[0].record),
        judged("entity_of_grant", "a grant's record cited for an entity", other, |s| s.entities[0].record = s.links[0].record),
        bent("row_absent", "the row's thread is not cited", missing, &Plan::default(), |m| m.drop_cited("put seller")),
        bent("universe_row_absent", "the universe's row is not cited", other, &Plan::default(), |m| m.drop_cited("put buyer")),
        bent("grant_absent", "the grant is not cited", missing, &Plan::default(), |m| m.drop_cited("grant")),
        told(
            "slice_unreadable",
            "a slice that does not decode",
            other,
            &Plan::default().bending(|name, rec| {
                if name == "birth" {
                    let mut plaintext = slice(&rec.slice.take().unwrap());
                    plaintext.push(0);
                    rec.parts.push(part(Slot::Slice, plaintext));
                }
            }),
        ),
        told(
            "second_slice",
            "a second slice gives a role that no record gave",
            other,
            &Plan::default().bending(|name, rec| {
                if name == "birth" {
                    let mut judged = rec.slice.clone().unwrap();
                    judged.entities[0].parents.push(uid("Role", "desk"));
                    rec.parts.push(PartOf { index: 1, ..part(Slot::Slice, slice(&judged)) });
                }
            }),
        ),
        listed("row_refused", "the membership was refused", missing, "join buyer", |rec| {
            rec.header.decision = Decision::Deny;
            rec.header.refusal = Some("hos.forbidden".into());
        }),
        listed("row_other_kind", "the membership's record is none of the directory", missing, "join buyer", |rec| {
            rec.header.kind = Kind::Noted;
        }),
        listed("row_unreadable", "the change does not decode", other, "join buyer", |rec| {
            rec.part_mut(Slot::Change).plaintext.push(0)
        }),
        listed("row_left", "the account left", other, "join buyer", |rec| content(rec, membership(3, &buyer(), &buyers()))),
        listed("row_removed", "the account was removed", other, "join buyer", |rec| content(rec, remove(&buyer()))),
        listed("row_never_put", "an account that the universe never had", other, "put buyer", |rec| {
            content(rec, put(&seller(), &active(true)));
        }),
        listed("grant_revoked", "the grant is revoked by then", other, "grant", |rec| content(rec, revoke("grant-1"))),
        told(
            "granted_then_revoked",
            "a grant that was revoked before: the revocation is cited",
            other,
            &Plan::default()
                .adding(|name, log| {
                    if name == "noise 0" {
                        log.put("granted", row("grant", 1, grant(&desk_link(None))));
                    }
                })
                .bending(|name, rec| {
                    if name == "grant" {
                        content(rec, revoke("grant-1"));
                    }
                }),
        ),
        told(
            "refused_between",
            "a refused membership stands in the row's thread and gives nothing",
            other,
            &Plan::default()
                .adding(|name, log| {
                    if name == "noise 0" {
                        let mut rec = row("own row of buyer", 1, membership(2, &buyer(), &uid("Role", "desk")));
                        rec.header.decision = Decision::Deny;
                        rec.header.refusal = Some("hos.forbidden".into());
                        log.put("refused", rec);
                    }
                })
                .bending(|name, rec| {
                    if name == "birth" {
                        rec.slice.as_mut().unwrap().entities[0].parents.push(uid("Role", "desk"));
                    }
                }),
        ),
        told(
            "two_of_one_thread",
            "a row's thread that goes on as another entity's",
            other,
            &Plan::default().adding(|name, log| {
                if name == "noise 0" {
                    log.put("of seller", row("own row of buyer", 1, membership(2, &seller(), &buyers())));
                }
            }),
        ),
        told(
            "membership_gone_before_removal",
            "memberships end with the row: joining again does not bring them back",
            other,
            &Plan::default()
                .adding(|name, log| {
                    if name == "noise 0" {
                        for (n, change) in
                            [membership(2, &buyer(), &uid("Role", "desk")), remove(&buyer())].into_iter().enumerate()
                        {
                            log.put(&format!("row {n}"), row("own row of buyer", 1, change));
                        }
                    }
                })
                .bending(|name, rec| {
                    if name == "birth" {
                        rec.slice.as_mut().unwrap().entities[0].parents.push(uid("Role", "desk"));
                    }
                }),
        ),
        told(
            "tenants_thread_in_universe",
            "the universe's row is said to be of two entities",
            other,
            &Plan::default()
                .adding(|name, log| {
                    if name == "put buyer" {
                        log.put("put as buyer", row("row of buyer", 1, put(&seller(), &active(false))));
                    }
                })
                .bending(|name, rec| {
                    if name == "birth" {
                        rec.slice.as_mut().unwrap().entities[0].attrs = active(false);
                    }
                }),
        ),
        told(
            "hidden_and_wrong",
            "one entity cannot be traced, another is wrong",
            other,
            &Plan::default().bending(|name, rec| {
                if name == "join buyer" {
                    rec.part_mut(Slot::Change).withheld = Some(Why::Hidden);
                }
                if name == "birth" {
                    rec.slice.as_mut().unwrap().entities[1].attrs = active(true);
                }
            }),
        ),
        judged("parent_twice", "a parent twice", other, |s| s.entities[0].parents.push(buyers())),
        judged("parents_order", "parents out of order", other, |s| s.entities[0].parents.insert(0, uid("Role", "c"))),
        told(
            "slice_empty",
            "a slice of nobody",
            other,
            &Plan::default().bending(|name, rec| {
                if name == "birth" {
                    rec.slice = Some(Slice::default());
                }
            }),
        ),
        told(
            "no_contract",
            "a thread without a contract",
            "intact",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.header.contract = None;
                }
            }),
        ),
        told(
            "time_beyond_63_bits",
            "a time beyond 63 bits, in a header whose mode is unknown too: the first field is told",
            "header.time",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.bent_header_bytes = Some(Box::new(|bytes| {
                        let late = cbor::with_field(bytes, 9, Some(&cbor::uint(u64::MAX)));
                        *bytes = cbor::with_field(&late, 14, Some(&[3]));
                    }));
                }
            }),
        ),
        told(
            "mode_before_place",
            "an unknown mode, and n 1 without a previous hash: the first field is told",
            "header.unknown_number",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.bent_header_bytes = Some(Box::new(|bytes| {
                        let later = cbor::with_field(bytes, 6, Some(&[1]));
                        *bytes = cbor::with_field(&later, 14, Some(&[3]));
                    }));
                }
            }),
        ),
    ]
}
