//! Writers of several processes, killed at any moment: on the store itself (`hos-engine/tests/store_processes.rs`), and in every
//! language through the public interface (`hos-testkit/tests/languages.rs`).

use super::{Count, Order, built, counted};
use std::io;
use std::time::{Duration, Instant};

/// How many writers are killed on one file, before it is held against what they were told and the next begins.
const KILLS: &str = "200";
/// The same, where each starts a language first.
const KILLS_IN_LANGUAGES: &str = "60";

/// Kills until the time is over, for a third of it on the store itself. The moments are chance's own: the seed says nothing here.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    built(order, "languages")?;
    let mut sum: Vec<Count> = Vec::new();
    let store = "no_acknowledged_entry_is_lost_when_writers_are_killed";
    let languages = "writers_of_every_language_are_killed_and_nothing_is_lost";
    let begun = Instant::now();
    kill_until(begun + Duration::from_secs(order.seconds / 3), &mut sum, || {
        let args = ["--workspace", "--test", "store_processes", "--", "--exact", store, "--nocapture"];
        counted(order, &args, &[("HOS_TEST_KILLS", KILLS.to_owned())])
    })?;
    kill_until(begun + Duration::from_secs(order.seconds), &mut sum, || {
        let args = ["--workspace", "--test", "languages", "--", "--exact", languages, "--nocapture"];
        let all = ("HOS_TEST_LANGUAGES", "all".to_owned());
        counted(order, &args, &[("HOS_TEST_KILLS", KILLS_IN_LANGUAGES.to_owned()), all])
    })?;
    Ok(sum)
}

fn kill_until(until: Instant, sum: &mut Vec<Count>, round: impl Fn() -> io::Result<Vec<Count>>) -> io::Result<()> {
    loop {
        for count in round()? {
            match sum.iter_mut().find(|known| (&known.what, &known.of) == (&count.what, &count.of)) {
                Some(known) => known.number += count.number,
                None => sum.push(count),
            }
        }
        if Instant::now() >= until {
            return Ok(());
        }
    }
}
