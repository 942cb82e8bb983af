//! `hos law types`: what it writes of Pazar's law stands in the example and is what it writes now; the Rust among it compiles
//! here and makes the calls that it says. The other languages' are compiled where their bindings are tested.

mod common;

use common::{hos, run};
use hos_core::id::Uid;
use hos_core::value::Value;
use std::path::{Path, PathBuf};

#[allow(dead_code, unreachable_pub, reason = "a law has more names than a test, and they are for others")]
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

fn written(place: &Path, files: &[(&str, &str)]) -> PathBuf {
    for (name, text) in files {
        let path = place.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    place.to_owned()
}

/// A law whose names are awkward: signs in an action's id, words of the languages as names of arguments and facts.
fn awkward(place: &Path) -> PathBuf {
    let files = [
        ("law.toml", "name = \"awkward\"\nnamespace = \"N\"\n"),
        (
            "schema.cedarschema",
            "namespace N { entity A = { active: Bool }; entity Class; entity Clock;\n\
             action \"say \\\"it's\\\" \\\\ so\" appliesTo { principal: [A], resource: [Class] };\n\
             action \"class.new\", \"class.move\", \"class.print\" appliesTo { principal: [A], resource: [Class] }; }\n",
        ),
        ("policies/all.cedar", "@id(\"all\") permit (principal, action, resource);\n"),
        (
            "contracts/class.toml",
            "contract = \"class\"\nversion = 1\nentity = \"N::Class\"\nstates = [\"class\", \"self\", \"a-b\", \"a_b\"]\n\
             forever = [\"class\", \"self\", \"a-b\", \"a_b\"]\n[facts]\noverride = \"Long\"\nfrom = \"String?\"\nid = \"String\"\n\
             [begin.new]\nto = \"class\"\n[event.move]\nfrom = [\"class\"]\nto = \"self\"\n\
             args = { typeof = \"Long\", lambda = \"String?\", once = \"Bool\", this = \"decimal\", crate = \"datetime?\" }\n\
             [event.print]\nfrom = [\"self\"]\nto = \"a-b\"\n[event.back]\nfrom = [\"a-b\"]\nto = \"a_b\"\naction = \"class.print\"\n\
             [event.forth]\nfrom = [\"a_b\"]\nto = \"a-b\"\naction = \"class.print\"\n",
        ),
    ];
    written(place, &files)
}

/// A law whose names are those of what is written besides: types that the Rust names, methods that PHP calls by itself, two contracts
/// that differ in the size of a letter, a namespace that there cannot be.
fn taken(place: &Path) -> PathBuf {
    let names = ["self", "result", "option", "string", "vec", "uid", "__get", "__toString", "State", "CLASS"];
    let goes = "from = [\"CLASS\"]\nto = \"CLASS\"\nself_loop = true\naction = \"go\"\n";
    let events = names.map(|name| format!("[event.{name}]\n{goes}")).concat();
    let contract = |name: &str, entity: &str| {
        format!(
            "contract = \"{name}\"\nversion = 1\nentity = \"N::{entity}\"\nstates = [\"CLASS\", \"Option\"]\n\
             forever = [\"CLASS\", \"Option\"]\n[facts]\nself = \"String?\"\nself_ = \"Set<String>\"\n[begin.new]\nto = \"CLASS\"\naction = \"go\"\n\
             [begin.other]\nto = \"Option\"\naction = \"go\"\n{events}"
        )
    };
    let files = [
        ("law.toml", "name = \"namespace\"\nnamespace = \"N\"\n".to_owned()),
        (
            "schema.cedarschema",
            "namespace N { entity A; entity O, P, Q, R;\n\
             action \"go\", \"class\" appliesTo { principal: [A], resource: [O, P, Q, R] }; }\n"
                .to_owned(),
        ),
        ("policies/all.cedar", "@id(\"all\") permit (principal, action, resource);\n".to_owned()),
        ("contracts/a.toml", contract("oA", "O")),
        ("contracts/b.toml", contract("oa", "P")),
        ("contracts/c.toml", contract("self", "Q")),
        ("contracts/d.toml", contract("self_", "R")),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    written(place, &files)
}

#[test]
fn names_that_are_taken_compile() {
    let place = tempfile::tempdir().unwrap();
    let law = taken(&place.path().join("law"));
    compiles(place.path(), &law);
    let said = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    let rust = ["struct Result_2 {", "struct Option_2 {", "struct String_2 {", "struct Self_2 {", "mod self__2 {"];
    let php = ["namespace Namespace_2;", "function oA(", "function oa_2(", "function __get_2(", "case CLASS_2 = "];
    for (name, wanted) in [("law.rs", rust), ("law.php", php)] {
        let text = said(name);
        assert!(wanted.iter().all(|line| text.contains(line)), "{name}: {text}");
    }
}

#[test]
fn awkward_names_compile() {
    let place = tempfile::tempdir().unwrap();
    let law = awkward(&place.path().join("law"));
    compiles(place.path(), &law);
    let said = std::fs::read_to_string(place.path().join("law.ts")).unwrap();
    assert!(said.contains(r#"| "say \"it's\" \\ so""#), "{said}");
}

/// Each language's own compiler takes what is written, as far as it is there.
fn compiles(place: &Path, law: &Path) {
    let file = |name: &str| place.join(name);
    for (language, name) in [("--ts", "law.ts"), ("--py", "law.py"), ("--php", "law.php"), ("--rust", "law.rs")] {
        std::fs::write(file(name), types(&[language], &[law]).ended(0).out).unwrap();
    }
    let ends = |program: &str, args: &[&str], file: PathBuf| {
        let Ok(output) = std::process::Command::new(program).args(args).arg(file).output() else {
            println!("skipped: {program} is not installed");
            return;
        };
        assert!(output.status.success(), "{program}: {output:?}");
    };
    ends("php", &["-l"], file("law.php"));
    ends("python3", &["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"], file("law.py"));
    // As far as names go the compiler needs none of the crates that the file names.
    let stubs = "pub mod hos_core { pub mod id { pub struct IdError; #[derive(Debug, Clone)] pub struct Uid; }\n\
                 pub mod value { pub enum Ext { Decimal, Datetime, Duration, Ip } pub enum Value { Bool(bool), Long(i64), String(String), Set(Vec<Value>), Ext(Ext, String) } } }\n\
                 pub mod hos_engine { pub mod call { use crate::hos_core::{id::*, value::*};\n\
                 macro_rules! call { ($name:ident) => { pub struct $name; impl $name {\n\
                 pub fn new(_: Uid, _: &str, _: &str, _: &str) -> Result<Self, IdError> { Ok(Self) }\n\
                 pub fn arg(self, _: &str, _: Value) -> Self { self } pub fn fact(self, _: &str, _: Value) -> Self { self }\n\
                 pub fn because(self, _: &str) -> Self { self } } } }\ncall!(Begin); call!(Transition); } }\n";
    let made = std::fs::read_to_string(file("law.rs")).unwrap();
    let made = made.replace("use hos_engine", "use crate::hos_engine").replace("use hos_core", "use crate::hos_core");
    std::fs::write(file("whole.rs"), format!("#![allow(dead_code)]\n{stubs}pub mod law {{\n{made}}}\n")).unwrap();
    let out = file("whole.rmeta");
    ends(
        "rustc",
        &["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "-o", out.to_str().unwrap()],
        file("whole.rs"),
    );
}
