//! The log of a shop that never had a law but in its code: mostly as it should be, with the moves that nobody meant.

use std::fmt::Write as _;

/// How many orders it tells of.
const ORDERS: u32 = 400;

/// The log as CSV: always the same.
pub(super) fn csv() -> String {
    let mut out = String::from("order_id,old_status,new_status,event,changed_at\n");
    for order in 0..ORDERS {
        let mut minute = order * 7;
        let mut row = |from: &str, to: &str, event: &str, after: u32| {
            minute += after;
            let (day, hour) = (1 + minute / 1440, minute / 60 % 24);
            let _ = writeln!(out, "o-{order},{from},{to},{event},2026-01-{day:02}T{hour:02}:{:02}:00Z", minute % 60);
        };
        row("", "new", "place", 0);
        match order % 20 {
            3 | 9 => row("new", "cancelled", "cancel", 12),
            5 | 15 => row("new", "expired", "expire", 60),
            _ => {
                row("new", "paid", "pay", 4 + order % 9);
                if order % 20 == 7 {
                    row("paid", "refunding", "refund", 200);
                    row("refunding", "refunded", "refunded", 30);
                } else {
                    row("paid", "shipped", "ship", 90 + order % 50);
                    row("shipped", "fulfilled", "deliver", 1500);
                }
            }
        }
        // What somebody did by hand, or a callback that came late.
        match order {
            43 | 203 => row("cancelled", "shipped", "ship", 30),
            105 => row("expired", "paid", "pay", 2),
            87 => row("refunded", "paid", "pay", 5),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_log_has_its_illegal_moves_and_is_in_order() {
        let csv = super::csv();
        assert!(csv.contains("o-43,cancelled,shipped,ship,") && csv.contains("o-105,expired,paid,pay,"));
        assert!(csv.lines().count() > 1200 && !csv.contains("2026-01-00"));
    }
}
