//! A proposal from a history at its edges: names, spans, counts that just are or just are not enough, and the whole file.

use hos_core::contract::infer::judge::judge;
use hos_core::contract::infer::{Column, EXAMPLES, History, Move, Proposal, Reason, Refused, Source, Verdict, arrows, text};
use hos_core::id::Name;
use hos_core::limits::TOML_BYTES_MAX;
use hos_core::time::Timestamp;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Rows in the making, each on a line of its own.
struct Rows {
    history: History,
    line: u64,
}

impl Rows {
    fn new() -> Self {
        Self { history: History::new(false), line: 0 }
    }

    fn row(&mut self, instance: &str, from: Source<'_>, event: Option<&str>, to: &str, ms: Option<i64>) -> Result<(), Refused> {
        self.line += 1;
        self.history.add(&Move { instance, from, to, event, time: ms.map(Timestamp), line: self.line })
    }

    /// An instance's whole life: born by `place` into the first state, then event, state and milliseconds since the last step.
    fn life(&mut self, born: &str, steps: &[(&str, &str, i64)]) -> &mut Self {
        let id = format!("i-{}", self.line);
        let mut at = i64::try_from(self.line).unwrap() * 1_013;
        self.row(&id, Source::Birth, Some("place"), born, Some(at)).unwrap();
        let mut from = born;
        for (event, to, after) in steps {
            at += after;
            self.row(&id, Source::State(from), Some(event), to, Some(at)).unwrap();
            from = to;
        }
        self
    }

    fn lives(&mut self, times: usize, born: &str, steps: &[(&str, &str, i64)]) -> &mut Self {
        (0..times).for_each(|_| _ = self.life(born, steps));
        self
    }

    /// Rows that say another state than the instance is in.
    fn broken(&mut self, times: usize, born: &str, said: &str, event: &str, to: &str) -> &mut Self {
        for _ in 0..times {
            let id = format!("b-{}", self.line);
            self.row(&id, Source::Birth, Some("place"), born, None).unwrap();
            self.row(&id, Source::State(said), Some(event), to, None).unwrap();
        }
        self
    }

