//! Whether a store is what was last answered for: compared at start-up with the mark outside; and the way out, a new epoch.

use crate::court::epoch::marked_size;
use crate::court::keys::signed;
use crate::court::lock;
use crate::court::lost::Ended;
use crate::desk::Desk;
use crate::mark::{Marked, marked};
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use crate::work::{Job, KeyAct, NewEpoch};
use crate::{Engine, Failure, seal};
use hos_core::id::{Shown, Tenant};
use hos_core::limits::EPOCH_REASON_BYTES_MAX;
use hos_core::proof::checkpoint::{Checkpoint, Note, origin_parts};
use hos_core::proof::fork::Fork;
use hos_core::proof::keyring::KeyRing;
use hos_core::refusal::Code;
use std::collections::BTreeMap;

/// Why a log is not one that a checkpoint is of; nothing if it is.
fn lost(desk: &Desk, tx: &Tx<'_>, tenant: &Tenant, marked: &Marked) -> Result<Option<String>, Failure> {
    let (of, epoch, said) = (desk.court.of, marked.epoch, &marked.said);
    if epoch < of.epoch {
        return ended(desk, tx, tenant, marked);
    }
    let head = seal::head(tx, tenant, of)?;
    if epoch > of.epoch {
        return Ok(Some(format!("`{tenant}` was in epoch {epoch}, and the store is in epoch {}", of.epoch)));
    }
    if head.size < said.size {
        return Ok(Some(format!("`{tenant}` had {} entries, and has {}: its end is lost", said.size, head.size)));
    }
    let same = said.size == 0 || seal::root_at(tx, tenant, head.size, said.size)? == said.root;
    Ok((!same).then(|| not_those(tenant, said)))
}

/// The same of a checkpoint of an earlier epoch. What was lost then is said by the first record of the epoch that followed, and by
/// what it goes on from: a row alone says nothing, nor does a record that nobody has signed.
fn ended(desk: &Desk, tx: &Tx<'_>, tenant: &Tenant, marked: &Marked) -> Result<Option<String>, Failure> {
    let (epoch, said) = (marked.epoch, &marked.said);
    let ended = desk.court.ended(tx, &*desk.court.ring(tx)?, tenant, marked)?;
    Ok(match ended {
        Ended::Kept | Ended::Lost(_) => None,
        Ended::Goes => Some(format!("`{tenant}` was in epoch {epoch}, and no other one began")),
        Ended::Unrecorded(next) => Some(format!("`{tenant}` was in epoch {epoch}, and no record begins epoch {next}")),
        Ended::Unsigned(next) => Some(format!(
            "`{tenant}` had {} entries in epoch {epoch}, and epoch {next} began, of which no checkpoint is signed: until one is, it \
             excuses nothing",
            said.size
        )),
        Ended::Unsaid(next) if said.size > seal::head(tx, tenant, desk.court.of)?.size => Some(format!(
            "`{tenant}` had {} entries in epoch {epoch}, and epoch {next} does not say that they are lost",
            said.size
        )),
        Ended::Unsaid(_) => Some(not_those(tenant, said)),
    })
}

fn not_those(tenant: &Tenant, said: &Checkpoint) -> String {
    format!("the first {} entries of `{tenant}` are not those that were answered for", said.size)
}

/// Whether a new epoch may go on from this: the log does not have it, and no epoch that counts has begun since. One that nobody has signed
/// is gone on from as if it had not begun.
fn is_lost(desk: &Desk, tx: &Tx<'_>, tenant: &Tenant, marked: &Marked) -> Result<bool, Failure> {
    if marked.epoch < desk.court.of.epoch {
        let ended = desk.court.ended(tx, &*desk.court.ring(tx)?, tenant, marked)?;
        return Ok(matches!(ended, Ended::Unsigned(_)));
    }
    Ok(lost(desk, tx, tenant, marked)?.is_some())
}

