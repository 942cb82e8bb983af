//! What is bent while a story is told: items, proofs, laws, keys, notes, the trust file.

use crate::audit_support::story::{Made, law, resigned};
use crate::audit_support::{cosignature, log_key, trust};
use hos_core::id::{Handle, MapHash, RecordHash, Tenant, TreeHash};
use hos_core::proof::bundle::{Bundle, Item, Why, Withheld};
use hos_core::proof::heads::HeadKind;
use hos_testkit::chance::Chance;

pub(crate) fn bend(chance: &mut Chance, made: &mut Made) {
    match chance.below(12) {
        0..=2 => lists(chance, &mut made.bundle),
        3..=5 => {
            let Bundle { records, cited, heads, .. } = &mut made.bundle;
            let mut items: Vec<&mut Item> = records.iter_mut().chain(cited.iter_mut().map(|(_, item)| item)).collect();
            items.extend(heads.iter_mut().map(|heads| &mut heads.item));
            let at = chance.below(items.len());
            if let Some(one) = items.get_mut(at) {
                item(chance, one);
            }
        }
        6 | 7 => end(chance, &mut made.bundle),
        8 => laws_and_keys(chance, &mut made.bundle),
        9 | 10 => notes(chance, made),
        _ => trusted(chance, made),
    }
}

fn flip(chance: &mut Chance, bytes: &mut [u8]) {
    let at = chance.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << chance.below(8);
    }
}

fn lists(chance: &mut Chance, bundle: &mut Bundle) {
    let (records, cited) = (bundle.records.len(), bundle.cited.len());
    if records == 0 {
        return;
    }
    let (one, other) = (chance.below(records), chance.below(records));
    let (of, to) = (chance.below(cited), chance.below(cited));
    match chance.below(10) {
        0 => bundle.records.swap(one, other),
        1 => drop(bundle.records.remove(one)),
        2 => bundle.records.insert(one, bundle.records[other].clone()),
        3 => bundle.records.truncate(one + 1),
        4 => bundle.thread = Handle([1; 16]),
        _ if cited == 0 => {}
        5 => bundle.cited.swap(of, to),
        6 | 7 => drop(bundle.cited.remove(of)),
        8 => bundle.cited[of].0 ^= 1,
        _ => bundle.records[one] = bundle.cited[of].1.clone(),
    }
}

fn item(chance: &mut Chance, item: &mut Item) {
    let hash = item.proof.first().copied().unwrap_or(TreeHash([1; 32]));
    match chance.below(11) {
        0 => item.proof.push(hash),
        1 => drop(item.proof.pop().is_some()),
        2 => item.proof.reverse(),
        3 => item.proof.iter_mut().take(1).for_each(|hash| hash.0[0] ^= 1),
        4 => flip(chance, &mut item.entry),
        5 => item.opened.truncate(item.opened.len().saturating_sub(1)),
        6 => item.opened.iter_mut().take(1).for_each(|part| part.plaintext.push(0)),
        7 => item.opened.iter_mut().take(1).for_each(|part| flip(chance, &mut part.salt)),
        8 => {
            let hidden = item.opened.pop().map(|part| Withheld { slot: part.slot, index: part.index, why: Why::Hidden });
            item.withheld.extend(hidden);
            item.withheld.sort_by_key(|part| (part.slot, part.index));
        }
        9 => {
            let twice = item.opened.first().map(|part| Withheld { slot: part.slot, index: part.index, why: Why::Erased });
            item.withheld.extend(twice);
            item.withheld.sort_by_key(|part| (part.slot, part.index));
        }
        _ => item.opened.iter_mut().take(1).for_each(|part| part.index = part.index.wrapping_add(1)),
    }
}

fn end(chance: &mut Chance, bundle: &mut Bundle) {
    let leave = chance.below(9) == 0;
    let Some(heads) = &mut bundle.heads else { return };
    match chance.below(7) {
        _ if leave => bundle.heads = None,
        0 => heads.n = heads.n.wrapping_add(1),
        1 => heads.n = heads.n.wrapping_sub(1),
        2 => heads.kind = if heads.kind == HeadKind::Live { HeadKind::Erased } else { HeadKind::Live },
        3 => heads.last = RecordHash([1; 32]),
        4 => heads.siblings.push(MapHash([0; 32])),
        5 => heads.siblings.truncate(heads.siblings.len().saturating_sub(1)),
        _ => drop(bundle.records.pop()),
    }
}

fn laws_and_keys(chance: &mut Chance, bundle: &mut Bundle) {
    match chance.below(9) {
        0 => drop(bundle.laws.pop()),
        1 => bundle.laws.extend([law(3)]),
        2 => {
            bundle.laws.extend([law(3)]);
            bundle.laws.sort_by_key(|law| law.hash);
        }
        3 => bundle.laws.iter_mut().take(1).for_each(|law| law.files.reverse()),
        4 => bundle.laws.iter_mut().take(1).for_each(|law| law.files[0].1.push(0)),
        5 => bundle.keys.iter_mut().take(1).for_each(|key| key.from = chance.below(12) as u64),
        6 => bundle.keys.iter_mut().take(1).for_each(|key| key.to = chance.below(12) as u64),
        7 => bundle.keys.iter_mut().take(1).for_each(|key| key.log = chance.below(2)),
        _ => drop(bundle.keys.pop()),
    }
}

fn notes(chance: &mut Chance, made: &mut Made) {
    let log = chance.below(made.bundle.logs.len());
    let size = made.logs[log].size();
    let other = chance.below(size as usize + 3) as u64;
    let note = match chance.below(9) {
        0 => resigned(made, log, |c| c.size = other),
        1 => resigned(made, log, |c| c.root = TreeHash([1; 32])),
        2 => resigned(made, log, |c| c.extensions.push("an extension".into())),
        3 => resigned(made, log, |c| c.origin = format!("{}0", c.origin)),
        4 => made.bundle.logs[log].note.clone() + &cosignature(&made.bundle.logs[log].note, other % 4, other),
        5 => made.bundle.logs[log].note.clone() + "\u{2014} example.org/x AAAAAAAA\n",
        6 => {
            made.bundle.logs[log].tenant = ["universe", "pazar-tr", "x"][chance.below(3)].to_owned();
            return;
        }
        7 => {
            made.bundle.logs.reverse();
            return;
        }
        _ => {
            let mut letters: Vec<char> = made.bundle.logs[log].note.chars().collect();
            let at = chance.below(letters.len());
            letters[at] = ['A', 'b', '0', '\n', ' ', '+', '/', '=', '\u{2014}', '\t'][chance.below(10)];
            letters.into_iter().collect()
        }
    };
    made.bundle.logs[log].note = note;
}

fn trusted(chance: &mut Chance, made: &mut Made) {
    match chance.below(5) {
        0 => made.trust = trust(&log_key(&Tenant::universe(), 0), 3, chance.below(4) as u64),
        1 => made.trust = trust(&made.logs[0].key(), 4, chance.below(5) as u64),
        2 => made.trust = made.trust.replace("quorum", "# quorum"),
        3 => {
            let mut lines: Vec<&str> = made.trust.lines().collect();
            let count = lines.len();
            lines.swap(chance.below(count), chance.below(count));
            made.trust = lines.join("\n");
        }
        _ => {
            let mut letters: Vec<char> = made.trust.chars().collect();
            let at = chance.below(letters.len());
            letters[at] = ['A', 'b', '0', '\n', ' ', '+', '/', '#', '\u{2014}', '\t', '\r'][chance.below(11)];
            made.trust = letters.into_iter().collect();
        }
    }
}
