//! The reference model: what the engine must answer under the small law, written by hand, sharing no code with it.
//!
//! It keeps nothing on disk and knows no Cedar, no TOML and no hash. Where it and the engine differ, one of them is wrong.

mod contracts;
mod outbox;
mod steps;

pub use contracts::{Contract, Field};
pub use outbox::{Lease, Leased};
pub use steps::{ACCOUNTS, Call, IDS, KEYS, Operation, ROLES, STREAMS, Step, TENANTS, scenario};
pub(crate) use steps::{call as any_call, likely};

use contracts::{Instance, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// How far a clock may step back against the last record of an instance, or of a row, in milliseconds.
pub const SKEW_MAX_MS: i64 = 5_000;

/// How many refusals of one principal a tenant keeps as evidence in an hour; more are answered and not kept.
pub const REFUSALS_PER_HOUR: u64 = 8;

/// What the engine must say of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Yes or no.
    pub allowed: bool,
    /// The codes of all blockers, in order.
    pub codes: Vec<String>,
    /// Whether an earlier receipt was given again.
    pub again: bool,
    /// The state after, of an instance that is there.
    pub to: Option<&'static str>,
    /// How many deadlines fired first.
    pub fired: usize,
}

impl Said {
    fn yes(to: Option<&'static str>) -> Self {
        Self { allowed: true, codes: Vec::new(), again: false, to, fired: 0 }
    }

    fn no(codes: impl IntoIterator<Item = &'static str>, to: Option<&'static str>) -> Self {
        Self { allowed: false, codes: codes.into_iter().map(str::to_owned).collect(), again: false, to, fired: 0 }
    }
}

/// Everything the model knows.
#[derive(Debug, Clone)]
pub struct World {
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// The universe's accounts: whether each is active.
    accounts: BTreeMap<&'static str, bool>,
    /// Once-keys, records and memberships of the universe.
    universe: Tenancy,
    /// By name.
    tenants: BTreeMap<&'static str, Tenancy>,
    /// Where the law is off: the contracts of a tenant's.
    off: BTreeSet<(&'static str, Contract)>,
}

/// What one tenant holds.
#[derive(Debug, Clone, Default)]
struct Tenancy {
    roles: BTreeMap<&'static str, BTreeSet<&'static str>>,
    instances: BTreeMap<(Contract, &'static str), Instance>,
    /// When an account's own row was last changed.
    rows: BTreeMap<&'static str, i64>,
    once: BTreeMap<&'static str, (Operation, Option<&'static str>)>,
    records: u64,
    /// Refusals kept, by principal and hour.
    refusals: BTreeMap<(&'static str, i64), u64>,
    /// Messages, in the order of their commits.
    outbox: Vec<outbox::Message>,
}

impl World {
    /// A founded store: every tenant open, the first account its operator, all but the last account known and active.
    pub fn new(now: i64) -> Self {
        let mut universe = Tenancy::default();
        universe.roles.entry(ACCOUNTS[0]).or_default().insert("operator");
        let known = || ACCOUNTS.iter().take(ACCOUNTS.len() - 1);
        universe.rows = known().map(|account| (*account, now)).collect();
        Self {
            now,
            accounts: known().map(|a| (*a, true)).collect(),
            universe,
            tenants: TENANTS.iter().map(|t| (*t, Tenancy::default())).collect(),
            off: BTreeSet::new(),
        }
    }

    /// How many records the calls since [`World::new`] have made in this tenant (`universe` among them).
    pub fn records(&self, tenant: &str) -> u64 {
        self.tenancy(tenant).map_or(0, |t| t.records)
    }

    /// State and version of an instance.
    pub fn instance(&self, tenant: &str, contract: Contract, id: &'static str) -> Option<(&'static str, u64)> {
        self.tenancy(tenant)?.instances.get(&(contract, id)).map(|i| (i.state, i.version))
    }

