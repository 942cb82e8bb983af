//! An object's fields, taken one by one; what is unknown or missing is named.

use crate::strict::Tree;
use hos_core::fault::nearest;
use hos_core::id::Shown;
use hos_core::refusal::Code;
use hos_engine::Failure;
use std::collections::BTreeMap;

pub(crate) struct Fields {
    what: &'static str,
    rest: BTreeMap<String, Tree>,
}

pub(crate) fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::CallMalformed, message)
}

impl Fields {
    /// `what` is called so in messages; a field that is not among `known` is refused.
    pub(crate) fn of(what: &'static str, tree: Tree, known: &[&str]) -> Result<Self, Failure> {
        let Tree::Object(rest) = tree else {
            return Err(malformed(format!("{what} must be an object, not {}", tree.kind())));
        };
        if let Some(stray) = rest.keys().find(|k| !known.contains(&k.as_str())) {
            let meant = nearest(stray, known.iter().copied().filter(|k| !rest.contains_key(*k)));
            let hint = match meant {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            let shown: String = stray.chars().take(80).collect();
            return Err(malformed(format!("{what} has no field `{}`; {hint}", Shown(&shown))));
        }
        Ok(Self { what, rest })
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Tree> {
        self.rest.remove(name)
    }

    pub(crate) fn need(&mut self, name: &str) -> Result<Tree, Failure> {
        let what = self.what;
        self.take(name).ok_or_else(|| malformed(format!("{what} lacks the field `{name}`")))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Failure> {
        let tree = self.need(name)?;
        self.as_text(name, tree)
    }

    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            Some(tree) => self.as_text(name, tree).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn optional_flag(&mut self, name: &str) -> Result<bool, Failure> {
        match self.take(name) {
            None => Ok(false),
            Some(Tree::Bool(v)) => Ok(v),
            Some(other) => Err(self.wrong(name, "true or false", &other)),
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Failure> {
        match self.need(name)? {
            Tree::Bool(v) => Ok(v),
            other => Err(self.wrong(name, "true or false", &other)),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn optional_count(&mut self, name: &str) -> Result<Option<u64>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Tree::Long(v)) if v >= 0 => Ok(Some(v.unsigned_abs())),
            Some(other) => Err(self.wrong(name, "a number that is not negative", &other)),
        }
    }

    fn as_text(&self, name: &str, tree: Tree) -> Result<String, Failure> {
        match tree {
            Tree::Text(text) => Ok(text),
            other => Err(self.wrong(name, "a string", &other)),
        }
    }

    fn wrong(&self, name: &str, wanted: &str, found: &Tree) -> Failure {
        let found = match found {
            Tree::Long(v) if *v < 0 => "a negative number",
            other => other.kind(),
        };
        malformed(format!("`{name}` of {} must be {wanted}, not {found}", self.what))
    }
}
