//! Step 3: checkpoints that are not believed, and the witnesses and kept checkpoints.

use super::*;
use crate::audit_support::story::resigned;
use crate::audit_support::*;
use hos_core::id::{Handle, Tenant, TreeHash};
use hos_core::proof::bundle::KeyRange;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey, origin};
use hos_core::proof::key::SealKey;

fn stranger() -> SealKey {
    SealKey::from_seed(&[99; 32])
}

/// The first log's note, exchanged.
fn noted(name: &'static str, about: &'static str, code: &'static str, change: impl FnOnce(&Made) -> String) -> Case {
    bent(name, about, code, &Plan::least(), |m| m.bundle.logs[0].note = change(m))
}

fn text_of(note: &str) -> &str {
    &note[..note.rfind("\n\n").unwrap() + 1]
}

/// The text of the first note, changed and signed again.
fn retold(name: &'static str, about: &'static str, code: &'static str, change: impl FnOnce(String) -> String) -> Case {
    noted(name, about, code, |m| {
        let note = &m.bundle.logs[0].note;
        note_of(&change(text_of(note).to_owned()), m.logs[0].key().name(), &seal_key())
    })
}

fn notes() -> Vec<Case> {
    let lines = |m: &Made, count: usize| -> String {
        let line = "\u{2014} example.org/x AAAAAAAA\n".repeat(count);
        format!("{}{line}", m.bundle.logs[0].note)
    };
    vec![
        bent("unknown_log", "the trust file names another log", "trust.unknown_log", &Plan::least(), |m| {
            m.trust = trust(&log_key(&Tenant::new("baska").unwrap(), 0), 0, 0);
        }),
        bent(
            "unknown_epoch",
            "the trust file names another epoch",
            "trust.unknown_log",
            &Plan { epoch: 1, ..Plan::least() },
            |m| {
                m.trust = trust(&log_key(&Tenant::universe(), 0), 0, 0);
            },
        ),
        bent("own_key", "signed by a key of their own, listed in the bundle", "checkpoint.unsigned", &Plan::least(), |m| {
            m.bundle.logs[0].note = m.logs[0].checkpoint().sign(&stranger()).unwrap();
            let key = NoteKey::new(m.logs[0].key().name(), stranger().verify_key()).unwrap();
            m.bundle.keys = vec![KeyRange { log: 0, vkey: key.to_string(), from: 0, to: 0 }];
        }),
        noted("signature_bent", "another size under the same signature", "checkpoint.signature", |m| {
            m.bundle.logs[0].note.replacen("\n3\n", "\n4\n", 1)
        }),
        noted("signature_other_root", "a root's letter changed", "checkpoint.signature", |m| {
            let mut other = m.logs[0].checkpoint();
            other.root = TreeHash([7; 32]);
            format!("{}\n{}", other.text(), m.bundle.logs[0].note.rsplit_once("\n\n").unwrap().1)
        }),
        noted("signature_false_second", "a false signature beside the good one", "checkpoint.signature", |m| {
            let other = resigned(m, 0, |c| c.size += 1);
            format!("{}{}\n", m.bundle.logs[0].note, other.lines().last().unwrap())
        }),
        noted("signature_long", "the key's signature has a byte too many", "checkpoint.signature", |m| {
            let key = m.logs[0].key();
            let text = text_of(&m.bundle.logs[0].note);
            let long = base64(&[&key.id()[..], &seal_key().sign(text.as_bytes()), &[0]].concat());
            format!("{text}\n\u{2014} {} {long}\n", key.name())
        }),
        noted("signatures_17", "17 signatures", "checkpoint.too_large", |m| lines(m, 16)),
        noted("signatures_100", "100 signatures", "checkpoint.too_large", |m| lines(m, 99)),
        noted("note_cut", "the note is cut", "checkpoint.malformed", |m| m.bundle.logs[0].note.trim_end().to_owned()),
        noted("note_unsigned", "no signature line", "checkpoint.malformed", |m| text_of(&m.bundle.logs[0].note).to_owned()),
        noted("note_short_signature", "a signature of four bytes", "checkpoint.malformed", |m| {
            format!("{}\u{2014} example.org/x AAAAAA==\n", m.bundle.logs[0].note)
        }),
        noted("note_control", "a control character in the text", "checkpoint.malformed", |m| {
            m.bundle.logs[0].note.replacen('\n', "\t\n", 1)
        }),
        noted("note_base64_bits", "trailing bits that are not zero", "checkpoint.malformed", |m| {
            format!("{}\u{2014} example.org/x AAAAAAB=\n", m.bundle.logs[0].note)
        }),
        noted("note_name", "a signature line whose name holds a plus", "checkpoint.name", |m| {
            format!("{}\u{2014} example+org AAAAAAAA\n", m.bundle.logs[0].note)
        }),
        noted("note_name_space", "a name with a space that is not ASCII", "checkpoint.name", |m| {
            format!("{}\u{2014} example\u{2003}org AAAAAAAA\n", m.bundle.logs[0].note)
        }),
        noted("note_empty", "no note", "checkpoint.malformed", |_| String::new()),
        retold("size_zeros", "a size with a leading zero", "checkpoint.checkpoint", |t| t.replacen("\n3\n", "\n03\n", 1)),
        retold("size_words", "a size that is no number", "checkpoint.checkpoint", |t| t.replacen("\n3\n", "\nthree\n", 1)),
        retold("size_plus", "a size with a sign", "checkpoint.checkpoint", |t| t.replacen("\n3\n", "\n+3\n", 1)),
        retold("size_beyond", "a size of 2^64", "checkpoint.checkpoint", |t| t.replacen("\n3\n", "\n18446744073709551616\n", 1)),
        retold("root_short", "a root of 31 bytes", "checkpoint.checkpoint", |t| {
            let lines: Vec<&str> = t.lines().collect();
            format!("{}\n{}\n{}\n", lines[0], lines[1], base64(&[1; 31]))
        }),
        retold("two_lines", "a checkpoint of two lines", "checkpoint.checkpoint", |t| {
            t.lines().take(2).map(|line| format!("{line}\n")).collect()
        }),
        retold("extension_empty", "an empty extension", "checkpoint.checkpoint", |t| format!("{t}\nx\n")),
    ]
}

