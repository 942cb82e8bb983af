//! Dates and times as the public files spell them, as plain numbers: days and milliseconds since 1970, UTC.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

const EPOCH: Date = jiff::civil::date(1970, 1, 1);
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// The day of a calendar date; `None` if there is no such date.
pub(crate) fn day(year: i64, month: i64, day: i64) -> Option<i32> {
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    EPOCH.until(date).ok().map(|span| span.get_days())
}

/// A month by its English name or its number.
pub(crate) fn month(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let named = MONTHS.iter().position(|name| *name == lower || (lower.len() == 3 && name.starts_with(&lower)));
    match named {
        Some(at) => i64::try_from(at + 1).ok(),
        None => number(text).filter(|n| (1..=12).contains(n)),
    }
}

/// A day as `2015-07-01`; a time after it is allowed and not looked at beyond its form.
pub(crate) fn iso_day(text: &str) -> Option<i32> {
    let date = match text.split_once(['T', ' ']) {
        Some((date, rest)) => {
            time(rest.trim_end_matches('Z'))?;
            date
        }
        None => text,
    };
    let [y, m, d] = pieces(date, '-')?;
    if y.len() != 4 {
        return None;
    }
    day(number(y)?, number(m)?, number(d)?)
}

/// A moment as `2010-12-01 08:26:00` (or with `T`, or without seconds), `12/1/10 8:26` (month first, as the files that use
/// slashes do) or `01.12.2010 08:26` (day first).
pub(crate) fn moment(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(['T', ' '])?;
    let time = time(clock.trim().trim_end_matches('Z'))?;
    let (y, m, d) = if let Some([y, m, d]) = pieces(date, '-') {
        (number(y).filter(|_| y.len() == 4)?, number(m)?, number(d)?)
    } else if let Some([m, d, y]) = pieces(date, '/') {
        (full_year(y)?, number(m)?, number(d)?)
    } else if let Some([d, m, y]) = pieces(date, '.') {
        (full_year(y)?, number(m)?, number(d)?)
    } else {
        return None;
    };
    let date = Date::new(i16::try_from(y).ok()?, i8::try_from(m).ok()?, i8::try_from(d).ok()?).ok()?;
    let zoned = DateTime::from_parts(date, time).to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// A day as `2015-07-01`.
pub(crate) fn show_day(day: i32) -> String {
    jiff::Span::new()
        .try_days(day)
        .ok()
        .and_then(|span| EPOCH.checked_add(span).ok())
        .map_or_else(|| format!("day {day}"), |d| d.to_string())
}

/// Milliseconds since 1970 at a day's midnight.
pub(crate) fn midnight(day: i32) -> i64 {
    i64::from(day) * DAY_MS
}

fn full_year(text: &str) -> Option<i64> {
    let year = number(text)?;
    match text.len() {
        2 if year >= 70 => Some(1900 + year),
        2 => Some(2000 + year),
        4 => Some(year),
        _ => None,
    }
}

fn time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let second = match parts.next() {
        // A fraction is allowed if it is nothing: the files know whole seconds.
        Some(s) => number(s.split_once('.').filter(|(_, f)| f.bytes().all(|b| b == b'0')).map_or(s, |(whole, _)| whole))?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0).ok()
}

fn pieces(text: &str, by: char) -> Option<[&str; 3]> {
    let mut parts = text.split(by);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months() {
        assert_eq!(day(1970, 1, 1), Some(0));
        assert_eq!(day(2016, 2, 29).map(show_day).as_deref(), Some("2016-02-29"));
        assert_eq!(day(2015, 2, 29), None);
        assert_eq!(iso_day("2015-07-01"), day(2015, 7, 1));
        assert_eq!(iso_day("2015-07-01T00:00:00Z"), day(2015, 7, 1));
        assert_eq!(month("August"), Some(8));
        assert_eq!(month("aug"), Some(8));
        assert_eq!(month("12"), Some(12));
        for wrong in ["", "13", "0", "Augus", "ma"] {
            assert_eq!(month(wrong), None, "{wrong}");
        }
        for wrong in ["", "2015", "2015-13-01", "15-07-01", "01/07/2015", "2015-07-01x", "2015-07-01 noon"] {
            assert_eq!(iso_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_are_the_same_however_they_are_spelt() {
        let same = moment("2010-12-01 08:26:00").unwrap();
        assert_eq!(same % DAY_MS, (8 * 60 + 26) * 60_000);
        for other in [
            "2010-12-01T08:26:00Z",
            "2010-12-01 08:26",
            "12/1/10 8:26",
            "12/1/2010 8:26",
            "01.12.2010 08:26",
            "2010-12-01 08:26:00.000",
        ] {
            assert_eq!(moment(other), Some(same), "{other}");
        }
        for wrong in [
            "",
            "2010-12-01",
            "2010-12-01 25:00",
            "13/1/10 8:26",
            "1/32/10 8:26",
            "10-12-01 08:26",
            "2010-12-01 08:26:00.5",
            "2010-12-01 8",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
