//! An application's user with the rights that `hos schema --grants` prints, and no other: it judges in its own transactions.

mod support;

use hos_core::call::{Adopt, By, Call, Legacy, Note};
use hos_core::id::{Handle, InstanceId, KeyId, Name, Tenant};
use hos_core::law::mode::{Mode, Modes};
use hos_drivers::join::{self, AnyError, Dialect, End, Joining, Judged, KeptRefusal};
use hos_engine::Engine;
use hos_engine::store::Sql;
use hos_engine::store::sql::{dialect, operation, schema};
use support::{PATIENCE, Store, begin, go, history, intact, name_of, root, servers, tell};

/// A user with exactly those rights.
struct User {
    server: String,
    name: String,
    dialect: Dialect,
    /// The store's URL as this user.
    url: String,
}

impl User {
    fn of(store: &Store) -> Self {
        let name = format!("{}_shop", store.name);
        let (scheme, at) = (store.url.split("://").next().unwrap(), store.url.split_once('@').unwrap().1);
        let url = format!("{scheme}://{name}:canary@{at}");
        let dialect = if store.is_postgres() { Dialect::Postgres } else { Dialect::Mysql };
        let user = Self { server: store.server.clone(), name, dialect, url };
        let made = match dialect {
            Dialect::Postgres => format!("CREATE ROLE {} LOGIN PASSWORD 'canary'", user.name),
            _ => format!("CREATE USER {}@'%' IDENTIFIED BY 'canary'", user.name),
        };
        tell(&store.server, &made).unwrap();
        schema::statements(&schema::grants(dialect, &user.name)).for_each(|statement| store.tell(statement));
        user
    }

    /// One call, in a transaction of this user's that commits.
    /// A refusal that is kept, in a transaction after the one that was rolled back.
    fn keeps(&self, joining: &Joining, tenant: &str, refusal: Box<KeptRefusal>) -> Result<Judged, AnyError> {
        // Nobody is in its way, so it is not begun again.
        let mut kept = Some(refusal);
        let mut once = || kept.take().ok_or("it was begun again");
        match self.dialect {
            Dialect::Postgres => {
                let mut client = postgres::Client::connect(&self.url, postgres::NoTls)?;
                join::postgres::run(&mut client, |tx| Ok(End::Commit(join::postgres::on(joining, tenant, tx)?.refused(once()?)?)))
            }
            _ => {
                let mut conn = mysql::Conn::new(mysql::Opts::from_url(&self.url)?)?;
                join::mysql::run(&mut conn, |tx| Ok(End::Commit(join::mysql::on(joining, tenant, tx)?.refused(once()?)?)))
            }
        }
    }

    #[track_caller]
    fn calls(&self, joining: &Joining, tenant: &str, call: &Call) -> Judged {
        let judged = match self.dialect {
            Dialect::Postgres => {
                let mut client = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
                join::postgres::run(&mut client, |tx| {
                    Ok(End::Commit(join::postgres::on(joining, tenant, tx)?.call(call.clone())?))
                })
            }
            _ => {
                let mut conn = mysql::Conn::new(mysql::Opts::from_url(&self.url).unwrap()).unwrap();
                join::mysql::run(&mut conn, |tx| Ok(End::Commit(join::mysql::on(joining, tenant, tx)?.call(call.clone())?)))
            }
        };
        judged.unwrap_or_else(|e| panic!("{} {call:?}: {e}", self.dialect.name()))
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let host = if self.dialect == Dialect::Postgres { "" } else { "@'%'" };
        // What it may do goes with the database, which is gone by now.
        let _ = tell(&self.server, &format!("DROP USER {}{host}", self.name));
    }
}

