//! `spec/refusal-codes.md` lists every code of [`Code::ALL`], in its order.

use hos_core::refusal::Code;
use std::fmt::Write;
use std::path::Path;

fn table() -> String {
    let mut out = String::from("| number | code | meaning |\n|---:|---|---|\n");
    for code in Code::ALL {
        writeln!(out, "| {} | `{code}` | {} |", code.number(), code.meaning()).unwrap();
    }
    out
}

#[test]
fn the_page_lists_every_code_in_order() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/refusal-codes.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- codes -->\n").expect("a mark before the table");
    let (listed, after) = rest.split_once("<!-- end of codes -->").expect("a mark after the table");
    if listed != table() && std::env::var_os("HOS_BLESS").is_some() {
        std::fs::write(&path, format!("{before}<!-- codes -->\n{}<!-- end of codes -->{after}", table())).unwrap();
        return;
    }
    let wanted = table();
    let stale = wanted.lines().zip(listed.lines()).find(|(wanted, listed)| wanted != listed);
    assert_eq!(stale, None, "spec/refusal-codes.md is stale: run this test with HOS_BLESS=1");
    assert_eq!(listed.lines().count(), wanted.lines().count(), "spec/refusal-codes.md is stale: run this test with HOS_BLESS=1");
}
