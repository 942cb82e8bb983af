//! What every build that leaves the house is told: no symbols, and nothing of the machine that built it.

use std::path::Path;
use std::process::Command;

/// The environment of a release build of the tree at `root` into `target`: flags for Rust, and for the C of SQLite and BLAKE3.
///
/// `RUSTFLAGS` takes the place of what `.cargo/config.toml` says, so that stands here again.
pub(crate) fn environment(root: &Path, target: &Path) -> Vec<(&'static str, String)> {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo"))).ok();
    // Paths stand in the places of panics. The kernel's randomness by its call: where there is no `/dev`, as in an empty container, its
    // file is not there either.
    let mut rust = format!(
        "--remap-path-prefix={}=hos --cfg getrandom_backend=\"linux_getrandom\" --cfg poly1305_backend=\"soft\"",
        root.display()
    );
    let mut c = format!("-ffile-prefix-map={}=hos", root.display());
    // Code that a build makes lies among what is built (Cedar's grammar), and has places of panics too. What is said last comes first.
    rust.push_str(&format!(" --remap-path-prefix={}=built", target.display()));
    c.push_str(&format!(" -ffile-prefix-map={}=built", target.display()));
    if let Some(home) = home {
        rust.push_str(&format!(" --remap-path-prefix={home}=cargo"));
        c.push_str(&format!(" -ffile-prefix-map={home}=cargo"));
    }
    vec![("CARGO_PROFILE_RELEASE_STRIP", "symbols".to_owned()), ("RUSTFLAGS", rust), ("CFLAGS", c)]
}

/// Tells a command of it.
pub(crate) fn tell(root: &Path, target: &Path, command: &mut Command) {
    command.envs(environment(root, target));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_built_with_what_every_build_is_told() {
        let told = environment(Path::new("/somewhere"), Path::new("/somewhere/target"));
        let rust = &told.iter().find(|(name, _)| *name == "RUSTFLAGS").unwrap().1;
        let config = std::fs::read_to_string(crate::root().join(".cargo/config.toml")).unwrap();
        for line in config.lines().filter(|line| line.starts_with("rustflags")) {
            for flag in line.split(['"', '\'']).filter(|piece| piece.contains("_backend")) {
                assert!(rust.contains(flag), "`{flag}` is said to every build, and not to a release: {line}");
            }
            assert!(line.contains("poly1305_backend"), "the flags are elsewhere: {line}");
        }
        let place = |flag: &str| rust.find(flag).unwrap();
        assert!(place("--remap-path-prefix=/somewhere=hos") < place("--remap-path-prefix=/somewhere/target=built"));
    }
}
