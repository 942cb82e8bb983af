//! Times as tables write them.

use hos_core::time::Timestamp;

/// Reads a time: RFC 3339, the same with a blank, without a zone (UTC) or without a time of day, or seconds, milliseconds or
/// microseconds since 1970. What could be read in two ways (`03/04/2024`, `2026030112`) is none.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let bytes = text.as_bytes();
    if is_date_too(text) {
        return Err(format!(
            "`{text}` is two times: {}-{}-{} with the time of day, or a number since 1970: write it as 2026-03-01T12:00:00Z; \
             another column is named with --at, and --at - reads none",
            &text[..4],
            &text[4..6],
            &text[6..8]
        ));
    }
    let found = if bytes.iter().all(u8::is_ascii_digit) { since_1970(text) } else { written(text) };
    found.ok_or_else(|| {
        let short: String = text.chars().take(40).collect();
        format!(
            "`{}` is no time: 2026-03-01T12:00:00Z, 2026-03-01 12:00:00, 2026-03-01 and seconds or milliseconds since 1970 are, \
             from 1970 to 2261; another column is named with --at, and --at - reads none",
            hos_core::id::Shown(&short)
        )
    })
}

/// Whether a number that could be seconds or milliseconds is a day and a time of day without signs between them as well
/// (`YYYYMMDDHH`, `YYYYMMDDHHMM`). No second from 1970 to 2032 is.
fn is_date_too(text: &str) -> bool {
    if !matches!(text.len(), 10 | 12) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let within = |from: usize, to: usize, least: u32, most: u32| {
        text.get(from..to).is_none_or(|digits| digits.parse().is_ok_and(|n: u32| (least..=most).contains(&n)))
    };
    within(0, 4, 1970, 2261) && within(4, 6, 1, 12) && within(6, 8, 1, 31) && within(8, 10, 0, 24) && within(10, 12, 0, 59)
}

fn since_1970(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    // Seconds have ten digits from 2001 to 2286; the others three and six more.
    let ms = match text.len() {
        9 | 10 => number * 1_000,
        12 | 13 => number,
        15 | 16 => number / 1_000,
        _ => return None,
    };
    Some(Timestamp(ms)).filter(|t| t.is_claimable())
}

/// A time with a day in it.
pub(crate) fn written(text: &str) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    let date = text.get(..10).filter(|d| d.as_bytes().get(4) == Some(&b'-') && d.as_bytes().get(7) == Some(&b'-'))?;
    let rest = text.get(10..)?.trim_start_matches(['T', 't', ' ']).trim_end_matches(" UTC").replace(' ', "");
    if rest.is_empty() {
        return Timestamp::parse(&format!("{date}T00:00:00Z")).ok();
    }
    let zoned = rest.ends_with(['Z', 'z']) || rest.contains(['+', '-']);
    let zone = if zoned { "" } else { "Z" };
    Timestamp::parse(&format!("{date}T{rest}{zone}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_forms_are_read() {
        let noon = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T12:00:00",
            "2026-03-01 12:00:00",
            "2026-03-01 12:00",
            "2026-03-01 12:00:00.000000",
            "2026-03-01 12:00:00 UTC",
            "2026-03-01 15:00:00+03",
            "2026-03-01 15:00:00 +0300",
            "2026-03-01T15:00:00+03:00",
            "1772366400",
            "1772366400000",
            "1772366400000000",
        ] {
            assert_eq!(instant(text), Ok(noon), "{text}");
        }
        assert_eq!(instant("2026-03-01"), Ok(Timestamp::parse("2026-03-01T00:00:00Z").unwrap()));
    }

    #[test]
    fn a_number_that_is_a_date_too_is_refused() {
        for text in ["2026030112", "202603011230", "1970010100", "226112312359"] {
            let why = instant(text).unwrap_err();
            assert!(why.contains("is two times") && why.contains("2026-03-01T12:00:00Z"), "{why}");
        }
        for text in ["1772366400", "2026130112", "2026030125", "1772366400000", "946684800"] {
            assert!(!is_date_too(text) && instant(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_two_is_refused() {
        for text in [
            "",
            "soon",
            "03/04/2026",
            "2026-13-01",
            "2026-03-01 25:00",
            "42",
            "1948-01-01",
            "2026-03-01 noon",
            "99999999999999999",
        ] {
            assert!(instant(text).unwrap_err().contains("is no time"), "{text}");
        }
    }
}
