//! What a verifier believes before it looks: logs, witnesses and a quorum, from a file of its own in the form of C2SP's
//! tlog-policy (`spec/trust.md`).

use super::checkpoint::{Checkpoint, Note, NoteError, NoteKey, WitnessKey};
use crate::limits::{TRUST_BYTES_MAX, TRUST_LINES_MAX};
use std::collections::HashMap;

/// Why a trust file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", if *line > 0 { format!("line {line}: ") } else { String::new() })]
pub struct TrustError {
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    code: &'static str,
    what: &'static str,
}

impl TrustError {
    fn new(line: usize, code: &'static str, what: &'static str) -> Self {
        Self { line, code, what }
    }

    /// The stable code, such as `policy.no_quorum`.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// The trust file names no log of this origin.
    #[error("the trust file names no log `{}`", crate::id::Shown(.0))]
    UnknownLog(String),
    /// The note is false or malformed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Too few witnesses vouch for it.
    #[error("the witnesses that vouch for the checkpoint are fewer than the trust file asks for")]
    Quorum,
}

impl Distrust {
    /// The stable code, such as `trust.quorum`.
    pub fn code(&self) -> String {
        match self {
            Distrust::UnknownLog(_) => "trust.unknown_log".into(),
            Distrust::Note(e) => format!("checkpoint.{}", e.code()),
            Distrust::Quorum => "trust.quorum".into(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Member {
    Witness(usize),
    Group(usize),
}

#[derive(Debug, Clone)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// A trust file, read.
#[derive(Debug, Clone)]
pub struct Trust {
    logs: Vec<NoteKey>,
    /// Each with its name in the file.
    witnesses: Vec<(Vec<u8>, WitnessKey)>,
    /// Where each witness is asked, where the file says so.
    urls: Vec<Option<String>>,
    groups: Vec<Group>,
    /// `None` asks for no witness.
    quorum: Option<Member>,
}

/// Which of a trust file's witnesses vouch, whatever its quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouching(Vec<bool>);

impl Vouching {
    /// Whoever vouches here or there.
    pub fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| *one || *two).collect())
    }

    /// Whether nobody does.
    pub fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }
}

/// A checkpoint that is believed, and who vouches for it besides the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The log's keys that signed it, in the file's order: one at least.
    pub keys: Vec<NoteKey>,
    /// The witnesses, by their names in the trust file, in its order.
    pub witnesses: Vec<String>,
}

