//! The model's words and the engine's, each in the other's. Shared by the tests that hold both together.

use hos_core::call::{Begin, Call, Change, Directory, Note, Transition};
use hos_core::id::{OnceKey, Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use hos_engine::{Answer, Founding};
use hos_testkit::model::{self, ACCOUNTS, Field, Operation, ROLES, Said};
use std::collections::BTreeMap;

pub(crate) fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("Kit::{kind}"), id).unwrap()
}

pub(crate) fn account(id: &str) -> Uid {
    uid("Account", id)
}

fn value(field: &Field) -> Value {
    match field {
        Field::Bool(v) => Value::Bool(*v),
        Field::Long(v) => Value::Long(*v),
        Field::Account(id) => Value::Entity(account(id)),
        Field::Instant(ms) => Value::Ext(Ext::Datetime, Timestamp(*ms).to_string()),
    }
}

fn record(fields: &BTreeMap<&'static str, Field>) -> Record {
    fields.iter().map(|(name, field)| ((*name).to_owned(), value(field))).collect()
}

/// The attributes of an account that is active.
pub(crate) fn active() -> Record {
    Record::from([("active".to_owned(), Value::Bool(true))])
}

/// The founding of a store as the model takes it for granted: the first account its operator.
pub(crate) fn founding() -> Founding {
    let entity = |uid: Uid, attrs: Record, parents: &[Uid]| Entity {
        uid,
        attrs,
        parents: parents.iter().cloned().collect(),
        record: None,
    };
    Founding {
        founder: entity(account(ACCOUNTS[0]), active(), &[uid("Role", "operator")]),
        roles: ROLES.iter().map(|role| entity(uid("Role", role), Record::new(), &[])).collect(),
    }
}

/// The model's call in the engine's words.
pub(crate) fn call(given: &model::Call) -> (Tenant, Call) {
    let once = given.once.map(|key| OnceKey::new(key).unwrap());
    let directory = |by: &str, change| Call::Directory(Directory { once: once.clone(), ..Directory::new(account(by), change) });
    let call = match &given.operation {
        Operation::Begin { by, contract, id, event, facts } => {
            let mut begin = Begin::new(account(by), contract.name(), id, event).unwrap();
            begin.facts = record(facts);
            begin.once = once.clone();
            Call::Begin(begin)
        }
        Operation::Move { by, contract, id, event, args, reason } => {
            let mut moved = Transition::new(account(by), contract.name(), id, event).unwrap();
            moved.args = record(args);
            moved.once = once.clone();
            moved.reason = reason.then(|| "because".to_owned());
            Call::Transition(moved)
        }
        Operation::Account { by, account: whose, active } => {
            let attrs = Record::from([("active".to_owned(), Value::Bool(*active))]);
            directory(by, Change::Put { uid: account(whose), attrs })
        }
        Operation::Join { by, account: whom, role } => {
            directory(by, Change::Join { uid: account(whom), parent: uid("Role", role) })
        }
        Operation::Note { by, stream, payload } => {
            let mut note = Note::new(account(by), stream, vec![*payload]).unwrap();
            note.once = once.clone();
            Call::Note(note)
        }
        Operation::Leave { by, account: whom, role } => {
            directory(by, Change::Leave { uid: account(whom), parent: uid("Role", role) })
        }
    };
    (Tenant::new(given.tenant).unwrap(), call)
}

/// The engine's answer in the model's words.
pub(crate) fn said(answer: &Answer) -> Said {
    let known = ["new", "paid", "shipped", "done", "cancelled", "expired", "requested", "confirmed", "inside", "left", "missed"];
    let to = answer.to.as_ref().map(|to| known.into_iter().find(|k| *k == to.as_str()).unwrap_or("a state of no contract"));
    Said {
        allowed: answer.allowed,
        codes: answer.blockers.iter().map(|b| b.code.to_string()).collect(),
        again: answer.again,
        to,
        fired: answer.fired.len(),
    }
}
