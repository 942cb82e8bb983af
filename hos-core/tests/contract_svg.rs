//! Pictures: every state and event of every contract stands in its picture, which is well-formed and hurts nobody.

mod graphs;

use hos_core::contract::svg::{svg, svg_body, xml_text};
use hos_core::contract::{Contract, PathStep, Walk};
use hos_core::law::Law;
use std::path::Path;

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn pazar() -> Law {
    let dir = here("../examples/pazar/law");
    let mut files = Vec::new();
    for folder in ["", "policies", "contracts"] {
        for entry in std::fs::read_dir(dir.join(folder)).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            let name = entry.file_name().into_string().unwrap();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            files.push((path, std::fs::read(entry.path()).unwrap()));
        }
    }
    Law::load(files).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn contracts() -> Vec<(String, Contract)> {
    let mut all: Vec<(String, Contract)> =
        pazar().contracts.iter().map(|(name, of)| (name.to_string(), of.contract.clone())).collect();
    all.extend(graphs::contracts());
    all
}

/// Whether tags are balanced, attributes quoted, and nothing stands raw that XML has a meaning for; the texts in between.
fn well_formed(xml: &str) -> Vec<String> {
    let (mut open, mut texts, mut rest) = (Vec::new(), Vec::new(), xml);
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        assert!(!text.contains('>'), "{text}");
        for piece in text.split('&').skip(1) {
            assert!(["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|e| piece.starts_with(e)), "&{piece}");
        }
        texts.push(text.to_owned());
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!tag.contains('<'), "{tag}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        let allowed = ["svg", "title", "style", "g", "rect", "path", "text", "tspan"];
        assert!(allowed.contains(&name), "a tag `{name}`");
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
        for attribute in tag.split('"').step_by(2).flat_map(|outside| outside.split(' ')).filter(|a| a.contains('=')) {
            assert!(!attribute.starts_with("on") && !attribute.contains("href"), "{attribute}");
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    texts
}

#[test]
fn every_state_and_event_of_every_contract_is_drawn() {
    let all = contracts();
    assert!(all.len() >= 5);
    for (name, contract) in &all {
        let picture = svg(contract, None);
        assert_eq!(picture, svg(contract, None), "twice the same");
        if let Some(dir) = std::env::var_os("HOS_PICTURES") {
            std::fs::write(Path::new(&dir).join(format!("{name}.svg")), &picture).unwrap();
        }
        let texts = well_formed(&picture);
        let count = |wanted: &str| texts.iter().filter(|t| t.trim() == wanted).count();
        for state in &contract.states {
            assert!(count(state.name.as_str()) >= 1, "{name}: {}", state.name);
        }
        for (event, _) in contract.arrows() {
            assert!(event.from.is_empty() || count(event.name.as_str()) >= 1, "{name}: {}", event.name);
        }
        for begin in contract.begins.keys() {
            assert!(count(begin.as_str()) >= 1, "{name}: {begin}");
        }
        let terminals = contract.states.iter().filter(|s| s.terminal).count();
        assert_eq!(picture.matches("class=\"i\"").count(), terminals, "{name}: a second border each");
        assert!(!picture.contains("http") || picture.matches("http").count() == 1, "nothing is loaded: {name}");
        assert!(!picture.contains("url(") && !picture.contains("@import") && !picture.contains("<script"));
    }
}

#[test]
fn deadlines_are_dashed_and_overrides_dotted() {
    let law = pazar();
    let order = &law.contracts.get("order").unwrap().contract;
    let picture = svg(order, None);
    assert!(
        picture.contains("<g class=\"due\">") && picture.contains("<g class=\"way\">") && picture.contains("<g class=\"on\">")
    );
    assert!(!picture.contains("went") || picture.matches("went").count() == picture.matches(".went").count());
    assert!(picture.contains("prefers-color-scheme:dark"));
    assert!(!svg_body(order, None).contains("<style"));
}

fn step(event: &str, from: Option<&str>, to: &str) -> PathStep {
    PathStep { event: event.into(), from: from.map(str::to_owned), to: to.into() }
}

#[test]
fn a_path_is_numbered_and_ends_in_a_filled_state() {
    let law = pazar();
    let order = &law.contracts.get("order").unwrap().contract;
    let walk = Walk {
        steps: vec![
            step("draft", None, "cart"),
            step("change", Some("cart"), "cart"),
            step("submit", Some("cart"), "new"),
            step("pay", Some("new"), "paid"),
        ],
        current: Some("paid".into()),
        erased: None,
    };
    let picture = svg(order, Some(&walk));
    well_formed(&picture);
    assert_eq!(picture.matches("class=\"k\"").count(), 4);
    for number in 1..=4 {
        assert!(picture.contains(&format!(">{number}</text>")), "{number}");
    }
    assert_eq!(picture.matches("class=\"state now\"").count(), 1);
    assert_eq!(picture.matches("class=\"state seen\"").count(), 2);
    // What no arrow of the contract is, is drawn all the same; a state of an older version too.
    let other = Walk {
        steps: vec![step("adopted", None, "paid"), step("migrated", Some("held"), "paid")],
        current: Some("paid".into()),
        erased: Some("silindi".into()),
    };
    let texts = well_formed(&svg(order, Some(&other)));
    for word in ["adopted", "migrated", "held", "silindi"] {
        assert!(texts.iter().any(|t| t == word), "{word}");
    }
    // A loop walked many times shows some numbers and that there are more.
    let many = Walk {
        steps: (0..40).map(|_| step("change", Some("cart"), "cart")).collect(),
        current: Some("cart".into()),
        erased: None,
    };
    let picture = svg(order, Some(&many));
    well_formed(&picture);
    assert!(picture.contains(">+</text>") && picture.matches("class=\"k\"").count() == 7);
}

#[test]
fn hostile_names_are_text() {
    let law = pazar();
    let order = &law.contracts.get("order").unwrap().contract;
    let names = [
        "<script>alert(1)</script>",
        "\"/><image href=\"x\"",
        "a&b]]>",
        "x\u{202e}y\u{0}z",
        "</text></svg>",
        "'onload='",
        "\u{1f600}ışğ",
    ];
    for name in names {
        let walk = Walk {
            steps: vec![step(name, Some(name), "paid"), step("pay", Some("paid"), name)],
            current: Some(name.into()),
            erased: Some(name.into()),
        };
        let picture = svg(order, Some(&walk));
        let texts = well_formed(&picture);
        assert!(texts.contains(&xml_text(name)), "{name}");
        assert!(!picture.contains('\u{202e}') && !picture.contains('\0'));
    }
}

#[test]
fn one_picture_is_as_it_was() {
    let law = pazar();
    let path = here("tests/golden/payment.svg");
    let picture = svg(&law.contracts.get("payment").unwrap().contract, None);
    if std::env::var_os("HOS_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &picture).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(picture, golden, "if this is meant, run the test with HOS_BLESS=1 and look at the picture");
}
