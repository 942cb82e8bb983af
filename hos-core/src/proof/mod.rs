//! The proof door: what happened, under which law. Bytes first; `spec/` is the standard, this is one implementation.

pub mod record;
