//! The cases of trust files, and of notes that are believed by them or not.

use crate::audit_support::*;
use hos_core::id::{Tenant, TreeHash};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::key::SealKey;

/// A trust file.
pub struct File {
    pub name: &'static str,
    pub about: &'static str,
    pub bytes: Vec<u8>,
    /// The code, where it is refused.
    pub error: Option<&'static str>,
}

/// A note that is held against a trust file.
pub struct Belief {
    pub name: &'static str,
    pub about: &'static str,
    pub trust: String,
    pub note: String,
    /// The witnesses that vouch, or the code.
    pub outcome: Result<Vec<&'static str>, &'static str>,
}

fn key() -> NoteKey {
    log_key(&tenant(), 0)
}

fn named(i: u64) -> String {
    witness(i).1.to_string()
}

/// A key in text form whatever it is.
fn vkey(name: &str, kind: u8, public: &[u8]) -> String {
    let id = hos_core::digest::note_key_id(name, kind, public);
    format!("{name}+{}+{}", hex(id), base64(&[&[kind], public].concat()))
}

pub fn files() -> Vec<File> {
    let good = |name, about, text: String| File { name, about, bytes: text.into_bytes(), error: None };
    let bad = |name, about, error, text: String| File { name, about, bytes: text.into_bytes(), error: Some(error) };
    let (log, none) = (format!("log {}\n", key()), "quorum none\n");
    let (w0, w1) = (format!("witness w0 {}\n", named(0)), format!("witness w1 {}\n", named(1)));
    let two = format!("{log}{w0}{w1}");
    let many_logs = |count: u64| -> String {
        (0..count)
            .map(|i| {
                let key = SealKey::from_seed(&drawn("many", i)).verify_key();
                format!("log {}\n", NoteKey::new(format!("log-{i}"), key).unwrap())
            })
            .collect()
    };
    let many_witnesses = |count: u64| -> String { (0..count).map(|i| format!("witness w{i} {}\n", named(i))).collect() };
    let syntax = "policy.syntax";
    vec![
        good("least", "one log, no witness", format!("{log}{none}")),
        good("whole", "three witnesses, two of them asked for", trust(&key(), 3, 2)),
        good("any_all", "groups of any and all, one in the other", format!("{two}group a any w0\ngroup b all a w1\nquorum b\n")),
        good("quorum_witness", "the quorum is one witness", format!("{two}quorum w1\n")),
        good(
            "spaces",
            "words separated by spaces and tabs, lines by comments",
            format!("# a comment\n\n   \t\n\tlog  {}\t \n  # another\nquorum\tnone", key()),
        ),
        good(
            "urls",
            "addresses behind keys",
            format!("log {} https://example.org/log\nwitness w {} https://example.org/w\nquorum none\n", key(), named(0)),
        ),
        good(
            "not_ascii",
            "a name that is no ASCII, and no UTF-8 asked for in a comment",
            format!("{log}witness ş {}\n# ş\nquorum ş\n", named(0)),
        ),
        good("quorum_first", "the quorum line before the logs", format!("{none}{log}")),
        good("logs_64", "64 logs", many_logs(64) + none),
        good("witnesses_64", "64 witnesses", format!("{log}{}{none}", many_witnesses(64))),
        good(
            "same_key_other_role",
            "one name for a log and a witness with keys of their own",
            format!("{log}witness {} {}\n{none}", key().name(), named(0)),
        ),
        File {
            bytes: [log.as_bytes(), b"# \xff\xfe\n", none.as_bytes()].concat(),
            ..good("bytes", "octets that are no UTF-8", String::new())
        },
        bad("empty", "an empty file", "policy.no_quorum", String::new()),
        bad("no_quorum", "no quorum", "policy.no_quorum", log.clone()),
        bad("two_quorums", "two quorums", "policy.no_quorum", format!("{log}{none}{none}")),
        bad("no_log", "no log", "policy.no_log", format!("{w0}{none}")),
        bad("carriage_return", "lines ended by CR LF", syntax, format!("{log}{none}").replace('\n', "\r\n")),
        bad("control", "a control character in a comment", syntax, format!("# \u{1}\n{log}{none}")),
        bad("delete", "the octet 7F", syntax, format!("# \u{7f}\n{log}{none}")),
        bad("word_unknown", "a line of another kind", syntax, format!("{log}logs x\n{none}")),
        bad("word_capitals", "a line's kind in capitals", syntax, format!("{log}QUORUM none\n")),
        bad("log_bare", "a log without a key", syntax, format!("log\n{none}")),
        bad("log_words", "a log of four words", syntax, format!("log {} a b\n{none}", key())),
        bad("witness_bare", "a witness without a key", syntax, format!("{log}witness w0\n{none}")),
        bad("group_bare", "a group without members", syntax, format!("{two}group g 1\nquorum g\n")),
        bad("quorum_words", "a quorum of two words", syntax, format!("{two}quorum w0 w1\n")),
        bad("comment_behind", "a comment behind a line's words", syntax, format!("{log}quorum none # nobody\n")),
        bad("group_zero", "none of two", syntax, format!("{two}group g 0 w0 w1\nquorum g\n")),
        bad("group_beyond", "three of two", syntax, format!("{two}group g 3 w0 w1\nquorum g\n")),
        bad("group_zeros", "a number with a leading zero", syntax, format!("{two}group g 01 w0 w1\nquorum g\n")),
        bad("group_plus", "a number with a sign", syntax, format!("{two}group g +1 w0 w1\nquorum g\n")),
        bad("group_long", "a number beyond 64 bits", syntax, format!("{two}group g 18446744073709551617 w0 w1\nquorum g\n")),
        bad("group_capitals", "any in capitals", syntax, format!("{two}group g ANY w0 w1\nquorum g\n")),
        bad("key_malformed", "a key without an id", "policy.key", format!("log {}\n{none}", key().name())),
        bad(
            "key_id",
            "a key under another id",
            "policy.key",
            format!("log {}\n{none}", key().to_string().replacen("+", "+0", 1)),
        ),
        bad("key_type", "a witness's key for a log", "policy.key", format!("log {}\n{none}", named(0))),
        bad("key_type_witness", "a log's key for a witness", "policy.key", format!("{log}witness w {}\n{none}", key())),
        bad("key_small_order", "a key of small order", "policy.key", format!("log {}\n{none}", vkey("x", 1, &[0; 32]))),
        bad("key_not_canonical", "a key whose encoding is beyond the field", "policy.key", {
            let mut beyond = [0xff; 32];
            (beyond[0], beyond[31]) = (0xee, 0x7f);
            format!("log {}\n{none}", vkey("x", 1, &beyond))
        }),
        bad("key_short", "a key of 31 bytes", "policy.key", format!("log {}\n{none}", vkey("x", 1, &[7; 31]))),
        bad(
            "key_name",
            "a key whose name is empty",
            "policy.key",
            format!("log {}\n{none}", vkey("", 1, key().key().as_bytes())),
        ),
        bad("log_twice", "a log's key twice", "policy.duplicate", format!("{log}{log}{none}")),
        bad(
            "log_key_other_name",
            "a log's key under another name",
            "policy.duplicate",
            format!("{log}log {}\n{none}", NoteKey::new("other", seal_key().verify_key()).unwrap()),
        ),
        bad(
            "witness_twice",
            "a witness's key under two names",
            "policy.duplicate",
            format!("{log}{w0}witness w9 {}\n{none}", named(0)),
        ),
        bad(
            "witness_log_key",
            "a witness with a log's key",
            "policy.duplicate",
            format!("{log}witness w {}\n{none}", vkey("w", 4, key().key().as_bytes())),
        ),
        bad(
            "log_witness_key",
            "a log with a witness's key",
            "policy.duplicate",
            format!("{log}{w0}log {}\n{none}", vkey("l", 1, witness(0).1.key().as_bytes())),
        ),
        bad("name_twice", "a name of a witness and a group", "policy.duplicate", format!("{two}group w0 any w1\n{none}")),
        bad("name_none", "a witness called none", "policy.duplicate", format!("{log}witness none {}\n{none}", named(0))),
        bad("group_none", "a group called none", "policy.duplicate", format!("{two}group none any w0\n{none}")),
        bad("member_twice", "a member twice in a group", "policy.duplicate", format!("{two}group g 2 w0 w0\nquorum g\n")),
        bad(
            "member_of_two",
            "a member of two groups",
            "policy.duplicate",
            format!("{two}group g any w0\ngroup h any w0\nquorum g\n"),
        ),
        bad(
            "member_unknown",
            "a member that is defined nowhere",
            "policy.unknown_name",
            format!("{two}group g any w2\nquorum g\n"),
        ),
        bad(
            "member_below",
            "a member that is defined below",
            "policy.unknown_name",
            format!("{log}group g any w0\n{w0}quorum g\n"),
        ),
        bad("member_itself", "a group in itself", "policy.unknown_name", format!("{two}group g any g\nquorum g\n")),
        bad("member_none", "none as a member", "policy.unknown_name", format!("{two}group g any none\nquorum g\n")),
        bad("quorum_unknown", "a quorum that is defined nowhere", "policy.unknown_name", format!("{two}quorum g\n")),
        bad("quorum_below", "a quorum that is defined below", "policy.unknown_name", format!("{log}quorum w0\n{w0}")),
        bad("logs_65", "65 logs", "policy.too_large", many_logs(65) + none),
        bad("witnesses_65", "65 witnesses", "policy.too_large", format!("{log}{}{none}", many_witnesses(65))),
        bad("groups_65", "65 groups", "policy.too_large", {
            let groups: String = (0..65)
                .map(|i| format!("group g{i} any {}\n", if i == 0 { "w0".into() } else { format!("g{}", i - 1) }))
                .collect();
            format!("{two}{groups}{none}")
        }),
        bad("long", "65537 bytes", "policy.too_large", format!("{log}{none}#{}", " ".repeat(65_536 - log.len() - none.len()))),
    ]
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: key().name().to_owned(), size: 12, root: TreeHash(drawn("root", 0)), extensions: Vec::new() }
}

