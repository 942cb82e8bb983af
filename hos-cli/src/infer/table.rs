//! A table from outside: a CSV file, gzipped or not, read row by row. The door of `csv` and `flate2`.

use crate::usage::usage;
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use flate2::bufread::MultiGzDecoder;
use hos_core::id::Shown;
use hos_engine::Failure;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

/// The longest header.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// The longest row: a quote that is never closed would make one row of a whole file.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// What is read at once.
const CHUNK: usize = 64 * 1024;
/// What may part cells; the first is taken where none stands in the header.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// An open table.
pub(super) struct Table {
    name: String,
    reader: Reader<Metered>,
    headers: Vec<String>,
    record: ByteRecord,
    spent: Rc<Cell<usize>>,
    /// The line of a quote that is never closed; known when the end was read.
    open: Rc<Cell<Option<u64>>>,
    /// The line that the last row began in.
    line: u64,
}

/// One row.
pub(super) struct Row<'t> {
    table: &'t Table,
    /// The line it begins in, from 1.
    pub(super) line: u64,
}

/// A reader that says when one row takes too much, and ends every line with a line feed alone, the last one too: so that the
/// place of a row can be told from the place behind it.
struct Metered {
    inner: Box<dyn Read>,
    spent: Rc<Cell<usize>>,
    /// Whether a carriage return was read whose line feed may follow.
    held: bool,
    /// The last byte that was given.
    last: u8,
    quotes: Quotes,
    /// The line in which a quoted cell begins that the file ends in.
    open: Rc<Cell<Option<u64>>>,
}

/// Where cells are quoted, as the reader of the table sees it: a quote at the beginning of a cell opens it, two are a quote within it.
struct Quotes {
    delimiter: u8,
    /// The line that is read.
    line: u64,
    /// Whether a cell begins here.
    begins: bool,
    /// The line of the quote that is open.
    open: Option<u64>,
    /// Whether the last byte was a quote in a quoted cell: another one follows, or the cell is over.
    closes: bool,
}

impl Quotes {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, line: 1, begins: true, open: None, closes: false }
    }

    fn see(&mut self, byte: u8) {
        match (byte, self.open) {
            (b'"', Some(_)) => self.closes = !self.closes,
            (b'"', None) if self.begins => (self.open, self.closes) = (Some(self.line), false),
            _ if self.closes => (self.open, self.closes) = (None, false),
            _ => {}
        }
        self.begins = self.open.is_none() && (byte == b'\n' || byte == b'\r' || byte == self.delimiter);
        self.line += u64::from(byte == b'\n');
    }

    /// The line of the quote that is open, where nothing follows any more.
    fn left_open(&self) -> Option<u64> {
        self.open.filter(|_| !self.closes)
    }
}

impl Read for Metered {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // One byte is kept for what is held.
        let Some(room) = into.len().checked_sub(1).filter(|room| *room > 0) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a buffer of two bytes or more is wanted"));
        };
        loop {
            let read = self.inner.read(into.get_mut(1..=room).unwrap_or_default())?;
            self.spent.set(self.spent.get() + read);
            if self.spent.get() > ROW_BYTES_MAX + CHUNK {
                return Err(io::Error::other(format!("a row has more than {ROW_BYTES_MAX} bytes: is a quote left open?")));
            }
            if read == 0 {
                self.open.set(self.quotes.left_open());
                let last = [(self.held, b'\r'), (self.last != b'\n', b'\n')].into_iter().find(|(wanted, _)| *wanted);
                let (Some((_, byte)), Some(first)) = (last, into.first_mut()) else { return Ok(0) };
                (self.held, self.last, *first) = (false, byte, byte);
                return Ok(1);
            }
            let given = self.unify(into, read);
            if given > 0 {
                return Ok(given);
            }
        }
    }
}

impl Metered {
    fn new(inner: Box<dyn Read>, delimiter: u8, spent: &Rc<Cell<usize>>, open: &Rc<Cell<Option<u64>>>) -> Self {
        let quotes = Quotes::new(delimiter);
        Self { inner, spent: Rc::clone(spent), held: false, last: b'\n', quotes, open: Rc::clone(open) }
    }

