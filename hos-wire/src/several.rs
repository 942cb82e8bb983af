//! Several questions, or several calls, of one principal. What each says of `context` and `given` stands in place of what is said for
//! all.

use crate::fields::{Fields, malformed};
use crate::limits::EVALUATIONS_MAX;
use crate::made::{self, given, made};
use crate::strict::Tree;
use crate::value::{record, uid};
use hos_core::call::{By, Call, Can};
use hos_core::id::Shown;
use hos_engine::Failure;
use hos_engine::limits::ALL_MAX;

/// What can be made as one of several.
const MADE: [&str; 4] = ["begin", "transition", "record", "adopt"];

/// Questions. What the world decided by itself is of one question, and where it could not stand in for an answer it would be lost
/// here.
pub(crate) fn evaluations(by: By, tree: Tree) -> Result<Vec<Can>, Failure> {
    let Tree::List(items) = tree else {
        return Err(malformed(format!("`evaluations` must be an array of questions, not {}", tree.kind())));
    };
    if items.is_empty() || items.len() > EVALUATIONS_MAX {
        return Err(malformed(format!("`evaluations` has {} questions, not 1 to {EVALUATIONS_MAX}", items.len())));
    }
    if by.legacy.is_some() {
        return Err(malformed("`legacy` is of one question: ask it by `can`"));
    }
    let by = by.shared();
    let one = |item| {
        let mut f = Fields::of("an evaluation", item, &["action", "resource", "context", "given"])?;
        Ok(Can { by: its_own(&by, &mut f)?, action: f.text("action")?, resource: uid("`resource`", f.need("resource")?)? })
    };
    items.into_iter().map(one).collect()
}

/// Calls that write, as the fields of each and its operation's name, `operation`.
pub(crate) fn calls(by: By, tree: Tree) -> Result<Vec<Call>, Failure> {
    let Tree::List(items) = tree else {
        return Err(malformed(format!("`calls` must be an array of calls, not {}", tree.kind())));
    };
    if items.is_empty() || items.len() > ALL_MAX {
        return Err(malformed(format!("`calls` has {} calls, not 1 to {ALL_MAX}", items.len())));
    }
    if by.legacy.is_some() {
        return Err(malformed("`legacy` is of one call: a call in shadow is made by itself"));
    }
    let by = by.shared();
    let one = |mut item| {
        let operation = match &mut item {
            Tree::Object(fields) => fields.remove("operation"),
            _ => None,
        };
        let Some(Tree::Text(operation)) = operation else {
            return Err(malformed("a call of several lacks the field `operation`, a text"));
        };
        let own = made::fields(&operation).filter(|_| MADE.contains(&operation.as_str()));
        let Some(own) = own else {
            let shown: String = operation.chars().take(80).collect();
            return Err(malformed(format!("`{}` is not made as one of several; {} are", Shown(&shown), MADE.join(", "))));
        };
        let known: Vec<&str> = ["context", "given"].iter().chain(own).copied().collect();
        let mut f = Fields::of("a call of several", item, &known)?;
        let by = its_own(&by, &mut f)?;
        made(&operation, by, &mut f)
    };
    items.into_iter().map(one).collect()
}

fn its_own(by: &By, f: &mut Fields) -> Result<By, Failure> {
    let mut by = by.clone();
    if let Some(own) = f.take("context") {
        by.context = record("`context`", own)?.into();
    }
    if let Some(own) = f.take("given") {
        let given = given(own)?;
        made::may_be_sent(&given)?;
        by.given = given.into();
    }
    Ok(by)
}
