//! The laws of the store, and when each was in force: a record cites an activation that the universe's log has, and is of the law that
//! it put in force.

use super::{Findings, Pass};
use crate::Failure;
use crate::court::founding::STREAM_LAW;
use crate::court::{roots, streams};
use crate::store::Tx;
use crate::store::sql::law as law_sql;
use hos_core::audit::ACTIVATION_SKEW_MS;
use hos_core::canon::Reader;
use hos_core::contract::step;
use hos_core::digest;
use hos_core::id::{LawHash, RecordHash};
use hos_core::law::Law;
use hos_core::proof::record::Header;
use hos_core::proof::view::HeaderView;
use hos_core::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// What an activation says: the law, the candidate, the modes' bytes.
pub(super) type Activation = (LawHash, Option<LawHash>, Vec<u8>);

/// The laws of a store, by their hash, and their activations.
#[derive(Default)]
pub(crate) struct Laws {
    by_hash: HashMap<LawHash, Arc<Law>>,
    reigns: HashMap<RecordHash, Reign>,
}

/// What an activation put in force, and until when.
struct Reign {
    law: LawHash,
    from: Timestamp,
    until: Option<Timestamp>,
}

/// Records that claim a time at which their activation was not in force: how many, and the first.
#[derive(Default)]
pub(super) struct Untimely {
    count: u64,
    first: Option<String>,
}

impl Untimely {
    /// A sentence, if there are any.
    pub(super) fn told(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(format!("{} record(s) claim a time at which another law was in force; the first: {first}", self.count))
    }
}

impl Laws {
    pub(super) fn get(&self, hash: &LawHash) -> Option<&Arc<Law>> {
        self.by_hash.get(hash)
    }

    pub(super) fn has(&self, hash: &LawHash) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// The kinds of messages that the move of a record sends by its law, of each branch that leads where it led: more than one where
    /// branches lead to one state.
    pub(super) fn sent(&self, header: &HeaderView<'_>) -> Option<Vec<Vec<&str>>> {
        let contract = &self.get(&header.guard_law.or(header.law)?)?.contracts.get(header.contract?)?.contract;
        let event = match header.from {
            Some(from) => contract.event(header.event?, from)?.0,
            None => contract.begins.get(header.event?)?,
        };
        let to = header.to?;
        let branches = event.branches.iter().filter(|branch| branch.to.as_str() == to);
        Some(branches.map(|branch| step::effects(event, branch).map(|effect| effect.kind.as_str()).collect()).collect())
    }

    /// Holds a record's activation against its law, and against its time: a host's transaction may see a law that another one has
    /// followed meanwhile, which is told and no fault.
    pub(super) fn hold(
        &self,
        (cited, law, time): (&RecordHash, Option<LawHash>, Timestamp),
        at: &dyn Fn() -> String,
        findings: &mut Findings,
        untimely: &mut Untimely,
    ) {
        let Some(reign) = self.reigns.get(cited) else {
            return findings.add(at(), format!("the record cites activation {cited}, which the store does not have"));
        };
        if law != Some(reign.law) {
            findings.add(at(), format!("the record cites activation {cited}, which put another law in force"));
        }
        let late = reign.until.is_some_and(|until| time.0 > until.0.saturating_add(ACTIVATION_SKEW_MS));
        if late || time.0.saturating_add(ACTIVATION_SKEW_MS) < reign.from.0 {
            untimely.count += 1;
            untimely.first.get_or_insert_with(at);
        }
    }
}

/// Reads every law and every activation. Files must be those of their hash, and must load.
pub(super) fn read(tx: &Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    for row in tx.rows(&law_sql::laws())? {
        let hash = row.bytes(0).map(LawHash);
        let at = || hash.as_ref().map_or_else(|_| "hos_law".to_owned(), |h| format!("hos_law {h}"));
        let files = match law_sql::files_from(&row, 1) {
            Ok(files) => files,
            Err(e) => {
                pass.findings.add(at(), e.message);
                continue;
            }
        };
        let found = digest::law_hash(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
        match hash {
            Ok(hash) if hash == found => match pass.court.laws.get(tx, &hash) {
                Ok(law) => {
                    pass.laws.by_hash.insert(hash, law);
                }
                Err(failure) => pass.findings.add(at(), failure.message),
            },
            _ => pass.findings.add(at(), format!("column files: these are the files of law {found}")),
        }
    }
    pass.laws.reigns = reigns(tx)?;
    Ok(())
}

/// What the records of activations say; what is wrong with one is told where its log is read.
fn reigns(tx: &Tx<'_>) -> Result<HashMap<RecordHash, Reign>, Failure> {
    let mut reigns = HashMap::new();
    let mut last: Option<RecordHash> = None;
    for row in streams::own_records(tx, STREAM_LAW)? {
        let (header, parts) = (row.blob(1)?, row.blob(2)?);
        let said = roots::content(header, parts).ok().and_then(|content| activation(&content));
        let (Ok(from), Some((law, ..))) = (Header::decode(header).map(|header| header.time), said) else { continue };
        if let Some(before) = last.and_then(|last| reigns.get_mut(&last)) {
            let Reign { until, .. } = before;
            *until = Some(from);
        }
        let record = digest::record_hash(header);
        reigns.insert(record, Reign { law, from, until: None });
        last = Some(record);
    }
    Ok(reigns)
}

/// An activation's content.
pub(super) fn activation(bytes: &[u8]) -> Option<Activation> {
    let mut r = Reader::new(bytes);
    if r.array().ok()? != 3 {
        return None;
    }
    let law = LawHash::from_slice(r.bytes().ok()?)?;
    let candidate = match r.bytes().ok()? {
        [] => None,
        bytes => Some(LawHash::from_slice(bytes)?),
    };
    let modes = r.bytes().ok()?.to_vec();
    r.end().ok().map(|()| (law, candidate, modes))
}
