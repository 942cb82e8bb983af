//! A line to a program: the request on its standard input, the answer on its standard output, and an end to its time.
//!
//! The program's ends are sockets, so that both directions can be given a time without a thread of our own; it reads and
//! writes its descriptors 0 and 1 as always, and only cannot open them again by name.

use super::failed;
use super::remote::Line;
use crate::Failure;
use crate::limits::SIGNER_ANSWER_BYTES_MAX;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The way to a program.
pub struct CommandLine {
    words: Vec<String>,
    patience: Duration,
}

/// Ended whatever happens, and never left as a zombie.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl CommandLine {
    /// The program and its arguments, separated by white space; no shell reads them. Its answer is waited for so long.
    pub fn new(words: &str, patience: Duration) -> Self {
        Self { words: words.split_whitespace().map(str::to_owned).collect(), patience }
    }

    fn wrong(&self, what: impl std::fmt::Display) -> Failure {
        failed(format!("the signer `{}`: {what}", self.words.first().map_or("", String::as_str)))
    }

    fn slow(&self) -> Failure {
        self.wrong(format!("it took longer than {} ms", self.patience.as_millis()))
    }

    fn left(&self, until: Instant) -> Result<Duration, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) { Err(self.slow()) } else { Ok(left) }
    }
}

impl Line for CommandLine {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let until = Instant::now() + self.patience;
        let (program, arguments) = self.words.split_first().ok_or_else(|| failed("the signer's command is empty"))?;
        let (ours, theirs) = UnixStream::pair().map_err(|e| self.wrong(e))?;
        let input: OwnedFd = theirs.try_clone().map_err(|e| self.wrong(e))?.into();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::from(input)).stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::null());
        let mut running = Running(command.spawn().map_err(|e| self.wrong(format!("it cannot be started: {e}")))?);
        // The builder holds the program's ends; as long as it lives, theirs never close.
        drop(command);
        let mut sent = 0;
        while let Some(rest) = request.get(sent..).filter(|rest| !rest.is_empty()) {
            ours.set_write_timeout(Some(self.left(until)?)).map_err(|e| self.wrong(e))?;
            // A program that ends without reading must not raise a signal here.
            match send(ours.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
                Ok(more) => sent += more,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Err(self.slow()),
                Err(e) => return Err(self.wrong(format!("cannot write: {}", e.desc()))),
            }
        }
        ours.shutdown(Shutdown::Write).map_err(|e| self.wrong(e))?;
        let (mut answer, mut room) = (Vec::new(), [0; SIGNER_ANSWER_BYTES_MAX]);
        loop {
            ours.set_read_timeout(Some(self.left(until)?)).map_err(|e| self.wrong(e))?;
            let got = match (&ours).read(&mut room) {
                Ok(got) => got,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    return Err(self.slow());
                }
                Err(e) => return Err(self.wrong(e)),
            };
            answer.extend_from_slice(room.get(..got).unwrap_or_default());
            if got == 0 {
                break;
            }
            if answer.len() > SIGNER_ANSWER_BYTES_MAX {
                return Err(self.wrong("it does not stop talking"));
            }
        }
        // Its word counts only if it ended well.
        let mut pause = Duration::from_micros(200);
        loop {
            match running.0.try_wait().map_err(|e| self.wrong(e))? {
                Some(status) if status.success() => return Ok(answer),
                Some(status) => return Err(self.wrong(format!("it ended with {status}"))),
                None => thread::sleep(pause.min(self.left(until)?)),
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}
