//! The directory's rows, each as every one of its records left it: whether an entity that was judged was so, and then.

use super::parts::{Record, name};
use super::{Difference, Outcome};
use crate::id::{RecordHash, Shown, Uid};
use crate::judge::{DirectoryAfter, DirectoryRows, DirectoryThread, apply_change, decode_change};
use crate::policy::{Entity, Link};
use crate::proof::record::{Decision, Kind, Slot};
use std::collections::HashMap;

/// One directory row, folded.
#[derive(Debug, Default)]
pub struct RowFold {
    rows: DirectoryRows,
    last: Option<RecordHash>,
    lost: bool,
}

impl RowFold {
    /// The row as it stands; `None` where a part that says it was erased.
    pub fn rows(&self) -> Option<&DirectoryRows> {
        (!self.lost).then_some(&self.rows)
    }

    /// Takes the row's next record; a refused one changes nothing, nor does the one with which an erasure ended it, and one whose
    /// content is erased leaves it unknown.
    pub fn take(&mut self, record: &Record<'_>) -> Option<&DirectoryRows> {
        let header = record.header;
        if header.decision == Decision::Deny || header.kind == Kind::Erased {
            return self.rows();
        }
        self.last = Some(record.hash);
        let change = record.parts.iter().find(|p| p.slot == Slot::Change).and_then(|p| decode_change(p.content).ok());
        let thread = DirectoryThread { handle: header.thread, n: header.n.unwrap_or_default(), last: record.hash };
        match change.and_then(|change| apply_change(&change, &self.rows, thread)) {
            Some(DirectoryAfter::Entity { thread, entity, removed }) => {
                self.rows = DirectoryRows { entity: Some((thread, entity, removed)), ..DirectoryRows::default() };
            }
            Some(DirectoryAfter::Grant { thread, link, removed }) => {
                self.rows = DirectoryRows { grant: Some((thread, link, removed)), ..DirectoryRows::default() };
            }
            None => self.lost = true,
        }
        self.rows()
    }
}

/// A row as one record left it.
#[derive(Debug)]
struct Version {
    universe: bool,
    row: Option<DirectoryRows>,
    /// The place of the record that followed, and the directory version that it was judged under.
    ended: Option<(u64, u64)>,
    /// Whether an erasure ended it.
    erased: bool,
}

/// Every version of the rows that one tenant's decisions stand on.
#[derive(Debug, Default)]
pub struct Rows {
    versions: HashMap<RecordHash, Version>,
    /// Of each of the universe's entities, the records of its row.
    universe: HashMap<Uid, Vec<RecordHash>>,
    /// The places of the tenant's own changes in its log, ascending.
    own: Vec<u64>,
    /// Where transactions run beside each other.
    beside: Option<Beside>,
}

/// At which directory versions the changes were judged, ascending.
#[derive(Debug, Default)]
struct Beside {
    universe: Vec<u64>,
    own: Vec<u64>,
    /// The newest version at which somebody was erased: the ends of their rows were judged at it, or before.
    erased: u64,
}

impl Beside {
    fn add(&mut self, universe: bool, version: u64) {
        let of = if universe { &mut self.universe } else { &mut self.own };
        let at = of.partition_point(|known| *known <= version);
        of.insert(at, version);
    }
}

/// Whether whoever has seen so many changes has surely seen those that were judged at version `until`. Beside them there are `others`, of
/// which it is not told which came first.
///
/// A change is judged at the number of those that are committed, and is committed behind them. So of those that were judged below a
/// version there are always as many at least; where there are just as many, these are the ones that were committed first.
fn has_seen(changes: &[u64], others: u64, until: u64, seen: u64) -> bool {
    let mut version = until.saturating_add(1);
    while version <= seen {
        let judged_below = changes.partition_point(|at| *at < version) as u64 + others;
        if judged_below <= version {
            // Fewer there are where not all changes are known: then nothing can be told.
            return judged_below == version;
        }
        version = judged_below;
    }
    false
}

