//! The case that a record was made of: who asked what, of which instance, over which entities.

use super::parts::{Record, broken};
use super::world::World;
use super::{Difference, Stop};
use crate::answer::Answer;
use crate::call::{Adopt, Begin, By, Change, Directory, Legacy, LegacyLog, Note, Transition};
use crate::canon::Reader;
use crate::id::{DottedName, Handle, InstanceId, Name, RecordHash, Uid};
use crate::judge::{
    self, Act, BeginRows, Bench, DirectoryRows, DirectoryThread, Draft, Instance, Judged, WasAsked, decode_asked, decode_change,
    decode_entity, decode_once, decode_text, decode_values,
};
use crate::law::Law;
use crate::law::mode::Mode;
use crate::policy::Entity;
use crate::proof::record::{Decision, Header, Kind, Slot};
use crate::refusal::{Blocker, Code};
use crate::value::{self, Value};
use std::collections::BTreeSet;

/// What stood where the record was made.
#[derive(Debug, Clone, Copy)]
pub enum Before<'b> {
    /// The instance of the record's thread, or the one that a refused call named; `None`: there was none.
    Instance(Option<&'b Instance>),
    /// What there was cannot be known: a part that says it was erased.
    Lost,
    /// A directory row.
    Row(&'b DirectoryRows),
    /// Nothing that judging would ask for.
    Nothing,
}

/// What is judged.
#[derive(Debug, Clone)]
pub(super) enum What {
    Begin(Begin, BeginRows),
    Transition(Transition, Option<Instance>),
    Adopt(Adopt, BeginRows),
    LegacyLog(LegacyLog, Option<Instance>),
    /// The earliest due deadline.
    Tick(Instance),
    Migrate(Instance),
    Change(Directory, Box<DirectoryRows>),
    Note(Note),
    /// An operator's act: action and gate.
    Gate(By, &'static str, String, Vec<u8>),
}

impl What {
    /// Whether who asked is there to be judged: the law's clock, somebody who came along, or whom the directory has.
    fn is_of_somebody(&self, world: &World) -> bool {
        let by = match self {
            Self::Tick(_) | Self::Migrate(_) => return true,
            Self::Begin(call, _) => &call.by,
            Self::Transition(call, _) => &call.by,
            Self::Adopt(call, _) => &call.by,
            Self::LegacyLog(call, _) => &call.by,
            Self::Change(call, _) => &call.by,
            Self::Note(call) => &call.by,
            Self::Gate(by, ..) => by,
        };
        world.stored().chain(world.given()).any(|entity| entity.uid == by.principal)
    }
}

/// A case.
#[derive(Debug, Clone)]
pub(super) struct Case<'r> {
    pub(super) header: &'r Header,
    pub(super) what: What,
    pub(super) world: World,
    /// Slots that judging neither needs nor makes.
    pub(super) beside: Vec<Slot>,
}

/// Whether nothing was judged, or what it was judged by stands in no record.
pub(super) fn is_attested(header: &Header) -> bool {
    let kinds = [
        Kind::Founded,
        Kind::Key,
        Kind::Heads,
        Kind::Observed,
        Kind::Adopted,
        Kind::Decided,
        Kind::Retired,
        Kind::Legacy,
        Kind::Imported,
        Kind::Epoch,
        Kind::Checkpoint,
    ];
    // Whether a clock was plausible was held against the store's settings; a conflict, against rows that nothing quotes. What broke
    // while it was judged was judged by nobody; nor was a call whose form was wrong, which no record holds.
    let rests = [
        Code::ClockImplausible,
        Code::DirectoryConflict,
        Code::InstanceErased,
        Code::CallTooLarge,
        Code::CallMalformed,
        Code::Internal,
    ];
    let refusal = header.refusal.as_deref().unwrap_or_default();
    let undecided = header.decision == Decision::None && header.kind != Kind::Migrated;
    kinds.contains(&header.kind) || undecided || rests.iter().any(|code| code.as_str() == refusal)
}

fn missing(what: &str) -> Stop {
    Stop::Broken(Difference::new(what, "absent", "needed to judge"))
}

impl<'r> Case<'r> {
    /// Makes the case out of a record and what stood before it.
    pub(super) fn of(record: &Record<'r>, before: &Before<'_>, law: &Law, guards: Option<&Law>) -> Result<Self, Stop> {
        let header = record.header;
        // Whom an erasure was about stands nowhere, on purpose.
        if header.kind == Kind::Erased || matches!(before, Before::Lost) {
            return Err(Stop::Erased);
        }
        let mut beside = Vec::new();
        beside.extend([Slot::Once, Slot::Legacy].into_iter().filter(|slot| record.withholds(*slot)));
        let world = World::of(record)?;
        let maker = Maker { record, header, law, guards: guards.unwrap_or(law), given: world.given() };
        let what = match header.kind {
            Kind::Begun => maker.begun()?,
            Kind::Moved | Kind::Overridden => maker.moved(before)?,
            Kind::Migrated => What::Migrate(standing(before)?.clone()),
            Kind::Expired => What::Tick(standing(before)?.clone()),
            Kind::Refused if header.n.is_some() => What::Tick(standing(before)?.clone()),
            Kind::Refused => maker.refused(before, &world)?,
            Kind::Directory => {
                let Before::Row(rows) = before else { return Err(Stop::Erased) };
                maker.change(record.need(Slot::Change, decode_change)?, (*rows).clone())?
            }
            // A hold is judged on the account it is about, which stands in no part of its own.
            Kind::Noted if header.event.as_ref().is_some_and(|e| e.as_str().starts_with(OWN_STREAMS)) => {
                return Err(Stop::Attested);
            }
            Kind::Noted => {
                // Whose data the bytes are, and so the call's digest, is not said.
                beside.extend([Slot::Payload, Slot::Once]);
                maker.noted()?
            }
            Kind::Activated | Kind::Tenant => maker.gate()?,
            _ => return Err(Stop::Attested),
        };
        if header.refusal.as_deref() == Some(Code::PrincipalUnknown.as_str()) && what.is_of_somebody(&world) {
            // The directory held others of the principal's type, or of the clock's; which, is not said.
            return Err(Stop::Attested);
        }
        Ok(Self { header, what, world, beside })
    }

    /// Whether an argument of the event stands in the call's context alone. `guards`: the law of the instance's contract.
    pub(super) fn misplaces_an_argument(&self, guards: &Law) -> bool {
        let (by, contract, event, args) = match &self.what {
            What::Begin(call, _) => (&call.by, &call.contract, &call.event, &call.args),
            What::Transition(call, _) => (&call.by, &call.contract, &call.event, &call.args),
            _ => return false,
        };
        let Some(of) = guards.contracts.get(contract).map(|of| &of.contract) else { return false };
        let arrows = [of.events.get(event), of.overrides.get(event)].into_iter().flatten().flatten();
        let arrows: Vec<_> = of.begins.get(event).into_iter().chain(arrows).collect();
        let is_one = |name: &String| arrows.iter().any(|arrow| arrow.args.contains_key(name.as_str()));
        by.context.keys().filter(|name| !args.contains_key(*name)).any(is_one)
    }

    /// Judges it; gives the answer, and the record that came of it.
    pub(super) fn run(&self, bench: &Bench<'_>) -> Result<(Answer, Option<Draft>), Blocker> {
        let judged = match &self.what {
            What::Begin(call, rows) => judge::begin(bench, call, *rows),
            What::Transition(call, instance) => judge::transition(bench, call, instance.as_ref()),
            What::Adopt(call, rows) => judge::adopt(bench, call, *rows),
            What::LegacyLog(call, instance) => judge::legacy_log(bench, call, instance.as_ref(), BeginRows::Free),
            What::Tick(instance) => judge::tick(bench, instance),
            What::Migrate(instance) => judge::migrate(bench, instance),
            What::Change(call, rows) => judge::change(bench, call, rows),
            What::Note(call) => judge::note(bench, call),
            What::Gate(by, action, gate, change) => return self.at_gate(bench, by, action, gate, change),
        };
        let Judged { answer, mut drafts, .. } = judged;
        // Something that was due came first: then the record that is there cannot be the next one. But a refusal has no place behind
        // it: a host kept it alone, and rolled back what came before.
        if self.header.kind != Kind::Refused || self.header.n.is_some() {
            drafts.truncate(1);
        }
        Ok((answer, drafts.pop()))
    }

    fn at_gate(
        &self,
        bench: &Bench<'_>,
        by: &By,
        action: &str,
        gate: &str,
        change: &[u8],
    ) -> Result<(Answer, Option<Draft>), Blocker> {
        let mut answer = Answer::refused(bench.active.law.hash, bench.directory_version);
        let (ruling, slice) = judge::at_gate(bench.active, action, gate, by);
        judge::apply_ruling(&mut answer, ruling);
        answer.allowed = answer.blockers.is_empty();
        let stream = self.header.event.as_ref().map_or("", DottedName::as_str);
        let act = Act { kind: self.header.kind, stream, by: Some(by), change, judged: Some((&answer, &slice)) };
        let draft = judge::act(bench, &act)?;
        Ok((answer, Some(draft)))
    }
}

/// Streams of the engine's own begin so; free records do not go there.
const OWN_STREAMS: &str = "hos.";

impl Record<'_> {
    /// `contract/id` of the instance that it is about, as far as that is known.
    pub fn instance(&self, before: &Before<'_>) -> Option<String> {
        let contract = self.header.contract.as_ref()?;
        let said = || decode_text(self.parts.iter().find(|part| part.slot == Slot::Id)?.content).ok();
        let id = match before {
            Before::Instance(Some(instance)) => instance.id.as_str().to_owned(),
            _ => said()?,
        };
        Some(format!("{contract}/{id}"))
    }
}

