//! Which files make a law: paths, sizes and UTF-8 are checked once, before anything is read in them.

use crate::digest;
use crate::fault::{Fault, Severity, SourceFile};
use crate::id::{LawHash, Shown};
use crate::limits::{LAW_BYTES_MAX, LAW_FILE_BYTES_MAX, LAW_FILES_MAX, LAW_PATH_BYTES_MAX};
use std::collections::BTreeMap;

/// The manifest's path.
pub const MANIFEST: &str = "law.toml";
/// The schema's path.
pub const SCHEMA: &str = "schema.cedarschema";
/// The one file that is no law and may lie among the others; it is hashed like them.
pub const README: &str = "README.md";

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a path is in a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'p> {
    /// `law.toml`.
    Manifest,
    /// `schema.cedarschema`.
    Schema,
    /// `policies/*.cedar`.
    Policies,
    /// `contracts/*.toml`.
    Contract,
    /// `messages.{language}.toml`, with the language.
    Messages(&'p str),
    /// `README.md`.
    Readme,
}

/// What a path is in a law; `None` for a path that a law has no place for.
pub fn role(path: &str) -> Option<Role<'_>> {
    let in_folder = |folder: &str, ending: &str| {
        let name = path.strip_prefix(folder).and_then(|rest| rest.strip_suffix(ending));
        name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    };
    match path {
        MANIFEST => Some(Role::Manifest),
        SCHEMA => Some(Role::Schema),
        README => Some(Role::Readme),
        _ if in_folder("policies/", ".cedar") => Some(Role::Policies),
        _ if in_folder("contracts/", ".toml") => Some(Role::Contract),
        _ => {
            let language = path.strip_prefix("messages.").and_then(|rest| rest.strip_suffix(".toml"))?;
            is_language(language).then_some(Role::Messages(language))
        }
    }
}

/// `en`, `tr`, `pt-BR`: two or three small letters, and a region if need be.
pub(super) fn is_language(text: &str) -> bool {
    let (language, region) = match text.split_once('-') {
        Some((language, region)) => (language, Some(region)),
        None => (text, None),
    };
    matches!(language.len(), 2 | 3)
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && region.is_none_or(|r| r.len() == 2 && r.bytes().all(|b| b.is_ascii_uppercase()))
}

/// Whether a path is hidden (a piece begins with a dot): such files are no part of a law, neither read nor hashed, so that
/// an editor's or a file manager's droppings change nothing.
pub fn is_hidden(path: &str) -> bool {
    path.split('/').any(|piece| piece.starts_with('.') && piece != "." && piece != "..")
}

/// The files that were admitted, sorted by path.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// All of them, as text.
    pub(super) all: Vec<SourceFile>,
    /// Whether bounds of the whole were broken: then nothing more is worth reading.
    pub(super) hopeless: bool,
}

