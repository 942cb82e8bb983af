//! The signer of an open store, and what it did not sign: notes over heads, made by whoever is asked.

use crate::Failure;
use crate::court::{Court, lock};
use crate::ports::{Growth, Signer, Unsigned};
use crate::seal::{self, Heads};
use crate::store::sql::evidence::Head;
use hos_core::id::Tenant;
use hos_core::proof::key::VerifyKey;
use hos_core::refusal::Code;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// After a signer that is elsewhere failed, calls are answered without it for so long: none waits for one that hangs.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a caller waits for its turn at a signer that is elsewhere.
const TURN: Duration = Duration::from_secs(10);

/// A signed checkpoint.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) size: u64,
    pub(crate) note: Arc<str>,
    /// The size of the checkpoint that the store has.
    pub(crate) stored: u64,
}

/// A checkpoint is stored when the log has grown so far beyond the stored one. What a crash leaves unstored is signed again,
/// byte for byte; receipts carry their own.
const CHECKPOINT_EVERY: u64 = 64;

impl Signed {
    /// Whether it is to be stored with the next commit.
    pub(super) fn is_due(&self, flush: bool) -> bool {
        self.size > self.stored && (flush || self.size - self.stored >= CHECKPOINT_EVERY)
    }
}

/// Who signs, and how that went.
pub(crate) struct Signing {
    /// Who signs, and the key that must have signed; a signature of another never leaves.
    holder: RwLock<(Arc<dyn Signer>, VerifyKey)>,
    /// What went wrong with a tenant's newest head.
    failed: Mutex<BTreeMap<Tenant, String>>,
    /// Heads that were signed when the store was opened: the size that was stored, and the size signed.
    late: Mutex<BTreeMap<Tenant, (u64, u64)>>,
    /// How many heads were signed and not yet told of.
    signed: AtomicU64,
    pause: Mutex<Option<Instant>>,
    turn: Mutex<()>,
}

impl Signing {
    pub(crate) fn new(signer: Arc<dyn Signer>, public: VerifyKey) -> Self {
        Self {
            holder: RwLock::new((signer, public)),
            failed: Mutex::default(),
            late: Mutex::default(),
            signed: AtomicU64::new(0),
            pause: Mutex::default(),
            turn: Mutex::default(),
        }
    }

    /// Notes that entries from this size on were signed only when the store was opened, or are not signed by who only reads. Where
    /// there are none, nothing is noted.
    pub(crate) fn late(&self, tenant: &Tenant, stored: u64, size: u64) {
        if size > stored {
            lock(&self.late).insert(tenant.clone(), (stored, size));
        }
    }

    /// Takes how many heads were signed since this was last asked, or since the store was opened.
    pub(crate) fn take_signed(&self) -> u64 {
        self.signed.swap(0, Ordering::Relaxed)
    }

    /// The public half of the key that signs now.
    pub(crate) fn public(&self) -> VerifyKey {
        self.holder().1
    }

    fn holder(&self) -> (Arc<dyn Signer>, VerifyKey) {
        self.holder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another signer from here on.
    pub(crate) fn replace(&self, signer: Arc<dyn Signer>, public: VerifyKey) {
        *self.holder.write().unwrap_or_else(PoisonError::into_inner) = (signer, public);
        lock(&self.failed).clear();
        *lock(&self.pause) = None;
    }

    /// A note over a head, whatever head it is: who asks has seen that the key has its turn.
    pub(crate) fn note(&self, growth: &Growth<'_>) -> Result<String, Unsigned> {
        let (signer, public) = self.holder();
        let signature = signer.ask(growth)?;
        let wrong = |e| Failure::new(Code::SignerFailed, format!("what the signer gave is no signature of its key: {e}"));
        // After a change of key that was cut short, who signs may hold another key than the one that counts.
        let is_its_own = signer.holds_key() && signer.public().is_ok_and(|key| key == public);
        let note =
            if is_its_own { growth.checkpoint.noted(&public, &signature) } else { growth.checkpoint.signed(&public, &signature) };
        Ok(note.map_err(wrong)?)
    }

    /// Whether whoever commits signs; see [`Signer::is_here`].
    pub(crate) fn is_here(&self) -> bool {
        self.holder().0.is_here()
    }

    /// Whether calls are answered without the signer for a while.
    pub(crate) fn is_paused(&self) -> bool {
        lock(&self.pause).is_some_and(|until| Instant::now() < until)
    }

    /// The signer did not answer: nobody waits for it for a while.
    pub(crate) fn hold(&self) {
        *lock(&self.pause) = Some(Instant::now() + PAUSE);
    }

    /// The heads that could not be signed, and why.
    pub(crate) fn failures(&self) -> BTreeMap<Tenant, String> {
        lock(&self.failed).clone()
    }

    /// A turn at the signer. Bounded: in a forked child the turn may be held by a thread that is not there.
    fn turn(&self) -> Result<MutexGuard<'_, ()>, Failure> {
        let until = Instant::now() + TURN;
        loop {
            match self.turn.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_micros(200)),
                Err(TryLockError::WouldBlock) => return Err(Failure::new(Code::SignerFailed, "the signer is busy")),
            }
        }
    }

    /// Says why a tenant's newest head could not be signed.
    pub(crate) fn owes(&self, tenant: &Tenant, why: &str) {
        lock(&self.failed).insert(tenant.clone(), why.to_owned());
    }

    fn tell(&self, tenant: &Tenant, result: &Result<String, Unsigned>) {
        match result {
            Ok(_) => {
                lock(&self.failed).remove(tenant);
                *lock(&self.pause) = None;
            }
            Err(Unsigned::Failed(failure)) => {
                self.owes(tenant, &failure.message);
                if failure.code == Code::SignerFailed {
                    self.hold();
                }
            }
            // It has answered: what is wrong with this head keeps no other from being signed.
            Err(Unsigned::Refused(_)) => {}
        }
    }
}

