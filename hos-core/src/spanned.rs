//! TOML with places: the one file that names the `toml` crate.
//!
//! [`parse`] reads a bounded text into a [`Table`] that keeps every key's and value's place and the order of the file.
//! A [`Reader`] then takes typed fields out of it, and collects a [`Fault`] with line and column for whatever is missing,
//! unknown or of the wrong type, so that all faults of a file are told at once.

mod nesting;

use crate::fault::{Fault, Severity, SourceFile};
use crate::id::Shown;
use crate::limits::{TOML_BYTES_MAX, TOML_NESTING_MAX};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// How many faults of one file are told; a file with more is not a law with mistakes but something else.
pub const FAULTS_MAX: usize = 256;

/// A table: its entries in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The header (`[event.pay]`), the inline table, or the key that opened it; empty at 0 for the whole file.
    pub span: Range<usize>,
    /// Keys are unique.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, unescaped.
    pub key: String,
    /// Where the key stands.
    pub span: Range<usize>,
    /// Its value.
    pub item: Item,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where; a string's quotes are inside.
    pub span: Range<usize>,
    /// The value.
    pub data: Data,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Text.
    String(Text),
    /// A 64-bit integer.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// An array, of tables too.
    Array(Vec<Item>),
    /// A table.
    Table(Table),
    /// What no law has a use for: a float, a TOML date, an integer beyond 64 bits; by its name for messages.
    Other(&'static str),
}

/// A string, and where it stands without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, unescaped.
    pub value: String,
    /// Its place inside the quotes. Where the text holds escapes the offsets inside it shift.
    pub span: Range<usize>,
}

impl Table {
    /// The entry with this key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.key == key)
    }
}

impl Data {
    /// The kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Data::String(_) => "a string",
            Data::Integer(_) => "an integer",
            Data::Boolean(_) => "a boolean",
            Data::Array(_) => "an array",
            Data::Table(_) => "a table",
            Data::Other(name) => name,
        }
    }
}

/// Reads a file. Faults: `law.toml.too_large`, `law.toml.too_deep`, `law.toml.syntax` (all of them, duplicate keys too).
pub fn parse(file: &SourceFile) -> Result<Table, Vec<Fault>> {
    let text = file.text.as_str();
    if text.len() > TOML_BYTES_MAX {
        let message = format!("the file has {} bytes, at most {TOML_BYTES_MAX} are read", text.len());
        return Err(vec![Fault::whole("law.toml.too_large", Severity::Error, &file.path, message)]);
    }
    let (depth, at) = nesting::deepest(text, TOML_NESTING_MAX);
    if depth > TOML_NESTING_MAX {
        let message = format!("tables and arrays nest more than {TOML_NESTING_MAX} deep");
        return Err(vec![Fault::at("law.toml.too_deep", Severity::Error, file, at..at + 1, message)]);
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(own_table(text, 0..0, root.get_ref()));
    }
    let mut faults: Vec<Fault> = errors
        .iter()
        .take(FAULTS_MAX)
        .map(|e| {
            let span = e.span().unwrap_or(text.len()..text.len());
            Fault::at("law.toml.syntax", Severity::Error, file, span, format!("no TOML: {}", Shown(e.message())))
        })
        .collect();
    faults.sort_by_key(|f| f.span.start);
    faults.dedup();
    Err(faults)
}

fn own_table(text: &str, span: Range<usize>, table: &DeTable<'_>) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            span: key.span(),
            item: own_item(text, value.span(), value.get_ref()),
        })
        .collect();
    entries.sort_by_key(|e| e.span.start);
    Table { span, entries }
}

// Recursive, and no deeper than TOML_NESTING_MAX was admitted.
fn own_item(text: &str, span: Range<usize>, value: &DeValue<'_>) -> Item {
    let data = match value {
        DeValue::String(s) => Data::String(Text { value: s.to_string(), span: inside_quotes(text, &span) }),
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Data::Integer(n),
            Err(_) => Data::Other("an integer beyond 64 bits"),
        },
        DeValue::Boolean(b) => Data::Boolean(*b),
        DeValue::Array(items) => Data::Array(items.iter().map(|i| own_item(text, i.span(), i.get_ref())).collect()),
        DeValue::Table(table) => Data::Table(own_table(text, span.clone(), table)),
        DeValue::Float(_) => Data::Other("a float"),
        DeValue::Datetime(_) => Data::Other("a TOML date"),
    };
    Item { span, data }
}

fn inside_quotes(text: &str, span: &Range<usize>) -> Range<usize> {
    let Some(raw) = text.get(span.clone()) else { return span.clone() };
    for quotes in ["\"\"\"", "'''", "\"", "'"] {
        if let Some(inner) = raw.strip_prefix(quotes).and_then(|r| r.strip_suffix(quotes)) {
            // A newline right after opening quotes is not part of the text.
            let skipped = match quotes.len() {
                3 if inner.starts_with("\r\n") => 2,
                3 if inner.starts_with('\n') => 1,
                _ => 0,
            };
            return span.start + quotes.len() + skipped..span.end - quotes.len();
        }
    }
    span.clone()
}

