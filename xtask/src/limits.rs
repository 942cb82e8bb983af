//! The page of limits: from the code to `docs/limits.md`.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// Where limits are, each floor's with what stands above its table.
pub(crate) const SOURCES: [(&str, &str); 3] = [
    ("hos-core/src/limits.rs", "Laws, calls, records and what is carried to somebody else"),
    ("hos-engine/src/limits.rs", "What the engine reads beside calls"),
    ("hos-wire/src/limits.rs", "JSON and options"),
];
/// Where they are told.
pub(crate) const PAGE: &str = "docs/limits.md";
/// The tables stand between these marks.
const BEGIN: &str = "<!-- limits -->";
const END: &str = "<!-- end of limits -->";

/// One line of the `limits!` macro, with the sentence above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) name: String,
    /// As it is written: a number, or a sum of others.
    expression: String,
    pub(crate) value: u64,
    unit: String,
    code: String,
    meaning: String,
}

/// The limits of sources, in their order; a later one may be a sum of any.
///
/// # Errors
/// A line that is none, or a sum that cannot be told.
pub(crate) fn parse(source: &str) -> Result<Vec<Limit>, String> {
    let body = source.lines().skip_while(|line| !line.contains("limits! {") || line.contains("macro")).skip(1);
    let (mut limits, mut meaning) = (Vec::<Limit>::new(), Vec::new());
    for line in body.take_while(|line| *line != "}") {
        let line = line.trim();
        if let Some(words) = line.strip_prefix("///") {
            meaning.push(words.trim().to_owned());
        } else if !line.is_empty() && !line.starts_with("//") {
            let limit = one(line, meaning.join(" ")).ok_or_else(|| format!("this is no line of limits: {line}"))?;
            limits.push(limit);
            meaning.clear();
        }
    }
    let known: Vec<(String, String)> = limits.iter().map(|l| (l.name.clone(), l.expression.clone())).collect();
    for limit in &mut limits {
        limit.value = sum(&limit.expression, &known, 0).ok_or_else(|| format!("{} is no sum of limits", limit.name))?;
    }
    Ok(limits)
}

/// `NAME: usize = 4 << 20, "bytes", "code";`
fn one(line: &str, meaning: String) -> Option<Limit> {
    let (name, rest) = line.split_once(": ")?;
    let (expression, rest) = rest.split_once(" = ")?.1.split_once(", \"")?;
    let (unit, rest) = rest.split_once("\", \"")?;
    let code = rest.strip_suffix("\";")?;
    let sound = !meaning.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let text = str::to_owned;
    sound.then(|| Limit { name: text(name), expression: text(expression), value: 0, unit: text(unit), code: text(code), meaning })
}

/// What a sum of products comes to: `2 * A + 4 << 2` is written with one kind of sign at a time, `<<` alone.
fn sum(expression: &str, known: &[(String, String)], depth: usize) -> Option<u64> {
    if depth > 8 {
        return None;
    }
    if let Some((number, places)) = expression.split_once(" << ") {
        return sum(number, known, depth + 1)?.checked_shl(places.trim().parse().ok()?);
    }
    expression.split(" + ").try_fold(0u64, |total, product| {
        let product = product.split(" * ").try_fold(1u64, |product, factor| {
            let factor = factor.trim();
            let value = match factor.replace('_', "").parse::<u64>() {
                Ok(number) => number,
                Err(_) => sum(&known.iter().find(|(name, _)| name == factor)?.1, known, depth + 1)?,
            };
            product.checked_mul(value)
        })?;
        total.checked_add(product)
    })
}

/// The tables in Markdown.
///
/// # Errors
/// See [`parse`].
pub(crate) fn tables(text: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut out = String::new();
    for (path, title) in SOURCES {
        let _ =
            write!(out, "\n### {title}\n\n`{path}`\n\n| limit | most | | beyond it | what it bounds |\n|---|---:|---|---|---|\n");
        for limit in parse(&text(path)?)? {
            let Limit { name, value, unit, code, meaning, .. } = limit;
            let _ = writeln!(out, "| `{name}` | {} | {unit} | `{code}` | {meaning} |", grouped(value));
        }
    }
    Ok(out)
}

/// What a page holds between its marks.
pub(crate) fn tables_of(page: &str) -> Option<&str> {
    page.split_once(BEGIN)?.1.split_once(END).map(|(tables, _)| tables)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `cargo xtask limits`.
pub(crate) fn run(root: &Path, write: bool) -> ExitCode {
    match print(root, write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(root: &Path, write: bool) -> Result<(), String> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).map_err(|e| format!("{path}: {e}"));
    let tables = tables(read)?;
    if !write {
        print!("{tables}");
        return Ok(());
    }
    let page = read(PAGE)?;
    let (before, rest) = page.split_once(BEGIN).ok_or_else(|| format!("{PAGE}: there is no `{BEGIN}`"))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| format!("{PAGE}: there is no `{END}`"))?;
    std::fs::write(root.join(PAGE), format!("{before}{BEGIN}\n{tables}\n{END}{after}")).map_err(|e| format!("{PAGE}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "macro_rules! limits {\n}\n\nlimits! {\n    // Some.\n    /// The first,\n    /// in two lines.\n    A_MAX: usize = 4 << 10, \"bytes\", \"hos.a\";\n    /// The second.\n    B_MAX: u64 = 2 * A_MAX + 1_000, \"bytes\", \"too_large\";\n}\n";

    #[test]
    fn limits_are_read_with_their_sums() {
        let limits = parse(SOURCE).unwrap();
        let told: Vec<_> = limits.iter().map(|l| (l.name.as_str(), l.value, l.meaning.as_str())).collect();
        assert_eq!(told, [("A_MAX", 4096, "The first, in two lines."), ("B_MAX", 9192, "The second.")]);
        for wrong in ["A_MAX: usize = 5;", "A_MAX = 5, \"bytes\", \"x\";", "a: usize = 5, \"b\", \"c\";"] {
            assert!(parse(&format!("limits! {{\n/// Words.\n{wrong}\n}}\n")).is_err(), "{wrong}");
        }
        assert!(parse("limits! {\nA_MAX: usize = 5, \"b\", \"c\";\n}\n").is_err(), "a limit without a word");
        assert!(parse(&SOURCE.replace("2 * A_MAX", "2 * C_MAX")).unwrap_err().contains("B_MAX"));
        assert!(parse(&SOURCE.replace("4 << 10", "B_MAX")).is_err(), "a limit that is its own sum");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([grouped(255), grouped(1_048_576)], ["255", "1,048,576"]);
    }
}
