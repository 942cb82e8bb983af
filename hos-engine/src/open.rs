//! The only place that picks implementations: which store, which clock, which keys.

use crate::clock::{SystemClock, SystemEntropy};
use crate::court::Court;
use crate::court::founding::{KEY_EPOCH, KEY_SEAL, KEY_STORE};
use crate::court::gone::KnownGone;
use crate::court::keys::{self, KnownKeys};
use crate::court::near::Near;
use crate::court::signing::Signing;
use crate::keys::{read_seal_key, settle_seal_key, write_seal_key};
use crate::laws::{Laws, faulty, load_law_files, read_law_files};
use crate::mark::Mark;
use crate::ports::{Clock, Entropy, Signer};
use crate::seal::Origin;
use crate::settings::{Founding, Settings};
use crate::signer::{CommandLine, FileSigner, NoSigner, PATIENCE, Remote, SocketLine};
use crate::store::StoreError;
use crate::store::place::Place;
use crate::store::server::{Connector, ServerStore};
use crate::store::sql::law as law_sql;
use crate::store::sql::schema::{APPLICATION_ID, MIGRATIONS};
use crate::store::sqlite::{Older, OpenOptions, SqliteStore, Stay, Vault as FileVault};
use crate::vault::Vault;
use crate::work::Plan;
use crate::{Engine, Failure};
use hos_core::id::{LawHash, StoreId};
use hos_core::law::Law;
use hos_core::proof::key::VerifyKey;
use hos_core::refusal::Code;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

/// How an engine is opened.
pub struct Builder {
    pub(crate) law: Option<Given>,
    pub(crate) store: Option<Where>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) mark: Option<PathBuf>,
    pub(crate) unmarked: bool,
    pub(crate) reading: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
}

/// Where a store is.
pub(crate) enum Where {
    File(PathBuf),
    Server(Arc<dyn Connector>),
}

impl Where {
    fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(connector) => connector.shown(),
        }
    }
}

/// A law that an engine is opened or founded with.
pub(crate) enum Given {
    Loaded(Arc<Law>),
    /// A directory, for messages, and its files: they are loaded where they are not those of the active law.
    Files(PathBuf, Vec<(String, Vec<u8>)>),
}

impl Given {
    pub(crate) fn hash(&self) -> Option<LawHash> {
        match self {
            Self::Loaded(law) => Some(law.hash),
            Self::Files(_, files) => Law::hash_of(files),
        }
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn faults(&self) -> Result<(), Failure> {
        // No fork comes between: parsers are made once in a process.
        let _stay = Stay::enter();
        match self {
            Self::Loaded(_) => Ok(()),
            Self::Files(dir, files) => load_law_files(dir, files.clone()).map(drop),
        }
    }

    pub(crate) fn load(self) -> Result<Arc<Law>, Failure> {
        // As in `faults`.
        let _stay = Stay::enter();
        match self {
            Self::Loaded(law) => Ok(law),
            Self::Files(dir, files) => load_law_files(&dir, files).map(Arc::new),
        }
    }

    /// The same of a law that is in force already: it was taken in by the rules of its time.
    pub(crate) fn load_again(self, hash: &LawHash) -> Result<Arc<Law>, Failure> {
        match self {
            Self::Loaded(law) => Ok(law),
            Self::Files(dir, files) => Law::load_again(files, hash).map(Arc::new).map_err(|faults| faulty(&dir, faults)),
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            law: None,
            store: None,
            key_file: None,
            signer: None,
            mark: None,
            unmarked: false,
            reading: false,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            settings: Settings::default(),
        }
    }
}

impl Engine {
    /// Starts a builder.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The law, loaded already.
    pub fn law(mut self, law: Arc<Law>) -> Self {
        self.law = Some(Given::Loaded(law));
        self
    }

    /// The law's directory, which is read here. Whether it is a law is found when the engine is opened or founded: to open with the
    /// active law costs no more than to read it. Without any law the engine opens with the one that is active in the store.
    pub fn law_dir(mut self, path: impl AsRef<Path>) -> Result<Self, Failure> {
        self.law = Some(Given::Files(path.as_ref().to_owned(), read_law_files(path.as_ref())?));
        Ok(self)
    }

