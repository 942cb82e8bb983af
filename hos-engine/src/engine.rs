//! The engine's face: tenants, calls, and what operators need.

use crate::report::{Available, HistoryEntry, OutboxMessage, VerifyOptions, VerifyReport, WorkReport};
use crate::{Builder, Failure};
use hos_core::answer::Answer;
use hos_core::call::{Adopt, Begin, By, Call, Can, Directory, Note, Transition};
use hos_core::id::{InstanceId, KeyId, Name, StoreId, Tenant, Uid};
use hos_core::judge::Instance;
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// An open store under its active law. Cheap to clone; used from many threads.
#[derive(Clone)]
pub struct Engine {}

/// One tenant of an engine.
#[derive(Clone)]
pub struct TenantRef {}

impl Engine {
    /// Starts a builder.
    pub fn builder() -> Builder {
        Builder::default()
    }
    /// The active law.
    pub fn law(&self) -> Arc<Law> {
        todo!()
    }
    /// The modes of the activation.
    pub fn modes(&self) -> Modes {
        todo!()
    }
    /// The store's identity.
    pub fn store_id(&self) -> StoreId {
        todo!()
    }
    /// The seal key's public half for this tenant's origin, as a C2SP vkey.
    pub fn vkey(&self, _tenant: &Tenant) -> Result<String, Failure> {
        todo!()
    }
    /// A tenant; refused if it was never opened.
    pub fn tenant(&self, _name: &str) -> Result<TenantRef, Failure> {
        todo!()
    }
    /// All tenants, the universe included.
    pub fn tenants(&self) -> Result<Vec<Tenant>, Failure> {
        todo!()
    }
    /// Opens a new tenant: judged as `tenant.open` on `Gate::"<tenant>"`, recorded in the universe.
    pub fn open_tenant(&self, _by: &By, _name: &Tenant) -> Result<Answer, Failure> {
        todo!()
    }
    /// Activates a law with its modes, and a candidate beside it: judged as `law.activate` on `Gate::"law"`.
    pub fn activate(&self, _by: &By, _law: Arc<Law>, _candidate: Option<Arc<Law>>, _modes: Modes) -> Result<Answer, Failure> {
        todo!()
    }
    /// Many calls in one commit, with an answer each; one that fails does not touch the others.
    pub fn batch(&self, _calls: Vec<(Tenant, Call)>) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        todo!()
    }
    /// Erases a person: judged as `evidence.erase` on the account. Live instances that need the person's facts refuse it.
    pub fn erase(&self, _by: &By, _subject: &Uid, _ground: &str) -> Result<Answer, Failure> {
        todo!()
    }
    /// Verifies the whole store.
    pub fn verify(&self, _options: &VerifyOptions<'_>) -> Result<VerifyReport, Failure> {
        todo!()
    }
    /// A round of work: seals, signs, fires due deadlines of all tenants, forgets old once-keys.
    pub fn work(&self) -> Result<WorkReport, Failure> {
        todo!()
    }
    /// Copies the store while it is in use, verifies the copy, and only then gives it its name.
    pub fn backup(&self, _to: &Path, _progress: Option<&dyn Fn(u64, u64)>) -> Result<VerifyReport, Failure> {
        todo!()
    }
    /// Stores what is still in memory (the last checkpoint) and closes.
    pub fn close(self) -> Result<(), Failure> {
        todo!()
    }
}

impl TenantRef {
    /// The tenant's name.
    pub fn name(&self) -> &Tenant {
        todo!()
    }
    /// May this principal do this to that?
    pub fn can(&self, _call: &Can) -> Result<Answer, Failure> {
        todo!()
    }
    /// A birth.
    pub fn begin(&self, call: Begin) -> Result<Answer, Failure> {
        self.call(Call::Begin(call))
    }
    /// An event or an override.
    pub fn transition(&self, call: Transition) -> Result<Answer, Failure> {
        self.call(Call::Transition(call))
    }
    /// A free record.
    pub fn record(&self, call: Note) -> Result<Answer, Failure> {
        self.call(Call::Note(call))
    }
    /// A directory change.
    pub fn directory(&self, call: Directory) -> Result<Answer, Failure> {
        self.call(Call::Directory(call))
    }
    /// An existing row brought in.
    pub fn adopt(&self, call: Adopt) -> Result<Answer, Failure> {
        self.call(Call::Adopt(call))
    }
    /// Any call.
    pub fn call(&self, _call: Call) -> Result<Answer, Failure> {
        todo!()
    }
    /// The instance as it stands.
    pub fn instance(&self, _contract: &Name, _id: &InstanceId) -> Result<Option<Instance>, Failure> {
        todo!()
    }
    /// The instance's records, oldest first, at most `limit` from the record `from_n` on.
    pub fn history(&self, _contract: &Name, _id: &InstanceId, _from_n: u64, _limit: usize) -> Result<Vec<HistoryEntry>, Failure> {
        todo!()
    }
    /// The newest payload of a stream that [`TenantRef::record`] wrote, if any.
    pub fn last_note(&self, _stream: &str) -> Result<Option<Vec<u8>>, Failure> {
        todo!()
    }
    /// What this principal can do with the instance now, and why not the rest.
    pub fn available(&self, _contract: &Name, _id: &InstanceId, _by: &By) -> Result<Vec<Available>, Failure> {
        todo!()
    }
    /// Fires due deadlines, at most `limit` instances; says how many fired.
    pub fn tick(&self, _limit: usize) -> Result<u64, Failure> {
        todo!()
    }
    /// Leases waiting messages, oldest first; judged as `outbox.poll` on `Gate::"outbox"`.
    pub fn outbox_poll(&self, _by: &By, _limit: usize, _lease: Duration) -> Result<Vec<OutboxMessage>, Failure> {
        todo!()
    }
    /// Acknowledges a message under its lease.
    pub fn outbox_ack(&self, _by: &By, _pos: u64, _lease: &KeyId) -> Result<(), Failure> {
        todo!()
    }
    /// The directory's entities and grants of this tenant and the universe, sorted.
    pub fn directory_entities(&self) -> Result<(Vec<hos_core::policy::Entity>, Vec<hos_core::policy::Link>), Failure> {
        todo!()
    }
    /// The newest checkpoint (a C2SP signed note); `None` for an empty log.
    pub fn checkpoint(&self) -> Result<Option<String>, Failure> {
        todo!()
    }
    /// An inclusion proof for entry `seq` in the tree of `size` (hashes, leaf to root).
    pub fn inclusion(&self, _seq: u64, _size: u64) -> Result<Vec<hos_core::id::TreeHash>, Failure> {
        todo!()
    }
    /// A consistency proof between two sizes.
    pub fn consistency(&self, _from: u64, _to: u64) -> Result<Vec<hos_core::id::TreeHash>, Failure> {
        todo!()
    }
}
