//! Calls in shadow that hosts' transactions left in the inbox: judged in a transaction of our own, in the order in which they came.

use super::{Court, Group};
use crate::Failure;
use crate::sealed::open_copy;
use crate::store::Tx;
use crate::store::sql::{evidence as evidence_sql, inbox};
use crate::view::View;
use crate::work::Nowhere;
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
}

/// Some of what waits, in its order.
pub(crate) struct Page {
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) nothing: Vec<Nowhere>,
    /// The last place; none where nothing waits any more.
    pub(crate) last: Option<i64>,
}

/// What lies in the inbox where a call waits.
pub(crate) enum Came {
    /// The call, as it came.
    Call(Vec<u8>),
    /// Nothing that can be read any more: its person was erased meanwhile.
    Erased,
    /// No call.
    Nothing,
}

impl Court {
    /// Calls that wait behind a place, at most `limit`, and the places that lead to none: who may add rows may add such ones. The calls
    /// themselves are opened one at a time ([`Self::came`]): many may wait, and each may be large.
    pub(crate) fn shadows(&self, tx: &Tx<'_>, tenant: &Tenant, after: i64, limit: usize) -> Result<Page, Failure> {
        let mut page = Page { waiting: Vec::new(), nothing: Vec::new(), last: None };
        for row in tx.rows(&evidence_sql::shadows(tenant, after, limit))? {
            let (pos, id) = (row.int(0)?, row.bytes(1).ok());
            page.last = Some(pos);
            match id.filter(|_| row.is_null(2) == Ok(false)) {
                Some(id) => page.waiting.push(Waiting { pos, id, about: row.opt_blob(3)?.map(<[u8]>::to_vec) }),
                None => page.nothing.push((pos, id)),
            }
        }
        Ok(page)
    }

    /// What waits under an id, opened.
    pub(crate) fn came(&self, tx: &Tx<'_>, tenant: &Tenant, id: &[u8; 16]) -> Result<Came, Failure> {
        let Some(row) = tx.row(&inbox::waiting(tenant, id))? else { return Ok(Came::Nothing) };
        let (Ok(key), Ok(copy)) = (row.bytes(2).map(KeyId), row.blob(3)) else { return Ok(Came::Nothing) };
        // A vault that fails says nothing of the call.
        let secret = self.keys(tx).of_copy(&key, &Default::default())?;
        Ok(match open_copy(key, secret.as_ref(), copy) {
            Ok(Some(bytes)) => Came::Call(bytes),
            Ok(None) => Came::Erased,
            Err(_) => Came::Nothing,
        })
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
