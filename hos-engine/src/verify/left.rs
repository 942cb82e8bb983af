//! What stands in the clear of persons who were erased. A host whose transaction slept through an erasure writes of the person behind it:
//! what is sealed of that nobody can read, and what a row says by itself everybody can, until the person is erased once more.

use super::Pass;
use crate::Failure;
use crate::store::Tx;
use crate::store::sql::{state as sql, vault as vault_sql};
use crate::vault::Vault;
use crate::view::InForce;
use hos_core::id::{KeyId, Shown, Tenant, Uid};
use hos_core::law::Law;
use std::collections::HashSet;
use std::sync::Arc;

/// How many rows are named.
const NAMED_MAX: usize = 100;

/// What is said of a row that goes when its person is erased once more.
const AGAIN: &str = "a row of a person who was erased, and it is there: erase the person again";
/// What is said of a row that is somebody else's.
const MEMBER: &str = "it is in a person who was erased, whom the row names: remove it, and put it again";

/// Rows that are told, and how many more there are.
#[derive(Default)]
struct Told {
    named: Vec<String>,
    more: u64,
}

impl Told {
    fn add(&mut self, at: &str, what: &str) {
        if self.named.len() < NAMED_MAX {
            self.named.push(format!("{at}: {what}"));
        } else {
            self.more += 1;
        }
    }
}

/// Who was erased: the keys that erasures' records name, and the names under which the vault has these persons.
struct Erased<'e> {
    keys: &'e HashSet<KeyId>,
    tags: HashSet<[u8; 32]>,
    law: Arc<Law>,
}

impl Erased<'_> {
    /// Whether this is one of them. Under the id of what is no person another may stand by now.
    fn has(&self, pass: &Pass<'_>, uid: &Uid) -> bool {
        self.law.persons.contains(uid.type_name()) && self.tags.contains(&pass.court.tag(uid))
    }
}

/// Tells the rows of persons whose keys erasures' records name. In a store that is a file of its own nobody writes beside an erasure.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, keys: &HashSet<KeyId>) -> Result<(), Failure> {
    if keys.is_empty() || !matches!(pass.court.vault, Vault::Table(_)) {
        return Ok(());
    }
    let mut told = Told::default();
    pass.gone.living(keys).for_each(|at| told.add(at, AGAIN));
    let mut tags = HashSet::new();
    for row in tx.rows(&vault_sql::destroyed_of())? {
        if keys.contains(&KeyId(row.bytes(1)?)) {
            tags.insert(row.bytes(0)?);
        }
    }
    // A law that does not load is among the findings.
    if let Ok(in_force) = InForce::read(tx, &pass.court.laws) {
        let erased = Erased { keys, tags, law: in_force.law };
        for tenant in pass.court.tenants(tx)? {
            directory(tx, pass, &tenant, &erased, &mut told)?;
            grants(tx, pass, &tenant, &erased, &mut told)?;
        }
    }
    pass.notices.append(&mut told.named);
    if told.more > 0 {
        pass.notices.push(format!("{} further row(s) of persons who were erased are not listed", told.more));
    }
    Ok(())
}

// What does not read as a row is among the findings.
fn directory(tx: &Tx<'_>, pass: &Pass<'_>, tenant: &Tenant, erased: &Erased<'_>, told: &mut Told) -> Result<(), Failure> {
    tx.each(&sql::directory_entities(tenant), |row| {
        let Ok(row) = sql::entity_from(&row) else { return Ok(()) };
        let at = || format!("hos_directory {tenant} {}", row.uid);
        if row.attrs_key.0 != [0; 16] && erased.keys.contains(&row.attrs_key) {
            told.add(&at(), AGAIN);
        } else if row.parents.iter().any(|parent| erased.has(pass, parent)) {
            told.add(&at(), MEMBER);
        }
        Ok(())
    })?;
    Ok(())
}

fn grants(tx: &Tx<'_>, pass: &Pass<'_>, tenant: &Tenant, erased: &Erased<'_>, told: &mut Told) -> Result<(), Failure> {
    tx.each(&sql::grants(tenant), |row| {
        let Ok((_, link, _)) = sql::grant_from(&row) else { return Ok(()) };
        if link.principal.iter().chain(&link.resource).any(|uid| erased.has(pass, uid)) {
            told.add(&format!("hos_grant {tenant} {}", Shown(&link.id)), AGAIN);
        }
        Ok(())
    })?;
    Ok(())
}
