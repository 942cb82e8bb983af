//! The court: who judges inside a shared commit. One per open store; it keeps what outlives a group (laws, directories,
//! checkpoints that wait to be stored) and runs the jobs of each.
//!
//! COMMIT POINT: [`SqliteStore`]'s COMMIT. A crash one line before it leaves nothing of a group; one line after it leaves all of
//! it, with its checkpoint unsigned or unstored, which the next group or the next start makes anew.
//!
//! [`SqliteStore`]: crate::store::sqlite::SqliteStore

pub(crate) mod activation;
mod ahead;
mod catch_up;
pub(crate) mod cosigned;
mod directory;
pub(crate) mod ended;
mod endings;
pub(crate) mod epoch;
pub(crate) mod erase;
pub(crate) mod fetch;
pub(crate) mod folded;
pub(crate) mod founding;
pub(crate) mod gone;
pub(crate) mod heads;
pub(crate) mod history;
mod hold;
pub(crate) mod host;
mod kept;
pub(crate) mod keys;
pub(crate) mod lost;
pub(crate) mod near;
mod outbox;
pub(crate) mod placed;
mod recent;
mod registry;
mod reopened;
pub(crate) mod roots;
mod sealing;
pub(crate) mod settle;
pub(crate) mod signing;
mod standing;
pub(crate) mod streams;
mod survey;
pub(crate) mod traces;
mod vaulted;

pub(crate) use self::signing::Signed;

use crate::Failure;
use crate::court::kept::Kept;
use crate::laws::Laws;
use crate::ports::{Clock, Entropy};
use crate::seal::{Heads, Origin, Unsealed};
use crate::sealed::{FreshKeys, Keys};
use crate::settings::{Seal, Settings};
use crate::store::Statement;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::sql::evidence as evidence_sql;
use crate::store::sqlite::{Foresight, Runner};
use crate::vault::Vault;
use crate::view::{InForce, View};
use crate::work::{Done, Job};
use hos_core::answer::Answer;
use hos_core::digest;
use hos_core::id::{EntryHash, Handle, KeyId, RecordHash, Tenant, Uid};
use hos_core::judge::{Draft, Limits};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

/// What outlives a group.
pub(crate) struct Court {
    pub(crate) of: Origin,
    pub(crate) signing: signing::Signing,
    pub(crate) known_keys: keys::KnownKeys,
    pub(crate) known_gone: gone::KnownGone,
    pub(crate) mark: Option<crate::mark::Mark>,
    /// Why the store is only read.
    pub(crate) quarantine: Mutex<Option<String>>,
    /// What the mark says, and later epochs say is lost.
    pub(crate) excused: Mutex<Vec<String>>,
    /// Whether it was opened to look ([`Builder::reading`](crate::Builder::reading)).
    pub(crate) reading: bool,
    pub(crate) vault: Vault,
    pub(crate) laws: Laws,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    pub(crate) in_force: RwLock<Option<Arc<InForce>>>,
    /// Directories by tenant, with when each was last known to be the store's.
    pub(crate) views: RwLock<HashMap<Tenant, (Arc<View>, Instant)>>,
    /// Raised with every commit that changed a directory or the laws in force: who read before it may not publish after it.
    pub(crate) changes: AtomicU64,
    /// Checkpoints that are signed: the newest of each tenant, and which one is stored.
    pub(crate) checkpoints: Mutex<HashMap<Tenant, Signed>>,
    /// Bytes of rows that erasures of this process deleted, by their records, still to be looked for on the disk.
    pub(crate) traces: Mutex<HashMap<RecordHash, Vec<Vec<u8>>>>,
    /// What the last group left to the next.
    pub(crate) kept: Mutex<Option<Kept>>,
    /// Instances that were moved lately.
    pub(crate) recent: Mutex<recent::Recent>,
    /// Where the next instance's rows lie.
    pub(crate) near: near::Near,
}

