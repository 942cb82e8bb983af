//! Answers of `can` that were told already. Most questions of a running program have one of a few answers (yes, by this policy,
//! under this law); JavaScript keeps the text of each under a number, and only the number crosses again.

use hos_wire::Decided;

/// How many answers are remembered. A new one takes the place of the oldest.
const KNOWN_MAX: i32 = 32;

/// The answers that JavaScript knows by number.
#[derive(Default)]
pub(crate) struct Known {
    answers: Vec<Decided>,
    next: i32,
}

impl Known {
    /// The number of an answer, and the answer itself where it is a new one whose text must be told.
    pub(crate) fn number(&mut self, decided: Decided) -> (i32, Option<&Decided>) {
        if let Some((number, _)) = (0..).zip(&self.answers).find(|(_, known)| **known == decided) {
            return (number, None);
        }
        let number = self.next;
        self.next = (number + 1) % KNOWN_MAX;
        let at = number.unsigned_abs() as usize;
        match self.answers.get_mut(at) {
            Some(oldest) => *oldest = decided,
            None => self.answers.push(decided),
        }
        (number, self.answers.get(at))
    }
}
