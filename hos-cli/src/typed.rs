//! A word of the command line -> a value of a declared type.

use crate::entity;
use hos_core::id::{Shown, Uid};
use hos_core::law::Law;
use hos_core::refusal::Code;
use hos_core::shape::Type;
use hos_core::value::Value;
use hos_engine::Failure;
use hos_wire::{strict, value};

/// Reads a word as the type that the law declares for it.
pub(crate) fn read(name: &str, ty: &Type, text: &str, law: &Law) -> Result<Value, Failure> {
    let wrong = |code| Failure::new(code, format!("`{}` is a {ty}; `{}` is none", Shown(name), Shown(&shortened(text))));
    match ty {
        Type::Bool => text.parse().map(Value::Bool).map_err(|_| wrong(Code::AttributeType)),
        Type::Long => text.parse().map(Value::Long).map_err(|_| wrong(number_code(text))),
        Type::String => Ok(Value::String(text.to_owned())),
        Type::Ext(ext) => Ok(Value::Ext(*ext, text.to_owned())),
        Type::Entity(type_name) => Ok(Value::Entity(reference(type_name, text, law)?)),
        Type::Set(inner) if text.starts_with('[') => {
            let tree = strict::parse(text.as_bytes(), hos_wire::CALL_BYTES_MAX)?;
            let set = value::value(tree)?;
            if matches!(**inner, Type::Entity(_)) || ty.admits(&set) { Ok(set) } else { Err(wrong(Code::AttributeType)) }
        }
        Type::Set(_) if text.is_empty() => Ok(Value::Set(Default::default())),
        Type::Set(inner) => Ok(Value::Set(text.split(',').map(|item| read(name, inner, item, law)).collect::<Result<_, _>>()?)),
    }
}

/// Reads a word that nobody declared: `true`, a whole number, an entity in quotes, or text.
pub(crate) fn guess(text: &str, law: &Law) -> Result<Value, Failure> {
    if let Ok(v) = text.parse() {
        return Ok(Value::Bool(v));
    }
    if let Ok(v) = text.parse() {
        return Ok(Value::Long(v));
    }
    if text.contains("::\"") && text.ends_with('"') {
        return Ok(Value::Entity(entity::uid(text, law)?));
    }
    Ok(Value::String(text.to_owned()))
}

// `ayse`, `Account::ayse`, `Pazar::Account::ayse` or `Pazar::Account::"ayse"` where an Account is declared.
fn reference(type_name: &str, text: &str, law: &Law) -> Result<Uid, Failure> {
    if text.contains("::\"") && text.ends_with('"') {
        return entity::uid(text, law);
    }
    let short = type_name.rsplit("::").next().unwrap_or(type_name);
    let prefix = [type_name, short].into_iter().find_map(|t| text.strip_prefix(t)?.strip_prefix("::"));
    Ok(Uid::new(type_name, prefix.unwrap_or(text))?)
}

// What looks like a number, or like nothing, is no value at all; what does not is of another type.
fn number_code(text: &str) -> Code {
    let digits = text.trim_start_matches(['-', '+']);
    let number = digits.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok();
    if number || text == "null" { Code::ValueInvalid } else { Code::AttributeType }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_64_bits_hold_is_told_from_what_is_no_number() {
        for (text, wanted) in [
            ("9223372036854775808", Code::ValueInvalid),
            ("4200.0", Code::ValueInvalid),
            ("1e3", Code::ValueInvalid),
            ("null", Code::ValueInvalid),
            ("many", Code::AttributeType),
            ("", Code::AttributeType),
            ("inf", Code::AttributeType),
            ("0x10", Code::AttributeType),
        ] {
            assert_eq!(number_code(text), wanted, "{text}");
        }
    }
}
