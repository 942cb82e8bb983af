//! `hos infer`: a table becomes a law that loads, and what was found is told to people and programs.

mod common;

use common::desk::Desk;
use common::{hos, run};
use hos_core::contract::infer as judging;
use serde_json::Value as Json;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// 300 orders by the law, one that was shipped though it was cancelled, one whose payment was told twice.
fn orders() -> String {
    let mut out = String::from("id,order_id,old_status,new_status,event,created_at\n");
    let mut rows = 0;
    let mut row = |id: u64, from: &str, to: &str, event: &str, minutes: u64| {
        rows += 1;
        let at = 1_770_000_000 + id * 7_207 + minutes * 60;
        out.push_str(&format!("{rows},o-{id},{from},{to},{event},{at}\n"));
    };
    for id in 1..=300u64 {
        row(id, "", "new", "place", 0);
        match id % 5 {
            0 => row(id, "new", "cancelled", "cancel", id % 50),
            1 => row(id, "new", "expired", "expire", 60 + id % 2),
            _ => {
                row(id, "new", "paid", "pay", 1 + id % 55);
                row(id, "paid", "shipped", "ship", 100 + id * 7);
            }
        }
        if id == 55 {
            row(id, "cancelled", "shipped", "ship", 5_000);
        }
        if id == 77 {
            row(id, "new", "paid", "pay", 3_000);
        }
    }
    out
}

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json[key].as_str().unwrap_or_else(|| panic!("no `{key}`: {json}"))
}

fn edge<'j>(json: &'j Json, from: &str, to: &str) -> &'j Json {
    let edges = json["edges"].as_array().unwrap();
    edges.iter().find(|e| e["from"] == from && e["to"] == to).unwrap_or_else(|| panic!("no {from} -> {to}"))
}

/// Switches on every line that is written behind this sign alone.
fn switch_on(file: &Path, sign: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut on = String::new();
    for line in text.lines() {
        let is_code = |code: &&str| !code.is_empty() && (!code.starts_with(' ') || sign == "//" && code.starts_with("  "));
        let code = line.strip_prefix(sign).filter(is_code);
        on.push_str(code.unwrap_or(line));
        on.push('\n');
    }
    assert_ne!(on, text);
    std::fs::write(file, on).unwrap();
}

#[test]
fn a_table_becomes_a_law_that_loads() {
    let desk = Desk::new(orders());
    let said = desk.infer(&["--namespace", "Shop", "-o", "law"]).ended(0);
    for words in [
        "read      782 rows of 300 instances in orders.csv",
        "columns   instance: order_id, from: old_status, to: new_status, event: event, time: created_at",
        "new --(pay)--> paid",
        "moves that look illegal, left out",
        "leaves an end: of 60 that came to `cancelled` 1 went on",
        "such as o-55 (line 145)",
        "1 in `shipped`, and the row says `new` -> `paid`; such as o-77 (line",
        "new --(expire)--> expired after 1h: 60 went after",
        "written   law: read it, write its policies, and ask `hos check law`",
    ] {
        assert!(said.out.contains(words), "{words} is not in:\n{}", said.out);
    }
    assert!(said.err.is_empty());
    let check = desk.hos(&["check", "law", "--json"]).ended(0).json();
    assert_eq!(check["loads"], true);
    for fault in check["faults"].as_array().unwrap() {
        let code = text(fault, "code");
        assert!(["law.policy.none", "law.action.never_permitted"].contains(&code), "{fault}");
    }
    let contract = std::fs::read_to_string(desk.path("law/contracts/order.toml")).unwrap();
    for words in [
        "terminal = [\"expired\", \"shipped\", \"cancelled\"]",
        "#[[event.ship]]\n#from = [\"cancelled\"]\n#to   = \"shipped\"\n",
        "#[[deadline]]\n#state = \"new\"\n#after = \"PT1H\"\n#event = \"expire\"\n",
        "in orders.csv",
    ] {
        assert!(contract.contains(words), "{words} is not in:\n{contract}");
    }
}

#[test]
fn a_law_whose_permits_are_switched_on_is_clean_and_works() {
    let desk = Desk::new(orders());
    desk.infer(&["--namespace", "Shop", "-o", "law"]).ended(0);
    switch_on(&desk.path("law/policies/order.cedar"), "//");
    switch_on(&desk.path("law/contracts/order.toml"), "#");
    // What was switched on leaves a state that is no end then, and a deadline leaves the list of those without.
    let file = desk.path("law/contracts/order.toml");
    let on = std::fs::read_to_string(&file).unwrap().replace(", \"cancelled\"]", "]");
    std::fs::write(&file, on.replace("forever  = [\"new\", ", "forever  = [\"cancelled\", ")).unwrap();
    let check = desk.hos(&["check", "law", "--strict"]);
    assert!(check.exit == 0 && !check.out.contains("warning"), "{}", check.out);
    let to =
        |words: &[&str]| desk.hos(&[words, &["--store", "s.db", "--as", "Account::root", "--tenant", "shop"]].concat()).ended(0);
    let init = ["init", "--law", "law", "--founder", "Account::root", "--role", "Role::operator", "--attr", "active=true"];
    desk.hos(&[&init[..], &["--store", "s.db", "--tenant", "shop"]].concat()).ended(0);
    to(&["begin", "order", "o-1", "place"]);
    let moved = to(&["transition", "order", "o-1", "pay"]);
    assert!(moved.out.contains("new -> paid (pay)"), "{}", moved.out);
}

