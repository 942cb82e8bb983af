//! One instance's story, gathered from the store: its records, its laws, the directory's records behind its slices.

use super::Exported;
use super::hide::Patterns;
use super::item::{self, Whose, item};
use super::room::Room;
use crate::Failure;
use crate::cosign::Vouched;
use crate::court::Court;
use crate::court::ended::{Wanted, wanted_rows};
use crate::court::fetch::instance_row;
use crate::court::founding::{STREAM_KEYS, STREAM_LAW};
use crate::court::roots;
use crate::seal::checkpoint_of;
use crate::store::Tx;
use crate::store::sql::{evidence as sql, law as law_sql, state as state_sql};
use crate::work::HeadsDone;
use hos_core::digest;
use hos_core::id::{Handle, InstanceId, LawHash, Name, Tenant};
use hos_core::judge::decode_slice;
use hos_core::limits::{BUNDLE_KEYS_MAX, BUNDLE_LAWS_MAX, BUNDLE_RECORDS_MAX};
use hos_core::proof::bundle::{Bundle, HeadsProof, Item, KeyRange, LawFiles, LogNote};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::key::VerifyKey;
use hos_core::proof::keyring::{KeyRing, Range};
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::roots::STREAM as STREAM_ROOTS;
use hos_core::refusal::Code;
use std::collections::{BTreeMap, BTreeSet};

/// What is read of one moment.
pub(super) struct Story<'s, 'c> {
    pub(super) tx: &'s Tx<'c>,
    pub(super) court: &'s Court,
    pub(super) tenant: &'s Tenant,
    pub(super) hide: &'s Patterns,
}

/// A log of the bundle.
struct Log {
    tenant: Tenant,
    note: String,
    checkpoint: Checkpoint,
}

/// The records of an instance, with the laws that they name.
struct Records {
    items: Vec<Item>,
    headers: Vec<Header>,
}

