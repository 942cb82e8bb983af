//! The example's shop: its three stages on each database, and what lies between them.

use super::tally::{self, Tally};
use super::{BUILD_ALL, House, Outcome, php};
use crate::apt;
use crate::databases::Databases;
use std::io;
use std::path::Path;

/// As it was, watched by the law, and under the law.
const STAGES: [&str; 3] = ["before", "shadow", "enforce"];

/// In front of php-fpm.
const NGINX: &str = "/usr/sbin/nginx";

/// Tells each stage the shop's story, and counts what held.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if let Some(why) = php::missing()? {
        println!("skipped: {why}");
        return Ok(Outcome::Skipped(why));
    }
    if !(Path::new(NGINX).exists() || apt::install(&["nginx"])? && Path::new(NGINX).exists()) {
        let why = "it needs nginx; on Debian: apt-get install nginx".to_owned();
        println!("skipped: {why}");
        return Ok(Outcome::Skipped(why));
    }
    if !house.cargo(&BUILD_ALL).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let mut tally = Tally::default();
    for stage in STAGES {
        let (printed, ended_well) = script(house, &["tests/test.php", stage])?;
        println!("{printed}");
        let mut counted = counted(&printed, stage).unwrap_or_default();
        if !ended_well || counted == Tally::default() {
            counted.failed = counted.failed.max(1);
        }
        tally.add(&counted);
    }
    let started = house.databases.get().map(Databases::environment).unwrap_or_default();
    for (name, url) in started.iter().filter(|(name, _)| !name.ends_with("_DIR")) {
        let url = url.to_str().ok_or_else(|| io::Error::other(format!("{name} is no UTF-8")))?;
        // The short form of an old shop that is taken in while it sells.
        let (printed, ended_well) =
            script(house, &["tests/adopt.php", "before", "--orders", "500", "--kills", "1", "--before", "1", "--db", url])?;
        println!("{printed}");
        tally.add(&Tally::of(ended_well));
    }
    Ok(Outcome::Done(tally))
}

/// What one of the shop's scripts printed, and whether it ended well.
fn script(house: &House, args: &[&str]) -> io::Result<(String, bool)> {
    let debug = house.target.join("debug");
    let mut command = house.command("php");
    command
        .args(args)
        .current_dir(house.root.join("examples/pazar/php"))
        .env("HOS_BIN", debug.join("hos"))
        .env("HOS_LIBRARY", debug.join("libhos.so"));
    tally::printed(&mut command)
}

/// `pazar-php enforce: 635 passed, 0 failed`, at the end.
fn counted(printed: &str, stage: &str) -> Option<Tally> {
    let rest = printed.lines().next_back()?.strip_prefix("pazar-php ")?.strip_prefix(stage)?.strip_prefix(": ")?;
    let (passed, rest) = rest.split_once(" passed, ")?;
    Some(Tally { passed: passed.parse().ok()?, failed: rest.strip_suffix(" failed")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        assert_eq!(
            counted("FAILED x\npazar-php enforce: 634 passed, 1 failed\n", "enforce"),
            Some(Tally { passed: 634, failed: 1 })
        );
        assert_eq!(counted("pazar-php enforce: 634 passed, 1 failed\nPHP Fatal error", "enforce"), None);
        assert_eq!(counted("pazar-php before: 1 passed, 0 failed", "enforce"), None);
        assert_eq!(counted("", "enforce"), None);
    }
}
