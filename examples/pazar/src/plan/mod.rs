//! What is to be called, in order: events by (time, row, step), each with the answer that the file's own guards lead one to
//! expect, so that an answer of the law's that differs is noticed at once.

mod hotel;
mod retail;

pub(crate) use hotel::Hotels;
pub(crate) use retail::Shop;

#[cfg(test)]
mod tests;

use crate::calendar::{DAY_MS, show_day};
use crate::input::{InputError, hotel as hotel_file, retail as retail_file};
use crate::trouble::Trouble;
use hos_core::call::Call;
use hos_core::id::{InstanceId, Tenant, Uid};
use hos_core::time::Timestamp;
use hos_engine::Settings;
use std::ops::Range;

/// How many events one commit holds at most.
pub(crate) const BATCH_MAX: usize = 512;
/// Events of one hour may be committed together. Bookings know days only; orders would come to a commit each.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// What happens in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Step {
    Request,
    Waitlist,
    Confirm,
    Modify,
    Reassign,
    CheckIn,
    CheckOut,
    Cancel,
    NoShow,
    Place,
    Return,
}

impl Step {
    /// The event's name in its contract.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Request => "request",
            Step::Waitlist => "waitlist",
            Step::Confirm => "confirm",
            Step::Modify => "modify",
            Step::Reassign => "reassign",
            Step::CheckIn => "check_in",
            Step::CheckOut => "check_out",
            Step::Cancel => "cancel",
            Step::NoShow => "no_show",
            Step::Place => "place",
            Step::Return => "accept",
        }
    }

    /// The contract it is an event of.
    pub(crate) fn contract(self) -> &'static str {
        match self {
            Step::Place => "order",
            Step::Return => "return",
            _ => "reservation",
        }
    }
}

/// One event, small: there may be millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// Which booking, invoice or line: an index into the market's own list, which is in order of rows.
    pub(crate) item: u32,
    /// Its place among the events of its item, from 0: the place of its record in its instance's thread.
    pub(crate) step: u16,
    /// What happens.
    pub(crate) what: Step,
}

/// Whose events they are.
#[derive(Debug)]
pub(crate) enum Market {
    /// Hotels with their bookings.
    Hotels(Hotels),
    /// A shop with its orders and returns.
    Shop(Shop),
}

/// Who takes part: what the directory must hold before the first event.
#[derive(Debug, Default)]
pub(crate) struct Cast {
    /// Whose data it is: a tenant a hotel, a tenant a shop.
    pub(crate) tenants: Vec<Tenant>,
    /// Ids of accounts, for the universe.
    pub(crate) accounts: Vec<String>,
    /// Shops, by index of their tenant.
    pub(crate) shops: Vec<(usize, String)>,
    /// Memberships: index of the tenant, role, account.
    pub(crate) members: Vec<(usize, &'static str, &'static str)>,
}

/// The whole replay.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The input's name, for people.
    pub(crate) origin: String,
    /// The input's digest, in hexadecimal.
    pub(crate) digest: String,
    /// In order.
    pub(crate) events: Vec<Event>,
    /// Who takes part.
    pub(crate) cast: Cast,
    /// What the events are about.
    pub(crate) market: Market,
}

/// The account that founds the store and keeps its directory.
pub(crate) const OPERATOR: &str = "operator";
/// The account that writes down how far the replay is.
pub(crate) const REPLAYER: &str = "replayer";
/// The account that acts for a hotel.
pub(crate) const FRONT_DESK: &str = "front-desk";

impl Plan {
    /// The instance with the most to tell: tenant, contract, id.
    pub(crate) fn telling(&self) -> Option<(Tenant, &'static str, InstanceId)> {
        let lawful = self.events.iter().filter(|e| self.expected(e).is_empty());
        let event = lawful.max_by_key(|e| (e.step, e.what == Step::Return, std::cmp::Reverse(e.item)))?;
        let (tenant, id) = self.instance(event).ok()?;
        Some((self.cast.tenants.get(tenant)?.clone(), event.what.contract(), id))
    }

    /// The replay of a file of bookings.
    pub(crate) fn of_bookings(origin: &str, digest: String, file: hotel_file::Bookings) -> Result<Self, Trouble> {
        let (hotels, events) = Hotels::plan(file)?;
        let cast = hotels.cast();
        Self { origin: origin.to_owned(), digest, events, cast, market: Market::Hotels(hotels) }.without_leaps()
    }

    /// The replay of a file of order lines.
    pub(crate) fn of_lines(origin: &str, digest: String, file: retail_file::Lines) -> Result<Self, Trouble> {
        let (shop, events) = Shop::plan(file)?;
        let cast = shop.cast();
        Self { origin: origin.to_owned(), digest, events, cast, market: Market::Shop(shop) }.without_leaps()
    }

