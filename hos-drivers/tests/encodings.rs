//! In which encodings a database of PostgreSQL's can hold a store: where `HOS_TEST_POSTGRES` names a server.

mod support;

use hos_core::refusal::Code;
use support::{Store, intact, servers, tell};

/// An empty database in another encoding than the server's own, under a store's name.
fn empty_in(server: &str, encoding: &str) -> Store {
    let store = Store::empty(server);
    tell(server, &format!("DROP DATABASE {}", store.name)).unwrap();
    let made = format!("CREATE DATABASE {} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", store.name);
    tell(server, &made).unwrap();
    store
}

#[test]
fn a_database_that_could_keep_no_checkpoint_is_refused_before_anything_is_founded() {
    for server in servers().into_iter().filter(|server| server.starts_with("postgres")) {
        for encoding in ["LATIN1", "WIN1254"] {
            let store = empty_in(&server, encoding);
            let failure = store.found().map(drop).unwrap_err();
            assert_eq!(failure.code, Code::StoreUnavailable, "{failure:?}");
            assert!(failure.message.contains(encoding) && failure.message.contains("UTF8"), "{failure:?}");
            assert!(!failure.message.contains(server.split(['/', ':', '@']).nth(4).unwrap()), "no password: {failure:?}");
        }
        for encoding in ["UTF8", "SQL_ASCII"] {
            let store = empty_in(&server, encoding);
            let engine = store.found().unwrap();
            intact(&engine);
            let tenant = engine.tenant("universe").unwrap();
            assert!(tenant.checkpoint().unwrap().is_some_and(|note| note.contains('\u{2014}')), "{encoding}");
            drop((tenant, engine));
        }
    }
}
