//! Numbers of what is open: each given once, the same for the same, taken away once, and nothing is lost between threads.

use super::numbers::Numbers;
use super::sync::{Arc, AtomicUsize, Ordering};
use shuttle::thread;

const THREADS: u64 = 3;
/// What all threads share.
const COMMON: u64 = 1000;

pub(crate) fn play() {
    let numbers = Arc::new(Numbers::new());
    let first = numbers.insert(1u64);
    let taken = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (numbers, taken) = (numbers.clone(), taken.clone());
            thread::spawn(move || {
                let own = numbers.insert(10 + thread);
                assert_eq!(numbers.look(own, |thing| *thing), Some(10 + thread), "what was taken in is there");
                let common = numbers.share(COMMON, |thing| *thing == COMMON);
                assert_eq!(numbers.find(|thing| *thing == COMMON), Some(common), "the same thing has two numbers");
                taken.fetch_add(usize::from(numbers.remove(first)), Ordering::AcqRel);
                assert_eq!(numbers.look(first, |thing| *thing), None, "what was taken away is there");
                if thread == 0 {
                    assert!(numbers.remove(own));
                }
                (own, common)
            })
        })
        .collect();
    let mut given: Vec<(u64, u64)> = threads.into_iter().map_while(|thread| thread.join().ok()).collect();
    assert_eq!(given.len() as u64, THREADS);
    assert!(given.iter().all(|(_, common)| *common == given[0].1), "the same thing has two numbers");
    assert_eq!(taken.load(Ordering::Acquire), 1, "it was taken away by one of them");
    assert_eq!(numbers.look(given[0].0, |thing| *thing), None);
    for (thread, (own, _)) in (0..).zip(&given).skip(1) {
        assert_eq!(numbers.look(*own, |thing| *thing), Some(10 + thread), "what one took in is gone");
    }
    given.sort_unstable();
    given.dedup_by_key(|(own, _)| *own);
    assert_eq!(given.len() as u64, THREADS, "a number was given twice");
}
