//! The project's own chores. It stands on the standard library alone, so that it compiles in seconds.
//!
//! ```text
//! cargo xtask test [--deny]   everything that must hold, with the minutes of each part
//! cargo xtask vectors         the call vectors in every language
//! cargo xtask databases       PostgreSQL and MariaDB for tests, until its input closes
//! cargo xtask tidy            floors, circles, foreign crates, codes, references, lengths
//! cargo xtask dist [--try]    what users install; --try installs and uses it in a bare root
//! cargo xtask sanitize        the C ABI under AddressSanitizer; builds everything anew
//! cargo xtask counts [--write] instructions of the hot paths, compared with benches/counts.txt; needs a release build
//! cargo xtask torture NAME    a long form for as long as one lets it: docs/reliability.md names them
//! cargo xtask codes [--write] the table of refusal codes, as it stands in spec/refusal-codes.md
//! ```

mod apt;
mod codes;
mod counts;
mod databases;
mod dist;
mod run;
mod sanitize;
mod test;
mod tidy;
mod torture;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "usage: cargo xtask <chore>

  test [--deny]    run every check and test; --deny also runs cargo-deny, which must then be installed
  vectors          run the call vectors in every language, a line each
  databases        start PostgreSQL and MariaDB for tests, print where they are, stop them when the input closes
  tidy             check the house rules over the sources
  dist [--try]     make what users install; --try installs it in a bare root and uses it
  sanitize         run the C tests under AddressSanitizer; builds everything anew
  counts [--write] count the instructions of the hot paths, or keep them in benches/counts.txt; needs a release build
  torture NAME --seconds N [--seed N]
                   run a campaign for so long and add what it came to to docs/reliability.md, which names them
  codes [--write]  print the table of refusal codes, or write it into spec/refusal-codes.md
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = root();
    match words.as_slice() {
        ["test"] => test::run(&root, false),
        ["test", "--deny"] => test::run(&root, true),
        ["vectors"] => test::vectors(&root),
        ["databases"] => databases::run(&target(&root)),
        ["tidy"] => tidy::run(&root),
        ["dist"] => dist::run(&root, false),
        ["dist", "--try"] => dist::run(&root, true),
        ["sanitize"] => sanitize::run(&root),
        ["counts"] => counts::run(&root, &target(&root), false),
        ["counts", "--write"] => counts::run(&root, &target(&root), true),
        ["torture", rest @ ..] => torture::run(&root, rest),
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
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The workspace's directory: the parent of this crate's.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