/// The instance that a record moves on.
fn standing<'b>(before: &Before<'b>) -> Result<&'b Instance, Stop> {
    match before {
        Before::Instance(Some(instance)) => Ok(instance),
        Before::Instance(None) | Before::Row(_) | Before::Nothing => Err(missing("the instance before")),
        Before::Lost => Err(Stop::Erased),
    }
}

/// Makes calls out of a record.
struct Maker<'m, 'r> {
    record: &'m Record<'r>,
    header: &'r Header,
    law: &'m Law,
    /// The law of the instance's contract.
    guards: &'m Law,
    given: Vec<&'m Entity>,
}

impl Maker<'_, '_> {
    /// Who asked, with what came along besides the entity that judging makes itself.
    fn by(&self, made: Option<&Uid>) -> Result<By, Stop> {
        // What the world had decided weighs only where the law is not enforced; then it was a yes, or there were no such record but
        // that of a refusal.
        let legacy = match self.record.withholds(Slot::Legacy) {
            true => None,
            false => self.record.read(Slot::Legacy, decode_text)?.map(|text| Name::new(text).ok()),
        };
        let legacy = legacy.or((self.header.mode == Mode::Shadow as u8).then_some(None));
        let allowed = self.header.kind != Kind::Refused;
        let legacy = legacy.map(|state| Legacy { allowed, state });
        Ok(By {
            principal: self.record.need(Slot::Principal, decode_entity)?,
            request: self.header.request.clone(),
            context: self.record.read(Slot::Context, decode_values)?.unwrap_or_default().into(),
            given: self.given.iter().filter(|e| Some(&e.uid) != made).map(|e| (*e).clone()).collect::<Vec<_>>().into(),
            legacy,
        })
    }

