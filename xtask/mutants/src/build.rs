//! The crate with all its changes, compiled once: by the compiler's own command lines, which cargo was overheard to use.

use crate::list::Mutant;
use crate::rewrite::{Rewritten, rewrite};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Says where the compiler's command lines are written down, and that this program was started in the compiler's place.
const OVERHEARD: &str = "HOS_MUTANTS_OVERHEARD";
/// Appended to the crate's root.
const ASLEEP: &str = include_str!("asleep.rs.txt");
/// How often what does not compile is taken out before one gives up: each time, one mistake may have hidden others.
const ROUNDS: usize = 60;

/// One command line of the compiler.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    name: String,
    is_test: bool,
    compiler: String,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    folder: PathBuf,
}

/// What became of the changes.
pub struct Built {
    /// Test programs.
    pub programs: Vec<PathBuf>,
    /// Changes that the compiler refuses, as a user's compiler would.
    pub refused: Vec<usize>,
    /// Changes that cannot be put beside others: of what is computed while compiling, of types that have no name.
    pub left: Vec<usize>,
}

/// In the compiler's place: writes the command line down where the package is the one that is asked for, and compiles.
pub fn overhear() -> Option<ExitCode> {
    let place = std::env::var_os(OVERHEARD)?;
    let mut args = std::env::args_os().skip(1);
    let compiler = args.next()?;
    let args: Vec<OsString> = args.collect();
    let package = std::env::var("HOS_MUTANTS_PACKAGE").unwrap_or_default();
    if std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == package) {
        let words: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let name = words.iter().position(|word| word == "--crate-name").and_then(|at| words.get(at + 1)).cloned();
        if let Some(name) = name.filter(|name| !name.starts_with("___")) {
            let kept = |name: &str| name.starts_with("CARGO") || name == "OUT_DIR" || name == "PATH" || name == "LD_LIBRARY_PATH";
            let line = Line {
                is_test: words.iter().any(|word| word == "--test"),
                name,
                compiler: compiler.to_string_lossy().into_owned(),
                args: words,
                environment: std::env::vars().filter(|(name, _)| kept(name)).collect(),
                folder: std::env::current_dir().unwrap_or_default(),
            };
            let path = Path::new(&place).join(format!("{}{}.json", line.name, if line.is_test { "-test" } else { "" }));
            if let Err(error) = std::fs::write(&path, serde_json::to_vec(&line).unwrap_or_default()) {
                eprintln!("{}: {error}", path.display());
                return Some(ExitCode::FAILURE);
            }
        }
    }
    let status = Command::new(compiler).args(&args).status();
    Some(status.map_or(ExitCode::FAILURE, |status| ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))))
}

/// The command lines: of the library, of the library's own tests, of each file of tests. One file of tests is compiled by cargo, and its line
/// makes those of the others: they differ in their names alone.
fn overheard(root: &Path, package: &str, target: &Path, place: &Path) -> Result<Vec<Line>, String> {
    let lines = place.join("overheard");
    std::fs::create_dir_all(&lines).map_err(|e| format!("{}: {e}", lines.display()))?;
    let names = tests(&root.join(package).join("tests"))?;
    let Some(first) = names.iter().find(|name| root.join(package).join(format!("tests/{name}.rs")).is_file()) else {
        return Err(format!("{package} has no tests"));
    };
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Of the whole workspace: with one package alone, what it stands on would be compiled with other features, and anew.
    cargo.args(["test", "--workspace", "--locked", "--no-run", "--test", first]);
    cargo.current_dir(root).env("CARGO_TARGET_DIR", target).env("RUSTC_WORKSPACE_WRAPPER", own);
    cargo.env(OVERHEARD, &lines).env("HOS_MUTANTS_PACKAGE", package).stdin(Stdio::null());
    println!("+ {cargo:?}");
    let status = cargo.status().map_err(|e| format!("{cargo:?}: {e}"))?;
    if !status.success() {
        return Err(format!("{cargo:?}: {status}"));
    }
    // What cargo had compiled before was overheard then.
    let read = |file: String| -> Result<Line, String> {
        let path = lines.join(file);
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}; remove {}", path.display(), target.display()))?;
        serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", path.display()))
    };
    let library = package.replace('-', "_");
    let (lib, test) = (read(format!("{library}.json"))?, read(format!("{first}-test.json"))?);
    let mut out = vec![lib, test.with(&library, &format!("{package}/src/lib.rs"))];
    for name in &names {
        let file = format!("{package}/tests/{name}.rs");
        let file = if root.join(&file).is_file() { file } else { format!("{package}/tests/{name}/main.rs") };
        out.push(test.with(name, &file));
    }
    Ok(out)
}

