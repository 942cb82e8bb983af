//! Erasing a person: the record of it, the last record of every thread that is theirs, the end of every row that names them,
//! and then the key, which makes all that was kept of them unreadable at once, wherever a copy lies.
//!
//! `spec/erasure.md` lists every table and what becomes of it.

use crate::Failure;
use crate::court::endings::{EndedRow, Ending};
use crate::court::founding::STREAM_ERASED;
use crate::court::settle::failure_of;
use crate::court::{Court, Group, traces};
use crate::sealed::Chance;
use crate::store::Tx;
use crate::store::sql::{erase as sql, law as law_sql, state as state_sql};
use crate::survey::Survey;
use crate::work::Erasing;
use hos_core::answer::{Answer, Receipt};
use hos_core::call::By;
use hos_core::digest;
use hos_core::id::{Handle, KeyId, RecordHash, Tenant, Uid};
use hos_core::judge::{self, Act, Ended, Slice};
use hos_core::policy::{Entity, Request};
use hos_core::proof::erasure::{Attestation, Erasure, encode_end};
use hos_core::proof::part::SubjectKey;
use hos_core::proof::record::Kind;
use hos_core::refusal::{Blocker, Code};
use hos_core::value::Record;
use std::collections::{BTreeSet, HashSet};

/// The reserved action; its resource is the account.
const ACTION: &str = "evidence.erase";
/// The ground of an erasure that is carried out again.
const RESTORED: &str = "erased before: the store was restored from a copy that is older than the erasure";

/// What an erasure is about.
struct Burial<'a> {
    key: KeyId,
    /// The person; not known when it is carried out again, for the vault holds no names.
    subject: Option<&'a Uid>,
    /// Who asked, where that is another; who erases themselves is named by nothing that stays.
    by: Option<&'a By>,
    judged: Option<&'a Answer>,
    ground: &'a str,
    article: &'a str,
    survey: Survey,
    attestation: Option<Attestation>,
}

impl Court {
    /// Whether a person may do this to another, in the universe; the answer says no more than that.
    ///
    /// Whom neither the directory has nor the call gives is judged by the id alone, where the schema lets a person be no more than
    /// that: the vault may know them. Nobody who may not do it learns by the refusal whom it knows.
    pub(super) fn asked(&self, tx: &Tx<'_>, group: &mut Group, by: &By, act: &str, subject: &Uid) -> Result<Answer, Failure> {
        let view = self.view_for(tx, group, &Tenant::universe(), &by.principal)?;
        let mut answer = Answer::refused(view.active.law.hash, view.version);
        let action = view.active.law.action(act).ok_or_else(|| Failure::new(Code::ActionUnknown, act))?;
        let bare = Entity { uid: subject.clone(), attrs: Record::new(), parents: BTreeSet::new(), record: None };
        let is_bare = view.active.law.persons.contains(subject.type_name())
            && by.principal != *subject
            && view.directory.get(subject).is_none()
            && by.given.iter().all(|given| given.uid != *subject)
            && view.active.bound.fits(&bare).is_ok();
        let mut given = by.given.clone();
        given.extend(Some(bare).filter(|_| is_bare));
        let request =
            Request { principal: &by.principal, action: &action, resource: subject, given: &given, context: &by.context };
        judge::apply_ruling(&mut answer, view.active.bound.decide(&request));
        if is_bare && answer.blockers.is_empty() && !self.is_known(tx, group, subject)? {
            answer.blockers.push(Blocker::new(Code::EntityMissing, format!("nobody gives {subject}")));
        }
        Ok(answer)
    }

    /// Whether something was ever sealed under a person's key.
    fn is_known(&self, tx: &Tx<'_>, group: &Group, subject: &Uid) -> Result<bool, Failure> {
        let tag = self.tag(subject);
        Ok(group.fresh.of_tag(&tag).is_some() || self.vault.of_subject(tx, None, &tag)?.is_some())
    }

