//! `verify`: the log of every tenant from its bytes, and every derived row against the fold of the records.
//!
//! Nothing is believed because it is stored: hashes, tiles, heads, states, directory rows, deadlines, once-keys and messages are
//! made anew from the records and compared; what differs is located by table, key and column.
//!
//! Memory: what is known of threads, once-keys, messages and deadlines has a bound ([`aside`]), and long tables are read page by page. What
//! grows with the directory, which every process that judges holds as well, with named streams, tenants, laws, erasures and the universe's
//! record of roots, is held whole; so are disputed records, what leads to nothing, and of a log that is not read from its beginning the
//! threads that went on since.

mod aside;
mod copies;
mod cosigned;
mod crew;
mod deadlines;
mod epochs;
pub(crate) mod erasures;
mod fold;
mod folded;
mod gone;
mod heads;
mod instances;
mod keys;
mod laws;
mod left;
mod log;
mod messages;
mod met;
mod onces;
mod owners;
mod page;
mod ring;
mod roots;
mod rows;
mod schema;
mod since;
mod tiles;
mod unread;

use crate::Failure;
use crate::court::epoch::marked_size;
use crate::court::{Court, lock};
use crate::report::{CosignedNote, Level, VerifyOptions, VerifyReport};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::evidence as sql;
use crate::store::sqlite::SqliteStore;
use crate::store::{StoreError, Tx};
use crate::vault::Vault;
use crew::Beside;
use hos_core::id::{KeyId, Tenant};
use hos_core::proof::checkpoint::origin_parts;
use hos_core::proof::keyring::KeyRing;
use hos_core::proof::trust::Trust;
use std::collections::HashSet;
use std::path::Path;

/// How many findings a report lists.
const FINDINGS_MAX: usize = 200;

/// What does not hold, as it is found.
#[derive(Default)]
pub(crate) struct Findings {
    listed: Vec<(String, String)>,
    more: u64,
}

impl Findings {
    pub(crate) fn add(&mut self, at: impl Into<String>, what: impl Into<String>) {
        if self.listed.len() < FINDINGS_MAX {
            self.listed.push((at.into(), what.into()));
        } else {
            self.more += 1;
        }
    }

    /// Puts findings before all others: they may be why the others were made.
    fn lead(&mut self, first: Vec<(String, String)>) {
        let others = std::mem::replace(&mut self.listed, first);
        self.listed.extend(others);
        self.more += self.listed.len().saturating_sub(FINDINGS_MAX) as u64;
        self.listed.truncate(FINDINGS_MAX);
    }

    /// Adds a finding unless the two are the same.
    pub(crate) fn same<T: PartialEq>(&mut self, at: impl Fn() -> String, found: &T, wanted: &T, what: &str) {
        if found != wanted {
            self.add(at(), what);
        }
    }
}

/// What a pass over a store needs beside the store.
pub(crate) struct Pass<'p> {
    pub(crate) court: &'p Court,
    ring: &'p ring::KeyRing<'p>,
    /// Whose the keys are that were met.
    owners: owners::Owners,
    pub(crate) threads: usize,
    /// The store's keys, as its records of them say, and their contents.
    pub(crate) seals: KeyRing,
    pub(crate) key_records: Vec<Vec<u8>>,
    /// What the universe says of tenants' roots.
    roots: roots::Roots,
    /// Cosigned checkpoints that are kept, and whose cosignatures the verifier believes.
    cosigned: Vec<CosignedNote>,
    trust: Option<&'p Trust>,
    pub(crate) laws: laws::Laws,
    pub(crate) findings: Findings,
    pub(crate) notices: Vec<String>,
    pub(crate) erased_parts: u64,
    pub(crate) gone: erasures::Gone,
    pub(crate) records: u64,
    pub(crate) total: u64,
    pub(crate) progress: Option<&'p dyn Fn(u64, u64)>,
    /// Logs that are not read from their beginning, and the first entry that is.
    since: Vec<(String, u64)>,
    /// How much is kept in memory of what grows with a log.
    room: aside::Room,
    /// Makes the marks of what is put aside.
    marks: aside::Marks,
}

