//! Where a caller waits: for its answers, or to be called to lead.

use std::mem;

use super::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One caller's place. `A` is what it gets.
pub(super) struct Seat<A> {
    call: Mutex<Call<A>>,
    turned: Condvar,
}

enum Call<A> {
    Waiting,
    Lead,
    Answered(A, Round<A>),
}

/// Why a caller was woken.
pub(super) enum Turn<A> {
    /// It is to lead.
    Lead,
    /// Its answers are there.
    Answered(A),
}

impl<A> Seat<A> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { call: Mutex::new(Call::Waiting), turned: Condvar::new() })
    }

    /// Waits until something is said.
    pub(super) fn wait(&self) -> Turn<A> {
        let mut call = lock_of(&self.call);
        loop {
            match mem::replace(&mut *call, Call::Waiting) {
                Call::Answered(answers, round) => {
                    drop(call);
                    round.wake_two();
                    return Turn::Answered(answers);
                }
                Call::Lead => return Turn::Lead,
                Call::Waiting => call = self.turned.wait(call).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Calls the caller to lead.
    pub(super) fn lead(&self) {
        *lock_of(&self.call) = Call::Lead;
        self.turned.notify_one();
    }
}

/// The callers of a commit, who wake each other: to wake a thread costs more than a move (a system call, and where the core
/// sleeps an interrupt to it), and if one thread woke all, the next commit would wait for that.
struct Round<A> {
    seats: Arc<[Arc<Seat<A>>]>,
    place: usize,
}

impl<A> Round<A> {
    fn wake(&self, place: usize) {
        if let Some(seat) = self.seats.get(place) {
            seat.turned.notify_one();
        }
    }

    fn wake_two(&self) {
        self.wake(2 * self.place + 1);
        self.wake(2 * self.place + 2);
    }
}

/// Hands out answers. All are there before the first caller is woken, who wakes two more, and so on: whoever finds theirs
/// before they are woken does the same.
///
/// INVARIANT: no answer is there before those of the two below it, so the last comes first. Who has just come, and does not sleep
/// yet, finds its answer at once and wakes the two: if theirs came later, they would sleep on, and nobody would wake them again.
pub(super) fn answer_all<A>(answered: Vec<(Arc<Seat<A>>, A)>) {
    let seats: Arc<[Arc<Seat<A>>]> = answered.iter().map(|(seat, _)| seat.clone()).collect();
    for (place, (seat, answers)) in answered.into_iter().enumerate().rev() {
        *lock_of(&seat.call) = Call::Answered(answers, Round { seats: seats.clone(), place });
    }
    Round { seats, place: 0 }.wake(0);
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn everybody_wakes_with_their_own_answer() {
        for callers in [1usize, 2, 3, 8, 64] {
            let seats: Vec<_> = (0..callers).map(|_| Seat::<usize>::new()).collect();
            thread::scope(|scope| {
                let waiting: Vec<_> = seats
                    .iter()
                    .map(|seat| {
                        scope.spawn(move || match seat.wait() {
                            Turn::Answered(answer) => Some(answer),
                            Turn::Lead => None,
                        })
                    })
                    .collect();
                answer_all(seats.iter().cloned().zip(10..).collect());
                let got: Vec<_> = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
                assert_eq!(got, (10..10 + callers).map(Some).collect::<Vec<_>>());
            });
            assert!(seats.iter().all(|seat| Arc::strong_count(seat) == 1), "a round is forgotten when it is over");
        }
    }

    #[test]
    fn who_is_called_leads() {
        let seat = Seat::<()>::new();
        seat.lead();
        assert!(matches!(seat.wait(), Turn::Lead));
        answer_all(Vec::<(Arc<Seat<()>>, ())>::new());
    }
}
