//! Modes: whether the law is off, watching, or enforced, per tenant and action or contract. Set by activation, not law.

use crate::canon::{CanonError, Reader, Writer};
use crate::fault::{Fault, SourceFile};
use crate::id::{DottedName, Shown, Tenant};
use crate::limits::{MODES_MAX, NAME_BYTES_MAX};
use crate::spanned::{self, Codes, Text};
use std::collections::BTreeMap;

/// How the law stands to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Not judged; the world's own outcome stands.
    Off = 0,
    /// Judged and recorded beside the world's own outcome, which stands.
    Shadow = 1,
    /// The law decides.
    Enforce = 2,
}

impl Mode {
    const ALL: [(Mode, &'static str); 3] = [(Mode::Off, "off"), (Mode::Shadow, "shadow"), (Mode::Enforce, "enforce")];

    /// `off`, `shadow` or `enforce`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Shadow => "shadow",
            Mode::Enforce => "enforce",
        }
    }

    /// The mode with this name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(mode, _)| *mode)
    }

    /// The mode with this number.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().find(|(mode, _)| *mode as u64 == number).map(|(mode, _)| *mode)
    }
}

/// Modes as activated: the most specific entry wins (tenant and subject, tenant, subject, default).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modes {
    /// Where nothing else is said.
    pub default: Mode,
    /// `None` in the key means any tenant; an empty subject means any action or contract. A subject is an action id
    /// (`order.pay`) or a contract's name (`order`).
    pub entries: BTreeMap<(Option<Tenant>, String), Mode>,
}

impl Default for Modes {
    fn default() -> Self {
        Self { default: Mode::Enforce, entries: BTreeMap::new() }
    }
}

// The bytes' version.
const VERSION: u64 = 1;
const KEY_CODES: Codes = Codes { unknown: "modes.unknown_key", missing: "modes.missing_key", wrong_type: "modes.wrong_type" };

impl Modes {
    /// The mode for a tenant and a subject (an action's id, or a contract's name).
    pub fn of(&self, tenant: &Tenant, subject: &str) -> Mode {
        let look = |tenant: Option<&Tenant>, subject: &str| self.entries.get(&(tenant.cloned(), subject.to_owned())).copied();
        if self.entries.is_empty() {
            return self.default;
        }
        look(Some(tenant), subject).or_else(|| look(Some(tenant), "")).or_else(|| look(None, subject)).unwrap_or(self.default)
    }

    /// The mode for a tenant and an action of a contract: what is said of the action wins over what is said of the contract,
    /// what is said of the tenant over what is said of all.
    pub fn of_act(&self, tenant: &Tenant, action: &str, contract: &str) -> Mode {
        if self.entries.is_empty() {
            return self.default;
        }
        let look = |tenant: Option<&Tenant>, subject: &str| self.entries.get(&(tenant.cloned(), subject.to_owned())).copied();
        let of = |tenant: Option<&Tenant>| look(tenant, action).or_else(|| look(tenant, contract));
        of(Some(tenant)).or_else(|| look(Some(tenant), "")).or_else(|| of(None)).unwrap_or(self.default)
    }

