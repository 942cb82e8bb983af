//! `cargo xtask dist`: what users install, made into `target/dist/out`. `--try` installs it in a bare root and uses it there.
//!
//! A target directory of its own, for nothing here is built for tests. Long form: Cedar is compiled twice, since Node's build
//! tools give dependencies of both other features.

mod bare;
mod build;
mod pack;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Where things are.
struct Shop {
    root: PathBuf,
    /// The target directory.
    target: PathBuf,
    /// Where packages are put together.
    stage: PathBuf,
    /// Where what is done lies.
    out: PathBuf,
    version: String,
}

type Done = Result<(), String>;

/// Makes everything, and tries it if asked.
pub(crate) fn run(root: &Path, tried: bool) -> ExitCode {
    let target = root.join("target/dist");
    let (stage, out) = (target.join("stage"), target.join("out"));
    let version = version(root).unwrap_or_default();
    let shop = Shop { root: root.to_owned(), target, stage, out, version };
    match make(&shop).and_then(|()| if tried { bare::run(&shop) } else { Ok(()) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn make(shop: &Shop) -> Done {
    if shop.version.is_empty() {
        return Err("Cargo.toml says no version".into());
    }
    for place in [&shop.stage, &shop.out] {
        let _ = std::fs::remove_dir_all(place);
        std::fs::create_dir_all(place).map_err(|e| e.to_string())?;
    }
    build::wheel(shop)?;
    build::program(shop)?;
    build::library(shop)?;
    build::addon(shop)?;
    pack::npm(shop)?;
    pack::composer(shop)?;
    pack::debian(shop)?;
    pack::container(shop)?;
    write(&shop.out.join(crate::sbom::FILE), &crate::sbom::of(&shop.root)?)?;
    let mut made: Vec<_> = std::fs::read_dir(&shop.out).map_err(|e| e.to_string())?.flatten().collect();
    made.sort_by_key(std::fs::DirEntry::file_name);
    for file in made {
        let size = file.metadata().map_or(0, |m| m.len());
        println!("{:>12}  {}", size, file.path().display());
    }
    Ok(())
}

/// `version = "0.1.0"` of the workspace.
fn version(root: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let package = manifest.split_once("[workspace.package]")?.1;
    let line = package.lines().find(|line| line.starts_with("version"))?;
    Some(line.split('"').nth(1)?.to_owned())
}

impl Shop {
    /// Cargo, building for release.
    fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        self.release(&mut command);
        command
    }

    /// What every release build is told.
    fn release(&self, command: &mut Command) {
        crate::release::tell(&self.root, &self.target, command);
    }

    /// What the release build made.
    fn built(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// A file of the tree, with the version in it.
    fn template(&self, path: &str, more: &[(&str, &str)]) -> Result<String, String> {
        let text = std::fs::read_to_string(self.root.join(path)).map_err(|e| format!("{path}: {e}"))?;
        let text = text.replace("@VERSION@", &self.version);
        Ok(more.iter().fold(text, |text, (name, value)| text.replace(name, value)))
    }
}

/// Copies a file, making the directories above it.
fn copy(from: &Path, to: &Path) -> Done {
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|e| e.to_string())?;
    }
    std::fs::copy(from, to).map(drop).map_err(|e| format!("{} -> {}: {e}", from.display(), to.display()))
}

/// Copies a directory and what is in it.
fn copy_tree(from: &Path, to: &Path) -> Done {
    let entries = std::fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))?;
    for entry in entries.flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy_tree(&path, &target)? } else { copy(&path, &target)? }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Done {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|e| e.to_string())?;
    }
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
