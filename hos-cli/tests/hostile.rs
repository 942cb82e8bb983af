//! Words that would steer a terminal or forge a line of a log, and secrets that must stand in no output.

mod common;

use common::{Run, World, hos, law, run};
use std::os::unix::fs::PermissionsExt;

/// What a terminal or a log would obey.
const STEERS: [&str; 4] = ["a\u{1b}]0;title\u{7}\u{9b}2Jb", "a\rb", "a\nhos: all is well", "a\u{202e}\u{2066}b"];

/// What is printed holds lines, and nothing that a terminal obeys.
fn is_plain(text: &str) -> bool {
    let steers = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    !text.chars().any(steers) && !text.lines().any(|line| line.starts_with("hos: all is well"))
}

/// JSON is for programs: controls stand escaped in it, and so no line can be forged.
fn is_one_line(text: &str) -> bool {
    text.lines().count() <= 1 && !text.trim_end_matches('\n').chars().any(char::is_control)
}

/// Each place where a caller's words go, with the word in it.
fn places(word: &str) -> Vec<Vec<String>> {
    let fact = format!("{word}=1");
    let value = format!("buyer={word}");
    let context = serde_json::json!({ word: word }).to_string();
    let account = format!("Account::{word}");
    let kind = format!("{word}::x");
    let order = format!("order/{word}");
    let all: Vec<Vec<&str>> = vec![
        vec!["can", word, "order/o-1"],
        vec!["can", "order.view", word],
        vec!["can", "order.view", &order],
        vec!["can", "order.view", "order/o-1", "--as", word],
        vec!["can", "order.view", "order/o-1", "--as", &account],
        vec!["can", "order.view", "order/o-1", "--as", &kind],
        vec!["can", "order.view", "order/o-1", "--tenant", word],
        vec!["can", "order.view", "order/o-1", "--context", &context],
        vec!["can", "order.view", "order/o-1", "--context", word],
        vec!["can", "order.view", "order/o-1", "--law", word],
        vec!["begin", word, "o-9", "place"],
        vec!["begin", "order", word, "place", "--fact", "buyer=ayse", "--fact", "total=1"],
        vec!["begin", "order", "o-9", word],
        vec!["begin", "order", "o-9", "place", "--fact", &fact],
        vec!["begin", "order", "o-9", "place", "--fact", &value, "--fact", "total=1"],
        vec!["transition", "order", "o-1", word],
        vec!["transition", "order", word, "pay"],
        vec!["transition", "order", "o-1", "pay", "--arg", &fact],
        vec!["transition", "order", "o-1", "pay", "--arg", word],
        vec!["transition", "order", "o-1", "pay", "--args", &context],
        vec!["transition", "order", "o-1", "pay", "--arg", "amount=1", "--arg", "psp_ref=x", "--once", word],
        vec!["history", "order", word],
        vec!["history", word, "o-1"],
        vec!["available", "order", word],
        vec!["directory", "put", &account],
        vec!["directory", "grant", word, "no-template"],
        vec!["directory", "grant", "g", word],
        vec!["outbox", "ack", "1", word],
        vec!["verify", "--anchor", word],
        vec!["verify", "--time", word],
        vec!["law", "activate", word],
        vec!["check", word],
        vec!["keys", "generate", word],
        vec!["erase", &account],
        vec![word],
        vec!["work", word],
        vec!["work", "--store", word],
    ];
    all.into_iter().map(|words| words.into_iter().map(str::to_owned).collect()).collect()
}

