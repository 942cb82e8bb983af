//! Checkpoints that others vouch for too: what witnesses are asked, and what is kept of their answers. Who carries the question to
//! them is a shell's business.
//!
//! 1. Each tenant's checkpoint that moved is recorded in the universe's log. COMMIT POINT of the records: after a crash here nothing
//!    was asked; who asks again finds them recorded, and writes none twice.
//! 2. The universe's log is sealed and its head signed.
//! 3. The witnesses are asked, outside of any transaction: nobody waits for them but the caller.
//! 4. What they signed is kept. A crash before this loses lines that the witnesses give again.

use crate::court::{cosigned, lock, roots};
use crate::seal::checkpoint_of;
use crate::tenant::TenantRef;
use crate::work::{Done, Job, Keep};
use crate::{CosignedNote, Engine, Failure};
use hos_core::id::{Tenant, TreeHash};
use hos_core::proof::checkpoint::{Note, WitnessKey, origin_parts};
use hos_core::proof::roots::TenantRoot;
use hos_core::proof::trust::{Trust, Vouching};
use hos_core::proof::witness::with_cosignature;
use hos_core::refusal::Code;

/// How many tenants' roots one commit records.
const STEP: usize = 256;
/// How often an export tries to be as new as what others record meanwhile.
const TRIES: usize = 3;

/// A consistency proof from a smaller size.
pub type Proof<'p> = dyn Fn(u64) -> Result<Vec<TreeHash>, Failure> + 'p;
/// Has a checkpoint cosigned: the note, the proofs that may be asked for, the note with the cosignatures behind it.
pub type Cosign<'c> = dyn Fn(&str, &Proof<'_>) -> Result<String, Failure> + 'c;

/// Whose cosignatures are wanted, and how they are asked for.
pub struct Witnessing<'w> {
    /// The witnesses and the quorum.
    pub trust: &'w Trust,
    /// Asks those who have not signed the note yet.
    pub ask: &'w Cosign<'w>,
}

/// A checkpoint with what witnesses signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Whose log.
    pub tenant: Tenant,
    /// How many entries.
    pub size: u64,
    /// The whole note.
    pub note: String,
    /// How many tenants' roots were recorded before it was asked for.
    pub recorded: u64,
}

impl Engine {
    /// Has the whole store's checkpoint cosigned: the universe's, after the checkpoint of every tenant that moved is recorded there.
    pub fn cosigned(&self, by: &Witnessing<'_>) -> Result<Cosigned, Failure> {
        let recorded = self.record_roots()?;
        let universe = self.tenant(Tenant::UNIVERSE)?;
        let note = universe.sealed_and_signed()?;
        let note = universe.cosign(&note, by)?;
        Ok(Cosigned { tenant: universe.name, size: checkpoint_of(&note)?.size, note, recorded })
    }

    /// The cosigned checkpoints that are kept, by log and size, as they are stored: what holds of them [`Engine::verify`] says.
    pub fn cosigned_notes(&self) -> Result<Vec<CosignedNote>, Failure> {
        let mut notes = Vec::new();
        for tenant in self.tenants()? {
            for one in self.0.read(|tx| cosigned::of(tx, &tenant))? {
                let named = one.witnesses.lines().filter_map(|line| WitnessKey::parse(line).ok());
                let witnesses = named.map(|key| key.to_string()).collect();
                notes.push(CosignedNote { tenant: tenant.to_string(), size: one.size, witnesses, note: one.note });
            }
        }
        Ok(notes)
    }

    /// The first step alone; says how many were written.
    #[doc(hidden)]
    pub fn record_roots(&self) -> Result<u64, Failure> {
        let mut moved = Vec::new();
        for tenant in self.tenants()?.into_iter().filter(|tenant| !tenant.is_universe()) {
            let tenant = TenantRef { desk: self.0.clone(), name: tenant };
            tenant.seal()?;
            let Some(note) = tenant.checkpoint()? else { continue };
            let root = root_of(&note)?;
            let before = self.0.read(|tx| roots::recorded(tx, &tenant.name))?;
            if before.is_none_or(|(size, _)| size < root.size) {
                moved.push(root);
            }
        }
        for some in moved.chunks(STEP) {
            self.0.submit(Job::Roots(some.to_vec()))?;
        }
        Ok(moved.len() as u64)
    }
}

