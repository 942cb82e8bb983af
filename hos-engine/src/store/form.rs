//! What a file says of its own form: the objects of its schema, and whether a table and its indexes hold the same rows.

use crate::store::{Statement, StoreError, Tx};
use hos_core::id::Shown;
use hos_core::refusal::Code;
use std::collections::BTreeSet;

/// Objects of a schema, each by its columns: kind, name, table, and text where it has one.
pub(crate) type Objects = BTreeSet<Vec<String>>;

/// The objects that a schema's steps make of a file, and what asks SQLite of each of its tables. Made once in a process, for the texts
/// of statements are fixed.
pub(crate) struct Form {
    pub(crate) objects: Objects,
    /// Each table, and the statement.
    checks: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn new(objects: Objects) -> Self {
        // A statement, and not the table of that name which SQLite has as well: one that somebody made in the file would be asked in
        // its place.
        let check = |table: &str| (table.to_owned(), format!("PRAGMA main.integrity_check('{table}')"));
        let checks = tables(&objects).map(check).collect();
        Self { objects, checks }
    }

    /// What is wrong with these tables of a file, as far as they are among its objects, each with where. Who edits the file past SQLite
    /// can have an index lead to another row than the table holds, so that who looks for a row by its key is served what nobody meets
    /// who reads the table from front to back.
    pub(crate) fn faults(&'static self, tx: &Tx<'_>, found: &Objects) -> Result<Vec<(String, String)>, StoreError> {
        let mut faults = Vec::new();
        for (table, check) in &self.checks {
            if tables(found).any(|found| found == table) {
                let found = said(tx, check)?.into_iter();
                faults.extend(found.map(|fault| (format!("table {table}"), format!("the file: {fault}"))));
            }
        }
        Ok(faults)
    }
}

/// What a query of the schema answers.
pub(crate) fn objects(tx: &Tx<'_>, query: &'static str, columns: usize) -> Result<Objects, StoreError> {
    let mut found = Objects::new();
    for row in tx.rows(&Statement::new(query, []))? {
        let text = |column| Ok::<_, StoreError>(row.text(column)?.to_owned());
        let mut object = (0..columns).map(text).collect::<Result<Vec<_>, _>>()?;
        if let [_, name, table, text] = &mut object[..] {
            // A table that was renamed and renamed back has its name in quotes.
            for name in [&*name, &*table] {
                *text = text.replace(&format!("\"{name}\""), name);
            }
        }
        found.insert(object);
    }
    Ok(found)
}

/// Where these differ from those that the schema's steps make, each with what is wrong.
pub(crate) fn differences(found: &Objects, wanted: &Objects) -> Vec<(String, &'static str)> {
    let at = |object: &[String]| match object {
        [kind, name, table, ..] => format!("{} {} of {}", Shown(kind), Shown(name), Shown(table)),
        _ => "the schema".to_owned(),
    };
    let strange = found.difference(wanted).map(|object| (at(object), "the schema: no step of it makes this"));
    let missing = wanted.difference(found).map(|object| (at(object), "the schema: it is not there as its steps make it"));
    strange.chain(missing).collect()
}

/// The names of the tables among these objects.
pub(crate) fn tables(of: &Objects) -> impl Iterator<Item = &str> {
    of.iter().filter_map(|object| match &object[..] {
        [kind, name, ..] if kind == "table" => Some(name.as_str()),
        _ => None,
    })
}

/// What SQLite says of a table and its indexes, a fault each and a hundred at most.
fn said(tx: &Tx<'_>, check: &'static str) -> Result<Vec<String>, StoreError> {
    let rows = match tx.rows(&Statement::new(check, [])) {
        // Where the file's pages are no tree any more, SQLite stops looking.
        Err(error) if error.code == Code::StoreIntegrity => return Ok(vec![error.message]),
        rows => rows?,
    };
    if rows.is_empty() {
        return Ok(vec!["SQLite says nothing of it, not even that it is whole".to_owned()]);
    }
    let mut faults = Vec::new();
    for row in rows {
        let said = row.text(0)?;
        if said != "ok" {
            faults.push(Shown(said).to_string());
        }
    }
    Ok(faults)
}
