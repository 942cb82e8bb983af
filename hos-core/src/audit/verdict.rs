//! What a verifier says at the end: the same object from every verifier.

use super::ends::Complete;
use super::logs::Log;
use super::refused::Refused;
use super::story::Story;
use crate::id::Name;
use crate::proof::bundle::{Bundle, Why};
use crate::proof::record::{Durability, Kind};

/// How far the evidence reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Something does not hold.
    Refused(Refused),
    /// Everything holds under a log's key that the trust file names.
    Intact,
    /// And somebody besides the log vouches for the checkpoint.
    Anchored,
}

impl Standing {
    /// `refused`, `intact`, `anchored`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Standing::Refused(_) => "refused",
            Standing::Intact => "intact",
            Standing::Anchored => "anchored",
        }
    }
}

/// Which instance it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its contract.
    pub contract: Name,
    /// Its id, where that is disclosed.
    pub id: Option<String>,
}

/// What a reader should know besides. The order is that in which they are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// The exporter kept parts back.
    HiddenParts,
    /// Parts are erased.
    ErasedParts,
    /// Times are claims.
    ClaimedTime,
    /// A record's transaction could be lost with the power, or nobody knows.
    WeakDurability,
    /// Nothing says that the records are all.
    NoMap,
    /// The checkpoint covers entries that the map does not.
    LaterEntries,
    /// No witness was asked for.
    NoWitness,
    /// A role could not be traced, for a part is withheld.
    DirectoryWithheld,
    /// A record attests what the law did not judge.
    Attested,
    /// The trust file names a key that the records of keys do not tell of.
    FormerKey,
}

impl Notice {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Notice::HiddenParts => "hidden_parts",
            Notice::ErasedParts => "erased_parts",
            Notice::ClaimedTime => "claimed_time",
            Notice::WeakDurability => "weak_durability",
            Notice::NoMap => "no_map",
            Notice::LaterEntries => "later_entries",
            Notice::NoWitness => "no_witness",
            Notice::DirectoryWithheld => "directory_withheld",
            Notice::Attested => "attested",
            Notice::FormerKey => "former_key",
        }
    }
}

/// The verdict on a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How far the evidence reaches.
    pub standing: Standing,
    /// The log's origin; empty where it is not believed. So are all that follow.
    pub origin: String,
    /// The checkpoint's size.
    pub size: u64,
    /// Which instance.
    pub instance: Option<Instance>,
    /// How many records.
    pub records: u64,
    /// The last record's place: from 0 to it there is no gap.
    pub gapless: Option<u64>,
    /// Whether they are all.
    pub complete: Option<Complete>,
    /// Parts opened, hidden, erased.
    pub parts: (u64, u64, u64),
    /// The witnesses that vouch for the checkpoint.
    pub witnesses: Vec<String>,
    /// What a reader should know besides.
    pub notices: Vec<Notice>,
    /// The states that the instance went through, for a person.
    pub states: Vec<Name>,
}

impl Verdict {
    /// A verdict of refusal, which says nothing else.
    pub fn refused(refused: Refused) -> Self {
        Self {
            standing: Standing::Refused(refused),
            origin: String::new(),
            size: 0,
            instance: None,
            records: 0,
            gapless: None,
            complete: None,
            parts: (0, 0, 0),
            witnesses: Vec::new(),
            notices: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Whether nothing was found wrong.
    pub fn holds(&self) -> bool {
        !matches!(self.standing, Standing::Refused(_))
    }
}

/// What was seen on the way that changes what is said.
pub(super) struct Told {
    /// A role could not be traced.
    pub(super) withheld: bool,
    /// The trust file names a key that the records of keys do not tell of.
    pub(super) former_key: bool,
    /// Somebody besides the log vouches for the checkpoint.
    pub(super) anchored: bool,
    /// The witnesses that count, as the trust file names them.
    pub(super) witnesses: Vec<String>,
}

pub(super) fn of(bundle: &Bundle, logs: &[Log], story: &Story<'_>, complete: Option<Complete>, told: &Told) -> Verdict {
    let (first, log) = (story.records.first(), logs.first());
    let size = log.map_or(0, |l| l.checkpoint.size);
    let instance = first.and_then(|held| {
        let contract = held.header.contract.clone()?;
        Some(Instance { contract, id: held.ids().next().flatten() })
    });
    let count = |of: fn(&super::item::Held<'_>) -> u64| story.records.iter().map(of).sum::<u64>();
    let opened = count(|held| held.item.opened.len() as u64);
    let (hidden, erased) = (count(|held| held.withheld(Why::Hidden)), count(|held| held.withheld(Why::Erased)));
    let any = |of: fn(&super::item::Held<'_>) -> bool| story.records.iter().any(of);
    let said = [
        (Notice::HiddenParts, hidden > 0),
        (Notice::ErasedParts, erased > 0),
        (Notice::ClaimedTime, true),
        (Notice::WeakDurability, any(|held| held.header.durability != Durability::Full)),
        (Notice::NoMap, bundle.heads.is_none()),
        (Notice::LaterEntries, complete.is_some_and(|c| size > c.as_of + 1)),
        (Notice::NoWitness, told.witnesses.is_empty()),
        (Notice::DirectoryWithheld, told.withheld),
        (Notice::Attested, any(|held| matches!(held.header.kind, Kind::Observed | Kind::Adopted | Kind::Legacy))),
        (Notice::FormerKey, told.former_key),
    ];
    let mut states: Vec<Name> =
        story.records.iter().filter(|held| held.header.kind != Kind::Legacy).filter_map(|held| held.header.to.clone()).collect();
    states.dedup();
    Verdict {
        standing: if told.anchored { Standing::Anchored } else { Standing::Intact },
        origin: log.map(|l| l.checkpoint.origin.clone()).unwrap_or_default(),
        size,
        instance,
        records: story.records.len() as u64,
        gapless: story.records.last().and_then(|held| held.place().ok()).map(|place| place.n),
        complete,
        parts: (opened, hidden, erased),
        witnesses: told.witnesses.clone(),
        notices: said.into_iter().filter(|(_, is)| *is).map(|(notice, _)| notice).collect(),
        states,
    }
}
