//! The vault: keys are kept, found, destroyed for good, and never shown.

mod store_log;

use std::fs;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use hos_core::id::KeyId;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_engine::store::sqlite::{NewKey, OpenOptions, SecretKey, Vault};
use store_log::{child, child_store, numbers, role};

/// Bytes that look random and are a key's own.
fn spread(n: u64, salt: u64) -> [u8; 32] {
    let mut state = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mut bytes = [0u8; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
    }
    bytes
}

fn new_key(n: u64) -> NewKey {
    let id = KeyId::from_slice(&spread(n, 2)[..16]).unwrap();
    NewKey { subject: spread(n, 1), id, key: SecretKey::new(spread(n, 3)), created: Timestamp(1) }
}

/// How many files of the directory hold these bytes.
fn files_with(dir: &Path, bytes: &[u8]) -> usize {
    let files = fs::read_dir(dir).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.filter(|content| content.windows(bytes.len()).any(|window| window == bytes)).count()
}

#[test]
fn role_of_a_child() {
    let Some(role) = role() else { return };
    if role == "read" {
        // A long read, of a program that knows nothing of us.
        let db = rusqlite::Connection::open(child_store()).unwrap();
        db.execute_batch("BEGIN; SELECT count(*) FROM hos_vault;").unwrap();
        println!("\nreading 1");
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let vault = Vault::open(child_store(), true).unwrap();
    match role.as_str() {
        "destroy" => println!("\ndestroyed {}", i64::from(vault.destroy(&new_key(0).subject, Timestamp(5)).unwrap())),
        "search" => {}
        _ => panic!("no such role"),
    }
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn keys_are_found_by_subject_and_by_id_also_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = Vault::path_beside(&dir.path().join("hos.db"));
    let keys: Vec<NewKey> = (0..500).map(new_key).collect();
    let vault = Vault::open(&path, true).unwrap();
    let kept = vault.insert(&keys).unwrap();
    assert_eq!(kept.len(), keys.len());
    drop(vault);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let vault = Vault::open(&path, false).unwrap();
    for _ in 0..2 {
        for key in &keys {
            let found = vault.get_by_subject(&key.subject).unwrap().unwrap();
            assert_eq!((found.id, found.key.as_ref()), (key.id, Some(&key.key)));
            assert_eq!(vault.get_by_id(key.id).unwrap().unwrap(), found);
        }
    }
    assert_eq!(vault.get_by_subject(&[0; 32]).unwrap(), None);
    assert_eq!(vault.get_by_id(KeyId([0; 16])).unwrap(), None);
}

#[test]
fn a_subject_has_one_key_whoever_asks_first() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(dir.path().join("v"), true).unwrap();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let vault = &vault;
                scope.spawn(move || vault.insert(&[NewKey { subject: [7; 32], ..new_key(n) }]).unwrap().remove(0))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let first = vault.get_by_subject(&[7; 32]).unwrap().unwrap();
    assert!(first.key.is_some());
    assert!(answers.iter().all(|answer| *answer == first), "two keys for one subject");
}

#[test]
fn a_destroyed_key_is_gone_from_every_file_and_stays_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    let keys: Vec<NewKey> = (0..3000).map(new_key).collect();
    {
        let vault = Vault::open(&path, true).unwrap();
        for some in keys.chunks(97) {
            vault.insert(some).unwrap();
        }
        for n in [0usize, 1, 1500, 2999] {
            let key = &keys[n];
            vault.get_by_subject(&key.subject).unwrap().unwrap();
            assert!(vault.destroy(&key.subject, Timestamp(9)).unwrap());
            let found = vault.get_by_subject(&key.subject).unwrap().unwrap();
            assert_eq!((found.id, found.key), (key.id, None));
            assert_eq!(vault.get_by_id(key.id).unwrap().unwrap().key, None);
            assert!(!vault.destroy(&key.subject, Timestamp(10)).unwrap(), "destroyed twice");
            // Nobody gets another one.
            let again = vault.insert(&[NewKey { subject: key.subject, ..new_key(9_000_000 + n as u64) }]).unwrap();
            assert_eq!((again[0].id, again[0].key.as_ref()), (key.id, None));
        }
        // Searched for while the vault is open: by a child, since a read in this process would drop the locks.
        let mut listed = Command::new("grep");
        listed.args(["-c", "-r", "-a", "-P"]).arg(hex_pattern(keys[1500].key.bytes())).arg(dir.path());
        let counts = String::from_utf8(listed_output(&mut listed)).unwrap();
        assert!(counts.lines().all(|line| line.ends_with(":0")) && counts.lines().count() >= 4, "{counts}");
        let mut there = Command::new("grep");
        there.args(["-c", "-r", "-a", "-P"]).arg(hex_pattern(keys[5].key.bytes())).arg(dir.path());
        let counts = String::from_utf8(listed_output(&mut there)).unwrap();
        assert!(counts.lines().any(|line| !line.ends_with(":0")), "the search finds nothing at all: {counts}");
    }
    for n in [0usize, 1, 1500, 2999] {
        assert_eq!(files_with(dir.path(), keys[n].key.bytes()), 0, "key {n}");
    }
    assert_eq!(files_with(dir.path(), keys[2].key.bytes()), 1, "the other keys are there");
    let vault = Vault::open(&path, false).unwrap();
    assert_eq!(vault.get_by_subject(&keys[0].subject).unwrap().unwrap().key, None);
    assert!(vault.get_by_subject(&keys[2].subject).unwrap().unwrap().key.is_some());
}

