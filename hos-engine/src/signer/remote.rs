//! A signer that is elsewhere: asked over a line, told from where the tree grew.

use super::failed;
use super::protocol::{Answer, Request};
use crate::Failure;
use crate::ports::{Growth, Signer, Unsigned};
use hos_core::id::Shown;
use hos_core::proof::key::VerifyKey;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How often a signer may say that it is further on than was thought: others who write ask it too.
const ROUNDS: usize = 5;
/// What a signer refuses for the head that it is shown, or for what it keeps of that log. Every other refusal is a trouble of its own.
const OF_THE_HEAD: [&str; 5] = ["signer.shrinks", "signer.forked", "signer.inconsistent", "signer.origin", "signer.state"];

/// A way to a signer: one request there, one answer back, in bounded time.
pub trait Line: Send + Sync {
    /// Asks; the answer has at most a few hundred bytes.
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Failure>;
}

/// A signer at the end of a line.
pub struct Remote<L> {
    line: L,
    /// The sizes that it is known to have signed, by origin: what is wrong here costs one more round.
    last: Mutex<HashMap<String, u64>>,
}

impl<L: Line> Remote<L> {
    /// The signer at the end of this line.
    pub fn new(line: L) -> Self {
        Self { line, last: Mutex::default() }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Line> Signer for Remote<L> {
    fn public(&self) -> Result<VerifyKey, Failure> {
        match Answer::decode(&self.line.ask(&Request::Key.encode())?)? {
            Answer::Key(key) => Ok(*key),
            other => Err(unexpected(other).into()),
        }
    }

    fn is_here(&self) -> bool {
        false
    }

    fn sign(&self, growth: &Growth<'_>) -> Result<[u8; 64], Failure> {
        Ok(self.ask(growth)?)
    }

    fn ask(&self, growth: &Growth<'_>) -> Result<[u8; 64], Unsigned> {
        let (origin, size) = (&growth.checkpoint.origin, growth.checkpoint.size);
        let mut old = self.known().get(origin).copied().unwrap_or(0);
        for _ in 0..ROUNDS {
            if old > size {
                let why = format!("the signer has signed {old} entries of `{origin}`, and there are {size}: its end is lost");
                return Err(Unsigned::Refused(failed(why)));
            }
            let proof = if old == 0 || old == size { Vec::new() } else { (growth.proof)(old)? };
            let request = Request::Sign { old, proof, checkpoint: growth.checkpoint.clone() };
            match Answer::decode(&self.line.ask(&request.encode())?)? {
                Answer::Signature(signature) => {
                    self.known().insert(origin.clone(), size);
                    return Ok(signature);
                }
                Answer::Stale(last) => old = last,
                other => return Err(unexpected(other)),
            }
        }
        Err(Unsigned::Refused(failed("the signer says each time that it is further on")))
    }
}

fn unexpected(answer: Answer) -> Unsigned {
    let Answer::Refused(code, why) = answer else {
        return Unsigned::Failed(failed("the signer answered something else than was asked"));
    };
    let told = failed(format!("the signer refused: {}: {}", Shown(&code), Shown(&why)));
    if OF_THE_HEAD.contains(&code.as_str()) { Unsigned::Refused(told) } else { Unsigned::Failed(told) }
}
