//! Numbers as text: whole ones, and decimals that are never a float.

/// A whole number; `3.0`, as some tools write one, is 3.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    (!bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// A decimal as (number, decimal places), without trailing zeros: `2.550` is (255, 2). At most nine places.
pub(crate) fn decimal(text: &str) -> Option<(i64, u32)> {
    let negative = text.starts_with('-');
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let sound = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !sound(whole) || !sound(fraction) || (bare.contains('.') && fraction.is_empty()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).ok().filter(|p| *p <= 9)?;
    let number: i64 = format!("{whole}{fraction}").parse().ok()?;
    Some((if negative { -number } else { number }, places))
}

/// A decimal in units of `1 / 10^places`; `None` if it does not come out whole.
pub(crate) fn scaled(text: &str, places: u32) -> Option<i64> {
    let (number, own) = decimal(text)?;
    number.checked_mul(10i64.checked_pow(places.checked_sub(own)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        assert_eq!((whole("12"), whole("-3"), whole("2.0"), whole("0")), (Some(12), Some(-3), Some(2), Some(0)));
        for wrong in ["", "-", "1.5", "1.", "NA", "1e3", "+1", " 1", "0x1", "99999999999999999999"] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!(scaled("75", 2), Some(7_500));
        assert_eq!(scaled("-6.38", 2), Some(-638));
        assert_eq!(scaled("96.140", 2), Some(9_614));
        assert_eq!(scaled("0.001", 3), Some(1));
        assert_eq!(scaled("-0.5", 2), Some(-50));
        assert_eq!(scaled("0.001", 2), None);
        for wrong in ["", ".", ".5", "5.", "1,5", "1e2", "NaN", "--1", "1.2.3", "0.1234567891", "99999999999999999999"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
    }
}
