//! One thing that is judged in a host's transaction, round by round.

use super::{Joined, all, probe};
use crate::Failure;
use crate::court::{Court, Group, Refusal};
use crate::join::{self, Read};
use crate::roots::{Roots, Stand};
use crate::shadow::guarded;
use crate::store::host::{Ask, Script};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::{claim as claim_sql, evidence as evidence_sql, inbox, law as law_sql, vault as vault_sql};
use crate::store::sqlite::{Runner, Stay};
use crate::store::{Sql, Statement, Tx};
use crate::view::View;
use hos_core::answer::Answer;
use hos_core::call::{Call, Can};
use hos_core::digest;
use hos_core::id::Tenant;
use hos_core::judge::{self, About};
use hos_core::law::mode::Mode;
use hos_core::refusal::Code;
use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// How often the judging may ask for more: twice in the usual case; a cold start reads laws and the directory first.
const ROUNDS_MAX: usize = 16;

/// What is asked of a step.
pub enum Asked {
    /// A call of a door that writes. With the call as it came, where it is one in shadow: it waits in the inbox in these bytes.
    Call(Tenant, Box<Call>, Vec<u8>),
    /// Several calls, judged in their order as one: all of them is written, or nothing. They are births, events, adoptions and free
    /// records, at most [`ALL_MAX`](crate::limits::ALL_MAX), none in shadow, and no two about the same instance or under the same once-key: each is judged on
    /// what was there before the first.
    All(Tenant, Vec<Call>),
    /// May this principal do this to that? Reads only.
    Can(Tenant, Box<Can>),
    /// The same of several, over one directory and one law.
    CanAll(Tenant, Vec<Can>),
    /// Makes evidence of a refusal, after the host has rolled back.
    Refused(Box<KeptRefusal>),
    /// Claims what a call is about (its once-key, its instance, its directory row) and judges nothing: for a host that reads its
    /// own rows for the call's arguments, and wants them to stand still meanwhile. The call itself follows in the same
    /// transaction; its arguments and facts count for nothing here.
    Claim(Tenant, Box<Call>),
    /// Has the law read and judges nothing, for who wants to know what it leaves the world ([`Joined::instead`]) before anything was
    /// asked.
    Law,
}

/// A refusal that a host's transaction did not keep. Whoever wants it as evidence hands it to [`Asked::Refused`] in another
/// transaction.
#[derive(Clone)]
pub struct KeptRefusal {
    tenant: Tenant,
    refusal: Refusal,
}

/// What a step comes to.
pub struct Outcome {
    /// Of several calls ([`Asked::All`]): the answers before the last one. Where that is no, nothing was written, and these have no
    /// receipts.
    pub earlier: Vec<Answer>,
    /// The answer; of several calls the last one's, or the first that is no. A failure says that nothing was judged: the host rolls
    /// back, and where its code is [`Code::Retry`] begins again.
    pub answer: Result<Answer, Failure>,
    /// Of a refusal: what may become evidence of it.
    pub refusal: Option<Box<KeptRefusal>>,
}

impl Outcome {
    /// What came of one call, without a refusal to keep.
    pub fn of(answer: Result<Answer, Failure>) -> Self {
        Self { earlier: Vec::new(), answer, refusal: None }
    }
}

/// What comes of a round.
pub enum Next {
    /// Run these on the transaction's connection, in this order, and go on with the rows of each that reads, and none of the
    /// others.
    Need(Vec<Ask>),
    /// Run these, then heed the answer.
    Settle(Vec<Statement>, Box<Outcome>),
    /// What was asked by [`Asked::CanAll`], in its order. Nothing is written.
    Answered(Vec<Answer>),
    /// It is claimed ([`Asked::Claim`]). A host that does not make the call after all runs these, and nothing of it is left.
    Claimed(Vec<Statement>),
    /// The law was read ([`Asked::Law`]).
    Learned,
}

