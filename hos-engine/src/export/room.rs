//! Whether a story fits into a bundle. It is found out while the story is gathered: nobody holds more of it than a bundle may, and none is
//! written that no verifier takes.

use crate::Failure;
use hos_core::id::{InstanceId, Name};
use hos_core::limits::BUNDLE_BYTES_MAX;
use hos_core::proof::bundle::{Item, LawFiles};
use hos_core::refusal::Code;

/// What is left of a bundle.
pub(super) struct Room<'s> {
    contract: &'s Name,
    id: &'s InstanceId,
    bytes: usize,
}

impl<'s> Room<'s> {
    pub(super) fn new(contract: &'s Name, id: &'s InstanceId) -> Self {
        Self { contract, id, bytes: BUNDLE_BYTES_MAX }
    }

    /// Takes a record in, as far as it is disclosed. What stands around it is not counted: the bundle is measured as it is written.
    pub(super) fn item(&mut self, item: &Item) -> Result<(), Failure> {
        let opened: usize = item.opened.iter().map(|part| part.plaintext.len()).sum();
        self.take(item.entry.len() + opened)
    }

    pub(super) fn law(&mut self, law: &LawFiles) -> Result<(), Failure> {
        self.take(law.files.iter().map(|(path, bytes)| path.len() + bytes.len()).sum())
    }

    fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| self.too_large())?;
        Ok(())
    }

    /// More bytes than a bundle has.
    pub(super) fn too_large(&self) -> Failure {
        self.unfit(&format!("it holds more than {BUNDLE_BYTES_MAX} bytes: keep large parts back, such as `*.facts` or `*.slice`"))
    }

    /// Holds how many of something there are against how many a bundle may have.
    pub(super) fn holds(&self, count: usize, most: usize, what: &str) -> Result<(), Failure> {
        if count <= most {
            return Ok(());
        }
        Err(self.unfit(&format!("it has {count} {what}, and a bundle at most {most}")))
    }

    fn unfit(&self, why: &str) -> Failure {
        let instead = "what fits into none is exported as its records' proofs, or with the whole log as tiles";
        Failure::new(
            Code::CallTooLarge,
            format!("the story of `{}/{}` does not fit into a bundle: {why}; {instead}", self.contract, self.id),
        )
    }
}
