//! The map of heads, made anew from the log at each of its records, and compared (`spec/heads.md`).

use super::Pass;
use hos_core::digest;
use hos_core::id::{Handle, MapKey, Tenant};
use hos_core::proof::chain::Threads;
use hos_core::proof::heads::{Head, HeadKind, HeadsBuilder};
use hos_core::proof::record::Kind;
use hos_core::proof::view::HeaderView;
use std::collections::{HashMap, HashSet};

/// What a map needs beside where each thread stands.
#[derive(Default)]
pub(super) struct Heads {
    /// The keys of instances whose births bear a label.
    labels: HashMap<Handle, MapKey>,
    /// Which thread bears a label, to see a second one.
    bearers: HashMap<MapKey, Handle>,
    /// Threads whose last record is an erasure.
    erased: HashSet<Handle>,
}

impl Heads {
    /// Holds a record of the map against the entries before it, which are those that `threads` knows.
    pub(super) fn hold(&self, pass: &mut Pass<'_>, tenant: &Tenant, seq: u64, threads: &Threads, content: Option<&[u8]>) {
        let at = format!("tenant {tenant}, seq {seq}");
        let Some((size, count, root)) = content.and_then(crate::court::heads::decode_heads) else {
            return pass.findings.add(at, "a record of the map of heads that says nothing");
        };
        if size != seq {
            pass.findings.add(at.clone(), format!("the map of heads is of {size} entries and stands at {seq}"));
        }
        let mut builder = HeadsBuilder::default();
        for (thread, n, last) in threads.iter() {
            let key = self.labels.get(&thread).copied().unwrap_or_else(|| digest::heads_thread(tenant, &thread));
            let kind = if self.erased.contains(&thread) { HeadKind::Erased } else { HeadKind::Live };
            builder.push(&Head { key, kind, thread, n, last });
        }
        match builder.finish() {
            Err(error) => pass.findings.add(at, error.to_string()),
            Ok(map) if (map.len() as u64, map.root()) != (count, root) => {
                pass.findings.add(at, "the map of heads is another than the log's");
            }
            Ok(_) => {}
        }
    }

    /// Takes a record that moved its thread.
    pub(super) fn take(&mut self, pass: &mut Pass<'_>, tenant: &Tenant, seq: u64, header: &HeaderView<'_>) {
        if let Some(label) = header.label {
            if self.bearers.insert(label, header.thread).is_some_and(|other| other != header.thread) {
                pass.findings.add(format!("tenant {tenant}, seq {seq}"), "a second birth bears the label of an instance");
            }
            self.labels.insert(header.thread, label);
        }
        if header.kind == Kind::Erased && header.n.is_some() {
            self.erased.insert(header.thread);
        } else {
            self.erased.remove(&header.thread);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::court::heads::{decode_heads, encode_heads};
    use hos_core::id::MapHash;

    #[test]
    fn what_a_record_of_the_map_says_is_read_again() {
        let root = MapHash([7; 32]);
        assert_eq!(decode_heads(&encode_heads(3, 2, &root)), Some((3, 2, root)));
        for broken in [&[][..], &[0x83], &[0x80], &[0x83, 3, 2, 0x41, 1]] {
            assert_eq!(decode_heads(broken), None);
        }
    }
}
