//! A sample of bookings made by this program, from a seed, so that a replay runs without any file.
//!
//! Nobody's bookings are in it. Its proportions (in thousandths) were counted in the public hotel-bookings data (N. Antonio,
//! A. de Almeida, L. Nunes, "Hotel booking demand datasets", Data in Brief 22 (2019) 41-49), resort hotel, arrivals of July
//! to December 2015, and rounded; what hangs together there (lead time and cancellation, say) is drawn apart here.

use crate::calendar::{day, show_day};
use crate::input::Text;
use std::fmt::Write;

/// The sample's seed where none is given.
pub(crate) const SEED: u64 = 2015;
/// How many bookings the sample has where nothing else is said.
pub(crate) const BOOKINGS: u32 = 2_000;

/// A thousand in all: (share, what).
type Shares<T> = &'static [(u32, T)];

/// Of all bookings.
const OUTCOMES: Shares<(&str, &str)> = &[
    (742, ("Check-Out", "No Deposit")),
    (189, ("Canceled", "No Deposit")),
    (60, ("Canceled", "Non Refund")),
    (6, ("No-Show", "No Deposit")),
    (2, ("No-Show", "Non Refund")),
    (1, ("Check-Out", "Non Refund")),
];
/// (adults, children, babies).
const GUESTS: Shares<(u8, u8, u8)> = &[
    (722, (2, 0, 0)),
    (165, (1, 0, 0)),
    (33, (2, 1, 0)),
    (29, (2, 2, 0)),
    (28, (3, 0, 0)),
    (14, (2, 0, 1)),
    (5, (3, 1, 0)),
    (3, (2, 1, 1)),
    (1, (0, 0, 0)),
];
const NIGHTS: Shares<u32> =
    &[(12, 0), (183, 1), (149, 2), (148, 3), (113, 4), (73, 5), (57, 6), (172, 7), (30, 8), (18, 9), (25, 10), (20, 14)];
const CHANGES: Shares<u32> = &[(828, 0), (128, 1), (31, 2), (8, 3), (3, 4), (2, 5)];
const ROOMS: Shares<char> = &[(635, 'A'), (176, 'D'), (107, 'E'), (29, 'G'), (24, 'F'), (20, 'C'), (9, 'H')];
/// Agent, company.
const BOOKERS: Shares<(bool, bool)> = &[(768, (true, false)), (143, (false, false)), (73, (false, true)), (16, (true, true))];
const AGENTS: Shares<u32> = &[(400, 1), (75, 2), (50, 3), (27, 4), (25, 5), (21, 6), (20, 7), (382, 8)];
/// Lead times in days, each the upper bound of a twentieth of all bookings.
const LEADS: [u32; 20] = [0, 1, 3, 7, 12, 21, 29, 36, 45, 54, 65, 76, 87, 104, 125, 153, 185, 240, 269, 400];
/// Rates in minor units, each the upper bound of a twentieth.
const RATES: [u32; 20] = [
    2_610, 3_600, 3_800, 4_228, 4_700, 5_199, 5_700, 6_376, 6_800, 7_500, 8_179, 9_200, 10_400, 11_400, 12_300, 13_400, 15_071,
    16_650, 19_300, 30_000,
];
/// Bookings that wait on the list, and bookings that get another room than they asked for.
const WAITLISTED: u32 = 13;
const REASSIGNED: u32 = 225;

/// The sample as text in the public format. The same numbers give the same bytes.
pub(crate) fn text(seed: u64, bookings: u32) -> Text {
    let mut chance = Chance(seed);
    let mut out = String::from(
        "hotel,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,stays_in_weekend_nights,\
         stays_in_week_nights,adults,children,babies,reserved_room_type,assigned_room_type,booking_changes,deposit_type,agent,\
         company,days_in_waiting_list,adr,reservation_status,reservation_status_date\n",
    );
    for _ in 0..bookings {
        line(&mut chance, &mut out);
    }
    Text { name: format!("sample (seed {seed}, {bookings} bookings)"), bytes: out.into_bytes() }
}

