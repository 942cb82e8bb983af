//! The messages that a tenant's records sent, and the rows of its outbox.

use super::Pass;
use super::aside::{Mark, Marks, Room, SAID, STORED, Sorted};
use super::copies::{Opened, open};
use crate::Failure;
use crate::store::sql::operation as sql;
use crate::store::{Row, StoreError, Tx};
use hos_core::canon::{CanonError, Reader, Writer};
use hos_core::id::{Handle, KeyId, Tenant};

/// Messages as records sent them, and rows.
pub(super) struct Messages {
    marks: Marks,
    /// Thread, n, place among the record's messages, side; [`Sent`] or [`Stored`]. A record whose messages cannot be read any more
    /// stands before all of its own: thread, n; 1 where its law says what it sent, else 0.
    all: Sorted,
}

/// What a record says of a message.
struct Sent {
    /// One of these, a space between them: a kind has none.
    kinds: String,
    /// What it holds; none where that cannot be read any more.
    body: Option<Mark>,
    /// Whether it may be that none was sent.
    may_lack: bool,
}

/// A row of the outbox.
struct Stored {
    pos: u64,
    key: KeyId,
    kind: String,
    /// What it holds; none where its key was destroyed.
    body: Option<Mark>,
    /// Whether it was told already that it does not open.
    is_told: bool,
}

impl Sent {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.array(3).text(&self.kinds).bytes(self.body.as_ref().map_or(&[][..], |mark| &mark.0)).bool(self.may_lack);
        w.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CanonError> {
        let mut r = Reader::new(bytes);
        r.array_of(3)?;
        Ok(Self { kinds: r.text()?.to_owned(), body: r.bytes()?.try_into().ok().map(Mark), may_lack: r.bool()? })
    }
}

impl Stored {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        let body = self.body.as_ref().map_or(&[][..], |mark| &mark.0);
        w.array(5).uint(self.pos).bytes(&self.key.0).text(&self.kind).bytes(body).bool(self.is_told);
        w.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CanonError> {
        let mut r = Reader::new(bytes);
        r.array_of(5)?;
        let (pos, key, kind) = (r.uint()?, KeyId(r.bytes_of()?), r.text()?.to_owned());
        Ok(Self { pos, key, kind, body: r.bytes()?.try_into().ok().map(Mark), is_told: r.bool()? })
    }
}

impl Messages {
    pub(super) fn new(room: Room, marks: &Marks) -> Self {
        Self { marks: marks.clone(), all: Sorted::new(room.bytes) }
    }

    /// A record sent a message, its `i`th.
    pub(super) fn push(&mut self, (thread, n): (Handle, u64), i: u64, kind: &str, body: &[u8]) -> Result<(), StoreError> {
        let sent = Sent { kinds: kind.to_owned(), body: Some(self.marks.of(body)), may_lack: false };
        self.all.push(&[&thread.0, &n.to_be_bytes(), &i.to_be_bytes(), SAID], &[&sent.encode()])
    }

    /// A record sent messages that cannot be read any more; with the kinds that its law declares, of each branch that it may have taken.
    pub(super) fn unread(&mut self, (thread, n): (Handle, u64), branches: Option<&[Vec<&str>]>) -> Result<(), StoreError> {
        self.all.push(&[&thread.0, &n.to_be_bytes()], &[&[u8::from(branches.is_some())]])?;
        let branches = branches.unwrap_or_default();
        for i in 0..branches.iter().map(Vec::len).max().unwrap_or_default() {
            let mut kinds: Vec<&str> = branches.iter().filter_map(|kinds| kinds.get(i).copied()).collect();
            let may_lack = kinds.len() < branches.len();
            kinds.sort_unstable();
            kinds.dedup();
            let sent = Sent { kinds: kinds.join(" "), body: None, may_lack };
            self.all.push(&[&thread.0, &n.to_be_bytes(), &(i as u64).to_be_bytes(), SAID], &[&sent.encode()])?;
        }
        Ok(())
    }
}

