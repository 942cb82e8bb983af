//! An instance as it stands, and a message for the world.

use crate::contract::Contract;
use crate::contract::step::Armed;
use crate::id::{DottedName, Handle, InstanceId, LawHash, Name, RecordHash, Uid};
use crate::law::Law;
use crate::time::Timestamp;
use crate::value::{Record, Value};

/// An instance of a contract: the fold of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The contract.
    pub contract: Name,
    /// The world's id.
    pub id: InstanceId,
    /// The thread of its records.
    pub handle: Handle,
    /// The place of its last record.
    pub n: u64,
    /// The hash of its last record.
    pub last: RecordHash,
    /// The state.
    pub state: Name,
    /// Raised by every accepted move; what compare-and-swap compares.
    pub version: u64,
    /// The record with which it entered its state (a self-loop does not enter anew).
    pub entered_n: u64,
    /// When it entered its state.
    pub entered_at: Timestamp,
    /// The time of its last record.
    pub last_time: Timestamp,
    /// The law it began under or was migrated to.
    pub law: LawHash,
    /// The contract's version there.
    pub contract_version: u32,
    /// The facts.
    pub facts: Record,
    /// Whose data its parts are.
    pub subject: Option<Uid>,
    /// Deadlines armed in its present state.
    pub deadlines: Vec<Armed>,
}

impl Instance {
    /// The same with other facts.
    pub(super) fn with_facts(&self, facts: Record) -> Self {
        Self {
            contract: self.contract.clone(),
            id: self.id.clone(),
            handle: self.handle,
            n: self.n,
            last: self.last,
            state: self.state.clone(),
            version: self.version,
            entered_n: self.entered_n,
            entered_at: self.entered_at,
            last_time: self.last_time,
            law: self.law,
            contract_version: self.contract_version,
            facts,
            subject: self.subject.clone(),
            deadlines: self.deadlines.clone(),
        }
    }
}

/// A message for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is (`mail.order_paid`).
    pub kind: DottedName,
    /// What it carries.
    pub body: Record,
}

/// Whose data an instance's parts are: the person that its `data_subject` fact names.
pub fn data_subject(law: &Law, contract: &Contract, facts: &Record) -> Option<Uid> {
    match facts.get(contract.data_subject.as_ref()?.as_str()) {
        Some(Value::Entity(uid)) if law.persons.contains(uid.type_name()) => Some(uid.clone()),
        _ => None,
    }
}
