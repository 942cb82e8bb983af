//! TOML with places: how deep it may nest, where a value stands, what a fault says.

use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::limits::{TOML_BYTES_MAX, TOML_NESTING_MAX};
use hos_core::spanned::*;

const CODES: Codes = Codes { unknown: "t.unknown", missing: "t.missing", wrong_type: "t.type" };

fn file(text: &str) -> SourceFile {
    SourceFile { path: "a.toml".into(), text: text.into() }
}

fn is_too_deep(text: &str) -> bool {
    parse(&file(text)).is_err_and(|faults| faults[0].code == "law.toml.too_deep")
}

/// How deep the place of `@` is: as many arrays fewer may stand there.
fn depth(text: &str) -> usize {
    let with = |arrays: usize| text.replace('@', &format!("{}{}", "[".repeat(arrays), "]".repeat(arrays)));
    let most = (1..=TOML_NESTING_MAX + 1).find(|arrays| is_too_deep(&with(*arrays))).expect("so many are too many") - 1;
    TOML_NESTING_MAX - most
}

#[test]
fn every_array_table_and_piece_of_a_key_is_a_level() {
    let cases = [
        ("a = @", 0),
        ("a.b.c = @", 2),
        ("a . b = @", 1),
        ("a = [@]", 1),
        ("a = [[1], @]", 1),
        ("a = [\n[\n@]]", 2),
        ("a = { b = @ }", 1),
        ("a = { b.c = @ }", 2),
        ("a = { b.c = 1, d = @ }", 1),
        ("a = [{ b.c = { d.e = @ } }]", 5),
        ("a = [{ b.c = { d.e = 1 } }, @]", 1),
        ("[a]\nb = @", 1),
        ("[a.b]\nc = @", 2),
        ("[ a . b ]\nc = @", 2),
        ("[a.b]\nc.d = @", 3),
        ("[a.b.c]\n[d]\ne = @", 1),
        ("[[a]]\nb = @", 2),
        ("[[a.b]]\nc = [{ d = @ }]", 5),
        ("a = 1\n[b.c]\nd = @", 2),
        ("a.b = 1\n[c]\nd = @", 1),
        ("a = [1]\n[b.c]\nd = @", 2),
        ("a.b.c = 1\nd = @", 0),
        ("a = [1.5, 2.5, @]", 1),
        ("a = [\n1.5,\n@]", 1),
        ("a = 1.5\nb = @", 0),
        ("[a] # b.c\nd = @", 1),
        ("a = [ # ]]]\n@]", 1),
        ("# [[[ \"\na = @", 0),
        ("a = 1 # [[['''\nb = @", 0),
    ];
    for (text, levels) in cases {
        assert_eq!(depth(text), levels, "{text}");
    }
}

