//! What waits for its place in a log.

use crate::Failure;
use crate::store::sql::evidence as sql;
use crate::store::{Row, Tx};
use hos_core::id::Tenant;

/// How many rows of a queue are read at once.
const QUEUE_PAGE: usize = 1_024;

/// Shows every row of a tenant's queue as [`sql::queue_after`] gives it, one after the other: where nobody has sealed for long there are
/// very many.
pub(crate) fn each_queued(tx: &Tx<'_>, tenant: &Tenant, see: &mut dyn FnMut(&Row) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut behind = i64::MIN;
    loop {
        let rows = tx.rows(&sql::queue_after(tenant, behind, QUEUE_PAGE))?;
        let Some(last) = rows.last() else { return Ok(()) };
        behind = last.int(0)?;
        rows.iter().try_for_each(&mut *see)?;
    }
}
