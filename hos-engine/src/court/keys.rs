//! The store's seal keys: their records, read and written. Which key signs which sizes is `hos-core`'s word
//! ([`KeyRing`]).

use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::founding::{KEY_SEAL, STREAM_KEYS, STREAM_TENANTS};
use crate::court::placed::Placed;
use crate::court::{Court, Group, roots, streams};
use crate::mark::{Marked, marked};
use crate::seal::{self, Origin};
use crate::store::Tx;
use crate::store::sql::evidence::{self as sql, Head};
use crate::store::sql::{claim, law as law_sql};
use crate::work::KeyAct;
use hos_core::id::{StoreId, Tenant, TreeHash};
use hos_core::judge::{self, Act};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::key::VerifyKey;
use hos_core::proof::keyring::{KeyChange, KeyRing};
use hos_core::proof::record::Kind;
use hos_core::refusal::Code;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The keys, and up to which record.
pub(crate) type Ring = (Option<u64>, Arc<KeyRing>);

/// What is known of the keys.
#[derive(Default)]
pub(crate) struct KnownKeys(RwLock<Ring>);

/// A record of keys: its place in the log, if it has one, and its content.
type Said = (Option<u64>, Vec<u8>);

/// All records of keys, in order.
pub(crate) fn placed(tx: &Tx<'_>) -> Result<Vec<Said>, Failure> {
    let mut placed = Vec::new();
    for row in streams::own_records(tx, STREAM_KEYS)? {
        let content = roots::content(row.blob(1)?, row.blob(2)?);
        let content = content.map_err(|why| Failure::new(Code::StoreIntegrity, format!("a key's record: {why}")))?;
        // A place that is no number is found where the log is read; keys are read without it.
        placed.push((row.opt_uint(3).ok().flatten(), content));
    }
    Ok(placed)
}

/// All records of keys: their contents, in order.
pub(crate) fn records(tx: &Tx<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(placed(tx)?.into_iter().map(|(_, content)| content).collect())
}

/// The ring that these records come to.
pub(crate) fn ring_of(store: &StoreId, contents: &[Vec<u8>]) -> Result<KeyRing, Failure> {
    let mut ring = KeyRing::default();
    for bytes in contents {
        KeyChange::decode(bytes)
            .and_then(|change| ring.take(store, change))
            .map_err(|e| Failure::new(Code::StoreIntegrity, format!("a key's record: {e}")))?;
    }
    Ok(ring)
}

/// The keys as they were when an epoch of the store began: what the records before it in the universe's log come to. A change that nobody
/// had confirmed by then does not count.
pub(crate) fn before(tx: &Tx<'_>, of: Origin, epoch: u64) -> Result<KeyRing, Failure> {
    let epochs = Epochs::of(tx, &Tenant::universe(), of)?;
    let began = epochs.turns().iter().find(|(begun, ..)| *begun == epoch).map(|(_, seq, _)| *seq);
    let is_before = |place: Option<u64>| place.zip(began).is_some_and(|(place, began)| place < began);
    let contents: Vec<Vec<u8>> =
        placed(tx)?.into_iter().filter(|(place, _)| is_before(*place)).map(|(_, content)| content).collect();
    Ok(ring_of(&of.store, &contents)?.confirmed())
}

/// What a note says, if it is a checkpoint of this log under a key that took over for certain and has its turn at the note's size.
pub(crate) fn signed(ring: &KeyRing, store: &StoreId, tenant: &Tenant, note: &str) -> Option<Marked> {
    let (whose, marked) = marked(store, note).ok()?;
    let counts =
        |(key, confirmed): (&VerifyKey, bool)| confirmed && ring.allows(key, tenant, marked.said.size) && is_signed(key, &marked);
    let holds = whose == *tenant && ring.keys().any(counts);
    holds.then_some(marked)
}

/// Whether a key signed a checkpoint, in its turn or not.
pub(crate) fn is_signed(key: &VerifyKey, marked: &Marked) -> bool {
    let named = NoteKey::new(marked.said.origin.as_str(), key.clone());
    named.is_ok_and(|named| Checkpoint::open(marked.note.as_bytes(), &named).is_ok())
}

