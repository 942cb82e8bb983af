//! What is kept of persons, sealed under their keys: parts of records, and the copies of facts, attributes and messages
//! that rows keep for speed. Destroying a key erases all of them at once.

use crate::Failure;
use crate::store::sql::state as state_sql;
use crate::store::sqlite::{Look, NewKey, SecretKey};
use crate::store::{StoreError, Tx};
use crate::vault::Vault;
use hos_core::digest;
use hos_core::id::{Commitment, KeyId, StoreId, Tenant, Uid};
use hos_core::judge::Draft;
use hos_core::proof::part::{PartError, SubjectKey};
use hos_core::proof::record::{Part, PartRef, Slot};
use hos_core::proof::stored::{StoredBox, encode_stored};
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Keys of persons, for the time of a group of calls: those of the vault, and those made in this group, which reach the
/// vault before the group commits.
pub(crate) struct Keys<'v, 'c> {
    pub(crate) vault: &'v Vault,
    pub(crate) tx: &'v Tx<'c>,
    pub(crate) store: StoreId,
    /// When a key that is made now was made.
    pub(crate) now: Timestamp,
}

/// The keys that a group of calls has met. Those of the vault are asked for once: while a group runs, it holds the store's
/// lock, and no erasure can be committed. One that was committed before counts by its record: the vault may be behind.
#[derive(Default)]
pub(crate) struct FreshKeys {
    /// Made in this group, and not yet in the vault.
    made: HashMap<[u8; 32], (KeyId, SubjectKey)>,
    /// Known by their person, of the vault or made.
    by_subject: HashMap<[u8; 32], (KeyId, SubjectKey)>,
    /// Known by their id; opening what is sealed changes nothing else.
    by_id: RefCell<HashMap<KeyId, SubjectKey>>,
    /// Persons whose erasure this group commits, and their keys, which are there until it has.
    erased: Vec<([u8; 32], KeyId)>,
    /// Keys that the store's records say are destroyed, whatever a vault in a file still has.
    gone: Arc<HashSet<KeyId>>,
    /// Whether the vault's memory is true, looked at once.
    look: Cell<Option<Option<Look>>>,
}

impl FreshKeys {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With these keys destroyed, whatever a vault says.
    pub(crate) fn without(gone: Arc<HashSet<KeyId>>) -> Self {
        Self { gone, ..Self::default() }
    }

    pub(crate) fn gone(&self) -> Arc<HashSet<KeyId>> {
        self.gone.clone()
    }

    /// Whether a record of the store says that this key is destroyed.
    pub(crate) fn is_gone(&self, key: &KeyId) -> bool {
        self.gone.contains(key)
    }

    /// A person's key that was met, such as one that an earlier call of this group made.
    pub(crate) fn of_tag(&self, tag: &[u8; 32]) -> Option<(KeyId, SubjectKey)> {
        self.by_subject.get(tag).cloned()
    }

    /// Says whose erasure this group commits.
    pub(crate) fn erased(&mut self, whose: &[([u8; 32], KeyId)]) {
        self.erased = whose.to_vec();
    }

    /// Takes the vault's last word for true, for who has it looked at again before anything comes of it.
    pub(crate) fn trust(&self, look: Option<Look>) {
        if look.is_some() {
            self.look.set(Some(look));
        }
    }

    /// What the vault said of erasures, if it was asked.
    pub(crate) fn looked(&self) -> Option<Look> {
        self.look.get().flatten()
    }

    /// A key that came with the row that is sealed under it.
    pub(crate) fn know(&self, id: KeyId, key: [u8; 32]) {
        self.by_id.borrow_mut().insert(id, SubjectKey::new(key));
    }

    /// The persons whose keys were asked for, with them; none where one of the keys is not in the vault yet.
    pub(crate) fn all_kept(&self) -> Option<Vec<([u8; 32], KeyId)>> {
        self.made.is_empty().then(|| self.by_subject.iter().map(|(tag, (id, _))| (*tag, *id)).collect())
    }

    fn meet(&mut self, tag: [u8; 32], id: KeyId, key: &SubjectKey) {
        self.by_subject.insert(tag, (id, key.clone()));
        self.by_id.borrow_mut().insert(id, key.clone());
    }
}

/// Chance for nonces and keys, expanded from a case's seed.
#[derive(Clone)]
pub(crate) struct Chance {
    seed: [u8; 32],
    next: u64,
}

impl Chance {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self { seed: *seed, next: 0 }
    }

    pub(crate) fn bytes<const N: usize>(&mut self, purpose: &str) -> [u8; N] {
        let mut out = [0; N];
        digest::expand(&self.seed, purpose, self.next, &mut out);
        self.next += 1;
        out
    }
}

