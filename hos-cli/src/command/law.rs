//! `hos law`: which law is active, and another one's activation.

use super::answered;
use super::law_backtest::Backtest;
use super::law_diff::Diff;
use super::law_types::Types;
use crate::global::Global;
use crate::input;
use crate::out::{Done, to_stderr};
use crate::progress::Progress;
use crate::show;
use crate::usage::usage;
use clap::{Args, Subcommand};
use hos_core::fault::{SourceFile, nearest};
use hos_core::id::{Name, Shown, Tenant, Uid};
use hos_core::law::Law as LoadedLaw;
use hos_core::law::mode::{Mode, Modes};
use hos_core::limits::TOML_BYTES_MAX;
use hos_engine::{Engine, Failure, LawActivation, LawEntry, load_law};
use hos_wire::answer::receipt_json;
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The store's laws: the active one, all of them, another one's activation.
#[derive(Debug, Args)]
pub(crate) struct Law {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the active law, its contracts and its modes
    Show,
    /// List the store's laws by hash: since when, by which record, how many instances live under each
    List,
    Activate(Activate),
    Diff(Diff),
    Backtest(Backtest),
    Types(Types),
}

/// Activate a law.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hos law activate law --as Account::root
  hos law activate law --mode order.pay=shadow --mode pazar-tr:order=enforce
  hos law activate law --candidate next")]
struct Activate {
    /// The law's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// A law to be judged beside it; without it there is none from then on
    #[arg(long, value_name = "DIR")]
    candidate: Option<PathBuf>,
    /// A file with all modes (TOML); instead of those in force
    #[arg(long, value_name = "FILE")]
    modes: Option<PathBuf>,
    /// Sets one mode; may be repeated. `shadow` alone sets it for whatever nothing else names; `order=shadow`,
    /// `pazar-tr:order.pay=enforce`, `pazar-tr:=off`. Modes that are not named stay as they are; of a new store everything is enforced
    #[arg(long = "mode", value_name = "[[TENANT:]SUBJECT=]MODE")]
    mode: Vec<String>,
}

impl Law {
    pub(crate) fn dir(&self) -> Option<&Path> {
        match &self.verb {
            Verb::Activate(activate) => Some(&activate.dir),
            Verb::Backtest(backtest) => Some(backtest.dir()),
            Verb::Show | Verb::List | Verb::Diff(_) | Verb::Types(_) => None,
        }
    }

    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        match &self.verb {
            Verb::Show => shown(global),
            Verb::List => listed(global),
            Verb::Activate(activate) => activate.run(global),
            Verb::Diff(diff) => diff.run(global),
            Verb::Backtest(backtest) => backtest.run(global),
            Verb::Types(types) => types.run(global),
        }
    }
}

fn shown(global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let (law, modes) = (engine.law()?, engine.modes());
    let mut text = format!("law      {} {}\n", Shown(&law.name), law.hash);
    if !law.namespace.is_empty() {
        let _ = writeln!(text, "space    {}", law.namespace);
    }
    for (name, of) in &law.contracts {
        let _ = writeln!(text, "contract {name} version {}, {} states", of.contract.version, of.contract.states.len());
    }
    let _ = writeln!(text, "mode     {} where nothing else is said", modes.default.as_str());
    for ((tenant, subject), mode) in &modes.entries {
        let _ = writeln!(text, "mode     {}:{subject} {}", tenant.as_ref().map_or("*", Tenant::as_str), mode.as_str());
    }
    let contracts = law.contracts.iter().map(|(name, of)| {
        let states = of.contract.states.iter().map(|s| s.name.as_str()).collect::<Vec<_>>();
        json!({ "contract": name.as_str(), "version": of.contract.version, "states": states })
    });
    let json = json!({
        "law": law.hash.to_string(),
        "name": law.name,
        "namespace": law.namespace,
        "contracts": contracts.collect::<Vec<_>>(),
        "modes": modes_json(&modes),
    });
    Ok(Done::ok(text, json))
}

fn listed(global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let laws = engine.laws()?;
    super::closed(engine);
    let mut text = String::new();
    for law in &laws {
        let contracts = law.contracts.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "{:<10} {} {}", law.standing.as_str(), law.hash, Shown(&law.name));
        if !contracts.is_empty() {
            let _ = writeln!(text, "           contracts {contracts}");
        }
        for activation in &law.activations {
            let (at, receipt) = (activation.at, &activation.receipt);
            let role = activation.standing.as_str();
            let _ = writeln!(
                text,
                "           {role} from {at} by record {}/{} ({})",
                receipt.thread,
                receipt.n.unwrap_or_default(),
                show::seal(receipt)
            );
        }
        let _ = writeln!(text, "           {} live instance{}", law.live, if law.live == 1 { "" } else { "s" });
    }
    Ok(Done::ok(text, json!({ "laws": laws.iter().map(law_json).collect::<Vec<_>>() })))
}

fn law_json(law: &LawEntry) -> Json {
    let contracts = law.contracts.iter().map(|(name, version)| json!({ "contract": name.as_str(), "version": version }));
    let activation = |a: &LawActivation| json!({ "n": a.n, "time": a.at.to_string(), "as": a.standing.as_str(), "receipt": receipt_json(&a.receipt) });
    json!({
        "law": law.hash.to_string(),
        "name": law.name,
        "standing": law.standing.as_str(),
        "contracts": contracts.collect::<Vec<_>>(),
        "activations": law.activations.iter().map(activation).collect::<Vec<_>>(),
        "live": law.live,
    })
}

