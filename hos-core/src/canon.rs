//! The one way to turn a value into bytes: deterministic CBOR (RFC 8949 section 4.2). Integer or text keys, no floats, no
//! tags, no nulls, nothing indefinite. Decoders re-encode and compare.
//!
//! A [`Value`] is: Bool -> bool; Long -> int; String -> text; Record -> map with text keys; Entity -> `[0, type, id]`;
//! Set -> `[1, [members in bytewise order of their encodings]]`; extension -> `[2, function, argument]`.

use crate::value::{Record, Value};

/// Why bytes are not canonical.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not canonical: {0} (at byte {1})")]
pub struct CanonError(pub &'static str, pub usize);

/// Appends one item to a byte string. Callers are trusted to write map keys in order; [`Writer::finish`] checks it.
#[derive(Debug, Default)]
pub struct Writer {
    _bytes: Vec<u8>,
}

impl Writer {
    /// Starts an array of so many items.
    pub fn array(&mut self, _len: usize) -> &mut Self {
        todo!()
    }
    /// Starts a map of so many pairs; keys must follow in canonical order.
    pub fn map(&mut self, _len: usize) -> &mut Self {
        todo!()
    }
    /// An unsigned integer.
    pub fn uint(&mut self, _v: u64) -> &mut Self {
        todo!()
    }
    /// A signed integer.
    pub fn int(&mut self, _v: i64) -> &mut Self {
        todo!()
    }
    /// Text.
    pub fn text(&mut self, _v: &str) -> &mut Self {
        todo!()
    }
    /// Bytes.
    pub fn bytes(&mut self, _v: &[u8]) -> &mut Self {
        todo!()
    }
    /// A boolean.
    pub fn bool(&mut self, _v: bool) -> &mut Self {
        todo!()
    }
    /// A value.
    pub fn value(&mut self, _v: &Value) -> &mut Self {
        todo!()
    }
    /// A record of values.
    pub fn record(&mut self, _v: &Record) -> &mut Self {
        todo!()
    }
    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        todo!()
    }
}

/// Reads canonical items one after the other; refuses every other form.
#[derive(Debug)]
pub struct Reader<'a> {
    _bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the beginning.
    pub fn new(_bytes: &'a [u8]) -> Self {
        todo!()
    }
    /// An array's length.
    pub fn array(&mut self) -> Result<usize, CanonError> {
        todo!()
    }
    /// A map's length; the caller reads keys and values, and order is checked by re-encoding.
    pub fn map(&mut self) -> Result<usize, CanonError> {
        todo!()
    }
    /// An unsigned integer.
    pub fn uint(&mut self) -> Result<u64, CanonError> {
        todo!()
    }
    /// A signed integer.
    pub fn int(&mut self) -> Result<i64, CanonError> {
        todo!()
    }
    /// Text.
    pub fn text(&mut self) -> Result<&'a str, CanonError> {
        todo!()
    }
    /// Bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], CanonError> {
        todo!()
    }
    /// A boolean.
    pub fn bool(&mut self) -> Result<bool, CanonError> {
        todo!()
    }
    /// A value; depth-bounded.
    pub fn value(&mut self) -> Result<Value, CanonError> {
        todo!()
    }
    /// A record of values.
    pub fn record(&mut self) -> Result<Record, CanonError> {
        todo!()
    }
    /// Refuses what is left over.
    pub fn end(&self) -> Result<(), CanonError> {
        todo!()
    }
}
