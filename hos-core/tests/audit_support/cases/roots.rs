//! Step 5: witnesses of the universe's checkpoint, and the record there that says what the tenant's log was.

use super::*;
use crate::audit_support::record::{Rec, text};
use crate::audit_support::story::{Grown, grow, resigned, tell};
use crate::audit_support::*;
use hos_core::canon::Writer;
use hos_core::id::{DottedName, Tenant, TreeHash};
use hos_core::proof::bundle::Why;
use hos_core::proof::record::{Kind, Slot};
use hos_core::proof::roots::{STREAM, TenantRoot};

/// Two logs, as few records as can be.
fn two() -> Plan {
    Plan { roles: false, moves: false, map: false, noise: 0, ..Plan::default() }
}

/// What the order's log is.
fn root_of(grown: &Grown) -> TenantRoot {
    let of = grown.logs[0].checkpoint();
    TenantRoot { tenant: grown.logs[0].tenant.clone(), epoch: grown.logs[0].epoch, size: of.size, root: of.root }
}

fn saying(root: &TenantRoot) -> Rec {
    Rec::of_stream(Kind::Checkpoint, STREAM, 70).with(Slot::Change, root.encode())
}

/// The universe says what the order's log is.
fn put_own(grown: &mut Grown) {
    let rec = saying(&root_of(grown));
    grown.logs[1].put("root", rec);
}

/// Which witnesses sign which log, of three of whom two are asked for.
struct Signing(&'static [u64], &'static [u64]);

const BOTH_ABOVE: Signing = Signing(&[], &[0, 2]);

/// A story whose universe has more records behind it; those that are named are cited.
fn telling(plan: Plan, signing: &Signing, put: impl FnOnce(&mut Grown), cite: &[&str]) -> Made {
    let plan = Plan { witnesses: (3, signing.0.to_vec(), 2), ..plan };
    let mut grown = grow(&plan);
    put(&mut grown);
    let mut made = tell(&plan, &grown);
    let above = grown.logs.len() - 1;
    let log = &grown.logs[above];
    made.bundle.cited.extend(cite.iter().map(|name| (above, log.item(log.place_of(name)))));
    if above > 0 {
        made.bundle.logs[above].note = witnessed(&log.note(), signing.1);
    }
    made
}

/// One record more in the universe, which is cited.
fn with(
    name: &'static str,
    about: &'static str,
    expected: &'static str,
    signing: &Signing,
    rec: impl FnOnce(&TenantRoot) -> Rec,
) -> Case {
    let put = |grown: &mut Grown| {
        let rec = rec(&root_of(grown));
        grown.logs[1].put("root", rec);
    };
    of(name, about, expected, &telling(two(), signing, put, &["root"]))
}

/// The record says something else.
fn other(
    name: &'static str,
    about: &'static str,
    expected: &'static str,
    signing: &Signing,
    change: impl FnOnce(&mut TenantRoot),
) -> Case {
    with(name, about, expected, signing, |root| {
        let mut root = root.clone();
        change(&mut root);
        saying(&root)
    })
}

/// The record's content is another.
fn content(name: &'static str, about: &'static str, write: impl FnOnce(&mut Writer)) -> Case {
    with(name, about, "roots.record", &BOTH_ABOVE, |_| {
        let mut w = Writer::default();
        write(&mut w);
        Rec::of_stream(Kind::Checkpoint, STREAM, 70).with(Slot::Change, w.finish())
    })
}

fn good() -> Vec<Case> {
    // Other tenants' checkpoints before it, which nobody is shown.
    let behind_others = |grown: &mut Grown| {
        let own = root_of(grown);
        for size in 1..4 {
            let others = TenantRoot { tenant: Tenant::new("baska").unwrap(), size, ..own.clone() };
            grown.logs[1].put(&format!("others {size}"), saying(&others));
        }
        grown.logs[1].put("root", saying(&own));
        grown.logs[1].put("behind", saying(&TenantRoot { size: own.size + 1, ..own }));
    };
    let unasked = {
        let mut made = telling(two(), &BOTH_ABOVE, put_own, &["root"]);
        made.trust = trust(&made.logs[0].key(), 3, 0);
        made
    };
    vec![
        with("root_cosigned", "two of three witnesses of the universe's checkpoint", "anchored", &BOTH_ABOVE, saying),
        with(
            "root_and_own",
            "one witness of the tenant's checkpoint, another of the universe's",
            "anchored",
            &Signing(&[0], &[2]),
            saying,
        ),
        with("root_unneeded", "the tenant's own witnesses are enough", "anchored", &Signing(&[1, 2], &[]), saying),
        of("root_unasked", "witnesses of the universe's checkpoint though none is asked for", "intact", &unasked),
        of(
            "root_among_others",
            "the record alone, from the middle of its stream",
            "anchored",
            &telling(two(), &BOTH_ABOVE, behind_others, &["root"]),
        ),
        of(
            "root_beside_others",
            "another tenant's record and one of another size are cited too",
            "anchored",
            &telling(two(), &BOTH_ABOVE, behind_others, &["others 2", "root", "behind"]),
        ),
        of(
            "root_in_epoch_1",
            "a store in its second epoch",
            "anchored",
            &telling(Plan { epoch: 1, ..two() }, &BOTH_ABOVE, put_own, &["root"]),
        ),
        of(
            "root_whole_story",
            "the whole story, complete, with a record of its checkpoint",
            "anchored",
            &telling(Plan::default(), &BOTH_ABOVE, put_own, &["root"]),
        ),
        of(
            "root_in_universe",
            "an order in the universe itself: a tenant's record beside it says nothing of it",
            "anchored",
            &telling(
                Plan::least(),
                &Signing(&[0, 1], &[]),
                |g| {
                    let root = TenantRoot { tenant: tenant(), ..root_of(g) };
                    g.logs[0].put("root", saying(&root));
                },
                &["root"],
            ),
        ),
    ]
}

