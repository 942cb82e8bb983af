//! An engine that judges in a host's transaction, as JavaScript holds it. It does no I/O: it says which statements to run and is
//! handed their rows, so that every round is done here and now.

use crate::handle::{Text, bytes};
use crate::told;
use hos_wire::{JoinedEngine, Served, Stepped};
use napi_derive::napi;

/// The class of a step that is not at its end.
const UNDER_WAY: &str = "step";

/// What judges in the transactions of one database.
#[napi]
pub struct Joined(JoinedEngine);

#[napi]
impl Joined {
    /// Opens by options in JSON. The law's directory is read, the database is not.
    #[napi(catch_unwind)]
    pub fn open(options: Text) -> napi::Result<Joined> {
        told::made(|| JoinedEngine::open(&bytes(options)).map(Joined))
    }

    /// One round. Gives `step` or the class of the end, a line feed, and JSON.
    #[napi(catch_unwind)]
    pub fn step(&self, operation: String, inside: Option<bool>, json: Text) -> String {
        told::guarded(|| {
            let Stepped { standing, json } = self.0.step(&operation, inside, &bytes(json));
            match standing {
                Some(standing) => told::served(Served { standing, json }),
                None => told::under_way(UNDER_WAY, json),
            }
        })
    }
}
