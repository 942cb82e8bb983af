//! A replay's own histories, taken as a table, give back the contract they were judged by.

use hos_core::contract::Contract;
use hos_core::contract::infer::judge::judge;
use hos_core::contract::infer::{History, Move, Proposal, Source, Verdict, arrows, text};
use hos_core::contract::parse::parse;
use hos_core::fault::SourceFile;
use hos_core::id::{InstanceId, Name};
use hos_core::time::Timestamp;
use hos_engine::{Engine, load_law};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Event, from, to.
type Edge = (String, String, String);

/// Replays bookings and writes what became of each as a table, the numbers of the bookings' rows being at most `last`; gives
/// the number of the table's rows.
fn table(args: &[&str], last: u64, file: &Path) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("s.db");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pazar"));
    let out = command.args(args).arg("--store").arg(&store).arg("--json").stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let law = Arc::new(load_law(law_dir()).unwrap());
    let engine = Engine::builder().law(law).sqlite(&store).open().unwrap();
    let reservation = Name::new("reservation").unwrap();
    let mut csv = csv::Writer::from_path(file).unwrap();
    csv.write_record(["reservation", "from", "to", "event", "at"]).unwrap();
    let mut rows = 0;
    for tenant in engine.tenants().unwrap() {
        let of = engine.tenant_named(&tenant);
        for row in 1..=last {
            let id = InstanceId::new(format!("r{row}")).unwrap();
            if of.instance(&reservation, &id).unwrap().is_none() {
                continue;
            }
            for entry in of.history(&reservation, &id, 0, 500).unwrap() {
                let h = &entry.header;
                let name = |name: &Option<Name>| name.as_ref().map_or(String::new(), |n| n.as_str().to_owned());
                let event = h.event.as_ref().unwrap().as_str();
                csv.write_record([&format!("{tenant}/{id}"), &name(&h.from), &name(&h.to), event, &h.time.to_string()]).unwrap();
                rows += 1;
            }
        }
    }
    csv.flush().unwrap();
    rows
}

fn law_dir() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/law"))
}

fn judged(file: &Path) -> Proposal {
    let mut history = History::new(false);
    for (record, line) in csv::Reader::from_path(file).unwrap().records().zip(2..) {
        let record = record.unwrap();
        let from = if record[1].is_empty() { Source::Birth } else { Source::State(&record[1]) };
        let time = Some(Timestamp::parse(&record[4]).unwrap());
        history.add(&Move { instance: &record[0], from, to: &record[2], event: Some(&record[3]), time, line }).unwrap();
    }
    judge(&history)
}

fn edges(contract: &Contract) -> BTreeSet<Edge> {
    let arrows = contract.events.values().flatten();
    arrows
        .flat_map(|a| a.from.iter().flat_map(|f| a.targets().map(|to| (a.name.to_string(), f.to_string(), to.to_string()))))
        .collect()
}

/// States, whether each is an end.
fn states(contract: &Contract) -> BTreeSet<(String, bool)> {
    contract.states.iter().map(|s| (s.name.to_string(), s.terminal)).collect()
}

fn gives_the_contract_back(file: &Path, rows: u64) {
    let proposal = judged(file);
    assert_eq!(proposal.rows, rows);
    let shut: Vec<_> = proposal.edges.iter().filter(|e| e.verdict == Verdict::Illegal).collect();
    assert!(shut.is_empty(), "{shut:#?}");
    assert!(proposal.breaks.is_empty(), "{:?}", proposal.breaks);
    let name = Name::new("reservation").unwrap();
    let arrows = arrows(&proposal, &name).unwrap();
    assert!(arrows.split.is_empty(), "{:?}", arrows.split);
    let title = text::Title { contract: &name, entity: "Reservation", source: "replay" };
    let text = text::contract(&proposal, &arrows, &title).unwrap();
    let source = SourceFile { path: "contracts/reservation.toml".into(), text };
    let (found, _) = parse(&source, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}"));

    let law = load_law(law_dir()).unwrap();
    let own = &law.contracts["reservation"].contract;
    assert_eq!(states(&found), states(own));
    // In the data every booking is confirmed before it can be cancelled: these two ways are lawful, and nobody went them.
    let unwalked = ["requested", "waitlisted"].map(|from| ("cancel".to_owned(), from.to_owned(), "cancelled".to_owned()));
    let mut want = edges(own);
    unwalked.iter().for_each(|edge| assert!(want.remove(edge), "{edge:?} is no edge of the contract"));
    assert_eq!(edges(&found), want);
    let births = |c: &Contract| {
        c.begins.values().flat_map(|b| b.targets().map(|to| (b.name.to_string(), to.to_string()))).collect::<BTreeSet<_>>()
    };
    assert_eq!(births(&found), births(own));
}

#[test]
fn the_replayed_sample_gives_its_contract_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reservations.csv");
    let rows = table(&["--bookings", "1500"], 1_500, &file);
    assert!(rows > 4_000, "{rows}");
    gives_the_contract_back(&file, rows);
    through_the_program(&file, rows);
}

/// The same table, read by `hos` where it was built beside this program: the same moves.
fn through_the_program(file: &Path, rows: u64) {
    let hos = Path::new(env!("CARGO_BIN_EXE_pazar")).with_file_name(format!("hos{}", std::env::consts::EXE_SUFFIX));
    if !hos.is_file() {
        println!("skipped: {} is not built", hos.display());
        return;
    }
    let out = Command::new(hos).args(["infer", "--contract", "reservation", "--json"]).arg(file).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["rows"], rows);
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    let said: Vec<(Edge, u64)> = (json["edges"].as_array().unwrap().iter())
        .map(|e| ((text(&e["event"]), text(&e["from"]), text(&e["to"])), e["count"].as_u64().unwrap()))
        .collect();
    let own = judged(file).edges.into_iter();
    let own: Vec<(Edge, u64)> = own.map(|e| ((e.event.to_string(), e.from.to_string(), e.to.to_string()), e.count)).collect();
    assert_eq!(said, own);
}

#[test]
fn real_bookings_give_the_contract_back() {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reservations/dev_resort_2015.csv.gz");
    if !file.is_file() {
        println!("skipped: ../shared/data is absent");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("reservations.csv");
    let rows = table(&["--reservations", file.to_str().unwrap()], 23_168, &out);
    assert_eq!(rows, 34_545, "accepted events of this file, counted without this program; what was refused is nobody's history");
    gives_the_contract_back(&out, rows);
}
