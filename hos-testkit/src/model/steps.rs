//! What a scenario is made of, and how one is chosen by chance.

use super::World;
use super::contracts::{Contract, Field};
use crate::chance::Chance;
use std::collections::BTreeMap;

/// The tenants.
pub const TENANTS: [&str; 3] = ["north", "south", "east-1"];
/// The accounts; the first founds the store, the last is unknown at first.
pub const ACCOUNTS: [&str; 5] = ["root", "ayse", "mehmet", "o'brien \"x\"", "ghost"];
/// The roles, all of the universe.
pub const ROLES: [&str; 4] = ["operator", "seller", "manager", "desk"];
/// Ids of instances: few, so that they meet; some that no terminal should obey.
pub const IDS: [&str; 5] = ["1", "2", "3", "ş\u{202e}4", "5\n\u{0}"];
/// Streams that notes are written into.
pub const STREAMS: [&str; 2] = ["till", "till.night"];
/// Once-keys, few for the same reason.
pub const KEYS: [&str; 4] = ["k1", "k2", "k\u{1b}[2J", "psp-evt-9"];

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// One call.
    Call(Call),
    /// Several in one commit.
    Batch(Vec<Call>),
    /// One call while the clock stands back by so many milliseconds.
    Skewed(i64, Call),
    /// Time goes on, in milliseconds.
    Wait(i64),
    /// Due deadlines of one tenant fire.
    Tick(&'static str),
    /// A round of work, which fires due deadlines of all tenants.
    Work,
    /// The engine goes away and comes back: closed properly, or merely dropped.
    Reopen {
        /// Properly.
        closed: bool,
    },
}

/// One call to one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// To which tenant; `universe` for accounts.
    pub tenant: &'static str,
    /// What is asked.
    pub operation: Operation,
    /// The idempotency key.
    pub once: Option<&'static str>,
}

/// What is asked; also what a once-key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A birth.
    Begin {
        /// Who.
        by: &'static str,
        /// Of what.
        contract: Contract,
        /// The new instance.
        id: &'static str,
        /// Which birth.
        event: &'static str,
        /// The facts.
        facts: BTreeMap<&'static str, Field>,
    },
    /// An event or an override.
    Move {
        /// Who.
        by: &'static str,
        /// Of what.
        contract: Contract,
        /// The instance.
        id: &'static str,
        /// Which event.
        event: &'static str,
        /// The arguments.
        args: BTreeMap<&'static str, Field>,
        /// Whether a reason is given.
        reason: bool,
    },
    /// An account is made, or switched on or off.
    Account {
        /// Who.
        by: &'static str,
        /// Whose.
        account: &'static str,
        /// On or off.
        active: bool,
    },
    /// An account gets a role.
    Join {
        /// Who.
        by: &'static str,
        /// Whom.
        account: &'static str,
        /// Which.
        role: &'static str,
    },
    /// Something is noted in a stream.
    Note {
        /// Who.
        by: &'static str,
        /// Where.
        stream: &'static str,
        /// What.
        payload: u8,
    },
    /// An account loses a role.
    Leave {
        /// Who.
        by: &'static str,
        /// Whom.
        account: &'static str,
        /// Which.
        role: &'static str,
    },
}

impl Operation {
    /// Who asks.
    pub fn by(&self) -> &'static str {
        match self {
            Operation::Begin { by, .. }
            | Operation::Move { by, .. }
            | Operation::Account { by, .. }
            | Operation::Join { by, .. }
            | Operation::Note { by, .. }
            | Operation::Leave { by, .. } => by,
        }
    }
}

/// A series of steps, chosen by a seed. It begins with people getting roles, so that much of what follows is allowed.
pub fn scenario(seed: u64, length: usize, start: i64) -> Vec<Step> {
    let mut c = Chance::new(seed);
    let mut now = start;
    let mut steps: Vec<Step> = Vec::with_capacity(length + TENANTS.len() * 2);
    for tenant in TENANTS {
        for (account, role) in [(ACCOUNTS[2], "seller"), (ACCOUNTS[2], "desk"), (ACCOUNTS[3], "manager")] {
            if c.below(4) > 0 {
                steps.push(Step::Call(Call {
                    tenant,
                    operation: Operation::Join { by: ACCOUNTS[0], account, role },
                    once: None,
                }));
            }
        }
    }
    let mut last: Option<Call> = None;
    // The scenario is played in the model as it is made, so that half of what is asked is what could well happen next.
    let mut world = World::new(start);
    for step in &steps {
        world.play(step);
    }
    for _ in 0..length {
        let step = match (&last, c.below(16)) {
            // What the world does when it heard no answer, and when webhook and redirect both arrive.
            (Some(call), 0 | 1) => Step::Call(call.clone()),
            (_, 2..=9) => Step::Call(likely(&mut c, &world)),
            _ => step(&mut c, now),
        };
        world.play(&step);
        now = world.now;
        if let Step::Call(call) = &step {
            last = Some(call.clone());
        }
        steps.push(step);
    }
    steps
}

