//! What the engine asks of the world: time, chance, and a signature. Everything else it brings itself.

use crate::Failure;
use hos_core::id::TreeHash;
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::key::VerifyKey;
use hos_core::time::Timestamp;

/// Time, as this process claims it.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since 1970. May step back; the judge refuses what cannot be.
    fn now(&self) -> Timestamp;
}

/// Chance, for salts, handles, keys and ids.
///
/// It is an input so that a test can live through the same day twice. Whoever can foretell it can say what stands in a part
/// that was erased, by trying its salt, and make keys of persons again; two processes with the same chance give two threads one
/// name. A store that is not thrown away has the operating system's, which is the default, and nothing else.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with bytes that nobody can foretell.
    fn fill(&self, out: &mut [u8]) -> Result<(), Failure>;
}

/// A head that somebody is asked to vouch for.
pub struct Growth<'g> {
    /// The log's origin, its size, its root.
    pub checkpoint: &'g Checkpoint,
    /// The consistency proof from a smaller tree of the same log, of at least one entry. The signer says from which.
    pub proof: &'g dyn Fn(u64) -> Result<Vec<TreeHash>, Failure>,
}

/// Why a head bears no signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsigned {
    /// The signer did not answer, or cannot sign at all.
    Failed(Failure),
    /// It answered, and does not sign this very head: another process may have had a longer one signed meanwhile.
    Refused(Failure),
}

impl From<Failure> for Unsigned {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Unsigned> for Failure {
    fn from(unsigned: Unsigned) -> Self {
        match unsigned {
            Unsigned::Failed(failure) | Unsigned::Refused(failure) => failure,
        }
    }
}

/// Who vouches for heads: a file's key in this process, an agent that keeps the key away from it, a program that asks a
/// hardware module.
///
/// # Promises
///
/// - The engine asks only for what is committed: a signature never covers what may still be rolled back.
/// - `sign` signs [`Checkpoint::text`] with Ed25519 and nothing else. The same head gives the same signature, or at least one
///   that holds: the engine verifies each before anybody sees it.
/// - Neither call panics or waits for ever. What fails leaves receipts without checkpoint, which the next round of work makes.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public(&self) -> Result<VerifyKey, Failure>;

    /// Whether it signs at once, in this process and without a proof: then whoever commits signs. One that may wait is
    /// asked by each caller after the commit, so that nobody else waits.
    fn is_here(&self) -> bool;

    /// Whether its signatures are its key's by construction: the key is in this very process. Every other signer's are held
    /// against the key before they are used.
    fn holds_key(&self) -> bool {
        false
    }

    /// Signs a head.
    fn sign(&self, growth: &Growth<'_>) -> Result<[u8; 64], Failure>;

    /// The same, for who asks again with a longer head where this one was refused. A signer that cannot tell has failed.
    fn ask(&self, growth: &Growth<'_>) -> Result<[u8; 64], Unsigned> {
        Ok(self.sign(growth)?)
    }
}
