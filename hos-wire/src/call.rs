//! An operation's name and a tree -> a call whose every id is checked and every value bounded.

use crate::fields::{Fields, malformed};
use crate::limits::EVALUATIONS_MAX;
use crate::strict::{self, Tree};
use crate::value::{entity, record, uid};
use hos_core::call::{Adopt, Begin, By, Call, Can, Change, Directory, Legacy, LegacyEntry, LegacyLog, Note, Transition};
use hos_core::fault::nearest;
use hos_core::id::{DottedName, InstanceId, Name, OnceKey, RequestId, Shown, Tenant, Uid};
use hos_core::limits::LEGACY_ENTRIES_MAX;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::{Record, Value};
use hos_engine::Failure;
use std::collections::BTreeMap;

/// What can be asked, in the words of the wire.
pub const OPERATIONS: [&str; 11] =
    ["can", "can_all", "begin", "transition", "record", "directory", "adopt", "legacy", "available", "history", "message"];

/// How many records `history` tells when nothing is said, and at most.
pub const HISTORY_MAX: usize = 1_000;

/// A call, and whose tenant it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The tenant named in the call.
    pub tenant: Tenant,
    /// The language of messages; none are written without it.
    pub language: Option<String>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `can`.
    Can(Can),
    /// `can_all`: several, asked by one principal.
    CanAll(Vec<Can>),
    /// `begin`, `transition`, `record`, `directory`, `adopt`, `legacy`.
    Call(Call),
    /// `available`.
    Available {
        /// Who would do it.
        by: By,
        /// The contract.
        contract: Name,
        /// The instance.
        id: InstanceId,
    },
    /// `history`.
    History {
        /// The contract.
        contract: Name,
        /// The instance.
        id: InstanceId,
        /// The first record's place.
        from: u64,
        /// How many at most.
        limit: usize,
    },
    /// `message`: what the law says to an end user of a refusal's code, in the request's language.
    Message {
        /// The code.
        code: String,
    },
}

/// What `can` is asked, word by word.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The principal: type and id.
    pub principal: (&'a str, &'a str),
    /// The action's id in the law's namespace (`order.view`).
    pub action: &'a str,
    /// The resource: type and id.
    pub resource: (&'a str, &'a str),
    /// The context, where it is scalars and no more than a few; another stands in `beside`.
    pub context: &'a [(&'a str, Scalar<'a>)],
    /// The other fields of the call as one JSON object (`language`, `request`, `context`, `given`, `legacy`); empty where there
    /// are none.
    pub beside: &'a [u8],
}

/// A value that is no collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// `Bool`.
    Bool(bool),
    /// `Long`.
    Long(i64),
    /// `String`.
    Text(&'a str),
}

// Fields of every operation that somebody performs.
const BY: [&str; 7] = ["tenant", "language", "principal", "request", "context", "given", "legacy"];

/// Makes a call of JSON bytes of at most `bytes_max`.
pub fn parse(operation: &str, json: &[u8], bytes_max: usize) -> Result<Request, Failure> {
    let own = own_fields(operation)?;
    of_tree(operation, own, strict::parse(json, bytes_max)?)
}

/// A call that writes, with its operation's name as one more field, `operation`.
pub(crate) fn named(json: &[u8]) -> Result<(Tenant, Call), Failure> {
    let mut tree = strict::parse(json, crate::CALL_BYTES_MAX)?;
    let operation = match &mut tree {
        Tree::Object(fields) => fields.remove("operation"),
        _ => None,
    };
    let Some(Tree::Text(operation)) = operation else { return Err(malformed("the call lacks the field `operation`, a text")) };
    match of_tree(&operation, own_fields(&operation)?, tree)? {
        Request { tenant, ask: Ask::Call(call), .. } => Ok((tenant, call)),
        _ => Err(malformed(format!("`{operation}` claims nothing"))),
    }
}

