//! What is no history is refused by `hos infer` with file, line, column and what to do.

mod common;

use common::desk::Desk;
use common::{hos, law, run};

#[test]
fn what_is_no_history_says_where_and_what_to_do() {
    let many: String = (0..257).map(|i| format!("a,s{i},2026-01-01\n")).collect();
    let cases: &[(&str, &[&str], &str)] = &[
        ("", &[], "orders.csv: is empty"),
        ("instance,to\n", &[], "orders.csv: has no rows below its header"),
        (
            "a,b\n1,2\n",
            &[],
            "orders.csv:1: which column holds the instance's id is not clear: name it with --instance (there are `a`, `b`)",
        ),
        (
            "order_id,b\n1,2\n",
            &[],
            "orders.csv:1: which column holds the state that a row leads to is not clear: name it with --to",
        ),
        ("instance,to\n1,2\n", &["--to", "too"], "--to: there is no column `too`; did you mean `to`?"),
        ("instance,to\n1,2\n", &["--from", "to", "--to", "to"], "orders.csv:1: the column `to` is named for two uses"),
        ("instance,to,x\na,new,1\na,paid\n", &[], "orders.csv:3: 2 cells where the header has 3: complete it"),
        ("instance,to\na,new,1\n", &[], "orders.csv:2: 3 cells where the header has 2: put"),
        ("instance,to\n,new\n", &[], "orders.csv:2: column 1 (`instance`): is empty: give the instance's id"),
        ("instance,to\na,NULL\n", &[], "orders.csv:2: column 2 (`to`): is empty: give the state"),
        ("instance,to,at\na,new,soon\n", &[], "orders.csv:2: column 3 (`at`): `soon` is no time"),
        (
            "instance,to,at\na,new,\n",
            &[],
            "orders.csv:2: column 3 (`at`): is empty: give the time, or leave the column out with --at -",
        ),
        ("instance,to,at\na,new,03/04/2026\n", &[], "`03/04/2026` is no time"),
        (
            "instance,to,at\na,new,2026030112\na,paid,2026030113\n",
            &[],
            "orders.csv:2: column 3 (`at`): `2026030112` is two times: 2026-03-01 with the time of day, or a number since 1970",
        ),
        (
            "instance,to\na,new\nb,\"new\nc,new\nd,new\n",
            &[],
            "orders.csv:3: a quote that begins a cell in this line is never closed",
        ),
        (
            "instance,to,at\na,new,2026-01-02\na,paid,2026-01-01\n",
            &[],
            "orders.csv:3: column 3 (`at`): goes back from 2026-01-02T00:00:00.000Z to 2026-01-01T00:00:00.000Z within `a`: sort the file",
        ),
        (
            "instance,to\na,In Work\na,in_work\n",
            &[],
            "orders.csv:3: column 2 (`to`): `in_work` and `In Work` (line 2) would both be",
        ),
        ("instance,from,to\na,,new\na,**,paid\n", &[], "orders.csv:3: column 2 (`from`): `**` can be no state"),
        (&many.replacen("", "instance,to,at\n", 1), &[], "orders.csv:258: column 2 (`to`): `s256` is the state after the 256th"),
        ("instance,to\na,new\n", &["--entity", "Account"], "--entity: `Account` is a type that every law has for itself"),
        ("instance,to\na,new\n", &["--entity", "in"], "these names make no law"),
        (
            "instance,to\na,new\n",
            &["--namespace", "in"],
            "take others with --contract, --entity or --namespace: error parsing schema: `in` is a reserved identifier\n",
        ),
        ("instance,to\na,new\n", &["--namespace", "a b"], "--namespace: `a b` is no namespace"),
    ];
    for (table, words, said) in cases {
        let desk = Desk::new(table);
        let got = desk.infer(&[words, &["-o", "law"][..]].concat());
        assert!(got.exit == 2 && got.err.contains(said), "{said}: {got:?}");
        assert!(got.out.is_empty() && !desk.path("law").exists(), "{said}: nothing is written");
        let json = desk.infer(&[words, &["--json"][..]].concat()).ended(2);
        assert_eq!(json.code(), "hos.call_malformed", "{said}");
    }
    let desk = Desk::new("");
    let why = desk.hos(&["infer", "none.csv", "--contract", "order"]).ended(2).err;
    assert!(why.contains("`none.csv` cannot be read"), "{why}");
    let why = desk.hos(&["infer", "orders.csv", "--contract", "a b"]).ended(2).err;
    assert!(why.contains("--contract"), "{why}");
    desk.hos(&["infer", "orders.csv"]).ended(2);
    // In Turkish the code is explained; the place is the same.
    let turkish = Desk::new("instance,to\n,new\n").infer(&["--lang", "tr"]).ended(2).err;
    assert!(turkish.starts_with("hata") && turkish.contains("orders.csv:2: column 1"), "{turkish}");
}

#[test]
fn nothing_in_a_table_steers_a_terminal() {
    let esc = "\u{1b}[2J";
    // In every place that is told again: a column, an instance, a state, an event; in the report and in the files.
    let table = format!("instance,from{esc},to,event\n\"a{esc}\n\",,new{esc},go{esc}\n\"a{esc}\n\",paid{esc},new{esc},go{esc}\n");
    let desk = Desk::new(&table);
    let from = format!("from{esc}");
    let said = desk.infer(&["--from", &from, "-o", "law"]).ended(0);
    assert!(said.out.contains("\\u{1b}[2J") && !said.out.contains('\u{1b}'), "{:?}", said.out);
    let contract = std::fs::read_to_string(desk.path("law/contracts/order.toml")).unwrap();
    assert!(contract.contains("such as a\\u{1b}[2J (line 4)") && !contract.contains('\u{1b}'), "{contract:?}");
    for words in [["--from", esc], ["--to", esc], ["--namespace", esc], ["--entity", esc]] {
        let said = desk.infer(&words).ended(2);
        assert!(!said.err.contains('\u{1b}'), "{:?}", said.err);
    }
    let said = Desk::new(format!("instance,to,at\na,new,{esc}\n")).infer(&[]).ended(2);
    assert!(said.err.contains("`\\u{1b}[2J` is no time") && !said.err.contains('\u{1b}'), "{:?}", said.err);
}

#[test]
fn the_test_law_is_no_history() {
    // A law's file in place of a table: refused, and by its line.
    let mut command = hos();
    command.args(["infer", "--contract", "order"]).arg(law().join("contracts/order.toml"));
    let why = run(command).ended(2).err;
    assert!(why.contains("order.toml:1: which column"), "{why}");
}
