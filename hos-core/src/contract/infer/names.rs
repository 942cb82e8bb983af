//! Names as a history writes them, made into names that a contract may hold.

use crate::id::{Name, Shown};
use crate::limits::NAME_BYTES_MAX;
use std::collections::HashMap;

/// A name that was changed, for it was no legal one, or was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// `state`, `event` or `birth`.
    pub what: &'static str,
    /// As the history has it.
    pub said: String,
    /// As the contract has it.
    pub name: Name,
}

/// The states, or the events, of a history: each text once, by number.
#[derive(Debug)]
pub(super) struct Names {
    what: &'static str,
    max: usize,
    numbers: HashMap<Box<str>, u16>,
    /// What became of each text, with the text and the line where it was first seen.
    made: HashMap<Name, (Box<str>, u64)>,
    all: Vec<Name>,
    renamed: Vec<Renamed>,
}

impl Names {
    pub(super) fn new(what: &'static str, max: usize) -> Self {
        Self { what, max, numbers: HashMap::new(), made: HashMap::new(), all: Vec::new(), renamed: Vec::new() }
    }

    /// The number of a text; says why it has none.
    pub(super) fn number(&mut self, text: &str, line: u64) -> Result<u16, String> {
        match self.numbers.get(text) {
            Some(number) => Ok(*number),
            None => self.add(text, line),
        }
    }

    fn add(&mut self, text: &str, line: u64) -> Result<u16, String> {
        let (what, shown) = (self.what, brief(text));
        if self.all.len() >= self.max {
            return Err(format!(
                "`{shown}` is the {what} after the {}th, and a contract holds no more: does the column hold {what}s?",
                self.max
            ));
        }
        let name = legal(text).map_err(|why| format!("`{shown}` can be no {what}: {why}; give it another name in the file"))?;
        if let Some((other, first)) = self.made.get(&name) {
            return Err(format!(
                "`{shown}` and `{}` (line {first}) would both be the {what} `{name}`: give one another name in the file",
                brief(other)
            ));
        }
        let number = u16::try_from(self.all.len()).map_err(|_| format!("there are too many {what}s"))?;
        if name.as_str() != text {
            self.renamed.push(Renamed { what, said: text.to_owned(), name: name.clone() });
        }
        self.made.insert(name.clone(), (text.into(), line));
        self.numbers.insert(text.into(), number);
        self.all.push(name);
        Ok(number)
    }

    pub(super) fn name(&self, number: u16) -> Option<&Name> {
        self.all.get(usize::from(number))
    }

    pub(super) fn all(&self) -> &[Name] {
        &self.all
    }

    pub(super) fn renamed(&self) -> &[Renamed] {
        &self.renamed
    }
}

/// A foreign text in a message: escaped, and not too much of it.
pub(super) fn brief(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    Shown(&short).to_string()
}

/// A legal name stays as it is. Any other is written small, with `_` for what no name may hold.
fn legal(text: &str) -> Result<Name, String> {
    if let Ok(name) = Name::new(text) {
        return Ok(name);
    }
    let mut out = String::new();
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '-' => out.push(c),
            '\u{307}' => {} // the dot that a small Turkish I keeps
            _ => out.push_str(plain(c)),
        }
    }
    if !out.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return Err("it has no letter from a to z and no digit".to_owned());
    }
    if out.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_') {
        out.insert(0, '_');
    }
    Name::new(&out).map_err(|_| format!("a name has at most {NAME_BYTES_MAX} bytes"))
}

/// The nearest plain letter of those that Turkish and its neighbours have; `_` for everything else.
fn plain(c: char) -> &'static str {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' => "n",
        'ò'..='ö' | 'ø' | 'ő' => "o",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ț' | 'ţ' => "t",
        'ù'..='ü' | 'ű' | 'ů' => "u",
        'ź' | 'ż' | 'ž' => "z",
        _ => "_",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_none_become_some() {
        for (said, name) in [
            ("paid", "paid"),
            ("Paid", "Paid"),
            ("In Progress", "in_progress"),
            ("ödendi", "odendi"),
            ("İPTAL EDİLDİ", "iptal_edildi"),
            ("7", "_7"),
            ("-x", "_-x"),
            (" new ", "new"),
            ("a.b/c", "a_b_c"),
        ] {
            assert_eq!(legal(said).unwrap().as_str(), name, "{said}");
        }
        for none in ["", "已付款", "--", "__ !"] {
            assert!(legal(none).is_err(), "{none}");
        }
        assert!(legal(&"é".repeat(200)).unwrap_err().contains("128"));
    }

    #[test]
    fn two_texts_never_become_one_name() {
        let mut names = Names::new("state", 3);
        assert_eq!(names.number("In Progress", 2), Ok(0));
        assert_eq!(names.number("In Progress", 3), Ok(0));
        let why = names.number("in_progress", 9).unwrap_err();
        assert!(why.contains("`in_progress` and `In Progress` (line 2)"), "{why}");
        assert_eq!((names.number("Paid", 4), names.number("paid", 5)), (Ok(1), Ok(2)), "both are legal as they are");
        assert!(names.number("fourth", 6).unwrap_err().contains("after the 3th"));
        assert_eq!(names.renamed().len(), 1);
    }
}
