//! A step of a schema.

/// One step of a schema. Its number is its place in the list, counted from 1; a step that was released is never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// A short name, kept in the file.
    pub name: &'static str,
    /// One or more statements. They run in one transaction with all other steps that are due.
    pub sql: &'static str,
}
