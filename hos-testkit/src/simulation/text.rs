//! A day as text, a line for each step or act: what a search prints, and what a test reads again.
//!
//! ```text
//! # a comment
//! processes inline worker
//! p0 call north begin ticket 1 place by ayse buyer=account:ayse total=long:10 once k1
//! wait 600000
//! together 7
//! | p0 tick north ! crash 12
//! | p1 host immediate commits north move ticket 1 pay by ayse amount=long:10
//! ```
//!
//! Of several calls in one act each but the first stands behind a `;`. Names that are no plain words are quoted and escaped as
//! Rust does it.

use super::step::{Act, Day, Deed, End, Fault, Kind, PROCESSES, Sealing, Step, Transaction};
use crate::model::{Call, Contract, Field, Operation};
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter, Write as _};
use std::iter::Peekable;
use std::sync::{Mutex, PoisonError};
use std::vec::IntoIter;

/// Why a text is no day: the line, from 1, and what was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which line.
    pub line: usize,
    /// What.
    pub what: String,
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Display for Day {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("processes")?;
        for sealing in &self.processes {
            f.write_str(if *sealing == Sealing::Inline { " inline" } else { " worker" })?;
        }
        f.write_char('\n')?;
        self.steps.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Step::Alone(act) => writeln!(f, "{act}"),
            Step::Together { turns, acts } => {
                writeln!(f, "together {turns}")?;
                acts.iter().try_for_each(|act| writeln!(f, "| {act}"))
            }
            Step::Wait(ms) => writeln!(f, "wait {ms}"),
            Step::Skew { process, ms } => writeln!(f, "skew p{process} {ms}"),
            Step::Restart { process, end } => {
                writeln!(f, "restart p{process} {}", if *end == End::Closed { "closed" } else { "dropped" })
            }
            Step::Keep => writeln!(f, "keep"),
            Step::Restore => writeln!(f, "restore"),
            Step::Inspect => writeln!(f, "inspect"),
        }
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "p{} ", self.process)?;
        match &self.deed {
            Deed::Call(call) => write!(f, "call {}", Said(std::slice::from_ref(call)))?,
            Deed::Batch(calls) => write!(f, "batch {}", Said(calls))?,
            Deed::Host(of) => {
                let begins = if of.immediate { "immediate" } else { "deferred" };
                let ends = if of.commits { "commits" } else { "undoes" };
                write!(f, "host {begins} {ends} {}", Said(&of.calls))?;
            }
            Deed::Tick(tenant) => write!(f, "tick {}", word(tenant))?,
            Deed::Work => f.write_str("work")?,
            Deed::Activate { by, off } => {
                write!(f, "activate by {} off", word(by))?;
                off.iter().try_for_each(|(tenant, contract)| write!(f, " {}/{}", word(tenant), contract.name()))?;
            }
            Deed::Poll { tenant, by, limit, lease_ms } => {
                write!(f, "poll {} by {} limit {limit} lease {lease_ms}", word(tenant), word(by))?;
            }
            Deed::Acknowledge { tenant, by, back } => {
                write!(f, "acknowledge {} by {} back {back}", word(tenant), word(by))?;
            }
        }
        self.fault.map_or(Ok(()), |fault| write!(f, " ! {} {}", fault.kind.name(), fault.at))
    }
}

/// Calls in one line.
struct Said<'c>(&'c [Call]);

