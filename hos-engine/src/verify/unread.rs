//! Rows that no comparison reads: those that hold nothing by their form, and those that no log has a place for.

use super::Pass;
use crate::Failure;
use crate::store::{Statement, Tx};
use hos_core::id::Tenant;

/// Where a row holds nothing: a claim that was never settled. In a store that is a file of its own nobody claims; elsewhere a host that
/// broke off may have committed one, which is whoever's claims it next.
const CLAIMS: [(&str, &str); 7] = [
    ("hos_directory", "SELECT count(*) FROM hos_directory WHERE tenant = ?1 AND n < 0"),
    ("hos_grant", "SELECT count(*) FROM hos_grant WHERE tenant = ?1 AND n < 0"),
    ("hos_instance", "SELECT count(*) FROM hos_instance WHERE tenant = ?1 AND state = ''"),
    ("hos_once", "SELECT count(*) FROM hos_once WHERE tenant = ?1 AND n < 0"),
    ("hos_stream", "SELECT count(*) FROM hos_stream WHERE tenant = ?1 AND n < 0"),
    ("hos_inbox", "SELECT count(*) FROM hos_inbox WHERE tenant = ?1"),
    ("hos_change", "SELECT count(*) FROM hos_change WHERE tenant = ?1"),
];
/// Entries before the first, which no log has.
const NOWHERE: [(&str, &str); 2] = [
    ("hos_entry", "SELECT count(*) FROM hos_entry WHERE tenant = ?1 AND seq < 0"),
    ("hos_record", "SELECT count(*) FROM hos_record WHERE tenant = ?1 AND n < 0"),
];

/// Counts them.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant) -> Result<(), Failure> {
    let claims = CLAIMS.iter().filter(|_| !tx.is_shared());
    for (table, sql) in claims.chain(&NOWHERE) {
        let count = tx.row(&Statement::new(sql, [tenant.as_str().into()]))?.map_or(Ok(0), |row| row.uint(0))?;
        if count > 0 {
            pass.findings.add(format!("{table} {tenant}"), format!("{count} row(s) that nothing writes here"));
        }
    }
    if tx.is_shared() {
        // What waits in the inbox waits in the queue too: what does not would wait for ever, and keep others waiting.
        let sql = "SELECT (SELECT count(*) FROM hos_inbox WHERE tenant = ?1) AS waits,
           (SELECT count(*) FROM hos_queue WHERE tenant = ?1 AND n IN (-2, -3)) AS queued";
        if let Some(row) = tx.row(&Statement::new(sql, [tenant.as_str().into()]))? {
            let (waits, queued) = (row.uint(0)?, row.uint(1)?);
            if waits != queued {
                pass.findings.add(format!("hos_inbox {tenant}"), format!("{waits} row(s), and the queue leads to {queued}"));
            }
        }
    }
    Ok(())
}
