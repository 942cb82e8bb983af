//! A disk that is full is called full, whatever is being written when it is: store, index, key, vault.

#![cfg(target_os = "linux")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

const FOUND: &str = "\"$HOS\" init --law \"$LAW\" --founder Account::root --role Role::operator --attr active=true --json";

/// Runs a script on a disk of its own of so many KiB, in name spaces of its own; nothing where those are not allowed. Gives the exit
/// code and what was said.
fn on_a_disk(disk: &Path, kib: u32, script: &str) -> Option<(i32, String)> {
    let probe = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs"]).arg(disk).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: name spaces of one's own are not allowed here");
        return None;
    }
    let script = format!("mount -t tmpfs -o size={kib}k tmpfs \"$DISK\" && cd \"$DISK\" && {script}");
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script]).env("DISK", disk).env("LAW", common::law());
    command.env("HOS", env!("CARGO_BIN_EXE_hos")).env("HOS_STORE", "hos.db").env("HOS_TENANT", "pazar").env("LANG", "C");
    for name in ["HOS_STORE_FILE", "HOS_SIGNER_SOCKET", "HOS_SIGNER_COMMAND", "HOS_MARK"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    Some((output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap()))
}

#[test]
fn a_store_that_finds_no_room_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (mut founded, mut full) = (0, 0);
    for kib in (4..500).step_by(20) {
        let Some((exit, said)) = on_a_disk(dir.path(), kib, FOUND) else { return };
        match exit {
            0 => founded += 1,
            4 if said.contains("\"hos.store_full\"") => full += 1,
            _ => panic!("{kib} KiB: {exit}: {said}"),
        }
    }
    assert!(founded > 0 && full > 0, "{founded} founded, {full} without room");
}

#[test]
fn what_is_written_beside_a_store_finds_no_room_and_says_so() {
    let (dir, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = store.path().join("hos.db").display().to_string();
    let found = format!("export HOS_STORE='{store}' && {FOUND} > /dev/null; head -c 1000000 /dev/zero > filled 2> /dev/null");
    let again = format!("export HOS_STORE='{store}'; head -c 1000000 /dev/zero > filled 2> /dev/null");
    for (before, words, made) in [(&found, "checkpoint -o note", "note"), (&again, "export --tiles tiles", "tiles")] {
        let script = format!("{before}; \"$HOS\" {words} --tenant universe --json; code=$?; test ! -e {made} && exit $code");
        let Some((exit, said)) = on_a_disk(dir.path(), 16, &script) else { return };
        assert!(exit == 4 && said.contains("\"hos.store_full\""), "{words}: {exit}: {said}");
    }
}

#[test]
fn words_that_find_no_room_say_so() {
    for words in [&["--help"][..], &["--version"], &["help", "init"], &["--help", "--json"], &["completions", "bash"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_hos")).args(words).env("LANG", "C").stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(4) && said.contains("could not be written"), "{words:?}: {said}");
    }
}

#[test]
fn a_store_that_cannot_be_opened_for_want_of_room_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut full = 0;
    for left in (0..80).step_by(4) {
        let fill = format!("head -c $(( ($(df --output=avail . | tail -n 1) - {left}) * 1024 )) /dev/zero > filled");
        let script = format!("{FOUND} > /dev/null && {fill} && exec \"$HOS\" verify --json");
        let Some((exit, said)) = on_a_disk(dir.path(), 2048, &script) else { return };
        full += u32::from(exit == 4);
        assert!(exit == 0 || said.contains("\"hos.store_full\""), "{left} KiB left: {exit}: {said}");
    }
    assert!(full > 0);
}
