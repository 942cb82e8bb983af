//! From a table of what happened to a proposed law: columns found, rows read, files and figures written. What a move looks like
//! is judged in `hos_core::contract::infer`.

mod columns;
mod instant;
mod law;
mod read;
mod report;
mod table;

pub(crate) use columns::Said;
pub(crate) use instant::written;
pub(crate) use law::{Title, compiled, write};
pub(crate) use read::{Read, read};
pub(crate) use report::{figures, text};