fn own_fields(operation: &str) -> Result<&'static [&'static str], Failure> {
    Ok(match operation {
        "can" => &["action", "resource"],
        "can_all" => &["evaluations"],
        "begin" => &["contract", "id", "event", "facts", "args", "once"],
        "transition" => &["contract", "id", "event", "args", "once", "reason"],
        "record" => &["stream", "payload", "payload_hex", "subject", "once"],
        "directory" => &["change", "once"],
        "adopt" => &["contract", "id", "state", "facts", "once"],
        "legacy" => &["contract", "id", "entries", "once"],
        "available" => &["contract", "id"],
        "history" => &["tenant", "language", "contract", "id", "from", "limit"],
        "message" => &["tenant", "language", "code"],
        other => return Err(unknown(other)),
    })
}

/// The call of a tree.
fn of_tree(operation: &str, own: &[&str], tree: Tree) -> Result<Request, Failure> {
    let nobody = matches!(operation, "history" | "message");
    let known: Vec<&str> = if nobody { own.to_vec() } else { BY.iter().chain(own).copied().collect() };
    let mut f = Fields::of("the call", tree, &known)?;
    let tenant = Tenant::new(f.text("tenant")?)?;
    let language = f.optional_text("language")?;
    let ask = match operation {
        "can" => Ask::Can(Can { by: by(&mut f)?, action: f.text("action")?, resource: uid("`resource`", f.need("resource")?)? }),
        "can_all" => Ask::CanAll(evaluations(by(&mut f)?, f.need("evaluations")?)?),
        "begin" => Ask::Call(Call::Begin(Begin {
            by: by(&mut f)?,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            event: Name::new(f.text("event")?)?,
            facts: values(&mut f, "facts", "`facts`")?,
            args: values(&mut f, "args", "`args`")?,
            once: once(&mut f)?,
        })),
        "transition" => Ask::Call(Call::Transition(Transition {
            by: by(&mut f)?,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            event: Name::new(f.text("event")?)?,
            args: values(&mut f, "args", "`args`")?,
            once: once(&mut f)?,
            reason: f.optional_text("reason")?,
        })),
        "record" => Ask::Call(Call::Note(Note {
            by: by(&mut f)?,
            stream: DottedName::new(f.text("stream")?)?,
            payload: payload(&mut f)?,
            subject: f.take("subject").map(|t| uid("`subject`", t)).transpose()?,
            once: once(&mut f)?,
        })),
        "directory" => {
            Ask::Call(Call::Directory(Directory { by: by(&mut f)?, change: change(f.need("change")?)?, once: once(&mut f)? }))
        }
        "adopt" => Ask::Call(Call::Adopt(Adopt {
            by: by(&mut f)?,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            state: Name::new(f.text("state")?)?,
            facts: values(&mut f, "facts", "`facts`")?,
            once: once(&mut f)?,
        })),
        "legacy" => Ask::Call(Call::LegacyLog(LegacyLog {
            by: by(&mut f)?,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            entries: entries(f.need("entries")?)?,
            once: once(&mut f)?,
        })),
        "available" => {
            Ask::Available { by: by(&mut f)?, contract: Name::new(f.text("contract")?)?, id: InstanceId::new(f.text("id")?)? }
        }
        "message" if language.is_none() => return Err(malformed("the call lacks the field `language`")),
        "message" => Ask::Message { code: f.text("code")? },
        _ => Ask::History {
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            from: f.optional_count("from")?.unwrap_or(0),
            limit: f.optional_count("limit")?.map_or(HISTORY_MAX, |n| usize::try_from(n).unwrap_or(HISTORY_MAX).min(HISTORY_MAX)),
        },
    };
    Ok(Request { tenant, language, ask })
}

fn unknown(operation: &str) -> Failure {
    let hint = nearest(operation, OPERATIONS)
        .map_or_else(|| format!("known are {}", OPERATIONS.join(", ")), |n| format!("did you mean `{n}`?"));
    let shown: String = operation.chars().take(80).collect();
    malformed(format!("`{}` is no operation; {hint}", Shown(&shown)))
}

