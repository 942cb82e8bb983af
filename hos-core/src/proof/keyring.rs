//! The seal keys of a store, and for which sizes of each log each of them signs: what the records of kind 18 come to
//! (`spec/chain.md`, "Keys").

use super::checkpoint::{Checkpoint, Note, NoteKey, origin_parts};
use super::key::VerifyKey;
use crate::canon::{CanonError, Reader, Writer};
use crate::id::{StoreId, Tenant};
use crate::limits::{REVOKED_REASON_BYTES_MAX, STORE_KEYS_MAX};
use std::collections::BTreeMap;

/// The stream of these records, in the universe.
pub const STREAM: &str = "hos.keys";

const SUITE: u64 = 1;

/// What one record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// The store's first key: `[1, key, 0]`.
    First(VerifyKey),
    /// Another key takes over, in each log named from that size on, in logs that are opened later from the beginning:
    /// `[1, key, [[tenant, size]…]]`. Sealed and signed for under the key before it.
    Rotated(VerifyKey, BTreeMap<Tenant, u64>),
    /// The other key has taken over: `[1, key, note]`, the note being the last checkpoint of the universe under the key
    /// before it, which covers the record of the change. Sealed under the new key.
    Confirmed(VerifyKey, String),
    /// Signatures of a key are worthless in each log named from that size on: `[1, key, [[tenant, size]…], reason]`. Of a key that is
    /// about to take over, with no log named: the change is taken back, as if it had not begun.
    Revoked(VerifyKey, BTreeMap<Tenant, u64>, String),
}

/// Why the records of keys are not such.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// The content is of no shape that a record of kind 18 has.
    #[error("the content is that of no key's record: {0}")]
    Content(&'static str),
    /// It does not follow what the records before it say.
    #[error("{0}")]
    Order(&'static str),
    /// The checkpoint in a confirmation does not vouch for the change.
    #[error("the checkpoint that confirms the change does not hold: {0}")]
    Closing(String),
}

impl From<CanonError> for KeyRingError {
    fn from(_: CanonError) -> Self {
        KeyRingError::Content("it is not deterministic CBOR of the shape")
    }
}

impl KeyChange {
    /// The content of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        let sizes = |w: &mut Writer, from: &BTreeMap<Tenant, u64>| {
            w.array(from.len());
            for (tenant, size) in from {
                w.array(2).text(tenant.as_str()).uint(*size);
            }
        };
        match self {
            KeyChange::First(key) => {
                w.array(3).uint(SUITE).bytes(key.as_bytes()).uint(0);
            }
            KeyChange::Rotated(key, from) => {
                w.array(3).uint(SUITE).bytes(key.as_bytes());
                sizes(&mut w, from);
            }
            KeyChange::Confirmed(key, note) => {
                w.array(3).uint(SUITE).bytes(key.as_bytes()).text(note);
            }
            KeyChange::Revoked(key, from, reason) => {
                w.array(4).uint(SUITE).bytes(key.as_bytes());
                sizes(&mut w, from);
                w.text(reason);
            }
        }
        w.finish()
    }

    /// The change that these bytes say. They have one spelling: what is read is written again and compared.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyRingError> {
        let read = |third: u8| -> Result<Self, KeyRingError> {
            let mut r = Reader::new(bytes);
            let len = r.array()?;
            if r.uint()? != SUITE {
                return Err(KeyRingError::Content("the suite is not 1"));
            }
            let key = VerifyKey::from_bytes(&r.bytes_of()?).map_err(|_| KeyRingError::Content("the key is none"))?;
            let change = match (len, third) {
                (3, 0) => {
                    if r.uint()? != 0 {
                        return Err(KeyRingError::Content("a first key signs from the beginning"));
                    }
                    KeyChange::First(key)
                }
                (3, 1) => KeyChange::Rotated(key, sizes(&mut r)?),
                (3, _) => KeyChange::Confirmed(key, r.text()?.to_owned()),
                (4, _) => {
                    let from = sizes(&mut r)?;
                    let reason = r.text()?;
                    if reason.is_empty() || reason.len() > REVOKED_REASON_BYTES_MAX {
                        return Err(KeyRingError::Content("a reason has 1 to 1024 bytes"));
                    }
                    KeyChange::Revoked(key, from, reason.to_owned())
                }
                _ => return Err(KeyRingError::Content("it has neither 3 nor 4 members")),
            };
            r.end()?;
            Ok(change)
        };
        // The third member's type says which record it is; each shape is tried, and one at most fits.
        let change = read(0).or_else(|_| read(1)).or_else(|_| read(2))?;
        if change.encode() == bytes { Ok(change) } else { Err(KeyRingError::Content("it is not written in the one way")) }
    }

    /// Whether what it says fits the entry that it stands in: a change takes the universe from the size after the one that its
    /// own record makes, and what confirms one is of no later epoch than its own.
    pub fn fits(&self, seq: u64, epoch: u64) -> Result<(), KeyRingError> {
        match self {
            KeyChange::Rotated(_, from) if from.get(&Tenant::universe()).copied() != seq.checked_add(2) => {
                Err(KeyRingError::Order("the universe's size is not the one after that which the record of the change makes"))
            }
            KeyChange::Confirmed(_, note) => {
                let origin = note.split('\n').next().unwrap_or_default();
                match origin_parts(origin) {
                    Some((_, _, of)) if of <= epoch => Ok(()),
                    _ => Err(KeyRingError::Closing("it is of a later epoch, or of no log".into())),
                }
            }
            _ => Ok(()),
        }
    }
}