/// Verifies a whole store in one read transaction. On more threads than one, a `file` is looked at by a thread that reads for itself.
pub(crate) fn store(
    tx: &Tx<'_>,
    court: &Court,
    options: &VerifyOptions<'_>,
    file: Option<&SqliteStore<Court>>,
) -> Result<VerifyReport, Failure> {
    let mut report = knowing(tx, court, options, file, &HashSet::new())?;
    if file.is_some_and(SqliteStore::is_apart) {
        let what = "the store lacks steps of the schema: what was verified is a copy that has them, and the store is as it was";
        report.notices.push(what.into());
    }
    Ok(report)
}

/// The same of a copy of a store whose own records tell that these keys were destroyed.
fn knowing(
    tx: &Tx<'_>,
    court: &Court,
    options: &VerifyOptions<'_>,
    file: Option<&SqliteStore<Court>>,
    known: &HashSet<KeyId>,
) -> Result<VerifyReport, Failure> {
    // That takes the whole file.
    if options.since.iter().any(|note| vouches(note)) {
        return passed(tx, court, options, known, None);
    }
    let file = file.filter(|_| options.threads > 1);
    let look = file.map(|file| || file.read(schema::faults));
    crew::beside(look, |look| passed(tx, court, options, known, Some(look)))
}

fn passed(
    tx: &Tx<'_>,
    court: &Court,
    options: &VerifyOptions<'_>,
    known: &HashSet<KeyId>,
    look: Option<Beside<'_, Result<schema::Faults, StoreError>>>,
) -> Result<VerifyReport, Failure> {
    let room = aside::Room::of(options.memory);
    let ring = ring::KeyRing::new(&court.vault, erasures::named(tx), room.keys);
    let mut pass = Pass {
        court,
        ring: &ring,
        owners: owners::Owners::new(room.keys),
        threads: options.threads,
        seals: KeyRing::default(),
        key_records: Vec::new(),
        roots: roots::Roots::default(),
        cosigned: Vec::new(),
        trust: options.trust,
        laws: laws::Laws::default(),
        findings: Findings::default(),
        notices: Vec::new(),
        erased_parts: 0,
        gone: erasures::Gone::default(),
        records: 0,
        total: 0,
        progress: options.progress,
        since: Vec::new(),
        room,
        marks: aside::Marks::new(&*court.entropy)?,
    };
    let anchors: Vec<String> = options.anchors.iter().chain(&options.since).cloned().collect();
    keys::read(tx, &mut pass, options.vkey.as_deref())?;
    laws::read(tx, &mut pass)?;
    roots::read(tx, &mut pass)?;
    let tenants = court.tenants(tx)?;
    let mut counted = Vec::with_capacity(tenants.len());
    for tenant in &tenants {
        let records = tx.row(&sql::record_count(tenant))?.map_or(Ok(0), |row| row.uint(0))?;
        pass.total += records;
        counted.push(records);
    }
    schema::compare(tx, &mut pass)?;
    let mut logs = Vec::new();
    let mut unsealed = (0, 0);
    let (mut anchored, mut vouched) = (Vec::new(), 0);
    let mut universe = None;
    for (tenant, records) in tenants.iter().zip(counted) {
        let since = anchors_of(&options.since, court, tenant);
        let mut done = log::verify(tx, &mut pass, (tenant, records), &anchors_of(&anchors, court, tenant), &since)?;
        rows::compare(tx, &mut pass, tenant, &mut done.fold)?;
        unread::compare(tx, &mut pass, tenant)?;
        unsealed.0 += done.unsealed.0;
        unsealed.1 = unsealed.1.max(done.unsealed.1);
        vouched += done.anchored.len();
        if let Some(&size) = done.anchored.iter().max() {
            anchored.push((tenant.to_string(), size));
        }
        logs.push((tenant.to_string(), done.size, done.root.to_string()));
        pass.notices.extend(court.unsigned(tenant, done.size));
        pass.notices.extend(court.signed_late(tenant));
        pass.notices.extend(done.fold.untimely.told());
        if tenant.is_universe() {
            universe = Some(done.fold);
        }
    }
    match &universe {
        Some(fold) => {
            rows::compare_store(tx, &mut pass, fold, &tenants)?;
            erasures::compare(tx, &mut pass, &fold.erasures, known)?;
            pass.roots.finish(&mut pass.findings, &fold.roots);
        }
        None => pass.findings.add("hos_tenant universe", "the universe is missing"),
    }
    strangers(tx, &mut pass, &tenants)?;
    match look {
        // Where the thread could not read, this one does.
        Some(look) => pass.findings.lead(look.finish().and_then(Result::ok).map_or_else(|| schema::faults(tx), Ok)?),
        None if tx.dialect() == Dialect::Sqlite => {
            let what = "it was not looked whether the tables and their indexes hold the same rows: that takes the whole file";
            pass.notices.push(what.into());
        }
        None => {}
    }
    let is_known = |anchor: &&String| tenants.iter().any(|t| !anchors_of(std::slice::from_ref(*anchor), court, t).is_empty());
    for anchor in anchors.iter().filter(|anchor| !is_known(anchor)) {
        pass.findings.add(
            "anchor",
            format!("no log of this store has the origin `{}`", hos_core::id::Shown(anchor.lines().next().unwrap_or_default())),
        );
    }
    if let Some(why) = lock(&court.quarantine).clone() {
        pass.findings.add("mark", why);
    }
    pass.notices.extend(lock(&court.excused).iter().cloned());
    if let Some(trouble) = court.mark.as_ref().and_then(|mark| mark.trouble()) {
        pass.notices.push(format!("the mark outside the store lags behind: {}", trouble.message));
    }
    if unsealed.0 > 0 {
        pass.notices.push(format!("{} record(s) are not sealed yet; the oldest is {} ms old", unsealed.0, unsealed.1));
    }
    if pass.erased_parts > 0 {
        pass.notices.push(format!("{} part(s) were erased: their commitments stand, their content is gone", pass.erased_parts));
    }
    if options.trust.is_none() && !pass.cosigned.is_empty() {
        let what = "the keys of who cosigned are the store's own word: only a trust file of yours says which are a witness's";
        pass.notices.push(what.into());
    }
    for anchor in anchors.iter().filter(|anchor| !vouches(anchor)) {
        let of = hos_core::id::Shown(anchor.lines().next().unwrap_or_default());
        pass.notices.push(format!("the checkpoint of `{of}` is of no entries: it vouches for nothing"));
    }
    let vouching = anchors.iter().filter(|anchor| vouches(anchor)).count();
    if vouching == 0 {
        pass.notices.push("no checkpoint from outside was given: an operator who rewrote everything would not be seen".into());
    }
    let broken = !pass.findings.listed.is_empty();
    let all_anchored = vouching > 0 && vouched >= vouching && !broken;
    if all_anchored {
        pass.notices.extend(beyond(&logs, &anchored));
    } else {
        anchored.clear();
    }
    let level = if broken {
        Level::Broken
    } else if all_anchored {
        Level::Anchored
    } else {
        Level::Intact
    };
    if pass.findings.more > 0 {
        let more = pass.findings.more;
        pass.findings.listed.push(("report".into(), format!("{more} further finding(s) are not listed")));
    }
    Ok(VerifyReport {
        level,
        records: pass.records,
        logs,
        since: pass.since,
        anchored,
        unsealed,
        erased_parts: pass.erased_parts,
        cosigned: pass.cosigned,
        findings: pass.findings.listed,
        notices: pass.notices,
    })
}

