//! Things by number. A number is given once in the life of a process and never again, so that one that was closed is no
//! other's.
//!
//! No lock is taken to look one up: a child that was forked while another thread opened or closed something finds no lock held
//! by a thread that is not there.

use super::sync::{Arc, ArcSwap, AtomicU64, Ordering};
use std::collections::HashMap;

type Table<T> = HashMap<u64, T>;

/// What is open, by number.
pub(crate) struct Numbers<T> {
    open: ArcSwap<Table<T>>,
    next: AtomicU64,
}

impl<T: Clone> Numbers<T> {
    pub(crate) fn new() -> Self {
        Self { open: ArcSwap::from_pointee(Table::new()), next: AtomicU64::new(1) }
    }

    /// Takes it in under a number of its own.
    pub(crate) fn insert(&self, thing: T) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.rcu(|table| with(table, number, thing.clone()));
        number
    }

    /// The number of one that is the same, else a new one for this. Threads that come at once get the same.
    pub(crate) fn share(&self, thing: T, is_same: impl Fn(&T) -> bool) -> u64 {
        if let Some(known) = self.find(&is_same) {
            return known;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut first = None;
        self.open.rcu(|table| {
            first = number_of(table, &is_same);
            if first.is_some() { Table::clone(table) } else { with(table, number, thing.clone()) }
        });
        first.unwrap_or(number)
    }

    /// The number of one of which this is so.
    pub(crate) fn find(&self, is_it: impl Fn(&T) -> bool) -> Option<u64> {
        number_of(&self.open.load(), is_it)
    }

    /// Looks at what has this number. What is cloned there lives on, whoever takes the number away meanwhile.
    pub(crate) fn look<R>(&self, number: u64, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.open.load().get(&number).map(look)
    }

    /// Takes a number away, and says whether this did it: of several at once, one.
    pub(crate) fn remove(&self, number: u64) -> bool {
        let mut was_there = false;
        self.open.rcu(|table| {
            let mut table = Table::clone(table);
            was_there = table.remove(&number).is_some();
            table
        });
        was_there
    }
}

fn number_of<T>(table: &Arc<Table<T>>, is_it: impl Fn(&T) -> bool) -> Option<u64> {
    table.iter().find(|(_, thing)| is_it(thing)).map(|(number, _)| *number)
}

fn with<T: Clone>(table: &Table<T>, number: u64, thing: T) -> Table<T> {
    let mut table = table.clone();
    table.insert(number, thing);
    table
}
