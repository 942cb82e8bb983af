//! One file with all its changes in it, each asleep behind a question: `(if on(7) { a - b } else { a + b })`.

use crate::list::{Genre, Mutant};
use proc_macro2::Span;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A file with its changes.
#[derive(Debug, Default)]
pub struct Rewritten {
    pub text: String,
    /// What stands in the text for one change alone.
    pub pieces: Vec<(Range<usize>, usize)>,
    /// What was put around for several.
    pub around: Vec<(Range<usize>, Vec<usize>)>,
    /// Changes that cannot be put this way: of what is computed while it is compiled, or what was not found.
    pub left: Vec<usize>,
    /// Changes that are no Rust: of `let` behind `||`.
    pub refused: Vec<usize>,
}

/// Something to put into the text, and where; at one place, what ends comes before what begins, and
/// what ends last, begins first, stands outside.
struct Edit {
    at: usize,
    rank: (u8, i64),
    words: Vec<Word>,
}

enum Word {
    Plain(String),
    Of(usize, String),
    /// From here on, until its end, it stands for these.
    Begin(usize),
    End(usize),
}

/// Puts the changes with these numbers into a file.
pub fn rewrite(text: &str, mutants: &BTreeMap<usize, &Mutant>) -> Result<Rewritten, String> {
    let file = syn::parse_file(text).map_err(|e| e.to_string())?;
    let mut open: BTreeMap<(Kind, usize), Vec<usize>> = BTreeMap::new();
    for (number, mutant) in mutants {
        open.entry((Kind::of(mutant.genre), mutant.start)).or_default().push(*number);
    }
    let mut walk = Walk { text, mutants, open, edits: Vec::new(), depth: 0, fixed: 0, groups: Vec::new(), refused: Vec::new() };
    walk.visit_file(&file);
    let Walk { open, mut edits, groups, refused, .. } = walk;
    edits.sort_by_key(|edit| (edit.at, edit.rank));
    let mut out = Rewritten { left: open.into_values().flatten().collect(), refused, ..Rewritten::default() };
    let mut begun: BTreeMap<usize, usize> = BTreeMap::new();
    let mut done = 0;
    for edit in edits {
        out.text.push_str(&text[done..edit.at]);
        done = edit.at;
        for word in edit.words {
            match word {
                Word::Plain(words) => out.text.push_str(&words),
                Word::Of(number, words) => {
                    let from = out.text.len();
                    out.text.push_str(&words);
                    out.pieces.push((from..out.text.len(), number));
                }
                Word::Begin(group) => drop(begun.insert(group, out.text.len())),
                Word::End(group) => {
                    let from = begun.get(&group).copied().unwrap_or(0);
                    out.around.push((from..out.text.len(), groups[group].clone()));
                }
            }
        }
    }
    out.text.push_str(&text[done..]);
    Ok(out)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Body,
    Operator,
    Arm,
    Guard,
    Field,
}

impl Kind {
    fn of(genre: Genre) -> Self {
        match genre {
            Genre::FnValue => Self::Body,
            Genre::BinaryOperator | Genre::UnaryOperator => Self::Operator,
            Genre::MatchArm => Self::Arm,
            Genre::MatchArmGuard => Self::Guard,
            Genre::StructField => Self::Field,
        }
    }
}

struct Walk<'a> {
    text: &'a str,
    mutants: &'a BTreeMap<usize, &'a Mutant>,
    /// What was not met yet, by where it begins.
    open: BTreeMap<(Kind, usize), Vec<usize>>,
    edits: Vec<Edit>,
    depth: i64,
    /// How many things that are computed while compiling one stands in.
    fixed: usize,
    groups: Vec<Vec<usize>>,
    refused: Vec<usize>,
}

