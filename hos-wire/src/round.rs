//! What comes back of a round that went out as one text, dealt out to the statements that it was made of
//! ([`together`](hos_engine::store::together)).

use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::host::Ask;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::together;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

type Rows = Vec<Vec<Sql>>;

/// Whether a connection of PostgreSQL's writes bytes in another way than in hexadecimal digits (`bytea_output`), which JSON of its
/// making cannot be told from text in.
pub(crate) fn is_in_other_words(dialect: Dialect, result: &Rows) -> bool {
    let hex = |cell: &Sql| matches!(cell, Sql::Raw(word) | Sql::Blob(word) if word == b"hex");
    dialect == Dialect::Postgres && result.first().and_then(|row| row.first()).is_some_and(|cell| !hex(cell))
}

/// The rows of each statement; of one that only claims, none.
pub(crate) fn rows(asks: &[Ask], dialect: Dialect, result: Rows) -> Result<Vec<Rows>, Failure> {
    let reads: Vec<&Ask> = asks.iter().filter(|ask| ask.reads).collect();
    let lists = match dialect {
        Dialect::Postgres => read_again(result, reads.len())?,
        Dialect::Mysql | Dialect::Sqlite => dealt_out(result, &reads, dialect)?,
    };
    let mut lists = lists.into_iter();
    Ok(asks.iter().map(|ask| if ask.reads { lists.next().unwrap_or_default() } else { Vec::new() }).collect())
}

/// MariaDB's result: rows of all statements, the place of its own before each.
fn dealt_out(result: Rows, reads: &[&Ask], dialect: Dialect) -> Result<Vec<Rows>, Failure> {
    let wrong = |why: &str| Failure::new(Code::CallMalformed, format!("a row of the text's result {why}"));
    let mut lists: Vec<(usize, Rows)> =
        reads.iter().map(|ask| (together::columns(&ask.statement, dialect), Rows::new())).collect();
    for mut row in result {
        let place = match row.first() {
            Some(Sql::Int(place)) => usize::try_from(*place).ok(),
            Some(Sql::Raw(digits)) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        let place = place.ok_or_else(|| wrong("does not begin with a place"))?;
        let (columns, list) = lists.get_mut(place).ok_or_else(|| wrong("is of no statement"))?;
        if row.len() <= *columns {
            return Err(wrong("is too short"));
        }
        row.truncate(*columns + 1);
        row.remove(0);
        list.push(row);
    }
    Ok(lists.into_iter().map(|(_, list)| list).collect())
}

/// PostgreSQL's last result: one row, in each column but the first the rows of one statement.
fn read_again(mut result: Rows, reads: usize) -> Result<Vec<Rows>, Failure> {
    let wrong = |why: String| Failure::new(Code::CallMalformed, format!("the text's last result {why}"));
    let row = result.pop().filter(|_| result.is_empty()).ok_or_else(|| wrong("is not one row".into()))?;
    if row.len() != reads + 1 {
        return Err(wrong(format!("has {} columns, not {}", row.len(), reads + 1)));
    }
    let one = |cell: Sql| {
        let (Sql::Raw(json) | Sql::Blob(json)) = cell else { return Err(wrong("holds what is no JSON".into())) };
        let list: Vec<Object> = serde_json::from_slice(&json).map_err(|e| wrong(format!("holds other JSON: {e}")))?;
        Ok(list.into_iter().map(|object| object.0).collect())
    };
    row.into_iter().skip(1).map(one).collect()
}

/// A row as an object, its values in order; names may come twice.
struct Object(Vec<Sql>);

/// How many values most rows have at most: JSON does not say it beforehand.
const CELLS: usize = 16;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;
        impl<'de> Visitor<'de> for Row {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut cells = Vec::with_capacity(CELLS);
                while let Some((IgnoredAny, Value(cell))) = map.next_entry()? {
                    cells.push(cell);
                }
                Ok(Object(cells))
            }
        }
        deserializer.deserialize_map(Row)
    }
}

