//! Signers: a key in this process, an agent on a line, an agent on a socket, held to the same promises; and what each
//! refuses.

mod support;

use hos_core::id::{Tenant, TreeHash};
use hos_core::proof::checkpoint::{Checkpoint, Note, NoteKey};
use hos_core::proof::key::{SealKey, VerifyKey};
use hos_core::proof::tree::{Frontier, prove_consistency};
use hos_core::refusal::Code;
use hos_engine::ports::{Growth, Signer};
use hos_engine::signer::{Agent, FileSigner, Line, Remote, SocketLine};
use hos_engine::{Engine, Failure, Founding, Level, Settings, VerifyOptions};
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{go, new_order, root, uid};

const ORIGIN: &str = "hos/b883fcb71d90c0a6f983537e40fc5952/t1/0";
/// Long enough for any machine; nothing here waits for it to pass unless it says so.
const PATIENCE: Duration = Duration::from_secs(30);

fn key(n: u8) -> SealKey {
    SealKey::from_seed(&[n; 32])
}

fn agent(n: u8, state: &Path) -> Agent {
    Agent::new(Box::new(FileSigner::new(key(n))), Some(state)).unwrap()
}

/// An agent without a wire.
struct Near(Mutex<Agent>);

impl Line for Near {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.0.lock().unwrap().answer(request))
    }
}

fn near(n: u8, state: &Path) -> Remote<Near> {
    Remote::new(Near(Mutex::new(agent(n, state))))
}

/// An agent on a socket, as `hos signer` serves it.
fn on_socket(n: u8, dir: &Path) -> PathBuf {
    let path = dir.join(format!("s{n}"));
    let listener = UnixListener::bind(&path).unwrap();
    let mut agent = agent(n, &dir.join(format!("state{n}")));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            if stream.read_to_end(&mut request).is_ok() {
                let _ = stream.write_all(&agent.answer(&request));
            }
        }
    });
    path
}

/// A tree of so many leaves, told apart by a word.
fn leaves(size: u64, word: &str) -> Vec<TreeHash> {
    (0..size).map(|i| hos_core::digest::tree_leaf(format!("{word} {i}").as_bytes())).collect()
}

fn head(leaves: &[TreeHash]) -> Checkpoint {
    let mut tree = Frontier::default();
    leaves.iter().for_each(|leaf| tree.append_leaf(*leaf));
    Checkpoint { origin: ORIGIN.into(), size: leaves.len() as u64, root: tree.root(), extensions: Vec::new() }
}

fn nodes(leaves: &[TreeHash]) -> impl Fn(u8, u64) -> Option<TreeHash> + '_ {
    |level, index| {
        let width = 1usize << level;
        let from = usize::try_from(index).ok()? * width;
        hos_core::proof::tree::complete_root(leaves.get(from..from + width)?)
    }
}

/// Asks a signer to sign a tree.
fn sign(signer: &dyn Signer, leaves: &[TreeHash]) -> Result<Checkpoint, Failure> {
    let head = head(leaves);
    let proof = |from| {
        prove_consistency(from, leaves.len() as u64, &nodes(leaves)).map_err(|e| Failure::new(Code::Internal, e.to_string()))
    };
    let signature = signer.sign(&Growth { checkpoint: &head, proof: &proof })?;
    head.signed(&signer.public()?, &signature).map_err(|e| Failure::new(Code::SignerFailed, e.to_string()))?;
    Ok(head)
}

