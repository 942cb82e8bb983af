//! Erasing a person: the record of it, the end of every row that is theirs alone, and then the key, which makes all that was
//! kept of them unreadable at once, wherever a copy lies.

use crate::Failure;
use crate::court::founding::STREAM_ERASED;
use crate::court::{Court, Group};
use crate::store::sql::{evidence as evidence_sql, law as law_sql, state as sql};
use crate::store::sqlite::Tx;
use hos_core::answer::{Answer, Receipt};
use hos_core::call::By;
use hos_core::canon::{Reader, Writer};
use hos_core::id::{Handle, KeyId, LawHash, Tenant, Uid};
use hos_core::judge::{self, Act};
use hos_core::policy::Request;
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::stored::decode_stored;
use hos_core::refusal::{Blocker, Code};
use hos_core::value::Record;

/// The reserved action; its resource is the account.
const ACTION: &str = "evidence.erase";
/// How many live instances a refusal names.
const NAMED_MAX: usize = 10;

impl Court {
    /// Erases a person. The key is destroyed only after the commit ([`Court::destroy_keys`]): a crash between the two leaves
    /// the record, which the next start acts upon.
    pub(crate) fn erase(&self, tx: &Tx<'_>, group: &mut Group, by: &By, subject: &Uid, ground: &str) -> Result<Answer, Failure> {
        let universe = Tenant::universe();
        let view = self.view(tx, group, &universe)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        let action = view.active.law.action(ACTION).ok_or_else(|| Failure::new(Code::ActionUnknown, ACTION))?;
        let context = Record::new();
        let request =
            Request { principal: &by.principal, action: &action, resource: subject, given: &by.given, context: &context };
        judge::apply_ruling(&mut answer, view.active.bound.decide(&request));
        let tag = self.keys().tag(subject);
        let kept = self.vault.get_by_subject(&tag)?;
        match &kept {
            Some(kept) if kept.key.is_none() => answer.blockers.push(Blocker::new(Code::SubjectErased, format!("`{subject}`"))),
            _ => {}
        }
        let tenants = self.tenants(tx)?;
        if let Some(kept) = kept.as_ref().filter(|_| answer.blockers.is_empty()) {
            let living = self.living(tx, &tenants, &kept.id)?;
            if !living.is_empty() {
                answer.blockers.push(Blocker::new(Code::SubjectInUse, living.join(", ")));
            }
        }
        answer.allowed = answer.blockers.is_empty();
        if !answer.allowed {
            return Ok(answer);
        }
        let id = kept.map_or(KeyId([0; 16]), |k| k.id);
        let mut w = Writer::default();
        w.array(2).bytes(id.as_bytes()).text(ground);
        let change = w.finish();
        let act =
            Act { kind: Kind::Erased, stream: STREAM_ERASED, by: Some(&by.principal), change: &change, judged: Some(&answer) };
        let draft = judge::act(&bench, &act)?;
        let (thread, n, record) = self.write_own(tx, group, &universe, draft, &bench.seed)?;
        for tenant in &tenants {
            tx.execute(&sql::delete_entity(tenant, subject))?;
            tx.execute(&sql::delete_grants_of(tenant, subject))?;
        }
        tx.execute(&law_sql::raise_directory_version(&universe))?;
        group.changes += 1;
        group.views.clear();
        group.destroy.push(tag);
        answer.receipt = Some(Receipt { tenant: universe, thread, n, record, seal: None });
        Ok(answer)
    }

    /// Live instances whose facts are the person's, named.
    fn living(&self, tx: &Tx<'_>, tenants: &[Tenant], key: &KeyId) -> Result<Vec<String>, Failure> {
        let mut living = Vec::new();
        for tenant in tenants {
            for row in tx.rows(&sql::instances_of_key(tenant, key))? {
                let law = self.laws.get(tx, &LawHash(row.bytes(2)?))?;
                let terminal = law
                    .contracts
                    .get(row.text(0)?)
                    .and_then(|of| of.contract.state(row.text(3).ok()?))
                    .is_some_and(|s| s.terminal);
                if !terminal && living.len() < NAMED_MAX {
                    let id = String::from_utf8_lossy(row.blob(1)?).into_owned();
                    living.push(format!("{tenant}: {}/{}", row.text(0)?, hos_core::id::Shown(&id)));
                }
            }
        }
        Ok(living)
    }

    /// All tenants.
    pub(crate) fn tenants(&self, tx: &Tx<'_>) -> Result<Vec<Tenant>, Failure> {
        tx.rows(&law_sql::tenants())?
            .iter()
            .map(|row| Tenant::new(row.text(0)?).map_err(|e| row.fault(0, &e.to_string()).into()))
            .collect()
    }

    /// Destroys keys whose erasure is committed.
    pub(crate) fn destroy_keys(&self, ids: &[KeyId]) -> Result<(), Failure> {
        for id in ids.iter().filter(|id| id.0 != [0; 16]) {
            self.vault.destroy_by_id(*id, self.clock.now())?;
        }
        Ok(())
    }

    /// The keys that the store's records say were destroyed: what a crash after the commit may have left in the vault.
    pub(crate) fn erased_keys(&self, tx: &Tx<'_>) -> Result<Vec<KeyId>, Failure> {
        let universe = Tenant::universe();
        let Some(stream) = tx.row(&evidence_sql::stream(&universe, STREAM_ERASED))? else { return Ok(Vec::new()) };
        let thread = Handle(stream.bytes(0)?);
        let mut keys = Vec::new();
        for row in tx.rows(&evidence_sql::thread_records(&universe, &thread, 0, usize::MAX >> 1))? {
            let broken = |what: &str| Failure::new(Code::StoreIntegrity, format!("an erasure's record: {what}"));
            let header = Header::decode(row.blob(1)?).map_err(|e| broken(&e.to_string()))?;
            let boxes = decode_stored(row.blob(2)?).map_err(|e| broken(&e.to_string()))?;
            let said = boxes.iter().find(|b| b.is_clear()).ok_or_else(|| broken("nothing is said"))?;
            let opened = said.open_listed(None, &header.parts).map_err(|e| broken(&e.to_string()))?;
            let change = opened.iter().find(|p| p.slot == Slot::Change).ok_or_else(|| broken("nothing is said"))?;
            keys.push(erased_key(&change.plaintext).ok_or_else(|| broken("no key is named"))?);
        }
        Ok(keys)
    }
}

/// The key that an erasure's record names: `[key id, ground]`.
pub(crate) fn erased_key(bytes: &[u8]) -> Option<KeyId> {
    let mut r = Reader::new(bytes);
    if r.array().ok()? != 2 {
        return None;
    }
    KeyId::from_slice(r.bytes().ok()?)
}
