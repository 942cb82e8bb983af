//! The proof door: what happened, under which law. Bytes first; `spec/` is the standard, this is one implementation.
//!
//! A *record* is a header and its parts: [`record`] says what they are, [`header`] and [`stored`] how they become bytes,
//! [`part`] what seals them.
//! Sealing gives a record its place: [`chain`] says what may follow what, [`tree`] proves one entry or growth without the
//! log, [`checkpoint`] says who vouches, under a key of [`key`]. A [`receipt`] is what a caller keeps. [`verify`] recomputes
//! all of it.

mod armor;
pub mod bundle;
pub mod chain;
pub mod checkpoint;
pub mod epoch;
pub mod erasure;
pub mod examine;
pub mod fork;
pub mod format;
pub mod header;
pub mod heads;
pub mod key;
pub mod keyring;
pub mod part;
pub mod receipt;
pub mod record;
pub mod report;
pub mod roots;
pub mod stored;
pub mod tiles;
pub mod tlog_proof;
pub mod tree;
pub mod trust;
pub mod verify;
pub mod view;
pub mod witness;
