//! Whether instances can live on under another law: what is told where they cannot, and that nothing is told where they can.

use hos_core::law::{Law, living};
use std::sync::LazyLock;

const FILES: [(&str, &str); 4] = [
    ("law.toml", "name = \"n\"\nnamespace = \"N\"\npersons = [\"A\"]\n"),
    (
        "schema.cedarschema",
        r#"namespace N {
  entity A, Clock, Timer, Gate, O, Other;
  action "o.new", "o.go", "o.more" appliesTo { principal: [A], resource: [O] };
  action "o.late" appliesTo { principal: [A, Clock], resource: [O] };
}
"#,
    ),
    ("policies/all.cedar", "@id(\"all\") permit (principal, action, resource);\n"),
    (
        "contracts/o.toml",
        r#"contract = "o"
version = 1
entity = "O"
data_subject = "facts.who"
states = ["a", "b"]
terminal = ["b"]
[facts]
who = "A"
seller = "A"
total = "Long"
note = "String?"
[begin.new]
to = "a"
[event.go]
from = ["a"]
to = "b"
args = { amount = "Long", why = "String?" }
[event.more]
from = ["a"]
to = "a"
self_loop = true
[event.late]
from = ["a"]
to = "b"
[[deadline]]
state = "a"
after = "PT1H"
event = "late"
"#,
    ),
];

fn files(changes: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    for (from, _) in changes {
        assert!(FILES.iter().any(|(_, text)| text.contains(from)), "{from}");
    }
    let changed = |text: &str| changes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)).into_bytes();
    FILES.iter().map(|(path, text)| ((*path).to_owned(), changed(text))).collect()
}

fn law(changes: &[(&str, &str)]) -> Law {
    Law::load(files(changes)).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

static OLD: LazyLock<Law> = LazyLock::new(|| law(&[]));

fn bar(changes: &[(&str, &str)]) -> Option<String> {
    living::bar(&OLD, &law(changes), "o", "a")
}

const NEXT: (&str, &str) = ("version = 1", "version = 2");
const STAYS: (&str, &str) = ("event = \"late\"\n", "event = \"late\"\n[migrate.\"1\"]\na = \"a\"\n");

/// What their facts are said to be hangs on the schema in force, whether they are migrated or not.
#[test]
fn facts_stay_what_they_are_in_every_version() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("total = \"Long\"", "total = \"Long\"\nurgent = \"Bool\"")], "requires the fact `urgent`"),
        (&[("total = \"Long\"\n", "")], "have the fact `total`"),
        (&[("note = \"String?\"\n", "")], "have the fact `note`"),
        (&[("total = \"Long\"", "total = \"decimal\"")], "their fact `total` is Long"),
        (&[("total = \"Long\"", "total = \"Set<Long>\"")], "their fact `total` is Long"),
        (&[("note = \"String?\"", "note = \"String\"")], "`note` may be absent"),
        (&[("entity = \"O\"", "entity = \"Other\""), ("resource: [O]", "resource: [O, Other]")], "they are `N::O`"),
        (&[("data_subject = \"facts.who\"\n", "")], "whose data"),
        (&[("data_subject = \"facts.who\"", "data_subject = \"facts.seller\"")], "`who` says and the new contract's `seller`"),
    ];
    for (changes, wanted) in rows {
        for further in [&[][..], &[NEXT, STAYS][..]] {
            let told = bar(&[*changes, further].concat());
            assert!(told.as_ref().is_some_and(|told| told.contains(wanted)), "{changes:?}: {told:?}");
        }
    }
    let fine: &[&[(&str, &str)]] =
        &[&[], &[("total = \"Long\"", "total = \"Long\"\nurgent = \"Bool?\"")], &[("total = \"Long\"", "total = \"Long?\"")]];
    for changes in fine {
        for further in [&[][..], &[NEXT, STAYS][..]] {
            assert_eq!(bar(&[*changes, further].concat()), None, "{changes:?}");
        }
    }
}

/// Those that are migrated are judged by the new law's word on who is a person; the others by the law of their birth.
#[test]
fn who_is_a_person_stays_as_it_was_at_the_birth_of_what_is_migrated() {
    let nobody = ("persons = [\"A\"]\n", "");
    let moved = [nobody, NEXT, STAYS];
    let told = bar(&moved).unwrap();
    assert!(told.starts_with("`N::A`, whose data theirs is, is no person under the new law"), "{told}");
    assert_eq!(bar(&[nobody]), None);
    let (before, after) = (law(&[nobody]), law(&[NEXT, STAYS]));
    let told = living::bar(&before, &after, "o", "a").unwrap();
    assert!(told.starts_with("`N::A`, whose data theirs is, is a person under the new law, and was no person"), "{told}");
    assert_eq!(living::bar(&before, &OLD, "o", "a"), None);
    // So of what is at its end and taken along: it may be revived there.
    assert!(living::bar(&before, &after, "o", "b").unwrap().starts_with(&told));
    // Whose data nobody's is needs no person, nor does what is left behind at its end.
    let free = ("data_subject = \"facts.who\"\n", "");
    assert_eq!(living::bar(&law(&[nobody, free]), &law(&[free, NEXT, STAYS]), "o", "a"), None);
    assert_eq!(living::bar(&before, &law(&[NEXT]), "o", "b"), None);
}