#[test]
fn no_word_of_a_caller_steers_a_terminal_or_forges_a_line() {
    let world = World::new();
    world.order("o-1");
    let (mut tried, mut wrong) = (0, Vec::new());
    for word in STEERS {
        for words in places(word) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let place = world.dir.path().to_str().unwrap().to_owned();
            let told = |more: &[&str]| {
                let mut command = world.with(&[&words[..], more].concat(), "Account::ayse");
                // Whatever file a word names is made here.
                command.current_dir(&place);
                run(command)
            };
            let (people, programs) = (told(&[]), told(&["--json"]));
            tried += 2;
            for text in [&people.out, &people.err, &programs.err] {
                if !is_plain(text) {
                    wrong.push(format!("{words:?}: {text:?}"));
                }
            }
            if !is_one_line(&programs.out) {
                wrong.push(format!("{words:?} --json: {:?}", programs.out));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_law_s_words_do_not_steer_either() {
    let place = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp").arg("-r").arg(law()).arg(place.path().join("law")).status().unwrap();
    assert!(copied.success());
    let dir = place.path().join("law");
    let check = || {
        let mut command = hos();
        command.arg("check").arg(&dir);
        run(command)
    };
    assert_eq!(check().exit, 0);
    for (path, text) in [
        (
            "policies/odd.cedar",
            "// \u{1b}[2J\r\n@id(\"a\u{1b}[2J\") permit(principal, action, resource) when { nothing\u{202e} };",
        ),
        ("contracts/odd.toml", "contract = \"a\u{1b}[2J\"\nversion = 1\r\n\"\u{202e}\" = 1\n"),
        ("messages.en.toml", "[order]\n\"\u{1b}[2J\" = \"\u{202e}\"\n"),
        ("\u{1b}[2J.cedar", "permit(principal, action, resource);"),
    ] {
        let file = dir.join(path);
        let before = std::fs::read(&file).ok();
        std::fs::write(&file, text).unwrap();
        let told = check();
        assert_ne!(told.exit, 0, "{path:?}");
        assert!(is_plain(&told.out) && is_plain(&told.err), "{path:?}: {told:?}");
        match before {
            Some(before) => std::fs::write(&file, before).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
    }
}

#[test]
fn what_steers_is_found() {
    assert!(STEERS.iter().all(|word| !is_plain(word)));
    assert!(is_plain("two\nlines, ş\n") && is_one_line("{}\n") && !is_one_line("{}\n{}\n") && !is_one_line("{\u{1b}}\n"));
}

/// Digits that stand in a key's file, and in nothing that is printed.
const SEED: &str = "c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77c0ffee88";
/// A password in a database's address.
const PASSWORD: &str = "s3cr3t-canary-4711";

/// Whether something of a secret stands there: eight characters of it in a row.
fn leaks(run: &Run, secret: &str) -> bool {
    let said = format!("{}{}", run.out, run.err).to_lowercase();
    secret.as_bytes().windows(8).any(|piece| said.contains(std::str::from_utf8(piece).unwrap()))
}

#[test]
fn a_seal_key_stands_in_no_output() {
    // A store whose key is known here.
    let world = World::empty();
    let key = world.path("known.key");
    let write = |text: &str| {
        std::fs::write(&key, text).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(SEED);
    let law = law();
    let init = [
        "init",
        "--law",
        law.to_str().unwrap(),
        "--founder",
        "Account::root",
        "--role",
        "Role::operator",
        "--attr",
        "active=true",
    ];
    let founded = world.run(&[&init[..], &["--key-file", &key]].concat());
    let mut runs = vec![founded];
    let bundle = world.path("x.hosb");
    let commands: [&[&str]; 15] = [
        &["verify"],
        &["verify", "--json"],
        &["keys", "show"],
        &["keys", "show", "--json"],
        &["law", "show"],
        &["history", "order", "none"],
        &["work"],
        &["mark"],
        &["checkpoint"],
        &["export", "order", "none", &bundle],
        &["keys", "generate", &key],
        &["tick", "--json"],
        &["outbox", "poll"],
        &["signer", "serve", "--key-file", &key, "--socket", "/nowhere/none"],
        &["--help"],
    ];
    let with = |words: &[&str]| world.run(&[words, &["--key-file", &key]].concat());
    let all = |runs: &mut Vec<Run>| runs.extend(commands.iter().flat_map(|words| [world.run(words), with(words)]));
    all(&mut runs);
    // Keys that are none: cut, too long, with a letter that is no digit, twice; what is wrong is told, and not what stands there.
    for text in [&SEED[..63], &format!("{SEED}0"), &SEED.replace("11", "1g"), &format!("{SEED}\n{SEED}"), &format!(" {SEED} x")] {
        write(text);
        all(&mut runs);
    }
    let refused = runs.iter().filter(|run| run.exit != 0).count();
    assert!(refused > 50 && refused < runs.len(), "{refused} of {}", runs.len());
    for run in &runs {
        assert!(!leaks(run, SEED), "{run:?}");
    }
    let planted = Run { exit: 0, out: format!("the seed is {}", &SEED[20..30]), err: String::new() };
    assert!(leaks(&planted, SEED), "a piece of it is found");
}

#[test]
fn a_password_of_a_database_stands_in_no_output() {
    let mut runs = Vec::new();
    for address in [
        // Nobody listens there; none of these is an address; one that is no database's.
        format!("postgres://hos:{PASSWORD}@127.0.0.1:1/pazar"),
        format!("mysql://hos:{PASSWORD}@127.0.0.1:1/pazar"),
        format!("postgres://hos:{PASSWORD}@127.0.0.1:none/pazar"),
        format!("mysql://hos:{PASSWORD}@[::1/pazar"),
        format!("postgres://hos:{PASSWORD}@127.0.0.1:1/pazar?sslmode=maybe"),
        format!("postgres://hos@127.0.0.1:1/pazar?password={PASSWORD}"),
        format!("oracle://hos:{PASSWORD}@127.0.0.1:1/pazar"),
    ] {
        for words in
            [&["verify"][..], &["verify", "--json"], &["work"], &["history", "order", "o-1"], &["backup", "/nowhere/b.db"]]
        {
            let mut by_option = hos();
            by_option.args(words).args(["--store", &address]);
            let mut by_environment = hos();
            by_environment.args(words).env("HOS_STORE", &address).env("RUST_BACKTRACE", "1");
            runs.extend([run(by_option), run(by_environment)]);
        }
    }
    for run in &runs {
        assert!(run.exit != 0 && !leaks(run, PASSWORD), "{run:?}");
    }
}