/// What is said wherever a change of key that has begun keeps a head from being signed, and keeps another from beginning.
pub(crate) fn begun(key: &VerifyKey) -> String {
    let key: String = key.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!(
        "a change of the seal key to {key} has begun and is not confirmed: if it is yours, `hos keys rotate` with that key finishes it; if \
         not, somebody wrote it who has no key, and `hos keys withdraw` takes it back"
    )
}

impl Court {
    /// The keys as this transaction sees them. Costs one row where nothing has changed.
    pub(crate) fn ring(&self, tx: &Tx<'_>) -> Result<Arc<KeyRing>, Failure> {
        Ok(self.ring_of(tx)?.1)
    }

    /// Has at hand the keys as this transaction sees them: its heads are signed by what is known. They are not read where the group
    /// before left them to this one.
    pub(super) fn meet_ring(&self, tx: &Tx<'_>, group: &mut Group) -> Result<(), Failure> {
        let ring = match group.kept.ring.take() {
            Some(ring) => ring,
            None => self.ring_of(tx)?,
        };
        // Who reads an older moment may have made that known since.
        let is_known = self.known_keys.0.read().unwrap_or_else(PoisonError::into_inner).0 == ring.0;
        if !is_known {
            *self.known_keys.0.write().unwrap_or_else(PoisonError::into_inner) = ring.clone();
        }
        group.kept.ring = Some(ring);
        Ok(())
    }

    fn ring_of(&self, tx: &Tx<'_>) -> Result<Ring, Failure> {
        let row = tx.row(&sql::stream(&Tenant::universe(), STREAM_KEYS))?;
        let n = row.map(|row| row.uint(1)).transpose()?;
        let known = self.known_keys.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.0.is_some() && known.0 == n {
            return Ok(known);
        }
        let ring = (n, Arc::new(ring_of(&self.of.store, &records(tx)?)?));
        *self.known_keys.0.write().unwrap_or_else(PoisonError::into_inner) = ring.clone();
        Ok(ring)
    }

    /// Whether the key that signs here has its turn at this size, as far as is known; an owed head says why not.
    pub(crate) fn has_turn(&self, tenant: &Tenant, size: u64) -> Result<(), Failure> {
        let known = self.known_keys.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let public = self.signing.public();
        if known.1.allows(&public, tenant, size) {
            return Ok(());
        }
        let other = known.1.reigning(tenant, size).filter(|key| **key != public);
        let why = match (known.1.pending(), other) {
            (Some(key), Some(_)) if *key != public => begun(key),
            (_, Some(_)) => "another seal key signs from this size on; open the store with that one".to_owned(),
            (_, None) => "the seal key does not count for this size".to_owned(),
        };
        Err(Failure::new(Code::KeyInvalid, why))
    }

    /// The key of a change that has begun and is not confirmed, as this process last saw it.
    pub(crate) fn pending_key(&self) -> Option<VerifyKey> {
        self.known_keys.0.read().unwrap_or_else(PoisonError::into_inner).1.pending().cloned()
    }

    /// Whether a head of the universe's log may be signed like any other: it does not end with the record of a change of key. Over that,
    /// the key in force signs only for who changes keys ([`Engine::rotate_key`](crate::Engine::rotate_key)), for its signature there is
    /// what makes the other key the store's.
    pub(crate) fn ends_plainly(&self, tx: &Tx<'_>, head: &Head) -> Result<(), Failure> {
        match self.change_at_end(tx, head.size, &head.frontier.root())? {
            None => Ok(()),
            Some(key) => Err(Failure::new(Code::KeyInvalid, begun(&key))),
        }
    }

