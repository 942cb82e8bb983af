//! How long a long form may take, and by which seed; said by the environment, as for the other long tests.

use std::env;
use std::str::FromStr;
use std::time::Duration;

/// For how long this long form runs: its `share` of `HOS_TORTURE_SECONDS`, in hundredths. None where the long forms are not wanted.
pub fn time(share: u32) -> Option<Duration> {
    let seconds: u32 = said("HOS_TORTURE_SECONDS")?;
    Some(Duration::from_secs(u64::from(seconds)) * share / 100)
}

/// The seed of what is chosen by chance.
pub fn seed() -> u64 {
    said("HOS_TORTURE_SEED").unwrap_or(1)
}

/// Tells a count to who started the long forms, who collects these lines.
pub fn tell(what: &str, count: usize, of: &str) {
    println!("count: {count} {of} of {what}");
}

fn said<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}