    fn contract(&self) -> Result<Name, Stop> {
        self.header.contract.clone().ok_or_else(|| missing("contract"))
    }

    fn event(&self) -> Result<Name, Stop> {
        let said = self.header.event.as_ref().and_then(|e| Name::new(e.as_str()).ok());
        said.ok_or_else(|| missing("event"))
    }

    fn values(&self, slot: Slot) -> Result<value::Record, Stop> {
        Ok(self.record.read(slot, decode_values)?.unwrap_or_default())
    }

    fn id(&self) -> Result<InstanceId, Stop> {
        let text = self.record.need(Slot::Id, decode_text)?;
        InstanceId::new(text).map_err(|e| Stop::Broken(Difference::new("part id", "bytes", e.to_string())))
    }

    fn once(&self) -> Result<Option<crate::id::OnceKey>, Stop> {
        if self.record.withholds(Slot::Once) {
            return Ok(None);
        }
        Ok(self.record.read(Slot::Once, decode_once)?.map(|(key, _)| key))
    }

    /// The instance as an entity: judging makes it out of facts and state.
    fn resource(&self, contract: &Name, id: &InstanceId) -> Option<Uid> {
        let of = self.guards.contracts.get(contract)?;
        Uid::new(of.contract.entity.clone(), id.as_str()).ok()
    }

    fn begun(&self) -> Result<What, Stop> {
        let (contract, id) = (self.contract()?, self.id()?);
        self.begin(contract, self.event()?, id, BeginRows::Free)
    }

    fn begin(&self, contract: Name, event: Name, id: InstanceId, rows: BeginRows) -> Result<What, Stop> {
        let by = self.by(self.resource(&contract, &id).as_ref())?;
        let (facts, args) = (self.values(Slot::Facts)?, self.values(Slot::Args)?);
        Ok(What::Begin(Begin { by, contract, id, event, facts, args, once: self.once()? }, rows))
    }

    fn moved(&self, before: &Before<'_>) -> Result<What, Stop> {
        let instance = standing(before)?;
        let mut args = self.values(Slot::Args)?;
        let reason = match self.header.kind {
            Kind::Overridden => match args.remove("reason") {
                Some(Value::String(reason)) => Some(reason),
                _ => return Err(missing("the reason")),
            },
            _ => self.record.read(Slot::Change, decode_text)?,
        };
        self.transition(self.contract()?, self.event()?, instance.id.clone(), args, reason, Some(instance))
    }

