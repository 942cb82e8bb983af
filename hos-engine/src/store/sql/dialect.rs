//! One statement in the words of each database.
//!
//! Statements are written once, in words that SQLite takes as they are; here they are said in PostgreSQL's and MySQL's (and
//! MariaDB's). What differs:
//!
//! | written | PostgreSQL | MySQL |
//! |---|---|---|
//! | `?1` | `$1` | `?`, the parameter repeated for each place |
//! | `INSERT OR IGNORE INTO t …` | `… ON CONFLICT DO NOTHING` | `… ON DUPLICATE KEY UPDATE tenant = t.tenant`: unlike `INSERT IGNORE` it hides no other fault, and it locks the row that is there |
//! | `ON CONFLICT (…) DO UPDATE SET` | as it is | `ON DUPLICATE KEY UPDATE` |
//! | the next `pos` of a queue | the column is not named: numbers of a sequence, given without a lock | the same |
//! | the column `key` | as it is | quoted: the word is reserved |
//! | `INDEXED BY i` | left out | left out |
//! | in lines | in one line, of which nothing has to be escaped in JSON | the same |
//! | a lock ([`Statement::locked`](crate::store::Statement::locked)) | `FOR UPDATE`, `FOR SHARE` | `FOR UPDATE`, `LOCK IN SHARE MODE` |

use crate::store::statement::Lock;
use crate::store::{Sql, Statement};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, 3.35 or newer.
    Sqlite,
    /// PostgreSQL, 13 or newer.
    Postgres,
    /// MySQL 8 and MariaDB 10.5, or newer.
    Mysql,
}

/// How places of parameters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Places {
    /// `?1`, `?2`: each parameter once.
    Numbered,
    /// `$1`, `$2`: each parameter once.
    Dollar,
    /// `?`: one parameter for each place.
    Question,
    /// `%s`: one parameter for each place.
    Format,
}

impl Dialect {
    /// The dialect with this name: `sqlite`, `postgres`, `mysql`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" | "pgsql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// How its own interface writes places.
    pub fn places(self) -> Places {
        match self {
            Self::Sqlite => Places::Numbered,
            Self::Postgres => Places::Dollar,
            Self::Mysql => Places::Question,
        }
    }
}

/// A statement's text in a dialect.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// The text.
    pub sql: String,
    /// Which parameter stands at each place, counted from 0.
    pub order: Vec<usize>,
    /// Where in the text each place stands; as many as `order` has, where a parameter is given for each place.
    pub(crate) at: Vec<usize>,
    /// What the text selects, if it does.
    pub(crate) list: Option<List>,
}

/// What a text selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct List {
    /// How many columns.
    pub(crate) columns: usize,
    /// Where in the text their list ends; it begins behind [`SELECT`].
    pub(crate) end: usize,
}

/// How a text begins that selects.
pub(crate) const SELECT: &str = "SELECT ";

impl Said {
    /// The parameters, as many as there are places.
    pub fn params<'s>(&'s self, statement: &'s Statement) -> impl Iterator<Item = &'s Sql> {
        self.order.iter().filter_map(|place| statement.params.get(*place))
    }
}

type Known = HashMap<(usize, Lock, Dialect, Places), Rc<Said>>;

thread_local! {
    /// Texts are fixed when the engine is built, so each is known by its place. Of one thread: a forked child finds no lock.
    static KNOWN: RefCell<Known> = RefCell::new(HashMap::new());
}

/// Says a statement.
pub fn say(statement: &Statement, dialect: Dialect, places: Places) -> Rc<Said> {
    let text = match (dialect, statement.mysql) {
        (Dialect::Mysql, Some(own)) => own,
        _ => statement.sql,
    };
    let key = (text.as_ptr().addr(), statement.lock, dialect, places);
    KNOWN.with_borrow_mut(|known| {
        known.entry(key).or_insert_with(|| Rc::new(translate(text, statement.lock, dialect, places))).clone()
    })
}