impl Display for Said<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, call) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { " ; " } else { "" })?;
            f.write_str(&word(call.tenant))?;
            match &call.operation {
                Operation::Begin { by, contract, id, event, facts } => {
                    write!(f, " begin {} {} {} by {}", contract.name(), word(id), word(event), word(by))?;
                    fields(f, facts)?;
                }
                Operation::Move { by, contract, id, event, args, reason } => {
                    write!(f, " move {} {} {} by {}", contract.name(), word(id), word(event), word(by))?;
                    f.write_str(if *reason { " reason" } else { "" })?;
                    fields(f, args)?;
                }
                Operation::Account { by, account, active } => {
                    let now = if *active { "on" } else { "off" };
                    write!(f, " account {} {now} by {}", word(account), word(by))?;
                }
                Operation::Join { by, account, role } => {
                    write!(f, " join {} {} by {}", word(account), word(role), word(by))?;
                }
                Operation::Note { by, stream, payload } => {
                    write!(f, " note {} {payload} by {}", word(stream), word(by))?;
                }
                Operation::Leave { by, account, role } => {
                    write!(f, " leave {} {} by {}", word(account), word(role), word(by))?;
                }
            }
            call.once.map_or(Ok(()), |key| write!(f, " once {}", word(key)))?;
        }
        Ok(())
    }
}

fn fields(f: &mut Formatter<'_>, fields: &std::collections::BTreeMap<&'static str, Field>) -> fmt::Result {
    fields.iter().try_for_each(|(name, field)| match field {
        Field::Bool(v) => write!(f, " {name}=bool:{v}"),
        Field::Long(v) => write!(f, " {name}=long:{v}"),
        Field::Account(v) => write!(f, " {name}=account:{}", word(v)),
        Field::Instant(v) => write!(f, " {name}=instant:{v}"),
    })
}

fn word(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { text.to_owned() } else { format!("{text:?}") }
}

/// Reads a day.
pub fn read(text: &str) -> Result<Day, Unreadable> {
    let mut day = Day { processes: Vec::new(), steps: Vec::new() };
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        read_line(&mut day, line).map_err(|what| Unreadable { line: at + 1, what })?;
    }
    match day.processes.len() {
        1..=PROCESSES => Ok(day),
        _ => Err(Unreadable { line: 1, what: format!("a day has 1 to {PROCESSES} processes") }),
    }
}

fn read_line(day: &mut Day, line: &str) -> Result<(), String> {
    let (line, beside) = match line.strip_prefix("| ") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let mut words = Words(words(line)?.into_iter().peekable());
    if beside {
        let act = act(&mut words, day)?;
        match day.steps.last_mut() {
            Some(Step::Together { acts, .. }) if acts.iter().all(|other| other.process != act.process) => acts.push(act),
            _ => return Err("this act stands beside no other, or beside one of the same process".into()),
        }
        return words.end();
    }
    let first = words.peeked().unwrap_or_default().to_owned();
    let step = match first.as_str() {
        "processes" => {
            words.next()?;
            while let Some(sealing) = words.peeked().map(str::to_owned) {
                day.processes.push(match sealing.as_str() {
                    "inline" => Sealing::Inline,
                    "worker" => Sealing::Worker,
                    other => return Err(format!("`{other}` is no way to seal")),
                });
                words.next()?;
            }
            return Ok(());
        }
        "together" => {
            words.next()?;
            Step::Together { turns: words.number()?, acts: Vec::new() }
        }
        "wait" => {
            words.next()?;
            Step::Wait(words.number()?)
        }
        "skew" => {
            words.next()?;
            Step::Skew { process: words.process(day)?, ms: words.number()? }
        }
        "restart" => {
            words.next()?;
            let process = words.process(day)?;
            let end = words.one_of(&[("closed", End::Closed), ("dropped", End::Dropped)])?;
            Step::Restart { process, end }
        }
        "keep" | "restore" | "inspect" => {
            words.one_of(&[("keep", Step::Keep), ("restore", Step::Restore), ("inspect", Step::Inspect)])?
        }
        _ => Step::Alone(act(&mut words, day)?),
    };
    day.steps.push(step);
    words.end()
}

