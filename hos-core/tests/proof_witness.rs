//! Witnesses: what a log asks of them, what they sign, and what of their answers is taken over (C2SP tlog-witness,
//! tlog-cosignature).

mod proof_support;

use hos_core::digest::{tree_empty, tree_leaf};
use hos_core::limits::{NOTE_BYTES_MAX, PROOF_MAX, SIGNATURES_MAX, WITNESS_ANSWER_BYTES_MAX};
use hos_core::proof::checkpoint::*;
use hos_core::proof::key::SealKey;
use hos_core::proof::witness::*;
use proof_support::*;

fn secret(seed: u8) -> SealKey {
    SealKey::from_seed(&[seed; 32])
}

fn witness() -> WitnessKey {
    WitnessKey::new("witness.example/w1", secret(21).verify_key()).unwrap()
}

fn line(text: &str) -> String {
    cosignature("witness.example/w1", &secret(21), 1_783_000_000, text).unwrap()
}

fn parsed(note: &str) -> Note {
    Note::parse(note.as_bytes()).unwrap()
}

#[test]
fn a_witness_is_asked_in_the_words_of_the_protocol() {
    let (a, b) = (tree_leaf(b"a"), tree_leaf(b"b"));
    let note = "the note\n";
    let (first, second) = (hash_base64(&a), hash_base64(&b));
    assert_eq!(add_checkpoint(3, &[a, b], note), Some(format!("old 3\n{first}\n{second}\n\nthe note\n")));
    assert_eq!(add_checkpoint(3, &[], note).as_deref(), Some("old 3\n\nthe note\n"));
    assert_eq!(add_checkpoint(0, &[], note).as_deref(), Some("old 0\n\nthe note\n"));
    assert_eq!(add_checkpoint(0, &[a], note), None, "every tree begins with nothing: there is nothing to prove");
    assert!(add_checkpoint(3, &vec![a; PROOF_MAX - 1], note).is_some(), "63 hashes are the protocol's most");
    assert_eq!(add_checkpoint(3, &vec![a; PROOF_MAX], note), None);
}

#[test]
fn a_conflict_says_the_size_in_one_way() {
    let cases: [(&[u8], Option<u64>); 9] = [
        (b"0\n", Some(0)),
        (b"17\n", Some(17)),
        (b"18446744073709551615\n", Some(u64::MAX)),
        (b"18446744073709551616\n", None),
        (b"17", None),
        (b"017\n", None),
        (b"+17\n", None),
        (b"17\n\n", None),
        (b"\xff\n", None),
    ];
    for (answer, size) in cases {
        assert_eq!(conflict(answer), size, "{answer:?}");
    }
}

#[test]
fn a_hash_has_one_base64() {
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(hash_base64(&tree_empty()), empty);
    assert_eq!(hash_from_base64(empty), Some(tree_empty()));
    for other in ["", "AAAA", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="] {
        assert_eq!(hash_from_base64(other), None, "{other}");
    }
}

#[test]
fn a_cosignature_is_of_the_whole_text_its_time_and_its_witness() {
    let log = Log::grown(3);
    let (note, text) = (log.note(), log.checkpoint().text());
    assert_eq!(cosigned(7, &text), format!("cosignature/v1\ntime 7\n{text}"));
    assert_eq!(witness().vouches(&parsed(&note)), Ok(false), "nobody asked it");
    let signed = format!("{note}{}", line(&text));
    assert_eq!(witness().vouches(&parsed(&signed)), Ok(true));
    // The line: the name, then the key's id, the time in eight bytes, the signature.
    let whole = parsed(&signed);
    let [ours, theirs] = whole.signatures() else { panic!("two lines") };
    assert_eq!((ours.name.as_str(), ours.signature.len()), (note_key().name(), 64));
    assert_eq!((theirs.name.as_str(), theirs.signature.len()), ("witness.example/w1", 72));
    assert_eq!(theirs.signature[..8], 1_783_000_000u64.to_be_bytes());
    assert_eq!(ours.id, note_key().id());
    // A line of another witness, and of the same name with another key, is passed over.
    let stranger = cosignature("witness.example/w2", &secret(22), 5, &text).unwrap();
    let namesake = cosignature("witness.example/w1", &secret(22), 5, &text).unwrap();
    for other in [stranger, namesake] {
        assert_eq!(witness().vouches(&parsed(&format!("{note}{other}"))), Ok(false));
        assert_eq!(witness().vouches(&parsed(&format!("{note}{other}{}", line(&text)))), Ok(true));
    }
    // A line that names the witness and is of another text is a lie, whatever else stands there.
    let elsewhere = Log::grown(4).checkpoint().text();
    assert_eq!(witness().vouches(&parsed(&format!("{signed}{}", line(&elsewhere)))), Err(NoteError::Signature));
    assert!(cosignature("wit ness", &secret(21), 1, &text).is_err());
}