/// How a step ended.
enum Ended {
    Judged(Box<Outcome>),
    Answered(Vec<Answer>),
    Claimed(Vec<Statement>),
    Learned,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self::Judged(Box::new(outcome))
    }
}

/// A step on its way.
pub struct Step {
    asked: Asked,
    script: Script,
    /// Chance, taken by the first round that has need of it.
    seed: Cell<Option<[u8; 32]>>,
    /// Whether all that can be foreseen was asked for.
    foreseen: Cell<bool>,
    rounds: usize,
    /// Whether the driver says that there is a transaction; `None` where it cannot tell.
    inside: Option<bool>,
    /// What leaves the claims of the last round, if it comes to no other.
    left: Vec<Statement>,
}

impl Step {
    pub(super) fn new(asked: Asked, dialect: Dialect, inside: Option<bool>) -> Self {
        let (seed, foreseen) = (Cell::new(None), Cell::new(false));
        Self { asked, script: Script::new(dialect), seed, foreseen, rounds: 0, inside, left: Vec::new() }
    }

    /// One round: with the rows of what was asked last, as many lists as statements; the first with none.
    pub fn go(&mut self, joined: &Joined, rows: Vec<Vec<Vec<Sql>>>) -> Next {
        // What judging makes once in a process, and the locks that it takes, are no child's to find half made, or taken.
        let _stay = Stay::enter();
        if let Err(error) = self.script.take(rows) {
            return self.failed(error.into());
        }
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            return self.failed(Failure::new(Code::Internal, "a step took too many rounds"));
        }
        self.script.begin();
        let mut left = Vec::new();
        let judged = guarded(|| self.judge(joined, &mut left));
        let wanted = self.script.wanted();
        if !wanted.is_empty() {
            self.left = left;
            return Next::Need(wanted);
        }
        let writes = self.script.writes();
        match judged {
            Ok(Ended::Judged(outcome)) => Next::Settle(writes, outcome),
            Ok(Ended::Answered(answers)) => Next::Answered(answers),
            Ok(Ended::Claimed(leave)) => Next::Claimed(leave),
            Ok(Ended::Learned) => Next::Learned,
            // Of what failed nothing is written; what it had claimed is left.
            Err(failure) => Next::Settle(left, Box::new(Outcome::of(Err(failure)))),
        }
    }

    /// It goes no further: what it had claimed is left.
    fn failed(&mut self, failure: Failure) -> Next {
        Next::Settle(std::mem::take(&mut self.left), Box::new(Outcome::of(Err(failure))))
    }

    fn judge(&self, joined: &Joined, left: &mut Vec<Statement>) -> Result<Ended, Failure> {
        let tx = Tx::of(&self.script);
        match &self.asked {
            Asked::Can(tenant, can) => {
                let court = joined.court(&tx)?;
                let answer = self.seen(court, &tx, tenant).map(|view| judge::can(&court.looking(&view, tenant), can));
                Ok(Outcome::of(answer).into())
            }
            Asked::CanAll(tenant, all) => {
                let court = joined.court(&tx)?;
                let view = self.seen(court, &tx, tenant)?;
                Ok(Ended::Answered(judge::can_all(&court.looking(&view, tenant), all)))
            }
            Asked::Call(tenant, call, came) => {
                self.begin(joined, &tx)?;
                // Claims come first, whatever else is not known yet; a call in shadow claims nothing. Of what fails nothing is left.
                let claimed = join::first_needs(call, &join::Rows::default());
                let leaves = claimed.iter().filter_map(|read| leave(tenant, read));
                let watched = call.by().legacy.is_some();
                let foresee = |court: &Court| self.foresee(court, tenant, || court.foresee(&tx, tenant, call));
                if !watched {
                    left.extend(leaves.clone());
                    joined.court.get().map_or(Ok(()), foresee)?;
                }
                let court = joined.court(&tx)?;
                if let Some(answer) = self.in_shadow(court, &tx, tenant, call, came)? {
                    return Ok(Outcome::of(Ok(answer)).into());
                }
                if watched {
                    left.extend(leaves);
                }
                foresee(court)?;
                self.probe(joined, &tx)?;
                let mut group = self.group(court, &tx)?;
                let answer = court.call(&tx, &mut group, tenant, call);
                publish(court, &group);
                let refusal = kept(tenant, &mut group);
                Ok(Outcome { earlier: Vec::new(), answer: Ok(answer?), refusal }.into())
            }
            Asked::All(tenant, calls) => self.all(joined, &tx, tenant, calls, left),
            Asked::Refused(kept) => {
                self.begin(joined, &tx)?;
                let court = joined.court(&tx)?;
                tx.foresee(&[court.refusals_asked(&kept.tenant, &kept.refusal.principal)])?;
                self.probe(joined, &tx)?;
                let mut group = self.group(court, &tx)?;
                let answer = court.keep_refusal(&tx, &mut group, &kept.tenant, &kept.refusal)?;
                Ok(Outcome::of(Ok(answer)).into())
            }
            Asked::Claim(tenant, call) => {
                self.begin(joined, &tx)?;
                let court = joined.court(&tx)?;
                let reads = join::first_needs(call, &join::Rows::default());
                court.claim(&tx, tenant, call, &reads)?;
                left.extend(reads.iter().filter_map(|read| leave(tenant, read)));
                self.probe(joined, &tx)?;
                Ok(Ended::Claimed(std::mem::take(left)))
            }
            Asked::Law => {
                let court = joined.court(&tx)?;
                tx.foresee(&[law_sql::activation()])?;
                publish_law(court, &self.group(court, &tx)?);
                Ok(Ended::Learned)
            }
        }
    }

    /// Several calls as one. What they claim is all claimed before anything else is read, in one order whatever theirs is, and left by all
    /// where one is refused.
    fn all(
        &self,
        joined: &Joined,
        tx: &Tx<'_>,
        tenant: &Tenant,
        calls: &[Call],
        left: &mut Vec<Statement>,
    ) -> Result<Ended, Failure> {
        all::can_be_one(calls)?;
        self.begin(joined, tx)?;
        let needs = all::needs(calls);
        left.extend(needs.iter().filter_map(|(_, read)| leave(tenant, read)));
        let foresee = |court: &Court| {
            self.foresee(court, tenant, || {
                court.claim_all(tx, tenant, needs.iter().map(|(call, read)| (*call, read)))?;
                calls.iter().try_for_each(|call| court.foresee(tx, tenant, call))
            })
        };
        joined.court.get().map_or(Ok(()), foresee)?;
        let court = joined.court(tx)?;
        foresee(court)?;
        self.probe(joined, tx)?;
        let mut group = self.group(court, tx)?;
        let mut answers: Vec<Answer> = Vec::with_capacity(calls.len());
        for call in calls {
            match court.call(tx, &mut group, tenant, call) {
                Ok(answer) => answers.push(answer),
                // What it waits for is asked for together with what the next ones wait for.
                Err(_) if self.script.waits() => {}
                Err(failure) => return Err(failure),
            }
            if answers.last().is_some_and(|answer| !answer.allowed) {
                break;
            }
        }
        let none = || Failure::new(Code::Internal, "no calls came to no answer");
        let (answer, mut earlier) = (answers.pop().ok_or_else(none)?, answers);
        if !answer.allowed {
            // What those before it would write is not written; what was done before, under its once-key, stands.
            drop(self.script.writes());
            left.iter().try_for_each(|leave| tx.execute(leave).map(drop))?;
            earlier.iter_mut().filter(|answer| !answer.again).for_each(|answer| answer.receipt = None);
        }
        publish(court, &group);
        let refusal = kept(tenant, &mut group);
        Ok(Outcome { earlier, answer: Ok(answer), refusal }.into())
    }

    /// Nothing is asked outside a transaction, as far as the driver knows.
    fn begin(&self, joined: &Joined, tx: &Tx<'_>) -> Result<(), Failure> {
        match (self.inside, probe::which(joined.dialect)) {
            (Some(true), _) => Ok(()),
            (None, Some([first, _])) => Ok(tx.foresee(&[first])?),
            (Some(false) | None, _) => Err(probe::outside()),
        }
    }

    /// The time and the durability, from the database itself; it is asked behind all that was asked before.
    fn probe(&self, joined: &Joined, tx: &Tx<'_>) -> Result<(), Failure> {
        let asked = probe::asked(joined.dialect);
        if let (None, Some([first, again])) = (self.inside, probe::which(joined.dialect)) {
            tx.foresee(&[asked.clone(), again.clone()])?;
            let number = |asked| Ok::<_, Failure>(tx.row(asked)?.map(|row| row.int(0)).transpose()?);
            if number(&first)? != number(&again)? {
                return Err(probe::outside());
            }
        }
        let row = tx.row(&asked)?.ok_or_else(|| Failure::new(Code::Internal, "the database does not tell the time"))?;
        let (now, durability) = probe::said(joined.dialect, &row)?;
        self.script.settle(now, durability);
        Ok(())
    }

    /// Asks for what can be foreseen, once: a round that comes later has the rows. Where no directory was known yet, that of a later round
    /// may show more.
    fn foresee(&self, court: &Court, tenant: &Tenant, ask: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
        if !self.foreseen.get() {
            let known = court.known_view(tenant).is_some();
            ask()?;
            self.foreseen.set(known);
        }
        Ok(())
    }

    fn group(&self, court: &Court, tx: &Tx<'_>) -> Result<Group, Failure> {
        let mut group = court.start(tx)?;
        group.seed = Some(self.seed(court)?);
        Ok(group)
    }

    /// The same chance in each round.
    fn seed(&self, court: &Court) -> Result<[u8; 32], Failure> {
        let seed = self.seed.get().map_or_else(|| court.seed(), Ok)?;
        self.seed.set(Some(seed));
        Ok(seed)
    }

    /// The law and the directory that a question is answered over.
    fn seen(&self, court: &Court, tx: &Tx<'_>, tenant: &Tenant) -> Result<Arc<View>, Failure> {
        let known = court.views.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        // Changes that are not counted yet may be those of a transaction that is still open: what was read in it is for it alone.
        let is_fresh = |(view, since): &(Arc<View>, Instant)| {
            since.elapsed() <= court.settings.directory_age_max && view.roots.as_ref().is_some_and(Roots::is_counted)
        };
        let fresh = known.filter(is_fresh).map(|(view, _)| view);
        let view = match fresh {
            Some(view) => view,
            None => {
                let (changes, begun) = (court.changes.load(Ordering::SeqCst), Instant::now());
                tx.foresee(&[law_sql::activation(), Stand::asked(tenant)])?;
                let mut group = self.group(court, tx)?;
                let view = court.view(tx, &mut group, tenant)?;
                publish_law(court, &group);
                if court.changes.load(Ordering::SeqCst) == changes {
                    publish_view(court, tenant, &view, Some(begun));
                }
                view
            }
        };
        Ok(view)
    }

    /// A call in shadow: the world's own outcome is the answer, and the call waits in the inbox until it is judged beside it. It
    /// takes no lock, and nobody waits for it.
    fn in_shadow(
        &self,
        court: &Court,
        tx: &Tx<'_>,
        tenant: &Tenant,
        call: &Call,
        came: &[u8],
    ) -> Result<Option<Answer>, Failure> {
        let Some(legacy) = &call.by().legacy else { return Ok(None) };
        let of_asker = vault_sql::by_subject(&court.tag(&call.by().principal));
        tx.foresee(&[law_sql::activation(), of_asker])?;
        let mut group = self.group(court, tx)?;
        let in_force = group.in_force()?;
        let mode = About::of(call).mode(&in_force.law, &in_force.activation.modes, tenant);
        if mode == Mode::Enforce {
            return Ok(None);
        }
        let mut answer = Answer::refused(in_force.law.hash, 0);
        judge::stands(&mut answer, mode, Some(legacy));
        answer.divergence = false;
        if mode == Mode::Shadow {
            let mut id = [0; 16];
            let seed = self.seed(court)?;
            digest::expand(&seed, "inbox", 0, &mut id);
            let mut chance = crate::sealed::Chance::new(&seed);
            let person = Some(&call.by().principal).filter(|uid| in_force.law.persons.contains(uid.type_name()));
            let sealed = court.keys(tx).seal_copy(person, came.to_vec(), &mut group.fresh, &mut chance);
            let (key, parts) = sealed.map_err(crate::court::settle::failure_of)?;
            let about = call.instance().map(|(contract, id)| digest::heads_label(tenant, contract.as_str(), id.as_str()));
            tx.execute(&inbox::insert_shadow(tenant, &id, about.as_ref(), &key, parts))?;
            tx.execute(&evidence_sql::enqueue_shadow(tenant, &id))?;
        }
        publish(court, &group);
        Ok(Some(answer))
    }
}

