//! `include/hos.h` and `include/hos.ffi.h` are what the sources say. `HOS_BLESS=1` writes them anew.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut text = Vec::new();
    let made = cbindgen::Builder::new()
        .with_src(root().join("src/lib.rs"))
        .with_src(root().join("src/boundary.rs"))
        .with_src(root().join("src/status.rs"))
        .with_config(config)
        .generate()
        .unwrap();
    made.write(&mut text);
    String::from_utf8(text).unwrap()
}

/// The header for PHP's FFI, whose parser knows no preprocessor and brings the integers' types along.
fn stripped(header: &str) -> String {
    let without: String = header.lines().filter(|line| !line.starts_with("#include")).map(|line| format!("{line}\n")).collect();
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-E", "-P", "-x", "c", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = cc.spawn().expect("this test needs `cc` (apt install gcc)");
    child.stdin.take().unwrap().write_all(without.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn is_fresh(path: &Path, wanted: &str) {
    if std::env::var_os("HOS_BLESS").is_some() {
        std::fs::write(path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "{} is stale: run `HOS_BLESS=1 cargo test -p hos-ffi --test header`", path.display());
}

#[test]
fn the_headers_are_what_the_sources_say() {
    let header = header();
    is_fresh(&root().join("include/hos.h"), &header);
    let stripped = stripped(&header);
    assert!(!stripped.contains('#') && stripped.contains("hos_status hos_can("), "{stripped}");
    is_fresh(&root().join("include/hos.ffi.h"), &stripped);
}
