//! `hos init`: a new store, and what to do next.

use super::closed;
use crate::entity;
use crate::exit;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use crate::place::Place;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_core::call::By;
use hos_core::id::{Shown, Tenant, Uid};
use hos_core::judge::{Standing, at_gate};
use hos_core::law::Law;
use hos_core::law::reserved::{ACCOUNT, ENTITY, LAW_ACTIVATE, MEMBER, TENANT_OPEN};
use hos_core::policy::{Bound, Directory, Effect, Entity, Request, Ruling};
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_engine::{Failure, Founding, load_law};
use hos_wire::answer::answer_json;
use hos_wire::value::uid_json;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What to do about a database without a key.
const KEYLESS: &str = "a store in a database is founded with the key that seals it: give --key-file FILE (made there, if there is none), \
     or who signs: --signer-socket PATH or --signer-command WORDS. Programs that use the store need no key";

/// Found a store: its first account, its key, its law.
///
/// With `--tenant` the tenant is opened as well.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hos init --law law --store hos.db --founder Account::root --role Role::operator --attr active=true --tenant pazar-tr\n  \
                  hos init --law law --store-file url.txt --key-file seal.key --founder Account::root --role Role::operator --attr active=true\n\n\
                  In a database the tables are made if they are missing (`hos schema` prints them)."
)]
pub(crate) struct Init {
    /// The account that may do the first directory change
    #[arg(long, value_name = "ENTITY")]
    founder: String,
    /// A role that the founder has; made with the store
    #[arg(long = "role", value_name = "ENTITY")]
    roles: Vec<String>,
    /// An attribute of the founder
    #[arg(long = "attr", value_name = "NAME=VALUE")]
    attrs: Vec<String>,
    /// The founder's attributes as JSON
    #[arg(long = "attrs", value_name = "JSON", id = "attrs_json")]
    object: Option<String>,
}

impl Init {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let law = Arc::new(load_law(global.law_needed()?)?);
        let place = global.place()?;
        if global.is_keyless(&place)? {
            return Err(usage(KEYLESS));
        }
        let tenant = global.tenant_said()?.map(Tenant::new).transpose()?.filter(|t| !t.is_universe());
        let roles = self.roles.iter().map(|text| entity::uid(text, &law)).collect::<Result<BTreeSet<_>, _>>()?;
        let attrs = input::values(["--attr", "--attrs"], &self.attrs, self.object.as_ref(), None, &law)?;
        let founder = Entity { uid: entity::uid(&self.founder, &law)?, attrs, parents: roles.clone(), record: None };
        if roles.contains(&founder.uid) {
            return Err(usage(format!("`{}` cannot be its own role", founder.uid)));
        }
        let made = |uid: Uid| Entity { uid, attrs: Record::new(), parents: BTreeSet::new(), record: None };
        let roles: Vec<Entity> = roles.into_iter().map(made).collect();
        let doubt = fit_for_the_law(&law, &founder, &roles, tenant.as_ref())?;
        let founding = Founding { founder: founder.clone(), roles };
        let engine = global.builder()?.law(law.clone()).found(founding)?;

        let opened = tenant.as_ref().map(|name| engine.open_tenant(&By::new(founder.uid.clone()), name)).transpose()?;
        let vkey = engine.vkey(tenant.as_ref().unwrap_or(&Tenant::universe()))?;
        let store_id = engine.store_id();
        closed(engine);

