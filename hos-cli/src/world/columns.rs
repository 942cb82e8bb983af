//! The tables and columns that the file names, looked for in the database before anything is done: a word that is mistyped far down
//! the file is told at once, and not when half of the world is taken in.

use super::adopt::Adoption;
use super::logs::Of;
use super::words::name;
use super::{Given, World};
use crate::usage::usage;
use hos_core::id::Shown;
use hos_engine::Failure;
use hos_engine::store::server::{Connection, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use std::ops::ControlFlow;

impl World {
    /// Each table that is named, with its columns.
    fn places(&self) -> Vec<(&str, Vec<&str>)> {
        let mut places: Vec<(&str, Vec<&String>)> = Vec::new();
        for people in &self.people {
            let attrs = people.attrs.values().map(|attr| &attr.column);
            places.push((&people.table, [&people.id].into_iter().chain(attrs).collect()));
        }
        for memberships in &self.memberships {
            places.push((&memberships.table, vec![&memberships.member.column, &memberships.of.column]));
        }
        for rows in &self.rows {
            places.push((&rows.table, [&rows.id, &rows.state].into_iter().chain(rows.facts.values()).collect()));
        }
        for logs in &self.logs {
            let needed = [&logs.id, &logs.key, &logs.at, &logs.to].into_iter();
            let besides = [&logs.from, &logs.event, &logs.actor, &logs.detail].into_iter().flatten();
            let of = if let Of::Column(of) = &logs.contract { Some(&of.column) } else { None };
            places.push((&logs.table, needed.chain(besides).chain(of).collect()));
        }
        for Given { table, id, attrs, .. } in &self.given {
            places.push((table, [id].into_iter().chain(attrs.values().map(|attr| &attr.column)).collect()));
        }
        places.into_iter().map(|(table, columns)| (table, columns.into_iter().map(String::as_str).collect())).collect()
    }
}

impl Adoption<'_> {
    /// Asks each table for no row of its columns.
    pub(crate) fn look(&mut self) -> Result<(), Failure> {
        look(&mut *self.connection, self.dialect, self.world.places())
    }
}

/// Asks each table whose rows are instances for no row of its columns.
pub(crate) fn look_at_rows(connection: &mut dyn Connection, dialect: Dialect, world: &World) -> Result<(), Failure> {
    let rows =
        World { rows: world.rows.clone(), people: vec![], memberships: vec![], logs: vec![], given: vec![], ..world.clone() };
    look(connection, dialect, rows.places())
}

fn look(connection: &mut dyn Connection, d: Dialect, places: Vec<(&str, Vec<&str>)>) -> Result<(), Failure> {
    for (table, columns) in places {
        let columns: Vec<String> = columns.iter().map(|column| format!("w.{}", name(d, column))).collect();
        let sql = format!("SELECT {} FROM {} w WHERE 1 = 0", columns.join(", "), name(d, table));
        let asked = connection.query(&sql, &[], &mut |_| ControlFlow::Continue(()));
        asked.map_err(|e| match e.trouble {
            Trouble::Missing => usage(format!("the table `{table}` is not as the file says: {}", Shown(&e.message))),
            _ => Failure::from(e.into_store("the world's rows cannot be read")),
        })?;
    }
    Ok(())
}
