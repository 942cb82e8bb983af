//! The world's cells as words, and as values of the types that are declared for them.

use crate::typed;
use hos_core::id::{Shown, Uid};
use hos_core::law::Law;
use hos_core::refusal::Code;
use hos_core::shape::Type;
use hos_core::value::{Ext, Value};
use hos_engine::Failure;
use hos_engine::store::Sql;

pub(super) fn as_words(cell: Sql) -> Option<String> {
    match cell {
        Sql::Null => None,
        Sql::Int(n) => Some(n.to_string()),
        Sql::Text(text) => Some(text),
        Sql::Blob(bytes) | Sql::Raw(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Why a row cannot be taken as words, if one of its columns holds what is none: made a text it would say something else.
pub(super) fn no_words<'c>(row: &[Sql], columns: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let is_none = |cell: &Sql| matches!(cell, Sql::Blob(bytes) | Sql::Raw(bytes) if std::str::from_utf8(bytes).is_err());
    let strange = row.iter().zip(columns).find(|(cell, _)| is_none(cell));
    strange.map(|(_, column)| format!("its column `{column}` is no UTF-8"))
}

pub(super) fn shown(id: &Sql) -> String {
    Shown(&as_words(id.clone()).unwrap_or_default()).to_string()
}

/// A column's text as a declared type: databases write truth and time in their own ways.
pub(super) fn typed_column(name: &str, ty: &Type, word: &str, law: &Law) -> Result<Value, Failure> {
    let word = match ty {
        Type::Bool => match word {
            // MySQL's BIT is a byte.
            "1" | "t" | "TRUE" | "\u{1}" => "true".to_owned(),
            "0" | "f" | "FALSE" | "\0" => "false".to_owned(),
            other => other.to_owned(),
        },
        Type::Ext(Ext::Datetime) => instant(word),
        // Split at its commas it would be a set, of other words than the column's.
        Type::Set(_) if word.starts_with('{') => return Err(array(name, ty, word)),
        // An id is what stands in the column: what reads as a type and an id in a command is somebody's name here.
        Type::Entity(_) => return entity(ty, word),
        Type::Set(of) if matches!(**of, Type::Entity(_)) && !word.is_empty() && !word.starts_with('[') => {
            let members = word.split(',').map(|word| entity(of, word));
            return Ok(Value::Set(members.collect::<Result<_, _>>()?));
        }
        _ => word.to_owned(),
    };
    typed::read(name, ty, &word, law)
}

fn entity(ty: &Type, id: &str) -> Result<Value, Failure> {
    match ty {
        Type::Entity(of) => Ok(Value::Entity(Uid::new(of, id)?)),
        other => Err(Failure::new(Code::AttributeType, format!("{other} is no type of entities"))),
    }
}

fn array(name: &str, ty: &Type, word: &str) -> Failure {
    let word: String = word.chars().take(80).collect();
    let told = format!(
        "`{}` is a {ty}; `{}` is an array of PostgreSQL's: name a column of JSON (`to_jsonb`), or of words parted by commas",
        Shown(name),
        Shown(&word)
    );
    Failure::new(Code::AttributeType, told)
}

/// `2026-01-02 03:04:05.678` as Cedar writes it, in UTC; what is no such time is left for the law to refuse.
pub(super) fn instant(word: &str) -> String {
    let Some((date, time)) = word.split_once(['T', ' ']) else { return word.to_owned() };
    let time = time.trim_start();
    let utc = ["Z", "z", "UTC", "+00:00", "+0000", "+00", "-00:00", "-0000", "-00"];
    let time = utc.iter().find_map(|zone| time.strip_suffix(zone)).unwrap_or(time).trim_end();
    if time.contains(['+', '-']) {
        return crate::infer::written(word).map_or_else(|| word.to_owned(), |time| time.to_string());
    }
    match time.split_once('.') {
        // A fraction that is none is left as it is: cut, it would be a time.
        Some((_, fraction)) if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) => word.to_owned(),
        Some((time, fraction)) => format!("{date}T{time}.{:0<3}Z", fraction.chars().take(3).collect::<String>()),
        None => format!("{date}T{time}Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reads as a type and an id in a command is somebody's name in a column.
    #[test]
    fn an_id_is_what_stands_in_the_column() {
        let law = Law::load(Vec::from([
            ("law.toml".to_owned(), b"name=\"t\"\nnamespace=\"N\"\n".to_vec()),
            (
                "schema.cedarschema".to_owned(),
                b"namespace N { entity A; action a appliesTo { principal: [A], resource: [A] }; }".to_vec(),
            ),
            ("policies/p.cedar".to_owned(), b"@id(\"p\") permit(principal, action, resource);".to_vec()),
        ]));
        let law = law.unwrap_or_else(|faults| panic!("{faults:#?}"));
        let of = Type::Entity("N::A".into());
        let id = |word: &str| Uid::new("N::A", word).unwrap();
        for word in ["ayse", "A::ayse", "N::A::ayse", "N::A::\"ayse\""] {
            assert_eq!(typed_column("who", &of, word, &law).unwrap(), Value::Entity(id(word)), "{word}");
        }
        let several = typed_column("who", &Type::Set(Box::new(of)), "ayse,A::can", &law).unwrap();
        assert_eq!(several, Value::Set([Value::Entity(id("ayse")), Value::Entity(id("A::can"))].into()));
    }

    #[test]
    fn times_of_databases_are_cedars() {
        for (word, wanted) in [
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05.6", "2026-01-02T03:04:05.600Z"),
            ("2026-01-02 03:04:05.678912+00", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02", "2026-01-02"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.678912Z", "2026-01-02T03:04:05.678Z"),
            ("1948-01-02 03:04:05+00", "1948-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.678912+03:00", "2026-01-02T00:04:05.678Z"),
            ("2026-01-02T03:04:05.678912-05:00", "2026-01-02T08:04:05.678Z"),
            ("2026-01-02 03:04:05.678912 +0300", "2026-01-02T00:04:05.678Z"),
            ("2026-01-02 03:04:05+03", "2026-01-02T00:04:05.000Z"),
            ("2026-01-02 03:04:05.6+3x", "2026-01-02 03:04:05.6+3x"),
            ("2026-01-02 03:04:05.6x", "2026-01-02 03:04:05.6x"),
            ("never", "never"),
        ] {
            assert_eq!(instant(word), wanted);
        }
    }
}
