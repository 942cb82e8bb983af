//! A Rust file with comments, literals and tests blanked out, and the paths that its code names.
//!
//! This is no parser: it knows enough of the language's surface that a word in a comment or a string is never taken for
//! code, and that `use std::{fs, net}` names `std::fs`.

use crate::tree::File;

/// A source file as the rules see it.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// The code without comments, literals and test items; as long as the file, so that places agree.
    pub(crate) code: String,
    /// Every path that the code names: its line, and its segments (`["std", "fs", "read"]`).
    pub(crate) names: Vec<(usize, Vec<String>)>,
    /// Whether the file is a test's, an example's or a bench's.
    pub(crate) is_test: bool,
}

impl Source {
    /// Scans a file.
    pub(crate) fn new(file: &File) -> Self {
        let code = without_tests(mask(&file.text));
        let names = paths(&code);
        let is_test = file.path.split('/').any(|piece| matches!(piece, "tests" | "tests.rs" | "examples" | "benches" | "fuzz"));
        Self { path: file.path.clone(), code, names, is_test }
    }

    /// The crate's directory, if the file lies in its `src/`.
    pub(crate) fn package(&self) -> Option<&str> {
        self.path.split_once("/src/").map(|(package, _)| package)
    }
}

/// The 1-based line of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// Blanks comments, and the insides of string and character literals.
fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let word_before = at > 0 && is_word(bytes[at - 1]);
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            at + comment_length(rest)
        } else if let Some(length) = raw_string_length(rest).filter(|_| !word_before) {
            at + length
        } else if rest[0] == b'"' {
            at + quoted_length(rest)
        } else if let Some(length) = char_length(rest) {
            at + length
        } else {
            at += 1;
            continue;
        };
        for byte in &mut out[at..end.min(bytes.len())] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    // Whole characters were blanked byte by byte, so what is left is UTF-8 again.
    String::from_utf8_lossy(&out).into_owned()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn comment_length(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string_length(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|p| rest.starts_with(p))?.len();
    let hashes = rest[prefix..].iter().take_while(|b| **b == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = prefix + hashes + 1;
    let found = rest[body..].windows(close.len()).position(|w| w == close);
    Some(found.map_or(rest.len(), |p| body + p + close.len()))
}

/// A character literal; a lifetime is none.
fn char_length(rest: &[u8]) -> Option<usize> {
    if rest.first() != Some(&b'\'') {
        return None;
    }
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|b| *b == b'\'').map(|p| p + 4);
    }
    let width = match rest.get(1)? {
        b if b.is_ascii() => 1,
        b if *b >= 0xf0 => 4,
        b if *b >= 0xe0 => 3,
        _ => 2,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

/// Blanks each item that stands under `#[cfg(test)]`.
fn without_tests(code: String) -> String {
    let mut out = code.into_bytes();
    let marker = b"#[cfg(test)]";
    let mut from = 0;
    while let Some(start) = out[from..].windows(marker.len()).position(|w| w == marker).map(|p| p + from) {
        let end = item_end(&out, start + marker.len());
        for byte in &mut out[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn item_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Colons,
    Open,
    Close,
    Comma,
    Other(char),
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut out = Vec::new();
    let mut line = 1;
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            c if c.is_alphabetic() || c == '_' => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(|n| n.is_alphanumeric() || *n == '_') {
                    word.push(next);
                }
                out.push((line, Token::Word(word)));
            }
            ':' if chars.next_if_eq(&':').is_some() => out.push((line, Token::Colons)),
            '{' => out.push((line, Token::Open)),
            '}' => out.push((line, Token::Close)),
            ',' => out.push((line, Token::Comma)),
            other => out.push((line, Token::Other(other))),
        }
    }
    out
}

