//! The commands that README.md shows are run as they stand: a reader must be able to copy them.

use super::House;
use super::tally::Tally;
use std::io;
use std::process::{Command, Stdio};

/// The fenced block after this mark is run.
const MARK: &str = "<!-- run by the tests -->";

/// The commands that stand in the first fenced block after the mark.
fn commands(page: &str) -> Option<&str> {
    let block = page.split_once(MARK)?.1.split_once("```sh\n")?.1;
    block.split_once("\n```").map(|(inside, _)| inside)
}

/// Runs the block of each README in an empty directory in which the examples are at their place.
pub(super) fn run(house: &House) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut first = None;
    for name in ["README.md", "README.tr.md"] {
        let page = std::fs::read_to_string(house.root.join(name))?;
        let Some(block) = commands(&page) else {
            println!("{name} has no commands after `{MARK}`");
            tally.add(&Tally::of(false));
            continue;
        };
        // The pages are in two languages; the commands are the same and run once.
        match &first {
            None => tally.add(&Tally::of(holds(house, block)?)),
            Some(other) => tally.add(&Tally::of(other == block)),
        }
        first.get_or_insert_with(|| block.to_owned());
    }
    Ok(tally)
}

#[cfg(unix)]
fn holds(house: &House, block: &str) -> io::Result<bool> {
    let place = house.target.join("xtask-readme");
    match std::fs::remove_dir_all(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(&place)?,
    }
    std::os::unix::fs::symlink(house.root.join("examples"), place.join("examples"))?;
    let mut path = vec![house.target.join("release")];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let path = std::env::join_paths(path).map_err(io::Error::other)?;
    let script = format!("set -eu\n{block}\n");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(&place).env("PATH", path).stdin(Stdio::null());
    // The reader's own store must neither help nor be touched.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|n| n.starts_with("HOS_"))) {
        command.env_remove(name);
    }
    Ok(command.status()?.success())
}

#[cfg(not(unix))]
fn holds(_: &House, _: &str) -> io::Result<bool> {
    println!("skipped: the commands are written for a Unix shell");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_after_the_mark_is_taken() {
        let page = format!("```sh\nrm -rf x\n```\n{MARK}\n```sh\nhos check\nhos verify\n```\nmore\n```sh\nno\n```\n");
        assert_eq!(commands(&page), Some("hos check\nhos verify"));
        assert_eq!(commands("```sh\nhos check\n```"), None);
    }
}