impl Court {
    /// Whether this process has a checkpoint of a tenant that covers so many entries.
    pub(crate) fn covers(&self, tenant: &Tenant, size: u64) -> bool {
        lock(&self.checkpoints).get(tenant).is_some_and(|signed| signed.size >= size)
    }

    /// Says that a tenant's newest head bears no checkpoint, if that is so, and why.
    pub(crate) fn unsigned(&self, tenant: &Tenant, size: u64) -> Option<String> {
        // Who only reads says more of it ([`Self::signed_late`]).
        if size == 0 || self.reading || self.covers(tenant, size) {
            return None;
        }
        let why = lock(&self.signing.failed).get(tenant).map_or_else(String::new, |why| format!(": {why}"));
        Some(format!("the newest head of `{tenant}` ({size} entries) bears no checkpoint{why}"))
    }

    /// Says which entries no signature that was stored covered when the store was opened, if there were some: an end that was lost in a
    /// crash, or one that somebody wrote who has no key. Only a checkpoint from outside tells them apart.
    pub(crate) fn signed_late(&self, tenant: &Tenant) -> Option<String> {
        let (from, to) = *lock(&self.signing.late).get(tenant)?;
        Some(if self.reading {
            format!(
                "entries {from} to {to} of `{tenant}` bear no stored checkpoint; whoever opens the store to write signs them as they stand"
            )
        } else {
            format!(
                "entries {from} to {to} of `{tenant}` bore no stored checkpoint when the store was opened, and were signed as they stood"
            )
        })
    }

    /// Signs the head of every tenant that grew, where the signer is here. A signature that fails leaves receipts without
    /// checkpoint, no more. `plainly`: the universe's log ends with a record that was just written and is none of keys; else its head is
    /// left for who looks at the record first ([`Self::ends_plainly`]).
    pub(crate) fn sign_heads(&self, heads: &Heads, plainly: bool) {
        if !self.signing.is_here() {
            return;
        }
        for (tenant, head) in heads {
            if head.size > 0 && !self.covers(tenant, head.size) && (plainly || !tenant.is_universe()) {
                // A signer that is here asks for no proof.
                let _ = self.sign(tenant, head, &|_| Err(Failure::new(Code::Internal, "no proof was made")));
            }
        }
    }

    /// Signs one head, whoever the signer is. COMMIT POINT: only what is committed may be signed; a crash before this leaves
    /// a log without its newest checkpoint, which the next start or round of work makes. Whether a head that is refused is owed, or has
    /// been overtaken, is for who asked to see.
    pub(crate) fn sign(
        &self,
        tenant: &Tenant,
        head: &Head,
        proof: &dyn Fn(u64) -> Result<Vec<hos_core::id::TreeHash>, Failure>,
    ) -> Result<(), Unsigned> {
        if head.size == 0 || self.covers(tenant, head.size) {
            return Ok(());
        }
        let _turn = if self.signing.is_here() { None } else { Some(self.signing.turn()?) };
        if self.covers(tenant, head.size) {
            return Ok(());
        }
        let checkpoint = seal::checkpoint(self.of, tenant, head);
        let turn = self.has_turn(tenant, head.size).map_err(Unsigned::from);
        let note = turn.and_then(|()| self.signing.note(&Growth { checkpoint: &checkpoint, proof }));
        self.signing.tell(tenant, &note);
        let note = note?;
        let mut checkpoints = lock(&self.checkpoints);
        let known = checkpoints.get(tenant);
        if known.is_none_or(|signed| signed.size < head.size) {
            let stored = known.map_or(0, |signed| signed.stored);
            checkpoints.insert(tenant.clone(), Signed { size: head.size, note: Arc::from(note), stored });
            self.signing.signed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
