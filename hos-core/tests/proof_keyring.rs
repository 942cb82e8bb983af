//! Which key signs which sizes of which log, from the records of keys.

use hos_core::id::{StoreId, Tenant, TreeHash};
use hos_core::proof::checkpoint::{Checkpoint, origin};
use hos_core::proof::key::{SealKey, VerifyKey};
use hos_core::proof::keyring::{KeyChange, KeyRing, KeyRingError, Range};
use std::collections::BTreeMap;

const STORE: StoreId = StoreId([0xb8; 16]);

fn seal(n: u8) -> SealKey {
    SealKey::from_seed(&[n; 32])
}

fn key(n: u8) -> VerifyKey {
    seal(n).verify_key()
}

fn tenant(name: &str) -> Tenant {
    Tenant::new(name).unwrap()
}

fn from(sizes: &[(&str, u64)]) -> BTreeMap<Tenant, u64> {
    sizes.iter().map(|(name, size)| (tenant(name), *size)).collect()
}

fn note(n: u8, name: &str, size: u64) -> String {
    let origin = origin(&STORE, &tenant(name), 0);
    Checkpoint { origin, size, root: TreeHash([7; 32]), extensions: Vec::new() }.sign(&seal(n)).unwrap()
}

fn ring(changes: Vec<KeyChange>) -> Result<KeyRing, KeyRingError> {
    let mut ring = KeyRing::default();
    changes.into_iter().try_for_each(|change| {
        // Each goes through its bytes, as it would in a record.
        ring.take(&STORE, KeyChange::decode(&change.encode())?)
    })?;
    Ok(ring)
}

fn rotated() -> Vec<KeyChange> {
    vec![
        KeyChange::First(key(1)),
        KeyChange::Rotated(key(2), from(&[("a", 11), ("universe", 32)])),
        KeyChange::Confirmed(key(2), note(1, "universe", 31)),
    ]
}

#[test]
fn each_key_signs_its_own_sizes_and_no_others() {
    let ring = ring(rotated()).unwrap();
    let (a, universe, later) = (tenant("a"), Tenant::universe(), tenant("later"));
    // log, size, does the old key count, does the new
    let table = [
        (&a, 1, true, false),
        (&a, 10, true, false),
        (&a, 11, false, true),
        (&a, 12, false, true),
        (&universe, 31, true, false),
        (&universe, 32, false, true),
        (&later, 1, false, true),
        (&later, 1000, false, true),
    ];
    for (log, size, old, new) in table {
        assert_eq!((ring.allows(&key(1), log, size), ring.allows(&key(2), log, size)), (old, new), "{log} {size}");
        assert!(!ring.allows(&key(3), log, size));
    }
    let range = |n, from, to| Range { key: key(n), from, to };
    assert_eq!(ring.ranges(&a), [range(1, 0, 10), range(2, 11, 0)]);
    assert_eq!(ring.ranges(&later), [range(2, 0, 0)]);
    assert_eq!((ring.current(), ring.pending()), (Some(&key(2)), None));
    assert_eq!(ring.closings().count(), 1);
}

#[test]
fn a_change_that_is_not_confirmed_leaves_the_old_key_in_force_for_old_sizes() {
    let mut changes = rotated();
    changes.pop();
    let ring = ring(changes).unwrap();
    assert_eq!((ring.current(), ring.pending()), (Some(&key(1)), Some(&key(2))));
    assert!(ring.allows(&key(1), &Tenant::universe(), 31) && !ring.allows(&key(1), &Tenant::universe(), 32));
}

