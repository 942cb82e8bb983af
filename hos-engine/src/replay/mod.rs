//! The kept past, judged again: under the laws it was judged under ([`again`]), or under another one ([`backtest`]).
//!
//! Records come thread by thread ([`walk`]), so that one instance is folded at a time: what is in memory is a page of records,
//! one instance, the directory worlds last met, the directory rows of one tenant and the universe in all their versions (also of
//! those that erasures took), the laws, the modes of activations, and the places of unsealed records.

mod again;
mod backtest;
mod walk;

pub use again::{Differing, ReplayReport};
pub use backtest::{BacktestReport, Change, Counts, Span, Witness};

pub(crate) use again::again;
pub(crate) use backtest::backtest;

use hos_core::id::Tenant;
use hos_core::time::Timestamp;

/// What of the past is judged again.
#[derive(Default)]
pub struct ReplayOptions<'a> {
    /// One tenant; all, where none is named.
    pub tenant: Option<Tenant>,
    /// From this claimed time on.
    pub from: Option<Timestamp>,
    /// Before this claimed time.
    pub to: Option<Timestamp>,
    /// From this entry of each log on.
    pub from_seq: Option<u64>,
    /// Before this entry of each log; records without a place are then left out.
    pub to_seq: Option<u64>,
    /// Told now and then: (records done, records in all).
    pub progress: Option<&'a dyn Fn(u64, u64)>,
}

impl ReplayOptions<'_> {
    fn covers(&self, seq: Option<u64>, time: Timestamp) -> bool {
        let placed = match seq {
            Some(seq) => self.from_seq.is_none_or(|from| seq >= from) && self.to_seq.is_none_or(|to| seq < to),
            None => self.to_seq.is_none(),
        };
        placed && self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}
