//! A whole log given as tiles, and one entry with its proof: what a stranger believes of them, and what they refuse.

mod audit_support;

use audit_support::log::LogMaker;
use audit_support::record::Rec;
use audit_support::story::{Plan, grow};
use audit_support::{seal_key, store, tenant, trust, witnessed};
use hos_core::audit::Refused;
use hos_core::audit::log::{LogVerdict, TilesAudit, proof};
use hos_core::id::{Handle, Tenant, TreeHash};
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::record::{Kind, Slot};
use hos_core::proof::tiles::TileWriter;
use hos_core::proof::tlog_proof::TlogProof;
use hos_core::proof::tree::Frontier;
use hos_core::proof::trust::Trust;
use std::collections::BTreeMap;

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a log: bundles of entries, and tiles of hashes.
fn files(log: &LogMaker) -> (Files, Files) {
    let mut writer = TileWriter::default();
    let mut all: Files = log.placed.iter().flat_map(|placed| writer.push(&placed.entry)).collect();
    all.extend(writer.finish());
    all.into_iter().partition(|(path, _)| path.starts_with("tile/entries/"))
}

fn believed(log: &LogMaker) -> Trust {
    Trust::parse(trust(&log.key(), 0, 0).as_bytes()).unwrap()
}

/// Goes through a log's bundles of entries; gives the tiles that must be there, and the verdict.
fn gone_through(note: &str, entries: &Files, trust: &Trust, kept: &[&[u8]]) -> Result<(Files, LogVerdict), Refused> {
    let mut audit = TilesAudit::open(note.as_bytes(), trust, kept)?;
    let mut tiles = Files::new();
    while let Some((path, wanted)) = audit.next() {
        assert!((1..=256).contains(&wanted));
        let bytes = entries.get(&path).unwrap_or_else(|| panic!("{path} is no file of the log"));
        tiles.extend(audit.take(bytes)?);
    }
    assert_eq!(audit.take(b"\0\0").unwrap_err().code, "tiles.entries", "there is no more");
    let (last, verdict) = audit.finish()?;
    tiles.extend(last);
    Ok((tiles, verdict))
}

/// A log of notes in so many streams, each with a part.
fn notes(count: u64, tenant: Tenant) -> LogMaker {
    let mut log = LogMaker::new(tenant, 0);
    for i in 0..count {
        let mut rec = Rec::of_stream(Kind::Noted, "till", 1).with(Slot::Payload, vec![1]);
        rec.header.thread = Handle([(i % 3) as u8; 16]);
        log.put(&format!("note {i}"), rec);
    }
    log
}

#[test]
fn a_log_s_tiles_are_those_of_its_entries_whatever_its_size() {
    for size in [1, 2, 255, 256, 257, 512, 600] {
        let log = notes(size, tenant());
        let (entries, tiles) = files(&log);
        let (found, verdict) = gone_through(&log.note(), &entries, &believed(&log), &[]).unwrap();
        assert_eq!(found, tiles, "{size}");
        let wanted = LogVerdict {
            origin: log.key().name().to_owned(),
            size,
            root: log.checkpoint().root,
            entries: size,
            threads: size.min(3),
            disputed: 0,
            withheld: size,
            witnesses: Vec::new(),
            anchored: None,
        };
        assert_eq!(verdict, wanted, "{size}");
    }
}

#[test]
fn whoever_is_asked_for_vouches_for_a_log() {
    let log = notes(3, tenant());
    let (entries, _) = files(&log);
    let asking = Trust::parse(trust(&log.key(), 2, 1).as_bytes()).unwrap();
    let (_, verdict) = gone_through(&witnessed(&log.note(), &[1]), &entries, &asking, &[]).unwrap();
    assert_eq!((verdict.witnesses, verdict.anchored), (vec!["w1".to_owned()], Some(3)));
    assert_eq!(gone_through(&log.note(), &entries, &asking, &[]).unwrap_err().code, "trust.quorum");
    let verdict = proof(one(&witnessed(&log.note(), &[1]), &log, 2).encode().as_bytes(), &asking, &[]).unwrap();
    assert_eq!((verdict.witnesses, verdict.anchored), (vec!["w1".to_owned()], Some(3)));
}

