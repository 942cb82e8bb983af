//! How deep a text of Cedar nests, told from its letters before anything parses it.
//!
//! Cedar's passes over an expression are recursive. This scan is not: it walks the letters once and bounds the depth that any
//! tree of the text could have, so that a hostile text is refused before it reaches a recursive pass. Within an open bracket
//! every operator can add a level (`a && b && c` leans to one side), so they are summed; a comma or semicolon begins anew.

/// The deepest expression that is let through, by the measure of [`deepest`]. The stack for what follows is reserved for it.
pub(super) const DEPTH_MAX: usize = 768;

/// Where a text is too deep, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep {
    /// Byte offset of the letter that went beyond [`DEPTH_MAX`].
    pub(super) at: usize,
}

/// The depth bound of the text, or the first place beyond [`DEPTH_MAX`].
pub(super) fn deepest(text: &str) -> Result<usize, TooDeep> {
    let bytes = text.as_bytes();
    // Per open bracket: what closes it, and how many levels stood below it. `sum` is the depth here. A closer that does not
    // match closes nothing: whatever a parser makes of it, the bound must not shrink.
    let mut open: Vec<(u8, usize)> = Vec::new();
    let (mut sum, mut here, mut most) = (0usize, 0usize, 0usize);
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        let start = i;
        i += 1;
        let mut level = false;
        match b {
            b'"' => {
                while let Some(&c) = bytes.get(i) {
                    i += 1;
                    match c {
                        b'\\' => i += 1,
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'/' if bytes.get(i) == Some(&b'/') => {
                while bytes.get(i).is_some_and(|c| *c != b'\n' && *c != b'\r') {
                    i += 1;
                }
            }
            b'(' | b'[' | b'{' => {
                open.push((if b == b'(' { b')' } else { b + 2 }, here));
                sum += 1;
                here = 0;
            }
            b'<' if opens_type(bytes, start) => {
                open.push((b'>', here));
                sum += 1;
                here = 0;
            }
            b')' | b']' | b'}' | b'>' if open.last().is_some_and(|(closer, _)| *closer == b) => {
                let below = open.pop().map_or(0, |(_, below)| below);
                sum -= here + 1;
                here = below;
                // What follows a bracket hangs on it: `f(x)(y)`, `(a)[b]`, `{..} unless {..}`.
                level = true;
            }
            b',' | b';' => {
                sum -= here;
                here = 0;
            }
            b'!' | b'-' | b'+' | b'*' | b'%' | b'.' | b'=' | b'&' | b'|' | b'<' | b'>' => level = true,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                while bytes.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_') {
                    i += 1;
                }
                level = matches!(
                    bytes.get(start..i),
                    Some(b"if" | b"then" | b"else" | b"in" | b"has" | b"like" | b"is" | b"when" | b"unless")
                );
            }
            _ => {}
        }
        if level {
            sum += 1;
            here += 1;
        }
        most = most.max(sum);
        if most > DEPTH_MAX {
            return Err(TooDeep { at: start });
        }
    }
    Ok(most)
}

/// Whether this `<` opens a type argument (`Set<`), as only schemas have them.
fn opens_type(bytes: &[u8], at: usize) -> bool {
    bytes.get(..at).is_some_and(|before| before.trim_ascii_end().ends_with(b"Set"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_nest_is_seen() {
        let n = 100_000;
        for text in [
            "(".repeat(n),
            "[".repeat(n),
            "{".repeat(n),
            "!".repeat(n),
            "-".repeat(n),
            "if true then 1 else ".repeat(n),
            "1 + ".repeat(n),
            "true && ".repeat(n),
            "true || ".repeat(n),
            "true when { true } ".repeat(n),
            "Set<".repeat(n),
            format!("context{}", ".a".repeat(n)),
            format!("context{}", "[\"a\"]".repeat(n)),
            format!("context{}", ".a()".repeat(n)),
            "1 == ".repeat(n),
            "(a < b".repeat(n),
            "a>".repeat(n),
            "(a>".repeat(n),
            "(]".repeat(n),
            "({)".repeat(n),
        ] {
            assert!(deepest(&text).is_err(), "{}", text.chars().take(40).collect::<String>());
        }
    }

    #[test]
    fn what_people_write_passes_and_length_alone_is_no_depth() {
        let one = "@id(\"a\") permit(principal in Pazar::Role::\"x\", action, resource) when { context.a.b == 1 && !(resource has c) };\n";
        assert!(deepest(one).is_ok_and(|d| d < 16));
        assert_eq!(deepest(&one.repeat(5_000)), deepest(one));
        let list = format!("x in [{}]", "A::\"((((\", ".repeat(10_000));
        assert!(deepest(&list).is_ok_and(|d| d < 8));
        assert!(deepest(&format!("// {}\n true", "(".repeat(10_000))).is_ok_and(|d| d == 0));
        assert!(deepest("\"\\\"((((((((((\"").is_ok_and(|d| d == 0));
        assert_eq!(deepest(&") } ]".repeat(10_000)), Ok(0));
    }
}
