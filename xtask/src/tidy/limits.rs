//! Limits stand in one place each, on the page, and in a test that tries them where they end.

use super::Finding;
use super::scan::{Source, line_of};
use crate::limits::{PAGE, SOURCES, parse, tables, tables_of};
use crate::tree::File;

/// Floors whose bounds on what comes from outside are limits.
const FLOORS: [&str; 3] = ["hos-core/src/", "hos-engine/src/", "hos-wire/src/"];
/// What is called `…_MAX` and refuses nothing that comes from outside.
const NO_LIMITS: &[(&str, &str)] = &[
    ("AHEAD_MAX", "how much is kept in memory; more is read again"),
    ("AROUND_MAX", "how much of a directory is kept as evidence; more is left out"),
    ("CHANGES_MAX", "a page"),
    ("CLOSE_WAIT_MAX", "patience"),
    ("COMPAT_MAX", "the last number of an enumeration"),
    ("COUNTED_MAX", "a page; how far a backlog is counted"),
    ("ONCES_MAX", "how many of what a report speaks are remembered"),
    ("EDGES_MAX", "what an inference works with; it says in words where it stops"),
    ("FACTS_BYTES_MAX", "how much is kept in memory; more is read again"),
    ("FAILURES_LISTED_MAX", "how much is listed; all of it is counted"),
    ("FAULTS_MAX", "how much is listed"),
    ("FILE_BYTES_MAX", "no sound file of a signer's memory comes near; what a longer one holds is refused as none"),
    ("FINDINGS_MAX", "how much is listed; all of it is counted"),
    ("SLICES_BYTES_MAX", "how much is kept in memory; more is read again"),
    ("FOLLOWED_MAX", "how many changes are followed; more are read anew"),
    ("HALF_MAX", "how much is kept in memory; more is read again"),
    ("HINT_MAX", "how much of a text is drawn"),
    ("HISTORY_MAX", "a page; who asks for more gets as many"),
    ("IDLE_MAX", "connections that are kept open"),
    ("INSTANCES_MAX", "what an inference works with; it says in words where it stops"),
    ("KEPT_MAX", "rows that the engine itself writes"),
    ("LABEL_MAX", "how much of a text is drawn"),
    ("LEASED_MAX", "a page"),
    ("LISTED_MAX", "how much is listed; all of it is counted"),
    ("MODE_MAX", "the last number of an enumeration"),
    ("NAMED_MAX", "how much is listed"),
    ("NEEDLE_MAX", "how much of a text is looked for"),
    ("NUMBERS_MAX", "how much of a text is drawn"),
    ("ORDERING_COST_MAX", "how long a picture is made neater; beyond it, it is drawn as it is"),
    ("PAGE_MAX", "a page; who asks for more gets as many"),
    ("POLL_MAX", "patience"),
    ("REFUSALS_MAX", "how many are remembered; the oldest is forgotten"),
    ("ROUNDS_MAX", "a bound on the engine's own rounds; more is a fault of its own"),
    ("SHOWN_MAX", "how much is listed"),
    ("STEPS_MAX", "how many are remembered; the oldest is forgotten"),
    ("TENANTS_MAX", "how much is kept in memory; more is read again"),
    ("TERMS_MAX", "how long one caller leads"),
    ("TEXT_BYTES_MAX", "beyond it statements are said one by one"),
    ("TIME_MAX", "the last instant there is"),
    ("TOLD_MAX", "how much of what was told is remembered; more may be told twice"),
    ("WAIT_MAX", "patience"),
    ("WITNESSES_MAX", "how much is listed; all of it is counted"),
    ("WORLDS_MAX", "how far a replay follows what may have been; it says where it stops"),
];

/// All findings of this rule.
pub(super) fn check(files: &[File], sources: &[Source]) -> Vec<Finding> {
    let text = |path: &str| files.iter().find(|f| f.path == path).map(|f| f.text.clone());
    // A tree without them is not this one.
    let Some(first) = text(SOURCES[0].0) else { return Vec::new() };
    let mut out = strays(sources);
    if parse(&first).is_ok_and(|limits| limits.is_empty()) {
        out.push(Finding::error(SOURCES[0].0, 0, "no limit was found"));
    }
    for (path, _) in SOURCES {
        let Some(source) = text(path) else {
            out.push(Finding::error(path, 0, "the floor's limits are missing"));
            continue;
        };
        match parse(&source) {
            Err(why) => out.push(Finding::error(path, 0, why)),
            Ok(limits) => out.extend(limits.iter().filter(|limit| !is_tried(files, &limit.name)).map(|limit| {
                let why = format!("no test tries `{}` where it ends (`hos_core::limits::held`)", limit.name);
                Finding::error(path, 0, why)
            })),
        }
    }
    match (text(PAGE), tables(|path| text(path).ok_or_else(String::new))) {
        (None, _) => out.push(Finding::error(PAGE, 0, "the page is missing; see `cargo xtask limits`")),
        (Some(page), Ok(tables)) if tables_of(&page).map(str::trim) != Some(tables.trim()) => {
            out.push(Finding::error(PAGE, 0, "the tables differ from the code; run `cargo xtask limits --write`"));
        }
        _ => {}
    }
    out
}