impl Keys<'_, '_> {
    /// The person's key, made now if there is none. A destroyed one is a refusal: nothing more is written about them.
    pub(crate) fn of(&self, subject: &Uid, fresh: &mut FreshKeys, chance: &mut Chance) -> Result<(KeyId, SubjectKey), Refused> {
        let tag = digest::subject_tag(&self.store, subject);
        let refused = || Refused::Erased(Blocker::new(Code::SubjectErased, format!("`{subject}`")));
        if fresh.erased.iter().any(|(of, _)| *of == tag) {
            return Err(refused());
        }
        match self.kept(&tag, fresh).map_err(Refused::Failure)? {
            Some(Some(known)) => return Ok(known),
            Some(None) => return Err(refused()),
            None => self.is_first(subject).map_err(Refused::Failure)?,
        }
        let made = (KeyId(chance.bytes("key id")), SubjectKey::new(chance.bytes("subject key")));
        let new = NewKey { subject: tag, id: made.0, key: SecretKey::new(*made.1.expose()), created: self.now };
        let in_force = self.vault.claim(self.tx, &new).map_err(|e| Refused::Failure(e.into()))?;
        let Some(kept) = in_force else {
            fresh.meet(tag, made.0, &made.1);
            fresh.made.insert(tag, made.clone());
            return Ok(made);
        };
        let Some(key) = &kept.key else { return Err(refused()) };
        let key = SubjectKey::new(*key.bytes());
        fresh.meet(tag, kept.id, &key);
        Ok((kept.id, key))
    }

    /// The key that a person has, known or in the vault; none inside where it was destroyed.
    fn kept(&self, tag: &[u8; 32], fresh: &mut FreshKeys) -> Result<Option<Option<(KeyId, SubjectKey)>>, Failure> {
        if let Some(known) = fresh.by_subject.get(tag) {
            return Ok(Some(Some(known.clone())));
        }
        let Some(mut kept) = self.vault.of_subject(self.tx, self.look(fresh)?, tag)? else { return Ok(None) };
        if let Some(locked) = self.vault.hold(self.tx, tag)? {
            kept = locked;
        }
        let Some(key) = kept.key.as_ref().filter(|_| !fresh.is_gone(&kept.id)) else { return Ok(Some(None)) };
        let key = SubjectKey::new(*key.bytes());
        fresh.meet(*tag, kept.id, &key);
        Ok(Some(Some((kept.id, key))))
    }

    /// Sees that a key to be made is the person's first. Where the directory has them under one that a vault in a file never had, that
    /// vault is not the store's, or older: by a second key what is under the first would be erased by nobody.
    fn is_first(&self, subject: &Uid) -> Result<(), Failure> {
        let Vault::File(vault) = self.vault else { return Ok(()) };
        let row = self.tx.row(&state_sql::directory_entity(&Tenant::universe(), subject))?;
        let key = KeyId(row.map_or(Ok([0; 16]), |row| row.bytes(6))?);
        if key.0 == [0; 16] || vault.get_by_id(key)?.is_some() {
            return Ok(());
        }
        let what =
            "the vault never had the key that the directory has them under: it is another store's vault, or older than the store";
        Err(Failure::new(Code::StoreIntegrity, format!("`{subject}`: {what}")))
    }

    /// Whether this is the key that a person has.
    pub(crate) fn stands(&self, tag: &[u8; 32], id: KeyId, fresh: &mut FreshKeys) -> Result<bool, Failure> {
        if fresh.erased.iter().any(|(of, _)| of == tag) {
            return Ok(false);
        }
        Ok(matches!(self.kept(tag, fresh)?, Some(Some((kept, _))) if kept == id))
    }

    fn look(&self, fresh: &FreshKeys) -> Result<Option<Look>, StoreError> {
        if let Some(look) = fresh.look.get() {
            return Ok(look);
        }
        let look = self.vault.look()?;
        fresh.look.set(Some(look));
        Ok(look)
    }

    /// Brings fresh keys into the vault, durably.
    pub(crate) fn keep(&self, fresh: &FreshKeys) -> Result<(), Failure> {
        if fresh.made.is_empty() {
            return Ok(());
        }
        let new: Vec<NewKey> = fresh
            .made
            .iter()
            .map(|(tag, (id, key))| NewKey { subject: *tag, id: *id, key: SecretKey::new(*key.expose()), created: self.now })
            .collect();
        // Two makers of one key cannot meet: keys are made under the store's lock. If they did, the other's stands.
        let kept = self.vault.file()?.insert(&new)?;
        if kept.iter().zip(&new).all(|(kept, new)| kept.id == new.id && kept.key.is_some()) {
            Ok(())
        } else {
            Err(Failure::new(Code::Retry, "a person's key was made or destroyed elsewhere meanwhile"))
        }
    }