fn line(chance: &mut Chance, out: &mut String) {
    let hotel = if chance.below(1_000) < 600 { "Garden Hotel" } else { "Harbour Hotel" };
    let lead = chance.twentieth(&LEADS);
    let arrival = day(2025, 1, 1).unwrap_or(0) + small(chance.below(365));
    let (adults, children, babies) = *chance.pick(GUESTS, &(2, 0, 0));
    let nights = *chance.pick(NIGHTS, &1);
    let weekend = nights.min(2 * nights.div_ceil(7));
    let (status, deposit) = *chance.pick(OUTCOMES, &("Check-Out", "No Deposit"));
    let waited = if chance.below(1_000) < WAITLISTED { 1 + chance.below(lead.max(1)) } else { 0 }.min(lead);
    let room = *chance.pick(ROOMS, &'A');
    let given = if chance.below(1_000) < REASSIGNED { if room == 'D' { 'E' } else { 'D' } } else { room };
    let changes = *chance.pick(CHANGES, &0);
    let (by_agent, by_company) = *chance.pick(BOOKERS, &(true, false));
    let agent_rank = *chance.pick(AGENTS, &1);
    let agent = if agent_rank == 8 { 8 + chance.below(87) } else { agent_rank };
    let company = 1 + chance.below(79);
    let rate = chance.twentieth(&RATES);
    let settled = match status {
        "Check-Out" => arrival + small(nights),
        // Somewhere between being confirmed and the arrival.
        "Canceled" => arrival - small(chance.below(lead - waited + 1)),
        _ => arrival,
    };
    let shown = show_day(arrival);
    let (year, rest) = shown.split_once('-').unwrap_or(("2025", "01-01"));
    let (month, day) = rest.split_once('-').unwrap_or(("01", "01"));
    let or_null = |there: bool, id: u32| if there { id.to_string() } else { "NULL".into() };
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "{hotel},{lead},{year},{month},{day},{weekend},{},{adults},{children},{babies},{room},{given},{changes},{deposit},{},{},\
         {waited},{}.{:02},{status},{}",
        nights - weekend,
        or_null(by_agent, agent),
        or_null(by_company, company),
        rate / 100,
        rate % 100,
        show_day(settled)
    );
}

/// Bounded by a few hundred.
fn small(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(0)
}

/// SplitMix64: chance that is the same everywhere and for ever, and no secret.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is small beside 2^32, so that the slight preference of the low ones does not matter.
    fn below(&mut self, bound: u32) -> u32 {
        let wide = (self.next() >> 32) * u64::from(bound);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    fn pick<T>(&mut self, shares: Shares<T>, otherwise: &'static T) -> &'static T {
        let total = shares.iter().map(|(share, _)| share).sum();
        let mut at = self.below(total);
        for (share, what) in shares {
            match at.checked_sub(*share) {
                Some(rest) => at = rest,
                None => return what,
            }
        }
        otherwise
    }

    /// Evenly within a twentieth that is drawn evenly; `bounds` are the twentieths' upper ones.
    fn twentieth(&mut self, bounds: &[u32; 20]) -> u32 {
        let which = self.below(20) as usize;
        let high = bounds.get(which).copied().unwrap_or(0);
        let low = which.checked_sub(1).and_then(|w| bounds.get(w).copied()).unwrap_or(0);
        low + self.below(high - low + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::hotel;

    #[test]
    fn the_same_seed_makes_the_same_sample_for_ever() {
        let made = text(SEED, BOOKINGS);
        assert_eq!(made.digest(), text(SEED, BOOKINGS).digest());
        assert_ne!(made.digest(), text(SEED + 1, BOOKINGS).digest());
        assert_eq!(made.digest(), "77a7aa4c896c360f397172695d78b74662204bfe2b8ddb29e988a17734eaf21f");
    }

    #[test]
    fn the_sample_is_read_like_any_other_file_and_has_its_proportions() {
        let read = hotel::parse(&text(7, 20_000)).unwrap();
        assert_eq!(read.bookings.len(), 20_000);
        assert_eq!(read.hotels.texts().len(), 2);
        let share =
            |holds: fn(&hotel::Booking) -> bool| read.bookings.iter().filter(|b| holds(b)).count() as u32 * 1_000 / 20_000;
        assert!((230..270).contains(&share(|b| b.outcome == hotel::Outcome::Cancelled)));
        assert!((8..17).contains(&share(|b| b.nights == 0)));
        assert!((210..240).contains(&share(|b| b.reserved != b.assigned)));
        assert!((5..20).contains(&share(|b| b.waited > 0)));
        assert!(read.bookings.iter().any(|b| b.guests == 0));
        assert!(read.bookings.iter().all(|b| b.booked + i32::from(b.waited) <= b.settled));
    }
}
