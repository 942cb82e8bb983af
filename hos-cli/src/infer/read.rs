//! A table of what happened, read row by row into a history.

use super::columns::{self, Columns, Said};
use super::table::{Row, Table};
use crate::usage::usage;
use hos_core::contract::infer::{Column, History, Move, Source};
use hos_engine::Failure;

/// A history that was read, and how.
pub(crate) struct Read {
    pub(crate) history: History,
    /// What the file is called.
    pub(crate) name: String,
    /// Use and name of each column, in the order of the uses.
    pub(crate) columns: Vec<(&'static str, String)>,
}

/// Reads a history row by row.
pub(crate) fn read(path: &str, said: &Said<'_>, contract: &str, file_order: bool) -> Result<Read, Failure> {
    of_table(Table::open(path)?, said, contract, file_order)
}

/// The same from an open table.
pub(super) fn of_table(mut table: Table, said: &Said<'_>, contract: &str, file_order: bool) -> Result<Read, Failure> {
    let columns = columns::columns(table.headers(), said, contract).map_err(|e| usage(format!("{}:1: {e}", table.name())))?;
    let mut history = History::new(file_order);
    while let Some(row) = table.next_row()? {
        let told = told(&row, &columns)?;
        history.add(&told).map_err(|refused| {
            let column = match refused.column {
                Column::Instance => columns.instance,
                Column::From => columns.from.unwrap_or(columns.to),
                Column::To => columns.to,
                Column::Event => columns.event.unwrap_or(columns.to),
                Column::Time => columns.time.unwrap_or(columns.to),
            };
            row.wrong(column, &refused.message)
        })?;
    }
    if history.rows() == 0 {
        return Err(usage(format!("{}: has no rows below its header", table.name())));
    }
    let uses = [
        ("instance", Some(columns.instance)),
        ("from", columns.from),
        ("to", Some(columns.to)),
        ("event", columns.event),
        ("time", columns.time),
    ];
    let header = |at: usize| table.headers().get(at).cloned().unwrap_or_default();
    let columns = uses.into_iter().filter_map(|(of, at)| at.map(|at| (of, header(at)))).collect();
    Ok(Read { history, name: table.name().to_owned(), columns })
}

fn told<'r>(row: &Row<'r>, columns: &Columns) -> Result<Move<'r>, Failure> {
    let from = match columns.from {
        None => Source::Unsaid,
        Some(at) => row.known(at)?.map_or(Source::Birth, Source::State),
    };
    let time = columns.time.map(|at| {
        let text = row.filled(at, "is empty: give the time, or leave the column out with --at -")?;
        super::instant::instant(text).map_err(|e| row.wrong(at, &e))
    });
    Ok(Move {
        instance: row.filled(columns.instance, "is empty: give the instance's id, or take the row out")?,
        from,
        to: row.filled(columns.to, "is empty: give the state that the row leads to, or take the row out")?,
        event: columns.event.map_or(Ok(None), |at| row.known(at))?,
        time: time.transpose()?,
        line: row.line,
    })
}