    /// The law is activated again: off for these contracts of these tenants, enforced for all others.
    pub fn activate(&mut self, by: &str, off: &[(&'static str, Contract)]) -> Said {
        if let Err(code) = self.operates("universe", by) {
            return Said::no([code], None);
        }
        self.off = off.iter().copied().collect();
        self.universe.records += 1;
        Said::yes(None)
    }

    /// This world comes back as it was, at the present time, and every log begins another epoch.
    pub fn restored(&self, now: i64, epoch: bool) -> World {
        let mut world = World { now, ..self.clone() };
        let all = world.tenants.values_mut().chain([&mut world.universe]);
        all.for_each(|tenancy| tenancy.records += u64::from(epoch));
        world
    }

    fn is_off(&self, tenant: &str, contract: Contract) -> bool {
        self.off.iter().any(|(t, c)| *t == tenant && *c == contract)
    }

    /// Fires what is due in one instance, as a tick at this time would; how many deadlines fired, `None` where the clock stands
    /// back too far.
    pub fn fire(&mut self, tenant: &str, contract: Contract, id: &str, now: i64) -> Option<usize> {
        if self.is_off(tenant, contract) {
            return Some(0);
        }
        let tenancy = self.tenancy_mut(tenant)?;
        let (_, instance) = tenancy.instances.iter_mut().find(|((c, i), _)| *c == contract && *i == id)?;
        if now < instance.last_time - SKEW_MAX_MS {
            return None;
        }
        let fired = instance.fire_due(now);
        tenancy.records += fired as u64;
        Some(fired)
    }

    /// What is due in a tenant at this time, by the clock that says so.
    pub fn due(&self, tenant: &str, now: i64) -> Vec<(Contract, &'static str)> {
        let Some(tenancy) = self.tenancy(tenant) else { return Vec::new() };
        let is_due = |i: &Instance| i.next_due().is_some_and(|due| due <= now) && !self.is_off(tenant, i.contract);
        tenancy.instances.iter().filter(|(_, i)| is_due(i)).map(|(key, _)| *key).collect()
    }

    fn tenancy(&self, tenant: &str) -> Option<&Tenancy> {
        if tenant == "universe" { Some(&self.universe) } else { self.tenants.get(tenant) }
    }

    fn tenancy_mut(&mut self, tenant: &str) -> Option<&mut Tenancy> {
        if tenant == "universe" { Some(&mut self.universe) } else { self.tenants.get_mut(tenant) }
    }

    fn is_in(&self, tenant: &str, account: &str, role: &str) -> bool {
        let has = |t: &Tenancy| t.roles.get(account).is_some_and(|r| r.contains(role));
        has(&self.universe) || self.tenancy(tenant).is_some_and(has)
    }

    /// A step, carried out without looking at what is said of it.
    pub fn play(&mut self, step: &Step) {
        match step {
            Step::Call(call) => drop(self.call(call)),
            Step::Batch(calls) => calls.iter().for_each(|call| drop(self.call(call))),
            Step::Skewed(back, call) => drop(self.skewed(*back, call)),
            Step::Wait(ms) => self.now += ms,
            Step::Tick(tenant) => _ = self.tick(tenant),
            Step::Work => TENANTS.iter().for_each(|tenant| _ = self.tick(tenant)),
            Step::Reopen { .. } => {}
        }
    }

    /// A call while the clock stands back.
    pub fn skewed(&mut self, back_ms: i64, call: &Call) -> Said {
        self.now -= back_ms;
        let said = self.call(call);
        self.now += back_ms;
        said
    }

    /// Fires what is due in a tenant; how many deadlines fired.
    pub fn tick(&mut self, tenant: &str) -> usize {
        let now = self.now;
        // A clock that stepped back too far does not tick.
        self.due(tenant, now).into_iter().filter_map(|(contract, id)| self.fire(tenant, contract, id, now)).sum()
    }

    /// A call, answered and carried out.
    pub fn call(&mut self, call: &Call) -> Said {
        self.call_in(call, true)
    }

    /// A call in a transaction of a host's, which keeps nothing of a refusal, nor of what fell due before it.
    pub fn host_call(&mut self, call: &Call) -> Said {
        let before = self.clone();
        let said = self.call_in(call, false);
        if said.allowed || said.fired == 0 {
            return said;
        }
        *self = before;
        let stands = match &call.operation {
            Operation::Move { contract, id, .. } => self.instance(call.tenant, *contract, id).map(|(state, _)| state),
            _ => None,
        };
        Said { to: stands, fired: 0, ..said }
    }

    fn call_in(&mut self, call: &Call, keeps: bool) -> Said {
        if let Some((operation, to)) = call.once.and_then(|key| self.tenancy(call.tenant)?.once.get(key)) {
            return match *operation == call.operation {
                true => Said { again: true, ..Said::yes(*to) },
                false => Said::no(["hos.once_conflict"], None),
            };
        }
        let said = match &call.operation {
            Operation::Begin { .. } => self.begin(call),
            Operation::Move { .. } => self.transition(call),
            Operation::Account { by, account, active } => self.account(call.tenant, by, account, *active),
            Operation::Join { by, account, role } => self.join(call.tenant, by, account, role),
            Operation::Note { by, .. } => self.note(call.tenant, by),
            Operation::Leave { by, account, role } => self.leave(call.tenant, by, account, role),
        };
        let hour = self.now.div_euclid(3_600_000);
        let keeps = keeps && !matches!(call.operation, Operation::Note { .. });
        let off = instance_of(&call.operation).is_some_and(|contract| self.is_off(call.tenant, contract));
        if let Some(tenancy) = self.tenancy_mut(call.tenant) {
            // What fired, and the call's own record: a refusal is evidence too. Only a receipt given again adds none, and
            // a refusal beyond the bound; and where the law is off nothing is evidence.
            let kept = if said.allowed || said.fired > 0 {
                true
            } else if !keeps || off {
                false
            } else {
                let count = tenancy.refusals.entry((call.operation.by(), hour)).or_default();
                *count += 1;
                *count <= REFUSALS_PER_HOUR
            };
            tenancy.records += said.fired as u64 + u64::from(!said.again && kept);
            if let (true, false, Some(key)) = (said.allowed, said.again, call.once) {
                tenancy.once.insert(key, (call.operation.clone(), said.to));
            }
        }
        said
    }

    /// A note is an operator's; one that is refused leaves nothing.
    fn note(&self, tenant: &str, by: &str) -> Said {
        self.operates(tenant, by).map_or_else(|code| Said::no([code], None), |()| Said::yes(None))
    }

    fn begin(&mut self, call: &Call) -> Said {
        let Operation::Begin { by, contract, id, event, facts } = &call.operation else { return Said::no([], None) };
        if !contract.births().contains(event) {
            return Said::no(["hos.event_unknown"], None);
        }
        if self.is_off(call.tenant, *contract) {
            return Said::no(["hos.mode_off"], None);
        }
        if self.tenancy(call.tenant).is_some_and(|t| t.instances.contains_key(&(*contract, *id))) {
            return Said::no(["hos.instance_exists"], None);
        }
        let wrong = contracts::check(contract.facts(), facts);
        if !wrong.is_empty() {
            return Said::no(wrong, None);
        }
        let owner = contract.owner(facts);
        if let Some(code) = self.unknown(by, owner) {
            return Said::no([code], None);
        }
        if let Some(code) = self.policy(call.tenant, by, contract.action(event), owner, &BTreeMap::new()) {
            return Said::no([code], None);
        }
        let guards = contract.birth_guards(facts);
        if !guards.is_empty() {
            return Said::no(guards, None);
        }
        let born = Instance::born(*contract, facts.clone(), self.now);
        let to = born.state;
        if let Some(tenancy) = self.tenancy_mut(call.tenant) {
            tenancy.instances.insert((*contract, *id), born);
            tenancy.leave(*contract, id, event);
        }
        Said::yes(Some(to))
    }

    fn transition(&mut self, call: &Call) -> Said {
        let Operation::Move { by, contract, id, event, args, reason } = &call.operation else { return Said::no([], None) };
        let now = self.now;
        let Some(mut instance) = self.tenancy(call.tenant).and_then(|t| t.instances.get(&(*contract, *id))).cloned() else {
            return Said::no(["hos.instance_unknown"], None);
        };
        if !contract.events().contains(event) {
            return Said::no(["hos.event_unknown"], Some(instance.state));
        }
        if self.is_off(call.tenant, *contract) {
            return Said::no(["hos.mode_off"], Some(instance.state));
        }
        if now < instance.last_time - SKEW_MAX_MS {
            return Said::no(["hos.clock_implausible"], Some(instance.state));
        }
        let fired = instance.fire_due(now);
        let said = self.judged(call.tenant, by, &mut instance, event, args, *reason);
        if let Some(tenancy) = self.tenancy_mut(call.tenant) {
            tenancy.instances.insert((*contract, *id), instance);
            if said.allowed && !said.again {
                tenancy.leave(*contract, id, event);
            }
        }
        Said { fired, ..said }
    }

    fn judged(
        &self,
        tenant: &str,
        by: &str,
        instance: &mut Instance,
        event: &str,
        args: &BTreeMap<&'static str, Field>,
        reason: bool,
    ) -> Said {
        let stands = instance.state;
        let contract = instance.contract;
        let mut wrong = contracts::check(contract.args(event), args);
        if contract.is_override(event) && !reason {
            wrong.push("hos.reason_missing");
        }
        if !wrong.is_empty() {
            return Said::no(wrong, Some(stands));
        }
        let owner = contract.owner(&instance.facts);
        if let Some(code) = self.unknown(by, owner) {
            return Said::no([code], Some(stands));
        }
        if let Some(code) = self.policy(tenant, by, contract.action(event), owner, args) {
            return Said::no([code], Some(stands));
        }
        match instance.outcome(event, args) {
            Outcome::Same => Said { again: true, ..Said::yes(Some(stands)) },
            Outcome::Refused(codes) => Said::no(codes, Some(stands)),
            Outcome::To(to) => {
                instance.advance(event, to, args, self.now);
                Said::yes(Some(to))
            }
        }
    }

    /// Whom nobody gave: the one who asks, or the one whom the instance names.
    fn unknown(&self, by: &str, owner: Option<&str>) -> Option<&'static str> {
        if !self.accounts.contains_key(by) {
            Some("hos.principal_unknown")
        } else if owner.is_some_and(|o| !self.accounts.contains_key(o)) {
            Some("hos.entity_missing")
        } else {
            None
        }
    }

    /// The small law's policies.
    fn policy(
        &self,
        tenant: &str,
        by: &str,
        action: &str,
        owner: Option<&str>,
        args: &BTreeMap<&'static str, Field>,
    ) -> Option<&'static str> {
        let amount = match args.get("amount") {
            Some(Field::Long(amount)) => *amount,
            _ => 0,
        };
        let in_role = |role| self.is_in(tenant, by, role);
        let inactive = self.accounts.get(by) != Some(&true);
        if inactive || (action == "ticket.pay" && amount > 5_000 && !in_role("manager")) {
            return Some("hos.forbidden");
        }
        let owns = owner == Some(by);
        let permitted = match action {
            "ticket.place" | "ticket.change" | "ticket.extend" | "ticket.pay" | "ticket.deliver" => owns,
            "ticket.cancel" => owns || in_role("seller"),
            "ticket.ship" => in_role("seller"),
            "ticket.reopen" => in_role("manager"),
            "stay.request" | "stay.cancel" => owns,
            "stay.move" => owns || in_role("desk"),
            "stay.confirm" | "stay.check_in" | "stay.check_out" => in_role("desk"),
            _ => false,
        };
        (!permitted).then_some("hos.not_permitted")
    }

