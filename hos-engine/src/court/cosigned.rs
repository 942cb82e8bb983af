//! Cosigned checkpoints, as the store keeps them: of each log the newest, and the newest that met the quorum of whoever asked last.

use crate::Failure;
use crate::court::Court;
use crate::store::Tx;
use crate::store::sql::witness as sql;
use crate::work::Keep;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::Note;

/// How many are kept of one log, at most.
pub(crate) const KEPT_MAX: usize = 2;

/// A checkpoint as it is kept: its size, the note, the witnesses' keys, one a line.
pub(crate) struct Cosigned {
    pub(crate) size: u64,
    pub(crate) note: String,
    pub(crate) witnesses: String,
}

/// What is kept of a log, by ascending size.
pub(crate) fn of(tx: &Tx<'_>, tenant: &Tenant) -> Result<Vec<Cosigned>, Failure> {
    let rows = tx.rows(&sql::cosigned(tenant))?;
    let one = |row: &crate::store::Row| {
        Ok(Cosigned { size: row.uint(0)?, note: row.text(1)?.to_owned(), witnesses: row.text(2)?.to_owned() })
    };
    rows.iter().map(one).collect()
}

impl Court {
    /// Keeps a checkpoint, and drops those that are neither the newest nor the newest that meets the quorum.
    pub(crate) fn keep_cosigned(&self, tx: &Tx<'_>, keep: &Keep) -> Result<(), Failure> {
        let Keep { tenant, trust, .. } = keep;
        let mut kept = of(tx, tenant)?;
        kept.retain(|one| one.size != keep.size);
        let witnesses: String = keep.witnesses.iter().map(|key| format!("{key}\n")).collect();
        kept.push(Cosigned { size: keep.size, note: keep.note.clone(), witnesses });
        let meets = |one: &&Cosigned| {
            let vouching = Note::parse(one.note.as_bytes()).and_then(|note| trust.vouching(&note));
            vouching.is_ok_and(|vouching| trust.is_met(&vouching))
        };
        let newest = kept.iter().map(|one| one.size).max();
        let met = kept.iter().filter(meets).map(|one| one.size).max();
        for one in &kept {
            if Some(one.size) == newest || Some(one.size) == met {
                tx.execute(&sql::put_cosigned(tenant, one.size, &one.note, &one.witnesses))?;
            } else {
                tx.execute(&sql::drop_cosigned(tenant, one.size))?;
            }
        }
        Ok(())
    }
}
