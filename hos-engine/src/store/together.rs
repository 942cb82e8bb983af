//! Several statements in one text: what a round asks for, or a step writes, in one exchange with the database and one result.
//!
//! | | a round | its result |
//! |---|---|---|
//! | MariaDB | a compound statement: what claims, then one SELECT, a UNION of all that read, each under its own locks | rows that begin with the place of the statement among those that read, filled up with NULL |
//! | PostgreSQL | what claims or locks, then one SELECT that reads everything again | one row: how the connection writes bytes, and a column for each that reads, its rows as a JSON array of objects whose fields stand in the order selected; bytes in hexadecimal digits behind `\\x` |
//!
//! A client that hands over the results of all statements needs neither UNION nor JSON: [`listed`] and [`dealt`] are for it.
//!
//! PostgreSQL's C client hands over the last result alone, and its UNION knows no locks: what a lock has made to stand still is read
//! behind all locks. MySQL knows no compound statement outside of a procedure and says so by its error 1064 before it runs anything;
//! SQLite has no exchanges to spare.

use super::host::Ask;
use super::rows;
use super::sql::dialect::{Dialect, Places, SELECT, say};
use super::sql::literal::{write_part, written};
use super::statement::Lock;
use super::{Sql, Statement, StoreError};

/// The longest text. MariaDB takes 16 MiB, unless it is told otherwise: 1 MiB was once usual.
const TEXT_BYTES_MAX: usize = 512 << 10;

/// A round as one text; `None` where its statements are better run one by one.
pub fn asked(asks: &[Ask], dialect: Dialect) -> Option<String> {
    let (reads, claims): (Vec<&Ask>, Vec<&Ask>) = asks.iter().partition(|ask| ask.reads);
    if asks.len() < 2 || reads.is_empty() || asks.iter().any(|ask| ask.statement.apart) {
        return None;
    }
    let text = match dialect {
        Dialect::Sqlite => return None,
        Dialect::Mysql => {
            let claims: Vec<&Statement> = claims.iter().map(|ask| &ask.statement).collect();
            let reads = reads.iter().map(|ask| {
                let said = say(&ask.statement, dialect, Places::Question);
                Some((&ask.statement, said.list?, said))
            });
            let reads = reads.collect::<Option<Vec<_>>>()?;
            let width = reads.iter().map(|(_, list, _)| list.columns).max()?;
            let parts = reads.iter().enumerate().map(|(place, (statement, list, said))| {
                let mut part = format!("(SELECT {place}, ");
                write_part(&mut part, said, SELECT.len()..list.end, statement, dialect);
                part.push_str(&", NULL".repeat(width - list.columns));
                write_part(&mut part, said, list.end..said.sql.len(), statement, dialect);
                part + ")"
            });
            let union = parts.collect::<Vec<_>>().join(" UNION ALL ");
            compound(rows::claimed(&claims, dialect).into_iter().chain([union]))
        }
        Dialect::Postgres => {
            let first = asks.iter().filter(|ask| !ask.reads || ask.statement.lock != Lock::None).map(|ask| &ask.statement);
            let first = rows::claimed(&first.collect::<Vec<_>>(), dialect).into_iter();
            let read = |ask: &&Ask| {
                let plain = Statement { lock: Lock::None, ..ask.statement.clone() };
                format!("(SELECT CAST(coalesce(json_agg(q), '[]') AS TEXT) FROM ({}) q)", written(&plain, dialect))
            };
            let reads = std::iter::once("current_setting('bytea_output')".to_owned()).chain(reads.iter().map(read));
            let reads: Vec<String> = reads.collect();
            first.chain([format!("SELECT {}", reads.join(", "))]).collect::<Vec<_>>().join("; ")
        }
    };
    Some(text).filter(|text| text.len() <= TEXT_BYTES_MAX)
}

/// What fails where the connection is in no transaction, before anything else of a text is run; who sees its error says
/// [`Several::Outside`](super::server::Several).
const INSIDE_POSTGRES: &str = "SAVEPOINT hos_inside; RELEASE SAVEPOINT hos_inside; ";
const INSIDE_MYSQL: &str =
    "IF @@in_transaction = 0 THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644, MESSAGE_TEXT = 'hos: no transaction'; END IF";
/// The error of [`INSIDE_MYSQL`]: MySQL's number of a signal, and its words.
pub const OUTSIDE_MYSQL: (u16, &str) = (1644, "hos: no transaction");
/// The SQLSTATE of PostgreSQL's error where a savepoint is set in no transaction.
pub const OUTSIDE_POSTGRES: &str = "25P01";

