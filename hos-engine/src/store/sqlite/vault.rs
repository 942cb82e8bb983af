//! The vault: one encryption key for each data subject, in a file of its own.
//!
//! Erasing a person destroys a key. So keys lie apart from the records, in `<store>.vault`, whose backups are kept for a
//! short time only: a backup of the vault brings every key back that it holds.
//!
//! A destroyed key leaves a row without a key (a tombstone), so that no later writer makes a new one. Its bytes are
//! overwritten, the write-ahead log is emptied, and then the file is searched for them: "destroyed" is said only when they
//! are not found. What a disk, a file system with copies of its own, or a swap file keeps is beyond this.
//!
//! Keys that were read are kept in memory. Another process that destroys one changes a number in the lock file first (to
//! odd) and again when it is done (to even); whoever finds another number, or an odd one, reads the file again.

mod known;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, TryLockError};

use hos_core::id::KeyId;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use zeroize::{Zeroize, Zeroizing};

use self::known::Known;
use super::connection::run;
use super::db::Desk;
use super::error::from_sqlite;
use super::session::Session;
use super::{Migration, OpenOptions, Progress, Runner, SecureDelete, SqliteStore, objects};
use crate::store::form::{self, Form};
use crate::store::{Row, Sql, Statement, StoreError, Tx};

/// `HOSV` in the file's header.
const APPLICATION_ID: i32 = 0x484f_5356;

/// Rows are only ever appended and made shorter: so no row is moved to another page, and no copy of a key stays behind.
const SCHEMA: &[Migration] = &[Migration {
    name: "vault",
    sql: "CREATE TABLE hos_vault (
              n INTEGER PRIMARY KEY,
              tenant TEXT NOT NULL,
              subject BLOB NOT NULL,
              key_id BLOB,
              key BLOB,
              created INTEGER NOT NULL,
              destroyed INTEGER
          ) STRICT;
          CREATE UNIQUE INDEX hos_vault_subject ON hos_vault (tenant, subject);
          CREATE UNIQUE INDEX hos_vault_key_id ON hos_vault (tenant, key_id);",
}];

/// All that the file holds: there is nothing in it but keys, and nothing that works by itself, such as a trigger that keeps what is
/// destroyed.
const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL";

/// Keys are the universe's: a person is one in all tenants.
const TENANT: &str = "universe";

const BY_SUBJECT: &str = "SELECT key_id, key, destroyed FROM hos_vault WHERE tenant = ?1 AND subject = ?2";
const BY_ID: &str = "SELECT key_id, key, destroyed FROM hos_vault WHERE tenant = ?1 AND key_id = ?2";
const SUBJECT_OF: &str = "SELECT subject FROM hos_vault WHERE tenant = ?1 AND key_id = ?2 AND key IS NOT NULL";
const DESTROYED: &str = "SELECT key_id FROM hos_vault WHERE tenant = ?1 AND key IS NULL AND key_id IS NOT NULL ORDER BY key_id";
const INSERT: &str = "INSERT INTO hos_vault (tenant, subject, key_id, key, created) VALUES (?1, ?2, ?3, ?4, ?5)
                      ON CONFLICT (tenant, subject) DO NOTHING";
const DESTROY: &str = "UPDATE hos_vault SET key = NULL, destroyed = ?3 WHERE tenant = ?1 AND subject = ?2";
const ENTOMB: &str = "INSERT INTO hos_vault (tenant, subject, created, destroyed) VALUES (?1, ?2, ?3, ?3)";

/// A key's 32 bytes: zeroized when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A subject's key as the vault has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKey {
    /// The key's id, as it stands beside what it encrypts. All zero when the subject was erased before it ever had a key.
    pub id: KeyId,
    /// The key; `None` once it is destroyed.
    pub key: Option<SecretKey>,
}

/// A key to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The data subject: a keyed hash of who it is, made by the caller. The vault holds no names.
    pub subject: [u8; 32],
    /// 16 random bytes.
    pub id: KeyId,
    /// 32 random bytes.
    pub key: SecretKey,
    /// When it was made, as the caller claims.
    pub created: Timestamp,
}

/// What [`Vault::look`] saw: the number in the lock file, if it says that nobody destroys a key just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look(Option<u64>);

/// The vault of one store. Shared by all threads; any number of processes.
pub struct Vault {
    store: SqliteStore<Inserter>,
    known: Mutex<Known>,
}