/// Verifies a copy of the store, such as a backup before it is called one; keys come from the store's own vault, which may have lost some
/// since: `known` are those of which the store's own records tell it.
pub(crate) fn copy(path: &Path, court: &Court, known: &HashSet<KeyId>) -> Result<VerifyReport, Failure> {
    let options =
        crate::store::sqlite::OpenOptions::new(crate::store::sql::schema::APPLICATION_ID, crate::store::sql::schema::MIGRATIONS);
    let copy = SqliteStore::<Court>::open(path, options.read_only(true))?;
    let mut failed = None;
    let report = copy.read(|tx| {
        knowing(tx, court, &VerifyOptions::default(), None, known).map_err(|failure| {
            let error = crate::store::StoreError::from(failure.clone());
            failed = Some(failure);
            error
        })
    });
    report.map_err(|error| failed.unwrap_or_else(|| error.into()))
}

/// What of the logs no checkpoint from outside reaches.
fn beyond(logs: &[(String, u64, String)], anchored: &[(String, u64)]) -> Option<String> {
    let reached = |tenant: &String| anchored.iter().find(|(of, _)| of == tenant).map_or(0, |(_, size)| *size);
    let short: Vec<String> = logs
        .iter()
        .filter(|(tenant, size, _)| reached(tenant) < *size)
        .map(|(tenant, size, _)| match reached(tenant) {
            0 => format!("`{tenant}`"),
            from => format!("`{tenant}` from entry {from} to {}", size - 1),
        })
        .collect();
    let (named, more) = (short.iter().take(BEYOND_NAMED).cloned().collect::<Vec<_>>(), short.len().saturating_sub(BEYOND_NAMED));
    let more = if more > 0 { format!(" and {more} log(s) more") } else { String::new() };
    (!short.is_empty()).then(|| {
        let named = named.join(", ");
        format!("no checkpoint from outside reaches {named}{more}: an operator who rewrote that would not be seen")
    })
}

