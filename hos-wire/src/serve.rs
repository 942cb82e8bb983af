//! One call, served: bytes in, bytes out, whatever the bytes are.

use crate::CALL_BYTES_MAX;
use crate::answer::{Words, answer_json, answers_json, available_json, failure_json, history_json};
use crate::call::{self, Ask, Request};
use crate::salvage;
use hos_core::answer::Answer;
use hos_core::fault::nearest;
use hos_core::id::{InstanceId, Name};
use hos_core::judge::Instance;
use hos_core::law::Law;
use hos_core::refusal::Code;
use hos_engine::{Engine, Failure, TenantRef};
use serde_json::{Value as Json, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a call ended, in one word: what a status code or an exit code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The answer is yes, or what was asked for is told.
    Allowed,
    /// The answer is no.
    Refused,
    /// There is no answer.
    Failed(Code),
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// How it ended.
    pub standing: Standing,
    /// One JSON object.
    pub json: Vec<u8>,
}

/// Serves one call. Never panics: a panic inside is `hos.internal`, and never a yes.
pub fn serve(engine: &Engine, operation: &str, json: &[u8]) -> Vec<u8> {
    serve_with(engine, operation, json, CALL_BYTES_MAX).json
}

/// Serves one call of at most `bytes_max` bytes, and says how it ended.
pub fn serve_with(engine: &Engine, operation: &str, json: &[u8], bytes_max: usize) -> Served {
    #[cfg(feature = "failpoints")]
    if operation == crate::failpoint::OPERATION {
        crate::failpoint::boundary(json);
        return guarded(|| crate::failpoint::answer(json));
    }
    guarded(|| {
        let answered = told(|| call::parse(operation, json, bytes_max).and_then(|request| answer(engine, request)));
        answered.or_else(|failure| {
            let (answer, language) = in_its_place(engine, operation, json, failure)?;
            worded(engine, &answer, language.as_deref())
        })
    })
}

/// Serves a call of which it is known already why it is none: no answer but the world's own may stand. What was wrong may have no
/// form in JSON, and something else stands in its place there. Never panics, as [`serve`].
pub fn serve_instead(engine: &Engine, operation: &str, json: &[u8], failure: Failure) -> Served {
    guarded(|| {
        let (answer, language) = in_its_place(engine, operation, json, failure)?;
        worded(engine, &answer, language.as_deref())
    })
}

/// Where the law is not enforced, the world's own answer stands in place of a failure of ours; with it, the language that the
/// call asks for.
pub(crate) fn in_its_place(
    engine: &Engine,
    operation: &str,
    json: &[u8],
    failure: Failure,
) -> Result<(Answer, Option<String>), Failure> {
    let Some(saved) = salvage::saved(json) else { return Err(failure) };
    let stood = saved.ask(operation, |tenant, about, legacy| engine.instead(tenant, about, legacy, failure.clone()).ok());
    Ok((stood.ok_or(failure)?, saved.language))
}

fn worded(engine: &Engine, answer: &Answer, language: Option<&str>) -> Result<(bool, Json), Failure> {
    let law = engine.law()?;
    Ok((answer.allowed, answer_json(answer, language.map(|language| (&*law, language)))))
}

pub(crate) fn told<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // The engine rolls back what a panic interrupts; nothing here outlives it.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new(Code::Internal, "a fault inside; the call was not answered")))
}

pub(crate) fn guarded(work: impl FnOnce() -> Result<(bool, Json), Failure>) -> Served {
    match told(work) {
        Ok((true, json)) => Served { standing: Standing::Allowed, json: bytes(&json) },
        Ok((false, json)) => Served { standing: Standing::Refused, json: bytes(&json) },
        Err(failure) => Served { standing: Standing::Failed(failure.code), json: bytes(&failure_json(&failure)) },
    }
}

fn answer(engine: &Engine, request: Request) -> Result<(bool, Json), Failure> {
    let tenant = engine.tenant_named(&request.tenant);
    let law = engine.law()?;
    let words: Words<'_> = request.language.as_deref().map(|language| (&*law, language));
    Ok(match request.ask {
        Ask::Can(can) => {
            let answer = tenant.can(&can)?;
            (answer.allowed, answer_json(&answer, words))
        }
        Ask::CanAll(all) => answers_json(&tenant.can_all(&all)?, words),
        Ask::Call(call) => {
            let answer = tenant.call(call)?;
            (answer.allowed, answer_json(&answer, words))
        }
        Ask::All(_) => {
            let message = "`all` is made in a transaction of the caller's own; in a store of its own each call is a commit";
            return Err(Failure::new(Code::CallMalformed, message));
        }
        Ask::Available { by, contract, id } => {
            engine.tenant(request.tenant.as_str())?;
            present(&law, &tenant, &contract, &id)?;
            (true, available_json(&tenant.available(&contract, &id, &by)?, words))
        }
        Ask::History { contract, id, from, limit } => {
            engine.tenant(request.tenant.as_str())?;
            recorded(&law, &tenant, &contract, &id)?;
            (true, history_json(&tenant.history(&contract, &id, from, limit)?))
        }
        Ask::Message { code } => {
            // The law is in memory; and where `can` need not ask the store, the tenant is known to be there.
            if !tenant.is_at_hand() {
                engine.tenant(request.tenant.as_str())?;
            }
            (true, json!({ "message": law.message(request.language.as_deref().unwrap_or_default(), &code) }))
        }
    })
}

/// The instance as it stands; where there is none, the failure says whether the contract or the instance is unknown.
pub fn present(law: &Law, tenant: &TenantRef, contract: &Name, id: &InstanceId) -> Result<Instance, Failure> {
    match tenant.instance(contract, id)? {
        Some(instance) => Ok(instance),
        None if !law.contracts.contains_key(contract) => {
            let hint = nearest(contract.as_str(), law.contracts.keys().map(|n| n.as_str()));
            let hint = hint.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            Err(Failure::new(Code::ContractUnknown, format!("`{contract}`{hint}")))
        }
        None if tenant.is_erased(contract, id)? => Err(Failure::new(Code::InstanceErased, format!("`{contract}/{id}`"))),
        None => Err(Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`"))),
    }
}

/// Whether the instance has records: it stands, or it was erased. Fails as [`present`] does.
pub fn recorded(law: &Law, tenant: &TenantRef, contract: &Name, id: &InstanceId) -> Result<(), Failure> {
    match present(law, tenant, contract, id) {
        Ok(_) => Ok(()),
        Err(failure) if failure.code == Code::InstanceErased => Ok(()),
        Err(failure) => Err(failure),
    }
}

pub(crate) fn bytes(json: &Json) -> Vec<u8> {
    // A tree whose keys are all text always serializes; were it not so, the words below are no yes.
    serde_json::to_vec(json).unwrap_or_else(|_| {
        br#"{"error":{"code":"hos.internal","message":"the answer could not be written","faults":[]}}"#.to_vec()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_never_a_yes() {
        let served = guarded(|| panic!("planted"));
        assert_eq!(served.standing, Standing::Failed(Code::Internal));
        let text = String::from_utf8(served.json).unwrap();
        assert!(text.contains(r#""code":"hos.internal""#) && !text.contains("allowed") && !text.contains("planted"), "{text}");
    }

    #[test]
    fn failures_are_objects_with_an_error() {
        let served = guarded(|| Err(Failure::new(Code::TenantUnknown, "no tenant `x`")));
        assert_eq!(served.standing, Standing::Failed(Code::TenantUnknown));
        assert_eq!(served.json, br#"{"error":{"code":"hos.tenant_unknown","message":"no tenant `x`","faults":[]}}"#);
    }
}
