//! A CSV table with a header: columns found by name, cells with their place.

use super::{InputError, Text, number};
use csv::ByteRecord;
use hos_core::id::Shown;
use std::borrow::Cow;
use std::io::Cursor;

/// A column that was found.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    index: usize,
    name: String,
}

impl Column {
    /// What the file calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// An open table.
pub(crate) struct Table<'a> {
    file: &'a str,
    reader: csv::Reader<Cursor<Cow<'a, [u8]>>>,
    headers: Vec<String>,
    record: ByteRecord,
    rows_read: u64,
    /// Whether decimals have commas: so in files whose cells are parted by semicolons.
    comma: bool,
}

/// One row of it.
pub(crate) struct Row<'t> {
    file: &'t str,
    record: &'t ByteRecord,
    comma: bool,
    /// The line it begins in, from 1.
    pub(crate) line: u64,
    /// Its number among the rows, from 1; the header does not count.
    pub(crate) number: u64,
}

impl<'a> Table<'a> {
    /// Reads the header. Cells are parted by whichever of comma, semicolon and tab is most frequent in it.
    pub(crate) fn open(text: &'a Text) -> Result<Self, InputError> {
        let bytes = with_line_feeds(&text.bytes);
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let count = |by: u8| first.iter().filter(|b| **b == by).count();
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',');
        if let Some(line) = left_open(&bytes, delimiter) {
            let what = "a quote that begins a cell in this line is never closed: close it, or write it twice within quotes";
            return Err(InputError { file: text.name.clone(), line, column: String::new(), what: what.into() });
        }
        // How many cells a row has is judged here, where its line is known.
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(Cursor::new(bytes));
        let headers = reader.byte_headers().map_err(|e| csv_error(&text.name, &e))?;
        let headers = headers.iter().map(|h| String::from_utf8_lossy(h).trim().to_owned()).collect();
        Ok(Self { file: &text.name, reader, headers, record: ByteRecord::new(), rows_read: 0, comma: delimiter == b';' })
    }

    /// The column with one of these names; case, spaces and underscores do not matter.
    pub(crate) fn column(&self, names: &[&str]) -> Result<Column, InputError> {
        self.optional(names)?.ok_or_else(|| {
            let wanted = names.first().copied().unwrap_or_default();
            let found: Vec<_> = self.headers.iter().take(40).map(|h| format!("`{}`", Shown(h))).collect();
            self.error(1, "", format!("there is no column `{wanted}`; found {}", found.join(", ")))
        })
    }

    /// The same, where the column may be absent.
    pub(crate) fn optional(&self, names: &[&str]) -> Result<Option<Column>, InputError> {
        let wanted: Vec<String> = names.iter().map(|n| plain(n)).collect();
        let mut found = self.headers.iter().enumerate().filter(|(_, h)| wanted.contains(&plain(h)));
        let first = found.next().map(|(index, name)| Column { index, name: name.clone() });
        match found.next() {
            Some((_, second)) => Err(self.error(1, second, "the column is there twice".into())),
            None => Ok(first),
        }
    }

    /// The next row, or `None` at the end.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, InputError> {
        if !self.reader.read_byte_record(&mut self.record).map_err(|e| csv_error(self.file, &e))? {
            return Ok(None);
        }
        self.rows_read += 1;
        // The reader stands in the line behind the row; blank lines lie before it, and those inside of cells are the row's own.
        let inside = self.record.as_slice().iter().filter(|b| **b == b'\n').count() as u64;
        let line = self.reader.position().line().saturating_sub(1 + inside);
        let (found, wanted) = (self.record.len(), self.headers.len());
        if found != wanted {
            return Err(self.error(line, "", format!("{found} cells where the header has {wanted}")));
        }
        Ok(Some(Row { file: self.file, record: &self.record, comma: self.comma, line, number: self.rows_read }))
    }

    /// An error at a line of this table.
    pub(crate) fn error(&self, line: u64, column: &str, what: String) -> InputError {
        InputError { file: self.file.to_owned(), line, column: column.to_owned(), what }
    }
}

