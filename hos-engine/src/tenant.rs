//! One tenant: the doors, and what can be seen of them.

use crate::Failure;
use crate::court::fetch::instance_row;
use crate::court::{Court, lock};
use crate::desk::Desk;
use crate::report::{Available, HistoryEntry, OutboxMessage};
use crate::seal;
use crate::shadow::guarded;
use crate::store::place::Place;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::state as state_sql;
use crate::store::sqlite::Stay;
use crate::store::{Row, StoreError, Tx};
use crate::view::{self, InForce, View};
use crate::work::{Done, Job};
use hos_core::answer::Answer;
use hos_core::call::{Adopt, Begin, By, Call, Can, Directory, LegacyLog, Note, Transition};
use hos_core::id::{InstanceId, KeyId, LawHash, Name, RecordHash, Tenant, TreeHash};
use hos_core::judge::{self, About, Bench, Instance};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How many due deadlines are read at once.
const DUE_PAGE: usize = 1000;

/// Instances with a due deadline, and where the next ones begin, if there are more.
type Due = (Vec<(Name, InstanceId)>, Option<Cursor>);

/// Behind which due deadline the next ones are read: when it is due, the contract, the instance, its place in the contract.
pub(crate) struct Cursor((Timestamp, String, Vec<u8>, i64));

impl Cursor {
    pub(crate) fn first() -> Self {
        Self((Timestamp(i64::MIN), String::new(), Vec::new(), i64::MIN))
    }
}

/// Whether a failure says of the store itself, and not of one instance, that nothing goes on.
fn is_of_the_store(code: Code) -> bool {
    let away = matches!(code, Code::StoreUnavailable | Code::StoreFull | Code::StoreReadOnly | Code::StoreVersion);
    away || matches!(code, Code::OutcomeUnknown | Code::Quarantined)
}

/// The instance that a due deadline's row names, if there is one; the deadline's place in its contract, and its law.
fn named(row: &Row) -> Option<(Name, InstanceId, usize, LawHash)> {
    let id = std::str::from_utf8(row.blob(2).ok()?).ok()?;
    let (place, law) = (usize::try_from(row.int(3).ok()?).ok()?, LawHash(row.opt_bytes(4).ok()??));
    Some((Name::new(row.text(1).ok()?).ok()?, InstanceId::new(id).ok()?, place, law))
}

/// One tenant of an engine.
#[derive(Clone)]
pub struct TenantRef {
    pub(crate) desk: Arc<Desk>,
    pub(crate) name: Tenant,
}

impl TenantRef {
    /// The tenant's name.
    pub fn name(&self) -> &Tenant {
        &self.name
    }

    fn court(&self) -> &Court {
        &self.desk.court
    }

    /// The tenant's directory: this process's if it was the store's not longer ago than the settings allow, else confirmed.
    fn view(&self) -> Result<Arc<View>, Failure> {
        let court = self.court();
        let _stay = Stay::enter();
        loop {
            let known = court.views.read().unwrap_or_else(PoisonError::into_inner).get(&self.name).cloned();
            if let Some((view, since)) = &known
                && since.elapsed() <= court.settings.directory_age_max
            {
                return Ok(view.clone());
            }
            let (changes, begun) = (court.changes.load(Ordering::SeqCst), Instant::now());
            let (view, above) = self.read_view(known.map(|(view, _)| view))?;
            let mut views = court.views.write().unwrap_or_else(PoisonError::into_inner);
            if court.changes.load(Ordering::SeqCst) == changes {
                views.insert(self.name.clone(), (view.clone(), begun));
                views.extend(above.map(|above| (Tenant::universe(), (above, begun))));
                return Ok(view);
            }
            // This process changed a directory meanwhile: what was read may be older than that.
        }
    }

    /// Whether `can` is answered from memory now, without a look at the store: what may not be kept waiting asks first.
    pub fn is_at_hand(&self) -> bool {
        let court = self.court();
        let _stay = Stay::enter();
        let views = court.views.read().unwrap_or_else(PoisonError::into_inner);
        views.get(&self.name).is_some_and(|(_, since)| since.elapsed() <= court.settings.directory_age_max)
    }

