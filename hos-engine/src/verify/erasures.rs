//! What erasures' records say against what is there: keys that must be gone, what was lost, who attested what.

use super::{Pass, left};
use crate::Failure;
use crate::court::founding::STREAM_ERASED;
use crate::court::{lock, roots, streams};
use crate::store::sql::evidence as sql;
use crate::store::{Row, Tx};
use hos_core::id::{KeyId, RecordHash, Tenant, TreeHash};
use hos_core::proof::erasure::{Attestation, Erasure, Lost, RecordList, decode_key};
use hos_core::proof::record::Kind;
use hos_core::proof::tree::Frontier;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The records that hold parts under keys that are gone, as the logs are gone through.
#[derive(Default)]
pub(crate) struct Gone {
    theirs: HashMap<KeyId, Theirs>,
    /// Rows that are there, of records whose own words are under these keys.
    standing: Vec<Standing>,
}

/// How many rows of which nothing can be said are named; beyond that they are counted by their keys.
const NAMED_MAX: usize = 10_000;

/// A row that is there, though a key is gone that says what it must be.
struct Standing {
    tenant: Tenant,
    at: String,
    key: KeyId,
    what: Stands,
}

/// What kind of row that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// A once-key.
    Once,
    /// An instance whose thread no erasure ended.
    Instance,
    /// The person's own row of the directory, a grant, or a membership in the person.
    Row,
    /// A row of the directory that says nothing but that it is there.
    Bare,
}

#[derive(Clone, Default)]
struct Theirs {
    lost: BTreeMap<(Tenant, Kind), u64>,
    list: RecordList,
    queued: u64,
    /// Rows that are there.
    standing: u64,
}

/// What is known of a key that an erasure's record names: in which tenants more was written under it than the last such record says, as a
/// host does that slept through the erasure.
type Said = HashMap<KeyId, HashSet<Tenant>>;

/// What is said of a row that an erasure would have taken away.
const TAKEN: &str = "an erasure's record names the key that its record is under, and it is there";

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

    /// Takes a row that is there, of a record whose word for it is under a destroyed key.
    pub(super) fn stands(&mut self, tenant: &Tenant, at: &str, key: KeyId, what: Stands) {
        self.theirs.entry(key).or_default().standing += 1;
        if self.standing.len() < NAMED_MAX {
            self.standing.push(Standing { tenant: tenant.clone(), at: at.to_owned(), key, what });
        }
    }

    /// The instances among them that are under one of these keys.
    pub(super) fn living<'g>(&'g self, keys: &'g HashSet<KeyId>) -> impl Iterator<Item = &'g str> {
        let living = self.standing.iter().filter(|row| row.what == Stands::Instance && keys.contains(&row.key));
        living.map(|row| row.at.as_str())
    }
}

/// The keys that erasures' records name. What is wrong with such a record is told where its log is read.
pub(super) fn named(tx: &Tx<'_>) -> HashSet<KeyId> {
    let key = |row: &Row| decode_key(&roots::content(row.blob(1).ok()?, row.blob(2).ok()?).ok()?).ok();
    streams::own_records(tx, STREAM_ERASED).unwrap_or_default().iter().filter_map(key).collect()
}

/// Holds every erasure against the vault and the logs; `known` are keys whose erasure another store's records tell, of which this is a copy.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, erasures: &[Erasure], known: &HashSet<KeyId>) -> Result<(), Failure> {
    // Who was erased once more, for what a host had left, has a record that says the whole anew: what those before it say is part of it.
    let last: HashMap<KeyId, usize> = erasures.iter().enumerate().map(|(place, erasure)| (erasure.key, place)).collect();
    let mut said = Said::new();
    for (place, erasure) in erasures.iter().enumerate().filter(|(_, e)| e.key.0 != [0; 16]) {
        said.entry(erasure.key).or_default();
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
        let counted =
            |found: &Lost| erasure.lost.iter().find(|l| (&l.tenant, l.kind) == (&found.tenant, found.kind)).map(|l| l.count);
        let whole = |all: &[Lost]| -> Vec<Lost> { all.iter().filter(|l| !is_part(&l.tenant)).cloned().collect() };
        let is_said = |found: &Lost| counted(found).is_some_and(|count| found.count <= count);
        // A host that slept while the person was erased may have written more of them, which nobody can read.
        let is_there =
            |said: &Lost| lost.iter().any(|l| (&l.tenant, l.kind) == (&said.tenant, said.kind) && l.count >= said.count);
        if is_last && tx.is_shared() {
            let more =
                lost.iter().filter(|&found| is_part(&found.tenant) || counted(found).is_none_or(|count| found.count > count));
            said.entry(erasure.key).or_default().extend(more.map(|found| found.tenant.clone()));
        }
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
    left::compare(tx, pass, &said.keys().copied().collect())?;
    taken(pass, &said);
    unsaid(pass, &said, known);
    Ok(())
}

/// An erasure takes away what stands on the person's records. What is there all the same nobody can hold against a record.
fn taken(pass: &mut Pass<'_>, said: &Said) {
    for row in &pass.gone.standing {
        match said.get(&row.key) {
            // Of a host that slept while the person was erased; what of that stands in the clear is told by itself.
            Some(slept) if slept.contains(&row.tenant) && row.what == Stands::Once => {
                pass.notices.push(format!("{}: a once-key of a person who was erased, and it is there", row.at));
            }
            Some(slept) if slept.contains(&row.tenant) => {}
            // Whose row it is joined the person, and left before the erasure.
            Some(_) if row.what == Stands::Bare => {}
            Some(_) => pass.findings.add(&row.at, TAKEN),
            None => {}
        }
    }
}

/// Keys that are gone, and no record says so: the store is older than an erasure that the vault remembers, or somebody destroyed them who
/// had no right to. The two look alike, and whoever opens the store to write carries the erasure out; until then nobody vouches for the rows
/// that stand under such a key. Of a copy, the store that it was made from may say that these are `known`.
fn unsaid(pass: &mut Pass<'_>, said: &Said, known: &HashSet<KeyId>) {
    // What was never in the vault is told by itself.
    let destroyed = pass.gone.theirs.iter().filter(|(key, theirs)| !theirs.lost.is_empty() && !said.contains_key(*key));
    let mut unsaid: Vec<(KeyId, u64)> = destroyed.map(|(key, theirs)| (*key, theirs.standing)).collect();
    if unsaid.is_empty() {
        return;
    }
    pass.notices.push(format!("{} key(s) are destroyed, and no erasure's record of this store says so", unsaid.len()));
    unsaid.sort_unstable();
    for (key, count) in unsaid.into_iter().filter(|(key, count)| *count > 0 && !known.contains(key)) {
        let first = pass.gone.standing.iter().find(|row| row.key == key).map_or("rows", |row| row.at.as_str());
        let what = format!(
            "it is destroyed, no erasure's record of this store says so, and {count} row(s) stand whose records are under it, such as \
             {first}: nobody can say whether they are right; where the store was restored, the next start that may write ends them"
        );
        pass.findings.add(format!("vault key {key}"), what);
    }
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
