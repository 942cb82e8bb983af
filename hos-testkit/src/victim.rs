//! A process that is going to be killed, and what it said until then.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A process of which every word is kept.
#[derive(Debug)]
pub struct Victim {
    child: Child,
    out: Ear,
    err: Ear,
}

/// What a process ended with.
#[derive(Debug)]
pub struct End {
    /// All that it wrote to its standard output.
    pub text: String,
    /// What it wrote to its standard error.
    pub trouble: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl End {
    /// Whether a signal ended it.
    pub fn is_killed(&self) -> bool {
        self.status.code().is_none()
    }
}

impl Victim {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Ok(Self { child, out: Ear::to(out), err: Ear::to(err) })
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.out.heard()
    }

    /// Waits until it has said this many lines that begin with a word; false if it ended, or took too long.
    pub fn says(&mut self, word: &str, lines: usize, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let enough = |text: &str| text.lines().filter(|line| line.split(' ').any(|one| one == word)).count() >= lines;
        loop {
            let ended = !matches!(self.child.try_wait(), Ok(None));
            if enough(&self.said()) {
                return true;
            }
            if ended || Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end; false if it says nothing more for so long: then it hangs.
    pub fn ends(&mut self, patience: Duration) -> bool {
        let (mut heard, mut until) = (0, Instant::now() + patience);
        while self.runs() {
            let length = self.said().len();
            if length > heard {
                (heard, until) = (length, Instant::now() + patience);
            }
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Kills it where it stands: nothing of it runs after that.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, and gives all that it said.
    ///
    /// # Errors
    ///
    /// It cannot be waited for.
    pub fn end(mut self) -> io::Result<End> {
        let status = self.child.wait()?;
        Ok(End { text: self.out.all(), trouble: self.err.all(), status })
    }
}

/// A test that fails leaves no process behind.
impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe in a thread of its own, so that nobody waits for a full one.
#[derive(Debug)]
struct Ear {
    heard: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    fn to(pipe: Option<impl Read + Send + 'static>) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = heard.clone();
        let thread = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut piece) {
                    keep.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..length]);
                }
            })
        });
        Self { heard, thread }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn all(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            // It only reads; what it has read is there however it ended.
            let _ = thread.join();
        }
        self.heard()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Victim {
        Victim::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn the_words_of_one_that_is_killed_are_kept() {
        let mut victim = sh("echo ack 1; echo ack 2; printf 'ack 3'; exec sleep 60");
        assert!(victim.says("ack", 3, Duration::from_secs(30)));
        victim.kill();
        let end = victim.end().unwrap();
        assert!(end.is_killed() && end.text == "ack 1\nack 2\nack 3", "{end:?}");
    }

    #[test]
    fn one_that_ends_by_itself_is_noticed() {
        let mut victim = sh("echo ack 1; echo woe >&2; exit 3");
        assert!(!victim.says("ack", 2, Duration::from_secs(30)));
        let end = victim.end().unwrap();
        assert!((end.status.code(), end.trouble.trim()) == (Some(3), "woe"), "{end:?}");
    }
}
