//! What a record of an older log may say: it was told by the old world, so nobody judged it and it changes nothing.

use crate::judge::decode_legacy;
use crate::proof::record::{Decision, Header, PartRef, Slot};
use crate::proof::view::HeaderView;
use std::fmt;

/// What such a record's header says.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'h> {
    n: Option<u64>,
    judged: bool,
    /// State before, state after, event.
    words: [Option<&'h str>; 3],
    parts: &'h [PartRef],
}

/// What it says and may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It stands where no instance can be: first in its thread, or in a stream.
    Place,
    /// It says that something was decided.
    Judged,
    /// It has a part that would change the instance, or lacks the row.
    Parts,
    /// The row does not decode, or says another thing than the header.
    Entry,
}

impl Excess {
    /// The stable word.
    pub fn code(self) -> &'static str {
        match self {
            Excess::Place => "legacy.place",
            Excess::Judged => "legacy.judged",
            Excess::Parts => "legacy.parts",
            Excess::Entry => "legacy.entry",
        }
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Excess::Place => "what an older log tells stands where no instance is",
            Excess::Judged => "what an older log tells is said to have been judged",
            Excess::Parts => "what an older log tells has parts that it may not have, or lacks its row",
            Excess::Entry => "the row of an older log does not decode, or is not what the header says",
        })
    }
}

/// Slots that may stand beside the row.
const BESIDE: [Slot; 3] = [Slot::Principal, Slot::Context, Slot::Once];

impl<'h> Claim<'h> {
    /// A header's.
    pub fn of(header: &'h Header) -> Self {
        Self {
            n: header.n,
            judged: header.decision != Decision::None || header.refusal.is_some() || !header.policies.is_empty(),
            words: [
                header.from.as_ref().map(|name| name.as_str()),
                header.to.as_ref().map(|name| name.as_str()),
                header.event.as_ref().map(|name| name.as_str()),
            ],
            parts: &header.parts,
        }
    }

    /// The same, read over its bytes.
    pub fn over(header: &'h HeaderView<'_>) -> Self {
        Self {
            n: header.n,
            judged: header.decision != Decision::None || header.refusal.is_some() || !header.policies.is_empty(),
            words: [header.from, header.to, header.event],
            parts: &header.parts,
        }
    }

    /// What it says and may not; `row` is the content of part 8, where that is open.
    pub fn excess(&self, row: Option<&[u8]>) -> Option<Excess> {
        if self.n.unwrap_or(0) == 0 {
            return Some(Excess::Place);
        }
        if self.judged {
            return Some(Excess::Judged);
        }
        let rows = self.parts.iter().filter(|part| part.slot == Slot::Payload).count();
        let strange = |part: &PartRef| part.index != 0 || part.slot != Slot::Payload && !BESIDE.contains(&part.slot);
        if rows != 1 || self.parts.iter().any(strange) {
            return Some(Excess::Parts);
        }
        let Ok(row) = row.map(decode_legacy).transpose() else { return Some(Excess::Entry) };
        let row = row?;
        let told = [row.from.as_deref(), Some(row.to.as_str()), row.event.as_deref()];
        // A header leaves out what is no name of the law; what it says, the row says.
        let holds = self.words.into_iter().zip(told).all(|(word, told)| word.is_none() || word == told);
        (!holds).then_some(Excess::Entry)
    }
}
