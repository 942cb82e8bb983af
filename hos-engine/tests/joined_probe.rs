//! What a database says of itself when a step asks it: the time, in whatever zone the host's session is, and whether it is a
//! replica. On the database that `HOS_TEST_STORE_ON` names; without one these tests say so and do nothing.

mod support;

use hos_core::call::Call;
use hos_engine::store::sql::dialect::Dialect;
use std::time::{SystemTime, UNIX_EPOCH};
use support::host::{Host, begin, host, joined, world};
use support::{Store, new_order};

fn millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// How far the database's word is from the clock of this machine, which is its own.
#[track_caller]
fn is_now(host: &mut Host, question: &str, session: &str) {
    let off = host.number(question) - millis();
    assert!(off.abs() < 2_000, "{session}: {off} ms off");
}

/// The question, as a step asks it.
fn asked(store: &Store) -> (Host, String) {
    let mut host = host(store, &joined(store));
    host.say(begin(host.joined.dialect()));
    assert!(host.call(Call::Begin(new_order("1"))).unwrap().allowed);
    host.say("ROLLBACK");
    let question = host.said.iter().find(|sql| sql.contains(" AS replica")).unwrap().clone();
    (host, question)
}

#[test]
fn the_time_is_the_same_in_each_zone() {
    let Some(store) = world() else { return };
    let (mut host, question) = asked(&store);
    is_now(&mut host, &question, "as it is");
    let sessions: &[&str] = match host.joined.dialect() {
        // The last: a session's own idea of the time is none of ours.
        Dialect::Mysql => {
            &["SET time_zone = '+00:00'", "SET time_zone = '+05:30'", "SET time_zone = '-09:00'", "SET timestamp = 1761440400"]
        }
        Dialect::Postgres => &["SET TIME ZONE 'UTC'", "SET TIME ZONE 5.5", "SET TIME ZONE -9"],
        Dialect::Sqlite => &[],
    };
    for session in sessions {
        host.say(session);
        is_now(&mut host, &question, session);
    }
}

/// Zones in which the hour that it is now comes twice: it has just begun for the second time, or will soon.
#[test]
fn an_hour_that_comes_twice_is_told_apart() {
    let Some(store) = world() else { return };
    let (mut host, question) = asked(&store);
    if host.joined.dialect() != Dialect::Mysql {
        return;
    }
    for (name, off) in [("behind", -600), ("ahead", 600)] {
        if host.write("INSERT INTO mysql.time_zone (Use_leap_seconds) VALUES ('N')").is_err() {
            eprintln!("left out: no zone can be made on this server");
            return;
        }
        let id = host.number("SELECT LAST_INSERT_ID()");
        let change = millis() / 1_000 + off;
        // A server remembers a zone by its name, so none has that of another run.
        let zone = format!("hos_{name}_{change}_{}", std::process::id());
        host.say(&format!("INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('{zone}', {id})"));
        host.say(&format!(
            "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, Abbreviation)
             VALUES ({id}, 0, 7200, 1, 'S'), ({id}, 1, 3600, 0, 'W')"
        ));
        host.say(&format!(
            "INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id)
             VALUES ({id}, 0, 0), ({id}, {change}, 1)"
        ));
        host.say(&format!("SET time_zone = '{zone}'"));
        for table in ["time_zone", "time_zone_name", "time_zone_transition_type", "time_zone_transition"] {
            host.say(&format!("DELETE FROM mysql.{table} WHERE Time_zone_id = {id}"));
        }
        let hours = host.number("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())");
        assert_eq!(hours, if off < 0 { 3_600 } else { 7_200 }, "the zone is as it was made");
        is_now(&mut host, &question, name);
        host.say("SET time_zone = '+00:00'");
    }
}

/// The time is that behind the claims, however long they took.
#[test]
fn what_a_statement_waited_for_is_counted() {
    let Some(store) = world() else { return };
    let (mut host, question) = asked(&store);
    if host.joined.dialect() != Dialect::Mysql {
        return;
    }
    let since = millis();
    let told = host.number(&question.replacen("SELECT ", "SELECT SLEEP(1) * 0 + ", 1));
    assert!(told - since >= 990, "{} ms", told - since);
}

/// A table of the file is not asked in SQLite's place.
#[test]
fn what_a_file_holds_says_nothing_of_its_connection() {
    let Some(store) = world() else { return };
    let (mut host, question) = asked(&store);
    if host.joined.dialect() != Dialect::Sqlite {
        return;
    }
    let commits = host.number("PRAGMA synchronous");
    for (table, says) in [("synchronous", commits + 1), ("query_only", 1)] {
        host.say(&format!("CREATE TABLE pragma_{table} ({table}); INSERT INTO pragma_{table} VALUES ({says})"));
    }
    assert_eq!(host.number(&format!("SELECT CAST(commits AS INTEGER) FROM ({question}) q")), commits);
    assert_eq!(host.number(&format!("SELECT replica FROM ({question}) q")), 0);
}

/// A number in most versions, a word in the newest.
#[test]
fn a_server_that_takes_no_writes_is_known_by_its_number_or_its_word() {
    let Some(store) = world() else { return };
    let (mut host, question) = asked(&store);
    if host.joined.dialect() != Dialect::Mysql {
        return;
    }
    for (says, replica) in [("0", 0), ("1", 1), ("'OFF'", 0), ("'ON'", 1), ("'NO_LOCK'", 1), ("'NO_LOCK_NO_ADMIN'", 1)] {
        let question = question.replace("@@global.read_only", says);
        assert_eq!(host.number(&format!("SELECT replica FROM ({question}) q")), replica, "{says}");
    }
}