/// Every path of two segments or more, and every path after `use`; groups are taken apart.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(code);
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map(|i| &tokens[i].1);
        // A path may begin with `::`; what follows `::` after a word or `>` belongs to what stands before.
        let goes_on = before == Some(&Token::Colons)
            && at.checked_sub(2).is_some_and(|i| matches!(tokens[i].1, Token::Word(_) | Token::Other('>')));
        match &tokens[at].1 {
            Token::Word(word) if !goes_on => {
                let in_use = word == "use" || before == Some(&Token::Word("use".into()));
                if word == "use" {
                    at += 1;
                    if tokens.get(at).is_some_and(|t| t.1 == Token::Colons) {
                        at += 1;
                    }
                }
                if tokens.get(at).is_some_and(|t| matches!(t.1, Token::Word(_))) {
                    let mut found = Vec::new();
                    at = path(&tokens, at, &[], &mut found);
                    out.extend(found.into_iter().filter(|(_, p)| in_use || p.len() > 1));
                }
            }
            _ => at += 1,
        }
    }
    out
}

/// Reads one path, or one branch of a group; gives the place after it.
fn path(tokens: &[(usize, Token)], mut at: usize, prefix: &[String], out: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |t| t.0);
    while let Some((_, token)) = tokens.get(at) {
        match token {
            Token::Word(word) => segments.push(word.clone()),
            Token::Other('*') if segments.len() > prefix.len() || !prefix.is_empty() => segments.push("*".into()),
            Token::Open if !segments.is_empty() => return group(tokens, at + 1, &segments, out),
            _ => break,
        }
        at += 1;
        match tokens.get(at).map(|t| &t.1) {
            Some(Token::Colons) => at += 1,
            _ => break,
        }
    }
    if segments.len() > prefix.len() {
        out.push((line, segments));
    }
    at
}

fn group(tokens: &[(usize, Token)], mut at: usize, prefix: &[String], out: &mut Vec<(usize, Vec<String>)>) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        match token {
            Token::Close => return at + 1,
            Token::Word(_) | Token::Other('*') => {
                let word_after_as = at.checked_sub(1).is_some_and(|i| tokens[i].1 == Token::Word("as".into()));
                if *token == Token::Word("as".into()) || word_after_as {
                    at += 1;
                } else {
                    at = path(tokens, at, prefix, out);
                }
            }
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str) -> Vec<String> {
        let source = Source::new(&File { path: "a/src/b.rs".into(), text: code.into() });
        source.names.iter().map(|(_, p)| p.join("::")).collect()
    }

    #[test]
    fn words_in_comments_and_literals_are_no_code() {
        let code = "// std::fs\n/* std::net /* nested */ std::env */ let a = \"std::fs\"; let b = r#\"std::\"env\"#; let c = 'x';\nlet d: &'static str = b\"\\\"std::fs\";";
        assert_eq!(named(code), Vec::<String>::new());
        assert!(mask(code).contains("&'static str"));
        assert_eq!(mask(code).len(), code.len());
    }

    #[test]
    fn groups_are_taken_apart() {
        assert_eq!(
            named("use std::{fs, net::{TcpStream as T, self}, collections::*};"),
            ["std::fs", "std::net::TcpStream", "std::net::self", "std::collections::*"]
        );
        assert_eq!(named("fn f() { let x = ::std::env::var(\"A\"); y.std(); Vec::<u8>::new(); }"), ["std::env::var"]);
        assert_eq!(named("use blake3;"), ["blake3"]);
    }

    #[test]
    fn tests_are_left_out_and_what_follows_them_is_not() {
        let code = "#[cfg(test)]\nmod tests { use std::fs; fn f() { { std::env::args(); } } }\nuse std::net::Ipv4Addr;\n#[cfg(test)]\nmod more;\nuse a::b;";
        assert_eq!(named(code), ["std::net::Ipv4Addr", "a::b"]);
    }

    #[test]
    fn places_are_kept() {
        let source = Source::new(&File { path: "a/src/b.rs".into(), text: "// ü\n\nuse std::fs;\n".into() });
        assert_eq!(source.names, [(3, vec!["std".to_owned(), "fs".to_owned()])]);
    }
}
