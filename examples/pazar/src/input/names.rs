//! Texts that repeat, kept once.

use std::collections::HashMap;

/// Texts by number, in order of first appearance.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    /// The number of a text, new or old.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if let Some(found) = self.numbers.get(text) {
            return *found;
        }
        // Four thousand million different texts do not fit into a file that fits into memory.
        let fresh = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), fresh);
        fresh
    }

    /// The text with this number; empty for one never given.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// All texts, by number.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }
}