impl Trust {
    /// Reads a trust file.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        if bytes.len() > TRUST_BYTES_MAX {
            return Err(TrustError::new(0, "policy.too_large", "a trust file has at most 65536 bytes"));
        }
        let mut reading = Reading::default();
        for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
            reading.line(number + 1, line)?;
        }
        let quorum = reading.quorum.ok_or_else(|| TrustError::new(0, "policy.no_quorum", "there is no quorum line"))?;
        if reading.logs.is_empty() {
            return Err(TrustError::new(0, "policy.no_log", "there is no log line"));
        }
        Ok(Self { logs: reading.logs, witnesses: reading.witnesses, urls: reading.urls, groups: reading.groups, quorum })
    }

    /// The logs that are believed.
    pub fn logs(&self) -> &[NoteKey] {
        &self.logs
    }

    /// The witnesses: name in the file, key, and where it is asked if the file says so.
    pub fn witnesses(&self) -> impl Iterator<Item = (String, &WitnessKey, Option<&str>)> {
        let named = self.witnesses.iter().map(|(name, key)| (String::from_utf8_lossy(name).into_owned(), key));
        named.zip(&self.urls).map(|((name, key), url)| (name, key, url.as_deref()))
    }

    /// Whether witnesses are asked for.
    pub fn asks_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether a note is a checkpoint of a known log, signed by it and vouched for by enough witnesses.
    pub fn believe(&self, note: &[u8]) -> Result<Believed, Distrust> {
        let parsed = Note::parse(note)?;
        let (checkpoint, keys) = self.signed_note(&parsed)?;
        let vouching = self.vouching(&parsed)?;
        if !self.is_met(&vouching) {
            return Err(Distrust::Quorum);
        }
        Ok(Believed { checkpoint, keys: keys.into_iter().cloned().collect(), witnesses: self.names(&vouching) })
    }

    /// Whether a note is a checkpoint of a known log, signed by it, and the first of its keys that did; witnesses are not asked.
    pub fn signed(&self, note: &[u8]) -> Result<(Checkpoint, NoteKey), Distrust> {
        let (checkpoint, keys) = self.signers(note)?;
        let key = keys.into_iter().next().ok_or(NoteError::Unsigned)?;
        Ok((checkpoint, key))
    }

    /// The same with all of the log's keys that signed, in the file's order: one at least.
    pub fn signers(&self, note: &[u8]) -> Result<(Checkpoint, Vec<NoteKey>), Distrust> {
        let parsed = Note::parse(note)?;
        let (checkpoint, keys) = self.signed_note(&parsed)?;
        Ok((checkpoint, keys.into_iter().cloned().collect()))
    }

    /// The witnesses that vouch for a note, whosever log it is of. A line that names one and does not hold makes the note false.
    pub fn vouching(&self, note: &Note) -> Result<Vouching, NoteError> {
        self.witnesses.iter().map(|(_, witness)| witness.vouches(note)).collect::<Result<_, _>>().map(Vouching)
    }

    /// Whether so many are enough.
    pub fn is_met(&self, vouching: &Vouching) -> bool {
        self.quorum.is_none_or(|quorum| self.met(quorum, &vouching.0))
    }

    /// The names in the file of those who vouch, in its order.
    pub fn names(&self, vouching: &Vouching) -> Vec<String> {
        let named = self.witnesses.iter().zip(&vouching.0).filter(|(_, yes)| **yes);
        named.map(|((name, _), _)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// The keys that the file names for a log: it may have had several.
    pub fn keys_of<'t>(&'t self, origin: &str) -> impl Iterator<Item = &'t NoteKey> {
        self.logs.iter().filter(move |key| key.name() == origin)
    }

    /// What a note says, and the log's keys that signed it, one at least.
    fn signed_note(&self, parsed: &Note) -> Result<(Checkpoint, Vec<&NoteKey>), Distrust> {
        let origin = parsed.text().lines().next().unwrap_or_default();
        let known: Vec<&NoteKey> = self.keys_of(origin).collect();
        if known.is_empty() {
            return Err(Distrust::UnknownLog(origin.chars().take(255).collect()));
        }
        let signers = parsed.signers(known)?;
        Ok((Checkpoint::parse(parsed.text())?, signers))
    }

    /// Members stand above their group in the file, so this ends.
    fn met(&self, member: Member, vouching: &[bool]) -> bool {
        match member {
            Member::Witness(i) => vouching.get(i).copied().unwrap_or(false),
            Member::Group(i) => {
                self.groups.get(i).is_some_and(|g| g.members.iter().filter(|m| self.met(**m, vouching)).count() >= g.threshold)
            }
        }
    }
}

#[derive(Default)]
struct Reading {
    logs: Vec<NoteKey>,
    witnesses: Vec<(Vec<u8>, WitnessKey)>,
    urls: Vec<Option<String>>,
    groups: Vec<Group>,
    names: HashMap<Vec<u8>, (Member, bool)>,
    quorum: Option<Option<Member>>,
}

