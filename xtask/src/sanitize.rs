//! `cargo xtask sanitize`: the C ABI under AddressSanitizer, in a target directory of its own. Long form: everything is built
//! anew, Cedar too.

use crate::run::done;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The compiler's own triple; saying it keeps build scripts free of the sanitizer.
const TRIPLE: &str = if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// Builds the library and the C tests with the sanitizer, runs them, and sees that a planted fault is found.
pub(crate) fn run(root: &Path) -> ExitCode {
    match sound(root) {
        Ok(()) => {
            println!("clean under AddressSanitizer, and a planted fault was found");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn sound(root: &Path) -> Result<(), String> {
    let target = root.join("target/sanitize");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args([
        "build",
        "--locked",
        "--release",
        "-p",
        "hos-ffi",
        "-p",
        "hos-cli",
        "--features",
        "hos-ffi/failpoints",
        "--target",
        TRIPLE,
    ]);
    build.current_dir(root).env("CARGO_TARGET_DIR", &target);
    // The stable compiler has the sanitizers, but does not offer them.
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address -Cforce-frame-pointers=yes");
    build.env("CFLAGS", "-fsanitize=address -g").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    done(&mut build)?;
    let place = target.join("c");
    std::fs::create_dir_all(&place).map_err(|e| e.to_string())?;
    let programs = target.join(TRIPLE).join("release");
    link(&programs)?;
    let compile = |source: &str| -> Result<PathBuf, String> {
        let program = place.join(source);
        let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        cc.args(["-std=c11", "-D_DEFAULT_SOURCE", "-g", "-O1", "-fsanitize=address", "-pthread", "-I"])
            .arg(root.join("hos-ffi/include"));
        cc.arg(root.join("hos-ffi/tests/c").join(source).with_extension("c")).arg("-o").arg(&program);
        cc.arg("-L").arg(&programs).arg("-lhos").arg(format!("-Wl,-rpath,{}", programs.display()));
        done(&mut cc).map(|()| program)
    };
    // Without forks: the sanitizer's own allocator may be locked by a thread that a child does not have, and hang there. Forks are
    // watched by valgrind.
    let store = place.join("alone.db");
    found(root, &programs.join("hos"), &place, &store)?;
    done(Command::new(compile("abi")?).arg(&store).arg("alone"))?;
    let planted = Command::new(compile("planted")?).arg("none").stderr(Stdio::piped()).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&planted.stderr).into_owned();
    if planted.status.success() || !said.contains("heap-use-after-free") {
        return Err(format!("a planted fault was not found: {}\n{said}", planted.status));
    }
    Ok(())
}

/// A store of lamps, as the C tests want it.
fn found(root: &Path, hos: &Path, place: &Path, store: &Path) -> Result<(), String> {
    for end in ["", "-wal", "-shm", ".key", ".vault", ".vault-wal", ".vault-shm"] {
        let mut file = store.as_os_str().to_owned();
        file.push(end);
        let _ = std::fs::remove_file(file);
    }
    let mut command = Command::new(hos);
    command.arg("init").arg("--law").arg(root.join("hos-ffi/tests/c/law")).arg("--store").arg(store).current_dir(place);
    command.args(["--founder", "Account::ayse", "--role", "Role::operator", "--attr", "active=true", "--tenant", "lamps"]);
    done(command.env("ASAN_OPTIONS", "detect_leaks=0").stdout(Stdio::null()))
}

fn link(programs: &Path) -> Result<(), String> {
    let link = programs.join("libhos.so.1");
    if std::fs::read_link(&link).is_err() {
        std::os::unix::fs::symlink("libhos.so", &link).map_err(|e| e.to_string())?;
    }
    Ok(())
}
