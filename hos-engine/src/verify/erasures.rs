//! What erasures' records say against what is there: keys that must be gone, what was lost, who attested what.

use super::{Pass, left};
use crate::Failure;
use crate::court::lock;
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use hos_core::id::{KeyId, RecordHash, Tenant, TreeHash};
use hos_core::proof::erasure::{Attestation, Erasure, Lost, RecordList};
use hos_core::proof::record::Kind;
use hos_core::proof::tree::Frontier;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The records that hold parts under keys that are gone, as the logs are gone through.
#[derive(Default)]
pub(crate) struct Gone {
    theirs: HashMap<KeyId, Theirs>,
    /// Once-keys that are there, of records whose own words are under these keys.
    onces: Vec<(String, Vec<KeyId>)>,
    /// Instances whose facts are under one of these keys, and whose threads no erasure ended.
    living: Vec<(String, KeyId)>,
}

/// How many once-keys of which nothing can be said, and how many instances, are held against the erasures.
const ONCES_MAX: usize = 10_000;

#[derive(Clone, Default)]
struct Theirs {
    lost: BTreeMap<(Tenant, Kind), u64>,
    list: RecordList,
    queued: u64,
}

impl Gone {
    /// Takes a record that holds parts under a destroyed key; `seq` is its place, if it has one.
    pub(super) fn take(&mut self, key: KeyId, tenant: &Tenant, kind: Kind, seq: Option<u64>, record: &RecordHash) {
        let theirs = self.theirs.entry(key).or_default();
        *theirs.lost.entry((tenant.clone(), kind)).or_default() += 1;
        match seq {
            Some(seq) => theirs.list.push(tenant, seq, record),
            None => theirs.queued += 1,
        }
    }

    /// Takes a once-key that is there, of a record that holds parts under destroyed keys.
    pub(super) fn took(&mut self, at: &dyn Fn() -> String, keys: &[KeyId]) {
        if self.onces.len() < ONCES_MAX {
            self.onces.push((at(), keys.to_vec()));
        }
    }

    /// Takes an instance whose facts are under a destroyed key, and whose thread no erasure ended.
    pub(super) fn lives(&mut self, at: &str, key: KeyId) {
        if self.living.len() < ONCES_MAX {
            self.living.push((at.to_owned(), key));
        }
    }

    /// Those of them that are under one of these keys.
    pub(super) fn living<'g>(&'g self, keys: &'g HashSet<KeyId>) -> impl Iterator<Item = &'g str> {
        self.living.iter().filter(|(_, key)| keys.contains(key)).map(|(at, _)| at.as_str())
    }
}

