//! Whose turn it is: of several threads exactly one goes on at a time, and a seed chooses which.
//!
//! Each says so before every statement ([`Turns::pause`]), so that a seed is an order of all statements.

use hos_testkit::chance::Chance;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Nobody thinks for so long between two statements: whoever waits longer would wait for ever.
const STUCK: Duration = Duration::from_secs(60);

pub(crate) struct Turns {
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    /// None: one after the other.
    chance: Option<Chance>,
    running: Vec<usize>,
    current: Option<usize>,
}

impl Turns {
    /// Turns of these, in the order of a seed; of 0 one after the other.
    pub(crate) fn new(seed: u64, who: Vec<usize>) -> Self {
        let mut state = State { chance: (seed != 0).then(|| Chance::new(seed)), running: who, current: None };
        state.choose();
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// Waits for the first turn.
    pub(crate) fn begin(&self, me: usize) {
        self.wait(self.lock(), me);
    }

    /// Lets the seed choose who goes on.
    pub(crate) fn pause(&self, me: usize) {
        let mut state = self.lock();
        if state.chance.is_some() {
            state.choose();
            self.moved.notify_all();
            self.wait(state, me);
        }
    }

    /// Goes, and lets the others go on.
    pub(crate) fn end(&self, me: usize) {
        let mut state = self.lock();
        state.running.retain(|who| *who != me);
        state.choose();
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, mut state: MutexGuard<'_, State>, me: usize) {
        while state.current != Some(me) {
            let (next, timeout) = self.moved.wait_timeout(state, STUCK).unwrap_or_else(PoisonError::into_inner);
            state = next;
            assert!(!timeout.timed_out() || state.current == Some(me), "nobody lets process {me} go on");
        }
    }
}

impl State {
    fn choose(&mut self) {
        let at = self.chance.as_mut().map_or(0, |chance| chance.below(self.running.len()));
        self.current = self.running.get(at).copied();
    }
}

#[test]
fn a_seed_is_an_order() {
    let order = |seed| {
        let (turns, said) = (Turns::new(seed, vec![0, 1, 2]), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for me in 0..3 {
                let (turns, said) = (&turns, &said);
                scope.spawn(move || {
                    turns.begin(me);
                    for _ in 0..20 {
                        said.lock().unwrap().push(me);
                        turns.pause(me);
                    }
                    turns.end(me);
                });
            }
        });
        said.into_inner().unwrap()
    };
    assert_eq!(order(0), [vec![0; 20], vec![1; 20], vec![2; 20]].concat());
    assert_eq!(order(7), order(7));
    assert!(order(7) != order(8) && order(7)[..10].iter().any(|who| *who != order(7)[0]));
}
