//! Ids, types and the faults of files: what is read, what is shown, what is offered instead.

use hos_core::fault::{Fault, Severity, nearest};
use hos_core::id::*;
use hos_core::shape::Type;
use hos_core::value::{Ext, Value};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

#[test]
fn an_entity_is_read_with_the_escapes_of_cedar() {
    let cases = [
        (r#"T::"a\"b""#, "a\"b"),
        (r#"T::"a\\b""#, "a\\b"),
        (r#"T::"a\nb""#, "a\nb"),
        (r#"T::"a\rb""#, "a\rb"),
        (r#"T::"a\tb""#, "a\tb"),
        (r#"T::"a\0b""#, "a\0b"),
        (r#"T::"a::b""#, "a::b"),
    ];
    for (text, id) in cases {
        assert_eq!(Uid::parse(text), Uid::new("T", id), "{text}");
    }
    for wrong in [r#"T::"a\x41""#, r#"T::"a\"#, r#"T::"a\""#, r#"T::"a"b""#, r#"T::""#, "T::a", r#"T::"a" "#, r#"::"a""#, ""] {
        assert!(Uid::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_entity_is_shown_in_a_form_that_nobody_can_break_out_of() {
    let cases = [
        ("a", r#"Pazar::Account::"a""#),
        ("a\" || true", r#"Pazar::Account::"a\" || true""#),
        ("\"", r#"Pazar::Account::"\"""#),
        ("a\"b\"c", r#"Pazar::Account::"a\"b\"c""#),
        ("a\\", r#"Pazar::Account::"a\\""#),
        ("a\nb", r#"Pazar::Account::"a\nb""#),
        ("\u{202e}a", r#"Pazar::Account::"\u{202e}a""#),
    ];
    for (id, shown) in cases {
        let uid = Uid::new("Pazar::Account", id).unwrap();
        assert_eq!(uid.to_string(), shown);
        assert_eq!(format!("{uid:?}"), shown, "a log shows it as a person would see it");
    }
}

#[test]
fn entities_are_the_same_only_in_both_halves() {
    let uid = |type_name: &str, id: &str| Uid::new(type_name, id).unwrap();
    assert_eq!(uid("A", "x"), uid("A", "x"));
    for other in [uid("A", "y"), uid("B", "x"), uid("B", "y")] {
        assert_ne!(uid("A", "x"), other);
    }
    let sorted: BTreeSet<Uid> = [uid("B", "x"), uid("A", "z"), uid("A", "x")].into();
    let words: Vec<String> = sorted.iter().map(Uid::to_string).collect();
    assert_eq!(words, [r#"A::"x""#, r#"A::"z""#, r#"B::"x""#], "by type, then by id");
}

#[test]
fn an_entity_spreads_over_a_table_by_what_it_is() {
    let state = RandomState::new();
    let hashes: BTreeSet<u64> = (0..100).map(|i| state.hash_one(Uid::new("Account", format!("a{i}")).unwrap())).collect();
    assert_eq!(hashes.len(), 100, "else looking one up is going through all");
    let twice = [Uid::new("Account", "ayse"), Uid::parse("Account::\"ayse\"")].map(|uid| state.hash_one(uid.unwrap()));
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn what_is_no_id_is_told_shortened() {
    let long = "?".repeat(100);
    let told = |error: Option<IdError>| match error {
        Some(IdError::Malformed { text, .. }) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(Name::new("9lives").err()), "9lives");
    assert_eq!(told(Uid::new("Pazar:Account", "x").err()), "Pazar:Account");
    assert_eq!(told(Name::new(&long).err()).len(), 80);
    assert_eq!(told(Uid::parse(&long).err()).len(), 80);
    assert_eq!(Tenant::new("Pazar").unwrap_err().to_string(), "`Pazar` is not a tenant: only a-z, 0-9 and - are allowed");
    assert_eq!(Uid::parse("x").unwrap_err().to_string(), "`x` is not an entity: expected Type::\"id\"");
}

#[test]
fn every_type_is_read_as_it_is_shown() {
    let cases = [
        ("Bool", Type::Bool),
        ("Long", Type::Long),
        ("String", Type::String),
        ("decimal", Type::Ext(Ext::Decimal)),
        ("datetime", Type::Ext(Ext::Datetime)),
        ("duration", Type::Ext(Ext::Duration)),
        ("ipaddr", Type::Ext(Ext::Ip)),
        ("Set<Long>", Type::Set(Box::new(Type::Long))),
        ("Other::Account", Type::Entity("Other::Account".into())),
        ("Pazar::Account", Type::Entity("Pazar::Account".into())),
    ];
    for (text, ty) in cases {
        assert_eq!(Type::parse(text, "Pazar"), Some(ty.clone()), "{text}");
        assert_eq!(ty.to_string(), text);
    }
    assert_eq!(Type::parse("Account", "Pazar"), Some(Type::Entity("Pazar::Account".into())));
    assert_eq!(Type::parse("Account", ""), Some(Type::Entity("Account".into())));
    assert_eq!(Type::parse(" Set< Long > ", "Pazar"), Some(Type::Set(Box::new(Type::Long))));
    for wrong in ["", "9", "Set<Long", "Set<>", "a b"] {
        assert_eq!(Type::parse(wrong, "Pazar"), None, "{wrong}");
    }
}

#[test]
fn sets_nest_four_deep_and_no_deeper() {
    let nested = |depth: usize| format!("{}Long{}", "Set<".repeat(depth), ">".repeat(depth));
    for depth in 0..=4 {
        assert_eq!(Type::parse(&nested(depth), "").map(|ty| ty.to_string()), Some(nested(depth)));
    }
    assert_eq!(Type::parse(&nested(5), ""), None);
    assert_eq!(Type::parse(&nested(6), ""), None);
}

#[test]
fn a_type_admits_its_own_values_alone() {
    let uid = |type_name: &str| Value::Entity(Uid::new(type_name, "x").unwrap());
    let longs = || Value::Set([1.into(), 2.into()].into());
    let values = [
        ("Bool", Value::Bool(true)),
        ("Long", Value::Long(1)),
        ("String", Value::String("s".into())),
        ("decimal", Value::Ext(Ext::Decimal, "1.0".into())),
        ("datetime", Value::Ext(Ext::Datetime, "2015-07-01".into())),
        ("duration", Value::Ext(Ext::Duration, "1h".into())),
        ("ipaddr", Value::Ext(Ext::Ip, "::".into())),
        ("Account", uid("Account")),
        ("Shop", uid("Shop")),
        ("Set<Long>", longs()),
        ("Set<Set<Long>>", Value::Set([longs()].into())),
    ];
    for (text, _) in &values {
        let ty = Type::parse(text, "").unwrap();
        for (of, value) in &values {
            assert_eq!(ty.admits(value), of == text, "{text} and a value of {of}");
        }
    }
    let mixed = Value::Set([1.into(), "s".into()].into());
    assert!(!Type::parse("Set<Long>", "").unwrap().admits(&mixed));
    let nothing = Value::Set(BTreeSet::new());
    assert!(Type::parse("Set<Long>", "").unwrap().admits(&nothing));
    assert!(!Type::parse("Long", "").unwrap().admits(&Value::Record([].into())));
}

#[test]
fn a_name_is_offered_when_a_third_of_the_letters_or_fewer_differ() {
    // The wrong name, the known one, how many letters must be changed, put in, left out, or swapped with their neighbour.
    let cases = [
        ("paid", "paid", 0),
        ("xaid", "paid", 1),
        ("paix", "paid", 1),
        ("aid", "paid", 1),
        ("paiid", "paid", 1),
        ("apid", "paid", 1),
        ("padi", "paid", 1),
        ("xxid", "paid", 2),
        ("pd", "paid", 2),
        ("papaid", "paid", 2),
        ("badc", "abcd", 2),
        ("delivered", "delivexyz", 3),
        ("delivered", "xyzivered", 3),
        ("delivered", "deliv", 4),
        ("delivered", "deliver", 2),
        ("delivered", "delive", 3),
        ("deliver", "delivered", 2),
        ("livered", "delivered", 2),
        ("delivered", "wxyzvered", 4),
        ("edlievrde", "delivered", 3),
        ("edileverd", "delivered", 4),
        ("badcfehg", "abcdefgh", 4),
        ("badcfegh", "abcdefgh", 3),
        ("badcefgh", "abcdefgh", 2),
        ("abcdefhg", "abcdefgh", 1),
        ("bacdefhx", "abcdefgh", 3),
        ("abcdefghi", "a", 8),
        ("a", "abcdefghi", 8),
        ("ab", "zb", 1),
        ("ab", "yz", 2),
        ("", "a", 1),
        ("", "ab", 2),
    ];
    for (wrong, known, differ) in cases {
        let near = differ <= (wrong.len() / 3).max(1);
        assert_eq!(nearest(wrong, [known]), near.then_some(known), "`{wrong}` for `{known}`");
    }
}

#[test]
fn of_several_names_the_nearest_is_offered() {
    let cases = [
        ("shiped", vec!["shipper", "shipped", "skipped"], Some("shipped")),
        ("canceled", vec!["cancel", "cancelled", "candled"], Some("cancelled")),
        ("placde", vec!["placated", "placed", "laced"], Some("placed")),
        ("ab", vec!["aa", "ac", "ad"], Some("aa")),
        ("ab", vec![], None),
    ];
    for (wrong, known, near) in cases {
        assert_eq!(nearest(wrong, known.iter().copied()), near, "{wrong}");
    }
}

#[test]
fn a_fault_is_shown_with_its_place_its_code_and_what_was_meant() {
    let fault = Fault::whole("law.test", Severity::Error, "a.toml", "nothing here is called `nmae`");
    assert_eq!(fault.to_string(), "a.toml:0:0: nothing here is called `nmae` [law.test]");
    let told = fault.did_you_mean("nmae", ["state", "name"]);
    assert_eq!(told.to_string(), "a.toml:0:0: nothing here is called `nmae` [law.test] (did you mean `name`?)");
}
