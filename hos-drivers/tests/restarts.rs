//! Servers that crash, are started anew, stay away, or take no more writes, while an engine is open. These tests take servers away
//! from whoever else uses them, so they run only where `HOS_TEST_RESTARTS` says that nobody does.

mod support;

use hos_core::refusal::Code;
use hos_engine::{Failure, TenantRef};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Store, begin, go, history, intact, servers, tell};

/// A server that may be ended here.
struct Server {
    url: String,
    folder: PathBuf,
    /// The signal that ends it in order.
    orderly: &'static str,
}

fn server(name: &str) -> Option<Server> {
    if std::env::var_os("HOS_TEST_RESTARTS").is_none_or(|value| value.is_empty()) {
        eprintln!("left out: HOS_TEST_RESTARTS does not say that servers may be ended");
        return None;
    }
    let url = servers().into_iter().find(|url| url.starts_with(name))?;
    let (folder, orderly) = if name == "postgres" { ("HOS_TEST_POSTGRES_DIR", "INT") } else { ("HOS_TEST_MARIADB_DIR", "TERM") };
    Some(Server { url, folder: std::env::var_os(folder)?.into(), orderly })
}

impl Server {
    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.folder.join("pid")).unwrap();
        assert!(Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status().unwrap().success());
    }

    fn wait_until(&self, answers: bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while tell(&self.url, "SELECT 1").is_ok() != answers {
            assert!(Instant::now() < until, "the server does not answer as it should: {answers}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it; it is started again by whoever runs it.
    fn restart(&self, signal: &str) {
        // So that one which is not yet gone is not taken for one that is back.
        let down = self.folder.join("down");
        std::fs::write(&down, "").unwrap();
        self.signal(signal);
        self.wait_until(false);
        std::fs::remove_file(&down).unwrap();
        self.wait_until(true);
    }
}

/// Several calls at once, so that several connections are idle afterwards.
fn warm(tenant: &TenantRef, name: &str) {
    std::thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || assert!(tenant.begin(begin(&format!("{name}-{n}"))).unwrap().allowed));
        }
    });
}

fn restarted(server: &Server) {
    let store = Store::founded(&server.url);
    let (engine, tenant) = store.open();
    for (n, signal) in ["KILL", server.orderly, "KILL"].into_iter().enumerate() {
        warm(&tenant, signal_name(n));
        server.restart(signal);
        let id = format!("after-{n}");
        assert!(tenant.begin(begin(&id)).unwrap().allowed, "dead connections are replaced: {signal}");
        assert!(tenant.transition(go(&id)).unwrap().allowed);
        assert_eq!(history(&tenant, &format!("{}-0", signal_name(n))).unwrap(), 1, "what was answered is there: {signal}");
    }
    intact(&engine);
}

fn signal_name(n: usize) -> &'static str {
    ["first", "second", "third"][n]
}

fn away(server: &Server) {
    let store = Store::founded(&server.url);
    let (engine, tenant) = store.open();
    assert!(tenant.begin(begin("o-1")).unwrap().allowed);
    assert!(tenant.can(&support::view("o-1").given(support::order("o-1"))).unwrap().allowed);
    let down = server.folder.join("down");
    std::fs::write(&down, "").unwrap();
    server.signal(server.orderly);
    server.wait_until(false);
    let refused = |failure: Failure| assert_eq!(failure.code, Code::StoreUnavailable, "{failure}");
    for round in 0..2 {
        refused(tenant.begin(begin("o-2")).unwrap_err());
        refused(tenant.transition(go("o-1")).unwrap_err());
        refused(history(&tenant, "o-1").unwrap_err());
        // A door that only reads knows who asks from memory for a moment, and allows nothing once that is over.
        let asked = tenant.can(&support::view("o-1").given(support::order("o-1")));
        assert!(round == 0 || !asked.as_ref().is_ok_and(|answer| answer.allowed), "{asked:?}");
        std::thread::sleep(Duration::from_millis(600));
    }
    refused(store.builder().open().map(|_| ()).unwrap_err());
    std::fs::remove_file(&down).unwrap();
    server.wait_until(true);
    assert!(tenant.transition(go("o-1")).unwrap().allowed);
    assert!(tenant.begin(begin("o-2")).unwrap().allowed);
    intact(&engine);
}