        let key = global.key_path(&place)?;
        let store = place.shown();
        let key = key.map(|path| Shown(&path.to_string_lossy()).to_string());
        let kept = key.as_ref().map_or("with the signer: keep it there".to_owned(), |key| {
            format!("{key}: keep it, and keep it apart from the store")
        });
        let mut text = format!(
            "founded  {store} ({store_id}) under the law {} {}\nkey      {kept}\nvkey     {vkey}\n",
            Shown(&law.name),
            law.hash,
        );
        if let Some(doubt) = &doubt {
            text.push_str(&format!("notice   {doubt}\n"));
        }
        let language = global.language();
        if let (Some(name), Some(answer)) = (&tenant, &opened) {
            text.push_str(&show::answer(answer, &format!("tenant {name}"), "tenant.open", &law, &language));
        }
        let refused = opened.as_ref().is_some_and(|a| !a.allowed);
        text.push_str(&self.next(&place, tenant.as_ref().filter(|_| !refused), &founder.uid, &law));
        let json = json!({
            "store": store,
            "store_id": store_id.to_string(),
            "law": law.hash.to_string(),
            "key_file": key,
            "vkey": vkey,
            "founder": uid_json(&founder.uid),
            "notice": doubt,
            "tenant": opened.as_ref().map(|a| answer_json(a, Some((&law, &language)))),
        });
        Ok(Done { exit: if refused { exit::REFUSED } else { exit::OK }, text, json: without_nulls(json) })
    }

    // Commands that work under this law: another account is one of the founder's type, with the founder's attributes.
    fn next(&self, place: &Place, tenant: Option<&Tenant>, founder: &Uid, law: &Law) -> String {
        let store = match place {
            Place::File(_) => format!("HOS_STORE={}", quoted(&place.shown())),
            // Its password is not ours to show.
            Place::Database(_) => "HOS_STORE_FILE=FILE-WITH-ITS-URL".to_owned(),
        };
        let mut out = format!("\nnext:\n  export {store} HOS_AS={}", quoted(&Shown(&self.founder).to_string()));
        match tenant {
            Some(name) => out.push_str(&format!(" HOS_TENANT={name}\n")),
            None => out.push_str("\n  hos tenant open TENANT\n"),
        }
        let type_name = founder.type_name();
        let short = type_name.strip_prefix(law.namespace.as_str()).and_then(|rest| rest.strip_prefix("::")).unwrap_or(type_name);
        out.push_str(&format!("  hos directory put {short}::ayse"));
        for (option, text) in self.attrs.iter().map(|attr| ("--attr", attr)).chain(self.object.iter().map(|o| ("--attrs", o))) {
            out.push_str(&format!(" {option} {}", quoted(&Shown(text).to_string())));
        }
        let list = if tenant.is_some() { "hos directory list" } else { "hos directory list --tenant universe" };
        out.push_str(&format!(" --tenant universe\n  {list}\n  hos verify\n"));
        if let Place::Database(_) = place {
            out.push_str("  hos work --key-file FILE     # by the clock, where the key is: it alone signs\n");
        }
        out
    }
}

