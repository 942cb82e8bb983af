//! Where the keys of persons lie: in a file beside a store that is a file, in a table of a store that lies in a database.

use crate::store::server::Reach;
use crate::store::sql::vault as sql;
use crate::store::sqlite::{Look, NewKey, Vault as FileVault, VaultKey, key_of};
use crate::store::{StoreError, Tx, tables};
use hos_core::id::KeyId;
use hos_core::time::Timestamp;
use std::sync::Arc;

/// The vault of a store.
pub(crate) enum Vault {
    /// A file of its own.
    File(Box<FileVault>),
    /// The table `hos_vault`, by connections of our own.
    Table(Arc<dyn Reach>),
    /// The table `hos_vault`, by the host's transactions alone.
    Host,
}

impl Vault {
    /// The file, where it is one.
    pub(crate) fn file(&self) -> Result<&FileVault, StoreError> {
        match self {
            Self::File(file) => Ok(file),
            Self::Table(_) | Self::Host => Err(StoreError::new(
                hos_core::refusal::Code::StoreUnavailable,
                "the keys of persons lie in the table `hos_vault` of the store's database: dump it with the database's own tools, apart from the rest",
            )),
        }
    }

    /// Looks whether what is remembered of a file is still true; good for one group of calls.
    pub(crate) fn look(&self) -> Result<Option<Look>, StoreError> {
        match self {
            Self::File(file) => file.look().map(Some),
            Self::Table(_) | Self::Host => Ok(None),
        }
    }

