//! Whole pictures, held line by line: an order with a crooked path, a claim with every kind of arrow, and small tangles.
//!
//! A picture that comes out otherwise is not wrong for that; it is to be looked at. `HOS_BLESS=1` writes the pictures anew.
//! The tangles were drawn by lot, and are those of some hundred that between them need each step of the layout.

use hos_core::contract::parse::parse;
use hos_core::contract::svg::{STYLE, svg, svg_body, xml_text};
use hos_core::contract::{Contract, PathStep, Walk};
use hos_core::fault::SourceFile;
use std::fmt::Write;

const ORDER: &str = include_str!("contract_order.toml");
const CLAIM: &str = include_str!("golden/claim.toml");

fn contract(text: &str) -> Contract {
    let file = SourceFile { path: "contracts/c.toml".into(), text: text.into() };
    parse(&file, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}\n{text}")).0
}

/// A path as words: event, from (`-` at a birth), to.
fn walk(steps: &str, current: &str, erased: Option<&str>) -> Walk {
    let step = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut next = || words.next().unwrap();
        PathStep { event: next(), from: Some(next()).filter(|from| from != "-"), to: next() }
    };
    Walk { steps: steps.split(',').map(step).collect(), current: Some(current.to_owned()), erased: erased.map(str::to_owned) }
}

#[track_caller]
fn golden(name: &str, picture: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("HOS_BLESS").is_some() {
        std::fs::write(&path, picture).unwrap();
    }
    let was = std::fs::read_to_string(&path).unwrap();
    assert_eq!(picture, was, "if this is meant, run the test with HOS_BLESS=1 and look at {name}");
}

/// A loop walked nine times, states of an older version and of nobody, two ways back, an erased instance.
#[test]
fn an_order_that_went_astray_is_drawn_as_it_was() {
    let remind = "remind new new, ".repeat(8);
    let path = format!(
        "adopted - placed, migrated placed new, {remind} pay new paid, capture paid refunding, refunded refunding cancelled, \
         reopen cancelled new, expire new expired, reopen expired new, shadowed new cart"
    );
    golden("order.svg", &svg(&contract(ORDER), Some(&walk(&path, "cart", Some("silindi")))));
}

/// Loops of every kind at one state, six numbers and more than six, letters that take two columns, a path that ends in the
/// state of a note.
#[test]
fn a_claim_with_every_kind_of_arrow_is_drawn_as_it_was() {
    let (look, remind) = ("look open open, ".repeat(6), "remind open open, ".repeat(7));
    let (wide, wider) = ("\u{1100}", "\u{1100}".repeat(9));
    let path = format!(
        "file - filed, assign filed open, {look} {remind} touch open open, \u{c0c1}\u{b2f4} open called, {wide} called {wider}, \
         moved {wider} review, shown review review, triage review refused"
    );
    golden("claim.svg", &svg(&contract(CLAIM), Some(&walk(&path, "refused", Some("a long word for erased")))));
}

/// States (`+` of a birth, `!` of an end), and arrows: from, event, to (several are branches), `@` for a deadline.
const TANGLES: [(&str, &str, &[&str]); 6] = [
    ("apart", "+delivered c new e ab", &["delivered lift c", "delivered ship new", "ab fix c", "ab again c"]),
    (
        "wide",
        "+c waiting_long delivered new !ab e",
        &[
            "c pay waiting_long",
            "waiting_long drop delivered",
            "delivered pack ab",
            "c send e",
            "new keep e",
            "delivered run delivered",
            "e try ab",
            "delivered another_3 ab",
            "waiting_long fix c @",
            "e ship ab",
            "new put c @",
        ],
    ),
    (
        "back",
        "+new delivered +ab c",
        &[
            "new hold delivered",
            "delivered open ab",
            "delivered end c",
            "delivered set c ab @",
            "c pay delivered",
            "new ask new",
            "delivered ship new",
            "new put ab",
            "c run new",
        ],
    ),
    (
        "down",
        "+new c ab !delivered",
        &["new ask c", "new keep ab", "new try delivered", "ab go delivered", "c another_1 delivered", "new pay c"],
    ),
    ("two", "new !+ab +c e delivered", &["new shut ab", "new put c", "delivered get ab", "new move e e @"]),
    (
        "knot",
        "+ab c !delivered !new",
        &[
            "ab open c",
            "ab ask delivered",
            "ab lift new",
            "c another_0 new",
            "c get new",
            "ab another_2 delivered @",
            "c set delivered",
            "c keep c ab",
            "ab another_5 delivered ab",
            "c shut delivered",
        ],
    ),
];

