//! Holds: what keeps a person's data from being erased while somebody has a right to it.
//!
//! A hold is a record and nothing else: in the universe's stream `hos.holds`, its content the person's own. Whether a person is
//! held is what that stream comes to. There are few holds, and they are read only when one is placed, released or in the way.

use crate::Failure;
use crate::court::founding::STREAM_HOLDS;
use crate::court::settle::failure_of;
use crate::court::{Court, Group, streams};
use crate::sealed::{Chance, Refused};
use crate::store::Tx;
use hos_core::answer::{Answer, Receipt};
use hos_core::call::By;
use hos_core::canon::{CanonError, Reader, Writer};
use hos_core::id::{Tenant, Uid};
use hos_core::judge::{self, Act, Slice};
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::stored::decode_stored;
use hos_core::refusal::{Blocker, Code};

/// The reserved actions; their resource is the account.
const HOLD: &str = "evidence.hold";
const RELEASE: &str = "evidence.release";

/// What a hold's record says: `[1 a hold, 0 a release; [type, id]; reason]`.
fn encode(held: bool, subject: &Uid, reason: &str) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).uint(held.into()).array(2).text(subject.type_name()).text(subject.id()).text(reason);
    w.finish()
}

fn decode(bytes: &[u8]) -> Result<(bool, Uid), CanonError> {
    let mut r = Reader::new(bytes);
    r.array_of(3)?;
    let held = match r.uint()? {
        0 => false,
        1 => true,
        _ => return Err(CanonError("neither a hold nor a release", 0)),
    };
    r.array_of(2)?;
    let subject = Uid::new(r.text()?, r.text()?).map_err(|_| CanonError("an entity that is none", 0))?;
    r.text()?;
    r.end().map(|()| (held, subject))
}

impl Court {
    /// How many holds are on a person.
    pub(super) fn holds(&self, tx: &Tx<'_>, group: &Group, subject: &Uid) -> Result<u64, Failure> {
        let mut holds = 0u64;
        for row in streams::own_records(tx, STREAM_HOLDS)? {
            let broken = |what: &dyn std::fmt::Display| Failure::new(Code::StoreIntegrity, format!("a hold's record: {what}"));
            let header = Header::decode(row.blob(1)?).map_err(|e| broken(&e))?;
            for stored in decode_stored(row.blob(2)?).map_err(|e| broken(&e))? {
                if !stored.places.iter().any(|(slot, _)| *slot == Slot::Change) {
                    continue;
                }
                let secret = if stored.is_clear() { None } else { self.keys(tx).by_id(&stored.key, &group.fresh)? };
                // One whose key is gone is an erased person's: nothing is held there any more.
                if secret.is_none() && !stored.is_clear() {
                    continue;
                }
                let opened = stored.open_listed(secret.as_ref(), &header.parts).map_err(|e| broken(&e))?;
                for part in opened.iter().filter(|part| part.slot == Slot::Change) {
                    let (held, of) = decode(&part.plaintext).map_err(|e| broken(&e))?;
                    if of == *subject {
                        holds = if held { holds + 1 } else { holds.saturating_sub(1) };
                    }
                }
            }
        }
        Ok(holds)
    }

    /// Places a hold on a person, or takes one back: judged, recorded.
    pub(crate) fn hold(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        by: &By,
        subject: &Uid,
        held: bool,
        reason: &str,
    ) -> Result<Answer, Failure> {
        let universe = Tenant::universe();
        let mut answer = self.asked(tx, group, by, if held { HOLD } else { RELEASE }, subject)?;
        if answer.blockers.is_empty() && !held && self.holds(tx, group, subject)? == 0 {
            answer.blockers.push(Blocker::new(Code::SubjectNotHeld, format!("`{subject}`")));
        }
        if !answer.blockers.is_empty() {
            return Ok(answer);
        }
        let view = self.view(tx, group, &universe)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        let change = encode(held, subject, reason);
        let act = Act {
            kind: Kind::Noted,
            stream: STREAM_HOLDS,
            by: Some(by),
            change: &change,
            judged: Some((&answer, &Slice::default())),
        };
        let person = Some(subject).filter(|uid| view.active.law.persons.contains(uid.type_name()));
        let draft = judge::act_about(&bench, &act, person)?;
        let mut chance = Chance::new(&bench.seed);
        let parts = match self.keys(tx).seal_parts(&draft, &mut group.fresh, &mut chance) {
            Ok(parts) => parts,
            Err(Refused::Erased(blocker)) => {
                answer.blockers.push(blocker);
                return Ok(answer);
            }
            Err(refused) => return Err(failure_of(refused)),
        };
        let (thread, n, record) = self.write_record(tx, group, &universe, draft, parts, &mut chance)?;
        answer.allowed = true;
        answer.receipt = Some(Receipt { tenant: universe, thread, n: Some(n), record, seal: None });
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_read_as_it_was_written_and_nothing_else_is() {
        let ann = Uid::new("N::A", "ann").unwrap();
        for held in [true, false] {
            assert_eq!(decode(&encode(held, &ann, "case 12")), Ok((held, ann.clone())));
        }
        for bytes in
            [&[][..], &[0x83, 2, 0x82, 0x61, b'A', 0x61, b'a', 0x60], &[0x82, 1, 0x80], &[0x83, 1, 0x82, 0x60, 0x60, 0x60]]
        {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