#[test]
fn a_change_that_is_not_confirmed_is_taken_back_and_may_begin_again() {
    let begun = || rotated()[..2].to_vec();
    let back = |key, sizes: &[(&str, u64)]| KeyChange::Revoked(key, from(sizes), "nobody of ours began it".into());
    let with = |changes: &[KeyChange]| ring([begun(), changes.to_vec()].concat());
    let taken_back = with(&[back(key(2), &[])]).unwrap();
    assert_eq!((taken_back.current(), taken_back.pending()), (Some(&key(1)), None));
    assert!(taken_back.allows(&key(1), &Tenant::universe(), 33) && !taken_back.knows(&key(2)));
    assert_eq!(taken_back.ranges(&tenant("a")), [Range { key: key(1), from: 0, to: 0 }]);
    let again = KeyChange::Rotated(key(2), from(&[("a", 12), ("universe", 40)]));
    assert_eq!(with(&[back(key(2), &[]), again]).unwrap().pending(), Some(&key(2)));
    assert!(with(&[back(key(2), &[("a", 11)])]).is_err(), "it names a size");
    assert!(with(&[back(key(1), &[])]).is_err(), "the key in force");
    assert!(with(&[back(key(2), &[]), KeyChange::Confirmed(key(2), note(1, "universe", 31))]).is_err(), "it was taken back");
    let confirmed = || ring(rotated()).unwrap();
    assert!(ring([rotated(), vec![back(key(2), &[])]].concat()).is_err(), "it has taken over");
    // What took over for certain, whatever has begun since.
    let (universe, sure) = (Tenant::universe(), ring(begun()).unwrap().confirmed());
    assert!(sure.is_settled() && sure.allows(&key(1), &universe, 1_000) && !sure.knows(&key(2)));
    assert!(confirmed().confirmed().allows(&key(2), &universe, 32));
}

#[test]
fn a_revoked_key_counts_below_the_size_alone() {
    let mut changes = rotated();
    changes.push(KeyChange::Revoked(key(1), from(&[("a", 6)]), "it was stolen".into()));
    changes.push(KeyChange::Revoked(key(1), from(&[("a", 9), ("universe", 1)]), "said again, later".into()));
    let ring = ring(changes).unwrap();
    let a = tenant("a");
    assert!(ring.allows(&key(1), &a, 5) && !ring.allows(&key(1), &a, 6) && !ring.allows(&key(1), &a, 10));
    assert!(ring.allows(&key(2), &a, 11), "the new key is not touched");
    assert_eq!(ring.ranges(&a), [Range { key: key(1), from: 0, to: 5 }, Range { key: key(2), from: 11, to: 0 }]);
    assert_eq!(ring.ranges(&Tenant::universe()), [Range { key: key(2), from: 32, to: 0 }], "nothing of the old key counts");
    assert!(!ring.allows(&key(1), &Tenant::universe(), 31));
}

