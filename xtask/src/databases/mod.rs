//! PostgreSQL and MariaDB of our own, for tests: each on a loopback port by chance, in a folder of the target directory, made anew
//! at each start and gone at its end. The system's own servers are neither used nor touched.
//!
//! Tests find them by the environment:
//!
//! ```text
//! HOS_TEST_POSTGRES=postgres://hos:PASSWORD@127.0.0.1:PORT/hos
//! HOS_TEST_MARIADB=mysql://hos:PASSWORD@127.0.0.1:PORT/hos
//! HOS_TEST_POSTGRES_DIR, HOS_TEST_MARIADB_DIR   the folder of each
//! ```
//!
//! `hos` owns the database `hos`, and may make databases and accounts; PostgreSQL's superuser `postgres` has the same password.
//!
//! A test that wants a database *restarted* ends the process whose id stands in the file `pid` of its folder: it is started again
//! at once, with the same port and data. KILL is a crash; an orderly end is INT for PostgreSQL, TERM for MariaDB. A test that wants
//! it *away* makes a file `down` there first, and removes it afterwards. What the server prints is in `log`.

mod mariadb;
mod place;
mod postgres;
mod programs;
mod server;

use crate::apt;
use place::{Account, Folder};
use programs::Programs;
pub(crate) use programs::php_drivers;
use server::Server;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The user, and the database that is its own.
const USER: &str = "hos";

/// A server that tests want.
struct Wanted {
    /// The name of its folder.
    name: &'static str,
    /// What people call it.
    title: &'static str,
    /// The variable that tells tests its URL; with `_DIR` behind it, its folder.
    variable: &'static str,
    /// Whose process it is where we are root, if there is one of these.
    accounts: &'static [&'static str],
    /// Debian's packages.
    packages: &'static [&'static str],
    /// Finds what it consists of.
    programs: fn() -> Option<Programs>,
    /// Makes and starts it.
    start: fn(&Site, &Account, &Programs) -> io::Result<Running>,
}

const ALL: [&Wanted; 2] = [&postgres::POSTGRES, &mariadb::MARIADB];

/// What a server is given.
struct Site {
    folder: PathBuf,
    port: u16,
    password: String,
    memory: u32,
}

/// How much of its tables a server keeps in memory, in MiB: as little as will do for tests, which run many things at once. A table of a
/// million rows wants what a server of its own would give it.
const MEMORY: u32 = 64;

/// A server that answered as wanted.
struct Running {
    #[expect(dead_code, reason = "it runs for as long as this is kept")]
    server: Server,
    version: String,
    url: String,
}

/// All servers of a run; they end when this is dropped.
pub(crate) struct Databases {
    running: Vec<(&'static Wanted, PathBuf, Running)>,
    /// What could not be had here and how to get it.
    pub(crate) absent: Vec<String>,
    /// What is there and did not start.
    pub(crate) failed: Vec<String>,
    /// Dropped last, when the servers are gone.
    #[expect(dead_code, reason = "it is removed when this is dropped")]
    folder: Folder,
}

/// Installs what is missing, where that is ours to do. Whether it was of use is seen by looking again.
pub(crate) fn install() -> io::Result<()> {
    let absent = ALL.iter().filter(|one| (one.programs)().is_none());
    let packages: Vec<&str> = absent.flat_map(|one| one.packages).copied().collect();
    if !packages.is_empty() {
        apt::install(&packages)?;
    }
    Ok(())
}

impl Databases {
    /// Starts all that are installed, at once.
    pub(crate) fn start(target: &Path) -> io::Result<Self> {
        Self::start_with(target, MEMORY)
    }