fn sizes(r: &mut Reader<'_>) -> Result<BTreeMap<Tenant, u64>, KeyRingError> {
    let mut from = BTreeMap::new();
    for _ in 0..r.array()? {
        r.array_of(2)?;
        let tenant = Tenant::new(r.text()?).map_err(|_| KeyRingError::Content("a tenant's name is none"))?;
        if from.last_key_value().is_some_and(|(last, _)| *last >= tenant) {
            return Err(KeyRingError::Content("tenants do not ascend"));
        }
        from.insert(tenant, r.uint()?);
    }
    Ok(from)
}

/// A key's time.
#[derive(Debug, Clone)]
struct Reign {
    key: VerifyKey,
    from: BTreeMap<Tenant, u64>,
    /// The checkpoint that closes the reign before; the first has none.
    closing: Option<String>,
    confirmed: bool,
    revoked: BTreeMap<Tenant, u64>,
}

impl Reign {
    /// The first size at which it signs a log.
    fn from(&self, tenant: &Tenant) -> u64 {
        self.from.get(tenant).copied().unwrap_or(0)
    }
}

/// The sizes of a log for which a key's signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The key.
    pub key: VerifyKey,
    /// The first size.
    pub from: u64,
    /// The last size; 0 until now.
    pub to: u64,
}

/// What a store's keys are, as its records say.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    reigns: Vec<Reign>,
}

impl KeyRing {
    /// Takes the next record. `store` is whose keys they are.
    pub fn take(&mut self, store: &StoreId, change: KeyChange) -> Result<(), KeyRingError> {
        let known = |ring: &Self, key: &VerifyKey| ring.reigns.iter().position(|reign| reign.key == *key);
        match change {
            KeyChange::First(key) => {
                if !self.reigns.is_empty() {
                    return Err(KeyRingError::Order("the store has a first key already"));
                }
                self.reigns.push(Reign { key, from: BTreeMap::new(), closing: None, confirmed: true, revoked: BTreeMap::new() });
            }
            KeyChange::Rotated(key, from) => {
                let Some(last) = self.reigns.last() else { return Err(KeyRingError::Order("there is no first key")) };
                if !last.confirmed {
                    return Err(KeyRingError::Order("a change of key has begun already"));
                }
                if known(self, &key).is_some() {
                    return Err(KeyRingError::Order("the key signed for this store before"));
                }
                if self.reigns.len() >= STORE_KEYS_MAX {
                    return Err(KeyRingError::Order("the store has had too many keys"));
                }
                if !from.contains_key(&Tenant::universe()) || from.iter().any(|(t, size)| *size == 0 || *size < last.from(t)) {
                    return Err(KeyRingError::Order(
                        "the sizes lie before those of the key before, or the universe's is missing",
                    ));
                }
                // A log that an earlier change named is named again: only later logs may be left out.
                if last.from.keys().any(|tenant| !from.contains_key(tenant)) {
                    return Err(KeyRingError::Order("a log that the change before named is missing"));
                }
                self.reigns.push(Reign { key, from, closing: None, confirmed: false, revoked: BTreeMap::new() });
            }
            KeyChange::Confirmed(key, note) => {
                let [.., before, last] = self.reigns.as_mut_slice() else {
                    return Err(KeyRingError::Order("no change of key has begun"));
                };
                if last.confirmed || last.key != key {
                    return Err(KeyRingError::Order("no change to this key has begun"));
                }
                closes(store, &before.key, last.from(&Tenant::universe()), &note)?;
                last.confirmed = true;
                last.closing = Some(note);
            }
            KeyChange::Revoked(key, from, _) if self.pending() == Some(&key) => {
                if !from.is_empty() {
                    return Err(KeyRingError::Order("a change that is not confirmed is taken back whole, and names no size"));
                }
                self.reigns.pop();
            }
            KeyChange::Revoked(key, from, _) => {
                let at = known(self, &key).ok_or(KeyRingError::Order("the key never signed for this store"))?;
                if at + 1 == self.reigns.len() || (at + 2 == self.reigns.len() && !self.is_settled()) {
                    return Err(KeyRingError::Order("the key in force cannot be revoked before another took over"));
                }
                let Some(reign) = self.reigns.get_mut(at) else { return Ok(()) };
                for (tenant, size) in from {
                    // What was revoked stays revoked.
                    reign.revoked.entry(tenant).and_modify(|known| *known = (*known).min(size)).or_insert(size);
                }
            }
        }
        Ok(())
    }

