//! A day, chosen by a seed.

use super::step::{Act, Day, Deed, End, Fault, Kind, PROCESSES, Sealing, Step, Transaction};
use crate::chance::Chance;
use crate::model::{ACCOUNTS, Call, Contract, KEYS, Operation, STREAMS, TENANTS, World, any_call, likely};

/// How many steps a day has.
pub const LENGTH: usize = 60;
/// So much time may go by in a day: less than once-keys are kept.
const TIME_MAX_MS: i64 = 20 * 86_400_000;

/// The day of a seed, which begins at this instant.
pub fn day(seed: u64, length: usize, start: i64) -> Day {
    let mut c = Chance::new(seed);
    let count = 1 + c.below(PROCESSES);
    let processes = (0..count).map(|_| if c.below(3) == 0 { Sealing::Worker } else { Sealing::Inline }).collect();
    let mut plan = Plan { c, count, start, world: World::new(start), kept: None, last: Vec::new() };
    let mut steps = plan.beginning();
    while steps.len() < length {
        let step = plan.step();
        plan.foresee(&step);
        steps.push(step);
    }
    Day { processes, steps }
}

struct Plan {
    c: Chance,
    count: usize,
    start: i64,
    /// How the world probably stands, so that half of what is asked is what could well happen next.
    world: World,
    kept: Option<World>,
    /// The last calls: they are what is repeated.
    last: Vec<Call>,
}

impl Plan {
    /// People get roles, so that much of what follows is allowed.
    fn beginning(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for tenant in TENANTS {
            for (account, role) in [(ACCOUNTS[2], "seller"), (ACCOUNTS[2], "desk"), (ACCOUNTS[3], "manager")] {
                if self.c.below(4) > 0 {
                    let operation = Operation::Join { by: ACCOUNTS[0], account, role };
                    let act = Act { process: 0, deed: Deed::Call(Call { tenant, operation, once: None }), fault: None };
                    let step = Step::Alone(act);
                    self.foresee(&step);
                    steps.push(step);
                }
            }
        }
        steps
    }

    fn process(&mut self) -> usize {
        self.c.below(self.count)
    }

    fn step(&mut self) -> Step {
        match self.c.below(32) {
            0..=13 => {
                let process = self.process();
                Step::Alone(self.act(process))
            }
            14..=23 if self.count > 1 => self.together(),
            24..=26 if self.world.now - self.start < TIME_MAX_MS => {
                Step::Wait([1, 59_000, 300_000, 600_000, 7_200_000, 86_400_000][self.c.below(6)])
            }
            27 => {
                let ms = [0, 0, 1_000, 4_000, -1_000, -4_999, -5_001, -3_600_000, 60_000, 3_600_000][self.c.below(10)];
                Step::Skew { process: self.process(), ms }
            }
            28 | 29 => {
                let end = if self.c.below(2) == 0 { End::Closed } else { End::Dropped };
                Step::Restart { process: self.process(), end }
            }
            30 => match self.c.below(4) {
                0 => Step::Inspect,
                1 | 2 => Step::Keep,
                _ => Step::Restore,
            },
            _ => Step::Alone(Act { process: self.process(), deed: Deed::Work, fault: self.fault() }),
        }
    }

    /// Several processes at once, half of the time about the very same.
    fn together(&mut self) -> Step {
        let mut free: Vec<usize> = (0..self.count).collect();
        let wanted = 2 + self.c.below(self.count - 1);
        let same = (self.c.below(2) == 0).then(|| self.call());
        let mut acts = Vec::new();
        while acts.len() < wanted && !free.is_empty() {
            let process = free.swap_remove(self.c.below(free.len()));
            let deed = match &same {
                Some(call) if self.c.below(4) > 0 => Some(Deed::Call(call.clone())),
                Some(call) if self.c.below(2) == 0 => Some(self.host(vec![call.clone()])),
                _ => None,
            };
            acts.push(match deed {
                Some(deed) => Act { process, deed, fault: self.fault() },
                None => self.act(process),
            });
        }
        Step::Together { turns: 1 + self.c.bits() % 1_000_000, acts }
    }

