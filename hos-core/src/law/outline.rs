//! What a law's files say without being compiled: its name and its contracts. For looking at many laws, of which each would
//! take its time to load.

use super::{bundle, files, manifest};
use crate::contract::{Contract, parse};
use crate::fault::Fault;
use crate::id::Name;
use std::collections::BTreeMap;

/// A law's name and contracts.
#[derive(Debug)]
pub struct Outline {
    /// `name` of `law.toml`.
    pub name: String,
    /// Contracts by name.
    pub contracts: BTreeMap<Name, Contract>,
}

/// Reads the outline of a law that loaded once. The faults are those of the files it reads.
pub fn outline(given: Vec<(String, Vec<u8>)>) -> Result<Outline, Vec<Fault>> {
    let mut faults = Vec::new();
    let admitted = files::admit(given, &mut faults);
    let manifest = admitted.get(files::MANIFEST).and_then(|file| manifest::read(file, &mut faults));
    let namespace = bundle::namespace_of(manifest.as_ref(), &admitted);
    let mut contracts = BTreeMap::new();
    for file in admitted.with(|r| r == files::Role::Contract) {
        match parse::parse(file, &namespace) {
            Ok((contract, _)) => {
                contracts.insert(contract.name.clone(), contract);
            }
            Err(found) => faults.extend(found),
        }
    }
    match manifest {
        Some(manifest) if faults.is_empty() => Ok(Outline { name: manifest.name, contracts }),
        _ => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(contract: &str) -> Vec<(String, Vec<u8>)> {
        let schema = "namespace N{entity A,O;action \"o.new\" appliesTo{principal:[A],resource:[O]};}";
        let all = [("law.toml", "name=\"t\"\nnamespace=\"N\"\n"), ("schema.cedarschema", schema), ("contracts/o.toml", contract)];
        all.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn name_and_contracts_are_read_and_faults_told() {
        let sound = "contract=\"o\"\nversion=3\nentity=\"N::O\"\nstates=[\"a\"]\nterminal=[\"a\"]\n[begin.new]\nto=\"a\"\n";
        let read = outline(files(sound)).unwrap();
        assert_eq!(read.name, "t");
        let versions: Vec<_> = read.contracts.iter().map(|(name, of)| (name.as_str(), of.version)).collect();
        assert_eq!(versions, [("o", 3)]);
        let faults = outline(files("contract=1")).unwrap_err();
        assert!(faults.iter().all(|f| f.file == "contracts/o.toml") && !faults.is_empty(), "{faults:?}");
    }
}