/// A round as one text, for clients that hand over the results of all its statements ([`dealt`]); `None` where its statements are
/// better run one by one. `guarded`: the text fails where there is no transaction.
pub fn listed(asks: &[Ask], dialect: Dialect, guarded: bool) -> Option<String> {
    if asks.len() < 2 || asks.iter().any(|ask| ask.statement.apart) {
        return None;
    }
    let texts = asks.iter().map(|ask| written(&ask.statement, dialect));
    let text = match dialect {
        Dialect::Sqlite => return None,
        Dialect::Mysql => compound(guarded.then(|| INSIDE_MYSQL.to_owned()).into_iter().chain(texts)),
        Dialect::Postgres => {
            let first = std::iter::once("SELECT current_setting('bytea_output')".to_owned());
            let all = first.chain(texts).collect::<Vec<_>>().join("; ");
            if guarded { INSIDE_POSTGRES.to_owned() + &all } else { all }
        }
    };
    Some(text).filter(|text| text.len() <= TEXT_BYTES_MAX)
}

/// The rows of each statement of a round, from the results of its text ([`listed`]): of one that only claims, none. Nothing where a
/// connection of PostgreSQL's writes bytes in another way than in hexadecimal digits.
pub fn dealt(asks: &[Ask], dialect: Dialect, results: Vec<Vec<Vec<Sql>>>) -> Result<Option<Vec<Vec<Vec<Sql>>>>, StoreError> {
    let wanted = asks.iter().filter(|ask| ask.reads).count() + usize::from(dialect == Dialect::Postgres);
    if results.len() != wanted {
        return Err(StoreError::internal(format!("a text of {wanted} results brought {}", results.len())));
    }
    let mut results = results.into_iter();
    if dialect == Dialect::Postgres {
        let output = results.next().and_then(|rows| rows.into_iter().next()).and_then(|row| row.into_iter().next());
        if !matches!(&output, Some(Sql::Raw(word)) if word == b"hex") {
            return Ok(None);
        }
    }
    Ok(Some(asks.iter().map(|ask| if ask.reads { results.next().unwrap_or_default() } else { Vec::new() }).collect()))
}

/// What a step writes as one text; `None` where its statements are better run one by one.
pub fn settled(statements: &[Statement], dialect: Dialect) -> Option<String> {
    if statements.len() < 2 || statements.iter().any(|statement| statement.apart) {
        return None;
    }
    let texts = rows::put(&statements.iter().collect::<Vec<_>>(), dialect).into_iter();
    let text = match dialect {
        Dialect::Sqlite => return None,
        Dialect::Mysql => {
            let around = [WHOLE_OR_NOT.to_owned(), "SAVEPOINT hos_settle".to_owned()];
            compound(around.into_iter().chain(texts).chain(["RELEASE SAVEPOINT hos_settle".to_owned()]))
        }
        Dialect::Postgres => texts.collect::<Vec<_>>().join("; "),
    };
    Some(text).filter(|text| text.len() <= TEXT_BYTES_MAX)
}

/// How many columns a statement that reads selects.
pub fn columns(statement: &Statement, dialect: Dialect) -> usize {
    say(statement, dialect, Places::Question).list.map_or(0, |list| list.columns)
}

/// A statement that fails leaves in MySQL's transaction what those before it wrote, and a host may commit all the same. The error
/// is told as it was, also where it took the whole transaction with it, and so the savepoint (1305).
const WHOLE_OR_NOT: &str = "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN \
    BEGIN DECLARE CONTINUE HANDLER FOR 1305 BEGIN END; ROLLBACK TO SAVEPOINT hos_settle; END; \
    RESIGNAL; END";

