//! A store that is found after a crash or a fault, held against the account of what was told before it.

use crate::told::{Account, Deed, Kept, Outcome};
use crate::world::{Opening, Place, TENANTS, ask, law_of, root, uid};
use hos_core::call::{Begin, Transition};
use hos_core::id::{InstanceId, Name, Uid};
use hos_core::refusal::Code;
use hos_core::value::Value;
use hos_engine::{Engine, Failure, HistoryEntry, VerifyOptions};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: usize = 500;
/// Receipts whose once-keys are tried in each store that is judged.
const AGAIN: usize = 4;

/// What was found, for the count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Answers that bind, all of them kept.
    pub(crate) kept: usize,
    /// Deeds that nobody knew the outcome of, and that had happened.
    pub(crate) open_and_done: usize,
}

/// Opens the store and holds it against the account; says what is wrong. `turn` chooses what is looked at closer.
pub(crate) fn judge(place: &Place, account: &Account, turn: u64) -> Result<Found, String> {
    let opening = Opening { place, seed: None };
    let engine = match opening.open() {
        Ok(engine) => engine,
        Err(failure) if account.is_done(&Deed::Found) => return Err(format!("the store cannot be opened: {failure}")),
        // Nobody was told that there is a store: then one can be made here.
        Err(_) => opening.found().map_err(|f| format!("a founding that was cut short cannot be done again: {f}"))?,
    };
    if account.is_done(&Deed::Mark) && !place.mark().exists() {
        return Err("the mark is gone".into());
    }
    if let Some(why) = engine.quarantine() {
        return Err(format!("the store is behind its mark: {why}"));
    }
    let mut judge = Judge {
        engine: &engine,
        place,
        account,
        turn,
        logs: BTreeMap::new(),
        records: BTreeMap::new(),
        accounts: BTreeSet::new(),
    };
    judge.evidence()?;
    judge.receipts()?;
    let found = judge.deeds()?;
    judge.twice()?;
    judge.copies()?;
    judge.goes_on()?;
    engine.close().map_err(|f| format!("the store cannot be closed: {f}"))?;
    Ok(found)
}

struct Judge<'j> {
    engine: &'j Engine,
    place: &'j Place,
    account: &'j Account,
    turn: u64,
    logs: BTreeMap<String, Vec<HistoryEntry>>,
    /// Where each record is: tenant, hash, places.
    records: BTreeMap<(String, String), Vec<u64>>,
    accounts: BTreeSet<Uid>,
}

fn is_found_later(deed: &Deed) -> bool {
    matches!(deed, Deed::Rotate | Deed::Mark | Deed::Backup(_) | Deed::Vault(_))
}

fn order() -> Name {
    Name::new("o").unwrap()
}