fn tangle(name: &str, states: &str, arrows: &[&str]) -> Contract {
    let quoted = |names: &[String]| names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ");
    let plain = |s: &str| s.trim_start_matches(['+', '!']).to_owned();
    let all: Vec<String> = states.split(' ').map(plain).collect();
    let ends: Vec<String> = states.split(' ').filter(|s| s.contains('!')).map(plain).collect();
    let mut text = format!(
        "contract = \"{name}\"\nversion = 1\nentity = \"E\"\nstates = [{}]\nterminal = [{}]\n",
        quoted(&all),
        quoted(&ends)
    );
    for (i, birth) in states.split(' ').filter(|s| s.contains('+')).enumerate() {
        let _ = write!(text, "[begin.born{i}]\nto = \"{}\"\n", plain(birth));
    }
    for arrow in arrows {
        let words: Vec<&str> = arrow.split(' ').collect();
        let (from, event, to) = (words[0], words[1], words[2]);
        let _ = write!(text, "[event.{event}]\nfrom = [\"{from}\"]\n");
        let _ = match words.get(3) {
            Some(other) if *other != "@" => {
                writeln!(text, "branch = [{{ to = \"{to}\", when = \"context.x\" }}, {{ to = \"{other}\" }}]")
            }
            _ => writeln!(text, "to = \"{to}\""),
        };
        if arrow.ends_with('@') {
            let _ = write!(text, "[[deadline]]\nstate = \"{from}\"\nafter = \"PT1H\"\nevent = \"{event}\"\n");
        }
    }
    contract(&text)
}

#[test]
fn tangles_are_drawn_as_they_were() {
    for (name, states, arrows) in TANGLES {
        golden(&format!("tangle_{name}.svg"), &svg(&tangle(name, states, arrows), None));
    }
}

/// Two branches of one event to one state share a line: under both conditions, once each; and under none, where another
/// branch leads there in any case.
#[test]
fn branches_to_one_state_share_a_line() {
    let text = |branches: &str| {
        format!(
            "contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [\"a\", \"b\", \"z\"]\n[begin.n]\nto = \"a\"\n\
             [event.go]\nfrom = [\"a\"]\nbranch = [{branches}]\n"
        )
    };
    // Branches | the hints in the picture, from `a` to `b` and to `z`
    let rows: [(&str, &[&str]); 5] = [
        (r#"{ to = "b", when = "x" }, { to = "z" }"#, &["[x]"]),
        (r#"{ to = "b", when = "x" }, { to = "b", when = "y" }, { to = "z" }"#, &["[x] [y]"]),
        (r#"{ to = "b", when = "x" }, { to = "b", when = " x " }, { to = "z" }"#, &["[x]"]),
        (r#"{ to = "b", when = "x" }, { to = "z", when = "y" }, { to = "b" }"#, &["[y]"]),
        (r#"{ to = "b", when = "x" }, { to = "b" }"#, &[]),
    ];
    for (branches, expected) in rows {
        let picture = svg(&contract(&text(branches)), None);
        let hints: Vec<&str> =
            picture.split("<tspan class=\"m\"> ").skip(1).map(|rest| rest.split("</tspan>").next().unwrap()).collect();
        assert_eq!(hints, expected, "{branches}");
        let targets = if branches.contains("\"z\"") { 2 } else { 1 };
        assert_eq!(picture.matches(">go<").count(), targets, "one line for each state that it leads to: {branches}");
    }
}

/// The whole file is the body with its style and its ground; nothing else differs.
#[test]
fn the_body_is_the_file_without_its_style() {
    let order = contract(ORDER);
    let whole = svg(&order, None);
    let bare: String = whole.lines().filter(|l| !l.starts_with("<style>") && !l.starts_with("<rect class=\"bg\"")).fold(
        String::new(),
        |mut out, line| {
            out.push_str(line);
            out.push('\n');
            out
        },
    );
    assert_eq!(svg_body(&order, None), bare);
    assert!(whole.contains(STYLE) && bare.len() + STYLE.len() < whole.len());
}

#[test]
fn text_in_a_picture_holds_nothing_that_xml_forbids_or_that_turns_it_round() {
    let rows = [
        ("a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;&#39;"),
        ("one\ntwo\tthree", "one two three"),
        ("\u{0}\u{1f}\r\u{7f}\u{85}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ("\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ("\u{fffe}\u{ffff}", "\u{fffd}\u{fffd}"),
        ("\u{200d}\u{202f}\u{1f600}\u{131}", "\u{200d}\u{202f}\u{1f600}\u{131}"),
    ];
    for (text, expected) in rows {
        assert_eq!(xml_text(text), expected, "{text:?}");
    }
}