impl Story<'_, '_> {
    pub(super) fn export(
        &self,
        contract: &Name,
        id: &InstanceId,
        under: &Vouched,
        heads: Option<&HeadsDone>,
    ) -> Result<Exported, Failure> {
        let row = instance_row(self.tx, self.tenant, contract, id)?;
        let row = row.ok_or_else(|| Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`")))?;
        let thread = state_sql::instance_from(&row, contract.clone(), id.clone())?.instance.handle;
        let mut logs = vec![log(self.tenant.clone(), &under.note)?];
        if let Some((note, _)) = &under.universe {
            logs.push(log(Tenant::universe(), note)?);
        }
        let root = under.universe.as_ref().and_then(|(_, root)| *root);
        // Later moves are not covered by the map, so they are left to a later export.
        let size = logs.first().map_or(0, |l| l.checkpoint.size);
        let until = heads.map_or(size, |h| h.seq);
        let mut room = Room::new(contract, id);
        let records = self.records(contract, &thread, until, size, &mut room)?;
        let heads = heads.map(|done| self.heads(done, size)).transpose()?;
        let cited = self.cited(&logs, &records, root, &mut room)?;
        self.hide.all_met()?;
        let laws = self.laws(&records, &mut room)?;
        let mut keys = Vec::new();
        for (place, log) in logs.iter().enumerate() {
            for (key, from, to) in self.keys(&log.checkpoint.origin, &log.tenant)? {
                keys.push(KeyRange { log: place, vkey: key.to_string(), from, to });
            }
        }
        room.holds(keys.len(), BUNDLE_KEYS_MAX, "ranges of keys")?;
        let origin = logs.first().map(|l| l.checkpoint.origin.clone()).unwrap_or_default();
        let all = || records.items.iter();
        let withheld = |why| all().flat_map(|i| &i.withheld).filter(|p| p.why == why).count();
        let parts = (
            all().map(|i| i.opened.len()).sum(),
            withheld(hos_core::proof::bundle::Why::Hidden),
            withheld(hos_core::proof::bundle::Why::Erased),
        );
        let sizes: Vec<(Tenant, u64)> = logs.iter().map(|log| (log.tenant.clone(), log.checkpoint.size)).collect();
        let trust = trust_of(&origin, &*self.court.ring(self.tx)?, &sizes)?;
        let (count, cited_count) = (records.items.len(), cited.len());
        let logs = logs.into_iter().map(|l| LogNote { tenant: l.tenant.to_string(), note: l.note }).collect();
        let bundle = Bundle { logs, thread, records: records.items, heads, cited, laws, keys };
        // Nothing but its length can be wrong.
        let bytes = bundle.encode().map_err(|_| room.too_large())?;
        Ok(Exported { bytes, records: count, cited: cited_count, parts, origin, size, trust })
    }

    fn records(&self, contract: &Name, thread: &Handle, until: u64, size: u64, room: &mut Room<'_>) -> Result<Records, Failure> {
        let places = item::thread(self.tx, self.tenant, thread, until)?;
        room.holds(places.len(), BUNDLE_RECORDS_MAX, "records")?;
        let mut records = Records { items: Vec::with_capacity(places.len()), headers: Vec::with_capacity(places.len()) };
        let mut subject = None;
        let mut fact = String::new();
        for seq in places {
            let placed = item::at(self.tx, self.court, self.tenant, seq)?;
            if records.items.is_empty() {
                subject = item::key_of(&placed, Slot::Id);
                fact = self.data_subject(contract, &placed.header)?.unwrap_or_else(|| "subject".to_owned());
            }
            let whose = Whose { subject: subject.map(|key| (key, fact.as_str())), hide: Some(self.hide) };
            let item = item(self.tx, self.court, self.tenant, &placed, size, &whose)?;
            room.item(&item)?;
            records.items.push(item);
            records.headers.push(placed.header);
        }
        Ok(records)
    }

    /// The fact that names whose data the instance's parts are.
    fn data_subject(&self, contract: &Name, birth: &Header) -> Result<Option<String>, Failure> {
        let Some(hash) = birth.guard_law.or(birth.law) else { return Ok(None) };
        let law = self.court.laws.get(self.tx, &hash)?;
        let of = law.contracts.get(contract);
        Ok(of.and_then(|of| of.contract.data_subject.as_ref()).map(|fact| fact.as_str().to_owned()))
    }

    fn heads(&self, done: &HeadsDone, size: u64) -> Result<HeadsProof, Failure> {
        let placed = item::at(self.tx, self.court, self.tenant, done.seq)?;
        let whose = Whose { subject: None, hide: None };
        let item = item(self.tx, self.court, self.tenant, &placed, size, &whose)?;
        let (head, siblings) =
            done.proved.clone().ok_or_else(|| Failure::new(Code::Internal, "the map of heads was made without the thread"))?;
        Ok(HeadsProof { item, kind: head.kind, n: head.n, last: head.last, siblings })
    }

    /// Activations, keys, the thread of every directory row that a disclosed slice cites, whether the row is there still or an
    /// erasure took it; and the one record of the stream of roots that says the checkpoint.
    fn cited(
        &self,
        logs: &[Log],
        records: &Records,
        root: Option<u64>,
        room: &mut Room<'_>,
    ) -> Result<Vec<(usize, Item)>, Failure> {
        let universe = logs.len() - 1;
        let mut threads: BTreeSet<(usize, Handle)> = BTreeSet::new();
        for stream in [STREAM_LAW, STREAM_KEYS] {
            if let Some(row) = self.tx.row(&sql::stream(&Tenant::universe(), stream))? {
                threads.insert((universe, Handle(row.bytes(0)?)));
            }
        }
        let mut wanted = Wanted::new();
        for opening in records.items.iter().flat_map(|i| &i.opened).filter(|p| p.slot == Slot::Slice) {
            let broken = |e| Failure::new(Code::StoreIntegrity, format!("a record's slice: {e}"));
            let (entities, links) = decode_slice(&opening.plaintext).map_err(broken)?;
            wanted.extend(entities.iter().filter_map(|e| Some((e.record?, Some(e.uid.clone())))));
            wanted.extend(links.iter().filter_map(|l| Some((l.record?, None))));
            for (place, log) in logs.iter().enumerate() {
                for entity in entities.iter().filter(|e| e.record.is_some()) {
                    if let Some(row) = self.tx.row(&state_sql::directory_entity(&log.tenant, &entity.uid))? {
                        threads.insert((place, state_sql::entity_from(&row)?.thread.handle));
                    }
                }
                for link in links.iter().filter(|l| l.record.is_some()) {
                    if let Some(row) = self.tx.row(&state_sql::grant(&log.tenant, &link.id))? {
                        threads.insert((place, state_sql::grant_from(&row)?.0.handle));
                    }
                }
            }
        }
        let mut cited = BTreeMap::new();
        for (place, thread) in threads {
            self.cite(logs, place, &thread, &mut cited, &mut wanted, room)?;
        }
        if !wanted.is_empty() {
            // An erasure took the row, or another was put in its place: what was judged over it stands on the thread that ended.
            let mut ended = Vec::new();
            for (place, log) in logs.iter().enumerate() {
                let found = wanted_rows(self.tx, self.court, &log.tenant, log.checkpoint.size, &wanted, place > 0)?;
                ended.extend(found.into_iter().map(|thread| (place, thread)));
            }
            for (place, thread) in ended {
                self.cite(logs, place, &thread, &mut cited, &mut wanted, room)?;
            }
        }
        if let (Some(n), Some(log)) = (root, logs.get(universe)) {
            let (seq, item) = self.root(n, log)?;
            cited.insert((universe, seq), item);
        }
        Ok(cited.into_iter().map(|((place, _), item)| (place, item)).collect())
    }

    /// Cites a whole thread of a log; what it has is wanted no more.
    fn cite(
        &self,
        logs: &[Log],
        place: usize,
        thread: &Handle,
        cited: &mut BTreeMap<(usize, u64), Item>,
        wanted: &mut Wanted,
        room: &mut Room<'_>,
    ) -> Result<(), Failure> {
        let Some(log) = logs.get(place) else { return Ok(()) };
        for seq in item::thread(self.tx, &log.tenant, thread, log.checkpoint.size)? {
            let placed = item::at(self.tx, self.court, &log.tenant, seq)?;
            // What a law or a key says is never a person's; of directory rows, and of what ended one, the patterns decide.
            let is_row = matches!(placed.header.kind, Kind::Directory | Kind::Erased);
            let whose = Whose { subject: None, hide: Some(self.hide).filter(|_| is_row) };
            wanted.remove(&digest::record_hash(&placed.entry.header));
            let item = item(self.tx, self.court, &log.tenant, &placed, log.checkpoint.size, &whose)?;
            room.item(&item)?;
            cited.insert((place, seq), item);
        }
        room.holds(cited.len(), BUNDLE_RECORDS_MAX, "records that it stands on")
    }

    /// A record of the stream of roots, by its place there.
    fn root(&self, n: u64, log: &Log) -> Result<(u64, Item), Failure> {
        let lost = || Failure::new(Code::StoreIntegrity, format!("record {n} of `{STREAM_ROOTS}` has no place in the log"));
        let thread = roots::stream(self.tx)?.ok_or_else(lost)?;
        let seq = self.tx.row(&sql::entry_of(&log.tenant, &thread, n))?.ok_or_else(lost)?.uint(0)?;
        let placed = item::at(self.tx, self.court, &log.tenant, seq)?;
        let whose = Whose { subject: None, hide: None };
        Ok((seq, item(self.tx, self.court, &log.tenant, &placed, log.checkpoint.size, &whose)?))
    }

    fn laws(&self, records: &Records, room: &mut Room<'_>) -> Result<Vec<LawFiles>, Failure> {
        let hashes: BTreeSet<LawHash> = records.headers.iter().flat_map(|h| h.law.into_iter().chain(h.guard_law)).collect();
        room.holds(hashes.len(), BUNDLE_LAWS_MAX, "laws")?;
        let files = |hash: LawHash| {
            let lost = || Failure::new(Code::StoreIntegrity, format!("the store lacks the law {hash}"));
            let row = self.tx.row(&law_sql::law(&hash))?.ok_or_else(lost)?;
            let mut files = law_sql::files_from(&row, 0)?;
            files.sort();
            let law = LawFiles { hash, files };
            room.law(&law)?;
            Ok(law)
        };
        hashes.into_iter().map(files).collect()
    }

    /// The keys of a log, each with the sizes for which it counts.
    fn keys(&self, origin: &str, tenant: &Tenant) -> Result<Vec<(NoteKey, u64, u64)>, Failure> {
        let named = |range: Range| {
            let key = NoteKey::new(origin, range.key).map_err(|e| Failure::new(Code::KeyInvalid, e.to_string()))?;
            Ok((key, range.from, range.to))
        };
        self.court.ring(self.tx)?.ranges(tenant).into_iter().map(named).collect()
    }
}

fn log(tenant: Tenant, note: &str) -> Result<Log, Failure> {
    Ok(Log { tenant, note: note.to_owned(), checkpoint: checkpoint_of(note)? })
}

/// A trust file that names one log, by each key that counts for one of these checkpoints, and asks for no witness. A key that
/// counts for none of them is not named: whoever has it could write what he likes.
pub(super) fn trust_of(origin: &str, ring: &KeyRing, sizes: &[(Tenant, u64)]) -> Result<String, Failure> {
    let counts = |key: &VerifyKey| sizes.iter().any(|(tenant, size)| ring.allows(key, tenant, *size));
    let keys = ring.keys().map(|(key, _)| key).filter(|key| counts(key));
    let lines = keys.map(|key| {
        let named = NoteKey::new(origin, key.clone()).map_err(|e| Failure::new(Code::KeyInvalid, e.to_string()))?;
        Ok(format!("log {named}\n"))
    });
    let logs = lines.collect::<Result<String, Failure>>()?;
    Ok(format!("# Take this key over another way than the evidence: whoever exported it wrote this file.\n{logs}quorum none\n"))
}