fn compound(texts: impl Iterator<Item = String>) -> String {
    texts.fold("BEGIN NOT ATOMIC ".to_owned(), |out, text| out + &text + "; ") + "END"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks() -> Vec<Ask> {
        let ask = |statement, reads| Ask { statement, reads };
        let tenant = || Sql::from("t");
        vec![
            ask(Statement::new("INSERT OR IGNORE INTO k (tenant, key) VALUES (?1, ?2)", [tenant(), b"a".into()]), false),
            ask(Statement::new("SELECT a, b FROM k WHERE tenant = ?1 AND key = ?2", [tenant(), b"a".into()]).locked(), true),
            ask(Statement::new("SELECT coalesce(max(c), 0) AS c FROM d WHERE tenant = ?1", [tenant()]), true),
        ]
    }

    #[test]
    fn a_round_is_one_result() {
        assert_eq!(
            asked(&asks(), Dialect::Mysql).unwrap(),
            "BEGIN NOT ATOMIC INSERT INTO k (tenant, `key`) VALUES ('t', X'61') ON DUPLICATE KEY UPDATE tenant = k.tenant; \
             (SELECT 0, a, b FROM k WHERE tenant = 't' AND `key` = X'61' LIMIT 18446744073709551615 FOR UPDATE) \
             UNION ALL (SELECT 1, coalesce(max(c), 0) AS c, NULL FROM d WHERE tenant = 't' LIMIT 18446744073709551615); END"
        );
        assert_eq!(
            asked(&asks(), Dialect::Postgres).unwrap(),
            "INSERT INTO k (tenant, key) VALUES ('t', decode('61', 'hex')) ON CONFLICT DO NOTHING; \
             SELECT a, b FROM k WHERE tenant = 't' AND key = decode('61', 'hex') FOR UPDATE; \
             SELECT current_setting('bytea_output'), (SELECT CAST(coalesce(json_agg(q), '[]') AS TEXT) FROM (SELECT a, b FROM k WHERE tenant = 't' AND key = decode('61', 'hex')) q), \
             (SELECT CAST(coalesce(json_agg(q), '[]') AS TEXT) FROM (SELECT coalesce(max(c), 0) AS c FROM d WHERE tenant = 't') q)"
        );
        assert_eq!(asked(&asks(), Dialect::Sqlite), None);
    }

    #[test]
    fn each_result_of_a_text_goes_to_its_statement() {
        let plain = listed(&asks(), Dialect::Postgres, false).unwrap();
        assert!(plain.starts_with("SELECT current_setting('bytea_output'); INSERT INTO k"), "{plain}");
        assert_eq!(listed(&asks(), Dialect::Postgres, true).unwrap(), format!("{INSIDE_POSTGRES}{plain}"));
        let mysql = listed(&asks(), Dialect::Mysql, true).unwrap();
        assert!(mysql.starts_with("BEGIN NOT ATOMIC IF @@in_transaction = 0 THEN SIGNAL"), "{mysql}");
        assert!(mysql.contains(OUTSIDE_MYSQL.1) && mysql.ends_with("; END") && !mysql.contains("UNION"), "{mysql}");
        assert_eq!(listed(&asks(), Dialect::Sqlite, true), None);
        assert_eq!(listed(&asks()[..1], Dialect::Postgres, true), None);

        let row = |word: &[u8]| vec![vec![Sql::Raw(word.to_vec())]];
        let results = |output: &[u8]| vec![row(output), row(b"1"), Vec::new()];
        let rows = dealt(&asks(), Dialect::Postgres, results(b"hex")).unwrap();
        assert_eq!(rows, Some(vec![Vec::new(), row(b"1"), Vec::new()]));
        assert_eq!(dealt(&asks(), Dialect::Postgres, results(b"escape")).unwrap(), None);
        assert_eq!(dealt(&asks(), Dialect::Mysql, vec![row(b"1"), row(b"2")]).unwrap().unwrap()[2], row(b"2"));
        for wrong in [vec![row(b"1")], vec![row(b"1"), row(b"2"), row(b"3")]] {
            assert!(dealt(&asks(), Dialect::Mysql, wrong).is_err());
        }
    }

    #[test]
    fn what_has_no_end_or_is_alone_is_run_by_itself() {
        let mut all = asks();
        for dialect in [Dialect::Mysql, Dialect::Postgres] {
            assert_eq!(asked(&all[1..2], dialect), None);
            assert_eq!(asked(&all[..1], dialect), None);
        }
        all[2].statement.apart = true;
        assert_eq!(asked(&all, Dialect::Mysql), None);
        let writes = [all[0].statement.clone(), all[2].statement.clone()];
        assert_eq!(settled(&writes, Dialect::Postgres), None);
        all[2].statement.apart = false;
        all[0].statement.params[1] = vec![0; TEXT_BYTES_MAX].into();
        assert_eq!(asked(&all, Dialect::Postgres), None);
        assert_eq!(settled(&[all[0].statement.clone()], Dialect::Mysql), None);
    }

    #[test]
    fn what_is_written_is_one_text() {
        let writes: Vec<Statement> = asks().into_iter().take(1).cycle().take(2).map(|ask| ask.statement).collect();
        let postgres = settled(&writes, Dialect::Postgres).unwrap();
        assert!(postgres.ends_with("decode('61', 'hex')), ('t', decode('61', 'hex')) ON CONFLICT DO NOTHING"), "{postgres}");
        let mysql = settled(&writes, Dialect::Mysql).unwrap();
        assert!(
            mysql.contains("; SAVEPOINT hos_settle; INSERT") && mysql.ends_with("; RELEASE SAVEPOINT hos_settle; END"),
            "{mysql}"
        );
        assert!(!mysql.contains('\n') && !postgres.contains('\n'), "{mysql} {postgres}");
    }

    #[test]
    fn a_list_is_filled_up_behind_its_own_parameters() {
        let mut all = asks();
        all[2].statement = Statement::new("SELECT ?2 FROM d WHERE tenant = ?1", [Sql::from("t"), b"\xab".into()]);
        let text = asked(&all, Dialect::Mysql).unwrap();
        assert!(text.contains("(SELECT 1, X'AB', NULL FROM d WHERE tenant = 't' LIMIT"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn columns_are_counted() {
        for (sql, count) in [
            ("SELECT 1", 1),
            ("SELECT 1, 2", 2),
            ("SELECT a, (SELECT count(*) FROM u) AS n,\n CAST(f(x, y) AS CHAR) FROM t WHERE a IN (1, 2)", 3),
            ("INSERT INTO t VALUES (1, 2)", 0),
        ] {
            assert_eq!(columns(&Statement::new(sql, []), Dialect::Mysql), count, "{sql}");
        }
    }
}
