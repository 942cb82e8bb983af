//! What people, files and other programs say: ids and times, URLs, words of a command line, tables, signers.

use crate::history::{Said, read_bytes};
use crate::typed;
use hos_core::contract::infer;
use hos_core::id::{InstanceId, Name, Shown, Tenant, Uid};
use hos_core::law::Law;
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::key::SealKey;
use hos_core::shape::Type;
use hos_core::time::{Span, Timestamp};
use hos_engine::Failure;
use hos_engine::ports::{Growth, Signer};
use hos_engine::signer::{Agent, FileSigner, Line, Remote};
use std::sync::{Arc, LazyLock};

/// What would steer a terminal, or turn the direction of what is read.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Ids, times and spans, and that nothing that is shown steers a terminal.
pub(super) fn ids(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    assert!(!Shown(given).to_string().contains(steers), "a control character is shown as it is");
    if let Ok(id) = InstanceId::new(given) {
        assert_eq!(id.as_str(), given);
        assert!(!id.to_string().contains(steers));
    }
    if let Err(error) = Tenant::new(given) {
        assert!(!error.to_string().contains(steers));
    }
    if let Ok(uid) = Uid::parse(given) {
        assert_eq!(Uid::new(uid.type_name(), uid.id()), Ok(uid.clone()));
        // What would steer a terminal is shown in escapes that are not Cedar's; all else is read as it is shown.
        let again = Uid::parse(&uid.to_string());
        assert!(again.is_err() || again.as_ref() == Ok(&uid), "an entity is shown as another: {uid}");
        assert!(again.is_ok() || Shown(uid.id()).to_string().contains("\\u{"), "an entity does not survive its own text: {uid}");
    }
    if let Ok(time) = Timestamp::parse(given) {
        assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }
    if let Ok(span) = Span::parse(given) {
        assert!(span.0 >= 0, "a length of time is negative");
    }
}

/// URLs of databases. A password is what stands between the first colon behind the scheme and the last `@`: no piece of eight
/// letters of it may be shown. What is no URL is shown as "a database" whatever it holds. Nothing is connected.
pub(super) fn url(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    let shown = hos_drivers::without_password(given);
    if let Some((scheme, rest)) = given.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") {
        let secret = rest.rsplit_once('@').and_then(|(before, _)| before.split_once(':'));
        let told = shown.strip_prefix(scheme).unwrap_or(&shown);
        let is_looked_for = |password: &str| password.len() >= 8 && password.is_ascii() && shown != "a database";
        if let Some((user, password)) = secret.filter(|(_, password)| is_looked_for(password)) {
            // As it is shown: a password may look like the escapes of what is not its own.
            let rightly = Shown(&format!("{user}@{}", rest.rsplit('@').next().unwrap_or_default())).to_string();
            for at in 0..=password.len() - 8 {
                let piece = &password[at..at + 8];
                let hidden = rightly.contains(piece) || !told.contains(piece);
                assert!(hidden, "a password is shown: {} as {}", Shown(given), Shown(&shown));
            }
        }
    }
    if let Err(failure) = hos_drivers::connector(given) {
        assert!(!failure.message.contains(['\0', '\u{1b}']), "a message steers a terminal: {:?}", failure.message);
    }
}

/// A line at whose end somebody says what the input says, again and again.
struct Told(Vec<Vec<u8>>, std::sync::Mutex<usize>);

impl Line for Told {
    fn ask(&self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut at = self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *at += 1;
        Ok(self.0.get(*at - 1).or(self.0.last()).cloned().unwrap_or_default())
    }
}

/// Both sides of a signer's line: an agent that is asked anything, and an engine that is answered anything.
pub(super) fn signer(data: &[u8]) {
    static KEY: LazyLock<SealKey> = LazyLock::new(super::bytes::key);
    let Ok(mut agent) = Agent::new(Box::new(FileSigner::new(SealKey::from_seed(&[7; 32]))), None) else { return };
    let answer = agent.answer(data);
    assert!(answer.ends_with(b"\n") && answer.len() <= 512, "an answer of another form: {}", answer.escape_ascii());
    let line = || Told(data.split(|b| *b == 0).map(<[u8]>::to_vec).collect(), std::sync::Mutex::default());
    if let Ok(key) = Remote::new(line()).public() {
        assert!(data.windows(8).any(|w| w.len() == 8), "a key out of nothing: {key:?}");
    }
    let checkpoint =
        Checkpoint { origin: "log.example".into(), size: 7, root: hos_core::id::TreeHash([5; 32]), extensions: Vec::new() };
    let growth = Growth { checkpoint: &checkpoint, proof: &|_| Ok(Vec::new()) };
    if let Ok(signature) = Remote::new(line()).sign(&growth) {
        // Whoever asks holds it against the key; here nobody knows the key, so nothing that holds can come out.
        assert!(KEY.verify_key().verify(checkpoint.text().as_bytes(), &signature).is_err(), "a signature that nobody made");
    }
}

static LAW: LazyLock<Arc<Law>> =
    LazyLock::new(|| Arc::new(Law::load(super::base_law()).unwrap_or_else(|faults| panic!("{faults:?}"))));

/// A word of a command line, read as each declared type and by its looks: the first line is a type, or nothing.
pub(super) fn words(data: &[u8]) {
    let Some((ty, rest)) = super::calls::apart(data) else { return };
    let Ok(word) = std::str::from_utf8(rest) else { return };
    if let Some(ty) = Type::parse(ty, "Kit")
        && let Ok(value) = typed::read("word", &ty, word, &LAW)
    {
        // Who judges looks whether an entity is of the declared type; a word may name any.
        let checked_later = matches!(ty, Type::Set(_) | Type::Entity(_));
        assert!(checked_later || ty.admits(&value), "`{}` was read as another type than {ty}", Shown(word));
    }
    if let Err(failure) = typed::guess(word, &LAW) {
        assert!(!failure.message.contains(steers), "a message steers a terminal: {:?}", failure.message);
    }
    if let Ok((contract, id)) = crate::entity::instance(word) {
        assert_eq!(format!("{contract}/{}", id.as_str()), word);
    }
    let _ = crate::entity::resource(word, &LAW);
}

/// A table of what happened, from its bytes to a proposed contract.
pub(super) fn history(data: &[u8]) {
    let said = Said::default();
    let read = match read_bytes(data, &said, "order", data.len().is_multiple_of(2)) {
        Ok(read) => read,
        Err(failure) => {
            assert!(!failure.message.contains(|c| steers(c) && c != '\n'), "a message steers: {:?}", failure.message);
            return;
        }
    };
    assert!(read.history.rows() > 0 && !read.columns.is_empty() && read.name == "it");
    let proposal = infer::judge::judge(&read.history);
    let edges: u64 = proposal.edges.iter().map(|edge| edge.count).sum();
    assert!(edges <= proposal.rows, "more moves than rows");
    let Ok(contract) = Name::new("order") else { return };
    if let Ok(arrows) = infer::arrows(&proposal, &contract) {
        assert!(arrows.arrows.iter().all(|arrow| arrow.edges.iter().all(|edge| *edge < proposal.edges.len())));
    }
}