fn translate(text: &str, lock: Lock, dialect: Dialect, places: Places) -> Said {
    let mut sql = words(&in_one_line(text), dialect);
    if dialect == Dialect::Mysql && sql.starts_with(SELECT) && sql.contains(" FROM ") && !sql.contains(" LIMIT ") {
        sql.push_str(ALL_ROWS);
    }
    match (dialect, lock) {
        (Dialect::Sqlite, _) | (_, Lock::None) | (Dialect::Postgres, Lock::Latest) => {}
        (_, Lock::Update) => sql.push_str(" FOR UPDATE"),
        (Dialect::Postgres, Lock::Share) => sql.push_str(" FOR SHARE"),
        (Dialect::Mysql, Lock::Share | Lock::Latest) => sql.push_str(" LOCK IN SHARE MODE"),
    }
    place(&sql, places)
}

/// A connection's `sql_select_limit` cuts what says no limit of its own, and what is not read forbids nothing.
pub(crate) const ALL_ROWS: &str = " LIMIT 18446744073709551615";

/// A text without its line ends and indents. One whose literal goes over a line's end, which is then part of it, or that has a comment
/// which only a line's end ends, is left as it is.
fn in_one_line(text: &str) -> String {
    let goes_on = |line: &str| line.matches('\'').count() % 2 == 1 || line.contains("--");
    if text.lines().any(goes_on) {
        return text.to_owned();
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The words that differ.
fn words(text: &str, dialect: Dialect) -> String {
    if dialect == Dialect::Sqlite {
        return text.to_owned();
    }
    let mut sql = text.to_owned();
    if let Some(rest) = text.strip_prefix("INSERT OR IGNORE INTO ") {
        let table = rest.split([' ', '(']).next().unwrap_or("");
        let ending = match dialect {
            Dialect::Mysql => format!(" ON DUPLICATE KEY UPDATE tenant = {table}.tenant"),
            _ => " ON CONFLICT DO NOTHING".to_owned(),
        };
        sql = format!("INSERT INTO {rest}{ending}");
    }
    if let Some((before, rest)) = sql.split_once(NEXT_POS)
        && let Some((_, behind)) = rest.split_once("= ?1), ")
    {
        // Who names the column needs the right to choose a place, and MySQL takes DEFAULT there for 0 under NO_AUTO_VALUE_ON_ZERO.
        sql = format!("{}{behind}", before.replacen("(tenant, pos, ", "(tenant, ", 1));
    }
    if let Some((before, rest)) = sql.split_once(" INDEXED BY ") {
        sql = format!("{before}{}", rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    }
    if dialect == Dialect::Mysql {
        while let Some(from) = sql.find("ON CONFLICT (") {
            let Some(length) = sql.get(from..).and_then(|rest| rest.find("DO UPDATE SET")) else { break };
            sql.replace_range(from..from + length + "DO UPDATE SET".len(), "ON DUPLICATE KEY UPDATE");
        }
        sql = quoted(&sql);
    }
    sql
}

/// How the next number of a queue begins where one process writes at a time.
const NEXT_POS: &str = "(SELECT coalesce(max(pos), 0) + 1 FROM ";

/// The column `key`, which is a word of MySQL's own.
fn quoted(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 8);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = sql;
    while let Some(at) = rest.find("key") {
        let (before, from) = rest.split_at(at);
        let after = from.get(3..).unwrap_or("");
        out.push_str(before);
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        out.push_str(if whole { "`key`" } else { "key" });
        rest = after;
    }
    out + rest
}

fn place(text: &str, places: Places) -> Said {
    let mut said = Said { sql: String::with_capacity(text.len()), order: Vec::new(), at: Vec::new(), list: None };
    let mut rest = text;
    while let Some(at) = rest.find('?') {
        let (before, from) = rest.split_at(at);
        let after = from.get(1..).unwrap_or("");
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: usize = after.get(..digits).and_then(|n| n.parse().ok()).unwrap_or(0);
        said.sql.push_str(before);
        said.at.push(said.sql.len());
        match places {
            Places::Numbered => said.sql.push_str(&format!("?{number}")),
            Places::Dollar => said.sql.push_str(&format!("${number}")),
            Places::Question => said.sql.push('?'),
            Places::Format => said.sql.push_str("%s"),
        }
        let param = number.saturating_sub(1);
        match places {
            Places::Numbered | Places::Dollar => {
                while said.order.len() <= param {
                    said.order.push(said.order.len());
                }
            }
            Places::Question | Places::Format => said.order.push(param),
        }
        rest = after.get(digits..).unwrap_or("");
    }
    said.sql.push_str(rest);
    said.list = list(&said.sql);
    said
}

fn list(sql: &str) -> Option<List> {
    let selected = sql.strip_prefix(SELECT)?;
    let (mut depth, mut columns) = (0usize, 1);
    for (at, byte) in selected.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => columns += 1,
            b' ' if depth == 0 && selected.get(at..).is_some_and(|rest| rest.starts_with(" FROM ")) => {
                return Some(List { columns, end: SELECT.len() + at });
            }
            _ => {}
        }
    }
    Some(List { columns, end: sql.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &'static str, dialect: Dialect) -> (String, Vec<usize>) {
        let said = translate(text, Lock::None, dialect, dialect.places());
        (said.sql, said.order)
    }

    #[test]
    fn places_are_written_as_each_database_has_them() {
        let text = "UPDATE t SET a = ?2, b = ?2 WHERE tenant = ?1";
        assert_eq!(said(text, Dialect::Sqlite), (text.to_owned(), vec![0, 1]));
        assert_eq!(said(text, Dialect::Postgres), ("UPDATE t SET a = $2, b = $2 WHERE tenant = $1".into(), vec![0, 1]));
        assert_eq!(said(text, Dialect::Mysql), ("UPDATE t SET a = ?, b = ? WHERE tenant = ?".into(), vec![1, 1, 0]));
        assert_eq!(place(text, Places::Format).sql, "UPDATE t SET a = %s, b = %s WHERE tenant = %s");
    }

    #[test]
    fn what_is_there_already_is_left_alone_in_each() {
        let text = "INSERT OR IGNORE INTO hos_once (tenant, key) VALUES (?1, ?2)";
        assert_eq!(said(text, Dialect::Sqlite).0, text);
        assert_eq!(said(text, Dialect::Postgres).0, "INSERT INTO hos_once (tenant, key) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        assert_eq!(
            said(text, Dialect::Mysql).0,
            "INSERT INTO hos_once (tenant, `key`) VALUES (?, ?) ON DUPLICATE KEY UPDATE tenant = hos_once.tenant"
        );
    }

    #[test]
    fn sqlite_alone_is_told_an_index() {
        let text = "SELECT a FROM t INDEXED BY t_b WHERE b = ?1 ORDER BY a LIMIT 1";
        assert_eq!(said(text, Dialect::Sqlite).0, text);
        assert_eq!(said(text, Dialect::Postgres).0, "SELECT a FROM t WHERE b = $1 ORDER BY a LIMIT 1");
        assert_eq!(said(text, Dialect::Mysql).0, "SELECT a FROM t WHERE b = ? ORDER BY a LIMIT 1");
    }

    #[test]
    fn no_server_is_told_a_place_in_a_queue() {
        use crate::store::sql::{evidence, operation};
        use hos_core::id::{Handle, KeyId, Tenant};
        let (tenant, thread) = (Tenant::new("t").unwrap(), Handle([1; 16]));
        let (key, body) = (KeyId([2; 16]), Vec::new());
        for statement in [
            evidence::enqueue(&tenant, &thread, 0),
            evidence::enqueue_waiting(&tenant, &[3; 16]),
            evidence::enqueue_shadow(&tenant, &[3; 16]),
            operation::insert_message(&tenant, &thread, 0, 0, "k", &key, body),
        ] {
            assert!(say(&statement, Dialect::Sqlite, Places::Numbered).sql.contains("max(pos)"));
            for dialect in [Dialect::Postgres, Dialect::Mysql] {
                let said = say(&statement, dialect, dialect.places());
                assert!(!said.sql.contains("pos"), "{}", said.sql);
                assert_eq!(said.order.iter().max(), Some(&(statement.params.len() - 1)), "{}", said.sql);
                let (columns, values) = said.sql.split_once("VALUES").unwrap();
                assert_eq!(columns.matches(',').count(), values.matches(',').count(), "{}", said.sql);
            }
        }
    }

    #[test]
    fn a_row_is_replaced_and_numbered_in_each() {
        let text = "INSERT INTO q (tenant, pos, a) VALUES (?1, (SELECT coalesce(max(pos), 0) + 1 FROM q WHERE tenant = ?1), ?2)
         ON CONFLICT (tenant, pos) DO UPDATE SET facts_key = ?2";
        assert_eq!(
            said(text, Dialect::Postgres).0,
            "INSERT INTO q (tenant, a) VALUES ($1, $2) ON CONFLICT (tenant, pos) DO UPDATE SET facts_key = $2"
        );
        assert_eq!(
            said(text, Dialect::Mysql),
            ("INSERT INTO q (tenant, a) VALUES (?, ?) ON DUPLICATE KEY UPDATE facts_key = ?".into(), vec![0, 1, 1])
        );
    }

    #[test]
    fn a_text_is_one_line_where_that_changes_nothing_else() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert_eq!(said("SELECT a,\n       'b  c'\n  FROM t\n", dialect).0, "SELECT a, 'b  c' FROM t");
            for text in ["SELECT 'a\n  b', 'c'\n  FROM t", "SELECT a -- b\n  FROM t"] {
                assert_eq!(said(text, dialect).0, text);
            }
        }
    }

    #[test]
    fn what_a_text_selects_ends_where_it_says_from() {
        let selects = |text: &'static str| {
            let said = translate(text, Lock::Update, Dialect::Mysql, Places::Question);
            said.list.map(|list| (list.columns, said.sql.get(SELECT.len()..list.end).unwrap().to_owned()))
        };
        for (text, wanted) in [
            ("SELECT 1, 2", Some((2, "1, 2 FOR UPDATE"))),
            (
                "SELECT a, (SELECT count(*) FROM u) AS n,\n CAST(f(x, ?1) AS CHAR) FROM t WHERE a IN (1, 2)",
                Some((3, "a, (SELECT count(*) FROM u) AS n, CAST(f(x, ?) AS CHAR)")),
            ),
            ("INSERT INTO t VALUES (1, 2)", None),
        ] {
            assert_eq!(selects(text), wanted.map(|(columns, list)| (columns, list.to_owned())), "{text}");
        }
    }

    #[test]
    fn locks_are_added_where_a_database_has_them() {
        let read = Statement::new("SELECT a FROM t WHERE tenant = ?1", [Sql::Null]);
        let text =
            |lock: fn(Statement) -> Statement, dialect: Dialect| say(&lock(read.clone()), dialect, dialect.places()).sql.clone();
        assert_eq!(text(Statement::locked, Dialect::Sqlite), "SELECT a FROM t WHERE tenant = ?1");
        assert_eq!(text(Statement::locked, Dialect::Postgres), "SELECT a FROM t WHERE tenant = $1 FOR UPDATE");
        let all = "SELECT a FROM t WHERE tenant = ? LIMIT 18446744073709551615";
        assert_eq!(text(|s| s, Dialect::Mysql), all);
        assert_eq!(text(Statement::shared, Dialect::Mysql), format!("{all} LOCK IN SHARE MODE"));
        assert_eq!(text(|s| s, Dialect::Postgres), "SELECT a FROM t WHERE tenant = $1");
        assert_eq!(text(Statement::latest, Dialect::Postgres), "SELECT a FROM t WHERE tenant = $1");
        assert_eq!(text(Statement::latest, Dialect::Mysql), format!("{all} LOCK IN SHARE MODE"));
    }
}