    /// Moves what was read behind the first byte to the front, without carriage returns before line feeds.
    fn unify(&mut self, bytes: &mut [u8], read: usize) -> usize {
        let mut given = 0;
        for at in 1..=read {
            let Some(byte) = bytes.get(at).copied() else { break };
            let held = std::mem::replace(&mut self.held, byte == b'\r');
            // Never more than was read, and one that was held: what is written lies before what is read.
            for out in [(held && byte != b'\n').then_some(b'\r'), (byte != b'\r').then_some(byte)].into_iter().flatten() {
                if let Some(place) = bytes.get_mut(given) {
                    (*place, self.last) = (out, out);
                    self.quotes.see(out);
                    given += 1;
                }
            }
        }
        given
    }
}

impl Table {
    /// Opens a file (`-`: standard input) and reads its header.
    pub(super) fn open(path: &str) -> Result<Self, Failure> {
        if path == "-" {
            return Self::of("standard input", Box::new(io::stdin().lock()));
        }
        let name = Shown(path).to_string();
        let file = File::open(path).map_err(|e| usage(format!("`{name}` cannot be read: {e}")))?;
        Self::of(&name, Box::new(file))
    }

    /// Reads the header of whatever this is.
    pub(super) fn of(name: &str, source: Box<dyn Read>) -> Result<Self, Failure> {
        let whole = |what: String| usage(format!("{name}: {what}"));
        let mut source = BufReader::with_capacity(CHUNK, source);
        let begin = peek(&mut source, 4).map_err(|e| whole(format!("cannot be read: {e}")))?;
        let mut source: Box<dyn Read> = match begin.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(BufReader::new(Cursor::new(begin).chain(source)))),
            [b'P', b'K', 3 | 5, 4 | 6] => {
                return Err(whole("is a zip archive or a spreadsheet: give it as CSV, gzipped or not".into()));
            }
            _ => Box::new(Cursor::new(begin).chain(source)),
        };
        let mut head = peek(&mut source, HEADER_BYTES_MAX).map_err(|e| whole(format!("cannot be read to its end: {e}")))?;
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        let first = head.split(|b| *b == b'\n').next().unwrap_or_default();
        if first.len() >= HEADER_BYTES_MAX - 3 {
            return Err(whole(format!("the first line has {HEADER_BYTES_MAX} bytes or more: it should name the columns")));
        }
        if first.contains(&0) {
            return Err(whole("is no text: give it as CSV in UTF-8, gzipped or not".into()));
        }
        let count = |by: &u8| first.iter().filter(|b| *b == by).count();
        let most = DELIMITERS.iter().rev().max_by_key(|d| count(d)).copied().unwrap_or(b',');
        let spent = Rc::new(Cell::new(0));
        let open = Rc::new(Cell::new(None));
        let metered = Metered::new(Box::new(Cursor::new(head).chain(source)), most, &spent, &open);
        // How many cells a row has is judged here, where it can be said what to do.
        let mut builder = ReaderBuilder::new();
        builder.delimiter(most).flexible(true).buffer_capacity(CHUNK);
        let mut table = Self {
            name: name.to_owned(),
            reader: builder.from_reader(metered),
            headers: Vec::new(),
            record: ByteRecord::new(),
            spent,
            open,
            line: 1,
        };
        let headers = table.reader.byte_headers().cloned().map_err(|e| table.broken(&e))?;
        table.closed()?;
        let text = |(i, h): (usize, &[u8])| {
            let text = std::str::from_utf8(h).map_err(|_| table.at(1, i, "the column's name is not UTF-8"))?;
            Ok(text.trim().to_owned())
        };
        table.headers = headers.iter().enumerate().map(text).collect::<Result<_, Failure>>()?;
        if table.headers.iter().all(String::is_empty) {
            return Err(usage(format!("{name}: is empty: a first line that names the columns is wanted")));
        }
        Ok(table)
    }

    /// The names of the columns.
    pub(super) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next row, or `None` at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'_>>, Failure> {
        self.spent.set(0);
        let more = match self.reader.read_byte_record(&mut self.record) {
            Ok(more) => more,
            Err(e) => return Err(self.broken(&e)),
        };
        // The end is read with the last row or behind it, and a quote that is open there has swallowed that row.
        self.closed()?;
        if !more {
            return Ok(None);
        }
        // The reader stands in the line behind the row; lines inside cells are the row's own.
        let inside = self.record.as_slice().iter().filter(|b| **b == b'\n').count() as u64;
        self.line = self.reader.position().line().saturating_sub(1 + inside);
        let (found, wanted) = (self.record.len(), self.headers.len());
        if found != wanted {
            let what = if found < wanted {
                "complete it, or take it out"
            } else {
                "put a cell that holds the sign between cells into double quotes"
            };
            return Err(usage(format!("{}:{}: {found} cells where the header has {wanted}: {what}", self.name, self.line)));
        }
        Ok(Some(Row { line: self.line, table: self }))
    }

    /// A failure at a cell.
    pub(super) fn at(&self, line: u64, column: usize, what: &str) -> Failure {
        let name = self.headers.get(column).map(|h| format!(" (`{}`)", Shown(h))).unwrap_or_default();
        usage(format!("{}:{line}: column {}{name}: {what}", self.name, column + 1))
    }

    /// Refuses a file that ends within a quoted cell: what follows the quote would silently be one cell.
    fn closed(&self) -> Result<(), Failure> {
        match self.open.get() {
            None => Ok(()),
            Some(line) => Err(usage(format!(
                "{}:{line}: a quote that begins a cell in this line is never closed: close it, or write it twice within quotes",
                self.name
            ))),
        }
    }

    fn broken(&self, error: &csv::Error) -> Failure {
        // Of what cannot be read, the place is where the reader stands.
        let line = self.reader.position().line().max(self.line);
        match error.kind() {
            ErrorKind::Io(e) => usage(format!("{}:{line}: {e}", self.name)),
            _ => usage(format!("{}:{line}: {error}", self.name)),
        }
    }
}

