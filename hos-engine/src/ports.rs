//! What the engine asks of the world: time and chance. Everything else it brings itself.

use hos_core::time::Timestamp;

/// Time, as this process claims it.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since 1970. May step back; the judge refuses what cannot be.
    fn now(&self) -> Timestamp;
}

/// Chance, for salts, handles, keys and ids.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with bytes that nobody can foretell.
    fn fill(&self, out: &mut [u8]) -> Result<(), crate::Failure>;
}