fn which() -> Vec<Case> {
    let with_universe = || Plan { roles: false, moves: false, map: false, ..Plan::default() };
    /// A log that names itself otherwise than ours do.
    fn named(name: &'static str, about: &'static str, origin: &'static str) -> Case {
        bent(name, about, "log.origin", &Plan::least(), move |m| {
            let mut checkpoint = m.logs[0].checkpoint();
            checkpoint.origin = origin.to_owned();
            m.bundle.logs[0].note = checkpoint.sign(&seal_key()).unwrap();
            m.trust = trust(&NoteKey::new(origin, seal_key().verify_key()).unwrap(), 0, 0);
        })
    }
    vec![
        bent("tenant_other", "the bundle calls its log another tenant's", "log.origin", &Plan::least(), |m| {
            m.bundle.logs[0].tenant = "pazar-tr".into();
        }),
        named("origin_foreign", "a log that is none of ours", "example.org/log"),
        named("origin_capitals", "a store in capitals", "hos/7AE2E77FD733FDB278CE4FF6D098115F/universe/0"),
        named("origin_epoch_zeros", "an epoch with a leading zero", "hos/7ae2e77fd733fdb278ce4ff6d098115f/universe/00"),
        named("origin_more", "an origin of five pieces", "hos/7ae2e77fd733fdb278ce4ff6d098115f/universe/0/0"),
        bent("second_other_tenant", "the second log is no universe's", "log.origin", &with_universe(), |m| {
            m.bundle.logs[1].tenant = "baska".into();
        }),
        bent("second_of_universe", "two logs though the first is the universe's", "log.origin", &Plan::least(), |m| {
            let log = m.bundle.logs[0].clone();
            m.bundle.logs.push(log);
        }),
        bent("second_other_store", "the second log is another store's", "log.origin", &with_universe(), |m| {
            let mut checkpoint = m.logs[1].checkpoint();
            checkpoint.origin = origin(&hos_core::id::StoreId([1; 16]), &Tenant::universe(), 0);
            m.bundle.logs[1].note = checkpoint.sign(&seal_key()).unwrap();
        }),
        bent("second_other_epoch", "the second log is of another epoch", "log.origin", &with_universe(), |m| {
            let mut checkpoint = m.logs[1].checkpoint();
            checkpoint.origin = origin(&store(), &Tenant::universe(), 1);
            m.bundle.logs[1].note = checkpoint.sign(&seal_key()).unwrap();
        }),
        bent(
            "second_other_key",
            "the universe's checkpoint is signed by another key",
            "checkpoint.unsigned",
            &with_universe(),
            |m| {
                m.bundle.logs[1].note = m.logs[1].checkpoint().sign(&stranger()).unwrap();
            },
        ),
        bent("second_bent", "the universe's checkpoint is of another size", "checkpoint.signature", &with_universe(), |m| {
            m.bundle.logs[1].note = m.bundle.logs[1].note.replacen("\n3\n", "\n4\n", 1);
        }),
        bent("key_unlisted", "the signing key is not listed", "key.range", &Plan::least(), |m| m.bundle.keys.clear()),
        bent("key_later", "an old key's successor: listed for later sizes alone", "key.range", &Plan::least(), |m| {
            m.bundle.keys[0].from = 4;
        }),
        bent("key_earlier", "a retired key signs new entries", "key.range", &Plan::least(), |m| m.bundle.keys[0].to = 2),
        bent("key_of_second", "the signing key is listed for the second log alone", "key.range", &with_universe(), |m| {
            let vkey = m.bundle.keys[0].vkey.clone();
            m.bundle.keys = vec![KeyRange { log: 1, vkey, from: 0, to: 0 }];
        }),
        bent("tenants_mixed", "a record of another tenant's log", "foreign", &with_universe(), |m| {
            let mut other = log::LogMaker::new(Tenant::new("baska").unwrap(), 0);
            let mut rec = record::Rec::new(hos_core::proof::record::Kind::Begun, "order", 10);
            rec.header.thread = Handle(drawn("order", 0));
            other.put("other", rec);
            m.bundle.records[0] = other.item(0);
        }),
    ]
}

