//! The PHP binding: installs what its tests need where that can be done, and runs them. The call vectors are run elsewhere.

use super::tally::Tally;
use super::{BUILD_ALL, House, Outcome};
use crate::apt;
use crate::databases::php_drivers;
use std::io::{self, Read};
use std::process::{Command, Stdio};

/// Debian's packages: PHP with FFI and its process server, the test runner, and what the adapters are adapters of.
const PACKAGES: [&str; 9] = [
    "php-cli",
    "php-fpm",
    "phpunit",
    "composer",
    "php-symfony-security-core",
    "php-symfony-workflow",
    "php-illuminate-auth",
    "php-illuminate-container",
    "valgrind",
];

/// Says by its exit code whether PHP is new enough and has what the tests use.
const ABLE: &str = r#"
exit(PHP_VERSION_ID >= 80200 && extension_loaded("ffi") && extension_loaded("pcntl") && extension_loaded("posix")
  && is_file("/usr/share/php/Symfony/Component/Security/Core/autoload.php") && is_file("/usr/share/php/Illuminate/Auth/autoload.php")
  && (glob("/usr/sbin/php-fpm*") ?: []) !== [] ? 0 : 1);"#;

/// Runs PHPUnit over `bindings/php`.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if let Some(why) = missing()? {
        println!("skipped: {why}");
        return Ok(Outcome::Skipped(why));
    }
    if !house.cargo(&BUILD_ALL).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let debug = house.target.join("debug");
    let mut child = house
        .command("phpunit")
        // All that a test could lack is installed: one that is left out is one that failed.
        .arg("--fail-on-skipped")
        .current_dir(house.root.join("bindings/php"))
        .env("HOS_BIN", debug.join("hos"))
        .env("HOS_LIBRARY", debug.join("libhos.so"))
        // Panics are planted by the dozen.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed)?;
    }
    let ended_well = child.wait()?.success();
    println!("{printed}");
    let mut tally = counted(&printed).unwrap_or_default();
    if !ended_well || tally == Tally::default() {
        tally.failed = tally.failed.max(1);
    }
    Ok(Outcome::Done(tally))
}

/// What is missing and could not be installed.
pub(super) fn missing() -> io::Result<Option<String>> {
    if !(able() || apt::install(&PACKAGES)? && able()) {
        return Ok(Some(format!("it needs PHP 8.2 or newer; on Debian: apt-get install {}", PACKAGES.join(" "))));
    }
    php_drivers()
}

fn able() -> bool {
    let says_yes = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    says_yes("php", &["-r", ABLE])
        && says_yes("phpunit", &["--version"])
        && says_yes("composer", &["--version", "--no-interaction"])
        && says_yes("valgrind", &["--version"])
}

/// `OK (62 tests, 900 assertions)`, or `Tests: 62, Assertions: 899, Errors: 1, Failures: 1, Skipped: 2.`
fn counted(printed: &str) -> Option<Tally> {
    printed.lines().rev().find_map(|line| {
        if let Some(rest) = line.strip_prefix("OK (") {
            let (number, _) = rest.split_once(" test")?;
            return Some(Tally { passed: number.parse().ok()?, failed: 0 });
        }
        let rest = line.strip_prefix("Tests: ")?.strip_suffix('.')?;
        let (all, rest) = rest.split_once(", ")?;
        let number = |word: &str| {
            rest.split(", ").find_map(|piece| piece.strip_prefix(word)?.strip_prefix(": ")?.parse::<u64>().ok()).unwrap_or(0)
        };
        // One that was not run held nothing.
        let failed = ["Errors", "Failures", "Warnings", "Risky", "Skipped", "Incomplete"].map(number).iter().sum();
        Some(Tally { passed: all.parse::<u64>().ok()?.saturating_sub(failed), failed })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let told = |passed, failed| Some(Tally { passed, failed });
        assert_eq!(counted("....\n\nOK (62 tests, 900 assertions)\n"), told(62, 0));
        assert_eq!(counted("OK (1 test, 1 assertion)\n"), told(1, 0));
        assert_eq!(counted("FAILURES!\nTests: 62, Assertions: 9, Errors: 1, Failures: 2, Skipped: 3.\n"), told(56, 6));
        assert_eq!(counted("OK, but incomplete, skipped, or risky tests!\nTests: 6, Assertions: 9, Skipped: 1.\n"), told(5, 1));
        assert_eq!(counted("PHP Fatal error"), None);
    }
}
