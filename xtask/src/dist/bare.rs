//! What was made, installed and used in a root that has no compiler and never saw this tree.
//!
//! Needs root and debootstrap; the mirror is the one that this machine uses.

use super::{Done, Shop, copy, copy_tree, write};
use crate::run::done;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What users of the packages would have installed before.
const WANTED: &str = "php-cli,python3,python3-venv,nodejs,ca-certificates,unzip";

const PHP: &str = r#"<?php
require 'Hos/autoload.php';
$pazar = Hos\Engine::open(null, store: '/srv/hos.db')->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
$facts = ['buyer' => new Hos\Uid('Pazar::Account', 'ayse'), 'shop' => new Hos\Uid('Pazar::Shop', 's1'), 'total' => 4200];
$placed = $pazar->begin('order', 'o-17', 'place', facts: $facts);
$short = $pazar->transition('order', 'o-17', 'pay', args: ['amount' => 1, 'psp_ref' => 'x']);
$paid = $pazar->transition('order', 'o-17', 'pay', args: ['amount' => 4200, 'psp_ref' => 'x'], once: 'psp-1');
if (!$placed->allowed || $short->allowed || !$paid->allowed) exit(1);
echo $short->message('tr'), ' ', $paid->from, ' -> ', $paid->to, "\n";
"#;

const PYTHON: &str = r#"from hos import Engine
with Engine.open(store="/srv/hos.db") as engine:
    ayse = engine.tenant("pazar-tr").as_('Pazar::Account::"ayse"')
    history = ayse.history("order", "o-17")
    print([entry.event for entry in history])
"#;

const NODE: &str = r#"const { Engine } = require("hos");
(async () => {
  const engine = await Engine.open({ store: "/srv/hos.db" });
  const history = await engine.tenant("pazar-tr").as('Pazar::Account::"ayse"').history("order", "o-17");
  console.log(history.map((entry) => entry.event).join(" "));
  engine.close();
})();
"#;

