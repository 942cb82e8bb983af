//! What a program asked of the engine and what it told its callers, as lines; and the account of it, against which a store is held.
//!
//! ```text
//! ask 1-0-7 begin t1 i1-0-7 p1-0
//! got 1-0-7 t1 <record> <seq> <checkpoint>
//! did 1-0-8
//! not 1-0-9 hos.store_full
//! unknown 1-0-9 hos.outcome_unknown
//! ```

use std::collections::BTreeMap;

/// What is asked. Each is done at most once in a history, so that it can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    Found,
    /// The mark outside is written.
    Mark,
    Tenant(String),
    Person(String),
    /// An order of a tenant's begins, with a person among its facts.
    Begin(String, String, String),
    /// It moves.
    Go(String, String),
    /// It is asked to move by somebody who may not.
    Refused(String, String),
    /// A note in a stream of the tenant's.
    Note(String, String),
    /// A law of this number comes into force.
    Activate(usize),
    Erase(String),
    /// The second key takes over.
    Rotate,
    /// The store is copied to a file of this name.
    Backup(String),
    /// The vault is.
    Vault(String),
}

impl Deed {
    fn words(&self) -> String {
        match self {
            Self::Found => "found".into(),
            Self::Mark => "mark".into(),
            Self::Tenant(name) => format!("tenant {name}"),
            Self::Person(name) => format!("person {name}"),
            Self::Begin(tenant, id, who) => format!("begin {tenant} {id} {who}"),
            Self::Go(tenant, id) => format!("go {tenant} {id}"),
            Self::Refused(tenant, id) => format!("refused {tenant} {id}"),
            Self::Note(tenant, text) => format!("note {tenant} {text}"),
            Self::Activate(number) => format!("activate {number}"),
            Self::Erase(who) => format!("erase {who}"),
            Self::Rotate => "rotate".into(),
            Self::Backup(name) => format!("backup {name}"),
            Self::Vault(name) => format!("vault {name}"),
        }
    }

    fn read(words: &[&str]) -> Option<Self> {
        let own = |text: &&str| (*text).to_owned();
        Some(match words {
            ["found"] => Self::Found,
            ["mark"] => Self::Mark,
            ["tenant", name] => Self::Tenant(own(name)),
            ["person", name] => Self::Person(own(name)),
            ["begin", tenant, id, who] => Self::Begin(own(tenant), own(id), own(who)),
            ["go", tenant, id] => Self::Go(own(tenant), own(id)),
            ["refused", tenant, id] => Self::Refused(own(tenant), own(id)),
            ["note", tenant, text] => Self::Note(own(tenant), own(text)),
            ["activate", number] => Self::Activate(number.parse().ok()?),
            ["erase", who] => Self::Erase(own(who)),
            ["rotate"] => Self::Rotate,
            ["backup", name] => Self::Backup(own(name)),
            ["vault", name] => Self::Vault(own(name)),
            _ => return None,
        })
    }
}

/// A receipt, as a caller keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) tenant: String,
    pub(crate) record: String,
    /// Its place in the tenant's log.
    pub(crate) seq: u64,
    /// The signed note that covers it.
    pub(crate) checkpoint: Option<String>,
}

/// What a caller knows of what it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No answer yet.
    Open,
    /// An answer that leaves it open. A later one may settle it with a yes; a no says of its own attempt alone that it did nothing.
    Unknown,
    /// It is done.
    Done(Option<Kept>),
    /// It is not done.
    Not(String),
    /// The law said no to what it allows. Nothing of what is asked here is forbidden, but [`Deed::Refused`].
    Denied(String),
}

/// The lines that a program tells.
pub(crate) mod line {
    use super::{Deed, Kept};

    pub(crate) fn ask(id: &str, deed: &Deed) -> String {
        format!("ask {id} {}", deed.words())
    }

    pub(crate) fn done(id: &str, kept: Option<&Kept>) -> String {
        match kept {
            None => format!("did {id}"),
            Some(kept) => {
                let note = kept.checkpoint.as_deref().unwrap_or("-").replace('\n', "|").replace(' ', "~");
                format!("got {id} {} {} {} {note}", kept.tenant, kept.record, kept.seq)
            }
        }
    }

    /// An outcome that is none: `not`, `unknown`, `denied`.
    pub(crate) fn other(word: &str, id: &str, code: &str) -> String {
        format!("{word} {id} {code}")
    }
}

/// What is known, by the ids of what was asked, in the order of asking.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    asked: BTreeMap<String, usize>,
    pub(crate) deeds: Vec<(Deed, Outcome)>,
}

