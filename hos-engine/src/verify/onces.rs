//! The once-keys that a tenant's records took, and the rows that keep them.

use super::Pass;
use crate::Failure;
use crate::store::Tx;
use crate::store::sql::{law as law_sql, operation as sql};
use hos_core::id::{CallDigest, Handle, Shown, Tenant};
use hos_core::time::Timestamp;
use std::ops::{ControlFlow, Range};

/// Once-keys as records took them, one after the other in the same memory. A key that was forgotten may be taken again: the
/// last one counts.
#[derive(Default)]
pub(super) struct Onces {
    keys: String,
    taken: Vec<Once>,
}

/// What a record says of its once-key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Once {
    key: Range<usize>,
    digest: CallDigest,
    thread: Handle,
    n: u64,
    time: Timestamp,
    /// The place of the record's entry; one that has none yet comes after all that have.
    seq: Option<u64>,
}

impl Onces {
    pub(super) fn push(&mut self, key: &str, digest: CallDigest, (thread, n): (Handle, u64), time: Timestamp, seq: Option<u64>) {
        let from = self.keys.len();
        self.keys.push_str(key);
        self.taken.push(Once { key: from..self.keys.len(), digest, thread, n, time, seq });
    }

    fn key(&self, once: &Once) -> &str {
        self.keys.get(once.key.clone()).unwrap_or_default()
    }

    /// By ascending key, bytewise; of each key the one that was taken last.
    fn sorted(&self) -> Vec<&Once> {
        let mut all: Vec<&Once> = self.taken.iter().collect();
        // Of one key the later ones stand behind the earlier, in whichever order the records were met.
        let place = |once: &Once| once.seq.unwrap_or(u64::MAX);
        all.sort_by(|a, b| self.key(a).cmp(self.key(b)).then_with(|| place(a).cmp(&place(b))));
        let mut last: Vec<&Once> = Vec::with_capacity(all.len());
        for once in all {
            match last.last_mut() {
                Some(before) if self.key(before) == self.key(once) => *before = once,
                _ => last.push(once),
            }
        }
        last
    }
}

/// Compares the rows with what the records took: both ascend by key. Of which records it cannot be said what they took, is told by the
/// row's place, thread and n.
pub(super) fn compare<'p>(
    tx: &Tx<'_>,
    pass: &mut Pass<'p>,
    tenant: &Tenant,
    onces: &Onces,
    is_unsaid: impl Fn(&mut Pass<'p>, &dyn Fn() -> String, &Handle, u64) -> bool,
) -> Result<(), Failure> {
    let floor = tx.row(&law_sql::tenant_row(tenant))?.map_or(Ok(0), |row| row.int(2))?;
    let mut wanted = onces.sorted().into_iter().peekable();
    let place = |key: &str| format!("hos_once {tenant} {}", Shown(key));
    let missing = |pass: &mut Pass<'_>, once: &Once| {
        if once.time.0 >= floor {
            pass.findings.add(place(onces.key(once)), "the row is missing");
        }
    };
    tx.visit(&sql::onces(tenant), |row| {
        let key = row.blob(0)?;
        while let Some(once) = wanted.next_if(|once| onces.key(once).as_bytes() < key) {
            missing(pass, once);
        }
        let found = (row.bytes::<32>(1)?, Handle(row.bytes(2)?), row.uint(3)?, row.int(4)?);
        let at = || place(&String::from_utf8_lossy(key));
        match wanted.next_if(|once| onces.key(once).as_bytes() == key) {
            // It was forgotten, and another record may have taken it then.
            Some(once) if once.time.0 < floor && is_unsaid(pass, &at, &found.1, found.2) => {}
            Some(once) => {
                if found != (once.digest.0, once.thread, once.n, once.time.0) {
                    pass.findings.add(at(), "columns digest, thread, n, at: not what the records say");
                }
            }
            None if is_unsaid(pass, &at, &found.1, found.2) => {}
            None => pass.findings.add(at(), "column key: no record took it"),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    wanted.for_each(|once| missing(pass, once));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_key_that_was_taken_twice_the_last_counts() {
        let mut onces = Onces::default();
        for (n, key) in ["b", "a", "b", "ab", "a"].into_iter().enumerate() {
            // The first is met last, as an earlier record of a thread that went on is.
            let seq = [Some(0), Some(1), Some(2), Some(3), None][n];
            onces.push(key, CallDigest([n as u8; 32]), (Handle([0; 16]), n as u64), Timestamp(0), seq);
        }
        onces.push("b", CallDigest([9; 32]), (Handle([0; 16]), 9), Timestamp(0), Some(1));
        let found: Vec<(&str, u64)> = onces.sorted().iter().map(|once| (onces.key(once), once.n)).collect();
        assert_eq!(found, [("a", 4), ("ab", 3), ("b", 2)]);
    }
}
