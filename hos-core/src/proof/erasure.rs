//! What an erasure's record says (`spec/erasure.md`): which key was destroyed and on what ground, what can no longer be read,
//! how that stood just before, and who looked.
//!
//! In the thread of an instance or a directory row it is short: `[key id, ground]`. In the universe's stream it is whole.

use super::key::{KeyError, SealKey, VerifyKey};
use super::record::Kind;
use crate::canon::{CanonError, Reader, Writer, same};
use crate::digest::ErasureList;
use crate::id::{KeyId, RecordHash, StoreId, Tenant, TreeHash};

/// What an attestation's statement begins with.
const STATEMENT: &str = "hos erasure attestation v1";

/// How many records of one kind in one tenant lost parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The tenant.
    pub tenant: Tenant,
    /// The records' kind.
    pub kind: Kind,
    /// How many.
    pub count: u64,
}

/// How the records that lost parts stood just before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastVerdict {
    /// The key was gone already (an erasure carried out again on a restored store): nobody looked.
    Unread,
    /// Every part opened and was what its header commits to; every entry was the log's.
    Intact,
    /// So many records did not hold.
    Broken(u64),
}

/// Where a log stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStand {
    /// The tenant.
    pub tenant: Tenant,
    /// How many entries.
    pub size: u64,
    /// The tree's root.
    pub root: TreeHash,
}

/// A second key's word, given before the destruction: these records were verified intact at these heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The public key of who looked.
    pub key: [u8; 32],
    /// The logs as they were verified, ascending by tenant.
    pub logs: Vec<LogStand>,
    /// How many records the list has.
    pub count: u64,
    /// The list's hash.
    pub list: [u8; 32],
    /// Ed25519 over the statement.
    pub signature: [u8; 64],
}

/// A whole erasure's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The key that was destroyed; all zero when the person never had one.
    pub key: KeyId,
    /// On what ground (a request's number, say).
    pub ground: String,
    /// The article of law; may be empty.
    pub article: String,
    /// What can no longer be judged again, ascending by tenant and kind.
    pub lost: Vec<Lost>,
    /// How that stood.
    pub verdict: LastVerdict,
    /// Who looked, if anybody did.
    pub attestation: Option<Attestation>,
}

/// What the record in an erased thread holds: `[key id, ground]`.
pub fn encode_end(key: &KeyId, ground: &str) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(2).bytes(key.as_bytes()).text(ground);
    w.finish()
}

/// Reads which key a record of an erasure names, the short one or the whole.
pub fn decode_key(bytes: &[u8]) -> Result<KeyId, CanonError> {
    let mut r = Reader::new(bytes);
    match r.array()? {
        2 => {
            let key = KeyId(r.bytes_of()?);
            r.text()?;
            r.end().map(|()| key)
        }
        _ => Erasure::decode(bytes).map(|erasure| erasure.key),
    }
}

