//! Small things that a verifier must not get wrong, each in a bundle of its own; and what judging a bundle again counts.

mod audit_support;

use audit_support::log::LogMaker;
use audit_support::record::{Rec, active, heads_content, membership, part, put, remove, values};
use audit_support::story::{Made, Plan, buyer, buyers, grow, made, row, seller, tell};
use audit_support::{seal_key, tenant};
use hos_core::audit::legacy::{Claim, Excess};
use hos_core::audit::replay::{Difference, Outcome};
use hos_core::audit::{Notice, Replayed, Verdict, bundle, bundle_replayed};
use hos_core::id::*;
use hos_core::proof::bundle::KeyRange;
use hos_core::proof::checkpoint::NoteKey;
use hos_core::proof::heads::{Head, HeadKind, HeadsBuilder};
use hos_core::proof::key::SealKey;
use hos_core::proof::keyring::KeyChange;
use hos_core::proof::record::*;
use hos_core::proof::trust::Trust;
use hos_core::proof::view::HeaderView;
use hos_core::value::{Ext, Value};

fn judged(made: &Made) -> Verdict {
    bundle(&made.bytes(), &Trust::parse(made.trust.as_bytes()).unwrap(), &made.kept())
}

fn says(verdict: &Verdict) -> String {
    match &verdict.standing {
        hos_core::audit::Standing::Refused(refused) => refused.code.to_string(),
        standing => standing.as_str().to_owned(),
    }
}

/// One log, no directory.
fn small() -> Plan {
    Plan { universe: false, roles: false, noise: 0, ..Plan::default() }
}

#[test]
fn a_good_bundle_holds_and_says_what_it_went_through() {
    let verdict = judged(&made(&small()));
    assert!(verdict.holds(), "{verdict:?}");
    assert_eq!(verdict.states.iter().map(Name::as_str).collect::<Vec<_>>(), ["new", "paid", "shipped"]);
    let mut cut = made(&small());
    cut.bundle.records.pop();
    assert!(!judged(&cut).holds());
}

#[test]
fn what_judging_again_came_to_is_counted_by_its_kind() {
    let of = |counts: [usize; 4]| {
        let differs = Outcome::Differs(Difference { what: "to".into(), was: "a".into(), now: "b".into() });
        let kinds = [Outcome::Same, differs, Outcome::Erased, Outcome::Attested];
        let outcomes = kinds.into_iter().zip(counts).flat_map(|(kind, count)| vec![kind; count]).collect();
        Replayed { outcomes, first: None }.counts()
    };
    assert_eq!(of([4, 3, 2, 1]), (4, 3, 2, 1));
    assert_eq!(of([0, 0, 0, 0]), (0, 0, 0, 0));
    assert_eq!(of([0, 5, 0, 7]), (0, 5, 0, 7));
}

#[test]
fn records_of_a_law_that_does_not_load_are_judged_by_nobody() {
    let good = made(&small());
    let trust = Trust::parse(good.trust.as_bytes()).unwrap();
    let (verdict, replayed) = bundle_replayed(&good.bytes(), &trust, &[]);
    let replayed = replayed.unwrap();
    assert_eq!((verdict.holds(), replayed.counts()), (true, (0, 3, 0, 0)));
    let (place, difference) = replayed.first.unwrap();
    assert_eq!((place, difference.what.as_str(), difference.now.as_str()), (0, "law", "not at hand"));
    assert_eq!(verdict, judged(&good), "the verdict is the same");
    let mut bad = good.clone();
    bad.bundle.records.pop();
    assert!(bundle_replayed(&bad.bytes(), &trust, &[]).1.is_none(), "what does not hold is not judged again");
}

/// The log's maker lies in the map: the thread ends where it ends, with another record.
#[test]
fn a_thread_ends_with_its_own_last_record() {
    let lied = |bend: fn(&mut Head)| {
        let plan = Plan { map: false, ..small() };
        let mut grown = grow(&plan);
        let log = &mut grown.logs[0];
        let mut head = log.head(&grown.thread);
        bend(&mut head);
        let mut builder = HeadsBuilder::default();
        builder.push(&head);
        let map = builder.finish().unwrap();
        let content = heads_content(log.size(), 1, &map.root());
        log.put("heads", Rec::of_stream(Kind::Heads, "hos.heads", 50).with(Slot::Change, content));
        grown.end = Some((map, head));
        says(&judged(&tell(&plan, &grown)))
    };
    assert_eq!(lied(|_| ()), "intact");
    assert_eq!(lied(|head| head.last = RecordHash([7; 32])), "heads.end");
    assert_eq!(lied(|head| head.n += 1), "heads.end");
    assert_eq!(lied(|head| head.kind = HeadKind::Erased), "heads.end");
}

