//! One database server as a process of ours: started under a supervisor, ended when this value is dropped or this process dies.

use super::place::Account;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The supervisor, a script: a child can outlive this process, so what watches over it must be another process.
const SUPERVISE: &str = include_str!("supervise.sh");
/// How long a server may take until it answers. A busy machine is slow, a server that will never answer says so by its end.
const READY_MAX: Duration = Duration::from_secs(90);

/// How a server is started.
pub(super) struct Start {
    /// Its folder, which belongs to the account.
    pub(super) folder: PathBuf,
    /// The name of the signal that ends it without waiting for its clients.
    pub(super) signal: &'static str,
    /// The program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) args: Vec<OsString>,
}

impl Start {
    /// The supervisor, which lies in the folder, as the account.
    fn supervised(&self, account: &Account) -> io::Result<Command> {
        let script = self.folder.join("supervise.sh");
        account.file(&script, SUPERVISE)?;
        let mut command = Command::new("sh");
        command.arg(script).arg(&self.folder).arg(self.signal).arg(&self.program).args(&self.args);
        account.apply(&mut command);
        Ok(command)
    }
}

/// A running server.
pub(super) struct Server {
    folder: PathBuf,
    supervisor: Child,
}

impl Server {
    /// Starts it and waits until it answers.
    pub(super) fn start(start: Start, account: &Account, answers: impl Fn() -> bool) -> io::Result<Self> {
        let mut command = start.supervised(account)?;
        // A group of its own: Ctrl-C at the terminal is for us, and we tell the supervisor by closing its input.
        command.process_group(0);
        let supervisor = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut server = Self { folder: start.folder, supervisor };
        server.wait(answers)?;
        std::fs::write(server.folder.join("ready"), "")?;
        Ok(server)
    }

    fn wait(&mut self, answers: impl Fn() -> bool) -> io::Result<()> {
        let begun = Instant::now();
        while !answers() {
            let ended = self.folder.join("failed").exists() || self.supervisor.try_wait()?.is_some();
            if ended || begun.elapsed() > READY_MAX {
                return Err(io::Error::other(format!("the server did not start; its last lines:\n{}", tail(&self.folder))));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the word to end; it comes back when the server is gone.
        drop(self.supervisor.stdin.take());
        if let Err(error) = self.supervisor.wait() {
            eprintln!("{}: {error}", self.folder.display());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The end of what a server printed.
fn tail(folder: &Path) -> String {
    let log = std::fs::read(folder.join("log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Runs a program that prepares something to its end; what it printed is shown only if it failed.
pub(super) fn prepared(command: &mut Command) -> io::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let said = command.stdin(Stdio::null()).output().map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    let printed = String::from_utf8_lossy(&said.stdout).into_owned();
    if said.status.success() {
        return Ok(printed);
    }
    let stderr = String::from_utf8_lossy(&said.stderr);
    Err(io::Error::other(format!("{name}: {}\n{printed}{stderr}", said.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for a server: a script in a folder of its own, run as whoever runs the tests.
    fn stand_in(name: &str, script: &str) -> (Start, Account) {
        let account = Account::choose(&[]).unwrap();
        let folder = std::env::temp_dir().join(format!("hos-server-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        account.folder(&folder).unwrap();
        let args = ["-c", script].iter().map(OsString::from).collect();
        (Start { folder, signal: "TERM", program: PathBuf::from("/bin/sh"), args }, account)
    }

    fn alive(pid: &str) -> bool {
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -0 \"$1\"", "alive", pid.trim()]).stderr(Stdio::null()).status().unwrap().success()
    }

    #[test]
    fn one_that_ends_at_once_says_why_and_leaves_nothing() {
        let (start, account) = stand_in("ends", "echo no room >&2; exit 1");
        let folder = start.folder.clone();
        let begun = Instant::now();
        let error = Server::start(start, &account, || false).err().unwrap().to_string();
        assert!(error.ends_with("no room"), "{error}");
        assert!(begun.elapsed() < READY_MAX / 3, "its end was not noticed");
        assert!(!folder.exists());
    }

    #[test]
    fn it_ends_with_the_process_that_holds_the_supervisor() {
        let (start, account) = stand_in("orphan", "exec sleep 1000");
        // The holder is a process that keeps the supervisor's input open and is killed.
        let mut holder = Command::new("sleep").arg("1000").stdout(Stdio::piped()).spawn().unwrap();
        let mut supervisor = start.supervised(&account).unwrap().stdin(holder.stdout.take().unwrap()).spawn().unwrap();
        let file = start.folder.join("pid");
        let begun = Instant::now();
        while !file.exists() && begun.elapsed() < READY_MAX {
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid = std::fs::read_to_string(&file).unwrap();
        assert!(alive(&pid));
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert!(supervisor.wait().unwrap().success());
        assert!(!alive(&pid), "the server outlived its holder");
        assert_eq!(std::fs::read_dir(&start.folder).unwrap().count(), 0, "the folder was not emptied");
        std::fs::remove_dir_all(&start.folder).unwrap();
    }
}