/// What the jobs of one commit share.
pub(crate) struct Group {
    /// When it began: a directory that it has read was the store's then.
    begun: Instant,
    pub(crate) in_force: Option<Arc<InForce>>,
    pub(crate) views: HashMap<Tenant, Arc<View>>,
    /// Whether cached views may be trusted; not after a directory change was undone.
    cached: bool,
    /// Raised by each directory change, so that a rewind sees whether one was undone.
    pub(crate) changes: u64,
    /// Whose directories changed, the universe's standing for all: what else is known of them is known no more.
    pub(crate) changed: BTreeSet<Tenant>,
    pub(crate) unsealed: Vec<Unsealed>,
    pub(crate) streams: HashMap<(Tenant, String), (Handle, u64, RecordHash)>,
    pub(crate) heads: Heads,
    /// What is known of the store from the group before, as far as this one has not used or changed it.
    pub(crate) kept: Kept,
    /// Whether this group may leave something to the next.
    pub(crate) keeps: bool,
    /// Tenants with nothing in their queue.
    pub(crate) drained: HashSet<Tenant>,
    pub(crate) fresh: FreshKeys,
    /// Chance, once a case of this group needs some.
    pub(crate) seed: Option<[u8; 32]>,
    cases: u64,
    sealed: HashMap<(Handle, u64), (u64, EntryHash)>,
    /// Whether the universe's log ends with a record of this group's that is none of keys: its head is signed as it stands.
    ends_plainly: bool,
    stored: Vec<(Tenant, u64)>,
    /// Whether every checkpoint is to be stored now, however near the last one is.
    flush: bool,
    /// Persons whose erasure this group commits, with their keys.
    pub(crate) destroy: Vec<([u8; 32], KeyId)>,
    /// Bytes of rows that the group's erasures deleted, each erasure with its record, to be looked for on the disk afterwards.
    pub(crate) traces: Vec<(RecordHash, Vec<Vec<u8>>)>,
    /// What a call has claimed and not taken yet: the statements that leave it again.
    pub(crate) claims: Vec<Statement>,
    /// The once-key of the call that is judged, if it has one.
    pub(crate) once: Option<Vec<u8>>,
    /// The id of the record that a host's transaction put into the inbox last.
    pub(crate) waiting: Option<[u8; 16]>,
    /// A refusal that a host's transaction does not keep.
    pub(crate) refused: Option<Refusal>,
    /// Whether the call that is judged was in shadow when it came, and would be enforced by now.
    pub(crate) watches: bool,
    /// The instances that it moved, as they stand.
    pub(crate) moved: Vec<(Tenant, fetch::Before)>,
    /// Tenants the end of whose log this group has claimed.
    locked: HashSet<Tenant>,
}

/// A refusal that may become evidence after the host has rolled back.
#[derive(Clone)]
pub(crate) struct Refusal {
    pub(crate) principal: Uid,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) seed: [u8; 32],
}

/// How far a group had come.
pub(crate) struct Mark {
    unsealed: usize,
    changes: u64,
    destroy: usize,
    traces: usize,
    moved: usize,
    in_force: Option<Arc<InForce>>,
}

impl Group {
    /// Says that what was claimed is taken: this is not said any more.
    pub(crate) fn taken(&mut self, leave: &Statement) {
        self.claims.retain(|claim| claim != leave);
    }

    /// Notes that a person is erased by this commit: nothing is written about them from here on, in this very group.
    pub(crate) fn gone(&mut self, tag: [u8; 32], key: KeyId) {
        self.destroy.push((tag, key));
        self.fresh.erased(&self.destroy);
    }

