//! How deep a text of Cedar nests, told from its letters before anything parses it.
//!
//! Cedar's passes over an expression are recursive. This scan is not: it walks the letters once and bounds the depth that any
//! tree of the text could have, so that a hostile text is refused before it reaches a recursive pass. Within a bracket every
//! binary operator can add a level (`a && b && c` leans to one side), so they are summed; what stands before or behind one
//! operand (`!`, `.attr`, a call) ends with it; a comma or semicolon begins anew.

use crate::limits::CEDAR_DEPTH_MAX;

/// Where a text is too deep, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep {
    /// Byte offset of the letter that went beyond [`CEDAR_DEPTH_MAX`].
    pub(super) at: usize,
}

/// How much a bracket holds so far: levels that last to its end, and levels of the operand at hand.
#[derive(Debug, Default, Clone, Copy)]
struct Levels {
    lasting: usize,
    operand: usize,
}

/// What one token adds.
enum Adds {
    Nothing,
    /// A binary operator, an `if`, a clause: everything before it may hang below it.
    Lasting,
    /// `!`, `.`, or a bracket behind something: it ends with its operand.
    Operand,
}

/// The depth bound of the text, or the first place beyond [`CEDAR_DEPTH_MAX`].
pub(super) fn deepest(text: &str) -> Result<usize, TooDeep> {
    let bytes = text.as_bytes();
    // Per open bracket: what closes it, and what stood around it. A closer that does not match closes nothing: whatever a
    // parser makes of it, the bound must not shrink. `outside` is the depth at the innermost bracket.
    let mut open: Vec<(u8, Levels)> = Vec::new();
    let (mut outside, mut here, mut most) = (0usize, Levels::default(), 0usize);
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        let start = i;
        i += 1;
        let mut adds = Adds::Nothing;
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
            b'(' | b'[' | b'{' | b'<' if b != b'<' || opens_type(bytes, start) => {
                let closer = match b {
                    b'(' => b')',
                    b'<' => b'>',
                    other => other + 2,
                };
                open.push((closer, here));
                outside += here.lasting + here.operand + 1;
                here = Levels::default();
            }
            b')' | b']' | b'}' | b'>' if open.last().is_some_and(|(closer, _)| *closer == b) => {
                here = open.pop().map_or_else(Levels::default, |(_, around)| around);
                outside -= here.lasting + here.operand + 1;
                // What follows hangs on it: `f(x)(y)`, `(a)[b]`.
                adds = Adds::Operand;
            }
            b',' | b';' => here = Levels::default(),
            b'!' if bytes.get(i) != Some(&b'=') => adds = Adds::Operand,
            b'.' => adds = Adds::Operand,
            b'!' | b'=' | b'<' | b'>' | b'&' | b'|' => {
                // An operator of two letters is one.
                let second = if matches!(b, b'&' | b'|') { b } else { b'=' };
                i += usize::from(bytes.get(i) == Some(&second));
                adds = Adds::Lasting;
            }
            b'-' | b'+' | b'*' | b'%' => adds = Adds::Lasting,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                while bytes.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_') {
                    i += 1;
                }
                let joins = matches!(
                    bytes.get(start..i),
                    Some(b"if" | b"then" | b"else" | b"in" | b"has" | b"like" | b"is" | b"when" | b"unless")
                );
                if joins {
                    adds = Adds::Lasting;
                }
            }
            _ => {}
        }
        match adds {
            Adds::Nothing => {}
            Adds::Operand => here.operand += 1,
            Adds::Lasting => here = Levels { lasting: here.lasting + 1, operand: 0 },
        }
        most = most.max(outside + here.lasting + here.operand);
        if most > CEDAR_DEPTH_MAX {
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
            "!a == ".repeat(n),
            "a.b == ".repeat(n),
            "!(".repeat(n),
            ".a(".repeat(n),
            "(a.b)".repeat(n),
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
        let clauses = format!("a.b.c == d && {}", "!principal.a.b has c && resource.d.e != context.f && ".repeat(80));
        assert!(deepest(&clauses).is_ok());
        let list = format!("x in [{}]", "A::\"((((\", ".repeat(10_000));
        assert!(deepest(&list).is_ok_and(|d| d < 8));
        assert!(deepest(&format!("// {}\n true", "(".repeat(10_000))).is_ok_and(|d| d == 0));
        assert!(deepest("\"\\\"((((((((((\"").is_ok_and(|d| d == 0));
        assert_eq!(deepest(&") } ]".repeat(10_000)), Ok(0));
    }

    #[test]
    fn a_comment_ends_with_its_line_and_one_stroke_begins_none() {
        let deep = "(".repeat(100_000);
        for text in
            [format!("// a\n{deep}"), format!("// a\r{deep}"), format!("//\n{deep}"), format!("a / {deep}"), format!("/{deep}")]
        {
            assert!(deepest(&text).is_err(), "{}", text.chars().take(10).collect::<String>());
        }
        assert_eq!(deepest(&format!("a // {deep}")), Ok(0));
    }

    #[test]
    fn each_sign_adds_what_it_can_nest() {
        for (text, depth) in [
            ("a", 0),
            ("a.b", 1),
            ("a.b.c", 2),
            ("!a", 1),
            ("a != b", 1),
            ("a.b != c", 1),
            ("a < b", 1),
            ("a <= b", 1),
            ("a + b, c + d", 1),
            ("(a)", 1),
            ("((a))", 2),
            ("Set<Long>", 1),
            ("Set<Set<Long>>", 2),
            ("Set <Long>", 1),
            ("if a then b else c", 3),
            ("ifs", 0),
        ] {
            assert_eq!(deepest(text), Ok(depth), "{text}");
        }
        // What is closed, or behind a comma, is over.
        assert_eq!(deepest(&"(a), ".repeat(10_000)), Ok(1));
        assert_eq!(deepest(&"a < b, ".repeat(10_000)), Ok(1));
    }

    #[test]
    fn the_bound_itself_is_let_through() {
        let most = "(".repeat(CEDAR_DEPTH_MAX);
        assert_eq!(deepest(&most), Ok(CEDAR_DEPTH_MAX));
        assert_eq!(deepest(&format!("{most}(")), Err(TooDeep { at: CEDAR_DEPTH_MAX }));
        assert!(deepest(&format!("{most}(((")).is_err());
    }
}
