//! A history's event that is called as adoption is gets another name, and that is told.

use hos_core::contract::infer::judge::judge;
use hos_core::contract::infer::{Arrows, History, Move, Proposal, Source, arrows, text};
use hos_core::contract::parse::parse;
use hos_core::fault::SourceFile;
use hos_core::id::Name;

/// Eight lives: born by one event, moved by others.
fn proposed(born: &str, moves: &[(&str, &str)]) -> (Proposal, Arrows) {
    let mut history = History::new(false);
    let mut line = 0;
    for life in 0..8 {
        let instance = format!("i-{life}");
        let mut from = Source::Birth;
        for &(event, to) in [(born, "new")].iter().chain(moves) {
            line += 1;
            history.add(&Move { instance: &instance, from, to, event: Some(event), time: None, line }).unwrap();
            from = Source::State(to);
        }
    }
    let proposal = judge(&history);
    let arrows = arrows(&proposal, &Name::new("child").unwrap()).unwrap();
    (proposal, arrows)
}

fn told(arrows: &Arrows) -> Vec<String> {
    arrows.renamed.iter().map(|renamed| format!("{} {} {}", renamed.what, renamed.said, renamed.name)).collect()
}

#[test]
fn no_event_of_a_proposal_has_the_action_of_adoption() {
    let (proposal, arrows) = proposed("register", &[("adopt", "placed"), ("visit", "settled")]);
    let mut names: Vec<&str> = arrows.arrows.iter().map(|arrow| arrow.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["adopt_2", "visit"]);
    assert_eq!(told(&arrows), ["event adopt adopt_2"]);
    let contract = Name::new("child").unwrap();
    let title = text::Title { contract: &contract, entity: "Child", source: "log.csv" };
    let file = SourceFile { path: "contracts/child.toml".into(), text: text::contract(&proposal, &arrows, &title).unwrap() };
    assert!(file.text.contains("[event.adopt_2]") && file.text.contains("The history calls it `adopt`"), "{}", file.text);
    let (contract, _) = parse(&file, "N").unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(contract.arrows().all(|(event, _)| event.action != "child.adopt"));
}

#[test]
fn nor_has_a_birth() {
    let (_, arrows) = proposed("adopt", &[("visit", "settled")]);
    assert_eq!(arrows.births.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["begin_new"]);
    assert_eq!(told(&arrows), ["birth adopt begin_new"]);
    let (_, arrows) = proposed("register", &[("visit", "settled")]);
    assert_eq!(told(&arrows), [] as [&str; 0]);
}