impl Judge<'_> {
    /// Chains, trees, signatures, derived rows; and of the checkpoints that were told, the newest of each log and some of the others:
    /// all of them in the end, for each is told in many crashes.
    fn evidence(&mut self) -> Result<(), String> {
        let mut newest = BTreeMap::new();
        let mut anchors = BTreeSet::new();
        for (at, (_, kept)) in self.account.receipts().enumerate() {
            let Some(note) = &kept.checkpoint else { continue };
            newest
                .insert(&kept.tenant, (kept.seq, note))
                .filter(|old| old.0 > kept.seq)
                .map(|old| newest.insert(&kept.tenant, old));
            if (at as u64 + self.turn).is_multiple_of(8) {
                anchors.insert(note.clone());
            }
        }
        anchors.extend(newest.into_values().map(|(_, note)| note.clone()));
        let anchors = anchors.into_iter().collect();
        let report = self.engine.verify(&VerifyOptions { anchors, ..VerifyOptions::default() }).map_err(|f| f.to_string())?;
        if let Some((at, what)) = report.findings.first() {
            return Err(format!("the evidence is broken: {at}: {what}"));
        }
        for tenant in self.engine.tenants().map_err(|f| f.to_string())? {
            let of = self.engine.tenant(tenant.as_str()).map_err(|f| f.to_string())?;
            let mut log = Vec::new();
            loop {
                let page = of.log(log.len() as u64, PAGE).map_err(|f| format!("the log of `{tenant}`: {f}"))?;
                log.extend(page.iter().cloned());
                if page.len() < PAGE {
                    break;
                }
            }
            for entry in &log {
                let seq = entry.receipt.seal.as_ref().map(|seal| seal.seq);
                self.records.entry((tenant.to_string(), entry.receipt.record.to_string())).or_default().extend(seq);
            }
            self.logs.insert(tenant.to_string(), log);
        }
        let universe = self.engine.tenant("universe").map_err(|f| f.to_string())?;
        let entities = universe.directory_entities().map_err(|f| f.to_string())?.0;
        self.accounts = entities.into_iter().map(|entity| entity.uid).collect();
        Ok(())
    }

    /// Every receipt's record is at its place, and nowhere else.
    fn receipts(&self) -> Result<(), String> {
        for (deed, kept) in self.account.receipts() {
            let places = self.records.get(&(kept.tenant.clone(), kept.record.clone())).map(Vec::as_slice).unwrap_or_default();
            if places != [kept.seq] {
                return Err(format!("{deed:?} was acknowledged at {} of `{}`, and is at {places:?}", kept.seq, kept.tenant));
            }
        }
        Ok(())
    }

    /// Everything that was asked is there, is not there, or may be either.
    fn deeds(&self) -> Result<Found, String> {
        let mut found = Found::default();
        for (deed, outcome) in &self.account.deeds {
            let there = match self.is_there(deed).map_err(|what| format!("{deed:?}: {what}"))? {
                Some(there) => there,
                None => continue,
            };
            match outcome {
                Outcome::Done(_) if !there => return Err(format!("{deed:?} was acknowledged and is lost")),
                // What is asked again may be done then. A copy that was named is whole, whatever was said of it; a change of key is taken
                // up by who opens next.
                Outcome::Not(code) if there && !self.account.may_be_done(deed) && !is_found_later(deed) => {
                    return Err(format!("{deed:?} was refused with {code}, and is done"));
                }
                Outcome::Denied(code) => return Err(format!("{deed:?} is lawful, and was denied with {code}")),
                Outcome::Done(_) => found.kept += 1,
                Outcome::Open | Outcome::Unknown => found.open_and_done += usize::from(there),
                Outcome::Not(_) => {}
            }
        }
        Ok(found)
    }

    /// Whether a deed's traces are there, all of them or none. `None`: its receipt alone tells.
    fn is_there(&self, deed: &Deed) -> Result<Option<bool>, String> {
        let told = |f: Failure| f.to_string();
        Ok(Some(match deed {
            Deed::Found | Deed::Refused(..) => return Ok(None),
            Deed::Mark => self.place.mark().exists(),
            Deed::Tenant(name) => self.logs.contains_key(name),
            Deed::Person(name) => self.accounts.contains(&uid("A", name)) || self.account.may_be_done(&Deed::Erase(name.clone())),
            Deed::Begin(tenant, id, who) => self.state_of(tenant, id, who)?.is_some(),
            Deed::Go(tenant, id) => self.moves_of(tenant, id)? == 1,
            Deed::Note(tenant, text) => {
                let (found, (surely, perhaps)) = (self.notes(tenant, text), self.account.times(deed));
                // Once, though it was refused, is the judge's own word to say.
                if found > (surely + perhaps).max(1) {
                    return Err(format!("it is there {found} times"));
                }
                found > 0 && found >= surely
            }
            Deed::Activate(number) => {
                let law = law_of(*number).hash;
                self.engine.law().map_err(told)?.hash == law
            }
            Deed::Erase(who) => self.is_erased(who)?,
            Deed::Rotate => {
                self.engine.keys().map_err(told)?.0.iter().filter(|range| range.to.is_none()).any(|range| {
                    hos_engine::keys::read_seal_key(&self.place.key(1)).is_ok_and(|key| key.verify_key() == range.key)
                })
            }
            Deed::Backup(name) | Deed::Vault(name) => self.place.copy(name).exists(),
        }))
    }

    /// An instance's state, and whose it is; `None` if there is none. A person's key that is lost shows here.
    fn state_of(&self, tenant: &str, id: &str, who: &str) -> Result<Option<String>, String> {
        let told = |f: Failure| f.to_string();
        if !self.logs.contains_key(tenant) {
            return Ok(None);
        }
        let of = self.engine.tenant(tenant).map_err(told)?;
        let id = InstanceId::new(id).unwrap();
        if of.is_erased(&order(), &id).map_err(told)? {
            let may_be = self.account.may_be_done(&Deed::Erase(who.to_owned()));
            return if may_be { Ok(Some("erased".into())) } else { Err("nobody erased it, and its person's key is gone".into()) };
        }
        let Some(instance) = of.instance(&order(), &id).map_err(told)? else { return Ok(None) };
        let whose = Value::from(uid("A", who));
        if instance.facts.get("who") != Some(&whose) {
            return Err(format!("its facts are {:?}", instance.facts));
        }
        Ok(Some(instance.state.to_string()))
    }

    /// How often it moved. Its history and its row must agree, and it began once.
    fn moves_of(&self, tenant: &str, id: &str) -> Result<usize, String> {
        let told = |f: Failure| f.to_string();
        if !self.logs.contains_key(tenant) {
            return Ok(0);
        }
        let of = self.engine.tenant(tenant).map_err(told)?;
        let history = match of.history(&order(), &InstanceId::new(id).unwrap(), 0, PAGE) {
            Err(failure) if failure.code == Code::InstanceUnknown => return Ok(0),
            history => history.map_err(told)?,
        };
        let count = |kind| history.iter().filter(|entry| entry.header.kind == kind).count();
        let (begun, moved) = (count(hos_core::proof::record::Kind::Begun), count(hos_core::proof::record::Kind::Moved));
        if begun != 1 || moved > 1 {
            return Err(format!("it began {begun} times and moved {moved} times"));
        }
        Ok(moved)
    }

    fn notes(&self, tenant: &str, text: &str) -> usize {
        let log = self.logs.get(tenant).map(Vec::as_slice).unwrap_or_default();
        let wanted = [Value::from(text), Value::from(hex(text).as_str())];
        let holds = |entry: &&HistoryEntry| {
            entry.header.kind == hos_core::proof::record::Kind::Noted
                && entry.parts.iter().any(|(_, part)| part.iter().any(|(_, value)| wanted.contains(value)))
        };
        log.iter().filter(holds).count()
    }

    /// Whether a person is erased: wholly or not at all.
    fn is_erased(&self, who: &str) -> Result<bool, String> {
        let key_is_gone = |entry: &HistoryEntry| !entry.erased.is_empty();
        let begun = |deed: &Deed| matches!(deed, Deed::Begin(_, _, of) if of == who);
        let records: Vec<&Kept> = self.account.receipts().filter(|(deed, _)| begun(deed)).map(|(_, kept)| kept).collect();
        let entries = records.iter().filter_map(|kept| self.logs.get(&kept.tenant)?.get(kept.seq as usize));
        let gone: Vec<bool> = entries.map(key_is_gone).collect();
        let recorded = self
            .logs
            .get("universe")
            .is_some_and(|log| log.iter().filter(|entry| entry.header.kind == hos_core::proof::record::Kind::Erased).count() > 0);
        if gone.iter().any(|gone| *gone) && !recorded {
            return Err("a key is destroyed, and no record says so".into());
        }
        match (gone.iter().all(|gone| *gone), gone.iter().any(|gone| *gone)) {
            (true, _) => Ok(recorded && !gone.is_empty()),
            (false, true) => Err("some of the person's records are readable and others are not".into()),
            (false, false) => Ok(false),
        }
    }

    /// What is asked again under its once-key gets the first receipt, and what nobody knew of happens once.
    fn twice(&self) -> Result<(), String> {
        let erased = |deed: &Deed| matches!(deed, Deed::Begin(_, _, who) if self.account.may_be_done(&Deed::Erase(who.clone())));
        let has_key = |deed: &Deed| matches!(deed, Deed::Begin(..) | Deed::Go(..)) && !erased(deed);
        let erasing = self.account.deeds.iter().any(|(deed, _)| matches!(deed, Deed::Erase(_)));
        let safe = |deed: &Deed| match deed {
            // The orders of whom an erasure may have taken.
            Deed::Go(_, id) => !(erasing && id.starts_with('w')),
            _ => true,
        };
        let known: Vec<(&Deed, &Kept)> = self.account.receipts().filter(|(deed, _)| has_key(deed) && safe(deed)).collect();
        for n in 0..AGAIN.min(known.len()) {
            // The last is the likeliest to be lost.
            let at = if n == 0 { known.len() - 1 } else { (self.turn as usize).wrapping_mul(2 * n + 1) % known.len() };
            let (deed, first) = known[at];
            let answer = ask(self.engine, self.place, deed, 0).map_err(|f| format!("{deed:?}, asked again: {f}"))?;
            let again = answer.as_ref().and_then(|answer| answer.receipt.as_ref()).map(|receipt| receipt.record.to_string());
            if again.as_deref() != Some(&first.record) {
                return Err(format!("{deed:?}, asked again, got another receipt"));
            }
        }
        let is_open = |outcome: &Outcome| matches!(outcome, Outcome::Open | Outcome::Unknown);
        let open = self.account.deeds.iter().filter(|(deed, outcome)| is_open(outcome) && has_key(deed) && safe(deed));
        for (deed, _) in open {
            // What it stands on may be as open as it is.
            if let Deed::Begin(..) = deed {
                self.person_exists(deed)?;
            }
            let answer = ask(self.engine, self.place, deed, 0).map_err(|f| format!("{deed:?}, resolved: {f}"))?;
            if !answer.is_some_and(|answer| answer.allowed) {
                return Err(format!("{deed:?} was open, and is refused now"));
            }
            if self.is_there(deed)? != Some(true) {
                return Err(format!("{deed:?} was resolved with a yes, and is not there"));
            }
        }
        Ok(())
    }

    fn person_exists(&self, deed: &Deed) -> Result<(), String> {
        let Deed::Begin(_, _, who) = deed else { return Ok(()) };
        if !self.account.is_done(&Deed::Person(who.clone())) {
            ask(self.engine, self.place, &Deed::Person(who.clone()), 0).map_err(|f| format!("a person: {f}"))?;
        }
        Ok(())
    }

    /// A copy that has its name is whole.
    fn copies(&self) -> Result<(), String> {
        for (deed, _) in &self.account.deeds {
            match deed {
                Deed::Backup(name) if self.place.copy(name).exists() && self.turn.is_multiple_of(4) => {
                    let report = self.engine.verify_copy(&self.place.copy(name)).map_err(|f| format!("a backup: {f}"))?;
                    if let Some((at, what)) = report.findings.first() {
                        return Err(format!("a backup is broken: {at}: {what}"));
                    }
                }
                Deed::Vault(name) if self.place.copy(name).exists() => {
                    let options = hos_engine::store::sqlite::Vault::options().read_only(true);
                    let vault = hos_engine::store::sqlite::Vault::open_with(self.place.copy(name), options);
                    vault.and_then(|vault| vault.destroyed()).map_err(|e| format!("a backup of the vault: {}", e.message))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A move after the recovery works, and is kept.
    fn goes_on(&self) -> Result<(), String> {
        let told = |f: Failure| format!("nothing can be done any more: {f}");
        if !TENANTS.iter().all(|name| self.logs.contains_key(*name)) {
            let name = TENANTS[0].to_owned();
            if !self.logs.contains_key(&name) {
                ask(self.engine, self.place, &Deed::Tenant(name), 0).map_err(told)?;
            }
        }
        let tenant = self.engine.tenant(TENANTS[0]).map_err(told)?;
        ask(self.engine, self.place, &Deed::Person("after".into()), 0).map_err(told)?;
        let begin = Begin::new(root(), "o", "after", "new").unwrap().fact("who", uid("A", "after"));
        let go = Transition::new(root(), "o", "after", "go").unwrap();
        for answer in [tenant.begin(begin).map_err(told)?, tenant.transition(go).map_err(told)?] {
            if !answer.allowed {
                return Err(format!("a lawful call is denied after the recovery: {:?}", answer.blockers));
            }
        }
        if self.turn.is_multiple_of(8) {
            let report = self.engine.verify(&VerifyOptions::default()).map_err(told)?;
            if let Some((at, what)) = report.findings.first() {
                return Err(format!("the evidence is broken by what came after: {at}: {what}"));
            }
        }
        Ok(())
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
