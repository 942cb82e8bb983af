//! Documents and code say the same: refusal codes, the places that ARCHITECTURE.md points to, links between pages; and the
//! project speaks of itself alone.

use super::Finding;
use super::scan::{Source, line_of};
use crate::codes;
use crate::tree::File;

/// Pages whose `` `path:name` `` references are held against the code.
const MAPS: [&str; 5] =
    ["ARCHITECTURE.md", "docs/threat-model.md", "docs/design/0001-rooms-and-first-stage.md", "CONTRIBUTING.md", "SECURITY.md"];
/// Directories of one machine; nothing here may depend on where it was written.
const MACHINE_PATHS: [&str; 5] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("C:\\", "Users")];

/// All findings of this rule.
pub(super) fn check(files: &[File], sources: &[Source]) -> Vec<Finding> {
    let mut out = refusal_codes(files);
    for file in files {
        machine_paths(file, &mut out);
        if file.path.ends_with(".md") {
            links(file, files, &mut out);
        }
        if MAPS.contains(&file.path.as_str()) {
            references(file, files, sources, &mut out);
        }
    }
    out
}

fn refusal_codes(files: &[File]) -> Vec<Finding> {
    let text = |path: &str| files.iter().find(|f| f.path == path).map(|f| f.text.as_str());
    let Some(code) = text(codes::SOURCE) else { return Vec::new() };
    let listed = codes::parse(code);
    let mut out = Vec::new();
    if listed.is_empty() {
        out.push(Finding::error(codes::SOURCE, 0, "no refusal code was found"));
    }
    for pair in listed.windows(2) {
        if pair[0].number >= pair[1].number {
            out.push(Finding::error(
                codes::SOURCE,
                0,
                format!("`{}` does not ascend: its number is {}", pair[1].text, pair[1].number),
            ));
        }
    }
    match text(codes::PAGE).map(codes::table_of) {
        None => out.push(Finding::error(codes::PAGE, 0, "the page is missing; run `cargo xtask codes --write`")),
        Some(None) => out.push(Finding::error(codes::PAGE, 0, "the page has no table between its marks")),
        Some(Some(table)) if table.trim() != codes::table(&listed).trim() => {
            out.push(Finding::error(codes::PAGE, 0, "the table differs from the code; run `cargo xtask codes --write`"));
        }
        Some(Some(_)) => {}
    }
    out
}

fn machine_paths(file: &File, out: &mut Vec<Finding>) {
    for path in MACHINE_PATHS {
        for (at, _) in file.text.match_indices(path) {
            out.push(Finding::error(&file.path, line_of(&file.text, at), format!("`{path}` is a directory of one machine")));
        }
    }
}

/// `[words](path)` must lead to a file of the project, unless it is an address.
fn links(file: &File, files: &[File], out: &mut Vec<Finding>) {
    for (at, _) in file.text.match_indices("](") {
        let rest = &file.text[at + 2..];
        let Some(target) = rest.split(')').next() else { continue };
        let path = target.split('#').next().unwrap_or("");
        if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
            continue;
        }
        let full = resolve(&file.path, path);
        let found = full == "LICENSE" || files.iter().any(|f| f.path == full || f.path.starts_with(&format!("{full}/")));
        if !found {
            out.push(Finding::error(&file.path, line_of(&file.text, at), format!("the link leads nowhere: `{target}`")));
        }
    }
}

fn resolve(from: &str, link: &str) -> String {
    let mut pieces: Vec<&str> = from.split('/').collect();
    pieces.pop();
    for piece in link.trim_end_matches('/').split('/') {
        match piece {
            ".." => {
                pieces.pop();
            }
            "." => {}
            other => pieces.push(other),
        }
    }
    pieces.join("/")
}

/// `` `path/file.rs` `` must exist, and `` `path/file.rs:name` `` must define that name.
fn references(file: &File, files: &[File], sources: &[Source], out: &mut Vec<Finding>) {
    let mut fenced = false;
    for (number, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for quoted in line.split('`').skip(1).step_by(2) {
            let (path, name) = quoted.split_once(':').unwrap_or((quoted, ""));
            if !path.ends_with(".rs") || !path.contains('/') || path.contains(['*', ' ', '<']) {
                continue;
            }
            match files.iter().find(|f| f.path == path) {
                None => out.push(Finding::error(&file.path, number + 1, format!("there is no `{path}`"))),
                Some(target) => {
                    let code = sources.iter().find(|s| s.path == path).map_or("", |s| s.code.as_str());
                    if !name.is_empty() && !defines(code, name) && !defines(&target.text, name) {
                        out.push(Finding::error(&file.path, number + 1, format!("`{path}` does not define `{name}`")));
                    }
                }
            }
        }
    }
}

