//! Pazar's past judged again, and a stricter policy for what comes back tried on it.

use hos_engine::{Change, Engine, Level, ReplayOptions, VerifyOptions, load_law, read_law_files};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

fn fill(args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_pazar")).args(args).stdin(Stdio::null()).output().expect("the program starts");
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn law() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/law"))
}

fn open(path: &Path) -> Engine {
    Engine::builder().law(Arc::new(load_law(law()).unwrap())).sqlite(path).open().unwrap()
}

#[test]
fn the_sample_is_judged_again_to_the_same_records() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    fill(&["--bookings", "60", "--store", path.to_str().unwrap(), "--json"]);
    let engine = open(&path);
    let (report, replay) = engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
    assert_eq!(replay.listed, Vec::new());
    assert_eq!(report.level, Level::Replayed, "{:?}", report.findings);
    assert_eq!((replay.differs, replay.erased), (0, 0));
    assert!(replay.replayed > 200, "{replay:?}");
    assert_eq!(replay.replayed + replay.attested, report.records);
}

#[test]
fn a_stricter_policy_for_what_comes_back_would_have_refused_these() {
    let dir = tempfile::tempdir().unwrap();
    let (path, csv) = (dir.path().join("s.db"), dir.path().join("orders.csv"));
    let lines = "Invoice,StockCode,Quantity,InvoiceDate,Price,Customer ID\n\
                 1,A,3,2025-12-01 08:26:00,0.5,7\n2,A,1,2025-12-01 08:27:00,0.5,8\n\
                 C3,A,-3,2025-12-01 08:30:00,0.5,7\nC4,A,-1,2025-12-01 08:31:00,0.5,8\nC5,A,-9,2025-12-01 08:32:00,0.5,8\n";
    std::fs::write(&csv, lines).unwrap();
    fill(&["--orders", csv.to_str().unwrap(), "--store", path.to_str().unwrap(), "--json"]);
    let engine = open(&path);
    let stricter = "\n@id(\"many-pieces-need-a-look\")\nforbid (principal, action == Pazar::Action::\"return.accept\", resource)\n\
                    when { resource.quantity > 2 };\n";
    let files = read_law_files(law()).unwrap().into_iter().map(|(path, mut bytes)| {
        if path == "policies/returns.cedar" {
            bytes.extend_from_slice(stricter.as_bytes());
        }
        (path, bytes)
    });
    let law = Arc::new(hos_core::law::Law::load(files.collect()).unwrap_or_else(|faults| panic!("{faults:#?}")));
    let report = engine.backtest(&law, &ReplayOptions::default()).unwrap();
    // Three pieces came back; nine that were never bought would be refused for the other reason first.
    assert_eq!(report.changes, [(Change::AllowToDeny, 1), (Change::OtherCode, 1)].into(), "{report:#?}");
    assert_eq!(report.by_event.keys().collect::<Vec<_>>(), ["return.accept"]);
    assert_eq!(report.by_policy["many-pieces-need-a-look"], report.changes);
    let first = &report.witnesses[0];
    assert_eq!(first.policies_after, ["many-pieces-need-a-look"]);
    assert!(first.now.starts_with("deny hos.forbidden"), "{first:?}");
    let same = engine.backtest(&Arc::new(load_law(self::law()).unwrap()), &ReplayOptions::default()).unwrap();
    assert_eq!((same.differs(), same.other_policies), (0, 0));
}
