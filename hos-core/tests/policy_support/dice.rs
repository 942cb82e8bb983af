//! Policies, entities and requests by chance: many that meet, many that err.
#![allow(unreachable_pub, missing_docs, reason = "each test takes what it needs")]

use std::fmt::Write;

/// A small deterministic generator (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

pub const TYPES: [&str; 4] = ["User", "Group", "Doc", "Org::Folder"];
pub const IDS: [&str; 4] = ["a", "b", "c", "d"];
pub const ACTIONS: [&str; 5] = ["view", "edit", "share", "read", "all"];
pub const ATTRS: [&str; 6] = ["n", "s", "b", "e", "set", "rec"];

pub fn uid(dice: &mut Dice) -> String {
    format!("{}::\"{}\"", dice.pick(&TYPES), dice.pick(&IDS))
}

pub fn action(dice: &mut Dice) -> String {
    format!("Action::\"{}\"", dice.pick(&ACTIONS))
}

/// An expression, often ill-typed, often reading what is not there.
pub fn expr(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.one_in(6) {
        return match dice.below(11) {
            0 => "principal".into(),
            1 => "resource".into(),
            2 => "context".into(),
            3 => "action".into(),
            4 => uid(dice),
            5 => ["0", "1", "9223372036854775807", "-1"][dice.below(4)].into(),
            6 => ["true", "false"][dice.below(2)].into(),
            7 => ["\"x\"", "\"y*\""][dice.below(2)].into(),
            8 => format!("principal.{}", dice.pick(&ATTRS)),
            9 => format!("resource.{}", dice.pick(&ATTRS)),
            _ => format!("context.{}", dice.pick(&ATTRS)),
        };
    }
    let d = depth - 1;
    match dice.below(22) {
        0 => format!("({} == {})", expr(dice, d), expr(dice, d)),
        1 => format!("({} != {})", expr(dice, d), expr(dice, d)),
        2 => format!("({} < {})", expr(dice, d), expr(dice, d)),
        3 => format!("({} + {})", expr(dice, d), expr(dice, d)),
        4 => format!("({} * {})", expr(dice, d), expr(dice, d)),
        5 | 6 => format!("({} && {})", expr(dice, d), expr(dice, d)),
        7 | 8 => format!("({} || {})", expr(dice, d), expr(dice, d)),
        9 => format!("!({})", expr(dice, d)),
        10 => format!("({} in {})", expr(dice, d), expr(dice, d)),
        11 => format!("({} in [{}, {}])", expr(dice, d), uid(dice), uid(dice)),
        12 => format!("({} is {})", expr(dice, d), dice.pick(&TYPES)),
        13 => format!("({} has {})", expr(dice, d), dice.pick(&ATTRS)),
        14 => format!("({}).{}", expr(dice, d), dice.pick(&ATTRS)),
        15 => format!("(if {} then {} else {})", expr(dice, d), expr(dice, d), expr(dice, d)),
        16 => format!("({}).contains({})", expr(dice, d), expr(dice, d)),
        17 => format!("({} like \"*{}\")", expr(dice, d), dice.pick(&["x", "y", ""])),
        18 => format!("[{}, {}]", expr(dice, d), expr(dice, d)),
        19 => format!("decimal({})", dice.pick(&["\"1.5\"", "context.s", "principal.s"])),
        20 => format!("(action in {})", action(dice)),
        _ => format!("-({})", expr(dice, d)),
    }
}

/// A condition that is often well-typed, so that policies hold often enough.
pub fn condition(dice: &mut Dice) -> String {
    match dice.below(8) {
        0 => "true".into(),
        1 => "principal has n && principal.n > 0".into(),
        2 => format!("resource in {}", uid(dice)),
        3 => format!("principal is {}", dice.pick(&TYPES)),
        4 => "context.b".into(),
        5 => "resource.e == principal || principal.e.b".into(),
        _ => expr(dice, 3),
    }
}

