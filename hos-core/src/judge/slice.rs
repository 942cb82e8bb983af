//! What was judged, for the evidence: the closed entities and the links.

use super::bench::{Bench, Standing};
use super::draft::Drafting;
use super::evidence;
use crate::policy::{Entity, Link, Prepared, Request};
use crate::proof::record::Slot;

/// The closed entities and links that were judged: the whole entity world of a decision.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    entities: Vec<Entity>,
    links: Vec<Link>,
}

impl Slice {
    /// What a request was judged over.
    pub(super) fn of(prepared: &Prepared<'_>) -> Self {
        Self { entities: prepared.slice(), links: prepared.links() }
    }

    /// What a request stood on that was refused before judging.
    pub(super) fn around(standing: Standing<'_>, request: &Request<'_>) -> Self {
        Self { entities: standing.bound.around(request), links: Vec::new() }
    }

    /// Adds what the directory held of entities that something besides the policies read: the guards of an older law, a
    /// deadline's instant. What came with the call is here already.
    pub(super) fn also(&mut self, read: impl IntoIterator<Item = Entity>) {
        for entity in read.into_iter().filter(|e| e.record.is_some()) {
            if let Err(place) = self.entities.binary_search_by(|have| have.uid.cmp(&entity.uid)) {
                self.entities.insert(place, entity);
            }
        }
    }

    /// Adds a link that was not judged by, but asked about.
    pub(super) fn also_link(&mut self, link: &Link) {
        if let Err(place) = self.links.binary_search_by(|have| have.id.cmp(&link.id)) {
            self.links.insert(place, link.clone());
        }
    }

    /// The slice as parts: each person's entity under that person, all else under nobody.
    pub(super) fn parts(&self, bench: &Bench<'_>, d: &mut Drafting<'_, '_>) {
        let (persons, rest): (Vec<&Entity>, Vec<&Entity>) = self.entities.iter().partition(|e| bench.is_person(&e.uid));
        let links: Vec<&Link> = self.links.iter().collect();
        d.part(Slot::Slice, None, evidence::encode_slice(&rest, &links));
        for entity in persons {
            d.part(Slot::Slice, Some(&entity.uid), evidence::encode_slice(&[entity], &[]));
        }
    }
}