    fn act(&mut self, process: usize) -> Act {
        let tenant = TENANTS[self.c.below(TENANTS.len())];
        let by = if self.c.below(6) > 0 { ACCOUNTS[0] } else { ACCOUNTS[self.c.below(ACCOUNTS.len())] };
        let deed = match self.c.below(32) {
            0..=17 => Deed::Call(self.call()),
            18 | 19 => {
                let count = 1 + self.c.below(5);
                Deed::Batch((0..count).map(|_| self.call()).collect())
            }
            20..=25 => {
                let count = 1 + self.c.below(2);
                let calls = (0..count).map(|_| self.call()).collect();
                self.host(calls)
            }
            26 => Deed::Tick(tenant),
            27 if self.c.below(3) > 0 => Deed::Work,
            27 => {
                let all = TENANTS.into_iter().flat_map(|tenant| [(tenant, Contract::Ticket), (tenant, Contract::Stay)]);
                Deed::Activate { by, off: all.filter(|_| self.c.below(8) == 0).collect() }
            }
            28 | 29 => {
                let lease_ms = [1_000, 60_000, 600_000][self.c.below(3)];
                Deed::Poll { tenant, by, limit: 1 + self.c.below(4), lease_ms }
            }
            _ => Deed::Acknowledge { tenant, by, back: self.c.below(3) },
        };
        Act { process, deed, fault: self.fault() }
    }

    fn host(&mut self, calls: Vec<Call>) -> Deed {
        Deed::Host(Transaction { immediate: self.c.below(2) == 0, commits: self.c.below(5) > 0, calls })
    }

    fn fault(&mut self) -> Option<Fault> {
        if self.c.below(8) > 0 {
            return None;
        }
        let (kind, _) = Kind::ALL[self.c.below(Kind::ALL.len())];
        let at = if kind.is_of_commit() { usize::from(self.c.below(4) == 0) } else { self.c.below(40) };
        Some(Fault { kind, at })
    }

    fn call(&mut self) -> Call {
        let mut call = match self.c.below(9) {
            // What the world does when it heard no answer, and when a webhook comes twice, or late.
            0 | 1 if !self.last.is_empty() => return self.last[self.c.below(self.last.len())].clone(),
            8 => {
                let by = ACCOUNTS[[0, 0, 0, 1][self.c.below(4)]];
                let stream = STREAMS[self.c.below(STREAMS.len())];
                let operation = Operation::Note { by, stream, payload: self.c.below(3) as u8 };
                Call { tenant: TENANTS[self.c.below(TENANTS.len())], operation, once: None }
            }
            0..=5 => likely(&mut self.c, &self.world),
            _ => any_call(&mut self.c, self.world.now),
        };
        if call.once.is_none() && self.c.below(4) == 0 {
            call.once = Some(KEYS[self.c.below(KEYS.len())]);
        }
        self.last.push(call.clone());
        if self.last.len() > 6 {
            self.last.remove(0);
        }
        call
    }

    /// What would come of it if nothing failed and nobody came between.
    fn foresee(&mut self, step: &Step) {
        match step {
            Step::Wait(ms) => self.world.now += ms,
            Step::Alone(_) | Step::Together { .. } => {
                for act in step.acts() {
                    let done = !matches!(&act.deed, Deed::Host(t) if !t.commits);
                    act.deed.calls().iter().filter(|_| done).for_each(|call| drop(self.world.call(call)));
                    if let Deed::Activate { by, off } = &act.deed {
                        self.world.activate(by, off);
                    }
                    if act.deed == Deed::Work {
                        TENANTS.iter().for_each(|tenant| _ = self.world.tick(tenant));
                    }
                }
            }
            Step::Keep => self.kept = Some(self.world.clone()),
            Step::Restore => {
                if let Some(kept) = &self.kept {
                    self.world = kept.restored(self.world.now, true);
                }
            }
            Step::Skew { .. } | Step::Restart { .. } | Step::Inspect => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_day_and_days_hold_all_that_there_is() {
        let start = 1_700_000_000_000;
        assert_eq!(day(3, 50, start), day(3, 50, start));
        assert_ne!(day(3, 50, start), day(4, 50, start));
        let all: Vec<Step> = (0..60).flat_map(|seed| day(seed, LENGTH, start).steps).collect();
        let acts = || all.iter().flat_map(Step::acts);
        for (kind, name) in Kind::ALL {
            assert!(acts().any(|act| act.fault.is_some_and(|f| f.kind == kind)), "{name}");
        }
        assert!(acts().any(|act| matches!(&act.deed, Deed::Host(t) if !t.commits && t.calls.len() == 2)));
        assert!(acts().any(|act| matches!(act.deed, Deed::Acknowledge { .. })));
        assert!(acts().any(|act| matches!(&act.deed, Deed::Activate { off, .. } if !off.is_empty())));
        let at = |wanted: &Step| all.iter().position(|step| step == wanted).unwrap();
        assert!(at(&Step::Keep) < all.len() && at(&Step::Restore) < all.len());
        let same = |acts: &[Act]| acts.len() == 3 && acts.windows(2).all(|pair| pair[0].deed == pair[1].deed);
        assert!(all.iter().any(|step| matches!(step, Step::Together { acts, .. } if same(acts))));
    }
}
