//! Entities as people write them: `Account::ayse`, `Pazar::Account::"ayse"`, `order/o-17`.

use crate::usage::usage;
use hos_core::id::{IdError, InstanceId, Name, Shown, Uid};
use hos_core::law::{Law, LawContract};
use hos_core::refusal::Code;
use hos_engine::Failure;

/// What a resource on the command line names.
pub(crate) enum Resource<'l> {
    /// `order/o-17`: an instance of a contract of the law.
    Instance(&'l LawContract, InstanceId),
    /// Anything else.
    Entity(Uid),
}

/// An entity: Cedar's own form, or `Type::id` where the id holds no `::`. A type without a namespace is put into the law's.
pub(crate) fn uid(text: &str, law: &Law) -> Result<Uid, Failure> {
    let (type_name, id) = parts(text)?;
    Ok(Uid::new(qualified(&type_name, law), id)?)
}

// Type and id, as written.
fn parts(text: &str) -> Result<(String, String), Failure> {
    if text.contains("::\"") {
        let uid = Uid::parse(text)?;
        return Ok((uid.type_name().to_owned(), uid.id().to_owned()));
    }
    match text.rsplit_once("::") {
        Some((type_name, id)) => Ok((type_name.to_owned(), id.to_owned())),
        None => Err(Failure::from(IdError::Malformed {
            what: "entity",
            text: text.chars().take(80).collect(),
            rule: "expected Type::id or Type::\"id\"",
        })),
    }
}

/// `Account` and `Pazar::Account` are one type in the namespace `Pazar`.
pub(crate) fn qualified(type_name: &str, law: &Law) -> String {
    if law.namespace.is_empty() {
        return type_name.to_owned();
    }
    let inside = format!("{}::{type_name}", law.namespace);
    if law.policy.has_entity_type(&inside) || (!type_name.contains("::") && !law.policy.has_entity_type(type_name)) {
        inside
    } else {
        type_name.to_owned()
    }
}

/// An instance: `contract/id`.
pub(crate) fn instance(text: &str) -> Result<(Name, InstanceId), Failure> {
    let (contract, id) =
        text.split_once('/').ok_or_else(|| usage(format!("`{}` is no instance: write CONTRACT/ID", Shown(text))))?;
    Ok((Name::new(contract)?, InstanceId::new(id)?))
}

/// A resource: `contract/id`, or an entity.
pub(crate) fn resource<'l>(text: &str, law: &'l Law) -> Result<Resource<'l>, Failure> {
    let slash = text.find('/').filter(|at| !text[..*at].contains("::"));
    let Some(at) = slash else { return uid(text, law).map(Resource::Entity) };
    let (name, id) = (&text[..at], &text[at + 1..]);
    match law.contracts.iter().find(|(n, _)| n.as_str() == name) {
        Some((_, of)) => Ok(Resource::Instance(of, InstanceId::new(id)?)),
        None => {
            let known = law.contracts.keys().map(|n| n.as_str());
            let hint = hos_core::fault::nearest(name, known).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            Err(Failure::new(Code::ContractUnknown, format!("`{}`{hint}", Shown(name))))
        }
    }
}
