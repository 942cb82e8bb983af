//! What a file says of its own form: the objects of its schema, and whether a table and its indexes hold the same rows.

use crate::store::{Statement, StoreError, Tx};
use hos_core::id::Shown;
use hos_core::refusal::Code;
use std::collections::BTreeSet;

/// Objects of a schema, each by its columns: kind, name, table, and text where it has one.
pub(crate) type Objects = BTreeSet<Vec<String>>;

/// What SQLite finds of a table and its indexes, a row each and a hundred at most; `ok` where it finds nothing.
const WHOLE: &str = "SELECT integrity_check FROM pragma_integrity_check(?1)";

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

/// The tables of these objects that are among those, by their names.
pub(crate) fn tables<'o>(of: &'o Objects, found: &'o Objects) -> impl Iterator<Item = &'o str> {
    let name = |object: &'o Vec<String>| match &object[..] {
        [kind, name, ..] if kind == "table" => Some(name.as_str()),
        _ => None,
    };
    of.iter().filter_map(name).filter(move |wanted| found.iter().filter_map(name).any(|found| found == *wanted))
}

/// What is wrong with a table of an SQLite file. Who edits the file past SQLite can have an index lead to another row than the table
/// holds, so that who looks for a row by its key is served what nobody meets who reads the table from front to back.
pub(crate) fn faults(tx: &Tx<'_>, table: &str) -> Result<Vec<String>, StoreError> {
    let rows = match tx.rows(&Statement::new(WHOLE, [table.into()])) {
        // Where the file's pages are no tree any more, SQLite stops looking.
        Err(error) if error.code == Code::StoreIntegrity => return Ok(vec![error.message]),
        rows => rows?,
    };
    let mut faults = Vec::new();
    for row in rows {
        let said = row.text(0)?;
        if said != "ok" {
            faults.push(Shown(said).to_string());
        }
    }
    Ok(faults)
}
