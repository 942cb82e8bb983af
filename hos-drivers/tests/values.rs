//! Ids and values are bytes in every database: none is folded, trimmed, cut or taken for another.

mod support;

use hos_core::call::Begin;
use hos_core::id::{InstanceId, Name};
use hos_core::value::Value;
use support::{Store, begin, go, history, intact, name_of, root, servers, uid};

/// Ids that a database with other rules would take for one another.
const ALIKE: [&[&str]; 6] = [
    &["straße", "strasse", "STRASSE", "Straße"],
    &["o-1", "O-1", "o-1 ", " o-1", "o-1  ", "o‑1"],
    &["İstanbul", "istanbul", "ıstanbul", "ISTANBUL"],
    &["e\u{301}", "é", "e"],
    &["🍎", "🍏", "🍎\u{200d}", "a"],
    &["%", "_", "\\", "'", "\"", "`", "?1", "$1", ":x", "--", ";", "%s", "\\'", "0", "00", "1", "NULL"],
];

#[test]
fn ids_that_look_alike_are_others() {
    for server in servers() {
        let store = Store::founded(&server);
        let (engine, tenant) = store.open();
        let ids: Vec<&str> = ALIKE.iter().flat_map(|ids| ids.iter().copied()).collect();
        for id in &ids {
            let born = tenant.begin(begin(id)).unwrap();
            assert!(born.allowed, "{id}: {:?}", born.blockers);
        }
        // Every other one moves, and nothing else does.
        for id in ids.iter().step_by(2) {
            assert!(tenant.transition(go(id)).unwrap().allowed, "{id}");
        }
        for (place, id) in ids.iter().enumerate() {
            assert_eq!(history(&tenant, id).unwrap(), if place % 2 == 0 { 2 } else { 1 }, "{id}");
        }
        assert_eq!(store.ask("SELECT count(*) FROM hos_instance"), [ids.len() as i64]);
        // Nor are once-keys taken for one another.
        for (n, key) in ["k", "K", "k ", "ķ", "🔑"].iter().enumerate() {
            let answer = tenant.begin(begin(&format!("once-{n}")).once(key).unwrap()).unwrap();
            assert!(answer.allowed && !answer.again, "{key}: {answer:?}");
        }
        intact(&engine);
    }
}

#[test]
fn accounts_that_look_alike_are_others() {
    for server in servers() {
        let store = Store::founded(&server);
        let (engine, _) = store.open();
        let universe = engine.tenant("universe").unwrap();
        let ids = ["ayşe", "AYŞE", "ayse", "ayşe ", "🙂", "a\u{7f}b"];
        for id in ids {
            let put = universe.directory(name_of(id, id)).unwrap();
            assert!(put.allowed, "{id:?}: {:?}", put.blockers);
        }
        let (entities, _) = universe.directory_entities().unwrap();
        for id in ids {
            let entity =
                entities.iter().find(|entity| entity.uid == uid("A", id)).unwrap_or_else(|| panic!("{id:?} is not there"));
            assert_eq!(entity.attrs["name"], Value::from(id));
        }
        intact(&engine);
    }
}

#[test]
fn values_come_back_as_they_went() {
    for server in servers() {
        let store = Store::founded(&server);
        let (engine, tenant) = store.open();
        let long = "ğ🙂".repeat(20_000);
        let texts = ["", " ", "a\0b\0", "\0", "🙂\u{10ffff}", "\r\n\t\u{1b}", "\\x00'\"`", "\u{feff}", &long];
        for (n, text) in texts.iter().enumerate() {
            let id = format!("o-{n}");
            let begin = Begin::new(root(), "o", &id, "new").unwrap().fact("who", root()).fact("text", *text);
            assert!(tenant.begin(begin).unwrap().allowed, "{text:?}");
        }
        // Read by another engine, so that nothing is remembered.
        let (again, other) = store.open();
        for (n, text) in texts.iter().enumerate() {
            let id = InstanceId::new(format!("o-{n}")).unwrap();
            let instance = other.instance(&Name::new("o").unwrap(), &id).unwrap().unwrap();
            assert!(instance.facts["text"] == Value::from(*text), "{n}");
        }
        drop(again);
        intact(&engine);
    }
}
