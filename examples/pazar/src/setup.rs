//! Before the first event: the store, its tenants, and everybody who takes part. Each change is itself judged and recorded.
//!
//! May be stopped anywhere and begun again: what is there already is not done twice.

use crate::plan::{BATCH_MAX, OPERATOR, Plan, account, entity};
use crate::trouble::Trouble;
use hos_core::call::{By, Call, Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::{Record, Value};
use hos_engine::clock::SetClock;
use hos_engine::{Builder, Engine, Founding};
use std::collections::{BTreeSet, HashMap};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keeps the store to this run until the file that is given back is dropped: of two that replay into it at once, each would take
/// the other's notes for its own. The file, `<store>.replaying`, stays; it is its lock that counts, which ends with the process.
pub(crate) fn hold(store: &Path) -> Result<File, Trouble> {
    let path = beside(store, ".replaying");
    let cannot = |e: std::io::Error| Trouble::new(format!("{} cannot be made: {e}", path.display()));
    if let Some(parent) = store.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(cannot)?;
    }
    let held = File::create(&path).map_err(cannot)?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => {
            let store = store.display();
            Err(Trouble::new(format!("another pazar replays into {store}: wait for its end, or choose another --store")))
        }
        Err(TryLockError::Error(e)) => Err(cannot(e)),
    }
}

/// Opens the store, or founds it at the time of the first event.
///
/// While it is being founded a file `<store>.founding` lies beside it, locked. Who finds it without its owner finds a founding
/// that was stopped, and begins anew: nothing was ever recorded in such a store.
pub(crate) fn open(store: &Path, law: &Arc<Law>, plan: &Plan, clock: &Arc<SetClock>) -> Result<Engine, Trouble> {
    clock.set(Timestamp(plan.begins_at()));
    let builder = || Builder::default().law(law.clone()).sqlite(store).clock(clock.clone());
    let fresh = || std::fs::metadata(store).map_or(true, |m| m.len() == 0);
    let mark = beside(store, ".founding");
    if !fresh() && !mark.exists() {
        return Ok(builder().open()?);
    }
    let cannot = |e: std::io::Error| Trouble::new(format!("{} cannot be made: {e}", mark.display()));
    if let Some(parent) = store.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(cannot)?;
    }
    let marked = mark.exists();
    let held = std::fs::File::create(&mark).map_err(cannot)?;
    // Another process that founds it right now has the lock; when it is done, there is a store to open.
    held.lock().map_err(cannot)?;
    let engine = if fresh() { None } else { reopened(builder(), store, marked)? };
    let engine = match engine {
        Some(engine) => engine,
        None => builder().found(founding()?)?,
    };
    match std::fs::remove_file(&mark) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(cannot(e)),
        _ => Ok(engine),
    }
}

/// The store, if it was founded after all; what a stopped founding left is cleared away.
fn reopened(builder: Builder, store: &Path, marked: bool) -> Result<Option<Engine>, Trouble> {
    match builder.open() {
        Ok(engine) => Ok(Some(engine)),
        Err(failure) if marked && failure.code == Code::StoreUnavailable => {
            for ending in ["", "-wal", "-shm", "-lock", ".key", ".vault", ".vault-wal", ".vault-shm", ".vault-lock"] {
                let left = beside(store, ending);
                match std::fs::remove_file(&left) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Trouble::new(format!("{} cannot be removed: {e}", left.display())));
                    }
                    _ => {}
                }
            }
            Ok(None)
        }
        Err(failure) => Err(failure.into()),
    }
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn founding() -> Result<Founding, Trouble> {
    let role = entity("Role", "operator")?;
    let entity = |uid: Uid, attrs: Record, parents: BTreeSet<Uid>| Entity { uid, attrs, parents, record: None };
    Ok(Founding {
        founder: entity(account(OPERATOR)?, active(), BTreeSet::from([role.clone()])),
        roles: vec![entity(role, Record::new(), BTreeSet::new())],
    })
}

