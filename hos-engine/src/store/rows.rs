//! Rows of one table that a text puts in one by one, put in by one statement: a statement of its own costs a database more than a row.
//!
//! Only what is an insert and nothing else is put together, in the order in which it stood, and never across a statement that speaks of
//! the same table: what that one deletes or changes is what was there before.

use super::Statement;
use super::sql::dialect::Dialect;
use super::sql::literal::written;

/// The texts of what claims, in a dialect's words. Rows are locked in the order in which they stand, so that only neighbours go together.
pub(super) fn claimed(statements: &[&Statement], dialect: Dialect) -> Vec<String> {
    put_together(statements, dialect, |said, _| said.last_mut())
}

/// The texts of what is written, in a dialect's words.
pub(super) fn put(statements: &[&Statement], dialect: Dialect) -> Vec<String> {
    put_together(statements, dialect, |said, table| said.iter_mut().rev().find(|other| speaks_of(other.statement.sql, table)))
}

/// A statement, its text so far, and, once there are rows of others in it, where they end.
struct Said<'s> {
    statement: &'s Statement,
    text: String,
    end: Option<usize>,
}

/// `before` finds, of what was said, the only one that rows of a table may be added to.
fn put_together<'s>(
    statements: &[&'s Statement],
    dialect: Dialect,
    before: impl for<'a> Fn(&'a mut [Said<'s>], &str) -> Option<&'a mut Said<'s>>,
) -> Vec<String> {
    let mut said: Vec<Said<'s>> = Vec::with_capacity(statements.len());
    for statement in statements {
        let text = written(statement, dialect);
        let same = |other: &Said<'_>| other.statement.sql == statement.sql && other.statement.mysql == statement.mysql;
        // Most statements stand there once, and nobody need know where in them the rows are.
        let row = if said.iter().any(same) { table(statement.sql).zip(values(&text)) } else { None };
        let host = row.and_then(|(table, row)| {
            let host = before(&mut said, table).filter(|other| same(other))?;
            let end = host.end.or_else(|| Some(values(&host.text)?.1))?;
            Some((host, end, row))
        });
        if let Some((host, end, (from, to))) = host {
            let row = format!(", {}", text.get(from..to).unwrap_or_default());
            host.text.insert_str(end, &row);
            host.end = Some(end + row.len());
        } else {
            said.push(Said { statement, text, end: None });
        }
    }
    said.into_iter().map(|said| said.text).collect()
}

/// The table that a plain insert puts rows into. One that replaces a row has a reason to stand alone: no database replaces a row twice
/// in a statement.
fn table(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix("INSERT INTO ").or_else(|| sql.strip_prefix("INSERT OR IGNORE INTO "))?;
    let end = rest.find(|c| !is_word(c))?;
    (sql.matches(VALUES).count() == 1 && !sql.contains("ON CONFLICT")).then(|| rest.get(..end))?
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn speaks_of(sql: &str, table: &str) -> bool {
    sql.split(|c| !is_word(c)).any(|word| word == table)
}

const VALUES: &str = "VALUES ";

/// Where the rows of a text that inserts begin and end: `(…), (…)`. What is quoted in it has no brackets ([`written`]).
fn values(text: &str) -> Option<(usize, usize)> {
    let from = text.find(VALUES)? + VALUES.len();
    let (mut depth, mut end) = (0usize, None);
    for (place, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth = depth.checked_sub(1)?;
                end = Some(place + 1).filter(|_| depth == 0).or(end);
            }
            b',' | b' ' => {}
            // Behind the rows.
            _ if depth == 0 => break,
            _ => {}
        }
    }
    Some((from, end?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sql;

    fn insert(table: &'static str, key: &str) -> Statement {
        let sql = match table {
            "a" => {
                "INSERT INTO a (tenant, pos, key) VALUES (?1, (SELECT coalesce(max(pos), 0) + 1 FROM a WHERE tenant = ?1), ?2)"
            }
            "b" => "INSERT OR IGNORE INTO b (tenant, key)\n  VALUES (?1, ?2)",
            _ => "INSERT INTO c (tenant, key) VALUES (?1, ?2) ON CONFLICT (tenant) DO UPDATE SET key = ?2",
        };
        Statement::new(sql, [Sql::from("t"), key.as_bytes().to_vec().into()])
    }

    fn said(statements: &[Statement], dialect: Dialect) -> Vec<String> {
        put(&statements.iter().collect::<Vec<_>>(), dialect)
    }

    #[test]
    fn rows_of_one_table_go_in_together_in_their_order() {
        let all = [insert("a", "1"), insert("b", "2"), insert("a", "3"), insert("b", "4"), insert("b", "5")];
        assert_eq!(
            said(&all, Dialect::Postgres),
            [
                "INSERT INTO a (tenant, key) VALUES ('t', decode('31', 'hex')), ('t', decode('33', 'hex'))",
                "INSERT INTO b (tenant, key) VALUES ('t', decode('32', 'hex')), ('t', decode('34', 'hex')), ('t', decode('35', 'hex')) \
                 ON CONFLICT DO NOTHING",
            ]
        );
        assert_eq!(
            said(&all[3..], Dialect::Mysql),
            ["INSERT INTO b (tenant, `key`) VALUES ('t', X'34'), ('t', X'35') ON DUPLICATE KEY UPDATE tenant = b.tenant"]
        );
    }

    #[test]
    fn nothing_goes_past_who_speaks_of_the_same_table() {
        let gone = Statement::new("DELETE FROM a WHERE tenant = ?1", [Sql::from("t")]);
        let other = Statement::new("DELETE FROM a_b WHERE tenant = ?1", [Sql::from("t")]);
        assert_eq!(said(&[insert("a", "1"), gone.clone(), insert("a", "2"), insert("a", "3")], Dialect::Mysql).len(), 3);
        assert_eq!(said(&[insert("a", "1"), other, insert("a", "2")], Dialect::Mysql).len(), 2);
        let seen = Statement::new("UPDATE d SET n = (SELECT count(*) FROM a)", []);
        assert_eq!(said(&[insert("a", "1"), seen, insert("a", "2")], Dialect::Mysql).len(), 3);
    }

    #[test]
    fn rows_are_claimed_in_their_order() {
        let all = [insert("b", "1"), insert("b", "2"), insert("a", "3"), insert("b", "4")];
        let claims = claimed(&all.iter().collect::<Vec<_>>(), Dialect::Mysql);
        assert_eq!(claims.len(), 3, "{claims:?}");
        assert!(claims[0].contains("('t', X'31'), ('t', X'32') ON DUPLICATE"), "{claims:?}");
        assert!(claims[2].contains("X'34'"), "{claims:?}");
    }

    #[test]
    fn what_replaces_a_row_stands_alone() {
        assert_eq!(said(&[insert("c", "1"), insert("c", "2")], Dialect::Postgres).len(), 2);
        let ignores = insert("b", "1").mysql("INSERT IGNORE INTO b (tenant, key) VALUES (?1, ?2)");
        assert_eq!(said(&[insert("b", "1"), ignores], Dialect::Mysql).len(), 2);
    }
}
