//! The rounds of a call: pure, so that the I/O can belong to anyone.
//!
//! ```text
//! step(call, rows so far) -> Need(reads) | Settle(judged)      at most three rounds
//! ```
//!
//! The first round claims what the call is about (its once-key, its instance, its directory row); the second fetches what
//! only those rows could name (the record of a once-key, the law an instance began under). Whoever runs the rounds (our own
//! transaction now, a host's later) fetches what is needed, in the order given, and calls again.

use hos_core::call::{Call, Change};
use hos_core::id::{CallDigest, Handle, InstanceId, LawHash, Name, OnceKey, Uid};
use hos_core::judge::{self, BeginRows, Bench, DirectoryRows, Instance, Judged, OnceHit};
use std::sync::Arc;

/// How many rounds a call takes at most.
pub const ROUNDS_MAX: usize = 3;

/// A row that a call needs. Reads of one round are claimed in the order given: once-key, instance, directory row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// What a once-key was used for.
    Once(OnceKey),
    /// An instance, or its absence.
    Instance(Name, InstanceId),
    /// The tenant's own row of an entity.
    Entity(Uid),
    /// The tenant's own row of a grant.
    Grant(String),
    /// A record's header and place in the log.
    Record(Handle, u64),
    /// A law, compiled, with the tenant's directory bound to it.
    Law(LawHash),
}

/// What stands where an instance would be.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// The tombstone of an erased one.
    Erased,
    /// An instance.
    Live(Arc<Instance>),
}

/// The rows so far.
#[derive(Debug, Default)]
pub struct Rows {
    /// Answers [`Read::Once`]: digest, thread, n.
    pub once: Option<Option<(CallDigest, Handle, u64)>>,
    /// Answers [`Read::Instance`].
    pub instance: Option<Found>,
    /// Answers [`Read::Entity`] and [`Read::Grant`].
    pub directory: Option<DirectoryRows>,
    /// Answers [`Read::Record`].
    pub hit: Option<OnceHit>,
}

/// What comes of a round.
#[derive(Debug)]
pub enum Round {
    /// Fetch these and call again.
    Need(Vec<Read>),
    /// Done.
    Settle(Box<Judged>),
}

/// One round.
pub fn step(bench: &Bench<'_>, call: &Call, rows: &Rows) -> Round {
    let first = first_needs(call, rows);
    if !first.is_empty() {
        return Round::Need(first);
    }
    if let Some((_, thread, n)) = rows.once.flatten() {
        return match &rows.hit {
            Some(hit) => Round::Settle(Box::new(judge::again(bench, call, hit))),
            None => Round::Need(vec![Read::Record(thread, n)]),
        };
    }
    if let Some(Found::Live(instance)) = &rows.instance
        && instance.law != bench.active.law.hash
        && bench.guards.is_none()
    {
        return Round::Need(vec![Read::Law(instance.law)]);
    }
    Round::Settle(Box::new(settle(bench, call, rows)))
}

pub(crate) fn first_needs(call: &Call, rows: &Rows) -> Vec<Read> {
    let mut needs = Vec::new();
    if let Some(key) = call.once().filter(|_| rows.once.is_none()) {
        needs.push(Read::Once(key.clone()));
    }
    if let Some((contract, id)) = call.instance().filter(|_| rows.instance.is_none()) {
        needs.push(Read::Instance(contract.clone(), id.clone()));
    }
    if let Call::Directory(directory) = call
        && rows.directory.is_none()
    {
        needs.push(subject(&directory.change));
    }
    needs
}

/// The row that a change of the directory is of.
pub(crate) fn subject(change: &Change) -> Read {
    match change {
        Change::Put { uid, .. } | Change::Remove { uid } | Change::Join { uid, .. } | Change::Leave { uid, .. } => {
            Read::Entity(uid.clone())
        }
        Change::Grant { id, .. } | Change::Revoke { id } => Read::Grant(id.clone()),
    }
}

fn settle(bench: &Bench<'_>, call: &Call, rows: &Rows) -> Judged {
    let place = match &rows.instance {
        Some(Found::Live(_)) => BeginRows::Taken,
        Some(Found::Erased) => BeginRows::Erased,
        Some(Found::Nothing) | None => BeginRows::Free,
    };
    match call {
        Call::Begin(c) => judge::begin(bench, c, place),
        Call::Adopt(c) => judge::adopt(bench, c, place),
        Call::LegacyLog(c) => judge::legacy_log(bench, c, live(rows), place),
        Call::Transition(c) if matches!(rows.instance, Some(Found::Erased)) => judge::erased(bench, c),
        Call::Transition(c) => judge::transition(bench, c, live(rows)),
        Call::Note(c) => judge::note(bench, c),
        Call::Directory(c) => judge::change(bench, c, rows.directory.as_ref().unwrap_or(&DirectoryRows::default())),
    }
}

fn live(rows: &Rows) -> Option<&Instance> {
    match &rows.instance {
        Some(Found::Live(instance)) => Some(instance),
        _ => None,
    }
}
