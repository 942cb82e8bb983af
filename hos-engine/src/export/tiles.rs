//! A tenant's whole log as C2SP tiles, in memory that does not grow with the log; and single records' proofs.

use super::item::{self, Placed, placed};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::fetch::instance_row;
use crate::seal::checkpoint_of;
use crate::store::sql::{evidence as sql, state as state_sql};
use crate::tenant::TenantRef;
use hos_core::digest;
use hos_core::id::{InstanceId, Name};
use hos_core::proof::tiles::{TileFile, TileWriter};
use hos_core::proof::tlog_proof::TlogProof;
use hos_core::refusal::Code;

/// How many entries are read at once.
const PAGE: usize = 256;

impl TenantRef {
    /// Hands over every file of the log as tiles, the checkpoint last. Says the checkpoint's size.
    ///
    /// All is read of one moment, so a long export keeps the store's write-ahead log from being emptied meanwhile.
    pub fn export_tiles(
        &self,
        write: &mut dyn FnMut(&TileFile) -> Result<(), Failure>,
        progress: Option<&dyn Fn(u64, u64)>,
    ) -> Result<u64, Failure> {
        self.seal()?;
        let note = self.signed(&self.name)?;
        let size = checkpoint_of(&note)?.size;
        let court = &self.desk.court;
        self.desk.read(|tx| {
            let mut writer = TileWriter::default();
            let epochs = Epochs::of(tx, &self.name, court.of)?;
            let mut before = None;
            while writer.size() < size {
                let left = usize::try_from(size - writer.size()).unwrap_or(PAGE).min(PAGE);
                let page = tx.rows(&sql::log_records(&self.name, writer.size(), left))?;
                for row in &page {
                    let placed: Placed = {
                        let seq = writer.size();
                        let prev = epochs.prev(&court.of.store, &self.name, seq, before);
                        placed(court, &self.name, row, prev, epochs.at(seq))?
                    };
                    let bytes = item::entry_bytes(&self.name, &placed)?;
                    if placed.entry.seq != writer.size() {
                        break;
                    }
                    before = Some(digest::entry_hash(&bytes));
                    writer.push(&bytes).iter().try_for_each(&mut *write)?;
                }
                if page.len() < left {
                    let at = writer.size();
                    return Err(Failure::new(Code::StoreIntegrity, format!("entry {at} of `{}` is missing", self.name)));
                }
                if let Some(tell) = progress {
                    tell(writer.size(), size);
                }
            }
            writer.finish().iter().try_for_each(&mut *write)?;
            write(&("checkpoint".to_owned(), note.clone().into_bytes()))
        })?;
        Ok(size)
    }

    /// The proof of each record of an instance, as C2SP tlog-proof: place in the thread, text.
    pub fn export_proofs(&self, contract: &Name, id: &InstanceId) -> Result<Vec<(u64, String)>, Failure> {
        self.seal()?;
        let checkpoint = self.signed(&self.name)?;
        let size = checkpoint_of(&checkpoint)?.size;
        let court = &self.desk.court;
        self.desk.read(|tx| {
            let row = instance_row(tx, &self.name, contract, id)?;
            let row = row.ok_or_else(|| Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`")))?;
            let thread = state_sql::instance_from(&row, contract.clone(), id.clone())?.instance.handle;
            let places = item::thread(tx, &self.name, &thread, size)?;
            let one = |(n, seq): (usize, u64)| {
                let entry = item::entry_bytes(&self.name, &item::at(tx, court, &self.name, seq)?)?;
                let proof = court.inclusion(tx, &self.name, seq, size)?;
                Ok((n as u64, TlogProof { entry, index: seq, proof, checkpoint: checkpoint.clone() }.encode()))
            };
            places.into_iter().enumerate().map(one).collect()
        })
    }
}