    /// Canonical bytes: `[1, default, [[tenant or "", subject, mode], ..]]`, entries ascending by (tenant, subject).
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.array(3).uint(VERSION).uint(self.default as u64).array(self.entries.len());
        for ((tenant, subject), mode) in &self.entries {
            writer.array(3).text(tenant.as_ref().map_or("", Tenant::as_str)).text(subject).uint(*mode as u64);
        }
        writer.finish()
    }

    /// Reads what [`Modes::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonError> {
        let wrong = |what: &'static str| CanonError(what, 0);
        let mode = |number: u64| Mode::from_number(number).ok_or(wrong("no mode has this number"));
        let mut reader = Reader::new(bytes);
        if reader.array()? != 3 || reader.uint()? != VERSION {
            return Err(wrong("no table of modes of a known version"));
        }
        let mut modes = Modes { default: mode(reader.uint()?)?, entries: BTreeMap::new() };
        let len = reader.array()?;
        if len > MODES_MAX {
            return Err(wrong("too many modes"));
        }
        for _ in 0..len {
            if reader.array()? != 3 {
                return Err(wrong("an entry of modes has three items"));
            }
            let tenant = match reader.text()? {
                "" => None,
                name => Some(Tenant::new(name).map_err(|_| wrong("no tenant's name"))?),
            };
            let key = (tenant, reader.text()?.to_owned());
            check_key(&key).map_err(wrong)?;
            if modes.entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(wrong("modes do not ascend"));
            }
            modes.entries.insert(key, mode(reader.uint()?)?);
        }
        reader.end()?;
        Ok(modes)
    }

    /// Reads a table that a person wrote:
    ///
    /// ```toml
    /// default = "enforce"
    /// [[mode]]
    /// tenant  = "pazar-tr"       # left out: any
    /// subject = "order.pay"      # left out: all of the tenant
    /// mode    = "shadow"
    /// ```
    pub fn parse(file: &SourceFile) -> Result<Self, Vec<Fault>> {
        let table = spanned::parse(file)?;
        let mut reader = spanned::Reader::new(file, KEY_CODES);
        reader.known_keys(&table, &["default", "mode"]);
        let default = reader.required_string(&table, "default").and_then(|text| mode_of(&mut reader, text));
        let mut modes = Modes { default: default.unwrap_or(Mode::Enforce), entries: BTreeMap::new() };
        for entry in reader.tables(&table, "mode") {
            reader.known_keys(entry, &["tenant", "subject", "mode"]);
            let tenant = reader.string(entry, "tenant").map(|text| (Tenant::new(&text.value), text));
            let tenant = match tenant {
                None => None,
                Some((Ok(tenant), _)) => Some(tenant),
                Some((Err(e), text)) => {
                    let fault = reader.error("modes.value", text.span.clone(), e.to_string());
                    reader.push(fault);
                    continue;
                }
            };
            let subject = reader.string(entry, "subject").map(|text| text.value.clone()).unwrap_or_default();
            let Some(mode) = reader.required_string(entry, "mode").and_then(|text| mode_of(&mut reader, text)) else { continue };
            let key = (tenant, subject);
            if let Err(why) = check_key(&key) {
                let fault = reader.error("modes.value", entry.span.clone(), why);
                reader.push(fault);
            } else if modes.entries.insert(key, mode).is_some() {
                let fault = reader.error("modes.duplicate", entry.span.clone(), "this tenant and subject have a mode already");
                reader.push(fault);
            }
        }
        if reader.faults.is_empty() { Ok(modes) } else { Err(reader.faults) }
    }
}

fn mode_of(reader: &mut spanned::Reader<'_>, text: &Text) -> Option<Mode> {
    let mode = Mode::from_text(&text.value);
    if mode.is_none() {
        let message = format!("`{}` is no mode: `off`, `shadow` or `enforce`", Shown(&text.value));
        let fault = reader.error("modes.value", text.span.clone(), message);
        reader.push(fault.did_you_mean(&text.value, Mode::ALL.map(|(_, name)| name)));
    }
    mode
}