    /// Erases a person. The key is destroyed only after the commit ([`Court::follow_erasures`]): a crash between the two leaves
    /// the record, which the next start acts upon.
    pub(crate) fn erase(&self, tx: &Tx<'_>, group: &mut Group, job: Erasing) -> Result<Answer, Failure> {
        let (by, subject) = (&job.by, &job.subject);
        let mut answer = self.asked(tx, group, by, ACTION, subject)?;
        let tag = self.tag(subject);
        let kept = self.vault.lock(tx, &tag)?;
        let gone = kept.as_ref().is_some_and(|kept| kept.key.is_none() || group.fresh.is_gone(&kept.id))
            || group.destroy.iter().any(|(of, _)| *of == tag);
        if gone {
            let key = kept.map(|kept| kept.id).or_else(|| group.fresh.of_tag(&tag).map(|(key, _)| key));
            return self.erase_left(tx, group, job, answer, key.unwrap_or(KeyId([0; 16])));
        }
        // A vault in a file has not seen yet what an earlier call of this very commit made.
        let known =
            kept.and_then(|kept| Some((kept.id, SubjectKey::new(*kept.key?.bytes())))).or_else(|| group.fresh.of_tag(&tag));
        if answer.blockers.is_empty() {
            let needing = self.needing(tx, group, subject, known.as_ref().map(|(key, _)| key))?;
            if !needing.is_empty() {
                answer.blockers.push(Blocker::new(Code::SubjectInUse, needing.join(", ")));
            }
            let holds = self.holds(tx, group, subject)?;
            if holds > 0 {
                answer.blockers.push(Blocker::new(Code::SubjectHeld, format!("`{subject}`, {holds} hold(s)")));
            }
        }
        Answer::settle_precedence(&mut answer.blockers);
        answer.allowed = answer.blockers.is_empty();
        if !answer.allowed {
            return Ok(answer);
        }
        // Nothing is committed that could not be carried out: what keeps the key, or what lies under another, stays readable.
        self.vault.sound(tx)?;
        self.is_found(tx, group, subject, known.as_ref().map(|(key, _)| *key))?;
        // Who never had a key gets one to be destroyed: a crash before that finds it again by its id alone.
        let is_known = known.is_some();
        let (key, secret) = match known {
            Some(known) => known,
            None => {
                let mut chance = Chance::new(&self.case_seed(group)?);
                self.keys(tx).of(subject, &mut group.fresh, &mut chance).map_err(failure_of)?
            }
        };
        let attested = job.attestation.is_some();
        let mut survey = job.survey.filter(|survey| survey.key == key).unwrap_or_else(|| Survey::new(key));
        let known = survey.records;
        if is_known {
            self.go_on(tx, &mut survey, Some(&secret))?;
            self.unplaced(tx, group, &mut survey, Some(&secret))?;
        }
        if attested && (survey.records != known || job.attestation.as_ref().is_some_and(|a| a.count != known)) {
            return Err(Failure::new(Code::Retry, "more was written about the person while the records were attested"));
        }
        let burial = Burial {
            key,
            subject: Some(subject),
            // Sealed under the key that goes, it would be one record more that nobody can read, and none that was counted.
            by: Some(by).filter(|by| by.principal != *subject),
            judged: Some(&answer),
            ground: &job.ground,
            article: &job.article,
            survey,
            attestation: job.attestation,
        };
        let receipt = self.bury(tx, group, burial)?;
        group.gone(tag, key);
        answer.receipt = Some(receipt);
        Ok(answer)
    }

    /// Erases what is left of a person who was erased: a host whose transaction slept meanwhile has written of them behind it, and some of
    /// that is in the clear. Where nothing is, that is said; but not to who may not erase.
    fn erase_left(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        job: Erasing,
        mut answer: Answer,
        key: KeyId,
    ) -> Result<Answer, Failure> {
        let (by, subject) = (&job.by, &job.subject);
        if !answer.blockers.is_empty() {
            return Ok(answer);
        }
        let mut survey = job.survey.filter(|survey| survey.key == key).unwrap_or_else(|| Survey::new(key));
        if !self.is_left(tx, group, subject, &mut survey)? {
            answer.blockers.push(Blocker::new(Code::SubjectErased, format!("`{subject}`")));
            return Ok(answer);
        }
        answer.allowed = true;
        let burial = Burial {
            key,
            subject: Some(subject),
            by: Some(by).filter(|by| by.principal != *subject),
            judged: Some(&answer),
            ground: &job.ground,
            article: &job.article,
            survey,
            attestation: None,
        };
        let receipt = self.bury(tx, group, burial)?;
        answer.receipt = Some(receipt);
        Ok(answer)
    }

