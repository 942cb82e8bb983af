//! The log of all tenants' checkpoints: the universe's log, in which a record says size and root of one tenant's tree
//! (`spec/chain.md`, "Roots"). Whoever vouches for the universe's checkpoint vouches for what its records say.

use crate::canon::{CanonError, Reader, Writer};
use crate::id::{Tenant, TreeHash};
use std::fmt;

/// The stream of these records, in the universe.
pub const STREAM: &str = "hos.checkpoints";

/// What one record says: `[tenant, epoch, size, root]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRoot {
    /// Whose log.
    pub tenant: Tenant,
    /// The epoch in the checkpoint's origin.
    pub epoch: u64,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
}

/// Why bytes are no content of such a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantRootError {
    /// It is not deterministic CBOR of the shape.
    #[error("it is not `[tenant, epoch, size, root]`: {0}")]
    Shape(#[from] CanonError),
    /// The tenant's name is none.
    #[error("the tenant's name is none")]
    Tenant,
}

impl TenantRoot {
    /// The content of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.array(4).text(self.tenant.as_str()).uint(self.epoch).uint(self.size).bytes(self.root.as_bytes());
        w.finish()
    }

    /// What these bytes say.
    pub fn decode(bytes: &[u8]) -> Result<Self, TenantRootError> {
        let mut r = Reader::new(bytes);
        r.array_of(4)?;
        let tenant = Tenant::new(r.text()?).map_err(|_| TenantRootError::Tenant)?;
        let said = Self { tenant, epoch: r.uint()?, size: r.uint()?, root: TreeHash(r.bytes_of()?) };
        r.end()?;
        crate::canon::same(bytes, &said.encode())?;
        Ok(said)
    }

    /// Whether another says something else of the same log at the same size: both cannot be true.
    pub fn contradicts(&self, other: &Self) -> bool {
        (&self.tenant, self.epoch, self.size) == (&other.tenant, other.epoch, other.size) && self.root != other.root
    }
}

impl fmt::Display for TenantRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in epoch {} at size {}: root {}", self.tenant, self.epoch, self.size, self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(tenant: &str, size: u64, byte: u8) -> TenantRoot {
        TenantRoot { tenant: Tenant::new(tenant).unwrap(), epoch: 0, size, root: TreeHash([byte; 32]) }
    }

    #[test]
    fn what_was_written_is_read_and_no_other_spelling() {
        let said = root("pazar-tr", 300, 7);
        let bytes = said.encode();
        assert_eq!(TenantRoot::decode(&bytes), Ok(said));
        for cut in 0..bytes.len() {
            assert!(TenantRoot::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(TenantRoot::decode(&[&bytes[..], &[0]].concat()).is_err());
        let mut w = Writer::default();
        w.array(4).text("Pazar").uint(0).uint(1).bytes(&[0; 32]);
        assert_eq!(TenantRoot::decode(&w.finish()), Err(TenantRootError::Tenant));
    }

    #[test]
    fn only_the_same_log_at_the_same_size_is_contradicted() {
        let said = root("a", 3, 1);
        assert!(said.contradicts(&root("a", 3, 2)));
        for other in [root("a", 3, 1), root("b", 3, 2), root("a", 4, 2), TenantRoot { epoch: 1, ..root("a", 3, 2) }] {
            assert!(!said.contradicts(&other), "{other}");
        }
    }
}
