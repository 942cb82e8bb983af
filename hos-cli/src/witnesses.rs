//! Asking witnesses for their cosignatures (C2SP tlog-witness), over HTTP. The only file that speaks it.

use crate::input;
use crate::show;
use crate::usage::usage;
use hos_core::id::StoreId;
use hos_core::limits::{TRUST_BYTES_MAX, WITNESS_ANSWER_BYTES_MAX};
use hos_core::proof::checkpoint::{Note, NoteKey, origin_parts};
use hos_core::proof::trust::Trust;
use hos_core::proof::witness::{add_checkpoint, conflict, with_cosignature};
use hos_core::refusal::Code;
use hos_engine::{Failure, Proof};
use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

/// How long one witness may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a witness may say that it is further on.
const ROUNDS: usize = 3;

/// The witnesses of a policy, and what became of each in this run.
pub(crate) struct Witnesses {
    trust: Trust,
    agent: ureq::Agent,
    asked: RefCell<Vec<Asked>>,
}

/// What became of one witness.
#[derive(Clone)]
pub(crate) struct Asked {
    /// Its name in the policy.
    pub(crate) name: String,
    /// Why it did not sign, if it did not.
    pub(crate) why: Option<Refusal>,
}

/// Why a witness did not sign.
#[derive(Clone)]
pub(crate) struct Refusal {
    pub(crate) what: String,
    /// Whether it knows no such log, and may know another.
    of_log: bool,
}

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Self { what, of_log: false }
    }
}

impl From<&str> for Refusal {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}

/// Reads a policy.
pub(crate) fn policy(path: &Path) -> Result<Trust, Failure> {
    Trust::parse(&input::bounded_file(path, TRUST_BYTES_MAX)?)
        .map_err(|e| usage(format!("`{}`: {}: {e}", show::inert(&path.to_string_lossy()), e.code())))
}

impl Witnesses {
    /// Reads a policy.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let trust = policy(path)?;
        // No proxy, no redirect: who is asked is who the policy names.
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Self { trust, agent: config.into(), asked: RefCell::default() })
    }

    /// The policy.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Asks every witness that has an address and has not signed yet, and gives the note with what they signed. One that failed is
    /// not asked again in this run, unless it was for a log that it does not know.
    pub(crate) fn ask(&self, note: &str, proof: &Proof<'_>) -> String {
        let mut cosigned = note.to_owned();
        let parsed = Note::parse(note.as_bytes());
        for (name, key, url) in self.trust.witnesses() {
            let before = self.asked.borrow().iter().find(|asked| asked.name == name).and_then(|asked| asked.why.clone());
            let signed = parsed.as_ref().is_ok_and(|note| key.vouches(note) == Ok(true));
            let done = match (signed, before, url) {
                (true, ..) => Ok(None),
                (_, Some(failed), _) if !failed.of_log => Err(failed),
                (_, _, None) => Err("the policy names no address".into()),
                (_, _, Some(url)) => self.one(note, proof, url).and_then(|answer| {
                    with_cosignature(&cosigned, &answer, key).map(Some).map_err(|e| format!("its answer: {e}").into())
                }),
            };
            let why = match done {
                Ok(more) => {
                    cosigned = more.unwrap_or(cosigned);
                    None
                }
                Err(why) => Some(why),
            };
            let mut asked = self.asked.borrow_mut();
            asked.retain(|asked| asked.name != name);
            asked.push(Asked { name, why });
        }
        cosigned
    }

    /// What became of each, in the policy's order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.borrow();
        let of = |(name, ..): (String, _, _)| asked.iter().find(|asked| asked.name == name).cloned();
        self.trust.witnesses().filter_map(of).collect()
    }

    /// Refuses a policy that names no key of a log, so that nobody who has it could believe what it is used for.
    pub(crate) fn believes(&self, note: &str) -> Result<(), Failure> {
        match self.trust.signed(note.as_bytes()) {
            Ok(_) => Ok(()),
            Err(e) => Err(usage(format!("the policy does not believe the checkpoint: {}: {e}", e.code()))),
        }
    }

    /// The same for a whole store: some log of it must be named.
    pub(crate) fn knows(&self, store: &StoreId) -> Result<(), Failure> {
        let of_store = |key: &NoteKey| origin_parts(key.name()).is_some_and(|(of, ..)| of == *store);
        if self.trust.logs().iter().any(of_store) {
            Ok(())
        } else {
            Err(usage(format!("the policy names no log of this store (`hos/{store}/…`)")))
        }
    }

    /// A failure to reach the quorum, with what each witness that did not sign gave as its reason.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        let asked = self.asked();
        let why: Vec<String> =
            asked.iter().filter_map(|asked| asked.why.as_ref().map(|why| format!("{}: {}", asked.name, why.what))).collect();
        if failure.code != Code::SignerFailed || why.is_empty() {
            return failure;
        }
        Failure::new(failure.code, format!("{}; {}", failure.message, why.join("; ")))
    }

    /// One witness's answer of success. It is asked from nothing first, and says itself from where it wants the proof.
    fn one(&self, note: &str, proof: &Proof<'_>, url: &str) -> Result<Vec<u8>, Refusal> {
        let address = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        let mut old = 0;
        for _ in 0..ROUNDS {
            let hashes =
                if old == 0 { Vec::new() } else { proof(old).map_err(|e| format!("no proof from {old}: {}", e.message))? };
            let body = add_checkpoint(old, &hashes, note).ok_or("the proof is too long")?;
            let mut answer = self.agent.post(&address).content_type("text/plain").send(body).map_err(|e| e.to_string())?;
            let status = answer.status().as_u16();
            let bytes = answer.body_mut().with_config().limit(WITNESS_ANSWER_BYTES_MAX as u64).read_to_vec();
            let bytes = bytes.map_err(|e| format!("its answer: {e}"))?;
            match status {
                200 => return Ok(bytes),
                409 => match conflict(&bytes) {
                    Some(size) if size != old => old = size,
                    _ => return Err("it says that it is further on, and not where".into()),
                },
                403 => return Err("it does not know the key that signed the checkpoint (403)".into()),
                404 => return Err(Refusal { what: "it does not know this log (404)".to_owned(), of_log: true }),
                422 => {
                    return Err(
                        "it says that the checkpoint does not extend what it saw (422): keep both, this may be a fork".into()
                    );
                }
                other => return Err(format!("it answered with status {other}").into()),
            }
        }
        Err("it says each time that it is further on".into())
    }
}