impl Rows {
    /// Rows of a store that many write at once, whose transactions may end long after they were judged: a record's place in the log says
    /// when it was committed, and not what it was judged over.
    pub fn written_beside() -> Self {
        Self { beside: Some(Beside::default()), ..Self::default() }
    }

    /// Takes an erasure, which is a change of the universe's directory, by the version at which it was judged.
    pub fn erased(&mut self, version: u64) {
        if let Some(beside) = &mut self.beside {
            beside.add(true, version);
            beside.erased = beside.erased.max(version);
        }
    }

    /// Takes a row's next record, at its place in its log, into the row's fold too.
    pub fn take(&mut self, universe: bool, fold: &mut RowFold, record: &Record<'_>, place: u64) {
        let before = fold.last;
        let row = fold.take(record).cloned();
        let is_version = fold.last == Some(record.hash);
        // Behind the end of its thread nothing stands on a row any more, though the end makes no other version of it.
        if (is_version || record.header.kind == Kind::Erased)
            && let Some(version) = before.and_then(|hash| self.versions.get_mut(&hash))
        {
            version.ended = Some((place, record.header.directory_version));
            version.erased = !is_version;
        }
        if !is_version {
            return;
        }
        if let Some(beside) = &mut self.beside {
            beside.add(universe, record.header.directory_version);
        }
        if let Some((_, entity, _)) = row.as_ref().and_then(|rows| rows.entity.as_ref()).filter(|_| universe) {
            self.universe.entry(entity.uid.clone()).or_default().push(record.hash);
        }
        if !universe {
            let at = self.own.partition_point(|known| *known < place);
            self.own.insert(at, place);
        }
        self.versions.insert(record.hash, Version { universe, row, ended: None, erased: false });
    }