fn active() -> Record {
    Record::from([("active".to_owned(), Value::Bool(true))])
}

/// Opens the tenants and fills the directory; says now and then how much is done, of how much.
pub(crate) fn prepare(engine: &Engine, plan: &Plan, progress: &dyn Fn(u64, u64)) -> Result<(), Trouble> {
    let operator = account(OPERATOR)?;
    let by = By::new(operator.clone());
    let there = engine.tenants()?;
    for tenant in plan.cast.tenants.iter().filter(|t| !there.contains(t)) {
        let answer = engine.open_tenant(&by, tenant)?;
        if !answer.allowed {
            return Err(refused(&format!("the tenant `{tenant}` may not be opened"), &answer.blockers));
        }
    }
    for (tenant, changes) in missing(engine, plan)? {
        let total = changes.len() as u64;
        let mut done = 0;
        for some in changes.chunks(BATCH_MAX) {
            let calls =
                some.iter().map(|change| (tenant.clone(), Call::Directory(Directory::new(operator.clone(), change.clone()))));
            for (change, answer) in some.iter().zip(engine.batch(calls.collect())?) {
                let answer = answer?;
                if !answer.allowed {
                    return Err(refused(&format!("the directory of `{tenant}` refuses {change:?}"), &answer.blockers));
                }
            }
            done += some.len() as u64;
            progress(done, total);
        }
    }
    Ok(())
}

/// What is not there yet, in the order in which it can be done: accounts, then roles and shops, then who is in them.
fn missing(engine: &Engine, plan: &Plan) -> Result<Vec<(Tenant, Vec<Change>)>, Trouble> {
    let universe = Tenant::universe();
    let known = directory(engine, &universe)?;
    let mut accounts = Vec::new();
    for id in &plan.cast.accounts {
        let uid = account(id)?;
        if !known.contains_key(&uid) {
            accounts.push(Change::Put { uid, attrs: active() });
        }
    }
    let mut all = vec![(universe, accounts)];
    for (index, tenant) in plan.cast.tenants.iter().enumerate() {
        let known = directory(engine, tenant)?;
        let mut puts = BTreeSet::new();
        let mut joins = Vec::new();
        for (_, role, member) in plan.cast.members.iter().filter(|(t, ..)| *t == index) {
            let (uid, parent) = (account(member)?, entity("Role", role)?);
            if !known.contains_key(&parent) {
                puts.insert((parent.clone(), false));
            }
            if !known.get(&uid).is_some_and(|parents| parents.contains(&parent)) {
                joins.push(Change::Join { uid, parent });
            }
        }
        for (_, shop) in plan.cast.shops.iter().filter(|(t, _)| *t == index) {
            let uid = entity("Shop", shop)?;
            if !known.contains_key(&uid) {
                puts.insert((uid, true));
            }
        }
        let puts = puts.into_iter().map(|(uid, shop)| Change::Put { uid, attrs: if shop { active() } else { Record::new() } });
        all.push((tenant.clone(), puts.collect()));
        all.push((tenant.clone(), joins));
    }
    Ok(all)
}

/// Who is there, and in what.
fn directory(engine: &Engine, tenant: &Tenant) -> Result<HashMap<Uid, BTreeSet<Uid>>, Trouble> {
    let (entities, _) = engine.tenant(tenant.as_str())?.directory_entities()?;
    let mut known: HashMap<Uid, BTreeSet<Uid>> = HashMap::new();
    for entity in entities {
        known.entry(entity.uid).or_default().extend(entity.parents);
    }
    Ok(known)
}

fn refused(what: &str, blockers: &[hos_core::refusal::Blocker]) -> Trouble {
    let why: Vec<_> = blockers.iter().map(ToString::to_string).collect();
    Trouble::new(format!("{what}: {}", why.join("; ")))
}
