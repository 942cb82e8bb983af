//! Callers in the line: each gets its own answers, once; what is answered was done; one works at a time; all go home.

use super::line::Line;
use super::sync::{Arc, AtomicUsize, Mutex, Ordering, PoisonError};
use shuttle::thread;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

const GROUP_MAX: usize = 5;
/// The first of a lost answer's numbers; no job has it.
const LOST: u64 = u64::MAX;

/// The jobs of a caller's turn: one, or two that are never parted.
fn jobs(caller: u64, turn: u64) -> Vec<u64> {
    (0..=u64::from(caller.is_multiple_of(2))).map(|job| caller * 100 + turn * 10 + job).collect()
}

fn answer(job: u64) -> u64 {
    job + 1000
}

#[derive(Default)]
struct Store {
    done: Vec<u64>,
    groups: u64,
}

pub(crate) fn play(callers: u64, turns: u64, panics: bool) {
    let line = Arc::new(Line::new());
    let store = Arc::new(Mutex::new(Store::default()));
    let inside = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..callers)
        .map(|caller| {
            let (line, store, inside) = (line.clone(), store.clone(), inside.clone());
            thread::spawn(move || {
                for turn in 0..turns {
                    call(&line, &store, &inside, jobs(caller, turn), panics);
                }
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().is_ok());
    }
    assert!(!line.is_led(), "nobody waits, and somebody leads");
    // Who comes later waits for nobody.
    call(&line, &store, &inside, vec![7], false);
    let mut done = std::mem::take(&mut locked(&store).done);
    let all = done.len();
    done.sort_unstable();
    done.dedup();
    assert_eq!(done.len(), all, "a job was done twice");
    assert!(panics || done.len() == (0..callers).map(|c| jobs(c, 0).len()).sum::<usize>() * turns as usize + 1);
}

fn call(line: &Line<u64, u64>, store: &Mutex<Store>, inside: &AtomicUsize, jobs: Vec<u64>, panics: bool) {
    let run = |group: Vec<u64>| {
        assert_eq!(inside.fetch_add(1, Ordering::AcqRel), 0, "two lead");
        let group_number = {
            let mut store = locked(store);
            store.groups += 1;
            store.groups
        };
        thread::yield_now();
        let fails = panics && group_number.is_multiple_of(2);
        if !fails {
            locked(store).done.extend(&group);
        }
        inside.fetch_sub(1, Ordering::AcqRel);
        if fails {
            // As a panic unwinds, but without its noise.
            resume_unwind(Box::new(Planned));
        }
        group.into_iter().map(answer).collect()
    };
    match catch_unwind(AssertUnwindSafe(|| line.submit(jobs.clone(), GROUP_MAX, run, || LOST))) {
        Ok(answers) => {
            let mine: Vec<u64> = jobs.iter().copied().map(answer).collect();
            let lost = vec![LOST; jobs.len()];
            assert!(answers == mine || (panics && answers == lost), "{jobs:?} got {answers:?}");
            assert!(answers == lost || jobs.iter().all(|job| locked(store).done.contains(job)), "answered, and not done");
        }
        Err(why) if why.is::<Planned>() => assert!(panics),
        Err(why) => resume_unwind(why),
    }
}

/// Why the machinery panics here.
struct Planned;

fn locked<T>(mutex: &Mutex<T>) -> impl std::ops::DerefMut<Target = T> + '_ {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
