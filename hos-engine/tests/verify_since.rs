//! A log verified from a checkpoint on: what went on since is found out as by a whole pass, and what was not read is said.

mod support;

use hos_core::call::{Call, Change, Directory, Note, Transition};
use hos_core::id::{OnceKey, Tenant};
use hos_core::refusal::Code;
use hos_engine::store::sqlite::Vault;
use hos_engine::{Engine, Level, Settings, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use support::{Store, at, change, fresh, go, new_order, root, uid};

/// How many notes lie before the checkpoint and after it.
const NOTES: u32 = 600;

fn notes(store: &Store) {
    let tenant = Tenant::new("t1").unwrap();
    let note = |i: u32| Call::Note(Note::new(uid("A", "root"), "n", i.to_be_bytes().to_vec()).unwrap());
    let answers = store.engine.batch((0..NOTES).map(|i| (tenant.clone(), note(i))).collect()).unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|a| a.allowed)));
}

/// A store of which some orders and rows stood before the checkpoint that is given back: `2`, the role and the membership go on
/// since, `3` and the grant do not.
fn grown(settings: Settings) -> (Store, String) {
    let (store, kept, _) = grown_from(settings);
    (store, kept)
}

/// The same, with the checkpoint of its first entries.
fn grown_from(settings: Settings) -> (Store, String, String) {
    let store = fresh(settings);
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    let grant = |id: &str| Change::Grant {
        id: id.into(),
        template: "t".into(),
        principal: Some(uid("A", "ann")),
        resource: Some(uid("R", "staff")),
    };
    change(&tenant, grant("g"));
    change(&tenant, grant("h"));
    for id in ["2", "3", "4"] {
        assert!(tenant.begin(new_order(id).once(&format!("k{id}")).unwrap()).unwrap().allowed);
    }
    assert!(tenant.transition(go("4")).unwrap().allowed);
    let refused = || tenant.transition(Transition::new(uid("A", "ann"), "o", "2", "go").unwrap()).unwrap();
    assert!(!refused().allowed);
    store.engine.work().unwrap();
    let first = tenant.checkpoint().unwrap().unwrap();
    notes(&store);
    store.engine.work().unwrap();
    let kept = tenant.checkpoint().unwrap().unwrap();
    assert!(tenant.transition(go("2").once("later").unwrap()).unwrap().allowed);
    assert!(tenant.begin(new_order("5")).unwrap().allowed);
    assert!(!refused().allowed);
    change(&tenant, Change::Leave { uid: uid("A", "ann"), parent: uid("R", "staff") });
    change(&tenant, Change::Revoke { id: "g".into() });
    notes(&store);
    store.engine.work().unwrap();
    (store, kept, first)
}

fn since(engine: &Engine, kept: &str) -> VerifyReport {
    engine.verify(&VerifyOptions { since: vec![kept.to_owned()], ..VerifyOptions::default() }).unwrap()
}

fn whole(engine: &Engine) -> VerifyReport {
    engine.verify(&VerifyOptions::default()).unwrap()
}

