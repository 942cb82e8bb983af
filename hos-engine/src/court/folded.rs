//! Calls in shadow that hosts' transactions left in the inbox: judged in a transaction of our own, in the order in which they came.

use super::{Court, Group};
use crate::Failure;
use crate::sealed::open_copy;
use crate::store::sql::{evidence as evidence_sql, inbox};
use crate::store::{Row, Tx};
use crate::view::View;
use hos_core::call::Call;
use hos_core::id::{KeyId, Tenant};
use hos_core::judge::About;
use hos_core::law::mode::Mode;
use hos_core::refusal::{Blocker, Code};

/// A call that waits.
pub(crate) struct Waiting {
    /// Its place.
    pub(crate) pos: i64,
    pub(crate) id: [u8; 16],
    /// The label of the instance that it is about, if it is about one.
    pub(crate) about: Option<Vec<u8>>,
    /// As it came; none where its person was erased meanwhile.
    pub(crate) bytes: Option<Vec<u8>>,
}

impl Court {
    /// The first calls that wait, and the places that lead to none.
    pub(crate) fn shadows(&self, tx: &Tx<'_>, tenant: &Tenant, limit: usize) -> Result<(Vec<Waiting>, Vec<i64>), Failure> {
        let (mut waiting, mut nothing) = (Vec::new(), Vec::new());
        for row in tx.rows(&evidence_sql::shadows(tenant, limit))? {
            let pos = row.int(0)?;
            match self.shadow(tx, tenant, pos, &row)? {
                Some(call) => waiting.push(call),
                None => nothing.push(pos),
            }
        }
        Ok((waiting, nothing))
    }

    /// The call that a row of the queue leads to, if it leads to one: who may add rows may add some that are none.
    fn shadow(&self, tx: &Tx<'_>, tenant: &Tenant, pos: i64, row: &Row) -> Result<Option<Waiting>, Failure> {
        let Ok(id) = row.bytes(1) else { return Ok(None) };
        let Some(row) = tx.row(&inbox::waiting(tenant, &id))? else { return Ok(None) };
        let (Ok(key), Ok(copy)) = (row.bytes(2).map(KeyId), row.blob(3)) else { return Ok(None) };
        // A vault that fails says nothing of the call.
        let secret = self.keys(tx).of_copy(&key, &Default::default())?;
        let Ok(bytes) = open_copy(key, secret.as_ref(), copy) else { return Ok(None) };
        Ok(Some(Waiting { pos, id, about: row.opt_blob(4)?.map(<[u8]>::to_vec), bytes }))
    }

    /// Refuses an enforced call on an instance of which calls in shadow wait to be judged: it does not stand yet where the world has
    /// it. One that brings the world's own outcome may be enforced too.
    pub(super) fn nothing_waits(&self, tx: &Tx<'_>, tenant: &Tenant, view: &View, call: &Call) -> Result<(), Failure> {
        let Some((contract, id)) = call.instance() else { return Ok(()) };
        if call.by().legacy.is_some() && !is_enforced(view, tenant, call) {
            return Ok(());
        }
        let about = hos_core::digest::heads_label(tenant, contract.as_str(), id.as_str());
        match tx.row(&inbox::waits_about(tenant, &about))? {
            None => Ok(()),
            Some(_) => Err(Failure::new(Code::Retry, "calls in shadow of this instance wait to be judged; `hos work` does that")),
        }
    }

    /// Takes a call out of the inbox and judges it; says whether it was still there: several may fold. Without a call nothing is left
    /// of it to be judged.
    pub(super) fn fold(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        (pos, id): (i64, [u8; 16]),
        call: Option<&Call>,
        unjudged: Option<Blocker>,
    ) -> Result<u64, Failure> {
        if tx.execute(&evidence_sql::dequeue_shadow(tenant, pos, &id))? == 0 {
            return Ok(0);
        }
        tx.execute(&inbox::delete(tenant, &id))?;
        let Some(call) = call else { return Ok(1) };
        // The law may have come to be enforced since: what the world did then is no less done.
        let view = self.view(tx, group, tenant)?;
        group.watches = is_enforced(&view, tenant, call);
        let judged = match unjudged {
            None => self.call(tx, group, tenant, call),
            Some(why) => self.unjudged(tx, group, tenant, call, why),
        };
        group.watches = false;
        judged.map(|_| 1)
    }
}

fn is_enforced(view: &View, tenant: &Tenant, call: &Call) -> bool {
    About::of(call).mode(&view.in_force.law, &view.in_force.activation.modes, tenant) == Mode::Enforce
}
