//! Parameters, statements and rows, as every database driver shares them.
//!
//! A store holds no floats: a column is null, a 64-bit integer, text or bytes. What comes back from a file is not trusted:
//! a getter that finds another type than it was promised answers [`Code::StoreIntegrity`](hos_core::refusal::Code) and
//! names the column; it never panics and never converts.

use std::fmt;

use hos_core::id::Shown;

use super::StoreError;

/// One value of a parameter or a column.
#[derive(Clone, PartialEq, Eq)]
pub enum Sql {
    /// SQL's NULL.
    Null,
    /// A signed 64-bit integer.
    Int(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// What a driver gave without saying whether it is text, bytes, or a number in words: who asks for the column says. Never a
    /// parameter.
    Raw(Vec<u8>),
}

impl Sql {
    /// The name of the value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Sql::Null => "null",
            Sql::Int(_) => "an integer",
            Sql::Text(_) => "text",
            Sql::Blob(_) | Sql::Raw(_) => "bytes",
        }
    }
}

/// Shows types and lengths, not contents: rows hold personal data and keys, and `{:?}` ends in logs.
impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sql::Null => f.write_str("Null"),
            Sql::Int(n) => write!(f, "Int({n})"),
            Sql::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Sql::Blob(bytes) => write!(f, "Blob({} bytes)", bytes.len()),
            Sql::Raw(bytes) => write!(f, "Raw({} bytes)", bytes.len()),
        }
    }
}

macro_rules! sql_from {
    ($($from:ty, $value:ident => $make:expr;)*) => {
        $(impl From<$from> for Sql {
            fn from($value: $from) -> Self {
                $make
            }
        })*
    };
}

sql_from! {
    i64, value => Sql::Int(value);
    i32, value => Sql::Int(value.into());
    u32, value => Sql::Int(value.into());
    u16, value => Sql::Int(value.into());
    u8, value => Sql::Int(value.into());
    bool, value => Sql::Int(value.into());
    String, value => Sql::Text(value);
    &str, value => Sql::Text(value.to_owned());
    Vec<u8>, value => Sql::Blob(value);
    &[u8], value => Sql::Blob(value.to_vec());
}

impl<const N: usize> From<[u8; N]> for Sql {
    fn from(value: [u8; N]) -> Self {
        Sql::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Sql {
    fn from(value: &[u8; N]) -> Self {
        Sql::Blob(value.to_vec())
    }
}

impl<T: Into<Sql>> From<Option<T>> for Sql {
    fn from(value: Option<T>) -> Self {
        value.map_or(Sql::Null, Into::into)
    }
}

/// One statement with its parameters, in order (`?1`, `?2`, …). The text is fixed when the engine is built: nothing that
/// comes from outside is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement's text.
    pub sql: &'static str,
    /// As many as the text has places.
    pub params: Vec<Sql>,
    /// How the row that is read is claimed, in databases that lock rows.
    pub(super) lock: Lock,
    /// The text in MySQL's words, where they cannot be made of the others ([`say`](super::sql::dialect::say)).
    pub(super) mysql: Option<&'static str>,
    /// Whether it is run by itself and never as part of a text of several.
    pub(super) apart: bool,
}

/// How a row that is read is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Lock {
    /// Not at all.
    None,
    /// Not at all, and read as it stands now.
    Latest,
    /// Against who changes it.
    Share,
    /// Against everybody else who claims it.
    Update,
}

impl Statement {
    /// A statement with its parameters.
    pub fn new(sql: &'static str, params: impl Into<Vec<Sql>>) -> Self {
        Self { sql, params: params.into(), lock: Lock::None, mysql: None, apart: false }
    }

    /// The same, and the row is claimed against everybody else who claims it.
    pub fn locked(self) -> Self {
        Self { lock: Lock::Update, ..self }
    }

    /// The same, and the row is claimed against who would change it.
    pub fn shared(self) -> Self {
        Self { lock: Lock::Share, ..self }
    }

    /// The same, of a row as it stands now and not as it stood when the transaction began. MySQL locks it for that; PostgreSQL's
    /// locks show nothing newer, and ask for the right to change the row, which who only adds to the evidence has not.
    pub fn latest(self) -> Self {
        Self { lock: Lock::Latest, ..self }
    }