    /// The SQLite file. The engine alone may open it.
    pub fn sqlite(mut self, path: impl Into<PathBuf>) -> Self {
        self.store = Some(Where::File(path.into()));
        self
    }

    /// A database that others use too: the world's own. Records are sealed just after their commit, in transactions of their own;
    /// where no key or signer is given, this process signs nothing.
    pub fn server(mut self, connector: Arc<dyn Connector>) -> Self {
        self.store = Some(Where::Server(connector));
        self
    }

    /// The seal key's file; `<store>.key` if not said.
    pub fn key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_file = Some(path.into());
        self
    }

    /// Who signs checkpoints, instead of a key file.
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// An agent at this Unix socket signs (`hos signer`): this process never has the key.
    pub fn signer_socket(self, path: impl Into<PathBuf>) -> Self {
        self.signer(Arc::new(Remote::new(SocketLine::new(path, PATIENCE))))
    }

    /// A program signs, such as one that asks a hardware module: its words are separated by white space, and no shell reads
    /// them.
    pub fn signer_command(self, words: &str) -> Self {
        self.signer(Arc::new(Remote::new(CommandLine::new(words, PATIENCE))))
    }

    /// A file outside the store, best on another machine's disk, that keeps the newest checkpoint of each log. A store that is
    /// behind it, or other than it, opens in quarantine ([`Engine::quarantine`]).
    pub fn mark(mut self, path: impl Into<PathBuf>) -> Self {
        self.mark = Some(path.into());
        self
    }

    /// Opens without looking at the mark, for who writes it anew ([`Engine::write_mark`]).
    pub fn unmarked(mut self) -> Self {
        self.unmarked = true;
        self
    }

    /// Opens to look: whatever would write is refused (`hos.store_read_only`), and no head is signed, so that what nobody signed yet is
    /// seen as it is. The key's file may be missing, and is read only where it is named ([`Builder::key_file`]). A key that an erasure
    /// names opens nothing, and stays where it is. A backup, which has no log beside it, may lie where nothing can be written. An older
    /// file is not brought up: a copy of it is, in the place of temporary files, and is what is looked at.
    pub fn reading(mut self) -> Self {
        self.reading = true;
        self
    }

    /// Another clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of chance: for tests, and for nothing else ([`Entropy`]).
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
    pub fn open(mut self) -> Result<Engine, Failure> {
        let place = self.store.take().ok_or_else(nowhere)?;
        let path = place.shown();
        let store = self.place(&place, false)?;
        let (id, epoch, public, contents) = store.read(|tx| {
            let value = |key| tx.row(&law_sql::store_value(key));
            let lost = || StoreError::new(Code::StoreUnavailable, format!("{path} is no store of H-OS: it was never founded"));
            let id = value(KEY_STORE)?.ok_or_else(lost)?.bytes(0)?;
            let epoch = u64::from_be_bytes(value(KEY_EPOCH)?.ok_or_else(lost)?.bytes(0)?);
            let public: [u8; 32] = value(KEY_SEAL)?.ok_or_else(lost)?.bytes(0)?;
            Ok((StoreId(id), epoch, public, keys::records(tx).map_err(StoreError::from)?))
        })?;
        let sealed_by = VerifyKey::from_bytes(&public)
            .map_err(|e| Failure::new(Code::StoreIntegrity, format!("the store's seal key: {e}")))?;
        let signer = self.signer_at(&place)?;
        let ring = keys::ring_of(&id, &contents)?;
        let (mut silent, mut half_done) = (false, None);
        match signer.public() {
            // A change to this key was cut short.
            Ok(key) if ring.pending() == Some(&key) => half_done = Some(key),
            Ok(key) if key != sealed_by => {
                let what = match &self.signer {
                    Some(_) => "the signer".to_owned(),
                    None => self.key_path(&place).map_or_else(|| "the key".to_owned(), |path| path.display().to_string()),
                };
                let why = match (ring.knows(&key), &self.signer) {
                    (false, _) => "this key is not the one that seals this store",
                    (true, Some(_)) => "this key sealed the store once; another took over: have the signer sign with that one",
                    (true, None) => {
                        "this key sealed the store once; another took over: name the new one with --key-file, or put it in the old \
                         file's place"
                    }
                };
                return Err(Failure::new(Code::KeyInvalid, format!("{what}: {why}")));
            }
            Err(failure) if failure.code != Code::SignerFailed => return Err(failure),
            // A signer that does not answer now may answer later; each of its signatures is held against the store's key.
            Err(_) => silent = true,
            Ok(_) => {}
        }
        let (given, unmarked) = (self.law.take(), self.unmarked);
        let vault = vault(&place, &store, false, self.reading)?;
        let signing = Signing::new(signer.clone(), half_done.clone().unwrap_or(sealed_by));
        if silent {
            signing.hold();
        }
        let engine = Engine::assemble(store, self.court(Origin { store: id, epoch }, signing, vault));
        if !unmarked {
            engine.compare_mark()?;
        }
        engine.recover()?;
        if let Some(public) = half_done.filter(|_| engine.0.may_write().is_ok()) {
            engine.confirm_key(signer, &public)?;
        }
        let active = engine.law()?;
        match given {
            Some(given) if given.hash() != Some(active.hash) => {
                // One with faults is told by its faults.
                let given = given.load()?.hash;
                let message = format!("the store is under law {}, the law given is {given}", active.hash);
                Err(Failure::new(Code::LawNotActive, message))
            }
            _ => Ok(engine),
        }
    }