/// Bounds that stand elsewhere than in their place.
fn strays(sources: &[Source]) -> Vec<Finding> {
    let mut out = Vec::new();
    for source in sources.iter().filter(|s| FLOORS.iter().any(|floor| s.path.starts_with(floor))) {
        if SOURCES.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        for (at, _) in source.code.match_indices("const ") {
            let name = source.code[at + 6..].split(':').next().unwrap_or("").trim();
            let is_bound = name.ends_with("_MAX") && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            if is_bound && !NO_LIMITS.iter().any(|(known, _)| *known == name) {
                let why = format!(
                    "`{name}` is a limit: it belongs into its floor's `limits.rs`, or among what is none, with the reason"
                );
                out.push(Finding::error(&source.path, line_of(&source.code, at), why));
            }
        }
    }
    out
}

/// A test names the limit that it tries as a text.
fn is_tried(files: &[File], name: &str) -> bool {
    let named = format!("\"{name}\"");
    files.iter().any(|file| {
        let tests = if file.path.contains("/tests/") { Some(file.text.as_str()) } else { tests_of(&file.text) };
        file.path.starts_with("hos-") && file.path.ends_with(".rs") && tests.is_some_and(|tests| tests.contains(&named))
    })
}

fn tests_of(text: &str) -> Option<&str> {
    text.split_once("#[cfg(test)]\nmod tests {").map(|(_, tests)| tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    /// A tree with two limits; what each case changes of it.
    fn findings(change: impl FnOnce(&mut Vec<File>)) -> Vec<String> {
        let limits = |names: &[&str]| {
            let lines: Vec<String> =
                names.iter().map(|n| format!("    /// What {n} is.\n    {n}: usize = 3, \"bytes\", \"hos.a\";\n")).collect();
            format!("limits! {{\n{}}}\n", lines.concat())
        };
        let mut files = vec![
            file(SOURCES[0].0, &limits(&["A_MAX"])),
            file(SOURCES[1].0, &limits(&["B_MAX"])),
            file(SOURCES[2].0, &limits(&["C_MAX"])),
            file("hos-core/tests/limits/main.rs", "&[(\"A_MAX\", &a), (\"C_MAX\", &c)]"),
            file("hos-engine/src/mark.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    tried(\"B_MAX\", b)\n}\n"),
        ];
        let text =
            |files: &[File], path: &str| files.iter().find(|f| f.path == path).map(|f| f.text.clone()).ok_or_else(String::new);
        let tables = tables(|path| text(&files, path)).unwrap();
        files.push(file(PAGE, &format!("# Limits\n\n<!-- limits -->\n{tables}\n<!-- end of limits -->\n")));
        change(&mut files);
        let sources: Vec<Source> = files.iter().filter(|f| f.path.ends_with(".rs")).map(Source::new).collect();
        check(&files, &sources).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn limits_page_and_tests_agree() {
        assert_eq!(findings(|_| ()), Vec::<String>::new());
        let untried = findings(|files| files[3].text = files[3].text.replace("A_MAX", "D_MAX"));
        assert_eq!(untried, ["no test tries `A_MAX` where it ends (`hos_core::limits::held`)"]);
        let outside = findings(|files| files[4].text = files[4].text.replace("#[cfg(test)]\n", ""));
        assert_eq!(outside, ["no test tries `B_MAX` where it ends (`hos_core::limits::held`)"]);
        let other = findings(|files| files[0].text = files[0].text.replace("= 3", "= 4"));
        assert_eq!(other, ["the tables differ from the code; run `cargo xtask limits --write`"]);
        assert_eq!(findings(|files| drop(files.pop())).len(), 1, "no page");
    }

    #[test]
    fn a_limit_elsewhere_is_found() {
        let stray = |code: &str| findings(|files| files.push(file("hos-core/src/canon.rs", code))).len();
        assert_eq!(stray("const DEPTH_MAX: usize = 40;"), 1);
        assert_eq!(stray("pub(super) const ROOM_BYTES_MAX: u64 = 40;"), 1);
        assert_eq!(stray("const PAGE_MAX: usize = 40; const TABLE: usize = 3; // const X_MAX: usize = 4;"), 0);
    }
}
