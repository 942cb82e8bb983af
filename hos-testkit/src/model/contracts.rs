//! The two contracts of the small law, by hand: arrows, guards, deadlines.

use super::SKEW_MAX_MS;
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Which contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contract {
    /// `ticket`.
    Ticket,
    /// `stay`.
    Stay,
}

/// A fact or an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `Bool`
    Bool(bool),
    /// `Long`
    Long(i64),
    /// `Account`
    Account(&'static str),
    /// `datetime`, in milliseconds since 1970.
    Instant(i64),
}

/// The type that a contract declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Bool,
    Long,
    Account,
    Instant,
}

impl Contract {
    /// Its name in the law.
    pub fn name(self) -> &'static str {
        match self {
            Contract::Ticket => "ticket",
            Contract::Stay => "stay",
        }
    }

    pub(super) fn births(self) -> &'static [&'static str] {
        match self {
            Contract::Ticket => &["place"],
            Contract::Stay => &["request"],
        }
    }

    pub(super) fn events(self) -> &'static [&'static str] {
        match self {
            Contract::Ticket => &["change", "extend", "pay", "ship", "deliver", "cancel", "expire", "reopen"],
            Contract::Stay => &["confirm", "move", "check_in", "check_out", "cancel", "lapse", "miss"],
        }
    }

    /// The message that an event leaves.
    pub(super) fn effect(self, event: &str) -> Option<&'static str> {
        match (self, event) {
            (Contract::Ticket, "place") => Some("mail.placed"),
            (Contract::Ticket, "pay") => Some("mail.paid"),
            _ => None,
        }
    }

    pub(super) fn is_override(self, event: &str) -> bool {
        self == Contract::Ticket && event == "reopen"
    }

    pub(super) fn action(self, event: &str) -> &'static str {
        let all: &[(&str, &str)] = match self {
            Contract::Ticket => &[
                ("place", "ticket.place"),
                ("change", "ticket.change"),
                ("extend", "ticket.extend"),
                ("pay", "ticket.pay"),
                ("ship", "ticket.ship"),
                ("deliver", "ticket.deliver"),
                ("cancel", "ticket.cancel"),
                ("reopen", "ticket.reopen"),
            ],
            Contract::Stay => &[
                ("request", "stay.request"),
                ("confirm", "stay.confirm"),
                ("move", "stay.move"),
                ("check_in", "stay.check_in"),
                ("check_out", "stay.check_out"),
                ("cancel", "stay.cancel"),
            ],
        };
        all.iter().find(|(e, _)| *e == event).map_or("", |(_, action)| action)
    }

    pub(super) fn facts(self) -> &'static [(&'static str, Declared)] {
        match self {
            Contract::Ticket => &[("buyer", Declared::Account), ("total", Declared::Long)],
            Contract::Stay => &[
                ("arrival", Declared::Instant),
                ("guest", Declared::Account),
                ("guests", Declared::Long),
                ("nights", Declared::Long),
            ],
        }
    }

    pub(super) fn args(self, event: &str) -> &'static [(&'static str, Declared)] {
        match (self, event) {
            (Contract::Ticket, "change") => &[("total", Declared::Long)],
            (Contract::Ticket, "pay") => &[("amount", Declared::Long)],
            (Contract::Ticket, "ship") => &[("in_stock", Declared::Bool)],
            (Contract::Stay, "move") => &[("arrival", Declared::Instant)],
            _ => &[],
        }
    }

    pub(super) fn owner(self, facts: &BTreeMap<&'static str, Field>) -> Option<&'static str> {
        let name = match self {
            Contract::Ticket => "buyer",
            Contract::Stay => "guest",
        };
        match facts.get(name) {
            Some(Field::Account(account)) => Some(account),
            _ => None,
        }
    }

    pub(super) fn birth_guards(self, facts: &BTreeMap<&'static str, Field>) -> Vec<&'static str> {
        let holds = |name: &str, least: i64| long(facts, name) >= least;
        let all: &[(&str, i64, &str)] = match self {
            Contract::Ticket => &[("total", 0, "ticket.total_negative")],
            Contract::Stay => &[("guests", 1, "stay.no_guests"), ("nights", 1, "stay.no_nights")],
        };
        all.iter().filter(|(name, least, _)| !holds(name, *least)).map(|(.., code)| *code).collect()
    }
}

fn long(fields: &BTreeMap<&'static str, Field>, name: &str) -> i64 {
    match fields.get(name) {
        Some(Field::Long(v)) => *v,
        _ => 0,
    }
}

/// What is missing, undeclared or mistyped, in the order of the codes' numbers.
pub(super) fn check(declared: &[(&'static str, Declared)], given: &BTreeMap<&'static str, Field>) -> Vec<&'static str> {
    let admits = |ty: &Declared, field: &Field| {
        matches!(
            (ty, field),
            (Declared::Bool, Field::Bool(_))
                | (Declared::Long, Field::Long(_))
                | (Declared::Account, Field::Account(_))
                | (Declared::Instant, Field::Instant(_))
        )
    };
    let missing = declared.iter().filter(|(name, _)| !given.contains_key(name)).map(|_| "hos.attribute_missing");
    let unknown = given.keys().filter(|name| !declared.iter().any(|(d, _)| d == *name)).map(|_| "hos.attribute_unknown");
    let mistyped = declared
        .iter()
        .filter(|(name, ty)| given.get(name).is_some_and(|field| !admits(ty, field)))
        .map(|_| "hos.attribute_type");
    missing.chain(unknown).chain(mistyped).collect()
}

/// A deadline that runs: the event that fires, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Armed {
    pub(super) event: &'static str,
    pub(super) due: i64,
}

/// An instance.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) contract: Contract,
    pub(super) state: &'static str,
    pub(super) version: u64,
    pub(super) facts: BTreeMap<&'static str, Field>,
    pub(super) last_time: i64,
    armed: Option<Armed>,
}

