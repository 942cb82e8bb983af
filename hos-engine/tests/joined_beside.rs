//! Transactions beside each other, hosts' and the engine's own: what one of them takes away decides nothing in another that waited for
//! it, and what was judged before it stands. On the database that `HOS_TEST_STORE_ON` names; without one these tests say so and do
//! nothing.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Begin, By, Call, Change, Directory, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::law::mode::Modes;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::Value;
use hos_engine::joined::Joined;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, ReplayOptions, Settings};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use support::host::{Host, host, intact};
use support::{Store, change, fresh_under, go, law, new_order, root, uid};

/// A law under which the staff may do everything, and nobody puts a role again that is not open.
fn rules(path: &str, text: String) -> String {
    match path {
        "schema.cedarschema" => text.replace("entity R;", "entity R={open?:Bool};"),
        "policies/p.cedar" => {
            text + "@id(\"staff\")permit(principal in N::R::\"staff\",action,resource);
@id(\"frozen\")forbid(principal,action==N::Action::\"directory.entity\",resource is N::R)when{resource has open&&!resource.open};\n"
        }
        _ => text,
    }
}

/// A store in a database, by the clock of now, as hosts go by it, with the order `1`.
fn world() -> Option<Store> {
    let store = fresh_under(Settings::default(), rules);
    store.database.as_ref()?;
    by_now(&store);
    let answer = store.tenant("t1").begin(new_order("1")).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    Some(store)
}

/// The engine's own clock goes with the database's.
fn by_now(store: &Store) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    store.clock.set(Timestamp(i64::try_from(now).unwrap()));
}

/// A store on a server, where transactions write beside each other.
fn server() -> Option<Store> {
    let store = world()?;
    if store.database.as_ref().unwrap().own.dialect() == Dialect::Sqlite {
        eprintln!("left out: who writes has the whole file to itself");
        return None;
    }
    Some(store)
}

fn joined(store: &Store) -> Arc<Joined> {
    let dialect = store.database.as_ref().unwrap().own.dialect();
    Arc::new(Joined::open(Engine::builder(), dialect, dialect.places()))
}

fn by_ann() -> Transition {
    Transition::new(uid("A", "ann"), "o", "1", "go").unwrap()
}

fn ann_is_in(role: &str) -> Change {
    Change::Join { uid: uid("A", "ann"), parent: uid("R", role) }
}

fn hall() -> Uid {
    uid("R", "hall")
}

fn put(open: bool) -> Directory {
    Directory::new(uid("A", "root"), Change::Put { uid: hall(), attrs: [("open".to_owned(), Value::Bool(open))].into() })
}

/// Waits until somebody waits for a lock in this database.
fn until_one_waits(host: &mut Host) {
    let waiting = match host.joined.dialect() {
        Dialect::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        _ => {
            "SELECT count(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
             WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()"
        }
    };
    for _ in 0..100 {
        if host.number(waiting) > 0 {
            return;
        }
        // MariaDB looks anew no more often than ten times a second, and not while it is asked.
        std::thread::sleep(Duration::from_millis(150));
    }
    panic!("nobody waits");
}

#[test]
fn a_right_that_is_taken_away_while_a_call_waits_decides_nothing() {
    let Some(store) = server() else { return };
    let t1 = store.tenant("t1");
    change(&t1, ann_is_in("staff"));
    let joined = joined(&store);
    let (mut holder, mut watcher) = (host(&store, &joined), host(&store, &joined));
    holder.say("BEGIN");
    holder.claim(Call::Transition(go("1"))).unwrap();
    let answer = std::thread::scope(|scope| {
        let waits = scope.spawn(|| store.tenant("t1").transition(by_ann()).unwrap());
        until_one_waits(&mut watcher);
        change(&t1, Change::Leave { uid: uid("A", "ann"), parent: uid("R", "staff") });
        holder.say("ROLLBACK");
        waits.join().unwrap()
    });
    assert_eq!(answer.code(), Some("hos.not_permitted"), "{answer:?}");
    intact(&store);
}

#[test]
fn who_waits_for_a_row_that_is_changed_is_judged_by_what_it_was_changed_to() {
    let Some(store) = server() else { return };
    let t1 = store.tenant("t1");
    let joined = joined(&store);
    let (mut first, mut watcher) = (host(&store, &joined), host(&store, &joined));
    let refused = |answer: Answer| assert_eq!(answer.code(), Some("hos.forbidden"), "{answer:?}");
    // A transaction of our own.
    assert!(t1.directory(put(true)).unwrap().allowed);
    first.say("BEGIN");
    assert!(first.call(Call::Directory(put(false))).unwrap().allowed);
    refused(std::thread::scope(|scope| {
        let waits = scope.spawn(|| t1.directory(put(false)).unwrap());
        until_one_waits(&mut watcher);
        first.say("COMMIT");
        waits.join().unwrap()
    }));
    // A host's, which may see no more than there was when it began. Nobody puts what is not open: it is taken away first.
    by_now(&store);
    change(&t1, Change::Remove { uid: hall() });
    assert!(t1.directory(put(true)).unwrap().allowed);
    let mut second = host(&store, &joined);
    first.say("BEGIN");
    assert!(first.call(Call::Directory(put(false))).unwrap().allowed);
    let answered = std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            second.say("BEGIN");
            assert!(second.number("SELECT count(*) FROM hos_tenant") > 0);
            second.call(Call::Directory(put(false)))
        });
        until_one_waits(&mut watcher);
        first.say("COMMIT");
        waits.join().unwrap()
    });
    match answered {
        Ok(answer) => refused(answer),
        Err(failure) => {
            assert_eq!(failure.code, Code::Retry, "{failure:?}");
            second.say("ROLLBACK");
            second.say("BEGIN");
            refused(second.call(Call::Directory(put(false))).unwrap());
        }
    }
    second.say("ROLLBACK");
    by_now(&store);
    assert_eq!(t1.directory(put(false)).unwrap().code(), Some("hos.forbidden"), "it is not open");
    intact(&store);
}

