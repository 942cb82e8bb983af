//! A statement with its parameters written into it, for texts of several statements: no database takes parameters with those.
//!
//! Nothing that comes from outside is quoted as it is: a text of letters, digits and `_.-` stands between quotes, every other and all
//! bytes are written as hexadecimal digits. So no escape rule, character set or mode of the connection changes what they say.

use super::dialect::{Dialect, Places, Said, say};
use crate::store::{Sql, Statement};
use std::ops::Range;

/// The statement in a dialect's words; SQLite has no need of it.
pub(crate) fn written(statement: &Statement, dialect: Dialect) -> String {
    let said = say(statement, dialect, Places::Question);
    let mut out = String::with_capacity(said.sql.len() + 64 * said.order.len());
    write_part(&mut out, &said, 0..said.sql.len(), statement, dialect);
    out
}

/// A part of what a statement says, with the parameters whose places are in it.
pub(crate) fn write_part(out: &mut String, said: &Said, part: Range<usize>, statement: &Statement, dialect: Dialect) {
    let mut from = part.start;
    for (at, param) in said.at.iter().zip(&said.order).filter(|(at, _)| part.contains(*at)) {
        out.push_str(said.sql.get(from..*at).unwrap_or_default());
        literal(out, statement.params.get(*param).unwrap_or(&Sql::Null), dialect);
        from = at + 1;
    }
    out.push_str(said.sql.get(from..part.end).unwrap_or_default());
}

fn literal(out: &mut String, value: &Sql, dialect: Dialect) {
    match value {
        Sql::Null => out.push_str("NULL"),
        Sql::Int(n) => out.push_str(&n.to_string()),
        Sql::Text(text) if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) => {
            out.push('\'');
            out.push_str(text);
            out.push('\'');
        }
        Sql::Text(text) => {
            let (before, behind) = match dialect {
                Dialect::Postgres => ("convert_from(decode('", "', 'hex'), 'UTF8')"),
                Dialect::Mysql | Dialect::Sqlite => ("_utf8mb4 X'", "'"),
            };
            surrounded(out, before, text.as_bytes(), behind);
        }
        Sql::Blob(bytes) | Sql::Raw(bytes) => {
            let (before, behind) = match dialect {
                Dialect::Postgres => ("decode('", "', 'hex')"),
                Dialect::Mysql | Dialect::Sqlite => ("X'", "'"),
            };
            surrounded(out, before, bytes, behind);
        }
    }
}

fn surrounded(out: &mut String, before: &str, bytes: &[u8], behind: &str) {
    out.push_str(before);
    // Most of a text is these digits: a formatter's call for each would be half of what a host's step costs.
    let mut digits = [[0u8; 2]; 64];
    for some in bytes.chunks(digits.len()) {
        digits.iter_mut().zip(some).for_each(|(two, byte)| *two = DIGITS[usize::from(*byte)]);
        let written = digits.as_flattened().get(..2 * some.len()).unwrap_or_default();
        out.push_str(std::str::from_utf8(written).unwrap_or_default());
    }
    out.push_str(behind);
}

/// Each byte's two digits, in capitals: databases read either, but PHP's reader of JSON takes half as long again for a text of small ones.
static DIGITS: [[u8; 2]; 256] = {
    let digits = b"0123456789ABCDEF";
    let mut all = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::dialect::ALL_ROWS;

    #[test]
    fn what_comes_from_outside_is_digits() {
        let read = |value: Sql| Statement::new("SELECT a FROM t WHERE b = ?2 AND tenant = ?1", ["pazar-tr".into(), value]);
        let cases: [(Sql, &str, &str); 6] = [
            (Sql::Null, "NULL", "NULL"),
            ((-3i64).into(), "-3", "-3"),
            ("o_1.a".into(), "'o_1.a'", "'o_1.a'"),
            ("'; DROP".into(), "convert_from(decode('273B2044524F50', 'hex'), 'UTF8')", "_utf8mb4 X'273B2044524F50'"),
            ("?\\".into(), "convert_from(decode('3F5C', 'hex'), 'UTF8')", "_utf8mb4 X'3F5C'"),
            (vec![0, 9, 0x1a, 0xf9, 255].into(), "decode('00091AF9FF', 'hex')", "X'00091AF9FF'"),
        ];
        for (value, postgres, mysql) in cases {
            for (dialect, wanted, end) in [(Dialect::Postgres, postgres, ""), (Dialect::Mysql, mysql, ALL_ROWS)] {
                let wanted = format!("SELECT a FROM t WHERE b = {wanted} AND tenant = 'pazar-tr'{end}");
                assert_eq!(written(&read(value.clone()), dialect), wanted);
            }
        }
    }

    #[test]
    fn bytes_of_any_length_are_written_whole() {
        for length in [0, 1, 63, 64, 65, 128, 300] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(written(&Statement::new("SELECT ?1", [bytes.into()]), Dialect::Mysql), format!("SELECT X'{digits}'"));
        }
    }

    #[test]
    fn a_part_has_the_parameters_whose_places_are_in_it() {
        let statement = Statement::new("SELECT ?2, a FROM t WHERE tenant = ?1 AND a > ?2", ["t".into(), 7i64.into()]);
        let said = say(&statement, Dialect::Postgres, Places::Question);
        let part = |part: Range<usize>| {
            let mut out = String::new();
            write_part(&mut out, &said, part, &statement, Dialect::Postgres);
            out
        };
        let (all, from) = (said.sql.len(), said.sql.find(" FROM").unwrap());
        assert_eq!(part(0..all), "SELECT 7, a FROM t WHERE tenant = 't' AND a > 7");
        assert_eq!(
            (part(0..from), part(from..all)),
            ("SELECT 7, a".to_owned(), " FROM t WHERE tenant = 't' AND a > 7".to_owned())
        );
    }
}
