//! The public hotel-bookings format (Antonio, de Almeida, Nunes 2019): one row, one booking, no booking id.

use super::names::Names;
use super::table::{Table, clip};
use super::{InputError, Text, number};
use crate::calendar;
use std::collections::HashSet;

/// How a booking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    CheckedOut,
    Cancelled,
    NoShow,
}

/// One booking. Texts are numbers into the file's [`Names`]; days count from 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booking {
    /// The row of the original, from 1: the booking's only identity.
    pub(crate) row: u32,
    /// The line of the file that it begins in, for messages.
    pub(crate) file_line: u64,
    /// Of which hotel.
    pub(crate) hotel: u16,
    /// When it was asked for: the arrival less the lead time.
    pub(crate) booked: i32,
    /// When the guests were to come.
    pub(crate) arrival: i32,
    /// The day of the final status.
    pub(crate) settled: i32,
    /// Days on the waiting list.
    pub(crate) waited: u16,
    /// How often it was changed.
    pub(crate) changes: u16,
    /// Adults, children and babies.
    pub(crate) guests: u32,
    /// Week and weekend nights.
    pub(crate) nights: u32,
    /// A night's price in minor units; may be nothing, negative or absurd.
    pub(crate) rate: i64,
    /// The room type asked for, and the one given.
    pub(crate) reserved: u32,
    pub(crate) assigned: u32,
    /// The deposit's type.
    pub(crate) deposit: u32,
    /// Who booked: an account's id.
    pub(crate) booker: u32,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// All bookings of a file, by row.
#[derive(Debug)]
pub(crate) struct Bookings {
    /// Ascending by row.
    pub(crate) bookings: Vec<Booking>,
    /// Hotels as the file names them, in order of appearance.
    pub(crate) hotels: Names,
    /// Room types and deposit types.
    pub(crate) words: Names,
    /// Accounts: `agent-240`, `company-110`, `guest`.
    pub(crate) bookers: Names,
    /// Where the file says when.
    pub(crate) times: Times,
}

/// What the file calls the columns that say when something happens.
#[derive(Debug)]
pub(crate) struct Times {
    /// The arrival's year.
    pub(crate) arrival: String,
    /// Days on the waiting list.
    pub(crate) waited: String,
    /// The day of the final status.
    pub(crate) settled: String,
}

/// The account of whoever booked without an agent or a company: the file does not tell them apart.
pub(crate) const GUEST: &str = "guest";