    /// The policies on directory changes; `on` is whom the change concerns.
    fn keeper(&self, tenant: &str, by: &str, own: bool) -> Option<&'static str> {
        if !self.accounts.contains_key(by) {
            return Some("hos.principal_unknown");
        }
        if self.accounts.get(by) != Some(&true) || own {
            return Some("hos.forbidden");
        }
        (!self.is_in(tenant, by, "operator")).then_some("hos.not_permitted")
    }

    /// Whether an account's row is changed now: its clock is asked, then who judges. Why not, if it is not.
    fn changes(
        &mut self,
        tenant: &str,
        account: &'static str,
        judge: impl FnOnce(&Self) -> Option<&'static str>,
    ) -> Option<&'static str> {
        let now = self.now;
        let last = self.tenancy(tenant).and_then(|tenancy| tenancy.rows.get(account));
        if last.is_some_and(|last| now < last - SKEW_MAX_MS) {
            return Some("hos.clock_implausible");
        }
        let refused = judge(self);
        if refused.is_none()
            && let Some(tenancy) = self.tenancy_mut(tenant)
        {
            tenancy.rows.insert(account, now);
        }
        refused
    }

    fn account(&mut self, tenant: &str, by: &str, account: &'static str, active: bool) -> Said {
        if tenant != "universe" {
            return Said::no(["hos.directory_conflict"], None);
        }
        if let Some(code) = self.changes(tenant, account, |world| world.keeper(tenant, by, by == account)) {
            return Said::no([code], None);
        }
        self.accounts.insert(account, active);
        Said::yes(None)
    }