fn act(words: &mut Words, day: &Day) -> Result<Act, String> {
    let process = words.process(day)?;
    let deed = match words.next()?.as_str() {
        "call" => Deed::Call(call(words)?),
        "batch" => Deed::Batch(calls(words)?),
        "host" => Deed::Host(Transaction {
            immediate: words.one_of(&[("immediate", true), ("deferred", false)])?,
            commits: words.one_of(&[("commits", true), ("undoes", false)])?,
            calls: calls(words)?,
        }),
        "tick" => Deed::Tick(words.name()?),
        "work" => Deed::Work,
        "activate" => {
            let by = words.after("by")?;
            words.expect("off")?;
            let mut off = Vec::new();
            while let Some((tenant, contract)) = words.peeked().and_then(|w| w.split_once('/')) {
                off.push((interned(tenant), contract_of(contract)?));
                words.next()?;
            }
            Deed::Activate { by, off }
        }
        "poll" => Deed::Poll {
            tenant: words.name()?,
            by: words.after("by")?,
            limit: words.expect("limit")?.number()?,
            lease_ms: words.expect("lease")?.number()?,
        },
        "acknowledge" => {
            Deed::Acknowledge { tenant: words.name()?, by: words.after("by")?, back: words.expect("back")?.number()? }
        }
        other => return Err(format!("`{other}` is nothing that a process does")),
    };
    let fault = match words.peeked() {
        Some("!") => {
            words.next()?;
            let kinds: Vec<(&str, Kind)> = Kind::ALL.iter().map(|(kind, name)| (*name, *kind)).collect();
            Some(Fault { kind: words.one_of(&kinds)?, at: words.number()? })
        }
        _ => None,
    };
    Ok(Act { process, deed, fault })
}

fn calls(words: &mut Words) -> Result<Vec<Call>, String> {
    let mut calls = vec![call(words)?];
    while words.peeked() == Some(";") {
        words.next()?;
        calls.push(call(words)?);
    }
    Ok(calls)
}

fn call(words: &mut Words) -> Result<Call, String> {
    let tenant = words.name()?;
    let what = words.next()?;
    let operation = match what.as_str() {
        "begin" | "move" => {
            let contract = contract_of(&words.next()?)?;
            let (id, event, by) = (words.name()?, words.name()?, words.after("by")?);
            let reason = words.peeked() == Some("reason");
            if reason {
                words.next()?;
            }
            let mut fields = std::collections::BTreeMap::new();
            while let Some((name, typed)) = words.peeked().and_then(|w| w.split_once('=')) {
                fields.insert(interned(name), field(typed)?);
                words.next()?;
            }
            match (what.as_str(), reason) {
                ("move", reason) => Operation::Move { by, contract, id, event, args: fields, reason },
                (_, false) => Operation::Begin { by, contract, id, event, facts: fields },
                (_, true) => return Err("a birth has no reason".into()),
            }
        }
        "account" => {
            let account = words.name()?;
            let active = words.one_of(&[("on", true), ("off", false)])?;
            Operation::Account { by: words.after("by")?, account, active }
        }
        "join" => {
            let (account, role) = (words.name()?, words.name()?);
            Operation::Join { by: words.after("by")?, account, role }
        }
        "note" => {
            let (stream, payload) = (words.name()?, words.number()?);
            Operation::Note { by: words.after("by")?, stream, payload }
        }
        "leave" => {
            let (account, role) = (words.name()?, words.name()?);
            Operation::Leave { by: words.after("by")?, account, role }
        }
        other => return Err(format!("`{other}` is nothing that is asked")),
    };
    let once = match words.peeked() {
        Some("once") => Some(words.after("once")?),
        _ => None,
    };
    Ok(Call { tenant, operation, once })
}

fn contract_of(name: &str) -> Result<Contract, String> {
    [Contract::Ticket, Contract::Stay].into_iter().find(|c| c.name() == name).ok_or_else(|| format!("`{name}` is no contract"))
}

fn field(typed: &str) -> Result<Field, String> {
    let wrong = || format!("`{typed}` is no value");
    let (ty, value) = typed.split_once(':').ok_or_else(wrong)?;
    match ty {
        "bool" => value.parse().map(Field::Bool).map_err(|_| wrong()),
        "long" => value.parse().map(Field::Long).map_err(|_| wrong()),
        "instant" => value.parse().map(Field::Instant).map_err(|_| wrong()),
        "account" => Ok(Field::Account(interned(value))),
        _ => Err(wrong()),
    }
}

