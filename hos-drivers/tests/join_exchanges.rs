//! How often a host's connection waits for its database because of a call: once to claim and read, once to write.

mod world;

use hos_drivers::join::{Dialect, End};
use world::{Kind, World, birth, go, kinds, once};

/// How many exchanges one birth and one move take, once the process knows the law; both are there afterwards.
fn taken(kind: &Kind) -> (u64, u64) {
    let world = World::new(kind);
    let (joining, mut client) = (world.joining(), world.client());
    let before = world.intact();
    let mut counts = Vec::new();
    for id in ["first", "second"] {
        for call in [birth(id), once(go(id), id)] {
            let since = joining.exchanges();
            assert!(client.run(&joining, |tx| Ok(tx.call(call.clone())?.end())).unwrap().allowed, "{kind:?}");
            counts.push(joining.exchanges() - since);
        }
    }
    // The same key again: the first receipt, and nothing more.
    let again = client.run(&joining, |tx| Ok(tx.call(once(go("second"), "second"))?.end())).unwrap();
    assert!(again.allowed && again.again, "{kind:?}");
    assert_eq!(world.intact(), before + 4, "{kind:?}");
    (counts[2], counts[3])
}

#[test]
fn a_call_takes_two_exchanges_where_the_database_takes_several_statements_at_once() {
    for kind in kinds() {
        let taken = taken(&kind);
        match kind.dialect() {
            Dialect::Postgres | Dialect::Mysql => assert_eq!(taken, (2, 2), "{kind:?}"),
            // One process, one statement at a time: nobody is waited for.
            Dialect::Sqlite => assert!(taken.0 > 2 && taken.1 > 2, "{taken:?}"),
        }
    }
}

#[test]
fn a_connection_that_writes_bytes_in_other_words_is_asked_statement_by_statement() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Postgres) {
        let taken = taken(&Kind { session: "SET bytea_output = 'escape'".to_owned(), ..kind });
        assert!(taken.0 > 3 && taken.1 > 3, "{taken:?}");
    }
}

#[test]
fn a_host_that_commits_after_an_error_of_a_text_has_stored_nothing_of_it() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Mysql) {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        assert!(client.run(&joining, |tx| Ok(tx.call(birth("1"))?.end())).unwrap().allowed);
        let before = world.intact();
        // The queue is the last that is written: it fails there.
        client.say("CREATE TRIGGER full BEFORE INSERT ON hos_queue FOR EACH ROW SIGNAL SQLSTATE '45000'").unwrap();
        let failed = client.run(&joining, |tx| {
            assert!(tx.call(go("1")).is_err());
            Ok(End::Commit(()))
        });
        failed.unwrap();
        client.say("DROP TRIGGER full").unwrap();
        assert_eq!(world.intact(), before, "nothing of the move is there");
        assert!(client.run(&joining, |tx| Ok(tx.call(go("1"))?.end())).unwrap().allowed);
        assert_eq!(world.intact(), before + 1);
    }
}