    fn join(&mut self, tenant: &'static str, by: &str, account: &'static str, role: &'static str) -> Said {
        if !self.accounts.contains_key(account) {
            return Said::no(["hos.entity_missing"], None);
        }
        if self.has_own(tenant, account, role) {
            return Said::no(["hos.directory_conflict"], None);
        }
        if let Some(code) = self.changes(tenant, account, |world| world.keeper(tenant, by, by == account)) {
            return Said::no([code], None);
        }
        if let Some(tenancy) = self.tenancy_mut(tenant) {
            tenancy.roles.entry(account).or_default().insert(role);
        }
        Said::yes(None)
    }

    fn leave(&mut self, tenant: &'static str, by: &str, account: &'static str, role: &'static str) -> Said {
        if !self.accounts.contains_key(account) {
            return Said::no(["hos.entity_missing"], None);
        }
        if !self.has_own(tenant, account, role) {
            return Said::no(["hos.directory_conflict"], None);
        }
        // Nothing in the small law keeps one from leaving.
        if let Some(code) = self.changes(tenant, account, |world| world.keeper(tenant, by, false)) {
            return Said::no([code], None);
        }
        if let Some(roles) = self.tenancy_mut(tenant).and_then(|t| t.roles.get_mut(account)) {
            roles.remove(role);
        }
        Said::yes(None)
    }

