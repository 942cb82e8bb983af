//! The C tests: compiled with `cc` against the shared and the static library, run as they are and, where it is there, under
//! valgrind. What the shared library exports is `hos_*` and nothing else.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts the libraries beside this test.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; the C tests need `cc` (apt install gcc)"))
}

fn sound(command: &mut Command) -> String {
    let output = run(command);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    said
}

/// Compiles a program; one of `tests/c` is named by its file alone.
fn compile(source: impl AsRef<Path>, to: &Path, is_static: bool) {
    let mut command = Command::new("cc");
    command.args(["-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-pthread"]);
    command.arg("-I").arg(root().join("include")).arg(root().join("tests/c").join(source.as_ref())).arg("-o").arg(to);
    let place = libraries();
    if is_static {
        command.arg(place.join("libhos.a")).args(["-ldl", "-lm"]);
    } else {
        command.arg("-L").arg(&place).arg("-lhos").arg(format!("-Wl,-rpath,{}", place.display()));
    }
    sound(&mut command);
}

/// The shared library under the name that programs ask for at run time.
fn named() {
    let (from, to) = (libraries().join("libhos.so"), libraries().join("libhos.so.1"));
    if std::fs::read_link(&to).ok().as_deref() != Some(Path::new("libhos.so")) {
        let _ = std::fs::remove_file(&to);
        std::os::unix::fs::symlink(from.file_name().unwrap(), &to).unwrap();
    }
}

#[test]
fn the_c_tests_hold() {
    named();
    let place = tempfile::tempdir().unwrap();
    for (kind, is_static) in [("shared", false), ("static", true)] {
        let store = place.path().join(format!("{kind}.db"));
        support::found(&store);
        let program = place.path().join(kind);
        compile("abi.c", &program, is_static);
        let said = sound(Command::new(&program).arg(&store));
        assert!(said.lines().any(|line| line.ends_with("checks hold")), "{said}");
    }
    let valgrind = Command::new("valgrind").arg("--version").output().is_ok_and(|o| o.status.success());
    if !valgrind {
        assert!(std::env::var_os("CI").is_none(), "valgrind is not installed, and nobody would notice here");
        println!("skipped: valgrind is not installed");
        return;
    }
    // A child has lost what only the parent's other threads knew of: what leaks is asked where nobody forks.
    let watched = |program: &Path, store: &Path, how: &str| {
        let mut command = Command::new("valgrind");
        command.args(["-q", "--error-exitcode=9", "--child-silent-after-fork=yes"]);
        if how == "alone" {
            command.args(["--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]);
        }
        command.arg(program).arg(store).arg(how);
        command
    };
    for how in ["short", "alone"] {
        let store = place.path().join(format!("{how}.db"));
        support::found(&store);
        sound(&mut watched(&place.path().join("shared"), &store, how));
    }
    // The detector fires: a program that reads what it has freed.
    let planted = place.path().join("planted");
    compile("planted.c", &planted, false);
    let output = run(&mut watched(&planted, Path::new("none"), "short"));
    assert_eq!(output.status.code(), Some(9), "a planted fault was not found: {output:?}");
}

#[test]
fn nothing_but_the_abi_is_exported() {
    let said = sound(Command::new("nm").args(["-D", "--defined-only"]).arg(libraries().join("libhos.so")));
    let mut names: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().last()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "hos_abi_version",
            "hos_call",
            "hos_can",
            "hos_close",
            "hos_free",
            "hos_open",
            "hos_open_joined",
            "hos_open_shared",
            "hos_step",
            "hos_version"
        ]
    );
    let flags = sound(Command::new("readelf").arg("-d").arg(libraries().join("libhos.so")));
    assert!(flags.contains("NODELETE") && flags.contains("libhos.so.1"), "{flags}");
}

/// The page's example is compiled as it stands, and says of a store that is not there what the page says.
#[test]
fn the_example_of_the_page_compiles() {
    named();
    let page = std::fs::read_to_string(root().join("../spec/c-abi.md")).unwrap();
    let (_, rest) = page.split_once("```c\n").expect("an example");
    let (source, _) = rest.split_once("```").expect("its end");
    let place = tempfile::tempdir().unwrap();
    let (file, program) = (place.path().join("example.c"), place.path().join("example"));
    std::fs::write(&file, source).unwrap();
    compile(&file, &program, false);
    let output = run(Command::new(&program).current_dir(place.path()));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("hos.store_unavailable"), "{output:?}");
}
