//! The table in the page that explains it: between two marks, under a line that says where it was made.

use crate::Result;
use crate::table::Table;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Two marks of the page.
pub(crate) type Place = (&'static str, &'static str);

/// Where the figures of all parts are.
pub(crate) const ALL: Place = ("<!-- figures: made by hos-bench -->", "<!-- end of figures -->");
/// Where those are that take long.
pub(crate) const LONG: Place = ("<!-- figures: made by hos-bench records tenants -->", "<!-- end of the long figures -->");

/// Puts the table into the page; what stands around it stays.
pub(crate) fn write(path: &Path, place: Place, table: &Table) -> Result<()> {
    let page = fs::read_to_string(path)?;
    let made = placed(&page, place, &format!("{}\n{table}", machine())).ok_or("the page has no place for the figures")?;
    fs::write(path, made)?;
    Ok(())
}

fn placed(page: &str, (from, to): Place, figures: &str) -> Option<String> {
    let (before, rest) = page.split_once(from)?;
    let (_, after) = rest.split_once(to)?;
    Some(format!("{before}{from}\n\n{figures}\n{to}{after}"))
}

/// What the figures were made on.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("?", |rest| rest.trim_start_matches([':', ' ', '\t']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let (kernel, rustc) = (said("uname", "-sr").unwrap_or_default(), said("rustc", "-V").unwrap_or_default());
    let (cedar, sqlite) = (cedar_policy::get_sdk_version(), rusqlite::version());
    format!(
        "{cores} cores ({model}), {kernel}, {rustc}, profile `release` without link-time optimisation, Cedar {cedar}, SQLite {sqlite}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_the_figures_stays() {
        for (from, to) in [ALL, LONG] {
            let page = format!("# Title\n{from}\nold\n{to}\nrest\n");
            assert_eq!(placed(&page, (from, to), "new"), Some(format!("# Title\n{from}\n\nnew\n{to}\nrest\n")));
            assert_eq!(placed("# Title\n", (from, to), "new"), None);
            let again = placed(&page, (from, to), "new").and_then(|page| placed(&page, (from, to), "newer"));
            assert!(again.is_some_and(|page| page.contains("newer") && !page.contains("\nnew\n")));
        }
    }
}
