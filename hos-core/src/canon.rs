//! The one way to turn a value into bytes: deterministic CBOR (RFC 8949 section 4.2). Integer or text keys, no floats, no
//! tags, no nulls, nothing indefinite. Decoders re-encode and compare.
//!
//! A [`Value`] is: Bool -> bool; Long -> int; String -> text; Record -> map with text keys; Entity -> `[0, type, id]`;
//! Set -> `[1, [members in bytewise order of their encodings]]`; extension -> `[2, function, argument]`.
//!
//! Map keys ascend in the bytewise order of their encodings, so that a shorter text key comes before a longer one.

use crate::id::Uid;
use crate::limits::CANON_DEPTH_MAX;
use crate::value::{Ext, Record, Value};
use minicbor::{Decoder, Encoder};
use std::collections::BTreeSet;
use std::convert::Infallible;

const NOT_SHORTEST: &str = "an integer or a length is not in its shortest form";
const INDEFINITE: &str = "an indefinite length";
const CUT_SHORT: &str = "the bytes end inside an item";
const KEY_ORDER: &str = "map keys are not in ascending order, or one repeats";
const SET_ORDER: &str = "set members are not in ascending order, or one repeats";
const LEFT_OVER: &str = "bytes are left over";
const TAGGED: &str = "a tag";
const SIMPLE: &str = "a float, null, undefined or simple value";
const TOO_DEEP: &str = "values nest too deep";
const NOT_UTF8: &str = "text is not UTF-8";
const OUT_OF_RANGE: &str = "an integer is out of range";
const REENCODED: &str = "the same value encodes to other bytes";

/// Why bytes are not canonical.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not canonical: {0} (at byte {1})")]
pub struct CanonError(pub &'static str, pub usize);

/// The canonical bytes of a value.
pub fn encode_value(value: &Value) -> Vec<u8> {
    let mut w = Writer::default();
    w.value(value);
    w.finish()
}

/// The value whose canonical bytes these are, with nothing left over.
pub fn decode_value(bytes: &[u8]) -> Result<Value, CanonError> {
    let mut r = Reader::new(bytes);
    let value = r.value()?;
    r.end()?;
    same(bytes, &encode_value(&value))?;
    Ok(value)
}

/// The canonical bytes of a record of values.
pub fn encode_record(record: &Record) -> Vec<u8> {
    let mut w = Writer::default();
    w.record(record);
    w.finish()
}

/// The record of values whose canonical bytes these are, with nothing left over.
pub fn decode_record(bytes: &[u8]) -> Result<Record, CanonError> {
    let mut r = Reader::new(bytes);
    let record = r.record()?;
    r.end()?;
    same(bytes, &encode_record(&record))?;
    Ok(record)
}

/// Compares what was read with its own encoding; the place is the first byte that differs.
pub fn same(given: &[u8], encoded: &[u8]) -> Result<(), CanonError> {
    if given == encoded {
        return Ok(());
    }
    let at = given.iter().zip(encoded).position(|(a, b)| a != b).unwrap_or(given.len().min(encoded.len()));
    Err(CanonError(REENCODED, at))
}

/// Appends one item to a byte string. Callers are trusted to write map keys in order, and as many items as they announced;
/// in debug builds [`Writer::finish`] checks it.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
}

/// Most items that are written alone are shorter, and memory that grows from nothing is asked for five times until it is as long.
const ROOM: usize = 128;

impl Default for Writer {
    fn default() -> Self {
        Self::with_capacity(ROOM)
    }
}

/// Writing to memory cannot fail, and the type says so.
fn sure<T>(written: Result<T, minicbor::encode::Error<Infallible>>) {
    debug_assert!(written.is_ok(), "memory takes every byte");
}

impl Writer {
    /// Starts with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// Goes on in memory that was used before; what stood there is forgotten.
    pub fn reusing(mut out: Vec<u8>) -> Self {
        out.clear();
        Self { out }
    }