/// A record of the directory that says no changed nothing, whatever else it says.
#[test]
fn what_was_refused_gave_nobody_a_role() {
    let bent = |whose: &'static str, bend: fn(&mut Rec)| {
        says(&judged(&made(&Plan::default().bending(move |name, rec| {
            if name == whose {
                bend(rec)
            }
        }))))
    };
    assert_eq!(bent("-", |_| ()), "intact");
    for whose in ["grant", "join buyer", "put seller"] {
        assert_eq!(bent(whose, |rec| rec.header.decision = Decision::Deny), "directory.missing", "{whose}");
        assert_eq!(bent(whose, |rec| rec.header.refusal = Some("hos.forbidden".into())), "directory.missing", "{whose}");
        assert_eq!(bent(whose, |rec| rec.header.kind = Kind::Noted), "directory.missing", "{whose}");
    }
}

/// Puts a record behind another one of the story, and has what is judged cite it.
fn citing(behind: &'static str, change: fn() -> Rec, of: Uid, parents: fn() -> Vec<Uid>) -> String {
    let adding = move |name: &str, log: &mut LogMaker| {
        if name == behind {
            log.put("added", change());
        }
    };
    let first = grow(&Plan::default().adding(adding));
    let hash = first.logs.iter().flat_map(|log| &log.placed).find(|placed| placed.name == "added").unwrap().hash;
    let plan = Plan::default().adding(adding).bending(move |_, rec| {
        for entity in rec.slice.iter_mut().flat_map(|slice| &mut slice.entities).filter(|entity| entity.uid == of) {
            entity.record = Some(hash);
            entity.parents = parents();
        }
    });
    says(&judged(&tell(&plan, &grow(&plan))))
}

#[test]
fn a_row_says_nothing_of_anybody_once_a_change_of_it_is_unreadable_or_it_is_removed() {
    let again = || row("row of seller", 1, put(&seller(), &active(false)));
    assert_eq!(citing("put seller", again, seller(), Vec::new), "intact", "put once more as it was");
    let unreadable = || row("row of seller", 1, vec![0xff]);
    assert_eq!(citing("put seller", unreadable, seller(), Vec::new), "directory.other");
    let leave = || row("own row of buyer", 2, membership(3, &buyer(), &buyers()));
    assert_eq!(citing("join buyer", leave, buyer(), Vec::new), "intact", "of no role any more");
    let gone = || row("own row of buyer", 2, remove(&buyer()));
    assert_eq!(
        citing("join buyer", gone, buyer(), Vec::new),
        "directory.other",
        "the tenant's row is gone, the universe's stands"
    );
}

fn told_row() -> Vec<u8> {
    let at = ("at".to_owned(), Value::Ext(Ext::Datetime, "2024-03-01T10:00:00.000Z".into()));
    let texts = [("from", "new"), ("to", "paid"), ("event", "pay")].map(|(name, text)| (name.to_owned(), Value::from(text)));
    values(&texts.into_iter().chain([at]).collect())
}

/// A record of an older log's.
fn telling(bend: impl Fn(&mut Rec) + 'static) -> Plan {
    small().bending(move |name, rec| {
        if name == "pay" {
            rec.header.kind = Kind::Legacy;
            (rec.header.decision, rec.header.policies) = (Decision::None, Vec::new());
            rec.parts.retain(|part| part.slot == Slot::Principal);
            rec.parts.push(part(Slot::Payload, told_row()));
            bend(rec);
        }
    })
}

#[test]
fn what_an_older_log_tells_is_no_state_of_the_instance_s() {
    let verdict = judged(&made(&telling(|_| ())));
    assert!(verdict.holds(), "{verdict:?}");
    assert_eq!(verdict.states.iter().map(Name::as_str).collect::<Vec<_>>(), ["new", "shipped"]);
    assert!(verdict.notices.contains(&Notice::Attested));
    assert!(!judged(&made(&small())).notices.contains(&Notice::Attested));
}