/// Compares the rows with what the records sent. Of a record that `is_unsaid`, nobody says what it sent.
pub(super) fn compare(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    mut messages: Messages,
    is_unsaid: impl Fn(&Handle, u64) -> bool,
) -> Result<(), Failure> {
    let mut place = 0;
    let page = |last: Option<&Row>, limit| Ok(sql::messages(tenant, last.map(|row| row.int(0)).transpose()?, limit));
    tx.pages(page, |row| {
        // A database's numbers are given before the commit: those of who rolled back are never used.
        stored(pass, tenant, &mut messages, row, (&mut place, tx.is_shared()), &is_unsaid)
    })?;
    let mut at = At::default();
    messages.all.each(|key, value| {
        let (of, rest) = key.split_first_chunk::<24>().ok_or_else(|| broken(&"a place that is none"))?;
        if rest.is_empty() {
            at.unread = Some((*of, value == [1]));
            return Ok(());
        }
        let (i, side) = rest.split_first_chunk::<8>().ok_or_else(|| broken(&"a place that is none"))?;
        at.turn(pass, tenant, (*of, *i));
        if side == SAID {
            at.said = Some(Sent::decode(value).map_err(|e| broken(&e))?);
            return Ok(());
        }
        at.stored(pass, tenant, &Stored::decode(value).map_err(|e| broken(&e))?)
    })?;
    at.missing(pass, tenant);
    Ok(())
}

/// Takes a row: what it says is compared when all of them are sorted.
fn stored(
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    messages: &mut Messages,
    row: &Row,
    (place, gaps): (&mut u64, bool),
    is_unsaid: impl Fn(&Handle, u64) -> bool,
) -> Result<(), Failure> {
    *place += 1;
    let (pos, thread, n, i) = (row.uint(0)?, Handle(row.bytes(1)?), row.uint(2)?, row.uint(3)?);
    let at = format!("hos_outbox {tenant} pos {pos}");
    if pos != *place && !gaps {
        pass.findings.add(at.clone(), "column pos: messages are missing before it");
        *place = pos;
    }
    // No record's word is held against it, and it is not opened: it may lie under a key that never was.
    if is_unsaid(&thread, n) {
        return Ok(());
    }
    let key = match row.bytes(5) {
        Ok(key) => KeyId(key),
        Err(error) => {
            pass.findings.add(at, error.message);
            return Ok(());
        }
    };
    let (body, is_told) = match open(pass, &at, "body", key, row.blob(6)?)? {
        Opened::Copy(body) => (Some(messages.marks.of(&body)), false),
        Opened::Gone => (None, false),
        Opened::Told => (None, true),
    };
    let stored = Stored { pos, key, kind: row.text(4)?.to_owned(), body, is_told };
    let key: &[&[u8]] = &[&thread.0, &n.to_be_bytes(), &i.to_be_bytes(), STORED];
    Ok(messages.all.push(key, &[&stored.encode()])?)
}

/// Where a look at all messages is: those of one place stand beside each other.
#[derive(Default)]
struct At {
    /// A record, and the place among its messages.
    place: Option<([u8; 24], [u8; 8])>,
    /// What the record says of it, while no row was met.
    said: Option<Sent>,
    /// Whether a row was met.
    met: bool,
    /// The last record whose messages cannot be read any more, and whether its law says what it sent.
    unread: Option<([u8; 24], bool)>,
    /// The last record that may have sent less than another branch does, and did.
    short: Option<[u8; 24]>,
    /// The last row's thread, and how far its rows have come.
    last: Option<(Handle, u64)>,
}

impl At {
    /// Goes on to a place.
    fn turn(&mut self, pass: &mut Pass<'_>, tenant: &Tenant, place: ([u8; 24], [u8; 8])) {
        if self.place != Some(place) {
            self.missing(pass, tenant);
            (self.place, self.met) = (Some(place), false);
        }
    }

    fn missing(&mut self, pass: &mut Pass<'_>, tenant: &Tenant) {
        if let (Some((of, i)), Some(said)) = (self.place, self.said.take()) {
            if said.may_lack {
                self.short = Some(of);
                return;
            }
            let ((thread, n), i) = (placed(&of), u64::from_be_bytes(i));
            pass.findings.add(format!("hos_outbox {tenant} thread {thread}, n {n}, i {i}"), "the row is missing");
        }
    }

