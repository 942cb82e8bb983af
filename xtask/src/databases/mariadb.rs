//! MariaDB: how it is made, started, and asked whether it is what tests want.

use super::place::{Account, fits_socket};
use super::programs::{Programs, beside};
use super::server::{Server, Start, prepared};
use super::{Running, Site, USER, Wanted, url};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What this is to the rest of the chore.
pub(super) const MARIADB: Wanted = Wanted {
    name: "mariadb",
    title: "MariaDB",
    variable: "HOS_TEST_MARIADB",
    accounts: &["mysql"],
    packages: &["mariadb-server"],
    programs,
    start,
};

fn programs() -> Option<Programs> {
    beside(
        &["mariadbd", "mariadb-install-db", "mariadb"],
        &["/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/bin"],
    )
}

fn start(site: &Site, account: &Account, programs: &Programs) -> io::Result<Running> {
    let data = site.folder.join("data");
    let mut install = Command::new(programs.path("mariadb-install-db"));
    install.args(install_args(&data, &site.folder, &account.name, site.memory));
    // The place that we were called from may be closed to the account.
    prepared(account.apply(install.current_dir(&site.folder)))?;
    // The server runs this before it serves anybody, at each start: once it has, the file is emptied.
    let first = site.folder.join("first.sql");
    account.file(&first, &first_statements(&site.password))?;
    let args = server_args(&data, &site.folder, site.port, site.memory);
    let start = Start { folder: site.folder.clone(), signal: "TERM", program: programs.path("mariadbd"), args };
    let server = Server::start(start, account, || greets(site.port))?;
    fs::write(&first, "")?;
    let mut client = Command::new(programs.path("mariadb"));
    client.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--batch", "--skip-column-names"]);
    client.arg(format!("--port={}", site.port)).arg(format!("--user={USER}")).env("MYSQL_PWD", &site.password);
    let told = prepared(client.args(["--execute", ASSESS, USER]).current_dir(&site.folder))?;
    let version = assess(&told).map_err(io::Error::other)?;
    Ok(Running { server, version, url: url("mysql", USER, &site.password, site.port, USER) })
}

/// Nothing of it must outlast the machine's next crash, so nothing waits for the disk here; the server itself does.
fn install_args(data: &Path, folder: &Path, account: &str, memory: u32) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["--no-defaults".into(), with("--datadir=", data), with(TEMPORARY, folder)];
    let fixed = ["--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve"];
    args.extend(fixed.iter().map(OsString::from));
    args.push(log_file(memory));
    args.extend(["--innodb-flush-method=nosync".into(), format!("--auth-root-socket-user={account}").into()]);
    args
}

/// Where its temporary tables lie. Each server has a place of its own, since one that starts empties that place of them,
/// whosever they are: in a shared one it takes them from under another that is being made.
const TEMPORARY: &str = "--tmpdir=";

/// An argument that ends with a path.
fn with(name: &str, value: &Path) -> OsString {
    let mut arg = OsString::from(name);
    arg.push(value);
    arg
}

/// Half of what the tables have; the same size when it is made and when it is started, or the server makes it anew.
fn log_file(memory: u32) -> OsString {
    format!("--innodb-log-file-size={}M", memory / 2).into()
}

/// Durability and isolation stay at their defaults: they are what is tested. Memory does not.
fn server_args(data: &Path, folder: &Path, port: u16, memory: u32) -> Vec<OsString> {
    let socket = Some(folder.join("socket")).filter(|socket| fits_socket(socket)).unwrap_or_default();
    let mut args = vec!["--no-defaults".into(), with("--datadir=", data), with("--socket=", &socket)];
    args.extend([with("--init-file=", &folder.join("first.sql")), with(TEMPORARY, folder), format!("--port={port}").into()]);
    let settings = ["--bind-address=127.0.0.1", "--max-connections=200", "--character-set-server=utf8mb4", "--skip-name-resolve"];
    args.extend(settings.iter().map(OsString::from));
    args.extend([format!("--innodb-buffer-pool-size={memory}M").into(), log_file(memory), "--performance-schema=OFF".into()]);
    args
}

