//! The one author of SQL: every statement that the engine says, and how rows become values. Written in words that SQLite takes;
//! [`dialect`] says them in those of PostgreSQL and MySQL.
//!
//! Every primary key begins with `tenant` and no foreign key crosses tenants, so that tables partition and shard as they are.

pub mod claim;
pub mod dialect;
pub mod erase;
pub mod evidence;
pub mod inbox;
pub mod law;
pub(super) mod literal;
pub mod operation;
pub mod schema;
pub mod state;
pub mod vault;
pub mod witness;