impl Vault {
    /// The vault's path beside a store.
    pub fn path_beside(store: &Path) -> PathBuf {
        let mut name = store.as_os_str().to_owned();
        name.push(".vault");
        PathBuf::from(name)
    }

    /// Opens the vault at this path; with `create`, makes it (mode 0600) if there is none.
    pub fn open(path: impl AsRef<Path>, create: bool) -> Result<Self, StoreError> {
        Self::open_with(path, Self::options().create(create))
    }

    /// A vault's options, to be changed where that is needed.
    pub fn options() -> OpenOptions {
        OpenOptions { secure_delete: SecureDelete::On, ..OpenOptions::new(APPLICATION_ID, SCHEMA) }
    }

    /// Opens with options made from [`Vault::options`].
    pub fn open_with(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self, StoreError> {
        let read_only = options.read_only;
        let vault = Self { store: SqliteStore::open(path, options)?, known: Mutex::new(Known::default()) };
        if !read_only {
            let (odd, left) = vault.store.alone(change)?;
            // What cannot be wiped now is no reason to stay closed: the number stays odd, and nobody relies on memory.
            if !left || vault.rebuild().is_ok() {
                vault.store.alone(|desk| settle(desk, odd))?;
            }
        }
        Ok(vault)
    }

    /// Whether bytes of destroyed keys may still lie in a file: one who destroyed them crashed, was kept waiting by a long read, or is
    /// at it just now.
    pub fn is_left(&self) -> Result<bool, StoreError> {
        Ok(self.store.life()?.db.stamp()?.is_some_and(|stamp| stamp % 2 == 1))
    }

    /// Wipes what somebody else left. [`Code::StoreBusy`] where a read elsewhere still keeps it.
    pub fn tidy(&self) -> Result<(), StoreError> {
        if self.is_left()? {
            let (odd, _) = self.store.alone(change)?;
            self.rebuild()?;
            self.store.alone(|desk| settle(desk, odd))?;
        }
        Ok(())
    }

    /// Looks whether what is remembered is still true; good for a short while, such as one shared commit, and for any number
    /// of keys.
    pub fn look(&self) -> Result<Look, StoreError> {
        Ok(Look(self.store.life()?.db.stamp()?.filter(|stamp| stamp % 2 == 0)))
    }

    /// The key of a subject: `None` if it never had one, a [`VaultKey`] without a key if that was destroyed.
    pub fn get_by_subject(&self, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        self.get_by_subject_at(self.look()?, subject)
    }

    /// The same as the file has it, whatever is remembered.
    pub(crate) fn in_file(&self, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        self.get_by_subject_at(Look(None), subject)
    }

    /// The same, after a look.
    pub fn get_by_subject_at(&self, look: Look, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        self.get(
            look,
            |known| known.by_subject.get(subject),
            BY_SUBJECT,
            subject,
            |known, key| known.by_subject.put(*subject, key),
        )
    }

    /// The key with this id; `None` if the vault never had it.
    pub fn get_by_id(&self, id: KeyId) -> Result<Option<VaultKey>, StoreError> {
        self.get_by_id_at(self.look()?, id)
    }

    /// The same, after a look.
    pub fn get_by_id_at(&self, look: Look, id: KeyId) -> Result<Option<VaultKey>, StoreError> {
        self.get(look, |known| known.by_id.get(&id.0), BY_ID, &id.0, |known, key| known.by_id.put(id.0, key))
    }

    /// Keeps these keys, in one commit, durable when this returns. A subject that has a key already keeps it, also when
    /// another process was faster: the answer is, for each in order, the key now in force, without a key if it was
    /// destroyed.
    pub fn insert(&self, keys: &[NewKey]) -> Result<Vec<VaultKey>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.store.submit(&Inserter, keys.to_vec())
    }