#[test]
fn a_checkpoint_that_was_kept_vouches_for_a_log_or_disproves_it() {
    let log = notes(5, tenant());
    let entries = files(&log).0;
    let trusted = believed(&log);
    let signed = |size: u64, root: TreeHash| {
        Checkpoint { origin: log.key().name().to_owned(), size, root, extensions: Vec::new() }.sign(&seal_key()).unwrap()
    };
    let root_at = |size: usize| {
        let mut tree = Frontier::default();
        for placed in &log.placed[..size] {
            tree.append(&placed.entry);
        }
        tree.root()
    };
    let tiles = |kept: &str| gone_through(&log.note(), &entries, &trusted, &[kept.as_bytes()]);
    let one = one(&log.note(), &log, 3).encode();
    let proved = |kept: &str| proof(one.as_bytes(), &trusted, &[kept.as_bytes()]);
    let said = |refused: Refused| (refused.code.to_string(), refused.at.to_string());
    // As many entries with the same root: both are anchored. With fewer the tiles are; a proof shows nothing of them.
    let [last, third, none] = [5, 3, 0].map(|size| signed(size as u64, root_at(size)));
    assert_eq!((tiles(&last).unwrap().1.anchored, proved(&last).unwrap().anchored), (Some(5), Some(5)));
    assert_eq!((tiles(&third).unwrap().1.anchored, proved(&third).unwrap().anchored), (Some(3), None));
    assert_eq!(tiles(&none).unwrap().1.anchored, None, "a checkpoint of no entries goes before every history");
    // Another root is another history, which the same key signed.
    let fork = |code: &str| (code.to_owned(), "against 0".to_owned());
    assert_eq!(said(tiles(&signed(5, root_at(4))).unwrap_err()), fork("trust.fork"));
    assert_eq!(said(proved(&signed(5, root_at(4))).unwrap_err()), fork("trust.fork"));
    assert_eq!(said(tiles(&signed(3, root_at(4))).unwrap_err()), fork("trust.fork"));
    // Other entries than those of the log's own checkpoint are no fork of it.
    let mut bent = entries.clone();
    *bent.values_mut().last().unwrap().last_mut().unwrap() ^= 1;
    let refused = gone_through(&log.note(), &bent, &trusted, &[log.note().as_bytes()]).unwrap_err();
    assert!(refused.at.starts_with("entry "), "{refused:?}");
    // More entries than there are, no note, and another log's.
    assert_eq!(said(tiles(&signed(6, root_at(5))).unwrap_err()), fork("checkpoint.beyond"));
    assert_eq!(said(tiles("garbage").unwrap_err()), fork("checkpoint.malformed"));
    assert_eq!(said(proved("garbage").unwrap_err()), fork("checkpoint.malformed"));
    let other = notes(5, Tenant::universe()).note();
    assert_eq!(said(tiles(&other).unwrap_err()), fork("checkpoint.unsigned"));
}

#[test]
fn a_bundle_of_entries_that_is_another_is_refused() {
    let log = notes(300, tenant());
    let (entries, _) = files(&log);
    let refused = |bend: &dyn Fn(&mut Files)| {
        let mut bent = entries.clone();
        bend(&mut bent);
        let refused = gone_through(&log.note(), &bent, &believed(&log), &[]).unwrap_err();
        (refused.code.to_string(), refused.at.to_string())
    };
    let (first, last) = ("tile/entries/000", "tile/entries/001.p/44");
    assert_eq!(entries.keys().collect::<Vec<_>>(), [first, last]);
    let tiles = |path: &str| ("tiles.entries".to_owned(), path.to_owned());
    assert_eq!(refused(&|f| f.get_mut(first).unwrap().truncate(9)), tiles(first));
    assert_eq!(refused(&|f| f.get_mut(last).unwrap().extend([0, 0])), tiles(last), "one entry too many");
    let cut = |bytes: &mut Vec<u8>| {
        let len = usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) + 2;
        drop(bytes.drain(..len));
    };
    assert_eq!(refused(&|f| cut(f.get_mut(last).unwrap())), tiles(last), "one too few");
    // A byte anywhere is another log.
    let (code, at) = refused(&|f| *f.get_mut(last).unwrap().last_mut().unwrap() ^= 1);
    assert!(at.starts_with("entry ") && !code.starts_with("tiles"), "{code} {at}");
    // A checkpoint of another log, or of no log of ours.
    let other = notes(300, Tenant::universe());
    assert!(gone_through(&other.note(), &entries, &believed(&log), &[]).is_err());
    assert!(gone_through(&other.note(), &entries, &believed(&other), &[]).unwrap_err().at.starts_with("entry "));
    let stranger = Checkpoint { origin: "example.org/log".into(), ..log.checkpoint() }.sign(&seal_key()).unwrap();
    let key = hos_core::proof::checkpoint::NoteKey::new("example.org/log", seal_key().verify_key()).unwrap();
    let known = Trust::parse(trust(&key, 0, 0).as_bytes()).unwrap();
    assert_eq!(gone_through(&stranger, &entries, &known, &[]).unwrap_err().code, "log.origin");
    let mut entry = one(&log.note(), &log, 0);
    entry.checkpoint = stranger;
    assert_eq!(proof(entry.encode().as_bytes(), &known, &[]).unwrap_err().code, "log.origin");
}

