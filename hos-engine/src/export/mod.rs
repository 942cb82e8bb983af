//! What leaves a store to be verified by others: one instance's story in a bundle (`spec/bundle.md`), a whole log as tiles,
//! single records' proofs (`spec/layers.md`).

mod hide;
mod instance;
mod item;
mod tiles;

use crate::Failure;
use crate::court::lock;
use crate::tenant::TenantRef;
use crate::work::Job;
use hos_core::id::{InstanceId, Name, Tenant, TreeHash};
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::checkpoint::Note;
use hos_core::refusal::Code;

/// What of an instance's story is exported.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// Parts to keep back: patterns with `*` over `whose.part`, or over a part's name alone (`buyer.*`, `args`). *Whose* is
    /// the fact that names the data subject, `others` for another person's part, `nobody` for nobody's.
    pub hide: Vec<String>,
    /// Whether to leave out the map of heads: no record is written then, and the bundle is gapless but not complete.
    pub without_map: bool,
}

/// A consistency proof from a smaller size.
pub type Proof<'p> = dyn Fn(u64) -> Result<Vec<TreeHash>, Failure> + 'p;
/// Has a checkpoint cosigned: the note, the proofs that it may be asked for, the note with the cosignatures.
pub type Cosign<'c> = dyn Fn(&str, &Proof<'_>) -> Result<String, Failure> + 'c;

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
    /// Exports one instance's story under a checkpoint that others vouch for too: `cosign` is given the newest checkpoint, and
    /// whatever proof from a smaller size it asks for, and gives it back with what witnesses signed.
    pub fn export_cosigned(
        &self,
        contract: &Name,
        id: &InstanceId,
        options: &ExportOptions,
        cosign: &Cosign<'_>,
    ) -> Result<Exported, Failure> {
        self.export_with(contract, id, options, Some(cosign))
    }

    /// Exports one instance's story. Unless the options say otherwise, a record of the map of heads is written first.
    pub fn export(&self, contract: &Name, id: &InstanceId, options: &ExportOptions) -> Result<Exported, Failure> {
        self.export_with(contract, id, options, None)
    }

    /// Has the newest checkpoint cosigned, as [`TenantRef::export_cosigned`] does.
    pub fn cosigned(&self, cosign: &Cosign<'_>) -> Result<Option<String>, Failure> {
        self.checkpoint()?.map(|note| self.cosign(note, cosign)).transpose()
    }

    fn cosign(&self, note: String, cosign: &Cosign<'_>) -> Result<String, Failure> {
        let size = checkpoint_of(&note)?.size;
        let cosigned = cosign(&note, &|from| self.consistency(from, size))?;
        // Whoever cosigns adds lines; what the log says and signed stays as it is.
        if cosigned.starts_with(&note) && checkpoint_of(&cosigned)? == checkpoint_of(&note)? {
            Ok(cosigned)
        } else {
            Err(Failure::new(Code::Internal, "the cosigned checkpoint is another one"))
        }
    }

    fn export_with(
        &self,
        contract: &Name,
        id: &InstanceId,
        options: &ExportOptions,
        cosign: Option<&Cosign<'_>>,
    ) -> Result<Exported, Failure> {
        let hide = hide::Patterns::new(&options.hide)?;
        let heads = if options.without_map {
            None
        } else {
            let of = Some((contract.clone(), id.clone()));
            Some(self.desk.mapped(Job::Heads { tenant: self.name.clone(), of })?)
        };
        for tenant in [self.name.clone(), Tenant::universe()] {
            while self.desk.counted(Job::Seal { tenant: tenant.clone(), limit: 1000 })? > 0 {}
        }
        // Signed before the reading begins: what is read then covers them.
        let note = self.signed(&self.name)?;
        let note = match cosign {
            Some(cosign) => self.cosign(note, cosign)?,
            None => note,
        };
        let universe = if self.name.is_universe() { None } else { Some(self.signed(&Tenant::universe())?) };
        self.desk.read(|tx| {
            let story = instance::Story { tx, court: &self.desk.court, tenant: &self.name, hide: &hide };
            story.export(contract, id, &note, universe.as_deref(), heads.as_ref())
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

    /// The newest signed checkpoint of a log.
    fn signed(&self, tenant: &Tenant) -> Result<String, Failure> {
        let court = &self.desk.court;
        let known = || lock(&court.checkpoints).get(tenant).map(|signed| signed.note.to_string());
        // This process may have written nothing to that log, or its signer may owe the head.
        self.desk.sign_newest(tenant)?;
        known().ok_or_else(|| Failure::new(Code::StoreUnavailable, format!("the log of `{tenant}` has no signed checkpoint")))
    }
}

/// What a note of our own says.
fn checkpoint_of(note: &str) -> Result<Checkpoint, Failure> {
    let broken = |e: hos_core::proof::checkpoint::NoteError| Failure::new(Code::Internal, format!("our own checkpoint: {e}"));
    Checkpoint::parse(Note::parse(note.as_bytes()).map_err(broken)?.text()).map_err(broken)
}