fn tests(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file() {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Compiles the package with all changes that can be compiled, and its tests.
pub fn build(root: &Path, package: &str, target: &Path, mutants: &[Mutant]) -> Result<Built, String> {
    let place = target.join("mutants");
    let lines = overheard(root, package, target, &place)?;
    let (source, made, out) = (root.join(package).join("src"), place.join("src"), place.join("made"));
    let _ = std::fs::remove_dir_all(&made);
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    copied(&source, &made)?;
    let (mut refused, mut left) = (Vec::new(), Vec::new());
    let mut files: BTreeMap<&str, BTreeMap<usize, &Mutant>> = BTreeMap::new();
    for (number, mutant) in mutants.iter().enumerate() {
        files.entry(&mutant.file).or_default().insert(number, mutant);
    }
    let mut texts: BTreeMap<&str, Rewritten> = BTreeMap::new();
    let mut changed: Vec<&str> = files.keys().copied().collect();
    for round in 1.. {
        for file in std::mem::take(&mut changed) {
            let path = source.join(file);
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let mut rewritten = rewrite(&text, &files[file]).map_err(|e| format!("{}: {e}", path.display()))?;
            left.append(&mut rewritten.left);
            refused.append(&mut rewritten.refused);
            if file == "lib.rs" {
                rewritten.text.push_str(ASLEEP);
            }
            write(&made.join(file), &rewritten.text)?;
            texts.insert(file, rewritten);
        }
        if !files.contains_key("lib.rs") {
            let text = std::fs::read_to_string(source.join("lib.rs")).map_err(|e| format!("lib.rs: {e}"))?;
            write(&made.join("lib.rs"), &format!("{text}{ASLEEP}"))?;
        }
        let errors = compiled(&lines[0], &lines[0].name, &made, &out)?;
        if errors.is_empty() {
            break;
        }
        let mut taken = 0;
        for error in &errors {
            let Some((file, numbers, is_its_own)) = error.blamed(&texts) else { continue };
            for number in numbers {
                if files.get_mut(file).is_some_and(|of| of.remove(&number).is_some()) {
                    taken += 1;
                    if is_its_own { refused.push(number) } else { left.push(number) }
                }
            }
            changed.push(file);
        }
        changed.sort_unstable();
        changed.dedup();
        println!("round {round}: the compiler has {} objections, {taken} changes are out", errors.len());
        if taken == 0 || round == ROUNDS {
            let said: Vec<&str> = errors.iter().take(5).map(|error| error.rendered.as_str()).collect();
            return Err(format!("it does not compile, for no change's sake:\n{}", said.join("\n")));
        }
    }
    let mut programs = Vec::new();
    for line in &lines[1..] {
        let errors = compiled(line, &lines[0].name, &made, &out)?;
        if let Some(error) = errors.first() {
            return Err(format!("{}: {}", line.name, error.rendered));
        }
        programs.push(out.join(format!("{}{}", line.name, line.extra())));
    }
    for numbers in [&mut left, &mut refused] {
        numbers.sort_unstable();
        numbers.dedup();
    }
    Ok(Built { programs, refused, left })
}

impl Line {
    /// The same for another file of tests.
    fn with(&self, name: &str, file: &str) -> Self {
        let mut line = Self { name: name.to_owned(), ..self.clone() };
        let mut args = self.args.iter().peekable();
        line.args.clear();
        while let Some(arg) = args.next() {
            match (arg.as_str(), args.peek()) {
                ("--crate-name", Some(_)) => {
                    args.next();
                    line.args.extend([arg.clone(), name.to_owned()]);
                }
                // Its own tests do not link the library a second time.
                ("--extern", Some(what)) if what.starts_with(&format!("{name}=")) => drop(args.next()),
                (path, _) if path.ends_with(".rs") => line.args.push(file.to_owned()),
                _ => line.args.push(arg.clone()),
            }
        }
        for (key, value) in &mut line.environment {
            if key == "CARGO_CRATE_NAME" {
                name.clone_into(value);
            }
        }
        line
    }

    /// What the compiler appends to the name of what it makes.
    fn extra(&self) -> String {
        let extra = self.args.iter().find_map(|arg| arg.strip_prefix("extra-filename="));
        extra.unwrap_or_default().to_owned()
    }
}

#[derive(Debug, Deserialize)]
struct Said {
    level: String,
    code: Option<Named>,
    #[serde(default)]
    rendered: String,
    #[serde(default)]
    spans: Vec<Spot>,
}

#[derive(Debug, Deserialize)]
struct Named {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Spot {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

/// An error with the places it names, from `src/`, the first ones first.
struct Wrong {
    rendered: String,
    /// A match without one of its arms leaves something out: so it would be with this change alone.
    is_open_match: bool,
    places: Vec<(String, std::ops::Range<usize>)>,
}

impl Wrong {
    /// The change in whose own words it lies, else those around the smallest thing in which it lies; and whether it was the former.
    fn blamed<'f>(&self, texts: &BTreeMap<&'f str, Rewritten>) -> Option<(&'f str, Vec<usize>, bool)> {
        let known = |name: &str| texts.get_key_value(name).map(|(file, text)| (*file, text));
        for (name, place) in &self.places {
            let Some((file, text)) = known(name) else { continue };
            let inside = text.pieces.iter().filter(|(range, _)| range.start <= place.start && place.end <= range.end);
            if let Some((_, number)) = inside.min_by_key(|(range, _)| range.len()) {
                return Some((file, vec![*number], true));
            }
        }
        for (name, place) in &self.places {
            let Some((file, text)) = known(name) else { continue };
            let inside = text.around.iter().filter(|(range, numbers)| {
                !numbers.is_empty() && range.start < place.end.max(place.start + 1) && place.start < range.end
            });
            if let Some((_, numbers)) = inside.min_by_key(|(range, _)| range.len()) {
                return Some((file, numbers.clone(), self.is_open_match));
            }
        }
        None
    }
}

/// Compiles one thing, the package's own source and library being the changed ones; what the compiler has against it.
fn compiled(line: &Line, library: &str, made: &Path, out: &Path) -> Result<Vec<Wrong>, String> {
    let mut args: Vec<String> = Vec::new();
    let mut given = line.args.iter();
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--out-dir" => {
                given.next();
                args.extend(["--out-dir".to_owned(), out.display().to_string()]);
            }
            "-C" => {
                let what = given.next().cloned().unwrap_or_default();
                if !what.starts_with("incremental=") {
                    args.extend(["-C".to_owned(), what]);
                }
            }
            "--extern" => {
                let what = given.next().cloned().unwrap_or_default();
                let ours = what.strip_prefix(&format!("{library}=")).map(Path::new).and_then(Path::file_name);
                // Tests are given the library itself, not what is known of it before it is made.
                let made = ours.map(|file| out.join(file).with_extension("rlib"));
                let what = made.map(|path| format!("{library}={}", path.display())).unwrap_or(what);
                args.extend(["--extern".to_owned(), what]);
            }
            path if path.ends_with("src/lib.rs") => args.push(made.join("lib.rs").display().to_string()),
            _ => args.push(arg.clone()),
        }
    }
    args.extend(["--cap-lints", "allow"].map(str::to_owned));
    let mut command = Command::new(&line.compiler);
    command.args(&args).current_dir(&line.folder).envs(line.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().map_err(|e| format!("{}: {e}", line.compiler))?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut errors = Vec::new();
    for line in said.lines() {
        let Ok(error) = serde_json::from_str::<Said>(line) else { continue };
        if error.level != "error" || error.spans.is_empty() {
            continue;
        }
        let mut spans = error.spans;
        spans.sort_by_key(|spot| !spot.is_primary);
        let place = |spot: Spot| {
            let file = Path::new(&spot.file_name);
            let file = file.strip_prefix(made).ok()?.to_str()?.to_owned();
            Some((file, spot.byte_start..spot.byte_end))
        };
        let is_open_match = error.code.is_some_and(|named| named.code == "E0004");
        errors.push(Wrong { rendered: error.rendered, is_open_match, places: spans.into_iter().filter_map(place).collect() });
    }
    if errors.is_empty() { Err(said) } else { Ok(errors) }
}

fn copied(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::create_dir_all(to).map_err(|e| format!("{}: {e}", to.display()))?;
    for entry in std::fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            copied(&path, &to.join(name))?;
        } else {
            std::fs::copy(&path, to.join(name)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a place is a range of bytes, and an error may have one place")]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_blame_is_the_change_itself_or_those_around() {
        let text =
            Rewritten { pieces: vec![(10..20, 7)], around: vec![(0..50, vec![7, 8]), (5..30, vec![7])], ..Rewritten::default() };
        let texts = BTreeMap::from([("a.rs", text)]);
        let blamed = |file: &str, places: &[std::ops::Range<usize>], is_open_match| {
            let places = places.iter().map(|place| (file.to_owned(), place.clone())).collect();
            let wrong = Wrong { rendered: String::new(), is_open_match, places };
            wrong.blamed(&texts).map(|(_, numbers, is_refused)| (numbers, is_refused))
        };
        assert_eq!(blamed("a.rs", &[12..15], false), Some((vec![7], true)), "in its own words");
        assert_eq!(blamed("a.rs", &[25..26, 12..15], false), Some((vec![7], true)), "the second place is in its own words");
        assert_eq!(blamed("a.rs", &[25..26], false), Some((vec![7], false)), "the smallest around it");
        assert_eq!(blamed("a.rs", &[40..41], true), Some((vec![7, 8], true)), "a match that is open is open with each alone");
        assert_eq!((blamed("a.rs", &[60..61], false), blamed("b.rs", &[12..15], false)), (None, None));
    }

    #[test]
    fn a_line_of_one_test_makes_that_of_another() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let line = Line {
            name: "one".to_owned(),
            is_test: true,
            compiler: "rustc".to_owned(),
            args: words("--crate-name one a/tests/one.rs --test --extern a_b=d/liba_b.rlib --extern c=d/libc.rlib"),
            environment: vec![("CARGO_CRATE_NAME".to_owned(), "one".to_owned())],
            folder: PathBuf::new(),
        };
        let two = line.with("two", "a/tests/two/main.rs");
        let made = words("--crate-name two a/tests/two/main.rs --test --extern a_b=d/liba_b.rlib --extern c=d/libc.rlib");
        assert_eq!((two.args, two.environment[0].1.as_str()), (made, "two"));
        let own = line.with("a_b", "a/src/lib.rs");
        assert_eq!(own.args, words("--crate-name a_b a/src/lib.rs --test --extern c=d/libc.rlib"));
    }

    #[test]
    fn tests_are_files_and_folders_with_a_main() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hos-core/tests");
        let names = tests(&here).unwrap();
        assert!(["limits", "proof_tree"].iter().all(|name| names.iter().any(|known| known == name)), "{names:?}");
        assert!(!names.iter().any(|name| name == "proof_support"), "what tests share is no test");
    }
}
