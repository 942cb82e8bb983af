//! What is put together: the npm package, the Composer package, the Debian package, the container's files.

use super::{Done, Shop, copy, copy_tree, write};
use crate::run::done;
use std::path::Path;
use std::process::Command;

/// The npm package, with its addon in it.
pub(super) fn npm(shop: &Shop) -> Done {
    let (from, stage) = (shop.root.join("bindings/node"), shop.stage.join("npm"));
    done(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&from))?;
    done(Command::new("npm").args(["run", "build"]).current_dir(&from))?;
    copy_tree(&from.join("dist"), &stage.join("dist"))?;
    for name in ["package.json", "README.md"] {
        copy(&from.join(name), &stage.join(name))?;
    }
    // As Node calls the machine; the loader asks for this name.
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    copy(&shop.built("libhos_node.so"), &stage.join(format!("hos.linux-{arch}-gnu.node")))?;
    pages(shop, &stage)?;
    done(Command::new("npm").arg("pack").arg("--pack-destination").arg(&shop.out).current_dir(&stage))
}

/// The PHP package as Composer takes it, with the library in it.
pub(super) fn composer(shop: &Shop) -> Done {
    let stage = shop.stage.join("composer");
    php(shop, &stage)?;
    copy(&shop.root.join("bindings/php/composer.json"), &stage.join("composer.json"))?;
    copy(&shop.built("libhos.so"), &stage.join("lib/libhos.so"))?;
    let mut composer = Command::new("composer");
    composer.args(["archive", "--no-interaction", "--format=zip", "--file"]).arg(format!("hos-php-{}", shop.version));
    composer.arg("--dir").arg(&shop.out).current_dir(&stage).env("COMPOSER_ALLOW_SUPERUSER", "1");
    done(composer.env("COMPOSER_ROOT_VERSION", &shop.version))
}

/// The pages that READMEs lead to, where they are looked for from inside a package: `../../spec` of the tree is `spec` there.
fn pages(shop: &Shop, to: &Path) -> Done {
    for page in ["answer.md", "c-abi.md", "joined-transaction.md", "refusal-codes.md"] {
        copy(&shop.root.join("spec").join(page), &to.join("spec").join(page))?;
    }
    for page in ["README.md", "README.tr.md"] {
        let path = to.join(page);
        if let Ok(text) = std::fs::read_to_string(&path) {
            write(&path, &text.replace("../../spec/", "spec/"))?;
        }
    }
    Ok(())
}

/// What both PHP packages have.
fn php(shop: &Shop, to: &Path) -> Done {
    let from = shop.root.join("bindings/php");
    for folder in ["src", "preload", "bin"] {
        copy_tree(&from.join(folder), &to.join(folder))?;
    }
    for page in ["README.md", "README.tr.md"] {
        if from.join(page).exists() {
            copy(&from.join(page), &to.join(page))?;
        }
    }
    pages(shop, to)
}

/// The Debian package for the PHP side: binding, library, header, command line.
pub(super) fn debian(shop: &Shop) -> Done {
    let (arch, triple) =
        if cfg!(target_arch = "aarch64") { ("arm64", "aarch64-linux-gnu") } else { ("amd64", "x86_64-linux-gnu") };
    let stage = shop.stage.join("deb");
    let libraries = format!("usr/lib/{triple}");
    php(shop, &stage.join("usr/share/php/Hos"))?;
    write(&stage.join("usr/share/php/Hos/autoload.php"), "<?php\n\nrequire_once __DIR__ . '/src/autoload.php';\n")?;
    copy(&shop.built("hos"), &stage.join("usr/bin/hos"))?;
    copy(&shop.built("libhos.so"), &stage.join(&libraries).join("libhos.so.1"))?;
    std::os::unix::fs::symlink("libhos.so.1", stage.join(&libraries).join("libhos.so")).map_err(|e| e.to_string())?;
    copy(&shop.root.join("hos-ffi/include/hos.h"), &stage.join("usr/include/hos.h"))?;
    let library = format!("/{libraries}");
    let pc = shop.template("packaging/hos.pc.in", &[("@PREFIX@", "/usr"), ("@LIBDIR@", &library)])?;
    write(&stage.join(&libraries).join("pkgconfig/hos.pc"), &pc)?;
    let doc = stage.join("usr/share/doc/php-hos");
    copy(&shop.root.join("LICENSE"), &doc.join("copyright"))?;
    copy_tree(&shop.root.join("examples/pazar/law"), &doc.join("examples/law"))?;
    write(&stage.join("DEBIAN/control"), &shop.template("packaging/control", &[("@ARCH@", arch)])?)?;
    write(&stage.join("DEBIAN/triggers"), "activate-noawait ldconfig\n")?;
    let deb = shop.out.join(format!("php-hos_{}_{arch}.deb", shop.version));
    done(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&stage).arg(deb))
}

/// The container file beside the program that it copies.
pub(super) fn container(shop: &Shop) -> Done {
    copy(&shop.root.join("packaging/Containerfile"), &shop.out.join("Containerfile"))
}
