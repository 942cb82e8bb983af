//! A contract in words: what `hos law diff` holds against another one, name by name.

use hos_core::contract::outline::outline;
use hos_core::contract::parse::parse;
use hos_core::fault::SourceFile;

fn words(text: &str) -> String {
    let file = SourceFile { path: "contracts/order.toml".into(), text: text.into() };
    let (contract, _) = parse(&file, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}"));
    let mut out = String::new();
    for ((what, name), fields) in outline(&contract) {
        out.push_str(format!("{what} {name}").trim_end());
        out.push('\n');
        for (field, said) in fields {
            out.push_str(format!("    {field}: {said}").trim_end());
            out.push('\n');
        }
    }
    out
}

/// Everything that the order's contract says stands in its outline, and nothing else does. The golden text was written by
/// this test (`HOS_BLESS=1`) and read against `contract_order.toml`.
#[test]
fn everything_that_a_contract_says_is_in_its_outline() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/order.outline");
    let promises = "\n[[promise]]\ncode = \"paid_first\"\nnever = \"shipped\"\nbefore = \"paid\"\n\
                    [[promise]]\ncode = \"no_return\"\nnever = \"cart\"\nafter = \"new\"\n\
                    [[promise]]\ncode = \"one_end\"\nnever_both = [\"fulfilled\", \"cancelled\", \"expired\"]\n";
    let found = words(&(include_str!("contract_order.toml").to_owned() + promises));
    if std::env::var_os("HOS_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap(), "if this is meant, run the test with HOS_BLESS=1 and read it");
}

/// Two arrows of one event are told apart by their number.
#[test]
fn a_second_arrow_bears_its_number() {
    let found = words(include_str!("contract_order.toml"));
    let event = found.split("event refunded\n").nth(1).unwrap();
    let fields: Vec<&str> = event.lines().take_while(|line| line.starts_with("    ")).map(str::trim).collect();
    for field in ["from: refunding", "branch 1: cancelled", "arrow 2 from: shipped", "arrow 2 branch 1: refunding"] {
        assert!(fields.contains(&field), "{field}: {fields:?}");
    }
}