#[test]
fn every_signer_keeps_the_same_promises() {
    let dir = tempfile::tempdir().unwrap();
    let signers: Vec<(&str, Arc<dyn Signer>, bool)> = vec![
        ("file", Arc::new(FileSigner::new(key(1))), true),
        ("near", Arc::new(near(2, &dir.path().join("near"))), false),
        ("socket", Arc::new(Remote::new(SocketLine::new(on_socket(3, dir.path()), PATIENCE))), false),
    ];
    for (name, signer, here) in &signers {
        assert_eq!(signer.is_here(), *here, "{name}");
        assert_eq!(signer.public().unwrap(), signer.public().unwrap());
        let all = leaves(300, "a");
        for size in [1, 2, 3, 3, 7, 8, 255, 256, 257, 300] {
            sign(signer.as_ref(), &all[..size]).unwrap_or_else(|e| panic!("{name} at {size}: {e}"));
        }
        // A store under it: every receipt bears a checkpoint of its key.
        let at = dir.path().join(format!("store-{name}"));
        std::fs::create_dir_all(&at).unwrap();
        let engine = founded(&at.join("s.db"), signer.clone());
        let tenant = engine.tenant("t1").unwrap();
        for id in ["1", "2", "3"] {
            let answer = tenant.begin(new_order(id)).unwrap();
            let seal = answer.receipt.unwrap().seal.unwrap();
            let vkey = NoteKey::parse(&engine.vkey(&t1()).unwrap()).unwrap();
            let note = seal.checkpoint.unwrap_or_else(|| panic!("{name}: no checkpoint"));
            assert!(Checkpoint::open(note.as_bytes(), &vkey).unwrap().size > seal.seq);
            assert_eq!(vkey.key(), &signer.public().unwrap());
        }
        assert!(engine.work().unwrap().unsigned.is_empty());
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{name}: {:#?}", report.findings);
        assert!(!report.notices.iter().any(|n| n.contains("no checkpoint:")), "{:?}", report.notices);
        drop(tenant);
        engine.close().unwrap();
        let engine = Engine::builder().sqlite(at.join("s.db")).signer(signer.clone()).clock(clock()).open().unwrap();
        assert!(engine.tenant("t1").unwrap().checkpoint().unwrap().is_some());
        engine.close().unwrap();
    }
}

fn t1() -> Tenant {
    Tenant::new("t1").unwrap()
}

fn clock() -> Arc<hos_engine::clock::SetClock> {
    Arc::new(hos_engine::clock::SetClock::at(support::at("2026-01-01T00:00:00Z")))
}

fn founded(path: &Path, signer: Arc<dyn Signer>) -> Engine {
    let engine = founded_in(Engine::builder().sqlite(path), signer);
    assert!(!path.with_extension("db.key").exists(), "the key is with the signer alone");
    engine
}

fn founded_in(place: hos_engine::Builder, signer: Arc<dyn Signer>) -> Engine {
    use hos_core::policy::Entity;
    use hos_core::value::Record;
    let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
    let founder = Entity { uid: uid("A", "root"), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
    let builder = place.law(Arc::new(support::law::law())).clock(clock()).signer(signer);
    let engine = builder.found(Founding { founder, roles: vec![role] }).unwrap();
    assert!(engine.open_tenant(&root(), &t1()).unwrap().allowed);
    let universe = engine.tenant("universe").unwrap();
    support::change(&universe, hos_core::call::Change::Put { uid: uid("A", "ann"), attrs: Record::new() });
    engine
}

#[test]
fn an_agent_signs_only_what_extends_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let signer = near(1, &state);
    let (all, other) = (leaves(9, "a"), leaves(9, "b"));
    sign(&signer, &all[..5]).unwrap();
    let refused = |leaves: &[TreeHash], signer: &dyn Signer, what: &str| {
        let failure = sign(signer, leaves).unwrap_err();
        assert_eq!(failure.code, Code::SignerFailed);
        assert!(failure.message.contains(what), "{}", failure.message);
    };
    // A shorter log, another root of the same size, another tree that is longer.
    refused(&all[..4], &signer, "its end is lost");
    refused(&other[..5], &signer, "signer.forked");
    refused(&other[..9], &signer, "signer.inconsistent");
    // The same for an engine that knows nothing of what was signed.
    drop(signer);
    refused(&all[..4], &near(1, &state), "signer.shrinks");
    refused(&other[..5], &near(1, &state), "signer.forked");
    refused(&other[..9], &near(1, &state), "signer.inconsistent");
    let mixed: Vec<TreeHash> = all[..4].iter().chain(&other[4..9]).copied().collect();
    refused(&mixed, &near(1, &state), "signer.inconsistent");
    // What extends it is signed, by an agent that was started anew too.
    sign(&near(1, &state), &all[..6]).unwrap();
    sign(&near(1, &state), &all[..6]).unwrap();
    refused(&all[..5], &near(1, &state), "signer.shrinks");
}

#[test]
fn an_agent_keeps_the_head_before_it_gives_the_signature() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let all = leaves(4, "a");
    /// A key that fails after the head was kept, as a crash would.
    struct Breaks(SealKey, AtomicBool);
    impl Signer for Breaks {
        fn public(&self) -> Result<VerifyKey, Failure> {
            Ok(self.0.verify_key())
        }
        fn is_here(&self) -> bool {
            true
        }
        fn sign(&self, growth: &Growth<'_>) -> Result<[u8; 64], Failure> {
            if self.1.swap(true, Ordering::SeqCst) {
                return Ok(self.0.sign(growth.checkpoint.text().as_bytes()));
            }
            Err(Failure::new(Code::SignerFailed, "it broke"))
        }
    }
    let breaking = Agent::new(Box::new(Breaks(key(1), AtomicBool::new(false))), Some(&state)).unwrap();
    let signer = Remote::new(Near(Mutex::new(breaking)));
    assert!(sign(&signer, &all[..3]).unwrap_err().message.contains("it broke"));
    let kept = std::fs::read_to_string(state.join(ORIGIN.replace('/', "+"))).unwrap();
    assert_eq!(kept, head(&all[..3]).text(), "kept before the signature was made");
    // Another head of that size is never signed any more, the same is.
    assert!(sign(&signer, &leaves(3, "b")).unwrap_err().message.contains("signer.forked"));
    sign(&signer, &all[..3]).unwrap();
}

