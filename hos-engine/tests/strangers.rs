//! What a stranger gets: nothing of another tenant, and no person's data out of a file.

mod support;

use hos_core::call::{Begin, Change, Note, Transition};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::value::{Record, Value};
use hos_engine::{Level, Settings, VerifyOptions};
use support::{change, fresh, root, uid};

#[test]
fn a_role_in_one_tenant_is_none_in_another() {
    let store = fresh(Settings::default());
    let names = ["t1", "t2", "t3", "t4"];
    for name in &names[1..] {
        assert!(store.engine.open_tenant(&root(), &Tenant::new(name).unwrap()).unwrap().allowed);
    }
    // Each tenant has an operator of its own, by a role of its own name for the law's `op`.
    for name in names {
        let person = uid("A", &format!("op-{name}"));
        change(&store.tenant("universe"), Change::Put { uid: person.clone(), attrs: Record::new() });
        change(&store.tenant(name), Change::Join { uid: person, parent: uid("R", "op") });
        let born = Begin::new(uid("A", &format!("op-{name}")), "o", "same-id", "new").unwrap().fact("who", uid("A", "ann"));
        assert!(store.tenant(name).begin(born).unwrap().allowed);
    }
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("same-id").unwrap());
    for host in names {
        let tenant = store.tenant(host);
        let before = tenant.instance(&contract, &id).unwrap();
        let size = |report: &hos_engine::VerifyReport| report.logs.iter().find(|(t, ..)| t == host).map(|(_, size, _)| *size);
        for guest in names.iter().filter(|guest| **guest != host) {
            let who = uid("A", &format!("op-{guest}"));
            let go = tenant.transition(Transition::new(who.clone(), "o", "same-id", "go").unwrap()).unwrap();
            assert_eq!(go.code(), Some("hos.not_permitted"), "{guest} in {host}");
            let note = tenant.record(Note::new(who.clone(), "n", b"x".to_vec()).unwrap()).unwrap();
            assert_eq!(note.code(), Some("hos.not_permitted"), "{guest} in {host}");
            let join = hos_core::call::Directory::new(who.clone(), Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
            assert!(!tenant.directory(join).unwrap().allowed, "{guest} in {host}");
        }
        assert_eq!(tenant.instance(&contract, &id).unwrap(), before);
        assert!(size(&store.engine.verify(&VerifyOptions::default()).unwrap()).is_some());
    }
    assert_eq!(store.engine.verify(&VerifyOptions::default()).unwrap().level, Level::Intact);
}

/// Whether any file of the store's directory holds these bytes.
fn anywhere(dir: &std::path::Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        if bytes.windows(needle.len()).any(|w| w == needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_person_is_never_in_the_clear_in_a_store() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    let canary = "canary-of-a-person-4711";
    let mut begin = Begin::new(uid("A", "root"), "o", "1", "new").unwrap().fact("who", uid("A", "ann"));
    begin.by.context.insert("x".into(), Value::String(canary.into()));
    // Context that the law does not know is refused; the refusal is evidence all the same, and just as private.
    assert_eq!(tenant.begin(begin).unwrap().code(), Some("hos.attribute_unknown"));
    let mut note = Note::new(uid("A", "root"), "n", canary.as_bytes().to_vec()).unwrap();
    note.subject = Some(uid("A", "ann"));
    assert!(tenant.record(note).unwrap().allowed);
    assert_eq!(tenant.last_note("n").unwrap().as_deref(), Some(canary.as_bytes()));
    let mut open = Note::new(uid("A", "root"), "n", b"nobody-s-payload-0815".to_vec()).unwrap();
    open.subject = None;
    assert!(tenant.record(open).unwrap().allowed);
    let (path, dir) = (store.path.clone(), store.dir);
    store.engine.close().unwrap();
    drop(tenant);
    assert!(path.exists());
    assert_eq!(anywhere(dir.path(), canary.as_bytes()), Vec::<String>::new());
    assert_eq!(anywhere(dir.path(), b"nobody-s-payload-0815").len(), 1, "the search finds what is in the clear");
}