/// What an event comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    To(&'static str),
    Same,
    Refused(Vec<&'static str>),
}

impl Instance {
    pub(super) fn born(contract: Contract, facts: BTreeMap<&'static str, Field>, now: i64) -> Self {
        let state = match contract {
            Contract::Ticket => "new",
            Contract::Stay => "requested",
        };
        let mut born = Self { contract, state, version: 1, facts, last_time: now, armed: None };
        born.armed = born.arm(now);
        born
    }

    /// What entering the present state at `entered` arms.
    fn arm(&self, entered: i64) -> Option<Armed> {
        match (self.contract, self.state) {
            (Contract::Ticket, "new") => Some(Armed { event: "expire", due: entered + 10 * MINUTE_MS }),
            (Contract::Stay, "requested") => Some(Armed { event: "lapse", due: entered + 24 * HOUR_MS }),
            (Contract::Stay, "confirmed") => match self.facts.get("arrival") {
                Some(Field::Instant(arrival)) => Some(Armed { event: "miss", due: arrival + 12 * HOUR_MS }),
                _ => None,
            },
            _ => None,
        }
    }

    /// When its deadline is due, if one runs.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.armed.as_ref().map(|armed| armed.due)
    }

    /// Fires what is due; how many times.
    pub(super) fn fire_due(&mut self, now: i64) -> usize {
        let mut fired = 0;
        while let Some(armed) = self.armed.clone().filter(|a| a.due <= now.max(self.last_time)) {
            let to = match armed.event {
                "expire" => "expired",
                "lapse" => "cancelled",
                _ => "missed",
            };
            self.enter(to, now);
            fired += 1;
        }
        fired
    }

    fn enter(&mut self, to: &'static str, now: i64) {
        debug_assert!(now >= self.last_time - SKEW_MAX_MS);
        self.state = to;
        self.version += 1;
        self.last_time = self.last_time.max(now);
        self.armed = self.arm(now);
    }

    /// Where an event leads, or what stands against it.
    pub(super) fn outcome(&self, event: &str, args: &BTreeMap<&'static str, Field>) -> Outcome {
        let arrows: &[(&str, &str, &str)] = match self.contract {
            Contract::Ticket => &[
                ("new", "change", "new"),
                ("new", "extend", "new"),
                ("new", "pay", "paid"),
                ("paid", "ship", "shipped"),
                ("shipped", "deliver", "done"),
                ("new", "cancel", "cancelled"),
                ("cancelled", "reopen", "new"),
                ("expired", "reopen", "new"),
            ],
            Contract::Stay => &[
                ("requested", "confirm", "confirmed"),
                ("confirmed", "move", "confirmed"),
                ("confirmed", "check_in", "inside"),
                ("inside", "check_out", "left"),
                ("requested", "cancel", "cancelled"),
                ("confirmed", "cancel", "cancelled"),
            ],
        };
        let Some((.., to)) = arrows.iter().find(|(from, e, _)| *from == self.state && *e == event) else {
            return self.elsewhere(event);
        };
        let mut codes = Vec::new();
        match event {
            "change" if long(args, "total") < 0 => codes.push("ticket.total_negative"),
            "pay" => {
                let amount = long(args, "amount");
                match amount.checked_add(amount) {
                    // Doubt comes before the guards' own codes.
                    None => codes.insert(0, "hos.guard_error"),
                    Some(twice) if twice <= amount => codes.push("ticket.amount_absurd"),
                    Some(_) => {}
                }
                if amount < long(&self.facts, "total") {
                    let place = usize::from(codes.first() == Some(&"hos.guard_error"));
                    codes.insert(place, "ticket.amount_short");
                }
            }
            _ => {}
        }
        if !codes.is_empty() {
            return Outcome::Refused(codes);
        }
        match (event, args.get("in_stock")) {
            ("ship", Some(Field::Bool(false))) => Outcome::To("cancelled"),
            _ => Outcome::To(to),
        }
    }

    /// An event out of its place: again where it has led already, else refused.
    fn elsewhere(&self, event: &str) -> Outcome {
        let same = matches!((event, self.state), ("pay", "paid") | ("deliver", "done") | ("confirm", "confirmed"));
        let terminal = matches!(self.state, "done" | "cancelled" | "expired" | "left" | "missed");
        match (same, terminal) {
            (true, _) => Outcome::Same,
            (false, true) => Outcome::Refused(vec!["hos.terminal"]),
            (false, false) => Outcome::Refused(vec!["hos.wrong_state"]),
        }
    }

    /// Carries an event out.
    pub(super) fn advance(&mut self, event: &str, to: &'static str, args: &BTreeMap<&'static str, Field>, now: i64) {
        let before = self.armed.clone();
        let stays = self.state == to;
        self.enter(to, now);
        match event {
            // The deadline runs on.
            "change" => {
                if let Some(total) = args.get("total") {
                    self.facts.insert("total", total.clone());
                }
                self.armed = before;
            }
            // The hour of the deadline moves with the fact.
            "move" => {
                if let Some(arrival) = args.get("arrival") {
                    self.facts.insert("arrival", arrival.clone());
                }
                self.armed = self.arm(now);
            }
            _ => debug_assert!(!stays || event == "extend"),
        }
    }
}