    /// Destroys the key of a subject for good, and keeps the subject from ever getting another. True if there was a key to
    /// destroy; false if there was none, or it was destroyed before.
    ///
    /// # Errors
    ///
    /// [`Code::StoreBusy`]: the key is destroyed, but a read that goes on elsewhere still keeps its bytes in the write-ahead
    /// log. Call again: it is then only wiped.
    pub fn destroy(&self, subject: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        // An error leaves the odd number: then nobody relies on memory, and who finds it so wipes the files.
        let (found, odd, left) = self.store.alone(|desk| {
            let (odd, left) = change(desk)?;
            Ok((destroy_row(desk, subject, at)?, odd, left))
        })?;
        self.wipe()?;
        let found = found.map(|found| found.key);
        // One that was destroyed before may be of somebody who crashed before the file was searched; its bytes are not known now.
        let is_unknown = left || found == Some(None);
        let key = found.flatten();
        let holds = || key.as_ref().map_or(Ok(false), |key| self.file_holds(key));
        if is_unknown || holds()? {
            self.rebuild()?;
        }
        if holds()? {
            return Err(StoreError::integrity("a destroyed key is still found in the vault's file"));
        }
        self.store.alone(|desk| settle(desk, odd))?;
        Ok(key.is_some())
    }

    /// Destroys the key with this id, whosever it is; false if the vault never had it, or it was destroyed before.
    pub fn destroy_by_id(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        let asked = Statement::new(SUBJECT_OF, [TENANT.into(), (&id.0).into()]);
        let found = self.store.read(|tx| tx.row(&asked)?.map(|row| row.bytes::<32>(0)).transpose())?;
        match found {
            Some(subject) => self.destroy(&subject, at),
            None => Ok(false),
        }
    }

    /// What is wrong with the file: what its schema has beside ours or lacks of it, and where a table and its indexes hold different rows.
    pub(crate) fn faults(&self) -> Result<Vec<(String, String)>, StoreError> {
        let ours = ours()?;
        self.store.read(|tx| {
            let found = form::objects(tx, OBJECTS, 4)?;
            let strange = form::differences(&found, &ours.objects).into_iter();
            let mut faults: Vec<(String, String)> = strange.map(|(at, what)| (at, what.to_owned())).collect();
            faults.extend(ours.faults(tx, &found)?);
            Ok(faults)
        })
    }

    /// Sees that nothing in the file could keep a key that is destroyed.
    ///
    /// # Errors
    ///
    /// [`Code::StoreIntegrity`]: the file's schema is not ours.
    pub(crate) fn sound(&self) -> Result<(), StoreError> {
        self.store.read(sound)
    }

    /// The ids of all keys that were destroyed.
    pub fn destroyed(&self) -> Result<Vec<KeyId>, StoreError> {
        self.store.read(|tx| {
            let rows = tx.rows(&Statement::new(DESTROYED, [TENANT.into()]))?;
            rows.iter().map(|row| row.bytes::<16>(0).map(KeyId)).collect()
        })
    }

    /// Leaves the file for good, with the store that it is of.
    pub(crate) fn leave(&self) -> Result<(), StoreError> {
        self.store.leave()
    }

    /// Copies the vault. See [`SqliteStore::backup`]; the copy holds every key, so keep it for a short time only.
    pub fn backup(
        &self,
        target: impl AsRef<Path>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
        verify: &dyn Fn(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.backup(target, progress, verify)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    fn get(
        &self,
        // The number comes before the row: a key destroyed in between is kept under a number that is no longer the present.
        Look(stamp): Look,
        recall: impl FnOnce(&mut Known) -> Option<VaultKey>,
        sql: &'static str,
        by: &[u8],
        keep: impl FnOnce(&mut Known, VaultKey),
    ) -> Result<Option<VaultKey>, StoreError> {
        if let Some(stamp) = stamp
            && let Some(key) = self.with_known(stamp, recall).flatten()
        {
            return Ok(Some(key));
        }
        let found = self.store.read(|tx| match tx.row(&Statement::new(sql, [TENANT.into(), by.into()]))? {
            Some(mut row) => key_of(&mut row).map(Some),
            None => Ok(None),
        })?;
        if let (Some(stamp), Some(key)) = (stamp, &found) {
            self.with_known(stamp, |known| keep(known, key.clone()));
        }
        Ok(found)
    }

    /// Uses the memory, if nobody else is at it. Never waits: in a forked child the mutex may be locked for ever.
    fn with_known<T>(&self, stamp: u64, work: impl FnOnce(&mut Known) -> T) -> Option<T> {
        for _ in 0..32 {
            let mut known = match self.known.try_lock() {
                Ok(known) => known,
                Err(TryLockError::Poisoned(known)) => known.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    std::thread::yield_now();
                    continue;
                }
            };
            if known.stamp != stamp {
                *known = Known { stamp, ..Known::default() };
            }
            return Some(work(&mut known));
        }
        None
    }

    /// Moves everything from the write-ahead log into the file, and cuts the log to nothing.
    fn wipe(&self) -> Result<(), StoreError> {
        let busy = self.store.alone(|desk| {
            desk.conn
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
                .map_err(|e| from_sqlite(e, "cannot empty the vault's write-ahead log"))
        })?;
        if busy == 0 {
            return Ok(());
        }
        let message = "the key is destroyed, but a read elsewhere keeps its bytes in the vault's write-ahead log; destroy again";
        Err(StoreError::new(Code::StoreBusy, message))
    }

    /// A page that was once split or merged may hold a copy of a row; a rebuilt file holds rows only.
    fn rebuild(&self) -> Result<(), StoreError> {
        self.store.alone(|desk| run(desk.conn, "VACUUM").map_err(|e| from_sqlite(e, "cannot rebuild the vault")))?;
        self.wipe()
    }

    fn file_holds(&self, key: &SecretKey) -> Result<bool, StoreError> {
        self.store.life()?.db.any_block(|block| holds(block, key.bytes()))
    }
}

/// The schema that the file's one step makes: made once in a process.
fn ours() -> Result<&'static Form, StoreError> {
    static MADE: OnceLock<Form> = OnceLock::new();
    match MADE.get() {
        Some(made) => Ok(made),
        None => {
            let made = Form::new(objects(SCHEMA, OBJECTS)?);
            Ok(MADE.get_or_init(|| made))
        }
    }
}

