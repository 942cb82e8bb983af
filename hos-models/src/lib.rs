//! For tests only: what runs concurrently, small enough to be tried whole.
//!
//! - [`joined`], [`shared`], [`tail`] are models: states and what may happen next, a crash at each step included. A checker visits
//!   every state that can be reached within bounds and holds each against what must be true there. Models share no code with
//!   the engine; they are written against `spec/joined-transaction.md` and the heads of the engine's files.
//! - [`schedules`] runs the engine's own files where callers meet (the line, the seats, the numbers of the C ABI) under a
//!   scheduler that chooses who runs next.
//!
//! A check that cannot fail says nothing: each model has faults that can be planted in it, and the tests see that each is found.

pub mod explore;
pub mod joined;
pub mod schedules;
pub mod shared;
pub mod tail;
pub mod terms;