    /// The tenant's directory as it is now, and the universe's where it was looked at too.
    fn read_view(&self, known: Option<Arc<View>>) -> Result<(Arc<View>, Option<Arc<View>>), Failure> {
        let court = self.court();
        self.desk.read(|tx| {
            let row = tx.row(&crate::store::sql::law::activation())?;
            let activation = row.map(|row| row.bytes(1)).transpose()?.map(RecordHash);
            let is_now = |view: &View, tenant: &Tenant| {
                Ok::<_, Failure>(Some(view.in_force.activation.record) == activation && view.stands(tx, tenant)?)
            };
            if let Some(view) = &known
                && is_now(view, &self.name)?
            {
                return Ok((view.clone(), None));
            }
            let (keys, fresh) = (court.keys(tx), court.reading_keys(tx)?);
            let founded = || Failure::new(Code::StoreIntegrity, "the store has no activation");
            let in_force = court.read_in_force(tx)?.ok_or_else(founded)?;
            if tx.is_shared() {
                return Ok((court.beside(tx, &self.name, known, in_force, &fresh)?, None));
            }
            let universe = Tenant::universe();
            let above = match court.known_view(&universe) {
                Some(view) if is_now(&view, &universe)? => view,
                known => Arc::new(court.caught_up(tx, known, in_force.clone(), &fresh)?),
            };
            if self.name.is_universe() {
                return Ok((above, None));
            }
            Ok((Arc::new(above.of_tenant(tx, &self.name, in_force, &keys, &fresh)?), Some(above)))
        })
    }

    /// The same for who is answered by it alone: what keeps it from being confirmed is a refusal.
    fn confirmed(&self) -> Result<Arc<View>, Failure> {
        self.view().map_err(|f| if f.code == Code::TenantUnknown { f } else { Failure::new(Code::DirectoryStale, f.message) })
    }