#[test]
fn an_application_needs_no_other_rights_than_those_printed() {
    for server in servers() {
        let store = Store::founded(&server);
        let user = User::of(&store);
        // What one process has read and remembers, another reads anew: each call comes from a fresh one.
        let fresh = || Joining::open(Engine::builder(), user.dialect);
        let calls = |tenant: &str, call: Call| user.calls(&fresh(), tenant, &call);
        // Says whether it was the answer of before.
        let allowed = |tenant: &str, call: Call| {
            let judged = calls(tenant, call);
            assert!(judged.allowed, "{:?}", judged.blockers);
            judged.again
        };
        allowed("universe", Call::Directory(name_of("ann", "Ann")));
        let once = || Call::Begin(begin("o-1").once("k-1").unwrap());
        assert!(!allowed("t", once()));
        assert!(allowed("t", once()), "the answer of before is read from its record");
        let (engine, tenant) = store.open();
        engine.work().unwrap();
        allowed("t", Call::Transition(go("o-1")));
        let late = calls("t", Call::Transition(go("o-1")));
        assert!(!late.allowed && !late.blockers.is_empty(), "{:?}", late.answer);
        let refusal = late.refusal.expect("a refused move may be kept");
        let kept = user.keeps(&fresh(), "t", refusal).unwrap_or_else(|e| panic!("{} a refusal: {e}", user.dialect.name()));
        assert!(!kept.allowed && kept.receipt.is_some(), "a refusal that is kept has a record");
        allowed("t", Call::Note(Note::new(root(), "till", b"12".to_vec()).unwrap()));
        let adopted = Adopt {
            by: By::new(root()),
            contract: Name::new("o").unwrap(),
            id: InstanceId::new("old").unwrap(),
            state: Name::new("a").unwrap(),
            facts: [("who".to_owned(), root().into())].into(),
            once: None,
        };
        allowed("t", Call::Adopt(adopted));
        // In shadow a call waits in the inbox for who works.
        let law = engine.law().unwrap();
        let modes = Modes { default: Mode::Shadow, ..Modes::default() };
        assert!(engine.activate(&By::new(root()), law, None, modes).unwrap().allowed);
        let mut watched = begin("o-3");
        watched.by.legacy = Some(Legacy { allowed: true, state: None });
        allowed("t", Call::Begin(watched));
        assert_eq!(store.ask("SELECT count(*) FROM hos_inbox WHERE stream = ''"), [1]);
        assert!(engine.activate(&By::new(root()), engine.law().unwrap(), None, Modes::default()).unwrap().allowed);
        allowed("t", Call::Begin(begin("o-2")));
        assert_eq!((history(&tenant, "o-1").unwrap(), history(&tenant, "o-2").unwrap()), (2, 1));
        assert!(engine.tenants().unwrap().contains(&Tenant::new("t").unwrap()));
        intact(&engine);
        drop(engine);
        drop(store);
    }
}

#[test]
fn no_application_chooses_a_place_in_a_queue() {
    let message =
        operation::insert_message(&Tenant::new("t").unwrap(), &Handle([7; 16]), 0, 0, "m", &KeyId([0; 16]), b"body".to_vec());
    for server in servers() {
        let store = Store::founded(&server);
        let user = User::of(&store);
        let queue = "INSERT INTO hos_queue (tenant, pos, thread, n) VALUES ('t', 9223372036854775807, 'nothing', 0)";
        let outbox = "INSERT INTO hos_outbox (tenant, pos, thread, n, i, kind, body_key, body, leased_until, attempts, acked) \
             VALUES ('t', 9223372036854775807, 'nothing', 0, 0, 'm', 'k', 'b', 0, 0, 0)";
        for chosen in [queue, outbox] {
            let denied = tell(&user.url, chosen).unwrap_err();
            assert!(denied.contains("denied"), "{chosen}: {denied}");
        }
        // What a step writes names no place: the database gives it.
        let said = dialect::say(&message, user.dialect, user.dialect.places());
        let params: Vec<&Sql> = said.params(&message).collect();
        let mut connection = hos_drivers::connector(&user.url).unwrap().connect(PATIENCE).map_err(|e| e.message).unwrap();
        assert_eq!(connection.execute(&said.sql, &params).map_err(|e| e.message), Ok(1));
        drop(connection);
        assert!(user.calls(&Joining::open(Engine::builder(), user.dialect), "t", &Call::Begin(begin("o-1"))).allowed);
        let places = ["hos_queue", "hos_outbox"].map(|table| store.ask(&format!("SELECT pos FROM {table} WHERE tenant = 't'")));
        assert!(places.iter().all(|places| places.len() == 1 && places[0] < 1000), "{places:?}");
        drop(store);
    }
}
