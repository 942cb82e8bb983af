//! A law under which what lives could do nothing any more is not put in force: it goes on under the one before.

mod support;

use hos_core::call::Transition;
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_engine::{Level, Settings, VerifyOptions, load_law};
use std::sync::Arc;
use support::{fresh, fresh_under, go, law, new_order, root, uid};

const CONTRACT: &str = "contracts/o.toml";
const SCHEMA: &str = "schema.cedarschema";

/// The law with texts replaced: file, old, new.
fn with(changes: &[(&str, &str, &str)]) -> Arc<Law> {
    Arc::new(law::law_but(|path, text| {
        changes.iter().filter(|(file, ..)| *file == path).fold(text, |text, (_, old, new)| {
            assert!(text.contains(old), "{path}: {old}");
            text.replace(old, new)
        })
    }))
}

#[test]
fn facts_events_and_the_person_of_what_lives_are_not_taken_from_it() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    let (newer, moved) =
        ((CONTRACT, "version=1", "version=2"), (CONTRACT, "[begin.new]", "[migrate.\"1\"]\na=\"a\"\n[begin.new]"));
    let activate = |law| store.engine.activate(&root(), law, None, Modes::default()).unwrap();
    let before = store.engine.law().unwrap().hash;
    let fact = (CONTRACT, "who=\"A\"", "who=\"A\"\nsum=\"Long\"");
    let entity = [(CONTRACT, "entity=\"N::O\"", "entity=\"N::Q\""), (SCHEMA, "entity O;", "entity O;entity Q;")];
    let applies = (SCHEMA, "resource:[O]", "resource:[O,Q]");
    for (changes, why) in [
        (vec![fact], "requires the fact `sum`"),
        (vec![fact, newer, moved], "requires the fact `sum`"),
        (vec![(CONTRACT, "data_subject=\"facts.who\"\n", "")], "whose data"),
        (vec![(CONTRACT, "data_subject=\"facts.who\"\n", ""), newer, moved], "whose data"),
        (vec![(CONTRACT, "[facts]\nwho=\"A\"\n", ""), (CONTRACT, "data_subject=\"facts.who\"\n", "")], "have the fact `who`"),
        (vec![(CONTRACT, "who=\"A\"", "who=\"String\""), (CONTRACT, "data_subject=\"facts.who\"\n", "")], "their fact `who`"),
        (vec![entity[0], entity[1], applies], "they are `N::O`"),
        (vec![(CONTRACT, "[event.go]", "[event.go]\nargs={amount=\"Long\"}")], "gives no `amount`"),
        (vec![(SCHEMA, "principal:[Clock]", "principal:[A]")], "who fires the deadlines"),
    ] {
        let answer = activate(with(&changes));
        assert_eq!(answer.code(), Some("hos.law_in_use"), "{changes:?}");
        let detail = &answer.blockers[0].detail;
        assert!(detail.starts_with("`t1` has live instances of `o` in `a`: ") && detail.contains(why), "{changes:?}: {detail}");
        assert_eq!(store.engine.law().unwrap().hash, before);
    }
    // What lives is none the worse for it.
    assert!(tenant.transition(go("1")).unwrap().allowed);
    // What they need is there, and something more.
    let changes =
        [(CONTRACT, "who=\"A\"", "who=\"A\"\nsum=\"Long?\""), (CONTRACT, "[event.go]", "[event.go]\nargs={amount=\"Long?\"}")];
    assert!(activate(with(&changes)).allowed);
    assert!(tenant.transition(go("2")).unwrap().allowed);
    // Nothing lives any more: now any law will do.
    assert!(activate(with(&[fact])).allowed);
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

/// The law's contract with an override out of an end.
const REOPEN: [(&str, &str, &str); 2] = [
    (SCHEMA, "\"o.new\",\"o.go\"", "\"o.new\",\"o.go\",\"o.reopen\""),
    (CONTRACT, "[[deadline]]", "[override.reopen]\nfrom=[\"b\"]\nto=\"a\"\n[[deadline]]"),
];

/// A store under such a law.
fn reopening() -> support::Store {
    fresh_under(Settings::default(), |path, text| {
        REOPEN.iter().filter(|(file, ..)| *file == path).fold(text, |text, (_, old, new)| text.replace(old, new))
    })
}