#[test]
fn records_that_do_not_follow_are_refused() {
    let with = |change: KeyChange| [rotated(), vec![change]].concat();
    let begun = || rotated()[..2].to_vec();
    let begun_with = |change: KeyChange| [begun(), vec![change]].concat();
    let sizes = |u| from(&[("a", 20), ("universe", u)]);
    let table: Vec<(&str, Vec<KeyChange>)> = vec![
        ("two first keys", vec![KeyChange::First(key(1)), KeyChange::First(key(2))]),
        ("a change before the first key", vec![KeyChange::Rotated(key(2), sizes(40))]),
        ("a key that signed before", with(KeyChange::Rotated(key(1), sizes(40)))),
        ("the key in force again", with(KeyChange::Rotated(key(2), sizes(40)))),
        ("sizes that go back", with(KeyChange::Rotated(key(3), from(&[("a", 10), ("universe", 40)])))),
        ("a log forgotten", with(KeyChange::Rotated(key(3), from(&[("universe", 40)])))),
        ("no universe", with(KeyChange::Rotated(key(3), from(&[("a", 40)])))),
        ("from nothing", with(KeyChange::Rotated(key(3), from(&[("a", 20), ("b", 0), ("universe", 40)])))),
        ("a second change before the first is confirmed", begun_with(KeyChange::Rotated(key(3), sizes(40)))),
        ("confirmed, and none had begun", with(KeyChange::Confirmed(key(2), note(1, "universe", 31)))),
        ("another key confirmed", begun_with(KeyChange::Confirmed(key(3), note(1, "universe", 31)))),
        ("closed by the new key", begun_with(KeyChange::Confirmed(key(2), note(2, "universe", 31)))),
        ("closed by a stranger's key", begun_with(KeyChange::Confirmed(key(2), note(9, "universe", 31)))),
        ("closed too early", begun_with(KeyChange::Confirmed(key(2), note(1, "universe", 30)))),
        ("closed too late", begun_with(KeyChange::Confirmed(key(2), note(1, "universe", 32)))),
        ("closed by another log", begun_with(KeyChange::Confirmed(key(2), note(1, "a", 31)))),
        ("closed by no note", begun_with(KeyChange::Confirmed(key(2), "yes".into()))),
        ("the key in force revoked", with(KeyChange::Revoked(key(2), sizes(40), "x".into()))),
        ("the key in force revoked while a change is half done", begun_with(KeyChange::Revoked(key(1), sizes(40), "x".into()))),
        ("a key that nobody knows revoked", with(KeyChange::Revoked(key(9), sizes(40), "x".into()))),
    ];
    for (what, changes) in table {
        assert!(ring(changes).is_err(), "{what}");
    }
    let changes = begun_with(KeyChange::Revoked(key(1), sizes(40), "x".into()));
    assert!(matches!(ring(changes), Err(KeyRingError::Order(_))));
}