    /// The same, never part of a text of several statements: its rows are as many as there are, or it holds a key, and a text is what
    /// servers write into their logs, parameters are not.
    pub(super) fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// The same, in other words where the database is MySQL; as many places, with the same parameters.
    pub(super) fn mysql(self, sql: &'static str) -> Self {
        Self { mysql: Some(sql), ..self }
    }
}

/// One row of an answer. Columns are read by position, counted from 0.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    sql: &'static str,
    cells: Vec<Sql>,
}

impl Row {
    /// A row that this statement answered; its text names the columns, which serves messages only.
    pub fn new(sql: &'static str, cells: Vec<Sql>) -> Self {
        Self { sql, cells }
    }

    /// How many columns.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no columns at all.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The value of a column, whatever its type.
    pub fn value(&self, column: usize) -> Result<&Sql, StoreError> {
        self.cells.get(column).ok_or_else(|| {
            StoreError::internal(format!("column {column} was asked of a row that has {} columns", self.cells.len()))
        })
    }

    /// An integer.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.value(column)? {
            Sql::Int(n) => Ok(*n),
            Sql::Raw(digits) => number(digits).ok_or_else(|| self.fault(column, "is not an integer")),
            other => Err(self.wrong(column, other, "an integer")),
        }
    }

    /// An integer that is never negative.
    pub fn uint(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(column)?).map_err(|_| self.fault(column, "is negative"))
    }

    /// An integer between 0 and 2^32 - 1.
    pub fn u32(&self, column: usize) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_| self.fault(column, "is not between 0 and 4294967295"))
    }

    /// An integer between 0 and 2^16 - 1.
    pub fn u16(&self, column: usize) -> Result<u16, StoreError> {
        u16::try_from(self.int(column)?).map_err(|_| self.fault(column, "is not between 0 and 65535"))
    }

    /// 0 or 1.
    pub fn bool(&self, column: usize) -> Result<bool, StoreError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.fault(column, "is neither 0 nor 1")),
        }
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.value(column)? {
            Sql::Text(text) => Ok(text),
            Sql::Raw(bytes) => std::str::from_utf8(bytes).map_err(|_| self.fault(column, "is not UTF-8")),
            other => Err(self.wrong(column, other, "text")),
        }
    }

    /// Bytes of any length.
    pub fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.value(column)? {
            Sql::Blob(bytes) | Sql::Raw(bytes) => Ok(bytes),
            other => Err(self.wrong(column, other, "bytes")),
        }
    }

    /// Exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        let blob = self.blob(column)?;
        blob.try_into().map_err(|_| self.fault(column, &format!("has {} bytes, not {N}", blob.len())))
    }

    /// Whether a column is NULL.
    pub fn is_null(&self, column: usize) -> Result<bool, StoreError> {
        Ok(matches!(self.value(column)?, Sql::Null))
    }

    /// An integer, or NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.int(column).map(Some) }
    }

    /// An integer that is never negative, or NULL.
    pub fn opt_uint(&self, column: usize) -> Result<Option<u64>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.uint(column).map(Some) }
    }

    /// Bytes of any length, or NULL.
    pub fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.blob(column).map(Some) }
    }

    /// Exactly `N` bytes, or NULL.
    pub fn opt_bytes<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { self.bytes(column).map(Some) }
    }

    /// Takes bytes out of the row without a copy; the column is NULL afterwards.
    pub fn take_blob(&mut self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.blob(column)?;
        match self.cells.get_mut(column).map(|cell| std::mem::replace(cell, Sql::Null)) {
            Some(Sql::Blob(bytes) | Sql::Raw(bytes)) => Ok(bytes),
            _ => Err(self.fault(column, "is not bytes")),
        }
    }

    /// What the statement calls a column.
    pub(super) fn column_name(&self, column: usize) -> &str {
        column_name(self.sql, column)
    }

    /// The error that a caller gives who finds the column's value unlawful for a reason of its own.
    pub fn fault(&self, column: usize, why: &str) -> StoreError {
        StoreError::integrity(format!("column `{}` of a stored row {why}", Shown(column_name(self.sql, column))))
    }

    fn wrong(&self, column: usize, found: &Sql, wanted: &str) -> StoreError {
        self.fault(column, &format!("is {}, not {wanted}", found.type_name()))
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = (0..self.cells.len()).map(|column| column_name(self.sql, column));
        f.debug_map().entries(names.zip(&self.cells)).finish()
    }
}