/// How many entries a note says.
fn size(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_log_is_read_from_the_last_full_tile_below_a_checkpoint() {
    let (store, kept, first) = grown_from(Settings::default());
    let all = whole(&store.engine);
    assert_eq!((all.level, &all.findings, &all.since), (Level::Intact, &Vec::new(), &Vec::new()));
    let report = since(&store.engine, &kept);
    assert_eq!((report.level, &report.findings), (Level::Anchored, &Vec::new()));
    let from = size(&kept) / 256 * 256;
    assert_eq!((&report.since, &report.logs), (&vec![("t1".to_owned(), from)], &all.logs));
    assert_eq!(report.records, all.records - from);
    assert!(report.notices.iter().any(|notice| notice.contains("was read from entry 512 on")), "{:?}", report.notices);
    // A checkpoint of entries that are not read anchors the store too: the tree goes on from it.
    let early = VerifyOptions { since: vec![kept.clone()], anchors: vec![first], ..VerifyOptions::default() };
    let report = store.engine.verify(&early).unwrap();
    assert_eq!((report.level, report.since.len(), &report.findings), (Level::Anchored, 1, &Vec::new()));
    // The newest checkpoint, with nothing behind it; one of the universe's log, which is always read whole; and both threads.
    let newest = store.tenant("t1").checkpoint().unwrap().unwrap();
    let report = since(&store.engine, &newest);
    assert_eq!((report.level, report.since[0].1), (Level::Anchored, (size(&newest) - 1) / 256 * 256), "{:?}", report.findings);
    let universe = store.tenant("universe").checkpoint().unwrap().unwrap();
    let report = since(&store.engine, &universe);
    assert_eq!((report.level, report.since, report.records), (Level::Anchored, Vec::new(), all.records));
    let options =
        VerifyOptions { since: vec![kept.clone(), newest], anchors: vec![kept], threads: 2, ..VerifyOptions::default() };
    let report = store.engine.verify(&options).unwrap();
    assert_eq!((report.level, report.since.len(), &report.findings), (Level::Anchored, 1, &Vec::new()));
}

#[test]
fn what_waits_and_what_fell_due_since_counts_too() {
    let (store, kept) = grown(Settings::default());
    store.clock.set(at("2026-01-01T02:00:00Z"));
    // The deadlines of `3`, which is met for the first time here, and of `5`.
    assert_eq!(store.engine.work().unwrap().fired, 2);
    let report = since(&store.engine, &kept);
    assert_eq!((report.level, &report.findings), (Level::Anchored, &Vec::new()));
    let (store, kept) = grown(Settings { seal: hos_engine::Seal::Worker, ..Settings::default() });
    let tenant = store.tenant("t1");
    assert!(tenant.transition(go("3")).unwrap().allowed);
    assert!(tenant.record(Note::new(uid("A", "root"), "n", b"waits".to_vec()).unwrap()).unwrap().allowed);
    let report = since(&store.engine, &kept);
    assert_eq!((report.level, &report.findings, report.unsealed.0), (Level::Anchored, &Vec::new(), 2));
    // Nothing in the log cites what stands before a record that waits: the tree alone vouches for it.
    if support::database::is_on() {
        return;
    }
    let (clock, path) = (store.clock.clone(), store.path.clone());
    drop(tenant);
    let Store { engine, dir, .. } = store;
    engine.close().unwrap();
    let db = Connection::open(&path).unwrap();
    let birth = "n = 0 AND thread = (SELECT handle FROM hos_instance WHERE tenant = 't1' AND id = CAST('3' AS BLOB))";
    assert_eq!(db.execute(&format!("UPDATE hos_entry SET disputed = 9 WHERE tenant = 't1' AND {birth}"), []).unwrap(), 1);
    drop(db);
    let engine = Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    let found = since(&engine, &kept);
    assert!(found.findings.iter().any(|(_, what)| what.contains("no such entry")), "{:?}", found.findings);
    engine.close().unwrap();
    // Nor is the record before it there any more.
    let db = Connection::open(&path).unwrap();
    let moved = format!(
        "UPDATE hos_entry SET disputed = NULL, thread = zeroblob(16) WHERE tenant = 't1' AND {birth};
         UPDATE hos_record SET thread = zeroblob(16) WHERE tenant = 't1' AND {birth}"
    );
    db.execute_batch(&moved).unwrap();
    drop(db);
    let engine = Engine::builder().sqlite(&path).clock(clock).open().unwrap();
    let found = since(&engine, &kept);
    assert!(found.findings.iter().any(|(_, what)| what == "the record is missing"), "{:?}", found.findings);
    drop(dir);
}

#[test]
fn a_key_that_was_forgotten_and_taken_again_is_the_later_record_s() {
    // One row took the key, another took it again once it was forgotten; since then the first goes on, or both do, in either order.
    let put = |store: &Store, id: &str| {
        let change = Change::Put { uid: uid("R", id), attrs: Default::default() };
        let once = Some(OnceKey::new("again").unwrap());
        let put = Directory { once, ..Directory::new(uid("A", "root"), change) };
        assert!(store.tenant("t1").call(Call::Directory(put)).unwrap().allowed);
    };
    for goes_on in [&["x"][..], &["x", "y"], &["y", "x"]] {
        let (store, _) = grown(Settings::default());
        put(&store, "x");
        store.clock.set(at("2026-02-15T00:00:00Z"));
        store.engine.work().unwrap();
        put(&store, "y");
        notes(&store);
        store.engine.work().unwrap();
        let kept = store.tenant("t1").checkpoint().unwrap().unwrap();
        goes_on.iter().for_each(|id| drop(change(&store.tenant("t1"), Change::Remove { uid: uid("R", id) })));
        assert_eq!(whole(&store.engine).findings, []);
        let report = since(&store.engine, &kept);
        assert_eq!((report.level, &report.findings), (Level::Anchored, &Vec::new()), "{goes_on:?}");
    }
}

#[test]
fn what_an_erasure_did_not_lose_is_not_lost() {
    if support::database::is_on() {
        return;
    }
    let (store, kept) = grown(Settings::default());
    ["3", "5"].iter().for_each(|id| assert!(store.tenant("t1").transition(go(id)).unwrap().allowed));
    let erased = store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    assert_eq!(whole(&store.engine).findings, []);
    let report = since(&store.engine, &kept);
    assert_eq!((report.level, &report.findings), (Level::Anchored, &Vec::new()));
    let (clock, path) = (store.clock.clone(), store.path.clone());
    let Store { engine, dir, .. } = store;
    engine.close().unwrap();
    // What a person who is there wrote in a note since then is said to have been hers.
    let keys_where = |gone: bool| -> Vec<[u8; 16]> {
        let vault = Connection::open(Vault::path_beside(&path)).unwrap();
        let mut ids = vault.prepare("SELECT key_id FROM hos_vault WHERE (key IS NULL) = ?1").unwrap();
        ids.query_map([gone], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let (gone, kept_keys) = (keys_where(true)[0], keys_where(false));
    let db = Connection::open(&path).unwrap();
    let last = "FROM hos_record r JOIN hos_stream s ON r.thread = s.handle AND r.n = s.n WHERE s.tenant = 't1' AND s.name = 'n'";
    let mut parts: Vec<u8> = db.query_row(&format!("SELECT r.parts {last}"), [], |row| row.get(0)).unwrap();
    let place = |key: &[u8; 16]| parts.windows(16).position(|bytes| bytes == key);
    let place = kept_keys.iter().find_map(place).unwrap();
    parts[place..place + 16].copy_from_slice(&gone);
    let sql = format!("UPDATE hos_record SET parts = ?1 WHERE (thread, n) = (SELECT r.thread, r.n {last})");
    assert_eq!(db.execute(&sql, [&parts]).unwrap(), 1);
    drop(db);
    let engine = Engine::builder().sqlite(&path).clock(clock).open().unwrap();
    for report in [whole(&engine), since(&engine, &kept)] {
        assert!(report.findings.iter().any(|(_, what)| what.contains("what it says was lost")), "{:?}", report.findings);
    }
    drop(dir);
}

#[test]
fn a_log_that_is_read_in_part_is_not_judged_again() {
    let (store, kept) = grown(Settings::default());
    let options = VerifyOptions { since: vec![kept], ..VerifyOptions::default() };
    assert_eq!(store.engine.verify_replayed(&options, None).unwrap_err().code, Code::CallMalformed);
}

#[test]
fn a_checkpoint_that_does_not_hold_shortens_nothing() {
    let (store, kept) = grown(Settings::default());
    let records = whole(&store.engine).records;
    let mut lines: Vec<String> = kept.lines().map(str::to_owned).collect();
    lines[2] = lines[2].chars().rev().collect();
    let (other, kept_other) = grown(Settings::default());
    let another = other.tenant("t1").checkpoint().unwrap().unwrap();
    for note in [lines.join("\n") + "\n", another, kept_other, "no note".to_owned()] {
        let report = since(&store.engine, &note);
        assert_eq!((report.level, report.since, report.records), (Level::Broken, Vec::new(), records), "{note}");
    }
}

#[test]
fn what_was_changed_is_found_where_it_was_read() {
    if support::database::is_on() {
        return;
    }
    let (store, kept) = grown(Settings::default());
    let from = size(&kept) / 256 * 256;
    let row = |id: &str| format!("(SELECT handle FROM hos_instance WHERE tenant = 't1' AND id = CAST('{id}' AS BLOB))");
    let edits = [
        (
            true,
            "the state of an order that went on",
            "UPDATE hos_instance SET state = 'a' WHERE id = CAST('2' AS BLOB)".to_owned(),
        ),
        (false, "the state of one that did not", "UPDATE hos_instance SET state = 'b' WHERE id = CAST('3' AS BLOB)".into()),
        (true, "the birth of one that went on", edit_record(&row("2"), 0)),
        (false, "the birth of one that did not", edit_record(&row("3"), 0)),
        (true, "its birth moved behind the checkpoint", {
            let last = "SELECT max(seq) + 1 FROM hos_entry WHERE tenant = 't1'";
            format!("UPDATE hos_entry SET seq = ({last}) WHERE tenant = 't1' AND n = 0 AND thread = {}", row("2"))
        }),
        (true, "its birth said to be disputed", {
            format!("UPDATE hos_entry SET disputed = 9 WHERE tenant = 't1' AND n = 0 AND thread = {}", row("2"))
        }),
        (true, "the time of its birth's entry", {
            format!("UPDATE hos_entry SET sealed_at = sealed_at - 1 WHERE tenant = 't1' AND n = 0 AND thread = {}", row("2"))
        }),
        (true, "a box of its birth under a key that never was", {
            let other = format!("CAST(substr(parts, 1, 3) || x'{}' || substr(parts, 20) AS BLOB)", "11".repeat(16));
            format!("UPDATE hos_record SET parts = {other} WHERE n = 0 AND thread = {}", row("2"))
        }),
        (true, "an order that went on is gone", "DELETE FROM hos_instance WHERE id = CAST('2' AS BLOB)".into()),
        (true, "a once-key that was taken since", "DELETE FROM hos_once WHERE key = CAST('later' AS BLOB)".into()),
        (true, "an earlier once-key of the same order", "DELETE FROM hos_once WHERE key = CAST('k2' AS BLOB)".into()),
        (false, "a once-key of another", "UPDATE hos_once SET n = n + 1 WHERE key = CAST('k3' AS BLOB)".into()),
        (true, "a message since", format!("UPDATE hos_outbox SET kind = 'x' WHERE thread = {}", row("2"))),
        (false, "a message of before", format!("UPDATE hos_outbox SET kind = 'x' WHERE thread = {}", row("4"))),
        (true, "a deadline armed since", "DELETE FROM hos_deadline WHERE id = CAST('5' AS BLOB)".into()),
        (false, "a deadline of before", "DELETE FROM hos_deadline WHERE id = CAST('3' AS BLOB)".into()),
        (true, "a membership that ended", "UPDATE hos_directory SET n = n + 1 WHERE id = CAST('ann' AS BLOB)".into()),
        (true, "a grant that was revoked", "UPDATE hos_grant SET removed = 0 WHERE id = CAST('g' AS BLOB)".into()),
        (false, "a grant of before", "UPDATE hos_grant SET removed = 1 WHERE id = CAST('h' AS BLOB)".into()),
        (true, "a stream", "UPDATE hos_stream SET n = n - 1 WHERE tenant = 't1' AND name = 'n'".into()),
        (true, "the stream's last record before", {
            let last = format!("SELECT max(n) FROM hos_entry WHERE thread = s.handle AND seq < {from}");
            let of = format!("SELECT s.handle, ({last}) FROM hos_stream s WHERE s.tenant = 't1' AND s.name = 'n'");
            format!("UPDATE hos_record SET header = CAST(header || x'00' AS BLOB) WHERE (thread, n) IN ({of})")
        }),
        (true, "the hash that the first entry read cites", {
            format!("UPDATE hos_entry SET hash = zeroblob(32) WHERE tenant = 't1' AND seq = {}", from - 1)
        }),
        (true, "a tile", "UPDATE hos_tile SET hashes = zeroblob(8192) WHERE tenant = 't1' AND idx = 0".into()),
        (true, "an entry", format!("DELETE FROM hos_entry WHERE tenant = 't1' AND seq = {}", from + 300)),
        (true, "a leaf below the checkpoint", format!("UPDATE hos_entry SET leaf = zeroblob(32) WHERE seq = {from}")),
        (true, "the end", "DELETE FROM hos_entry WHERE tenant = 't1' AND seq >= 700".into()),
        (true, "the log below the checkpoint's size", "DELETE FROM hos_entry WHERE tenant = 't1' AND seq >= 600".into()),
        (
            true,
            "a record of no entry",
            "INSERT INTO hos_record SELECT tenant, zeroblob(16), 0, header, parts FROM hos_record LIMIT 1".into(),
        ),
    ];
    let (builder, path) = (store.builder(), store.path.clone());
    let Store { engine, dir, clock, .. } = store;
    drop(builder);
    engine.close().unwrap();
    for (seen, what, sql) in edits {
        let place = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()) {
            std::fs::copy(&file, place.path().join(file.file_name().unwrap())).unwrap();
        }
        let copy = place.path().join(path.file_name().unwrap());
        let db = Connection::open(&copy).unwrap();
        assert!(db.execute(&sql, []).unwrap_or_else(|e| panic!("{what}: {e}")) > 0, "{what}: the edit did nothing");
        drop(db);
        let engine = Engine::builder().sqlite(&copy).clock(clock.clone()).open().unwrap();
        assert_eq!(whole(&engine).level, Level::Broken, "{what}: not found in the whole");
        let report = since(&engine, &kept);
        assert_eq!(report.level == Level::Broken, seen, "{what}: {:?}", report.findings);
        engine.close().unwrap();
    }
}

fn edit_record(thread: &str, n: u64) -> String {
    format!("UPDATE hos_record SET parts = x'80' WHERE thread = {thread} AND n = {n}")
}