/// A log that goes on in a later epoch: from a record of its own on, entries say so.
fn turned(kind: Kind, from: u64, to: u64) -> LogMaker {
    let mut log = notes(5, tenant());
    let later = move |rec: &mut Rec| rec.bent_entry = Some(Box::new(move |entry| entry.epoch = to));
    let mut rec = Rec::of_stream(kind, "hos.epoch", 2);
    later(&mut rec);
    log.put("turn", rec);
    for i in 0..3 {
        let mut rec = Rec::of_stream(Kind::Noted, "till", 3);
        later(&mut rec);
        log.put(&format!("later {i}"), rec);
    }
    log.epoch = from;
    log
}

#[test]
fn a_log_is_followed_into_the_epochs_that_its_records_begin() {
    let says = |log: &LogMaker| match gone_through(&log.note(), &files(log).0, &believed(log), &[]) {
        Ok((_, verdict)) => format!("{} entries", verdict.entries),
        Err(refused) => format!("{} at {}", refused.code, refused.at),
    };
    assert_eq!(says(&turned(Kind::Epoch, 1, 1)), "9 entries");
    assert_eq!(says(&turned(Kind::Epoch, 3, 3)), "9 entries");
    assert_eq!(says(&turned(Kind::Epoch, 3, 2)), "9 entries", "the checkpoint may be of a later one still");
    assert!(says(&turned(Kind::Epoch, 1, 2)).ends_with(" at entry 5"), "{}", says(&turned(Kind::Epoch, 1, 2)));
    assert!(says(&turned(Kind::Noted, 1, 1)).ends_with(" at entry 5"), "nothing begins it: {}", says(&turned(Kind::Noted, 1, 1)));
    // A log may begin in a later epoch.
    let mut late = LogMaker::new(tenant(), 2);
    late.put("note", Rec::of_stream(Kind::Noted, "till", 1));
    late.put("another", Rec::of_stream(Kind::Noted, "till", 2));
    assert_eq!(says(&late), "2 entries");
    late.epoch = 1;
    assert!(says(&late).ends_with(" at entry 0"), "{}", says(&late));
}

#[test]
fn a_checkpoint_kept_of_an_earlier_epoch_vouches_for_what_the_later_one_kept() {
    let log = turned(Kind::Epoch, 1, 1);
    let entries = files(&log).0;
    let trusted = believed(&log);
    let kept = |epoch: u64, size: usize, over: usize| {
        let mut tree = Frontier::default();
        log.placed[..over].iter().for_each(|placed| tree.append(&placed.entry));
        let origin = hos_core::proof::checkpoint::origin(&store(), &log.tenant, epoch);
        Checkpoint { origin, size: size as u64, root: tree.root(), extensions: Vec::new() }
    };
    let tiles = |said: &Checkpoint, key: &hos_core::proof::key::SealKey, trusted: &Trust| match gone_through(
        &log.note(),
        &entries,
        trusted,
        &[said.sign(key).unwrap().as_bytes()],
    ) {
        Ok((_, verdict)) => format!("anchored {}", verdict.anchored.is_some()),
        Err(refused) => format!("{} at {}", refused.code, refused.at),
    };
    let ours = seal_key();
    // The trust file names the key under the later epoch alone, for it can name it once.
    assert_eq!(tiles(&kept(0, 3, 3), &ours, &trusted), "anchored true");
    assert_eq!(tiles(&kept(0, 5, 5), &ours, &trusted), "anchored true", "all that was there when the epoch began");
    assert_eq!(tiles(&kept(0, 3, 4), &ours, &trusted), "trust.fork at against 0");
    assert_eq!(
        tiles(&kept(0, 6, 6), &ours, &trusted),
        "checkpoint.beyond at against 0",
        "what the epoch says of it is not shown"
    );
    assert_eq!(tiles(&kept(1, 6, 6), &ours, &trusted), "anchored true");
    assert_eq!(tiles(&kept(2, 3, 3), &ours, &trusted), "checkpoint.origin at against 0");
    let former = hos_core::proof::key::SealKey::from_seed(&[77; 32]);
    assert_eq!(tiles(&kept(0, 3, 3), &former, &trusted), "checkpoint.unsigned at against 0");
    // Or another key under the earlier epoch's own name.
    let named = hos_core::proof::checkpoint::NoteKey::new(kept(0, 3, 3).origin, former.verify_key()).unwrap();
    let both = Trust::parse(format!("log {named}\n{}", trust(&log.key(), 0, 0)).as_bytes()).unwrap();
    assert_eq!(tiles(&kept(0, 3, 3), &former, &both), "anchored true");
}

/// One entry with its proof.
fn one(note: &str, log: &LogMaker, place: usize) -> TlogProof {
    let item = log.item(place);
    TlogProof { entry: item.entry, index: log.placed[place].seq, proof: item.proof, checkpoint: note.to_owned() }
}

