//! What processes were told, held against what is there: the one judge of every campaign that kills them.
//!
//! A process that may be killed says what it does, a line each, and each before it does anything else:
//!
//! | line | once |
//! |---|---|
//! | `try KEY` | it is about to do this, for the first time or again |
//! | `ack KEY RECEIPT` | it was told that it is done |
//! | `not KEY` | it was told, or knows, that nothing of it is stored |
//! | `note TEXT` | it published a checkpoint ([`line_of`]) |
//!
//! A key has no space in it. A thing that was tried, and of which nothing was heard, may be there or not, once.

use std::collections::{BTreeMap, BTreeSet};

/// What several processes said.
#[derive(Debug, Clone, Default)]
pub struct Told {
    tried: BTreeSet<String>,
    acknowledged: BTreeMap<String, String>,
    refused: BTreeSet<String>,
    /// Checkpoints by what they are of, and their size.
    notes: BTreeMap<(String, u64), String>,
    faults: BTreeSet<Fault>,
}

/// What may not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Acknowledged, and not there.
    Lost(String),
    /// There more than once.
    Twice(String),
    /// Under one key, two receipts: told, and told or there.
    Other(String, String, String),
    /// There, and nobody tried it.
    Strange(String),
    /// There, though it was said that it is not.
    Refused(String),
    /// Two checkpoints of one log and one size.
    Fork(String, u64),
    /// Said to be a checkpoint, and none.
    NoNote(String),
}

/// What held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Acknowledged, and there once, under the receipt that was given.
    pub acknowledged: usize,
    /// There, and never answered for.
    pub unanswered: usize,
    /// Said not to be there, and not there.
    pub refused: usize,
}

impl Told {
    /// Somebody is about to do this.
    pub fn tries(&mut self, key: &str) {
        // Whoever tries again after a no may be killed with a yes on its way.
        self.refused.remove(key);
        self.tried.insert(key.to_owned());
    }

    /// Somebody was told that it is done.
    pub fn acknowledge(&mut self, key: &str, receipt: &str) {
        let first = self.acknowledged.entry(key.to_owned()).or_insert_with(|| receipt.to_owned());
        if first != receipt {
            self.faults.insert(Fault::Other(key.to_owned(), first.clone(), receipt.to_owned()));
        }
    }

    /// Somebody was told that nothing of it is stored.
    pub fn refuse(&mut self, key: &str) {
        self.refused.insert(key.to_owned());
    }

    /// A checkpoint was published.
    pub fn publish(&mut self, note: &str) {
        let mut lines = note.lines();
        let (origin, size) = (lines.next(), lines.next().and_then(|size| size.parse::<u64>().ok()));
        let Some((origin, size)) = origin.zip(size) else {
            self.faults.insert(Fault::NoNote(note.to_owned()));
            return;
        };
        let first = self.notes.entry((origin.to_owned(), size)).or_insert_with(|| note.to_owned());
        if first != note {
            self.faults.insert(Fault::Fork(origin.to_owned(), size));
        }
    }

