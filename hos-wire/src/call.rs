//! An operation's name and a tree -> a call whose every id is checked and every value bounded.

use crate::fields::{Fields, malformed};
use crate::made::{self, given, values};
use crate::several;
use crate::strict::{self, Tree};
use crate::value::{attribute, uid};
use hos_core::call::{By, Call, Can, Legacy};
use hos_core::fault::nearest;
use hos_core::id::{InstanceId, Name, RequestId, Shown, Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_engine::Failure;
use std::collections::BTreeMap;

/// What can be asked, in the words of the wire.
pub const OPERATIONS: [&str; 12] =
    ["can", "can_all", "begin", "transition", "record", "directory", "adopt", "legacy", "all", "available", "history", "message"];

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
    /// `all`: several calls that write, made by one principal, as one.
    All(Vec<Call>),
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
    of_tree(operation, own, strict::parse(json, bytes_max)?, made::may_be_sent)
}

/// The same of a call that waited in an inbox: it is read as it came, though nobody could send it any more.
pub(crate) fn came(operation: &str, json: &[u8]) -> Result<Request, Failure> {
    let own = own_fields(operation)?;
    of_tree(operation, own, strict::parse(json, crate::CALL_BYTES_MAX)?, |_| Ok(()))
}

/// A call that writes, with its operation's name as one more field, `operation`.
pub(crate) fn named(json: &[u8]) -> Result<(Tenant, Call), Failure> {
    let mut tree = strict::parse(json, crate::CALL_BYTES_MAX)?;
    let operation = match &mut tree {
        Tree::Object(fields) => fields.remove("operation"),
        _ => None,
    };
    let Some(Tree::Text(operation)) = operation else { return Err(malformed("the call lacks the field `operation`, a text")) };
    match of_tree(&operation, own_fields(&operation)?, tree, made::may_be_sent)? {
        Request { tenant, ask: Ask::Call(call), .. } => Ok((tenant, call)),
        _ => Err(malformed(format!("`{operation}` claims nothing"))),
    }
}

fn own_fields(operation: &str) -> Result<&'static [&'static str], Failure> {
    Ok(match operation {
        "can" => &["action", "resource"],
        "can_all" => &["evaluations"],
        "all" => &["calls"],
        "available" => &["contract", "id"],
        "history" => &["tenant", "language", "contract", "id", "from", "limit"],
        "message" => &["tenant", "language", "code"],
        other => return made::fields(other).ok_or_else(|| unknown(other)),
    })
}

/// Whether entities may be given.
type Bound = fn(&[Entity]) -> Result<(), Failure>;

/// The call of a tree.
fn of_tree(operation: &str, own: &[&str], tree: Tree, bound: Bound) -> Result<Request, Failure> {
    let nobody = matches!(operation, "history" | "message");
    let known: Vec<&str> = if nobody { own.to_vec() } else { BY.iter().chain(own).copied().collect() };
    let mut f = Fields::of("the call", tree, &known)?;
    let tenant = Tenant::new(f.text("tenant")?)?;
    let language = f.optional_text("language")?;
    let ask = match operation {
        "can" => {
            Ask::Can(Can { by: by(&mut f, bound)?, action: f.text("action")?, resource: uid("`resource`", f.need("resource")?)? })
        }
        "can_all" => Ask::CanAll(several::evaluations(by(&mut f, bound)?, f.need("evaluations")?)?),
        "all" => Ask::All(several::calls(by(&mut f, bound)?, f.need("calls")?)?),
        "available" => Ask::Available {
            by: by(&mut f, bound)?,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
        },
        writes if made::fields(writes).is_some() => {
            let by = by(&mut f, bound)?;
            Ask::Call(made::made(writes, by, &mut f)?)
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
    let mut by = by_principal(&mut f, Uid::new(asked.principal.0, asked.principal.1)?, made::may_be_sent)?;
    scalars(&mut by.context, asked.context)?;
    let resource = Uid::new(asked.resource.0, asked.resource.1)?;
    Ok((tenant, language, Can { by, action: asked.action.to_owned(), resource }))
}

fn scalars(context: &mut Record, scalars: &[(&str, Scalar<'_>)]) -> Result<(), Failure> {
    for (name, scalar) in scalars {
        attribute(name)?;
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

fn by(f: &mut Fields, bound: Bound) -> Result<By, Failure> {
    let principal = uid("`principal`", f.need("principal")?)?;
    by_principal(f, principal, bound)
}

fn by_principal(f: &mut Fields, principal: Uid, bound: Bound) -> Result<By, Failure> {
    let given = f.take("given").map_or(Ok(Vec::new()), given)?;
    bound(&given)?;
    Ok(By {
        principal,
        request: f.optional_text("request")?.map(RequestId::new).transpose()?,
        context: values(f, "context", "`context`")?.into(),
        given: given.into(),
        legacy: f.take("legacy").map(legacy).transpose()?,
    })
}

fn legacy(tree: Tree) -> Result<Legacy, Failure> {
    let mut f = Fields::of("`legacy`", tree, &["allowed", "state"])?;
    Ok(Legacy { allowed: f.flag("allowed")?, state: f.optional_text("state")?.map(Name::new).transpose()? })
}
