//! Places for those who judge ahead: never more than there are, and all come back. The guess of whether it pays comes back, too.

use super::foresight::{Desks, Luck};
use super::sync::{Arc, AtomicUsize, Ordering};
use shuttle::thread;

const CALLERS: usize = 3;

pub(crate) fn play() {
    let places = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1;
    let desks = Arc::new(Desks::default());
    let luck = Arc::new(Luck::default());
    let inside = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (desks, luck, inside) = (desks.clone(), luck.clone(), inside.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    if luck.holds()
                        && let Some(_desk) = desks.enter()
                    {
                        assert!(inside.fetch_add(1, Ordering::AcqRel) < places, "more than there are places");
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::AcqRel);
                    }
                    luck.turned_out(caller == 0);
                }
            })
        })
        .collect();
    for caller in callers {
        assert!(caller.join().is_ok());
    }
    let back: Vec<_> = (0..=places).map_while(|_| desks.enter()).collect();
    assert_eq!(back.len(), places, "a place was lost, or one too many was given");
    assert_eq!(luck.counts(), (2, 2 * (CALLERS as u64 - 1)));
    assert!((0..100).any(|_| luck.holds()), "it is never tried again");
}
