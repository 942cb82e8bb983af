//! Going through the logs for what a person's key still opens.
//!
//! The whole log of every tenant is gone through, for nothing says beforehand where the key lies. So a first pass is made
//! outside the commit, and only what was written since is looked at inside it.

use super::{Court, Group};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::seal::Origin;
use crate::store::Tx;
use crate::store::sql::{evidence as sql, inbox};
use crate::survey::{Spot, Survey};
use hos_core::id::{EntryHash, Handle, Tenant};
use hos_core::proof::part::SubjectKey;
use hos_core::refusal::Code;

/// How many entries are read at once.
const PAGE: usize = 512;

impl Court {
    /// Goes through what every log has beyond what was seen.
    pub(crate) fn go_on(&self, tx: &Tx<'_>, survey: &mut Survey, secret: Option<&SubjectKey>) -> Result<(), Failure> {
        for tenant in self.tenants(tx)? {
            let mut next = survey.size(&tenant);
            let epochs = Epochs::of(tx, &tenant, self.of)?;
            let mut before = match next.checked_sub(1) {
                None => None,
                Some(before) => {
                    let lost = || Failure::new(Code::StoreIntegrity, format!("entry {before} of `{tenant}` is missing"));
                    Some(EntryHash(tx.row(&sql::entry_hash(&tenant, before))?.ok_or_else(lost)?.bytes(0)?))
                }
            };
            loop {
                let page = tx.rows(&sql::log_records(&tenant, next, PAGE))?;
                for row in &page {
                    let seq = row.uint(0)?;
                    let prev = epochs.prev(&self.of.store, &tenant, seq, before);
                    let of = Origin { store: self.of.store, epoch: epochs.at(seq) };
                    survey.entry(of, &tenant, row, prev, secret)?;
                    (next, before) = (seq + 1, Some(EntryHash(row.bytes(6)?)));
                }
                if page.is_empty() {
                    break;
                }
            }
            survey.next.insert(tenant, next);
        }
        Ok(())
    }

    /// Looks at what has no place in a log yet: what waits in the queues, and what this very commit has written. Says how many
    /// records of the person are among it.
    pub(crate) fn unplaced(
        &self,
        tx: &Tx<'_>,
        group: &Group,
        survey: &mut Survey,
        secret: Option<&SubjectKey>,
    ) -> Result<u64, Failure> {
        let before = survey.records;
        let mut waiting: Vec<(Tenant, Handle, u64)> =
            group.unsealed.iter().map(|record| (record.tenant.clone(), record.thread, record.n)).collect();
        for tenant in self.tenants(tx)? {
            // At once: between two pages another could seal what was in neither.
            for row in tx.rows(&sql::queue_after(&tenant, None, usize::MAX >> 1))? {
                // What leads to nothing is no record of anybody's.
                let Ok(id) = row.bytes(1) else { continue };
                if row.int(2)? < 0 {
                    if let Some(row) = tx.row(&inbox::waiting(&tenant, &id))? {
                        survey.take(&tenant, Spot::Waits(Handle(id)), row.blob(2)?, row.blob(3)?, secret);
                    }
                    continue;
                }
                waiting.push((tenant.clone(), Handle(id), row.uint(2)?));
            }
        }
        for (tenant, thread, n) in waiting {
            if let Some(row) = tx.row(&sql::record(&tenant, &thread, n))? {
                survey.take(&tenant, Spot::Placed(n), row.blob(0)?, row.blob(1)?, secret);
            }
        }
        Ok(survey.records - before)
    }
}
