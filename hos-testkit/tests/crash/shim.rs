//! The shim between a program and its disk (`shim/disk.c`), compiled once, and this very binary started again under it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Where the compiled shim is; compiled when first asked for.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = out.join(format!("disk-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/disk.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let mut command = Command::new(compiler);
        command
            .args(["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source);
        assert!(command.arg("-lpthread").status().is_ok_and(|status| status.success()), "{command:?}");
        library
    })
}

/// What the shim is told. Names are those of its head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    pub(crate) log: Option<PathBuf>,
    pub(crate) kill: Option<usize>,
    pub(crate) swallow: Option<String>,
    pub(crate) fail: Option<String>,
    pub(crate) seen: Option<PathBuf>,
}

/// This binary again, in a role, with its files below `root` under the shim; it tells its callers at `told`.
pub(crate) fn child(role: &str, root: &Path, told: &Path, orders: &Orders) -> Command {
    let mut command = plain_child(role, root, told);
    command.env("LD_PRELOAD", library()).env("HOS_DISK_ROOT", root);
    if let Some(log) = &orders.log {
        command.env("HOS_DISK_LOG", log).env("HOS_DISK_TOLD", told);
    }
    if let Some(seen) = &orders.seen {
        command.env("HOS_DISK_SEEN", seen);
    }
    let said = [("HOS_DISK_SWALLOW", &orders.swallow), ("HOS_DISK_FAIL", &orders.fail)];
    command.envs(said.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value))));
    if let Some(kill) = orders.kill {
        command.env("HOS_DISK_KILL", kill.to_string());
    }
    command
}

/// The same without the shim.
pub(crate) fn plain_child(role: &str, root: &Path, told: &Path) -> Command {
    // Also where the file has been built anew meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", "role_of_a_child", "--nocapture", "--test-threads=1"]);
    command.env("HOS_CRASH_ROLE", role).env("HOS_CRASH_ROOT", root).env("HOS_CRASH_TOLD", told);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}
