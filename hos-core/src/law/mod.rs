//! The law: a directory of files that compiles to an immutable [`Law`].
//!
//! `spec/law.md` says what the files hold. [`bundle`] puts the rooms here together: [`files`] admits the files, [`manifest`]
//! reads `law.toml`, [`message`] what people read, [`check`] finds what loads and is still unwise; [`render()`] shows faults
//! to a person, [`reserved`] names the actions that the engine itself asks about, [`outline`] reads a law without compiling it,
//! [`living`] says whether instances can live on under another one, and [`mode`] where a law is enforced.

pub mod bundle;
mod check;
pub mod diff;
pub mod files;
pub mod living;
pub mod manifest;
pub mod message;
pub mod mode;
pub mod outline;
pub mod render;
pub mod reserved;

pub use bundle::{Law, LawContract};
pub use manifest::Limits;
pub use mode::{Mode, Modes};
pub use render::render;
