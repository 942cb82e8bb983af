//! MySQL, as far as MariaDB can stand for it: a connection that knows no compound statement outside of a procedure (error 1064),
//! and prepares nothing that is about a transaction (error 1295).

mod world;

use hos_core::call::Call;
use hos_drivers::join::{self, Dialect};
use mysql::prelude::{AsStatement, Queryable};
use mysql::{Binary, Conn, Error, MySqlError, Params, QueryResult, Statement, Text};
use world::client::Client;
use world::{World, birth, go, kinds, legacy, once, question};

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