    fn bench<'a>(&'a self, view: &'a View, guards: Option<&'a view::Bench>) -> Bench<'a> {
        Bench { guards: guards.map(view::Bench::standing), ..self.court().looking(view, &self.name) }
    }

    /// May this principal do this to that? Answered from memory, at a directory version that the answer names.
    pub fn can(&self, call: &Can) -> Result<Answer, Failure> {
        let _stay = Stay::enter();
        let answer = guarded(|| {
            let view = self.confirmed()?;
            Ok(judge::can(&self.bench(&view, None), call))
        });
        answer.or_else(|failure| self.desk.instead(&self.name, About::Act(&call.action), call.by.legacy.as_ref(), failure))
    }

    /// Several questions, answered over one directory and one law, in their order: what one finds fresh is so for all. It costs what
    /// the judging costs; how fresh the directory is, is looked at once.
    pub fn can_all(&self, calls: &[Can]) -> Result<Vec<Answer>, Failure> {
        let _stay = Stay::enter();
        let answers = guarded(|| {
            let view = self.confirmed()?;
            Ok(judge::can_all(&self.bench(&view, None), calls))
        });
        answers.or_else(|failure: Failure| {
            let stands =
                |call: &Can| self.desk.instead(&self.name, About::Act(&call.action), call.by.legacy.as_ref(), failure.clone());
            calls.iter().map(stands).collect()
        })
    }

    /// A birth.
    pub fn begin(&self, call: Begin) -> Result<Answer, Failure> {
        self.call(Call::Begin(call))
    }

    /// An event or an override.
    pub fn transition(&self, call: Transition) -> Result<Answer, Failure> {
        self.call(Call::Transition(call))
    }

    /// A free record.
    pub fn record(&self, call: Note) -> Result<Answer, Failure> {
        self.call(Call::Note(call))
    }

    /// A directory change.
    pub fn directory(&self, call: Directory) -> Result<Answer, Failure> {
        self.call(Call::Directory(call))
    }

    /// An existing row brought in.
    pub fn adopt(&self, call: Adopt) -> Result<Answer, Failure> {
        self.call(Call::Adopt(call))
    }

    /// What an older log tells of an instance.
    pub fn legacy(&self, call: LegacyLog) -> Result<Answer, Failure> {
        self.call(Call::LegacyLog(call))
    }

    /// Any call.
    pub fn call(&self, call: Call) -> Result<Answer, Failure> {
        self.desk.call(&self.name, call)
    }

    /// The instance as it stands.
    pub fn instance(&self, contract: &Name, id: &InstanceId) -> Result<Option<Instance>, Failure> {
        let view = self.view()?;
        self.desk.read(|tx| self.court().look_at(tx, &self.name, &view, contract, id))
    }

    /// Whether the instance was erased: its records are there, and what they held of a person is not.
    pub fn is_erased(&self, contract: &Name, id: &InstanceId) -> Result<bool, Failure> {
        let view = self.view()?;
        self.desk.read(|tx| {
            let there = instance_row(tx, &self.name, contract, id)?.is_some();
            Ok(there && self.court().look_at(tx, &self.name, &view, contract, id)?.is_none())
        })
    }

    /// A page of the instance's records, oldest first, at most `limit` from the record `from_n` on: fewer where they are long, and
    /// none behind the last.
    pub fn history(&self, contract: &Name, id: &InstanceId, from_n: u64, limit: usize) -> Result<Vec<HistoryEntry>, Failure> {
        self.desk.read(|tx| {
            let row = instance_row(tx, &self.name, contract, id)?;
            let row = row.ok_or_else(|| Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`")))?;
            let handle = state_sql::instance_from(&row, contract.clone(), id.clone())?.instance.handle;
            self.court().history(tx, &self.name, &handle, from_n, limit)
        })
    }

    /// A page of the tenant's records in the order of its log, at most `limit` from place `from` on: all that is sealed, of all threads. It
    /// holds fewer where they are long, and none behind the last.
    pub fn log(&self, from: u64, limit: usize) -> Result<Vec<HistoryEntry>, Failure> {
        self.desk.read(|tx| self.court().log(tx, &self.name, from, limit))
    }

    /// The newest payload of a stream that [`TenantRef::record`] wrote, if any.
    pub fn last_note(&self, stream: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.desk.read(|tx| self.court().last_note(tx, &self.name, stream))
    }

    /// What this principal can do with the instance now, and why not the rest.
    pub fn available(&self, contract: &Name, id: &InstanceId, by: &By) -> Result<Vec<Available>, Failure> {
        let _stay = Stay::enter();
        let view = self.confirmed()?;
        let court = self.court();
        let (instance, guards) = self.desk.read(|tx| {
            let instance = court.look_at(tx, &self.name, &view, contract, id)?;
            let erased = instance.is_none() && instance_row(tx, &self.name, contract, id)?.is_some();
            let code = if erased { Code::InstanceErased } else { Code::InstanceUnknown };
            let instance = instance.ok_or_else(|| Failure::new(code, format!("`{contract}/{id}`")))?;
            let older = instance.law != view.active.law.hash;
            let guards = if older { Some(view.under(court.laws.get(tx, &instance.law)?)?) } else { None };
            Ok((instance, guards))
        })?;
        // A deadline that is due fires before any event: what can be done now hangs on the clock.
        let bench = Bench { now: court.clock.now(), ..self.bench(&view, guards.as_ref()) };
        let found = judge::available(&bench, &instance, by);
        Ok(found.into_iter().map(|(event, answer, needs)| Available { event, answer, needs }).collect())
    }

    /// Fires due deadlines, at most `limit` instances; says how many fired. An instance that cannot be judged holds up no
    /// other, nor does one whose deadline fires nothing: it is the failure only where nothing else was due. One that a host's
    /// transaction holds is left to the next round.
    pub fn tick(&self, limit: usize) -> Result<u64, Failure> {
        self.tick_behind(&mut Some(Cursor::first()), limit)
    }

    /// The same for what is due behind a place, which becomes the one where the next begin, or nothing where there are none.
    pub(crate) fn tick_behind(&self, after: &mut Option<Cursor>, limit: usize) -> Result<u64, Failure> {
        self.desk.may_write()?;
        let (mut fired, mut failed) = (0, None);
        while let Some(from) = after.take_if(|_| fired < limit as u64) {
            let (due, next) = self.due(from, limit - usize::try_from(fired).unwrap_or(limit))?;
            *after = next;
            let jobs = due.into_iter().map(|(contract, id)| Job::Tick(self.name.clone(), contract, id)).collect::<Vec<_>>();
            let grown: Vec<Vec<Tenant>> = jobs.iter().map(|job| self.desk.seals_behind(job)).collect();
            let mut ended = self.fire(jobs)?;
            self.desk.seal_behind(grown, &mut ended);
            for done in ended {
                match done {
                    Ok(Done::Count(count)) => fired += count,
                    Ok(_) => failed = Some(Failure::new(Code::Internal, "a deadline came to something else than a count")),
                    // What is said of the store is so for all that is due.
                    Err(error) if is_of_the_store(error.code) => return Err(error.into()),
                    Err(error) => failed = Some(error.into()),
                }
            }
        }
        match failed {
            Some(failure) if fired == 0 => Err(failure),
            _ => Ok(fired),
        }
    }

    /// Fires what is due in instances: of a file, all in one commit. In a database each has a commit of its own, for one that
    /// waits for a host's transaction would keep those before it from everybody for as long as that sleeps. What failed of the
    /// store is the last.
    fn fire(&self, jobs: Vec<Job>) -> Result<Vec<Result<Done, StoreError>>, Failure> {
        let server = match &self.desk.store {
            Place::Server(server) if server.dialect() != Dialect::Sqlite => server,
            Place::File(_) | Place::Server(_) => return self.desk.submit_all(jobs),
        };
        let mut ended = Vec::with_capacity(jobs.len());
        for job in jobs {
            let done = match server.submit_hurried(self.court(), job) {
                Err(error) if matches!(error.code, Code::StoreBusy | Code::Retry) => Ok(Done::Count(0)),
                done => done,
            };
            let stops = done.as_ref().is_err_and(|error| is_of_the_store(error.code));
            ended.push(done);
            if stops {
                break;
            }
        }
        Ok(ended)
    }

    /// Instances with a due deadline behind a place, at most `limit`, the earliest first, and where the next ones begin. Those are left
    /// out of whose deadline nothing would come: one in shadow stays armed, and would be judged again in every round.
    fn due(&self, mut after: Cursor, limit: usize) -> Result<Due, Failure> {
        let (now, view) = (self.court().clock.now(), self.view()?);
        let mut due: Vec<(Name, InstanceId)> = Vec::new();
        while due.len() < limit {
            let page = self.desk.read(|tx| {
                let rows = tx.rows(&state_sql::due(&self.name, now, &after.0, DUE_PAGE))?;
                let read = |row: &Row| {
                    let place = (Timestamp(row.int(0)?), row.text(1)?.to_owned(), row.blob(2)?.to_vec(), row.int(3)?);
                    Ok::<_, Failure>((Cursor(place), self.ripe(tx, &view.in_force, row)))
                };
                rows.iter().map(read).collect::<Result<Vec<_>, _>>()
            })?;
            if page.is_empty() {
                return Ok((due, None));
            }
            for (place, found) in page {
                after = place;
                if let Some(found) = found.filter(|found| due.last() != Some(found)) {
                    due.push(found);
                }
                if due.len() == limit {
                    break;
                }
            }
        }
        Ok((due, Some(after)))
    }

    /// The instance that a due deadline's row names, if something could come of that. One whose words name no instance is none of
    /// ours, for who may add rows may add such: `verify` names it.
    fn ripe(&self, tx: &Tx<'_>, in_force: &InForce, row: &Row) -> Option<(Name, InstanceId)> {
        let (contract, id, place, hash) = named(row)?;
        let (active, modes) = (&in_force.law, &in_force.activation.modes);
        let of = if hash == active.hash { Some(active.clone()) } else { self.court().laws.get(tx, &hash).ok() };
        // A law that cannot be read is told by who judges the instance.
        let fires = of.is_none_or(|of| judge::may_fire(&of, active, modes, &self.name, &contract, place));
        fires.then_some((contract, id))
    }

    /// Leases waiting messages, oldest first; judged as `outbox.poll` on `Gate::"<tenant>"`.
    pub fn outbox_poll(&self, by: &By, limit: usize, lease: Duration) -> Result<Vec<OutboxMessage>, Failure> {
        match self.desk.submit(Job::Poll { tenant: self.name.clone(), by: by.clone(), limit, lease })? {
            Done::Messages(messages) => messages,
            _ => Err(Failure::new(Code::Internal, "a poll came to something else than messages")),
        }
    }

    /// Acknowledges a message under its lease.
    pub fn outbox_ack(&self, by: &By, pos: u64, lease: &KeyId) -> Result<(), Failure> {
        self.desk.counted(Job::Acknowledge { tenant: self.name.clone(), by: by.clone(), pos, lease: *lease }).map(drop)
    }

    /// The directory's entities and grants of this tenant and the universe, sorted.
    pub fn directory_entities(&self) -> Result<(Vec<hos_core::policy::Entity>, Vec<hos_core::policy::Link>), Failure> {
        let law = self.view()?.in_force.law.clone();
        self.desk.read(|tx| {
            let read = view::read_directory(tx, &self.name, &law, &self.court().keys(tx), &self.court().reading_keys(tx)?)?;
            Ok((read.entities, read.links))
        })
    }

    /// The newest checkpoint (a C2SP signed note); `None` for an empty log.
    pub fn checkpoint(&self) -> Result<Option<String>, Failure> {
        let court = self.court();
        let head = self.desk.read(|tx| seal::head(tx, &self.name, court.of))?;
        if head.size == 0 {
            return Ok(None);
        }
        self.desk.sign(&self.name, &head)?;
        Ok(lock(&court.checkpoints).get(&self.name).map(|s| s.note.to_string()))
    }

    /// An inclusion proof for entry `seq` in the tree of `size` (hashes, leaf to root).
    pub fn inclusion(&self, seq: u64, size: u64) -> Result<Vec<TreeHash>, Failure> {
        self.desk.read(|tx| self.court().inclusion(tx, &self.name, seq, size))
    }

    /// A consistency proof between two sizes.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<TreeHash>, Failure> {
        self.desk.read(|tx| self.court().consistency(tx, &self.name, from, to))
    }
}