impl TenantRef {
    /// Has the newest checkpoint of this log alone cosigned; none of an empty log.
    pub fn cosigned(&self, by: &Witnessing<'_>) -> Result<Option<Cosigned>, Failure> {
        let Some(note) = self.checkpoint()? else { return Ok(None) };
        let note = self.cosign(&note, by)?;
        Ok(Some(Cosigned { tenant: self.name.clone(), size: checkpoint_of(&note)?.size, note, recorded: 0 }))
    }

    /// Notes for an export that enough witnesses vouch for: the tenant's, the universe's, and where that says the tenant's.
    /// The universe's witnesses are asked first, for one answer of theirs serves every tenant.
    pub(crate) fn vouched(&self, by: &Witnessing<'_>) -> Result<Vouched, Failure> {
        let note = self.kept(&self.signed(&self.name)?, by.trust)?;
        let own = vouching(by.trust, &note)?;
        if self.name.is_universe() {
            let note = if by.trust.is_met(&own) { note } else { self.cosign(&note, by)? };
            return enough(by.trust, &vouching(by.trust, &note)?).map(|()| Vouched { note, universe: None });
        }
        let above = TenantRef { desk: self.desk.clone(), name: Tenant::universe() };
        if by.trust.is_met(&own) {
            return Ok(Vouched { note, universe: Some((above.sealed_and_signed()?, None)) });
        }
        let (note, n) = self.recorded(note, by.trust)?;
        let mut universe = above.kept(&above.sealed_and_signed()?, by.trust)?;
        let both = |note: &str, universe: &str| Ok::<_, Failure>(vouching(by.trust, note)?.or(&vouching(by.trust, universe)?));
        if !by.trust.is_met(&both(&note, &universe)?) {
            universe = above.cosign(&universe, by)?;
        }
        let note = if by.trust.is_met(&both(&note, &universe)?) { note } else { self.cosign(&note, by)? };
        enough(by.trust, &both(&note, &universe)?)?;
        Ok(Vouched { note, universe: Some((universe, Some(n))) })
    }

    /// Records the root of the newest checkpoint; gives that checkpoint and the record's place. Where others record newer ones
    /// meanwhile, it follows them.
    fn recorded(&self, mut note: String, trust: &Trust) -> Result<(String, u64), Failure> {
        for _ in 0..TRIES {
            match self.desk.submit(Job::Roots(vec![root_of(&note)?]))? {
                Done::Roots(places) => {
                    if let Some(n) = places.into_iter().next().flatten() {
                        return Ok((note, n));
                    }
                }
                _ => return Err(Failure::new(Code::Internal, "roots came to something else than places")),
            }
            note = self.kept(&self.signed(&self.name)?, trust)?;
        }
        Err(Failure::new(
            Code::Retry,
            format!("the log of `{}` grows faster than its checkpoint is recorded: ask again", self.name),
        ))
    }

