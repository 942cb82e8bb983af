//! Every hash of `spec/chain.md`'s table, over bytes that are put together here by hand.

use hos_core::digest::*;
use hos_core::id::*;

/// A length or a number, as it is hashed beside other bytes.
fn number(n: u64) -> [u8; 8] {
    n.to_be_bytes()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len() as u64), bytes].concat()
}

fn derived(tag: &str, pieces: &[&[u8]]) -> [u8; 32] {
    blake3::derive_key(tag, &pieces.concat())
}

#[test]
fn every_hash_is_over_the_bytes_that_the_specification_names() {
    let (store, tenant) = (StoreId([7; 16]), Tenant::new("pazar-tr").unwrap());
    let (thread, record, key) = (Handle([3; 16]), RecordHash([4; 32]), MapKey([5; 32]));
    let (left, right) = (MapHash([8; 32]), MapHash([9; 32]));
    let of_tenant = sized(b"pazar-tr");
    let entry = EntryHash(derived(TAG_GENESIS, &[&[7; 16], &number(2), &of_tenant, &sized(b"note")]));
    assert_eq!(genesis_hash(&store, 2, &tenant, b"note"), entry);
    assert_eq!(record_hash(b"header").0, derived(TAG_RECORD, &[b"header"]));
    assert_eq!(entry_hash(b"entry").0, derived(TAG_ENTRY, &[b"entry"]));
    assert_eq!(call_digest(b"call").0, derived(TAG_CALL, &[b"call"]));
    assert_eq!(commitment(&[1; 32], b"part").0, derived(TAG_COMMITMENT, &[&[1; 32], &sized(b"part")]));
    assert_eq!(commitment_of(&[&[1; 32], &sized(b"part")[..]].concat()), commitment(&[1; 32], b"part"));
    let files = [("b.cedar", &b"permit"[..]), ("a.toml", b"x")];
    let law = [&number(2)[..], &sized(b"a.toml"), &sized(b"x"), &sized(b"b.cedar"), &sized(b"permit")];
    assert_eq!(law_hash(files.into_iter()).0, derived(TAG_LAW, &law));
    let subject = Uid::new("Pazar::Account", "ayse").unwrap();
    let tag = derived(TAG_SUBJECT, &[&[7; 16], &sized(b"Pazar::Account"), &sized(b"ayse")]);
    assert_eq!(subject_tag(&store, &subject), tag);
    let stream = derived(TAG_STREAM, &[&[7; 16], &of_tenant, &sized(b"mail.sent")]);
    assert_eq!(stream_handle(&store, &tenant, "mail.sent").0, stream[..16]);
    let label = derived(TAG_HEADS_LABEL, &[&of_tenant, &sized(b"order"), &sized(b"o-1")]);
    assert_eq!(heads_label(&tenant, "order", "o-1").0, label);
    assert_eq!(heads_thread(&tenant, &thread).0, derived(TAG_HEADS_THREAD, &[&of_tenant, &[3; 16]]));
    let leaf = derived(TAG_HEADS_LEAF, &[&[5; 32], &[1], &[3; 16], &number(6), &[4; 32]]);
    assert_eq!(heads_leaf(&key, 1, &thread, 6, &record).0, leaf);
    assert_eq!(heads_node(&left, &right).0, derived(TAG_HEADS_NODE, &[&[8; 32], &[9; 32]]));
    let mut expanded = [0; 32];
    expand(&[2; 32], "salt", 11, &mut expanded);
    assert_eq!(expanded, derived(TAG_EXPAND, &[&[2; 32], &sized(b"salt"), &number(11)]));
}

#[test]
fn the_list_of_an_erased_persons_records_is_hashed_as_it_comes() {
    let (universe, tenant) = (Tenant::universe(), Tenant::new("pazar-tr").unwrap());
    let mut list = ErasureList::default();
    assert_eq!(list.finish(), derived(TAG_ERASURE_LIST, &[]));
    list.push(&tenant, 4, &RecordHash([1; 32]));
    list.push(&universe, 9, &RecordHash([2; 32]));
    let first = [&sized(b"pazar-tr")[..], &number(4), &[1; 32]].concat();
    let second = [&sized(b"universe")[..], &number(9), &[2; 32]].concat();
    assert_eq!(list.finish(), derived(TAG_ERASURE_LIST, &[&first, &second]));
    assert_eq!(format!("{list:?}"), "ErasureList(\u{2026})", "a list of an erased person shows nothing of it");
}
