//! `hos check --model`: what is told, in both languages and as JSON, which files are written, and that a path repeats on a store.

mod common;

use common::{Run, World, hos, law, run};
use std::path::Path;
use std::process::Command;

/// The test law in a directory, with this at the end of its contract.
fn law_with(dir: &Path, more: &str) -> String {
    let target = dir.join("law");
    copy(&law(), &target);
    let contract = target.join("contracts/order.toml");
    let text = std::fs::read_to_string(&contract).unwrap();
    std::fs::write(contract, text + more).unwrap();
    target.to_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn check(words: &[&str]) -> Run {
    let mut command = hos();
    command.arg("check").args(words);
    run(command)
}

/// Broken by a way round: expired, reopened, paid.
const BROKEN: &str = "\n[[promise]]\ncode = \"too_late\"\nnever = \"paid\"\nafter = \"expired\"\n";

const TRACE: &str = "
    1  place   -> new
    2  expire  new -> expired  deadline
    3  reopen  expired -> new  override
    4  pay     new -> paid     if context.amount >= resource.total; sends mail.order_paid
";

#[test]
fn a_sound_law_is_clean() {
    let law_dir = law().to_str().unwrap().to_owned();
    let told = check(&[&law_dir, "--model", "--strict"]).ended(0);
    assert!(told.out.ends_with("\nmodel  order 1: 3 worlds, 2 steps deep: nothing found\n"), "{}", told.out);
    let turkish = check(&[&law_dir, "--model", "--lang", "tr"]).ended(0);
    assert!(turkish.out.ends_with("\nmodel  order 1: 3 dünya, 2 adım derin: bir şey bulunmadı\n"), "{}", turkish.out);
    let json = check(&[&law_dir, "--model", "--json"]).ended(0).json();
    let expected = serde_json::json!([
        { "contract": "order", "version": 1, "worlds": 3, "depth": 2, "complete": true, "findings": [] }
    ]);
    assert_eq!(json["model"], expected);
    assert!(!check(&[&law_dir, "--json"]).ended(0).out.contains("model"), "nobody asked");
}

#[test]
fn a_broken_promise_is_told_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let law_dir = law_with(dir.path(), BROKEN);
    check(&[&law_dir, "--strict"]).ended(0);
    let told = check(&[&law_dir, "--model"]).ended(3);
    let message =
        "error[law.model.promise]: the promise `order.too_late` is broken: `paid` is entered after `expired` was (possible)\n";
    assert!(told.out.contains(message) && told.out.contains(TRACE), "{}", told.out);
    assert!(told.out.contains("model  order 1: 3 worlds, 2 steps deep: 1 error, 0 warnings\npossible: "), "{}", told.out);
    let turkish = check(&[&law_dir, "--model", "--lang", "tr"]).ended(3);
    for said in ["`order.too_late` sözü tutulmuyor", "(olası)", "süre doldu", "koşul: context.amount", "1 hata, 0 uyarı\nolası: "]
    {
        assert!(turkish.out.contains(said), "{said}: {}", turkish.out);
    }
    let json = check(&[&law_dir, "--model", "--json"]).ended(3).json();
    let finding = &json["model"][0]["findings"][0];
    assert_eq!((finding["code"].as_str(), finding["severity"].as_str()), (Some("law.model.promise"), Some("error")));
    assert_eq!((finding["possible"].as_bool(), finding["number"].as_u64()), (Some(true), Some(1)));
    let how: Vec<_> = finding["trace"].as_array().unwrap().iter().map(|step| step["happened"].as_str().unwrap()).collect();
    assert_eq!(how, ["born", "fired", "overridden", "moved"]);
    assert_eq!(finding["trace"][3]["given"], serde_json::json!(["context.amount >= resource.total"]));
}

#[test]
fn what_was_not_explored_is_a_finding() {
    let law_dir = law().to_str().unwrap().to_owned();
    for (option, words) in [("--worlds-max", "at most 2 worlds"), ("--depth-max", "at most 2 steps of one path")] {
        let count = "2";
        let told = check(&[&law_dir, "--model", option, count]).ended(3);
        assert!(told.out.contains("error[law.model.incomplete]") && told.out.contains(words), "{}", told.out);
        let json = check(&[&law_dir, "--model", option, count, "--json"]).ended(3).json();
        assert_eq!(json["model"][0]["complete"], false);
        // Without --model it means nothing.
        check(&[&law_dir, option, count]).ended(2);
    }
}

#[test]
fn a_path_is_drawn_and_repeats_on_a_store() {
    let world = World::empty();
    let law_dir = law_with(world.dir.path(), BROKEN);
    let (pictures, tests) = (world.path("pictures"), world.path("tests"));
    let write = ["--model", "--trace-diagram", &pictures, "--trace-test", &tests];
    check(&[&[law_dir.as_str()], &write[..]].concat()).ended(3);
    let picture = std::fs::read_to_string(Path::new(&pictures).join("order-1.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("reopen"), "{picture}");
    let again = check(&[&[law_dir.as_str()], &write[..]].concat()).ended(2);
    assert!(again.err.contains("order-1.svg"), "what was there is not replaced: {}", again.err);
    let init = ["init", "--law", &law_dir, "--founder", "Account::root", "--role", "Role::operator", "--attr", "active=true"];
    world.run(&init).ended(0);
    let script = Path::new(&tests).join("order-1.sh");
    let said = repeat(&world, &script);
    assert!(said.0, "{}", said.1);
    for line in [": -> new (place)", "fired    1", ": expired -> new (reopen)", ": new -> paid (pay)"] {
        assert!(said.1.contains(line), "{line}: {}", said.1);
    }
    // A step that comes out otherwise ends it.
    let text = std::fs::read_to_string(&script).unwrap();
    std::fs::write(&script, text.replace("amount=1", "amount=0")).unwrap();
    let said = repeat(&world, &script);
    assert!(!said.0 && said.1.contains("not as the path says: : new -> paid (pay)"), "{}", said.1);
}

/// Runs a script with the program in its path; whether it ended well, and what was said.
fn repeat(world: &World, script: &Path) -> (bool, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_hos")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.arg(script).env("PATH", path).env("HOS_STORE", world.path("hos.db"));
    let output = command.env("HOS_TENANT", "pazar").env("HOS_AS", "Account::root").env("STALL_ACCOUNT", "root").output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}
