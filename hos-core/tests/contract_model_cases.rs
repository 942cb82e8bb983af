//! What the model may say and what it may not: small contracts, each with what is found in it, and nothing besides.

use hos_core::contract::Contract;
use hos_core::contract::definition::PathRule;
use hos_core::contract::model::world::{World, moves};
use hos_core::contract::model::{Bound, Finding, Kind, Limits, Step, explore};
use hos_core::contract::parse::parse;
use hos_core::fault::{Severity, SourceFile};
use hos_core::id::{DottedName, Name};

fn contract(text: &str) -> Contract {
    let file = SourceFile { path: "contracts/c.toml".into(), text: text.into() };
    parse(&file, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}\n{text}")).0
}

fn found(text: &str) -> Vec<Finding> {
    let report = explore(&contract(text), Limits::default());
    assert_eq!(report.bound, None);
    report.findings
}

fn kinds(text: &str) -> Vec<Kind> {
    found(text).into_iter().map(|finding| finding.kind).collect()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn names(of: &[&str]) -> Vec<Name> {
    of.iter().map(|text| name(text)).collect()
}

/// A contract with these states (`!` before an end) and what follows; it is born into the first.
fn machine(states: &str, rest: &str) -> String {
    let quoted = |of: Vec<&str>| of.iter().map(|s| format!("\"{}\"", s.trim_start_matches('!'))).collect::<Vec<_>>().join(", ");
    let all: Vec<&str> = states.split(' ').collect();
    let ends = all.iter().copied().filter(|s| s.starts_with('!')).collect();
    format!(
        "contract = \"c\"\nversion = 2\nentity = \"E\"\nstates = [{}]\nterminal = [{}]\n[begin.n]\nto = \"{}\"\n{rest}",
        quoted(all.clone()),
        quoted(ends),
        all[0]
    )
}

fn event(name: &str, from: &str, rest: &str) -> String {
    format!("[event.{name}]\nfrom = [\"{from}\"]\n{rest}\n")
}

/// A step says what it depends on: its guards, the conditions before its branch as failed ones, and its own; each once, and
/// none that is true or false outright.
#[test]
fn a_step_says_what_must_hold_for_it() {
    let branches = "branch = [{ to = \"b\", when = \"context.y\" }, { to = \"c\", when = \"context.w\" }, \
                    { to = \"d\", when = \"resource.x\" }, { to = \"e\" }]";
    let trapped = |require: &str| -> Vec<(String, Vec<String>, bool)> {
        let text =
            machine("a b c d e !z", &(event("go", "a", &format!("{branches}\n{require}")) + &event("end", "a", "to = \"z\"")));
        let last = |finding: &Finding| finding.trace.last().map(|s: &Step| (s.to.to_string(), s.given.clone(), s.possible));
        found(&text).iter().filter_map(last).collect()
    };
    let row = |to: &str, given: &[&str]| (to.to_owned(), given.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>(), true);
    assert_eq!(
        trapped(""),
        [
            row("b", &["context.y"]),
            row("c", &["!(context.y)", "context.w"]),
            row("d", &["!(context.y)", "!(context.w)", "resource.x"]),
            row("e", &["!(context.y)", "!(context.w)", "!(resource.x)"]),
        ]
    );
    assert_eq!(
        trapped("require = [{ code = \"g\", when = \" resource.x \" }, { code = \"h\", when = \"true\" }]"),
        [
            row("b", &["resource.x", "context.y"]),
            row("c", &["resource.x", "!(context.y)", "context.w"]),
            row("d", &["resource.x", "!(context.y)", "!(context.w)"]),
        ],
        "the guard says already what the third branch asks"
    );
    // A deadline's event is refused where one guard fails; what depends on nothing says nothing.
    let late = machine(
        "a !z",
        &(event(
            "late",
            "a",
            "to = \"z\"\nrequire = [{ code = \"g\", when = \"resource.x\" }, { code = \"h\", when = \"true\" }, { code = \"i\", when = \"resource.y\" }]",
        ) + "[[deadline]]\nstate = \"a\"\nafter = \"PT1H\"\nevent = \"late\"\n"),
    );
    let findings = found(&late);
    let steps: Vec<(&str, &[String])> =
        findings[0].trace.iter().map(|s| (s.event.as_ref().unwrap().as_str(), s.given.as_slice())).collect();
    assert_eq!(steps, [("n", &[][..]), ("late", &["!(resource.x) || !(resource.y)".to_owned()][..])]);
}

/// Who sends awaits the answer: where only one branch has effects, only its way does.
#[test]
fn a_reply_is_awaited_where_something_was_sent() {
    let lost = |to_s: &str, all: &str, late: &str| {
        let go =
            format!("branch = [{{ to = \"s\", when = \"context.y\"{to_s} }}, {{ to = \"q\" }}]\nreplies = [\"done\"]\n{all}");
        let text = machine(
            "a s q later !x !quiet !z",
            &(event("go", "a", &go)
                + &event("give_up", "s", "to = \"x\"")
                + &event("leave", "q", "to = \"quiet\"")
                + &event("wait", "s", "to = \"later\"")
                + &event("end", "later", "to = \"z\"")
                + &format!("[event.done]\nfrom = [\"s\", \"q\"{late}]\nto = \"z\"\non_same = \"noop\"\n")),
        );
        let states = |kind| match kind {
            Kind::ReplyLost { event, reply, states } if event == name("go") && reply == name("done") => states,
            other => panic!("{other:?}"),
        };
        kinds(&text).into_iter().map(states).collect::<Vec<_>>()
    };
    let effect = "effects = [{ kind = \"k\", body = [\"id\"] }]";
    let sends = format!(", {effect}");
    let late = ", \"later\"";
    assert_eq!(lost(&sends, "", late), [names(&["x"])], "the quiet way has sent nothing");
    assert_eq!(lost(&sends, &effect.replace("\"k\"", "\"l\""), late), [names(&["x", "quiet"])]);
    assert_eq!(lost("", "", late), [names(&["x", "quiet"])], "nothing is said of who sends: all do");
    assert_eq!(lost(&sends, "", ""), [names(&["x", "later"])]);
}

/// An instance of an older version may have been anywhere, and staying in a state is no entry into it.
#[test]
fn a_promise_is_of_entries_since_the_birth() {
    let line = event("pay", "a", "to = \"b\"") + &event("send", "b", "to = \"z\"");
    let promise = |rule: &str| format!("[[promise]]\ncode = \"p\"\n{rule}\n");
    let first = promise("never = \"z\"\nbefore = \"b\"");
    let once = promise("never = \"b\"\nafter = \"b\"");
    let both = promise("never_both = [\"a\", \"z\"]");
    let rows: [(&str, String, bool); 6] = [
        ("", first.clone(), true),
        ("[migrate.\"1\"]\nsent = \"z\"\n", first.clone(), true),
        ("[event.jump]\nfrom = [\"a\"]\nto = \"z\"\n", first, false),
        ("[event.touch]\nfrom = [\"b\"]\nto = \"b\"\nself_loop = true\n", once.clone(), true),
        ("[event.back]\nfrom = [\"b\"]\nto = \"a\"\n", once, false),
        ("", both, false),
    ];
    for (more, promise, kept) in rows {
        let broken = kinds(&machine("a b !z", &format!("{line}{more}{promise}")));
        assert_eq!(broken.is_empty(), kept, "{more}{promise}{broken:?}");
        assert!(broken.iter().all(|kind| matches!(kind, Kind::Promise { .. })), "{broken:?}");
    }
}

/// News is what says `on_same = "noop"` and is called; each pair is told once, wherever it meets.
#[test]
fn only_news_is_held_against_news() {
    let diverging = |one: &str, other: &str| {
        machine(
            "a t !u",
            &format!(
                "[event.on]\nfrom = [\"t\"]\nto = \"u\"\n\
                 [event.one]\nfrom = [\"a\"]\nto = \"t\"\n{one}\
                 [[event.other]]\nfrom = [\"a\"]\nto = \"t\"\n{other}[[event.other]]\nfrom = [\"t\"]\nto = \"u\"\n{other}"
            ),
        )
    };
    let noop = "on_same = \"noop\"\n";
    let diverges = [Kind::Diverges { one: name("one"), other: name("other"), ends: name("u"), otherwise: names(&["t"]) }];
    assert_eq!(kinds(&diverging(noop, noop)), diverges);
    for (one, other) in [("", ""), (noop, ""), ("", noop)] {
        assert_eq!(kinds(&diverging(one, other)), [], "{one} {other}");
    }
    // The same two in a second state.
    let twice = diverging(noop, noop)
        .replace("from = [\"a\"]", "from = [\"a\", \"b\"]")
        .replace("states = [\"a\"", "states = [\"a\", \"b\"")
        + "[event.step]\nfrom = [\"a\"]\nto = \"b\"\n";
    assert_eq!(kinds(&twice), diverges);
}

/// A wait has ended for good where its deadline was refused; what may last is not held to it.
#[test]
fn a_wait_is_told_with_the_deadline_that_ran_last() {
    let guarded = |event_name: &str| event(event_name, "a", "to = \"z\"\nrequire = [{ code = \"g\", when = \"resource.x\" }]");
    let deadline = |event: &str, after: &str| format!("[[deadline]]\nstate = \"a\"\nafter = \"{after}\"\nevent = \"{event}\"\n");
    let text = machine("a !z", &(guarded("first") + &guarded("last") + &deadline("last", "PT2H") + &deadline("first", "PT1H")));
    assert_eq!(kinds(&text), [Kind::Waits { state: name("a"), event: name("last"), refused: true }]);
    assert_eq!(kinds(&text.replace("terminal =", "forever = [\"a\"]\nterminal =")), []);
}

/// A changed fact may arm an `at` again that was refused, and no wait; what changes no fact arms nothing.
#[test]
fn a_changed_fact_may_arm_an_at_again() {
    let text = |sets: &str| {
        machine(
            "a !z",
            &format!(
                "[facts]\nends = \"datetime\"\n[event.late]\nfrom = [\"a\"]\nto = \"z\"\n\
                 [event.early]\nfrom = [\"a\"]\nto = \"z\"\n\
                 [event.move]\nfrom = [\"a\"]\nto = \"a\"\nself_loop = true\nargs = {{ ends = \"datetime\" }}\n{sets}\n\
                 [[deadline]]\nstate = \"a\"\nat = \"resource.ends\"\nevent = \"late\"\n\
                 [[deadline]]\nstate = \"a\"\nafter = \"PT1H\"\nevent = \"early\"\n"
            ),
        )
    };
    let after = |sets: &str, armed: &[usize]| -> Vec<Vec<usize>> {
        let contract = contract(&text(sets));
        let all = moves(&contract, &World { state: 0, armed: armed.to_vec() });
        all.into_iter().filter(|m| m.act.event.is_some_and(|e| e.as_str() == "move")).map(|m| m.to.armed).collect()
    };
    let sets = "sets = { ends = \"args.ends\" }";
    // What runs before | what may run after the fact has changed | and after nothing has
    type Armed = &'static [usize];
    let rows: [(Armed, &[Armed], &[Armed]); 4] = [
        (&[0, 1], &[&[0, 1]], &[&[0, 1]]),
        (&[0], &[&[0]], &[&[0]]),
        (&[1], &[&[0, 1], &[1]], &[&[1]]),
        (&[], &[&[0], &[]], &[&[]]),
    ];
    for (before, changed, unchanged) in rows {
        assert_eq!(after(sets, before), changed, "{before:?}");
        assert_eq!(after("", before), unchanged, "{before:?}");
    }
}

/// A path as long as the longest is followed to its end, and the question's own call is a step of it.
#[test]
fn bounds_are_held_at_their_edge() {
    let bound = |text: &str, depth_max: usize| explore(&contract(text), Limits { depth_max, ..Limits::default() }).bound;
    let line = machine("a b !z", &(event("e", "a", "to = \"b\"") + &event("f", "b", "to = \"z\"")));
    // Asked again in its target, which ends it; and in one that goes on.
    let ends = line.replace("to = \"z\"\n", "to = \"z\"\non_same = \"noop\"\n");
    let goes_on = line.replace("to = \"b\"\n", "to = \"b\"\non_same = \"noop\"\n");
    for (text, enough) in [(&line, 3), (&ends, 4), (&goes_on, 4)] {
        assert_eq!(bound(text, enough), None, "{text}");
        assert_eq!(bound(text, enough - 1), Some(Bound::Depth), "{text}");
    }
    let news = machine(
        "a b c !z",
        &["one", "two", "three"]
            .map(|n| event(n, "a", "to = \"b\"\non_same = \"noop\""))
            .concat()
            .replace("[\"a\"]", "[\"a\", \"c\"]")
            .replace("[event.three]", "[event.f]\nfrom = [\"b\"]\nto = \"z\"\n[event.three]"),
    );
    // Counted by hand: the graph's edges, births among them; of each walk (of everything, and of each event that is news) the
    // visits and what leads out of them; of each visit its news squared; of each pair what leads out of where it ends.
    for (text, steps) in [(&line, 3 + 5), (&ends, 3 + 5 + 6 + 1), (&news, 5 + 7 + 3 * 10 + 9 + 3 * 2)] {
        let bound = |steps_max| explore(&contract(text), Limits { steps_max, ..Limits::default() }).bound;
        assert_eq!((bound(steps), bound(steps - 1)), (None, Some(Bound::Steps)), "{text}");
    }
}

#[test]
fn every_finding_is_said_in_both_languages() {
    let promise = |rule, state: &str| Kind::Promise { code: "c.p".into(), rule, state: name(state) };
    let limits = Limits { worlds_max: 1, depth_max: 2, steps_max: 3 };
    let rows: [(Kind, Severity, &str, &str); 12] = [
        (
            Kind::Trap { state: name("a") },
            Severity::Error,
            "no end can be reached from the state `a`",
            "`a` durumundan hiçbir sona ulaşılamıyor",
        ),
        (
            Kind::EffectTwice { event: name("e"), effect: DottedName::new("mail.paid").unwrap() },
            Severity::Error,
            "one move of `e` sends `mail.paid` twice, with the same content",
            "`e` olayının tek bir adımı `mail.paid` iletisini aynı içerikle iki kez gönderiyor",
        ),
        (
            Kind::Replay { event: name("e") },
            Severity::Error,
            "a call of `e` that was answered as done already moves the instance when it comes again: only a move takes its once-key",
            "zaten yapılmış diye yanıtlanan bir `e` çağrısı, yeniden geldiğinde işi ilerletiyor: tek-sefer anahtarını yalnızca bir adım tutar",
        ),
        (
            Kind::Diverges { one: name("e"), other: name("f"), ends: name("a"), otherwise: names(&["b", "z"]) },
            Severity::Error,
            "`e` and `f` tell the same news, and their order decides where it ends: in `a`, or the other way round in `b`, `z`",
            "`e` ile `f` aynı haberi getiriyor, işin nerede biteceğini ise sıraları belirliyor: `e` önce gelirse `a`, `f` önce gelirse `b`, `z`",
        ),
        (
            promise(PathRule::Before(name("z"), name("a")), "z"),
            Severity::Error,
            "the promise `c.p` is broken: `z` is entered before `a` was",
            "`c.p` sözü tutulmuyor: `a` durumundan önce `z` durumuna giriliyor",
        ),
        (
            promise(PathRule::After(name("z"), name("a")), "z"),
            Severity::Error,
            "the promise `c.p` is broken: `z` is entered after `a` was",
            "`c.p` sözü tutulmuyor: `a` durumundan sonra `z` durumuna giriliyor",
        ),
        (
            promise(PathRule::After(name("z"), name("z")), "z"),
            Severity::Error,
            "the promise `c.p` is broken: `z` is entered a second time",
            "`c.p` sözü tutulmuyor: `z` durumuna ikinci kez giriliyor",
        ),
        (
            promise(PathRule::Apart(names(&["a", "b", "z"])), "b"),
            Severity::Error,
            "the promise `c.p` is broken: `b` is entered after one of `a`, `z`",
            "`c.p` sözü tutulmuyor: şunlardan birinden sonra `b` durumuna giriliyor: `a`, `z`",
        ),
        (
            Kind::ReplyLost { event: name("e"), reply: name("r"), states: names(&["a", "z"]) },
            Severity::Warning,
            "the reply `r` to `e` is refused where it comes late: in `a`, `z`",
            "`e` olayına gelen `r` yanıtı gecikirse şu durumlarda reddediliyor: `a`, `z`",
        ),
        (
            Kind::Waits { state: name("a"), event: name("e"), refused: true },
            Severity::Warning,
            "an instance may wait in `a` for ever: the deadline's event `e` was refused, and nothing arms it again",
            "bir iş `a` durumunda sonsuza dek bekleyebilir: süre dolunca gelen `e` olayı reddedildi, süreyi yeniden kuran da yok",
        ),
        (
            Kind::Incomplete { bound: Bound::Worlds, limits },
            Severity::Error,
            "not everything was explored, so nothing is known of the rest: at most 1 worlds",
            "her şey gezilmedi, kalanı bilinmiyor: en çok 1 dünya",
        ),
        (
            Kind::Incomplete { bound: Bound::Steps, limits },
            Severity::Error,
            "not everything was explored, so nothing is known of the rest: at most 3 steps in all",
            "her şey gezilmedi, kalanı bilinmiyor: en çok 3 adım (toplam)",
        ),
    ];
    for (kind, severity, english, turkish) in rows {
        assert_eq!(kind.severity(), severity, "{english}");
        let finding = Finding { kind, span: 0..0, possible: false, trace: Vec::new(), other: Vec::new() };
        assert_eq!((finding.message("en").as_str(), finding.message("tr").as_str()), (english, turkish));
    }
}

/// An end that the last migration does not name is kept by the older instances that are there; and an override may lead out of it.
#[test]
fn ends_that_older_instances_keep_are_walked_from() {
    let text = machine(
        "a limbo !old !z",
        &(event("go", "a", "to = \"z\"") + &event("stay", "limbo", "to = \"limbo\"\nself_loop = true")),
    );
    let out = "[override.reopen]\nfrom = [\"old\"]\nto = \"limbo\"\n";
    let traps = |migration: &str| {
        let found = kinds(&format!("{text}{out}{migration}"));
        found.iter().filter(|kind| matches!(kind, Kind::Trap { .. })).count()
    };
    assert_eq!(traps("[migrate.\"1\"]\na = \"a\"\n"), 1);
    assert_eq!(traps("[migrate.\"1\"]\na = \"a\"\nold = \"z\"\n"), 0, "they are taken elsewhere");
}

/// A reminder that came and left the instance where it was.
#[test]
fn a_deadline_that_fired_is_not_told_as_refused() {
    let text = machine(
        "a !z",
        &(event("remind", "a", "to = \"a\"\nself_loop = true")
            + &event("end", "a", "to = \"z\"")
            + "[[deadline]]\nstate = \"a\"\nafter = \"PT1H\"\nevent = \"remind\"\n"),
    );
    assert_eq!(kinds(&text), [Kind::Waits { state: name("a"), event: name("remind"), refused: false }]);
}
