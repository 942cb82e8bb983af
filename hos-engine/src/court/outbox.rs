//! The outbox: messages that a move left in its own commit, polled and acknowledged under a lease. At least once: a message
//! whose lease runs out is handed out again.

use crate::court::{Court, Group};
use crate::store::Tx;
use crate::store::sql::{evidence as evidence_sql, operation as sql};
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

impl Court {
    fn may_poll(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant, by: &By) -> Result<Result<(), Blocker>, Failure> {
        let view = self.view(tx, group, tenant)?;
        let bench = self.bench(tx, group, tenant, &view, None)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        Self::at_gate(&bench, ACTION, tenant.as_str(), by, &mut answer);
        Ok(match answer.blockers.into_iter().next() {
            Some(blocker) => Err(blocker),
            None => Ok(()),
        })
    }

    /// Leases waiting messages, the oldest first.
    pub(crate) fn poll(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        by: &By,
        limit: usize,
        lease: Duration,
    ) -> Result<Result<Vec<OutboxMessage>, Failure>, Failure> {
        if let Err(blocker) = self.may_poll(tx, group, tenant, by)? {
            return Ok(Err(blocker.into()));
        }
        let now = self.clock.now();
        let until = now.plus(Span(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)));
        let seed = group.case_seed();
        let mut messages = Vec::new();
        for (i, row) in tx.rows(&sql::waiting(tenant, now, limit.min(1000)))?.into_iter().enumerate() {
            let (pos, thread, n) = (row.uint(0)?, Handle(row.bytes(1)?), row.uint(2)?);
            let mut token = [0; 16];
            digest::expand(&seed, "lease", i as u64, &mut token);
            let token = KeyId(token);
            if tx.execute(&sql::lease(tenant, pos, &token, now, until))? == 0 {
                continue;
            }
            let body = self.keys(tx).open_copy(&KeyId(row.bytes(5)?), row.blob(6)?, &group.fresh)?;
            let record = tx.row(&evidence_sql::record(tenant, &thread, n))?;
            let record = record
                .ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}` is missing")))?;
            messages.push(OutboxMessage {
                pos,
                kind: row.text(4)?.to_owned(),
                body: body.map(|bytes| view::decode_record(&bytes)).transpose()?,
                receipt: self.receipt(tx, tenant, thread, n, digest::record_hash(record.blob(0)?))?,
                attempts: row.u32(7)? + 1,
                lease: token,
            });
        }
        Ok(Ok(messages))
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