fn reopen(id: &str) -> Transition {
    Transition::new(uid("A", "root"), "o", id, "reopen").unwrap().because("a mistake")
}

/// What would be taken along at its end, and revived there, is asked of as what lives is.
#[test]
fn what_a_migration_takes_along_at_its_end_keeps_its_person_and_its_facts() {
    let store = reopening();
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let activate = |changes: &[(&str, &str, &str)]| {
        let law = with(&[&REOPEN[..], &[(CONTRACT, "version=1", "version=2")][..], changes].concat());
        store.engine.activate(&root(), law, None, Modes::default()).unwrap()
    };
    let stays = (CONTRACT, "[begin.new]", "[migrate.\"1\"]\na=\"a\"\n[begin.new]");
    let revived = (CONTRACT, "[begin.new]", "[migrate.\"1\"]\na=\"a\"\nb=\"a\"\n[begin.new]");
    let nobody_s = (CONTRACT, "data_subject=\"facts.who\"\n", "");
    for (change, why) in [
        (nobody_s, "whose data"),
        (("law.toml", "persons=[\"A\"]\n", ""), "is no person under the new law"),
        ((CONTRACT, "who=\"A\"", "who=\"A\"\nsum=\"Long\""), "requires the fact `sum`"),
    ] {
        for taken in [stays, revived] {
            let answer = activate(&[change, taken]);
            assert_eq!(answer.code(), Some("hos.law_in_use"), "{change:?}");
            let detail = &answer.blockers[0].detail;
            assert!(detail.starts_with("`t1` has live instances of `o` in `b`: ") && detail.contains(why), "{detail}");
        }
    }
    // Left behind it stays its person's, and is revived as such.
    assert!(activate(&[nobody_s]).allowed);
    assert!(tenant.transition(reopen("1")).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let erased = store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

/// What an override of its own contract has revived has no place in the law in force, and keeps nobody from that law's modes.
#[test]
fn the_law_in_force_may_be_activated_again_whatever_lives_beside_it() {
    let store = reopening();
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let newer = with(&[REOPEN[0], REOPEN[1], (CONTRACT, "version=1", "version=2")]);
    let other = with(&[REOPEN[0], REOPEN[1], (CONTRACT, "version=1", "version=3")]);
    let activate = |law: &Arc<Law>| store.engine.activate(&root(), law.clone(), None, Modes::default()).unwrap();
    assert!(activate(&newer).allowed);
    assert!(tenant.transition(reopen("1")).unwrap().allowed);
    let again = activate(&newer);
    assert!(again.allowed, "{:?}", again.blockers);
    assert_eq!(activate(&other).code(), Some("hos.law_in_use"));
}

/// An event that only the new version has takes them along, under its own arguments.
#[test]
fn a_newer_version_has_events_of_its_own() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let law = with(&[
        (CONTRACT, "version=1", "version=2"),
        (CONTRACT, "[event.go]", "[event.go]\nargs={amount=\"Long\"}"),
        (CONTRACT, "[begin.new]", "[migrate.\"1\"]\na=\"a\"\n[begin.new]"),
    ]);
    assert!(store.engine.activate(&root(), law, None, Modes::default()).unwrap().allowed);
    let go = Transition::new(uid("A", "root"), "o", "1", "go").unwrap();
    assert_eq!(tenant.transition(go.clone()).unwrap().code(), Some("hos.attribute_missing"));
    assert!(tenant.transition(go.arg("amount", 1)).unwrap().allowed);
}

/// The door of a directory, by which a store is founded and a law activated, is shut to what `hos check` calls an error.
#[test]
fn a_directory_with_an_error_in_a_contract_is_no_law() {
    let dir = tempfile::tempdir().unwrap();
    let write = |old: &str, new: &str| {
        for (path, bytes) in law::files() {
            let text = String::from_utf8(bytes).unwrap();
            let file = dir.path().join(&path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, if path == CONTRACT { text.replace(old, new) } else { text }).unwrap();
        }
    };
    write("", "");
    assert!(load_law(dir.path()).is_ok());
    write("[event.go]\nfrom=[\"a\"]", "[event.go]\nfrom=[\"a\",\"c\"]");
    let failure = load_law(dir.path()).unwrap_err();
    assert!(failure.faults.iter().any(|fault| fault.code == "law.contract.terminal_exit"), "{failure:?}");
}
