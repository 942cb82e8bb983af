//! A tenant's log that grows: entries, tree, where each thread ends.

use super::record::{PartOf, Rec, heads_content, slice};
use super::{drawn, log_key, seal_key, store};
use hos_core::digest::{commitment, entry_hash, heads_thread, record_hash, tree_leaf};
use hos_core::id::*;
use hos_core::proof::bundle::{HeadsProof, Item, Opening, Withheld};
use hos_core::proof::chain::{Dispute, LogHead, Threads};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::heads::{Head, HeadKind, HeadsBuilder, HeadsMap};
use hos_core::proof::key::SealKey;
use hos_core::proof::record::*;
use hos_core::proof::tree::{node_from_tiles, prove_inclusion};
use hos_core::time::Timestamp;
use std::collections::BTreeMap;

/// A record in its place.
#[derive(Clone)]
pub struct Placed {
    pub name: String,
    pub thread: Handle,
    pub seq: u64,
    pub hash: RecordHash,
    pub entry: Vec<u8>,
    pub opened: Vec<Opening>,
    pub withheld: Vec<Withheld>,
}

/// A log from its genesis.
#[derive(Clone)]
pub struct LogMaker {
    pub tenant: Tenant,
    pub epoch: u64,
    pub seed: [u8; 32],
    pub placed: Vec<Placed>,
    head: LogHead,
    threads: Threads,
    heads: BTreeMap<Handle, Head>,
    /// Which thread came first with a key.
    firsts: BTreeMap<MapKey, Handle>,
    leaves: Vec<TreeHash>,
}

impl LogMaker {
    pub fn new(tenant: Tenant, epoch: u64) -> Self {
        Self {
            head: LogHead::genesis(store(), epoch, tenant.clone(), b""),
            tenant,
            epoch,
            seed: drawn("seal-key", 0),
            placed: Vec::new(),
            threads: Threads::default(),
            heads: BTreeMap::new(),
            firsts: BTreeMap::new(),
            leaves: Vec::new(),
        }
    }

    pub fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub fn key(&self) -> NoteKey {
        log_key(&self.tenant, self.epoch)
    }

    pub fn seal_key(&self) -> SealKey {
        SealKey::from_seed(&self.seed)
    }

    /// Puts a record behind the last; gives its hash.
    pub fn put(&mut self, name: &str, mut rec: Rec) -> RecordHash {
        let place = self.threads.next(&rec.header.thread);
        let stream = rec.stream.then_some((place.n, place.prev));
        rec.header.tenant = self.tenant.clone();
        (rec.header.n, rec.header.prev) = if rec.stream { (None, None) } else { (Some(place.n), place.prev) };
        // A record that is not its thread's first bears no label, whatever story it is put into.
        rec.header.label = rec.header.label.filter(|_| rec.header.n == Some(0));
        if let Some(judged) = &rec.slice {
            rec.parts.push(PartOf { slot: Slot::Slice, index: 0, plaintext: slice(judged), withheld: None });
        }
        rec.parts.sort_by_key(|part| (part.slot, part.index));
        let salted: Vec<([u8; 32], &PartOf)> = (0..).map(|i| drawn(&format!("salt of {name}"), i)).zip(&rec.parts).collect();
        rec.header.parts = salted
            .iter()
            .map(|(salt, p)| PartRef { slot: p.slot, index: p.index, commitment: commitment(salt, &p.plaintext) })
            .collect();
        let opened = salted.iter().filter(|(_, p)| p.withheld.is_none()).map(|(salt, p)| Opening {
            slot: p.slot,
            index: p.index,
            salt: *salt,
            plaintext: p.plaintext.clone(),
        });
        let opened = opened.collect();
        let withheld =
            rec.parts.iter().filter_map(|p| Some(Withheld { slot: p.slot, index: p.index, why: p.withheld? })).collect();
        let (thread, told) = (rec.header.thread, rec.header.kind);
        if let Some(bend) = &rec.bent_header {
            bend(&mut rec.header);
        }
        let mut header = rec.header.encode().unwrap();
        if let Some(bend) = &rec.bent_header_bytes {
            bend(&mut header);
        }
        let hash = record_hash(&header);
        let dispute = rec.disputed.map(|number| Dispute::from_number(number).unwrap());
        let good = self.head.next(Timestamp(rec.header.time.0 + 7), stream, dispute, header);
        let mut entry = good.clone();
        if let Some(bend) = &rec.bent_entry {
            bend(&mut entry);
        }
        let mut bytes = entry.encode().unwrap();
        if let Some(bend) = &rec.bent_entry_bytes {
            bend(&mut bytes);
        }
        let placed = Placed { name: name.to_owned(), thread, seq: good.seq, hash, entry: bytes, opened, withheld };
        if !rec.lost {
            self.advance(told, rec.header.label, place.n, &placed);
            self.head.advance(&good, entry_hash(&placed.entry));
            self.leaves.push(tree_leaf(&placed.entry));
        }
        self.placed.push(placed);
        hash
    }