#[test]
fn a_witness_key_is_read_as_it_is_written() {
    let text = witness().to_string();
    assert_eq!(WitnessKey::parse(&text), Ok(witness()));
    assert_eq!((witness().name(), witness().key()), ("witness.example/w1", &secret(21).verify_key()));
    // A log's key under the same name is another: the type is part of the id.
    let log = NoteKey::new("witness.example/w1", secret(21).verify_key()).unwrap();
    assert!(WitnessKey::parse(&log.to_string()).is_err() && NoteKey::parse(&text).is_err());
    assert!(WitnessKey::new("", secret(21).verify_key()).is_err() && WitnessKey::new("a+b", secret(21).verify_key()).is_err());
}

#[test]
fn of_an_answer_only_the_witnesss_own_line_is_taken_over() {
    let log = Log::grown(3);
    let (note, text) = (log.note(), log.checkpoint().text());
    let own = line(&text);
    let taken = format!("{note}{own}");
    assert_eq!(with_cosignature(&note, own.as_bytes(), &witness()), Ok(taken.clone()));
    let other = cosignature("witness.example/w2", &secret(22), 5, &text).unwrap();
    assert_eq!(with_cosignature(&note, format!("{other}{own}").as_bytes(), &witness()), Ok(taken.clone()));
    assert_eq!(with_cosignature(&taken, own.as_bytes(), &witness()), Ok(taken.clone()), "it stands there already");
    assert_eq!(with_cosignature(&note, other.as_bytes(), &witness()), Err(NoteError::Unsigned));
    let elsewhere = line(&Log::grown(4).checkpoint().text());
    assert_eq!(with_cosignature(&note, elsewhere.as_bytes(), &witness()), Err(NoteError::Signature));
    for wrong in [own.trim_end().as_bytes(), b"", b"\n", b"no\n", b"\xff\n", format!("{own}\n").as_bytes()] {
        let said = with_cosignature(&note, wrong, &witness());
        let fine = wrong.starts_with(own.as_bytes());
        assert_eq!(said.map_err(|e| e.code()), if fine { Ok(taken.clone()) } else { Err("malformed") }, "{wrong:?}");
    }
}

#[test]
fn an_answer_and_what_it_makes_of_the_note_have_limits() {
    let log = Log::grown(3);
    let (note, text) = (log.note(), log.checkpoint().text());
    let own = line(&text);
    // What else an answer says is passed over, as long as it is as long as answers are.
    let padded = |bytes: usize| {
        let id = "\u{2014} w ".len() + 1;
        let raw = (bytes - own.len() - id) / 4 * 4;
        let name = "w".repeat(1 + bytes - own.len() - id - raw);
        format!("\u{2014} {name} {}\n{own}", "A".repeat(raw))
    };
    let longest = padded(WITNESS_ANSWER_BYTES_MAX);
    assert_eq!(longest.len(), WITNESS_ANSWER_BYTES_MAX);
    assert_eq!(with_cosignature(&note, longest.as_bytes(), &witness()), Ok(format!("{note}{own}")));
    let longer = padded(WITNESS_ANSWER_BYTES_MAX + 1);
    assert_eq!(with_cosignature(&note, longer.as_bytes(), &witness()), Err(NoteError::TooLarge));
    // A note takes so many signatures, and this one is the last of them.
    let other = |at: usize| cosignature(&format!("w{at}"), &secret(30), 5, &text).unwrap();
    let crowded: String = std::iter::once(note.clone()).chain((0..SIGNATURES_MAX - 2).map(other)).collect();
    assert_eq!(parsed(&crowded).signatures().len(), SIGNATURES_MAX - 1);
    assert_eq!(with_cosignature(&crowded, own.as_bytes(), &witness()), Ok(format!("{crowded}{own}")));
    let full = format!("{crowded}{}", other(99));
    assert_eq!(with_cosignature(&full, own.as_bytes(), &witness()), Err(NoteError::TooLarge));
    let there = format!("{crowded}{own}");
    assert_eq!(with_cosignature(&there, own.as_bytes(), &witness()), Ok(there.clone()));
    // And so many bytes.
    let wide = |more: usize| {
        let line = |name: usize| cosignature(&"n".repeat(name), &secret(30), 5, &text).unwrap();
        let name = NOTE_BYTES_MAX - note.len() - own.len() - (line(1).len() - 1) + more;
        format!("{note}{}", line(name))
    };
    assert_eq!(with_cosignature(&wide(0), own.as_bytes(), &witness()).map(|whole| whole.len()), Ok(NOTE_BYTES_MAX));
    assert_eq!(with_cosignature(&wide(1), own.as_bytes(), &witness()), Err(NoteError::TooLarge));
}
