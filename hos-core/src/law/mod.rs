//! The law: a directory of files that compiles to an immutable [`Law`].

pub mod bundle;
pub mod mode;

pub use bundle::Law;