impl<'t> Row<'t> {
    /// A cell's text, trimmed.
    pub(super) fn text(&self, column: usize) -> Result<&'t str, Failure> {
        let raw = self.table.record.get(column).unwrap_or_default();
        std::str::from_utf8(raw)
            .map(str::trim)
            .map_err(|_| self.wrong(column, "is not UTF-8: convert the file, with `iconv -t UTF-8`, say"))
    }

    /// A cell that may say that there is nothing: empty, `NULL`, `\N`.
    pub(super) fn known(&self, column: usize) -> Result<Option<&'t str>, Failure> {
        let text = self.text(column)?;
        let nothing = text.is_empty() || text.eq_ignore_ascii_case("null") || text == "\\N";
        Ok((!nothing).then_some(text))
    }

    /// A cell that must say something.
    pub(super) fn filled(&self, column: usize, what: &str) -> Result<&'t str, Failure> {
        self.known(column)?.ok_or_else(|| self.wrong(column, what))
    }

    /// A failure at a cell of this row.
    pub(super) fn wrong(&self, column: usize, what: &str) -> Failure {
        self.table.at(self.line, column, what)
    }
}

/// The first bytes, as many as there are up to so many.
fn peek(source: &mut impl Read, max: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    source.take(max as u64).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn table(bytes: &[u8]) -> Result<Table, Failure> {
        Table::of("t", Box::new(Cursor::new(bytes.to_vec())))
    }

    fn rows(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, Failure> {
        let mut table = table(bytes)?;
        let width = table.headers().len();
        let mut out = Vec::new();
        while let Some(row) = table.next_row()? {
            let cells = (0..width).map(|i| row.text(i).map(str::to_owned)).collect::<Result<_, _>>()?;
            out.push((row.line, cells));
        }
        Ok(out)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn one_table_in_many_forms() {
        let want = rows(b"a,b\n1,2\n\"x\ny\",4\n5,6").unwrap();
        let lines: Vec<u64> = want.iter().map(|(line, _)| *line).collect();
        assert_eq!((want.len(), lines), (3, vec![2, 3, 5]));
        let plain = b"a,b\r\n1,2\r\n\"x\r\ny\",4\r\n5,6\r\n";
        let twice = [gzip(b"a,b\n1,2\n"), gzip(b"\"x\ny\",4\n5,6\n")].concat();
        let marked = [b"\xef\xbb\xbf".as_slice(), plain].concat();
        for form in [plain.to_vec(), gzip(plain), twice, marked.clone(), gzip(&marked)] {
            assert_eq!(rows(&form).unwrap(), want);
        }
        let sparse = rows(b"\n\na,b\n\n\n1,2\n\n\"x\ny\",4\n5,6\n\n").unwrap();
        assert_eq!(sparse.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6, 8, 10], "empty lines are lines");
        for by in [";", "\t", "|"] {
            assert_eq!(rows(format!("a{by}b\n1{by}2\n").as_bytes()).unwrap(), [(2, vec!["1".to_owned(), "2".to_owned()])]);
        }
    }

    #[test]
    fn what_is_no_table_says_where_and_what() {
        let long = [b"a,b\n1,\"".as_slice(), &vec![b'x'; 2 * ROW_BYTES_MAX]].concat();
        let mut cut = gzip(&b"a,b\n1,2\n".repeat(10_000));
        cut.truncate(60);
        for (bytes, said) in [
            (b"".to_vec(), "t: is empty"),
            (b"\n\n".to_vec(), "t: is empty"),
            (b"PK\x03\x04rest".to_vec(), "zip"),
            (b"a\0b,c\n".to_vec(), "no text"),
            (vec![b'a'; HEADER_BYTES_MAX + 5], "should name the columns"),
            (b"a,b\n1\n".to_vec(), "t:2: 1 cells where the header has 2: complete it"),
            (b"a,b\n1,2\n1,2,3\n".to_vec(), "t:3: 3 cells where the header has 2: put"),
            (b"a,b\n1,\xff\n".to_vec(), "t:2: column 2 (`b`): is not UTF-8"),
            (b"a,\xff\n".to_vec(), "t:1: column 2: the column's name is not UTF-8"),
            (b"a,b\n1,2\n3,\"x\n4,5\n6,7\n".to_vec(), "t:3: a quote that begins a cell in this line is never closed"),
            (b"a,b\n1,\"x\"\"\n4,5\n".to_vec(), "t:2: a quote that begins a cell"),
            (b"a,\"b\n1,2\n".to_vec(), "t:1: a quote that begins a cell"),
            (long, "t:2: a row has more than"),
            (cut, "t: cannot be read to its end"),
        ] {
            let why = rows(&bytes).err().unwrap_or_else(|| panic!("{said}"));
            assert!(why.message.contains(said), "{said}: {}", why.message);
        }
    }

    #[test]
    fn lines_end_alike_however_they_are_cut() {
        /// Gives a few bytes at a time.
        struct Drops(Cursor<Vec<u8>>, usize);
        impl Read for Drops {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let most = self.1.min(into.len());
                self.0.read(&mut into[..most])
            }
        }
        let text = b"a\r\nb\rc\r\r\nd\r";
        for size in 1..text.len() + 1 {
            let drops = Drops(Cursor::new(text.to_vec()), size);
            let metered = Metered::new(Box::new(drops), b',', &Rc::new(Cell::new(0)), &Rc::new(Cell::new(None)));
            let out: Vec<u8> = BufReader::with_capacity(2 + size, metered).bytes().map(Result::unwrap).collect();
            assert_eq!(out, b"a\nb\rc\r\nd\r\n", "{size}");
        }
    }

    #[test]
    fn quotes_that_open_nothing_or_are_closed_are_cells() {
        for (bytes, wanted) in [
            (&b"a,b\n1,5\" pipe\n"[..], "5\" pipe"),
            (b"a,b\n1,\"say \"\"so\"\"\"\n", "say \"so\""),
            (b"a,b\n1,\"x\"", "x"),
            (b"a,b\n1,\"\"\n", ""),
            (b"a;b\n1;\"x\r\ny\"\r\n", "x\ny"),
        ] {
            assert_eq!(rows(bytes).unwrap()[0].1[1], wanted);
        }
    }

    #[test]
    fn nothing_is_said_in_three_ways() {
        let mut table = table(b"a\nNULL\n\\N\nnull\nx\n").unwrap();
        let mut found = Vec::new();
        while let Some(row) = table.next_row().unwrap() {
            found.push(row.known(0).unwrap().map(str::to_owned));
        }
        assert_eq!(found, [None, None, None, Some("x".to_owned())]);
    }
}
