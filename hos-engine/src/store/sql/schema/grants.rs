//! What a database user of an application may do: write what a joined transaction writes, and nothing that was written.

use super::super::dialect::Dialect;

/// Tables that an application reads.
const READ: &[&str] = &[
    "hos_store",
    "hos_law",
    "hos_activation",
    "hos_tenant",
    "hos_change",
    "hos_stream",
    "hos_inbox",
    "hos_record",
    "hos_entry",
    "hos_head",
    "hos_checkpoint",
    "hos_once",
    "hos_instance",
    "hos_deadline",
    "hos_directory",
    "hos_grant",
    "hos_refusal",
    "hos_vault",
    "hos_migration",
];
/// Evidence and what waits for its place: inserted, and never changed or deleted.
const INSERT: &[&str] = &["hos_record", "hos_inbox", "hos_change", "hos_vault"];
/// The same of what has a place in a queue, which the database gives: who may choose one gives away the last there is, and no other
/// follows it. The statements name all other columns.
const INSERT_COLUMNS: &[(&str, &str)] = &[
    ("hos_queue", "tenant, thread, n"),
    ("hos_outbox", "tenant, thread, n, i, kind, body_key, body, lease, leased_until, attempts, acked"),
];
/// The fold of the records, which moves with them; and how many refusals were kept.
const WRITE: &[(&str, &str)] = &[
    ("hos_once", "INSERT, UPDATE, DELETE"),
    ("hos_instance", "INSERT, UPDATE, DELETE"),
    ("hos_deadline", "INSERT, DELETE"),
    ("hos_directory", "INSERT, UPDATE, DELETE"),
    ("hos_grant", "INSERT, UPDATE, DELETE"),
    ("hos_refusal", "INSERT, UPDATE"),
];

/// The statements that give an application's user its rights; `user` is a role of PostgreSQL, or `name@host` of MySQL. An SQLite
/// file knows no users: none.
pub fn grants(dialect: Dialect, user: &str) -> String {
    let grantee = match dialect {
        Dialect::Sqlite => return String::new(),
        Dialect::Postgres => format!("\"{}\"", user.replace('"', "\"\"")),
        Dialect::Mysql => {
            let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
            let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
            format!("{}@{}", quoted(name), quoted(host))
        }
    };
    let mut out = String::new();
    let mut grant = |rights: &str, table: &str| out.push_str(&format!("GRANT {rights} ON {table} TO {grantee};\n"));
    for table in READ {
        grant("SELECT", table);
    }
    for table in INSERT {
        grant("INSERT", table);
    }
    for (table, columns) in INSERT_COLUMNS {
        grant(&format!("INSERT ({columns})"), table);
    }
    for (table, rights) in WRITE {
        grant(rights, table);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_may_be_rewritten() {
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            let script = grants(dialect, "shop");
            for evidence in ["hos_record", "hos_entry", "hos_head", "hos_queue", "hos_inbox", "hos_law", "hos_activation"] {
                for line in script.lines().filter(|line| line.contains(&format!(" ON {evidence} "))) {
                    assert!(!line.contains("UPDATE") && !line.contains("DELETE"), "{line}");
                }
            }
            assert!(script.contains("GRANT INSERT ON hos_record") && script.contains("GRANT SELECT ON hos_directory"));
        }
    }

    #[test]
    fn a_place_in_a_queue_is_the_databases_to_give() {
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            let script = grants(dialect, "shop");
            for table in ["hos_queue", "hos_outbox"] {
                let rights: Vec<&str> = script.lines().filter(|line| line.contains(&format!(" ON {table} "))).collect();
                assert!(matches!(rights[..], [one] if one.starts_with("GRANT INSERT (tenant, thread, ")), "{rights:?}");
                assert!(!rights.concat().contains(" pos"), "{rights:?}");
            }
        }
    }

    #[test]
    fn a_users_name_is_quoted() {
        assert!(grants(Dialect::Postgres, "a\"b").contains("TO \"a\"\"b\";"));
        assert!(grants(Dialect::Mysql, "o'shop@10.0.0.%").contains("TO 'o''shop'@'10.0.0.%';"));
        assert!(grants(Dialect::Mysql, "shop").contains("TO 'shop'@'%';"));
        assert!(grants(Dialect::Sqlite, "shop").is_empty());
    }
}