#[test]
fn an_agent_that_cannot_read_or_write_what_it_signed_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let all = leaves(4, "a");
    sign(&near(1, &state), &all[..3]).unwrap();
    let file = state.join(ORIGIN.replace('/', "+"));
    let sound = std::fs::read_to_string(&file).unwrap();
    let bent = [
        "",
        "x",
        &sound[1..],
        &sound.replace("\n3\n", "\n03\n"),
        &sound.replace("t1", "t2"),
        &format!("{sound}x\n"),
        &"z".repeat(2000),
    ];
    for bent in bent {
        std::fs::write(&file, bent).unwrap();
        let refused = sign(&near(1, &state), &all).unwrap_err().message;
        assert!(refused.contains("signer.state"), "{bent:?}: {refused}");
    }
    std::fs::write(&file, &sound).unwrap();
    sign(&near(1, &state), &all).unwrap();
    // The new head cannot be written: a directory stands in its way.
    let mut agent = agent(1, &state);
    assert!(Agent::new(Box::new(FileSigner::new(key(1))), Some(&state)).is_err(), "one agent keeps a directory");
    std::fs::create_dir(file.with_extension("new")).unwrap();
    let head = head(&leaves(5, "a"));
    let request = format!("hos signer 1\nsign 4\n{}\n\n{}", proof_of(&leaves(5, "a"), 4), head.text());
    let answer = String::from_utf8(agent.answer(request.as_bytes())).unwrap();
    assert!(answer.starts_with("refused signer.state "), "{answer}");
}