/// `can` with its words given apart, and the other fields of the call as one object; faults are looked for in the order of
/// [`parse`].
pub(crate) fn can_apart(asked: &Asked<'_>) -> Result<(Tenant, Option<String>, Can), Failure> {
    let tree = match asked.beside {
        [] => Tree::Object(BTreeMap::new()),
        beside => strict::parse(beside, crate::CALL_BYTES_MAX)?,
    };
    let mut f = Fields::of("the call", tree, &["language", "request", "context", "given", "legacy"])?;
    let tenant = Tenant::new(asked.tenant)?;
    let language = f.optional_text("language")?;
    let mut by = by_principal(&mut f, Uid::new(asked.principal.0, asked.principal.1)?)?;
    scalars(&mut by.context, asked.context)?;
    let resource = Uid::new(asked.resource.0, asked.resource.1)?;
    Ok((tenant, language, Can { by, action: asked.action.to_owned(), resource }))
}

fn scalars(context: &mut Record, scalars: &[(&str, Scalar<'_>)]) -> Result<(), Failure> {
    for (name, scalar) in scalars {
        let value = match scalar {
            Scalar::Bool(value) => Value::Bool(*value),
            Scalar::Long(value) => Value::Long(*value),
            Scalar::Text(value) => Value::String((*value).to_owned()),
        };
        if context.insert((*name).to_owned(), value).is_some() {
            let shown: String = name.chars().take(80).collect();
            return Err(malformed(format!("`context` has the key `{}` twice", Shown(&shown))));
        }
    }
    if scalars.is_empty() {
        return Ok(());
    }
    Value::check_bounds(context).map_err(|e| Failure::new(Code::CallTooLarge, format!("`context`: {e}")))
}

fn by(f: &mut Fields) -> Result<By, Failure> {
    let principal = uid("`principal`", f.need("principal")?)?;
    by_principal(f, principal)
}

fn by_principal(f: &mut Fields, principal: Uid) -> Result<By, Failure> {
    let given = f.take("given").map_or(Ok(Vec::new()), given)?;
    Ok(By {
        principal,
        request: f.optional_text("request")?.map(RequestId::new).transpose()?,
        context: values(f, "context", "`context`")?,
        given,
        legacy: f.take("legacy").map(legacy).transpose()?,
    })
}

fn given(tree: Tree) -> Result<Vec<Entity>, Failure> {
    match tree {
        Tree::List(items) => items.into_iter().map(entity).collect(),
        other => Err(malformed(format!("`given` is an array of entities, not {}", other.kind()))),
    }
}

fn legacy(tree: Tree) -> Result<Legacy, Failure> {
    let mut f = Fields::of("`legacy`", tree, &["allowed", "state"])?;
    Ok(Legacy { allowed: f.flag("allowed")?, state: f.optional_text("state")?.map(Name::new).transpose()? })
}

fn values(f: &mut Fields, name: &str, what: &'static str) -> Result<Record, Failure> {
    f.take(name).map_or(Ok(Record::new()), |tree| record(what, tree))
}

fn once(f: &mut Fields) -> Result<Option<OnceKey>, Failure> {
    Ok(f.optional_text("once")?.map(OnceKey::new).transpose()?)
}

// Questions of one principal. What each says of `context` and `given` stands in place of what the call says for all. What the world
// decided by itself is of one question, and where it could not stand in for an answer it would be lost here.
fn evaluations(by: By, tree: Tree) -> Result<Vec<Can>, Failure> {
    let Tree::List(items) = tree else {
        return Err(malformed(format!("`evaluations` is an array of questions, not {}", tree.kind())));
    };
    if items.is_empty() || items.len() > EVALUATIONS_MAX {
        return Err(malformed(format!("`evaluations` has {} questions, not 1 to {EVALUATIONS_MAX}", items.len())));
    }
    if by.legacy.is_some() {
        return Err(malformed("`legacy` is of one question: ask it by `can`"));
    }
    let one = |item| {
        let mut f = Fields::of("an evaluation", item, &["action", "resource", "context", "given"])?;
        let mut by = by.clone();
        if let Some(own) = f.take("context") {
            by.context = record("`context`", own)?;
        }
        if let Some(own) = f.take("given") {
            by.given = given(own)?;
        }
        Ok(Can { by, action: f.text("action")?, resource: uid("`resource`", f.need("resource")?)? })
    };
    items.into_iter().map(one).collect()
}

// Rows of an older log, the oldest first.
fn entries(tree: Tree) -> Result<Vec<LegacyEntry>, Failure> {
    let Tree::List(rows) = tree else { return Err(malformed(format!("`entries` is an array of rows, not {}", tree.kind()))) };
    if rows.is_empty() || rows.len() > LEGACY_ENTRIES_MAX {
        return Err(malformed(format!("`entries` has {} rows, not 1 to {LEGACY_ENTRIES_MAX}", rows.len())));
    }
    rows.into_iter().map(legacy_entry).collect()
}

fn legacy_entry(tree: Tree) -> Result<LegacyEntry, Failure> {
    let mut f = Fields::of("an entry", tree, &["at", "from", "to", "event", "actor", "detail", "key"])?;
    let at = f.text("at")?;
    let entry = LegacyEntry {
        at: Timestamp::parse(&at).map_err(|e| Failure::new(Code::ValueInvalid, format!("`at`: {e}")))?,
        from: f.optional_text("from")?,
        to: f.text("to")?,
        event: f.optional_text("event")?,
        actor: f.optional_text("actor")?,
        detail: f.optional_text("detail")?,
        key: f.optional_text("key")?,
    };
    match entry.fault() {
        None => Ok(entry),
        Some(fault) => Err(malformed(format!("an entry: {fault}"))),
    }
}

// Bytes that are no text come as hexadecimal: JSON has no bytes.
fn payload(f: &mut Fields) -> Result<Vec<u8>, Failure> {
    match (f.optional_text("payload")?, f.optional_text("payload_hex")?) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(hex)) => unhex(&hex).ok_or_else(|| malformed("`payload_hex` is an even number of hexadecimal digits")),
        (None, None) => Err(malformed("the call lacks the field `payload` (or `payload_hex`)")),
        (Some(_), Some(_)) => Err(malformed("the call has `payload` and `payload_hex`; it can have one")),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// A directory change: an object with one key that says what is done, `{"join": {"uid": .., "parent": ..}}`.
fn change(tree: Tree) -> Result<Change, Failure> {
    const KINDS: [&str; 6] = ["put", "remove", "join", "leave", "grant", "revoke"];
    let mut f = Fields::of("`change`", tree, &KINDS)?;
    let mut found = KINDS.into_iter().filter_map(|kind| f.take(kind).map(|tree| (kind, tree)));
    let (Some((kind, tree)), None) = (found.next(), found.next()) else {
        return Err(malformed(format!("`change` has exactly one of {}", KINDS.join(", "))));
    };
    Ok(match kind {
        "put" => {
            let mut f = Fields::of("`put`", tree, &["uid", "attrs"])?;
            Change::Put { uid: uid("`uid`", f.need("uid")?)?, attrs: values(&mut f, "attrs", "`attrs`")? }
        }
        "remove" => Change::Remove { uid: uid("`uid`", Fields::of("`remove`", tree, &["uid"])?.need("uid")?)? },
        "join" | "leave" => {
            let what = if kind == "join" { "`join`" } else { "`leave`" };
            let mut f = Fields::of(what, tree, &["uid", "parent"])?;
            let (member, parent) = (uid("`uid`", f.need("uid")?)?, uid("`parent`", f.need("parent")?)?);
            if kind == "join" { Change::Join { uid: member, parent } } else { Change::Leave { uid: member, parent } }
        }
        "grant" => {
            let mut f = Fields::of("`grant`", tree, &["id", "template", "principal", "resource"])?;
            Change::Grant {
                id: f.text("id")?,
                template: f.text("template")?,
                principal: f.take("principal").map(|t| uid("`principal`", t)).transpose()?,
                resource: f.take("resource").map(|t| uid("`resource`", t)).transpose()?,
            }
        }
        _ => Change::Revoke { id: Fields::of("`revoke`", tree, &["id"])?.text("id")? },
    })
}