    /// Refuses an event at a time that the engine would not believe: too far behind what its tenant recorded last, or later than any
    /// record may be. The directory is recorded at the time of the first event.
    fn without_leaps(self) -> Result<Self, Trouble> {
        let most = Settings::default().limits.jump_max_ms;
        let mut recorded = vec![self.begins_at(); self.cast.tenants.len()];
        let mut next = 0;
        while next < self.events.len() {
            let batch = self.batch(next);
            next = batch.end;
            let events = self.events.get(batch).unwrap_or_default();
            // A batch is dated by its last event.
            let at = events.last().map_or(0, |event| event.at);
            for event in events {
                let (tenant, _) = self.instance(event)?;
                let Some(last) = recorded.get_mut(tenant) else { continue };
                let why = if at - *last > most {
                    let before = show_day(i32::try_from(*last / DAY_MS).unwrap_or(i32::MAX));
                    format!("more than {} days behind what comes before it, on {before}", most / DAY_MS)
                } else if Timestamp(at).is_claimable() {
                    *last = at;
                    continue;
                } else {
                    "later than any record may be".to_owned()
                };
                let (line, column) = match &self.market {
                    Market::Hotels(hotels) => hotels.place(event),
                    Market::Shop(shop) => shop.place(event),
                };
                let what = format!("{}: {why}", self.describe(event));
                return Err(InputError { file: self.origin.clone(), line, column: column.to_owned(), what }.into());
            }
            // With it goes the note of how far the replay is, which the first tenant keeps.
            if let Some(home) = recorded.first_mut() {
                *home = at;
            }
        }
        Ok(self)
    }

    /// The first eight digits of the digest: short enough for names.
    pub(crate) fn short_digest(&self) -> &str {
        self.digest.get(..8).unwrap_or(&self.digest)
    }

    /// When the first event is; the store is founded then.
    pub(crate) fn begins_at(&self) -> i64 {
        self.events.first().map_or(0, |e| e.at)
    }

    /// The events that are committed together, beginning with the one at `from`: of one hour, and at most [`BATCH_MAX`].
    /// Depends on nothing but the events, so that a replay that goes on later cuts them the same way.
    pub(crate) fn batch(&self, from: usize) -> Range<usize> {
        let Some(first) = self.events.get(from) else { return from..from };
        let hour = |at: i64| at.div_euclid(HOUR_MS);
        let same = self.events.iter().skip(from).take(BATCH_MAX).take_while(|e| hour(e.at) == hour(first.at)).count();
        from..from + same
    }

    /// The call of an event, and the index of its tenant.
    pub(crate) fn call(&self, event: &Event) -> Result<(usize, Call), Trouble> {
        match &self.market {
            Market::Hotels(hotels) => hotels.call(event),
            Market::Shop(shop) => shop.call(event).map(|call| (0, call)),
        }
    }

    /// The refusal codes that the file's own guards lead one to expect; empty for an event that is lawful.
    pub(crate) fn expected(&self, event: &Event) -> &'static [&'static str] {
        match &self.market {
            Market::Hotels(hotels) => hotels.expected(event),
            Market::Shop(shop) => shop.expected(event),
        }
    }

    /// Index of the tenant and the instance of an event.
    pub(crate) fn instance(&self, event: &Event) -> Result<(usize, InstanceId), Trouble> {
        match &self.market {
            Market::Hotels(hotels) => hotels.instance(event),
            Market::Shop(shop) => shop.instance(event).map(|id| (0, id)),
        }
    }

    /// An event as a message names it.
    pub(crate) fn describe(&self, event: &Event) -> String {
        match &self.market {
            Market::Hotels(hotels) => hotels.describe(event),
            Market::Shop(shop) => shop.describe(event),
        }
    }
}

/// An account of this law.
pub(crate) fn account(id: &str) -> Result<Uid, Trouble> {
    Ok(Uid::new("Pazar::Account", id)?)
}

/// An entity of this law's namespace.
pub(crate) fn entity(kind: &str, id: &str) -> Result<Uid, Trouble> {
    Ok(Uid::new(format!("Pazar::{kind}"), id)?)
}

/// A tenant's name made of whatever a file calls it: `Resort Hotel` is `resort-hotel`.
pub(crate) fn slug(name: &str) -> Result<Tenant, Trouble> {
    let mut out = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            kept if kept.is_ascii_lowercase() || kept.is_ascii_digit() => out.push(kept),
            _ if out.is_empty() || out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out.truncate(hos_core::limits::TENANT_BYTES_MAX);
    let text = out.trim_end_matches('-');
    match Tenant::new(text) {
        Ok(tenant) if tenant.is_universe() => Err(Trouble::new("the name `universe` is reserved; a hotel cannot bear it")),
        Ok(tenant) => Ok(tenant),
        Err(_) => Err(Trouble::new(format!("`{}` has no letter or digit to make a tenant's name of", hos_core::id::Shown(name)))),
    }
}
