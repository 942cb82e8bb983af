//! What a log says to a witness (C2SP tlog-witness), and what it makes of the answer. Bytes alone: who carries them is a
//! shell's business.

use super::checkpoint::{Note, NoteError, WitnessKey, hash_base64};
use crate::id::TreeHash;
use crate::limits::{NOTE_BYTES_MAX, PROOF_MAX, SIGNATURES_MAX, WITNESS_ANSWER_BYTES_MAX};
use std::fmt::Write;

/// The body of `add-checkpoint`: the size that the witness cosigned last, the proof that the checkpoint extends it, the
/// checkpoint.
pub fn add_checkpoint(old: u64, proof: &[TreeHash], note: &str) -> Option<String> {
    // The protocol allows one hash less than a tree of 2^64 leaves would need.
    if proof.len() >= PROOF_MAX || (old == 0 && !proof.is_empty()) {
        return None;
    }
    let mut body = format!("old {old}\n");
    for hash in proof {
        let _ = writeln!(body, "{}", hash_base64(hash));
    }
    body.push('\n');
    body.push_str(note);
    Some(body)
}

/// The size in a witness's answer of conflict: what it cosigned last.
pub fn conflict(answer: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(answer).ok()?.strip_suffix('\n')?;
    line.parse::<u64>().ok().filter(|size| size.to_string() == line)
}

/// The note with a witness's cosignature taken over from its answer: of all lines only one that is this witness's and holds.
/// What other keys sign is passed over, as the protocol says.
pub fn with_cosignature(note: &str, answer: &[u8], witness: &WitnessKey) -> Result<String, NoteError> {
    if answer.len() > WITNESS_ANSWER_BYTES_MAX {
        return Err(NoteError::TooLarge);
    }
    let text = std::str::from_utf8(answer).map_err(|_| NoteError::Malformed("not UTF-8"))?;
    let parsed = Note::parse(note.as_bytes())?;
    let lines = text.strip_suffix('\n').ok_or(NoteError::Malformed("no newline after the signatures"))?;
    for line in lines.split('\n') {
        // Read as a note of its own, so that nothing else of the answer can spoil it.
        let Ok(alone) = Note::parse(format!("{}\n{line}\n", parsed.text()).as_bytes()) else {
            return Err(NoteError::Malformed("the witness's answer is no signature line"));
        };
        if witness.vouches(&alone)? {
            let known = parsed.signatures().iter().any(|known| alone.signatures().contains(known));
            let whole = if known { note.to_owned() } else { format!("{note}{line}\n") };
            if whole.len() > NOTE_BYTES_MAX || parsed.signatures().len() + usize::from(!known) > SIGNATURES_MAX {
                return Err(NoteError::TooLarge);
            }
            return Ok(whole);
        }
    }
    Err(NoteError::Unsigned)
}