#[test]
fn a_program_reads_one_object() {
    let desk = Desk::new(orders());
    let said = desk.infer(&["--json"]).ended(0);
    assert_eq!(said.out.trim_end().lines().count(), 1);
    let json = said.json();
    assert_eq!((json["rows"].as_u64(), json["instances"].as_u64()), (Some(782), Some(300)));
    assert_eq!(text(&json["columns"], "instance"), "order_id");
    let shut = edge(&json, "cancelled", "shipped");
    assert_eq!((text(shut, "verdict"), text(&shut["reasons"][0], "code")), ("illegal", "leaves_end"));
    assert_eq!((text(&shut["examples"][0], "instance"), shut["examples"][0]["line"].as_u64()), ("o-55", Some(145)));
    let usual = edge(&json, "new", "paid");
    assert_eq!(
        (text(usual, "verdict"), usual["count"].as_u64(), usual["reasons"].as_array().unwrap().len()),
        ("usual", Some(181), 0)
    );
    assert_eq!(json["breaks"].as_array().unwrap().len(), 1);
    assert_eq!((text(&json["deadlines"][0], "event"), json["deadlines"][0]["after_ms"].as_u64()), ("expire", Some(3_600_000)));
    assert!(json.get("diagram").is_none() && json.get("directory").is_none());
    // What is told is what would be written.
    desk.infer(&["-o", "law"]).ended(0);
    let files = json["files"].as_object().unwrap();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["contracts/order.toml", "law.toml", "policies/order.cedar", "schema.cedarschema"]
    );
    for (path, text) in files {
        assert_eq!(std::fs::read_to_string(desk.path("law").join(path)).unwrap(), text.as_str().unwrap(), "{path}");
    }
    let check = desk.hos(&["check", "law", "--json"]).json();
    assert_eq!(check["law"], json["law"]);
}

#[test]
fn the_pictures_are_those_of_the_law() {
    let desk = Desk::new(orders());
    let drawn = desk.infer(&["--mermaid", "-o", "law"]).ended(0);
    assert_eq!(drawn.out, desk.hos(&["diagram", "law", "order"]).ended(0).out);
    assert!(drawn.out.contains("s0 --> s2 : pay") || drawn.out.contains(" : pay"), "{}", drawn.out);
    let dot = desk.infer(&["--dot"]).ended(0);
    assert_eq!(dot.out, desk.hos(&["diagram", "law", "order", "--format", "dot"]).ended(0).out);
    assert_eq!(desk.infer(&["--dot", "--json"]).ended(0).json()["diagram"], dot.out.as_str());
    desk.infer(&["--dot", "--mermaid"]).ended(2);
}

#[test]
fn a_law_is_never_written_over() {
    let desk = Desk::new(orders());
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.infer(&["-o", "empty"]).ended(0);
    let before = std::fs::read(desk.path("empty/contracts/order.toml")).unwrap();
    let why = desk.infer(&["-o", "empty", "--namespace", "Other"]).ended(2).err;
    assert!(why.contains("`empty` is not empty"), "{why}");
    assert_eq!(std::fs::read(desk.path("empty/contracts/order.toml")).unwrap(), before);
    let why = desk.infer(&["-o", "orders.csv"]).ended(2).err;
    assert!(why.contains("`orders.csv` cannot be written"), "{why}");
    assert_eq!(std::fs::read_to_string(desk.path("orders.csv")).unwrap(), orders());
}