    fn judged(&self) -> Proposal {
        judge(&self.history)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn verdict(proposal: &Proposal, from: &str, to: &str) -> (Verdict, Vec<&'static str>) {
    let edge = proposal.edges.iter().find(|e| e.from.as_str() == from && e.to.as_str() == to).unwrap();
    (edge.verdict, edge.reasons.iter().map(Reason::code).collect())
}

fn written(proposal: &Proposal, entity: &str, source: &str) -> Result<String, String> {
    let contract = name("order");
    text::contract(proposal, &arrows(proposal, &contract).unwrap(), &text::Title { contract: &contract, entity, source })
}

/// A file with everything in it, line by line. `HOS_BLESS=1` writes it anew; then it is to be read.
#[test]
fn the_whole_file_is_as_it_was() {
    let mut rows = Rows::new();
    rows.lives(40, "new", &[("pay", "paid", 17 * MINUTE), ("send", "sent", 26 * HOUR), ("arrive", "done", 50 * HOUR)])
        .lives(200, "new", &[("pay", "paid", 3 * MINUTE), ("send", "sent", 25 * HOUR), ("arrive", "done", 49 * HOUR)])
        .lives(120, "old", &[("close", "paid", MINUTE), ("touch", "paid", 9 * MINUTE), ("send", "sent", HOUR)])
        .lives(30, "old", &[("close", "gone", 5 * HOUR)])
        .lives(60, "new", &[("close", "gone", 24 * HOUR)])
        .lives(2, "new", &[("pay", "paid", MINUTE), ("lose", "gone", MINUTE)])
        .lives(1, "new", &[("pay", "paid", MINUTE), ("send", "sent", HOUR), ("undo", "paid", HOUR), ("send", "sent", HOUR)])
        .lives(1, "new", &[("pay", "paid", 2 * MINUTE), ("send", "sent", HOUR), ("arrive", "done", HOUR), ("again", "new", HOUR)])
        .broken(2, "new", "done", "stamp", "done")
        .broken(1, "paid", "sent", "stamp", "sent");
    rows.row("a\u{202e}\"b", Source::State("old"), Some("close"), "gone", None).unwrap();
    rows.row("a\u{202e}\"b", Source::State("gone"), None, "gone", None).unwrap();
    let found = written(&rows.judged(), "Order", "orders.csv").unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/inferred.toml");
    if std::env::var_os("HOS_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap(), "if this is meant, run the test with HOS_BLESS=1 and read it");
}

/// Prose is broken where the next word would not fit any more, and not before.
#[test]
fn prose_fills_its_lines() {
    let proposal = Rows::new().lives(1, "new", &[("pay", "paid", MINUTE)]).judged();
    let mut full = 0;
    for length in 1..=80 {
        let text = written(&proposal, "Order", &"s".repeat(length)).unwrap();
        let lines: Vec<&str> = text.lines().take_while(|line| *line != "#").collect();
        for pair in lines.windows(2) {
            let next = pair[1].strip_prefix("#   ").unwrap().split(' ').next().unwrap();
            assert!(pair[0].len() <= 120 && pair[0].len() + 1 + next.len() > 120, "{text}");
            full += usize::from(pair[0].len() == 120);
        }
    }
    assert!(full > 0, "one of them was full to the last sign");
}

#[test]
fn a_file_is_no_longer_than_a_contract_may_be() {
    let proposal = Rows::new().lives(1, "new", &[("pay", "paid", MINUTE)]).judged();
    let short = written(&proposal, "", "s").unwrap().len();
    let entity = "E".repeat(TOML_BYTES_MAX - short);
    assert_eq!(written(&proposal, &entity, "s").unwrap().len(), TOML_BYTES_MAX);
    let why = written(&proposal, &(entity + "E"), "s").unwrap_err();
    assert_eq!(why, "the contract would have 1048577 bytes, and may have 1048576");
}

#[test]
fn the_most_frequent_breaks_are_told_and_how_many_more_there_are() {
    let told = |kinds: usize| {
        let mut rows = Rows::new();
        (0..kinds).for_each(|i| _ = rows.broken(1, &format!("s{i}"), "said", "go", "there"));
        let text = written(&rows.judged(), "Order", "t").unwrap();
        let more = text.lines().find(|line| line.contains("more kinds")).map(str::to_owned);
        (text.lines().filter(|line| line.starts_with("# - 1 in `s")).count(), more)
    };
    assert_eq!(told(1), (1, None));
    assert_eq!(told(text::BREAKS_TOLD), (text::BREAKS_TOLD, None));
    assert_eq!(told(text::BREAKS_TOLD + 2), (text::BREAKS_TOLD, Some("# - and 2 more kinds, each at most as often".to_owned())));
}

/// A name that no contract may hold is written in plain letters.
#[test]
fn letters_of_turkish_and_its_neighbours_become_plain_ones() {
    let rows = [
        ("àåāăą", "aaaaa"),
        ("çćč", "ccc"),
        ("èëēęě", "eeeee"),
        ("ğ", "g"),
        ("ìïı", "iii"),
        ("ł", "l"),
        ("ñń", "nn"),
        ("òöøő", "oooo"),
        ("śşšș", "ssss"),
        ("ßx", "ssx"),
        ("țţ", "tt"),
        ("ùüűů", "uuuu"),
        ("źżž", "zzz"),
        ("İĞÜŞÖÇ", "igusoc"),
    ];
    let mut history = Rows::new();
    for (i, (said, _)) in rows.iter().enumerate() {
        history.row(&format!("i{i}"), Source::Unsaid, None, said, None).unwrap();
    }
    let proposal = history.judged();
    let renamed: Vec<_> = proposal.renamed.iter().map(|r| (r.what, r.said.as_str(), r.name.as_str())).collect();
    assert_eq!(renamed, rows.map(|(said, name)| ("state", said, name)));
}

#[test]
fn verdicts_have_a_word() {
    let words = [Verdict::Usual, Verdict::Rare, Verdict::Illegal].map(Verdict::as_str);
    assert_eq!(words, ["usual", "rare", "illegal"]);
}

/// An action is `CONTRACT.EVENT` in 128 bytes, of which 64 are the event's at least.
#[test]
fn events_are_cut_so_that_their_actions_are_names() {
    let proposal = Rows::new().lives(1, "new", &[("pay", "paid", MINUTE)]).judged();
    assert!(arrows(&proposal, &name(&"c".repeat(63))).is_ok());
    let why = arrows(&proposal, &name(&"c".repeat(64))).unwrap_err();
    assert_eq!(why, "a contract's name has at most 63 bytes here");
    // Names that are the same once they are cut get numbers, within the same length.
    let long: Vec<String> = (0..4).map(|i| format!("{}{i}", "e".repeat(100))).collect();
    let mut rows = Rows::new();
    long.iter().for_each(|event| _ = rows.life("new", &[(event, "paid", MINUTE)]));
    let made = arrows(&rows.judged(), &name(&"c".repeat(60))).unwrap();
    let names: Vec<&str> = made.arrows.iter().map(|a| a.name.as_str()).collect();
    let cut = |ending: &str| format!("{}{ending}", "e".repeat(67 - ending.len()));
    assert_eq!(names, [cut(""), cut("_2"), cut("_3"), cut("_4")]);
}

/// A whole event keeps its name before one that had to be split gets it; one that a breach shares keeps it before the breach.
#[test]
fn whole_events_keep_their_names() {
    let names = |rows: &mut Rows| -> Vec<(String, String, bool)> {
        let made = arrows(&rows.judged(), &name("order")).unwrap();
        made.arrows.iter().map(|a| (a.name.to_string(), a.to.to_string(), a.kept)).collect()
    };
    let row = |name: &str, to: &str, kept: bool| (name.to_owned(), to.to_owned(), kept);
    let mut rows = Rows::new();
    rows.lives(9, "new", &[("settle", "paid", 1)]).lives(8, "new", &[("settle", "failed", 1)]).lives(
        7,
        "new",
        &[("settle_to_paid", "held", 1)],
    );
    let split =
        [row("settle_to_paid_2", "paid", true), row("settle_to_failed", "failed", true), row("settle_to_paid", "held", true)];
    assert_eq!(names(&mut rows), split);
    let mut rows = Rows::new();
    rows.lives(9, "new", &[("settle", "paid", 1)])
        .broken(1, "paid", "new", "settle", "lost")
        .broken(1, "paid", "new", "drop", "lost");
    let shut = [row("settle", "paid", true), row("drop", "lost", false), row("settle_to_lost", "lost", false)];
    assert_eq!(names(&mut rows), shut);
}

#[test]
fn births_and_arrows_together_are_what_a_contract_holds() {
    let made = |events: usize| {
        let mut rows = Rows::new();
        for i in 0..events {
            rows.life("new", &[(&format!("e{i}"), "paid", 1)]);
        }
        // The events and `place`, which is the name of the birth, are 512 at most.
        arrows(&rows.judged(), &name("order"))
    };
    assert_eq!(made(511).map(|a| a.births.len() + a.arrows.len()), Ok(512));
    let mut rows = Rows::new();
    (0..511).for_each(|i| _ = rows.life("new", &[(&format!("e{i}"), "paid", 1)]));
    rows.life("held", &[]);
    let why = arrows(&rows.judged(), &name("order")).unwrap_err();
    assert_eq!(why, "this comes to 513 births and arrows, and a contract holds 512");
}

/// A deadline is said as a person would say it, within a 64th: the roundest span between what the shortest waited and the half.
#[test]
fn a_deadline_is_said_in_round_numbers() {
    let second = 1_000;
    for (waited, said) in [
        (HOUR, HOUR),
        (HOUR + 30 * second, HOUR),
        (HOUR - 30 * second, HOUR),
        (HOUR + 57_142, HOUR), // a 64th more than an hour, to the millisecond
        (HOUR + MINUTE, HOUR + MINUTE),
        (7 * 24 * HOUR + HOUR, 7 * 24 * HOUR),
        (24 * HOUR - 20 * MINUTE, 24 * HOUR),
        (61 * second, 61 * second),
        (MINUTE + 900, MINUTE),
        (97 * second, 96 * second),
    ] {
        let proposal = Rows::new().lives(40, "new", &[("expire", "gone", waited)]).judged();
        assert_eq!(proposal.rules.iter().map(|r| r.after.0).collect::<Vec<_>>(), [said], "{waited}");
    }
}

/// Who stayed clearly longer in the same state speaks against a deadline; nobody else does.
#[test]
fn what_speaks_against_a_deadline() {
    let rules = |rows: &mut Rows| rows.judged().rules.iter().map(|r| (r.times.count, r.beyond)).collect::<Vec<_>>();
    let expire = |times: usize| {
        let mut rows = Rows::new();
        rows.lives(times, "new", &[("expire", "gone", HOUR)]);
        rows
    };
    assert_eq!(rules(&mut expire(30)), [(30, 0)]);
    assert_eq!(rules(&mut expire(29)), []);
    // Within a tenth it is no longer stay; elsewhere it is none of this state.
    assert_eq!(rules(expire(40).lives(9, "new", &[("pay", "paid", 63 * MINUTE)])), [(40, 0)]);
    assert_eq!(rules(expire(40).lives(9, "held", &[("pay", "paid", 9 * HOUR)])), [(40, 0)]);
    // One left later, one is there still: two of forty may be, two of thirty-nine may not.
    let two = |times: usize| {
        let mut rows = expire(times);
        rows.life("new", &[("pay", "paid", 9 * HOUR)]).life("new", &[]).life("held", &[("end", "gone", 99 * HOUR)]);
        rows
    };
    assert_eq!(rules(&mut two(38)), [(38, 2)]);
    assert_eq!(rules(&mut two(37)), []);
    // A move that looks illegal is no deadline, whatever else leaves the state.
    let mut breach = expire(40);
    breach.lives(60, "new", &[("pay", "paid", 1)]).broken(41, "paid", "new", "expire", "gone");
    assert_eq!(verdict(&breach.judged(), "new", "gone"), (Verdict::Illegal, vec!["after_break"]));
    assert_eq!(rules(&mut breach), []);
}

/// A deadline is written with its own event, though another leads the same way more often.
#[test]
fn a_deadline_names_the_event_that_it_is_of() {
    let mut rows = Rows::new();
    rows.lives(70, "new", &[("drop", "gone", 1)]).lives(40, "new", &[("expire", "gone", HOUR)]);
    let text = written(&rows.judged(), "Order", "t").unwrap();
    assert!(text.contains("#[[deadline]]\n#state = \"new\"\n#after = \"PT1H\"\n#event = \"expire\"\n"), "{text}");
}

#[test]
fn half_of_the_rows_after_a_break_are_not_most() {
    let of = |times: usize, broken: usize| {
        let mut rows = Rows::new();
        rows.lives(times, "new", &[("pay", "paid", 1)]).broken(broken, "held", "new", "pay", "paid");
        rows.judged()
    };
    assert_eq!(verdict(&of(2, 2), "new", "paid"), (Verdict::Usual, vec![]));
    let broken = of(2, 3);
    assert_eq!(verdict(&broken, "new", "paid"), (Verdict::Illegal, vec!["after_break"]));
    let left = |state: &str| broken.states.iter().find(|s| s.name.as_str() == state).unwrap().left;
    assert_eq!((left("new"), left("held")), (2, 0), "after a break it was not this state that was left");
}

/// What is found first is where instances were born, where few births are told; what is found seldom is not.
#[test]
fn births_that_nobody_tells() {
    let births = |told: usize, found: &[(usize, &str)]| -> Vec<(String, u64, bool)> {
        let mut rows = Rows::new();
        rows.lives(told, "draft", &[]);
        for (times, state) in found {
            for i in 0..*times {
                rows.row(&format!("{state}-{i}"), Source::State(state), Some("go"), "end", None).unwrap();
            }
        }
        rows.judged().births.iter().map(|b| (b.to.to_string(), b.count, b.kept)).collect()
    };
    let row = |to: &str, count: u64, kept: bool| (to.to_owned(), count, kept);
    assert_eq!(births(0, &[(150, "new"), (60, "paid")]), [row("new", 150, true), row("paid", 60, true)]);
    assert_eq!(births(0, &[(99, "new"), (1, "paid")]), [row("new", 99, true), row("paid", 1, false)]);
    assert_eq!(births(0, &[(98, "new"), (1, "paid")]), [row("new", 98, true), row("paid", 1, true)]);
    assert_eq!(births(2, &[(2, "new")]), [row("draft", 2, true), row("new", 2, false)]);
    assert_eq!(births(2, &[(3, "new")]), [row("new", 3, true), row("draft", 2, true)]);
}

/// Whoever comes to a state again is counted, whichever of 256 states it is.
#[test]
fn a_state_that_was_come_to_before_is_known_again() {
    let states: Vec<String> = (0..200).map(|i| format!("s{i}")).collect();
    let mut rows = Rows::new();
    for at in (0..200).chain([5, 66, 150, 5]) {
        rows.row("i", Source::Unsaid, Some("go"), &states[at], None).unwrap();
    }
    let again: Vec<(String, u64)> =
        rows.judged().states.iter().filter(|s| s.again > 0).map(|s| (s.name.to_string(), s.again)).collect();
    assert_eq!(again, [("s5".to_owned(), 2), ("s66".to_owned(), 1), ("s150".to_owned(), 1)]);
}

/// Of each kind of move the first few rows are kept, and how long all of them took: over all ways out of the state.
#[test]
fn examples_are_few_and_times_are_of_all() {
    let mut rows = Rows::new();
    rows.life("new", &[("pay", "paid", 90_000)])
        .lives(9, "new", &[("drop", "gone", 65_600)])
        .life("new", &[("drop", "gone", 60_000)]);
    let proposal = rows.judged();
    assert_eq!(proposal.edges.iter().map(|e| e.examples.len()).collect::<Vec<_>>(), [EXAMPLES, 1]);
    let stay = proposal.states[0].stay.unwrap();
    assert_eq!(stay.count, 11);
    // The middle of the bucket from 65,536 to 66,559: an octave is told in 64 parts.
    assert_eq!(stay.half.0, 66_047);
    for (found, exact) in [(stay.low.0, 60_000), (stay.high.0, 90_000)] {
        assert!(i64::abs(found - exact) * 64 <= exact, "{found} {exact}");
    }
    assert!(proposal.states[1].stay.is_none());
    // What all waited alike is exact.
    let alike = Rows::new().lives(9, "new", &[("pay", "paid", 180_000)]).judged();
    assert_eq!(alike.states[0].stay.map(|t| (t.low.0, t.half.0, t.high.0)), Some((180_000, 180_000, 180_000)));
}

/// A kind of break that is known is counted on, when there are as many kinds as may be; a new one is refused.
#[test]
fn more_kinds_of_break_than_a_history_may_have_are_refused() {
    let mut rows = Rows::new();
    for was in 0..64 {
        for said in 64..96 {
            rows.broken(1, &format!("s{was}"), &format!("s{said}"), "go", "there");
        }
    }
    rows.broken(1, "s0", "s64", "go", "there");
    rows.row("x", Source::Birth, None, "s64", None).unwrap();
    let why = rows.row("x", Source::State("s65"), Some("go"), "there", None).unwrap_err();
    assert!(why.column == Column::From && why.message.contains("in another way after 2048"), "{why}");
}