/// The program alone in a root, as the container has it: nothing else is there, no library and no shell.
fn alone(shop: &Shop) -> Done {
    let root = shop.target.join("alone");
    let _ = std::fs::remove_dir_all(&root);
    copy(&shop.out.join("hos"), &root.join("usr/bin/hos"))?;
    copy_tree(&shop.root.join("examples/pazar/law"), &root.join("data/law"))?;
    let hos = |words: &[&str]| {
        let mut command = Command::new("chroot");
        command.arg(&root).arg("/usr/bin/hos").args(words).env_clear();
        // `chroot` itself is looked for by it.
        done(command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOS_STORE", "/data/hos.db"))
    };
    let founder = ["--founder", "Account::root", "--role", "Role::operator", "--attr", "active=true"];
    hos(&[&["init", "--law", "/data/law"][..], &founder].concat())?;
    hos(&["verify", "--replay"])
}

/// Makes the root, installs, uses.
pub(super) fn run(shop: &Shop) -> Done {
    alone(shop)?;
    let root = shop.target.join("bare");
    if !root.join("usr/bin/php").exists() {
        bootstrap(&root)?;
    }
    // From here on as somebody who has just got the packages.
    let begun = Instant::now();
    let deb = only(&shop.out, ".deb")?;
    copy(&deb, &root.join("tmp/hos.deb"))?;
    enter(&root, "rm -rf /srv/* && dpkg -i /tmp/hos.deb && ! command -v cc && ! command -v cargo")?;
    enter(
        &root,
        "export HOS_STORE=/srv/hos.db HOS_TENANT=pazar-tr HOS_AS=Account::root && cd /srv && \
         hos init --law /usr/share/doc/php-hos/examples/law --founder Account::root --role Role::operator --attr active=true && \
         hos directory put Account::ayse --attr active=true --tenant universe && hos directory put Shop::s1 --attr active=true",
    )?;
    write(&root.join("srv/ten.php"), PHP)?;
    let said = told(&root, "php /srv/ten.php")?;
    let took = begun.elapsed();
    println!("ten lines of PHP, {:.1} s after the package was there: {}", took.as_secs_f64(), said.trim());
    if !said.contains("new -> paid") || !said.contains("Ödenen tutar") {
        return Err(format!("PHP said something else: {said}"));
    }
    let wheel = only(&shop.out, ".whl")?;
    copy(&wheel, &root.join("tmp").join(wheel.file_name().unwrap_or_default()))?;
    write(&root.join("srv/five.py"), PYTHON)?;
    enter(&root, "python3 -m venv /srv/venv && /srv/venv/bin/pip install --no-index --quiet /tmp/*.whl")?;
    expect(&root, "/srv/venv/bin/python /srv/five.py", "['place', 'pay']")?;
    copy(&only(&shop.out, ".tgz")?, &root.join("tmp/hos.tgz"))?;
    write(&root.join("srv/seven.cjs"), NODE)?;
    enter(&root, "mkdir -p /srv/node_modules/hos && tar -xzf /tmp/hos.tgz -C /srv/node_modules/hos --strip-components=1")?;
    expect(&root, "cd /srv && node seven.cjs", "place pay")?;
    copy(&only(&shop.out, ".zip")?, &root.join("tmp/hos.zip"))?;
    let composer = "require '/srv/php/src/autoload.php'; echo count(Hos\\Engine::open(null, store: '/srv/hos.db')->tenant('pazar-tr')->history('order', 'o-17'));";
    enter(&root, "mkdir -p /srv/php && unzip -q -o /tmp/hos.zip -d /srv/php")?;
    expect(&root, &format!("php -r \"{}\"", composer.replace('\\', "\\\\")), "2")?;
    expect(&root, "HOS_STORE=/srv/hos.db hos verify --json", "\"level\":\"intact\"")
}

/// A root of this machine's own distribution and mirror.
fn bootstrap(root: &Path) -> Done {
    let _ = std::fs::remove_dir_all(root);
    let release = std::fs::read_to_string("/etc/os-release").map_err(|e| e.to_string())?;
    let name =
        release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).ok_or("no code name in /etc/os-release")?;
    let mut command = Command::new("debootstrap");
    command.args(["--variant=minbase", &format!("--include={WANTED}"), name]).arg(root);
    if let Some(mirror) = mirror() {
        command.arg(mirror);
    }
    done(&mut command).map_err(|why| format!("{why}\na bare root needs root and debootstrap (apt-get install debootstrap)"))
}

/// The first mirror that this machine's own sources name.
fn mirror() -> Option<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    files.extend(std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|e| e.path()));
    let text: String = files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect::<Vec<_>>().join("\n");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(str::split_whitespace).find(|word| word.starts_with("http") && word.contains("debian")).map(str::to_owned)
}

fn chroot(root: &Path, script: &str) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/bin/sh", "-ec", script]).env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LANG", "C.UTF-8").env("HOME", "/root").stdin(Stdio::null());
    command
}

fn enter(root: &Path, script: &str) -> Done {
    done(&mut chroot(root, script))
}

fn told(root: &Path, script: &str) -> Result<String, String> {
    let output = chroot(root, script).stderr(Stdio::inherit()).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("{script}: {}\n{said}", output.status)) }
}

fn expect(root: &Path, script: &str, wanted: &str) -> Done {
    let said = told(root, script)?;
    println!("{script}: {}", said.trim());
    if said.contains(wanted) { Ok(()) } else { Err(format!("{script} said no `{wanted}`")) }
}

/// The one file with this ending.
fn only(out: &Path, ending: &str) -> Result<PathBuf, String> {
    let mut found = std::fs::read_dir(out).map_err(|e| e.to_string())?.flatten().map(|e| e.path());
    found
        .find(|path| path.to_string_lossy().ends_with(ending))
        .ok_or_else(|| format!("nothing in {} ends with {ending}", out.display()))
}