impl Files {
    /// The files of one kind, in the order of their paths.
    pub(super) fn with(&self, wanted: fn(Role<'_>) -> bool) -> impl Iterator<Item = &SourceFile> {
        self.all.iter().filter(move |f| role(&f.path).is_some_and(wanted))
    }

    /// The hash of the law that these files are.
    pub(super) fn hash(&self) -> LawHash {
        digest::law_hash(self.all.iter().map(|f| (f.path.as_str(), f.text.as_bytes())))
    }

    /// The file with this path.
    pub(super) fn get(&self, path: &str) -> Option<&SourceFile> {
        self.all.iter().find(|f| f.path == path)
    }
}

/// Admits files, or says what is wrong with them. Hidden files are left out.
pub(super) fn admit(given: Vec<(String, Vec<u8>)>, faults: &mut Vec<Fault>) -> Files {
    let mut given: Vec<_> = given.into_iter().filter(|(path, _)| !(unsafe_path(path).is_none() && is_hidden(path))).collect();
    let total = given.iter().fold(0usize, |sum, (_, bytes)| sum.saturating_add(bytes.len()));
    let whole = |code, message: String| Fault::whole(code, Severity::Error, "", message);
    if given.len() > LAW_FILES_MAX {
        faults
            .push(whole("law.file.too_many", format!("the law has {} files, at most {LAW_FILES_MAX} are allowed", given.len())));
    }
    if total > LAW_BYTES_MAX {
        faults.push(whole("law.file.total_too_large", format!("the law has {total} bytes, at most {LAW_BYTES_MAX} are allowed")));
    }
    if given.len() > LAW_FILES_MAX || total > LAW_BYTES_MAX {
        return Files { all: Vec::new(), hopeless: true };
    }

    given.sort();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut all = Vec::with_capacity(given.len());
    for (path, bytes) in given {
        if let Some(fault) = place_fault(&path, &mut seen) {
            faults.push(fault);
            continue;
        }
        match text_of(&path, bytes) {
            Ok(text) => all.push(SourceFile { path, text }),
            Err(fault) => faults.push(*fault),
        }
    }
    for path in [MANIFEST, SCHEMA] {
        if !seen.values().any(|p| p == path) {
            faults.push(Fault::whole("law.file.missing", Severity::Error, path, format!("a law needs a file `{path}`")));
        }
    }
    Files { all, hopeless: false }
}

// A path that is unsafe, taken already, or has no place in a law. `seen` maps paths in small letters to how they were
// written: a law must survive being copied to a disk that does not tell `A` from `a`.
fn place_fault(path: &str, seen: &mut BTreeMap<String, String>) -> Option<Fault> {
    let at = |code, message: String| Some(Fault::whole(code, Severity::Error, &Shown(path).to_string(), message));
    if let Some(why) = unsafe_path(path) {
        return at("law.file.path", format!("a path in a law {why}"));
    }
    if let Some(other) = seen.insert(path.to_lowercase(), path.to_owned()) {
        return match other == path {
            true => at("law.file.duplicate", "this file is given twice".to_owned()),
            false => at("law.file.duplicate", format!("differs from `{}` only in the size of letters", Shown(&other))),
        };
    }
    if role(path).is_none() {
        let known = [MANIFEST, SCHEMA, "messages.en.toml", "messages.tr.toml", README];
        let places = "a law holds law.toml, schema.cedarschema, policies/*.cedar, contracts/*.toml, messages.*.toml";
        let fault =
            Fault::whole("law.file.unknown", Severity::Error, &Shown(path).to_string(), "a law has no place for this file");
        let guessed = fault.clone().did_you_mean(path, known);
        return Some(if guessed.hint.is_some() { guessed } else { fault.hint(places) });
    }
    None
}

fn unsafe_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("may not be empty")
    } else if path.len() > LAW_PATH_BYTES_MAX {
        Some("has at most 255 bytes")
    } else if path.contains('\0') {
        Some("may not hold a NUL")
    } else if path.chars().any(char::is_control) {
        Some("may not hold control characters")
    } else if path.contains('\\') {
        Some("is written with `/`, not with a backslash")
    } else if path.starts_with('/') || path.contains(':') {
        Some("must be relative")
    } else if path.split('/').any(|piece| piece == "..") {
        Some("may not lead out of it with `..`")
    } else if path.split('/').any(|piece| piece.is_empty() || piece == ".") {
        Some("may not have empty pieces or `.`")
    } else {
        None
    }
}

