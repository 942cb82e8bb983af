//! An instance as its records say, in a form that a file may hold.

use super::aside::{Kept, Mark};
use hos_core::canon::{CanonError, Reader, Writer};
use hos_core::contract::step::Armed;
use hos_core::id::{LawHash, Name, RecordHash};
use hos_core::judge;
use hos_core::time::Timestamp;

/// An instance, as its records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) contract: Option<Name>,
    /// `None` when the part that says it was erased.
    pub(super) id: Option<Mark>,
    pub(super) n: u64,
    pub(super) last: RecordHash,
    pub(super) state: Option<Name>,
    pub(super) version: u64,
    pub(super) entered_n: u64,
    pub(super) entered_at: Timestamp,
    pub(super) last_time: Timestamp,
    pub(super) law: Option<LawHash>,
    pub(super) contract_version: u32,
    /// Of the canonical bytes; `None` when they were erased.
    pub(super) facts: Option<Mark>,
    pub(super) deadlines: Vec<Armed>,
    /// Of the key in the map of heads, where the birth bears one.
    pub(super) label: Option<Mark>,
    /// Whether an erasure's record was the thread's last.
    pub(super) ended: bool,
}

impl Kept for Folded {
    fn write(&self, w: &mut Writer) {
        let name = |name: &Option<Name>| name.as_ref().map_or(String::new(), |name| name.as_str().to_owned());
        let mark = |mark: &Option<Mark>| mark.map_or(Vec::new(), |mark| mark.0.to_vec());
        w.array(15).text(&name(&self.contract)).bytes(&mark(&self.id)).uint(self.n).bytes(self.last.as_bytes());
        w.text(&name(&self.state)).uint(self.version).uint(self.entered_n).int(self.entered_at.0).int(self.last_time.0);
        w.bytes(self.law.as_ref().map_or(&[][..], |law| law.as_bytes())).uint(self.contract_version.into());
        w.bytes(&mark(&self.facts)).bytes(&judge::encode_armed(&self.deadlines));
        w.bytes(&mark(&self.label)).bool(self.ended);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CanonError> {
        r.array_of(15)?;
        // A name is never empty, and nothing that is hashed comes to no bytes.
        Ok(Self {
            contract: Name::new(r.text()?).ok(),
            id: r.bytes()?.try_into().ok().map(Mark),
            n: r.uint()?,
            last: RecordHash(r.bytes_of()?),
            state: Name::new(r.text()?).ok(),
            version: r.uint()?,
            entered_n: r.uint()?,
            entered_at: Timestamp(r.int()?),
            last_time: Timestamp(r.int()?),
            law: r.bytes()?.try_into().ok().map(LawHash),
            contract_version: r.uint_as()?,
            facts: r.bytes()?.try_into().ok().map(Mark),
            deadlines: judge::decode_armed(r.bytes()?)?,
            label: r.bytes()?.try_into().ok().map(Mark),
            ended: r.bool()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_of_an_instance_is_read_again() {
        let name = |name: &str| Name::new(name).ok();
        let whole = Folded {
            contract: name("order"),
            id: Some(Mark([1; 32])),
            n: 2,
            last: RecordHash([3; 32]),
            state: name("paid"),
            version: 4,
            entered_n: 5,
            entered_at: Timestamp(-6),
            last_time: Timestamp(7),
            law: Some(LawHash([8; 32])),
            contract_version: 9,
            facts: Some(Mark([10; 32])),
            deadlines: vec![Armed { deadline: 11, event: Name::new("expire").unwrap(), due: Timestamp(12) }],
            label: Some(Mark([13; 32])),
            ended: true,
        };
        let bare = Folded { contract: None, id: None, state: None, law: None, facts: None, label: None, ..whole.clone() };
        for folded in [whole, Folded { deadlines: Vec::new(), ended: false, ..bare }] {
            let mut w = Writer::default();
            folded.write(&mut w);
            assert_eq!(Folded::read(&mut Reader::new(&w.finish())), Ok(folded));
        }
    }
}
