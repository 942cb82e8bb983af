//! Bookings as events of the contract `reservation`.

use super::{Cast, Event, FRONT_DESK, REPLAYER, Step, account, slug};
use crate::calendar::{midnight, show_day};
use crate::input::hotel::{Booking, Bookings, Outcome};
use crate::trouble::Trouble;
use hos_core::call::{Begin, Call, Transition};
use hos_core::id::{InstanceId, Tenant, Uid};
use hos_core::value::{Ext, Value};

/// Bookings, ready to be called.
#[derive(Debug)]
pub(crate) struct Hotels {
    file: Bookings,
    /// Each hotel's tenant, as an index into `tenants`: two spellings may be one.
    tenant_of: Vec<usize>,
    tenants: Vec<Tenant>,
    bookers: Vec<Uid>,
    desk: Uid,
    /// Events that the file dates before what must come first; they happen together with it instead.
    pub(crate) moved: u64,
}

impl Hotels {
    /// Orders the events of all bookings.
    pub(super) fn plan(file: Bookings) -> Result<(Self, Vec<Event>), Trouble> {
        let mut tenants: Vec<Tenant> = Vec::new();
        let mut tenant_of = Vec::new();
        for name in file.hotels.texts() {
            let tenant = slug(name)?;
            let found = tenants.iter().position(|t| *t == tenant);
            tenant_of.push(found.unwrap_or(tenants.len()));
            if found.is_none() {
                tenants.push(tenant);
            }
        }
        let bookers = file.bookers.texts().iter().map(|id| account(id)).collect::<Result<_, _>>()?;
        let mut hotels = Self { file, tenant_of, tenants, bookers, desk: account(FRONT_DESK)?, moved: 0 };
        let mut events = Vec::with_capacity(hotels.file.bookings.len().saturating_mul(5));
        for (item, booking) in hotels.file.bookings.iter().enumerate() {
            let item = u32::try_from(item).map_err(|_| Trouble::new("too many bookings"))?;
            hotels.moved += events_of(item, booking, &mut events);
        }
        // Bookings are in order of their rows, so that the index stands for the row.
        events.sort_unstable_by_key(|e| (e.at, e.item, e.step));
        Ok((hotels, events))
    }

    /// How many bookings there are.
    pub(crate) fn bookings(&self) -> usize {
        self.file.bookings.len()
    }

    /// How many of the cancellations keep the deposit: those of bookings that were not to be refunded.
    pub(crate) fn forfeits(&self) -> u64 {
        let forfeits = |b: &&Booking| {
            guards(b).is_empty() && b.outcome == Outcome::Cancelled && self.file.words.text(b.deposit) == "Non Refund"
        };
        self.file.bookings.iter().filter(forfeits).count() as u64
    }

    pub(super) fn cast(&self) -> Cast {
        let mut accounts = vec![FRONT_DESK.to_owned(), REPLAYER.to_owned()];
        accounts.extend(self.file.bookers.texts().iter().cloned());
        let mut members: Vec<_> = (0..self.tenants.len()).map(|t| (t, "desk", FRONT_DESK)).collect();
        members.push((0, "worker", REPLAYER));
        Cast { tenants: self.tenants.clone(), accounts, shops: Vec::new(), members }
    }

    pub(super) fn call(&self, event: &Event) -> Result<(usize, Call), Trouble> {
        let b = self.booking(event)?;
        let tenant = self.tenant(b);
        let id = format!("r{}", b.row);
        let once = format!("r{}-{}", b.row, event.step);
        let booker = || self.bookers.get(b.booker as usize).cloned().ok_or_else(|| Trouble::new("a booking without a booker"));
        let name = event.what.name();
        let text = |n: u32| self.file.words.text(n);
        let call = match event.what {
            Step::Request => Call::Begin(
                Begin::new(booker()?, "reservation", &id, name)?
                    .fact("booker", booker()?)
                    .fact("guests", i64::from(b.guests))
                    .fact("nights", i64::from(b.nights))
                    .fact("room", text(b.reserved))
                    .fact("rate", b.rate)
                    .fact("deposit", text(b.deposit))
                    .fact("arrival", Value::Ext(Ext::Datetime, format!("{}T00:00:00Z", show_day(b.arrival))))
                    .once(&once)?,
            ),
            Step::Modify | Step::Cancel => Call::Transition(Transition::new(booker()?, "reservation", &id, name)?.once(&once)?),
            Step::Reassign => Call::Transition(
                Transition::new(self.desk.clone(), "reservation", &id, name)?.arg("room", text(b.assigned)).once(&once)?,
            ),
            _ => Call::Transition(Transition::new(self.desk.clone(), "reservation", &id, name)?.once(&once)?),
        };
        Ok((tenant, call))
    }