/// A value: null, a whole number, a text, or bytes in digits. No text that the engine stores begins with a backslash.
struct Value(Sql);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cell;
        impl<'de> Visitor<'de> for Cell {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, a whole number of 64 bits, text, or bytes in hexadecimal digits (bytea_output)")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value(Sql::Null))
            }

            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(Value(Sql::Int(n)))
            }

            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Value, E> {
                i64::try_from(n).map(|n| Value(Sql::Int(n))).map_err(|_| E::custom("a number beyond 64 bits with sign"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
                let Some(digits) = text.strip_prefix("\\x") else { return Ok(Value(Sql::Text(text.to_owned()))) };
                bytes(digits).map(|bytes| Value(Sql::Blob(bytes))).ok_or_else(|| E::custom("bytes that are not in digits"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
                Err(serde::de::Error::custom("a list in a row"))
            }
        }
        deserializer.deserialize_any(Cell)
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
        if high == NONE || low == NONE {
            return None;
        }
        bytes.push(high << 4 | low);
    }
    Some(bytes)
}

/// What each digit counts. Most of what a database hands over is these digits.
static NIBBLES: [u8; 256] = {
    let mut all = [NONE; 256];
    let mut n = 0;
    while n < 16 {
        all[b"0123456789abcdef"[n as usize] as usize] = n;
        all[b"0123456789ABCDEF"[n as usize] as usize] = n;
        n += 1;
    }
    all
};
/// What is no digit.
const NONE: u8 = 0xff;

#[cfg(test)]
mod tests {
    use super::*;
    use hos_engine::store::Statement;

    fn ask(sql: &'static str) -> Ask {
        Ask { statement: Statement::new(sql, []), reads: sql.starts_with("SELECT") }
    }

    fn json(text: &str) -> Sql {
        Sql::Raw(text.as_bytes().to_vec())
    }

    fn asks() -> [Ask; 4] {
        ["INSERT", "SELECT a FROM t", "INSERT", "SELECT a, b FROM t"].map(ask)
    }

    #[test]
    fn rows_go_to_the_statements_that_read() {
        let wanted = vec![vec![], vec![vec![Sql::Int(1)], vec![Sql::Int(2)]], vec![], vec![]];
        let row = |n| vec![Sql::Int(0), Sql::Int(n), Sql::Null];
        assert_eq!(rows(&asks(), Dialect::Mysql, vec![row(1), row(2)]).unwrap(), wanted);
        let row = |n| vec![Sql::Raw(b"0".to_vec()), Sql::Int(n), Sql::Null];
        assert_eq!(rows(&asks(), Dialect::Mysql, vec![row(1), row(2)]).unwrap(), wanted);
        let packed = vec![vec![json("hex"), json(r#"[{"a":1},{"a":2}]"#), json("[]")]];
        assert_eq!(rows(&asks(), Dialect::Postgres, packed).unwrap(), wanted);
    }

    #[test]
    fn bytes_are_in_hexadecimal_digits_or_the_round_is_asked_again() {
        let with = |word: &str| vec![vec![json(word), json("[]"), json("[]")]];
        assert!(
            is_in_other_words(Dialect::Postgres, &with("escape")) && is_in_other_words(Dialect::Postgres, &vec![vec![Sql::Null]])
        );
        assert!(!is_in_other_words(Dialect::Postgres, &with("hex")) && !is_in_other_words(Dialect::Mysql, &with("escape")));
    }

    #[test]
    fn values_are_what_they_were() {
        let cell = json(r#"[{"a":"\\x00ff","a":"text","b":null,"c":-9223372036854775808,"d":"\\x"}]"#);
        let told = rows(&[ask("SELECT 1")], Dialect::Postgres, vec![vec![json("hex"), cell]]).unwrap();
        let row = vec![Sql::Blob(vec![0, 255]), Sql::Text("text".into()), Sql::Null, Sql::Int(i64::MIN), Sql::Blob(vec![])];
        assert_eq!(told, vec![vec![row]]);
    }

    #[test]
    fn digits_are_read_in_either_case() {
        let all: Vec<u8> = (0..=255).collect();
        let lower: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(bytes(&lower).as_ref(), Some(&all));
        assert_eq!(bytes(&lower.to_uppercase()), Some(all));
        for wrong in ["0", "012", "g0", "0g", "0/", ":0", "@0", "0`", "ü", "0x"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_told_so_is_refused() {
        let cell = |text: &str| vec![vec![json("hex"), json(text), json("[]")]];
        let table: [(Dialect, Rows, &str); 13] = [
            (Dialect::Mysql, vec![vec![]], "does not begin with a place"),
            (Dialect::Mysql, vec![vec![Sql::Null, Sql::Int(1)]], "does not begin with a place"),
            (Dialect::Mysql, vec![vec![Sql::Int(2), Sql::Int(1)]], "is of no statement"),
            (Dialect::Mysql, vec![vec![Sql::Int(1), Sql::Int(1)]], "is too short"),
            (Dialect::Postgres, vec![], "is not one row"),
            (Dialect::Postgres, vec![vec![], vec![]], "is not one row"),
            (Dialect::Postgres, vec![vec![json("hex"), json("[]")]], "has 2 columns, not 3"),
            (Dialect::Postgres, vec![vec![json("hex"), Sql::Null, Sql::Null]], "no JSON"),
            (Dialect::Postgres, cell("[1]"), "other JSON"),
            (Dialect::Postgres, cell(r#"[{"a":1.5}]"#), "other JSON"),
            (Dialect::Postgres, cell(r#"[{"a":[1]}]"#), "a list in a row"),
            (Dialect::Postgres, cell(r#"[{"a":"\\x0"}]"#), "not in digits"),
            (Dialect::Postgres, cell(r#"[{"a":18446744073709551615}]"#), "beyond 64 bits"),
        ];
        for (dialect, result, wanted) in table {
            let failure = rows(&asks(), dialect, result).unwrap_err();
            assert_eq!(failure.code, Code::CallMalformed);
            assert!(failure.message.contains(wanted), "{}", failure.message);
        }
    }
}
