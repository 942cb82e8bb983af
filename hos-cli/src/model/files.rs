//! Traces as files: a picture or a test for each.

use super::{Told, script};
use crate::show;
use crate::usage::usage;
use hos_core::contract::model::{Finding, Step};
use hos_core::contract::{PathStep, Walk, svg};
use hos_engine::Failure;
use std::io::Write;
use std::path::Path;

/// Draws every trace into the directory: `order-1.svg`, and `order-1-other.svg` where the other order ends elsewhere.
pub(crate) fn draw(told: &[Told<'_>], dir: &Path, language: &str) -> Result<(), Failure> {
    traces(told, |of, name, _, steps| write(dir, &format!("{name}.svg"), &svg::svg(of.contract, Some(&walk(steps))), language))
}

/// Writes every trace as a test: `order-1.sh`. One that begins with an older version's instance cannot be repeated.
pub(crate) fn write_tests(told: &[Told<'_>], dir: &Path, language: &str) -> Result<(), Failure> {
    traces(told, |of, name, finding, steps| match script::script(of.contract, name, finding, steps) {
        Some(text) => write(dir, &format!("{name}.sh"), &text, language),
        None => Ok(()),
    })
}

fn traces(
    told: &[Told<'_>],
    mut each: impl FnMut(&Told<'_>, &str, &Finding, &[Step]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for one in told {
        for (number, finding) in one.numbered().filter(|(_, finding)| !finding.trace.is_empty()) {
            let name = format!("{}-{number}", one.contract.name);
            each(one, &name, finding, &finding.trace)?;
            if !finding.other.is_empty() {
                each(one, &format!("{name}-other"), finding, &finding.other)?;
            }
        }
    }
    Ok(())
}

fn walk(steps: &[Step]) -> Walk {
    let step = |step: &Step| PathStep {
        event: step.event.as_ref().map_or_else(|| "migrate".to_owned(), ToString::to_string),
        from: step.from.as_ref().map(ToString::to_string),
        to: step.to.to_string(),
    };
    Walk { steps: steps.iter().map(step).collect(), current: steps.last().map(|s| s.to.to_string()), erased: None }
}

/// What was there is not replaced: somebody may have put values into a test.
fn write(dir: &Path, name: &str, text: &str, language: &str) -> Result<(), Failure> {
    let path = dir.join(name);
    let made = std::fs::create_dir_all(dir).and_then(|()| std::fs::OpenOptions::new().write(true).create_new(true).open(&path));
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| {
        let shown = show::inert(&path.to_string_lossy());
        match language {
            "tr" => usage(format!("`{shown}` yazılamıyor: {e}")),
            _ => usage(format!("`{shown}` cannot be written: {e}")),
        }
    })
}