    /// A person's key as this transaction sees it.
    pub(crate) fn of_subject(&self, tx: &Tx<'_>, look: Option<Look>, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        match (self, look) {
            (Self::File(file), Some(look)) => file.get_by_subject_at(look, subject),
            (Self::File(file), None) => file.get_by_subject(subject),
            _ => {
                // It may have come with the instance that is sealed under it.
                let row = tx.seen(sql::OF_INSTANCE, &|row| row.bytes(3) == Ok(*subject));
                let row = row.map_or_else(|| tx.row(&sql::by_subject(subject)), |row| Ok(Some(row)))?;
                row.map(|mut row| key_of(&mut row)).transpose()
            }
        }
    }

    /// The key with this id as this transaction sees it.
    pub(crate) fn of_id(&self, tx: &Tx<'_>, look: Option<Look>, id: KeyId) -> Result<Option<VaultKey>, StoreError> {
        match (self, look) {
            (Self::File(file), Some(look)) => file.get_by_id_at(look, id),
            (Self::File(file), None) => file.get_by_id(id),
            _ => {
                if let Some(mut row) = tx.seen(sql::OF_INSTANCE, &|row| row.bytes(0) == Ok(id.0)) {
                    return key_of(&mut row).map(Some);
                }
                // A host's snapshot may be older than the key; a read that locks sees what is.
                let asked = if tx.is_host() { sql::named(&id) } else { sql::by_id(&id) };
                tx.row(&asked)?.map(|mut row| key_of(&mut row)).transpose()
            }
        }
    }

    /// Keeps a key in this transaction, unless somebody was faster; answers the one in force. None where keys lie in a file, and
    /// are kept at the end of a group.
    pub(crate) fn claim(&self, tx: &Tx<'_>, new: &NewKey) -> Result<Option<VaultKey>, StoreError> {
        if matches!(self, Self::File(_)) {
            return Ok(None);
        }
        tx.claim(&sql::insert(&new.subject, &new.id, new.key.bytes(), new.created))?;
        let asked = if tx.is_host() { sql::in_force_now(&new.subject) } else { sql::in_force(&new.subject) };
        let row = tx.row(&asked)?;
        let mut row = row.ok_or_else(|| StoreError::integrity("a person's key was kept, and is not there"))?;
        key_of(&mut row).map(Some)
    }

    /// Keeps a person from being erased until this transaction of ours ends. A host's transaction keeps nobody waiting: what it seals
    /// of a person who is erased meanwhile can be read by nobody, and what it writes in the clear goes when they are erased once more.
    pub(crate) fn hold(&self, tx: &Tx<'_>, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        if tx.is_host() || matches!(self, Self::File(_)) {
            return Ok(None);
        }
        tx.row(&sql::in_force(subject))?.map(|mut row| key_of(&mut row)).transpose()
    }

    /// A person's key, for who is about to destroy it: until this transaction ends nobody writes of the person, and what others
    /// wrote is there to be seen ([`Vault::hold`]).
    pub(crate) fn lock(&self, tx: &Tx<'_>, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        match self {
            Self::File(file) => file.get_by_subject(subject),
            Self::Table(_) => tx.row(&sql::by_subject(subject).locked())?.map(|mut row| key_of(&mut row)).transpose(),
            Self::Host => Err(host()),
        }
    }

    /// Sees that nothing where keys lie could keep one that is destroyed.
    pub(crate) fn sound(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        match self {
            Self::File(file) => file.sound(),
            Self::Table(_) | Self::Host => tables::sound(tx),
        }
    }

    /// Destroys a person's key in the very transaction of the erasure's record, where keys lie in the same database; says
    /// whether they do. The caller has seen that this transaction is [`Vault::sound`].
    pub(crate) fn destroy_in(&self, tx: &Tx<'_>, subject: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        if matches!(self, Self::File(_)) {
            return Ok(false);
        }
        tx.execute(&sql::entomb(subject, at))?;
        tx.execute(&sql::destroy(subject, at))?;
        Ok(true)
    }

    /// A person's key, outside any transaction.
    pub(crate) fn get_by_subject(&self, subject: &[u8; 32]) -> Result<Option<VaultKey>, StoreError> {
        match self {
            Self::File(file) => file.get_by_subject(subject),
            Self::Table(reach) => read(reach, |tx| self.of_subject(tx, None, subject)),
            Self::Host => Err(host()),
        }
    }

    /// The key with this id, outside any transaction.
    pub(crate) fn get_by_id(&self, id: KeyId) -> Result<Option<VaultKey>, StoreError> {
        match self {
            Self::File(file) => file.get_by_id(id),
            Self::Table(reach) => read(reach, |tx| self.of_id(tx, None, id)),
            Self::Host => Err(host()),
        }
    }

    /// Destroys a person's key, for good.
    pub(crate) fn destroy(&self, subject: &[u8; 32], at: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::File(file) => file.destroy(subject, at).map(drop),
            Self::Table(reach) => write(reach, |tx| {
                self.sound(tx)?;
                self.destroy_in(tx, subject, at).map(drop)
            }),
            Self::Host => Err(host()),
        }
    }

    /// Destroys the key with this id, whosever it is.
    pub(crate) fn destroy_by_id(&self, id: KeyId, at: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::File(file) => file.destroy_by_id(id, at).map(drop),
            Self::Table(reach) => write(reach, |tx| {
                self.sound(tx)?;
                tx.execute(&sql::destroy_by_id(&id, at)).map(drop)
            }),
            Self::Host => Err(host()),
        }
    }

    /// Whether bytes of destroyed keys may still lie in a file of ours.
    pub(crate) fn is_left(&self) -> Result<bool, StoreError> {
        match self {
            Self::File(file) => file.is_left(),
            // What a server keeps of rows is its own business.
            Self::Table(_) | Self::Host => Ok(false),
        }
    }

    /// The ids of all keys that were destroyed.
    pub(crate) fn destroyed(&self) -> Result<Vec<KeyId>, StoreError> {
        match self {
            Self::File(file) => file.destroyed(),
            Self::Table(reach) => {
                read(reach, |tx| tx.rows(&sql::destroyed())?.iter().map(|row| row.bytes::<16>(0).map(KeyId)).collect())
            }
            Self::Host => Err(host()),
        }
    }
}

fn host() -> StoreError {
    StoreError::internal("keys of persons are asked for by the host's transaction alone")
}

fn read<T>(reach: &Arc<dyn Reach>, mut work: impl FnMut(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut found = None;
    reach.read(&mut |tx| {
        found = Some(work(tx)?);
        Ok(())
    })?;
    found.ok_or_else(|| StoreError::internal("a read was not done"))
}

fn write(reach: &Arc<dyn Reach>, mut work: impl FnMut(&Tx<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
    reach.write(&mut work)
}