fn defines(code: &str, name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name).trim_end_matches("()");
    // What a macro of the file makes: `OnceKey, "once-key", …` as its first words.
    if code.contains("macro_rules!")
        && code.lines().any(|l| l.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with(", ")))
    {
        return true;
    }
    ["fn ", "struct ", "enum ", "trait ", "const ", "type ", "mod ", "macro_rules! "].iter().any(|keyword| {
        code.match_indices(&format!("{keyword}{name}")).any(|(at, found)| {
            let after = code.as_bytes().get(at + found.len());
            !after.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    fn findings(files: &[File]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().filter(|f| f.path.ends_with(".rs")).map(Source::new).collect();
        check(files, &sources).into_iter().map(|f| f.message).collect()
    }

    const CODES: &str =
        "codes! {\n    One = 1, \"hos.one\", \"The first. Mend it.\";\n    Two = 2, \"hos.two\", \"The second.\";\n}\n";

    fn page(rows: &str) -> String {
        format!("# Codes\n\n{}\n| number | code | meaning |\n|---:|---|---|\n{rows}{}\n", codes::BEGIN, codes::END)
    }

    #[test]
    fn codes_and_their_page_agree() {
        let rows = "| 1 | `hos.one` | The first. Mend it. |\n| 2 | `hos.two` | The second. |\n";
        let with = |code: &str, page: &str| findings(&[file(codes::SOURCE, code), file(codes::PAGE, page)]);
        assert!(with(CODES, &page(rows)).is_empty());
        assert_eq!(with(CODES, &page(&rows.replace("second", "other"))).len(), 1);
        assert_eq!(with(CODES, &page("| 1 | `hos.one` | The first. Mend it. |\n")).len(), 1);
        assert_eq!(with(CODES, "# Codes\n").len(), 1);
        assert_eq!(findings(&[file(codes::SOURCE, CODES)]).len(), 1);
        let repeated = CODES.replace("Two = 2", "Two = 1");
        assert!(with(&repeated, &page(rows)).iter().any(|m| m.contains("does not ascend")));
    }

    #[test]
    fn references_must_lead_to_code() {
        let code = file("hos-core/src/judge/motion.rs", "pub fn transition(x: u8) {}\nstruct Move;");
        let map = |text: &str| findings(&[code.clone(), file("ARCHITECTURE.md", text)]);
        assert!(map("`hos-core/src/judge/motion.rs:transition`, `hos-core/src/judge/motion.rs:Move`, `judge.rs`").is_empty());
        assert_eq!(map("`hos-core/src/judge/motion.rs:trans`").len(), 1);
        let made = file("hos-core/src/id.rs", "macro_rules! text_id { }\ntext_id!(\n    OnceKey, \"once-key\"\n);");
        let of = |name: &str| findings(&[made.clone(), file("ARCHITECTURE.md", &format!("`hos-core/src/id.rs:{name}`"))]).len();
        assert_eq!((of("OnceKey"), of("Once")), (0, 1));
        assert_eq!(map("`hos-core/src/judge/motions.rs`").len(), 1);
        assert!(map("```\n`hos-core/src/judge/motions.rs`\n```").is_empty());
    }

    #[test]
    fn links_must_lead_somewhere() {
        let pages = |text: &str| findings(&[file("docs/a.md", text), file("spec/b.md", "")]);
        assert!(pages("[b](../spec/b.md#part) [web](https://example.org) [here](#x)").is_empty());
        assert_eq!(pages("[b](spec/b.md)").len(), 1);
    }

    #[test]
    fn machine_paths_are_found() {
        let planted = format!("see {}someone/notes", concat!("/ho", "me/"));
        assert_eq!(findings(&[file("docs/a.md", &planted)]).len(), 1);
    }
}
