//! Which policies a request concerns: an index by action, principal and resource, so that cost does not grow with the law.
//!
//! Every policy stands under one principal key and one resource key (anything; a type; exactly an entity; in an entity), in
//! one bucket per action or group that its scope names. A request looks up its own keys and its ancestors' and finds exactly
//! the policies whose scope holds for it, so that a scope is never evaluated. Templates stand under what their open slots
//! leave; their links are found by the slots' values.

use super::cedar::{EntityType, Key};
use super::hash::{MixHash, PassHash};
use super::links::LinkIndex;
use super::rule::{ActionScope, Rule, Scope};
use std::collections::HashMap;
use std::sync::Arc;

/// The key of whatever asks for nothing.
const ANY: u32 = 0;
/// The bucket of policies for any action.
const ANY_ACTION: u32 = 0;

/// Numbers of one entity as a key: exactly it, and in it; [`ANY`] where no scope asks so.
#[derive(Debug, Default, Clone, Copy)]
struct UidKeys {
    exactly: u32,
    within: u32,
}

/// A policy under its keys, and what `is T in E` leaves to be checked.
#[derive(Debug, Clone, Copy)]
struct Posting {
    rule: u32,
    principal_is: u32,
    resource_is: u32,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    next: u32,
    types: HashMap<EntityType, u32>,
    uids: HashMap<Key, UidKeys, PassHash>,
    actions: HashMap<Key, UidKeys, PassHash>,
    buckets: u32,
    /// Rows by bucket and principal key; only those that some policy stands under, which spares the resource's lookups.
    rows: HashMap<u64, u32, MixHash>,
    /// Policies by row and resource key.
    postings: HashMap<u64, Vec<Posting>, MixHash>,
    /// Whether a policy may stand in several buckets of one action, so that it could be found twice.
    overlaps: bool,
}

/// One side of a request, as the index sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'k> {
    /// The number of its type ([`Index::type_number`]).
    pub(super) type_number: u32,
    pub(super) own: &'k Key,
    pub(super) ancestors: &'k [Key],
}

/// A policy whose scope holds, or a link of a template whose scope holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) rule: u32,
    pub(super) link: Option<Arc<str>>,
}

/// Keys of one side: the first few need no allocation, and there are seldom more.
#[derive(Default)]
struct Few {
    first: [u32; 8],
    len: usize,
    more: Vec<u32>,
}

impl Few {
    fn push(&mut self, key: u32) {
        match self.first.get_mut(self.len) {
            Some(place) => {
                *place = key;
                self.len += 1;
            }
            None => self.more.push(key),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &u32> {
        self.first.iter().take(self.len).chain(&self.more)
    }
}

fn pair(a: u32, b: u32) -> u64 {
    u64::from(a) << 32 | u64::from(b)
}

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (number, rule) in rules.iter().enumerate() {
            // A law's texts are bounded far below 2^32 policies.
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let (principal, principal_is) = index.scope_key(&rule.principal);
            let (resource, resource_is) = index.scope_key(&rule.resource);
            let posting = Posting { rule: number, principal_is, resource_is };
            for bucket in index.action_buckets(&rule.action) {
                // No more rows than policies in buckets.
                let next = u32::try_from(index.rows.len()).unwrap_or(u32::MAX);
                let row = *index.rows.entry(pair(bucket, principal)).or_insert(next);
                index.postings.entry(pair(row, resource)).or_default().push(posting);
            }
        }
        index
    }

    /// The number of a type, or 0 if no scope asks for it.
    pub(super) fn type_number(&self, ty: &EntityType) -> u32 {
        self.types.get(ty).copied().unwrap_or(ANY)
    }

