//! The project's own chores. It stands on the standard library alone, so that it compiles in seconds.
//!
//! ```text
//! cargo xtask test [--deny]   everything that must hold, with the minutes of each part
//! cargo xtask vectors         the call vectors in every language
//! cargo xtask databases       PostgreSQL and MariaDB for tests, until its input closes; --memory MIB for large tables
//! cargo xtask tidy            floors, circles, foreign crates, codes, references, lengths
//! cargo xtask dist [--try]    what users install; --try installs and uses it in a bare root
//! cargo xtask sanitize        the C ABI under AddressSanitizer; builds everything anew
//! cargo xtask coverage        which lines of hos-core its tests reach; needs LLVM's tools
//! cargo xtask mutants [FILE…] changes of hos-core that no test notices; needs cargo-mutants; long
//! cargo xtask sbom            the bill of materials of libhos.so, as CycloneDX JSON
//! cargo xtask reproduce       libhos.so built twice, elsewhere each time: the same bytes; builds everything anew, twice
//! cargo xtask counts [--write] instructions of the hot paths, compared with benches/counts.txt; needs a release build
//! cargo xtask torture NAME    a long form for as long as one lets it; docs/reliability.md has the names
//! cargo xtask limits [--write] the tables of limits, as they stand in docs/limits.md
//! cargo xtask codes [--write] the table of refusal codes, as it stands in spec/refusal-codes.md
//! ```

mod apt;
mod codes;
mod counts;
mod coverage;
mod databases;
mod dist;
mod limits;
mod mutants;
mod release;
mod reproduce;
mod run;
mod sanitize;
mod sbom;
mod test;
mod tidy;
mod torture;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "usage: cargo xtask <chore>

  test [--deny]    run every check and test, cargo-deny where it is installed; with --deny it must be
  vectors          run the call vectors in every language, a line each
  databases        start PostgreSQL and MariaDB for tests, print where they are, stop them when the input closes;
                   --memory MIB gives their tables more than tests need
  tidy             check the house rules over the sources
  dist [--try]     make what users install; --try installs it in a bare root and uses it
  sanitize         run the C tests under AddressSanitizer; builds everything anew
  coverage         which lines of hos-core its tests reach; fails below what must be; needs LLVM's tools
  mutants [FILE…]  change hos-core in small ways, and fail where no test notices and no reason is given; needs cargo-mutants; long
  sbom             print the bill of materials of libhos.so, as CycloneDX JSON
  reproduce        build libhos.so twice, elsewhere each time, and compare the bytes; builds everything anew, twice
  counts [--write] count the instructions of the hot paths, or keep them in benches/counts.txt; needs a release build
  torture NAME --seconds N [--seed N]
                   run a campaign for so long and add what it came to to docs/reliability.md, which names them
  limits [--write] print the tables of limits, or write them into docs/limits.md
  codes [--write]  print the table of refusal codes, or write it into spec/refusal-codes.md
";

fn main() -> ExitCode {
    if std::env::var_os(coverage::WRAPPER).is_some() {
        return coverage::wrap();
    }
    if std::env::var_os(torture::FUZZED).is_some() {
        return torture::wrap();
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = root();
    match words.as_slice() {
        ["test"] => test::run(&root, false),
        ["test", "--deny"] => test::run(&root, true),
        ["vectors"] => test::vectors(&root),
        ["databases"] => databases::run(&target(&root), None),
        ["databases", "--memory", mib] => databases::run(&target(&root), Some(mib)),
        ["tidy"] => tidy::run(&root),
        ["dist"] => dist::run(&root, false),
        ["dist", "--try"] => dist::run(&root, true),
        ["sanitize"] => sanitize::run(&root),
        ["counts"] => counts::run(&root, &target(&root), false),
        ["counts", "--write"] => counts::run(&root, &target(&root), true),
        ["mutants", files @ ..] => mutants::run(&root, &target(&root), files),
        ["coverage"] => coverage::run(&root, &target(&root)),
        ["sbom"] => sbom::run(&root),
        ["reproduce"] => reproduce::run(&root, &target(&root)),
        ["torture", rest @ ..] => torture::run(&root, rest),
        ["limits"] => limits::run(&root, false),
        ["limits", "--write"] => limits::run(&root, true),
        ["codes"] => codes::run(&root, false),
        ["codes", "--write"] => codes::run(&root, true),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("unknown chore `{}`\n\n{HELP}", args.join(" "));
            ExitCode::from(2)
        }
    }
}

/// The one target directory of all that is built here.
fn target(root: &std::path::Path) -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    // As cargo reads it; what is started from elsewhere, and paths that are mapped away, need the whole.
    given.map_or_else(|| root.join("target"), |path| std::path::absolute(&path).unwrap_or(path))
}

/// The workspace's directory: the parent of this crate's.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
