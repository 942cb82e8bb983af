//! An instance's whole story, as commands that show it need it: all records, and the contract it stands under.

use hos_core::contract::Contract;
use hos_core::id::{InstanceId, Name};
use hos_engine::{Engine, Failure, HistoryEntry, TenantRef};

/// How many records are read at once.
const PAGE: usize = 500;

/// All records, oldest first.
pub(crate) fn records(tenant: &TenantRef, contract: &Name, id: &InstanceId) -> Result<Vec<HistoryEntry>, Failure> {
    let mut entries: Vec<HistoryEntry> = Vec::new();
    loop {
        let page = tenant.history(contract, id, entries.len() as u64, PAGE)?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

/// The contract under which the instance stands: that of its last move's guards.
pub(crate) fn contract(engine: &Engine, name: &Name, entries: &[HistoryEntry]) -> Result<Option<Contract>, Failure> {
    let moved = entries.iter().rev().find(|e| e.header.kind != hos_core::proof::record::Kind::Erased);
    let Some(hash) = moved.and_then(|e| e.header.guard_law.or(e.header.law)) else { return Ok(None) };
    Ok(engine.law_of(&hash)?.contracts.get(name).map(|of| of.contract.clone()))
}