    /// The head of an item; the two common forms are written here, for verifying a log is mostly this.
    #[inline]
    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        match argument {
            0..24 => self.out.push(major << 5 | argument as u8),
            24..256 => self.out.extend_from_slice(&[major << 5 | 24, argument as u8]),
            _ => self.long_head(major, argument),
        }
        self
    }

    fn long_head(&mut self, major: u8, argument: u64) {
        let mut long = Encoder::new(&mut self.out);
        match major {
            0 => sure(long.u64(argument)),
            2 => sure(long.bytes_len(argument)),
            3 => sure(long.str_len(argument)),
            4 => sure(long.array(argument)),
            _ => sure(long.map(argument)),
        }
    }

    /// Starts an array of so many items.
    pub fn array(&mut self, len: usize) -> &mut Self {
        self.head(4, len as u64)
    }
    /// Starts a map of so many pairs; keys must follow in canonical order.
    pub fn map(&mut self, len: usize) -> &mut Self {
        self.head(5, len as u64)
    }
    /// An unsigned integer.
    #[inline]
    pub fn uint(&mut self, v: u64) -> &mut Self {
        self.head(0, v)
    }
    /// A signed integer.
    pub fn int(&mut self, v: i64) -> &mut Self {
        sure(Encoder::new(&mut self.out).i64(v));
        self
    }
    /// Text.
    pub fn text(&mut self, v: &str) -> &mut Self {
        self.head(3, v.len() as u64).out.extend_from_slice(v.as_bytes());
        self
    }
    /// Bytes.
    pub fn bytes(&mut self, v: &[u8]) -> &mut Self {
        self.head(2, v.len() as u64).out.extend_from_slice(v);
        self
    }
    /// A boolean.
    pub fn bool(&mut self, v: bool) -> &mut Self {
        sure(Encoder::new(&mut self.out).bool(v));
        self
    }
    /// A value.
    pub fn value(&mut self, v: &Value) -> &mut Self {
        match v {
            Value::Bool(b) => self.bool(*b),
            Value::Long(n) => self.int(*n),
            Value::String(s) => self.text(s),
            Value::Record(fields) => self.record(fields),
            Value::Entity(uid) => self.array(3).uint(0).text(uid.type_name()).text(uid.id()),
            Value::Ext(ext, argument) => self.array(3).uint(2).text(ext.function()).text(argument),
            Value::Set(members) => {
                let encoded: BTreeSet<Vec<u8>> = members.iter().map(encode_value).collect();
                self.array(2).uint(1).array(encoded.len());
                encoded.iter().for_each(|member| self.out.extend_from_slice(member));
                self
            }
        }
    }
    /// A record of values.
    pub fn record(&mut self, v: &Record) -> &mut Self {
        let mut fields: Vec<(&String, &Value)> = v.iter().collect();
        fields.sort_unstable_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes())));
        self.map(fields.len());
        for (key, value) in fields {
            self.text(key).value(value);
        }
        self
    }
    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        let bytes = self.out;
        debug_assert_eq!(check_items(&bytes), Ok(()), "the writer was misused");
        bytes
    }
}

/// Checks that bytes are canonical items one after the other, whatever they mean: shortest forms, definite lengths, keys in
/// order, none of the types that are not used here, nothing nested deeper than twice [`CANON_DEPTH_MAX`] and some.
pub fn check_items(bytes: &[u8]) -> Result<(), CanonError> {
    let mut r = Reader::new(bytes);
    while r.end().is_err() {
        r.skip(2 * CANON_DEPTH_MAX + 16)?;
    }
    Ok(())
}

/// Checks that bytes are one such item and nothing else, in which so many arrays and maps stand in each other at most.
pub fn check_item(bytes: &[u8], depth_max: usize) -> Result<(), CanonError> {
    let mut r = Reader::new(bytes);
    r.skip(depth_max)?;
    r.end()
}

/// Reads canonical items one after the other; refuses every other form.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    input: Decoder<'a>,
}

