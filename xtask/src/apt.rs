//! Packages of Debian: only root installs them, and only where there is `apt-get`. No service is started by it: what a test needs
//! running, it runs itself.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Keeps services still while packages are installed.
const QUIETLY: &str = include_str!("apt.sh");
/// What packages ask whether a service may be started.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Whether the packages were installed.
pub(crate) fn install(packages: &[&str]) -> io::Result<bool> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout == b"0\n");
    if !root || !Path::new("/usr/bin/apt-get").exists() {
        return Ok(false);
    }
    installed(packages, |words| {
        // Another installation may be going on.
        let mut apt = quietly(Path::new(POLICY), "apt-get");
        apt.args(["-o", "DPkg::Lock::Timeout=300"]).args(words).env("DEBIAN_FRONTEND", "noninteractive");
        // What we print may be read by a shell; what it prints is for people.
        apt.stdout(io::stderr());
        Ok(apt.status()?.success())
    })
}

/// A program that runs while no service may be started.
fn quietly(policy: &Path, program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", QUIETLY, "apt"]).arg(policy).arg(program).stdin(Stdio::null());
    command
}

/// Where the first try fails, once more with a new list of packages: a new machine has none, or an old one.
fn installed(packages: &[&str], mut apt: impl FnMut(&[&str]) -> io::Result<bool>) -> io::Result<bool> {
    let wanted = [&["install", "-y", "--no-install-recommends"], packages].concat();
    Ok(apt(&wanted)? || (apt(&["update"])? && apt(&wanted)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

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

    #[test]
    fn no_service_starts_meanwhile_and_the_policy_is_as_before() {
        let place = std::env::temp_dir().join(format!("hos-policy-{}", std::process::id()));
        let policy = place.join("policy-rc.d");
        let (allowing, denying) = ("#!/bin/sh\nexit 0\n", "#!/bin/sh\n# another's\nexit 101\n");
        for (before, ending) in [(None, 0), (None, 3), (Some(allowing), 0), (Some(allowing), 3), (Some(denying), 0)] {
            let _ = fs::remove_dir_all(&place);
            fs::create_dir_all(&place).unwrap();
            if let Some(text) = before {
                fs::write(&policy, text).unwrap();
                fs::set_permissions(&policy, fs::Permissions::from_mode(0o755)).unwrap();
            }
            // As a package does it: it asks, and goes by the answer. A second installation meanwhile changes nothing.
            let script = "\"$0\" mariadb start; echo $?; sh -c \"$1\" apt \"$0\" true; exit \"$2\"";
            let mut command = quietly(&policy, "sh");
            let said = command.args(["-c", script]).arg(&policy).args([QUIETLY, &ending.to_string()]).output().unwrap();
            let case = format!("{before:?}, {ending}: {}", String::from_utf8_lossy(&said.stderr));
            assert_eq!(String::from_utf8_lossy(&said.stdout), "101\n", "{case}");
            assert_eq!(said.status.code(), Some(ending), "{case}");
            assert_eq!(fs::read_to_string(&policy).ok().as_deref(), before, "{case}");
            assert_eq!(fs::read_dir(&place).unwrap().count(), usize::from(before.is_some()), "{case}");
        }
        fs::remove_dir_all(&place).unwrap();
    }
}