#[test]
fn one_entry_with_its_proof_is_believed_and_no_other() {
    let plan = Plan { universe: true, ..Plan::default() };
    let grown = grow(&plan);
    let log = &grown.logs[0];
    let known = believed(log);
    let says = |proved: &TlogProof| match proof(proved.encode().as_bytes(), &known, &[]) {
        Ok(verdict) => {
            assert_eq!((verdict.size, verdict.root, verdict.entries, verdict.threads), (log.size(), log.checkpoint().root, 1, 1));
            assert_eq!((&verdict.origin[..], verdict.anchored), (log.key().name(), None));
            format!("believed, {} parts withheld, {} disputed", verdict.withheld, verdict.disputed)
        }
        Err(refused) => format!("{} at {}", refused.code, refused.at),
    };
    for place in 0..log.placed.len() {
        let parts = log.placed[place].opened.len() + log.placed[place].withheld.len();
        assert_eq!(says(&one(&log.note(), log, place)), format!("believed, {parts} parts withheld, 0 disputed"), "{place}");
    }
    let birth = log.place_of("birth");
    let good = one(&log.note(), log, birth);
    let bent = |bend: &dyn Fn(&mut TlogProof)| {
        let mut bent = good.clone();
        bend(&mut bent);
        says(&bent)
    };
    assert_eq!(bent(&|p| p.index += 1), "foreign at entry");
    assert_eq!(bent(&|p| p.proof.truncate(p.proof.len() - 1)), "inclusion.length at entry");
    assert_eq!(bent(&|p| p.proof[0].0[0] ^= 1), "inclusion.root at entry");
    assert!(bent(&|p| p.entry.truncate(p.entry.len() - 1)).starts_with("entry."));
    assert!(bent(&|p| p.checkpoint.truncate(40)).ends_with(" at checkpoint"));
    assert_eq!(
        match proof(b"no proof", &known, &[]) {
            Err(refused) => format!("{} at {}", refused.code, refused.at),
            Ok(_) => String::new(),
        },
        "proof.malformed at proof"
    );
    // An entry of the universe's is no entry of the tenant's.
    let above = grown.universe();
    let mut other = one(&log.note(), above, 0);
    other.checkpoint = log.note();
    assert_eq!(says(&other), "foreign at entry");
    // A checkpoint that the entry lies beyond.
    let mut less = grow(&plan).logs.swap_remove(0);
    let last = one(&log.note(), log, log.placed.len() - 1);
    less.placed.clear();
    let small = Checkpoint { size: 2, ..log.checkpoint() }.sign(&seal_key()).unwrap();
    assert_eq!(says(&TlogProof { checkpoint: small, ..last }), "inclusion.range at entry");
}

#[test]
fn what_is_disputed_is_proved_and_nothing_of_it_is_vouched_for() {
    let says = |bend: fn(&mut Rec)| {
        let mut log = notes(3, tenant());
        let mut rec = Rec::of_stream(Kind::Noted, "till", 2).with(Slot::Payload, vec![7]);
        bend(&mut rec);
        log.put("bent", rec);
        match proof(one(&log.note(), &log, 3).encode().as_bytes(), &believed(&log), &[]) {
            Ok(verdict) => format!("{} parts withheld, {} disputed", verdict.withheld, verdict.disputed),
            Err(refused) => format!("{} at {}", refused.code, refused.at),
        }
    };
    assert_eq!(says(|_| ()), "1 parts withheld, 0 disputed");
    assert_eq!(says(|rec| rec.disputed = Some(1)), "1 parts withheld, 1 disputed");
    let foreign: [fn(&mut Rec); 2] = [
        |rec| rec.bent_header = Some(Box::new(|header| header.tenant = Tenant::universe())),
        |rec| rec.bent_header = Some(Box::new(|header| header.store = hos_core::id::StoreId([9; 16]))),
    ];
    for bend in foreign {
        assert_eq!(says(bend), "foreign at entry");
    }
    assert_eq!(
        says(|rec| {
            rec.disputed = Some(1);
            rec.bent_header = Some(Box::new(|header| header.tenant = Tenant::universe()));
        }),
        "0 parts withheld, 1 disputed"
    );
    let garbled: fn(&mut Rec) = |rec| rec.bent_header_bytes = Some(Box::new(|bytes| bytes[0] = 0xff));
    assert!(says(garbled).starts_with("header."), "{}", says(garbled));
    assert_eq!(says(|rec| rec.bent_entry = Some(Box::new(|entry| entry.epoch = 1))), "foreign at entry");
    assert_eq!(
        says(|rec| rec.bent_entry = Some(Box::new(|entry| entry.store = hos_core::id::StoreId([9; 16])))),
        "foreign at entry"
    );
}
