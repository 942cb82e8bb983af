//! The one author of SQL: every statement that the engine says, and how rows become values. Now in SQLite's dialect; a
//! further dialect is a further text beside the same function.
//!
//! Every primary key begins with `tenant` and no foreign key crosses tenants, so that tables partition and shard as they are.

pub mod erase;
pub mod evidence;
pub mod law;
pub mod operation;
pub mod schema;
pub mod state;
pub mod witness;
