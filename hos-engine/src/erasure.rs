//! Erasing a person, as an operator asks for it: the survey before, the commit, the traces on the disk after; and holds.

use crate::court::{lock, traces};
use crate::engine::Engine;
use crate::report::{Erased, Level, VerifyOptions};
use crate::store::place::Place;
use crate::survey::Survey;
use crate::vault::Vault;
use crate::work::{Erasing, Job};
use crate::{Failure, verify};
use hos_core::answer::Answer;
use hos_core::call::By;
use hos_core::id::{Handle, KeyId, Tenant, TreeHash, Uid};
use hos_core::limits::EPOCH_REASON_BYTES_MAX;
use hos_core::proof::erasure::{Attestation, Erasure as Record, LogStand};
use hos_core::proof::key::SealKey;
use hos_core::proof::part::SubjectKey;
use hos_core::refusal::Code;

/// How often an attested erasure is begun anew because more was written about the person meanwhile.
const ATTEMPTS: usize = 8;

/// What is said of an erasure beside whose it is.
#[derive(Debug, Default)]
pub struct Erasure<'a> {
    /// On what ground (a request's number, say): never nothing. It stands in the record for good: nothing personal.
    pub ground: &'a str,
    /// The article of law; may be empty.
    pub article: &'a str,
    /// A second key, which attests that the person's records were verified before they became unreadable.
    pub attest: Option<&'a SealKey>,
}

/// Bounds what is said of an act about a person, most of which stands in the log for good. Records of before said what they liked.
fn is_brief(what: &str, text: &str) -> Result<(), Failure> {
    if text.len() > EPOCH_REASON_BYTES_MAX {
        let message = format!("{what} has at most {EPOCH_REASON_BYTES_MAX} bytes, and this one has {}", text.len());
        return Err(Failure::new(Code::CallMalformed, message));
    }
    Ok(())
}

/// The same of what must be said.
fn is_said(what: &str, text: &str) -> Result<(), Failure> {
    if text.trim().is_empty() {
        let message =
            format!("{what} has 1 to {EPOCH_REASON_BYTES_MAX} bytes that are not all spaces, and this one says nothing");
        return Err(Failure::new(Code::CallMalformed, message));
    }
    is_brief(what, text)
}

impl Engine {
    /// Erases a person: judged as `evidence.erase` on the account. Live instances whose facts are the person's or name them refuse it,
    /// and so do whoever is in the person, and a hold. Of who was erased it takes away what a host that slept meanwhile left in the clear.
    pub fn erase(&self, by: &By, subject: &Uid, ground: &str) -> Result<Answer, Failure> {
        self.erase_with(by, subject, &Erasure { ground, ..Erasure::default() }).map(|erased| erased.answer)
    }

