//! The engine's own streams, `hos.…`: what counts in them decides over keys and laws, so a record counts by what the engine itself
//! has written of the stream, and not by lying there. A database user of an application may add records and leave them for the sealer,
//! but never writes the stream's row.

use crate::Failure;
use crate::seal::{self, Origin};
use crate::store::sql::evidence as sql;
use crate::store::{Row, Tx};
use hos_core::digest;
use hos_core::id::{Handle, Tenant};
use hos_core::proof::record::{Header, STREAM_REFUSED, stream_of};

/// Whether only the engine's own transactions write in a stream. Refusals a host's transaction leaves for the sealer, like what it writes
/// in streams of the world's.
pub(crate) fn is_own(name: &str) -> bool {
    name.split('.').next() == Some("hos") && name != STREAM_REFUSED
}

/// Whether a record may get its place in a stream that a host's transaction left for it: the header is one of that stream's, by
/// its own words. What is not would be sealed as disputed in a place that the next record of the stream has to follow, and no
/// verifier would find that it does; so it gets none.
pub(super) fn takes(name: &str, header: &[u8], of: Origin, tenant: &Tenant) -> bool {
    let is_of_it = |header: Header| {
        let class = header.event.as_ref().map(|event| event.as_str());
        header.store == of.store
            && header.tenant == *tenant
            && header.thread == digest::stream_handle(&of.store, tenant, name)
            && stream_of(header.kind, class) == Some(name)
    };
    !is_own(name) && seal::placed_by_entry(header).is_some_and(is_of_it)
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