    /// Makes a new store: its id, its mark where one is named, its seal key (unless the key file is there), its first records, the law
    /// activated. Refused if the file holds a store already, and where the mark cannot be written.
    pub fn found(mut self, founding: Founding) -> Result<Engine, Failure> {
        let place = self.store.take().ok_or_else(nowhere)?;
        let given = self.law.take();
        let law =
            given.ok_or_else(|| Failure::new(Code::LawInvalid, "a store is founded under a law, and none was given"))?.load()?;
        let store = self.place(&place, true)?;
        // A founding that was killed leaves a file without a store: it is founded now.
        if store.read(|tx| tx.row(&law_sql::store_value(KEY_STORE)))?.is_some() {
            return Err(Failure::new(
                Code::DirectoryConflict,
                format!("{} holds a store already; a store is founded in a new place", place.shown()),
            ));
        }
        let mut id = [0; 16];
        self.entropy.fill(&mut id)?;
        let key_path = self.key_path(&place);
        if self.signer.is_none() && key_path.is_none() {
            return Err(Failure::new(Code::KeyInvalid, "a store in a database is founded with a key file, or a signer"));
        }
        if let Some(path) = &self.mark {
            Mark::new(path.clone()).begin(&StoreId(id))?;
        }
        match key_path.filter(|_| self.signer.is_none()) {
            Some(path) if path.exists() => settle_seal_key(&path)?,
            Some(path) => {
                let mut seed = zeroize::Zeroizing::new([0; 32]);
                self.entropy.fill(&mut seed[..])?;
                write_seal_key(&path, &seed)?;
            }
            None => {}
        }
        let signer = self.signer_at(&place)?;
        let public = signer.public()?;
        let vault = vault(&place, &store, true, false)?;
        let engine =
            Engine::assemble(store, self.court(Origin { store: StoreId(id), epoch: 0 }, Signing::new(signer, public), vault));
        engine.found(Plan { law, founder: founding.founder, roles: founding.roles })?;
        Ok(engine)
    }

    fn place(&self, place: &Where, create: bool) -> Result<Place<Court>, Failure> {
        Ok(match place {
            Where::File(path) => {
                let older = if self.reading { Older::Refused } else { Older::BroughtUp };
                let options = || OpenOptions { older, ..self.options(create) };
                let open = |read_only| SqliteStore::open(path, options().read_only(read_only));
                let store = match opened(path, self.reading, open) {
                    // Who only looks leaves an older store as it is.
                    Err(error) if self.reading && error.code == Code::StoreVersion => SqliteStore::open_apart(path, options()),
                    result => result,
                };
                Place::File(Box::new(store?))
            }
            Where::Server(connector) => {
                Place::Server(Arc::new(ServerStore::open(connector.clone(), self.settings.busy_timeout, create)?))
            }
        })
    }

