//! The way out: every command's JSON, exit codes, and a pipe that closes.

mod common;

use common::{World, hos, law, run};
use std::io::Read;
use std::process::{Command, Stdio};

#[test]
fn every_command_has_one_json_object() {
    let world = World::new();
    world.order("o-1");
    let directory = law();
    let law_dir = directory.to_str().unwrap();
    let copy = world.path("copy.db");
    let key = world.path("new.key");
    let commands: Vec<Vec<&str>> = vec![
        vec!["check", law_dir],
        vec!["can", "order.view", "order/o-1", "--as", "Account::ayse"],
        vec!["transition", "order", "o-1", "pay", "--as", "Account::ayse", "--arg", "amount=4200", "--arg", "psp_ref=x"],
        vec!["begin", "order", "o-2", "place", "--as", "Account::ayse", "--fact", "buyer=ayse", "--fact", "total=1"],
        vec!["adopt", "order", "o-3", "paid", "--fact", "buyer=ayse", "--fact", "total=1"],
        vec!["history", "order", "o-1"],
        vec!["available", "order", "o-1"],
        vec!["record", "till.closed", "--text", "12"],
        vec!["keys", "show"],
        vec!["keys", "generate", &key],
        vec!["law", "show"],
        vec!["law", "list"],
        vec!["law", "activate", law_dir],
        vec!["tenant", "open", "pazar-de"],
        vec!["tenant", "list"],
        vec!["directory", "put", "Role::support"],
        vec!["directory", "join", "Account::mehmet", "Role::support"],
        vec!["directory", "grant", "g-1", "viewer", "--principal", "Account::mehmet"],
        vec!["directory", "list"],
        vec!["directory", "revoke", "g-1"],
        vec!["directory", "leave", "Account::mehmet", "Role::support"],
        vec!["directory", "remove", "Role::support"],
        vec!["diagram", law_dir, "order"],
        vec!["diagram", law_dir, "order", "--format", "dot"],
        vec!["tick"],
        vec!["work"],
        vec!["outbox", "poll"],
        vec!["verify"],
        vec!["backup", &copy],
        vec!["hold", "--subject", "Account::kedi", "--reason", "case 7"],
        vec!["release", "--subject", "Account::kedi", "--reason", "case 7"],
        vec!["erase", "Account::kedi", "--ground", "request 12"],
        vec!["completions", "bash"],
        vec!["exit-codes"],
    ];
    for command in commands {
        let got = world.run(&[&command[..], &["--json"]].concat());
        assert_eq!(got.exit, 0, "{command:?}: {got:?}");
        assert!(got.json().is_object(), "{command:?}");
        assert_eq!(got.out.trim_end().lines().count(), 1, "{command:?}: {}", got.out);
        assert!(got.err.is_empty(), "{command:?}: {}", got.err);
    }
    assert!(std::path::Path::new(&copy).exists());
}

#[test]
fn help_is_there_and_names_the_exit_codes() {
    for arguments in [&["--help"][..], &["help", "exit-codes"], &["exit-codes"], &["help", "transition"], &["--version"]] {
        let mut command = hos();
        command.args(arguments);
        let shown = run(command).ended(0);
        assert!(!shown.out.is_empty() && !shown.out.contains('\u{1b}'), "{arguments:?}");
    }
    let mut command = hos();
    command.args(["help", "exit-codes"]);
    let table = run(command).out;
    for word in
        ["0  allowed", "1  refused", "2  usage", "3  findings", "4  store", "5  law", "--strict a warning", "`hos backup`"]
    {
        assert!(table.contains(word), "{table}");
    }
}

/// What a command's options say of themselves reaches whoever asks for help, and so does what is not looked at.
#[test]
fn help_says_what_cannot_be_guessed() {
    for (arguments, wanted) in [
        (&["erase", "--help"][..], "it cannot be undone"),
        (&["directory", "--help"], "Accounts live in the tenant `universe`"),
        (&["backup", "--help"], "The key file is never copied"),
        (&["law", "activate", "--help"], "Modes that are not named stay as they are"),
        (&["witness", "--help"], "[env: HOS_TENANT, but for `hos witness`"),
        (&["signer", "--help"], "[env: HOS_SIGNER_SOCKET, but for `hos signer`"),
        (&["keys", "rotate", "--help"], "hos keys generate new.key"),
        (&["keys", "revoke", "--help"], "--from-size pazar-tr=4200"),
        (&["epoch", "new", "--help"], "hos epoch new --lost"),
        (&["init", "--help"], "(no TLS: see SECURITY.md)"),
    ] {
        let mut command = hos();
        command.args(arguments);
        let shown = run(command).ended(0).out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(wanted), "{arguments:?}: {shown}");
    }
}

#[test]
fn help_is_one_object_where_json_is_asked_for() {
    for (arguments, field, wanted) in [
        (&["--json", "--help"][..], "help", "Usage: hos"),
        (&["--json", "help"][..], "help", "Usage: hos"),
        (&["--json", "help", "exit-codes"][..], "help", "4  store"),
        (&["init", "--help", "--json"][..], "help", "--founder"),
        (&["--json", "--version"][..], "version", "hos "),
    ] {
        let mut command = hos();
        command.args(arguments);
        let got = run(command).ended(0);
        assert_eq!(got.out.trim_end().lines().count(), 1, "{arguments:?}: {}", got.out);
        let json = got.json();
        assert!(json[field].as_str().unwrap().contains(wanted) && got.err.is_empty(), "{arguments:?}: {json}");
    }
}

#[test]
fn what_fails_is_told_on_standard_error() {
    let world = World::new();
    world.order("o-1");
    let policy = world.path("policy");
    std::fs::write(&policy, "nonsense\n").unwrap();
    for (words, exit, told) in [
        (&["verify", "none", "--trust", &policy][..], 2, "error  policy.syntax: "),
        (&["outbox", "poll", "--as", "Account::ayse"], 1, "error  hos.not_permitted\n       "),
        (&["can", "order.view", "order/o-1", "--as", "ayse"], 2, "error  hos.id_invalid: `ayse` is not an entity: "),
    ] {
        let said = world.run(words).ended(exit);
        assert!(said.out.is_empty() && said.err.starts_with(told), "{words:?}: {said:?}");
        let json = world.run(&[words, &["--json"]].concat()).ended(exit);
        assert!(json.err.is_empty() && told.contains(&json.code()), "{words:?}: {json:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let world = World::new();
    for arguments in [&["completions", "bash"][..], &["--help"], &["directory", "list"], &["law", "show", "--json"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hos"))
            .args(arguments)
            .env("HOS_STORE", world.path("hos.db"))
            .env("HOS_TENANT", "pazar")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The reader is gone before the first byte is written.
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert!(child.wait().unwrap().success(), "{arguments:?}: {errors}");
        assert!(errors.is_empty(), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_pipe_to_head_ends_well() {
    let world = World::new();
    let line = format!("'{}' completions bash | head -c 1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_hos"));
    let output = Command::new("bash").args(["-c", &line]).env("HOS_STORE", world.path("hos.db")).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn closed_streams_are_no_panic() {
    let world = World::new();
    let line = format!("'{}' can order.view order/none --as Account::nobody >&- 2>&-", env!("CARGO_BIN_EXE_hos"));
    let output = Command::new("bash")
        .args(["-c", &line])
        .env("HOS_STORE", world.path("hos.db"))
        .env("HOS_TENANT", "pazar")
        .output()
        .unwrap();
    // Refused is refused, though nobody was told; a panic would be 101.
    assert!(matches!(output.status.code(), Some(1 | 4)), "{output:?}");
}
