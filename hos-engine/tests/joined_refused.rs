//! Sessions and stores in which nothing is judged: one that reads what nobody has committed, and one of another schema. On the
//! database that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::call::Call;
use hos_core::refusal::Code;
use hos_engine::store::sql::dialect::Dialect;
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