// A founder whom the law cannot even look at could let nobody else in: the store would be lost at birth. Where a tenant is to be opened as
// well, that too is asked here: were it refused, the store would stand, and the same command would only say that it does. Whom policies
// seem to let do nothing that brings a store on is told so, for what they ask of others' names and attributes is not known here.
fn fit_for_the_law(law: &Law, founder: &Entity, roles: &[Entity], tenant: Option<&Tenant>) -> Result<Option<String>, Failure> {
    let entities = std::iter::once(founder).chain(roles).cloned().collect();
    let bound = Bound::new(law.policy.clone(), Arc::new(Directory::new(entities, Vec::new())?))?;
    let standing = Standing { law, bound: &bound };
    for (entity, see) in
        roles.iter().map(|role| (role, "a role is made without attributes")).chain([(founder, "see --attr and --role")])
    {
        bound.fits(entity).map_err(|blocker| {
            let failure = Failure::from(blocker);
            let message = format!("`{}` is not as the law wants it; {see}: {}", entity.uid, failure.message);
            Failure { message, ..failure }
        })?;
    }
    let by = By::new(founder.uid.clone());
    let is_stranger = |act: &str| {
        let code = at_gate(standing, act, "universe", &by).0.err().and_then(|blocker| blocker.hos());
        matches!(code, Some(Code::PrincipalTypeUnknown | Code::ActionUnknown))
    };
    // One of both at least is the founder's to ask for, where the law has it.
    if [TENANT_OPEN, LAW_ACTIVATE].iter().all(|act| is_stranger(act)) && law.action(TENANT_OPEN).is_some() {
        let message =
            format!("no act of an operator is for `{}`: name a founder of a type that `{TENANT_OPEN}` is for", founder.uid);
        return Err(Failure::new(Code::PrincipalTypeUnknown, message));
    }
    let gate = tenant.map_or("universe", Tenant::as_str);
    let unopened = |code, why: &dyn std::fmt::Display| {
        let message = format!(
            "the founder may not open the tenant `{gate}`{why}, and nothing was founded: give the founder what the policies of \
             `{TENANT_OPEN}` ask for (--role, --attr)"
        );
        Failure::new(code, message)
    };
    match at_gate(standing, TENANT_OPEN, gate, &by).0 {
        Err(blocker) if tenant.is_some() => {
            let failure = Failure::from(blocker);
            Err(unopened(failure.code, &format_args!(": {}", failure.message)))
        }
        Ok(ruling) if tenant.is_some() && ruling.effect != Effect::Allow => {
            let code = match ruling.effect {
                Effect::NotPermitted => Code::NotPermitted,
                Effect::ForbidError => Code::ForbidError,
                Effect::Allow | Effect::Forbidden => Code::Forbidden,
            };
            Err(unopened(code, &""))
        }
        _ if brings_on(standing, &founder.uid, roles, gate)? => Ok(None),
        _ => Ok(Some(format!(
            "the law seems to permit `{}` neither `{LAW_ACTIVATE}` nor `{TENANT_OPEN}` nor that anybody is put into the directory: if so, \
             nobody can ever do anything in this store, and it is founded anew with what the policies ask for (--role, --attr)",
            founder.uid
        ))),
    }
}

// Whether policies let the founder put a law in force, open a tenant, or let somebody in: one of these is how a store goes on.
fn brings_on(standing: Standing<'_>, founder: &Uid, roles: &[Entity], gate: &str) -> Result<bool, Failure> {
    let law = standing.law;
    let by = By::new(founder.clone());
    let allows = |ruling: Ruling| ruling.effect == Effect::Allow;
    if [(LAW_ACTIVATE, "law"), (TENANT_OPEN, gate)]
        .into_iter()
        .any(|(act, at)| at_gate(standing, act, at, &by).0.is_ok_and(allows))
    {
        return Ok(true);
    }
    // Who is there, and one of each type that is not.
    let mut entities: Vec<Uid> = std::iter::once(founder).chain(roles.iter().map(|role| &role.uid)).cloned().collect();
    for type_name in law.policy.entity_types().into_keys() {
        if entities.iter().all(|uid| uid.type_name() != type_name) {
            entities.push(Uid::new(type_name, "new")?);
        }
    }
    let subject = Record::from([("subject".to_owned(), Value::Entity(founder.clone()))]);
    let asked = [(ACCOUNT, Record::new()), (ENTITY, Record::new()), (MEMBER, subject)];
    let may = |act: &str, context: &Record, resource: &Uid| {
        let is_there = standing.bound.directory().get(resource).is_some() || law.policy.declares(resource);
        let new = Entity { uid: resource.clone(), attrs: Record::new(), parents: BTreeSet::new(), record: None };
        let given = if is_there { Vec::new() } else { vec![new] };
        law.action(act).is_some_and(|action| {
            let request = Request { principal: founder, action: &action, resource, given: &given, context };
            standing.bound.decide(&request).is_ok_and(allows)
        })
    };
    Ok(asked.iter().any(|(act, context)| entities.iter().any(|resource| may(act, context, resource))))
}

fn without_nulls(mut json: serde_json::Value) -> serde_json::Value {
    if let Some(object) = json.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    json
}

// A word for a shell.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@%+=".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell_are_quoted() {
        assert_eq!(quoted("Account::root"), "Account::root");
        assert_eq!(quoted("a b'c"), "'a b'\\''c'");
    }
}