/// Whether a checkpoint from outside says anything of a log: one of no entries goes before every history.
fn vouches(anchor: &str) -> bool {
    marked_size(anchor) != Some(0)
}

/// The checkpoints that are of a tenant's log, in any epoch that the store has had.
fn anchors_of<'o>(anchors: &'o [String], court: &Court, tenant: &Tenant) -> Vec<&'o str> {
    let is_of = |anchor: &&str| {
        let parts = origin_parts(anchor.lines().next().unwrap_or_default());
        parts.is_some_and(|(store, of, epoch)| store == court.of.store && of == *tenant && epoch <= court.of.epoch)
    };
    anchors.iter().map(String::as_str).filter(is_of).collect()
}

/// How many logs are named that no checkpoint from outside reaches.
const BEYOND_NAMED: usize = 8;

/// Tables whose rows are the universe's alone: nothing reads those of others.
const UNIVERSAL: [&str; 4] = ["hos_store", "hos_law", "hos_activation", "hos_vault"];

/// Rows of tenants that the store does not know, or that have none in a table.
fn strangers(tx: &Tx<'_>, pass: &mut Pass<'_>, tenants: &[Tenant]) -> Result<(), Failure> {
    for (table, statement) in rows::tenants_by_table() {
        for row in tx.rows(&statement)? {
            let name = row.text(0).unwrap_or("?");
            let at = || format!("{table} {}", hos_core::id::Shown(name));
            if table == "hos_vault" && matches!(pass.court.vault, Vault::File(_)) {
                pass.findings.add(at(), "keys of persons lie in a file of their own, and none belongs here");
            } else if !tenants.iter().any(|t| t.as_str() == name) {
                pass.findings.add(at(), "rows of a tenant that was never opened");
            } else if name != Tenant::UNIVERSE && UNIVERSAL.contains(&table) {
                pass.findings.add(at(), "rows of a tenant that has none here: the universe's are all there are");
            }
        }
    }
    Ok(())
}
