//! Whose a person's key is. An erasure finds the key by the person, as the vault has it; what is sealed under it names the person.
//!
//! Nothing else holds the two together: where the vault knows a key under another name, an erasure destroys another key, and all that is the
//! person's can be read as before.

use super::Pass;
use crate::Failure;
use crate::vault::Vault;
use hos_core::call::Change;
use hos_core::canon::Writer;
use hos_core::id::{KeyId, Uid};
use hos_core::judge;
use hos_core::proof::examine::Examined;
use hos_core::proof::record::{Kind, Slot};
use std::collections::{HashMap, HashSet};

/// Of how many keys it is kept that they were told.
const TOLD_MAX: usize = 1_024;

/// The keys that were held against the vault. Ids come from the store's file: so what is kept of them has a bound.
pub(super) struct Owners {
    /// Whose each key is, by the vault and by what is sealed under it; a person is kept as records encode one.
    known: HashMap<KeyId, Vec<u8>>,
    known_max: usize,
    /// Keys that are among the findings.
    told: HashSet<KeyId>,
}

impl Owners {
    pub(super) fn new(known_max: usize) -> Self {
        Self { known: HashMap::new(), known_max, told: HashSet::new() }
    }

    fn is_of(&self, key: &KeyId, person: &[u8]) -> bool {
        self.known.get(key).is_some_and(|known| known == person)
    }

    fn take(&mut self, key: KeyId, person: Vec<u8>) {
        if self.known.len() >= self.known_max {
            self.known.clear();
        }
        self.known.insert(key, person);
    }
}

/// Holds the keys of a record's boxes against the vault, as far as what they hold says whose they are: who asked, whom a change of the
/// directory names, whose data an instance's facts are.
pub(super) fn hold(pass: &mut Pass<'_>, at: &dyn Fn() -> String, record: &Examined<'_>) -> Result<(), Failure> {
    let Some(header) = record.header() else { return Ok(()) };
    let sealed = |slot: Slot| record.part_under(slot).filter(|(key, _)| key.0 != [0; 16]);
    // Nearly all records come past here: of a key that is known nothing is decoded.
    if let Some((key, bytes)) = sealed(Slot::Principal).filter(|(key, bytes)| !pass.owners.is_of(key, bytes))
        && let Ok(person) = judge::decode_entity(bytes)
    {
        one_of(pass, at, key, &[person])?;
    }
    match header.kind {
        Kind::Directory => {
            if let Some((key, bytes)) = sealed(Slot::Change)
                && let Ok(change) = judge::decode_change(bytes)
            {
                one_of(pass, at, key, &named(change))?;
            }
        }
        Kind::Begun | Kind::Adopted => {
            if let Some((key, bytes)) = sealed(Slot::Facts) {
                let law = header.law.and_then(|law| pass.laws.get(&law));
                let of = law.zip(header.contract).and_then(|(law, name)| Some((law, law.contracts.get(name)?)));
                let person = of.zip(judge::decode_values(bytes).ok());
                let person = person.and_then(|((law, of), facts)| judge::data_subject(law, &of.contract, &facts));
                one_of(pass, at, key, person.as_slice())?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The key that the vault has for a person, or had; as it is in the file, for what is remembered is not what an erasure finds.
pub(super) fn key_of(pass: &Pass<'_>, person: &Uid) -> Result<Option<KeyId>, Failure> {
    let tag = pass.court.tag(person);
    let kept = match &pass.court.vault {
        Vault::File(file) => file.in_file(&tag)?,
        vault => vault.get_by_subject(&tag)?,
    };
    Ok(kept.map(|kept| kept.id))
}

/// Holds the key of a directory row's attributes against the vault.
pub(super) fn hold_row(pass: &mut Pass<'_>, at: &str, key: KeyId, person: &Uid) -> Result<(), Failure> {
    if key.0 == [0; 16] {
        return Ok(());
    }
    one_of(pass, &|| at.to_owned(), key, std::slice::from_ref(person))
}

/// Whom a change names; it is sealed under the key of the first of them who is a person.
fn named(change: Change) -> Vec<Uid> {
    match change {
        Change::Put { uid, .. } | Change::Remove { uid } => vec![uid],
        Change::Join { uid, parent } | Change::Leave { uid, parent } => vec![uid, parent],
        Change::Grant { principal, resource, .. } => principal.into_iter().chain(resource).collect(),
        Change::Revoke { .. } => Vec::new(),
    }
}

/// The key must be the one that the vault has for one of these. Its id stays in the vault when it is destroyed.
fn one_of(pass: &mut Pass<'_>, at: &dyn Fn() -> String, key: KeyId, persons: &[Uid]) -> Result<(), Failure> {
    if persons.is_empty() || pass.owners.told.contains(&key) {
        return Ok(());
    }
    for person in persons {
        let mut w = Writer::default();
        w.array(2).text(person.type_name()).text(person.id());
        let encoded = w.finish();
        if pass.owners.is_of(&key, &encoded) {
            return Ok(());
        }
        if key_of(pass, person)? == Some(key) {
            pass.owners.take(key, encoded);
            return Ok(());
        }
    }
    if pass.owners.told.len() < TOLD_MAX {
        pass.owners.told.insert(key);
    }
    let what = "the vault does not have it for the person whose it is: an erasure would not find it";
    pass.findings.add(format!("vault key {key}"), format!("{what}; met first at {}", at()));
    Ok(())
}