    /// Whether rows of a person who was erased are there; the survey is gone on with. Under an id that is no person's another row may
    /// stand by now, and in a store that is a file of its own nobody writes beside an erasure.
    fn is_left(&self, tx: &Tx<'_>, group: &Group, subject: &Uid, survey: &mut Survey) -> Result<bool, Failure> {
        if !tx.is_shared() || !group.in_force()?.law.persons.contains(subject.type_name()) {
            return Ok(false);
        }
        self.go_on(tx, survey, None)?;
        self.unplaced(tx, group, survey, None)?;
        if self.endings(tx, survey, Some(subject))?.0.iter().any(|ending| !ending.is_nothing()) {
            return Ok(true);
        }
        for tenant in self.tenants(tx)? {
            for (key, thread, n) in self.onces_of(tx, &tenant, survey)? {
                if tx.row(&sql::once_digest(&tenant, &key, &thread, n))?.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Sees that the key which the vault has for a person is the one that the person's rows in the directory lie under.
    fn is_found(&self, tx: &Tx<'_>, group: &Group, subject: &Uid, key: Option<KeyId>) -> Result<(), Failure> {
        for tenant in self.tenants(tx)? {
            let Some(row) = tx.row(&state_sql::directory_entity(&tenant, subject))? else { continue };
            let under = state_sql::entity_from(&row)?.attrs_key;
            if under.0 == [0; 16] || Some(under) == key || self.keys(tx).by_id(&under, &group.fresh)?.is_none() {
                continue;
            }
            let what = "lies under a key that the vault does not have for them: nothing was erased";
            return Err(Failure::new(Code::StoreIntegrity, format!("the row of `{subject}` in `{tenant}` {what}")));
        }
        Ok(())
    }

    /// Carries an erasure out again whose record a restored store lacks; says whether there was anything to erase.
    pub(crate) fn erase_again(&self, tx: &Tx<'_>, group: &mut Group, key: KeyId) -> Result<u64, Failure> {
        if self.gone_here(tx)?.1.contains(&key) || self.vault.get_by_id(key)?.is_none_or(|kept| kept.key.is_some()) {
            return Ok(0);
        }
        if !self.stands_under(tx, &key)? {
            return Ok(0);
        }
        let mut survey = Survey::new(key);
        self.go_on(tx, &mut survey, None)?;
        self.unplaced(tx, group, &mut survey, None)?;
        if self.endings(tx, &survey, None)?.0.iter().all(Ending::is_nothing) {
            return Ok(0);
        }
        let burial =
            Burial { key, subject: None, by: None, judged: None, ground: RESTORED, article: "", survey, attestation: None };
        self.bury(tx, group, burial)?;
        Ok(1)
    }

    /// Writes the records, then changes the rows.
    fn bury(&self, tx: &Tx<'_>, group: &mut Group, mut burial: Burial<'_>) -> Result<Receipt, Failure> {
        let universe = Tenant::universe();
        let (endings, differing) = self.endings(tx, &burial.survey, burial.subject)?;
        burial.survey.differ(differing);
        let end = encode_end(&burial.key, burial.ground);
        let mut lasts = Vec::new();
        for ending in &endings {
            for instance in &ending.instances {
                lasts.push(self.last_record(tx, group, &ending.tenant, Ended::Instance(instance), &burial, &end)?);
            }
            for (thread, _) in &ending.rows {
                self.last_record(tx, group, &ending.tenant, Ended::Row(*thread), &burial, &end)?;
            }
        }
        let content = Erasure {
            key: burial.key,
            ground: burial.ground.to_owned(),
            article: burial.article.to_owned(),
            lost: burial.survey.lost(),
            verdict: burial.survey.verdict(),
            attestation: burial.attestation.clone(),
        };
        let change = content.encode();
        let view = self.view(tx, group, &universe)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        // Over what this was judged is not recorded: it would say who was erased.
        let (by, nothing) = (burial.by.map(|by| By::new(by.principal.clone())), Slice::default());
        let judged = burial.judged.map(|answer| (answer, &nothing));
        let act = Act { kind: Kind::Erased, stream: STREAM_ERASED, by: by.as_ref(), change: &change, judged };
        let draft = judge::act(&bench, &act)?;
        let (thread, n, record) = self.write_own(tx, group, &universe, draft, &bench.seed)?;

        let (mut lasts, mut traces) = (lasts.into_iter(), Vec::new());
        for ending in &endings {
            self.end_rows(tx, &mut traces, ending, &mut lasts)?;
        }
        self.forget_traces(tx, &mut traces, &burial)?;
        // What a server keeps of deleted rows is its own business: `VACUUM`, `OPTIMIZE TABLE`, its logs and its backups.
        if !tx.is_shared() && !traces.is_empty() {
            traces::leave(tx, &record)?;
            group.traces.push((record, traces));
        }
        self.raise_version(tx, &universe, &mut Chance::new(&bench.seed))?;
        group.changes += 1;
        group.changed.insert(Tenant::universe());
        group.views.clear();
        Ok(Receipt { tenant: universe, thread, n: Some(n), record, seal: None })
    }

    fn last_record(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        ended: Ended<'_>,
        burial: &Burial<'_>,
        change: &[u8],
    ) -> Result<(u64, RecordHash, i64), Failure> {
        let view = self.view(tx, group, tenant)?;
        let bench = self.bench(tx, group, tenant, &view, None)?;
        let draft = judge::end(&bench, ended, burial.by.map(|by| &by.principal), change, burial.judged)?;
        let time = draft.header.time.0;
        let (_, n, hash) = self.write_own(tx, group, tenant, draft, &bench.seed)?;
        Ok((n, hash, time))
    }

    fn end_rows(
        &self,
        tx: &Tx<'_>,
        traces: &mut Vec<Vec<u8>>,
        ending: &Ending,
        lasts: &mut impl Iterator<Item = (u64, RecordHash, i64)>,
    ) -> Result<(), Failure> {
        let tenant = &ending.tenant;
        let trace = |pieces: &[&[u8]]| pieces.concat();
        for (instance, (n, last, time)) in ending.instances.iter().zip(lasts) {
            let law = self.laws.get(tx, &instance.law)?;
            let personal = law.contracts.get(&instance.contract).is_some_and(|of| of.contract.personal_ids);
            let id = instance.id.as_str();
            let label = personal.then(|| digest::heads_label(tenant, instance.contract.as_str(), id));
            // Each by its whole key: others' deadlines are looked at by nobody here, nor locked.
            for armed in &instance.deadlines {
                tx.execute(&state_sql::delete_deadline(tenant, armed.due, &instance.contract, &instance.id, armed.deadline))?;
            }
            let time = time.max(instance.last_time.0);
            if tx.execute(&sql::end_instance(tenant, instance, n, &last, time, label.as_ref()))? != 1 {
                return Err(Failure::new(Code::Retry, "an instance moved meanwhile"));
            }
            if personal {
                let contract = instance.contract.as_str().as_bytes();
                traces.push(trace(&[tenant.as_str().as_bytes(), contract, id.as_bytes(), instance.handle.as_bytes()]));
            }
        }
        for (thread, row) in &ending.rows {
            match row {
                EndedRow::Entity(uid) => {
                    tx.execute(&sql::delete_entity(tenant, uid))?;
                    let (kind, id) = (uid.type_name().as_bytes(), uid.id().as_bytes());
                    traces.push(trace(&[tenant.as_str().as_bytes(), kind, id, thread.handle.as_bytes()]));
                }
                EndedRow::Grant(id) => {
                    tx.execute(&sql::delete_grant(tenant, id))?;
                    traces.push(trace(&[tenant.as_str().as_bytes(), id.as_bytes(), thread.handle.as_bytes()]));
                }
            }
        }
        Ok(())
    }

    /// Once-keys that the person's records took, and the count of the person's refusals.
    fn forget_traces(&self, tx: &Tx<'_>, traces: &mut Vec<Vec<u8>>, burial: &Burial<'_>) -> Result<(), Failure> {
        for tenant in self.tenants(tx)? {
            for (key, thread, n) in self.onces_of(tx, &tenant, &burial.survey)? {
                if let Some(row) = tx.row(&sql::once_digest(&tenant, &key, &thread, n))? {
                    traces.push([tenant.as_str().as_bytes(), &key, row.blob(0)?].concat());
                }
                tx.execute(&sql::delete_once(&tenant, &key, &thread, n))?;
            }
            if let Some(principal) = burial.subject.map(|s| self.tag(s)).and_then(|tag| tag.first_chunk::<16>().copied()) {
                tx.execute(&sql::forget_refusals(&tenant, &principal))?;
            }
        }
        Ok(())
    }

    /// The once-keys that the person's records took, each with its record: as their parts say, and where these cannot be opened, as
    /// the rows do.
    fn onces_of(&self, tx: &Tx<'_>, tenant: &Tenant, survey: &Survey) -> Result<Vec<(Vec<u8>, Handle, i64)>, Failure> {
        let took: Vec<_> = survey.took.iter().filter(|took| took.tenant == *tenant).collect();
        // A key is taken from the record that took it, and from no other: it may have been forgotten since, and be somebody else's now.
        let mut rows: Vec<(Vec<u8>, Handle, i64)> =
            took.iter().filter_map(|took| Some((took.key.as_ref()?.as_str().as_bytes().to_vec(), took.thread, took.n))).collect();
        let keyless: HashSet<_> = took.iter().filter(|took| took.key.is_none()).map(|took| (took.thread, took.n)).collect();
        if !keyless.is_empty() {
            for row in tx.rows(&sql::onces_taken(tenant))? {
                let (thread, n) = (Handle(row.bytes(1)?), row.int(2)?);
                if keyless.contains(&(thread, n)) {
                    rows.push((row.blob(0)?.to_vec(), thread, n));
                }
            }
        }
        Ok(rows)
    }

    /// All tenants.
    pub(crate) fn tenants(&self, tx: &Tx<'_>) -> Result<Vec<Tenant>, Failure> {
        tx.rows(&law_sql::tenants())?
            .iter()
            .map(|row| Tenant::new(row.text(0)?).map_err(|e| row.fault(0, &e.to_string()).into()))
            .collect()
    }
}
