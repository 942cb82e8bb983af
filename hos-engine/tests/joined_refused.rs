//! Sessions and stores in which nothing is judged: one that reads what nobody has committed, or takes what is written for something else,
//! and one of another schema; and rows that are others than were claimed. On the database that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::call::Call;
use hos_core::id::{CallDigest, InstanceId, KeyId, Name, OnceKey, Tenant};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::{claim, state};
use support::host::{begin, host, intact, joined, world};
use support::new_order;

#[test]
fn a_session_that_reads_what_nobody_has_committed_is_refused() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let dialect = host.joined.dialect();
    let set = match dialect {
        Dialect::Mysql => "SET SESSION TRANSACTION ISOLATION LEVEL",
        Dialect::Postgres => "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL",
        Dialect::Sqlite => return,
    };
    for (id, level) in ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ"].into_iter().enumerate() {
        host.say(&format!("{set} {level}"));
        host.say(begin(dialect));
        match host.call(Call::Begin(new_order(&id.to_string()))) {
            // PostgreSQL reads nothing uncommitted under any name.
            Ok(answer) => assert!(answer.allowed && (level != "READ UNCOMMITTED" || dialect == Dialect::Postgres), "{level}"),
            Err(failure) => {
                assert_eq!((level, failure.code), ("READ UNCOMMITTED", Code::StoreUnavailable), "{failure:?}");
                assert!(failure.message.contains("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"), "{failure:?}");
            }
        }
        host.say("COMMIT");
    }
    intact(&store);
}

#[test]
fn a_store_of_another_schema_is_not_written_into() {
    let Some(store) = world() else { return };
    let mut own = host(&store, &joined(&store));
    let dialect = own.joined.dialect();
    let sql = if dialect == Dialect::Mysql { "`sql`" } else { "sql" };
    let newer = format!("INSERT INTO hos_migration (n, name, {sql}) SELECT max(n) + 1, 'tomorrow', 'x' FROM hos_migration");
    // A process that knows the store asks no more: a step of the schema is taken while none runs.
    for (id, before, behind, says) in [
        ("1", newer.as_str(), "DELETE FROM hos_migration WHERE name = 'tomorrow'", "it is newer"),
        ("2", "UPDATE hos_migration SET n = -n", "UPDATE hos_migration SET n = -n", "hos schema"),
    ] {
        own.say(before);
        let mut host = host(&store, &joined(&store));
        host.say(begin(dialect));
        let failure = host.call(Call::Begin(new_order(id))).unwrap_err();
        assert_eq!(failure.code, Code::StoreVersion, "{failure:?}");
        assert!(failure.message.contains(says), "{failure:?}");
        host.say("COMMIT");
        own.say(behind);
        // The same process goes on where the store is its own again.
        host.say(begin(dialect));
        assert!(host.call(Call::Begin(new_order(id))).unwrap().allowed);
        host.say("COMMIT");
    }
    intact(&store);
}

/// MariaDB has modes in which what is written would be something else; MySQL has none of them.
#[test]
fn a_session_in_which_words_mean_something_else_is_refused_by_its_name() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    if host.joined.dialect() != Dialect::Mysql {
        return;
    }
    for mode in ["ORACLE", "EMPTY_STRING_IS_NULL", "STRICT_ALL_TABLES,EMPTY_STRING_IS_NULL"] {
        if host.write(&format!("SET SESSION sql_mode = '{mode}'")).is_err() {
            eprintln!("left out: this server has no such mode");
            return;
        }
        host.say("START TRANSACTION");
        let failure = host.call(Call::Begin(new_order("1").once("k").unwrap())).unwrap_err();
        assert_eq!(failure.code, Code::CallMalformed, "{mode}: {failure:?}");
        assert!(failure.message.contains(mode.rsplit(',').next().unwrap()), "{mode}: {failure:?}");
        host.say("COMMIT");
        let claimed = ["hos_instance", "hos_once"].map(|table| host.number(&format!("SELECT count(*) FROM {table}")));
        assert_eq!(claimed, [0, 0], "{mode}: what was claimed is left");
    }
    host.say("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
    host.say("START TRANSACTION");
    assert!(host.call(Call::Begin(new_order("1").once("k").unwrap())).unwrap().allowed);
    host.say("COMMIT");
    intact(&store);
}

/// No driver looks how many rows a statement hit: where it would hit none, the database itself fails it.
#[test]
fn what_is_put_over_another_row_than_was_claimed_fails() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let dialect = host.joined.dialect();
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1").once("k").unwrap()).unwrap().allowed);
    let (contract, id, t1) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap(), Tenant::new("t1").unwrap());
    let instance = tenant.instance(&contract, &id).unwrap().unwrap();
    let put = |before: Option<u64>| state::put_claimed(&t1, &instance, &KeyId([0; 16]), Vec::new(), before);
    let key = OnceKey::new("k").unwrap();
    let again = claim::take_once(&t1, &key, &CallDigest([0; 32]), &instance.handle, 0, Timestamp(0));
    for (what, statement, fits) in [
        ("the version that there is", put(Some(instance.version)), true),
        ("another", put(Some(instance.version + 1)), false),
        ("a claim", put(None), false),
        ("a once-key that is taken", again, false),
    ] {
        host.say(begin(dialect));
        assert_eq!(host.run(&statement, false).is_ok(), fits, "{what}");
        host.say("ROLLBACK");
    }
    intact(&store);
}
