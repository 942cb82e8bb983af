//! What a store's file must still be when it is opened anew: the store that this process has answered from, and not an older one.

use crate::Failure;
use crate::court::{Court, founding, lock};
use crate::seal;
use crate::store::Tx;
use crate::store::sql::law as sql;
use crate::view;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Checkpoint, Note};
use hos_core::refusal::Code;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

impl Court {
    /// Whether the file that lies there goes on from what this process has answered.
    pub(super) fn goes_on(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        // Another file may lie where the store's was: a copy of it, or another store.
        let is =
            |key, wanted: &[u8]| Ok::<_, Failure>(tx.row(&sql::store_value(key))?.is_some_and(|row| row.blob(0) == Ok(wanted)));
        if !is(founding::KEY_STORE, &self.of.store.0)? || !is(founding::KEY_EPOCH, &self.of.epoch.to_be_bytes())? {
            return Err(broken("the file that lies there now is another store, or in another epoch; open it anew".to_owned()));
        }
        self.logs_go_on(tx)?;
        self.directories_go_on(tx)
    }

    /// The logs must go on from what this process has signed for.
    fn logs_go_on(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        for (tenant, signed) in lock(&self.checkpoints).iter() {
            let head = seal::head(tx, tenant, self.of)?;
            let said = Note::parse(signed.note.as_bytes()).ok().and_then(|note| Checkpoint::parse(note.text()).ok());
            if let Some(said) = said.filter(|said| said.size > 0 && said.size <= head.size)
                && seal::root_at(tx, tenant, head.size, said.size)? != said.root
            {
                return Err(broken(format!(
                    "the first {} entries of `{tenant}` are not those that were answered for",
                    said.size
                )));
            }
            if head.size < signed.size {
                return Err(broken(format!(
                    "the log of `{tenant}` has {} entries, and {} were answered for",
                    head.size, signed.size
                )));
            }
        }
        Ok(())
    }

    /// Another process may have signed for what this one has only judged by: laws in force and directories grow no older either.
    fn directories_go_on(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        let known = self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone();
        let n = tx.row(&sql::activation())?.map_or(Ok(0), |row| row.uint(0))?;
        if let Some(known) = known.filter(|known| known.activation.n > n) {
            let seen = known.activation.n;
            return Err(broken(format!("the newest activation is number {n}, and answers stood on number {seen}")));
        }
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<(Tenant, u64)> = views.iter().map(|(tenant, (view, _))| (tenant.clone(), view.version)).collect();
        drop(views);
        for (tenant, seen) in known {
            let version = match view::version(tx, &tenant) {
                Err(failure) if failure.code == Code::TenantUnknown => 0,
                version => version?,
            };
            if version < seen {
                let what = format!("the directory of `{tenant}` is at version {version}, and answers stood on {seen}");
                return Err(broken(what));
            }
        }
        Ok(())
    }

    /// Directories that are known stay known, for they say how old the store may not be; before anything is answered from one, it
    /// is confirmed.
    pub(super) fn doubt_views(&self) {
        let age = self.settings.directory_age_max.saturating_mul(2);
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        for (view, since) in views.values_mut() {
            view.doubt();
            *since = since.checked_sub(age).unwrap_or(*since);
        }
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

fn broken(what: String) -> Failure {
    Failure::new(Code::StoreIntegrity, what)
}
