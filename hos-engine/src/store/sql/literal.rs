//! A statement with its parameters written into it, for texts of several statements: no database takes parameters with those.
//!
//! Nothing that comes from outside is quoted as it is: a text of letters, digits and `_.-` stands between quotes, every other and all
//! bytes are written as hexadecimal digits. So no escape rule, character set or mode of the connection changes what they say.

use super::dialect::{Dialect, Places, say};
use crate::store::{Sql, Statement};

/// The statement in a dialect's words; SQLite has no need of it.
pub(crate) fn written(statement: &Statement, dialect: Dialect) -> String {
    let said = say(statement, dialect, Places::Question);
    let mut params = said.params(statement);
    let mut out = String::with_capacity(said.sql.len() + 64 * said.order.len());
    let mut parts = said.sql.split('?');
    out.extend(parts.next());
    for part in parts {
        literal(&mut out, params.next().unwrap_or(&Sql::Null), dialect);
        out.push_str(part);
    }
    out
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
    let mut digits = Vec::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| digits.extend_from_slice(&DIGITS[usize::from(*byte)]));
    out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    out.push_str(behind);
}

/// Each byte's two digits.
const DIGITS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
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
            ("'; DROP".into(), "convert_from(decode('273b2044524f50', 'hex'), 'UTF8')", "_utf8mb4 X'273b2044524f50'"),
            ("?\\".into(), "convert_from(decode('3f5c', 'hex'), 'UTF8')", "_utf8mb4 X'3f5c'"),
            (vec![0, 9, 0x1a, 0xf9, 255].into(), "decode('00091af9ff', 'hex')", "X'00091af9ff'"),
        ];
        for (value, postgres, mysql) in cases {
            for (dialect, wanted, end) in [(Dialect::Postgres, postgres, ""), (Dialect::Mysql, mysql, ALL_ROWS)] {
                let wanted = format!("SELECT a FROM t WHERE b = {wanted} AND tenant = 'pazar-tr'{end}");
                assert_eq!(written(&read(value.clone()), dialect), wanted);
            }
        }
    }
}