    /// Erases a person, and says what was lost.
    ///
    /// COMMIT POINT: that of the job. One line before it nothing happened. One line after it the record stands and the key is
    /// still there, and opens nothing: the next round of work destroys it. What is left on the disk is looked for last; a notice says if it
    /// is still there, and so does the store, until the next round of work, or the next start, has wiped it.
    pub fn erase_with(&self, by: &By, subject: &Uid, what: &Erasure<'_>) -> Result<Erased, Failure> {
        is_said("the ground of an erasure", what.ground)?;
        is_brief("an article of law", what.article)?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let (survey, attestation) = self.before(subject, what)?;
            let erasing = Erasing {
                by: by.clone(),
                subject: subject.clone(),
                ground: what.ground.to_owned(),
                article: what.article.to_owned(),
                survey: Some(survey.clone()),
                attestation,
            };
            match self.0.answered(Job::Erase(Box::new(erasing))) {
                Ok(answer) => return Ok(self.after(answer, subject)),
                Err(failure) if failure.code == Code::Retry && what.attest.is_some() => last = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure::new(Code::Internal, "an erasure was never begun")))
    }

    /// What a first pass over the logs sees, and a second key's word for it.
    fn before(&self, subject: &Uid, what: &Erasure<'_>) -> Result<(Survey, Option<Attestation>), Failure> {
        let court = &self.0.court;
        let kept = court.vault.get_by_subject(&court.tag(subject))?;
        let key = kept.as_ref().map_or(KeyId([0; 16]), |kept| kept.id);
        let secret = kept.and_then(|kept| kept.key).map(|secret| SubjectKey::new(*secret.bytes()));
        let mut survey = Survey::new(key);
        let Some(secret) = secret else {
            // Of who was erased hosts may have written since.
            if matches!(court.vault, Vault::Table(_)) && key.0 != [0; 16] {
                self.0.read(|tx| court.go_on(tx, &mut survey, None))?;
            }
            return Ok((survey, None));
        };
        let Some(signer) = what.attest else {
            self.0.read(|tx| court.go_on(tx, &mut survey, Some(&secret)))?;
            return Ok((survey, None));
        };
        // Both passes are of one moment: what is attested is what was verified.
        let logs = self.0.read(|tx| {
            let report = verify::store(tx, court, &VerifyOptions::default(), None)?;
            court.go_on(tx, &mut survey, Some(&secret))?;
            if report.level == Level::Broken || report.unsealed.0 > 0 {
                let first = report.findings.first().map(|(at, what)| format!("{at}: {what}"));
                let why = first.unwrap_or_else(|| format!("{} record(s) are not sealed yet", report.unsealed.0));
                return Err(Failure::new(Code::StoreIntegrity, format!("nothing is attested: {why}")));
            }
            let stand = |(tenant, size, root): &(String, u64, String)| {
                let root = TreeHash::from_hex(root).ok_or_else(|| Failure::new(Code::Internal, "a root that is none"))?;
                Ok(LogStand { tenant: Tenant::new(tenant.as_str())?, size: *size, root })
            };
            report.logs.iter().map(stand).collect::<Result<Vec<_>, Failure>>()
        })?;
        let attestation = Attestation::sign(signer, &court.of.store, &key, logs, &survey.list);
        Ok((survey, Some(attestation)))
    }

    fn after(&self, answer: Answer, subject: &Uid) -> Erased {
        let mut notices = Vec::new();
        if answer.allowed {
            let court = &self.0.court;
            match court.vault.get_by_subject(&court.tag(subject)) {
                Ok(Some(kept)) if kept.key.is_none() => {
                    if court.vault.is_left().unwrap_or(true) {
                        let what = "bytes of the destroyed key may be left on the disk";
                        let why = "a read elsewhere keeps them, or the file has them in another place";
                        notices.push(format!("{what}: {why}; `hos work` wipes them, or says what it cannot wipe"));
                    }
                }
                _ => notices.push("the key is not destroyed yet: `hos work` does it; it opens nothing any more".to_owned()),
            }
            if let Err(failure) = self.wipe(true) {
                notices.push(format!("traces of deleted rows may be left on the disk: {failure}"));
            }
        }
        let record =
            answer.receipt.as_ref().and_then(|receipt| self.recorded(receipt.thread, receipt.n?).transpose()).transpose();
        let record = record.unwrap_or_else(|failure| {
            notices.push(format!("the erasure's record cannot be read: {failure}"));
            None
        });
        Erased { answer, record, notices }
    }

    /// What an erasure's record says.
    fn recorded(&self, thread: Handle, n: u64) -> Result<Option<Record>, Failure> {
        let history = self.0.read(|tx| self.0.court.own(tx, &Tenant::universe(), &thread, n))?;
        history.map(|bytes| Record::decode(&bytes)).transpose().map_err(|e| Failure::new(Code::StoreIntegrity, e.to_string()))
    }

    /// Takes off the disk what erasures deleted, this process's and those that another one did not bring to their end. What cannot be done
    /// now waits for the next round of work, or the next start. Who is
    /// not patient does not have everybody else wait behind a read that lasts.
    pub(crate) fn wipe(&self, patient: bool) -> Result<(), Failure> {
        self.0.may_write()?;
        let Place::File(file) = &self.0.store else { return Ok(()) };
        let left = self.0.read(|tx| traces::left(tx).map_err(Failure::from))?;
        if left.is_empty() {
            return Ok(());
        }
        let court = &self.0.court;
        // Of what another process deleted nobody here knows the bytes.
        let known: Option<Vec<Vec<Vec<u8>>>> = {
            let traces = lock(&court.traces);
            left.iter().map(|record| traces.get(record).cloned()).collect()
        };
        file.scrub(
            known.map(|known| known.concat()).as_deref(),
            &|tx| Ok(traces::left(tx)?.iter().any(|record| left.contains(record))),
            &|tx| traces::wiped(tx, &left),
            patient,
        )?;
        lock(&court.traces).retain(|record, _| !left.contains(record));
        Ok(())
    }

    /// Carries erasures out again that a restored store does not know of: the vault remembers whose keys are destroyed.
    pub(crate) fn erase_restored(&self, unrecorded: Vec<KeyId>) -> Result<(), Failure> {
        unrecorded.into_iter().try_for_each(|key| self.0.counted(Job::EraseAgain(key)).map(drop))
    }

    /// Places a hold on a person: judged as `evidence.hold` on the account. While there is one, nothing of the person is erased.
    pub fn hold(&self, by: &By, subject: &Uid, reason: &str) -> Result<Answer, Failure> {
        self.held(by, subject, true, reason)
    }

    /// Takes a hold back: judged as `evidence.release` on the account. Each hold is released once.
    pub fn release(&self, by: &By, subject: &Uid, reason: &str) -> Result<Answer, Failure> {
        self.held(by, subject, false, reason)
    }

    fn held(&self, by: &By, subject: &Uid, held: bool, reason: &str) -> Result<Answer, Failure> {
        is_said(if held { "the reason of a hold" } else { "the reason of a release" }, reason)?;
        let (by, subject, reason) = (by.clone(), subject.clone(), reason.to_owned());
        self.0.answered(Job::Hold { by, subject, held, reason })
    }
}
