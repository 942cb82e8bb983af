//! Erasures whose deleted rows may still lie on the disk. Each is said in the store by its own commit, so that whoever comes after a crash
//! knows of it, and goes when its rows are wiped. It is a note to ourselves and no evidence.

use crate::store::sql::law as sql;
use crate::store::{StoreError, Tx};
use hos_core::id::RecordHash;

/// What the key of such a fact of the store begins with; the erasure's record follows.
const KEY: &str = "traces of ";

fn key(record: &RecordHash) -> String {
    format!("{KEY}{record}")
}

/// Whether a fact of the store says that rows wait to be wiped; of which erasure.
pub(crate) fn of(name: &str, value: &[u8]) -> Option<RecordHash> {
    RecordHash::from_slice(value).filter(|record| key(record) == name)
}

/// Says that an erasure has deleted rows.
pub(super) fn leave(tx: &Tx<'_>, record: &RecordHash) -> Result<(), StoreError> {
    tx.execute(&sql::insert_store_value(&key(record), record.as_bytes())).map(drop)
}

/// The erasures whose rows wait to be wiped.
pub(crate) fn left(tx: &Tx<'_>) -> Result<Vec<RecordHash>, StoreError> {
    let mut left = Vec::new();
    for row in tx.rows(&sql::store_values())? {
        left.extend(of(row.text(0)?, row.blob(1)?));
    }
    Ok(left)
}

/// Says that they are wiped.
pub(crate) fn wiped(tx: &Tx<'_>, records: &[RecordHash]) -> Result<(), StoreError> {
    records.iter().try_for_each(|record| tx.execute(&sql::delete_store_value(&key(record))).map(drop))
}
