//! Values at the door: how deep, how large, whom they name.

use hos_core::id::Uid;
use hos_core::limits::{VALUE_BYTES_MAX, VALUE_DEPTH_MAX};
use hos_core::value::*;
use std::collections::BTreeSet;

fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

fn set(members: &[Value]) -> Value {
    Value::Set(members.iter().cloned().collect())
}

fn uid(id: &str) -> Uid {
    Uid::new("Account", id).unwrap()
}

#[test]
fn values_nest_as_deep_as_the_limit_and_no_deeper() {
    let sets = |depth: usize| (1..depth).fold(set(&[]), |inner, _| set(&[inner]));
    let records = |depth: usize| (1..depth).fold(Value::Record(Record::new()), |inner, _| Value::Record(record(&[("k", inner)])));
    let longs = |depth: usize| (1..depth).fold(Value::Long(1), |inner, _| set(&[inner]));
    for made in [&sets as &dyn Fn(usize) -> Value, &records, &longs] {
        assert_eq!(Value::check_bounds(&record(&[("k", made(VALUE_DEPTH_MAX))])), Ok(()));
        assert_eq!(Value::check_bounds(&record(&[("k", made(VALUE_DEPTH_MAX + 1))])), Err(BoundsError::TooDeep));
        assert_eq!(Value::check_bounds(&record(&[("k", made(VALUE_DEPTH_MAX + 2))])), Err(BoundsError::TooDeep));
    }
}

#[test]
fn every_kind_of_value_has_its_size_and_so_has_its_name() {
    let text = |s: &str| Value::String(s.to_owned());
    let cases = [
        (Value::Bool(true), 1),
        (Value::Long(0), 8),
        (Value::Long(i64::MIN), 8),
        (text(""), 2),
        (text("abcde"), 7),
        (text("\u{15f}"), 4),
        (Value::Ext(Ext::Decimal, "1.25".into()), 6),
        (Value::Entity(uid("ayse")), 7 + 4 + 2),
        (set(&[]), 2),
        (set(&[text("abc"), text("defgh"), 7.into()]), 2 + 5 + 7 + 8),
        (set(&[set(&[text("abc")]), set(&[text("de")])]), 2 + 2 + 5 + 2 + 4),
        (Value::Record(Record::new()), 2),
        (Value::Record(record(&[("name", text("abc")), ("of", text("d"))])), 2 + 4 + 5 + 2 + 3),
        (Value::Record(record(&[("outer", Value::Record(record(&[("inner", true.into())])))])), 2 + 5 + 2 + 5 + 1),
    ];
    for (value, size) in cases {
        // Names of 3 and 4 bytes, and a text of so many bytes and two more.
        let besides = |more: usize| VALUE_BYTES_MAX - 3 - size - 4 - 2 + more;
        let with = |more: usize| record(&[("val", value.clone()), ("wide", text(&"x".repeat(besides(more))))]);
        assert_eq!(Value::check_bounds(&with(0)), Ok(()), "{value:?} is larger than {size}");
        assert_eq!(Value::check_bounds(&with(1)), Err(BoundsError::TooLarge), "{value:?} is smaller than {size}");
        assert_eq!(Value::check_bounds(&with(2)), Err(BoundsError::TooLarge));
    }
}

#[test]
fn whoever_is_named_is_found_however_deep() {
    let value = Value::Record(record(&[
        ("a", uid("ayse").into()),
        ("b", set(&[uid("can").into(), Value::Record(record(&[("c", uid("deniz").into())]))])),
        ("d", "no one".into()),
    ]));
    let mut found = Vec::new();
    value.entities(&mut found);
    let ids: BTreeSet<&str> = found.iter().map(|uid| uid.id()).collect();
    assert_eq!(ids, ["ayse", "can", "deniz"].into());
    assert_eq!(found.len(), 3);
}

#[test]
fn kinds_are_named_in_cedars_words() {
    let cases = [
        (true.into(), "Bool"),
        (1.into(), "Long"),
        ("s".into(), "String"),
        (uid("x").into(), "entity"),
        (set(&[]), "Set"),
        (Value::Record(Record::new()), "record"),
        (Value::Ext(Ext::Decimal, "1.0".into()), "decimal"),
        (Value::Ext(Ext::Datetime, "2015-07-01".into()), "datetime"),
        (Value::Ext(Ext::Duration, "1h".into()), "duration"),
        (Value::Ext(Ext::Ip, "::".into()), "ipaddr"),
    ];
    for (value, kind) in cases {
        let value: Value = value;
        assert_eq!(value.kind(), kind);
    }
    for ext in [Ext::Decimal, Ext::Datetime, Ext::Duration, Ext::Ip] {
        assert_eq!(Ext::from_function(ext.function()), Some(ext));
    }
    assert_eq!(Ext::from_function("ipaddr"), None, "the type's name is not the constructor's");
}
