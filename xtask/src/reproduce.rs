//! `cargo xtask reproduce`: the shared library is built twice, in two directories with nothing in common, and must come out as the same
//! bytes. Long form: Cedar is compiled twice.

use crate::run::done;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Builds twice and compares.
pub(crate) fn run(root: &Path, target: &Path) -> ExitCode {
    match twice(root, &target.join("reproduce")) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn twice(root: &Path, place: &Path) -> Result<String, String> {
    let mut made = Vec::new();
    // Names of other lengths: a path that got in moves what comes after it.
    for name in ["a", "another-place/deeper"] {
        let home = place.join(name);
        let _ = std::fs::remove_dir_all(&home);
        let (source, target) = (home.join("source"), home.join("made"));
        copied(root, &source)?;
        let library = built(&source, &target)?;
        let bytes = std::fs::read(&library).map_err(|e| format!("{}: {e}", library.display()))?;
        let told = sum(&library)?;
        println!("{name}: {} bytes, {told}", bytes.len());
        made.push(bytes);
        let _ = std::fs::remove_dir_all(target.join("release/deps"));
        let _ = std::fs::remove_dir_all(target.join("release/build"));
    }
    match difference(&made[0], &made[1]) {
        None => Ok(format!("both builds of libhos.so are the same {} bytes", made[0].len())),
        Some(why) => Err(format!("the builds differ: {why}; they are in {}", place.display())),
    }
}

/// What git knows of the tree, as it is now.
fn copied(root: &Path, to: &Path) -> Result<(), String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).stdin(Stdio::null()).output();
    let listed = listed.map_err(|e| format!("git: {e}"))?;
    let text = String::from_utf8(listed.stdout).map_err(|e| format!("git: {e}"))?;
    let mut count = 0;
    for path in text.split('\0').filter(|path| !path.is_empty() && root.join(path).is_file()) {
        let target = to.join(path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|e| e.to_string())?;
        }
        std::fs::copy(root.join(path), &target).map_err(|e| format!("{path}: {e}"))?;
        count += 1;
    }
    if count == 0 { Err("git lists nothing: reproduce from a clone".to_owned()) } else { Ok(()) }
}

fn built(source: &Path, target: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "-p", "hos-ffi"]).current_dir(source);
    cargo.env("CARGO_TARGET_DIR", target).env("SOURCE_DATE_EPOCH", "0").env("CARGO_INCREMENTAL", "0");
    crate::release::tell(source, target, &mut cargo);
    done(&mut cargo)?;
    Ok(target.join("release/libhos.so"))
}

fn sum(path: &Path) -> Result<String, String> {
    let said = Command::new("sha256sum").arg(path).stdin(Stdio::null()).output().map_err(|e| format!("sha256sum: {e}"))?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.split(' ').next().map(|digits| format!("sha256 {digits}")).ok_or_else(|| "sha256sum says nothing".to_owned())
}

/// Where two files part, if they do.
fn difference(one: &[u8], other: &[u8]) -> Option<String> {
    if one.is_empty() {
        return Some("nothing was built".to_owned());
    }
    if one == other {
        return None;
    }
    let at = one.iter().zip(other).position(|(a, b)| a != b).unwrap_or(one.len().min(other.len()));
    let around = |bytes: &[u8]| {
        bytes.get(at.saturating_sub(16)..(at + 32).min(bytes.len())).unwrap_or_default().escape_ascii().to_string()
    };
    Some(format!("{} and {} bytes, from byte {at} on: `{}` and `{}`", one.len(), other.len(), around(one), around(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_found_wherever_it_is() {
        let sound = vec![7u8; 1000];
        assert_eq!(difference(&sound, &sound.clone()), None);
        for at in [0, 500, 999] {
            let mut planted = sound.clone();
            planted[at] ^= 1;
            assert!(difference(&sound, &planted).unwrap().contains(&format!("from byte {at} on")));
        }
        assert!(difference(&sound, &sound[..999]).unwrap().contains("from byte 999 on"));
        assert!(difference(&[], &[]).is_some(), "nothing is not the same as something");
    }
}
