//! The engine's own files where callers meet, under a scheduler that chooses who runs next: by chance, or by few changes of
//! priority (PCT), which finds what needs an unlucky order. Whoever waits for ever is found, for then nobody can run.
//!
//! The files are included as they stand. They name their locks `super::sync`: at home those are the standard library's.

mod planted;
mod sound;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Callers at their seats, who wake each other.
    Seats,
    /// A few callers in the line, each once.
    Few,
    /// Callers in the line, each twice; groups of several.
    Callers,
    /// The same, and the machinery panics under a leader.
    Panics,
    /// Places for those who judge ahead, and the luck of it.
    Desks,
    /// Numbers of open engines: given, shared, looked up, taken away.
    Numbers,
    /// A fault: to fall asleep and to open the door to whoever wakes is not one step.
    PlantedSleep,
    /// A fault: a table is swapped without a look at whether it is still the one that was changed.
    PlantedSwap,
}

impl Scene {
    /// What must hold.
    pub const SOUND: [Self; 6] = [Self::Seats, Self::Few, Self::Callers, Self::Panics, Self::Desks, Self::Numbers];
    /// What must be found.
    pub const PLANTED: [Self; 2] = [Self::PlantedSleep, Self::PlantedSwap];

    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seats => "callers at their seats",
            Self::Few => "a few callers in the line",
            Self::Callers => "callers in the line",
            Self::Panics => "callers in the line with panics",
            Self::Desks => "places to judge ahead",
            Self::Numbers => "numbers of engines",
            Self::PlantedSleep => "a planted lost call",
            Self::PlantedSwap => "a planted lost change",
        }
    }

    fn play(self) {
        match self {
            Self::Seats => sound::seated::play(),
            Self::Few => sound::callers::play(3, 1, false),
            Self::Callers => sound::callers::play(4, 2, false),
            Self::Panics => sound::callers::play(4, 2, true),
            Self::Desks => sound::desks::play(),
            Self::Numbers => sound::numbered::play(),
            Self::PlantedSleep => planted::callers::play(4, 2, false),
            Self::PlantedSwap => planted::numbered::play(),
        }
    }

    /// Plays it so often, half by chance and half by PCT, in orders that the seed gives.
    ///
    /// # Panics
    ///
    /// If it fails in one of them, which is printed.
    pub fn hold(self, seed: u64, schedules: usize) {
        self.by(RandomScheduler::new_from_seed(seed, schedules - schedules / 2), FailurePersistence::Print);
        self.by(PctScheduler::new_from_seed(seed, 3, schedules / 2), FailurePersistence::Print);
    }

    /// Whether chance, and whether PCT finds the fault within so many schedules.
    pub fn found(self, seed: u64, schedules: usize) -> (bool, bool) {
        let fails = |play: &dyn Fn()| catch_unwind(AssertUnwindSafe(play)).is_err();
        (
            fails(&|| self.by(RandomScheduler::new_from_seed(seed, schedules), FailurePersistence::None)),
            fails(&|| self.by(PctScheduler::new_from_seed(seed, 3, schedules), FailurePersistence::None)),
        )
    }

    fn by(self, scheduler: impl Scheduler + 'static, persistence: FailurePersistence) {
        let mut config = Config::new();
        config.failure_persistence = persistence;
        Runner::new(scheduler, config).run(move || self.play());
    }
}