fn sound(tx: &Tx<'_>) -> Result<(), StoreError> {
    match form::differences(&form::objects(tx, OBJECTS, 4)?, &ours()?.objects).first() {
        None => Ok(()),
        Some((at, what)) => {
            let why = "no key is destroyed while it may be kept by something else";
            Err(StoreError::integrity(format!("the vault's file, {at}: {what}; {why}")))
        }
    }
}

fn holds(block: &[u8], key: &[u8; 32]) -> bool {
    let first = key[0];
    block.windows(key.len()).any(|window| window.first() == Some(&first) && window == key)
}

/// Makes the number in the lock file another odd one; says which, and whether it was odd before.
fn change(desk: &mut Desk<'_>) -> Result<(u64, bool), StoreError> {
    let now = desk.lock.stamp()?.unwrap_or(0);
    let left = now % 2 == 1;
    // INVARIANT: who is still at it finds another number than its own, and leaves it odd.
    let odd = if left { now.wrapping_add(2) } else { now | 1 };
    desk.lock.set_stamp(odd)?;
    Ok((odd, left))
}

/// Makes it even, unless somebody else has begun meanwhile: who begins behind another wipes what both leave.
fn settle(desk: &Desk<'_>, odd: u64) -> Result<(), StoreError> {
    if desk.lock.stamp()? == Some(odd) {
        desk.lock.set_stamp(odd.wrapping_add(1))?;
    }
    Ok(())
}

/// Commit point: COMMIT. A crash before it leaves the key in force; after it, the key is gone for every reader, though its
/// bytes lie in the log until that is wiped, which the next call of `destroy` does.
///
/// Answers what was there before; a subject without a key gets a tombstone.
fn destroy_row(desk: &Desk<'_>, subject: &[u8; 32], at: Timestamp) -> Result<Option<VaultKey>, StoreError> {
    run(desk.conn, "BEGIN IMMEDIATE").map_err(|e| from_sqlite(e, "cannot begin"))?;
    let work = || {
        let session = Session::new(desk.conn);
        let tx = Tx::of(&session);
        sound(&tx)?;
        let found = match tx.row(&Statement::new(BY_SUBJECT, [TENANT.into(), subject.into()]))? {
            Some(mut row) => Some(key_of(&mut row)?),
            None => None,
        };
        match &found {
            Some(VaultKey { key: Some(_), .. }) => {
                tx.execute(&Statement::new(DESTROY, [TENANT.into(), subject.into(), at.0.into()]))?;
            }
            Some(VaultKey { key: None, .. }) => {}
            None => {
                tx.execute(&Statement::new(ENTOMB, [TENANT.into(), subject.into(), at.0.into()]))?;
            }
        }
        Ok(found)
    };
    match work() {
        Ok(found) => desk.commit().map(|()| found),
        Err(error) => {
            desk.abandon();
            Err(error)
        }
    }
}