impl Walk<'_> {
    fn met(&mut self, kind: Kind, at: usize) -> Vec<usize> {
        if self.fixed > 0 {
            return Vec::new();
        }
        self.open.remove(&(kind, at)).unwrap_or_default()
    }

    fn put(&mut self, at: usize, rank: (u8, i64), words: Vec<Word>) {
        self.edits.push(Edit { at, rank, words });
    }

    fn raw(&self, node: &impl Spanned) -> &str {
        &self.text[bytes(node.span())]
    }

    fn replacement(&self, number: usize) -> &str {
        &self.mutants[&number].replacement
    }

    /// `(if on(7) { other } else if on(8) { another } else { as it is })`.
    fn around(&mut self, whole: Range<usize>, others: Vec<(usize, String)>) {
        let group = self.groups.len();
        self.groups.push(others.iter().map(|(number, _)| *number).collect());
        let mut words = vec![Word::Begin(group), Word::Plain("(".to_owned())];
        for (number, other) in others {
            words.push(Word::Of(number, format!("if {} {{ {other} }}", on(number))));
            words.push(Word::Plain(" else ".to_owned()));
        }
        words.push(Word::Plain("{ ".to_owned()));
        self.put(whole.start, (1, self.depth), words);
        self.put(whole.end, (0, -self.depth), vec![Word::Plain(" })".to_owned()), Word::End(group)]);
    }

    /// What a function answers instead.
    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        if signature.constness.is_some() {
            return;
        }
        let start = bytes(first.span()).start;
        let met = self.met(Kind::Body, start);
        if met.is_empty() {
            return;
        }
        let (begin, end) = (bytes(block.brace_token.span.open()).end, bytes(block.brace_token.span.close()).start);
        if matches!(&signature.output, syn::ReturnType::Type(_, of) if matches!(**of, syn::Type::ImplTrait(_))) {
            self.iterator(begin, end, start, met);
            return;
        }
        let words = met.into_iter().map(|number| {
            let other = self.replacement(number);
            Word::Of(number, format!(" if {} {{ return {other}; }}", on(number)))
        });
        let words = words.collect();
        self.put(begin, (0, i64::MAX), words);
    }

    /// What has no name has one type, whatever happens: of an iterator nothing is taken, and something else comes behind.
    fn iterator(&mut self, begin: usize, end: usize, start: usize, met: Vec<usize>) {
        let other = |number: &usize| {
            let words = self.replacement(*number).trim_start_matches("::std::iter::");
            let inner = words.strip_prefix("once(").and_then(|rest| rest.strip_suffix(')'));
            inner.map(|inner| Some(inner.to_owned())).or_else(|| (words == "empty()").then_some(None))
        };
        let others: Option<Vec<_>> = met.iter().map(other).collect();
        let Some(others) = others else {
            self.open.insert((Kind::Body, start), met);
            return;
        };
        let any = met.iter().map(|number| on(*number)).collect::<Vec<_>>().join(" || ");
        let group = self.groups.len();
        let mut words = vec![Word::Plain(format!("}}; all__.take(if {any} {{ 0 }} else {{ usize::MAX }})"))];
        for (number, other) in met.iter().zip(others) {
            if let Some(other) = other {
                words.push(Word::Of(*number, format!(".chain(if {} {{ Some({other}) }} else {{ None }})", on(*number))));
            }
        }
        words.extend([Word::Plain(" ".to_owned()), Word::End(group)]);
        self.groups.push(met);
        self.put(begin, (0, i64::MAX), vec![Word::Begin(group), Word::Plain(" let all__ = {".to_owned())]);
        self.put(end, (0, i64::MAX), words);
    }

    fn inside_fixed(&mut self, walk: impl FnOnce(&mut Self)) {
        self.fixed += 1;
        walk(self);
        self.fixed -= 1;
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_fixed = item.sig.constness.is_some();
        self.body(&item.sig, &item.block);
        self.fixed += usize::from(is_fixed);
        visit::visit_item_fn(self, item);
        self.fixed -= usize::from(is_fixed);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let is_fixed = item.sig.constness.is_some();
        self.body(&item.sig, &item.block);
        self.fixed += usize::from(is_fixed);
        visit::visit_impl_item_fn(self, item);
        self.fixed -= usize::from(is_fixed);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.inside_fixed(|walk| visit::visit_item_const(walk, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.inside_fixed(|walk| visit::visit_impl_item_const(walk, item));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.inside_fixed(|walk| visit::visit_trait_item_const(walk, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.inside_fixed(|walk| visit::visit_item_static(walk, item));
    }

    fn visit_type(&mut self, of: &'ast syn::Type) {
        self.inside_fixed(|walk| visit::visit_type(walk, of));
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        match pattern {
            syn::Pat::Guard(guarded) => {
                self.visit_pat(&guarded.pat);
                self.visit_expr(&guarded.guard);
            }
            _ => self.inside_fixed(|walk| visit::visit_pat(walk, pattern)),
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.inside_fixed(|walk| visit::visit_variant(walk, variant));
    }

    fn visit_expr_const(&mut self, block: &'ast syn::ExprConst) {
        self.inside_fixed(|walk| visit::visit_expr_const(walk, block));
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
        self.inside_fixed(|walk| walk.visit_expr(&repeat.len));
    }

    fn visit_expr(&mut self, expr: &'ast syn::Expr) {
        self.depth += 1;
        visit::visit_expr(self, expr);
        self.depth -= 1;
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let met = self.met(Kind::Operator, bytes(binary.op.span()).start);
        // `a && let Some(b) = c` is a part of its `if`, and no value.
        if !met.is_empty() && !lets(&binary.left) && !lets(&binary.right) {
            let whole = bytes(binary.span());
            let (left, right) = (self.raw(&binary.left), self.raw(&binary.right));
            let is_assignment = assigns(&binary.op);
            let others = met.iter().map(|number| {
                let operator = self.replacement(*number);
                (
                    *number,
                    if is_assignment { format!("{left} {operator} {right}") } else { format!("({left}) {operator} ({right})") },
                )
            });
            let others = others.collect();
            self.around(whole, others);
        } else if !met.is_empty() {
            self.refused.extend(met);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let met = self.met(Kind::Operator, bytes(unary.op.span()).start);
        if !met.is_empty() {
            let operand = self.raw(&unary.expr).to_owned();
            self.around(bytes(unary.span()), met.into_iter().map(|number| (number, operand.clone())).collect());
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, matched: &'ast syn::ExprMatch) {
        // Whether something is left to match without an arm is said of the whole.
        let arms = matched.arms.iter().filter_map(|arm| self.open.get(&(Kind::Arm, bytes(arm.span()).start)));
        let arms: Vec<usize> = arms.flatten().copied().collect();
        if !arms.is_empty() {
            let (whole, group) = (bytes(matched.span()), self.groups.len());
            self.groups.push(arms);
            self.put(whole.start, (1, self.depth), vec![Word::Begin(group)]);
            self.put(whole.end, (0, -self.depth), vec![Word::End(group)]);
        }
        visit::visit_expr_match(self, matched);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let left_out = self.met(Kind::Arm, bytes(arm.span()).start);
        let guards = match &arm.pat {
            syn::Pat::Guard(guarded) => {
                let guard = bytes(guarded.guard.span());
                Some((guard.clone(), self.met(Kind::Guard, guard.start)))
            }
            _ => None,
        };
        let never = left_out.iter().map(|number| Word::Of(*number, format!("!{}", on(*number))));
        match guards {
            None if !left_out.is_empty() => {
                let mut words = vec![Word::Plain(" if ".to_owned())];
                for (at, word) in never.enumerate() {
                    words.extend((at > 0).then(|| Word::Plain(" && ".to_owned())));
                    words.push(word);
                }
                self.put(bytes(arm.pat.span()).end, (0, i64::MAX), words);
            }
            Some((guard, changed)) if !left_out.is_empty() || !changed.is_empty() => {
                self.depth += 1;
                let group = self.groups.len();
                self.groups.push(changed.iter().chain(&left_out).copied().collect());
                self.put(guard.start, (1, self.depth - 1), vec![Word::Begin(group), Word::Plain("((".to_owned())]);
                let mut words = vec![Word::Plain(")".to_owned())];
                let is = |number: &&usize, what: &str| self.replacement(**number) == what;
                words.extend(changed.iter().filter(|n| is(n, "true")).map(|n| Word::Of(*n, format!(" || {}", on(*n)))));
                words.push(Word::Plain(")".to_owned()));
                words.extend(changed.iter().filter(|n| is(n, "false")).map(|n| Word::Of(*n, format!(" && !{}", on(*n)))));
                for word in never {
                    words.push(Word::Plain(" && ".to_owned()));
                    words.push(word);
                }
                words.push(Word::End(group));
                self.put(guard.end, (0, -(self.depth - 1)), words);
                visit::visit_arm(self, arm);
                self.depth -= 1;
                return;
            }
            _ => {}
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, made: &'ast syn::ExprStruct) {
        if let Some(rest) = &made.rest {
            let rest = self.raw(rest).to_owned();
            for field in &made.fields {
                let met = self.met(Kind::Field, bytes(field.span()).start);
                if met.is_empty() {
                    continue;
                }
                let syn::Member::Named(name) = &field.member else { continue };
                // `name` alone stands for `name: name`.
                if field.colon_token.is_none() {
                    self.put(bytes(field.span()).start, (0, i64::MAX), vec![Word::Plain(format!("{name}: "))]);
                }
                let others = met.into_iter().map(|number| (number, format!("({rest}).{name}"))).collect();
                self.depth += 1;
                self.around(bytes(field.expr.span()), others);
                self.depth -= 1;
            }
        }
        self.depth += 1;
        visit::visit_expr_struct(self, made);
        self.depth -= 1;
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.byte_range()
}

fn on(number: usize) -> String {
    format!("crate::asleep::on({number})")
}

fn lets(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => lets(&binary.left) || lets(&binary.right),
        _ => false,
    }
}

fn assigns(operator: &syn::BinOp) -> bool {
    use syn::BinOp::{
        AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, DivAssign, MulAssign, RemAssign, ShlAssign, ShrAssign, SubAssign,
    };
    matches!(
        operator,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(text: &str, genre: Genre, of: &str, replacement: &str) -> Mutant {
        let start = text.find(of).unwrap_or_default();
        let (file, what) = ("a.rs".to_owned(), String::new());
        Mutant { file, line: 1, what, genre, replacement: replacement.to_owned(), start }
    }

    fn put(text: &str, mutants: &[Mutant]) -> Rewritten {
        let numbered = mutants.iter().enumerate().collect();
        let rewritten = rewrite(text, &numbered).unwrap();
        syn::parse_file(&rewritten.text).unwrap_or_else(|e| panic!("{e}: {}", rewritten.text));
        rewritten
    }

    #[test]
    fn each_change_sleeps_behind_its_number() {
        let text = "fn f(a: u8, b: u8) -> bool { a + 1 < b && !b.x() }\nconst A: u8 = 2 * 3;\n";
        let made = put(
            text,
            &[
                mutant(text, Genre::BinaryOperator, "+", "-"),
                mutant(text, Genre::BinaryOperator, "<", "=="),
                mutant(text, Genre::BinaryOperator, "&&", "||"),
                mutant(text, Genre::UnaryOperator, "!", ""),
                mutant(text, Genre::FnValue, "a + 1", "true"),
                mutant(text, Genre::BinaryOperator, "*", "+"),
            ],
        );
        assert_eq!(made.left, [5], "what is computed while compiling cannot ask");
        let wanted = "fn f(a: u8, b: u8) -> bool { if crate::asleep::on(4) { return true; } (if crate::asleep::on(2) { (a + 1 < b) || (!b.x()) } else { (if crate::asleep::on(1) { (a + 1) == (b) } else { (if crate::asleep::on(0) { (a) - (1) } else { a + 1 }) < b }) && (if crate::asleep::on(3) { b.x() } else { !b.x() }) })";
        assert!(made.text.starts_with(wanted), "{}", made.text);
        let piece = made.pieces.iter().find(|(_, number)| *number == 0).unwrap();
        assert_eq!(&made.text[piece.0.clone()], "if crate::asleep::on(0) { (a) - (1) }");
        assert_eq!(made.around.len(), 4);
    }

    #[test]
    fn arms_guards_fields_and_assignments_are_put_too() {
        let text = "fn f(a: u8) -> S { x += a; match a { 1 => S { y, ..S::new() }, n if n > 7 => g(), _ => h() } }";
        let made = put(
            text,
            &[
                mutant(text, Genre::MatchArm, "1 =>", ""),
                mutant(text, Genre::MatchArmGuard, "n > 7", "true"),
                mutant(text, Genre::MatchArmGuard, "n > 7", "false"),
                mutant(text, Genre::StructField, "y,", ""),
                mutant(text, Genre::BinaryOperator, "+=", "-="),
                mutant(text, Genre::BinaryOperator, "> 7", ">="),
                mutant(text, Genre::MatchArm, "n if", ""),
            ],
        );
        assert!(made.left.is_empty(), "{:?}", made.left);
        for part in [
            "1 if !crate::asleep::on(0) =>",
            "n if (((if crate::asleep::on(5) { (n) >= (7) } else { n > 7 })) || crate::asleep::on(1)) && !crate::asleep::on(2) && !crate::asleep::on(6) =>",
            "S { y: (if crate::asleep::on(3) { (S::new()).y } else { y }), ..S::new() }",
            "(if crate::asleep::on(4) { x -= a } else { x += a });",
        ] {
            assert!(made.text.contains(part), "{part}: {}", made.text);
        }
    }

    #[test]
    fn of_an_iterator_without_a_name_nothing_is_taken() {
        let text = "fn f(&self) -> impl Iterator<Item = u8> { let a = 1; self.x(a) }\nfn g() -> impl Fn() { || () }";
        let empty = mutant(text, Genre::FnValue, "let a", "::std::iter::empty()");
        let once = mutant(text, Genre::FnValue, "let a", "::std::iter::once(1)");
        let made = put(text, &[empty, once, mutant(text, Genre::FnValue, "|| ()", "Default::default()")]);
        let wanted = "{ let all__ = { let a = 1; self.x(a) }; all__.take(if crate::asleep::on(0) || crate::asleep::on(1) { 0 } else { usize::MAX }).chain(if crate::asleep::on(1) { Some(1) } else { None }) }";
        assert!(made.text.contains(wanted), "{}", made.text);
        assert_eq!(made.left, [2]);
    }

    #[test]
    fn what_is_part_of_a_let_is_no_rust() {
        let text = "fn f() { if a && let Some(b) = c && d { } }";
        let made =
            put(text, &[mutant(text, Genre::BinaryOperator, "&& let", "||"), mutant(text, Genre::BinaryOperator, "&& d", "||")]);
        assert_eq!((made.left.len(), made.refused.as_slice()), (0, &[1, 0][..]));
    }
}
