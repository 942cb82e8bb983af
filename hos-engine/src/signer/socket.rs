//! A line to an agent: a Unix socket, one connection a request, bounded in time and bytes.
//!
//! The system's own calls instead of the library's stream, for two reasons: a full backlog makes `connect` wait for ever
//! unless a time was set before, and a write to a peer that is gone must not raise a signal in the program that hosts us.

use super::failed;
use super::remote::Line;
use crate::Failure;
use crate::limits::SIGNER_ANSWER_BYTES_MAX;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, UnixAddr, connect, recv, send, setsockopt, shutdown, socket, sockopt,
};
use nix::sys::time::TimeVal;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The way to an agent's socket.
pub struct SocketLine {
    path: PathBuf,
    patience: Duration,
}

impl SocketLine {
    /// The agent at this path; its answer is waited for so long.
    pub fn new(path: impl Into<PathBuf>, patience: Duration) -> Self {
        Self { path: path.into(), patience }
    }

    fn slow(&self) -> Failure {
        failed(format!("the signer at {} took longer than {} ms", self.path.display(), self.patience.as_millis()))
    }

    fn wrong(&self, doing: &str, errno: Errno) -> Failure {
        // So the system says that the time is over that was set.
        if errno == Errno::EAGAIN {
            return self.slow();
        }
        failed(format!("the signer at {}: cannot {doing}: {}", self.path.display(), errno.desc()))
    }

    /// What is left of the time; the system takes a zero for "for ever".
    fn left(&self, until: Instant) -> Result<TimeVal, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) {
            return Err(self.slow());
        }
        let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
        Ok(TimeVal::new(seconds, i64::from(left.subsec_micros())))
    }

    fn set(&self, fd: &OwnedFd, until: Instant) -> Result<(), Failure> {
        let left = self.left(until)?;
        setsockopt(fd, sockopt::SendTimeout, &left).map_err(|e| self.wrong("set a time", e))?;
        setsockopt(fd, sockopt::ReceiveTimeout, &left).map_err(|e| self.wrong("set a time", e))
    }

    /// One of the system's calls within the time that is left: again where a signal came in between, for the program that hosts us may
    /// get as many as it likes.
    fn within<T>(
        &self,
        fd: &OwnedFd,
        until: Instant,
        doing: &str,
        mut call: impl FnMut() -> nix::Result<T>,
    ) -> Result<T, Failure> {
        loop {
            self.set(fd, until)?;
            match call() {
                Err(Errno::EINTR) => {}
                done => return done.map_err(|e| self.wrong(doing, e)),
            }
        }
    }
}

impl Line for SocketLine {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let until = Instant::now() + self.patience;
        let fd =
            socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).map_err(|e| self.wrong("open", e))?;
        let at = UnixAddr::new(&self.path).map_err(|e| self.wrong("use its path", e))?;
        self.within(&fd, until, "connect", || connect(fd.as_raw_fd(), &at))?;
        let mut sent = 0;
        while let Some(rest) = request.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += self.within(&fd, until, "write", || send(fd.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL))?;
        }
        shutdown(fd.as_raw_fd(), Shutdown::Write).map_err(|e| self.wrong("write", e))?;
        let (mut answer, mut room) = (Vec::new(), [0; SIGNER_ANSWER_BYTES_MAX]);
        loop {
            let got = self.within(&fd, until, "read", || recv(fd.as_raw_fd(), &mut room, MsgFlags::empty()))?;
            answer.extend_from_slice(room.get(..got).unwrap_or_default());
            if got == 0 {
                return Ok(answer);
            }
            if answer.len() > SIGNER_ANSWER_BYTES_MAX {
                return Err(failed(format!("the signer at {} does not stop talking", self.path.display())));
            }
        }
    }
}