fn witnesses() -> Vec<Case> {
    let asked = |signing: Vec<u64>, asked| Plan { witnesses: (3, signing, asked), ..Plan::least() };
    vec![
        told("quorum_none", "no witness signed and two are asked for", "trust.quorum", &asked(Vec::new(), 2)),
        told("quorum_short", "one witness signed and two are asked for", "trust.quorum", &asked(vec![1], 2)),
        bent("quorum_repeated", "one witness signed twice and two are asked for", "trust.quorum", &asked(vec![1], 2), |m| {
            let again = cosignature(&m.bundle.logs[0].note, 1, 1_783_000_500);
            m.bundle.logs[0].note += &again;
        }),
        bent(
            "quorum_strangers",
            "witnesses signed whom the trust file does not name",
            "trust.quorum",
            &asked(vec![7, 8], 2),
            |_| (),
        ),
        bent("cosignature_moved", "a cosignature of another checkpoint", "checkpoint.signature", &asked(vec![0, 1], 2), |m| {
            let other = cosignature(&resigned(m, 0, |c| c.size += 1), 2, 1_783_000_102);
            m.bundle.logs[0].note += &other;
        }),
        bent(
            "cosignature_of_1948",
            "a cosignature whose time is beyond 63 bits",
            "checkpoint.signature",
            &asked(vec![0, 1], 2),
            |m| {
                let line = cosignature(&m.bundle.logs[0].note, 2, (-694_224_000i64).cast_unsigned());
                m.bundle.logs[0].note += &line;
            },
        ),
        bent("cosignature_short", "a cosignature of 71 bytes", "checkpoint.signature", &asked(vec![0, 1], 2), |m| {
            let (_, named) = witness(2);
            let id = hos_core::digest::note_key_id(named.name(), 4, named.key().as_bytes());
            m.bundle.logs[0].note += &format!("\u{2014} {} {}\n", named.name(), base64(&[&id[..], &[1; 71]].concat()));
        }),
        bent("cosigned_as_log", "a witness's name under a plain signature of its key", "trust.quorum", &asked(vec![0], 2), |m| {
            let (key, named) = witness(1);
            let line = note_of(text_of(&m.bundle.logs[0].note), named.name(), &key);
            m.bundle.logs[0].note += &format!("{}\n", line.lines().last().unwrap());
        }),
        bent("forked", "a checkpoint kept elsewhere has another root for this size", "trust.fork", &Plan::least(), |m| {
            m.against = vec![resigned(m, 0, |c| c.root = TreeHash([3; 32]))];
        }),
        bent("kept_by_another", "what was kept is signed by another key", "checkpoint.unsigned", &Plan::least(), |m| {
            m.against = vec![m.logs[0].checkpoint().sign(&stranger()).unwrap()];
        }),
        bent(
            "kept_other_origin",
            "what was kept is of another log under this log's name",
            "checkpoint.origin",
            &Plan::least(),
            |m| {
                let mut other = m.logs[0].checkpoint();
                other.origin = "hos/elsewhere".into();
                m.against = vec![note_of(&other.text(), m.logs[0].key().name(), &seal_key())];
            },
        ),
        bent("kept_malformed", "what was kept is no note", "checkpoint.malformed", &Plan::least(), |m| {
            m.against = vec!["no note".into()];
        }),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [notes(), which(), witnesses()].into_iter().flatten().collect()
}

/// The log goes on in epoch 1, and what was kept is of another epoch.
pub(super) fn epochs() -> Vec<Case> {
    let kept = |name, about, expected, epoch: u64, root: fn(&mut Checkpoint)| {
        bent(name, about, expected, &small(), |m| {
            m.logs[0].epoch = epoch;
            let mut said = m.logs[0].checkpoint();
            root(&mut said);
            m.against = vec![said.sign(&seal_key()).unwrap()];
            m.logs[0].epoch = 1;
            m.bundle.logs[0].note = m.logs[0].note();
            m.bundle.keys = vec![KeyRange { log: 0, vkey: m.logs[0].key().to_string(), from: 0, to: 0 }];
            m.trust = trust(&m.logs[0].key(), 0, 0);
        })
    };
    let other: fn(&mut Checkpoint) = |said| said.root = TreeHash([3; 32]);
    let same: fn(&mut Checkpoint) = |_| ();
    vec![
        kept("kept_earlier_epoch", "what was kept is of an earlier epoch, and of other entries", "intact", 0, other),
        kept("kept_earlier_same", "what was kept is of an earlier epoch, and of the same entries", "anchored", 0, same),
        kept("kept_later_epoch", "what was kept is of a later epoch", "checkpoint.origin", 2, same),
        kept("kept_own_epoch", "what was kept is of the log's epoch, and of other entries", "trust.fork", 1, other),
    ]
}
