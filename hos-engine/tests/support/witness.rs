//! Witnesses that sign whatever they are shown, and a policy that asks for some of them.

use super::Store;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Note, WitnessKey, cosignature};
use hos_core::proof::key::SealKey;
use hos_core::proof::trust::Trust;
use hos_engine::{Cosigned, Failure, Proof, Witnessing};
use std::cell::RefCell;

pub(crate) const NAMES: [&str; 3] = ["w0", "w1", "w2"];

fn key(i: usize) -> SealKey {
    SealKey::from_seed(&[100 + i as u8; 32])
}

fn name(i: usize) -> String {
    format!("witness.example/{i}")
}

/// Of three witnesses two are enough, for this tenant's log.
pub(crate) fn policy(store: &Store, tenant: &str) -> String {
    let log = store.engine.vkey(&Tenant::new(tenant).unwrap()).unwrap();
    let lines = (0..3).map(|i| format!("witness w{i} {}\n", WitnessKey::new(name(i), key(i).verify_key()).unwrap()));
    format!("log {log}\n{}group most 2 w0 w1 w2\nquorum most\n", lines.collect::<String>())
}

/// Who is there, and what they were asked.
pub(crate) struct Witnesses {
    pub(crate) trust: Trust,
    /// Those that answer.
    pub(crate) there: RefCell<Vec<usize>>,
    /// The origin and size of each note that was asked about.
    pub(crate) asked: RefCell<Vec<(String, u64)>>,
}

impl Witnesses {
    pub(crate) fn of(store: &Store, tenant: &str) -> Self {
        let trust = Trust::parse(policy(store, tenant).as_bytes()).unwrap();
        Self { trust, there: RefCell::new(vec![0, 1, 2]), asked: RefCell::default() }
    }

    fn sign(&self, note: &str, proof: &Proof<'_>) -> Result<String, Failure> {
        let text = Note::parse(note.as_bytes()).unwrap().text().to_owned();
        let mut lines = text.lines();
        let asked = (lines.next().unwrap().to_owned(), lines.next().unwrap().parse().unwrap());
        // A witness that is further on asks for a proof; from the whole size it is empty.
        assert!(proof(asked.1)?.is_empty());
        self.asked.borrow_mut().push(asked);
        let line = |i: &usize| cosignature(&name(*i), &key(*i), 1_700_000_000, &text).unwrap();
        let fresh = |line: &String| !note.contains(line.as_str());
        Ok(note.to_owned() + &self.there.borrow().iter().map(line).filter(fresh).collect::<String>())
    }

    /// What is asked of the engine, with these witnesses.
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&Witnessing<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        ask(&Witnessing { trust: &self.trust, ask: &|note, proof| self.sign(note, proof) })
    }

    pub(crate) fn whole(&self, store: &Store) -> Cosigned {
        self.with(|by| store.engine.cosigned(by)).unwrap()
    }
}