fn check_key((tenant, subject): &(Option<Tenant>, String)) -> Result<(), &'static str> {
    if subject.is_empty() {
        return if tenant.is_some() { Ok(()) } else { Err("a mode for any tenant and any subject is the default") };
    }
    if subject.len() > NAME_BYTES_MAX || DottedName::new(subject).is_err() {
        return Err("a subject is an action's id or a contract's name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> Tenant {
        Tenant::new(name).unwrap()
    }

    fn sample() -> Modes {
        let entries = [
            (Some("tr"), "order.pay", Mode::Off),
            (Some("tr"), "", Mode::Shadow),
            (None, "order.pay", Mode::Enforce),
            (None, "order", Mode::Off),
        ];
        let entries = entries.into_iter().map(|(t, s, m)| ((t.map(tenant), s.to_owned()), m)).collect();
        Modes { default: Mode::Shadow, entries }
    }

    #[test]
    fn the_most_specific_entry_wins() {
        let table = [
            ("tr", "order.pay", Mode::Off),     // tenant and subject
            ("tr", "order", Mode::Shadow),      // the tenant, before the subject
            ("tr", "order.ship", Mode::Shadow), // the tenant
            ("de", "order.pay", Mode::Enforce), // the subject
            ("de", "order", Mode::Off),         // the subject
            ("de", "order.ship", Mode::Shadow), // the default
        ];
        for (name, subject, wanted) in table {
            assert_eq!(sample().of(&tenant(name), subject), wanted, "{name} {subject}");
        }
        assert_eq!(Modes::default().of(&tenant("de"), "order.ship"), Mode::Enforce);
    }

    #[test]
    fn an_action_s_entry_wins_over_its_contract_s_and_binds_nobody_else() {
        let mut modes = Modes { default: Mode::Off, entries: BTreeMap::new() };
        let mut say = |name: Option<&str>, subject: &str, mode| modes.entries.insert((name.map(tenant), subject.into()), mode);
        say(Some("tr"), "order.pay", Mode::Shadow);
        say(Some("tr"), "order", Mode::Enforce);
        say(Some("de"), "order", Mode::Enforce);
        say(Some("fr"), "", Mode::Shadow);
        say(None, "order.ship", Mode::Enforce);
        say(None, "order", Mode::Shadow);
        let table = [
            ("tr", "order.pay", Mode::Shadow),   // the tenant's action
            ("tr", "order.ship", Mode::Enforce), // the tenant's contract, before anybody's action
            ("de", "order.pay", Mode::Enforce),  // the tenant's contract: what another tenant's action is in says nothing
            ("fr", "order.pay", Mode::Shadow),   // the tenant, before anybody's contract
            ("uk", "order.ship", Mode::Enforce), // anybody's action
            ("uk", "order.pay", Mode::Shadow),   // anybody's contract
        ];
        for (name, action, wanted) in table {
            assert_eq!(modes.of_act(&tenant(name), action, "order"), wanted, "{name} {action}");
        }
        assert_eq!(modes.of_act(&tenant("uk"), "payment.take", "payment"), Mode::Off);
        assert_eq!(Modes::default().of_act(&tenant("uk"), "order.pay", "order"), Mode::Enforce);
    }

    #[test]
    fn bytes_round_trip_and_nothing_else_is_read() {
        let bytes = sample().encode();
        assert_eq!(Modes::decode(&bytes), Ok(sample()));
        assert_eq!(Modes::default().encode(), [0x83, 0x01, 0x02, 0x80]);
        for cut in 0..bytes.len() {
            assert!(Modes::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Modes::decode(&longer).is_err());

        let entry = |writer: &mut Writer, tenant: &str, subject: &str, mode: u64| {
            writer.array(3).text(tenant).text(subject).uint(mode);
        };
        type Entries<'a> = &'a [(&'a str, &'a str, u64)];
        let bad: [(u64, u64, Entries<'_>); 8] = [
            (2, 0, &[]),
            (1, 3, &[]),
            (1, 0, &[("", "", 0)]),
            (1, 0, &[("TR", "order", 0)]),
            (1, 0, &[("tr", "order pay", 0)]),
            (1, 0, &[("tr", "order", 9)]),
            (1, 0, &[("tr", "b", 0), ("tr", "a", 0)]),
            (1, 0, &[("tr", "a", 0), ("tr", "a", 0)]),
        ];
        for (version, default, entries) in bad {
            let mut writer = Writer::default();
            writer.array(3).uint(version).uint(default).array(entries.len());
            entries.iter().for_each(|(t, s, m)| entry(&mut writer, t, s, *m));
            assert!(Modes::decode(&writer.finish()).is_err(), "{version} {default} {entries:?}");
        }
    }

    #[test]
    fn a_person_writes_modes_as_toml() {
        let file = |text: &str| SourceFile { path: "modes.toml".into(), text: text.into() };
        let text = "default = \"shadow\"\nmode = [\n{ tenant = \"tr\", subject = \"order.pay\", mode = \"off\" },\n\
                    { tenant = \"tr\", mode = \"shadow\" },\n{ subject = \"order.pay\", mode = \"enforce\" },\n\
                    { subject = \"order\", mode = \"off\" },\n]\n";
        assert_eq!(Modes::parse(&file(text)), Ok(sample()));

        let text = "defalt = \"on\"\n[[mode]]\ntenant = \"TR\"\nmode = \"off\"\n[[mode]]\nmode = \"of\"\n[[mode]]\nmode = \"off\"\n\
                    [[mode]]\nsubject = \"a\"\nmode = \"off\"\n[[mode]]\nsubject = \"a\"\nmode = \"off\"\n";
        let told: Vec<_> = Modes::parse(&file(text)).unwrap_err().iter().map(|f| (f.code, f.line)).collect();
        let wanted = [
            ("modes.unknown_key", 1),
            ("modes.missing_key", 1),
            ("modes.value", 3),
            ("modes.value", 6),
            ("modes.value", 7),
            ("modes.duplicate", 12),
        ];
        assert_eq!(told, wanted);
    }
}
