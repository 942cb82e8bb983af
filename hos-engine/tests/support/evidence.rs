//! What a store's file holds, read beside the engine.

use hos_core::digest::record_hash;
use std::path::Path;

/// Once-keys that are taken in the tenant `t1`, each with the hash of its record, computed from the record's own bytes. This
/// process's SQLite is the engine's own, so that nothing of its locks is lost.
pub(crate) fn evidence(path: &Path) -> Result<Vec<(String, String)>, String> {
    let file = rusqlite::Connection::open(path).map_err(|e| e.to_string())?;
    let sql = "SELECT o.key, r.header FROM hos_once o
        JOIN hos_record r ON r.tenant = o.tenant AND r.thread = o.thread AND r.n = o.n WHERE o.tenant = 't1'";
    let mut statement = file.prepare(sql).map_err(|e| e.to_string())?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let rows = rows.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|e| e.to_string())?;
    Ok(rows
        .into_iter()
        .map(|(key, header)| (String::from_utf8_lossy(&key).into_owned(), record_hash(&header).to_string()))
        .collect())
}