    /// The buckets in which an action's policies stand: its own, its groups', and that of any action.
    pub(super) fn buckets<'k>(&self, own: &Key, groups: impl IntoIterator<Item = &'k Key>) -> Vec<u32> {
        let own = self.actions.get(own).copied().unwrap_or_default();
        let within = groups.into_iter().filter_map(|g| self.actions.get(g)).map(|keys| keys.within);
        let mut buckets: Vec<u32> = [own.exactly, own.within].into_iter().chain(within).filter(|b| *b != ANY_ACTION).collect();
        buckets.push(ANY_ACTION);
        buckets.sort_unstable();
        buckets.dedup();
        buckets
    }

    /// Every policy and link whose scope holds, each once.
    pub(super) fn select(
        &self,
        rules: &[Rule],
        links: &LinkIndex,
        buckets: &[u32],
        principal: Side<'_>,
        resource: Side<'_>,
    ) -> Vec<Hit> {
        let mut hits = Vec::with_capacity(8);
        let (mut principal_keys, mut resource_keys) = (Few::default(), Few::default());
        self.side_keys(principal, &mut principal_keys);
        self.side_keys(resource, &mut resource_keys);
        for bucket in buckets {
            for p in principal_keys.iter() {
                let Some(row) = self.rows.get(&pair(*bucket, *p)) else { continue };
                for r in resource_keys.iter() {
                    for posting in self.postings.get(&pair(*row, *r)).into_iter().flatten() {
                        let fits = |is: u32, side: Side<'_>| is == ANY || is == side.type_number;
                        if !fits(posting.principal_is, principal) || !fits(posting.resource_is, resource) {
                            continue;
                        }
                        match rules.get(posting.rule as usize) {
                            Some(rule) if rule.is_template() => links.find(rule, principal, resource, |link| {
                                hits.push(Hit { rule: posting.rule, link: Some(Arc::clone(link)) });
                            }),
                            _ => hits.push(Hit { rule: posting.rule, link: None }),
                        }
                    }
                }
            }
        }
        if self.overlaps {
            hits.sort_unstable();
            hits.dedup();
        }
        hits
    }

    fn side_keys(&self, side: Side<'_>, keys: &mut Few) {
        let own = self.uids.get(side.own).copied().unwrap_or_default();
        keys.push(ANY);
        let mut add = |key: u32| {
            if key != ANY {
                keys.push(key);
            }
        };
        [side.type_number, own.exactly, own.within].into_iter().for_each(&mut add);
        if !self.uids.is_empty() {
            side.ancestors.iter().filter_map(|a| self.uids.get(a)).for_each(|k| add(k.within));
        }
    }

    /// The key that a scope stands under, and the type that is left to check.
    fn scope_key(&mut self, scope: &Scope) -> (u32, u32) {
        match scope {
            Scope::Any | Scope::EqSlot | Scope::InSlot => (ANY, ANY),
            Scope::Is(ty) | Scope::IsInSlot(ty) => (self.number_type(ty), ANY),
            Scope::Eq(key) => (self.number_uid(key, |k| &mut k.exactly), ANY),
            Scope::In(key) => (self.number_uid(key, |k| &mut k.within), ANY),
            Scope::IsIn(ty, key) => {
                let is = self.number_type(ty);
                (self.number_uid(key, |k| &mut k.within), is)
            }
        }
    }

    fn number_type(&mut self, ty: &EntityType) -> u32 {
        if let Some(number) = self.types.get(ty) {
            return *number;
        }
        self.next += 1;
        self.types.insert(ty.clone(), self.next);
        self.next
    }

    fn number_uid(&mut self, key: &Key, part: fn(&mut UidKeys) -> &mut u32) -> u32 {
        let number = part(self.uids.entry(key.clone()).or_default());
        if *number == ANY {
            self.next += 1;
            *number = self.next;
        }
        *number
    }

    fn action_buckets(&mut self, scope: &ActionScope) -> Vec<u32> {
        let (keys, part): (&[Key], fn(&mut UidKeys) -> &mut u32) = match scope {
            ActionScope::Any => return vec![ANY_ACTION],
            ActionScope::Eq(key) => (std::slice::from_ref(key), |k| &mut k.exactly),
            ActionScope::In(keys) => (keys, |k| &mut k.within),
        };
        let mut buckets = Vec::with_capacity(keys.len());
        for key in keys {
            let number = part(self.actions.entry(key.clone()).or_default());
            if *number == ANY_ACTION {
                self.buckets += 1;
                *number = self.buckets;
            }
            buckets.push(*number);
        }
        buckets.sort_unstable();
        buckets.dedup();
        self.overlaps |= buckets.len() > 1;
        buckets
    }
}
