//! `hos signer`: the agent that holds a seal key, so that the programs that judge never have it (`spec/signer.md`).
//!
//! One connection at a time, each bounded in bytes and time: whoever hangs is cut off, and what it holds up is a signature,
//! never a commit.

use crate::global::Global;
use crate::options::needs;
use crate::out::Done;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::keys::read_seal_key;
use hos_engine::limits::SIGNER_REQUEST_BYTES_MAX;
use hos_engine::signer::{Agent, CommandLine, FileSigner, PATIENCE, Remote, refusal};
use serde_json::json;
use std::fs::Permissions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a single request waits for another's turn: less than who asks waits for its answer.
const TURN: Duration = Duration::from_secs(2);
/// How long one connection may take.
const CONNECTION: Duration = Duration::from_secs(5);

/// Sign checkpoints for others, who never get the key: what extends the last head is signed, and nothing else.
///
/// The key is named by an option alone: `HOS_SIGNER_SOCKET` and `HOS_SIGNER_COMMAND` are for who asks, and are not read here.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hos signer --key-file seal.key --socket /run/hos/signer.sock
  HOS_SIGNER_SOCKET=/run/hos/signer.sock hos work")]
pub(crate) struct Signer {
    /// The Unix socket to listen on
    #[arg(long, value_name = "PATH", required_unless_present = "stdio")]
    socket: Option<PathBuf>,
    /// Who may connect, as the socket's mode [default: 600]
    #[arg(long, value_name = "OCTAL")]
    socket_mode: Option<String>,
    /// Answer one request from standard input on standard output, and end
    #[arg(long, conflicts_with = "socket")]
    stdio: bool,
    /// Where the heads that were signed last are kept [default: the key file's name with `.heads`]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl Signer {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        needs("--socket", self.socket.is_some(), &[("--socket-mode", self.socket_mode.is_some())])?;
        let beside = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".heads");
            PathBuf::from(name)
        };
        let (key, state): (Box<dyn hos_engine::ports::Signer>, _) = match (&global.key_file, &global.signer_command) {
            (Some(path), None) => (Box::new(FileSigner::new(read_seal_key(path)?)), Some(beside(path))),
            (None, Some(words)) => (Box::new(Remote::new(CommandLine::new(words, PATIENCE))), None),
            _ => return Err(usage("give the key: either --key-file FILE or --signer-command WORDS")),
        };
        let state = self.state.clone().or(state).ok_or_else(|| usage("give --state DIR, where signed heads are kept"))?;
        let public = key.public()?;
        let mut agent = Agent::in_turn(key, Some(&state), if self.stdio { TURN } else { Duration::ZERO })?;
        match &self.socket {
            Some(path) => {
                let listener = listen(path, self.mode()?)?;
                let public: String = public.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
                let _ = writeln!(std::io::stderr(), "signing  with {public} at {}", show::inert(&path.to_string_lossy()));
                serve(&listener, &mut agent)
            }
            None => once(&mut agent),
        }
    }

    fn mode(&self) -> Result<u32, Failure> {
        let Some(text) = &self.socket_mode else { return Ok(0o600) };
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| mode & !0o660 == 0);
        mode.ok_or_else(|| usage(format!("`{}`: a mode that lets the owner and the group in, such as 660", show::inert(text))))
    }
}

/// Listens; a socket that an agent which is gone left behind is taken over, one that answers is not.
fn listen(path: &Path, mode: u32) -> Result<UnixListener, Failure> {
    let failed = |e: std::io::Error| Failure::new(Code::SignerFailed, format!("{}: {e}", show::inert(&path.to_string_lossy())));
    let listener = match UnixListener::bind(path) {
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            if !is_left_behind(path) {
                return Err(failed(e));
            }
            std::fs::remove_file(path).map_err(failed)?;
            UnixListener::bind(path).map_err(failed)?
        }
        other => other.map_err(failed)?,
    };
    std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
    Ok(listener)
}

/// Whether a socket lies there that nobody listens on. Whatever else lies there is somebody's: a key file that was named twice.
fn is_left_behind(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
    is_socket && UnixStream::connect(path).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused)
}

fn serve(listener: &UnixListener, agent: &mut Agent) -> ! {
    loop {
        match listener.accept() {
            // What goes wrong with one connection is that connection's own trouble.
            Ok((stream, _)) => drop(connection(&stream, agent)),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn connection(mut stream: &UnixStream, agent: &mut Agent) -> std::io::Result<()> {
    let until = Instant::now() + CONNECTION;
    let left = || {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(std::io::Error::from(ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let (mut request, mut room) = (Vec::new(), [0; 1024]);
    let answer = loop {
        stream.set_read_timeout(Some(left()?))?;
        let got = match stream.read(&mut room) {
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        request.extend_from_slice(room.get(..got).unwrap_or_default());
        if request.len() > SIGNER_REQUEST_BYTES_MAX {
            break refusal("signer.malformed", "the request is too long");
        }
        if got == 0 {
            break agent.answer(&request);
        }
    };
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(&answer)
}

fn once(agent: &mut Agent) -> Result<Done, Failure> {
    let mut request = Vec::new();
    let read = std::io::stdin().take(SIGNER_REQUEST_BYTES_MAX as u64 + 1).read_to_end(&mut request);
    read.map_err(|e| Failure::new(Code::SignerFailed, e.to_string()))?;
    let answer = String::from_utf8_lossy(&agent.answer(&request)).into_owned();
    Ok(Done::ok(answer.clone(), json!({ "answer": answer.trim_end() })))
}