impl Erasure {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.array(6).bytes(self.key.as_bytes()).text(&self.ground).text(&self.article);
        w.array(self.lost.len());
        for lost in &self.lost {
            w.array(3).text(lost.tenant.as_str()).uint(lost.kind.number().into()).uint(lost.count);
        }
        match self.verdict {
            LastVerdict::Unread => w.array(1).uint(0),
            LastVerdict::Intact => w.array(1).uint(1),
            LastVerdict::Broken(count) => w.array(2).uint(2).uint(count),
        };
        match &self.attestation {
            None => {
                w.array(0);
            }
            Some(a) => {
                w.array(5).bytes(&a.key);
                write_logs(&mut w, &a.logs);
                w.uint(a.count).bytes(&a.list).bytes(&a.signature);
            }
        }
        w.finish()
    }

    /// Reads the bytes; whatever [`Erasure::encode`] would not write is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonError> {
        let wrong = |why: &'static str| CanonError(why, 0);
        let mut r = Reader::new(bytes);
        r.array_of(6)?;
        let key = KeyId(r.bytes_of()?);
        let (ground, article) = (r.text()?.to_owned(), r.text()?.to_owned());
        let mut lost: Vec<Lost> = Vec::new();
        for _ in 0..r.array()? {
            r.array_of(3)?;
            let tenant = Tenant::new(r.text()?).map_err(|_| wrong("a tenant that is none"))?;
            let kind = Kind::from_number(r.uint()?).ok_or_else(|| wrong("a kind that is none"))?;
            let next = Lost { tenant, kind, count: r.uint()? };
            if lost.last().is_some_and(|l| (&l.tenant, l.kind) >= (&next.tenant, next.kind)) {
                return Err(wrong("what was lost is not in ascending order"));
            }
            lost.push(next);
        }
        let verdict = match (r.array()?, r.uint()?) {
            (1, 0) => LastVerdict::Unread,
            (1, 1) => LastVerdict::Intact,
            (2, 2) => LastVerdict::Broken(r.uint()?),
            _ => return Err(wrong("a verdict that is none")),
        };
        let attestation = match r.array()? {
            0 => None,
            5 => Some(Attestation {
                key: r.bytes_of()?,
                logs: read_logs(&mut r)?,
                count: r.uint()?,
                list: r.bytes_of()?,
                signature: r.bytes_of()?,
            }),
            _ => return Err(wrong("an attestation of another length")),
        };
        r.end()?;
        let erasure = Self { key, ground, article, lost, verdict, attestation };
        same(bytes, &erasure.encode()).map(|()| erasure)
    }
}

fn write_logs(w: &mut Writer, logs: &[LogStand]) {
    w.array(logs.len());
    for log in logs {
        w.array(3).text(log.tenant.as_str()).uint(log.size).bytes(log.root.as_bytes());
    }
}

fn read_logs(r: &mut Reader<'_>) -> Result<Vec<LogStand>, CanonError> {
    let mut logs: Vec<LogStand> = Vec::new();
    for _ in 0..r.array()? {
        r.array_of(3)?;
        let tenant = Tenant::new(r.text()?).map_err(|_| CanonError("a tenant that is none", 0))?;
        if logs.last().is_some_and(|l| l.tenant >= tenant) {
            return Err(CanonError("logs are not in ascending order", 0));
        }
        logs.push(LogStand { tenant, size: r.uint()?, root: TreeHash(r.bytes_of()?) });
    }
    Ok(logs)
}

/// What is signed: `[words, store id, key id, logs, count, list]`. The person's key id stands for the person: a hash of a
/// name that can be guessed would say for ever whom the record is about.
fn statement(store: &StoreId, key: &KeyId, logs: &[LogStand], count: u64, list: &[u8; 32]) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(6).text(STATEMENT).bytes(store.as_bytes()).bytes(key.as_bytes());
    write_logs(&mut w, logs);
    w.uint(count).bytes(list);
    w.finish()
}

impl Attestation {
    /// Signs.
    pub fn sign(signer: &SealKey, store: &StoreId, key: &KeyId, logs: Vec<LogStand>, list: &RecordList) -> Self {
        let (count, list) = list.finish();
        let signature = signer.sign(&statement(store, key, &logs, count, &list));
        Self { key: *signer.verify_key().as_bytes(), logs, count, list, signature }
    }

    /// Whether the signature holds, by the one rule.
    pub fn verify(&self, store: &StoreId, key: &KeyId) -> Result<(), KeyError> {
        let signed = statement(store, key, &self.logs, self.count, &self.list);
        VerifyKey::from_bytes(&self.key)?.verify(&signed, &self.signature)
    }
}

/// The records that hold parts under one key, as they come: ascending by tenant, then by place in the tenant's log.
#[derive(Debug, Clone, Default)]
pub struct RecordList {
    count: u64,
    hasher: ErasureList,
}

impl RecordList {
    /// Takes the next record.
    pub fn push(&mut self, tenant: &Tenant, seq: u64, record: &RecordHash) {
        self.count += 1;
        self.hasher.push(tenant, seq, record);
    }

