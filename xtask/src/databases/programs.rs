//! Finding the programs of a server, and installing them, and PHP's drivers, where that is ours to do.

use crate::apt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs of a server are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    found: Vec<(&'static str, PathBuf)>,
}

impl Programs {
    /// One of those that were asked for.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.found.iter().find(|(known, _)| *known == name).map_or_else(|| PathBuf::from(name), |(_, path)| path.clone())
    }
}

/// All of these programs, or none. The folders, of which newer versions are preferred, come before what `PATH` names: there may
/// be a client of one version and a server of another.
pub(super) fn beside(names: &[&'static str], folders: &[&str]) -> Option<Programs> {
    let mut places: Vec<PathBuf> = folders.iter().flat_map(|folder| spread(folder)).collect();
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let find = |name: &'static str| {
        let path = places.iter().map(|place| place.join(name)).find(|path| path.is_file())?;
        Some((name, path))
    };
    names.iter().map(|name| find(name)).collect::<Option<Vec<_>>>().map(|found| Programs { found })
}

/// The folders that a name with one `*` stands for, the highest version first.
fn spread(folder: &str) -> Vec<PathBuf> {
    let Some((before, after)) = folder.split_once('*') else { return vec![PathBuf::from(folder)] };
    let (parent, start) = before.rsplit_once('/').unwrap_or(("", before));
    let names = std::fs::read_dir(if parent.is_empty() { "/" } else { parent }).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, String)> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| {
            let version = name.strip_prefix(start)?.split('.').next()?.parse().ok()?;
            Some((version, name))
        })
        .collect();
    versions.sort();
    versions.iter().rev().map(|(_, name)| Path::new(parent).join(format!("{name}{after}"))).collect()
}

/// Says PHP's version and each driver of PDO.
const PHP: &str = r#"echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, " ", class_exists("PDO") ? implode(" ", PDO::getAvailableDrivers()) : "";"#;

/// Makes sure that the PHP that is there has the drivers of all databases; says what is missing and how to get it.
pub(crate) fn php_drivers() -> io::Result<Option<String>> {
    let asked = || {
        let said = Command::new("php").args(["-r", PHP]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        said.status.success().then(|| String::from_utf8_lossy(&said.stdout).into_owned())
    };
    let missing = || asked().map(|said| missing_drivers(&said)).unwrap_or_default();
    let packages = missing();
    if packages.is_empty() {
        return Ok(None);
    }
    apt::install(&packages.iter().map(String::as_str).collect::<Vec<_>>())?;
    let packages = missing();
    Ok((!packages.is_empty()).then(|| format!("PHP lacks drivers; on Debian: apt-get install {}", packages.join(" "))))
}

/// The packages that a PHP lacks which says `8.2 mysql sqlite`.
fn missing_drivers(said: &str) -> Vec<String> {
    let mut words = said.split_whitespace();
    let Some(version) = words.next() else { return Vec::new() };
    let there: Vec<&str> = words.collect();
    let drivers = [("pgsql", "pgsql"), ("mysql", "mysql"), ("sqlite", "sqlite3")];
    let missing = drivers.iter().filter(|(driver, _)| !there.contains(driver));
    missing.map(|(_, package)| format!("php{version}-{package}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_that_are_missing_are_named_for_the_version_that_is_there() {
        assert_eq!(missing_drivers("8.3 sqlite"), ["php8.3-pgsql", "php8.3-mysql"]);
        assert_eq!(missing_drivers("8.2 mysql pgsql"), ["php8.2-sqlite3"]);
        assert!(missing_drivers("8.2 mysql pgsql sqlite").is_empty());
        assert_eq!(missing_drivers("8.2 ").len(), 3);
        assert!(missing_drivers("").is_empty(), "without PHP nothing is missing");
    }

    #[test]
    fn programs_are_found_together_or_not_at_all() {
        let place = std::env::temp_dir().join(format!("hos-programs-{}", std::process::id()));
        for (version, name) in [("9", "serve"), ("15", "serve"), ("15", "make"), ("x", "serve")] {
            std::fs::create_dir_all(place.join(version).join("bin")).unwrap();
            std::fs::write(place.join(version).join("bin").join(name), "").unwrap();
        }
        let folders = format!("{}/*/bin", place.display());
        let both = beside(&["serve", "make"], &[&folders]);
        let (versions, neither) = (spread(&folders), beside(&["serve", "hos-no-such-program"], &[&folders]));
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!(versions, [place.join("15/bin"), place.join("9/bin")], "by number, and only versions");
        assert_eq!(both.map(|programs| programs.path("serve")), Some(place.join("15/bin/serve")));
        assert_eq!(neither, None);
    }
}