    /// The same, each with so many MiB for its tables.
    fn start_with(target: &Path, memory: u32) -> io::Result<Self> {
        let begun = Instant::now();
        let accounts = ALL.iter().map(|one| Account::choose(one.accounts)).collect::<io::Result<Vec<_>>>()?;
        let folder = Folder::make(target, &accounts.iter().collect::<Vec<_>>())?;
        let ports = place::ports(ALL.len())?;
        let ended: Vec<(&Wanted, PathBuf, Ended)> = std::thread::scope(|scope| {
            let started: Vec<_> = ALL
                .iter()
                .zip(accounts.iter().zip(ports))
                .map(|(one, (account, port))| {
                    let path = folder.path.join(one.name);
                    (*one, path.clone(), scope.spawn(move || one.run(path, account, (port, memory), begun)))
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Ended>| {
                thread.join().unwrap_or_else(|_| Ended::Failed("starting it panicked".to_owned()))
            };
            started.into_iter().map(|(one, path, thread)| (one, path, join(thread))).collect()
        });
        let mut all = Self { running: Vec::new(), absent: Vec::new(), failed: Vec::new(), folder };
        for (one, path, ended) in ended {
            match ended {
                Ended::Runs(running) => all.running.push((one, path, running)),
                Ended::Absent(why) => all.absent.push(why),
                Ended::Failed(why) => all.failed.push(format!("{}: {why}", one.title)),
            }
        }
        Ok(all)
    }

    /// How many run.
    pub(crate) fn count(&self) -> usize {
        self.running.len()
    }

    /// What tests are told.
    pub(crate) fn environment(&self) -> Vec<(String, OsString)> {
        let told = self.running.iter().map(|(one, path, running)| {
            let folder = (format!("{}_DIR", one.variable), path.clone().into_os_string());
            [(one.variable.to_owned(), OsString::from(&running.url)), folder]
        });
        told.flatten().collect()
    }
}

/// How an attempt ended.
enum Ended {
    Runs(Running),
    Absent(String),
    Failed(String),
}

impl Wanted {
    fn run(&self, folder: PathBuf, account: &Account, (port, memory): (u16, u32), begun: Instant) -> Ended {
        let Some(programs) = (self.programs)() else {
            let packages = self.packages.join(" ");
            return Ended::Absent(format!("{} is not installed; on Debian: apt-get install {packages}", self.title));
        };
        let start = || {
            account.folder(&folder)?;
            (self.start)(&Site { folder, port, password: place::password()?, memory }, account, &programs)
        };
        match start() {
            Ok(running) => {
                eprintln!("{} {} on port {port} after {}", self.title, running.version, seconds(begun.elapsed()));
                Ended::Runs(running)
            }
            Err(error) => Ended::Failed(error.to_string()),
        }
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn url(scheme: &str, user: &str, password: &str, port: u16, database: &str) -> String {
    format!("{scheme}://{user}:{password}@127.0.0.1:{port}/{database}")
}

/// `cargo xtask databases`: prints what tests need to be told, as a shell reads it, and serves until standard input closes.
pub(crate) fn run(target: &Path, memory: Option<&str>) -> ExitCode {
    let Ok(memory) = memory.map_or(Ok(MEMORY), str::parse) else {
        eprintln!("--memory takes a number of MiB");
        return ExitCode::FAILURE;
    };
    match php_drivers() {
        Ok(None) => {}
        Ok(Some(why)) => eprintln!("{why}"),
        Err(error) => eprintln!("{error}"),
    }
    let databases = match install().and_then(|()| Databases::start_with(target, memory)) {
        Ok(databases) => databases,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for why in databases.absent.iter().chain(&databases.failed) {
        eprintln!("{why}");
    }
    if databases.count() < ALL.len() {
        return ExitCode::FAILURE;
    }
    let mut out = io::stdout().lock();
    for (name, value) in databases.environment() {
        // No name and no value of these has a quote in it, save perhaps a folder's.
        let value = value.to_string_lossy().replace('\'', r"'\''");
        let _ = writeln!(out, "export {name}='{value}'");
    }
    let _ = out.flush();
    // Ctrl-C and SIGTERM end this process as they end any: the supervisors notice and end the servers.
    let mut input = io::stdin().lock();
    let mut bytes = [0; 256];
    while input.read(&mut bytes).is_ok_and(|count| count > 0) {}
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests;
