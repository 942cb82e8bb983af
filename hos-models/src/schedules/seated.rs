//! Callers at their seats, of whom some come late: each gets its answer, whoever wakes whom.

use super::seat::{Seat, Turn, answer_all};
use super::sync::Arc;
use shuttle::thread;

const CALLERS: usize = 4;

pub(crate) fn play() {
    let seats: Vec<_> = (0..CALLERS).map(|_| Seat::new()).collect();
    let callers: Vec<_> = seats
        .iter()
        .map(|seat| {
            let seat = seat.clone();
            thread::spawn(move || match seat.wait() {
                Turn::Answered(answer) => Some(answer),
                Turn::Lead => None,
            })
        })
        .collect();
    answer_all(seats.iter().cloned().zip(10..).collect());
    for (caller, answer) in callers.into_iter().zip(10..) {
        assert_eq!(caller.join().ok().flatten(), Some(answer));
    }
    assert!(seats.iter().all(|seat| Arc::strong_count(seat) == 1), "a round is forgotten when it is over");
}
