//! How deep a TOML text nests, found before anything parses it, so that the stack never decides.

/// The deepest nesting of a TOML text: brackets, inline tables, and the pieces of dotted keys and headers, added up.
/// Strings and comments are skipped as TOML's own lexer does; on a text that is no TOML the answer is an estimate.
/// Returns the depth and the byte offset where it is first reached; stops as soon as `max` is exceeded.
pub(super) fn deepest(text: &str, max: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let (mut deepest, mut found_at) = (0, 0);
    let mut open: Vec<usize> = Vec::new(); // what each open bracket added
    let (mut header, mut depth) = (0usize, 0usize); // pieces of the last header; what the open brackets add up to
    let (mut dots, mut in_value) = (0usize, false);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let mut next = at + 1;
        match byte {
            b'#' => next = end_of_line(bytes, at),
            b'"' | b'\'' => next = end_of_string(bytes, at),
            b'[' if open.is_empty() && !in_value => {
                let (pieces, end) = header_pieces(bytes, at);
                (header, next) = (pieces, end);
                dots = 0;
            }
            b'[' | b'{' => {
                let added = 1 + dots;
                open.push(added);
                depth += added;
                dots = 0;
            }
            b']' | b'}' => {
                depth -= open.pop().unwrap_or(0);
                dots = 0;
            }
            b'.' => dots += 1,
            b'=' => in_value = true,
            b',' => dots = 0,
            b'\n' if open.is_empty() => (dots, in_value) = (0, false),
            _ => {}
        }
        let here = header + depth + dots;
        if here > deepest {
            (deepest, found_at) = (here, at);
            if deepest > max {
                break;
            }
        }
        at = next;
    }
    (deepest, found_at)
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes.iter().skip(from).position(|b| *b == b'\n').map_or(bytes.len(), |n| from + n)
}

/// The offset after a string that begins at `at`; a one-line string that is not closed ends with its line.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let quote = bytes.get(at).copied().unwrap_or(b'"');
    let is_quote = |i: usize| bytes.get(i) == Some(&quote);
    let long = is_quote(at + 1) && is_quote(at + 2);
    let mut i = at + if long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(i) {
        if byte == b'\\' && quote == b'"' {
            i += 2;
        } else if long && byte == quote && is_quote(i + 1) && is_quote(i + 2) {
            // Up to two quotes may stand right before the closing three.
            let closing = bytes.iter().skip(i).take(5).take_while(|b| **b == quote).count();
            return i + closing;
        } else if !long && byte == quote {
            return i + 1;
        } else if !long && byte == b'\n' {
            return i;
        } else {
            i += 1;
        }
    }
    bytes.len()
}

/// How many pieces a header (`[a.b]`, `[[a.b]]`) has, and the offset after it.
fn header_pieces(bytes: &[u8], at: usize) -> (usize, usize) {
    let mut pieces = 1;
    let mut i = at;
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'"' | b'\'' => {
                i = end_of_string(bytes, i);
                continue;
            }
            b'.' => pieces += 1,
            b'[' if i > at => pieces += 1, // an array of tables is one level more
            b']' => return (pieces, i + 1),
            b'\n' | b'#' => return (pieces, i),
            _ => {}
        }
        i += 1;
    }
    (pieces, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::deepest;

    #[test]
    fn brackets_dots_and_headers_add_up_and_strings_do_not_count() {
        for (text, depth) in [
            ("", 0),
            ("a = 1.5", 1), // a float's dot is taken for a key's: never less than the truth
            ("a.b.c = 1", 2),
            ("[a.b]\nc = 1", 2),
            ("[[a]]\nc = [{ d = [1] }]", 5),
            ("a = \"[[[[[[\" # [[[[", 0),
            ("a = '''\n[[[''' \nb = [[1]]", 2),
            ("a = \"\"\"x\\\"[[\"\"\"\"\"\nb = [1]", 1),
            ("a = \"\\\"[[[\"\nb = {c.d.e = [1]}", 4),
            ("[\"x.y.z\"]\na = 1", 1),
            ("a = [\n[\n[\n1]]]\nb = 1", 3),
        ] {
            assert_eq!(deepest(text, 99).0, depth, "{text}");
        }
        assert_eq!(deepest(&"[".repeat(100_000), 32).0, 100_000, "one header line is counted whole");
        assert_eq!(deepest(&format!("a = {}", "[".repeat(100_000)), 32).0, 33);
    }
}
