//! Records of tenants' roots in the universe's log, true and false, and who cosigned which checkpoint.

use crate::audit_support::record::Rec;
use crate::audit_support::story::{Grown, Made, Plan, grow, tell};
use crate::audit_support::witnessed;
use hos_core::id::{DottedName, Tenant, TreeHash};
use hos_core::proof::bundle::Why;
use hos_core::proof::record::{Kind, Slot};
use hos_core::proof::roots::{STREAM, TenantRoot};
use hos_testkit::chance::Chance;

/// Tells a plan's story; in every second one with a universe of its own, that log says some roots, and witnesses sign it too.
pub(crate) fn told(chance: &mut Chance, mut plan: Plan) -> Made {
    let mut grown = grow(&plan);
    if grown.logs.len() < 2 || chance.below(2) == 0 {
        return tell(&plan, &grown);
    }
    let said: Vec<String> = (0..1 + chance.below(3)).map(|i| format!("root {i}")).collect();
    for name in &said {
        let rec = rec(chance, &root_of(&grown));
        grown.logs[1].put(name, rec);
    }
    let (above, own): (Vec<u64>, Vec<u64>) = plan.witnesses.1.iter().partition(|_| chance.below(4) > 0);
    plan.witnesses.1 = own;
    let mut made = tell(&plan, &grown);
    let log = &grown.logs[1];
    made.bundle.logs[1].note = witnessed(&log.note(), &above);
    let cited = said.iter().filter(|_| chance.below(4) > 0);
    made.bundle.cited.extend(cited.map(|name| (1, log.item(log.place_of(name)))));
    made
}

fn root_of(grown: &Grown) -> TenantRoot {
    let (log, of) = (&grown.logs[0], grown.logs[0].checkpoint());
    TenantRoot { tenant: log.tenant.clone(), epoch: log.epoch, size: of.size, root: of.root }
}

/// A record, true more often than not.
fn rec(chance: &mut Chance, root: &TenantRoot) -> Rec {
    let mut root = root.clone();
    match chance.below(12) {
        0 => root.size += 1,
        1 => root.epoch += 1,
        2 => root.root = TreeHash([chance.below(256) as u8; 32]),
        3 => root.tenant = Tenant::new("baska").unwrap_or_else(|_| Tenant::universe()),
        _ => {}
    }
    let mut content = root.encode();
    if chance.below(12) == 0 {
        let at = chance.below(content.len());
        content[at] ^= 1 << chance.below(8);
    }
    let mut rec = Rec::of_stream(Kind::Checkpoint, STREAM, 70).with(Slot::Change, content);
    match chance.below(24) {
        0 => rec.header.kind = Kind::Noted,
        1 => rec.header.event = DottedName::new("hos.heads").ok(),
        2 => rec.stream = false,
        3 => rec.disputed = Some(9),
        4 => rec.part_mut(Slot::Change).withheld = Some(Why::Hidden),
        5 => rec.part_mut(Slot::Change).slot = Slot::Payload,
        6 => rec.bent_header = Some(Box::new(|header| header.n = Some(0))),
        _ => {}
    }
    rec
}
