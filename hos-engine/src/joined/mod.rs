//! The engine in the transaction that you already have: it judges, and the host runs the statements on its own connection.
//!
//! ```text
//! let joined = Joined::open(Dialect::Postgres, Places::Dollar, law, settings);
//! let mut step = joined.step(Asked::Call(tenant, call, came), Some(true));
//! let mut next = step.go(&joined, Vec::new());
//! while let Next::Need(asks) = next { next = step.go(&joined, run(asks)); }      // in your transaction, in this order
//! // Next::Settle { statements, outcome }: run the statements, heed the answer, commit or roll back
//! ```
//!
//! # Promises
//!
//! - Nothing is written before the answer is known, but claims: rows that say that they hold nothing. A refused call takes them
//!   back by its own statements, so that a host that commits all the same has stored nothing of it.
//! - What decides is read under a lock on the very row, or claimed by its insertion. No row is shared by calls on different
//!   instances, but those of a principal, which all who judge it share.
//! - Outside a transaction nothing is judged ([`Code::NoTransaction`]), nor on a replica ([`Code::StoreReadOnly`]).
//! - COMMIT POINT: the host's. Records get their place in the log after it, by whoever seals; until then receipts are pending.

mod all;
mod instead;
mod over;
mod probe;
mod step;

pub use over::{Over, Rows, Speaker};
pub use step::{Asked, KeptRefusal, Next, Outcome, Step};

use crate::Failure;
use crate::court::gone::KnownGone;
use crate::court::keys::KnownKeys;
use crate::court::near::Near;
use crate::court::signing::Signing;
use crate::court::{Court, founding};
use crate::laws::Laws;
use crate::open::Given;
use crate::ports::{Clock, Entropy};
use crate::seal::Origin;
use crate::settings::{Seal, Settings};
use crate::signer::NoSigner;
use crate::store::Tx;
use crate::store::sql::dialect::{Dialect, Places};
use crate::store::sql::law as law_sql;
use crate::store::sql::schema;
use crate::vault::Vault;
use hos_core::id::StoreId;
use hos_core::proof::key::VerifyKey;
use hos_core::refusal::Code;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// An engine whose store lies in the host's database, and is reached by the host's transactions alone.
pub struct Joined {
    dialect: Dialect,
    places: Places,
    settings: Settings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// The law that the host brought: it must be the active one.
    given: Mutex<Option<Given>>,
    court: OnceLock<Court>,
    /// Whether the database takes several statements in one text, as far as is known.
    texts: AtomicBool,
    exchanges: AtomicU64,
}

impl Joined {
    /// Opens by a builder's law, clock and settings; its store, keys and signer are not used. Nothing is read yet: the first step
    /// does.
    pub fn open(mut builder: crate::Builder, dialect: Dialect, places: Places) -> Self {
        let settings = Settings { seal: Seal::Worker, ..builder.settings };
        Self {
            dialect,
            places,
            settings,
            clock: builder.clock,
            entropy: builder.entropy,
            given: Mutex::new(builder.law.take()),
            court: OnceLock::new(),
            texts: AtomicBool::new(true),
            exchanges: AtomicU64::new(0),
        }
    }

    /// What the host's database speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How the host's driver writes places of parameters.
    pub fn places(&self) -> Places {
        self.places
    }

    /// How often [`Joined::run`] and [`Joined::over`] asked a database something for a step and waited for it. Questions about the
    /// transaction itself are the driver's and not counted.
    pub fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::Relaxed)
    }

    /// The active law, as this process last saw it.
    pub fn law(&self) -> Option<Arc<hos_core::law::Law>> {
        let court = self.court.get()?;
        court.in_force.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|in_force| in_force.law.clone())
    }

    /// Begins a step: something to be judged in one transaction. `inside`: whether the driver says that its connection is in one;
    /// `None` where it cannot tell, which PostgreSQL alone makes up for.
    pub fn step(&self, asked: Asked, inside: Option<bool>) -> Step {
        Step::new(asked, self.dialect, inside)
    }

    /// What is known of the store; read by the first step.
    fn court(&self, tx: &Tx<'_>) -> Result<&Court, Failure> {
        if let Some(court) = self.court.get() {
            return Ok(court);
        }
        let mut asked = [founding::KEY_STORE, founding::KEY_EPOCH, founding::KEY_SEAL].map(law_sql::store_value).to_vec();
        asked.push(schema::last_step());
        tx.foresee(&asked)?;
        self.knows(tx)?;
        let value = |at: usize| -> Result<crate::store::Row, Failure> {
            let none = || Failure::new(Code::StoreUnavailable, "the database holds no store of H-OS: found one with `hos init`");
            let asked = asked.get(at).ok_or_else(none)?;
            tx.row(asked)?.ok_or_else(none)
        };
        let of = Origin { store: StoreId(value(0)?.bytes(0)?), epoch: u64::from_be_bytes(value(1)?.bytes(0)?) };
        let public = VerifyKey::from_bytes(&value(2)?.bytes(0)?)
            .map_err(|e| Failure::new(Code::StoreIntegrity, format!("the store's seal key: {e}")))?;
        let court = Court {
            of,
            signing: Signing::new(Arc::new(NoSigner), public),
            known_keys: KnownKeys::default(),
            known_gone: KnownGone::default(),
            mark: None,
            quarantine: Mutex::default(),
            excused: Mutex::default(),
            reading: false,
            vault: Vault::Host,
            laws: Laws::default(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            settings: self.settings.clone(),
            in_force: RwLock::default(),
            views: RwLock::default(),
            changes: AtomicU64::new(0),
            checkpoints: Mutex::default(),
            traces: Mutex::default(),
            kept: Mutex::default(),
            recent: Mutex::default(),
            near: Near::default(),
        };
        self.bring_law(tx, &court)?;
        // Another thread may have been faster with the same.
        Ok(self.court.get_or_init(|| court))
    }

    /// Refuses a database whose tables are not those of this H-OS: what was written into them would be another's rows. The text
    /// of each step is compared by who opens the store; here it is asked how many there are.
    fn knows(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        let last = tx.row(&schema::last_step())?.map_or(Ok(0), |row| row.int(0))?;
        let known = i64::try_from(schema::steps(self.dialect).len()).unwrap_or(i64::MAX);
        if last == known {
            return Ok(());
        }
        let dialect = self.dialect.name();
        let whose = if last > known {
            "it is newer: take the H-OS that goes with it".to_owned()
        } else {
            format!("bring it up by what `hos schema --dialect {dialect} --from {}` prints", last.max(0))
        };
        let message = format!("the database has step {last} of the schema, and this H-OS knows {known}; {whose}");
        Err(Failure::new(Code::StoreVersion, message))
    }

    /// The law that the host brought is the active one: then its files need not come from the database.
    fn bring_law(&self, tx: &Tx<'_>, court: &Court) -> Result<(), Failure> {
        let row = tx.row(&law_sql::activation())?;
        let row = row.ok_or_else(|| Failure::new(Code::StoreIntegrity, "the store has no activation"))?;
        let active = law_sql::activation_from(&row)?.law;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        match given.take() {
            Some(law) if law.hash() != Some(active) => {
                let (hash, faults) = (law.hash(), law.faults());
                // It is told again to whoever asks next.
                *given = Some(law);
                // One with faults is told by its faults.
                faults?;
                let hash = hash.map_or_else(|| "one that does not load".to_owned(), |hash| hash.to_string());
                Err(Failure::new(Code::LawNotActive, format!("the store is under law {active}, the law given is {hash}")))
            }
            Some(law) => {
                court.laws.keep(law.load_again(&active)?);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