    /// The key with this id, if it is still there.
    pub(crate) fn by_id(&self, id: &KeyId, fresh: &FreshKeys) -> Result<Option<SubjectKey>, Failure> {
        if fresh.is_gone(id) || fresh.erased.iter().any(|(_, key)| key == id) {
            return Ok(None);
        }
        if let Some(key) = fresh.by_id.borrow().get(id) {
            return Ok(Some(key.clone()));
        }
        let kept = self.vault.of_id(self.tx, self.look(fresh)?, *id)?;
        let key = kept.and_then(|kept| kept.key.as_ref().map(|key| SubjectKey::new(*key.bytes())));
        if let Some(key) = &key {
            fresh.by_id.borrow_mut().insert(*id, key.clone());
        }
        Ok(key)
    }

    /// A record's parts as they are stored: one box a person.
    pub(crate) fn seal_parts(&self, draft: &Draft, fresh: &mut FreshKeys, chance: &mut Chance) -> Result<Vec<u8>, Refused> {
        let mut by_person: Vec<(Option<&Uid>, Vec<Committed<'_>>)> = Vec::with_capacity(4);
        // The header lists the parts in the draft's order; an encoded header that did not would not open.
        for (part, listed) in draft.parts.iter().zip(&draft.header.parts) {
            let subject = part.subject.as_ref();
            match by_person.iter_mut().find(|(person, _)| *person == subject) {
                Some((_, parts)) => parts.push((part, listed.commitment)),
                None => by_person.push((subject, vec![(part, listed.commitment)])),
            }
        }
        let mut boxes = Vec::with_capacity(by_person.len());
        for (subject, parts) in by_person {
            boxes.push(self.seal(subject, &parts, fresh, chance)?);
        }
        encode_stored(&boxes).map_err(|e| Refused::Failure(Failure::new(Code::CallTooLarge, format!("the record's parts: {e}"))))
    }

    fn seal(
        &self,
        subject: Option<&Uid>,
        parts: &[Committed<'_>],
        fresh: &mut FreshKeys,
        chance: &mut Chance,
    ) -> Result<StoredBox<'static>, Refused> {
        let key = subject.map(|subject| self.of(subject, fresh, chance)).transpose()?;
        let nonce = if key.is_some() { chance.bytes("nonce") } else { [0; 24] };
        StoredBox::seal(parts, key.as_ref().map(|(id, key)| (id, key)), nonce)
            .map_err(|e| Refused::Failure(Failure::new(Code::CallTooLarge, e.to_string())))
    }

    /// A copy for a row: a box of one part with its commitment in front, and its key.
    pub(crate) fn seal_copy(
        &self,
        subject: Option<&Uid>,
        plaintext: Vec<u8>,
        fresh: &mut FreshKeys,
        chance: &mut Chance,
    ) -> Result<(KeyId, Vec<u8>), Refused> {
        let part = Part::new(COPY.0, COPY.1, subject.cloned(), chance.bytes("copy salt"), plaintext);
        let commitment = part.commitment();
        let stored = self.seal(subject, &[(&part, commitment)], fresh, chance)?;
        let bytes = [&commitment.0[..], &stored.sealed].concat();
        Ok((stored.key, bytes))
    }

    /// The plaintext of a row's copy; `None` when its key was destroyed.
    pub(crate) fn open_copy(&self, key: &KeyId, bytes: &[u8], fresh: &FreshKeys) -> Result<Option<Vec<u8>>, Failure> {
        open_copy(*key, self.of_copy(key, fresh)?.as_ref(), bytes)
    }

    /// The key that a row's copy is under; none where it is under none, or its key was destroyed.
    pub(crate) fn of_copy(&self, key: &KeyId, fresh: &FreshKeys) -> Result<Option<SubjectKey>, Failure> {
        if key.0 == [0; 16] { Ok(None) } else { self.by_id(key, fresh) }
    }
}

/// The plaintext of a row's copy, under its key; `None` when it has one that is not given.
pub(crate) fn open_copy(key: KeyId, secret: Option<&SubjectKey>, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let broken = |why: &str| Failure::new(Code::StoreIntegrity, format!("a sealed copy does not open: {why}"));
    let (commitment, sealed) = bytes.split_first_chunk::<32>().ok_or_else(|| broken("too short"))?;
    let stored = StoredBox { key, places: vec![COPY], sealed: sealed.into() };
    let listed = [PartRef { slot: COPY.0, index: COPY.1, commitment: Commitment(*commitment) }];
    match stored.open_listed(secret, &listed) {
        Ok(opened) => Ok(opened.into_iter().next().map(|part| part.plaintext)),
        Err(PartError::KeyMissing) => Ok(None),
        Err(e) => Err(broken(&e.to_string())),
    }
}

/// A part with what the header says of it.
type Committed<'p> = (&'p Part, Commitment);

/// The place of the one part of a row's copy.
const COPY: (Slot, u8) = (Slot::Facts, 0);

/// Why something could not be sealed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The person was erased: an answer.
    Erased(Blocker),
    /// Something failed.
    Failure(Failure),
}
