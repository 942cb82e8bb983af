//! What a stranger may believe of a bundle, with nothing but the bundle and a trust file (`spec/bundle.md`); and of a log given
//! as tiles, or one entry's proof ([`log`]).
//!
//! Every step of the specification's table is one room here, and the first that fails is the verdict. Nothing is believed
//! because it is in the file: bytes are decoded strictly, hashes computed anew, keys taken from the trust file alone.

mod again;
mod ends;
mod item;
mod keys;
mod laws;
pub mod legacy;
pub mod log;
mod logs;
mod refused;
pub mod replay;
mod roles;
mod rows;
mod story;
mod verdict;
mod witnesses;

pub use again::Replayed;
pub use ends::Complete;
pub use laws::SKEW_MS as ACTIVATION_SKEW_MS;
pub use refused::Refused;
pub use verdict::{Instance, Notice, Standing, Verdict};

use crate::proof::bundle::Bundle;
use crate::proof::trust::Trust;

/// Verifies a bundle. `kept` are checkpoints (signed notes) that the verifier kept from elsewhere.
pub fn bundle(bytes: &[u8], trust: &Trust, kept: &[&[u8]]) -> Verdict {
    match judged(bytes, trust, kept, false) {
        Ok((verdict, _)) => verdict,
        Err(refused) => Verdict::refused(refused),
    }
}

/// Verifies a bundle, and where it holds judges its records again under the laws in it.
pub fn bundle_replayed(bytes: &[u8], trust: &Trust, kept: &[&[u8]]) -> (Verdict, Option<Replayed>) {
    match judged(bytes, trust, kept, true) {
        Ok(both) => both,
        Err(refused) => (Verdict::refused(refused), None),
    }
}

fn judged(bytes: &[u8], trust: &Trust, kept: &[&[u8]], replay: bool) -> Result<(Verdict, Option<Replayed>), Refused> {
    let bundle = Bundle::decode(bytes).map_err(|e| Refused::new(e.code(), "bundle", e))?;
    story::in_order(&bundle)?;
    let logs = logs::believe(&bundle, trust)?;
    let story = story::read(&bundle, &logs)?;
    let cited = story::cited(&bundle, &logs)?;
    let former = keys::check(&bundle, &logs, &cited, trust)?;
    let witnesses = witnesses::check(&logs, &cited, trust)?;
    let complete = ends::check(&bundle, &logs, &story)?;
    laws::check(&bundle, &story, &cited)?;
    let roles = roles::check(&story, &cited)?;
    let anchored = logs::anchored(&logs, trust, kept)?;
    let told = verdict::Told { withheld: roles.withheld, former_key: former, anchored, witnesses };
    let replayed = replay.then(|| again::replayed(&bundle, &story, &cited));
    Ok((verdict::of(&bundle, &logs, &story, complete, &told), replayed))
}
