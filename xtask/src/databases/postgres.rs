//! PostgreSQL: how it is made, started, and asked whether it is what tests want.

use super::place::{Account, fits_socket};
use super::programs::{Programs, beside};
use super::server::{Server, Start, prepared};
use super::{Running, Site, USER, Wanted, url};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// What this is to the rest of the chore.
pub(super) const POSTGRES: Wanted = Wanted {
    name: "postgres",
    title: "PostgreSQL",
    variable: "HOS_TEST_POSTGRES",
    accounts: &["postgres"],
    packages: &["postgresql"],
    programs,
    start,
};

/// The superuser, with the same password: what `hos` may not do, a test may do as this one.
const SUPERUSER: &str = "postgres";

/// Debian keeps each version's programs in a folder of their own, and only a few of them where programs are looked for.
fn programs() -> Option<Programs> {
    let folders = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@*/bin"];
    beside(&["postgres", "initdb", "psql"], &folders)
}

fn start(site: &Site, account: &Account, programs: &Programs) -> io::Result<Running> {
    let data = site.folder.join("data");
    let word = site.folder.join("password");
    account.file(&word, &site.password)?;
    let mut init = Command::new(programs.path("initdb"));
    init.args(init_args(&data, &word));
    // The place that we were called from may be closed to the account.
    prepared(account.apply(init.current_dir(&site.folder)))?;
    fs::remove_file(&word)?;
    let args = server_args(&data, &site.folder, site.port, site.memory);
    let start = Start { folder: site.folder.clone(), signal: "QUIT", program: programs.path("postgres"), args };
    let server = Server::start(start, account, || is_ready(&data))?;
    let roles = format!("CREATE ROLE {USER} LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD '{}'", site.password);
    let ask = |user: &str, database: &str, statements: &[&str]| {
        let mut psql = Command::new(programs.path("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        psql.args(["--host=127.0.0.1", "--username", user, "--dbname", database]).env("PGPASSWORD", &site.password);
        psql.arg(format!("--port={}", site.port));
        prepared(psql.args(statements.iter().flat_map(|statement| ["--command", statement])).current_dir(&site.folder))
    };
    let grants = format!("GRANT pg_monitor, pg_signal_backend TO {USER}");
    let database = format!("CREATE DATABASE {USER} OWNER {USER}");
    ask(SUPERUSER, "postgres", &[&roles, &grants, &database])?;
    let told = ask(USER, USER, &[ASSESS])?;
    let version = assess(&told).map_err(io::Error::other)?;
    Ok(Running { server, version, url: url("postgres", USER, &site.password, site.port, USER) })
}

/// Nothing of it must outlast the machine's next crash, so nothing waits for the disk here; the server itself does.
fn init_args(data: &Path, password: &Path) -> Vec<OsString> {
    let fixed = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"];
    let mut args: Vec<OsString> = fixed.iter().map(OsString::from).collect();
    args.push(format!("--username={SUPERUSER}").into());
    args.extend(["--pgdata".into(), data.into(), "--pwfile".into(), password.into()]);
    args
}

/// Durability and isolation stay at their defaults: they are what is tested. Memory does not.
fn server_args(data: &Path, folder: &Path, port: u16, memory: u32) -> Vec<OsString> {
    let socket = folder.join(format!(".s.PGSQL.{port}"));
    let mut sockets = OsString::from("unix_socket_directories=");
    if fits_socket(&socket) {
        sockets.push(folder);
    }
    let buffers = format!("shared_buffers={memory}MB");
    let settings = ["listen_addresses=127.0.0.1", "max_connections=200", &buffers, "log_checkpoints=off"];
    let mut args: Vec<OsString> = vec!["-D".into(), data.into(), "-p".into(), port.to_string().into(), "-c".into(), sockets];
    args.extend(settings.iter().flat_map(|setting| ["-c".into(), OsString::from(setting)]));
    args
}

/// It takes connections a little before it serves them; the file in which it keeps its state says when it does.
fn is_ready(data: &Path) -> bool {
    fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.lines().nth(7).map(str::trim) == Some("ready"))
}

/// A line of what tests rely on.
const ASSESS: &str = "SELECT current_setting('server_encoding'), current_setting('default_transaction_isolation'), \
     current_setting('fsync'), current_setting('synchronous_commit'), rolcreatedb, rolcreaterole, rolsuper, \
     (SELECT datcollate FROM pg_database WHERE datname = current_database()), current_setting('server_version') \
     FROM pg_roles WHERE rolname = current_user";
/// What that line must begin with.
const AS_WANTED: &str = "UTF8|read committed|on|on|t|t|f|C.UTF-8|";

/// The version, if the server is what tests rely on.
fn assess(told: &str) -> Result<String, String> {
    let version = told.trim().strip_prefix(AS_WANTED).filter(|version| !version.is_empty());
    version.map(str::to_owned).ok_or_else(|| format!("the server says `{}` and should say `{AS_WANTED}`", told.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_made_only_where_its_path_is_short_enough() {
        let words = |folder: &str| {
            let args = server_args(Path::new("/d"), Path::new(folder), 20_001, 64);
            args.iter().map(|arg| arg.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert!(words("/short").starts_with("-D /d -p 20001 -c unix_socket_directories=/short -c listen_addresses=127.0.0.1 "));
        assert!(words(&format!("/{}", "x".repeat(90))).contains(" unix_socket_directories= -c"));
        assert!(!words("/short").contains("fsync"), "durability is the server's own");
    }

    #[test]
    fn it_is_made_as_tests_want_it() {
        let args = init_args(Path::new("/d"), Path::new("/p"));
        for wanted in ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--username=postgres"] {
            assert!(args.iter().any(|arg| arg == wanted), "{wanted}");
        }
        assert_eq!(args[args.len() - 4..], ["--pgdata", "/d", "--pwfile", "/p"]);
    }

    #[test]
    fn a_server_that_is_otherwise_is_refused() {
        assert_eq!(assess("UTF8|read committed|on|on|t|t|f|C.UTF-8|15.9\n"), Ok("15.9".to_owned()));
        assert!(assess("UTF8|read committed|off|on|t|t|f|C.UTF-8|15.9\n").is_err());
        assert!(assess("UTF8|read committed|on|on|t|t|t|C.UTF-8|15.9\n").is_err(), "a superuser would prove nothing");
        assert!(assess("").is_err());
    }
}
