//! What the database says of itself and of the transaction, asked once a step after the claims: the time, how it keeps what is
//! committed, whether it is a replica, whether the session reads what nobody has committed, or takes what is written for something
//! else; and where the driver cannot tell, whether there is a transaction at all.

use crate::Failure;
use crate::store::sql::dialect::Dialect;
use crate::store::{Row, Statement};
use hos_core::proof::record::Durability;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;

/// The question: now (milliseconds since 1970), two settings of durability, whether it is a replica, why nothing is judged in the
/// session, or 0. Of MySQL and MariaDB alone: 1, it reads what is not committed, for PostgreSQL reads nothing so whatever it is told (a
/// level for one transaction only, `SET TRANSACTION` without `SESSION`, stands in no variable, and is not seen); 2, it has Oracle's
/// words, of which columns of ours are some; 3, it takes a text of no letters for NULL.
pub(super) fn asked(dialect: Dialect) -> Statement {
    let sql = match dialect {
        Dialect::Postgres => {
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now,
               current_setting('synchronous_commit') AS commits, current_setting('fsync') AS syncs,
               CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END AS replica, 0 AS unfit"
        }
        // NOW() is when the statement began, SYSDATE() when it is asked: after any wait for a lock. Both are hours of the session's
        // zone, of which one comes twice in autumn, so they tell no more than what passed in between: that is off only where the zone
        // changes in that very moment.
        // `read_only` is a number in most versions, a word in the newest: what is not surely off is read-only.
        // The isolation has a name of its own in each: MySQL takes the first of both comments for its words, MariaDB the second.
        // DUAL is no table: it says where the list ends, which a text of several statements fills up.
        Dialect::Mysql => {
            "SELECT CAST((UNIX_TIMESTAMP() * 1000000 + MICROSECOND(NOW(6))
                 + TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6))) DIV 1000 AS SIGNED) AS now,
               CAST(@@innodb_flush_log_at_trx_commit AS CHAR) AS commits, 'on' AS syncs,
               CASE WHEN CAST(@@global.read_only AS CHAR) IN ('0', 'OFF') THEN 0 ELSE 1 END AS replica,
               CASE WHEN /*!80000 @@session.transaction_isolation *//*M!100000 @@session.tx_isolation */ = 'READ-UNCOMMITTED'
                 THEN 1 WHEN FIND_IN_SET('ORACLE', @@sql_mode) > 0 THEN 2
                 WHEN FIND_IN_SET('EMPTY_STRING_IS_NULL', @@sql_mode) > 0 THEN 3 ELSE 0 END AS unfit FROM DUAL"
        }
        // `temp`: under that name no table or view of the file is asked in SQLite's place.
        Dialect::Sqlite => {
            "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now,
               CAST((SELECT synchronous FROM temp.pragma_synchronous) AS TEXT) AS commits, 'on' AS syncs,
               (SELECT query_only FROM temp.pragma_query_only) AS replica, 0 AS unfit"
        }
    };
    Statement::new(sql, [])
}

/// What it says; refused where nothing may be decided.
pub(super) fn said(dialect: Dialect, row: &Row) -> Result<(Timestamp, Durability), Failure> {
    if row.int(3)? != 0 {
        return Err(Failure::new(
            Code::StoreReadOnly,
            "the database takes no writes: it is a replica, or read-only; ask the primary",
        ));
    }
    match row.int(4)? {
        0 => {}
        1 => {
            return Err(Failure::new(
                Code::StoreUnavailable,
                "the session reads what nobody has committed (READ UNCOMMITTED), and no decision stands on that: begin the \
                 transaction again behind `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED`, or a stricter one",
            ));
        }
        mode => {
            let mode = if mode == 2 { "ORACLE" } else { "EMPTY_STRING_IS_NULL" };
            let message = format!(
                "the connection's sql_mode holds {mode}: MariaDB takes what would be written for something else; \
                 begin the transaction again behind `SET SESSION sql_mode` without it"
            );
            return Err(Failure::new(Code::CallMalformed, message));
        }
    }
    let keeps = match (dialect, row.text(1)?, row.text(2)?) {
        (Dialect::Postgres, "on" | "remote_apply" | "remote_write" | "local", "on") => Durability::Full,
        (Dialect::Mysql, "1", _) => Durability::Full,
        (Dialect::Sqlite, "2" | "3", _) => Durability::Full,
        _ => Durability::Weak,
    };
    Ok((Timestamp(row.int(0)?), keeps))
}

/// Which transaction a statement is in, asked before all others and behind them: outside a transaction each is one of its own.
/// Databases that cannot be asked so have drivers that know.
pub(super) fn which(dialect: Dialect) -> Option<[Statement; 2]> {
    let both = ["SELECT txid_current() AS first", "SELECT txid_current() AS again"];
    (dialect == Dialect::Postgres).then(|| both.map(|sql| Statement::new(sql, [])))
}

/// There is no transaction.
pub(super) fn outside() -> Failure {
    Failure::new(
        Code::NoTransaction,
        "the connection is in no transaction: begin one, do your own writes, call H-OS last, then commit or roll back",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sql;
    use crate::store::host::Ask;
    use crate::store::together::{self, columns};

    #[test]
    fn no_hour_of_a_zone_is_made_a_moment() {
        let asked = asked(Dialect::Mysql);
        // With an argument it takes an hour of the session's zone, of which one comes twice in autumn.
        assert_eq!(asked.sql.matches("UNIX_TIMESTAMP(").count(), asked.sql.matches("UNIX_TIMESTAMP()").count(), "{}", asked.sql);
    }

    #[test]
    fn it_may_be_one_of_several_in_a_text() {
        let wide = Statement::new("SELECT a, b, c, d, e, f, g FROM t WHERE tenant = ?1", [Sql::from("t")]);
        let asks = [wide, asked(Dialect::Mysql)].map(|statement| Ask { statement, reads: true });
        let text = together::asked(&asks, Dialect::Mysql).unwrap();
        assert!(text.contains(" AS unfit, NULL, NULL FROM DUAL"), "{text}");
    }

    #[test]
    fn each_tells_as_much_as_is_taken() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            assert_eq!(columns(&asked(dialect), dialect), 5, "{dialect:?}");
        }
    }
}
