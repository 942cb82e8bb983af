//! The engine's tests once more, on stores in databases, and what its clients do when a server goes away.

use super::tally::{self, Tally};
use super::{House, Outcome};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Those of the engine's tests that are not about files alone.
const TESTS: [&str; 16] = [
    "days",
    "directory",
    "directory_beside",
    "in_use",
    "doors",
    "shadow",
    "operators",
    "replay",
    "map_of_heads",
    "erasure",
    "erasure_needed",
    "rotation",
    "witness",
    "strangers",
    "tables",
    "verify_memory",
];

/// Those of a host's transactions, which a file of the store's own has not.
const JOINED: [&str; 12] = [
    "joined",
    "joined_all",
    "joined_beside",
    "joined_can",
    "joined_shadow",
    "joined_forged",
    "joined_probe",
    "joined_outbox",
    "joined_refused",
    "joined_tick",
    "joined_unfit",
    "erasure_vault",
];

/// What a host may say on its connections, nothing first: with each, its transactions meet in another way.
const SESSIONS: [(&str, &[&str]); 2] = [
    (
        "postgres",
        &[
            "",
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        ],
    ),
    ("mysql", &["", "SET SESSION innodb_snapshot_isolation = ON"]),
];

/// Runs the built tests as they are: another choice of packages would give dependencies other features and compile them anew.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    let programs = Programs::built(house)?;
    let mut tally = Tally::default();
    let mut engine = |test: &str, environment: &[(&str, &str)]| -> io::Result<()> {
        let place = house.root.join("hos-engine");
        let mut command = house.command(programs.of(&place, test)?);
        tally.add(&tally::run(command.envs(environment.iter().copied()).current_dir(place))?);
        Ok(())
    };
    let files = std::env::temp_dir();
    for journal in ["WAL", "DELETE"] {
        for test in TESTS.iter().chain(&JOINED) {
            println!("\n{test}, in a host's SQLite file, {journal}");
            engine(test, &[("HOS_TEST_STORE_ON", &format!("sqlite://{}", files.display())), ("HOS_TEST_JOURNAL", journal)])?;
        }
    }
    let Some(databases) = house.databases.get().filter(|databases| databases.count() > 0) else {
        println!("left out: no database runs");
        return Ok(Outcome::Done(tally));
    };
    for (name, url) in databases.environment().into_iter().filter(|(name, _)| !name.ends_with("_DIR")) {
        let url = url.to_str().ok_or_else(|| io::Error::other(format!("{name} is no UTF-8")))?;
        for test in TESTS {
            println!("\n{test}, with {name}");
            engine(test, &[("HOS_TEST_STORE_ON", url)])?;
        }
        let sessions = SESSIONS.iter().find(|(scheme, _)| url.starts_with(scheme)).map_or(&[][..], |(_, sessions)| sessions);
        for (test, session) in JOINED.iter().flat_map(|test| sessions.iter().map(move |session| (test, session))) {
            println!("\n{test}, with {name}, {session}");
            engine(test, &[("HOS_TEST_STORE_ON", url), ("HOS_TEST_SESSION", session)])?;
        }
    }
    println!("\nservers that go away");
    let place = house.root.join("hos-drivers");
    let mut command = house.command(programs.of(&place, "restarts")?);
    tally.add(&tally::run(command.env("HOS_TEST_RESTARTS", "1").current_dir(place))?);
    Ok(Outcome::Done(tally))
}

/// The programs of the tests, and which file each was made from.
struct Programs(Vec<(PathBuf, PathBuf)>);

impl Programs {
    fn built(house: &House) -> io::Result<Self> {
        let args = ["test", "--workspace", "--locked", "--no-run", "--lib", "--bins", "--tests", "--examples"];
        let mut child = house.cargo(&args).arg("--message-format=json").stdout(Stdio::piped()).spawn()?;
        let mut known = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                known.extend(program(&line?));
            }
        }
        if child.wait()?.success() { Ok(Self(known)) } else { Err(io::Error::other("the tests do not compile")) }
    }

    fn of(&self, package: &Path, test: &str) -> io::Result<&Path> {
        let source = package.join("tests").join(format!("{test}.rs"));
        let found = self.0.iter().find(|(from, _)| *from == source);
        found.map(|(_, program)| program.as_path()).ok_or_else(|| io::Error::other(format!("{}: not built", source.display())))
    }
}

/// What a line of cargo says was made, and from what. Two members of lines that cargo writes need no parser; a path that JSON must
/// escape is not found, and said to be missing.
fn program(line: &str) -> Option<(PathBuf, PathBuf)> {
    let member = |name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
        rest.split_once('"').map(|(value, _)| PathBuf::from(value))
    };
    Some((member("src_path")?, member("executable")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_source() {
        let line = r#"{"reason":"compiler-artifact","target":{"kind":["test"],"name":"doors","src_path":"/h/hos-engine/tests/doors.rs"},"executable":"/t/doors-1"}"#;
        let programs =
            Programs([program(line), program(r#"{"src_path":"/h/x.rs","executable":null}"#)].into_iter().flatten().collect());
        assert_eq!(programs.of(Path::new("/h/hos-engine"), "doors").unwrap(), Path::new("/t/doors-1"));
        assert!(programs.of(Path::new("/h/hos-cli"), "doors").is_err() && programs.of(Path::new("/h"), "x").is_err());
        assert_eq!(programs.0.len(), 1);
    }
}
