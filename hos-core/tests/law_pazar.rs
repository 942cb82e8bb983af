//! The law of the example marketplace: it loads, is clean, and its contracts and policies say what a merchant expects.

use hos_core::contract::{check, parse};
use hos_core::fault::SourceFile;
use hos_core::law::render;
use std::path::{Path, PathBuf};

fn law_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law")
}

/// Path inside the law and bytes of every file of the example.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["", "policies", "contracts"] {
        for entry in std::fs::read_dir(law_dir().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_str().unwrap();
                let inside = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                found.push((inside, std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn each_contract_is_clean() {
    let contracts: Vec<_> = files().into_iter().filter(|(path, _)| path.starts_with("contracts/")).collect();
    assert_eq!(contracts.len(), 5);
    for (path, bytes) in contracts {
        let file = SourceFile { path, text: String::from_utf8(bytes).unwrap() };
        let faults = match parse::parse(&file, "Pazar") {
            Ok((contract, notices)) => notices.into_iter().chain(check::check(&contract, &file)).collect(),
            Err(faults) => faults,
        };
        assert!(faults.is_empty(), "{}", render(&faults, &[file]));
    }
}
