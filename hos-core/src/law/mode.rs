//! Modes: whether the law is off, watching, or enforced, per tenant and action or contract. Set by activation, not law.

use crate::id::Tenant;
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

impl Modes {
    /// Whether any entry speaks of this subject.
    pub fn names(&self, subject: &str) -> bool {
        self.entries.keys().any(|(_, s)| s == subject)
    }

    /// The mode for a tenant and a subject (an action's id, or a contract's name).
    pub fn of(&self, tenant: &Tenant, subject: &str) -> Mode {
        let look = |tenant: Option<&Tenant>, subject: &str| self.entries.get(&(tenant.cloned(), subject.to_owned())).copied();
        if self.entries.is_empty() {
            return self.default;
        }
        look(Some(tenant), subject).or_else(|| look(Some(tenant), "")).or_else(|| look(None, subject)).unwrap_or(self.default)
    }
}
