//! Packages of Debian: only root installs them, and only where there is `apt-get`.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether the packages were installed.
pub(super) fn install(packages: &[&str]) -> io::Result<bool> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout == b"0\n");
    if !root || !Path::new("/usr/bin/apt-get").exists() {
        return Ok(false);
    }
    installed(packages, |words| {
        let mut apt = Command::new("apt-get");
        apt.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        Ok(apt.status()?.success())
    })
}

/// Where the first try fails, once more with a new list of packages: a new machine has none, or an old one.
fn installed(packages: &[&str], mut apt: impl FnMut(&[&str]) -> io::Result<bool>) -> io::Result<bool> {
    let wanted = [&["install", "-y", "--no-install-recommends"], packages].concat();
    Ok(apt(&wanted)? || (apt(&["update"])? && apt(&wanted)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_list_of_packages_is_fetched_where_the_old_one_does_not_do() {
        let ran = |outcomes: &[bool]| {
            let (mut done, mut outcomes) = (Vec::new(), outcomes.iter());
            let there = installed(&["it"], |words| {
                done.push(words[0].to_owned());
                Ok(*outcomes.next().expect("no more calls than these"))
            });
            (there.unwrap(), done.join(" "))
        };
        assert_eq!(ran(&[true]), (true, "install".to_owned()));
        assert_eq!(ran(&[false, true, true]), (true, "install update install".to_owned()));
        assert_eq!(ran(&[false, true, false]), (false, "install update install".to_owned()));
        assert_eq!(ran(&[false, false]), (false, "install update".to_owned()));
    }
}
