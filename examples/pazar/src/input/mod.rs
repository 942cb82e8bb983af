//! What comes in: public files, read liberally in their headers and strictly in their values, whole, before anything is
//! written.

mod number;
mod sniff;
mod table;
#[cfg(test)]
mod tests;

pub(crate) mod hotel;
pub(crate) mod names;
pub(crate) mod retail;

pub(crate) use sniff::{Text, read};

use hos_core::id::Shown;
use std::fmt;

/// A file that cannot be replayed, with the place where it says so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InputError {
    /// The file's name, as it was given.
    pub(crate) file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub(crate) line: u64,
    /// The column's name in this file; empty where the line as a whole is meant.
    pub(crate) column: String,
    /// What is wrong.
    pub(crate) what: String,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown(&self.file))?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if !self.column.is_empty() {
            write!(f, ", column `{}`", Shown(&self.column))?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for InputError {}