impl Engine {
    /// Compares the store with its mark; what differs puts it into quarantine.
    pub(crate) fn compare_mark(&self) -> Result<(), Failure> {
        let desk = &self.0;
        let Some(mark) = &desk.court.mark else { return Ok(()) };
        let Some(marks) = mark.read(&desk.court.of.store)? else {
            let what = "there is no mark where one should be; `hos mark` writes it anew from the store as it stands";
            return Err(Failure::new(Code::StoreIntegrity, what));
        };
        let (why, excused) = desk.read(|tx| {
            let (mut why, mut excused) = (Vec::new(), Vec::new());
            let (known, ring) = (desk.court.tenants(tx)?, desk.court.ring(tx)?);
            for (tenant, marked) in &marks {
                if !known.contains(tenant) {
                    why.push(format!("`{tenant}` was a tenant of this store, and is none"));
                    continue;
                }
                why.extend(lost(desk, tx, tenant, marked)?);
                if let Ended::Lost(epoch) = desk.court.ended(tx, &ring, tenant, marked)? {
                    let size = marked.said.size;
                    excused.push(format!(
                        "the mark has `{tenant}` at size {size}, of entries that were lost, as epoch {epoch} says"
                    ));
                }
            }
            Ok((why, excused))
        })?;
        *lock(&desk.court.excused) = excused;
        *lock(&desk.court.quarantine) = Some(why.join("; ")).filter(|why| !why.is_empty());
        Ok(())
    }

    /// Why the store is only read, if that is so.
    pub fn quarantine(&self) -> Option<String> {
        lock(&self.0.court.quarantine).clone()
    }

    /// Writes the mark anew from the store as it stands: whoever does it says that this is the store.
    pub fn write_mark(&self) -> Result<usize, Failure> {
        let desk = &self.0;
        let unnamed = || Failure::new(Code::CallMalformed, "no mark is named: give --mark FILE, or set HOS_MARK");
        let mark = desk.court.mark.as_ref().ok_or_else(unnamed)?;
        let why = lock(&desk.court.quarantine).take();
        desk.sign_all();
        let notes: Vec<String> = lock(&desk.court.checkpoints).values().map(|signed| signed.note.to_string()).collect();
        // The mark that is there still says what it said.
        let written = mark.replace(&notes);
        if written.is_err() {
            *lock(&desk.court.quarantine) = why;
        }
        written?;
        Ok(notes.len())
    }

    /// Why the mark lags behind what was answered, where it could not be written. That takes back nothing of it, and whoever commits or
    /// closes next tries again; but a store that is put back meanwhile is not found behind its mark.
    pub fn mark_trouble(&self) -> Option<Failure> {
        self.0.court.mark.as_ref().and_then(|mark| mark.trouble())
    }