    fn transition(
        &self,
        contract: Name,
        event: Name,
        id: InstanceId,
        args: value::Record,
        reason: Option<String>,
        instance: Option<&Instance>,
    ) -> Result<What, Stop> {
        let by = self.by(self.resource(&contract, &id).as_ref())?;
        let call = Transition { by, contract, id, event, args, once: self.once()?, reason };
        Ok(What::Transition(call, instance.cloned()))
    }

    fn refused(&self, before: &Before<'_>, world: &World) -> Result<What, Stop> {
        let there = match before {
            Before::Instance(instance) => *instance,
            _ => None,
        };
        let rows = if there.is_some() { BeginRows::Taken } else { BeginRows::Free };
        match self.record.need(Slot::Change, decode_asked)? {
            WasAsked::Begin(contract, event) => self.begin(contract, event, self.id()?, rows),
            WasAsked::Transition(contract, event, reason) => {
                let args = self.values(Slot::Args)?;
                let reason = (!reason.is_empty()).then_some(reason);
                self.transition(contract, event, self.id()?, args, reason, there)
            }
            WasAsked::Adopt(contract, state) => {
                let id = self.id()?;
                let by = self.by(self.resource(&contract, &id).as_ref())?;
                let facts = self.values(Slot::Facts)?;
                Ok(What::Adopt(Adopt { by, contract, id, state, facts, once: None }, rows))
            }
            WasAsked::LegacyLog(contract) => {
                let id = self.id()?;
                let by = self.by(self.resource(&contract, &id).as_ref())?;
                // What was told stands in no refusal: it was nobody's to keep.
                Ok(What::LegacyLog(LegacyLog { by, contract, id, entries: Vec::new(), once: None }, there.cloned()))
            }
            WasAsked::Directory(change) => {
                let rows = rows_of(&change, world);
                self.change(change, rows)
            }
        }
    }

    fn change(&self, change: Change, rows: DirectoryRows) -> Result<What, Stop> {
        // A newborn entity is made out of the change.
        let made = match &change {
            Change::Put { uid, .. } => Some(uid.clone()),
            _ => None,
        };
        Ok(What::Change(Directory { by: self.by(made.as_ref())?, change, once: self.once()? }, Box::new(rows)))
    }

    fn noted(&self) -> Result<What, Stop> {
        let stream = self.header.event.clone().ok_or_else(|| missing("event"))?;
        let by = self.by(Some(&self.gate_uid(stream.as_str())?))?;
        Ok(What::Note(Note { by, stream, payload: Vec::new(), subject: None, once: None }))
    }

    fn gate(&self) -> Result<What, Stop> {
        let change = self.record.one(Slot::Change)?.ok_or_else(|| missing("part change"))?;
        let (action, gate) = match self.header.kind {
            Kind::Activated => ("law.activate", "law".to_owned()),
            _ => {
                let mut r = Reader::new(change);
                ("tenant.open", r.text().map_err(|e| broken(Slot::Change, &e))?.to_owned())
            }
        };
        let by = self.by(Some(&self.gate_uid(&gate)?))?;
        Ok(What::Gate(by, action, gate, change.to_vec()))
    }

    fn gate_uid(&self, gate: &str) -> Result<Uid, Stop> {
        judge::gate(self.law, gate).map_err(|b| Stop::Broken(Difference::new("gate", gate, b.to_string())))
    }
}

/// The rows that a refused change must have met, as far as the law's word depends on them: what a conflict was is not asked
/// again, so there was none.
fn rows_of(change: &Change, world: &World) -> DirectoryRows {
    let thread = DirectoryThread { handle: Handle([0; 16]), n: 0, last: RecordHash([0; 32]) };
    let stored = |uid: &Uid| world.stored().find(|e| e.uid == *uid);
    match change {
        Change::Put { uid, .. } | Change::Remove { uid } | Change::Leave { uid, .. } => {
            let entity = stored(uid).map(|entity| (thread, entity.clone(), false));
            DirectoryRows { entity, ..DirectoryRows::default() }
        }
        Change::Join { uid, parent } => {
            let without = |entity: &Entity| {
                let parents: BTreeSet<Uid> = entity.parents.iter().filter(|p| *p != parent).cloned().collect();
                Entity { parents, ..entity.clone() }
            };
            let entity = stored(uid).map(|entity| (thread, without(entity), false));
            DirectoryRows { entity, ..DirectoryRows::default() }
        }
        Change::Grant { .. } => DirectoryRows::default(),
        Change::Revoke { id } => {
            let link = world.links().find(|link| link.id == *id);
            DirectoryRows { grant: link.map(|link| (thread, link.clone(), false)), ..DirectoryRows::default() }
        }
    }
}