    /// What a process said until it ended or was killed: a line that the kill cut in two was never said.
    pub fn read(&mut self, text: &str) {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            // A test's harness writes before the first line of a process that is itself a test.
            let line = line.rsplit("... ").next().unwrap_or(line);
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "try" => self.tries(rest),
                "ack" => {
                    let (key, receipt) = rest.split_once(' ').unwrap_or((rest, ""));
                    self.acknowledge(key, receipt);
                }
                "not" => self.refuse(rest),
                "note" => self.publish(&rest.replace(NEW_LINE, "\n")),
                _ => {}
            }
        }
    }

    /// Takes in what others heard.
    pub fn hear(&mut self, others: Told) {
        self.tried.extend(others.tried);
        others.acknowledged.iter().for_each(|(key, receipt)| self.acknowledge(key, receipt));
        self.refused.extend(others.refused);
        others.notes.values().for_each(|note| self.publish(note));
        self.faults.extend(others.faults);
    }

    /// What others tried besides: it may be there, and nobody here was told of it.
    pub fn tried_too(&mut self, others: &Told) {
        self.tried.extend(others.tried.iter().cloned());
    }

    /// What was acknowledged so far, with the receipts.
    pub fn acknowledged(&self) -> impl Iterator<Item = (&str, &str)> {
        self.acknowledged.iter().map(|(key, receipt)| (key.as_str(), receipt.as_str()))
    }

    /// Every checkpoint that was published, once.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.values().map(String::as_str)
    }

    /// Holds what is there, each with its receipt, against all that was said.
    ///
    /// # Errors
    ///
    /// Every fault.
    pub fn held(&self, there: impl IntoIterator<Item = (String, String)>) -> Result<Held, Vec<Fault>> {
        let mut faults = self.faults.clone();
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for (key, receipt) in there {
            if !self.tried.contains(&key) {
                faults.insert(Fault::Strange(key.clone()));
            }
            if found.insert(key.clone(), receipt).is_some() {
                faults.insert(Fault::Twice(key));
            }
        }
        let mut held = Held::default();
        for (key, told) in &self.acknowledged {
            match found.get(key) {
                None => drop(faults.insert(Fault::Lost(key.clone()))),
                Some(there) if there != told => drop(faults.insert(Fault::Other(key.clone(), told.clone(), there.clone()))),
                Some(_) => held.acknowledged += 1,
            }
        }
        // Who was told both was told a yes at last: once something is done, trying it again gives the first receipt.
        for key in self.refused.iter().filter(|key| !self.acknowledged.contains_key(*key)) {
            if found.contains_key(key) {
                faults.insert(Fault::Refused(key.clone()));
            } else {
                held.refused += 1;
            }
        }
        held.unanswered = found.keys().filter(|key| !self.acknowledged.contains_key(*key)).count();
        if faults.is_empty() { Ok(held) } else { Err(faults.into_iter().collect()) }
    }
}

const NEW_LINE: &str = "\\n";

/// A checkpoint as a line that [`Told::read`] reads.
pub fn line_of(note: &str) -> String {
    format!("note {}", note.replace('\n', NEW_LINE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Told {
        let mut told = Told::default();
        told.read(text);
        told
    }

    fn there(text: &str) -> Vec<(String, String)> {
        text.split_whitespace().filter_map(|one| one.split_once('=')).map(|(k, r)| (k.to_owned(), r.to_owned())).collect()
    }

    #[test]
    fn what_was_said_and_is_there_holds() {
        let told = told("test role_of_a_child ... try a\nack a 1\ntry b\ntry c\nnot c\ntry d\nnot d\ntry d\nack a 1\nack b");
        assert_eq!(told.held(there("a=1 d=4")), Ok(Held { acknowledged: 1, unanswered: 1, refused: 1 }));
        assert_eq!(told.held(there("a=1 b=2")), Ok(Held { acknowledged: 1, unanswered: 1, refused: 1 }), "the last line was cut");
        assert_eq!(told.acknowledged().collect::<Vec<_>>(), [("a", "1")]);
    }

    #[test]
    fn every_fault_is_found() {
        let text = "try a\nack a 1\ntry b\nack b 2\ntry c\nnot c\n";
        let cases = [
            ("", "b=2", Fault::Lost("a".into())),
            ("", "a=1 b=2 b=2", Fault::Twice("b".into())),
            ("", "a=1 b=3", Fault::Other("b".into(), "2".into(), "3".into())),
            ("ack a 9\n", "a=1 b=2", Fault::Other("a".into(), "1".into(), "9".into())),
            ("", "a=1 b=2 x=7", Fault::Strange("x".into())),
            ("", "a=1 b=2 c=3", Fault::Refused("c".into())),
            ("note o/t1/0\\n5\\nroot\nnote o/t1/0\\n5\\nother\n", "a=1 b=2", Fault::Fork("o/t1/0".into(), 5)),
            ("note o\n", "a=1 b=2", Fault::NoNote("o".into())),
        ];
        for (more, at, fault) in cases {
            assert_eq!(told(&format!("{text}{more}")).held(there(at)), Err(vec![fault]));
        }
        assert!(told(text).held(there("a=1 b=2")).is_ok());
    }

    #[test]
    fn a_checkpoint_is_a_line() {
        let note = "o/t1/0\n5\nroot=\n\n\u{2014} o sig\n";
        let told = told(&format!("{}\n{}\n", line_of(note), line_of(note)));
        assert_eq!(told.notes().collect::<Vec<_>>(), [note]);
        assert!(told.held([]).is_ok());
    }
}