#[test]
fn the_same_history_in_many_forms() {
    let wanted = Desk::new(orders()).infer(&["--json"]).ended(0).json();
    let same = |desk: &Desk, words: &[&str], what: &str| {
        let json = desk.infer(&[words, &["--json"]].concat()).ended(0).json();
        for key in ["rows", "states", "births", "edges", "breaks", "deadlines"] {
            assert_eq!(json[key], wanted[key], "{what}: {key}");
        }
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(orders().as_bytes()).unwrap();
    same(&Desk::new(gzip.finish().unwrap()), &[], "gzipped");
    same(&Desk::new(orders().replace(',', ";")), &[], "semicolons");
    same(&Desk::new(format!("\u{feff}{}", orders().replace('\n', "\r\n"))), &[], "from a spreadsheet");
    let renamed = orders().replacen("order_id,old_status,new_status,event,created_at", "a,b,c,d,e", 1);
    same(&Desk::new(renamed), &["--instance", "a", "--from", "b", "--to", "c", "--event", "d", "--at", "e"], "said");
    let desk = Desk::new(orders());
    let mut command = hos();
    command.args(["infer", "-", "--contract", "order", "--json"]).write_stdin(std::fs::read(desk.path("orders.csv")).unwrap());
    assert_eq!(run(command).ended(0).json()["edges"], wanted["edges"], "standard input");
}

#[test]
fn states_alone_are_a_history_too() {
    // No source, no event, no time: the row before, the target's name, the order of the file.
    let desk = Desk::new("instance,status\na,new\nb,new\nb,new\na,In Work\nb,In Work\na,done\n");
    let said = desk.infer(&["-o", "law"]).ended(0);
    assert!(said.out.contains("renamed   state `In Work` is `in_work`"), "{}", said.out);
    assert!(said.out.contains("leave the state as it is, which are no moves: 1"), "{}", said.out);
    let json = desk.infer(&["--json"]).json();
    assert_eq!(text(&json["renamed"][0], "said"), "In Work");
    let names: Vec<&str> = json["edges"].as_array().unwrap().iter().map(|e| text(e, "name")).collect();
    assert_eq!((names, text(&json["births"][0], "name")), (vec!["in_work", "done"], "begin"));
    desk.hos(&["check", "law"]).ended(0);
    // The columns that are there can be left aside.
    let desk = Desk::new(orders());
    let json = desk.infer(&["--from", "-", "--event", "-", "--at", "-", "--json"]).ended(0).json();
    assert_eq!(json["columns"].as_object().unwrap().keys().collect::<Vec<_>>(), ["instance", "to"]);
    assert_eq!(text(edge(&json, "new", "paid"), "event"), "paid");
    assert_eq!(text(edge(&json, "shipped", "paid"), "verdict"), "illegal", "the second payment, without the row's word for it");
}

#[test]
fn the_order_of_the_file_can_be_said_to_hold() {
    let desk = Desk::new("instance,to,at\na,new,2026-01-02\na,paid,2026-01-01\n");
    desk.infer(&[]).ended(2);
    let json = desk.infer(&["--file-order", "--json"]).ended(0).json();
    assert_eq!((edge(&json, "new", "paid")["count"].as_u64(), &edge(&json, "new", "paid")["wait"]), (Some(1), &Json::Null));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let desk = Desk::new(orders());
    for words in [&[][..], &["--json"], &["--mermaid"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hos"))
            .current_dir(desk.dir.path())
            .args(["infer", "orders.csv", "--contract", "order"])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(child.wait().unwrap().success() && err.is_empty(), "{words:?}: {err}");
    }
}

/// SplitMix64: the same seed gives the same table.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

#[test]
fn whatever_history_it_is_the_law_loads() {
    let mut laws = 0;
    for seed in 0..30 {
        let mut chance = Chance(seed);
        let texts = [
            "new",
            "Paid",
            "ödendi",
            "a.b",
            "7",
            "begin",
            "if",
            "in",
            "permit",
            "x\u{7}",
            "\"\"q\"\"",
            "*/ a //",
            "#",
            "principal",
        ];
        let mut table = String::from("instance,from,to,event\n");
        for _ in 0..chance.below(400) + 1 {
            let mut cell = || format!("\"{}\"", texts[chance.below(texts.len() as u64 - seed % 3) as usize]);
            let (from, to, event) = (cell(), cell(), cell());
            let from = if chance.below(9) == 0 { String::new() } else { from };
            table.push_str(&format!("i{},{from},{to},{event}\n", chance.below(40)));
        }
        let table = table.replace("\"#\"", "hash");
        let desk = Desk::new(&table);
        let namespace = ["", "Shop", "A::B"][(seed % 3) as usize];
        let got = desk.infer(&["--namespace", namespace, "-o", "law"]);
        assert_eq!(got.exit, 0, "seed {seed}: {}", got.err);
        let check = desk.hos(&["check", "law", "--json"]).ended(0).json();
        assert_eq!(check["loads"], true, "seed {seed}");
        for fault in check["faults"].as_array().unwrap() {
            assert_ne!(text(fault, "severity"), "error", "seed {seed}: {fault}");
        }
        laws += 1;
    }
    assert_eq!(laws, 30);
}

#[test]
fn the_bounds_of_judgement_are_said_where_they_are_looked_for() {
    let help = Desk::new("").hos(&["infer", "--help"]).ended(0).out;
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/infer.md")).unwrap();
    let page: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let help: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        format!("at most one in {} of {} visits or more", judging::RARE_ONE_IN, judging::RARE_VISITS_MIN),
        format!("{} came or more, at most one in {} left", judging::END_ENTRIES_MIN, judging::END_ONE_IN),
        format!("at most one in {} comes to that way", judging::OTHERWISE_ONE_IN),
        format!("{} or more of the opposite move, {} times as many", judging::OPPOSITE_MIN, judging::OPPOSITE_TIMES),
        format!("{} moves or more", judging::RULE_MOVES_MIN),
        format!("within a {}th of the median", judging::RULE_SPREAD_ONE_IN),
        format!("at most one in {} stayed longer", judging::RULE_BEYOND_ONE_IN),
    ] {
        assert!(help.contains(&said), "--help lacks `{said}`:\n{help}");
        assert!(page.contains(&said), "spec/infer.md lacks `{said}`");
    }
    let kinds = format!("| kinds of move | {} |", judging::EDGES_MAX);
    assert!(page.contains(&kinds), "{kinds}");
}