#[test]
fn content_has_one_spelling() {
    for change in [rotated(), vec![KeyChange::Revoked(key(1), from(&[("a", 6)]), "why".into())]].concat() {
        let bytes = change.encode();
        assert_eq!(KeyChange::decode(&bytes).unwrap(), change);
        for cut in 0..bytes.len() {
            assert!(KeyChange::decode(&bytes[..cut]).is_err());
        }
        assert!(KeyChange::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
    let k = key(1);
    let mut w = hos_core::canon::Writer::default();
    w.array(3).uint(2).bytes(k.as_bytes()).uint(0);
    assert!(KeyChange::decode(&w.finish()).is_err(), "another suite");
    let mut w = hos_core::canon::Writer::default();
    w.array(3).uint(1).bytes(k.as_bytes()).uint(5);
    assert!(KeyChange::decode(&w.finish()).is_err(), "a first key from a later size");
    let mut w = hos_core::canon::Writer::default();
    w.array(3).uint(1).bytes(&[0; 32]).uint(0);
    assert!(KeyChange::decode(&w.finish()).is_err(), "a key of small order");
    let mut w = hos_core::canon::Writer::default();
    w.array(3).uint(1).bytes(k.as_bytes()).array(2);
    w.array(2).text("b").uint(1).array(2).text("a").uint(1);
    assert!(KeyChange::decode(&w.finish()).is_err(), "tenants out of order");
    let reason = KeyChange::Revoked(key(1), from(&[("a", 6)]), "x".repeat(1025));
    assert!(KeyChange::decode(&reason.encode()).is_err());
    let reason = KeyChange::Revoked(key(1), from(&[("a", 6)]), String::new());
    assert!(KeyChange::decode(&reason.encode()).is_err());
}

#[test]
fn a_change_fits_the_entry_that_it_stands_in_or_is_refused() {
    let rotated = |universe| KeyChange::Rotated(key(2), from(&[("a", 11), ("universe", universe)]));
    let confirmed = |epoch: u64| {
        let origin = origin(&STORE, &Tenant::universe(), epoch);
        let closing = Checkpoint { origin, size: 31, root: TreeHash([7; 32]), extensions: Vec::new() };
        KeyChange::Confirmed(key(2), closing.sign(&seal(1)).unwrap())
    };
    let table = [
        (rotated(32), 30, 0, true),
        (rotated(31), 30, 0, false),
        (rotated(33), 30, 0, false),
        (rotated(1), u64::MAX, 0, false),
        (confirmed(0), 31, 0, true),
        (confirmed(0), 31, 5, true),
        (confirmed(1), 31, 0, false),
        (KeyChange::Confirmed(key(2), "no note".into()), 31, 0, false),
        (KeyChange::First(key(1)), 7, 0, true),
    ];
    for (change, seq, epoch, fits) in table {
        assert_eq!(change.fits(seq, epoch).is_ok(), fits, "{change:?} in entry {seq} of epoch {epoch}");
    }
}

#[test]
fn a_log_that_one_change_named_is_named_by_the_next() {
    let again = |sizes: &[(&str, u64)]| {
        let mut changes = rotated();
        changes.push(KeyChange::Rotated(key(3), from(sizes)));
        ring(changes)
    };
    let third = again(&[("a", 20), ("b", 5), ("universe", 40)]).unwrap();
    assert_eq!(third.pending(), Some(&key(3)));
    // The same size again: the key between signed nothing of it.
    assert!(again(&[("a", 11), ("universe", 40)]).is_ok());
    let missing = KeyRingError::Order("a log that the change before named is missing");
    assert_eq!(again(&[("universe", 40)]).err(), Some(missing.clone()));
    assert_eq!(again(&[("b", 5), ("universe", 40)]).err(), Some(missing));
    let lies_before = KeyRingError::Order("the sizes lie before those of the key before, or the universe's is missing");
    for sizes in [&[("a", 10), ("universe", 40)][..], &[("a", 11), ("universe", 31)], &[("a", 11)], &[("a", 0), ("universe", 40)]]
    {
        assert_eq!(again(sizes).err(), Some(lies_before.clone()), "{sizes:?}");
    }
}

#[test]
fn a_ring_knows_its_keys_and_where_the_newest_begins() {
    let none = KeyRing::default();
    assert!(!none.knows(&key(1)) && none.current().is_none() && none.is_settled());
    assert_eq!(none.newest_from(&tenant("a")), 0);
    let first = ring(vec![KeyChange::First(key(1))]).unwrap();
    assert_eq!((first.knows(&key(1)), first.knows(&key(2))), (true, false));
    assert_eq!(first.newest_from(&tenant("a")), 0, "a first key signs from the beginning");
    let both = ring(rotated()).unwrap();
    assert_eq!([1, 2, 3].map(|n| both.knows(&key(n))), [true, true, false]);
    let begins = ["a", "universe", "later"].map(|name| both.newest_from(&tenant(name)));
    assert_eq!(begins, [11, 32, 0]);
}

#[test]
fn a_ring_tells_all_its_keys_and_the_checkpoints_that_close_their_times() {
    let begun = rotated()[..2].to_vec();
    let mut thrice = rotated();
    thrice.push(KeyChange::Rotated(key(3), from(&[("a", 20), ("universe", 40)])));
    thrice.push(KeyChange::Confirmed(key(3), note(2, "universe", 39)));
    let told = |changes: Vec<KeyChange>| {
        let ring = ring(changes).unwrap();
        let keys: Vec<(VerifyKey, bool)> = ring.keys().map(|(key, confirmed)| (key.clone(), confirmed)).collect();
        let closings: Vec<(String, VerifyKey)> = ring.closings().map(|(note, key)| (note.to_owned(), key.clone())).collect();
        (keys, closings)
    };
    let first = (note(1, "universe", 31), key(1));
    assert_eq!(told(Vec::new()), (vec![], vec![]));
    assert_eq!(told(begun), (vec![(key(1), true), (key(2), false)], vec![]), "not closed before it is confirmed");
    assert_eq!(told(rotated()), (vec![(key(1), true), (key(2), true)], vec![first.clone()]));
    let second = (note(2, "universe", 39), key(2));
    assert_eq!(told(thrice), (vec![(key(1), true), (key(2), true), (key(3), true)], vec![first, second]));
}
