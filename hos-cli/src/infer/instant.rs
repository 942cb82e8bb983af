//! Times as tables write them.

use hos_core::time::Timestamp;

/// Reads a time: RFC 3339, the same with a blank, without a zone (UTC) or without a time of day, or seconds, milliseconds or
/// microseconds since 1970. What could be read in two ways (`03/04/2024`) is none.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let bytes = text.as_bytes();
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

fn written(text: &str) -> Option<Timestamp> {
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
