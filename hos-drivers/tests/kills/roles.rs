//! What each process is: a host, or a worker that seals.

use crate::world::Dice;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_drivers::join::{AnyError, Error};
use hos_engine::clock::SystemClock;
use hos_engine::ports::Clock;
use hos_engine::store::server::Trouble;
use hos_engine::{Engine, Failure};
use hos_testkit::told::line_of;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deeds::{Deed, HOT, Host, Met, Part};
use super::mortal::{Fate, Mortal};
use super::{say, told};

/// How long a process waits for a server that is being started again.
const PATIENCE: Duration = Duration::from_secs(90);

/// Plays the role that this process was started for; false where it was started for none.
pub(crate) fn play() -> bool {
    match told("ROLE").as_str() {
        "host" => host(),
        "worker" => worker(),
        _ => return false,
    }
    true
}

/// Transaction after transaction, each until it is known how it ended.
fn host() {
    // The first line stands alone: the harness has written before it.
    say("");
    let (url, session, name) = (told("URL"), told("SESSION"), told("NAME"));
    let mut dice = Dice(told("SEED").parse().unwrap());
    let mut host = match told("BY").as_str() {
        "driver" => Host::driver(&url, &session),
        by => Host::rounds(Mortal::new(&url, Fate::parse(&told("FATE"))), &session, by == "early"),
    };
    let deeds: u64 = told("DEEDS").parse().unwrap_or(u64::MAX);
    for n in 0..deeds {
        let hot = dice.roll(HOT);
        let deed = match told("DEED").as_str() {
            "both" => Deed::Both(hot),
            _ => match dice.roll(10) {
                0..3 => Deed::Birth,
                3..6 => Deed::Turn(hot),
                6..8 => Deed::Both(hot),
                8 => Deed::Back(hot),
                _ => Deed::Refused,
            },
        };
        until_it_is_known(&mut host, deed, &format!("{name}-{n}"));
    }
    say("done");
}

fn until_it_is_known(host: &mut Host, deed: Deed, name: &str) {
    for Part { key, .. } in deed.parts(name) {
        say(&format!("try {key}"));
    }
    let since = Instant::now();
    loop {
        match host.transact(deed, name) {
            Ok(lines) => return lines.iter().for_each(|line| say(line)),
            Err(error) => {
                assert!(is_lawful(&error), "{error:?}");
                assert!(since.elapsed() < PATIENCE, "it never came through: {error:?}");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Whether this is what happens to a transaction where others are, servers end, and sessions are cut. Two rows of one key are
/// what a host meets that comes again while its own COMMIT, of which it never heard, is still under way on SQLite's shared file.
fn is_lawful(error: &AnyError) -> bool {
    if let Some(error) = error.downcast_ref::<Error>() {
        return [Code::Retry, Code::StoreUnavailable, Code::StoreBusy, Code::OutcomeUnknown].contains(&error.code());
    }
    if let Some(Met(error)) = error.downcast_ref::<Met>() {
        return [Trouble::Retry, Trouble::Busy, Trouble::Lost, Trouble::Unavailable].contains(&error.trouble);
    }
    // Of the client's own, for a statement of the host's.
    let words = format!("{error:?}");
    let lawful = [
        "DatabaseBusy",
        "E40001",
        "E40P01",
        "E57P01",
        "E57P02",
        "E57P03",
        "code: 1020",
        "code: 1205",
        "code: 1213",
        "code: 1927",
        "code: 1053",
        "code: 1317",
        "kind: Closed",
        "kind: Io",
        "IoError",
        "ServerDisconnected",
        "kind: Connect",
        "CodecError",
        "DriverError",
    ];
    lawful.iter().any(|word| words.contains(word))
}

/// A machine whose clock is off.
struct Apart(i64);

impl Clock for Apart {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0.saturating_add(self.0))
    }
}

/// Round after round, and every checkpoint that it publishes is said.
fn worker() {
    say("");
    let hours: i64 = told("HOURS").parse().unwrap();
    let mut dice = Dice(told("SEED").parse().unwrap());
    let fate = Fate::parse(&told("FATE"));
    let since = Instant::now();
    let engine = loop {
        let builder = Engine::builder().server(Arc::new(Mortal::new(&told("URL"), fate.clone())));
        match builder.key_file(Path::new(&told("KEY"))).clock(Arc::new(Apart(hours * 3_600_000))).open() {
            Ok(engine) => break engine,
            Err(failure) => wait_or_fail(&failure, since),
        }
    };
    let mut last = Vec::new();
    loop {
        let since = Instant::now();
        while let Err(failure) = round(&engine, &mut last) {
            wait_or_fail(&failure, since);
        }
        std::thread::sleep(Duration::from_millis(dice.roll(20)));
    }
}

fn round(engine: &Engine, last: &mut Vec<Option<String>>) -> Result<(), Failure> {
    engine.work()?;
    let notes = ["universe", "t1"].map(|tenant| engine.tenant(tenant).and_then(|tenant| tenant.checkpoint()));
    let notes = notes.into_iter().collect::<Result<Vec<_>, _>>()?;
    for note in notes.iter().filter(|note| !last.contains(note)).flatten() {
        say(&line_of(note));
    }
    *last = notes;
    Ok(())
}

fn wait_or_fail(failure: &Failure, since: Instant) {
    // The last: of a server that is gone the directory cannot be asked.
    let lawful = [Code::Retry, Code::StoreUnavailable, Code::StoreBusy, Code::OutcomeUnknown, Code::DirectoryStale];
    assert!(lawful.contains(&failure.code) && since.elapsed() < PATIENCE, "{failure}");
    std::thread::sleep(Duration::from_millis(20));
}
