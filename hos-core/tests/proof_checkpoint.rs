//! Notes and checkpoints, held against another log's and another implementation's.

mod proof_support;

use hos_core::digest::tree_leaf;
use hos_core::id::TreeHash;
use hos_core::limits::{NOTE_BYTES_MAX, SIGNATURES_MAX};
use hos_core::proof::checkpoint::*;
use hos_core::proof::key::SealKey;
use hos_core::proof::tree::{Frontier, prove_consistency, root, verify_consistency};
use proof_support::*;

const TESSERA: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

fn entries(bundle: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (bundle, Vec::new());
    while let [high, low, after @ ..] = rest {
        let (entry, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        found.push(entry);
        rest = next;
    }
    found
}

#[test]
fn another_logs_checkpoints_verify_and_its_tiles_add_up() {
    let Some(folder) = shared("vectors/tlog-tiles-tessera/testdata/log") else { return };
    let key = NoteKey::parse(TESSERA).unwrap();
    assert_eq!(key.to_string(), TESSERA);
    let mut previous: Option<Checkpoint> = None;
    for size in 0..=15u64 {
        let note = std::fs::read(folder.join(format!("checkpoint.{size}"))).unwrap();
        let checkpoint = Checkpoint::open(&note, &key).unwrap();
        assert_eq!((checkpoint.size, checkpoint.origin.as_str()), (size, "example.com/log/testdata"));
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        if size > 0 {
            let tile = std::fs::read(folder.join(format!("tile/0/000.p/{size}"))).unwrap();
            leaves = tile.chunks_exact(32).map(|raw| TreeHash::from_slice(raw).unwrap()).collect();
            let bundle = std::fs::read(folder.join(format!("tile/entries/000.p/{size}"))).unwrap();
            let hashed: Vec<TreeHash> = entries(&bundle).into_iter().map(tree_leaf).collect();
            assert_eq!(leaves, hashed);
            leaves.iter().for_each(|leaf| frontier.append_leaf(*leaf));
        }
        assert_eq!(frontier.root(), checkpoint.root);
        let nodes = |level, index| {
            hos_core::proof::tree::node_from_tiles(level, index, &|l, i| (l == 0 && i == 0).then(|| leaves.clone()))
        };
        assert_eq!(root(size, &nodes), Ok(checkpoint.root));
        if let Some(old) = previous.filter(|old| old.size > 0) {
            let proof = prove_consistency(old.size, size, &nodes).unwrap();
            assert_eq!(verify_consistency(old.size, size, &old.root, &checkpoint.root, &proof), Ok(()));
        }
        previous = Some(checkpoint);
    }
    let newest = std::fs::read(folder.join("checkpoint")).unwrap();
    assert!(Checkpoint::open(&newest, &key).is_ok());
}

#[test]
fn another_implementation_accepts_our_notes() {
    let log = Log::grown(5);
    let note = log.note();
    let key = note_key();
    let theirs = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let verifier = signed_note::StandardVerifier::new(&key.to_string()).unwrap();
    let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    let (verified, unverified) = theirs.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    let text = tlog_tiles::Checkpoint::from_bytes(theirs.text()).unwrap();
    assert_eq!((text.size(), text.hash().0, text.origin()), (5, log.tree.root().0, key.name()));
    assert_eq!(theirs.to_bytes(), note.as_bytes());
}

#[test]
fn a_note_opens_for_its_key_alone() {
    let mut log = Log::grown(3);
    let note = log.note();
    assert_eq!(note, log.note(), "signing is deterministic");
    assert_eq!(Checkpoint::open(note.as_bytes(), &note_key()), Ok(log.checkpoint()));
    let stranger = NoteKey::new(note_key().name(), SealKey::from_seed(&[9; 32]).verify_key()).unwrap();
    assert_eq!(Checkpoint::open(note.as_bytes(), &stranger), Err(NoteError::Unsigned));
    let renamed = NoteKey::new("hos/elsewhere", seal_key().verify_key()).unwrap();
    assert_eq!(Checkpoint::open(note.as_bytes(), &renamed), Err(NoteError::Unsigned));

    // A witness's line of another kind is passed over; a line that only claims to be the key's is not.
    let witness = "\u{2014} witness.example/w1 AAAAAQECAwQF\n";
    assert!(Checkpoint::open(format!("{note}{witness}").as_bytes(), &note_key()).is_ok());
    log.grow();
    let line = log.note().lines().last().unwrap().to_owned();
    assert_eq!(Checkpoint::open(format!("{note}{line}\n").as_bytes(), &note_key()), Err(NoteError::Signature));

    // The key of one log does not speak for another, though the note be well signed.
    let other = NoteKey::new("other", seal_key().verify_key()).unwrap();
    let text = log.checkpoint().text();
    let raw = [&other.id()[..], &seal_key().sign(text.as_bytes())].concat();
    use base64::Engine;
    let line = base64::engine::general_purpose::STANDARD.encode(raw);
    let borrowed = format!("{text}\n\u{2014} other {line}\n");
    assert!(matches!(Checkpoint::open(borrowed.as_bytes(), &other), Err(NoteError::Origin(_))));
}

#[test]
fn every_flipped_bit_of_a_note_is_noticed() {
    let note = Log::grown(3).note().into_bytes();
    for at in 0..note.len() * 8 {
        let mut bent = note.clone();
        bent[at / 8] ^= 1 << (at % 8);
        assert!(Checkpoint::open(&bent, &note_key()).is_err(), "bit {at}");
    }
    for cut in 0..note.len() {
        assert!(Checkpoint::open(&note[..cut], &note_key()).is_err(), "cut at {cut}");
    }
}

#[test]
fn malformed_notes_are_refused() {
    let line = "\u{2014} name AAAAAQECAwQF\n";
    let case = |text: &str| Note::parse(text.as_bytes()).map(|n| n.text().to_owned()).map_err(|e| e.code());
    assert_eq!(case(&format!("text\n\n{line}")), Ok("text\n".into()));
    assert_eq!(case(&format!("a\n\nb\n\n{line}")), Ok("a\n\nb\n".into()));
    for wrong in [
        String::new(),
        "text\n".into(),
        format!("text\n{line}"),
        format!("text\n\n{}", line.trim_end()),
        "text\n\n\n".into(),
        "text\n\n- name AAAAAQECAwQF\n".into(),
        "text\n\n\u{2014} name\n".into(),
        "text\n\n\u{2014} name AAAA\n".into(),
        "text\n\n\u{2014} name AAAAAQECAwQ\n".into(),
        "text\n\n\u{2014} name AAAAAQECAwQF \n".into(),
        "text\n\n\u{2014} name AAAAAQECAwQG=\n".into(),
        format!("text\n\n{line}extra\n"),
        format!("te\rxt\n\n{line}"),
        format!("te\0xt\n\n{line}"),
    ] {
        assert_eq!(case(&wrong), Err("malformed"), "{wrong:?}");
    }
    assert_eq!(case("text\n\n\u{2014} na+me AAAAAQECAwQF\n"), Err("name"));
    assert_eq!(case("text\n\n\u{2014}  AAAAAQECAwQF\n"), Err("name"));
    assert_eq!(case("text\n\n\u{2014} na\u{a0}me AAAAAQECAwQF\n"), Err("name"));
    assert_eq!(Note::parse(b"\xff\n\n").map_err(|e| e.code()), Err("malformed"));
    assert_eq!(case(&format!("text\n\n{}", line.repeat(SIGNATURES_MAX))).map(drop), Ok(()));
    assert_eq!(case(&format!("text\n\n{}", line.repeat(SIGNATURES_MAX + 1))), Err("too_large"));
    assert_eq!(case(&format!("{}\n\n{line}", "x".repeat(NOTE_BYTES_MAX))), Err("too_large"));
}

#[test]
fn malformed_checkpoints_are_refused() {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let good = Checkpoint::parse(&format!("o\n0\n{root}\nextension one\n")).unwrap();
    assert_eq!((good.size, good.extensions.len()), (0, 1));
    for wrong in [
        String::new(),
        "\n".into(),
        "o\n1\n".into(),
        format!("\n1\n{root}\n"),
        format!("o\n01\n{root}\n"),
        format!("o\n+1\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n 1\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n1\n{}\n", &root[..40]),
        format!("o\n1\n{}\n", root.replace('=', "")),
        format!("o\n1\n{}\n", root.replace("FU=", "FV=")),
        format!("o\n1\n{root}\n\n"),
        format!("o\n1\n{root}"),
    ] {
        assert_eq!(Checkpoint::parse(&wrong).map_err(|e| e.code()), Err("checkpoint"), "{wrong:?}");
    }
    let mut odd = good.clone();
    odd.extensions = vec!["two\nlines".into()];
    assert_eq!(odd.sign(&seal_key()).map_err(|e| e.code()), Err("checkpoint"));
    odd.extensions = vec![String::new()];
    assert_eq!(odd.sign(&seal_key()).map_err(|e| e.code()), Err("checkpoint"));
    odd = good.clone();
    odd.origin = "with space".into();
    assert_eq!(odd.sign(&seal_key()).map_err(|e| e.code()), Err("name"));
    odd = good;
    odd.extensions = vec!["x".repeat(NOTE_BYTES_MAX)];
    assert_eq!(odd.sign(&seal_key()).map_err(|e| e.code()), Err("too_large"));
}

#[test]
fn malformed_verifier_keys_are_refused() {
    let good = note_key().to_string();
    assert_eq!(NoteKey::parse(&good), Ok(note_key()));
    let mut pieces = good.splitn(3, '+');
    let (name, id, key) = (pieces.next().unwrap(), pieces.next().unwrap(), pieces.next().unwrap());
    for wrong in [
        String::new(),
        name.into(),
        format!("{name}+{id}"),
        format!("{name}+{}+{key}", id.to_uppercase()),
        format!("{name}+00000000+{key}"),
        format!("{name}x+{id}+{key}"),
        format!("{name}+{id}+{}", &key[..40]),
        format!("{name}+{id}+{key}="),
        // Of another type; of small order; beyond the field.
        format!("{name}+{id}+AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        format!("{name}+{id}+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        format!("{name}+{id}+Af////////////////////////////////////////////8="),
        "x".repeat(2000),
    ] {
        assert_eq!(NoteKey::parse(&wrong).map_err(|e| e.code()), Err("verifier_key"), "{wrong:?}");
    }
    assert_eq!(NoteKey::new("a b", seal_key().verify_key()).map_err(|e| e.code()), Err("name"));
    assert_eq!(NoteKey::new("", seal_key().verify_key()).map_err(|e| e.code()), Err("name"));
}

/// Who reads a checkpoint knows from its own file which log it should be of, and under which key; what the checkpoint says of itself
/// chooses among these, and adds none.
#[test]
fn a_log_does_not_choose_who_it_is() {
    use hos_core::proof::trust::Trust;
    let (own, other) = (origin(&store(), &tenant(), 0), origin(&store(), &hos_core::id::Tenant::new("t2").unwrap(), 0));
    let signed = |origin: &str, key: &SealKey| {
        Checkpoint { origin: origin.to_owned(), size: 1, root: TreeHash([7; 32]), extensions: Vec::new() }.sign(key).unwrap()
    };
    let (known, strange) = (seal_key(), SealKey::from_seed(&[9; 32]));
    let named = NoteKey::new(own.clone(), known.verify_key()).unwrap();
    let trust = Trust::parse(format!("log {named}\nquorum none\n").as_bytes()).unwrap();
    let code = |note: &str| trust.believe(note.as_bytes()).map(|believed| believed.checkpoint.origin).map_err(|e| e.code());
    assert_eq!(code(&signed(&own, &known)), Ok(own.clone()));
    // Another log that the same key signs; the known log under another key; both another's, whole and validly signed.
    assert_eq!(code(&signed(&other, &known)), Err("trust.unknown_log".into()));
    assert_eq!(code(&signed(&own, &strange)), Err("checkpoint.unsigned".into()));
    assert_eq!(code(&signed(&other, &strange)), Err("trust.unknown_log".into()));
    // A second signature, of a key that the server brings along, makes nobody known.
    let both = format!("{}{}\n", signed(&other, &strange), signed(&own, &known).lines().last().unwrap());
    assert_eq!(code(&both), Err("trust.unknown_log".into()));
}

#[test]
fn a_note_may_be_as_long_as_the_limit() {
    let line = "\u{2014} name AAAAAQECAwQF\n";
    let note = |bytes: usize| format!("{}\n\n{line}", "x".repeat(bytes - line.len() - 2));
    assert_eq!(Note::parse(note(NOTE_BYTES_MAX).as_bytes()).map(drop), Ok(()));
    assert_eq!(Note::parse(note(NOTE_BYTES_MAX + 1).as_bytes()), Err(NoteError::TooLarge));
    // The same for one that is signed here.
    let checkpoint = |filler: usize| Checkpoint { extensions: vec!["x".repeat(filler)], ..Log::grown(1).checkpoint() };
    let besides = checkpoint(1).sign(&seal_key()).unwrap().len() - 1;
    let longest = checkpoint(NOTE_BYTES_MAX - besides).sign(&seal_key()).unwrap();
    assert_eq!(longest.len(), NOTE_BYTES_MAX);
    assert!(Checkpoint::open(longest.as_bytes(), &note_key()).is_ok());
    assert_eq!(checkpoint(NOTE_BYTES_MAX - besides + 1).sign(&seal_key()), Err(NoteError::TooLarge));
}

#[test]
fn a_signature_that_was_made_elsewhere_makes_the_same_note() {
    let checkpoint = Log::grown(3).checkpoint();
    let (key, signature) = (seal_key().verify_key(), seal_key().sign(checkpoint.text().as_bytes()));
    let note = checkpoint.signed(&key, &signature).unwrap();
    assert_eq!(note, checkpoint.sign(&seal_key()).unwrap());
    let parsed = Note::parse(note.as_bytes()).unwrap();
    let [line] = parsed.signatures() else { panic!("one signature") };
    assert_eq!((line.name.as_str(), line.id, line.signature.as_slice()), (note_key().name(), note_key().id(), &signature[..]));
    let other = seal_key().sign(b"another text");
    assert_eq!(checkpoint.signed(&key, &other), Err(NoteError::Signature));
    let stranger = SealKey::from_seed(&[9; 32]).verify_key();
    assert_eq!(checkpoint.signed(&stranger, &signature), Err(NoteError::Signature));
}

#[test]
fn a_verifier_key_is_read_up_to_its_limit_and_says_why_it_is_none() {
    let key = || seal_key().verify_key();
    // Two plus signs, the id in eight digits, and the type and the key in base64.
    let named = |bytes: usize| NoteKey::new("n".repeat(bytes - 2 - 8 - 44), key()).unwrap().to_string();
    assert_eq!(named(1024).len(), 1024);
    assert_eq!(NoteKey::parse(&named(1024)).map(|k| k.to_string()), Ok(named(1024)));
    assert_eq!(NoteKey::parse(&named(1025)), Err(NoteError::VerifierKey("too long")));
    use base64::Engine;
    let encoded = |kind: u8, public: &[u8]| {
        let typed = [&[kind], public].concat();
        format!("name+00000000+{}", base64::engine::general_purpose::STANDARD.encode(typed))
    };
    let mut identity = [0; 32];
    identity[0] = 1;
    let cases = [
        (encoded(1, &identity), "the key is of small order"),
        (encoded(1, &[0xff; 32]), "the key is not a canonically encoded point"),
        (encoded(1, &[7; 31]), "the key has not 32 bytes"),
        (encoded(4, key().as_bytes()), "the key is not of the expected type"),
        (encoded(1, key().as_bytes()), "the id is not that of name and key"),
        ("name+00000000+!".into(), "the key is not base64"),
        ("name+00000000".into(), "expected name+id+key"),
    ];
    for (text, why) in cases {
        assert_eq!(NoteKey::parse(&text), Err(NoteError::VerifierKey(why)), "{text}");
    }
}