fn proof_of(leaves: &[TreeHash], from: u64) -> String {
    let hashes = prove_consistency(from, leaves.len() as u64, &nodes(leaves)).unwrap();
    hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_agent_refuses_strange_origins_and_malformed_requests() {
    let dir = tempfile::tempdir().unwrap();
    let mut agent = agent(1, &dir.path().join("state"));
    for origin in
        ["example.org/log", "hos/../../x/0", "hos//t/0", "hos/A/t/0", "hos/a+b/0", &format!("hos/{}/0", "x".repeat(300))]
    {
        let head = Checkpoint { origin: origin.into(), ..head(&leaves(1, "a")) };
        let answer = agent.answer(format!("hos signer 1\nsign 0\n\n{}", head.text()).as_bytes());
        assert!(answer.starts_with(b"refused signer.origin "), "{origin}: {}", String::from_utf8_lossy(&answer));
    }
    for request in
        ["", "hos signer 1\n", "hos signer 2\nkey\n", "GET / HTTP/1.1\r\n\r\n", "hos signer 1\nsign 1\n\nx\n", &"k".repeat(9000)]
    {
        let answer = agent.answer(request.as_bytes());
        assert!(answer.starts_with(b"refused signer.malformed "), "{request:?}: {}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(std::fs::read_dir(dir.path().join("state")).unwrap().count(), 1, "the lock file alone");
}

/// A signer that can be broken in every way, and counts who asks.
struct Moody {
    key: SealKey,
    mood: Mutex<&'static str>,
    asked: AtomicUsize,
}

impl Signer for Moody {
    fn public(&self) -> Result<VerifyKey, Failure> {
        match *self.mood.lock().unwrap() {
            "silent" => Err(Failure::new(Code::SignerFailed, "it sleeps")),
            "other" => Ok(key(99).verify_key()),
            _ => Ok(self.key.verify_key()),
        }
    }

    fn is_here(&self) -> bool {
        false
    }

    fn sign(&self, growth: &Growth<'_>) -> Result<[u8; 64], Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let text = growth.checkpoint.text();
        match *self.mood.lock().unwrap() {
            "silent" | "mute" => Err(Failure::new(Code::SignerFailed, "it sleeps")),
            "other" => Ok(key(99).sign(text.as_bytes())),
            "lies" => Ok(self.key.sign(b"another text")),
            _ => Ok(self.key.sign(text.as_bytes())),
        }
    }
}

#[test]
fn a_signer_that_fails_leaves_receipts_without_checkpoint_and_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let moody = Arc::new(Moody { key: key(7), mood: Mutex::new("well"), asked: AtomicUsize::new(0) });
    let engine = founded(&dir.path().join("s.db"), moody.clone());
    let tenant = engine.tenant("t1").unwrap();
    for (n, mood) in ["silent", "other", "lies"].into_iter().enumerate() {
        *moody.mood.lock().unwrap() = mood;
        let answer = tenant.begin(new_order(&format!("o{n}"))).unwrap();
        assert!(answer.allowed, "what is stored does not depend on the signer");
        let seal = answer.receipt.unwrap().seal.unwrap();
        assert_eq!(seal.checkpoint, None, "{mood}");
        // The next call does not wait for it.
        let before = moody.asked.load(Ordering::SeqCst);
        assert!(tenant.transition(go(&format!("o{n}"))).unwrap().allowed);
        assert_eq!(moody.asked.load(Ordering::SeqCst), before, "{mood}");
        let report = engine.work().unwrap();
        assert_eq!(report.unsigned.len(), 1, "{mood}: {report:?}");
        assert_eq!(report.unsigned[0].0, "t1");
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        assert!(report.notices.iter().any(|n| n.contains("`t1`") && n.contains("bears no checkpoint")), "{:?}", report.notices);
        assert!(tenant.checkpoint().is_err());
        *moody.mood.lock().unwrap() = "well";
        assert!(engine.work().unwrap().unsigned.is_empty());
        let note = tenant.checkpoint().unwrap().unwrap();
        let vkey = NoteKey::parse(&engine.vkey(&t1()).unwrap()).unwrap();
        Note::parse(note.as_bytes()).unwrap().verify(&vkey).unwrap();
    }
    drop(tenant);
    engine.close().unwrap();
    // A store opens while its signer is silent, and not with another's.
    let open = || Engine::builder().sqlite(dir.path().join("s.db")).signer(moody.clone()).clock(clock()).open();
    *moody.mood.lock().unwrap() = "silent";
    open().unwrap().close().unwrap();
    *moody.mood.lock().unwrap() = "other";
    assert_eq!(open().err().unwrap().code, Code::KeyInvalid);
}

#[test]
fn a_signer_that_does_not_answer_is_asked_once_and_not_for_each_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    let moody = Arc::new(Moody { key: key(7), mood: Mutex::new("well"), asked: AtomicUsize::new(0) });
    let engine = founded(&path, moody.clone());
    for n in 2..=5 {
        assert!(engine.open_tenant(&root(), &Tenant::new(format!("t{n}")).unwrap()).unwrap().allowed);
    }
    *moody.mood.lock().unwrap() = "mute";
    for n in 1..=5 {
        assert!(engine.tenant(&format!("t{n}")).unwrap().begin(new_order("1")).unwrap().allowed);
    }
    let asked = |what: &dyn Fn()| {
        let before = moody.asked.load(Ordering::SeqCst);
        what();
        moody.asked.load(Ordering::SeqCst) - before
    };
    let works = |engine: &Engine| {
        let unsigned = engine.work().unwrap().unsigned;
        let named: Vec<&str> = unsigned.iter().map(|(tenant, _)| tenant.as_str()).collect();
        assert_eq!(named, ["t1", "t2", "t3", "t4", "t5"], "each is named");
        assert!(unsigned.iter().all(|(_, why)| why == "it sleeps"), "{unsigned:?}");
    };
    assert_eq!(asked(&|| works(&engine)), 1);
    engine.close().unwrap();
    let engine = Mutex::new(None);
    let open = || Engine::builder().sqlite(&path).signer(moody.clone()).clock(clock()).open().unwrap();
    assert_eq!(asked(&|| *engine.lock().unwrap() = Some(open())), 1);
    let engine = engine.into_inner().unwrap().unwrap();
    assert_eq!(asked(&|| works(&engine)), 1);
    *moody.mood.lock().unwrap() = "well";
    assert!(engine.work().unwrap().unsigned.is_empty());
}

type Before = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A line on which another is faster: before it asks for a signature, that one does what it was given to do.
struct Overtaken {
    agent: Arc<Mutex<Agent>>,
    before: Before,
}

impl Line for Overtaken {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let before = self.before.lock().unwrap().take_if(|_| request.starts_with(b"hos signer 1\nsign "));
        if let Some(before) = before {
            before();
        }
        Ok(self.agent.lock().unwrap().answer(request))
    }
}

