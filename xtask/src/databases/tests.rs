//! The servers as they run, where they are installed.

use super::*;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

const PATIENCE: Duration = Duration::from_secs(60);

/// Whether something comes true before patience ends.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn kill(signal: &str, pid: &str) -> bool {
    Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, pid])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

fn pid(folder: &Path) -> Option<String> {
    std::fs::read_to_string(folder.join("pid")).ok().map(|text| text.trim().to_owned())
}

/// What the server's own client program says to a statement, asked as somebody.
fn ask(one: &Wanted, url: &str, who: Option<(&str, &str)>, statement: &str) -> Result<String, String> {
    let pieces: Vec<&str> = url.split(['/', ':', '@']).collect();
    let [_, "", "", user, password, host, port, database] = pieces[..] else { panic!("{url}") };
    let (user, password) = who.unwrap_or((user, password));
    let programs = (one.programs)().unwrap();
    let mut client = match one.name {
        "postgres" => {
            let mut psql = Command::new(programs.path("psql"));
            psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--username", user, "--dbname", database]);
            psql.args(["--command", statement]).env("PGPASSWORD", password);
            psql
        }
        _ => {
            let mut mariadb = Command::new(programs.path("mariadb"));
            mariadb.args(["--no-defaults", "--protocol=tcp", "--batch", "--skip-column-names", "--user", user]);
            mariadb.args(["--database", database, "--execute", statement]).env("MYSQL_PWD", password);
            mariadb
        }
    };
    let said = client.args(["--host", host, "--port", port]).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if said.status.success() { Ok(text(&said.stdout)) } else { Err(text(&said.stderr)) }
}

#[test]
fn both_run_come_back_and_are_gone_at_the_end() {
    let started = Databases::start(&crate::target(&crate::root())).unwrap();
    assert!(started.failed.is_empty(), "{:?}", started.failed);
    assert_eq!(started.count() + started.absent.len(), ALL.len());
    assert!(started.absent.iter().all(|why| why.contains("apt-get install")), "{:?}", started.absent);
    assert_eq!(started.environment().len(), 2 * started.count());
    let mut last = Vec::new();
    for (one, folder, running) in &started.running {
        grants(one, &running.url);
        comes_back(one, &running.url, folder);
        stays_away(one, &running.url, folder);
        last.push((pid(folder).unwrap(), folder.clone(), port(&running.url)));
    }
    drop(started);
    for (pid, folder, port) in last {
        assert!(!kill("0", &pid), "process {pid} is still there");
        assert!(!folder.exists() && !folder.parent().unwrap().exists(), "{}", folder.display());
        assert!(!listens(port), "port {port} is still served");
    }
}

/// `hos` makes databases and accounts, and what an account is granted is all that it may do.
fn grants(one: &Wanted, url: &str) {
    let account = match one.name {
        "postgres" => "CREATE ROLE app LOGIN PASSWORD 'f00d'",
        _ => "CREATE USER app IDENTIFIED BY 'f00d'",
    };
    for statement in
        ["CREATE DATABASE other", account, "CREATE TABLE t (x int)", "GRANT SELECT ON t TO app", "INSERT INTO t VALUES (7)"]
    {
        assert_eq!(ask(one, url, None, statement), Ok(String::new()), "{}: {statement}", one.title);
    }
    assert_eq!(ask(one, url, Some(("app", "f00d")), "SELECT x FROM t"), Ok("7".to_owned()), "{}", one.title);
    let refused = ask(one, url, Some(("app", "f00d")), "DELETE FROM t").unwrap_err();
    assert!(refused.contains("denied"), "{}: {refused}", one.title);
    for (user, password) in [("hos", "wrong"), ("app", ""), ("nobody", ""), ("root", "")] {
        assert!(ask(one, url, Some((user, password)), "SELECT 1").is_err(), "{}: `{user}` came in", one.title);
    }
}

/// Killed, it is started again, and what was committed is there.
fn comes_back(one: &Wanted, url: &str, folder: &Path) {
    let before = pid(folder).unwrap();
    assert!(kill("KILL", &before));
    assert!(soon(|| pid(folder).is_some_and(|now| now != before)), "{} was not started again", one.title);
    assert!(soon(|| ask(one, url, None, "SELECT x FROM t") == Ok("7".to_owned())), "{} lost a row", one.title);
}

/// With `down` in its folder it is away until that is removed.
fn stays_away(one: &Wanted, url: &str, folder: &Path) {
    let down = folder.join("down");
    std::fs::write(&down, "").unwrap();
    assert!(kill(if one.name == "postgres" { "INT" } else { "TERM" }, &pid(folder).unwrap()));
    assert!(soon(|| !listens(port(url))), "{} did not end", one.title);
    std::thread::sleep(Duration::from_millis(400));
    assert!(!listens(port(url)) && pid(folder).is_none(), "{} came back too early", one.title);
    std::fs::remove_file(&down).unwrap();
    assert!(soon(|| ask(one, url, None, "SELECT x FROM t") == Ok("7".to_owned())), "{} did not come back", one.title);
}

fn port(url: &str) -> u16 {
    url.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()?.parse().ok()).unwrap()
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[test]
fn urls_are_as_drivers_read_them() {
    assert_eq!(url("mysql", "hos", "f00d", 20_001, "hos"), "mysql://hos:f00d@127.0.0.1:20001/hos");
    assert_eq!(port("mysql://hos:f00d@127.0.0.1:20001/hos"), 20_001);
}
