//! From the options to an open engine, a tenant and a principal.

use crate::entity;
use crate::global::Global;
use crate::input;
use crate::out::to_stderr;
use crate::place::Place;
use crate::show;
use crate::usage::usage;
use clap::Args;
use hos_core::call::{By, Legacy};
use hos_core::id::{Name, RequestId, Tenant};
use hos_core::law::Law;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_engine::clock::SetClock;
use hos_engine::ports::Signer;
use hos_engine::{Builder, Engine, Failure, Settings, TenantRef};
use std::path::PathBuf;
use std::sync::Arc;

/// What a caller brings along besides who they are, in a call that is judged and enforced always.
#[derive(Debug, Default, Args)]
pub(crate) struct Beside {
    /// Context beyond the arguments, as JSON, `@FILE` or `-`
    #[arg(long, value_name = "JSON", help_heading = "What comes with the call")]
    pub(crate) context: Option<String>,
    /// Entities that come with the call: a JSON array of {"uid", "attrs", "parents"}, `@FILE` or `-`
    #[arg(long, value_name = "JSON", help_heading = "What comes with the call")]
    pub(crate) given: Option<String>,
    /// The caller's own id of the request
    #[arg(long, value_name = "ID", help_heading = "What comes with the call")]
    pub(crate) request: Option<String>,
}

/// The same in a call that may be made where the law is off or in shadow.
#[derive(Debug, Args)]
pub(crate) struct Brought {
    #[command(flatten)]
    pub(crate) beside: Beside,
    /// What the world decided by itself, where the law is off or in shadow
    #[arg(long, value_name = "YES|NO", help_heading = "What comes with the call", value_parser = ["yes", "no"])]
    pub(crate) legacy: Option<String>,
    /// The state that the world's own row has now
    #[arg(long, value_name = "STATE", requires = "legacy", help_heading = "What comes with the call")]
    pub(crate) legacy_state: Option<String>,
}

fn environment(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(usage(format!("the environment's {name} is no UTF-8"))),
    }
}

