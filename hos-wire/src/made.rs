//! A call that writes, of its fields.

use crate::fields::{Fields, malformed};
use crate::limits::PARENTS_GIVEN_MAX;
use crate::strict::Tree;
use crate::value::{entity, record, uid};
use hos_core::call::{Adopt, Begin, By, Call, Change, Directory, LegacyEntry, LegacyLog, Note, Transition};
use hos_core::id::{DottedName, InstanceId, Name, OnceKey, Shown};
use hos_core::limits::LEGACY_ENTRIES_MAX;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::Record;
use hos_engine::Failure;

/// The fields of an operation that writes, but for those of who makes it.
pub(crate) fn fields(operation: &str) -> Option<&'static [&'static str]> {
    Some(match operation {
        "begin" => &["contract", "id", "event", "facts", "args", "once"],
        "transition" => &["contract", "id", "event", "args", "once", "reason"],
        "record" => &["stream", "payload", "payload_hex", "subject", "once"],
        "directory" => &["change", "once"],
        "adopt" => &["contract", "id", "state", "facts", "once"],
        "legacy" => &["contract", "id", "entries", "once"],
        _ => return None,
    })
}

/// A call that writes, of its own fields.
pub(crate) fn made(operation: &str, by: By, f: &mut Fields) -> Result<Call, Failure> {
    Ok(match operation {
        "begin" => Call::Begin(Begin {
            by,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            event: Name::new(f.text("event")?)?,
            facts: values(f, "facts", "`facts`")?,
            args: values(f, "args", "`args`")?,
            once: once(f)?,
        }),
        "transition" => Call::Transition(Transition {
            by,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            event: Name::new(f.text("event")?)?,
            args: values(f, "args", "`args`")?,
            once: once(f)?,
            reason: f.optional_text("reason")?,
        }),
        "record" => Call::Note(Note {
            by,
            stream: DottedName::new(f.text("stream")?)?,
            payload: payload(f)?,
            subject: f.take("subject").map(|t| uid("`subject`", t)).transpose()?,
            once: once(f)?,
        }),
        "directory" => Call::Directory(Directory { by, change: change(f.need("change")?)?, once: once(f)? }),
        "adopt" => Call::Adopt(Adopt {
            by,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            state: Name::new(f.text("state")?)?,
            facts: values(f, "facts", "`facts`")?,
            once: once(f)?,
        }),
        "legacy" => Call::LegacyLog(LegacyLog {
            by,
            contract: Name::new(f.text("contract")?)?,
            id: InstanceId::new(f.text("id")?)?,
            entries: entries(f.need("entries")?)?,
            once: once(f)?,
        }),
        other => return Err(malformed(format!("`{}` is no call that writes", Shown(other)))),
    })
}

pub(crate) fn given(tree: Tree) -> Result<Vec<Entity>, Failure> {
    let Tree::List(items) = tree else {
        return Err(malformed(format!("`given` must be an array of entities, not {}", tree.kind())));
    };
    items.into_iter().map(entity).collect()
}

/// Looks whether somebody may send what was read. A call that waits in an inbox was sent before this was asked.
pub(crate) fn may_be_sent(given: &[Entity]) -> Result<(), Failure> {
    let parents: usize = given.iter().map(|entity| entity.parents.len()).sum();
    if parents > PARENTS_GIVEN_MAX {
        let message = format!("the entities of `given` have {parents} parents in all, at most {PARENTS_GIVEN_MAX} are read");
        return Err(Failure::new(Code::CallTooLarge, message));
    }
    Ok(())
}

pub(crate) fn values(f: &mut Fields, name: &str, what: &'static str) -> Result<Record, Failure> {
    f.take(name).map_or(Ok(Record::new()), |tree| record(what, tree))
}

fn once(f: &mut Fields) -> Result<Option<OnceKey>, Failure> {
    Ok(f.optional_text("once")?.map(OnceKey::new).transpose()?)
}

// Rows of an older log, the oldest first.
fn entries(tree: Tree) -> Result<Vec<LegacyEntry>, Failure> {
    let Tree::List(rows) = tree else {
        return Err(malformed(format!("`entries` must be an array of rows, not {}", tree.kind())));
    };
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
        (None, Some(hex)) => unhex(&hex).ok_or_else(|| malformed("`payload_hex` must be an even number of hexadecimal digits")),
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
