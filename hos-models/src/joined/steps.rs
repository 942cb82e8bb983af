//! What hosts and sealers do, step by step.

use super::{Entry, Fault, Host, Joined, Record, Sealer, State};

impl Joined {
    pub(super) fn host(&self, state: &mut State, h: usize) {
        let call = self.calls[h];
        match state.hosts[h].0 {
            Host::Outside => {
                if self.fault != Some(Fault::OnceUnclaimed) {
                    state.once.push((call.key, h));
                }
                state.hosts[h].1 -= 1;
                match state.records.iter().find(|record| record.key == call.key) {
                    // It has happened: that record is the answer.
                    Some(record) => state.end(h, Host::Answered(record.pos)),
                    None => state.hosts[h].0 = Host::Once,
                }
            }
            Host::Once => {
                let n = call.thread.map_or(0, |thread| {
                    if self.fault != Some(Fault::InstanceUnclaimed) {
                        state.instances.push((thread, h));
                    }
                    state.records.iter().filter(|record| record.thread == Some(thread)).count() as u8
                });
                state.hosts[h].0 = Host::Claimed(n);
            }
            Host::Claimed(n) => {
                let record = Record { pos: state.next, key: call.key, thread: call.thread, n };
                state.next += 1;
                state.hosts[h].0 = Host::Written(record);
            }
            Host::Written(record) => {
                state.records.push(record);
                state.queue.push(record.pos);
                state.queue.sort_unstable();
                state.end(h, Host::Answered(record.pos));
            }
            Host::Answered(_) => {}
        }
    }

    pub(super) fn may_go_on(&self, state: &State, h: usize) -> bool {
        let call = self.calls[h];
        match state.hosts[h] {
            (Host::Outside, tries) => tries > 0 && state.once.iter().all(|(key, _)| *key != call.key),
            (Host::Once, _) => state.instances.iter().all(|(thread, _)| Some(*thread) != call.thread),
            (Host::Claimed(_) | Host::Written(_), _) => true,
            (Host::Answered(_), _) => false,
        }
    }

    /// What a sealer takes, as it is committed now.
    fn queued(&self, state: &State) -> Vec<Record> {
        let last = state.log.iter().map(|entry| entry.pos).max();
        let is_taken = |record: &Record| match self.fault {
            Some(Fault::GreaterThanLast) => last.is_none_or(|last| record.pos > last),
            _ => state.queue.contains(&record.pos),
        };
        let mut taken: Vec<Record> = state.records.iter().copied().filter(is_taken).collect();
        taken.sort_unstable_by_key(|record| record.pos);
        taken.truncate(self.limit.into());
        taken
    }

    pub(super) fn seal(&self, state: &mut State, s: usize) {
        let me = self.calls.len() + s;
        let early = self.fault == Some(Fault::ReadBeforeLock);
        match state.sealers[s].0.clone() {
            Sealer::Idle => {
                state.sealers[s].1 -= 1;
                if early {
                    state.sealers[s].0 = Sealer::Read(self.queued(state));
                } else {
                    state.head = Some(me);
                    state.sealers[s].0 = Sealer::Locked;
                }
            }
            Sealer::Locked => {
                let batch = self.queued(state);
                if batch.is_empty() {
                    state.head = None;
                    state.sealers[s].0 = Sealer::Idle;
                    return;
                }
                if self.fault == Some(Fault::SignBeforeCommit) {
                    let mut after = state.clone();
                    after.append(&batch);
                    state.sign(after.roots(after.log.len()));
                }
                state.sealers[s].0 = Sealer::Read(batch);
            }
            Sealer::Read(batch) => {
                state.append(&batch);
                state.head = None;
                state.sealers[s].0 = Sealer::Committed(state.log.len());
            }
            Sealer::Committed(size) => {
                state.sign(state.roots(size));
                state.sealers[s].0 = Sealer::Idle;
            }
        }
    }

    pub(super) fn may_seal(&self, state: &State, s: usize) -> bool {
        let early = self.fault == Some(Fault::ReadBeforeLock);
        match &state.sealers[s] {
            // A sealer that finds nothing to do would only add states.
            (Sealer::Idle, rounds) => *rounds > 0 && (early || state.head.is_none()) && !self.queued(state).is_empty(),
            (Sealer::Read(_), _) if early => state.head.is_none(),
            _ => true,
        }
    }

    /// The log when everybody is cut off now, and one sealer does what is left.
    pub(super) fn in_the_end(&self, state: &State) -> Vec<Entry> {
        let mut state = state.clone();
        loop {
            let batch = self.queued(&state);
            if batch.is_empty() {
                return state.log;
            }
            state.append(&batch);
        }
    }
}

impl State {
    /// A host's transaction is over.
    pub(super) fn end(&mut self, h: usize, host: Host) {
        self.once.retain(|(_, by)| *by != h);
        self.instances.retain(|(_, by)| *by != h);
        self.hosts[h].0 = host;
    }

    fn append(&mut self, batch: &[Record]) {
        for record in batch {
            // A record of a stream gets its n when it is sealed.
            let streamed = || self.log.iter().filter(|entry| entry.thread.is_none()).count() as u8;
            let n = if record.thread.is_some() { record.n } else { streamed() };
            self.log.push(Entry { pos: record.pos, thread: record.thread, n });
            self.queue.retain(|pos| *pos != record.pos);
        }
    }

    pub(super) fn roots(&self, size: usize) -> Vec<u8> {
        self.log.iter().take(size).map(|entry| entry.pos).collect()
    }

    fn sign(&mut self, root: Vec<u8>) {
        if let Err(place) = self.signed.binary_search(&root) {
            self.signed.insert(place, root);
        }
    }
}