/// Writers go on while the server crashes: what was said to be stored is, and what nobody knows is resolved by its once-key.
fn crashes_under_writers(server: &Server) {
    let store = Store::founded(&server.url);
    let (engine, tenant) = store.open();
    let busy = AtomicBool::new(true);
    let write = |k: usize| {
        let (mut stored, mut unknown, mut refused) = (Vec::new(), Vec::new(), 0);
        for n in 0.. {
            if !busy.load(Ordering::Relaxed) {
                break;
            }
            let id = format!("o-{k}-{n}");
            match tenant.begin(begin(&id).once(&id).unwrap()) {
                Ok(answer) => {
                    assert!(answer.allowed, "{answer:?}");
                    stored.push(id);
                }
                Err(failure) if failure.code == Code::OutcomeUnknown => unknown.push(id),
                Err(failure) => {
                    let of_the_server = [Code::StoreUnavailable, Code::StoreBusy, Code::Retry].contains(&failure.code);
                    assert!(of_the_server, "{failure}");
                    refused += 1;
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
        (stored, unknown, refused)
    };
    let wrote: Vec<_> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4).map(|k| scope.spawn(move || write(k))).collect();
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(300));
            server.restart("KILL");
        }
        std::thread::sleep(Duration::from_millis(300));
        busy.store(false, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let (mut kept, mut lost) = (0, 0);
    for (stored, unknown, refused) in &wrote {
        assert!(stored.iter().all(|id| history(&tenant, id).unwrap() == 1));
        for id in unknown {
            let answer = tenant.begin(begin(id).once(id).unwrap()).unwrap();
            assert!(answer.allowed, "{answer:?}");
            assert_eq!(history(&tenant, id).unwrap(), 1);
        }
        (kept, lost) = (kept + stored.len() + unknown.len(), lost + refused + unknown.len());
    }
    assert!(kept > 20 && lost > 0, "{kept} kept and {lost} not: the crashes met writers");
    assert_eq!(store.ask("SELECT count(*) FROM hos_instance"), [kept as i64]);
    intact(&engine);
}

#[test]
fn postgres_goes_away_and_comes_back() {
    let Some(server) = server("postgres") else { return };
    restarted(&server);
    away(&server);
    crashes_under_writers(&server);
}

#[test]
fn mariadb_goes_away_and_comes_back() {
    let Some(server) = server("mysql") else { return };
    restarted(&server);
    away(&server);
    crashes_under_writers(&server);
    takes_no_writes(&server);
    is_set_otherwise(&server);
}

/// What an administrator set for every new session: nothing is kept without a commit and all that was asked for is read, as elsewhere.
fn is_set_otherwise(server: &Server) {
    let mut administrator =
        hos_drivers::connector(&server.url).unwrap().connect(support::PATIENCE).map_err(|e| e.message).unwrap();
    let settings = ["autocommit = 0", "completion_type = 1", "sql_select_limit = 1", "group_concat_max_len = 8"];
    let mut set = |to: &dyn Fn(&str) -> String| {
        settings.iter().try_for_each(|setting| administrator.say(&format!("SET GLOBAL {}", to(setting)))).map_err(|e| e.message)
    };
    set(&str::to_owned).unwrap();
    let tried = std::panic::catch_unwind(|| {
        let store = Store::founded(&server.url);
        let (engine, tenant) = store.open();
        warm(&tenant, "set");
        assert!(tenant.transition(go("set-0")).unwrap().allowed);
        assert_eq!(store.ask("SELECT count(*) FROM hos_instance"), [4]);
        assert_eq!(history(&tenant, "set-0").unwrap(), 2);
        intact(&engine);
        // A process that comes anew reads what is there, by all of its rows.
        store.builder().open().map(|engine| intact(&engine)).unwrap();
    });
    set(&|setting| format!("{} = DEFAULT", setting.split(' ').next().unwrap())).unwrap();
    assert!(tried.is_ok());
}

/// `read_only` holds for everybody but administrators, on connections that are open as well.
fn takes_no_writes(server: &Server) {
    let store = Store::founded(&server.url);
    let user = format!("{}_u", store.name);
    let (_, at) = store.url.split_once('@').unwrap();
    let url = format!("mysql://{user}:canary@{at}");
    tell(&server.url, &format!("CREATE USER {user}@'%' IDENTIFIED BY 'canary'")).unwrap();
    tell(&server.url, &format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {}.* TO {user}@'%'", store.name)).unwrap();
    let engine = store.builder_at(&url).open().unwrap();
    let tenant = engine.tenant("t").unwrap();
    assert!(tenant.begin(begin("o-1")).unwrap().allowed);
    // It cannot be said through a connection of ours once it holds: they are refused.
    let mut administrator =
        hos_drivers::connector(&server.url).unwrap().connect(support::PATIENCE).map_err(|e| e.message).unwrap();
    administrator.say("SET GLOBAL read_only = 1").map_err(|e| e.message).unwrap();
    let (written, opened) = (tenant.begin(begin("o-2")), store.builder_at(&url).open().map(|_| ()));
    administrator.say("SET GLOBAL read_only = 0").map_err(|e| e.message).unwrap();
    for failure in [written.map(|_| ()).unwrap_err(), opened.unwrap_err()] {
        assert_eq!(failure.code, Code::StoreReadOnly, "{failure}");
        assert!(!failure.message.contains("canary"), "{failure}");
    }
    assert!(tenant.begin(begin("o-2")).unwrap().allowed);
    intact(&engine);
    tell(&server.url, &format!("DROP USER {user}@'%'")).unwrap();
}
