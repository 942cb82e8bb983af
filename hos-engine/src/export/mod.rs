//! What leaves a store to be verified by others: one instance's story in a bundle (`spec/bundle.md`), a whole log as tiles,
//! single records' proofs (`spec/layers.md`).

mod hide;
mod instance;
mod item;
mod room;
mod tiles;

use crate::Failure;
use crate::cosign::{Vouched, Witnessing};
use crate::seal::checkpoint_of;
use crate::tenant::TenantRef;
use crate::work::Job;
use hos_core::id::{InstanceId, Name, Tenant};

/// What of an instance's story is exported.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// Parts to keep back: patterns with `*` over `whose.part`, or over a part's name alone (`buyer.*`, `args`). *Whose* is
    /// the fact that names the data subject, `others` for another person's part, `nobody` for nobody's. A pattern that is of no
    /// part of the export, erased ones counted, is refused: one that is misspelt would disclose what it should keep back.
    pub hide: Vec<String>,
    /// Whether to leave out the map of heads: no record is written then, and the bundle is gapless but not complete.
    pub without_map: bool,
}

/// A bundle, and what it says of itself.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The instance's records.
    pub records: usize,
    /// Records that they stand on.
    pub cited: usize,
    /// Parts opened, hidden, erased.
    pub parts: (usize, usize, usize),
    /// The origin of the log.
    pub origin: String,
    /// The size of the checkpoint.
    pub size: u64,
    /// A trust file that names the log by each of the store's own keys that counts for a checkpoint in the bundle, for those who
    /// believe the exporter's word for it.
    pub trust: String,
}

impl TenantRef {
    /// Exports one instance's story under a checkpoint that others vouch for too: on its own note, or through the universe's log
    /// (`spec/trust.md`). What is kept is used; the others are asked.
    pub fn export_cosigned(
        &self,
        contract: &Name,
        id: &InstanceId,
        options: &ExportOptions,
        by: &Witnessing<'_>,
    ) -> Result<Exported, Failure> {
        self.export_with(contract, id, options, Some(by))
    }

    /// Exports one instance's story. Unless the options say otherwise, a record of the map of heads is written first.
    pub fn export(&self, contract: &Name, id: &InstanceId, options: &ExportOptions) -> Result<Exported, Failure> {
        self.export_with(contract, id, options, None)
    }

    fn export_with(
        &self,
        contract: &Name,
        id: &InstanceId,
        options: &ExportOptions,
        by: Option<&Witnessing<'_>>,
    ) -> Result<Exported, Failure> {
        let hide = hide::Patterns::new(&options.hide)?;
        let heads = if options.without_map {
            None
        } else {
            let of = Some((contract.clone(), id.clone()));
            Some(self.desk.mapped(Job::Heads { tenant: self.name.clone(), of })?)
        };
        self.seal()?;
        // Signed before the reading begins: what is read then covers them.
        let under = match by {
            Some(by) => self.vouched(by)?,
            None => {
                let universe = TenantRef { desk: self.desk.clone(), name: Tenant::universe() };
                let universe = if self.name.is_universe() { None } else { Some((universe.sealed_and_signed()?, None)) };
                Vouched { note: self.signed(&self.name)?, universe }
            }
        };
        self.desk.read(|tx| {
            let story = instance::Story { tx, court: &self.desk.court, tenant: &self.name, hide: &hide };
            story.export(contract, id, &under, heads.as_ref())
        })
    }

    /// A trust file that names this log by each of the store's own keys that counts for its newest checkpoint, or for the
    /// universe's: an idle log still stands under the key before a change.
    pub fn trust_file(&self) -> Result<String, Failure> {
        let own = checkpoint_of(&self.signed(&self.name)?)?;
        let universe = checkpoint_of(&self.signed(&Tenant::universe())?)?;
        let sizes = [(self.name.clone(), own.size), (Tenant::universe(), universe.size)];
        self.desk.read(|tx| instance::trust_of(&own.origin, &*self.desk.court.ring(tx)?, &sizes))
    }
}
