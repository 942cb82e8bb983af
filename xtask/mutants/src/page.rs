//! The page of what no test notices, with the reason of each.

use std::path::Path;

/// `` - `proof/tree.rs: replace …`: why ``, or without a why below a heading that says it; a change that stands twice may survive twice.
pub fn justified(page: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(page).map_err(|e| format!("{}: {e}", page.display()))?;
    read(&text)
}

fn read(text: &str) -> Result<Vec<String>, String> {
    let (mut reason, mut out) = (false, Vec::new());
    for line in text.lines() {
        if line.starts_with('#') {
            reason = false;
        } else if let Some(rest) = line.strip_prefix("- `") {
            let (change, why) = rest.split_once('`').ok_or_else(|| format!("no end: {line}"))?;
            if why.trim_start_matches(':').trim().is_empty() && !reason {
                return Err(format!("without a reason: {change}"));
            }
            out.push(change.to_owned());
        } else if !line.trim().is_empty() {
            reason = true;
        }
    }
    Ok(out)
}

/// What survives without a reason, and reasons for what does not survive in the files that were looked at.
pub fn faults(survivors: &[String], justified: &[String], looked_at: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut left = justified.to_vec();
    let mut out = Vec::new();
    for survivor in survivors {
        match left.iter().position(|known| known == survivor) {
            Some(at) => drop(left.swap_remove(at)),
            None => out.push(format!("it survives: {survivor}")),
        }
    }
    let file = |known: &&String| known.split_once(": ").is_some_and(|(file, _)| looked_at(file));
    out.extend(left.iter().filter(file).map(|known| format!("a reason for what does not survive: {known}")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_survives_without_a_reason_is_found() {
        let known = "proof/tree.rs: replace || with && in verify_inclusion".to_owned();
        let page = format!(
            "# Page\n\nWords.\n\n## Twice the same\n\nSo it is.\n\n- `{known}`\n\n## One\n\n- `canon.rs: delete ! in f`: why\n"
        );
        let reasons = read(&page).unwrap();
        assert_eq!(reasons.len(), 2);
        let all = |_: &str| true;
        assert_eq!(faults(std::slice::from_ref(&known), &reasons, &|file| file != "canon.rs"), Vec::<String>::new());
        assert_eq!(faults(&[known.clone(), known.clone()], &reasons, &|_| false).len(), 1, "a reason is for one");
        assert_eq!(faults(&[known], &reasons, &all).len(), 1, "a reason too many");
        assert!(read("## One\n\n- `canon.rs: delete ! in f`\n").is_err(), "a reason has words");
    }
}