/// The bytes that the head of an item with this argument takes in its shortest form.
const fn head_len(argument: u64) -> usize {
    match argument {
        0..=0x17 => 1,
        0x18..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

impl<'a> Reader<'a> {
    /// Starts at the beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { input: Decoder::new(bytes) }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.input.position()
    }

    fn remaining(&self) -> usize {
        self.input.input().len().saturating_sub(self.position())
    }

    /// The unsigned integer that comes next, where it is of one byte; nothing is read.
    #[inline]
    pub(crate) fn small(&self) -> Option<u64> {
        self.input.input().get(self.position()).filter(|first| **first < 24).map(|first| u64::from(*first))
    }

    /// Reads what [`Reader::small`] has told.
    #[inline]
    pub(crate) fn skip_small(&mut self) {
        self.input.set_position(self.position() + 1);
    }

    fn fail<T>(&self, why: &'static str, at: usize) -> Result<T, CanonError> {
        Err(CanonError(why, at))
    }

    /// The major type of the next item, once it is neither indefinite nor of a kind that is not used here.
    fn major(&self) -> Result<u8, CanonError> {
        let at = self.position();
        let Some(&first) = self.input.input().get(at) else { return self.fail(CUT_SHORT, at) };
        match first {
            0x5f | 0x7f | 0x9f | 0xbf | 0xff => self.fail(INDEFINITE, at),
            0xc0..=0xdf => self.fail(TAGGED, at),
            0xe0..=0xf3 | 0xf6..=0xfe => self.fail(SIMPLE, at),
            _ if first & 0x1f > 0x1b && first < 0xe0 => self.fail("a reserved length", at),
            _ => Ok(first >> 5),
        }
    }

    fn expect(&self, major: u8, wanted: &'static str) -> Result<usize, CanonError> {
        if self.major()? == major { Ok(self.position()) } else { self.fail(wanted, self.position()) }
    }

    /// The argument of the next head, where it is of this major type and in one of the two common forms, each the shortest:
    /// the argument inside the first byte, or in the second. Everything else is left to the long way round.
    #[inline]
    fn short(&mut self, major: u8) -> Option<usize> {
        let at = self.position();
        let (argument, len) = match self.input.input().get(at..)? {
            [first, ..] if first >> 5 != major => return None,
            [first, ..] if first & 0x1f < 24 => (first & 0x1f, 1),
            [first, second, ..] if first & 0x1f == 24 && *second >= 24 => (*second, 2),
            _ => return None,
        };
        self.input.set_position(at + len);
        Some(usize::from(argument))
    }

    /// So many bytes that follow a head.
    fn payload(&mut self, start: usize, len: usize) -> Result<&'a [u8], CanonError> {
        let at = self.position();
        let found = self.input.input().get(at..at.saturating_add(len)).ok_or(CanonError(CUT_SHORT, start))?;
        self.input.set_position(at + len);
        Ok(found)
    }

    fn shortest(&self, start: usize, payload: usize, argument: u64) -> Result<(), CanonError> {
        if self.position() - start == head_len(argument) + payload { Ok(()) } else { self.fail(NOT_SHORTEST, start) }
    }

    /// A length of items that each take at least so many bytes: never more than what is left can hold.
    fn counted(&self, start: usize, len: Option<u64>, each: usize) -> Result<usize, CanonError> {
        let Some(len) = len else { return self.fail(INDEFINITE, start) };
        self.shortest(start, 0, len)?;
        match usize::try_from(len) {
            Ok(n) if n <= self.remaining() / each => Ok(n),
            _ => self.fail(CUT_SHORT, start),
        }
    }

    /// An array's length.
    #[inline]
    pub fn array(&mut self) -> Result<usize, CanonError> {
        let at = self.position();
        if let Some(len) = self.short(4) {
            return if len <= self.remaining() { Ok(len) } else { self.fail(CUT_SHORT, at) };
        }
        let start = self.expect(4, "an array was expected")?;
        let len = self.input.array().map_err(|_| CanonError(CUT_SHORT, start))?;
        self.counted(start, len, 1)
    }

    /// An array of exactly so many items.
    pub fn array_of(&mut self, len: usize) -> Result<(), CanonError> {
        let start = self.position();
        if self.array()? == len { Ok(()) } else { self.fail("an array of another length was expected", start) }
    }

    /// A map's length; the caller reads keys and values, and order is checked by re-encoding.
    pub fn map(&mut self) -> Result<usize, CanonError> {
        let at = self.position();
        if let Some(len) = self.short(5) {
            return if len <= self.remaining() / 2 { Ok(len) } else { self.fail(CUT_SHORT, at) };
        }
        let start = self.expect(5, "a map was expected")?;
        let len = self.input.map().map_err(|_| CanonError(CUT_SHORT, start))?;
        self.counted(start, len, 2)
    }

    /// An unsigned integer.
    #[inline]
    pub fn uint(&mut self) -> Result<u64, CanonError> {
        match self.short(0) {
            Some(v) => Ok(v as u64),
            None => self.long_uint(),
        }
    }

    fn long_uint(&mut self) -> Result<u64, CanonError> {
        let start = self.expect(0, "an unsigned integer was expected")?;
        let v = self.input.u64().map_err(|_| CanonError(CUT_SHORT, start))?;
        self.shortest(start, 0, v)?;
        Ok(v)
    }

    /// An unsigned integer that must fit a narrower type.
    pub fn uint_as<T: TryFrom<u64>>(&mut self) -> Result<T, CanonError> {
        let start = self.position();
        T::try_from(self.uint()?).map_err(|_| CanonError(OUT_OF_RANGE, start))
    }

    /// A signed integer.
    pub fn int(&mut self) -> Result<i64, CanonError> {
        let start = self.position();
        i64::try_from(self.wide_int()?).map_err(|_| CanonError(OUT_OF_RANGE, start))
    }

    /// Any integer that CBOR's two types of them hold.
    fn wide_int(&mut self) -> Result<i128, CanonError> {
        let start = self.position();
        if self.major()? > 1 {
            return self.fail("an integer was expected", start);
        }
        let wide = i128::from(self.input.int().map_err(|_| CanonError(CUT_SHORT, start))?);
        let argument = if wide < 0 { -1 - wide } else { wide };
        self.shortest(start, 0, u64::try_from(argument).unwrap_or(u64::MAX))?;
        Ok(wide)
    }

    /// Text.
    #[inline]
    pub fn text(&mut self) -> Result<&'a str, CanonError> {
        let at = self.position();
        if let Some(len) = self.short(3) {
            let raw = self.payload(at, len)?;
            return std::str::from_utf8(raw).map_err(|_| CanonError(NOT_UTF8, at));
        }
        let start = self.expect(3, "text was expected")?;
        let text = self.input.str().map_err(|e| {
            let why = if e.is_end_of_input() { CUT_SHORT } else { NOT_UTF8 };
            CanonError(why, start)
        })?;
        self.shortest(start, text.len(), text.len() as u64)?;
        Ok(text)
    }

    /// Bytes.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], CanonError> {
        let at = self.position();
        if let Some(len) = self.short(2) {
            return self.payload(at, len);
        }
        let start = self.expect(2, "bytes were expected")?;
        let bytes = self.input.bytes().map_err(|_| CanonError(CUT_SHORT, start))?;
        self.shortest(start, bytes.len(), bytes.len() as u64)?;
        Ok(bytes)
    }

    /// Exactly so many bytes.
    #[inline]
    pub fn bytes_of<const N: usize>(&mut self) -> Result<[u8; N], CanonError> {
        let start = self.position();
        self.bytes()?.try_into().map_err(|_| CanonError("bytes of another length were expected", start))
    }

    /// A boolean.
    pub fn bool(&mut self) -> Result<bool, CanonError> {
        let start = self.expect(7, "a boolean was expected")?;
        self.input.bool().map_err(|_| CanonError(SIMPLE, start))
    }

    /// A value. Sets and records nest so deep at most; an outermost record does not count.
    pub fn value(&mut self) -> Result<Value, CanonError> {
        if self.major()? == 5 { self.record().map(Value::Record) } else { self.value_at(1) }
    }

    /// A record of values.
    pub fn record(&mut self) -> Result<Record, CanonError> {
        self.record_at(0)
    }

    /// A value; a set or record that opens here is the one of this number.
    fn value_at(&mut self, depth: usize) -> Result<Value, CanonError> {
        let start = self.position();
        match self.major()? {
            0 | 1 => Ok(Value::Long(self.int()?)),
            3 => Ok(Value::String(self.text()?.to_owned())),
            4 => self.tagged_at(depth),
            5 => Ok(Value::Record(self.record_at(depth)?)),
            7 => Ok(Value::Bool(self.bool()?)),
            _ => self.fail("bytes are not a value", start),
        }
    }

    /// An entity, a set or an extension value: an array that begins with its number.
    fn tagged_at(&mut self, depth: usize) -> Result<Value, CanonError> {
        let start = self.position();
        let len = self.array()?;
        if len < 2 {
            return self.fail("an array that is no value", start);
        }
        match (self.uint()?, len) {
            (0, 3) => {
                let (type_name, id) = (self.text()?, self.text()?);
                let uid = Uid::new(type_name, id).map_err(|_| CanonError("an entity is malformed", start))?;
                Ok(Value::Entity(uid))
            }
            (1, 2) => {
                self.opens(depth, start)?;
                Ok(Value::Set(self.members_at(depth)?))
            }
            (2, 3) => {
                let function = self.text()?;
                let ext = Ext::from_function(function).ok_or(CanonError("an unknown extension function", start))?;
                Ok(Value::Ext(ext, self.text()?.to_owned()))
            }
            _ => self.fail("an array that is no value", start),
        }
    }

    /// A set or record of this number opens. What stands in the innermost one is no deeper than it.
    fn opens(&self, depth: usize, start: usize) -> Result<(), CanonError> {
        if depth > CANON_DEPTH_MAX { self.fail(TOO_DEEP, start) } else { Ok(()) }
    }

    fn members_at(&mut self, depth: usize) -> Result<BTreeSet<Value>, CanonError> {
        let count = self.array()?;
        let mut members = BTreeSet::new();
        let mut last: &[u8] = &[];
        for _ in 0..count {
            let start = self.position();
            members.insert(self.value_at(depth + 1)?);
            let this = self.read_since(start);
            if this <= last {
                return self.fail(SET_ORDER, start);
            }
            last = this;
        }
        Ok(members)
    }

    fn record_at(&mut self, depth: usize) -> Result<Record, CanonError> {
        self.opens(depth, self.position())?;
        let count = self.map()?;
        let mut record = Record::new();
        let mut last: Option<&str> = None;
        for _ in 0..count {
            let start = self.position();
            let key = self.text()?;
            if last.is_some_and(|last| (key.len(), key) <= (last.len(), last)) {
                return self.fail(KEY_ORDER, start);
            }
            last = Some(key);
            record.insert(key.to_owned(), self.value_at(depth + 1)?);
        }
        Ok(record)
    }

    /// The bytes read since a position that this reader reported.
    pub fn read_since(&self, start: usize) -> &'a [u8] {
        self.input.input().get(start..self.position()).unwrap_or_default()
    }

    /// Passes over one item of any kind that is used here, checking its form. So many arrays and maps may yet open.
    fn skip(&mut self, left: usize) -> Result<(), CanonError> {
        let start = self.position();
        let inner = left.checked_sub(1).ok_or(CanonError(TOO_DEEP, start));
        match self.major()? {
            0 => self.uint().map(drop),
            1 => self.wide_int().map(drop),
            2 => self.bytes().map(drop),
            3 => self.text().map(drop),
            4 => {
                let (inner, len) = (inner?, self.array()?);
                (0..len).try_for_each(|_| self.skip(inner))
            }
            5 => {
                let (inner, len) = (inner?, self.map()?);
                let mut last: &[u8] = &[];
                for _ in 0..len {
                    let at = self.position();
                    self.skip(inner)?;
                    let key = self.read_since(at);
                    if key <= last {
                        return self.fail(KEY_ORDER, at);
                    }
                    last = key;
                    self.skip(inner)?;
                }
                Ok(())
            }
            _ => self.bool().map(drop),
        }
    }

    /// Refuses what is left over.
    pub fn end(&self) -> Result<(), CanonError> {
        if self.remaining() == 0 { Ok(()) } else { self.fail(LEFT_OVER, self.position()) }
    }
}
