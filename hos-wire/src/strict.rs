//! JSON bytes -> a tree, refusing whatever two parsers could read differently.
//!
//! Bounds come first: the size before anything is looked at, the nesting before anything recurses. Then the grammar of
//! RFC 8259, and beyond it: no key twice in an object, no `null`, no number but a whole one of 64 bits (`1.0`, `1e2` and
//! `-0` are floats to most parsers), no lone surrogate, no byte that is not UTF-8.

use crate::limits::JSON_NESTING_MAX;
use hos_core::id::Shown;
use hos_core::refusal::Code;
use hos_engine::Failure;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// A JSON text that is sound by our rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Long(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Tree>),
    /// An object; the order of its keys means nothing.
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Tree::Bool(_) => "true or false",
            Tree::Long(_) => "a number",
            Tree::Text(_) => "a string",
            Tree::List(_) => "an array",
            Tree::Object(_) => "an object",
        }
    }
}

/// Reads a JSON text of at most `bytes_max` bytes.
pub fn parse(bytes: &[u8], bytes_max: usize) -> Result<Tree, Failure> {
    if bytes.len() > bytes_max {
        return Err(Failure::new(Code::CallTooLarge, format!("{} bytes of JSON, at most {bytes_max} are read", bytes.len())));
    }
    if nesting_exceeds(bytes, JSON_NESTING_MAX) {
        return Err(Failure::new(Code::CallTooLarge, format!("the JSON nests more than {JSON_NESTING_MAX} deep")));
    }
    let refused = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let tree = Seed(&refused).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    tree.map_err(|error| match refused.into_inner() {
        Some((code, message)) => Failure::new(code, format!("{message} (line {}, column {})", error.line(), error.column())),
        // A number whose exponent no float can hold: a float all the same.
        None if error.to_string().starts_with("number out of range") => Failure::new(
            Code::ValueInvalid,
            format!("a float is no value here (line {}, column {})", error.line(), error.column()),
        ),
        None => Failure::new(Code::CallMalformed, format!("no JSON: {}", inert(&error.to_string()))),
    })
}

// Counts brackets outside strings. A text that is no JSON is estimated; the parser refuses it afterwards.
fn nesting_exceeds(bytes: &[u8], max: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

fn inert(text: &str) -> String {
    Shown(text).to_string()
}

type Slot = RefCell<Option<(Code, String)>>;

// Carries a place for our own refusals, whose code a parser's error cannot.
#[derive(Clone, Copy)]
struct Seed<'s>(&'s Slot);

impl Seed<'_> {
    fn refuse<E: Error>(self, code: Code, message: impl Into<String>) -> E {
        let message = message.into();
        let error = E::custom(&message);
        *self.0.borrow_mut() = Some((code, message));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Tree;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Tree, E> {
        Ok(Tree::Long(v))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Tree, E> {
        i64::try_from(v)
            .map(Tree::Long)
            .map_err(|_| self.refuse(Code::ValueInvalid, format!("{v} is beyond 64 bits with a sign")))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Tree, E> {
        let message = if v.fract() == 0.0 && v.abs() >= i64::MAX as f64 {
            "a whole number beyond 64 bits, or a float, is no value here"
        } else {
            "a float is no value here: write money in its smallest unit, or as a decimal"
        };
        Err(self.refuse(Code::ValueInvalid, message))
    }

    fn visit_str<E>(self, v: &str) -> Result<Tree, E> {
        Ok(Tree::Text(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Tree, E> {
        Ok(Tree::Text(v))
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Err(self.refuse(Code::ValueInvalid, "null is no value here: leave the field out"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut object = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            match object.entry(key) {
                Entry::Occupied(twice) => {
                    let shown: String = twice.key().chars().take(80).collect();
                    return Err(
                        self.refuse(Code::CallMalformed, format!("the key `{}` stands twice in one object", Shown(&shown)))
                    );
                }
                Entry::Vacant(free) => {
                    free.insert(entries.next_value_seed(self)?);
                }
            }
        }
        Ok(Tree::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> Code {
        parse(text, 1 << 20).unwrap_err().code
    }

    #[test]
    fn sound_texts_become_trees() {
        let tree = parse(br#" {"a": [1, -9223372036854775808, "\u0000\ud834\udd1e"], "b": {"": true}} "#, 1 << 20).unwrap();
        let list = Tree::List(vec![Tree::Long(1), Tree::Long(i64::MIN), Tree::Text("\0\u{1d11e}".into())]);
        let inner = Tree::Object([(String::new(), Tree::Bool(true))].into());
        assert_eq!(tree, Tree::Object([("a".to_owned(), list), ("b".to_owned(), inner)].into()));
    }

    #[test]
    fn what_parsers_disagree_about_is_refused() {
        for (text, wanted) in [
            (&br#"{"a":1,"a":1}"#[..], Code::CallMalformed),
            (br#"{"a":{"b":1,"\u0062":2}}"#, Code::CallMalformed),
            (b"null", Code::ValueInvalid),
            (b"[1,null]", Code::ValueInvalid),
            (b"1.0", Code::ValueInvalid),
            (b"1e2", Code::ValueInvalid),
            (b"-0", Code::ValueInvalid),
            (b"1e400", Code::ValueInvalid),
            (b"[1e400]", Code::ValueInvalid),
            (b"9223372036854775808", Code::ValueInvalid),
            (b"-9223372036854775809", Code::ValueInvalid),
            (b"100000000000000000000000", Code::ValueInvalid),
            (br#""\ud834""#, Code::CallMalformed),
            (br#""\udd1e\ud834""#, Code::CallMalformed),
            (b"\"\xff\"", Code::CallMalformed),
            (b"\"\xc0\xaf\"", Code::CallMalformed),
            (b"\xef\xbb\xbf{}", Code::CallMalformed),
            (b"{} {}", Code::CallMalformed),
            (b"", Code::CallMalformed),
            (b"{'a':1}", Code::CallMalformed),
            (b"[1,]", Code::CallMalformed),
            (b"NaN", Code::CallMalformed),
        ] {
            assert_eq!(code(text), wanted, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn bounds_come_before_parsing() {
        assert_eq!(code(&vec![b'['; 100_000]), Code::CallTooLarge);
        assert_eq!(code("{\"a\":".repeat(100_000).as_bytes()), Code::CallTooLarge);
        assert_eq!(parse(&[b' '; 101], 100).unwrap_err().code, Code::CallTooLarge);
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(JSON_NESTING_MAX).as_bytes(), 1 << 20).is_ok());
        assert_eq!(code(nested(JSON_NESTING_MAX + 1).as_bytes()), Code::CallTooLarge);
        // Brackets in strings do not nest, and an escaped quote does not end a string.
        assert!(parse(format!(r#"["\"{}"]"#, "[".repeat(100)).as_bytes(), 1 << 20).is_ok());
    }

    #[test]
    fn messages_show_keys_escaped() {
        let failure = parse("{\"\u{202e}\":1,\"\u{202e}\":2}".as_bytes(), 100).unwrap_err();
        assert!(failure.message.contains("\\u{202e}") && !failure.message.contains('\u{202e}'), "{}", failure.message);
    }
}
