//! The entities that facts name and the directory does not hold, as the world has them.

use super::Given;
use super::adopt::{Adoption, Read};
use super::cells::{as_words, no_words, typed_column};
use super::key::twice;
use super::words::{as_bytes, as_id, as_text, name};
use hos_core::id::{Shown, Uid};
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::sql::dialect::Dialect;

/// How many entities are kept, so that each is not read for each row that names it.
const KEPT_MAX: usize = 10_000;

impl Adoption<'_> {
    /// The entities that values name; or which row of the world's is none.
    pub(super) fn brought<'v>(
        &mut self,
        values: impl Iterator<Item = &'v Value>,
    ) -> Result<Result<Vec<Entity>, String>, Failure> {
        let mut brought: Vec<Entity> = Vec::new();
        for value in values {
            let Value::Entity(uid) = value else { continue };
            match self.given_entity(uid)? {
                Ok(Some(entity)) if brought.iter().all(|known| known.uid != entity.uid) => brought.push(entity),
                Ok(_) => {}
                Err(why) => return Ok(Err(why)),
            }
        }
        // What a dry run put is in what it put.
        let mut at = 0;
        while let Some(entity) = brought.get(at) {
            let parents = entity.parents.iter().filter_map(|parent| self.put.get(parent));
            let fresh = parents.filter(|parent| brought.iter().all(|known| known.uid != parent.uid));
            let fresh: Vec<Entity> = fresh.cloned().collect();
            brought.extend(fresh);
            at += 1;
        }
        Ok(Ok(brought))
    }

    fn given_entity(&mut self, uid: &Uid) -> Result<Read, Failure> {
        // What a dry run put into the directory is not there any more.
        if let Some(put) = self.put.get(uid) {
            return Ok(Ok(Some(put.clone())));
        }
        if let Some(known) = self.given.get(uid) {
            return Ok(known.clone());
        }
        let world = self.world;
        let short = uid.type_name().rsplit("::").next().unwrap_or_default();
        let of = world.given.iter().find(|given| given.entity == short || given.entity == uid.type_name());
        let read = match of {
            Some(given) => self.read_entity(given, uid)?,
            None => Ok(None),
        };
        if self.given.len() >= KEPT_MAX {
            self.given.clear();
        }
        self.given.insert(uid.clone(), read.clone());
        Ok(read)
    }

    fn read_entity(&mut self, given: &Given, uid: &Uid) -> Result<Read, Failure> {
        let d = self.dialect;
        let columns: Vec<String> = given.attrs.values().map(|a| as_bytes(d, &name(d, &a.column))).collect();
        let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
        // By its bytes in MySQL, whose collations pass over blanks at the end; elsewhere as a text too: PostgreSQL's index serves.
        let (column, place) = (name(d, &given.id), self.place(1));
        let id = match d {
            Dialect::Mysql => format!("{} = {place}", as_id(d, &column)),
            Dialect::Sqlite => format!("{} = {place}", as_text(d, &column)),
            Dialect::Postgres => {
                format!("{} = {place} AND {} = {}", as_text(d, &column), as_id(d, &column), as_id(d, &place))
            }
        };
        let sql = format!("SELECT DISTINCT {columns} FROM {} WHERE {id} LIMIT 2", name(d, &given.table));
        let mut found = self.read(&sql, &[&Sql::Text(uid.id().to_owned())])?;
        let Some(row) = found.pop() else { return Ok(Ok(None)) };
        if !found.is_empty() {
            let (table, row) = (&given.table, Shown(uid.id()));
            return Ok(Err(format!("the table `{table}`, row `{row}`: {}, with attributes that differ", twice(2))));
        }
        if let Some(why) = no_words(&row, given.attrs.values().map(|a| a.column.as_str())) {
            return Ok(Err(format!("the table `{}`, row `{}`: {why}", given.table, Shown(uid.id()))));
        }
        let mut attrs = Record::new();
        for ((attr, of), cell) in given.attrs.iter().zip(row) {
            let Some(word) = as_words(cell) else { continue };
            match typed_column(attr, &of.ty.declared(), &word, self.law) {
                Ok(value) => {
                    attrs.insert(attr.clone(), value);
                }
                Err(failure) => {
                    let (table, row, column) = (&given.table, Shown(uid.id()), &of.column);
                    return Ok(Err(format!("the table `{table}`, row `{row}`, column `{column}`: {}", failure.message)));
                }
            }
        }
        Ok(Ok(Some(Entity { uid: uid.clone(), attrs, parents: Default::default(), record: None })))
    }
}