    /// Begins a new epoch: every log goes on from what is there, and its first record says what was lost. `lost` are
    /// checkpoints that the store's logs do not have any more, of its own epoch or of a later one that it was in before it was put
    /// back, or of the one before an epoch that nobody has signed; those of the mark are added. Answers the new epoch, which comes after
    /// all of them, with its first heads signed. Afterwards the store is opened anew.
    pub fn new_epoch(self, reason: &str, lost: &[String]) -> Result<u64, Failure> {
        let desk = &self.0;
        let wrong = |what: String| Failure::new(Code::CallMalformed, what);
        if reason.is_empty() || reason.len() > EPOCH_REASON_BYTES_MAX {
            return Err(wrong(format!("a reason has 1 to {EPOCH_REASON_BYTES_MAX} bytes")));
        }
        let marks = match &desk.court.mark {
            Some(mark) => mark.read(&desk.court.of.store)?.unwrap_or_default(),
            None => BTreeMap::new(),
        };
        let mut epoch = desk.court.of.epoch;
        let mut cited = BTreeMap::new();
        for note in lost {
            let (tenant, said) = marked(&desk.court.of.store, note).map_err(wrong)?;
            let is_marked = marks.get(&tenant).is_some_and(|marked| marked.note == *note);
            if !is_marked && !self.is_ours(&tenant, note)? {
                return Err(wrong(format!("the checkpoint of `{tenant}` is not signed by a key of this store")));
            }
            if !desk.read(|tx| is_lost(desk, tx, &tenant, &said))? {
                return Err(wrong(format!(
                    "nothing of `{}` at size {} is lost: the log has it",
                    said.said.origin, said.said.size
                )));
            }
            epoch = epoch.max(said.epoch);
            cited.insert(tenant, note.clone());
        }
        let size_of = |note: &str| marked_size(note).unwrap_or_default();
        for (tenant, marked) in marks {
            epoch = epoch.max(marked.epoch);
            let is_lost = desk.read(|tx| is_lost(desk, tx, &tenant, &marked))?;
            // The larger of two says what was lost with the smaller.
            if is_lost && cited.get(&tenant).is_none_or(|note| size_of(note) < marked.said.size) {
                cited.insert(tenant, marked.note);
            }
        }
        if cited.is_empty() {
            let what = "a new epoch begins with the checkpoint of what was lost: neither --lost nor a mark names a head that was";
            return Err(wrong(what.into()));
        }
        let tenants = self.tenants()?;
        if let Some(gone) = cited.keys().find(|tenant| !tenants.contains(tenant)) {
            // Its name is said in the reason's place by nobody: the operator must open it again, which is another log.
            return Err(wrong(format!("`{gone}` is no tenant of the store as it stands; it cannot go on")));
        }
        let epoch = epoch.checked_add(1).ok_or_else(|| wrong("no epoch comes after the one of the checkpoint".into()))?;
        // A change of key that nobody vouched for would keep the key in force from signing the epoch's heads.
        if let Some(begun) = self.unvouched()? {
            let act = KeyAct::Revoke(begun, BTreeMap::new(), format!("epoch {epoch} begins"));
            desk.submit_even_in_quarantine(Job::Key(act))?;
        }
        desk.submit_even_in_quarantine(Job::NewEpoch(NewEpoch { epoch, reason: reason.to_owned(), lost: cited }))?;
        // It counts from the first signature on. Where the signer does not answer, the store stays in quarantine by its mark until one
        // is there: a worker's, or one that is asked for when an epoch is begun again.
        *lock(&desk.court.quarantine) = None;
        desk.sign_all();
        desk.counted(Job::Flush)?;
        Ok(epoch)
    }

    /// Whether a note is of this log under a key of this store, at a size at which that key has its turn. A change of key that is not
    /// confirmed takes none away.
    fn is_ours(&self, tenant: &Tenant, note: &str) -> Result<bool, Failure> {
        let ring = self.0.read(|tx| self.0.court.ring(tx))?;
        Ok(signed(&KeyRing::clone(&ring).confirmed(), &self.0.court.of.store, tenant, note).is_some())
    }

    /// The proof that a log signed two histories: a checkpoint from outside and this store's own. Nothing if they agree, or if
    /// the one from outside is of more entries than there are.
    pub fn fork(&self, note: &str) -> Result<Option<Fork>, Failure> {
        let desk = &self.0;
        let invalid =
            |e: hos_core::proof::checkpoint::NoteError| Failure::new(Code::CallMalformed, format!("the checkpoint: {e}"));
        let said = Checkpoint::parse(Note::parse(note.as_bytes()).map_err(invalid)?.text()).map_err(invalid)?;
        let parts = origin_parts(&said.origin).filter(|(store, ..)| *store == desk.court.of.store);
        let (_, tenant, epoch) = parts
            .ok_or_else(|| Failure::new(Code::CallMalformed, format!("`{}` is no log of this store", Shown(&said.origin))))?;
        if epoch != desk.court.of.epoch || said.size == 0 || !self.is_ours(&tenant, note)? {
            return Ok(None);
        }
        let known = lock(&desk.court.checkpoints).get(&tenant).map(|signed| (signed.size, signed.note.to_string()));
        desk.read(|tx| {
            let stored = tx.row(&sql::checkpoint(&tenant))?.map(|row| Ok::<_, Failure>((row.uint(0)?, row.text(1)?.to_owned())));
            let own = known.into_iter().chain(stored.transpose()?).max();
            let Some((size, own)) = own.filter(|(size, own)| *size >= said.size && own != note) else { return Ok(None) };
            let root = seal::root_at(tx, &tenant, size, said.size)?;
            if root == said.root {
                return Ok(None);
            }
            let proof = desk.court.consistency(tx, &tenant, said.size, size)?;
            Ok(Some(Fork { root, proof, smaller: note.to_owned(), larger: own }))
        })
    }
}