struct Words(Peekable<IntoIter<String>>);

impl Words {
    fn peeked(&mut self) -> Option<&str> {
        self.0.peek().map(String::as_str)
    }

    fn next(&mut self) -> Result<String, String> {
        self.0.next().ok_or_else(|| "the line ends too early".to_owned())
    }

    fn name(&mut self) -> Result<&'static str, String> {
        self.next().map(|word| interned(&word))
    }

    fn expect(&mut self, wanted: &str) -> Result<&mut Self, String> {
        let word = self.next()?;
        if word == wanted { Ok(self) } else { Err(format!("`{word}` stands where `{wanted}` should")) }
    }

    fn after(&mut self, wanted: &str) -> Result<&'static str, String> {
        self.expect(wanted)?.name()
    }

    fn number<N: std::str::FromStr>(&mut self) -> Result<N, String> {
        let word = self.next()?;
        word.parse().map_err(|_| format!("`{word}` is no number that can stand here"))
    }

    fn process(&mut self, day: &Day) -> Result<usize, String> {
        let word = self.next()?;
        let process = word.strip_prefix('p').and_then(|n| n.parse().ok()).filter(|n| *n < day.processes.len());
        process.ok_or_else(|| format!("`{word}` is no process of this day"))
    }

    fn one_of<T: Clone>(&mut self, known: &[(&str, T)]) -> Result<T, String> {
        let word = self.next()?;
        known
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, value)| value.clone())
            .ok_or_else(|| format!("`{word}` is not known here"))
    }

    fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` is too much")))
    }
}

/// The words of a line; what is quoted is one, or part of one, with its escapes undone.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut chars = line.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            inside = false;
            continue;
        }
        if !inside {
            words.push(String::new());
            inside = true;
        }
        let Some(word) = words.last_mut() else { continue };
        if c != '"' {
            word.push(c);
            continue;
        }
        loop {
            match chars.next().ok_or("a quotation does not end")? {
                '"' => break,
                '\\' => word.push(escaped(&mut chars).ok_or("an escape that Rust does not know")?),
                other => word.push(other),
            }
        }
    }
    Ok(words)
}

fn escaped(chars: &mut Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        same @ ('\\' | '"' | '\'') => Some(same),
        'u' => {
            let hex: String = chars.by_ref().skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
            char::from_u32(u32::from_str_radix(&hex, 16).ok()?)
        }
        _ => None,
    }
}

/// The same text for the life of the process: the model's names are constants, and a file's are few.
fn interned(text: &str) -> &'static str {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(same) = known.get(text) {
        return same;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{LENGTH, day};

    #[test]
    fn what_is_written_is_read_again() {
        for seed in 0..200 {
            let day = day(seed, LENGTH, 1_700_000_000_000);
            let text = day.to_string();
            assert_eq!(read(&text), Ok(day), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused_with_its_line() {
        let line = |text: &str| read(text).map_err(|e| e.line);
        assert_eq!(line("processes inline\nwait 5\n"), read("processes inline\n# said\n\nwait 5").map_err(|e| e.line));
        for (wrong, at) in [
            ("", 1),
            ("processes inline\nwait", 2),
            ("processes inline\nwait five", 2),
            ("processes inline\np1 work", 2),
            ("processes inline\np0 sleep", 2),
            ("processes inline\np0 work now", 2),
            ("processes inline\n| p0 work", 2),
            ("processes inline inline\ntogether 1\n| p0 work\n| p0 work", 4),
            ("processes inline\np0 work ! storm 1", 2),
            ("processes inline\np0 call north begin ticket \"1 place by ayse", 2),
            ("processes inline\np0 call north begin ticket 1 place by ayse reason total=long:1", 2),
            ("processes inline\np0 call north begin ticket 1 place by ayse total=long:x", 2),
        ] {
            assert_eq!(line(wrong).unwrap_err(), at, "{wrong}");
        }
    }
}
