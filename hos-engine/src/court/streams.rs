//! The engine's own streams, `hos.…`: what counts in them decides over keys and laws, so a record counts by what the engine itself
//! has written of the stream, and not by lying there. A database user of an application may add records and leave them for the sealer,
//! but never writes the stream's row.

use crate::Failure;
use crate::store::sql::evidence as sql;
use crate::store::{Row, Tx};
use hos_core::id::{Handle, Tenant};
use hos_core::proof::record::STREAM_REFUSED;

/// Where a record goes that a host left for a stream of the engine's. Its header says another thread, so it is sealed as disputed.
const STRANGE: &str = "hos.strange";

/// Whether only the engine's own transactions write in a stream. Refusals a host's transaction leaves for the sealer, like what it writes
/// in streams of the world's.
pub(crate) fn is_own(name: &str) -> bool {
    name.split('.').next() == Some("hos") && name != STREAM_REFUSED
}

/// The stream in which a record gets its place that a host's transaction left for this one.
pub(super) fn of_host(name: &str) -> &str {
    if is_own(name) { STRANGE } else { name }
}

/// How many records one of the universe's own streams has.
pub(crate) fn own_count(tx: &Tx<'_>, name: &str) -> Result<u64, Failure> {
    let row = tx.row(&sql::stream(&Tenant::universe(), name))?;
    // A stream that was claimed and has no record yet has the place -1.
    Ok(row.map(|row| row.int(1)).transpose()?.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last + 1))
}

/// The records of one of the universe's own streams, as [`thread_records`](sql::thread_records) has them.
pub(crate) fn own_records(tx: &Tx<'_>, name: &str) -> Result<Vec<Row>, Failure> {
    own_records_from(tx, name, 0)
}

/// The same from a place on.
pub(crate) fn own_records_from(tx: &Tx<'_>, name: &str, from: u64) -> Result<Vec<Row>, Failure> {
    let universe = Tenant::universe();
    let Some(stream) = tx.row(&sql::stream(&universe, name))? else { return Ok(Vec::new()) };
    let Ok(last) = u64::try_from(stream.int(1)?) else { return Ok(Vec::new()) };
    let count = usize::try_from((last + 1).saturating_sub(from)).unwrap_or(usize::MAX >> 1);
    Ok(tx.rows(&sql::thread_records(&universe, &Handle(stream.bytes(0)?), from, count))?)
}
