//! `hos demo` runs from this program alone, and shows what it promises.

mod common;

use common::{hos, run};

#[test]
fn everything_that_is_shown_happens() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("demo");
    let mut command = hos();
    command.arg("demo").arg(&dir).arg("--no-pause");
    // Nothing of the place where it is started is used.
    command.current_dir(place.path()).env("HOS_STORE", "/nowhere").env("HOS_TENANT", "nobody");
    let shown = run(command).ended(0).out;
    for wanted in [
        "cancelled --(ship)--> shipped      2",
        "(again: the first receipt)",
        "hos.terminal",
        "terminal     = [",
        "hos.guard: a row of orders is in a state that the law does not hold",
        "bypassed  order/o-2: the row says shipped, the law says cancelled",
        "intact     order/o-1",
        "refused  ",
        "large-refund-needs-manager",
        "replayed",
    ] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let mut again = hos();
    again.arg("demo").arg(&dir).arg("--no-pause");
    assert!(run(again).ended(2).err.contains("not empty"));
    let mut turkish = hos();
    turkish.arg("demo").args(["--no-pause", "--lang", "tr", "--json"]).arg(place.path().join("tr"));
    let json = run(turkish).ended(0).json();
    assert!(json["steps"][0]["words"].as_str().unwrap().starts_with("Bir dükkân"), "{json}");
    assert_eq!(json["steps"].as_array().unwrap().len(), 9);
    let said = |step: usize, act: usize| json["steps"][step]["acts"][act]["said"].as_str().unwrap();
    assert!(said(3, 3).contains("Süreç tamamlandı"), "the law's own words: {}", said(3, 3));
    assert!(said(6, 1).contains("bozulmamış"), "and the program's: {}", said(6, 1));
    assert!(!json.to_string().contains("--lang"), "what is shown is what a person would type: {json}");
}