pub fn beliefs() -> Vec<Belief> {
    let note = checkpoint().sign(&seal_key()).unwrap();
    let log = format!("log {}\n", key());
    let case =
        |name, about, trust: &str, note: &str, outcome| Belief { name, about, trust: trust.into(), note: note.into(), outcome };
    let nested = format!(
        "{log}witness a {}\nwitness b {}\nwitness c {}\ngroup ab any a b\ngroup all 2 ab c\nquorum all\n",
        named(0),
        named(1),
        named(2)
    );
    let stranger = SealKey::from_seed(&[9; 32]);
    let two_keys = format!("{log}log {}\nquorum none\n", NoteKey::new(key().name(), stranger.verify_key()).unwrap());
    let extended = Checkpoint { extensions: vec!["an extension".into()], ..checkpoint() }.sign(&seal_key()).unwrap();
    let small_r = {
        // A signature whose R is the neutral point: of small order, whatever S is.
        let mut signature = [0u8; 64];
        signature[0] = 1;
        format!("{}\n\u{2014} {} {}\n", checkpoint().text(), key().name(), base64(&[&key().id()[..], &signature].concat()))
    };
    let late_s = {
        // S + L is the same scalar, spelled beyond the group's order.
        let order: [u8; 32] = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").try_into().unwrap();
        let mut signature = seal_key().sign(checkpoint().text().as_bytes());
        let mut carry = 0u16;
        for (byte, add) in signature[32..].iter_mut().zip(order) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry as u8;
            carry >>= 8;
        }
        format!("{}\n\u{2014} {} {}\n", checkpoint().text(), key().name(), base64(&[&key().id()[..], &signature].concat()))
    };
    vec![
        case("plain", "no witness asked for", &trust(&key(), 0, 0), &note, Ok(vec![])),
        case("extended", "with an extension", &trust(&key(), 0, 0), &extended, Ok(vec![])),
        case(
            "two_of_three",
            "two of three, in the file's order",
            &trust(&key(), 3, 2),
            &witnessed(&note, &[2, 0]),
            Ok(vec!["w0", "w2"]),
        ),
        case("nested", "any of two, and a third", &nested, &witnessed(&note, &[1, 2]), Ok(vec!["b", "c"])),
        case("nested_short", "two of one group are one of the other", &nested, &witnessed(&note, &[0, 1]), Err("trust.quorum")),
        case(
            "unasked",
            "a witness that nobody asked for vouches all the same",
            &trust(&key(), 2, 0),
            &witnessed(&note, &[1]),
            Ok(vec!["w1"]),
        ),
        case("strangers", "lines of others are passed over", &trust(&key(), 0, 0), &witnessed(&note, &[1, 2]), Ok(vec![])),
        case("second_key", "after a change of key either signs", &two_keys, &checkpoint().sign(&stranger).unwrap(), Ok(vec![])),
        case(
            "cosigned_twice",
            "a witness that signed at two times",
            &trust(&key(), 1, 1),
            &{ witnessed(&note, &[0]) + &cosignature(&note, 0, 1_783_000_999) },
            Ok(vec!["w0"]),
        ),
        case(
            "time_zero",
            "a cosignature of the first second",
            &trust(&key(), 1, 1),
            &(note.clone() + &cosignature(&note, 0, 0)),
            Ok(vec!["w0"]),
        ),
        case(
            "unknown",
            "a log that the file does not name",
            &trust(&log_key(&Tenant::new("baska").unwrap(), 0), 0, 0),
            &note,
            Err("trust.unknown_log"),
        ),
        case(
            "unsigned",
            "signed by another key under the log's name",
            &trust(&key(), 0, 0),
            &checkpoint().sign(&stranger).unwrap(),
            Err("checkpoint.unsigned"),
        ),
        case(
            "signature",
            "another size",
            &trust(&key(), 0, 0),
            &note.replacen("\n12\n", "\n13\n", 1),
            Err("checkpoint.signature"),
        ),
        case(
            "signature_of_second",
            "one key's signature holds, the other's does not",
            &two_keys,
            &{
                let other = Checkpoint { size: 13, ..checkpoint() }.sign(&stranger).unwrap();
                format!("{note}{}\n", other.lines().last().unwrap())
            },
            Err("checkpoint.signature"),
        ),
        case("small_order", "a signature whose R is of small order", &trust(&key(), 0, 0), &small_r, Err("checkpoint.signature")),
        case("s_beyond", "a signature whose S is not reduced", &trust(&key(), 0, 0), &late_s, Err("checkpoint.signature")),
        case("quorum", "one of two", &trust(&key(), 2, 2), &witnessed(&note, &[0]), Err("trust.quorum")),
        case(
            "witness_false",
            "a witness's line that does not hold, though no witness is asked for",
            &trust(&key(), 1, 0),
            &{ note.clone() + &cosignature(&extended, 0, 1_783_000_100) },
            Err("checkpoint.signature"),
        ),
        case(
            "witness_time",
            "a cosignature under another time",
            &trust(&key(), 1, 1),
            &{
                let line = cosignature(&note, 0, 1_783_000_100);
                let (_, named) = witness(0);
                let other = cosignature(&note, 0, 1_783_000_101);
                let encoded = |line: &str| line.rsplit(' ').next().unwrap().trim_end().to_owned();
                // The time of one in front of the signature of the other: the first 16 letters hold id and time.
                note.clone() + &format!("\u{2014} {} {}{}\n", named.name(), &encoded(&line)[..16], &encoded(&other)[16..])
            },
            Err("checkpoint.signature"),
        ),
        case(
            "not_a_checkpoint",
            "a signed text that is no checkpoint",
            &trust(&key(), 0, 0),
            &{ note_of(&format!("{}\nhello\n", key().name()), key().name(), &seal_key()) },
            Err("checkpoint.checkpoint"),
        ),
        case("malformed_first", "no note at all", &trust(&key(), 0, 0), "hello", Err("checkpoint.malformed")),
        case(
            "too_many",
            "17 signatures",
            &trust(&key(), 0, 0),
            &(note.clone() + &"\u{2014} x AAAAAAAA\n".repeat(16)),
            Err("checkpoint.too_large"),
        ),
        case(
            "checkpoint_before_quorum",
            "a signed text that is no checkpoint, and the quorum is short: the text is told",
            &trust(&key(), 2, 2),
            &{ note_of(&format!("{}\nhello\n", key().name()), key().name(), &seal_key()) },
            Err("checkpoint.checkpoint"),
        ),
        case(
            "signature_before_quorum",
            "the log's signature is false and the quorum is short: the signature is told",
            &trust(&key(), 2, 2),
            &note.replacen("\n12\n", "\n13\n", 1),
            Err("checkpoint.signature"),
        ),
    ]
}

