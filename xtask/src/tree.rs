//! The project's text files, as paths relative to the root and their content; and the pages and pictures that they link to.

use std::io;
use std::path::Path;

/// A text file of the project.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// Files of these endings are the project's text.
const TEXT: [&str; 9] = ["rs", "toml", "md", "cedar", "cedarschema", "sh", "sql", "json", "yml"];
/// Files of these endings are there to be linked to; they are not read.
const LINKED: [&str; 2] = ["html", "png"];
/// Directories that hold what machines make.
const MADE: [&str; 4] = ["target", "artifacts", "coverage", "node_modules"];

/// Reads every text file below the root, sorted by path; what is not UTF-8 is left out, being no text.
pub(crate) fn read(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(dir: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if (!name.starts_with('.') || name == ".ci" || name == ".cargo") && !MADE.contains(&name.as_str()) {
                walk(&entry.path(), &path, files)?;
            }
        } else if kind.is_file() && ends_with(&name, &LINKED) {
            files.push(File { path, text: String::new() });
        } else if kind.is_file()
            && is_text(&path, &name)
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn is_text(path: &str, name: &str) -> bool {
    path.starts_with(".ci/") || name == "Cargo.lock" || ends_with(name, &TEXT)
}

fn ends_with(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}
