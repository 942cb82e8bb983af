//! The engine in a host's transaction, as JSON: what a driver in another language is given to run, and what it gives back
//! (`spec/joined-transaction.md`).
//!
//! ```text
//! step("transition", inside, call)       -> {"step": 7, "need": [{"sql", "params", "reads"}, …]}
//! step("go_on", …, {"step": 7, "rows"})  -> again, or {"settle": [{"sql", "params"}, …], "answer": {…}}
//! step("claim", inside, call, "operation") -> the same, or {"settle": [], "leave": [{"sql", "params"}, …]}
//! ```
//!
//! A driver that says `together` when it opens is given a round as one text, `{"step": 7, "text"}`, and what is written as
//! `{"settle": [], "text", "answer"}`; it gives back `result`, the rows of the last result that has columns. Where its connection takes
//! no such text it says `apart`, and the rest of the step comes statement by statement.
//!
//! Values are `null`, whole numbers, text, and `{"b": base64}` for bytes on the way out; on the way in every text stands in base64,
//! for a driver need not know text from bytes.

use crate::CALL_BYTES_MAX;
use crate::answer::{Words, answer_json, answers_json, failure_json};
use crate::call::{self, Ask};
use crate::fields::{Fields, malformed};
use crate::limits::{DIRECTORY_AGE_MS_MAX, ROWS_BYTES_MAX};
use crate::round;
use crate::salvage::{self, Saved};
use crate::serve::{Standing, bytes, told};
use crate::strict;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hos_core::refusal::Code;
use hos_engine::joined::{Asked, Joined, KeptRefusal, Next, Outcome, Step};
use hos_engine::store::host::Ask as Asking;
use hos_engine::store::sql::dialect::{Dialect, Places, say};
use hos_engine::store::together;
use hos_engine::store::{Sql, Statement};
use hos_engine::{Engine, Failure, Settings};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many steps may be on their way; beyond it the oldest, which nobody goes on with, is left.
const STEPS_MAX: usize = 1024;
/// How many refusals are kept for who makes evidence of them.
const REFUSALS_MAX: usize = 64;
/// How long what a driver tells of a failure is at most: it quotes the call, which may itself be what was too large.
const FAILURE_BYTES: usize = 32 * CALL_BYTES_MAX;

const FIELDS: &[&str] = &["dialect", "places", "law", "directory_age_max_ms", "database", "together"];

/// What a step came to, and how it ended if it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// None while it is on its way.
    pub standing: Option<Standing>,
    /// One JSON object.
    pub json: Vec<u8>,
}

/// An engine that joins a host's transactions.
pub struct JoinedEngine {
    joined: Joined,
    places: Places,
    named: bool,
    together: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    steps: BTreeMap<u64, Under>,
    refusals: BTreeMap<u64, Box<KeptRefusal>>,
}

/// A step that is under way.
struct Under {
    step: Step,
    language: Option<String>,
    /// What it asked for last.
    asks: Vec<Asking>,
    /// Whether a round may come as one text.
    together: bool,
    /// Whether one did, and the connection took it: only then what the step writes does.
    took: bool,
    /// What it is read for, of a step that reads the law.
    then: Option<Instead>,
}

/// A call that failed, and may bear the world's own outcome.
struct Instead {
    operation: String,
    saved: Saved,
    failure: Failure,
}