fn text_of(path: &str, bytes: Vec<u8>) -> Result<String, Box<Fault>> {
    let whole = |code, message: String| Box::new(Fault::whole(code, Severity::Error, path, message));
    if bytes.len() > LAW_FILE_BYTES_MAX {
        let message = format!("the file has {} bytes, at most {LAW_FILE_BYTES_MAX} are allowed", bytes.len());
        return Err(whole("law.file.too_large", message));
    }
    if bytes.starts_with(BOM) {
        let message = "the file begins with a byte order mark".to_owned();
        return Err(Box::new(whole("law.file.bom", message).hint("save it as UTF-8 without a byte order mark")));
    }
    String::from_utf8(bytes).map_err(|e| {
        // What stands before the first bad byte is text, so the place can be told.
        let at = e.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(e.as_bytes().get(..at).unwrap_or_default()).into_owned();
        let file = SourceFile { path: path.to_owned(), text };
        Box::new(Fault::at("law.file.utf8", Severity::Error, &file, at..at, "the file is not UTF-8 from here on"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(given: &[(&str, &[u8])]) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        admit(given.iter().map(|(p, b)| ((*p).to_owned(), b.to_vec())).collect(), &mut faults);
        let found = faults.into_iter().filter(|f| f.code != "law.file.missing");
        found.map(|f| (f.code, f.file)).collect()
    }

    #[test]
    fn every_path_has_one_role_or_none() {
        let table = [
            ("law.toml", Some(Role::Manifest)),
            ("schema.cedarschema", Some(Role::Schema)),
            ("policies/a.cedar", Some(Role::Policies)),
            ("contracts/order.toml", Some(Role::Contract)),
            ("messages.tr.toml", Some(Role::Messages("tr"))),
            ("messages.pt-BR.toml", Some(Role::Messages("pt-BR"))),
            ("README.md", Some(Role::Readme)),
            ("policies/deep/a.cedar", None),
            ("policies/.cedar", None),
            ("policies/a.toml", None),
            ("messages.toml", None),
            ("messages.english.toml", None),
            ("messages.TR.toml", None),
            ("a.cedar", None),
        ];
        for (path, wanted) in table {
            assert_eq!(role(path), wanted, "{path}");
        }
    }

    #[test]
    fn bad_paths_are_refused() {
        let bad = [
            "",
            "/etc/passwd",
            "../law.toml",
            "policies/../a.cedar",
            "policies\\a.cedar",
            "policies//a.cedar",
            "./law.toml",
            "policies/a\0.cedar",
            "policies/\u{1b}[2J.cedar",
            "C:law.toml",
            ".../../x",
        ];
        for path in bad {
            assert_eq!(codes(&[(path, b"")]), [("law.file.path", Shown(path).to_string())], "{path:?}");
        }
        let long = format!("policies/{}.cedar", "x".repeat(250));
        assert_eq!(codes(&[(&long, b"")])[0].0, "law.file.path");
    }

    #[test]
    fn size_encoding_and_place_are_judged_for_each_file() {
        let large = vec![b' '; LAW_FILE_BYTES_MAX + 1];
        let found = codes(&[
            ("law.toml", b"\xef\xbb\xbfname = 1"),
            ("contracts/big.toml", &large),
            ("policies/a.cedar", b"// \xff"),
            ("policies/b.cedar", b""),
            ("policies/b.cedar", b""),
            ("policies/B.cedar", b""),
            ("notes.txt", b""),
        ]);
        let found: Vec<_> = found.iter().map(|(code, file)| (*code, file.as_str())).collect();
        assert_eq!(
            found,
            [
                ("law.file.too_large", "contracts/big.toml"),
                ("law.file.bom", "law.toml"),
                ("law.file.unknown", "notes.txt"),
                ("law.file.utf8", "policies/a.cedar"),
                ("law.file.duplicate", "policies/b.cedar"),
                ("law.file.duplicate", "policies/b.cedar"),
            ]
        );
    }

    #[test]
    fn bounds_of_the_whole_are_judged_first() {
        let many: Vec<_> = (0..=LAW_FILES_MAX).map(|i| (format!("policies/{i}.cedar"), Vec::new())).collect();
        let mut faults = Vec::new();
        assert!(admit(many, &mut faults).hopeless);
        assert_eq!(faults.iter().map(|f| f.code).collect::<Vec<_>>(), ["law.file.too_many"]);

        let large: Vec<_> = (0..5).map(|i| (format!("policies/{i}.cedar"), vec![b' '; LAW_FILE_BYTES_MAX])).collect();
        let mut faults = Vec::new();
        assert!(admit(large, &mut faults).hopeless);
        assert_eq!(faults.iter().map(|f| f.code).collect::<Vec<_>>(), ["law.file.total_too_large"]);
    }

    /// Zeros are text, and memory that is full of them costs nothing until it is read.
    #[test]
    fn what_is_as_large_as_it_may_be_is_admitted() {
        let told = |given: Vec<(String, Vec<u8>)>| {
            let mut faults = Vec::new();
            let files = admit(given, &mut faults);
            let found: Vec<_> = faults.into_iter().map(|f| f.code).filter(|code| *code != "law.file.missing").collect();
            (files.all.len(), found)
        };
        let many = (0..LAW_FILES_MAX).map(|i| (format!("policies/{i}.cedar"), Vec::new()));
        assert_eq!(told(many.collect()), (LAW_FILES_MAX, vec![]));
        assert_eq!(told(vec![("policies/a.cedar".to_owned(), vec![0; LAW_FILE_BYTES_MAX])]), (1, vec![]));
        // The bytes of what has no place in a law are counted, and not read.
        assert_eq!(told(vec![("notes.txt".to_owned(), vec![0; LAW_BYTES_MAX])]), (0, vec!["law.file.unknown"]));
        let long = format!("policies/{}.cedar", "x".repeat(LAW_PATH_BYTES_MAX - "policies/.cedar".len()));
        assert_eq!(told(vec![(long, Vec::new())]), (1, vec![]));
    }

    #[test]
    fn hidden_files_are_no_part_of_a_law() {
        assert_eq!(codes(&[(".DS_Store", b"\xff"), ("policies/.a.cedar.swp", b"\xff"), (".git/config", b"")]), []);
    }
}