#[test]
fn what_stands_in_a_string_is_no_level() {
    let cases = [
        (r#"a = "[[[" @"#, 0),
        ("a = \"[[[\"\nb = @", 0),
        ("a = '[[['\nb = @", 0),
        ("a = \"\"\nb = @", 0),
        ("a = ''\nb = @", 0),
        ("a = [\"[\", @]", 1),
        // Escapes: a quote, a backslash; none in a literal string.
        ("a = \"\\\"[[\"\nb = @", 0),
        ("a = \"\\\\\"\nb = [@]", 1),
        ("a = '\\'\nb = [@]", 1),
        // Long strings end with three quotes; up to two more may stand before these.
        ("a = \"\"\"\n[[\n\"\"[[\"\"\"\nb = [@]", 1),
        ("a = \"\"\"\n\\\"\"\"[[\"\"\"\nb = [@]", 1),
        ("a = \"\"\"[\"\"\"\"\nb = [@]", 1),
        ("a = \"\"\"[\"\"\"\"\"\nb = [@]", 1),
        ("a = \"\"\"\"\"\"\nb = [@]", 1),
        ("a = '''\n[['[[''[[\n'''\nb = [@]", 1),
        ("a = '''[''''\nb = [@]", 1),
        ("a = '''\\'''\nb = [@]", 1),
        ("a = \"\"\"'''[\"\"\"\nb = [@]", 1),
        ("a = \"\"\"x\"y\"z\"[[\"\"\"\nb = [@]", 1),
        ("a = '[\"'\nb = [@]", 1),
        // Keys.
        ("\"a.b\".c = @", 1),
        ("'a.b' = @", 0),
        ("[\"x.y\".z]\na = @", 2),
        ("['x]y']\na = @", 1),
        ("['x'] # it's [[[\na = @", 1),
        ("[\"x\\\"].y\"]\na = @", 1),
        // No TOML, and yet not misread: a string that is not closed ends with its line.
        ("a = \"[[\nb = [@]", 1),
        ("a = '[[\nb = [@]", 1),
        ("[a.b\nc = @", 2),
        ("[a.b # .c\nd = @", 2),
        ("[a] b.c = 1\nd = @", 1),
        ("a = ]\nb = [@]", 1),
        ("a = { b.\nc = @ }", 2),
    ];
    for (text, levels) in cases {
        assert_eq!(depth(text), levels, "{text}");
    }
}

#[test]
fn the_limits_of_a_file_are_its_edges() {
    let long = |bytes: usize| format!("#{}", "x".repeat(bytes - 1));
    assert!(parse(&file(&long(TOML_BYTES_MAX))).is_ok());
    let faults = parse(&file(&long(TOML_BYTES_MAX + 1))).unwrap_err();
    assert_eq!((faults.len(), faults[0].code, faults[0].line), (1, "law.toml.too_large", 0));
    let nested = |depth: usize| format!("x = 1\ny = {}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&file(&nested(TOML_NESTING_MAX))).is_ok());
    let faults = parse(&file(&nested(TOML_NESTING_MAX + 1))).unwrap_err();
    assert_eq!((faults.len(), faults[0].code), (1, "law.toml.too_deep"));
    assert_eq!((faults[0].line, faults[0].column), (2, 5 + TOML_NESTING_MAX), "the bracket that is one too many");
}

#[test]
fn a_text_stands_inside_its_quotes() {
    let cases = [
        ("k = \"in\"", "in"),
        ("k = 'in'", "in"),
        ("k = \"\"\"in\"\"\"", "in"),
        ("k = '''in'''", "in"),
        ("k = \"\"\"\nin\"\"\"", "in"),
        ("k = \"\"\"\r\nin\"\"\"", "in"),
        ("k = '''\nin'''", "in"),
        ("k = \"\"\"\n\nin\"\"\"", "\nin"),
        ("k = \"\"", ""),
        ("k = ''", ""),
        ("k = \"\"\"\"\"\"", ""),
        ("k = \"'in'\"", "'in'"),
    ];
    for (text, inside) in cases {
        let file = file(text);
        let table = parse(&file).unwrap();
        let mut reader = Reader::new(&file, CODES);
        let found = reader.string(&table, "k").unwrap();
        assert_eq!(found.value, inside, "{text}");
        assert_eq!(&file.text[found.span.clone()], inside, "{text}");
    }
}

#[test]
fn a_value_of_another_type_is_named_by_its_kind() {
    let text = "string = ''\ninteger = 1\nboolean = true\narray = []\ntable = {}\nfloat = 1.5\ndate = 2015-07-01\n\
                big = 99999999999999999999\n";
    let kinds = [
        ("string", "a string"),
        ("integer", "an integer"),
        ("boolean", "a boolean"),
        ("array", "an array"),
        ("table", "a table"),
        ("float", "a float"),
        ("date", "a TOML date"),
        ("big", "an integer beyond 64 bits"),
    ];
    let file = file(text);
    let table = parse(&file).unwrap();
    for (key, kind) in kinds {
        let mut reader = Reader::new(&file, CODES);
        let found = [
            reader.string(&table, key).is_some(),
            reader.integer(&table, key).is_some(),
            reader.boolean(&table, key).is_some(),
            table.get(key).is_some_and(|e| reader.as_array(&e.item, key).is_some()),
            reader.table(&table, key).is_some(),
        ];
        let wanted = ["a string", "an integer", "a boolean", "an array", "a table"];
        assert_eq!(found, wanted.map(|wanted| wanted == kind), "{key}");
        let told: Vec<String> = reader.faults.iter().map(|f| f.message.clone()).collect();
        let others = wanted.iter().filter(|wanted| **wanted != kind);
        assert_eq!(told, others.map(|wanted| format!("`{key}` must be {wanted}, this is {kind}")).collect::<Vec<_>>());
    }
}

#[test]
fn values_are_what_the_file_says() {
    let file =
        file("n = -7\nhex = 0x1F\nyes = true\nno = false\nlist = ['a', 'b']\n[t]\nx = 1\n[[many]]\nx = 2\n[[many]]\nx = 3\n");
    let table = parse(&file).unwrap();
    let mut r = Reader::new(&file, CODES);
    assert_eq!(r.file().path, "a.toml");
    assert_eq!((r.integer(&table, "n"), r.integer(&table, "hex"), r.integer(&table, "none")), (Some(-7), Some(31), None));
    assert_eq!((r.boolean(&table, "yes"), r.boolean(&table, "no"), r.boolean(&table, "none")), (Some(true), Some(false), None));
    assert_eq!(r.strings(&table, "list").iter().map(|t| t.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(r.strings(&table, "none").len(), 0);
    let many: Vec<&Table> = r.tables(&table, "many");
    assert_eq!(many.iter().map(|t| r.integer(t, "x")).collect::<Vec<_>>(), [Some(2), Some(3)]);
    let t = r.table(&table, "t").unwrap();
    assert_eq!((t.entries.len(), r.integer(t, "x"), &file.text[t.span.clone()]), (1, Some(1), "[t]"));
    assert!(r.faults.is_empty(), "what may be absent is no fault");
    assert!(r.required(&table, "n").is_some());
    assert!(r.required(&table, "none").is_none() && r.required_string(t, "gone").is_none());
    let told: Vec<(&str, &str, usize)> = r.faults.iter().map(|f| (f.code, f.message.as_str(), f.line)).collect();
    assert_eq!(told, [("t.missing", "`none` is missing here", 1), ("t.missing", "`gone` is missing here", 6)]);
}

#[test]
fn no_more_faults_are_told_than_anybody_reads() {
    let wrong: String = (0..FAULTS_MAX + 50).map(|i| format!("stat{i} = 1\n")).collect();
    let file = file(&wrong);
    let table = parse(&file).unwrap();
    let mut reader = Reader::new(&file, CODES);
    reader.known_keys(&table, &["state"]);
    assert_eq!(reader.faults.len(), FAULTS_MAX);
    assert!(reader.faults.iter().take(10).all(|f| f.hint.as_deref() == Some("did you mean `state`?")), "each has its hint");
    assert_eq!(reader.faults.last().map(|f| f.line), Some(FAULTS_MAX));
    let before = reader.faults.clone();
    reader.push(Fault::whole("t.more", Severity::Error, "a.toml", "more"));
    assert_eq!(reader.wrong_type::<()>(&table.entries[0].item, "stat0", "a string"), None);
    assert_eq!(reader.faults, before, "what comes later is dropped");
    // A syntax that fails in every line is cut off as well.
    let broken: String = (0..FAULTS_MAX + 50).map(|_| "= 1\n").collect();
    assert!((1..=FAULTS_MAX).contains(&parse(&SourceFile { path: "b.toml".into(), text: broken }).unwrap_err().len()));
}

#[test]
fn errors_and_warnings_stand_where_they_belong() {
    let file = file("a = 1\nbb = 2\n");
    let table = parse(&file).unwrap();
    let reader = Reader::new(&file, CODES);
    let place = table.get("bb").unwrap().item.span.clone();
    let error = reader.error("t.x", place.clone(), "odd");
    let warning = reader.warning("t.y", place.clone(), "odd too");
    assert_eq!(
        (error.severity, error.code, error.span.clone(), error.line, error.column),
        (Severity::Error, "t.x", place.clone(), 2, 6)
    );
    assert_eq!((warning.severity, warning.code, warning.line, warning.column), (Severity::Warning, "t.y", 2, 6));
    assert_eq!(error.file, "a.toml");
    assert!(reader.faults.is_empty(), "not collected until it is pushed");
}