    /// The key that takes over, where the universe's log of this size and root ends with the record of a change. That record is held
    /// against the root: who can write rows could hide it, or show another.
    pub(crate) fn change_at_end(&self, tx: &Tx<'_>, size: u64, root: &TreeHash) -> Result<Option<VerifyKey>, Failure> {
        let universe = Tenant::universe();
        let Some(seq) = size.checked_sub(1) else { return Ok(None) };
        let unread = || {
            let what =
                format!("the last of the universe's {size} entries is not what its rows say, and nobody signs over it unread");
            Failure::new(Code::StoreIntegrity, what)
        };
        let now = seal::head(tx, &universe, self.of)?.size;
        let last = Placed::read(tx, self.of, &universe, seq)?;
        let last = last.filter(|last| last.is_in(tx, &universe, now, size, root)).ok_or_else(unread)?;
        let Some(said) = last.says(Kind::Key) else { return Ok(None) };
        match said.ok().map(|content| KeyChange::decode(&content)) {
            Some(Ok(KeyChange::Rotated(key, _))) => Ok(Some(key)),
            Some(Ok(_)) => Ok(None),
            Some(Err(_)) | None => Err(unread()),
        }
    }

    /// Writes a record of the keys.
    pub(crate) fn key_act(&self, tx: &Tx<'_>, group: &mut Group, act: KeyAct) -> Result<(), Failure> {
        let change = match act {
            KeyAct::Rotate(key) => KeyChange::Rotated(key, self.turns(tx, group)?),
            KeyAct::Confirm(key, note) => {
                tx.execute(&law_sql::set_store_value(KEY_SEAL, key.as_bytes()))?;
                KeyChange::Confirmed(key, note)
            }
            KeyAct::Revoke(key, from, reason) => KeyChange::Revoked(key, from, reason),
        };
        // What does not follow the records before it is refused before it is one.
        let mut contents = records(tx)?;
        contents.push(change.encode());
        ring_of(&self.of.store, &contents).map_err(|failure| Failure::new(Code::KeyInvalid, failure.message))?;
        let universe = Tenant::universe();
        let view = self.view(tx, group, &universe)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        let content = change.encode();
        let act = Act { kind: Kind::Key, stream: STREAM_KEYS, by: None, change: &content, judged: None };
        let draft = judge::act(&bench, &act)?;
        let (thread, n, _) = self.write_own(tx, group, &universe, draft, &bench.seed)?;
        if tx.is_shared() && matches!(change, KeyChange::Rotated(..)) {
            // Directly behind the end that the sizes were counted from: another's record in between would make the change one that
            // the old key does not vouch for.
            self.seal_next(tx, group, &universe, &thread, n)?;
        }
        Ok(())
    }

    /// From which size on another key signs each log: the next one, and in the universe the one after the record of the
    /// change, which the old key still vouches for. Where others write beside us, no log grows until the change is committed.
    fn turns(&self, tx: &Tx<'_>, group: &mut Group) -> Result<BTreeMap<Tenant, u64>, Failure> {
        if tx.is_shared() {
            self.hold_all(tx, group)?;
        }
        let mut from = BTreeMap::new();
        for tenant in self.tenants(tx)? {
            let size = seal::head(tx, &tenant, self.of)?.size;
            let first = if tenant.is_universe() && tx.is_shared() {
                // What waits there comes behind the record of the change, whoever commits it when.
                size + 2
            } else if tenant.is_universe() {
                let waiting = tx.row(&sql::queue_len(&tenant))?.map_or(Ok(0), |row| row.uint(0))?;
                let written = group.unsealed.iter().filter(|record| record.tenant == tenant).count() as u64;
                size + waiting + written + 2
            } else {
                size + 1
            };
            from.insert(tenant, first);
        }
        Ok(from)
    }

    /// Holds the end of every log, in the order of their names as whoever holds several does. What waits in the universe is sealed, for
    /// the keys' own earlier records may be among it.
    fn hold_all(&self, tx: &Tx<'_>, group: &mut Group) -> Result<(), Failure> {
        let universe = Tenant::universe();
        // Nobody opens a tenant meanwhile: a log that the change does not name is the new key's from its beginning.
        if self.stream_end(tx, &universe, STREAM_TENANTS)?.is_none() {
            tx.execute(&claim::leave_stream(&universe, STREAM_TENANTS))?;
        }
        for tenant in self.tenants(tx)? {
            self.hold_head(tx, group, &tenant)?;
        }
        self.drain_whole(tx, group, &universe).map(drop)
    }
}