fn short() -> Vec<Case> {
    vec![
        with("root_short", "one witness of the universe's checkpoint", "trust.quorum", &Signing(&[], &[1]), saying),
        with(
            "root_same_witness",
            "the same witness of both checkpoints counts once",
            "trust.quorum",
            &Signing(&[1], &[1]),
            saying,
        ),
        of(
            "root_uncited",
            "witnesses of the universe's checkpoint, and no record that says the tenant's",
            "trust.quorum",
            &telling(two(), &BOTH_ABOVE, put_own, &[]),
        ),
        other("root_other_size", "the record says an earlier size", "trust.quorum", &BOTH_ABOVE, |root| root.size -= 1),
        other("root_other_epoch", "the record says another epoch", "trust.quorum", &BOTH_ABOVE, |root| root.epoch += 1),
        other("root_other_tenant", "the record is of another tenant", "trust.quorum", &BOTH_ABOVE, |root| {
            root.tenant = Tenant::new("baska").unwrap();
        }),
        with("root_of_other_class", "a record of that kind in another stream", "trust.quorum", &BOTH_ABOVE, |root| {
            let mut rec = saying(root);
            rec.header.event = Some(DottedName::new("hos.checkpoint").unwrap());
            rec
        }),
        with("root_of_other_kind", "a free record in that stream", "trust.quorum", &BOTH_ABOVE, |root| {
            let mut rec = saying(root);
            rec.header.kind = Kind::Noted;
            rec
        }),
        with("root_in_thread", "a record of that kind whose place stands in the header", "trust.quorum", &BOTH_ABOVE, |root| {
            let mut rec = saying(root);
            rec.stream = false;
            rec
        }),
        {
            let mut made = telling(
                two(),
                &BOTH_ABOVE,
                |g| {
                    let root = root_of(g);
                    g.logs[0].put("root", saying(&root));
                },
                &[],
            );
            let item = made.logs[0].item(made.logs[0].place_of("root"));
            made.bundle.cited.insert(0, (0, item));
            of("root_by_tenant", "the tenant's own log says it: that is no universe's", "trust.quorum", &made)
        },
    ]
}

fn wrong() -> Vec<Case> {
    let fork = |root: &mut TenantRoot| root.root = TreeHash([9; 32]);
    vec![
        other("root_fork", "the universe says another root for this very size", "roots.fork", &BOTH_ABOVE, fork),
        other(
            "root_fork_unneeded",
            "so it does though the tenant's own witnesses are enough",
            "roots.fork",
            &Signing(&[0, 1], &[]),
            fork,
        ),
        of(
            "root_fork_beside",
            "two records of one size, one of them true",
            "roots.fork",
            &telling(
                two(),
                &BOTH_ABOVE,
                |g| {
                    let root = root_of(g);
                    g.logs[1].put("root", saying(&root));
                    g.logs[1].put("fork", saying(&TenantRoot { root: TreeHash([9; 32]), ..root }));
                },
                &["root", "fork"],
            ),
        ),
        with("root_hidden", "what the record says is hidden", "roots.record", &BOTH_ABOVE, |root| {
            let mut rec = saying(root);
            rec.part_mut(Slot::Change).withheld = Some(Why::Hidden);
            rec
        }),
        with("root_without_part", "the record says nothing", "roots.record", &BOTH_ABOVE, |_| {
            Rec::of_stream(Kind::Checkpoint, STREAM, 70)
        }),
        with("root_text", "the record says a text", "roots.record", &BOTH_ABOVE, |_| {
            Rec::of_stream(Kind::Checkpoint, STREAM, 70).with(Slot::Change, text("pazar-tr"))
        }),
        content("root_short_hash", "a root of 31 bytes", |w| {
            w.array(4).text("pazar-tr").uint(0).uint(1).bytes(&[7; 31]);
        }),
        content("root_no_name", "a tenant whose name is none", |w| {
            w.array(4).text("Pazar").uint(0).uint(1).bytes(&[7; 32]);
        }),
        content("root_of_five", "an item more than there should be", |w| {
            w.array(5).text("pazar-tr").uint(0).uint(1).bytes(&[7; 32]).uint(0);
        }),
        with("root_disputed", "the sealer disputes the record", "disputed", &BOTH_ABOVE, |root| {
            let mut rec = saying(root);
            rec.disputed = Some(9);
            rec
        }),
        with("root_twice_placed", "a place in header and entry", "thread.placed", &BOTH_ABOVE, |root| {
            let mut rec = saying(root);
            rec.bent_header = Some(Box::new(|header| header.n = Some(0)));
            rec
        }),
        {
            let mut made = telling(two(), &BOTH_ABOVE, put_own, &["root"]);
            let line = cosignature(&resigned(&made, 1, |c| c.size += 1), 1, 1_783_000_102);
            made.bundle.logs[1].note += &line;
            of("second_cosignature_moved", "a cosignature of another checkpoint of the universe", "checkpoint.signature", &made)
        },
    ]
}

pub fn cases() -> Vec<Case> {
    [good(), short(), wrong()].into_iter().flatten().collect()
}