/// What could well happen next to one of few instances: by whom it concerns, with sound arguments.
pub(crate) fn likely(c: &mut Chance, world: &World) -> Call {
    let tenant = TENANTS[c.below(2)];
    let contract = if c.below(2) == 0 { Contract::Ticket } else { Contract::Stay };
    let id = IDS[c.below(3)];
    // Seller, desk and manager as the scenario's beginning made them; the owner is whoever placed it.
    let (clerk, manager) = (ACCOUNTS[2], ACCOUNTS[3]);
    let owner = if id == IDS[2] { manager } else { ACCOUNTS[1] };
    let none = BTreeMap::new();
    let soon = |c: &mut Chance| BTreeMap::from([("arrival", Field::Instant(arrival(c, world.now)))]);
    let (by, event, args) = match world.instance(tenant, contract, id).map(|(state, _)| state) {
        None => {
            let facts = match contract {
                Contract::Ticket => {
                    [("buyer", Field::Account(owner)), ("total", Field::Long([0, 10, 100, 6_000][c.below(4)]))].into()
                }
                Contract::Stay => [
                    ("guest", Field::Account(owner)),
                    ("guests", Field::Long(2)),
                    ("nights", Field::Long(7)),
                    ("arrival", Field::Instant(arrival(c, world.now + 86_400_000))),
                ]
                .into(),
            };
            let event = contract.births()[0];
            return Call { tenant, operation: Operation::Begin { by: owner, contract, id, event, facts }, once: None };
        }
        Some("new") if c.below(4) == 0 => (owner, ["extend", "cancel"][c.below(2)], none),
        Some("new") => {
            (owner, "pay", BTreeMap::from([("amount", Field::Long([100, 5_000, 6_001, 6_000, i64::MAX, -5][c.below(6)]))]))
        }
        Some("paid") => (clerk, "ship", BTreeMap::from([("in_stock", Field::Bool(c.below(4) > 0))])),
        Some("shipped" | "done") => (owner, "deliver", none),
        Some("expired") => (manager, "reopen", none),
        Some("requested") => (clerk, "confirm", none),
        Some("confirmed") if c.below(3) == 0 => (owner, "move", soon(c)),
        Some("confirmed") => (clerk, "check_in", none),
        Some("inside") => (clerk, "check_out", none),
        Some(_) => (owner, "cancel", none),
    };
    let once = (c.below(4) == 0).then(|| KEYS[c.below(KEYS.len())]);
    Call { tenant, operation: Operation::Move { by, contract, id, event, args, reason: true }, once }
}

fn step(c: &mut Chance, now: i64) -> Step {
    match c.below(40) {
        0..=27 => Step::Call(call(c, now)),
        28..=30 => Step::Batch((0..1 + c.below(6)).map(|_| call(c, now)).collect()),
        31 => Step::Skewed([1, 4_999, 5_000, 5_001, 3_600_000][c.below(5)], call(c, now)),
        32..=35 => Step::Wait([1, 59_000, 300_000, 600_000, 7_200_000, 86_400_000][c.below(6)]),
        36 => Step::Tick(TENANTS[c.below(TENANTS.len())]),
        37 => Step::Work,
        38 => Step::Reopen { closed: true },
        _ => Step::Reopen { closed: false },
    }
}

pub(crate) fn call(c: &mut Chance, now: i64) -> Call {
    let once = (c.below(3) == 0).then(|| KEYS[c.below(KEYS.len())]);
    let directory = c.below(8);
    let tenant = TENANTS[c.below(TENANTS.len())];
    // Mostly somebody who may, now and then anybody at all.
    let by = if c.below(3) > 0 { ACCOUNTS[0] } else { ACCOUNTS[c.below(ACCOUNTS.len())] };
    let account = ACCOUNTS[c.below(ACCOUNTS.len())];
    let role = ROLES[c.below(ROLES.len())];
    match directory {
        0 if c.below(2) == 0 => {
            let tenant = if c.below(8) == 0 { tenant } else { "universe" };
            Call { tenant, operation: Operation::Account { by, account, active: c.below(4) > 0 }, once }
        }
        0 => Call { tenant, operation: Operation::Join { by, account, role }, once },
        1 => Call { tenant, operation: Operation::Leave { by, account, role }, once },
        _ => Call { tenant, operation: business(c, now), once },
    }
}