impl Reading {
    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), TrustError> {
        let fail = |code, what| Err(TrustError::new(number, code, what));
        if line.iter().any(|b| !matches!(b, 0x09 | 0x20..=0x7e | 0x80..=0xff)) {
            return fail("policy.syntax", "a control character");
        }
        let words: Vec<&[u8]> = line.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        let (Some(kind), rest) = (words.first(), words.get(1..).unwrap_or_default()) else { return Ok(()) };
        if kind.first() == Some(&b'#') {
            return Ok(());
        }
        match (*kind, rest) {
            (b"log", [vkey] | [vkey, _]) => self.log(number, vkey),
            (b"witness", [name, vkey]) => self.witness(number, name, vkey, None),
            (b"witness", [name, vkey, url]) => self.witness(number, name, vkey, Some(url)),
            (b"group", [name, threshold, members @ ..]) if !members.is_empty() => self.group(number, name, threshold, members),
            (b"quorum", [name]) => {
                if self.quorum.is_some() {
                    return fail("policy.no_quorum", "there are two quorum lines");
                }
                self.quorum = Some(match (*name, self.names.get(*name)) {
                    (b"none", _) => None,
                    (_, Some((member, _))) => Some(*member),
                    (_, None) => return fail("policy.unknown_name", "the quorum's name is not defined above"),
                });
                Ok(())
            }
            _ => fail("policy.syntax", "expected `log VKEY`, `witness NAME VKEY`, `group NAME K MEMBER…` or `quorum NAME`"),
        }
    }

    fn log(&mut self, number: usize, vkey: &[u8]) -> Result<(), TrustError> {
        full(number, self.logs.len())?;
        let text = std::str::from_utf8(vkey).map_err(|_| TrustError::new(number, "policy.key", "the key is not text"))?;
        let key = NoteKey::parse(text).map_err(|_| TrustError::new(number, "policy.key", "not a verifier key of type 1"))?;
        let known = self.logs.iter().any(|k| k.key() == key.key()) || self.witnesses.iter().any(|(_, w)| w.key() == key.key());
        if known {
            return Err(TrustError::new(number, "policy.duplicate", "the key stands in another line already"));
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, number: usize, name: &[u8], vkey: &[u8], url: Option<&[u8]>) -> Result<(), TrustError> {
        full(number, self.witnesses.len())?;
        self.define(number, name, Member::Witness(self.witnesses.len()))?;
        let text = std::str::from_utf8(vkey).map_err(|_| TrustError::new(number, "policy.key", "the key is not text"))?;
        let key = WitnessKey::parse(text).map_err(|_| TrustError::new(number, "policy.key", "not a verifier key of type 4"))?;
        let known = self.logs.iter().any(|k| k.key() == key.key()) || self.witnesses.iter().any(|(_, w)| w.key() == key.key());
        if known {
            return Err(TrustError::new(number, "policy.duplicate", "the key stands in another line already"));
        }
        self.witnesses.push((name.to_vec(), key));
        self.urls.push(url.map(|url| String::from_utf8_lossy(url).into_owned()));
        Ok(())
    }

    fn group(&mut self, number: usize, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), TrustError> {
        full(number, self.groups.len())?;
        let threshold = match threshold {
            b"any" => 1,
            b"all" => members.len(),
            digits => decimal(digits).filter(|k| (1..=members.len()).contains(k)).ok_or_else(|| {
                TrustError::new(number, "policy.syntax", "a group's number is `any`, `all`, or from 1 to its members")
            })?,
        };
        let mut found = Vec::with_capacity(members.len());
        for member in members {
            match self.names.get_mut(*member) {
                None => return Err(TrustError::new(number, "policy.unknown_name", "a member is not defined above")),
                Some((_, true)) => {
                    return Err(TrustError::new(number, "policy.duplicate", "a name is a member of two groups, or twice of one"));
                }
                Some((known, used)) => {
                    *used = true;
                    found.push(*known);
                }
            }
        }
        self.define(number, name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members: found });
        Ok(())
    }

    fn define(&mut self, number: usize, name: &[u8], member: Member) -> Result<(), TrustError> {
        if name == b"none" || self.names.insert(name.to_vec(), (member, false)).is_some() {
            return Err(TrustError::new(number, "policy.duplicate", "the name is defined already, or is `none`"));
        }
        Ok(())
    }
}

fn full(number: usize, count: usize) -> Result<(), TrustError> {
    if count < TRUST_LINES_MAX {
        Ok(())
    } else {
        Err(TrustError::new(number, "policy.too_large", "more than 64 lines of a kind"))
    }
}

fn decimal(digits: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(digits).ok()?;
    let number: usize = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