    /// Whether the tenant itself, not the universe, made the account a member.
    fn has_own(&self, tenant: &str, account: &str, role: &str) -> bool {
        self.tenancy(tenant).is_some_and(|t| t.roles.get(account).is_some_and(|r| r.contains(role)))
    }
}

/// The contract that is asked about.
fn instance_of(operation: &Operation) -> Option<Contract> {
    match operation {
        Operation::Begin { contract, .. } | Operation::Move { contract, .. } => Some(*contract),
        Operation::Account { .. } | Operation::Join { .. } | Operation::Note { .. } | Operation::Leave { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tenant: &'static str, operation: Operation) -> Call {
        Call { tenant, operation, once: None }
    }

    fn place(by: &'static str, total: i64) -> Operation {
        let facts = [("buyer", Field::Account(by)), ("total", Field::Long(total))];
        Operation::Begin { by, contract: Contract::Ticket, id: IDS[0], event: "place", facts: facts.into() }
    }

    fn event(by: &'static str, event: &'static str, args: &[(&'static str, Field)]) -> Operation {
        Operation::Move { by, contract: Contract::Ticket, id: IDS[0], event, args: args.iter().cloned().collect(), reason: false }
    }

    #[test]
    fn a_ticket_is_placed_paid_once_and_never_twice() {
        let mut world = World::new(0);
        let (t, ayse) = (TENANTS[0], ACCOUNTS[1]);
        assert_eq!(world.call(&call(t, place(ayse, -1))).codes, ["ticket.total_negative"]);
        assert!(world.call(&call(t, place(ayse, 40))).allowed);
        assert_eq!(world.call(&call(t, place(ayse, 40))).codes, ["hos.instance_exists"]);
        assert_eq!(world.call(&call(t, event(ayse, "pay", &[("amount", Field::Long(39))]))).codes, ["ticket.amount_short"]);
        assert_eq!(world.call(&call(t, event(ACCOUNTS[2], "pay", &[("amount", Field::Long(40))]))).codes, ["hos.not_permitted"]);
        let pay = Call { once: Some(KEYS[0]), ..call(t, event(ayse, "pay", &[("amount", Field::Long(40))])) };
        assert_eq!(world.call(&pay).to, Some("paid"));
        assert!(world.call(&pay).again);
        assert_eq!(world.call(&Call { once: Some(KEYS[0]), ..call(t, event(ayse, "cancel", &[])) }).codes, ["hos.once_conflict"]);
        assert!(world.call(&call(t, event(ayse, "pay", &[("amount", Field::Long(40))]))).again, "on_same");
        assert_eq!(world.instance(t, Contract::Ticket, IDS[0]), Some(("paid", 2)));
        assert_eq!(world.records(t), 6);
        assert_eq!(world.records(TENANTS[1]), 0);
    }

    #[test]
    fn a_deadline_fires_before_a_late_event() {
        let mut world = World::new(0);
        let (t, ayse) = (TENANTS[0], ACCOUNTS[1]);
        assert!(world.call(&call(t, place(ayse, 40))).allowed);
        world.now = 600_000;
        let late = world.call(&call(t, event(ayse, "pay", &[("amount", Field::Long(40))])));
        assert_eq!((late.fired, late.codes), (1, vec!["hos.terminal".to_owned()]));
        assert_eq!(world.records(t), 3);
        assert_eq!(world.tick(t), 0);
    }

    /// A generator whose calls are all refused at the door would test the door alone.
    #[test]
    fn scenarios_reach_every_answer_and_every_state() {
        let mut codes: BTreeMap<String, u32> = BTreeMap::new();
        let mut states: BTreeSet<&'static str> = BTreeSet::new();
        let (mut allowed, mut again, mut fired, mut asked) = (0, 0, 0, 0);
        for seed in 0..300 {
            let mut world = World::new(0);
            for step in scenario(seed, 60, 0) {
                let calls = match step {
                    Step::Call(call) | Step::Skewed(_, call) => vec![call],
                    Step::Batch(calls) => calls,
                    Step::Wait(ms) => {
                        world.now += ms;
                        continue;
                    }
                    _ => continue,
                };
                for call in calls {
                    let said = world.call(&call);
                    asked += 1;
                    allowed += u32::from(said.allowed);
                    again += u32::from(said.again);
                    fired += said.fired;
                    states.extend(said.to);
                    for code in said.codes {
                        *codes.entry(code).or_default() += 1;
                    }
                }
            }
        }
        assert!(allowed * 5 > asked, "{allowed} of {asked} are allowed");
        assert!(again > 50 && fired > 50, "{again} {fired}");
        assert_eq!(states.len(), 11, "{states:?}");
        for code in [
            "hos.once_conflict",
            "hos.instance_unknown",
            "hos.instance_exists",
            "hos.event_unknown",
            "hos.principal_unknown",
            "hos.entity_missing",
            "hos.attribute_missing",
            "hos.attribute_unknown",
            "hos.attribute_type",
            "hos.forbidden",
            "hos.not_permitted",
            "hos.terminal",
            "hos.wrong_state",
            "hos.guard_error",
            "hos.reason_missing",
            "hos.directory_conflict",
            "ticket.total_negative",
            "ticket.amount_short",
            "ticket.amount_absurd",
            "stay.no_guests",
            "stay.no_nights",
        ] {
            assert!(codes.get(code).is_some_and(|n| *n > 2), "{code}: {codes:?}");
        }
    }
}
