//! What a store is opened and founded with; none of it is law.

use hos_core::judge::Limits;
use hos_core::policy::Entity;
use std::time::Duration;

/// When records get their place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// In the commit of the call; the answer's receipt is complete.
    Inline,
    /// By `work`, later; receipts are pending until then.
    Worker,
}

/// Settings of a store; none of them is law.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When records are sealed.
    pub seal: Seal,
    /// How old the directory that `can` judges under may be before it is confirmed again.
    pub directory_age_max: Duration,
    /// Bounds of judging.
    pub limits: Limits,
    /// How long once-keys are kept; at least 30 days, as far as the tenant's log shows that these have passed. They are forgotten up to a
    /// thirtieth of that time later.
    pub once_kept: Duration,
    /// How long to wait for another process that holds the store.
    pub busy_timeout: Duration,
    /// Accept the clock as it is, once, though it jumped.
    pub clock_confirmed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seal: Seal::Inline,
            directory_age_max: Duration::from_millis(500),
            limits: Limits::default(),
            once_kept: Duration::from_secs(30 * 86_400),
            busy_timeout: Duration::from_secs(10),
            clock_confirmed: false,
        }
    }
}

/// Who may do the first directory change of a new store: attested in its first record, not judged.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The founder's account, with attributes and parents.
    pub founder: Entity,
    /// The roles (or other entities) that the founder's parents name, created with it.
    pub roles: Vec<Entity>,
}
