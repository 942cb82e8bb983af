//! H-OS for Node: the addon behind the package's face.
//!
//! What a caller sees is written in TypeScript (`../ts`); here is only what must be native. [`handle`] is an open engine as
//! JavaScript holds it, [`joined`] one that judges in a host's transaction, [`known`] the answers that were given lately, [`told`]
//! how an end is said across the boundary, [`work`] what runs off the main thread. Every entry catches what panics in it: a fault
//! inside is `hos.internal`, and never a yes.

mod handle;
mod joined;
mod known;
mod told;
mod work;