    /// The key in force: of a change that is not confirmed, the one before it.
    pub fn current(&self) -> Option<&VerifyKey> {
        self.reigns.iter().rev().find(|reign| reign.confirmed).map(|reign| &reign.key)
    }

    /// The key of a change that has begun and is not confirmed.
    pub fn pending(&self) -> Option<&VerifyKey> {
        self.reigns.last().filter(|reign| !reign.confirmed).map(|reign| &reign.key)
    }

    /// The keys that took over for certain: as if a change that is not confirmed had not begun.
    pub fn confirmed(mut self) -> Self {
        self.reigns.retain(|reign| reign.confirmed);
        self
    }

    /// Whether no change is half done.
    pub fn is_settled(&self) -> bool {
        self.pending().is_none()
    }

    /// Whether the key ever signed, or is about to.
    pub fn knows(&self, key: &VerifyKey) -> bool {
        self.reigns.iter().any(|reign| reign.key == *key)
    }

    /// All keys, the first first, with whether each is confirmed.
    pub fn keys(&self) -> impl Iterator<Item = (&VerifyKey, bool)> {
        self.reigns.iter().map(|reign| (&reign.key, reign.confirmed))
    }

    /// The key whose turn it is at a size of a log; whether that was revoked is not asked.
    pub fn reigning(&self, tenant: &Tenant, size: u64) -> Option<&VerifyKey> {
        self.reigns.iter().rev().find(|reign| reign.from(tenant) <= size).map(|reign| &reign.key)
    }

    /// The first size of a log at which the newest key signs.
    pub fn newest_from(&self, tenant: &Tenant) -> u64 {
        self.reigns.last().map_or(0, |reign| reign.from(tenant))
    }

    /// Whether a checkpoint of this size under this key counts.
    pub fn allows(&self, key: &VerifyKey, tenant: &Tenant, size: u64) -> bool {
        let revoked = |reign: &Reign| reign.revoked.get(tenant).is_some_and(|from| size >= *from);
        self.reigning(tenant, size) == Some(key) && !self.reigns.iter().any(|reign| reign.key == *key && revoked(reign))
    }

    /// The ranges of a log, ascending. What counts for no size is left out.
    pub fn ranges(&self, tenant: &Tenant) -> Vec<Range> {
        let mut ranges = Vec::new();
        for (i, reign) in self.reigns.iter().enumerate() {
            let from = reign.from(tenant);
            // Until before the next key's turn; none after it: for ever.
            let next = self.reigns.get(i + 1).map(|next| next.from(tenant));
            let revoked = reign.revoked.get(tenant).copied();
            let end = [next, revoked].into_iter().flatten().min();
            match end {
                None => ranges.push(Range { key: reign.key.clone(), from, to: 0 }),
                // A checkpoint of no entries vouches for nothing.
                Some(end) if end > from.max(1) => ranges.push(Range { key: reign.key.clone(), from, to: end - 1 }),
                Some(_) => {}
            }
        }
        ranges
    }

    /// The checkpoints of the universe that close a key's time, with the key that signed each.
    pub fn closings(&self) -> impl Iterator<Item = (&str, &VerifyKey)> {
        self.reigns.windows(2).filter_map(|pair| match pair {
            [before, after] => after.closing.as_deref().map(|note| (note, &before.key)),
            _ => None,
        })
    }
}

/// Whether a note is the universe's last checkpoint before a size, under this key.
fn closes(store: &StoreId, key: &VerifyKey, from: u64, note: &str) -> Result<(), KeyRingError> {
    let wrong = |e: &dyn std::fmt::Display| KeyRingError::Closing(e.to_string());
    let parsed = Note::parse(note.as_bytes()).map_err(|e| wrong(&e))?;
    let name = parsed.text().lines().next().unwrap_or_default();
    let ours = origin_parts(name).is_some_and(|(of, tenant, _)| of == *store && tenant.is_universe());
    if !ours {
        return Err(wrong(&"it is of another log"));
    }
    let key = NoteKey::new(name, key.clone()).map_err(|e| wrong(&e))?;
    let said = Checkpoint::open(note.as_bytes(), &key).map_err(|e| wrong(&e))?;
    if said.size.checked_add(1) == Some(from) { Ok(()) } else { Err(wrong(&"it is of another size")) }
}
