//! The universe's records of tenants' roots: each against the tenant's log, made anew; and where the newest of each tenant stands.
//!
//! They are read before the logs are walked, for the universe is not walked first; that they are what its log has is the fold's to say.

use super::{Findings, Pass};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::roots;
use crate::store::Tx;
use hos_core::id::{Tenant, TreeHash};
use hos_core::proof::roots::TenantRoot;
use std::collections::{BTreeMap, HashMap};

/// One record's claim about a tenant's log.
struct Claim {
    at: String,
    epoch: u64,
    root: TreeHash,
}

/// What the records say of one tenant's log, by size.
#[derive(Default)]
pub(super) struct Due {
    claims: BTreeMap<u64, Claim>,
    /// The newest size, and its record's place in the stream.
    newest: Option<(u64, u64)>,
}

/// What all of them say.
#[derive(Default)]
pub(crate) struct Roots {
    due: HashMap<Tenant, Due>,
    /// Their contents, in order, as they were read.
    contents: Vec<Vec<u8>>,
}

/// Reads the records.
pub(super) fn read(tx: &Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    let (mut read, findings) = (Roots::default(), &mut pass.findings);
    roots::each(tx, &mut |said| {
        let seq = said.seq.map_or_else(|| "unsealed".to_owned(), |seq| format!("seq {seq}"));
        let at = format!("tenant universe, {seq}, root {}", said.n);
        let content = match said.content {
            Ok(content) => content,
            Err(why) => return findings.add(at, format!("a record of a tenant's root: {why}")),
        };
        match TenantRoot::decode(&content) {
            Ok(root) => read.take(findings, at, said.n, root),
            Err(error) => findings.add(at, format!("a record of a tenant's root: {error}")),
        }
        read.contents.push(content);
    })?;
    pass.roots = read;
    Ok(())
}

impl Roots {
    fn take(&mut self, findings: &mut Findings, at: String, n: u64, said: TenantRoot) {
        let due = self.due.entry(said.tenant.clone()).or_default();
        if due.newest.is_some_and(|(size, _)| said.size <= size) {
            return findings.add(at, format!("a tenant's sizes do not ascend: {said}"));
        }
        due.newest = Some((said.size, n));
        due.claims.insert(said.size, Claim { at, epoch: said.epoch, root: said.root });
    }

    /// What is said of a tenant's log; taken, for each log is walked once.
    pub(super) fn of(&mut self, tenant: &Tenant) -> Due {
        self.due.remove(tenant).unwrap_or_default()
    }

    /// What is left is said of logs that the store does not have; and the records are those that the log has.
    pub(super) fn finish(&mut self, findings: &mut Findings, folded: &[Vec<u8>]) {
        let strangers = std::mem::take(&mut self.due).into_iter();
        for (tenant, claim) in
            strangers.flat_map(|(tenant, due)| due.claims.into_values().map(move |claim| (tenant.clone(), claim)))
        {
            findings.add(claim.at, format!("the store has no log of `{tenant}`"));
        }
        if self.contents != folded {
            findings.add("hos.checkpoints", "the records of tenants' roots are not those that the log has");
        }
    }
}

impl Due {
    /// Holds what is said of the log's size so far. `root` makes the tree's.
    pub(super) fn hold(&mut self, findings: &mut Findings, epochs: &Epochs, size: u64, root: impl FnOnce() -> TreeHash) {
        let Some(claim) = self.claims.remove(&size) else { return };
        if claim.root != root() {
            findings.add(claim.at, format!("the log has another root at size {size}"));
        } else if size.checked_sub(1).map(|last| epochs.at(last)) != Some(claim.epoch) {
            findings.add(claim.at, format!("the log was in another epoch at size {size}"));
        }
    }

    /// Holds what is said of sizes up to this one, of a log that is read from there on. Whether the log's tree goes on from one of
    /// that size and root is told by `goes_on`.
    pub(super) fn below(
        &mut self,
        findings: &mut Findings,
        epochs: &Epochs,
        size: u64,
        goes_on: impl Fn(u64, &TreeHash) -> bool,
    ) {
        let said: Vec<(u64, TreeHash)> = self.claims.range(..=size).map(|(size, claim)| (*size, claim.root)).collect();
        for (size, root) in said {
            if goes_on(size, &root) {
                self.hold(findings, epochs, size, || root);
            } else if let Some(claim) = self.claims.remove(&size) {
                findings.add(claim.at, format!("the log has another root at size {size}"));
            }
        }
    }

    /// What was not reached; and the row that says where the newest record stands.
    pub(super) fn finish(self, tx: &Tx<'_>, findings: &mut Findings, tenant: &Tenant) -> Result<(), Failure> {
        for (size, claim) in self.claims {
            findings.add(claim.at, format!("the log of `{tenant}` never had {size} entries"));
        }
        let row = roots::recorded(tx, tenant);
        if row.as_ref().ok() != Some(&self.newest) {
            let what = row.err().map_or_else(|| "the row is not what the records say".to_owned(), |failure| failure.message);
            findings.add(format!("hos_root {tenant}"), what);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Origin;
    use hos_core::id::StoreId;

    fn root(tenant: &str, epoch: u64, size: u64, byte: u8) -> TenantRoot {
        TenantRoot { tenant: Tenant::new(tenant).unwrap(), epoch, size, root: TreeHash([byte; 32]) }
    }

    fn said(all: &[TenantRoot]) -> (Roots, Findings) {
        let (mut roots, mut findings) = (Roots::default(), Findings::default());
        for (n, root) in (0..).zip(all) {
            roots.take(&mut findings, format!("root {n}"), n, root.clone());
            roots.contents.push(root.encode());
        }
        (roots, findings)
    }

    #[test]
    fn each_is_held_at_its_size_and_what_no_log_has_is_found() {
        let all = [root("a", 0, 2, 1), root("b", 0, 2, 1), root("a", 0, 3, 9), root("a", 1, 4, 4)];
        let (mut roots, mut findings) = said(&all);
        let epochs = Epochs::new(Origin { store: StoreId([1; 16]), epoch: 0 });
        let mut due = roots.of(&Tenant::new("a").unwrap());
        for size in 1..5 {
            due.hold(&mut findings, &epochs, size, || TreeHash([if size == 2 { 1 } else { size as u8 }; 32]));
        }
        assert!(due.claims.is_empty());
        assert_eq!(due.newest, Some((4, 3)));
        roots.finish(&mut findings, &roots.contents.clone());
        let places: Vec<&str> = findings.listed.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(places, ["root 2", "root 3", "root 1"], "another root, another epoch, no such log");
    }

    #[test]
    fn sizes_that_do_not_ascend_and_records_of_another_log_are_found() {
        for second in [root("a", 0, 3, 2), root("a", 1, 2, 2)] {
            let (_, findings) = said(&[root("a", 0, 3, 1), second]);
            assert_eq!(findings.listed.len(), 1, "{:?}", findings.listed);
        }
        let (mut roots, mut findings) = said(&[]);
        roots.finish(&mut findings, &[vec![1]]);
        assert_eq!(findings.listed.len(), 1);
    }
}
