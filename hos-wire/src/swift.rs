//! `can`, its words given apart: no JSON is read but what stands beside them, and none is written where nobody wants it.

use crate::CALL_BYTES_MAX;
use crate::answer::answer_json;
use crate::call::{self, Asked};
use crate::serve::{Served, guarded, in_its_place};
use hos_core::refusal::Code;
use hos_engine::{Engine, Failure};
use serde_json::{Value as Json, json};

/// Serves one `can`. Without `told` nothing is written (`json` is empty) unless the call fails. Never panics, as
/// [`crate::serve`].
pub fn can(engine: &Engine, asked: &Asked<'_>, told: bool) -> Served {
    let served = guarded(|| {
        crate::serve::told(|| answer(engine, asked, told)).or_else(|failure| {
            // The world's own answer is looked for in the whole call, as one that came as JSON.
            match asked.whole() {
                Some(whole) => in_its_place(engine, "can", &whole, failure),
                None => Err(failure),
            }
        })
    });
    let silent = !told && !matches!(served.standing, crate::Standing::Failed(_));
    if silent { Served { json: Vec::new(), ..served } } else { served }
}

fn answer(engine: &Engine, asked: &Asked<'_>, told: bool) -> Result<(bool, Json), Failure> {
    let length = asked.words().iter().map(|word| word.len()).sum::<usize>() + asked.beside.len();
    if length > CALL_BYTES_MAX {
        return Err(Failure::new(Code::CallTooLarge, format!("the call has {length} bytes; {CALL_BYTES_MAX} are allowed")));
    }
    let (tenant, language, can) = call::can_apart(asked)?;
    let answer = engine.tenant_named(&tenant).can(&can)?;
    if !told {
        return Ok((answer.allowed, Json::Null));
    }
    let law = engine.law()?;
    Ok((answer.allowed, answer_json(&answer, language.as_deref().map(|language| (&*law, language)))))
}

impl Asked<'_> {
    fn words(&self) -> [&str; 6] {
        [self.tenant, self.principal.0, self.principal.1, self.action, self.resource.0, self.resource.1]
    }

    /// The same call as one JSON object; none where what stands beside is no object, or there is nothing beside.
    fn whole(&self) -> Option<Vec<u8>> {
        let rest = self.beside.trim_ascii().strip_prefix(b"{")?.trim_ascii_start();
        let uid = |(type_name, id): (&str, &str)| json!({ "type": type_name, "id": id });
        let words = json!({
            "tenant": self.tenant, "principal": uid(self.principal), "action": self.action, "resource": uid(self.resource),
        });
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
            let asked = Asked { tenant: "t1", principal, action: "o.go", resource, beside };
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