/// Files and notes with several faults, of which one is told.
pub fn first_of_several() -> (Vec<File>, Vec<Belief>) {
    let (log, w0) = (format!("log {}\n", key()), format!("witness w0 {}\n", named(0)));
    let full: String = (0..64).map(|i| format!("witness w{i} {}\n", named(i))).collect();
    let bad = |name, about, error, text: String| File { name, about, bytes: text.into_bytes(), error: Some(error) };
    let files = vec![
        bad("key_before_octet", "a bad key, and a control character in a later line", "policy.key", "log x\n\u{1}\n".into()),
        bad("octet_before_key", "a control character behind a bad key in one line", "policy.syntax", "log x \u{1}\n".into()),
        bad("words_before_key", "three words behind `log`, the first a bad key", "policy.syntax", "log x y z\n".into()),
        bad(
            "name_before_key",
            "a witness's name again, before a bad key",
            "policy.duplicate",
            format!("{log}{w0}witness w0 x\n"),
        ),
        bad("room_before_key", "a 65th witness, whose key is bad", "policy.too_large", format!("{log}{full}witness w x\n")),
        bad(
            "members_before_name",
            "a group of nobody known, under a name again",
            "policy.unknown_name",
            format!("{log}{w0}group w0 any x\n"),
        ),
        bad("quorum_before_log", "neither quorum nor log", "policy.no_quorum", "# nothing\n".into()),
    ];
    let note = checkpoint().sign(&seal_key()).unwrap();
    let lines = "\u{2014} example.org/x AAAA\n".repeat(16);
    let many = Belief {
        name: "too_many_before_malformed",
        about: "17 signatures, 16 of which are no signature lines",
        trust: format!("{log}quorum none\n"),
        note: format!("{note}{lines}"),
        outcome: Err("checkpoint.too_large"),
    };
    let name = Belief {
        name: "name_before_malformed",
        about: "a signature line of three words, the first of which is no name",
        trust: many.trust.clone(),
        note: format!("{note}\u{2014} example+org AAAAAAAA x\n"),
        outcome: Err("checkpoint.name"),
    };
    (files, vec![many, name])
}