pub fn side(dice: &mut Dice, var: &str, slot: bool) -> String {
    if slot {
        let ty = dice.pick(&TYPES);
        return match dice.below(3) {
            0 => format!("{var} == ?{var}"),
            1 => format!("{var} in ?{var}"),
            _ => format!("{var} is {ty} in ?{var}"),
        };
    }
    match dice.below(7) {
        0 | 1 => var.into(),
        2 => format!("{var} == {}", uid(dice)),
        3 | 4 => format!("{var} in {}", uid(dice)),
        5 => format!("{var} is {}", dice.pick(&TYPES)),
        _ => format!("{var} is {} in {}", dice.pick(&TYPES), uid(dice)),
    }
}

/// A policy set as text, and which policies have which slots.
pub fn policies(dice: &mut Dice) -> (String, Vec<(String, bool, bool)>) {
    let (mut text, mut templates) = (String::new(), Vec::new());
    for i in 0..4 + dice.below(12) {
        let (p, r) = (dice.one_in(4), dice.one_in(4));
        if p || r {
            templates.push((format!("policy{i}"), p, r));
        }
        let effect = dice.pick(&["permit", "permit", "forbid"]);
        let (principal, resource) = (side(dice, "principal", p), side(dice, "resource", r));
        let act = match dice.below(6) {
            0 | 1 => "action".into(),
            2 => format!("action == {}", action(dice)),
            3 => format!("action in {}", action(dice)),
            _ => format!("action in [{}, {}]", action(dice), action(dice)),
        };
        writeln!(text, "{effect}({principal}, {act}, {resource})").unwrap();
        for _ in 0..dice.below(3) {
            writeln!(text, "  {} {{ {} }}", dice.pick(&["when", "when", "unless"]), condition(dice)).unwrap();
        }
        text.push_str(";\n");
    }
    (text, templates)
}

pub fn json_uid(ty: &str, id: &str) -> serde_json::Value {
    serde_json::json!({ "type": ty, "id": id })
}

pub fn attributes(dice: &mut Dice) -> serde_json::Value {
    let mut attrs = serde_json::Map::new();
    for name in ATTRS {
        if dice.one_in(3) {
            continue;
        }
        let entity = serde_json::json!({ "__entity": json_uid(dice.pick(&TYPES), dice.pick(&IDS)) });
        let value = match (name, dice.below(5)) {
            ("n", 0) => serde_json::json!(i64::MAX),
            ("n", n) => serde_json::json!(n),
            ("s", n) => serde_json::json!(["x", "y", "1.5", "", "yx"][n]),
            ("b", n) => serde_json::json!(n < 3),
            ("e", _) => entity,
            ("set", n) => serde_json::json!([n, 1, entity]),
            _ => serde_json::json!({ "n": 1, "e": entity }),
        };
        attrs.insert(name.into(), value);
    }
    attrs.into()
}

/// Entities in which parents always come later in a fixed order, so that there is no cycle; some are absent.
pub fn entities(dice: &mut Dice) -> serde_json::Value {
    let all: Vec<(&str, &str)> = TYPES.iter().flat_map(|t| IDS.iter().map(move |i| (*t, *i))).collect();
    let mut found = Vec::new();
    for (at, (ty, id)) in all.iter().enumerate() {
        if dice.one_in(6) {
            continue;
        }
        let later = &all[at + 1..];
        let parents: Vec<_> = later.iter().filter(|_| dice.one_in(6)).map(|(t, i)| json_uid(t, i)).collect();
        found.push(serde_json::json!({ "uid": json_uid(ty, id), "attrs": attributes(dice), "parents": parents }));
    }
    for (at, id) in ACTIONS.iter().enumerate() {
        let later = &ACTIONS[at + 1..];
        let parents: Vec<_> = later.iter().filter(|_| dice.one_in(3)).map(|i| json_uid("Action", i)).collect();
        found.push(serde_json::json!({ "uid": json_uid("Action", id), "attrs": {}, "parents": parents }));
    }
    found.into()
}