fn modes_json(modes: &Modes) -> Json {
    let entries = modes.entries.iter().map(|((tenant, subject), mode)| {
        let mut entry = json!({ "subject": subject, "mode": mode.as_str() });
        if let Some(tenant) = tenant {
            entry["tenant"] = json!(tenant.as_str());
        }
        entry
    });
    json!({ "default": modes.default.as_str(), "entries": entries.collect::<Vec<_>>() })
}

impl Activate {
    fn run(&self, global: &Global) -> Result<Done, Failure> {
        let progress = Progress::new("reading the law", global.json);
        let law = Arc::new(load_law(&self.dir)?);
        let candidate = self.candidate.as_ref().map(|dir| load_law(dir)).transpose()?.map(Arc::new);
        let engine = global.engine()?;
        // What is carried over may be of an older law; what is said now is of this one.
        let (mut modes, mut said) = match &self.modes {
            Some(path) => {
                let modes = modes_file(path, global.json)?;
                let said: Vec<Key> = modes.entries.keys().cloned().collect();
                (modes, said)
            }
            None => (engine.modes(), Vec::new()),
        };
        for text in &self.mode {
            said.extend(set_mode(&mut modes, text)?);
        }
        are_known(&said, &law, candidate.as_deref(), &engine)?;
        let by = global.by(&*engine.law()?)?;
        let subject = format!("law {} {}", law.name, law.hash);
        progress.next("looking at live instances");
        let answer = engine.activate(&by, law, candidate, modes)?;
        drop(progress);
        answered(engine, &answer, &subject, "law.activate", global)
    }
}

fn modes_file(path: &Path, json: bool) -> Result<Modes, Failure> {
    let text = input::text(path, TOML_BYTES_MAX, "cannot be read")?;
    let file = SourceFile { path: show::inert(&path.to_string_lossy()), text };
    Modes::parse(&file).map_err(|faults| {
        // For a person the lines are shown here, where the file is at hand; for a program the faults are told as they are.
        if json {
            return Failure { faults, ..usage("the modes have faults") };
        }
        to_stderr(&hos_core::law::render(&faults, &[file]));
        usage("the modes have faults")
    })
}

/// Whose mode it is: a tenant, or any; an action or a contract, or all.
type Key = (Option<Tenant>, String);

/// Sets a mode; says whose, unless it is the default.
fn set_mode(modes: &mut Modes, text: &str) -> Result<Option<Key>, Failure> {
    let wrong = || {
        usage(format!("--mode `{}`: write MODE, SUBJECT=MODE or TENANT:SUBJECT=MODE with off, shadow or enforce", Shown(text)))
    };
    let Some((key, word)) = text.rsplit_once('=') else {
        modes.default = Mode::from_text(text).ok_or_else(wrong)?;
        return Ok(None);
    };
    let mode = Mode::from_text(word).ok_or_else(wrong)?;
    let (tenant, subject) = match key.split_once(':') {
        Some((tenant, subject)) => (Some(Tenant::new(tenant)?), subject),
        None => (None, key),
    };
    if tenant.is_none() && subject.is_empty() {
        return Err(wrong());
    }
    if !subject.is_empty() {
        hos_core::id::DottedName::new(subject)?;
    }
    let key = (tenant, subject.to_owned());
    modes.entries.insert(key.clone(), mode);
    Ok(Some(key))
}

/// Refuses a mode of what is not there: it would bind nobody, and what was meant would stay as it is.
fn are_known(said: &[Key], law: &LoadedLaw, candidate: Option<&LoadedLaw>, engine: &Engine) -> Result<(), Failure> {
    let laws = [Some(law), candidate];
    let laws = || laws.into_iter().flatten();
    let known = |subject: &str| laws().any(|law| law.policy.has_action(subject) || law.contracts.contains_key(subject));
    if let Some((_, strange)) = said.iter().find(|(_, subject)| !subject.is_empty() && !known(subject)) {
        let actions = laws().flat_map(|law| law.policy.actions().map(Uid::id));
        let hint = meant(strange, actions.chain(laws().flat_map(|law| law.contracts.keys().map(Name::as_str))));
        return Err(usage(format!("the law has no action and no contract `{}`{hint}", Shown(strange))));
    }
    if said.iter().all(|(tenant, _)| tenant.is_none()) {
        return Ok(());
    }
    let tenants = engine.tenants()?;
    match said.iter().filter_map(|(tenant, _)| tenant.as_ref()).find(|tenant| !tenants.contains(tenant)) {
        Some(strange) => {
            let hint = meant(strange.as_str(), tenants.iter().map(Tenant::as_str));
            Err(usage(format!("the store has no tenant `{strange}`{hint}")))
        }
        None => Ok(()),
    }
}

fn meant<'k>(strange: &str, known: impl Iterator<Item = &'k str>) -> String {
    nearest(strange, known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_set_one_by_one() {
        let mut modes = Modes::default();
        for text in ["shadow", "order=off", "pazar-tr:order.pay=enforce", "pazar-tr:=off"] {
            set_mode(&mut modes, text).unwrap();
        }
        let tenant = Tenant::new("pazar-tr").unwrap();
        assert_eq!(modes.default, Mode::Shadow);
        assert_eq!(modes.of(&tenant, "order.pay"), Mode::Enforce);
        assert_eq!(modes.of(&tenant, "payment"), Mode::Off);
        for wrong in ["", "on", "order=on", "=off", "Pazar:order=off", "order pay=off"] {
            assert!(set_mode(&mut modes, wrong).is_err(), "{wrong}");
        }
    }
}