impl<'t> Row<'t> {
    /// A cell's text, trimmed.
    pub(crate) fn text(&self, column: &Column) -> Result<&'t str, InputError> {
        let raw = self.record.get(column.index).unwrap_or_default();
        std::str::from_utf8(raw).map(str::trim).map_err(|_| self.error(column, "the text is not UTF-8".into()))
    }

    /// A cell that must hold something, at most 200 bytes.
    pub(crate) fn filled(&self, column: &Column) -> Result<&'t str, InputError> {
        match self.text(column)? {
            "" => Err(self.error(column, "is empty".into())),
            long if long.len() > 200 => Err(self.error(column, "is longer than 200 bytes".into())),
            text => Ok(text),
        }
    }

    /// A cell that may say that there is nothing: empty, `NULL`, `NA`.
    pub(crate) fn known(&self, column: &Column) -> Result<Option<&'t str>, InputError> {
        let text = self.text(column)?;
        let nothing = ["", "null", "na", "n/a", "nan", "none"].contains(&text.to_ascii_lowercase().as_str());
        if nothing { Ok(None) } else { self.filled(column).map(Some) }
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, column: &Column, min: i64, max: i64) -> Result<i64, InputError> {
        let text = self.text(column)?;
        match number::whole(text) {
            Some(n) if (min..=max).contains(&n) => Ok(n),
            Some(_) => Err(self.error(column, format!("`{}` is not between {min} and {max}", Shown(text)))),
            None => Err(self.error(column, format!("`{}` is not a whole number", clip(text)))),
        }
    }

    /// A decimal number's text, with a point.
    pub(crate) fn decimal(&self, column: &Column) -> Result<String, InputError> {
        let text = self.text(column)?;
        let pointed = if self.comma { text.replace(',', ".") } else { text.to_owned() };
        match number::decimal(&pointed) {
            Some(_) => Ok(pointed),
            None => Err(self.error(column, format!("`{}` is not a decimal number of at most nine places", clip(text)))),
        }
    }

    /// An error that concerns the row as a whole.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> InputError {
        InputError { file: self.file.to_owned(), line: self.line, column: String::new(), what: what.into() }
    }

    /// An error in one of the row's cells.
    pub(crate) fn error(&self, column: &Column, what: String) -> InputError {
        InputError { file: self.file.to_owned(), line: self.line, column: column.name.clone(), what }
    }
}

/// Foreign text for a message: escaped, and not too much of it.
pub(crate) fn clip(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    Shown(&short).to_string()
}

/// The text with every line ended by a line feed alone, the last one too: so that the place of a row can be told from the place
/// behind it. The digest is that of the bytes as they came.
fn with_line_feeds(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'\r') && bytes.last().is_none_or(|last| *last == b'\n') {
        return Cow::Borrowed(bytes);
    }
    let (mut out, mut returned) = (Vec::with_capacity(bytes.len() + 1), false);
    for &byte in bytes {
        // The line feed behind a carriage return was written with it.
        if byte != b'\n' || !returned {
            out.push(if byte == b'\r' { b'\n' } else { byte });
        }
        returned = byte == b'\r';
    }
    if out.last().is_some_and(|last| *last != b'\n') {
        out.push(b'\n');
    }
    Cow::Owned(out)
}

/// The line of a quote that begins a cell and is never closed. The reader ends such a cell with the file and says nothing: in a
/// last column, every row behind it would be gone.
fn left_open(bytes: &[u8], delimiter: u8) -> Option<u64> {
    let (mut line, mut begins, mut open, mut closes) = (1, true, None, false);
    for &byte in bytes {
        match (byte, open) {
            // Within quotes: the second of two is text, one alone ends the cell.
            (b'"', Some(_)) => closes = !closes,
            (b'"', None) if begins => (open, closes) = (Some(line), false),
            _ if closes => (open, closes) = (None, false),
            _ => {}
        }
        begins = open.is_none() && (byte == b'\n' || byte == b'\r' || byte == delimiter);
        line += u64::from(byte == b'\n');
    }
    open.filter(|_| !closes)
}

fn plain(header: &str) -> String {
    header.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn csv_error(file: &str, error: &csv::Error) -> InputError {
    let line = error.position().map_or(0, csv::Position::line);
    InputError { file: file.to_owned(), line, column: String::new(), what: error.to_string() }
}