/// The codes under which a [`Reader`] reports; each wing has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    /// A key that nobody knows.
    pub unknown: &'static str,
    /// A key that must be there.
    pub missing: &'static str,
    /// A value of another type.
    pub wrong_type: &'static str,
}

/// Takes typed fields out of tables and collects the faults met on the way.
#[derive(Debug)]
pub struct Reader<'f> {
    file: &'f SourceFile,
    codes: Codes,
    /// What was found so far, at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
}

impl<'f> Reader<'f> {
    /// Begins with no faults.
    pub fn new(file: &'f SourceFile, codes: Codes) -> Self {
        Self { file, codes, faults: Vec::new() }
    }

    /// The file that is read.
    pub fn file(&self) -> &'f SourceFile {
        self.file
    }

    /// An error at a place of the file, not yet collected (so that a hint can be added): give it to [`Reader::push`].
    pub fn error(&self, code: &'static str, span: Range<usize>, message: impl Into<String>) -> Fault {
        self.fault(code, Severity::Error, span, message)
    }

    /// A warning at a place of the file, not yet collected.
    pub fn warning(&self, code: &'static str, span: Range<usize>, message: impl Into<String>) -> Fault {
        self.fault(code, Severity::Warning, span, message)
    }

    fn fault(&self, code: &'static str, severity: Severity, span: Range<usize>, message: impl Into<String>) -> Fault {
        if self.is_full() {
            // It will not be told: its line need not be counted.
            return Fault::whole(code, severity, &self.file.path, message);
        }
        Fault::at(code, severity, self.file, span, message)
    }

    /// Collects a fault; beyond [`FAULTS_MAX`] it is dropped, so that the time a file takes is bounded.
    pub fn push(&mut self, fault: Fault) {
        if !self.is_full() {
            self.faults.push(fault);
        }
    }

    /// Collects a fault with the known name nearest to the wrong one as a hint.
    pub fn push_near<'a>(&mut self, fault: Fault, wrong: &str, known: impl IntoIterator<Item = &'a str>) {
        if !self.is_full() {
            self.faults.push(fault.did_you_mean(wrong, known));
        }
    }

    fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    /// Reports every key that is not among the known ones, with the nearest of them as a hint.
    pub fn known_keys(&mut self, table: &Table, known: &[&str]) {
        for entry in table.entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let message = format!("nothing here is called `{}`", Shown(&entry.key));
            let fault = self.error(self.codes.unknown, entry.span.clone(), message);
            self.push_near(fault, &entry.key, known.iter().copied());
        }
    }

    /// The entry with this key, or a fault at the table that misses it.
    pub fn required<'t>(&mut self, table: &'t Table, key: &str) -> Option<&'t Item> {
        let found = table.get(key).map(|e| &e.item);
        if found.is_none() {
            self.push(self.error(self.codes.missing, table.span.clone(), format!("`{key}` is missing here")));
        }
        found
    }

    /// The string with this key, if the key is there.
    pub fn string<'t>(&mut self, table: &'t Table, key: &str) -> Option<&'t Text> {
        table.get(key).and_then(|e| self.as_string(&e.item, key))
    }

    /// The string with this key, which must be there.
    pub fn required_string<'t>(&mut self, table: &'t Table, key: &str) -> Option<&'t Text> {
        self.required(table, key).and_then(|item| self.as_string(item, key))
    }

    /// The integer with this key, if the key is there.
    pub fn integer(&mut self, table: &Table, key: &str) -> Option<i64> {
        table.get(key).and_then(|e| self.as_integer(&e.item, key))
    }

    /// The boolean with this key, if the key is there.
    pub fn boolean(&mut self, table: &Table, key: &str) -> Option<bool> {
        table.get(key).and_then(|e| match &e.item.data {
            Data::Boolean(b) => Some(*b),
            _ => self.wrong_type(&e.item, key, "a boolean"),
        })
    }

    /// The table with this key, if the key is there.
    pub fn table<'t>(&mut self, table: &'t Table, key: &str) -> Option<&'t Table> {
        table.get(key).and_then(|e| self.as_table(&e.item, key))
    }

    /// The items of the array with this key; none where the key is absent.
    pub fn array<'t>(&mut self, table: &'t Table, key: &str) -> &'t [Item] {
        table.get(key).and_then(|e| self.as_array(&e.item, key)).unwrap_or_default()
    }

    /// The strings of the array with this key; what is no string is a fault.
    pub fn strings<'t>(&mut self, table: &'t Table, key: &str) -> Vec<&'t Text> {
        self.array(table, key).iter().filter_map(|item| self.as_string(item, key)).collect()
    }

    /// The tables of the array with this key (`[[key]]`, or inline); what is no table is a fault.
    pub fn tables<'t>(&mut self, table: &'t Table, key: &str) -> Vec<&'t Table> {
        self.array(table, key).iter().filter_map(|item| self.as_table(item, key)).collect()
    }

    /// The value as a string; `what` names it in the fault.
    pub fn as_string<'t>(&mut self, item: &'t Item, what: &str) -> Option<&'t Text> {
        match &item.data {
            Data::String(text) => Some(text),
            _ => self.wrong_type(item, what, "a string"),
        }
    }

    /// The value as an integer.
    pub fn as_integer(&mut self, item: &Item, what: &str) -> Option<i64> {
        match &item.data {
            Data::Integer(n) => Some(*n),
            _ => self.wrong_type(item, what, "an integer"),
        }
    }

    /// The value as a table.
    pub fn as_table<'t>(&mut self, item: &'t Item, what: &str) -> Option<&'t Table> {
        match &item.data {
            Data::Table(table) => Some(table),
            _ => self.wrong_type(item, what, "a table"),
        }
    }

    /// The value as an array.
    pub fn as_array<'t>(&mut self, item: &'t Item, what: &str) -> Option<&'t [Item]> {
        match &item.data {
            Data::Array(items) => Some(items),
            _ => self.wrong_type(item, what, "an array"),
        }
    }

    /// Reports a value of another type than wanted; `wanted` with its article (`"a string"`).
    pub fn wrong_type<T>(&mut self, item: &Item, what: &str, wanted: &str) -> Option<T> {
        let message = format!("`{}` must be {wanted}, this is {}", Shown(what), item.data.kind());
        self.push(self.error(self.codes.wrong_type, item.span.clone(), message));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: Codes = Codes { unknown: "t.unknown", missing: "t.missing", wrong_type: "t.type" };

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "a.toml".into(), text: text.into() }
    }

    #[test]
    fn values_keep_their_place_and_order() {
        let file = file("z = \"é\\n\"\na = '''\nlong'''\n[t.u]\nn = -5\n[[l]]\nb = true\n[[l]]\n");
        let table = parse(&file).unwrap();
        assert_eq!(table.entries.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["z", "a", "t", "l"]);
        let mut reader = Reader::new(&file, CODES);
        let z = reader.string(&table, "z").unwrap();
        assert_eq!((z.value.as_str(), &file.text[z.span.clone()]), ("é\n", "é\\n"));
        assert_eq!(&file.text[reader.string(&table, "a").unwrap().span.clone()], "long");
        let u = reader.table(&table, "t").and_then(|t| t.get("u")).unwrap();
        assert_eq!(&file.text[u.item.span.clone()], "[t.u]");
        assert_eq!(reader.tables(&table, "l").len(), 2);
        assert!(reader.faults.is_empty());
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let file = file("nmae = 1\nlist = [\"a\", 2]\nflag = 3.5\nbig = 99999999999999999999\n");
        let table = parse(&file).unwrap();
        let mut reader = Reader::new(&file, CODES);
        reader.known_keys(&table, &["name", "list", "flag", "big"]);
        assert_eq!(reader.required_string(&table, "name"), None);
        assert_eq!(reader.strings(&table, "list").len(), 1);
        assert_eq!(reader.boolean(&table, "flag"), None);
        assert_eq!(reader.integer(&table, "big"), None);
        let told: Vec<_> = reader.faults.iter().map(|f| (f.code, f.line, f.column)).collect();
        assert_eq!(told, [("t.unknown", 1, 1), ("t.missing", 1, 1), ("t.type", 2, 14), ("t.type", 3, 8), ("t.type", 4, 7)]);
        assert_eq!(reader.faults[0].hint.as_deref(), Some("did you mean `name`?"));
    }

    #[test]
    fn syntax_size_and_depth_are_refused_before_anything_else() {
        let told = |text: &str| parse(&file(text)).unwrap_err().iter().map(|f| (f.code, f.line)).collect::<Vec<_>>();
        assert_eq!(told("a = 1\na = 2\nb = \n"), [("law.toml.syntax", 2), ("law.toml.syntax", 3)]);
        assert_eq!(told(&format!("x = \"{}\"", "a".repeat(TOML_BYTES_MAX))), [("law.toml.too_large", 0)]);
        assert_eq!(told(&format!("x = 1\ny = {}", "[".repeat(100_000))), [("law.toml.too_deep", 2)]);
        assert_eq!(told(&format!("x{} = 1", ".x".repeat(40))), [("law.toml.too_deep", 1)]);
        assert!(parse(&file(&format!("x{} = 1", ".x".repeat(31)))).is_ok());
    }
}