fn hex_pattern(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("\\x{b:02x}")).collect()
}

fn listed_output(command: &mut Command) -> Vec<u8> {
    command.env("LC_ALL", "C").output().unwrap().stdout
}

#[test]
fn destroying_nearly_all_keys_leaves_no_copy_in_merged_pages() {
    let dir = tempfile::tempdir().unwrap();
    let keys: Vec<NewKey> = (0..400).map(new_key).collect();
    {
        let vault = Vault::open(dir.path().join("v"), true).unwrap();
        vault.insert(&keys).unwrap();
        for key in keys.iter().skip(1).step_by(2).chain(keys.iter().step_by(4)) {
            assert!(vault.destroy(&key.subject, Timestamp(9)).unwrap());
        }
    }
    for (n, key) in keys.iter().enumerate() {
        let files = usize::from(n % 4 == 2);
        assert_eq!(files_with(dir.path(), key.key.bytes()), files, "key {n}");
    }
}

#[test]
fn a_subject_that_is_erased_before_it_has_a_key_never_gets_one() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(dir.path().join("v"), true).unwrap();
    assert!(!vault.destroy(&[3; 32], Timestamp(9)).unwrap());
    assert_eq!(vault.insert(&[NewKey { subject: [3; 32], ..new_key(1) }]).unwrap()[0].key, None);
    assert_eq!(vault.get_by_subject(&[3; 32]).unwrap().unwrap().key, None);
    // Its tombstone has no id, and neither has the next one's.
    assert!(!vault.destroy(&[4; 32], Timestamp(9)).unwrap());
    assert_eq!(vault.get_by_id(KeyId([0; 16])).unwrap(), None);
}

#[test]
fn a_key_that_another_process_destroys_is_forgotten_here() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    let vault = Vault::open(&path, true).unwrap();
    let keys: Vec<NewKey> = (0..3).map(new_key).collect();
    vault.insert(&keys).unwrap();
    for _ in 0..3 {
        assert!(vault.get_by_subject(&keys[0].subject).unwrap().unwrap().key.is_some());
        assert!(vault.get_by_id(keys[0].id).unwrap().unwrap().key.is_some());
    }
    assert_eq!(numbers(&run(child("destroy", &path)), "destroyed"), [1]);
    assert_eq!(vault.get_by_subject(&keys[0].subject).unwrap().unwrap().key, None);
    assert_eq!(vault.get_by_id(keys[0].id).unwrap().unwrap().key, None);
    assert!(vault.get_by_subject(&keys[1].subject).unwrap().unwrap().key.is_some());
}

#[test]
fn what_a_long_read_kept_is_wiped_by_who_opens_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    let options = OpenOptions { busy_timeout: std::time::Duration::from_millis(50), create: true, ..Vault::options() };
    let vault = Vault::open_with(&path, options).unwrap();
    vault.insert(&[new_key(0), new_key(1)]).unwrap();
    let mut reader = child("read", &path).spawn().unwrap();
    let mut lines = std::io::BufReader::new(reader.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("reading 1")));
    assert_eq!(vault.destroy(&new_key(0).subject, Timestamp(5)).unwrap_err().code, Code::StoreBusy);
    assert!(vault.is_left().unwrap() && vault.tidy().is_err());
    assert_eq!(vault.get_by_subject(&new_key(0).subject).unwrap().unwrap().key, None, "gone all the same");
    let found = || {
        let mut grep = Command::new("grep");
        grep.args(["-c", "-r", "-a", "-P"]).arg(hex_pattern(new_key(0).key.bytes())).arg(dir.path());
        String::from_utf8(listed_output(&mut grep)).unwrap()
    };
    assert!(found().lines().any(|line| !line.ends_with(":0")), "the read keeps it: {}", found());
    reader.kill().unwrap();
    reader.wait().unwrap();
    // It is open still, as after a crash: nobody has closed it last.
    run(child("search", &path));
    assert!(found().lines().all(|line| line.ends_with(":0")), "{}", found());
    assert!(!vault.is_left().unwrap());
    assert!(vault.get_by_subject(&new_key(1).subject).unwrap().unwrap().key.is_some());
}

#[test]
fn a_vault_is_no_store_and_a_backup_of_it_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    let vault = Vault::open(&path, true).unwrap();
    vault.insert(&[new_key(1)]).unwrap();
    let target = dir.path().join("copy");
    vault
        .backup(&target, &mut |_| ControlFlow::Continue(()), &|copy| {
            let copy = Vault::open_with(copy, Vault::options().read_only(true))?;
            assert!(copy.get_by_subject(&new_key(1).subject)?.is_some());
            Ok(())
        })
        .unwrap();
    assert!(Vault::open(&target, false).unwrap().get_by_id(new_key(1).id).unwrap().is_some());
    drop(vault);
    let store = hos_engine::store::sqlite::SqliteStore::<store_log::Log>::open(&path, store_log::options());
    assert_eq!(store.err().unwrap().code, Code::StoreUnavailable);
}
