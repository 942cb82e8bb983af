//! The bundled SQLite needs a C compiler; nothing else does.

use std::process::{Command, Stdio};

fn answers(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn present() -> bool {
    let named = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    answers(&named, &["--version"])
}

/// Makes sure that there is one, installing it where that is ours to do (root on a Debian-like system).
pub(super) fn ensure() -> Result<(), String> {
    if present() {
        return Ok(());
    }
    let advice = "no C compiler was found (tried `$CC`, then `cc`); the bundled SQLite needs one.\n\
                  install it: apt-get install build-essential, dnf install gcc, or xcode-select --install";
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0");
    if !root || !answers("apt-get", &["--version"]) {
        return Err(advice.to_owned());
    }
    println!("no C compiler: installing build-essential");
    let run = |args: &[&str]| {
        Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    // A list of packages that is there already may do; one that is missing or old is fetched.
    let installed =
        run(&["install", "-y", "build-essential"]) || (run(&["update"]) && run(&["install", "-y", "build-essential"]));
    if installed && present() { Ok(()) } else { Err(advice.to_owned()) }
}