/// A key's bytes out of a row, which keeps none.
pub(crate) fn key_bytes(row: &mut Row, column: usize) -> Result<[u8; 32], StoreError> {
    let key = row.bytes::<32>(column)?;
    row.take_blob(column)?.zeroize();
    Ok(key)
}

/// A vault's row as a key: key_id, key, destroyed.
pub(crate) fn key_of(row: &mut Row) -> Result<VaultKey, StoreError> {
    let id = KeyId(row.opt_bytes::<16>(0)?.unwrap_or_default());
    if row.opt_int(2)?.is_some() {
        return if row.is_null(1)? {
            Ok(VaultKey { id, key: None })
        } else {
            Err(row.fault(1, "is there though it was destroyed"))
        };
    }
    if row.is_null(0)? {
        return Err(row.fault(0, "is null though the key was not destroyed"));
    }
    let key = SecretKey::new(key_bytes(row, 1)?);
    Ok(VaultKey { id, key: Some(key) })
}

/// Inserts keys; callers share commits.
struct Inserter;

impl Runner for Inserter {
    type Job = Vec<NewKey>;
    type Answer = Vec<VaultKey>;
    type Group = ();
    type Mark = ();
    type Ahead = ();

    fn start(&self, _tx: &Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn mark(&self, _group: &()) {}

    fn rewind(&self, _group: &mut (), _mark: ()) {}

    fn run(&self, tx: &Tx<'_>, _group: &mut (), keys: Vec<NewKey>) -> Result<Vec<VaultKey>, StoreError> {
        keys.iter().map(|key| insert_one(tx, key)).collect()
    }

    fn finish(
        &self,
        _tx: &Tx<'_>,
        _group: &mut (),
        _answers: &mut [Result<Vec<VaultKey>, StoreError>],
    ) -> Result<(), StoreError> {
        Ok(())
    }

    fn committed(&self, _group: (), _answers: &mut [Result<Vec<VaultKey>, StoreError>]) {}

    fn undone(&self, _group: ()) {}
}

fn insert_one(tx: &Tx<'_>, key: &NewKey) -> Result<VaultKey, StoreError> {
    let mut insert = Statement::new(
        INSERT,
        [TENANT.into(), key.subject.into(), key.id.0.into(), key.key.bytes().into(), key.created.0.into()],
    );
    let inserted = tx.execute(&insert);
    for param in &mut insert.params {
        if let Sql::Blob(bytes) = param {
            bytes.zeroize();
        }
    }
    if inserted? == 1 {
        return Ok(VaultKey { id: key.id, key: Some(key.key.clone()) });
    }
    match tx.row(&Statement::new(BY_SUBJECT, [TENANT.into(), key.subject.into()]))? {
        Some(mut row) => key_of(&mut row),
        None => Err(StoreError::integrity("a key that is there cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_key_is_being_destroyed_and_after_a_crash_there_nobody_relies_on_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        let new = NewKey { subject: [1; 32], id: KeyId([2; 16]), key: SecretKey::new([3; 32]), created: Timestamp(0) };
        let stamp = |vault: &Vault| vault.store.life().unwrap().db.stamp().unwrap().unwrap();
        let vault = Vault::open(&path, true).unwrap();
        vault.insert(std::slice::from_ref(&new)).unwrap();
        let calm = stamp(&vault);
        assert_eq!(calm % 2, 0);
        assert!(vault.get_by_id(new.id).unwrap().unwrap().key.is_some());
        // As far as a crash right after the commit gets: the number is odd, the row has no key.
        let crashed = vault.store.alone(|desk| {
            change(desk)?;
            destroy_row(desk, &new.subject, Timestamp(9))
        });
        assert!(crashed.unwrap().unwrap().key.is_some());
        assert_eq!(stamp(&vault), calm | 1);
        assert_eq!(vault.get_by_id(new.id).unwrap().unwrap().key, None);
        // The next one that opens the vault sets it right: by another odd number than the one that was left.
        drop(vault);
        let vault = Vault::open(&path, false).unwrap();
        assert_eq!(stamp(&vault), calm + 4);
        assert_eq!(vault.get_by_id(new.id).unwrap().unwrap().key, None);
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = NewKey { subject: [1; 32], id: KeyId([2; 16]), key: SecretKey::new([171; 32]), created: Timestamp(0) };
        let shown = format!("{key:?}");
        assert!(shown.contains("SecretKey(…)") && !shown.contains("171") && !shown.contains("abab"), "{shown}");
    }
}