#[test]
fn a_head_that_another_process_overtook_is_no_failure_of_the_signer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.db");
    // A file of a host's, which several write.
    let owner = rusqlite::Connection::open(&path).unwrap();
    let journal: String = owner.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
    drop(owner);
    let place = || Engine::builder().server(hos_drivers::connector(&format!("sqlite://{}", path.display())).unwrap());
    let agent = Arc::new(Mutex::new(agent(2, &dir.path().join("state"))));
    let before = Before::default();
    let line = |before: &Before| -> Arc<dyn Signer> {
        Arc::new(Remote::new(Overtaken { agent: agent.clone(), before: before.clone() }))
    };
    let engine = founded_in(place(), line(&before));
    let other = place().signer(line(&Before::default())).clock(clock()).open().unwrap();
    let overtake = |id: &'static str| {
        let tenant = other.tenant("t1").unwrap();
        *before.lock().unwrap() = Some(Box::new(move || {
            let receipt = tenant.begin(new_order(id)).unwrap().receipt.unwrap();
            assert!(receipt.seal.unwrap().checkpoint.is_some(), "{id}");
        }));
    };
    let tenant = engine.tenant("t1").unwrap();
    let vkey = NoteKey::parse(&engine.vkey(&t1()).unwrap()).unwrap();
    for (id, theirs) in [("1", Some("a")), ("2", None), ("3", Some("b"))] {
        if let Some(theirs) = theirs {
            overtake(theirs);
        }
        let seal = tenant.begin(new_order(id)).unwrap().receipt.unwrap().seal.unwrap();
        assert!(before.lock().unwrap().is_none(), "{id}: the other was faster");
        let note = seal.checkpoint.unwrap_or_else(|| panic!("{id} bears no checkpoint"));
        assert!(Checkpoint::open(note.as_bytes(), &vkey).unwrap().size > seal.seq, "{id}");
    }
    // A round of work, too, reads a head and then asks.
    assert!(other.tenant("t1").unwrap().begin(new_order("c")).unwrap().allowed);
    overtake("d");
    let unsigned = engine.work().unwrap().unsigned;
    assert!(unsigned.is_empty(), "{unsigned:?}");
    assert!(before.lock().unwrap().is_none(), "the other was faster");
}

/// A line to an agent that refuses one log, with this word.
struct Refuses(Near, &'static str);

impl Line for Refuses {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        if String::from_utf8_lossy(request).contains("/t1/") {
            return Ok(format!("refused {} 9 entries were signed for\n", self.1).into_bytes());
        }
        self.0.ask(request)
    }
}

