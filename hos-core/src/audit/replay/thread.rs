//! An instance as its records leave it, one after the other.

use super::Past;
use super::parts::Record;
use crate::id::{InstanceId, RecordHash};
use crate::judge::{Instance, data_subject, decode_armed, decode_text, decode_values};
use crate::proof::record::{Header, Kind, Slot};
use crate::value;

/// The fold of an instance's thread.
#[derive(Debug, Clone, Default)]
pub struct Thread {
    instance: Option<Instance>,
    /// Facts, id or deadlines could not be opened: what it is cannot be known any more.
    lost: bool,
}

impl Thread {
    /// The instance; `None` before its birth, or when it cannot be known.
    pub fn instance(&self) -> Option<&Instance> {
        self.instance.as_ref().filter(|_| !self.lost)
    }

    /// Whether a part that says what it is was erased.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes the thread's next record. What the records say is taken as it is: whether it was right is asked elsewhere.
    pub fn take(&mut self, past: &Past<'_>, record: &Record<'_>) {
        let header = record.header;
        let (Some(n), Some(contract)) = (header.n, &header.contract) else { return };
        let slots = [Slot::Facts, Slot::Id, Slot::Deadlines];
        self.lost |= slots.into_iter().any(|slot| record.withholds(slot));
        let facts = record.read(Slot::Facts, decode_values).ok().flatten();
        let armed = record.read(Slot::Deadlines, decode_armed).ok().flatten();
        let Some(law) = header.guard_law.or(header.law) else { return };
        if self.instance.is_none() && header.kind == Kind::Legacy {
            return;
        }
        if self.instance.is_none() {
            let id = record.read(Slot::Id, decode_text).ok().flatten().and_then(|text| InstanceId::new(text).ok());
            let (Some(id), Some(to)) = (id, &header.to) else {
                self.lost = true;
                return;
            };
            self.instance = Some(Instance {
                contract: contract.clone(),
                id,
                handle: header.thread,
                n,
                last: RecordHash([0; 32]),
                state: to.clone(),
                version: 0,
                entered_n: n,
                entered_at: header.time,
                last_time: header.time,
                law,
                contract_version: header.contract_version.unwrap_or_default(),
                facts: value::Record::new(),
                subject: None,
                deadlines: Vec::new(),
            });
        }
        let Some(instance) = &mut self.instance else { return };
        let birth = n == 0;
        instance.n = n;
        instance.last = record.hash;
        instance.last_time = instance.last_time.max(header.time);
        if let Some(facts) = facts {
            instance.facts = facts;
        }
        if let Some(armed) = armed {
            instance.deadlines = armed;
        }
        // A refused deadline moves nothing, and neither does what the old world tells.
        if !matches!(header.kind, Kind::Refused | Kind::Legacy) {
            instance.version += 1;
            if header.kind == Kind::Migrated {
                instance.law = header.law.unwrap_or(law);
                instance.contract_version = header.contract_version.unwrap_or_default();
            }
            if let Some(to) = header.to.clone().filter(|_| !birth) {
                if to != instance.state || rearms(past, header) {
                    instance.entered_n = n;
                    instance.entered_at = header.time;
                }
                instance.state = to;
            }
        }
        let law = past.law(&instance.law);
        instance.subject = law.and_then(|law| {
            let of = law.contracts.get(&instance.contract)?;
            data_subject(&law, &of.contract, &instance.facts)
        });
    }
}

/// Whether a self-loop enters its state anew.
fn rearms(past: &Past<'_>, header: &Header) -> bool {
    let asked = || {
        let law = past.law(&header.guard_law.or(header.law)?)?;
        let of = law.contracts.get(header.contract.as_ref()?)?;
        let (event, _) = of.contract.event(header.event.as_ref()?.as_str(), header.from.as_ref()?.as_str())?;
        Some(event.rearm)
    };
    header.kind != Kind::Migrated && asked().unwrap_or(false)
}
