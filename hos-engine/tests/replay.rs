//! The past judged again: every kind of record gives the same answer, a planted verdict is named, another law is tried.

mod support;

use hos_engine::{Level, ReplayOptions, VerifyOptions};
use support::store;

#[test]
fn a_store_judged_again_gives_the_same_answers() {
    let store = store();
    let (report, replay) = store.engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
    assert_eq!((replay.differs, &replay.listed), (0, &Vec::new()), "{replay:#?}");
    assert_eq!(report.level, Level::Replayed);
    assert_eq!(replay.evidence, Some(Level::Intact));
    assert_eq!(replay.replayed + replay.erased + replay.attested, report.records);
    assert_eq!(store.engine.replay(&ReplayOptions::default()).unwrap().replayed, replay.replayed);
    eprintln!("{replay:?}");
}
