//! Where the servers of one run live: a folder, an account that is not root, a port, a password.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a path of a socket may have, with room to spare: systems take 103 to 107 bytes.
const SOCKET_BYTES_MAX: usize = 99;
/// Ports are looked for here: below those that the system gives to outgoing connections, one of which could otherwise take the
/// port while a server is being restarted.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Whose processes the servers are: ours, or, where we are root, an account that is not, since servers refuse root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Its name.
    pub(super) name: String,
    /// Its numbers, where they are not ours.
    other: Option<(u32, u32)>,
}

impl Account {
    /// Ours, or where we are root the first of these that exists.
    pub(super) fn choose(wanted: &[&str]) -> io::Result<Self> {
        let number = |args: &[&str]| id(args).and_then(|said| said.parse::<u32>().ok());
        if number(&["-u"]) != Some(0) {
            let name = id(&["-un"]).ok_or_else(|| io::Error::other("`id -un` does not say who we are"))?;
            return Ok(Self { name, other: None });
        }
        let known = wanted.iter().chain(&["nobody"]).find_map(|name| {
            let other = (number(&["-u", name])?, number(&["-g", name])?);
            Some(Self { name: (*name).to_owned(), other: Some(other) })
        });
        known.ok_or_else(|| io::Error::other("database servers refuse root, and there is no account `nobody`"))
    }

    /// Makes a command run as this account.
    pub(super) fn apply<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match self.other {
            Some((user, group)) => command.uid(user).gid(group),
            None => command,
        }
    }

    /// Makes an empty folder of this account's, closed to others.
    pub(super) fn folder(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)?;
        self.own(path)
    }

    /// Makes a file that only this account reads.
    pub(super) fn file(&self, path: &Path, text: &str) -> io::Result<()> {
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())?;
        self.own(path)
    }

    fn own(&self, path: &Path) -> io::Result<()> {
        match self.other {
            Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// Whether this account may enter a folder: a home directory above it may be closed to others.
    fn enters(&self, folder: &Path) -> bool {
        let mut command = Command::new("sh");
        command.args(["-c", "cd \"$1\"", "enter"]).arg(folder).stdin(Stdio::null()).stderr(Stdio::null());
        self.apply(&mut command).status().is_ok_and(|status| status.success())
    }
}

fn id(args: &[&str]) -> Option<String> {
    let said = Command::new("id").args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

/// The folder of one run, removed when this is dropped.
pub(super) struct Folder {
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Folder {
    /// `target/databases/run-PID`. Several runs may go on at once; what a killed one left behind is cleared away. Where an
    /// account cannot enter the target directory, the folder is made among the temporary files.
    pub(super) fn make(target: &Path, accounts: &[&Account]) -> io::Result<Self> {
        let name = format!("run-{}", std::process::id());
        for parent in [target.join("databases"), std::env::temp_dir().join("hos-databases")] {
            fs::create_dir_all(&parent)?;
            // Servers run elsewhere than we do.
            let parent = fs::canonicalize(parent)?;
            sweep(&parent);
            let folder = Self { path: parent.join(&name) };
            let _ = fs::remove_dir_all(&folder.path);
            fs::create_dir(&folder.path)?;
            // Whatever our own files are closed to, the accounts must pass through here.
            let passable = || fs::Permissions::from_mode(0o711);
            let _ = fs::set_permissions(&parent, passable());
            fs::set_permissions(&folder.path, passable())?;
            if accounts.iter().all(|account| account.enters(&folder.path)) {
                return Ok(folder);
            }
        }
        Err(io::Error::other(format!("the servers' accounts can enter neither {} nor the temporary files", target.display())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of runs that are no more. A supervisor empties its server's folder itself when its run dies, so a folder
/// that still has something in it belongs to one that is about to.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix("run-")) else { continue };
        let lives = |pid: &str| {
            let mut kill = Command::new("sh");
            kill.args(["-c", "kill -0 \"$1\"", "alive", pid]).stdin(Stdio::null()).stderr(Stdio::null());
            kill.status().is_ok_and(|status| status.success())
        };
        let serves = fs::read_dir(entry.path())
            .into_iter()
            .flatten()
            .flatten()
            .any(|server| fs::read_to_string(server.path().join("pid")).is_ok_and(|server| lives(server.trim())));
        if !serves && !lives(pid) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a socket of this path can be made; where it is too long there is TCP alone.
pub(super) fn fits_socket(path: &Path) -> bool {
    path.as_os_str().len() <= SOCKET_BYTES_MAX
}

/// Free ports of the loopback interface, each another.
pub(super) fn ports(count: usize) -> io::Result<Vec<u16>> {
    let found = free(candidates(u16::from_be_bytes(chance()?)), count);
    if found.len() == count { Ok(found) } else { Err(io::Error::other("no port of the loopback interface is free")) }
}

/// The first of these that nobody serves, at most so many.
fn free(ports: impl Iterator<Item = u16>, count: usize) -> Vec<u16> {
    ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).take(count).collect()
}

/// Every port of the range once, from a place by chance.
fn candidates(chance: u16) -> impl Iterator<Item = u16> {
    let count = PORTS.end - PORTS.start;
    let first = chance % count;
    (0..count).map(move |step| PORTS.start + (first + step) % count)
}

/// A password that needs no escaping anywhere.
pub(super) fn password() -> io::Result<String> {
    Ok(chance::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn chance<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_port_of_the_range_comes_once_from_anywhere() {
        for start in [0, 1, 11_999, 12_000, u16::MAX] {
            let all: Vec<u16> = candidates(start).collect();
            assert_eq!(all.len(), 12_000);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 12_000);
            assert!(all.iter().all(|port| PORTS.contains(port)));
            assert_eq!(all[0], 20_000 + start % 12_000);
        }
    }

    #[test]
    fn a_port_in_use_is_not_given() {
        let mut all = candidates(u16::from_be_bytes(chance().unwrap()));
        let (taken, _held) = all.find_map(|port| Some((port, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?))).unwrap();
        let given = free(candidates(taken - PORTS.start), 3);
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 3);
        assert!(!given.contains(&taken), "{taken} came first and is in use");
    }

    #[test]
    fn passwords_differ_and_need_no_escaping() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_long_path_has_no_socket() {
        assert!(fits_socket(Path::new(&"x".repeat(99))));
        assert!(!fits_socket(Path::new(&"x".repeat(100))));
    }

    #[test]
    fn folders_of_dead_runs_are_cleared_away_and_those_of_living_ones_are_not() {
        let parent = std::env::temp_dir().join(format!("hos-sweep-{}", std::process::id()));
        let own = std::process::id().to_string();
        // No process has a number this high.
        let (dead, serving, living) = ("run-99999999", "run-99999998", format!("run-{own}"));
        for folder in [&format!("{dead}/postgres"), &format!("{serving}/postgres"), &living, "other"] {
            fs::create_dir_all(parent.join(folder)).unwrap();
        }
        fs::write(parent.join(serving).join("postgres/pid"), format!("{own}\n")).unwrap();
        sweep(&parent);
        let left = |name: &str| parent.join(name).exists();
        let seen = (left(dead), left(serving), left(&living), left("other"));
        fs::remove_dir_all(&parent).unwrap();
        assert_eq!(seen, (false, true, true, true));
    }
}