/// Reads the whole file or says where it is wrong.
pub(crate) fn parse(text: &Text) -> Result<Bookings, InputError> {
    let mut table = Table::open(text)?;
    let row_column = table.optional(&["row"])?;
    let hotel = table.optional(&["hotel"])?;
    let lead = table.column(&["lead_time"])?;
    let year = table.column(&["arrival_date_year"])?;
    let month = table.column(&["arrival_date_month"])?;
    let day = table.column(&["arrival_date_day_of_month"])?;
    let weekend = table.column(&["stays_in_weekend_nights"])?;
    let week = table.column(&["stays_in_week_nights"])?;
    let adults = table.column(&["adults"])?;
    let children = table.column(&["children"])?;
    let babies = table.column(&["babies"])?;
    let reserved = table.column(&["reserved_room_type"])?;
    let assigned = table.column(&["assigned_room_type"])?;
    let changes = table.column(&["booking_changes"])?;
    let deposit = table.column(&["deposit_type"])?;
    let agent = table.column(&["agent"])?;
    let company = table.column(&["company"])?;
    let waited = table.column(&["days_in_waiting_list"])?;
    let rate = table.column(&["adr", "average_daily_rate"])?;
    let status = table.column(&["reservation_status"])?;
    let status_date = table.column(&["reservation_status_date"])?;

    let [hotels, words, bookers] = std::array::from_fn(|_| Names::default());
    let [arrival, waiting, settled] = [&year, &waited, &status_date].map(|column| column.name().to_owned());
    let mut all = Bookings { bookings: Vec::new(), hotels, words, bookers, times: Times { arrival, waited: waiting, settled } };
    let mut rows = HashSet::new();
    while let Some(row) = table.next_row()? {
        let number = match &row_column {
            Some(column) => row.whole(column, 1, i64::from(u32::MAX))?,
            None => i64::try_from(row.number).unwrap_or(i64::MAX),
        };
        let number = u32::try_from(number).map_err(|_| row.wrong("too many rows"))?;
        if !rows.insert(number) {
            return Err(row.wrong(format!("the row {number} is there twice")));
        }
        let date = (row.whole(&year, 1970, 2260)?, row.filled(&month)?, row.whole(&day, 1, 31)?);
        let month_number =
            calendar::month(date.1).ok_or_else(|| row.error(&month, format!("`{}` is not a month", clip(date.1))))?;
        let arrival = calendar::day(date.0, month_number, date.2)
            .ok_or_else(|| row.error(&day, format!("{} {} has no day {}", clip(date.1), date.0, date.2)))?;
        let booked = arrival - small(row.whole(&lead, 0, 10_000)?);
        if booked < 0 {
            return Err(row.error(&lead, "the booking would lie before 1970".into()));
        }
        let settled_text = row.filled(&status_date)?;
        let settled = calendar::iso_day(settled_text)
            .filter(|d| *d >= 0)
            .ok_or_else(|| row.error(&status_date, format!("`{}` is not a date such as 2015-07-01", clip(settled_text))))?;
        let outcome_text = row.filled(&status)?;
        let outcome = match outcome_text.to_ascii_lowercase().replace([' ', '_'], "-").as_str() {
            "check-out" => Outcome::CheckedOut,
            "canceled" | "cancelled" => Outcome::Cancelled,
            "no-show" => Outcome::NoShow,
            _ => return Err(row.error(&status, format!("`{}` is not Check-Out, Canceled or No-Show", clip(outcome_text)))),
        };
        let minor = row.decimal(&rate)?;
        let minor = number::scaled(&minor, 2)
            .ok_or_else(|| row.error(&rate, format!("`{}` is not an amount of at most two decimals", clip(&minor))))?;
        let child_count = if row.known(&children)?.is_some() { row.whole(&children, 0, 1_000)? } else { 0 };
        let guests = row.whole(&adults, 0, 1_000)? + child_count + row.whole(&babies, 0, 1_000)?;
        let nights = row.whole(&weekend, 0, 10_000)? + row.whole(&week, 0, 10_000)?;
        let booker = match (row.known(&agent)?, row.known(&company)?) {
            // An agent who books for a company is the one who acts.
            (Some(agent), _) => format!("agent-{}", bare(agent)),
            (None, Some(company)) => format!("company-{}", bare(company)),
            (None, None) => GUEST.to_owned(),
        };
        let hotel_name = match &hotel {
            Some(column) => row.filled(column)?,
            None => "hotel",
        };
        let hotel_number = u16::try_from(all.hotels.number(hotel_name)).map_err(|_| row.wrong("too many different hotels"))?;
        all.bookings.push(Booking {
            row: number,
            file_line: row.line,
            hotel: hotel_number,
            booked,
            arrival,
            settled,
            waited: unsigned(row.whole(&waited, 0, 10_000)?),
            changes: unsigned(row.whole(&changes, 0, 10_000)?),
            guests: u32::try_from(guests).unwrap_or(u32::MAX),
            nights: u32::try_from(nights).unwrap_or(u32::MAX),
            rate: minor,
            reserved: all.words.number(row.filled(&reserved)?),
            assigned: all.words.number(row.filled(&assigned)?),
            deposit: all.words.number(row.filled(&deposit)?),
            booker: all.bookers.number(&booker),
            outcome,
        });
    }
    if all.bookings.is_empty() {
        return Err(table.error(0, "", "holds no bookings".into()));
    }
    all.bookings.sort_unstable_by_key(|b| b.row);
    Ok(all)
}

/// An id that a tool may have turned into `240.0`.
fn bare(id: &str) -> &str {
    match id.split_once('.') {
        Some((whole, "0")) if whole.bytes().all(|b| b.is_ascii_digit()) => whole,
        _ => id,
    }
}

/// Bounded by the caller.
fn small(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Bounded by the caller.
fn unsigned(n: i64) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
