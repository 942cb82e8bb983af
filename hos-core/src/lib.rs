//! H-OS core: the law, as pure functions.
//!
//! Values in, values out: no clock, no randomness, no files, no SQL, no threads.
//!
//! Ground words: [`id`], [`time`], [`value`], [`shape`], [`fault`], [`spanned`], [`refusal`], [`canon`], [`digest`], [`layered`].
//! Wings, which never name each other: [`policy`], [`contract`], [`proof`].
//! Above them [`law`] puts contracts and policies together, and [`judge`], the heart, knows all. [`audit`] is what a stranger
//! may believe of a bundle.

pub mod answer;
pub mod audit;
pub mod call;
pub mod canon;
pub mod contract;
pub mod digest;
pub mod fault;
pub mod id;
pub mod judge;
pub mod law;
pub mod layered;
pub mod limits;
pub mod policy;
pub mod proof;
pub mod refusal;
pub mod shape;
pub mod spanned;
pub mod time;
pub mod value;