    /// The map is told of a record's kind as it was before it was bent.
    fn advance(&mut self, kind: Kind, label: Option<MapKey>, n: u64, placed: &Placed) {
        let Placed { thread, hash, .. } = placed;
        let kind = if kind == Kind::Erased { HeadKind::Erased } else { HeadKind::Live };
        let key = match (self.heads.get(thread), label) {
            (Some(head), _) => head.key,
            (None, Some(label)) => label,
            (None, None) => heads_thread(&self.tenant, thread),
        };
        self.threads.advance(*thread, n, *hash);
        self.firsts.entry(key).or_insert(*thread);
        self.heads.insert(*thread, Head { key, kind, thread: *thread, n, last: *hash });
    }

    /// The map of all threads. Of two threads with one key, the first is in it.
    pub fn map(&self) -> HeadsMap {
        let mut builder = HeadsBuilder::default();
        self.heads.values().filter(|head| self.firsts[&head.key] == head.thread).for_each(|head| builder.push(head));
        builder.finish().unwrap()
    }

    /// Where a thread ends. Of one that is not there, something that no map has.
    pub fn head(&self, thread: &Handle) -> Head {
        let none = Head {
            key: heads_thread(&self.tenant, thread),
            kind: HeadKind::Live,
            thread: *thread,
            n: 0,
            last: RecordHash([0; 32]),
        };
        self.heads.get(thread).copied().unwrap_or(none)
    }

    /// What a record of the map of heads says here.
    pub fn heads_content(&self) -> Vec<u8> {
        let map = self.map();
        heads_content(self.size(), map.len() as u64, &map.root())
    }

    pub fn place_of(&self, name: &str) -> usize {
        self.placed.iter().position(|placed| placed.name == name).unwrap_or_else(|| panic!("no record {name}"))
    }

    pub fn hash_of(&self, name: &str) -> RecordHash {
        self.placed[self.place_of(name)].hash
    }

    pub fn proof(&self, place: u64) -> Vec<TreeHash> {
        let width = 256;
        let tiles = |level: u8, index: u64| -> Option<Vec<TreeHash>> {
            // Tiles of the lowest level are leaves; those above hold the roots of full ones.
            let of = |leaves: &[TreeHash]| hos_core::proof::tree::complete_root(leaves);
            match level {
                0 => {
                    let start = usize::try_from(index).ok()?.checked_mul(width)?;
                    let end = (start + width).min(self.leaves.len());
                    self.leaves.get(start..end).map(<[_]>::to_vec)
                }
                1 if index == 0 => self.leaves.chunks_exact(width).map(of).collect(),
                _ => None,
            }
        };
        let nodes = |level: u8, index: u64| node_from_tiles(level, index, &tiles);
        prove_inclusion(place, self.size(), &nodes).unwrap_or_default()
    }

    /// A record with its proof and what of it is shown.
    pub fn item(&self, place: usize) -> Item {
        let Placed { entry, seq, opened, withheld, .. } = self.placed[place].clone();
        Item { entry, proof: self.proof(seq), opened, withheld }
    }

    /// The records of a thread.
    pub fn thread(&self, thread: &Handle) -> Vec<(u64, Item)> {
        let places = self.placed.iter().enumerate().filter(|(_, placed)| placed.thread == *thread).map(|(place, _)| place);
        places.map(|place| (self.placed[place].seq, self.item(place))).collect()
    }

    /// The proof of a thread's end in the map as it was before the record of heads.
    pub fn heads_proof(&self, map: &HeadsMap, head: &Head, record: usize) -> HeadsProof {
        let siblings = map.way(&head.key).siblings;
        HeadsProof { item: self.item(record), kind: head.kind, n: head.n, last: head.last, siblings }
    }

    pub fn checkpoint(&self) -> Checkpoint {
        let mut frontier = hos_core::proof::tree::Frontier::default();
        self.leaves.iter().for_each(|leaf| frontier.append_leaf(*leaf));
        Checkpoint { origin: self.key().name().to_owned(), size: self.size(), root: frontier.root(), extensions: Vec::new() }
    }

    pub fn note(&self) -> String {
        self.checkpoint().sign(&seal_key()).unwrap()
    }
}
