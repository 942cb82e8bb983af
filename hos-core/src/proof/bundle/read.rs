//! A bundle's bytes, read strictly, in the order of the specification's table: first the one spelling, then the fields, then
//! numbers, lists and limits. What is beyond its bounds is told once all is read, for a field that is missing behind it comes
//! before.

use super::{Bundle, BundleError, HeadsProof, Item, KeyRange, LawFiles, LogNote, Opening, VERSION, WHAT, Why, Withheld};
use crate::canon::{Reader, check_item};
use crate::id::{Handle, LawHash, MapHash, RecordHash, TreeHash};
use crate::limits::{
    BUNDLE_BYTES_MAX, BUNDLE_KEYS_MAX, BUNDLE_LAWS_MAX, BUNDLE_LOGS_MAX, BUNDLE_NESTING_MAX, BUNDLE_RECORDS_MAX, ENTRY_BYTES_MAX,
    LAW_FILES_MAX, NOTE_BYTES_MAX, PART_BYTES_MAX, PROOF_MAX, SIBLINGS_MAX,
};
use crate::proof::format::{Fields, KeyError, SUITE};
use crate::proof::heads::HeadKind;
use crate::proof::record::Slot;

impl Bundle {
    /// The bundle that these bytes are; every number is within its limit and every list in its order.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        check_item(bytes, BUNDLE_NESTING_MAX)?;
        let mut r = Reader::new(bytes);
        let mut bounds = Bounds::default();
        let bundle = fields(&mut r, &mut bounds)?;
        r.end()?;
        bounds.first.map_or(Ok(bundle), Err)
    }
}

fn fields(r: &mut Reader<'_>, b: &mut Bounds) -> Result<Bundle, BundleError> {
    let mut f = Fields::<BundleError>::of_map(r)?;
    f.need(1)?;
    match f.r.uint()? {
        VERSION => {}
        other => return Err(BundleError::Version(other)),
    }
    f.need(2)?;
    match f.r.uint()? {
        SUITE => {}
        other => return Err(BundleError::Suite(other)),
    }
    f.need(3)?;
    if f.r.text()? != WHAT {
        return Err(BundleError::What);
    }
    f.need(4)?;
    let logs = list(f.r, b, BUNDLE_LOGS_MAX, "logs", |r, b| {
        r.array_of(2)?;
        let (tenant, note) = (r.text()?, r.text()?);
        b.within(note.len(), NOTE_BYTES_MAX, "a note that is too long");
        Ok(LogNote { tenant: tenant.to_owned(), note: note.to_owned() })
    })?;
    b.hold(!logs.is_empty(), || BundleError::Empty);
    f.need(5)?;
    let thread = Handle(f.r.bytes_of()?);
    f.need(6)?;
    let records = list(f.r, b, BUNDLE_RECORDS_MAX, "records", item)?;
    b.hold(!records.is_empty(), || BundleError::Empty);
    let heads = if f.has(7)? { Some(heads(f.r, b)?) } else { None };
    f.need(8)?;
    let cited = list(f.r, b, BUNDLE_RECORDS_MAX, "cited records", |r, b| {
        r.array_of(2)?;
        Ok((log_place(r, b, logs.len())?, item(r, b)?))
    })?;
    f.need(9)?;
    let laws = ascending(f.r, b, BUNDLE_LAWS_MAX, "laws", |x: &LawFiles, y| x.hash < y.hash, law)?;
    f.need(10)?;
    let keys = ascending(
        f.r,
        b,
        BUNDLE_KEYS_MAX,
        "key ranges",
        |x: &KeyRange, y| (x.log, x.from) < (y.log, y.from),
        |r, b| {
            r.array_of(4)?;
            let log = log_place(r, b, logs.len())?;
            Ok(KeyRange { log, vkey: r.text()?.to_owned(), from: r.uint()?, to: r.uint()? })
        },
    )?;
    f.close()?;
    Ok(Bundle { logs, thread, records, heads, cited, laws, keys })
}

/// The first thing beyond its bounds.
#[derive(Default)]
struct Bounds {
    first: Option<BundleError>,
}

impl Bounds {
    fn hold(&mut self, holds: bool, error: impl FnOnce() -> BundleError) {
        if !holds && self.first.is_none() {
            self.first = Some(error());
        }
    }

    fn within(&mut self, len: usize, max: usize, what: &'static str) {
        self.hold(len <= max, || BundleError::Limit(what));
    }

    /// One of several that are known by number; where none is, another stands in, for the bundle is refused.
    fn known<T>(&mut self, found: Option<T>, instead: T, what: &'static str) -> T {
        self.hold(found.is_some(), || BundleError::Limit(what));
        found.unwrap_or(instead)
    }
}