/// The same is said of a header and of its bytes.
#[test]
fn a_claim_is_the_same_over_a_header_and_over_its_bytes() {
    type Bend = fn(&mut Header);
    let bends: [(Option<Excess>, Bend); 8] = [
        (None, |_| ()),
        (Some(Excess::Place), |h| h.n = Some(0)),
        (Some(Excess::Judged), |h| h.decision = Decision::Allow),
        (Some(Excess::Judged), |h| h.refusal = Some("hos.forbidden".into())),
        (Some(Excess::Judged), |h| h.policies = vec!["buyer-acts".into()]),
        (Some(Excess::Parts), |h| h.parts.retain(|part| part.slot != Slot::Payload)),
        (Some(Excess::Entry), |h| h.to = Some(Name::new("shipped").unwrap())),
        (None, |h| (h.from, h.to, h.event) = (None, None, None)),
    ];
    let grown = grow(&telling(|_| ()));
    let placed = grown.logs[0].placed.iter().find(|placed| placed.name == "pay").unwrap();
    let entry = hos_core::proof::chain::Entry::decode(&placed.entry).unwrap();
    let good = Header::decode(&entry.header).unwrap();
    for (wanted, bend) in bends {
        let mut header = good.clone();
        bend(&mut header);
        if header.n == Some(0) {
            header.prev = None;
        }
        assert_eq!(Claim::of(&header).excess(Some(&told_row())), wanted, "{header:?}");
        let bytes = header.encode().unwrap();
        let view = HeaderView::decode(&bytes).unwrap();
        assert_eq!(Claim::over(&view).excess(Some(&told_row())), wanted, "{header:?}");
    }
    let words: std::collections::BTreeSet<String> = [Excess::Place, Excess::Judged, Excess::Parts, Excess::Entry]
        .iter()
        .map(|excess| format!("{}: {excess}", excess.code()))
        .collect();
    assert_eq!(words.len(), 4);
    assert!(words.iter().all(|words| words.starts_with("legacy.") && words.len() > 40), "each has words: {words:?}");
}

/// The key that takes over from the tenant's fifth entry and the universe's fifth on.
fn next() -> SealKey {
    SealKey::from_seed(&[21; 32])
}

/// A story in which another key took over, or is about to; both logs are signed by it. These keys are named by the trust file.
fn taken_over(confirmed: bool, named: &[SealKey]) -> Made {
    let says = |change: KeyChange| Rec::of_stream(Kind::Key, "hos.keys", 1).with(Slot::Change, change.encode());
    let plan = Plan { roles: false, ..Plan::default() }
        .bending(|name, rec| {
            if name == "key" {
                rec.parts.push(part(Slot::Change, KeyChange::First(seal_key().verify_key()).encode()));
            }
        })
        .adding(move |name, log| {
            if name == "activated" {
                let from = [(tenant(), 5), (Tenant::universe(), 5)];
                log.put("rotated", says(KeyChange::Rotated(next().verify_key(), from.into())));
                let mut closing = log.checkpoint();
                closing.size += u64::from(closing.size < 4);
                let change = KeyChange::Confirmed(next().verify_key(), closing.sign(&seal_key()).unwrap());
                log.put("after", if confirmed { says(change) } else { Rec::of_stream(Kind::Noted, "till", 1) });
            }
        });
    let mut made = made(&plan);
    let vkey = |log: &LogMaker, key: &SealKey| NoteKey::new(log.key().name(), key.verify_key()).unwrap().to_string();
    made.bundle.keys.clear();
    for (place, log) in made.logs.iter().enumerate() {
        assert_eq!(log.size(), 5);
        made.bundle.logs[place].note = log.checkpoint().sign(&next()).unwrap();
        let range = |key: &SealKey, from, to| KeyRange { log: place, vkey: vkey(log, key), from, to };
        made.bundle.keys.extend([range(&seal_key(), 0, 4), range(&next(), 5, 0)]);
    }
    let logs: String = named.iter().map(|key| format!("log {}\n", vkey(&made.logs[0], key))).collect();
    made.trust = format!("{logs}quorum none\n");
    made
}

#[test]
fn a_key_that_the_trust_file_names_and_no_record_tells_of_is_noticed() {
    let stranger = || SealKey::from_seed(&[22; 32]);
    for (confirmed, named, noticed) in [
        (true, vec![next()], false),
        (true, vec![seal_key(), next()], false),
        (true, vec![next(), stranger()], true),
        (true, vec![seal_key(), next(), stranger()], true),
        (false, vec![next()], false),
        (false, vec![next(), seal_key()], true),
    ] {
        let verdict = judged(&taken_over(confirmed, &named));
        assert_eq!(says(&verdict), "intact", "{confirmed} {}", named.len());
        assert_eq!(verdict.notices.contains(&Notice::FormerKey), noticed, "{confirmed} {}", named.len());
    }
}
