//! `hos law types`: what it writes of Pazar's law stands in the example and is what it writes now; the Rust among it compiles
//! here and makes the calls that it says. The other languages' are compiled where their bindings are tested.

mod common;

use common::{hos, run};
use hos_core::id::Uid;
use hos_core::value::Value;
use std::path::{Path, PathBuf};

#[allow(dead_code, reason = "a law has more names than a test")]
mod pazar {
    include!("../../examples/pazar/types/pazar.rs");
}

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar").join(path)
}

fn types(words: &[&str], rest: &[&Path]) -> common::Run {
    let mut command = hos();
    command.args(["law", "types"]).args(words).args(rest);
    run(command)
}

#[test]
fn the_types_of_the_example_are_what_its_law_says() {
    for (language, file) in [("--ts", "pazar.ts"), ("--py", "pazar.py"), ("--php", "pazar.php"), ("--rust", "pazar.rs")] {
        let said = types(&[language], &[&at("law")]).ended(0).out;
        let path = at("types").join(file);
        if std::env::var_os("HOS_BLESS").is_some() {
            std::fs::write(&path, &said).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == said, "{} is stale: `HOS_BLESS=1 cargo test -p hos-cli --test types`", path.display());
    }
}

#[test]
fn calls_are_made_of_names_that_compile() {
    let ayse = || Uid::new("Pazar::Account", "ayse").unwrap();
    let paid = pazar::order::Pay { amount: 4200, psp_ref: "psp-1".into() }.by(ayse(), "o-17").unwrap();
    assert_eq!((paid.contract.as_str(), paid.event.as_str(), paid.id.as_str()), ("order", "pay", "o-17"));
    assert_eq!(paid.args["amount"], Value::Long(4200));
    let facts = pazar::order::Place { buyer: ayse(), shop: Uid::new("Pazar::Shop", "s1").unwrap(), total: 1, lines: None };
    let placed = facts.by(ayse(), "o-18").unwrap();
    assert_eq!(placed.facts.keys().collect::<Vec<_>>(), ["buyer", "shop", "total"], "what is not given is absent");
    let again = pazar::order::Reopen { reason: "paid late".into() }.by(ayse(), "o-17").unwrap();
    assert_eq!(again.reason.as_deref(), Some("paid late"));
    assert_eq!((pazar::action::ORDER_PAY, pazar::order::State::Paid.as_str()), ("order.pay", "paid"));
}

#[test]
fn a_file_is_written_and_what_cannot_be_is_said() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("law.ts");
    let said = types(&["--ts", "--json", "-o"], &[&file, &at("law")]).ended(0).json();
    assert_eq!((said["language"].as_str(), said["file"].as_str()), (Some("ts"), file.to_str()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), std::fs::read_to_string(at("types/pazar.ts")).unwrap());
    types(&["--ts", "-o"], &[place.path(), &at("law")]).ended(2);
    types(&[], &[&at("law")]).ended(2);
    types(&["--ts", "--py"], &[&at("law")]).ended(2);
    types(&["--ts"], &[place.path()]).ended(5);
}