/// A statement a line, as the server reads its first file.
fn first_statements(password: &str) -> String {
    // An account without a name would be taken before ours by who comes from this machine.
    format!(
        "DROP USER IF EXISTS ''@'localhost';\n\
         DROP USER IF EXISTS ''@'127.0.0.1';\n\
         CREATE DATABASE {USER} CHARACTER SET utf8mb4;\n\
         CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
    )
}

/// It greets who connects, as soon as it serves: four bytes of frame, then the number of the protocol.
fn greets(port: u16) -> bool {
    let wait = Duration::from_secs(2);
    let greeting = || {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), wait)?;
        stream.set_read_timeout(Some(wait))?;
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).map(|()| greeting[4])
    };
    greeting().is_ok_and(|protocol: u8| protocol == 10)
}

/// A line of what tests rely on.
const ASSESS: &str = "SELECT CONCAT_WS('|', @@character_set_database, @@tx_isolation, @@innodb_flush_log_at_trx_commit, \
     IF(@@innodb_flush_method = 'nosync', 'nosync', 'sync'), IF(@@max_connections >= 100, 'enough', 'few'), SUBSTRING_INDEX(CURRENT_USER(), '@', 1), \
     (SELECT COUNT(*) FROM mysql.global_priv WHERE User = ''), VERSION())";
/// What that line must begin with.
const AS_WANTED: &str = "utf8mb4|REPEATABLE-READ|1|sync|enough|hos|0|";

/// The version, if the server is what tests rely on.
fn assess(told: &str) -> Result<String, String> {
    let version = told.trim().strip_prefix(AS_WANTED).filter(|version| !version.is_empty());
    version.map(str::to_owned).ok_or_else(|| format!("the server says `{}` and should say `{AS_WANTED}`", told.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[OsString]) -> String {
        args.iter().map(|arg| arg.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_socket_is_made_only_where_its_path_is_short_enough() {
        let args = |folder: &str| words(&server_args(Path::new("/d"), Path::new(folder), 20_001, 64));
        assert!(args("/short").starts_with(
            "--no-defaults --datadir=/d --socket=/short/socket --init-file=/short/first.sql --tmpdir=/short --port=20001 "
        ));
        assert!(args(&format!("/{}", "x".repeat(95))).contains(" --socket= --init-file=/xx"));
        assert!(!args("/short").contains("flush"), "durability is the server's own");
    }

    #[test]
    fn its_log_is_not_made_twice() {
        let (made, started) =
            (install_args(Path::new("/d"), Path::new("/f"), "mysql", 64), server_args(Path::new("/d"), Path::new("/f"), 1, 64));
        assert!(words(&made).contains("--datadir=/d ") && words(&made).ends_with(" --auth-root-socket-user=mysql"));
        let log = log_file(64).into_string().unwrap();
        assert!(words(&made).contains(&log) && words(&started).contains(&log), "{log}");
    }

    #[test]
    fn the_first_file_has_a_statement_a_line() {
        let text = first_statements("f00d");
        assert!(text.lines().all(|line| line.ends_with(';')));
        assert!(text.contains("CREATE USER 'hos'@'%' IDENTIFIED BY 'f00d';"));
    }

    #[test]
    fn a_server_that_is_otherwise_is_refused() {
        assert_eq!(assess("utf8mb4|REPEATABLE-READ|1|sync|enough|hos|0|10.11.6\n"), Ok("10.11.6".to_owned()));
        assert!(assess("utf8mb4|READ-COMMITTED|1|sync|enough|hos|0|10.11.6\n").is_err());
        assert!(assess("utf8mb4|REPEATABLE-READ|1|sync|enough||0|10.11.6\n").is_err(), "not as `hos`");
        assert!(assess("").is_err());
    }
}
