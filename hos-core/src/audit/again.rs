//! The records of a bundle, judged again under the laws in it.

use super::laws;
use super::replay::{Before, Difference, Outcome, Part, Past, Record, Thread};
use super::story::{Cited, Story};
use crate::id::{LawHash, RecordHash};
use crate::law::Law;
use crate::proof::bundle::Bundle;
use std::collections::HashMap;
use std::sync::Arc;

/// What judging a bundle's records again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// One a record, in the order of the thread.
    pub outcomes: Vec<Outcome>,
    /// The place of the first record that comes to something else, and what.
    pub first: Option<(usize, Difference)>,
}

impl Replayed {
    /// How many came to this: the same, something else, erased or withheld, attested.
    pub fn counts(&self) -> (u64, u64, u64, u64) {
        let count = |is: fn(&Outcome) -> bool| self.outcomes.iter().filter(|o| is(o)).count() as u64;
        (
            count(|o| *o == Outcome::Same),
            count(|o| matches!(o, Outcome::Differs(_))),
            count(|o| *o == Outcome::Erased),
            count(|o| *o == Outcome::Attested),
        )
    }
}

/// Judges the records of a story that holds. A law that does not load here leaves its records judged by nobody: they differ.
pub(super) fn replayed(bundle: &Bundle, story: &Story<'_>, cited: &Cited<'_>) -> Replayed {
    let loaded: HashMap<LawHash, Arc<Law>> =
        bundle.laws.iter().filter_map(|law| Some((law.hash, Arc::new(Law::load_recorded(law.files.clone()).ok()?)))).collect();
    let laws = |hash: &LawHash| loaded.get(hash).cloned();
    let tables = laws::modes(cited);
    let activated = |record: &RecordHash| tables.get(record).cloned();
    let past = Past::new(&laws).activated(&activated);
    let mut thread = Thread::default();
    let (mut outcomes, mut first) = (Vec::with_capacity(story.records.len()), None);
    for (place, held) in story.records.iter().enumerate() {
        let parts = held.item.opened.iter().map(|p| Part { slot: p.slot, index: p.index, content: &p.plaintext });
        let record = Record::new(&held.header, held.hash, parts.collect());
        let before = if thread.is_lost() { Before::Lost } else { Before::Instance(thread.instance()) };
        let outcome = past.again(&record, &before);
        if let (Outcome::Differs(difference), None) = (&outcome, &first) {
            first = Some((place, difference.clone()));
        }
        outcomes.push(outcome);
        thread.take(&past, &record);
    }
    Replayed { outcomes, first }
}