    /// How many, and the list's hash.
    pub fn finish(&self) -> (u64, [u8; 32]) {
        (self.count, self.hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(attestation: Option<Attestation>) -> Erasure {
        let lost = |tenant: &str, kind, count| Lost { tenant: Tenant::new(tenant).unwrap(), kind, count };
        Erasure {
            key: KeyId([7; 16]),
            ground: "request 12".into(),
            article: "KVKK m.7".into(),
            lost: vec![lost("t1", Kind::Begun, 2), lost("t1", Kind::Moved, 1), lost("universe", Kind::Directory, 3)],
            verdict: LastVerdict::Intact,
            attestation,
        }
    }

    fn signed(list: &RecordList) -> Attestation {
        let logs = vec![LogStand { tenant: Tenant::new("t1").unwrap(), size: 9, root: TreeHash([3; 32]) }];
        Attestation::sign(&SealKey::from_seed(&[1; 32]), &StoreId([2; 16]), &KeyId([7; 16]), logs, list)
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is() {
        let mut all = vec![whole(None), whole(Some(signed(&RecordList::default())))];
        all.push(Erasure { verdict: LastVerdict::Broken(4), lost: Vec::new(), ..whole(None) });
        all.push(Erasure { verdict: LastVerdict::Unread, article: String::new(), ..whole(None) });
        for erasure in all {
            let bytes = erasure.encode();
            assert_eq!(Erasure::decode(&bytes), Ok(erasure.clone()));
            assert_eq!(decode_key(&bytes), Ok(erasure.key));
            for cut in 0..bytes.len() {
                assert!(Erasure::decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            let mut longer = bytes.clone();
            longer.push(0);
            assert!(Erasure::decode(&longer).is_err() && decode_key(&longer).is_err());
        }
        let mut disordered = whole(None);
        disordered.lost.swap(0, 1);
        assert!(Erasure::decode(&disordered.encode()).is_err());
        assert_eq!(decode_key(&encode_end(&KeyId([9; 16]), "x")), Ok(KeyId([9; 16])));
        assert!(decode_key(&[0x82, 0x41, 0, 0x60]).is_err() && decode_key(&[0x80]).is_err() && decode_key(&[]).is_err());
    }

    #[test]
    fn an_attestation_holds_for_its_store_key_list_and_heads_alone() {
        let (store, key) = (StoreId([2; 16]), KeyId([7; 16]));
        let mut list = RecordList::default();
        list.push(&Tenant::new("t1").unwrap(), 4, &RecordHash([5; 32]));
        let good = signed(&list);
        assert_eq!(good.verify(&store, &key), Ok(()));
        assert!(good.verify(&StoreId([3; 16]), &key).is_err() && good.verify(&store, &KeyId([8; 16])).is_err());
        let mut others = vec![good.clone(); 5];
        others[0].count += 1;
        others[1].list[0] ^= 1;
        others[2].logs[0].size += 1;
        others[3].logs[0].root = TreeHash([4; 32]);
        others[4].key = *SealKey::from_seed(&[9; 32]).verify_key().as_bytes();
        for other in others {
            assert_eq!(other.verify(&store, &key), Err(KeyError::Signature), "{other:?}");
        }
        let small = Attestation { key: [0; 32], ..good };
        assert_eq!(small.verify(&store, &key), Err(KeyError::SmallOrder));
    }

    #[test]
    fn a_list_depends_on_every_record_its_tenant_and_its_place() {
        let list = |of: &[(&str, u64, u8)]| {
            let mut list = RecordList::default();
            of.iter().for_each(|(tenant, seq, hash)| list.push(&Tenant::new(*tenant).unwrap(), *seq, &RecordHash([*hash; 32])));
            list.finish()
        };
        let base = list(&[("a", 1, 1), ("a", 2, 2)]);
        for other in [&[("a", 2, 2), ("a", 1, 1)][..], &[("a", 1, 1)], &[("b", 1, 1), ("a", 2, 2)], &[("a", 1, 1), ("a", 3, 2)]] {
            assert_ne!(list(other), base);
        }
    }
}
