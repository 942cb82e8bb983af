//! MySQL, as far as MariaDB can stand for it: a connection that knows no compound statement outside of a procedure (error 1064),
//! and prepares nothing that is about a transaction (error 1295).

mod world;

use hos_core::call::{Call, Change, Directory};
use hos_core::refusal::Code;
use hos_drivers::join::{self, Dialect, Joining};
use hos_engine::{Engine, Settings};
use mysql::prelude::{AsStatement, Queryable};
use mysql::{Binary, Conn, Error, MySqlError, Params, QueryResult, Statement, Text};
use std::sync::Arc;
use std::time::Duration;
use world::client::Client;
use world::{World, birth, go, kinds, legacy, once, question, root, uid};

struct Mysql(Conn);

/// How statements begin that MySQL does not prepare.
const NOT_PREPARED: [&str; 5] = ["SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "START"];

fn refused<T>(code: u16, state: &str, message: &str) -> mysql::Result<T> {
    Err(Error::MySqlError(MySqlError { state: state.to_owned(), message: message.to_owned(), code }))
}

impl Queryable for Mysql {
    fn query_iter<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<QueryResult<'_, '_, '_, Text>> {
        if query.as_ref().starts_with("BEGIN NOT ATOMIC") {
            return refused(1064, "42000", "You have an error in your SQL syntax");
        }
        self.0.query_iter(query)
    }

    fn prep<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<Statement> {
        let word = query.as_ref().split_whitespace().next();
        if word.is_some_and(|word| NOT_PREPARED.contains(&word)) {
            return refused(1295, "HY000", "This command is not supported in the prepared statement protocol yet");
        }
        self.0.prep(query)
    }

    fn close(&mut self, stmt: Statement) -> mysql::Result<()> {
        self.0.close(stmt)
    }

    fn exec_iter<S, P>(&mut self, stmt: S, params: P) -> mysql::Result<QueryResult<'_, '_, '_, Binary>>
    where
        S: AsStatement,
        P: Into<Params>,
    {
        let stmt = stmt.as_statement(self)?.into_owned();
        self.0.exec_iter(stmt, params)
    }

    fn exec_batch<S, P, I>(&mut self, stmt: S, params: I) -> mysql::Result<()>
    where
        Self: Sized,
        S: AsStatement,
        P: Into<Params>,
        I: IntoIterator<Item = P>,
    {
        self.0.exec_batch(stmt, params)
    }
}

impl Mysql {
    fn say(&mut self, sql: &str) {
        self.query_drop(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    fn number(&mut self, sql: &str) -> i64 {
        self.query_first(sql).unwrap().unwrap()
    }
}

#[test]
fn it_is_written_to_and_watched_statement_by_statement() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Mysql) {
        let world = World::new(&kind);
        let joining = world.joining();
        let Client::Mysql(conn) = world.client() else { panic!("{kind:?}") };
        let mut conn = Mysql(conn);
        let call = |conn: &mut Mysql, call: Call| {
            let judged = join::mysql::on(&joining, "t1", conn).unwrap().call(call);
            judged.unwrap_or_else(|e| panic!("{e}"))
        };
        let before = world.intact();
        conn.say("BEGIN");
        assert!(call(&mut conn, once(birth("1"), "k")).allowed);
        assert!(call(&mut conn, go("1")).allowed);
        assert_eq!(call(&mut conn, go("none")).code(), Some("hos.instance_unknown"));
        conn.say("COMMIT");
        assert_eq!(world.intact(), before + 2);

        world.in_shadow();
        let patience = |conn: &mut Mysql| {
            ["lock_wait_timeout", "innodb_lock_wait_timeout"].map(|name| conn.number(&format!("SELECT @@{name}")))
        };
        let had = patience(&mut conn);
        conn.say("BEGIN");
        let kept = call(&mut conn, legacy(birth("2"), true));
        assert!(kept.allowed && kept.blockers.is_empty(), "{:?}", kept.blockers);
        assert!(join::mysql::on(&joining, "t1", &mut conn).unwrap().can(question("2", true)).unwrap().allowed);
        conn.say("COMMIT");
        // What fails is undone, and the host's transaction goes on.
        conn.say("ALTER TABLE hos_inbox RENAME TO away");
        conn.say("BEGIN");
        conn.say("INSERT INTO orders VALUES ('3', 'x')");
        let failed = call(&mut conn, legacy(birth("3"), true));
        assert_eq!((failed.allowed, failed.code()), (true, Some("hos.store_version")));
        conn.say("UPDATE orders SET status = 'y' WHERE id = '3'");
        conn.say("COMMIT");
        conn.say("ALTER TABLE away RENAME TO hos_inbox");
        assert_eq!(conn.number("SELECT count(*) FROM orders WHERE status = 'y'"), 1);
        assert_eq!(patience(&mut conn), had);
        assert_eq!(world.engine.fold_shadows(10, &hos_wire::joined::call_that_came).unwrap(), 1);
        world.intact();
    }
}