    fn stored(&mut self, pass: &mut Pass<'_>, tenant: &Tenant, row: &Stored) -> Result<(), Failure> {
        let at = format!("hos_outbox {tenant} pos {}", row.pos);
        if std::mem::replace(&mut self.met, true) {
            pass.findings.add(at, "columns thread, n, i: another row has them too");
            return Ok(());
        }
        let Some((of, _)) = self.place else { return Ok(()) };
        // Who writes a message holds its instance until the commit: of one thread they stand in the order of its records.
        let (thread, _) = placed(&of);
        let before = self.last.filter(|(last, _)| *last == thread).map_or(0, |(_, pos)| pos);
        if row.pos < before {
            pass.findings.add(at.clone(), "column pos: before an earlier message of its thread");
        }
        self.last = Some((thread, row.pos.max(before)));
        let unread = self.unread.filter(|(record, _)| *record == of);
        // It was sealed for the person whose key the record's own words were under.
        if unread.is_some() && !pass.ring.is_destroyed(&row.key)? {
            let what = "column body_key: what the record sent is under a key that is gone, and this is not";
            pass.findings.add(at.clone(), what);
        }
        match self.said.take() {
            Some(said) => {
                if !said.kinds.split(' ').any(|kind| kind == row.kind) {
                    pass.findings.add(at.clone(), "column kind: not what the records say");
                }
                if self.short == Some(of) {
                    pass.findings.add(at.clone(), "column i: messages of its record are missing before it");
                }
                if said.body.is_some() && !row.is_told && row.body != said.body {
                    pass.findings.add(at, "column body: not what the records say");
                }
            }
            // The law is not there that says what it sent, which is told by itself.
            None if unread.is_some_and(|(_, is_declared)| !is_declared) => {}
            None => pass.findings.add(at, "columns thread, n, i: no record made it"),
        }
        Ok(())
    }
}

fn placed(of: &[u8; 24]) -> (Handle, u64) {
    let (thread, n) = of.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    (Handle(*thread), n.try_into().map(u64::from_be_bytes).unwrap_or_default())
}

fn broken(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::internal(format!("a message that was put aside: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_body_is_put_aside() {
        let marks = Marks::new(&crate::clock::SystemEntropy).unwrap();
        let mut messages = Messages::new(Room::of(Some(0)), &marks);
        messages.push((Handle([1; 16]), 2), 3, "mail.sent", b"to whom").unwrap();
        let mut kinds = 0;
        let shown = messages.all.each(|_, value| {
            kinds += value.windows(4).filter(|window| window == b"mail").count();
            assert!(!value.windows(4).any(|window| window == b"whom"));
            Ok::<_, StoreError>(())
        });
        assert_eq!((shown, kinds), (Ok(()), 1));
    }

    #[test]
    fn of_what_cannot_be_read_each_branch_says_what_it_may_be() {
        let marks = Marks::new(&crate::clock::SystemEntropy).unwrap();
        let mut messages = Messages::new(Room::of(None), &marks);
        let branches = [vec!["a", "b"], vec!["c"], vec!["a"]];
        messages.unread((Handle([1; 16]), 2), Some(&branches)).unwrap();
        messages.unread((Handle([1; 16]), 3), None).unwrap();
        let mut all = Vec::new();
        let shown = messages.all.each(|key, value| {
            all.push(match key.len() {
                24 => (format!("{value:?}"), false),
                _ => Sent::decode(value).map(|sent| (sent.kinds, sent.may_lack)).map_err(|e| broken(&e))?,
            });
            Ok::<_, StoreError>(())
        });
        assert_eq!(shown, Ok(()));
        let wanted = [("[1]", false), ("a c", false), ("b", true), ("[0]", false)];
        assert_eq!(all, wanted.map(|(kinds, may_lack)| (kinds.to_owned(), may_lack)));
    }

    #[test]
    fn what_is_put_aside_is_read_again() {
        for body in [None, Some(Mark([1; 32]))] {
            let sent = Sent { kinds: "k".into(), body, may_lack: body.is_none() };
            let sent = Sent::decode(&sent.encode()).unwrap();
            assert_eq!((sent.kinds.as_str(), sent.body, sent.may_lack), ("k", body, body.is_none()));
        }
        for body in [None, Some(Mark([2; 32]))] {
            let row = Stored { pos: 3, key: KeyId([4; 16]), kind: "k".into(), body, is_told: body.is_none() };
            let row = Stored::decode(&row.encode()).unwrap();
            assert_eq!((row.pos, row.key, row.body, row.is_told), (3, KeyId([4; 16]), body, body.is_none()));
        }
    }
}
