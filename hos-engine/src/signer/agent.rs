//! The agent: a signer that believes nobody. It keeps the head that it signed last, and signs only what extends it.

use super::memory::Memory;
use super::protocol::{Answer, Request};
use crate::Failure;
use crate::ports::{Growth, Signer};
use hos_core::id::TreeHash;
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::tree::verify_consistency;
use hos_core::refusal::Code;
use std::path::Path;
use std::time::Duration;

/// An agent over a key.
pub struct Agent {
    key: Box<dyn Signer>,
    memory: Option<Memory>,
}

impl Agent {
    /// An agent that signs with this key. What it signed last is kept in the directory; without one it keeps nothing and
    /// signs whatever it is asked to, as a key in a file would.
    pub fn new(key: Box<dyn Signer>, state: Option<&Path>) -> Result<Self, Failure> {
        Self::in_turn(key, state, Duration::ZERO)
    }

    /// The same, and another agent that has the directory is waited for so long: one that answers a single request has it but a moment.
    pub fn in_turn(key: Box<dyn Signer>, state: Option<&Path>, patience: Duration) -> Result<Self, Failure> {
        let memory = state.map(|dir| Memory::open(dir, patience)).transpose();
        Ok(Self { key, memory: memory.map_err(|e| Failure::new(Code::SignerFailed, e))? })
    }

    /// Answers one request. Nothing that is asked makes it panic, and only what extends the last head is signed.
    pub fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let answer = match Request::decode(request) {
            Err(why) => refused("signer.malformed", why),
            Ok(Request::Key) => match self.key.public() {
                Ok(key) => Answer::Key(Box::new(key)),
                Err(failure) => refused("signer.key", &failure.message),
            },
            Ok(Request::Sign { old, proof, checkpoint }) => self.sign(old, &proof, &checkpoint).unwrap_or_else(|no| no),
        };
        answer.encode()
    }

    fn sign(&mut self, old: u64, proof: &[TreeHash], head: &Checkpoint) -> Result<Answer, Answer> {
        if let Some(memory) = &self.memory {
            if !memory.knows(&head.origin) {
                return Err(refused("signer.origin", "this is no origin of a log of H-OS"));
            }
            let last = memory.last(&head.origin).map_err(|e| refused("signer.state", &e))?;
            extends(last.as_ref(), old, proof, head)?;
            if last.as_ref() != Some(head) {
                memory.keep(head).map_err(|e| refused("signer.state", &e))?;
            }
        }
        // From here on the head is kept: whatever happens, another head of this size is never signed.
        let growth = Growth { checkpoint: head, proof: &|_| Ok(proof.to_vec()) };
        let signature = self.key.sign(&growth).map_err(|failure| refused("signer.key", &failure.message))?;
        Ok(Answer::Signature(signature))
    }
}

/// Whether a head extends the last one.
fn extends(last: Option<&Checkpoint>, old: u64, proof: &[TreeHash], head: &Checkpoint) -> Result<(), Answer> {
    let Some(last) = last.filter(|last| last.size > 0) else {
        return if old == 0 && proof.is_empty() { Ok(()) } else { Err(Answer::Stale(0)) };
    };
    if head.size < last.size {
        return Err(refused(
            "signer.shrinks",
            &format!("{} entries were signed for, and now there are {}", last.size, head.size),
        ));
    }
    if head.size == last.size {
        // The same head again: its signature may have been lost on the way.
        return if head.root == last.root {
            Ok(())
        } else {
            Err(refused("signer.forked", "another root was signed for this size"))
        };
    }
    if old != last.size {
        return Err(Answer::Stale(last.size));
    }
    verify_consistency(last.size, head.size, &last.root, &head.root, proof)
        .map_err(|e| refused("signer.inconsistent", &format!("the head does not extend the last: {e}")))
}

fn refused(code: &str, why: &str) -> Answer {
    Answer::Refused(code.to_owned(), why.to_owned())
}
