//! Visiting a model's states: all of them, or as many as there is time for.

use stateright::{Checker, CheckerBuilder, Expectation, HasDiscoveries, Model, UniformChooser};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// What a checker asks of a model.
pub trait Whole:
    Model<
        State: Clone + Debug + PartialEq + Hash + Send + Sync + 'static,
        Action: Clone + Debug + PartialEq + Send + Sync + 'static,
    > + Send
    + Sync
    + 'static
{
}

impl<M> Whole for M where
    M: Model<
            State: Clone + Debug + PartialEq + Hash + Send + Sync + 'static,
            Action: Clone + Debug + PartialEq + Send + Sync + 'static,
        > + Send
        + Sync
        + 'static
{
}

/// What a visit came to.
#[derive(Debug)]
pub struct Visit {
    /// How many different states were seen.
    pub states: usize,
    /// Whether that was all that can be reached.
    pub whole: bool,
    /// What must always be true and was not, and the steps that led there.
    pub broken: BTreeMap<&'static str, String>,
    /// What must be able to happen and was not seen.
    pub unseen: Vec<&'static str>,
}

impl Visit {
    /// That nothing is broken.
    ///
    /// # Panics
    ///
    /// If something is, with the steps.
    #[track_caller]
    pub fn sound(self) -> Self {
        assert!(self.broken.is_empty(), "{:#?}", self.broken);
        self
    }

    /// That all happens that should be able to: a model in which nothing happens breaks nothing.
    ///
    /// # Panics
    ///
    /// If something does not.
    #[track_caller]
    pub fn lively(self) -> Self {
        assert!(self.unseen.is_empty(), "never seen: {:?}", self.unseen);
        self
    }

    /// That a planted fault was found: this, at least, is broken.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn finds(&self, what: &str) {
        assert!(self.broken.contains_key(what), "the fault was not found in {} states; broken: {:?}", self.states, self.broken);
    }
}

/// Visits every state until one is found that breaks something, or the time is over. Nearest first where there is no limit, so that
/// the steps to a fault are the fewest; else deepest first, which needs less memory.
pub fn all<M: Whole>(model: M, time: Option<Duration>) -> Visit {
    let Some(time) = time else { return visit(&builder(model, None).spawn_bfs().join(), true) };
    let begun = Instant::now();
    let checker = builder(model, Some(time)).spawn_dfs().join();
    visit(&checker, begun.elapsed() < time)
}

/// Visits states, nearest first, until this is broken.
pub fn hunt<M: Whole>(model: M, what: &'static str) -> Visit {
    visit(&builder(model, None).finish_when(HasDiscoveries::AnyOf([what].into())).spawn_bfs().join(), false)
}

/// Walks by chance from beginning to end, again and again, until something is broken or the time is over; `states` counts steps.
pub fn walks<M: Whole>(model: M, time: Duration, seed: u64) -> Visit {
    let checker = builder(model, Some(time)).spawn_simulation(seed, UniformChooser).join();
    Visit { states: checker.state_count(), ..visit(&checker, false) }
}

fn builder<M: Whole>(model: M, time: Option<Duration>) -> CheckerBuilder<M> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let builder = model.checker().threads(cores).finish_when(HasDiscoveries::AnyFailures);
    match time {
        Some(time) => builder.timeout(time),
        None => builder,
    }
}

fn visit<M: Whole>(checker: &impl Checker<M>, is_done: bool) -> Visit {
    let mut found = checker.discoveries();
    let (mut broken, mut unseen) = (BTreeMap::new(), Vec::new());
    for property in checker.model().properties() {
        match (property.expectation, found.remove(property.name)) {
            (Expectation::Sometimes, None) => unseen.push(property.name),
            (Expectation::Sometimes, Some(_)) | (_, None) => {}
            (_, Some(path)) => {
                let steps: Vec<String> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
                broken.insert(property.name, steps.join(" > "));
            }
        }
    }
    Visit { states: checker.unique_state_count(), whole: is_done && broken.is_empty(), broken, unseen }
}