#[test]
fn a_log_that_a_signer_refuses_keeps_no_other_from_being_signed() {
    // It lost its end, or what the signer keeps of it is broken.
    for code in ["signer.shrinks", "signer.state"] {
        let dir = tempfile::tempdir().unwrap();
        let signer = Remote::new(Refuses(Near(Mutex::new(agent(2, &dir.path().join("state")))), code));
        let engine = founded(&dir.path().join("s.db"), Arc::new(signer));
        let refused = engine.tenant("t1").unwrap().begin(new_order("1")).unwrap();
        assert!(refused.allowed);
        assert_eq!(refused.receipt.unwrap().seal.unwrap().checkpoint, None);
        let put = hos_core::call::Change::Put { uid: uid("A", "eve"), attrs: hos_core::value::Record::new() };
        let answer = support::change(&engine.tenant("universe").unwrap(), put);
        assert!(answer.receipt.unwrap().seal.unwrap().checkpoint.is_some(), "the signer has answered");
        let unsigned = engine.work().unwrap().unsigned;
        assert_eq!(unsigned.len(), 1, "{unsigned:?}");
        assert!(unsigned[0].0 == "t1" && unsigned[0].1.contains(code), "{unsigned:?}");
    }
}

#[test]
fn a_socket_that_nobody_serves_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let brief = Duration::from_millis(60);
    let gone = SocketLine::new(dir.path().join("none"), brief);
    assert_eq!(gone.ask(b"x").unwrap_err().code, Code::SignerFailed);
    // Nobody accepts: the backlog fills, and each request is still given up.
    let listener = UnixListener::bind(dir.path().join("s")).unwrap();
    let silent = SocketLine::new(dir.path().join("s"), brief);
    let told = silent.ask(b"x").unwrap_err().message;
    assert!(told.ends_with("took longer than 60 ms"), "{told}");
    let held: Vec<_> = (0..5000).map_while(|_| unaccepted(&dir.path().join("s"))).collect();
    assert!(held.len() < 5000, "the backlog is full");
    assert_eq!(silent.ask(b"x").unwrap_err().code, Code::SignerFailed);
    drop((held, listener));
    // One that talks without end.
    let listener = UnixListener::bind(dir.path().join("t")).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let endless = SocketLine::new(dir.path().join("t"), PATIENCE);
    assert!(endless.ask(b"x").unwrap_err().message.contains("does not stop"));
}

#[test]
fn a_question_outlives_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join("s")).unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        stream.read_to_end(&mut request).unwrap();
        // A process that is stopped and goes on finds its calls with a time ended by it, though it handles no signal.
        let this = std::process::id();
        let script = format!("kill -STOP {this}; sleep 0.1; kill -CONT {this}");
        assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
        stream.write_all(b"stale 7\n").unwrap();
        request
    });
    let answer = SocketLine::new(dir.path().join("s"), PATIENCE).ask(b"x");
    assert_eq!(answer.unwrap(), b"stale 7\n");
    assert_eq!(asked.join().unwrap(), b"x");
}

#[test]
fn who_answers_one_request_waits_for_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let waiting = |patience| Agent::in_turn(Box::new(FileSigner::new(key(1))), Some(&state), patience);
    let first = agent(1, &state);
    assert!(waiting(Duration::from_millis(20)).err().unwrap().message.contains("another agent"));
    let ends = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        drop(first);
    });
    assert!(waiting(PATIENCE).is_ok(), "the first was done in time");
    ends.join().unwrap();
}

/// A connection that nobody accepts, as long as the backlog takes it.
fn unaccepted(path: &Path) -> Option<std::os::fd::OwnedFd> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
    use std::os::fd::AsRawFd;
    let fd = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap();
    connect(fd.as_raw_fd(), &UnixAddr::new(path).unwrap()).ok().map(|()| fd)
}

#[test]
fn worker_sealing_signs_in_its_round() {
    let dir = tempfile::tempdir().unwrap();
    let signer: Arc<dyn Signer> = Arc::new(near(5, &dir.path().join("state")));
    founded(&dir.path().join("s.db"), signer.clone()).close().unwrap();
    let settings = Settings { seal: hos_engine::Seal::Worker, ..Settings::default() };
    let builder = Engine::builder().sqlite(dir.path().join("s.db")).signer(signer).clock(clock()).settings(settings);
    let engine = builder.open().unwrap();
    let answer = engine.tenant("t1").unwrap().begin(new_order("w")).unwrap();
    assert!(answer.allowed && answer.receipt.unwrap().seal.is_none());
    assert!(engine.work().unwrap().unsigned.is_empty());
    assert!(engine.tenant("t1").unwrap().checkpoint().unwrap().is_some());
}