#[test]
fn what_a_host_was_judged_over_may_change_before_it_commits() {
    let Some(store) = server() else { return };
    let t1 = store.tenant("t1");
    change(&t1, ann_is_in("staff"));
    let joined = joined(&store);
    let mut sleeper = host(&store, &joined);
    sleeper.say("BEGIN");
    let answer = sleeper.call(Call::Transition(by_ann())).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    // The role goes, and has its place in the log first.
    change(&t1, Change::Remove { uid: uid("R", "staff") });
    store.engine.work().unwrap();
    sleeper.say("COMMIT");
    intact(&store);
    let begin = Begin { by: By::new(uid("A", "ann")), ..new_order("2") };
    assert_eq!(t1.begin(begin).unwrap().code(), Some("hos.not_permitted"), "she is in no role any more");
}

#[test]
fn laws_that_are_activated_at_once_come_one_after_the_other() {
    let Some(store) = world() else { return };
    let rounds = 8;
    let laws = [0, 1].map(|n| Arc::new(law::law_but(|path, text| if n == 0 { rules(path, text) } else { text })));
    for _ in 0..rounds {
        let barrier = Barrier::new(laws.len());
        std::thread::scope(|scope| {
            for law in &laws {
                let (engine, barrier) = (&store.engine, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let answer = engine.activate(&root(), law.clone(), None, Modes::default()).unwrap();
                    assert!(answer.allowed, "{:?}", answer.blockers);
                });
            }
        });
    }
    let activations = host(&store, &joined(&store)).number("SELECT count(*) FROM hos_activation");
    assert_eq!(activations, 1 + 2 * rounds);
    intact(&store);
}

#[test]
fn of_several_who_open_a_tenant_at_once_one_opens_it() {
    let Some(store) = world() else { return };
    let several = 6;
    for n in 0..5 {
        let (barrier, name) = (Barrier::new(several), Tenant::new(format!("x{n}")).unwrap());
        let opened = std::thread::scope(|scope| {
            let open = |_| {
                let (engine, barrier, name) = (&store.engine, &barrier, &name);
                scope.spawn(move || {
                    barrier.wait();
                    let answer = engine.open_tenant(&root(), name).unwrap();
                    assert!(answer.allowed || answer.code() == Some("hos.directory_conflict"), "{:?}", answer.blockers);
                    answer.allowed
                })
            };
            let threads: Vec<_> = (0..several).map(open).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|opened| *opened).count()
        });
        assert_eq!(opened, 1, "{name}");
    }
    intact(&store);
}

/// What a backup of the database holds, but for what never changes here.
const TABLES: [&str; 18] = [
    "hos_tenant",
    "hos_stream",
    "hos_record",
    "hos_entry",
    "hos_head",
    "hos_tile",
    "hos_checkpoint",
    "hos_queue",
    "hos_once",
    "hos_instance",
    "hos_deadline",
    "hos_outbox",
    "hos_directory",
    "hos_grant",
    "hos_refusal",
    "hos_inbox",
    "hos_change",
    "hos_vault",
];

#[test]
fn a_directory_of_another_history_is_not_taken_for_the_one_of_now() {
    let Some(store) = world() else { return };
    let t1 = store.tenant("t1");
    change(&t1, ann_is_in("staff"));
    store.engine.work().unwrap();
    let joined = joined(&store);
    let (mut alive, mut owner) = (host(&store, &joined), host(&store, &joined));
    for table in TABLES {
        owner.say(&format!("CREATE TABLE saved_{table} AS SELECT * FROM {table}"));
    }
    change(&t1, Change::Put { uid: hall(), attrs: Default::default() });
    alive.say("BEGIN");
    let answer = alive.call(Call::Transition(by_ann())).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    alive.say("ROLLBACK");
    let version = answer.directory_version;
    // The database is put back, and comes to the same version by another change.
    let builder = store.builder();
    drop(store.engine.close());
    owner.say("BEGIN");
    for table in TABLES {
        owner.say(&format!("DELETE FROM {table}"));
        owner.say(&format!("INSERT INTO {table} SELECT * FROM saved_{table}"));
    }
    owner.say("COMMIT");
    let engine = builder.unmarked().open().unwrap();
    change(&engine.tenant("t1").unwrap(), Change::Remove { uid: uid("R", "staff") });
    alive.say("BEGIN");
    let answer = alive.call(Call::Transition(by_ann())).unwrap();
    alive.say("ROLLBACK");
    assert_eq!((answer.code(), answer.directory_version), (Some("hos.not_permitted"), version), "{answer:?}");
    engine.work().unwrap();
    assert_eq!(engine.replay(&ReplayOptions::default()).unwrap().listed, []);
}
