//! What was judged, for the evidence: the closed entities and the links.

use super::bench::{Bench, Standing};
use super::draft::Drafting;
use super::evidence;
use super::instance::data_subject;
use crate::id::Uid;
use crate::policy::{Entity, Link, Prepared, Request};
use crate::proof::record::Slot;
use crate::value::Record;

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

    /// The same of what was asked by an action that the law lacks.
    pub(super) fn around_these(
        standing: Standing<'_>,
        principal: &Uid,
        resource: &Uid,
        given: &[Entity],
        context: &Record,
    ) -> Self {
        Self { entities: standing.bound.around_these(principal, resource, given, context), links: Vec::new() }
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

    /// The slice as parts, each of one person or of nobody: a person's entity is theirs, so is an instance whose data subject
    /// they are (its attributes are its facts), and a link that names them.
    pub(super) fn parts(&self, bench: &Bench<'_>, d: &mut Drafting<'_, '_>) {
        let mut parts: Vec<(Option<Uid>, Vec<&Entity>, Vec<&Link>)> = vec![(None, Vec::new(), Vec::new())];
        let mut of = |whose: Option<Uid>| -> usize {
            let known = parts.iter().position(|(of, ..)| *of == whose);
            known.unwrap_or_else(|| {
                parts.push((whose, Vec::new(), Vec::new()));
                parts.len() - 1
            })
        };
        let entities: Vec<(usize, &Entity)> = self.entities.iter().map(|e| (of(whose_entity(bench, e)), e)).collect();
        let named =
            |link: &Link| [&link.principal, &link.resource].into_iter().flatten().find(|uid| bench.is_person(uid)).cloned();
        let links: Vec<(usize, &Link)> = self.links.iter().map(|l| (of(named(l)), l)).collect();
        for (at, entity) in entities {
            parts[at].1.push(entity);
        }
        for (at, link) in links {
            parts[at].2.push(link);
        }
        for (whose, entities, links) in parts {
            d.part(Slot::Slice, whose.as_ref(), evidence::encode_slice(&entities, &links));
        }
    }
}

/// Whose an entity of a slice is.
fn whose_entity(bench: &Bench<'_>, entity: &Entity) -> Option<Uid> {
    if bench.is_person(&entity.uid) {
        return Some(entity.uid.clone());
    }
    let laws = [bench.guard_standing().law, bench.active.law];
    laws.into_iter().find_map(|law| {
        let of = law.contracts.values().find(|of| of.contract.entity == entity.uid.type_name())?;
        data_subject(law, &of.contract, &entity.attrs)
    })
}
