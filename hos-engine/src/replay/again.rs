//! Every kept decision judged again, under the laws it was judged under.

use super::ReplayOptions;
use super::walk::Walk;
use crate::Failure;
use crate::court::Court;
use crate::report::Level;
use crate::store::Tx;
use crate::store::sql::law as sql;
use hos_core::audit::replay::{Outcome, Past};
use hos_core::id::{Handle, LawHash, RecordHash, Tenant};
use hos_core::law::{Law, Modes};
use std::collections::HashMap;
use std::sync::Arc;

/// How many differing records a report lists.
const LISTED_MAX: usize = 20;

/// What judging the past again came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Records judged again, with the same answer.
    pub replayed: u64,
    /// Records of which a needed part is erased.
    pub erased: u64,
    /// Records that attest what the law did not judge.
    pub attested: u64,
    /// Records that come to something else.
    pub differs: u64,
    /// The first of them, by tenant, then by place in the log.
    pub listed: Vec<Differing>,
    /// The level that the evidence reached by itself, where it was verified too.
    pub evidence: Option<Level>,
}

/// A record that comes to something else when it is judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The tenant.
    pub tenant: Tenant,
    /// Its place in the log; `None` while it waits.
    pub seq: Option<u64>,
    /// Its thread.
    pub thread: Handle,
    /// Its place there.
    pub n: u64,
    /// The contract and event, as far as the header says.
    pub event: String,
    /// What differs.
    pub what: String,
    /// As the record says.
    pub was: String,
    /// As it is judged now.
    pub now: String,
}

impl ReplayReport {
    fn differ(&mut self, one: Differing) {
        self.differs += 1;
        let key = |d: &Differing| (d.tenant.clone(), d.seq.unwrap_or(u64::MAX), d.thread, d.n);
        let place = self.listed.partition_point(|have| key(have) < key(&one));
        self.listed.insert(place, one);
        self.listed.truncate(LISTED_MAX);
    }
}

/// Laws as the store keeps them.
pub(super) fn laws<'l>(tx: &'l Tx<'_>, court: &'l Court) -> impl Fn(&LawHash) -> Option<Arc<Law>> + 'l {
    |hash| court.laws.get(tx, hash).ok()
}

/// The table of modes that each activation set, by its record. A row that cannot be read is for who verifies to tell.
pub(super) fn modes(tx: &Tx<'_>) -> Result<HashMap<RecordHash, Arc<Modes>>, Failure> {
    let rows = tx.rows(&sql::activations())?;
    let activations = rows.iter().filter_map(|row| sql::activation_from(row).ok());
    Ok(activations.map(|activation| (activation.record, Arc::new(activation.modes))).collect())
}

/// Judges again.
pub(crate) fn again(tx: &Tx<'_>, court: &Court, options: &ReplayOptions<'_>) -> Result<ReplayReport, Failure> {
    let laws = laws(tx, court);
    let tables = modes(tx)?;
    let activated = |record: &RecordHash| tables.get(record).cloned();
    let past = Past::new(&laws).activated(&activated);
    let mut walk = Walk::new(tx, court, &past, options);
    let mut report = ReplayReport::default();
    for tenant in walk.tenants()? {
        let rows = walk.rows(&tenant)?;
        walk.tenant(&tenant, &mut |seen, before| {
            let outcome = match past.again(seen.record, before) {
                Outcome::Same => rows.held(seen.record, tenant.is_universe(), seen.place),
                other => other,
            };
            match outcome {
                Outcome::Same => report.replayed += 1,
                Outcome::Erased => report.erased += 1,
                Outcome::Attested => report.attested += 1,
                Outcome::Differs(difference) => report.differ(Differing {
                    tenant: seen.tenant.clone(),
                    seq: seen.seq,
                    thread: seen.record.header.thread,
                    n: seen.n,
                    event: event(seen.record.header),
                    what: difference.what,
                    was: difference.was,
                    now: difference.now,
                }),
            }
            Ok(())
        })?;
    }
    Ok(report)
}

/// What a record is about, in words.
pub(super) fn event(header: &hos_core::proof::record::Header) -> String {
    let event = header.event.as_ref().map_or("-", |e| e.as_str());
    match &header.contract {
        Some(contract) => format!("{contract}.{event}"),
        None => event.to_owned(),
    }
}
