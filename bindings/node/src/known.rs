//! Answers of `can` that were given lately, each under a number that no other answer ever has. Most questions of a running
//! program have one of a few answers (yes, by this policy, under this law); JavaScript keeps the texts of those that it fetched,
//! and for them only the number crosses again. What JavaScript holds or has lost is not known here and does not matter: a
//! number means one answer for good, and carries the answer's yes or no itself.

use hos_wire::Decided;

/// How many answers are remembered; JavaScript keeps as many. A new one takes the place of the oldest.
const KNOWN_MAX: usize = 32;

/// An answer's number: its parity is the answer, odd for yes; the rest is how many answers came before it.
fn number(before: i64, allowed: bool) -> i64 {
    before * 2 + i64::from(allowed)
}

/// The answers that were given lately, in the order of the ring.
#[derive(Default)]
pub(crate) struct Known {
    answers: Vec<(i64, Decided)>,
    /// How many answers had a number before.
    count: i64,
    oldest: usize,
}

impl Known {
    /// The number of an answer: the one it has, or a new one.
    pub(crate) fn number(&mut self, decided: Decided) -> i64 {
        if let Some((number, _)) = self.answers.iter().find(|(_, known)| *known == decided) {
            return *number;
        }
        let number = number(self.count, decided.allowed());
        self.count += 1;
        if self.answers.len() < KNOWN_MAX {
            self.answers.push((number, decided));
        } else if let Some(oldest) = self.answers.get_mut(self.oldest) {
            *oldest = (number, decided);
            self.oldest = (self.oldest + 1) % KNOWN_MAX;
        }
        number
    }

    /// The answer of this number, where it is still remembered.
    pub(crate) fn get(&self, number: i64) -> Option<&Decided> {
        self.answers.iter().find(|(its, _)| *its == number).map(|(_, decided)| decided)
    }
}