/// A list's items. Once anything is beyond its bounds the rest is read and not kept.
fn list<'a, T>(
    r: &mut Reader<'a>,
    b: &mut Bounds,
    max: usize,
    what: &'static str,
    read: impl FnMut(&mut Reader<'a>, &mut Bounds) -> Result<T, BundleError>,
) -> Result<Vec<T>, BundleError> {
    ascending(r, b, max, what, |_, _| true, read)
}

/// The items of a list with an order, none twice.
fn ascending<'a, T>(
    r: &mut Reader<'a>,
    b: &mut Bounds,
    max: usize,
    what: &'static str,
    precedes: impl Fn(&T, &T) -> bool,
    mut read: impl FnMut(&mut Reader<'a>, &mut Bounds) -> Result<T, BundleError>,
) -> Result<Vec<T>, BundleError> {
    let count = r.array()?;
    b.hold(count <= max, || BundleError::Limit(what));
    let mut items: Vec<T> = Vec::new();
    for _ in 0..count {
        let item = read(r, b)?;
        b.hold(items.last().is_none_or(|last| precedes(last, &item)), || BundleError::Order(what));
        if b.first.is_none() {
            items.push(item);
        }
    }
    Ok(items)
}

fn log_place(r: &mut Reader<'_>, b: &mut Bounds, logs: usize) -> Result<usize, BundleError> {
    let log = usize::try_from(r.uint()?).ok().filter(|log| *log < logs);
    Ok(b.known(log, 0, "a log that is not there"))
}

fn place(r: &mut Reader<'_>, b: &mut Bounds) -> Result<(Slot, u8), BundleError> {
    let slot = b.known(Slot::from_number(r.uint()?), Slot::Payload, "an unknown slot");
    Ok((slot, b.known(u8::try_from(r.uint()?).ok(), 0, "a part's index beyond 255")))
}

/// How many parts are named is held against the header later, which lists no more than its limit.
fn item(r: &mut Reader<'_>, b: &mut Bounds) -> Result<Item, BundleError> {
    r.array_of(4)?;
    let entry = r.bytes()?;
    b.within(entry.len(), ENTRY_BYTES_MAX, "an entry that is too long");
    let proof = list(r, b, PROOF_MAX, "hashes of a proof", |r, _| Ok(TreeHash(r.bytes_of()?)))?;
    let opened = ascending(
        r,
        b,
        usize::MAX,
        "opened parts",
        |x: &Opening, y| (x.slot, x.index) < (y.slot, y.index),
        |r, b| {
            r.array_of(4)?;
            let (slot, index) = place(r, b)?;
            let (salt, plaintext) = (r.bytes_of()?, r.bytes()?);
            b.within(plaintext.len(), PART_BYTES_MAX, "a part that is too long");
            Ok(Opening { slot, index, salt, plaintext: plaintext.to_vec() })
        },
    )?;
    let withheld = ascending(
        r,
        b,
        usize::MAX,
        "withheld parts",
        |x: &Withheld, y| (x.slot, x.index) < (y.slot, y.index),
        |r, b| {
            r.array_of(3)?;
            let (slot, index) = place(r, b)?;
            let why = b.known(Why::from_number(r.uint()?), Why::Hidden, "an unknown reason");
            Ok(Withheld { slot, index, why })
        },
    )?;
    Ok(Item { entry: entry.to_vec(), proof, opened, withheld })
}

fn heads(r: &mut Reader<'_>, b: &mut Bounds) -> Result<HeadsProof, BundleError> {
    r.array_of(5)?;
    let item = item(r, b)?;
    let kind = b.known(HeadKind::from_number(r.uint()?), HeadKind::Live, "an unknown kind of head");
    let (n, last) = (r.uint()?, RecordHash(r.bytes_of()?));
    let siblings = list(r, b, SIBLINGS_MAX, "siblings", |r, _| Ok(MapHash(r.bytes_of()?)))?;
    Ok(HeadsProof { item, kind, n, last, siblings })
}

fn law(r: &mut Reader<'_>, b: &mut Bounds) -> Result<LawFiles, BundleError> {
    r.array_of(2)?;
    let hash = LawHash(r.bytes_of()?);
    let files = ascending(
        r,
        b,
        LAW_FILES_MAX,
        "a law's files",
        |x: &(String, Vec<u8>), y| x.0 < y.0,
        |r, _| {
            r.array_of(2)?;
            Ok((r.text()?.to_owned(), r.bytes()?.to_vec()))
        },
    )?;
    Ok(LawFiles { hash, files })
}

impl KeyError for BundleError {
    fn unknown(key: u64) -> Self {
        Self::UnknownField(key)
    }

    fn missing(key: u64) -> Self {
        Self::MissingField(key)
    }
}