/// What a question reads is read anew by the next one: without autocommit MySQL would go on in the transaction that it began.
#[test]
fn a_question_leaves_no_transaction() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Mysql) {
        let world = World::new(&kind);
        // Each question looks at the store.
        let settings = Settings { directory_age_max: Duration::ZERO, ..Settings::default() };
        let builder = Engine::builder().law(Arc::new(world::law::law())).settings(settings);
        let joining = Joining::open(builder, Dialect::Mysql);
        let Client::Mysql(mut conn) = world.client() else { panic!("{kind:?}") };
        conn.query_drop("SET SESSION autocommit = 0").unwrap();
        let change = |change: Change| {
            assert!(world.engine.tenant("t1").unwrap().directory(Directory::new(root(), change)).unwrap().allowed);
        };
        let (ann, op) = (uid("A", "ann"), uid("R", "op"));
        let asked = |conn: &mut Conn, has_legacy: bool| {
            let mut can = question("1", true);
            can.by.principal = uid("A", "ann");
            if !has_legacy {
                can.by.legacy = None;
                let all = join::mysql::on(&joining, "t1", conn).unwrap().can_all(vec![can]).unwrap();
                return all.first().unwrap().allowed;
            }
            join::mysql::on(&joining, "t1", conn).unwrap().can(can).unwrap().allowed
        };
        for has_legacy in [true, false] {
            change(Change::Join { uid: ann.clone(), parent: op.clone() });
            assert!(asked(&mut conn, has_legacy), "{kind:?}, {has_legacy}");
            conn.query_drop("SET TRANSACTION READ WRITE").unwrap_or_else(|e| panic!("{kind:?}: there is a transaction: {e}"));
            change(Change::Leave { uid: ann.clone(), parent: op.clone() });
            assert!(!asked(&mut conn, has_legacy), "{kind:?}, {has_legacy}: it was revoked");
        }
        // One that the host has begun goes on, and is written in.
        conn.query_drop("INSERT INTO orders VALUES ('1', 'x')").unwrap();
        for has_legacy in [true, false] {
            asked(&mut conn, has_legacy);
        }
        conn.query_drop("INSERT INTO orders VALUES ('2', 'x')").unwrap();
        conn.query_drop("COMMIT").unwrap();
        assert_eq!(world.client().number("SELECT count(*) FROM orders"), 2, "{kind:?}");
        world.intact();
    }
}

/// The directory is read whole, whatever the connection says of how many rows a SELECT brings: who is not read is no less banned.
#[test]
fn a_connection_that_cuts_what_is_read_cuts_nothing_of_ours() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Mysql) {
        let world = World::new(&kind);
        let mut client = world.client();
        client.say("SET SESSION sql_select_limit = 1").unwrap();
        client.say("BEGIN").unwrap();
        client.say("INSERT INTO orders VALUES ('1', 'a')").unwrap();
        // Nothing was read before, so all of it is read on this connection.
        assert!(client.call(&world.joining(), birth("1")).unwrap().allowed, "{kind:?}");
        client.say("COMMIT").unwrap();
    }
}

/// In a mode in which nothing can be written MariaDB takes the text that claims, and not every text behind it.
#[test]
fn a_mode_in_which_nothing_can_be_written_is_told_by_its_name() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Mysql) {
        let world = World::new(&kind);
        let joining = world.joining();
        let Client::Mysql(mut conn) = world.client() else { panic!("{kind:?}") };
        let before = world.intact();
        for mode in ["ORACLE", "EMPTY_STRING_IS_NULL"] {
            if conn.query_drop(format!("SET SESSION sql_mode = '{mode}'")).is_err() {
                eprintln!("left out: this server has no such mode");
                return;
            }
            for ids in [&["1"][..], &["1", "2"]] {
                conn.query_drop("START TRANSACTION").unwrap();
                let calls = ids.iter().map(|id| once(birth(id), id)).collect();
                let judged = join::mysql::on(&joining, "t1", &mut conn).unwrap().all(calls);
                let Err(failed) = judged else { panic!("{mode}: it is judged") };
                assert_eq!(failed.code(), Code::CallMalformed, "{mode}: {failed}");
                assert!(failed.failure().message.contains(mode), "{mode}: {failed}");
                conn.query_drop("COMMIT").unwrap();
                let claimed: Option<i64> = conn.query_first("SELECT count(*) FROM hos_instance WHERE version = 0").unwrap();
                assert_eq!(claimed, Some(0), "{mode}");
            }
        }
        assert_eq!(world.intact(), before);
    }
}
