//! A disk that fails: one operation after the other of a program is made to fail, and whatever the engine answered is held against
//! the store that is left.

use crate::judge::judge;
use crate::power::scratch;
use crate::shim::{Orders, child};
use crate::told::{Account, Deed, Outcome};
use crate::world::Place;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// No run takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the program notes last: while the disk is well again, it must come to that.
pub(crate) const LAST: &str = "last";
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
/// To the end of the program.
const EVER: u64 = 1_000_000_000;

/// How an operation fails, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    error: i32,
    many: u64,
    how: char,
}

pub(crate) const KINDS: [Kind; 6] = [
    Kind { name: "EIO once", error: EIO, many: 1, how: 'f' },
    Kind { name: "EIO from then on", error: EIO, many: EVER, how: 'f' },
    Kind { name: "EIO for forty operations", error: EIO, many: 40, how: 'f' },
    Kind { name: "ENOSPC once", error: ENOSPC, many: 1, how: 'f' },
    Kind { name: "ENOSPC from then on", error: ENOSPC, many: EVER, how: 'f' },
    Kind { name: "half a write, then ENOSPC once", error: ENOSPC, many: 2, how: 's' },
];
/// A write, a cut, a sync is answered with a yes and not done: what no engine can see at once.
pub(crate) const LIE: Kind = Kind { name: "a lie", error: 0, many: 1, how: 'l' };

impl Kind {
    /// Whether it is anything else than another kind at such an operation.
    pub(crate) fn fits(&self, operation: &str) -> bool {
        match self.how {
            's' => operation.starts_with("write "),
            'l' => ["write ", "sync ", "cut "].iter().any(|name| operation.starts_with(name)),
            _ => true,
        }
    }

    /// Whether the disk is well again before whoever tries four times has given up.
    fn is_short(&self) -> bool {
        self.many <= 2
    }
}

/// The operations of the program, in their order: `write store/s.db-wal`.
pub(crate) fn operations(seed: u64) -> Vec<String> {
    let base = scratch();
    let root = base.path().join("root");
    let place = Place::make(&root);
    let (told, seen) = (base.path().join("told"), base.path().join("seen"));
    let orders = Orders { seen: Some(seen.clone()), ..Orders::default() };
    let stopped = wait(child(&format!("short {seed}"), &root, &told, &orders), base.path());
    stopped.unwrap();
    let account = account(&told).unwrap();
    assert!(account.deeds.iter().all(|(_, outcome)| matches!(outcome, Outcome::Done(_))), "{:?}", account.deeds);
    judge(&place, &account, 0).unwrap();
    let lines = std::fs::read_to_string(seen).unwrap();
    lines.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

/// Runs the program with one failing operation (counted from 1), and judges what is left.
pub(crate) fn run(seed: u64, operation: usize, kind: Kind) -> Result<Account, String> {
    let base = scratch();
    let root = base.path().join("root");
    let place = Place::make(&root);
    let told = base.path().join("told");
    let fail = format!("{operation}:{}:{}:{}", kind.many, kind.error, kind.how);
    let orders = Orders { fail: Some(fail), ..Orders::default() };
    wait(child(&format!("short {seed}"), &root, &told, &orders), base.path())?;
    let account = account(&told)?;
    judge_after(&place, &account, kind.is_short(), operation as u64)?;
    Ok(account)
}

/// What must hold, whatever failed.
pub(crate) fn judge_after(place: &Place, account: &Account, is_well: bool, turn: u64) -> Result<(), String> {
    for (deed, outcome) in &account.deeds {
        match outcome {
            Outcome::Not(code) if code == "hos.internal" => return Err(format!("{deed:?} was answered with {code}")),
            _ => {}
        }
    }
    if is_well && !account.deeds.iter().any(|(deed, outcome)| is_last(deed) && matches!(outcome, Outcome::Done(_))) {
        let ends: Vec<_> = account.deeds.iter().rev().take(4).collect();
        return Err(format!("the disk was well again, and the program came to nothing any more; its last answers: {ends:?}"));
    }
    judge(place, account, turn).map(drop)
}

fn is_last(deed: &Deed) -> bool {
    matches!(deed, Deed::Note(_, text) if text == LAST)
}

/// What the program told; a line that it did not end is none.
fn account(told: &Path) -> Result<Account, String> {
    let text = std::fs::read_to_string(told).unwrap_or_default();
    let mut account = Account::default();
    text.lines().try_for_each(|line| account.take(line))?;
    Ok(account)
}

/// Waits for a program, not for ever; one that panics, is killed or hangs does not hold.
fn wait(mut command: Command, base: &Path) -> Result<(), String> {
    let words = base.join("words");
    command.stderr(std::fs::File::create(&words).unwrap());
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("the program hangs".into());
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let words = std::fs::read_to_string(words).unwrap_or_default();
    if !status.success() || words.contains("panicked") {
        return Err(format!("the program failed ({status}): {words}"));
    }
    Ok(())
}

/// What does not hold, and how it is tried again.
pub(crate) fn told_again(seed: u64, at: usize, operation: &str, kind: Kind, what: &str) -> String {
    format!(
        "{what}\nseed {seed}, operation {at} ({operation}), {}\nagain: HOS_FAULT={seed}:{at}:{} cargo test --workspace --test crash -- \
         --exact fault_again --nocapture",
        kind.name,
        KINDS.iter().position(|of| *of == kind).unwrap_or(KINDS.len())
    )
}

/// What was told is made another: an answer that is no longer so must not pass.
pub(crate) fn a_lie_is_found() {
    let base = scratch();
    let root = base.path().join("root");
    let place = Place::make(&root);
    let told = base.path().join("told");
    wait(child("short 1", &root, &told, &Orders::default()), base.path()).unwrap();
    let true_account = account(&told).unwrap();
    judge_after(&place, &true_account, true, 1).unwrap();
    let text = std::fs::read_to_string(&told).unwrap();
    let line_of = |deed: &str| {
        let ask = text.lines().find(|line| line.contains(deed)).unwrap();
        ask.split(' ').nth(1).unwrap().to_owned()
    };
    let sure = line_of("note t1 surely");
    let lies = [
        // A yes of what never was; a yes at another place; a no of what is done, of an order, a note, a person, an erasure.
        ("ask z note t1 never\ndid z", "is lost"),
        ("ask z begin t1 never p0\ndid z", "is lost"),
        ("ask z go t1 i0\ndid z", "is lost"),
        ("ask z erase p0\ndid z", "is lost"),
        ("ask z person never\ndid z", "is lost"),
        (&format!("got {sure} t1 {} 2 -", "0".repeat(64)), "was acknowledged at 2"),
        (&format!("not {sure} hos.store_full"), "and is done"),
        (&format!("not {} hos.store_full", line_of("begin t1 i0")), "and is done"),
        (&format!("not {} hos.store_full", line_of("erase v0")), "Person(\"v0\") was acknowledged and is lost"),
        (&format!("not {} hos.store_full", line_of("person p0")), "and is done"),
        (&format!("not {sure} hos.internal"), "was answered with"),
        (&format!("denied {sure} hos.forbidden"), "was denied"),
        ("ask z backup never\ndid z", "is lost"),
    ];
    for (lie, sign) in lies {
        let mut account = true_account.clone();
        lie.lines().for_each(|line| account.take(line).unwrap());
        let what = judge_after(&place, &account, true, 1).err().unwrap_or_else(|| panic!("`{lie}` passed"));
        assert!(what.contains(sign), "{lie}: {what}");
    }
}
