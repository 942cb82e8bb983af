//! The map of heads: written when a story is exported, made anew by whoever verifies, and found out where it is another.

mod support;

use hos_core::audit;
use hos_core::call::{Call, Note};
use hos_core::canon::Writer;
use hos_core::id::{InstanceId, Name};
use hos_core::proof::record::{Header, Part, Slot};
use hos_core::proof::stored::{StoredBox, encode_stored};
use hos_core::proof::trust::Trust;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{ExportOptions, Level, Seal, Settings, VerifyOptions};
use rusqlite::{Connection, params};
use support::host::{intact, world};
use support::{fresh, go, new_order, uid};

fn order(id: &str) -> (Name, InstanceId) {
    (Name::new("o").unwrap(), InstanceId::new(id).unwrap())
}

#[test]
fn a_map_is_written_once_where_nothing_moved_and_anew_where_something_did() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let (contract, id) = order("1");
    let size = || store.engine.verify(&VerifyOptions::default()).map(|r| (r.level, r.findings, r.records)).unwrap();
    let before = size();
    let first = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    let after = size();
    assert_eq!((after.0, after.2), (Level::Intact, before.2 + 1));
    let again = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    assert_eq!((size().2, again.bytes == first.bytes), (after.2, true));
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let later = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    assert_eq!((later.records, size().0), (2, Level::Intact));
    assert_eq!(size().2, after.2 + 2);
}

#[test]
fn where_hosts_write_too_a_map_is_of_what_has_its_place() {
    let Some(store) = world() else { return };
    let joined = support::host::joined(&store);
    let (mut early, mut host) = (support::host::host(&store, &joined), support::host::host(&store, &joined));
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    // Whose record is the first in the queue may commit last. An SQLite file has one who writes.
    let beside = joined.dialect() != Dialect::Sqlite;
    if beside {
        early.say("BEGIN");
        assert!(early.call(Call::Begin(new_order("2"))).unwrap().allowed);
    }
    // It waits in the inbox, and its stream has no record yet.
    let note = Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap();
    host.say("BEGIN");
    assert_eq!(host.call(Call::Note(note)).unwrap().receipt.unwrap().n, None);
    host.say("COMMIT");
    let (contract, id) = order("1");
    let export = || tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    let holds = |bytes: &[u8], trust: &str| audit::bundle(bytes, &Trust::parse(trust.as_bytes()).unwrap(), &[]).holds();
    let first = export();
    assert!(holds(&first.bytes, &first.trust));
    if beside {
        early.say("COMMIT");
    }
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let sealed = intact(&store);
    let later = export();
    assert_eq!((later.records, holds(&later.bytes, &later.trust)), (2, true));
    assert_eq!(intact(&store), sealed + 1);
    let again = export();
    assert!(again.bytes == later.bytes, "nothing has its place since");
    assert_eq!(intact(&store), sealed + 1);
}

/// Plants a record of the map behind the last one, as a sealer would find it in its queue.
fn planted(size_off: u64, count_off: u64, root: impl Fn([u8; 32]) -> [u8; 32]) -> Vec<(String, String)> {
    let store = fresh(Settings { seal: Seal::Worker, ..Settings::default() });
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let (contract, id) = order("1");
    tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    let whole = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((whole.level, whole.findings), (Level::Intact, Vec::new()));
    drop(tenant);
    let (builder, path) = (store.builder(), store.path.clone());
    let support::Store { engine, dir, .. } = store;
    engine.close().unwrap();
    let db = Connection::open(&path).unwrap();
    let read = "SELECT s.handle, s.n, r.header, h.size FROM hos_stream s JOIN hos_head h ON h.tenant = s.tenant
                JOIN hos_record r ON r.tenant = s.tenant AND r.thread = s.handle AND r.n = s.n
                WHERE s.tenant = 't1' AND s.name = 'hos.heads'";
    let (handle, n, header, size): (Vec<u8>, i64, Vec<u8>, i64) =
        db.query_row(read, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    let mut header = Header::decode(&header).unwrap();
    let mut w = Writer::default();
    // The threads are the order, the role, the map's own stream; only a right root would be believed.
    w.array(3).uint(size.unsigned_abs() + size_off).uint(3 + count_off).bytes(&root([0; 32]));
    let part = Part::new(Slot::Change, 0, None, [9; 32], w.finish());
    header.parts = vec![part.to_ref()];
    let bytes = header.encode().unwrap();
    let boxes = [StoredBox::seal(&[(&part, part.commitment())], None, [0; 24]).unwrap()];
    let write = "INSERT INTO hos_record (tenant, thread, n, header, parts) VALUES ('t1', ?1, ?2, ?3, ?4)";
    db.execute(write, params![handle, n + 1, bytes, encode_stored(&boxes).unwrap()]).unwrap();
    let write = "UPDATE hos_stream SET n = ?1, last = ?2 WHERE tenant = 't1' AND name = 'hos.heads'";
    db.execute(write, params![n + 1, hos_core::digest::record_hash(&bytes).0.to_vec()]).unwrap();
    let write = "INSERT INTO hos_queue (tenant, pos, thread, n) VALUES ('t1', 1, ?1, ?2)";
    db.execute(write, params![handle, n + 1]).unwrap();
    drop(db);
    let engine = builder.open().unwrap();
    engine.work().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    drop(dir);
    report.findings
}

#[test]
fn another_map_than_the_log_s_is_found() {
    if support::database::is_on() {
        return;
    }
    let found = |findings: Vec<(String, String)>, what: &str| {
        assert!(findings.iter().any(|(_, why)| why.contains(what)), "{findings:?}");
    };
    found(planted(0, 0, |root| root), "the map of heads is another");
    found(planted(0, 9, |root| root), "the map of heads is another");
    found(planted(1, 0, |root| root), "the map of heads is of");
}
