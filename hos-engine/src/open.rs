//! The only place that picks implementations: which store, which clock, which keys.

use crate::clock::{SystemClock, SystemEntropy};
use crate::ports::{Clock, Entropy};
use crate::{Engine, Failure};
use hos_core::judge::Limits;
use hos_core::law::Law;
use hos_core::policy::Entity;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    /// How long once-keys are kept; at least 30 days.
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

/// How an engine is opened.
pub struct Builder {
    pub(crate) law: Option<Arc<Law>>,
    pub(crate) store: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        Self { law: None, store: None, key_file: None, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), settings: Settings::default() }
    }
}

impl Builder {
    /// The law, loaded already.
    pub fn law(mut self, law: Arc<Law>) -> Self {
        self.law = Some(law);
        self
    }

    /// The law's directory. Without any law the engine opens with the one that is active in the store.
    pub fn law_dir(self, path: impl AsRef<Path>) -> Result<Self, Failure> {
        Ok(self.law(Arc::new(load_law(path.as_ref())?)))
    }

    /// The SQLite file. The engine alone may open it.
    pub fn sqlite(mut self, path: impl Into<PathBuf>) -> Self {
        self.store = Some(path.into());
        self
    }

    /// The seal key's file; `<store>.key` if not said.
    pub fn key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_file = Some(path.into());
        self
    }

    /// Another clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of chance (tests only).
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Other settings.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Opens a store that exists. A law that is not the active one is refused (`hos.law_not_active`).
    pub fn open(self) -> Result<Engine, Failure> {
        todo!()
    }

    /// Makes a new store: its id, its seal key (unless the key file is there), its first records, the law activated.
    /// Refused if the file holds a store already.
    pub fn found(self, _founding: Founding) -> Result<Engine, Failure> {
        todo!()
    }
}

/// Reads and loads a law's directory; a fault is a [`Failure`] with all faults.
pub fn load_law(_path: &Path) -> Result<Law, Failure> {
    todo!()
}