    /// The key's file, where one is named or lies beside the store.
    fn key_path(&self, place: &Where) -> Option<PathBuf> {
        self.key_file.clone().or_else(|| match place {
            Where::File(path) => Some(beside(path, "key")),
            Where::Server(_) => None,
        })
    }

    fn signer_at(&self, place: &Where) -> Result<Arc<dyn Signer>, Failure> {
        match (&self.signer, self.key_path(place)) {
            (Some(signer), _) => Ok(signer.clone()),
            // Who only looks signs nothing, and what lies beside the store may be a key of before.
            (None, Some(path)) if self.reading && (self.key_file.is_none() || !path.exists()) => Ok(Arc::new(NoSigner)),
            (None, Some(path)) => Ok(Arc::new(FileSigner::new(read_seal_key(&path)?))),
            (None, None) => Ok(Arc::new(NoSigner)),
        }
    }

    fn options(&self, create: bool) -> OpenOptions {
        // A page is written twice, to the log and to the file: the longer the log, the more changes of a page are written once.
        // Beyond 16 MiB nothing more was won.
        OpenOptions {
            create,
            busy_timeout: self.settings.busy_timeout,
            checkpoint_pages: 4000,
            ..OpenOptions::new(APPLICATION_ID, MIGRATIONS)
        }
    }

    fn court(self, of: Origin, signing: Signing, vault: Vault) -> Court {
        Court {
            of,
            signing,
            known_keys: KnownKeys::default(),
            known_gone: KnownGone::default(),
            mark: self.mark.map(Mark::new),
            quarantine: Mutex::default(),
            excused: Mutex::default(),
            reading: self.reading,
            vault,
            laws: Laws::default(),
            clock: self.clock,
            entropy: self.entropy,
            settings: self.settings,
            in_force: RwLock::default(),
            views: RwLock::default(),
            changes: AtomicU64::new(0),
            checkpoints: Mutex::default(),
            traces: Mutex::default(),
            kept: Mutex::default(),
            recent: Mutex::default(),
            near: Near::default(),
        }
    }
}

fn nowhere() -> Failure {
    Failure::new(Code::StoreUnavailable, "no store was named")
}

/// The keys of persons: beside a file, or in the store's own database.
fn vault(place: &Where, store: &Place<Court>, create: bool, reading: bool) -> Result<Vault, Failure> {
    let (path, apart) = match (place, store) {
        (_, Place::Server(server)) => return Ok(Vault::Table(server.clone())),
        (Where::File(path), Place::File(file)) => (FileVault::path_beside(path), file.is_apart()),
        (Where::Server(_), Place::File(_)) => return Err(Failure::new(Code::Internal, "a database was opened as a file")),
    };
    if !create && !path.exists() {
        return Err(Failure::new(
            Code::StoreUnavailable,
            format!(
                "the vault {}, which holds the keys of persons, is missing; a copy of a store is opened with a copy of its vault beside it",
                path.display()
            ),
        ));
    }
    let open = |read_only| FileVault::open_with(&path, FileVault::options().create(create).read_only(read_only));
    // Beside a store that stays as it is the vault does too.
    let vault = if apart { looked_at(&path, open) } else { opened(&path, reading, open) };
    Ok(Vault::File(Box::new(vault?)))
}

/// Opens a file; for who only looks also where nothing can be written, if no log lies beside it: what is in one may not be durable yet.
/// SQLite reads a file there that keeps no log, and no other: of that one it would have to make the log's index.
fn opened<T>(path: &Path, reading: bool, open: impl Fn(bool) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let is_logged = || std::fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0);
    match open(false) {
        Err(error) if reading && error.code == Code::StoreReadOnly && !is_logged() => looked_at(path, open),
        result => result,
    }
}

/// Opens a file without writing into it.
fn looked_at<T>(path: &Path, open: impl Fn(bool) -> Result<T, StoreError>) -> Result<T, StoreError> {
    open(true).map_err(|error| match error.code {
        Code::StoreUnavailable => {
            let what = "where nothing can be written only a copy that `hos backup` made can be read";
            StoreError { message: format!("{}: {}; {what}", path.display(), error.message), ..error }
        }
        _ => error,
    })
}

/// A file's write-ahead log.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// A file beside the store: `<store>.<ending>`.
fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