/// An override, or the world in shadow, may revive what a migration takes along; what none takes along stays under its own contract.
#[test]
fn what_is_at_its_end_is_asked_of_where_a_migration_takes_it_along() {
    let revived = ("event = \"late\"\n", "event = \"late\"\n[migrate.\"1\"]\na = \"a\"\nb = \"a\"\n");
    let ended = |changes: &[(&str, &str)]| living::bar(&OLD, &law(changes), "o", "b");
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("total = \"Long\"", "total = \"Long\"\nurgent = \"Bool\"")], "requires the fact `urgent`"),
        (&[("total = \"Long\"\n", "")], "have the fact `total`"),
        (&[("total = \"Long\"", "total = \"decimal\"")], "their fact `total` is Long"),
        (&[("entity = \"O\"", "entity = \"Other\""), ("resource: [O]", "resource: [O, Other]")], "they are `N::O`"),
        (&[("data_subject = \"facts.who\"\n", "")], "whose data"),
        (&[("data_subject = \"facts.who\"", "data_subject = \"facts.seller\"")], "`who` says and the new contract's `seller`"),
        (&[("persons = [\"A\"]\n", "")], "is no person under the new law"),
    ];
    for (changes, wanted) in rows {
        for taken in [STAYS, revived] {
            let told = ended(&[*changes, &[NEXT, taken][..]].concat()).unwrap_or_default();
            assert!(told.contains(wanted), "{changes:?}: {told}");
            assert!(told.ends_with("they are at their end, and without `[migrate.\"1\"]` they stay as they are"), "{told}");
        }
        // Under the same version, without a migration, and where the new contract has no such end.
        for left in [&[][..], &[NEXT][..], &[("\"b\"", "\"z\""), NEXT, STAYS][..]] {
            assert_eq!(ended(&[*changes, left].concat()), None, "{changes:?} {left:?}");
        }
    }
    for taken in [STAYS, revived] {
        assert_eq!(ended(&[NEXT, taken]), None);
    }
}

/// No new law may have a text for a data subject: who was born under one that did lives on where nobody is.
#[test]
fn whose_data_a_text_said_is_nobody_s() {
    let note = ("note = \"String?\"", "note = \"String\"");
    let text = [note, ("data_subject = \"facts.who\"", "data_subject = \"facts.note\"")];
    assert!(Law::load(files(&text)).is_err());
    let old = Law::load_recorded(files(&text)).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(living::bar(&old, &law(&[note, ("data_subject = \"facts.who\"\n", "")]), "o", "a"), None);
    let told = living::bar(&old, &law(&[note]), "o", "a").unwrap();
    assert!(told.contains("nobody says and the new contract's `who`"), "{told}");
}

/// Where the version is the same their own events are asked for, under the new schema; where it is higher, the new contract's.
#[test]
fn what_their_own_events_ask_for_is_in_the_new_schema() {
    let args = "args = { amount = \"Long\", why = \"String?\" }";
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[(args, "args = { amount = \"Long\", why = \"String?\", by = \"A\" }")], "`go` gives no `by`"),
        (&[(args, "args = { amount = \"Long\", why = \"String\" }")], "`go` gives no `why`"),
        (&[(args, "args = { amount = \"Long\" }")], "`go` takes `why`"),
        (&[(args, "args = { amount = \"decimal\", why = \"String?\" }")], "another `amount`"),
        (&[(", \"o.more\"", ""), ("[event.more]", "[event.more]\naction = \"o.late\"")], "the new schema lacks `o.more`"),
        (
            &[
                ("\"o.go\", \"o.more\"", "\"o.go\""),
                ("[event.more]", "[event.more]\naction = \"o.go\"\nargs = { amount = \"Long\", why = \"String?\" }"),
                (
                    "  action \"o.late\"",
                    "  action \"o.more\" appliesTo { principal: [A], resource: [Other] };\n  action \"o.late\"",
                ),
            ],
            "`o.more` does not apply to `N::O`",
        ),
        (
            &[("namespace = \"N\"\n", "namespace = \"N\"\nclock = 'N::Timer::\"t\"'\n"), ("[A, Clock]", "[A, Clock, Timer]")],
            "who fires the deadlines of `a`",
        ),
        (&[("[A, Clock]", "[A]")], "who fires the deadlines of `a`"),
    ];
    for (changes, wanted) in rows {
        let told = bar(changes);
        assert!(told.as_ref().is_some_and(|told| told.contains(wanted)), "{changes:?}: {told:?}");
        assert_eq!(bar(&[*changes, &[NEXT, STAYS][..]].concat()), None, "{changes:?}");
    }
    let fine: &[&[(&str, &str)]] = &[
        &[(args, "args = { amount = \"Long\", why = \"String?\", by = \"A?\" }")],
        &[("after = \"PT1H\"", "after = \"PT2H\"")],
        &[(
            "from = [\"a\"]\nto = \"b\"\nargs",
            "from = [\"a\"]\nto = \"b\"\nrequire = [{ code = \"g\", when = \"context.amount > 0\" }]\nargs",
        )],
    ];
    for changes in fine {
        assert_eq!(bar(changes), None, "{changes:?}");
    }
}

#[test]
fn what_is_at_its_end_or_no_longer_there_needs_nothing() {
    let other = law(&[("total = \"Long\"\n", "")]);
    assert!(living::bar(&OLD, &other, "o", "a").is_some());
    for (contract, state) in [("o", "b"), ("o", "gone"), ("p", "a")] {
        assert_eq!(living::bar(&OLD, &other, contract, state), None, "{contract} {state}");
    }
    assert_eq!(bar(&[NEXT]).unwrap(), "no migration takes them to version 2");
    let renamed = bar(&[
        ("contract = \"o\"", "contract = \"p\""),
        ("[begin.new]", "[begin.new]\naction = \"o.new\""),
        ("[event.go]", "[event.go]\naction = \"o.go\""),
        ("[event.more]", "[event.more]\naction = \"o.more\""),
        ("[event.late]", "[event.late]\naction = \"o.late\""),
    ]);
    assert_eq!(renamed.unwrap(), "the new law has no such contract");
}