impl JoinedEngine {
    /// Opens by options in JSON: `dialect` (`sqlite`, `postgres`, `mysql`), `places` (how the driver writes parameters: `numbered`,
    /// `dollar`, `question`, `format`), and, if wanted, `law` (a directory), `directory_age_max_ms`, `database`, a text by which who
    /// keeps engines tells databases apart, and `together`. Nothing is read of the database yet.
    pub fn open(json: &[u8]) -> Result<Self, Failure> {
        let mut f = Fields::of("the options", strict::parse(json, crate::OPTIONS_BYTES_MAX)?, FIELDS)?;
        let name = f.text("dialect")?;
        let dialect = Dialect::named(&name).ok_or_else(|| malformed("`dialect` is `sqlite`, `postgres` or `mysql`"))?;
        let places = match f.text("places")?.as_str() {
            "numbered" => Places::Numbered,
            "dollar" => Places::Dollar,
            "question" => Places::Question,
            "format" => Places::Format,
            _ => return Err(malformed("`places` is `numbered`, `dollar`, `question` or `format`")),
        };
        let mut builder = Engine::builder();
        if let Some(law) = f.optional_text("law")? {
            builder = builder.law_dir(law)?;
        }
        let named = f.optional_text("database")?.is_some();
        let together = f.optional_flag("together")?;
        let mut settings = Settings::default();
        if let Some(ms) = f.optional_count("directory_age_max_ms")? {
            if ms > DIRECTORY_AGE_MS_MAX {
                return Err(malformed(format!("`directory_age_max_ms` is at most {DIRECTORY_AGE_MS_MAX}")));
            }
            settings.directory_age_max = Duration::from_millis(ms);
        }
        let joined = Joined::open(builder.settings(settings), dialect, places);
        Ok(Self { joined, places, named, together, state: Mutex::default() })
    }

