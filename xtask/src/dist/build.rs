//! What is compiled: the wheel, the static program, the library, the addon.

use super::{Done, Shop, copy};
use crate::run::done;
use std::process::Command;

/// The version of maturin that the wheel is made with.
const MATURIN: &str = "maturin==1.16.0";

/// The wheel, by maturin in an environment of its own.
pub(super) fn wheel(shop: &Shop) -> Done {
    let venv = shop.target.join("venv");
    if !venv.join("bin/maturin").exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        done(Command::new(venv.join("bin/pip")).args(["install", "--quiet", MATURIN]))?;
    }
    let mut maturin = Command::new(venv.join("bin/maturin"));
    maturin.args(["build", "--release", "--locked", "--manifest-path"]).arg(shop.root.join("bindings/python/Cargo.toml"));
    maturin.arg("--target-dir").arg(&shop.target).arg("--out").arg(&shop.out);
    shop.release(&mut maturin);
    done(&mut maturin)
}

/// `hos`, which needs nothing of the machine it runs on but its kernel.
pub(super) fn program(shop: &Shop) -> Done {
    // Said of the last crate alone: what is below is the same code either way, and is not compiled again.
    let args = ["rustc", "--release", "--locked", "-p", "hos-cli", "--bin", "hos", "--", "-C", "target-feature=+crt-static"];
    done(&mut shop.cargo(&args))?;
    let said = Command::new("ldd").arg(shop.built("hos")).output().map_err(|e| format!("ldd: {e}"))?;
    let said = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    if !said.contains("statically linked") && !said.contains("not a dynamic executable") {
        return Err(format!("`hos` is not static: {said}"));
    }
    copy(&shop.built("hos"), &shop.out.join("hos"))
}

/// The shared library.
pub(super) fn library(shop: &Shop) -> Done {
    done(&mut shop.cargo(&["build", "--release", "--locked", "-p", "hos-ffi"]))
}

/// Node's addon.
pub(super) fn addon(shop: &Shop) -> Done {
    done(&mut shop.cargo(&["build", "--release", "--locked", "-p", "hos-node"]))
}
