//! Asking witnesses for their cosignatures (C2SP tlog-witness), over HTTP. The only file that speaks it.

use crate::input;
use crate::show;
use crate::usage::usage;
use hos_core::proof::trust::{Distrust, TRUST_BYTES_MAX, Trust};
use hos_core::proof::witness::{ANSWER_BYTES_MAX, add_checkpoint, conflict, with_cosignature};
use hos_core::refusal::Code;
use hos_engine::{Failure, Proof};
use std::path::Path;
use std::time::Duration;

/// How long one witness may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a witness may say that it is further on.
const ROUNDS: usize = 3;

/// The witnesses of a policy.
pub(crate) struct Witnesses {
    trust: Trust,
    agent: ureq::Agent,
}

/// What became of one witness: its name in the policy, and why it did not sign.
pub(crate) type Asked = Vec<(String, Option<String>)>;

impl Witnesses {
    /// Reads a policy.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let trust = Trust::parse(&input::bounded_file(path, TRUST_BYTES_MAX)?)
            .map_err(|e| usage(format!("`{}`: {}: {e}", show::inert(&path.to_string_lossy()), e.code())))?;
        // No proxy, no redirect: who is asked is who the policy names.
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Self { trust, agent: config.into() })
    }

    /// Asks every witness that has an address, and gives the note with what they signed.
    pub(crate) fn ask(&self, note: &str, proof: &Proof<'_>) -> (String, Asked) {
        let (mut cosigned, mut asked) = (note.to_owned(), Vec::new());
        for (name, key, url) in self.trust.witnesses() {
            let done = match url {
                None => Err("the policy names no address".to_owned()),
                Some(url) => self
                    .one(note, proof, url)
                    .and_then(|answer| with_cosignature(&cosigned, &answer, key).map_err(|e| format!("its answer: {e}"))),
            };
            match done {
                Ok(more) => {
                    cosigned = more;
                    asked.push((name, None));
                }
                Err(why) => asked.push((name, Some(why))),
            }
        }
        (cosigned, asked)
    }

    /// The same, and refused unless the policy's quorum is met: then whoever has the policy believes the note.
    pub(crate) fn quorum(&self, note: &str, proof: &Proof<'_>) -> Result<(String, Asked), Failure> {
        let (cosigned, asked) = self.ask(note, proof);
        match self.trust.believe(cosigned.as_bytes()) {
            Ok(_) => Ok((cosigned, asked)),
            Err(Distrust::Quorum) => {
                let why: Vec<String> =
                    asked.iter().filter_map(|(name, why)| why.as_ref().map(|why| format!("{name}: {why}"))).collect();
                Err(Failure::new(Code::SignerFailed, format!("too few witnesses vouch for the checkpoint: {}", why.join("; "))))
            }
            Err(e) => Err(usage(format!("the policy does not believe the checkpoint: {}: {e}", e.code()))),
        }
    }

    /// Why whoever has the policy would not believe a note; nothing if they would.
    pub(crate) fn missing(&self, note: &str) -> Option<String> {
        self.trust.believe(note.as_bytes()).err().map(|e| format!("{}: {e}", e.code()))
    }

    /// One witness's answer of success. It is asked from nothing first, and says itself from where it wants the proof.
    fn one(&self, note: &str, proof: &Proof<'_>, url: &str) -> Result<Vec<u8>, String> {
        let address = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        let mut old = 0;
        for _ in 0..ROUNDS {
            let hashes =
                if old == 0 { Vec::new() } else { proof(old).map_err(|e| format!("no proof from {old}: {}", e.message))? };
            let body = add_checkpoint(old, &hashes, note).ok_or("the proof is too long")?;
            let mut answer = self.agent.post(&address).content_type("text/plain").send(body).map_err(|e| e.to_string())?;
            let status = answer.status().as_u16();
            let bytes = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX as u64).read_to_vec();
            let bytes = bytes.map_err(|e| format!("its answer: {e}"))?;
            match status {
                200 => return Ok(bytes),
                409 => match conflict(&bytes) {
                    Some(size) if size != old => old = size,
                    _ => return Err("it says that it is further on, and not where".to_owned()),
                },
                403 => return Err("it does not know the key that signed the checkpoint (403)".to_owned()),
                404 => return Err("it does not know this log (404)".to_owned()),
                422 => {
                    return Err(
                        "it says that the checkpoint does not extend what it saw (422): keep both, this may be a fork".to_owned()
                    );
                }
                other => return Err(format!("it answered with status {other}")),
            }
        }
        Err("it says each time that it is further on".to_owned())
    }
}
