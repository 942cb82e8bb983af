//! The house rules, checked over the sources as text.
//!
//! Each rule is a function from files to findings, and each is tested with planted violations: a rule that cannot fire
//! would promise nothing.

mod circles;
mod crates;
mod documents;
mod floors;
mod length;
mod limits;
mod scan;
mod threats;

use crate::tree::{self, File};
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// What a rule has against a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the root.
    pub(crate) path: String,
    /// 1-based; 0 for the file as a whole.
    pub(crate) line: usize,
    /// Which rule, and what is wrong.
    pub(crate) message: String,
    /// Whether the tree may stay so.
    pub(crate) warning: bool,
}

impl Finding {
    fn error(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), warning: false }
    }

    fn warning(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { warning: true, ..Self::error(path, line, message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = if self.warning { "warning: " } else { "" };
        match self.line {
            0 => write!(f, "{}: {grade}{}", self.path, self.message),
            line => write!(f, "{}:{line}: {grade}{}", self.path, self.message),
        }
    }
}

/// All findings over these files.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let sources: Vec<scan::Source> = files.iter().filter(|f| f.path.ends_with(".rs")).map(scan::Source::new).collect();
    let mut findings = Vec::new();
    findings.extend(floors::check(&sources));
    findings.extend(crates::check(files, &sources));
    findings.extend(circles::check(&sources));
    findings.extend(length::check(files));
    findings.extend(limits::check(files, &sources));
    findings.extend(documents::check(files, &sources));
    findings.extend(threats::check(files));
    findings.sort_by(|a, b| (a.warning, &a.path, a.line, &a.message).cmp(&(b.warning, &b.path, b.line, &b.message)));
    findings.dedup();
    findings
}

/// Reads the tree and checks it; says how many findings are errors.
pub(crate) fn count(root: &Path) -> std::io::Result<usize> {
    let files = tree::read(root)?;
    let findings = check(&files);
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|f| !f.warning).count();
    println!("tidy: {} files, {errors} errors, {} warnings", files.len(), findings.len() - errors);
    Ok(errors)
}

/// `cargo xtask tidy`.
pub(crate) fn run(root: &Path) -> ExitCode {
    match count(root) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the tree cannot be read: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_tree_is_tidy() {
        let files = crate::tree::read(&crate::root()).unwrap();
        assert!(files.iter().any(|f| f.path == "hos-core/src/lib.rs"), "the tree was not found");
        let errors: Vec<String> = super::check(&files).iter().filter(|f| !f.warning).map(ToString::to_string).collect();
        assert!(errors.is_empty(), "\n{}", errors.join("\n"));
    }
}