impl Global {
    /// A builder with everything that was said, but the law.
    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        let mut builder = self.place()?.builder()?;
        match (&self.key_file, &self.signer_socket, &self.signer_command) {
            (Some(path), ..) => builder = builder.key_file(path),
            (_, Some(path), _) => builder = builder.signer_socket(path),
            (.., Some(words)) => builder = builder.signer_command(words),
            _ => match (environment("HOS_SIGNER_SOCKET")?, environment("HOS_SIGNER_COMMAND")?) {
                (Some(_), Some(_)) => return Err(usage("both HOS_SIGNER_SOCKET and HOS_SIGNER_COMMAND are set: one signs")),
                (Some(path), None) => builder = builder.signer_socket(path),
                (None, Some(words)) => builder = builder.signer_command(&words),
                (None, None) => {}
            },
        }
        if let Some(path) = self.mark.clone().or(environment("HOS_MARK")?.map(PathBuf::from)) {
            builder = builder.mark(path);
        }
        if let Some(text) = &self.time {
            let time = Timestamp::parse(text).map_err(|e| Failure::new(Code::ValueInvalid, format!("--time: {e}")))?;
            builder = builder.clock(Arc::new(SetClock::at(time)));
        }
        Ok(builder.settings(Settings { clock_confirmed: self.clock_confirmed, ..Settings::default() }))
    }

    /// The seal key's file, unless a signer signs.
    pub(crate) fn key_path(&self, place: &Place) -> Result<Option<PathBuf>, Failure> {
        if let Some(path) = &self.key_file {
            return Ok(Some(path.clone()));
        }
        let said = self.signer_socket.is_some() || self.signer_command.is_some();
        if said || environment("HOS_SIGNER_SOCKET")?.is_some() || environment("HOS_SIGNER_COMMAND")?.is_some() {
            return Ok(None);
        }
        Ok(place.key_beside())
    }

    /// Whether nobody signs who could: neither a key file nor a signer is named.
    pub(crate) fn is_keyless(&self, place: &Place) -> Result<bool, Failure> {
        let said = self.key_file.is_some() || self.signer_socket.is_some() || self.signer_command.is_some();
        let signer = environment("HOS_SIGNER_SOCKET")?.or(environment("HOS_SIGNER_COMMAND")?);
        Ok(!said && signer.is_none() && place.key_beside().is_none())
    }

    /// The open engine. A change of the seal key that nobody has confirmed is told: whoever can write the store could have begun it.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        let engine = self.opened(self.builder()?)?;
        if let Some(key) = engine.pending_key() {
            let key = show::key(&key);
            to_stderr(&format!(
                "notice a change of the seal key to {key} has begun and is not confirmed, and heads behind it bear no checkpoint: \
                 `hos keys rotate` finishes it, `hos keys withdraw` takes it back\n"
            ));
        }
        Ok(engine)
    }

    /// The same for who changes keys, and knows of the change; `signer` signs, where one is given.
    pub(crate) fn engine_by(&self, signer: Option<Arc<dyn Signer>>) -> Result<Engine, Failure> {
        let builder = self.builder()?;
        self.opened(match signer {
            Some(signer) => builder.signer(signer),
            None => builder,
        })
    }

    /// The engine, opened to look: it signs nothing and writes nothing.
    pub(crate) fn reading(&self) -> Result<Engine, Failure> {
        self.opened(self.builder()?.reading())
    }

    fn opened(&self, builder: Builder) -> Result<Engine, Failure> {
        match &self.law_dir {
            Some(dir) => builder.law_dir(dir)?.open(),
            None => builder.open(),
        }
    }

    /// The law's directory, where a command cannot do without.
    pub(crate) fn law_needed(&self) -> Result<&PathBuf, Failure> {
        self.law_dir.as_ref().ok_or_else(|| usage("no law is named: give --law DIR"))
    }

    /// The tenant's name.
    pub(crate) fn tenant_name(&self) -> Result<Tenant, Failure> {
        match self.tenant_said()? {
            Some(name) => Ok(Tenant::new(name)?),
            None => Err(usage("no tenant is named: give --tenant TENANT, or set HOS_TENANT")),
        }
    }

    /// The tenant's name, if one was said.
    pub(crate) fn tenant_said(&self) -> Result<Option<String>, Failure> {
        match &self.tenant {
            Some(name) => Ok(Some(name.clone())),
            None => environment("HOS_TENANT"),
        }
    }

    /// The tenant.
    pub(crate) fn tenant(&self, engine: &Engine) -> Result<TenantRef, Failure> {
        engine.tenant(self.tenant_name()?.as_str())
    }

    /// The principal, with nothing else.
    pub(crate) fn by(&self, law: &Law) -> Result<By, Failure> {
        let said = match &self.principal {
            Some(text) => Some(text.clone()),
            None => environment("HOS_AS")?,
        };
        let text = said.ok_or_else(|| usage("nobody asks: give --as ENTITY, or set HOS_AS"))?;
        Ok(By::new(entity::uid(&text, law)?))
    }

    /// The principal, and what they bring along.
    pub(crate) fn by_beside(&self, law: &Law, beside: &Beside) -> Result<By, Failure> {
        let mut by = self.by(law)?;
        if let Some(source) = &beside.context {
            by.context = input::record("--context", source)?.into();
        }
        if let Some(source) = &beside.given {
            by.given = input::entities(source)?.into();
        }
        by.request = beside.request.as_ref().map(RequestId::new).transpose()?;
        Ok(by)
    }

    /// The same, with the world's own word.
    pub(crate) fn by_with(&self, law: &Law, brought: &Brought) -> Result<By, Failure> {
        let mut by = self.by_beside(law, &brought.beside)?;
        if let Some(word) = &brought.legacy {
            let state = brought.legacy_state.as_ref().map(Name::new).transpose()?;
            by.legacy = Some(Legacy { allowed: word == "yes", state });
        }
        Ok(by)
    }
}