    /// Has a checkpoint cosigned, beginning with the lines that are kept; keeps what comes of it.
    fn cosign(&self, note: &str, by: &Witnessing<'_>) -> Result<String, Failure> {
        let size = checkpoint_of(note)?.size;
        let before = self.kept(note, by.trust)?;
        let cosigned = (by.ask)(&before, &|from| self.consistency(from, size))?;
        // Whoever cosigns adds lines; what the log says and signed stays as it is.
        if !cosigned.starts_with(&before) || checkpoint_of(&cosigned)? != checkpoint_of(note)? {
            return Err(Failure::new(Code::Internal, "the cosigned checkpoint is another one"));
        }
        let parsed = Note::parse(cosigned.as_bytes()).map_err(broken)?;
        let signed = |(_, key, _): (String, &WitnessKey, Option<&str>)| match key.vouches(&parsed) {
            Ok(true) => Some(Ok(key.clone())),
            Ok(false) => None,
            Err(error) => Some(Err(broken(error))),
        };
        let witnesses: Vec<WitnessKey> = by.trust.witnesses().filter_map(signed).collect::<Result<_, _>>()?;
        if cosigned != before && !witnesses.is_empty() {
            let (tenant, note, trust) = (self.name.clone(), cosigned.clone(), by.trust.clone());
            self.desk.counted(Job::Keep(Box::new(Keep { tenant, size, note, witnesses, trust })))?;
        }
        Ok(cosigned)
    }

    /// A note of ours with the lines behind it that are kept for this very checkpoint and are of witnesses of the policy.
    fn kept(&self, note: &str, trust: &Trust) -> Result<String, Failure> {
        let kept = self.desk.read(|tx| cosigned::of(tx, &self.name))?;
        let Some(lines) = kept.iter().find_map(|one| one.note.strip_prefix(note)).filter(|lines| !lines.is_empty()) else {
            return Ok(note.to_owned());
        };
        // A line that does not hold is `verify`'s business; here it is as good as none.
        let with = |note: String, key: &WitnessKey| with_cosignature(&note, lines.as_bytes(), key).unwrap_or(note);
        Ok(trust.witnesses().fold(note.to_owned(), |note, (_, key, _)| with(note, key)))
    }

    /// Seals what waits, and gives the newest signed checkpoint.
    pub(crate) fn sealed_and_signed(&self) -> Result<String, Failure> {
        self.seal()?;
        self.signed(&self.name)
    }

    /// Seals what waits in the queue.
    pub(crate) fn seal(&self) -> Result<(), Failure> {
        while self.desk.drained(&self.name, 1000)?.is_something() {}
        Ok(())
    }

    /// The newest signed checkpoint of a log.
    pub(crate) fn signed(&self, tenant: &Tenant) -> Result<String, Failure> {
        let court = &self.desk.court;
        let known = || lock(&court.checkpoints).get(tenant).map(|signed| signed.note.to_string());
        // This process may have written nothing to that log, or its signer may owe the head.
        self.desk.sign_newest(tenant)?;
        known().ok_or_else(|| Failure::new(Code::StoreUnavailable, format!("the log of `{tenant}` has no signed checkpoint")))
    }
}

/// What an export stands under.
pub(crate) struct Vouched {
    pub(crate) note: String,
    /// The universe's checkpoint, and the place of the record in its stream of roots that says the tenant's.
    pub(crate) universe: Option<(String, Option<u64>)>,
}

fn broken(error: hos_core::proof::checkpoint::NoteError) -> Failure {
    Failure::new(Code::Internal, format!("our own checkpoint: {error}"))
}

fn vouching(trust: &Trust, note: &str) -> Result<Vouching, Failure> {
    Note::parse(note.as_bytes()).and_then(|note| trust.vouching(&note)).map_err(broken)
}

fn enough(trust: &Trust, vouching: &Vouching) -> Result<(), Failure> {
    if trust.is_met(vouching) {
        Ok(())
    } else {
        let who = trust.names(vouching).join(", ");
        let who = if who.is_empty() { "none does".to_owned() } else { format!("only {who}") };
        Err(Failure::new(Code::SignerFailed, format!("too few witnesses vouch for the checkpoint: {who}")))
    }
}

/// What a checkpoint of ours says, as its record does.
fn root_of(note: &str) -> Result<TenantRoot, Failure> {
    let said = checkpoint_of(note)?;
    let (_, tenant, epoch) =
        origin_parts(&said.origin).ok_or_else(|| Failure::new(Code::Internal, "our own checkpoint names no log of ours"))?;
    Ok(TenantRoot { tenant, epoch, size: said.size, root: said.root })
}
