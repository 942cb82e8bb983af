//! The laws of a store: every one that was ever activated, since when, by which record, and who still lives under it.

use super::Court;
use super::founding::STREAM_LAW;
use super::history::PAGE_MAX;
use crate::store::Tx;
use crate::store::sql::{evidence as evidence_sql, law as sql, state as state_sql};
use crate::{Failure, HistoryEntry, LawActivation, LawEntry, LawStanding};
use hos_core::id::{Handle, LawHash, RecordHash, Tenant};
use hos_core::law::outline::{Outline, outline};
use hos_core::refusal::Code;
use std::collections::HashMap;

impl Court {
    /// The store's laws: the active one, the candidate, then the earlier ones from the newest to the oldest.
    pub(crate) fn law_entries(&self, tx: &Tx<'_>) -> Result<Vec<LawEntry>, Failure> {
        let mut entries = Vec::new();
        for row in tx.rows(&sql::laws())? {
            let hash = LawHash(row.bytes(0)?);
            let outline = outline(sql::files_from(&row, 1)?).map_err(|faults| Failure {
                faults,
                ..Failure::new(Code::StoreIntegrity, format!("the law {hash} of the store cannot be read"))
            })?;
            let contracts = outline.contracts.iter().map(|(name, of)| (name.clone(), of.version)).collect();
            let entry = LawEntry {
                hash,
                name: outline.name.clone(),
                contracts,
                standing: LawStanding::Earlier,
                activations: Vec::new(),
                live: self.living_under(tx, &hash, &outline)?,
            };
            entries.push(entry);
        }
        let records = self.activation_records(tx)?;
        let activations = tx.rows(&sql::activations())?.iter().map(sql::activation_from).collect::<Result<Vec<_>, _>>()?;
        for (i, activation) in activations.iter().enumerate() {
            let record = records.get(&activation.record).ok_or_else(|| {
                Failure::new(Code::StoreIntegrity, format!("the record {} of an activation is missing", activation.record))
            })?;
            let in_force = i + 1 == activations.len();
            let laws = [(Some(activation.law), LawStanding::Active), (activation.candidate, LawStanding::Candidate)];
            for (hash, standing) in laws.into_iter().filter_map(|(hash, standing)| Some((hash?, standing))) {
                let entry = entries.iter_mut().find(|e| e.hash == hash);
                let entry = entry.ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("the store lacks the law {hash}")))?;
                // A law that is judged beside itself is the active one.
                if in_force && entry.standing == LawStanding::Earlier {
                    entry.standing = standing;
                }
                entry.activations.push(LawActivation {
                    n: activation.n,
                    at: record.header.time,
                    standing,
                    receipt: record.receipt.clone(),
                });
            }
        }
        let newest = |e: &LawEntry| e.activations.last().map(|a| a.n);
        // One activation names two: the one that it put in force comes first.
        let named = |e: &LawEntry| e.activations.last().map(|a| a.standing);
        let order = |a: &LawEntry, b: &LawEntry| newest(b).cmp(&newest(a)).then(named(a).cmp(&named(b)));
        entries.sort_by(|a, b| a.standing.cmp(&b.standing).then(order(a, b)));
        Ok(entries)
    }

    /// The records of all activations by their hash.
    fn activation_records(&self, tx: &Tx<'_>) -> Result<HashMap<RecordHash, HistoryEntry>, Failure> {
        let universe = Tenant::universe();
        let Some(row) = tx.row(&evidence_sql::stream(&universe, STREAM_LAW))? else { return Ok(HashMap::new()) };
        let thread = Handle(row.bytes(0)?);
        let mut records = HashMap::new();
        let mut from = 0;
        loop {
            let page = self.history(tx, &universe, &thread, from, PAGE_MAX)?;
            let Some(last) = page.last() else { return Ok(records) };
            from = last.receipt.n.map_or(from, |n| n) + 1;
            records.extend(page.into_iter().map(|entry| (entry.receipt.record, entry)));
        }
    }

    /// How many instances that are not at their end began under a law, or were migrated to it.
    fn living_under(&self, tx: &Tx<'_>, hash: &LawHash, law: &Outline) -> Result<u64, Failure> {
        let mut living = 0;
        for row in tx.rows(&sql::tenants())? {
            let tenant = Tenant::new(row.text(0)?).map_err(|e| row.fault(0, &e.to_string()))?;
            for row in tx.rows(&state_sql::counted_under(&tenant, hash))? {
                let of = law.contracts.iter().find(|(name, _)| row.text(0).is_ok_and(|text| text == name.as_str()));
                let state = row.text(1)?;
                let at_its_end = of.and_then(|(_, of)| of.state(state)).is_some_and(|s| s.terminal);
                living += if at_its_end { 0 } else { row.uint(2)? };
            }
        }
        Ok(living)
    }
}
