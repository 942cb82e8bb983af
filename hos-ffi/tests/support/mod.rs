//! A small store to call: lamps, whose owners switch them on and off.

use hos_core::call::By;
use hos_core::id::{Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Engine, Founding, load_law};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Makes a store at this path: the tenant `lamps`, whose founder is `S::Account::"ayse"`.
pub(crate) fn found(path: &Path) {
    let law = load_law(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/law")).expect("a law");
    let role = Uid::new("S::Role", "operator").unwrap();
    let ayse = Uid::new("S::Account", "ayse").unwrap();
    let entity = |uid: Uid, attrs: Record, parents: BTreeSet<Uid>| Entity { uid, attrs, parents, record: None };
    let founder = entity(ayse.clone(), Record::from([("active".to_owned(), Value::Bool(true))]), [role.clone()].into());
    let founding = Founding { founder, roles: vec![entity(role, Record::new(), BTreeSet::new())] };
    let engine = Engine::builder().law(Arc::new(law)).sqlite(path).found(founding).unwrap();
    assert!(engine.open_tenant(&By::new(ayse), &Tenant::new("lamps").unwrap()).unwrap().allowed);
    engine.close().unwrap();
}
