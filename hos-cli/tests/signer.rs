//! `hos signer`: the key stays with the agent, and the store under it is as sound as under a key file.

mod common;

use common::{Run, hos, law, run};
use serde_json::Value as Json;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// An agent, ended with the test.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agent(dir: &Path, key: &Path) -> Agent {
    let socket = dir.join("s");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hos"));
    command.args(["signer", "--socket-mode", "660", "--key-file"]).arg(key).arg("--socket").arg(&socket);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // It says so when it listens.
    let mut said = [0; 8];
    child.stderr.take().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(&said, b"signing ");
    Agent { child, socket }
}

struct World {
    dir: TempDir,
    signer: Vec<String>,
}

impl World {
    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = hos();
        command.env("HOS_STORE", self.path("hos.db")).env("HOS_TENANT", "pazar").env("HOS_AS", "Account::root");
        command.args(["--time", common::NOON]).args(&self.signer).args(arguments);
        run(command)
    }

    fn lives(&self) {
        let law = law();
        let init = ["init", "--law", law.to_str().unwrap(), "--founder", "Account::root", "--role", "Role::operator"];
        self.run(&[&init[..], &["--attr", "active=true"]].concat()).ended(0);
        self.run(&["directory", "put", "Account::ayse", "--attr", "active=true", "--tenant", "universe"]).ended(0);
        let begin =
            ["begin", "order", "o-1", "place", "--fact", "buyer=ayse", "--fact", "total=4200", "--as", "Account::ayse", "--json"];
        let born = self.run(&begin).ended(0).json();
        assert!(born["receipt"]["seal"]["checkpoint"].is_string(), "{born}");
        let verified = self.run(&["verify", "--json"]).ended(0).json();
        assert_eq!((&verified["level"], &verified["findings"]), (&Json::from("intact"), &serde_json::json!([])));
        assert!(self.run(&["work", "--json"]).ended(0).json()["unsigned"].as_array().unwrap().is_empty());
    }
}

fn key(dir: &Path) -> PathBuf {
    let path = dir.join("k");
    let mut command = hos();
    command.args(["keys", "generate"]).arg(&path);
    run(command).ended(0);
    path
}

#[test]
fn a_key_file_an_agent_and_a_command_sign_alike() {
    for kind in ["file", "socket", "command"] {
        let dir = tempfile::tempdir().unwrap();
        let key = key(dir.path());
        let running = (kind == "socket").then(|| agent(dir.path(), &key));
        let signer = match kind {
            "file" => vec!["--key-file".to_owned(), key.to_str().unwrap().to_owned()],
            "socket" => vec!["--signer-socket".to_owned(), running.as_ref().unwrap().socket.to_str().unwrap().to_owned()],
            _ => {
                let words = format!("{} signer --stdio --key-file {}", env!("CARGO_BIN_EXE_hos"), key.display());
                vec!["--signer-command".to_owned(), words]
            }
        };
        let world = World { dir, signer };
        world.lives();
        assert!(!Path::new(&world.path("hos.db.key")).exists(), "{kind}: the key is nowhere else");
        assert_eq!(Path::new(&world.path("k.heads")).is_dir(), kind != "file", "{kind}: what was signed is kept");
    }
}

#[test]
fn without_its_agent_a_store_goes_on_and_says_what_is_owed() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path());
    let running = agent(dir.path(), &key);
    let mode = std::fs::metadata(&running.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let signer = vec!["--signer-socket".to_owned(), running.socket.to_str().unwrap().to_owned()];
    let world = World { dir, signer };
    world.lives();
    drop(running);
    let begin =
        ["begin", "order", "o-2", "place", "--fact", "buyer=ayse", "--fact", "total=1", "--as", "Account::ayse", "--json"];
    let born = world.run(&begin).ended(0).json();
    assert!(
        born["receipt"]["seal"]["seq"].is_u64() && born["receipt"]["seal"].get("checkpoint").is_none_or(Json::is_null),
        "{born}"
    );
    let owed = world.run(&["work", "--json"]).ended(4).json();
    assert_eq!(owed["unsigned"][0]["tenant"], "pazar");
    let verified = world.run(&["verify", "--json"]).ended(0).json();
    let notices = verified["notices"].as_array().unwrap();
    assert!(notices.iter().any(|n| n.as_str().unwrap().contains("bear no stored checkpoint")), "{notices:?}");
    // A socket that was left behind is taken over; what was signed is remembered; the debt is paid.
    let running = agent(world.dir.path(), &key);
    world.run(&["work"]).ended(0);
    let verified = world.run(&["verify", "--json"]).ended(0).json();
    assert!(!verified["notices"].to_string().contains("bear no stored checkpoint"));
    // A second agent on the same heads, or on the same socket, does not start.
    let mut second = hos();
    second.args(["signer", "--stdio", "--json", "--key-file"]).arg(&key);
    assert_eq!(run(second).ended(4).code(), "hos.signer_failed");
    let mut second = hos();
    second
        .args(["signer", "--json", "--state", &world.path("other"), "--key-file"])
        .arg(&key)
        .arg("--socket")
        .arg(&running.socket);
    assert_eq!(run(second).ended(4).code(), "hos.signer_failed");
}

