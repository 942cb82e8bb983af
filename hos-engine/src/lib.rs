//! The engine: stores, clock, keys, the transaction, sealing.

pub mod store;