impl Account {
    /// Takes a further line.
    pub(crate) fn take(&mut self, line: &str) -> Result<(), String> {
        let wrong = || format!("`{line}` is no line of an account");
        let words: Vec<&str> = line.split(' ').collect();
        let [word, id, rest @ ..] = words.as_slice() else { return Err(wrong()) };
        if *word == "ask" {
            let deed = Deed::read(rest).ok_or_else(wrong)?;
            // What is asked again under its once-key is the same deed.
            if !self.asked.contains_key(*id) {
                self.asked.insert((*id).to_owned(), self.deeds.len());
                self.deeds.push((deed, Outcome::Open));
            }
            return Ok(());
        }
        let at = *self.asked.get(*id).ok_or_else(wrong)?;
        let was = &self.deeds[at].1;
        self.deeds[at].1 = match (*word, rest) {
            ("did", []) => Outcome::Done(None),
            ("got", [tenant, record, seq, note]) => Outcome::Done(Some(Kept {
                tenant: (*tenant).to_owned(),
                record: (*record).to_owned(),
                seq: seq.parse().map_err(|_| wrong())?,
                checkpoint: (*note != "-").then(|| note.replace('|', "\n").replace('~', " ")),
            })),
            // A no to what may be done already: that it is there, say.
            ("not" | "denied", [_]) if *was == Outcome::Unknown => Outcome::Unknown,
            ("not", [code]) => Outcome::Not((*code).to_owned()),
            ("denied", [code]) => Outcome::Denied((*code).to_owned()),
            ("unknown", [_]) => Outcome::Unknown,
            _ => return Err(wrong()),
        };
        Ok(())
    }

    /// Whether it is done for sure.
    pub(crate) fn is_done(&self, deed: &Deed) -> bool {
        self.deeds.iter().any(|(of, outcome)| of == deed && matches!(outcome, Outcome::Done(_)))
    }

    /// Whether it may be done: asked, and not told that it is not.
    pub(crate) fn may_be_done(&self, deed: &Deed) -> bool {
        self.deeds
            .iter()
            .any(|(of, outcome)| of == deed && matches!(outcome, Outcome::Done(_) | Outcome::Open | Outcome::Unknown))
    }

    /// How often it is done for sure, and how often besides that it may be.
    pub(crate) fn times(&self, deed: &Deed) -> (usize, usize) {
        let of = |wanted: fn(&Outcome) -> bool| self.deeds.iter().filter(|(of, outcome)| of == deed && wanted(outcome)).count();
        (of(|outcome| matches!(outcome, Outcome::Done(_))), of(|outcome| matches!(outcome, Outcome::Open | Outcome::Unknown)))
    }

    /// Receipts, in the order of asking.
    pub(crate) fn receipts(&self) -> impl Iterator<Item = (&Deed, &Kept)> {
        self.deeds.iter().filter_map(|(deed, outcome)| match outcome {
            Outcome::Done(Some(kept)) => Some((deed, kept)),
            _ => None,
        })
    }

    /// How many answers were given that bind.
    pub(crate) fn acknowledged(&self) -> usize {
        self.deeds.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Done(_))).count()
    }
}

#[test]
fn an_account_is_what_was_told_last() {
    let kept = Kept { tenant: "t1".into(), record: "ab".into(), seq: 3, checkpoint: Some("o rigin\n3\n\n— x y\n".into()) };
    let begin = Deed::Begin("t1".into(), "i".into(), "p".into());
    let mut account = Account::default();
    account.take(&line::ask("1", &begin)).unwrap();
    assert!(account.may_be_done(&begin) && !account.is_done(&begin));
    account.take(&line::other("unknown", "1", "hos.outcome_unknown")).unwrap();
    account.take(&line::ask("1", &begin)).unwrap();
    account.take(&line::other("not", "1", "hos.store_busy")).unwrap();
    assert!(account.may_be_done(&begin), "the first attempt may have done it");
    account.take(&line::done("1", Some(&kept))).unwrap();
    assert_eq!(account.receipts().collect::<Vec<_>>(), [(&begin, &kept)]);
    account.take(&line::ask("2", &Deed::Rotate)).unwrap();
    account.take(&line::other("not", "2", "hos.store_full")).unwrap();
    assert!(!account.may_be_done(&Deed::Rotate));
    let note = Deed::Note("t1".into(), "n".into());
    account.take(&line::ask("3", &note)).unwrap();
    account.take(&line::other("unknown", "3", "hos.outcome_unknown")).unwrap();
    account.take(&line::ask("4", &note)).unwrap();
    account.take(&line::done("4", None)).unwrap();
    assert_eq!(account.times(&note), (1, 1), "one for sure, and one that nobody knows of");
    assert_eq!(account.acknowledged(), 2);
    assert!(account.take("got 7").is_err() && account.take("ask 8 dance").is_err());
}