    pub(super) fn expected(&self, event: &Event) -> &'static [&'static str] {
        match (event.what, self.file.bookings.get(event.item as usize)) {
            (Step::Request, Some(b)) => guards(b),
            _ => &[],
        }
    }

    pub(super) fn instance(&self, event: &Event) -> Result<(usize, InstanceId), Trouble> {
        let b = self.booking(event)?;
        Ok((self.tenant(b), InstanceId::new(format!("r{}", b.row))?))
    }

    pub(super) fn describe(&self, event: &Event) -> String {
        let row = self.file.bookings.get(event.item as usize).map_or(0, |b| b.row);
        format!(
            "row {row}, `{}` on {}",
            event.what.name(),
            show_day(i32::try_from(event.at / crate::calendar::DAY_MS).unwrap_or(0))
        )
    }

    /// Where the file says when an event happens: its line and column.
    pub(super) fn place(&self, event: &Event) -> (u64, &str) {
        let Some(b) = self.file.bookings.get(event.item as usize) else { return (0, "") };
        let times = &self.file.times;
        let column = match event.what {
            Step::CheckOut | Step::Cancel | Step::NoShow => &times.settled,
            Step::Confirm | Step::Modify | Step::Reassign if b.waited > 0 => &times.waited,
            _ => &times.arrival,
        };
        (b.file_line, column.as_str())
    }

    fn booking(&self, event: &Event) -> Result<&Booking, Trouble> {
        self.file.bookings.get(event.item as usize).ok_or_else(|| Trouble::new("an event without a booking"))
    }

    fn tenant(&self, booking: &Booking) -> usize {
        self.tenant_of.get(usize::from(booking.hotel)).copied().unwrap_or(0)
    }
}

/// What the hotel's own guards have against a booking.
fn guards(b: &Booking) -> &'static [&'static str] {
    match (b.guests == 0, b.nights == 0) {
        (true, true) => &["reservation.no_guests", "reservation.no_nights"],
        (true, false) => &["reservation.no_guests"],
        (false, true) => &["reservation.no_nights"],
        (false, false) => &[],
    }
}

/// Adds a booking's events in their order, and says how many the file dates before their forerunner.
fn events_of(item: u32, b: &Booking, events: &mut Vec<Event>) -> u64 {
    let (mut step, mut last, mut moved) = (0u16, b.booked, 0u64);
    let mut add = |what: Step, day: i32| {
        moved += u64::from(day < last);
        last = last.max(day);
        events.push(Event { at: midnight(last), item, step, what });
        step += 1;
    };
    add(Step::Request, b.booked);
    if !guards(b).is_empty() {
        return 0;
    }
    if b.waited > 0 {
        add(Step::Waitlist, b.booked);
    }
    let confirmed = b.booked + i32::from(b.waited);
    add(Step::Confirm, confirmed);
    for _ in 0..b.changes {
        add(Step::Modify, confirmed);
    }
    if b.reserved != b.assigned {
        add(Step::Reassign, confirmed);
    }
    match b.outcome {
        Outcome::CheckedOut => {
            add(Step::CheckIn, b.arrival);
            add(Step::CheckOut, b.settled);
        }
        Outcome::Cancelled => add(Step::Cancel, b.settled),
        Outcome::NoShow => add(Step::NoShow, b.settled),
    }
    moved
}