fn business(c: &mut Chance, now: i64) -> Operation {
    let contract = if c.below(2) == 0 { Contract::Ticket } else { Contract::Stay };
    let id = IDS[c.below(IDS.len())];
    let by = ACCOUNTS[c.below(ACCOUNTS.len())];
    if c.below(3) == 0 {
        return Operation::Begin {
            by,
            contract,
            id,
            event: pick(c, contract.births(), "arrive"),
            facts: facts(c, contract, by, now),
        };
    }
    let event = pick(c, &contract.events()[..contract.events().len() - usize::from(contract == Contract::Stay) * 2], "explode");
    // What only the clock may do is asked by nobody: the schema does not let a person ask.
    let event = if event == "expire" { "pay" } else { event };
    Operation::Move { by, contract, id, event, args: args(c, event, now), reason: c.below(3) > 0 }
}

fn pick(c: &mut Chance, of: &[&'static str], wrong: &'static str) -> &'static str {
    if c.below(25) == 0 { wrong } else { of[c.below(of.len())] }
}

fn facts(c: &mut Chance, contract: Contract, by: &'static str, now: i64) -> BTreeMap<&'static str, Field> {
    let whose = if c.below(5) == 0 { ACCOUNTS[c.below(ACCOUNTS.len())] } else { by };
    let mut facts: BTreeMap<&'static str, Field> = match contract {
        Contract::Ticket => [("buyer", Field::Account(whose)), ("total", Field::Long(amount(c)))].into(),
        Contract::Stay => [
            ("guest", Field::Account(whose)),
            ("guests", Field::Long([0, 1, 2, -1][c.below(4)].max(i64::from(c.below(3) > 0)))),
            ("nights", Field::Long([0, 1, 7, -3][c.below(4)].max(i64::from(c.below(3) > 0)))),
            ("arrival", Field::Instant(arrival(c, now))),
        ]
        .into(),
    };
    spoil(c, &mut facts);
    facts
}

fn args(c: &mut Chance, event: &str, now: i64) -> BTreeMap<&'static str, Field> {
    let mut args: BTreeMap<&'static str, Field> = match event {
        "change" => [("total", Field::Long(amount(c)))].into(),
        "pay" => [("amount", Field::Long(amount(c)))].into(),
        "ship" => [("in_stock", Field::Bool(c.below(3) > 0))].into(),
        "move" => [("arrival", Field::Instant(arrival(c, now)))].into(),
        _ => BTreeMap::new(),
    };
    spoil(c, &mut args);
    args
}

/// Now and then something is missing, unknown or of another type.
fn spoil(c: &mut Chance, fields: &mut BTreeMap<&'static str, Field>) {
    let names: Vec<&'static str> = fields.keys().copied().collect();
    let chosen = names.get(c.below(names.len())).copied();
    match (c.below(40), chosen) {
        (0, Some(name)) => drop(fields.remove(name)),
        (1, Some(name)) => {
            let other = if fields.get(name) == Some(&Field::Bool(true)) { Field::Long(1) } else { Field::Bool(true) };
            if !matches!(fields.get(name), Some(Field::Bool(_))) || matches!(other, Field::Long(_)) {
                fields.insert(name, other);
            }
        }
        (2, _) => drop(fields.insert("surprise", Field::Long(1))),
        _ => {}
    }
}

fn amount(c: &mut Chance) -> i64 {
    [0, 1, 10, 10, 100, 4_999, 5_000, 5_001, -1, i64::MAX, i64::MIN, 100][c.below(12)]
}

/// A whole second near now, before or after.
fn arrival(c: &mut Chance, now: i64) -> i64 {
    let hours = [-48, -12, -1, 0, 1, 24, 48, 96][c.below(8)];
    (now / 1_000) * 1_000 + hours * 3_600_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_scenario_and_scenarios_hold_all_that_there_is() {
        let start = 1_700_000_000_000;
        assert_eq!(format!("{:?}", scenario(3, 50, start)), format!("{:?}", scenario(3, 50, start)));
        let all: Vec<Step> = (0..60).flat_map(|seed| scenario(seed, 50, start)).collect();
        let has = |wanted: fn(&Step) -> bool| all.iter().any(wanted);
        assert!(has(|s| matches!(s, Step::Batch(calls) if calls.len() > 2)));
        assert!(has(|s| matches!(s, Step::Skewed(..))));
        assert!(has(|s| matches!(s, Step::Reopen { closed: false })));
        assert!(has(|s| matches!(s, Step::Call(Call { operation: Operation::Move { event: "reopen", reason: true, .. }, .. }))));
        assert!(has(|s| matches!(
            s,
            Step::Call(Call { tenant: "universe", operation: Operation::Account { active: false, .. }, .. })
        )));
    }
}