/// A whole number in words, as drivers give it that know no types: decimal, nothing before or behind.
pub(super) fn number(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().filter(|n: &i64| n.to_string() == text)
}

/// What a statement calls a column of its answer: the last word of what it selects there, `?` where that cannot be told.
pub(super) fn column_name(sql: &str, column: usize) -> &str {
    let selected = sql.trim_start().strip_prefix("SELECT ").map(|rest| rest.strip_prefix("DISTINCT ").unwrap_or(rest));
    let Some(selected) = selected else { return "?" };
    let (mut depth, mut from, mut at) = (0usize, 0, 0);
    for (place, byte) in selected.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ended = depth == 0
            && (byte == b','
                || [" FROM ", " UNION "].iter().any(|word| selected.as_bytes()[place..].starts_with(word.as_bytes())));
        if ended {
            if at == column {
                return last_word(&selected[from..place]);
            }
            if byte != b',' {
                return "?";
            }
            (at, from) = (at + 1, place + 1);
        }
    }
    if at == column { last_word(&selected[from..]) } else { "?" }
}

fn last_word(item: &str) -> &str {
    item.trim_end().rsplit([' ', '.']).next().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hos_core::refusal::Code;

    fn row(cell: Sql) -> Row {
        Row::new("SELECT r.header FROM hos_record r", vec![cell])
    }

    #[test]
    fn a_wrong_type_is_an_integrity_error_that_names_the_column() {
        let cases: [(StoreError, &str); 9] = [
            (row(Sql::Text("1".into())).int(0).unwrap_err(), "is text, not an integer"),
            (row(Sql::Int(1)).text(0).unwrap_err(), "is an integer, not text"),
            (row(Sql::Text("a".into())).blob(0).unwrap_err(), "is text, not bytes"),
            (row(Sql::Null).blob(0).unwrap_err(), "is null, not bytes"),
            (row(Sql::Int(-1)).uint(0).unwrap_err(), "is negative"),
            (row(Sql::Int(2)).bool(0).unwrap_err(), "is neither 0 nor 1"),
            (row(Sql::Int(1 << 40)).u32(0).unwrap_err(), "is not between"),
            (row(Sql::Blob(vec![0; 31])).bytes::<32>(0).unwrap_err(), "has 31 bytes, not 32"),
            (row(Sql::Int(7)).opt_blob(0).unwrap_err(), "is an integer, not bytes"),
        ];
        for (error, wanted) in cases {
            assert_eq!(error.code, Code::StoreIntegrity);
            assert!(error.message.contains("`header`") && error.message.contains(wanted), "{error}");
        }
        assert_eq!(row(Sql::Null).int(1).unwrap_err().code, Code::Internal);
    }

    #[test]
    fn columns_are_named_by_what_is_selected() {
        let sql = "SELECT DISTINCT r.n, coalesce(max(a), 0) AS pos,\n header FROM hos_record r WHERE x IN (1, 2)";
        let names = [0, 1, 2, 3].map(|column| column_name(sql, column));
        assert_eq!(names, ["n", "pos", "header", "?"]);
        assert_eq!(column_name("SELECT 1.5 AS price", 0), "price");
        assert_eq!(column_name("SELECT ş, é FROM t", 1), "é");
        assert_eq!(column_name("PRAGMA data_version", 0), "?");
    }

    #[test]
    fn right_types_come_back_as_they_are() {
        assert_eq!(row(Sql::Blob(vec![7; 16])).bytes::<16>(0), Ok([7; 16]));
        assert_eq!(row(Sql::Null).opt_bytes::<16>(0), Ok(None));
        assert_eq!(row(Sql::Int(i64::MIN)).int(0), Ok(i64::MIN));
        assert_eq!(row(Sql::Text("ş\0".into())).text(0), Ok("ş\0"));
        let mut taken = row(Sql::Blob(vec![7]));
        assert_eq!(taken.take_blob(0), Ok(vec![7]));
        assert_eq!(taken.is_null(0), Ok(true));
    }

    #[test]
    fn debug_shows_no_contents() {
        let shown = format!("{:?} {:?}", row(Sql::Text("canary".into())), Statement::new("SELECT ?1", [Sql::from(b"canary")]));
        assert!(!shown.contains("canary") && !shown.contains("99"), "{shown}");
    }
}
