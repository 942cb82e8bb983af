//! Who vouches for the instance's checkpoint besides the log: the witnesses of its own note, and those of the universe's where a
//! record of that log says exactly this size and root.

use super::logs::Log;
use super::refused::Refused;
use super::story::Cited;
use crate::proof::record::Slot;
use crate::proof::roots::TenantRoot;
use crate::proof::trust::{Distrust, Trust};

/// Holds the cited records of roots against the instance's checkpoint, and asks for the quorum. Says who counts.
pub(super) fn check(logs: &[Log], cited: &Cited<'_>, trust: &Trust) -> Result<Vec<String>, Refused> {
    let Some(own) = logs.first() else { return Ok(Vec::new()) };
    let (size, root) = (own.checkpoint.size, own.checkpoint.root);
    let wanted = TenantRoot { tenant: own.tenant.clone(), epoch: own.epoch, size, root };
    let mut said = false;
    for (place, held) in &cited.roots {
        let at = || format!("cited {place}");
        let content = held.content(Slot::Change);
        let content = content.ok_or_else(|| Refused::new("roots.record", at(), "what the record says is not disclosed"))?;
        let found = TenantRoot::decode(content).map_err(|e| Refused::new("roots.record", at(), e))?;
        if found.contradicts(&wanted) {
            return Err(Refused::new("roots.fork", at(), format!("the universe says another root for this checkpoint: {found}")));
        }
        said |= found == wanted;
    }
    // Who vouches for the universe's checkpoint vouches for the record, and so for this root: no witness counts twice.
    let vouching = match logs.get(1).filter(|_| said) {
        Some(universe) => own.vouching.or(&universe.vouching),
        None => own.vouching.clone(),
    };
    if trust.is_met(&vouching) {
        Ok(trust.names(&vouching))
    } else {
        Err(Refused::new(Distrust::Quorum.code(), "logs 0", Distrust::Quorum))
    }
}