    /// Holds what a record was judged over against the rows; only what is open can be held.
    pub fn held(&self, record: &Record<'_>, universe: bool, place: u64) -> Outcome {
        let wrong = |hash: &RecordHash, holds: Result<(), &'static str>| match holds {
            Ok(()) if self.stood(hash, record, universe, place) => None,
            Ok(()) => Some("by then the directory had changed it"),
            Err(why) => Some(why),
        };
        let differs = |shown: String, wrong: &'static str| Outcome::Differs(Difference::new(name(Slot::Slice), shown, wrong));
        for slice in record.slices().iter().flatten() {
            for (entity, hash) in slice.entities.iter().filter_map(|e| Some((e, e.record?))) {
                if let Some(wrong) = wrong(&hash, self.entity(entity)) {
                    return differs(entity.uid.to_string(), wrong);
                }
            }
            for (link, hash) in slice.links.iter().filter_map(|l| Some((l, l.record?))) {
                if let Some(wrong) = wrong(&hash, self.link(link)) {
                    return differs(Shown(&link.id).to_string(), wrong);
                }
            }
        }
        Outcome::Same
    }

    /// Whether the version was still the row's when the record was made, which may be the one that ends it: by place within one log.
    ///
    /// Across two it is told by directory versions, for a clock may step back between them: a tenant's is the universe's and its own
    /// changes added up, and the universe's stands in the header of what ended the version. Where transactions run beside each other, it is
    /// told by them within one log too.
    fn stood(&self, hash: &RecordHash, record: &Record<'_>, universe: bool, place: u64) -> bool {
        let Some(Version { universe: of, ended: Some((next, until)), erased, .. }) = self.versions.get(hash) else { return true };
        let stated = record.header.directory_version;
        let of_universe = || stated.saturating_sub(self.own.partition_point(|change| *change < place) as u64);
        let Some(beside) = &self.beside else {
            return if *of == universe { place <= *next } else { of_universe() <= *until };
        };
        let until = if *erased { beside.erased.max(*until) } else { *until };
        !match (*of, universe) {
            (true, true) => has_seen(&beside.universe, 0, until, stated),
            // No more of the tenant's own can be in the version than come before the record.
            (true, false) => has_seen(&beside.universe, 0, until, of_universe()),
            // Any of the universe's may be.
            (false, _) => has_seen(&beside.own, beside.universe.len() as u64, until, stated),
        }
    }

    fn entity(&self, judged: &Entity) -> Result<(), &'static str> {
        let version = judged.record.and_then(|hash| self.versions.get(&hash)).ok_or("no directory record made it")?;
        let Some(rows) = &version.row else { return Ok(()) };
        let other = "the directory records come to another";
        let Some((_, entity, false)) = &rows.entity else { return Err(other) };
        if entity.uid != judged.uid {
            return Err(other);
        }
        let fits = |above: Option<&Entity>| {
            let attrs = above.map_or(&entity.attrs, |a| &a.attrs);
            let given = |parent| entity.parents.contains(parent) || above.is_some_and(|a| a.parents.contains(parent));
            judged.attrs == *attrs && judged.parents.iter().all(given)
        };
        // A tenant's row stands on the universe's row of the same entity, as that was at some time.
        let above = self.universe.get(&judged.uid).filter(|_| !version.universe);
        let mut standing = above.into_iter().flatten().filter_map(|hash| {
            let rows = self.versions.get(hash)?.row.as_ref()?;
            rows.entity.as_ref().filter(|(.., removed)| !removed).map(|(_, entity, _)| entity)
        });
        let held = match above {
            Some(_) => standing.any(|entity| fits(Some(entity))) || fits(None),
            None => fits(None),
        };
        if held { Ok(()) } else { Err(other) }
    }

    fn link(&self, judged: &Link) -> Result<(), &'static str> {
        let version = judged.record.and_then(|hash| self.versions.get(&hash)).ok_or("no directory record made it")?;
        let Some(rows) = &version.row else { return Ok(()) };
        match &rows.grant {
            Some((_, link, false)) if link == judged => Ok(()),
            _ => Err("the directory records come to another"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::replay::Part;
    use crate::canon::Writer;
    use crate::id::{Handle, StoreId, Tenant};
    use crate::judge::encode_world;
    use crate::proof::record::{Durability, Header};
    use crate::time::Timestamp;

    fn header(kind: Kind, n: u64) -> Header {
        Header {
            store: StoreId([0; 16]),
            tenant: Tenant::new("t1").unwrap(),
            thread: Handle([0; 16]),
            n: Some(n),
            prev: None,
            kind,
            time: Timestamp(0),
            activation: None,
            law: None,
            guard_law: None,
            judge: [0; 4],
            mode: 0,
            directory_version: 0,
            decision: Decision::Allow,
            refusal: None,
            policies: Vec::new(),
            contract: None,
            contract_version: None,
            event: None,
            from: None,
            to: None,
            durability: Durability::Full,
            request: None,
            group: None,
            parts: Vec::new(),
            label: None,
        }
    }

    fn part(slot: Slot, content: &[u8]) -> Vec<Part<'_>> {
        vec![Part { slot, index: 0, content }]
    }

    #[test]
    fn changes_that_were_committed_are_known_by_the_versions_at_which_they_were_judged() {
        // One after the other.
        let changes = [0, 1, 2, 3];
        for (until, seen, has) in [(1, 0, false), (1, 1, false), (1, 2, true), (3, 3, false), (3, 4, true), (0, 9, true)] {
            assert_eq!(has_seen(&changes, 0, until, seen), has, "{until} {seen}");
        }
        // Two that were judged at 1; who has seen two changes may have seen the one or the other.
        let changes = [0, 1, 1, 3];
        for (until, seen, has) in [(0, 1, true), (1, 1, false), (1, 2, false), (1, 3, true)] {
            assert_eq!(has_seen(&changes, 0, until, seen), has, "{until} {seen}");
        }
        // One that was judged at 0 and slept while others went on.
        let changes = [0, 0, 1, 2];
        for seen in 0..4 {
            assert!(!has_seen(&changes, 0, 0, seen), "{seen}");
        }
        assert!(has_seen(&changes, 0, 0, 4));
        // Beside two others, each of which may be among those that were seen.
        let changes = [2, 3];
        for (until, seen, has) in [(2, 2, false), (2, 3, true), (3, 3, false), (3, 4, true)] {
            assert_eq!(has_seen(&changes, 2, until, seen), has, "{until} {seen}");
        }
        assert!(!has_seen(&changes, 3, 2, 3), "a third may be among the first three");
        assert!(!has_seen(&[4, 5], 0, 4, 6), "not all changes are known");
    }

    #[test]
    fn beside_others_a_row_stands_as_long_as_the_version_that_is_stated_says() {
        let role = |id: &str| Entity {
            uid: Uid::new("N::R", id).unwrap(),
            attrs: crate::value::Record::new(),
            parents: [].into(),
            record: None,
        };
        let put = |role: &Entity| {
            let mut put = Writer::default();
            put.array(3).uint(0).array(2).text(role.uid.type_name()).text(role.uid.id()).record(&role.attrs);
            put.finish()
        };
        let (staff, other) = (role("staff"), role("other"));
        let (mut rows, mut fold, mut beside) = (Rows::written_beside(), RowFold::default(), RowFold::default());
        let at = |n: u64, version: u64| Header { directory_version: version, ..header(Kind::Directory, n) };
        let hash = |n: u8| RecordHash([n; 32]);
        // It is put at version 0, and again at 1; another is put at 2.
        for (n, version) in [(0, 0), (1, 1)] {
            let (header, content) = (at(n, version), put(&staff));
            rows.take(false, &mut fold, &Record::new(&header, hash(n as u8), part(Slot::Change, &content)), n);
        }
        let (third, content) = (at(0, 2), put(&other));
        rows.take(false, &mut beside, &Record::new(&third, hash(2), part(Slot::Change, &content)), 2);
        let held = |version: u64, place: u64| {
            let slice = encode_world([&Entity { record: Some(hash(0)), ..staff.clone() }], None::<&Link>);
            let judged = Header { directory_version: version, ..header(Kind::Begun, 0) };
            rows.held(&Record::new(&judged, hash(9), part(Slot::Slice, &slice)), false, place)
        };
        assert_eq!(held(1, 7), Outcome::Same, "it was judged before, and committed later");
        assert!(matches!(held(2, 7), Outcome::Differs(_)), "by then the row was another");
        assert!(matches!(held(3, 7), Outcome::Differs(_)));
    }

    #[test]
    fn a_row_that_an_erasure_took_bears_what_was_judged_before() {
        let uid = Uid::new("N::R", "staff").unwrap();
        let role = Entity { uid, attrs: crate::value::Record::new(), parents: [].into(), record: None };
        let mut put = Writer::default();
        put.array(3).uint(0).array(2).text(role.uid.type_name()).text(role.uid.id()).record(&role.attrs);
        let put = put.finish();
        let (made, end) = (RecordHash([1; 32]), RecordHash([2; 32]));
        let (first, last, judged) = (header(Kind::Directory, 0), header(Kind::Erased, 1), header(Kind::Begun, 0));
        let (mut rows, mut fold) = (Rows::default(), RowFold::default());
        rows.take(false, &mut fold, &Record::new(&first, made, part(Slot::Change, &put)), 5);
        rows.take(false, &mut fold, &Record::new(&last, end, part(Slot::Change, b"key and ground")), 9);
        assert!(fold.rows().is_some(), "the end is no change that cannot be read");
        assert_eq!(rows.own, [5], "the end does not count in the tenant's version");
        let held = |cites: RecordHash, place: u64| {
            let slice = encode_world([&Entity { record: Some(cites), ..role.clone() }], None::<&Link>);
            rows.held(&Record::new(&judged, RecordHash([3; 32]), part(Slot::Slice, &slice)), false, place)
        };
        assert_eq!(held(made, 8), Outcome::Same);
        assert!(matches!(held(made, 10), Outcome::Differs(_)), "the row had ended");
        assert!(matches!(held(end, 8), Outcome::Differs(_)), "an end makes nobody");
    }
}