/// Holds every erasure against the vault and the logs.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, erasures: &[Erasure]) -> Result<(), Failure> {
    // Who was erased once more, for what a host had left, has a record that says the whole anew: what those before it say is part of it.
    let last: HashMap<KeyId, usize> = erasures.iter().enumerate().map(|(place, erasure)| (erasure.key, place)).collect();
    for (place, erasure) in erasures.iter().enumerate().filter(|(_, e)| e.key.0 != [0; 16]) {
        let at = format!("hos_record universe, the erasure of key {}", erasure.key);
        if pass.court.vault.get_by_id(erasure.key)?.is_some_and(|k| k.key.is_some()) {
            let at = format!("vault key {}", erasure.key);
            if pass.court.reading || lock(&pass.court.quarantine).is_some() {
                pass.notices.push(format!("{at}: an erasure's record names it, and the next start that may write destroys it"));
            } else {
                pass.findings.add(at, "an erasure's record says that it was destroyed, and it is there");
            }
            continue;
        }
        let theirs = pass.gone.theirs.get(&erasure.key).cloned().unwrap_or_default();
        let is_last = last.get(&erasure.key) == Some(&place);
        let lost: Vec<Lost> =
            theirs.lost.iter().map(|((t, k), count)| Lost { tenant: t.clone(), kind: *k, count: *count }).collect();
        // Of a log that is not read from its beginning there may be more, and never another or as many more.
        let is_part = |tenant: &Tenant| pass.since.iter().any(|(name, _)| name == tenant.as_str());
        let partly = erasure.lost.iter().any(|lost| is_part(&lost.tenant));
        let said =
            |found: &Lost| erasure.lost.iter().find(|l| (&l.tenant, l.kind) == (&found.tenant, found.kind)).map(|l| l.count);
        let whole = |all: &[Lost]| -> Vec<Lost> { all.iter().filter(|l| !is_part(&l.tenant)).cloned().collect() };
        let is_said = |found: &Lost| said(found).is_some_and(|count| found.count <= count);
        // A host that slept while the person was erased may have written more of them, which nobody can read.
        let is_there =
            |said: &Lost| lost.iter().any(|l| (&l.tenant, l.kind) == (&said.tenant, said.kind) && l.count >= said.count);
        let agrees = whole(&lost) == whole(&erasure.lost);
        let more = !agrees && (tx.is_shared() || !is_last) && whole(&erasure.lost).iter().all(is_there);
        if more && is_last {
            pass.notices.push(format!("{at}: more was written of the person while the key was destroyed; nobody can read it"));
        } else if !agrees && !more || is_last && !lost.iter().filter(|l| is_part(&l.tenant)).all(is_said) {
            pass.findings.add(at.clone(), "what it says was lost is not what the records hold under that key");
        }
        if let Some(attestation) = &erasure.attestation {
            attested(tx, pass, &at, erasure, attestation, &theirs, partly || more)?;
        }
    }
    // An erasure takes away what the person's records took.
    let said: HashSet<KeyId> = erasures.iter().map(|erasure| erasure.key).collect();
    for (at, keys) in std::mem::take(&mut pass.gone.onces) {
        if keys.iter().any(|key| said.contains(key)) {
            let what = "a once-key of a person who was erased, and it is there";
            match tx.is_shared() {
                // It may be of a host that slept while the person was erased.
                true => pass.notices.push(format!("{at}: {what}")),
                false => pass.findings.add(at, what),
            }
        }
    }
    left::compare(tx, pass, &said)?;
    // A key that is gone without a record: a vault that lost it, or somebody who did not want it known.
    let unsaid = pass.gone.theirs.keys().filter(|key| !said.contains(key)).count();
    if unsaid > 0 {
        pass.notices.push(format!("{unsaid} key(s) are destroyed, and no erasure's record of this store says so"));
    }
    Ok(())
}

fn attested(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    at: &str,
    erasure: &Erasure,
    attestation: &Attestation,
    theirs: &Theirs,
    partly: bool,
) -> Result<(), Failure> {
    if let Err(e) = attestation.verify(&pass.court.of.store, &erasure.key) {
        pass.findings.add(at, format!("its attestation: {e}"));
    }
    if !partly && (theirs.queued > 0 || theirs.list.finish() != (attestation.count, attestation.list)) {
        pass.findings.add(at, "its attestation is of other records than those that the key opened");
    }
    for log in &attestation.logs {
        if root_at(tx, &log.tenant, log.size)? != Some(log.root) {
            pass.findings.add(at, format!("its attestation names a head that the log of `{}` never had", log.tenant));
        }
    }
    let public: String = attestation.key.iter().map(|b| format!("{b:02x}")).collect();
    pass.notices.push(format!("the erasure of key {} was attested by key {public}", erasure.key));
    Ok(())
}

/// How many leaves are read at once.
const LEAVES: u64 = 4_096;

/// The root of a log's first entries; `None` where there are fewer.
fn root_at(tx: &Tx<'_>, tenant: &Tenant, size: u64) -> Result<Option<TreeHash>, Failure> {
    let mut tree = Frontier::default();
    while tree.size() < size {
        let (from, to) = (tree.size(), size.min(tree.size() + LEAVES));
        for row in tx.rows(&sql::leaves(tenant, from, to))? {
            tree.append_leaf(TreeHash(row.bytes(0)?));
        }
        if tree.size() != to {
            return Ok(None);
        }
    }
    Ok((tree.size() == size).then(|| tree.root()))
}
