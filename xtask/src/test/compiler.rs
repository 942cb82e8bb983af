//! The bundled SQLite needs a C compiler; nothing else does.

use crate::apt;
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
    println!("no C compiler: trying to install build-essential");
    let installed = apt::install(&["build-essential"]).unwrap_or(false);
    if installed && present() { Ok(()) } else { Err(advice.to_owned()) }
}