#[test]
fn an_agent_takes_over_a_socket_that_was_left_behind_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path());
    let bytes = std::fs::read(&key).unwrap();
    let other = dir.path().join("other");
    std::fs::write(&other, "mine").unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&other, &link).unwrap();
    for path in [&key, &other, &link, &dir.path().to_owned()] {
        let mut command = hos();
        command.args(["signer", "--json", "--key-file"]).arg(&key).arg("--socket").arg(path);
        // One that listened would go on for good.
        command.timeout(Duration::from_secs(30));
        assert_eq!(run(command).ended(4).code(), "hos.signer_failed", "{}", path.display());
    }
    assert_eq!((std::fs::read(&key).unwrap(), std::fs::read(&other).unwrap()), (bytes, b"mine".to_vec()));
    assert!(link.is_symlink());
    drop(UnixListener::bind(dir.path().join("s")).unwrap());
    let running = agent(dir.path(), &key);
    UnixStream::connect(&running.socket).unwrap();
}

#[test]
fn an_agent_refuses_a_store_that_was_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path());
    let running = agent(dir.path(), &key);
    let signer = vec!["--signer-socket".to_owned(), running.socket.to_str().unwrap().to_owned()];
    let world = World { dir, signer };
    world.lives();
    world.run(&["backup", &world.path("old.db")]).ended(0);
    let order = |id: &str| {
        let begin =
            ["begin", "order", id, "place", "--fact", "buyer=ayse", "--fact", "total=1", "--as", "Account::ayse", "--json"];
        world.run(&begin).ended(0).json()
    };
    assert!(order("o-2")["receipt"]["seal"]["checkpoint"].is_string());
    assert!(order("o-3")["receipt"]["seal"]["checkpoint"].is_string());
    for name in ["hos.db-wal", "hos.db-shm"] {
        let _ = std::fs::remove_file(world.path(name));
    }
    std::fs::copy(world.path("old.db"), world.path("hos.db")).unwrap();
    // The old backup goes on, but nobody vouches for its other past.
    assert!(order("o-4")["receipt"]["seal"].get("checkpoint").is_none_or(Json::is_null));
    let owed = world.run(&["work", "--json"]).ended(4).json();
    assert!(owed["unsigned"].to_string().contains("signer.shrinks"), "{owed}");
    for id in ["o-5", "o-6", "o-7"] {
        assert!(order(id)["receipt"]["seal"].get("checkpoint").is_none_or(Json::is_null));
    }
    let owed = world.run(&["work", "--json"]).ended(4).json();
    assert!(owed["unsigned"].to_string().contains("signer.inconsistent"), "{owed}");
}

#[test]
fn an_agent_cuts_off_who_talks_too_much_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path());
    let running = agent(dir.path(), &key);
    let ask = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&running.socket).unwrap();
        // It may hang up before everything is written.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    for bad in [&b""[..], b"\0", b"hos signer 1\n", b"hos signer 1\nsign 0\n\n", &[b'x'; 20_000]] {
        let answer = ask(bad);
        assert!(answer.is_empty() || answer.starts_with("refused signer.malformed "), "{answer}");
        assert!(ask(b"hos signer 1\nkey\n").starts_with("key "));
    }
}

#[test]
fn a_command_that_does_not_sign_is_named_and_never_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path());
    let words = format!("{} signer --stdio --key-file {}", env!("CARGO_BIN_EXE_hos"), key.display());
    let mut world = World { dir, signer: vec!["--signer-command".to_owned(), words] };
    world.lives();
    for (n, bad) in
        ["/bin/false", "/no/such/program", "/bin/echo key 00", "/bin/sleep 600", "/usr/bin/yes", " "].into_iter().enumerate()
    {
        world.signer[1] = bad.to_owned();
        let begin = ["begin", "order", &format!("bad{n}"), "place", "--fact", "buyer=ayse", "--fact", "total=1"];
        let born = world.run(&[&begin[..], &["--as", "Account::ayse", "--json"]].concat()).ended(0).json();
        assert!(born["receipt"]["seal"].get("checkpoint").is_none_or(Json::is_null), "{bad}: {born}");
    }
    let both = [world.signer.clone(), vec!["--key-file".into(), "k".into()]].concat();
    world.signer = both;
    world.run(&["verify"]).ended(2);
}
