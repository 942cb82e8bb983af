//! `can`, its words given apart: no JSON is read but what stands beside them, and none is written where nobody wants it.

use crate::CALL_BYTES_MAX;
use crate::answer::answer_json;
use crate::call::{self, Asked, Scalar};
use crate::serve::{Served, in_its_place, told};
use crate::{Standing, answer};
use hos_core::answer::Answer;
use hos_core::id::Tenant;
use hos_core::law::Law;
use hos_core::refusal::Code;
use hos_engine::{Engine, Failure};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

/// What `can` came to, its JSON not written yet.
#[derive(Debug)]
pub struct Decided {
    answer: Answer,
    words: Option<(Arc<Law>, String)>,
}

/// Two are equal when their JSON would be.
impl PartialEq for Decided {
    fn eq(&self, other: &Self) -> bool {
        let same_words = match (&self.words, &other.words) {
            (None, None) => true,
            (Some((law, language)), Some((its, its_language))) => Arc::ptr_eq(law, its) && language == its_language,
            _ => false,
        };
        same_words && self.answer == other.answer
    }
}

impl Decided {
    /// Whether the answer is yes.
    pub fn allowed(&self) -> bool {
        self.answer.allowed
    }

    /// The answer as [`crate::serve`] would have written it.
    pub fn json(&self) -> Vec<u8> {
        crate::serve::bytes(&answer_json(&self.answer, self.words.as_ref().map(|(law, language)| (&**law, language.as_str()))))
    }
}

/// Decides one `can` and leaves the writing of its JSON to whoever wants it. Never panics, as [`crate::serve`].
pub fn decide(engine: &Engine, asked: &Asked<'_>) -> Result<Decided, Failure> {
    told(|| {
        told(|| {
            let (answer, language) = ask(engine, asked)?;
            worded(engine, answer, language)
        })
        .or_else(|failure| instead(engine, asked, failure))
    })
}

/// As [`decide`], of a `can` of which it is known already why it is none: no answer but the world's own may stand.
pub fn decide_instead(engine: &Engine, asked: &Asked<'_>, failure: Failure) -> Result<Decided, Failure> {
    told(|| instead(engine, asked, failure))
}

/// The world's own answer is looked for in the whole call, as one that came as JSON.
fn instead(engine: &Engine, asked: &Asked<'_>, failure: Failure) -> Result<Decided, Failure> {
    let whole = asked.whole().ok_or_else(|| failure.clone())?;
    let (answer, language) = in_its_place(engine, "can", &whole, failure)?;
    worded(engine, answer, language)
}

/// Whether a `can` of this tenant is answered from memory now, without a look at the store.
pub fn is_at_hand(engine: &Engine, tenant: &str) -> bool {
    Tenant::new(tenant).is_ok_and(|tenant| engine.tenant_named(&tenant).is_at_hand())
}

/// Serves one `can`. Without `told` nothing is written (`json` is empty) unless the call fails. Never panics, as
/// [`crate::serve`].
pub fn can(engine: &Engine, asked: &Asked<'_>, told: bool) -> Served {
    // Writing is guarded as deciding is.
    let answered = crate::serve::told(|| {
        let decided = decide(engine, asked)?;
        Ok((decided.allowed(), if told { decided.json() } else { Vec::new() }))
    });
    match answered {
        Ok((true, json)) => Served { standing: Standing::Allowed, json },
        Ok((false, json)) => Served { standing: Standing::Refused, json },
        Err(failure) => {
            Served { standing: Standing::Failed(failure.code), json: crate::serve::bytes(&answer::failure_json(&failure)) }
        }
    }
}

fn ask(engine: &Engine, asked: &Asked<'_>) -> Result<(Answer, Option<String>), Failure> {
    let scalars = |(name, scalar): &(&str, Scalar<'_>)| name.len() + if let Scalar::Text(text) = scalar { text.len() } else { 8 };
    let length = asked.words().iter().map(|word| word.len()).sum::<usize>()
        + asked.context.iter().map(scalars).sum::<usize>()
        + asked.beside.len();
    if length > CALL_BYTES_MAX {
        return Err(Failure::new(Code::CallTooLarge, format!("the call has {length} bytes; {CALL_BYTES_MAX} are allowed")));
    }
    let (tenant, language, can) = call::can_apart(asked)?;
    Ok((engine.tenant_named(&tenant).can(&can)?, language))
}

fn worded(engine: &Engine, answer: Answer, language: Option<String>) -> Result<Decided, Failure> {
    let words = language.map(|language| engine.law().map(|law| (law, language))).transpose()?;
    Ok(Decided { answer, words })
}

impl Asked<'_> {
    fn words(&self) -> [&str; 6] {
        [self.tenant, self.principal.0, self.principal.1, self.action, self.resource.0, self.resource.1]
    }

    /// The same call as one JSON object; none where what stands beside is no object, or there is nothing beside.
    fn whole(&self) -> Option<Vec<u8>> {
        let rest = self.beside.trim_ascii().strip_prefix(b"{")?.trim_ascii_start();
        let context = self.context.iter().map(|(name, scalar)| {
            let value = match scalar {
                Scalar::Bool(value) => json!(value),
                Scalar::Long(value) => json!(value),
                Scalar::Text(value) => json!(value),
            };
            ((*name).to_owned(), value)
        });
        let context: Map<String, Json> = context.collect();
        let uid = |(type_name, id): (&str, &str)| json!({ "type": type_name, "id": id });
        let mut words = json!({
            "tenant": self.tenant, "principal": uid(self.principal), "action": self.action, "resource": uid(self.resource),
        });
        if !context.is_empty() {
            words["context"] = Json::Object(context);
        }
        let mut whole = serde_json::to_vec(&words).ok()?;
        whole.pop();
        whole.push(if rest == b"}" { b' ' } else { b',' });
        whole.extend_from_slice(rest);
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_call_says_the_same() {
        let whole = |beside: &str| {
            let (principal, resource, beside) = (("P", "a\"b"), ("R", "r"), beside.as_bytes());
            let asked = Asked { tenant: "t1", principal, action: "o.go", resource, context: &[], beside };
            asked.whole().map(|bytes| String::from_utf8(bytes).unwrap())
        };
        assert_eq!(whole(""), None);
        assert_eq!(whole("[1]"), None);
        for beside in ["{}", " { } ", r#"{"legacy":{"allowed":true}}"#] {
            let whole = whole(beside).unwrap();
            let parsed = call::parse("can", whole.as_bytes(), CALL_BYTES_MAX).unwrap();
            assert_eq!(parsed.tenant.as_str(), "t1");
            let call::Ask::Can(can) = parsed.ask else { panic!("{whole}") };
            assert_eq!((can.by.principal.id(), can.action.as_str(), can.by.legacy.is_some()), ("a\"b", "o.go", beside.len() > 5));
        }
    }
}
