//! One row of an answer over its bytes, wherever they lie.

use super::{Row, Sql, StoreError};
use hos_core::id::Shown;

/// A value of a column, not copied.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Cell<'r> {
    Null,
    Int(i64),
    Real,
    Text,
    Blob(&'r [u8]),
    /// Text or bytes: the driver did not say which.
    Raw(&'r [u8]),
}

/// Where a row's values lie.
pub(in crate::store) trait Cells {
    fn cell(&self, column: usize) -> Result<Cell<'_>, StoreError>;

    /// What a column is called, for messages.
    fn name(&self, column: usize) -> &str;
}

impl Cells for Row {
    fn cell(&self, column: usize) -> Result<Cell<'_>, StoreError> {
        Ok(match self.value(column)? {
            Sql::Null => Cell::Null,
            Sql::Int(n) => Cell::Int(*n),
            Sql::Text(_) => Cell::Text,
            Sql::Blob(bytes) => Cell::Blob(bytes),
            Sql::Raw(bytes) => Cell::Raw(bytes),
        })
    }

    fn name(&self, column: usize) -> &str {
        self.column_name(column)
    }
}

/// One row of an answer over its bytes. The getters promise what those of [`Row`] promise.
pub struct RowRef<'r>(&'r dyn Cells);

impl<'r> RowRef<'r> {
    pub(in crate::store) fn of(cells: &'r dyn Cells) -> Self {
        Self(cells)
    }

    fn value(&self, column: usize) -> Result<Cell<'r>, StoreError> {
        self.0.cell(column)
    }

    /// An integer.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.value(column)? {
            Cell::Int(n) => Ok(n),
            Cell::Raw(digits) => super::statement::number(digits).ok_or_else(|| self.fault(column, "is not an integer")),
            other => Err(self.wrong(column, other, "an integer")),
        }
    }

    /// An integer that is never negative.
    pub fn uint(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(column)?).map_err(|_| self.fault(column, "is negative"))
    }

    /// An integer that is never negative, or NULL.
    pub fn opt_uint(&self, column: usize) -> Result<Option<u64>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.uint(column).map(Some) }
    }

    /// Bytes of any length.
    pub fn blob(&self, column: usize) -> Result<&'r [u8], StoreError> {
        match self.value(column)? {
            Cell::Blob(bytes) | Cell::Raw(bytes) => Ok(bytes),
            other => Err(self.wrong(column, other, "bytes")),
        }
    }

    /// Bytes of any length, or NULL.
    pub fn opt_blob(&self, column: usize) -> Result<Option<&'r [u8]>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.blob(column).map(Some) }
    }

    /// Exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        let blob = self.blob(column)?;
        blob.try_into().map_err(|_| self.fault(column, &format!("has {} bytes, not {N}", blob.len())))
    }

    /// Exactly `N` bytes, or NULL.
    pub fn opt_bytes<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.bytes(column).map(Some) }
    }

    /// Whether a column is NULL.
    pub fn is_null(&self, column: usize) -> Result<bool, StoreError> {
        Ok(matches!(self.value(column)?, Cell::Null))
    }

    /// The error that a caller gives who finds the column's value unlawful for a reason of its own.
    pub fn fault(&self, column: usize, why: &str) -> StoreError {
        StoreError::integrity(format!("column `{}` of a stored row {why}", Shown(self.0.name(column))))
    }

    fn wrong(&self, column: usize, found: Cell<'r>, wanted: &str) -> StoreError {
        let found = match found {
            Cell::Null => "null",
            Cell::Int(_) => "an integer",
            Cell::Real => "a float",
            Cell::Text => "text",
            Cell::Blob(_) | Cell::Raw(_) => "bytes",
        };
        self.fault(column, &format!("is {found}, not {wanted}"))
    }
}