    /// The laws in force; a store that is being founded has none yet.
    pub(crate) fn in_force(&self) -> Result<Arc<InForce>, Failure> {
        self.in_force.clone().ok_or_else(|| Failure::new(Code::StoreIntegrity, "the store has no activation"))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Court {
    /// A group that has done nothing and knows nothing of the store but the laws in force.
    fn new_group(&self, in_force: Option<Arc<InForce>>) -> Group {
        Group {
            begun: Instant::now(),
            in_force,
            views: HashMap::new(),
            cached: true,
            changes: 0,
            changed: BTreeSet::new(),
            unsealed: Vec::new(),
            streams: HashMap::new(),
            heads: Heads::new(),
            kept: Kept::default(),
            keeps: true,
            drained: HashSet::new(),
            fresh: FreshKeys::new(),
            seed: None,
            cases: 0,
            sealed: HashMap::new(),
            ends_plainly: false,
            stored: Vec::new(),
            flush: false,
            destroy: Vec::new(),
            traces: Vec::new(),
            claims: Vec::new(),
            once: None,
            waiting: None,
            refused: None,
            watches: false,
            moved: Vec::new(),
            locked: HashSet::new(),
        }
    }

    /// A group's seed: chance, and the next place of this process.
    pub(crate) fn seed(&self) -> Result<[u8; 32], Failure> {
        let mut seed = [0; 32];
        self.entropy.fill(&mut seed)?;
        self.near.mark(&mut seed);
        Ok(seed)
    }

    /// A seed that no other case gets.
    pub(crate) fn case_seed(&self, group: &mut Group) -> Result<[u8; 32], Failure> {
        let of = match group.seed {
            Some(of) => of,
            None => *group.seed.insert(self.seed()?),
        };
        let mut seed = [0; 32];
        digest::expand(&of, "case", group.cases, &mut seed);
        near::behind(&of, group.cases, &mut seed);
        group.cases += 1;
        Ok(seed)
    }

    pub(crate) fn keys<'k, 'c>(&'k self, tx: &'k Tx<'c>) -> Keys<'k, 'c> {
        Keys { vault: &self.vault, tx, store: self.of.store, now: self.now(tx) }
    }

    /// The name under which the vault knows a person.
    pub(crate) fn tag(&self, subject: &Uid) -> [u8; 32] {
        digest::subject_tag(&self.of.store, subject)
    }

    /// Now: by the host's database in its transactions, else by our own clock.
    pub(crate) fn now(&self, tx: &Tx<'_>) -> Timestamp {
        tx.now().unwrap_or_else(|| self.clock.now())
    }

    pub(crate) fn limits(&self, in_force: &InForce) -> Limits {
        Limits { deadlines_max: in_force.law.limits.deadlines_per_call as usize, ..self.settings.limits }
    }

    /// The tenant's directory under the laws in force, as this transaction sees it.
    pub(crate) fn view(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant) -> Result<Arc<View>, Failure> {
        // Beside others' transactions, what a call before this one has read may be older than what this one has claimed.
        let is_ours_beside_others = tx.is_shared() && !tx.is_host();
        if let Some(view) = group.views.get(tenant).filter(|_| !is_ours_beside_others) {
            return Ok(view.clone());
        }
        let in_force = group.in_force()?;
        if tx.is_shared() {
            let known = group.views.get(tenant).cloned();
            let known = known.or_else(|| self.known_view(tenant).filter(|_| group.cached || tx.is_host()));
            let view = self.beside(tx, tenant, known, in_force, &group.fresh)?;
            group.views.insert(tenant.clone(), view.clone());
            return Ok(view);
        }
        let version = self.version(tx, group, tenant)?;
        let known = self.known_view(tenant).filter(|_| group.cached);
        let is_now =
            |v: &View| v.version == version && v.in_force.activation.record == in_force.activation.record && !v.is_doubted();
        let view = match known {
            Some(view) if is_now(&view) => view,
            known if tenant.is_universe() => Arc::new(self.caught_up(tx, known, in_force, &group.fresh)?),
            _ => {
                let above = self.view(tx, group, &Tenant::universe())?;
                Arc::new(above.of_tenant(tx, tenant, in_force, &self.keys(tx), &group.fresh)?)
            }
        };
        group.views.insert(tenant.clone(), view.clone());
        Ok(view)
    }

    /// A tenant's directory as this process last knew it.
    pub(crate) fn known_view(&self, tenant: &Tenant) -> Option<Arc<View>> {
        self.views.read().unwrap_or_else(PoisonError::into_inner).get(tenant).map(|(view, _)| view.clone())
    }

    /// The laws in force, the same as those that are known where they are still that.
    pub(crate) fn read_in_force(&self, tx: &Tx<'_>) -> Result<Option<Arc<InForce>>, StoreError> {
        let known = self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(match (tx.row(&crate::store::sql::law::activation())?, known) {
            (None, _) => None,
            (Some(row), Some(known)) if row.bytes(1)? == known.activation.record.0 => Some(known),
            (Some(_), _) => {
                self.is_ours(tx)?;
                Some(Arc::new(InForce::read(tx, &self.laws).map_err(StoreError::from)?))
            }
        })
    }

    /// Whether a host's connection leads to the store that this court knows. No two stores have an activation in common, so this is asked
    /// where there is a new one.
    fn is_ours(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        if !tx.is_host() {
            return Ok(());
        }
        let stored = tx.row(&crate::store::sql::law::store_value(founding::KEY_STORE))?;
        match stored.map(|row| row.bytes(0)).transpose()? {
            Some(store) if store == self.of.store.0 => Ok(()),
            _ => Err(StoreError::new(
                Code::StoreUnavailable,
                "the connection leads to another store than this engine was opened for: open an engine for each database",
            )),
        }
    }

    pub(crate) fn complete(&self, sealed: &HashMap<(Handle, u64), (u64, EntryHash)>, answer: &mut Answer) {
        let Some(receipt) = answer.receipt.as_mut() else { return };
        if let Some((seq, entry)) = receipt.n.and_then(|n| sealed.get(&(receipt.thread, n))) {
            receipt.seal = Some(hos_core::answer::Seal { seq: *seq, entry: *entry, checkpoint: None });
        }
        let checkpoints = lock(&self.checkpoints);
        if let (Some(seal), Some(signed)) = (receipt.seal.as_mut(), checkpoints.get(&receipt.tenant))
            && seal.checkpoint.is_none()
            && signed.size > seal.seq
        {
            seal.checkpoint = Some(signed.note.clone());
        }
    }
}

impl Runner for Court {
    type Job = Job;
    type Answer = Done;
    type Group = Group;
    type Mark = Mark;
    type Ahead = Box<ahead::Ahead>;

    fn reopened(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        lock(&self.recent).forget();
        let goes_on = self.goes_on(tx);
        self.doubt_views();
        goes_on.map_err(StoreError::from)
    }

    fn start(&self, tx: &Tx<'_>) -> Result<Group, StoreError> {
        let kept = self.take_kept(tx);
        let in_force = match kept.in_force() {
            Some(in_force) => Some(in_force),
            None => self.read_in_force(tx)?,
        };
        let gone = match kept.gone() {
            Some(gone) => gone,
            None => self.gone_in_file(tx).map_err(StoreError::from)?,
        };
        let mut group = self.new_group(in_force);
        group.fresh = FreshKeys::without(gone);
        group.kept = kept;
        Ok(group)
    }

    fn mark(&self, group: &Group) -> Mark {
        Mark {
            unsealed: group.unsealed.len(),
            changes: group.changes,
            destroy: group.destroy.len(),
            traces: group.traces.len(),
            moved: group.moved.len(),
            in_force: group.in_force.clone(),
        }
    }

    fn rewind(&self, group: &mut Group, mark: Mark) {
        group.unsealed.truncate(mark.unsealed);
        group.destroy.truncate(mark.destroy);
        group.traces.truncate(mark.traces);
        group.moved.truncate(mark.moved);
        group.fresh.erased(&group.destroy);
        group.streams.clear();
        group.claims.clear();
        group.ends_plainly = false;
        (group.once, group.waiting, group.refused, group.watches) = (None, None, None, false);
        if group.changes != mark.changes {
            group.views.clear();
            group.cached = false;
            // What this group has read or activated; what the process remembers may be older.
            group.in_force = mark.in_force;
        }
        // Sealing by queue advances heads within a job; they are read anew.
        if self.settings.seal == Seal::Worker || !group.locked.is_empty() {
            group.heads.clear();
            group.locked.clear();
        }
    }

    fn run(&self, tx: &Tx<'_>, group: &mut Group, job: Job) -> Result<Done, StoreError> {
        self.doubt(group, &job);
        let done = match job {
            Job::Call(tenant, call) => self.call(tx, group, &tenant, &call).map(|a| Done::Answer(Box::new(a))),
            Job::Unjudged(tenant, call, why) => self.unjudged(tx, group, &tenant, &call, why).map(|a| Done::Answer(Box::new(a))),
            Job::Fold { tenant, pos, id, call, unjudged } => {
                self.fold(tx, group, &tenant, (pos, id), call.as_deref(), unjudged).map(Done::Count)
            }
            Job::SetAside(tenant, places) => {
                for (pos, id) in &places {
                    let is_aside = tx.execute(&evidence_sql::set_shadow_aside(&tenant, *pos, id.as_ref()))? > 0;
                    if let Some(id) = id.filter(|_| is_aside) {
                        tx.execute(&evidence_sql::about_nothing(&tenant, &id))?;
                    }
                }
                Ok(Done::Count(places.len() as u64))
            }
            Job::Tick(tenant, contract, id) => self.tick(tx, group, &tenant, &contract, &id).map(Done::Count),
            Job::OpenTenant(by, tenant) => self.open_tenant(tx, group, &by, &tenant).map(|a| Done::Answer(Box::new(a))),
            Job::Activate { by, law, candidate, modes } => {
                self.activate(tx, group, &by, &law, candidate.as_ref(), &modes).map(|a| Done::Answer(Box::new(a)))
            }
            Job::Erase(erasing) => self.erase(tx, group, *erasing).map(|a| Done::Answer(Box::new(a))),
            Job::EraseAgain(key) => self.erase_again(tx, group, key).map(Done::Count),
            Job::Hold { by, subject, held, reason } => {
                self.hold(tx, group, &by, &subject, held, &reason).map(|a| Done::Answer(Box::new(a)))
            }
            Job::Poll { tenant, by, limit, lease } => self.poll(tx, group, &tenant, &by, limit, lease).map(Done::Messages),
            Job::Acknowledge { tenant, by, pos, lease } => {
                self.acknowledge(tx, group, &tenant, &by, pos, &lease).map(Done::Count)
            }
            Job::Seal { tenant, limit } => self.drain(tx, group, &tenant, limit).map(Done::Drained),
            Job::CountChanges(tenant) => self.count_changes(tx, &tenant).map(Done::Count),
            Job::Heads { tenant, of } => self.heads(tx, group, &tenant, of.as_ref()).map(|done| Done::Heads(Box::new(done))),
            Job::Roots(roots) => self.record_roots(tx, group, &roots).map(Done::Roots),
            Job::Keep(keep) => self.keep_cosigned(tx, &keep).map(|()| Done::Count(1)),
            Job::NewEpoch(new) => self.new_epoch(tx, group, &new).map(|()| Done::Count(1)),
            Job::Key(act) => self.key_act(tx, group, act).map(|()| Done::Count(1)),
            Job::Forget(old) => self.forget(tx, group, &old).map(Done::Count),
            Job::Flush => {
                group.flush = true;
                Ok(Done::Count(0))
            }
            Job::Found(plan) => self.found(tx, group, *plan).map(|a| Done::Answer(Box::new(a))),
        };
        done.map_err(StoreError::from)
    }

    fn foresees(&self, job: &Job) -> bool {
        ahead::foresees(job)
    }

    fn ahead(&self, rows: Option<&Tx<'_>>, job: &Job) -> Foresight<Box<ahead::Ahead>> {
        match job {
            Job::Call(tenant, call) => self.ahead_of(rows, tenant, call).unwrap_or(Foresight::Dark),
            _ => Foresight::Dark,
        }
    }

    fn run_ahead(&self, tx: &Tx<'_>, group: &mut Group, job: &Job, ahead: Box<ahead::Ahead>) -> Result<Done, StoreError> {
        let Job::Call(tenant, call) = job else { return Err(StoreError::internal("only calls are judged ahead")) };
        let answer = self.write_ahead(tx, group, tenant, call, *ahead).map_err(StoreError::from)?;
        Ok(Done::Answer(Box::new(answer)))
    }

    fn finish(&self, tx: &Tx<'_>, group: &mut Group, _answers: &mut [Result<Done, StoreError>]) -> Result<(), StoreError> {
        self.seal_group(tx, group).map_err(StoreError::from)?;
        if !group.heads.is_empty() {
            // Another process may have changed the key: this one's signs no size that is not its own.
            self.meet_ring(tx, group).map_err(StoreError::from)?;
        }
        self.store_checkpoints(tx, group).map_err(StoreError::from)?;
        let now = self.now(tx);
        for at in (0..group.destroy.len()).rev() {
            let Some((tag, _)) = group.destroy.get(at) else { continue };
            if self.vault.destroy_in(tx, tag, now)? {
                group.destroy.remove(at);
            }
        }
        // Keys reach the vault before the data they seal is committed: a crash between the two leaves a key without data.
        self.keys(tx).keep(&group.fresh).map_err(StoreError::from)
    }

    fn committed(&self, mut group: Group, answers: &mut [Result<Done, StoreError>]) {
        // What cannot be destroyed now is destroyed with the next round of work: the erasure's record says so, and from it on the key
        // opens nothing.
        for (tag, _) in &group.destroy {
            let _ = self.vault.destroy(tag, self.clock.now());
        }
        lock(&self.traces).extend(std::mem::take(&mut group.traces));
        self.sign_heads(&group.heads, group.ends_plainly);
        self.keep(&mut group);
        // A forked child may find the mutex locked for ever: it goes without.
        if let Ok(mut recent) = self.recent.try_lock() {
            if !group.destroy.is_empty() {
                recent.forget();
            }
            recent.note(group.fresh.looked(), std::mem::take(&mut group.moved));
        }
        {
            let mut checkpoints = lock(&self.checkpoints);
            for (tenant, size) in &group.stored {
                if let Some(signed) = checkpoints.get_mut(tenant) {
                    signed.stored = *size;
                }
            }
        }
        if let Some(in_force) = group.in_force {
            let mut known = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
            // Groups of a database run beside each other: an older one may end later.
            if known.as_ref().is_none_or(|known| known.activation.n <= in_force.activation.n) {
                *known = Some(in_force);
            }
        }
        {
            // Keys may have been destroyed and heads signed since: another process may have changed a directory meanwhile.
            let begun = group.begun;
            let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
            if group.changes > 0 {
                // What the group did not bind anew may stand on what it changed.
                let all = group.changed.contains(&Tenant::universe());
                views.retain(|tenant, _| !all && !group.changed.contains(tenant));
                self.changes.fetch_add(1, Ordering::SeqCst);
            }
            for (tenant, view) in group.views {
                if views.get(&tenant).is_none_or(|(known, _)| known.version <= view.version) {
                    views.insert(tenant, (view, begun));
                }
            }
        }
        for answer in answers.iter_mut().flatten() {
            if let Done::Answer(answer) = answer {
                self.complete(&group.sealed, answer);
            }
        }
    }

    fn undone(&self, _group: Group) {}
}
