//! Time as a value. Nothing in core reads a clock.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z, as Cedar's `datetime` counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// The first instant that a record may claim: 1970-01-01T00:00:00Z.
pub const TIME_MIN: Timestamp = Timestamp(0);
/// The last instant that a record may claim: 2261-12-31T23:59:59.999Z.
pub const TIME_MAX: Timestamp = Timestamp(9_214_646_399_999);

/// A length of time, in milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(pub i64);

/// Why a text is not a time or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not RFC 3339, or outside [`TIME_MIN`]..=[`TIME_MAX`].
    #[error("`{0}` is not an RFC 3339 time between 1970 and 2261")]
    Time(String),
    /// Not an ISO 8601 duration of fixed units.
    #[error("`{0}` is not an ISO 8601 duration in weeks, days, hours, minutes and seconds, such as PT60M or P14D")]
    Span(String),
}

impl Timestamp {
    /// Reads RFC 3339 (`2015-07-01T12:00:00Z`).
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Time(text.chars().take(40).collect());
        let parsed: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        let stamp = Timestamp(parsed.as_millisecond());
        if stamp.is_claimable() { Ok(stamp) } else { Err(wrong()) }
    }

    /// Whether a record may claim this instant.
    pub fn is_claimable(self) -> bool {
        (TIME_MIN..=TIME_MAX).contains(&self)
    }

    /// This instant moved by a span; stays at the end of time rather than overflow.
    pub fn plus(self, span: Span) -> Self {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Span {
    /// Reads an ISO 8601 duration of fixed units (a day is 24 hours); years and months are refused, for they have no
    /// fixed length.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Span(text.chars().take(40).collect());
        if !text.starts_with('P') {
            return Err(wrong());
        }
        let span: jiff::Span = text.parse().map_err(|_| wrong())?;
        if span.get_years() != 0 || span.get_months() != 0 || span.is_negative() {
            return Err(wrong());
        }
        let days = i64::from(span.get_weeks())
            .checked_mul(7)
            .and_then(|d| d.checked_add(i64::from(span.get_days())))
            .ok_or_else(wrong)?;
        let parts = [
            (days, 86_400_000),
            (i64::from(span.get_hours()), 3_600_000),
            (span.get_minutes(), 60_000),
            (span.get_seconds(), 1_000),
            (span.get_milliseconds(), 1),
        ];
        let total = parts
            .iter()
            .try_fold(0i64, |sum, (n, unit)| n.checked_mul(*unit).and_then(|p| sum.checked_add(p)))
            .ok_or_else(wrong)?;
        Ok(Span(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans() {
        assert_eq!(Timestamp::parse("2015-07-01T00:00:00Z").unwrap().to_string(), "2015-07-01T00:00:00.000Z");
        assert!(Timestamp::parse("1948-01-01T00:00:00Z").is_err());
        assert!(Timestamp::parse("2262-01-01T00:00:00Z").is_err());
        assert_eq!(Span::parse("PT60M").unwrap(), Span(3_600_000));
        assert_eq!(Span::parse("P1W2DT3H").unwrap(), Span(9 * 86_400_000 + 3 * 3_600_000));
        for wrong in ["P1M", "P1Y", "-PT1S", "PT1", "60", "1h", ""] {
            assert!(Span::parse(wrong).is_err(), "{wrong}");
        }
    }
}
