//! The outbox: messages that a move left in its own commit, polled and acknowledged under a lease. At least once: a message
//! whose lease runs out is handed out again.

use crate::court::{Court, Group};
use crate::limits::LEASE_MS_MAX;
use crate::store::sql::{evidence as evidence_sql, operation as sql};
use crate::store::{Row, Tx};
use crate::view;
use crate::{Failure, OutboxMessage};
use hos_core::answer::Answer;
use hos_core::call::By;
use hos_core::digest;
use hos_core::id::{Handle, KeyId, Tenant};
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Span;
use std::time::Duration;

const ACTION: &str = "outbox.poll";
/// How many messages one poll leases at most.
const LEASED_MAX: usize = 1000;

/// How long messages are leased; nobody keeps them from everybody else for years.
fn span_of(lease: Duration) -> Result<Span, Failure> {
    match i64::try_from(lease.as_millis()) {
        Ok(ms) if ms <= LEASE_MS_MAX => Ok(Span(ms)),
        _ => {
            let message = format!("a lease of {} ms: messages are leased for {LEASE_MS_MAX} ms at most", lease.as_millis());
            Err(Failure::new(Code::CallMalformed, message))
        }
    }
}

impl Court {
    fn may_poll(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant, by: &By) -> Result<Result<(), Blocker>, Failure> {
        let view = self.view_for(tx, group, tenant, &by.principal)?;
        let bench = self.bench(tx, group, tenant, &view, None)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        Self::at_gate(&bench, ACTION, tenant.as_str(), by, &mut answer);
        Ok(match answer.blockers.into_iter().next() {
            Some(blocker) => Err(blocker),
            None => Ok(()),
        })
    }

    /// Leases waiting messages, the oldest first. Those that others lease meanwhile are no end: one looks on behind them. One
    /// that does not open, or that no record sent, is passed over, for what comes behind it is to be delivered all the same: it
    /// is leased to nobody for as long as the others, and `hos verify` names it.
    pub(crate) fn poll(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        by: &By,
        limit: usize,
        lease: Duration,
    ) -> Result<Result<Vec<OutboxMessage>, Failure>, Failure> {
        let span = span_of(lease)?;
        if let Err(blocker) = self.may_poll(tx, group, tenant, by)? {
            return Ok(Err(blocker.into()));
        }
        // A lease by a clock that cannot be keeps messages from everybody for as long as it is ahead.
        let now = self.believed_now(tx, group, tenant)?;
        let until = now.plus(span);
        let seed = self.case_seed(group)?;
        let (limit, mut messages) = (limit.min(LEASED_MAX), Vec::new());
        let (mut behind, mut met) = (None, 0u64);
        while messages.len() < limit {
            let rows = tx.rows(&sql::waiting(tenant, now, behind, limit - messages.len()))?;
            let Some(last) = rows.last() else { break };
            behind = Some(last.int(0)?);
            for row in &rows {
                let Ok(pos) = row.uint(0) else { continue };
                let mut token = [0; 16];
                digest::expand(&seed, "lease", met, &mut token);
                met += 1;
                let token = KeyId(token);
                if tx.execute(&sql::lease(tenant, pos, &token, now, until))? == 0 {
                    continue;
                }
                match self.message(tx, group, tenant, row, token) {
                    Ok(message) => messages.push(message),
                    Err(failure) if failure.code == Code::StoreIntegrity => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(Ok(messages))
    }

    /// A message as it is handed out.
    fn message(&self, tx: &Tx<'_>, group: &Group, tenant: &Tenant, row: &Row, lease: KeyId) -> Result<OutboxMessage, Failure> {
        let (thread, n) = (Handle(row.bytes(1)?), row.uint(2)?);
        let body = self.keys(tx).open_copy(&KeyId(row.bytes(5)?), row.blob(6)?, &group.fresh)?;
        let record = tx.row(&evidence_sql::record(tenant, &thread, n))?;
        let record =
            record.ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}` is missing")))?;
        Ok(OutboxMessage {
            pos: row.uint(0)?,
            kind: row.text(4)?.to_owned(),
            body: body.map(|bytes| view::decode_record(&bytes)).transpose()?,
            receipt: self.receipt(tx, tenant, thread, n, digest::record_hash(record.blob(0)?))?,
            attempts: row.u32(7)?.saturating_add(1),
            lease,
        })
    }

    /// Acknowledges a message under its lease.
    pub(crate) fn acknowledge(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        by: &By,
        pos: u64,
        lease: &KeyId,
    ) -> Result<u64, Failure> {
        if let Err(blocker) = self.may_poll(tx, group, tenant, by)? {
            return Err(blocker.into());
        }
        match tx.execute(&sql::acknowledge(tenant, pos, lease))? {
            1 => Ok(1),
            _ => Err(Failure::new(Code::LeaseLost, format!("message {pos} of `{tenant}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_at_its_limit() {
        let leased = |n: usize| span_of(Duration::from_millis(n as u64)).map(drop).map_err(|f| f.code.as_str().to_owned());
        assert_eq!(crate::limits::tried("LEASE_MS_MAX", leased), Ok(()));
        assert!(span_of(Duration::MAX).is_err());
    }
}