    /// Whether its options name a `database`.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// One round. Never panics: a panic inside is `hos.internal`, and never a yes.
    pub fn step(&self, operation: &str, inside: Option<bool>, json: &[u8]) -> Stepped {
        #[cfg(feature = "failpoints")]
        if operation == crate::failpoint::OPERATION {
            crate::failpoint::boundary(json);
            let served = crate::serve::guarded(|| crate::failpoint::answer(json));
            return Stepped { standing: Some(served.standing), json: served.json };
        }
        let stepped = told(|| match operation {
            "go_on" => self.go_on(json),
            "leave" => self.leave(json),
            "apart" => self.apart(json),
            "refused" => self.refused(inside, json),
            "claim" => self.claim(inside, json),
            "instead" => self.instead(inside, json),
            _ => self.begin(operation, inside, json),
        });
        stepped.unwrap_or_else(|failure| ended(Writes::none(), failed(&failure), Standing::Failed(failure.code)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, operation: &str, inside: Option<bool>, json: &[u8]) -> Result<Stepped, Failure> {
        let request = call::parse(operation, json, CALL_BYTES_MAX)?;
        let asked = match request.ask {
            Ask::Can(can) => Asked::Can(request.tenant, Box::new(can)),
            Ask::CanAll(all) => Asked::CanAll(request.tenant, all),
            Ask::All(calls) => Asked::All(request.tenant, calls),
            Ask::Call(call) => Asked::Call(request.tenant, Box::new(call), came(operation, json)),
            Ask::Message { code } => return self.message(request.language.as_deref().unwrap_or_default(), &code),
            Ask::Available { .. } | Ask::History { .. } => {
                return Err(malformed(format!("`{operation}` is not asked in a host's transaction")));
            }
        };
        // Outside a transaction each text would be one of its own, and seem to be one.
        let together = self.together && (inside == Some(true) || matches!(asked, Asked::Can(..) | Asked::CanAll(..)));
        self.go(self.under(asked, inside, request.language, together), Vec::new())
    }

    /// What the law says of a code, from memory: whoever asks has an answer, and with it the law was read.
    fn message(&self, language: &str, code: &str) -> Result<Stepped, Failure> {
        let law = self.joined.law().ok_or_else(|| malformed("no law was read yet: the first call reads it"))?;
        let out = Map::from_iter([("message".to_owned(), json!(law.message(language, code)))]);
        Ok(ended(Writes::none(), out, Standing::Allowed))
    }

    fn refused(&self, inside: Option<bool>, json: &[u8]) -> Result<Stepped, Failure> {
        let mut f = Fields::of("the refusal", strict::parse(json, CALL_BYTES_MAX)?, &["refusal"])?;
        let number = f.optional_count("refusal")?.unwrap_or_default();
        // It is kept on: the host may have to begin its transaction again.
        let kept = self.state().refusals.get(&number).cloned();
        let kept = kept.ok_or_else(|| malformed("no such refusal is kept: it is one of too many, or another process's"))?;
        self.go(self.under(Asked::Refused(kept), inside, None, self.together && inside == Some(true)), Vec::new())
    }

    fn claim(&self, inside: Option<bool>, json: &[u8]) -> Result<Stepped, Failure> {
        let (tenant, call) = call::named(json)?;
        let asked = Asked::Claim(tenant, Box::new(call));
        self.go(self.under(asked, inside, None, self.together && inside == Some(true)), Vec::new())
    }

    fn under(&self, asked: Asked, inside: Option<bool>, language: Option<String>, together: bool) -> Under {
        Under { step: self.joined.step(asked, inside), language, asks: Vec::new(), together, took: false, then: None }
    }

    /// What was asked for last once more, statement by statement, and so to the step's end.
    fn apart(&self, json: &[u8]) -> Result<Stepped, Failure> {
        let number = step_number(json)?;
        let mut state = self.state();
        let under = state.steps.get_mut(&number).ok_or_else(|| no_step(number))?;
        under.together = false;
        Ok(Stepped { standing: None, json: bytes(&json!({ "step": number, "need": self.need(&under.asks) })) })
    }

    /// The world's own outcome in place of a failure of the driver's, if the law, as it was last read, leaves it that. Where none was
    /// read yet it is read.
    fn instead(&self, inside: Option<bool>, json: &[u8]) -> Result<Stepped, Failure> {
        let mut f = Fields::of("the failure", strict::parse(json, FAILURE_BYTES)?, &["operation", "call", "code", "message"])?;
        let (operation, call, code) = (f.text("operation")?, f.text("call")?, f.text("code")?);
        let code = Code::ALL.iter().find(|known| known.as_str() == code).copied().unwrap_or(Code::Internal);
        let failure = Failure::new(code, f.text("message")?);
        let saved = salvage::saved(call.as_bytes()).ok_or_else(|| failure.clone())?;
        let instead = Instead { operation, saved, failure };
        if self.joined.law().is_some() {
            return self.stands(instead);
        }
        let under = self.under(Asked::Law, inside, None, self.together);
        self.go(Under { then: Some(instead), ..under }, Vec::new())
    }

    fn stands(&self, Instead { operation, saved, failure }: Instead) -> Result<Stepped, Failure> {
        let stood =
            saved.ask(&operation, |tenant, about, legacy| self.joined.instead(tenant, about, Some(legacy), failure.clone()).ok());
        let outcome = Outcome::of(Ok(stood.ok_or(failure)?));
        Ok(self.settled(Writes::none(), outcome, saved.language.as_deref()))
    }

    fn leave(&self, json: &[u8]) -> Result<Stepped, Failure> {
        let number = step_number(json)?;
        self.state().steps.remove(&number);
        Ok(Stepped { standing: Some(Standing::Refused), json: bytes(&json!({})) })
    }

    fn go_on(&self, json: &[u8]) -> Result<Stepped, Failure> {
        if json.len() > ROWS_BYTES_MAX {
            let message = format!("{} bytes of rows, at most {ROWS_BYTES_MAX} are read", json.len());
            return Err(Failure::new(Code::CallTooLarge, message));
        }
        let given: Given = serde_json::from_slice(json).map_err(|e| malformed(format!("the rows of a step: {e}")))?;
        let mut under = self.state().steps.remove(&given.step).ok_or_else(|| no_step(given.step))?;
        let result = given.result.map(values);
        if result.as_ref().is_some_and(|result| round::is_in_other_words(self.joined.dialect(), result)) {
            under.together = false;
            let need = self.need(&under.asks);
            return Ok(self.on_its_way(under, json!({ "need": need })));
        }
        under.took |= result.is_some();
        let rows = match (given.rows, result) {
            (Some(rows), None) => rows.into_iter().map(values).collect(),
            (None, Some(result)) => round::rows(&under.asks, self.joined.dialect(), result)?,
            _ => return Err(malformed("a step goes on with `rows`, or with the `result` of its text")),
        };
        self.go(under, rows)
    }

    fn need(&self, asks: &[Asking]) -> Vec<Json> {
        let one = |ask: &Asking| {
            let mut said = self.said(&ask.statement);
            said.insert("reads".into(), json!(ask.reads));
            Json::Object(said)
        };
        asks.iter().map(one).collect()
    }

    fn go(&self, mut under: Under, rows: Vec<Vec<Vec<Sql>>>) -> Result<Stepped, Failure> {
        #[cfg(feature = "failpoints")]
        crate::failpoint::step();
        let next = under.step.go(&self.joined, rows);
        if let Some(instead) = under.then.take_if(|_| !matches!(next, Next::Need(_))) {
            // Where the law could not be read, nobody knows what it leaves the world, and the failure is told.
            return self.stands(instead);
        }
        match next {
            Next::Need(asks) => {
                let text = if under.together { together::asked(&asks, self.joined.dialect()) } else { None };
                let out = match text {
                    Some(text) => Json::Object(Map::from_iter([("text".to_owned(), Json::String(text))])),
                    None => json!({ "need": self.need(&asks) }),
                };
                under.asks = asks;
                Ok(self.on_its_way(under, out))
            }
            Next::Settle(statements, outcome) => {
                // Why it failed may be that the session takes no such text; what takes claims back is nothing that is whole or not.
                let together = under.together && under.took && outcome.answer.is_ok();
                let text = if together { together::settled(&statements, self.joined.dialect()) } else { None };
                let writes = match text {
                    Some(text) => Writes::Together(text),
                    None => Writes::Apart(statements.iter().map(|s| Json::Object(self.said(s))).collect()),
                };
                Ok(self.settled(writes, *outcome, under.language.as_deref()))
            }
            Next::Answered(answers) => {
                let law = self.joined.law();
                let words: Words<'_> = law.as_deref().zip(under.language.as_deref());
                let (allowed, json) = answers_json(&answers, words);
                let standing = if allowed { Standing::Allowed } else { Standing::Refused };
                Ok(ended(Writes::none(), Map::from_iter([("answer".to_owned(), json)]), standing))
            }
            Next::Claimed(leave) => {
                let mut out = Map::new();
                out.insert("leave".into(), leave.iter().map(|s| Json::Object(self.said(s))).collect());
                Ok(ended(Writes::none(), out, Standing::Allowed))
            }
            Next::Learned => Err(Failure::new(Code::Internal, "a law was read, and nobody said what for")),
        }
    }

    fn on_its_way(&self, under: Under, mut out: Json) -> Stepped {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        while state.steps.len() >= STEPS_MAX {
            state.steps.pop_first();
        }
        state.steps.insert(number, under);
        out["step"] = json!(number);
        Stepped { standing: None, json: bytes(&out) }
    }

    fn settled(&self, writes: Writes, outcome: Outcome, language: Option<&str>) -> Stepped {
        let mut out = Map::new();
        let standing = match &outcome.answer {
            Ok(answer) => {
                let law = self.joined.law();
                let words: Words<'_> = law.as_deref().zip(language);
                if !outcome.earlier.is_empty() {
                    out.insert("earlier".into(), outcome.earlier.iter().map(|answer| answer_json(answer, words)).collect());
                }
                out.insert("answer".into(), answer_json(answer, words));
                if answer.allowed { Standing::Allowed } else { Standing::Refused }
            }
            Err(failure) => {
                out = failed(failure);
                Standing::Failed(failure.code)
            }
        };
        if let Some(kept) = outcome.refusal {
            let mut state = self.state();
            state.next += 1;
            let number = state.next;
            while state.refusals.len() >= REFUSALS_MAX {
                state.refusals.pop_first();
            }
            state.refusals.insert(number, kept);
            out.insert("refusal".into(), json!(number));
        }
        ended(writes, out, standing)
    }

    fn said(&self, statement: &Statement) -> Map<String, Json> {
        let said = say(statement, self.joined.dialect(), self.places);
        let params: Vec<Json> = said.params(statement).map(value).collect();
        let mut out = Map::new();
        out.insert("sql".into(), json!(said.sql));
        out.insert("params".into(), Json::Array(params));
        out
    }
}

fn step_number(json: &[u8]) -> Result<u64, Failure> {
    let mut f = Fields::of("the step", strict::parse(json, CALL_BYTES_MAX)?, &["step"])?;
    Ok(f.optional_count("step")?.unwrap_or_default())
}

fn no_step(number: u64) -> Failure {
    malformed(format!("no step {number} is on its way"))
}

/// What a step writes.
enum Writes {
    Apart(Vec<Json>),
    Together(String),
}

impl Writes {
    fn none() -> Self {
        Self::Apart(Vec::new())
    }
}

fn ended(writes: Writes, mut out: Map<String, Json>, standing: Standing) -> Stepped {
    let apart = match writes {
        Writes::Apart(statements) => statements,
        Writes::Together(text) => {
            out.insert("text".into(), Json::String(text));
            Vec::new()
        }
    };
    out.insert("settle".into(), Json::Array(apart));
    Stepped { standing: Some(standing), json: bytes(&Json::Object(out)) }
}

fn failed(failure: &Failure) -> Map<String, Json> {
    match failure_json(failure) {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

fn value(value: &Sql) -> Json {
    match value {
        Sql::Null => Json::Null,
        Sql::Int(n) => json!(n),
        Sql::Text(text) => json!(text),
        Sql::Blob(bytes) | Sql::Raw(bytes) => json!({ "b": BASE64.encode(bytes) }),
    }
}

/// A call in the bytes that it came in, with its operation: what waits in the inbox.
fn came(operation: &str, json: &[u8]) -> Vec<u8> {
    [operation.as_bytes(), b"\n", json].concat()
}

/// The call of such bytes: what folds calls in shadow reads them by.
pub fn call_that_came(bytes: &[u8]) -> Result<hos_core::call::Call, Failure> {
    let line = bytes.iter().position(|b| *b == b'\n').ok_or_else(|| malformed("a call in shadow has no operation"))?;
    let (operation, json) = bytes.split_at(line);
    let operation = std::str::from_utf8(operation).map_err(|_| malformed("an operation that is not UTF-8"))?;
    match call::came(operation, json.get(1..).unwrap_or_default())?.ask {
        Ask::Call(call) => Ok(call),
        _ => Err(malformed("a call in shadow is one that writes")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    step: u64,
    rows: Option<Vec<Vec<Vec<Cell>>>>,
    result: Option<Vec<Vec<Cell>>>,
}

fn values(rows: Vec<Vec<Cell>>) -> Vec<Vec<Sql>> {
    rows.into_iter().map(|row| row.into_iter().map(|cell| cell.0).collect()).collect()
}

/// A value of a row: null, a whole number, or base64.
struct Cell(Sql);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Cell;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, a whole number of 64 bits, or base64")
            }

            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell(Sql::Null))
            }

            fn visit_i64<E>(self, n: i64) -> Result<Cell, E> {
                Ok(Cell(Sql::Int(n)))
            }

            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Cell, E> {
                i64::try_from(n).map(|n| Cell(Sql::Int(n))).map_err(|_| E::custom("a number beyond 64 bits with sign"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cell, E> {
                BASE64.decode(text).map(|bytes| Cell(Sql::Raw(bytes))).map_err(|_| E::custom("a value that is no base64"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests;