/// What may become evidence of a refusal that this transaction does not keep.
fn kept(tenant: &Tenant, group: &mut Group) -> Option<Box<KeptRefusal>> {
    Some(Box::new(KeptRefusal { tenant: tenant.clone(), refusal: group.refused.take()? }))
}

/// The statement that takes the claim of a row back.
fn leave(tenant: &Tenant, read: &Read) -> Option<Statement> {
    match read {
        Read::Once(key) => Some(claim_sql::leave_once(tenant, key)),
        Read::Instance(contract, id) => Some(claim_sql::leave_instance(tenant, contract, id)),
        Read::Entity(uid) => Some(claim_sql::leave_entity(tenant, uid)),
        Read::Grant(id) => Some(claim_sql::leave_grant(tenant, id)),
        Read::Record(..) | Read::Law(_) => None,
    }
}

/// What was read may serve the next step: it stands on rows by their ids.
fn publish(court: &Court, group: &Group) {
    publish_law(court, group);
    if group.changes == 0 {
        for (tenant, view) in &group.views {
            publish_view(court, tenant, view, None);
        }
    } else {
        // What `can` remembers may be older than what this very host has just changed.
        court.views.write().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(|(_, since)| {
            *since = since.checked_sub(court.settings.directory_age_max * 2).unwrap_or(*since);
        });
        court.changes.fetch_add(1, Ordering::SeqCst);
    }
}

/// A transaction may see a snapshot of long ago: what it read takes the place of nothing newer. `since` is when a question was asked of it;
/// what was read on the way to a move has not been, and `can` asks before it relies on it.
fn publish_view(court: &Court, tenant: &Tenant, view: &Arc<View>, since: Option<Instant>) {
    let counted = |view: &View| view.roots.as_ref().map_or(0, Roots::counted);
    let mut views = court.views.write().unwrap_or_else(PoisonError::into_inner);
    let known = views.get(tenant);
    if known.is_some_and(|(known, _)| counted(known) > counted(view) || since.is_none() && Arc::ptr_eq(known, view)) {
        return;
    }
    if let Some(since) = since.or_else(|| Instant::now().checked_sub(court.settings.directory_age_max * 2)) {
        views.insert(tenant.clone(), (view.clone(), since));
    }
}

fn publish_law(court: &Court, group: &Group) {
    if let Some(in_force) = &group.in_force {
        let mut known = court.in_force.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.activation.n <= in_force.activation.n) {
            *known = Some(in_force.clone());
        }
    }
}
