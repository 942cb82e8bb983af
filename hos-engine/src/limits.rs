//! Bounds on what the engine reads beside calls: files of its own, a signer's words. Those of calls, laws and records are
//! [`hos_core::limits`].

hos_core::limits! {
    /// A seal key's file: 64 digits, and room for what an editor leaves.
    SEAL_KEY_BYTES_MAX: u64 = 256, "bytes", "hos.key_invalid";
    /// A mark: as many logs as a store may well have.
    MARK_BYTES_MAX: u64 = 64 << 20, "bytes", "hos.store_integrity";
    /// What an engine asks a signer: a proof and a checkpoint.
    SIGNER_REQUEST_BYTES_MAX: usize = 8192, "bytes", "refused";
    /// What a signer answers: a line.
    SIGNER_ANSWER_BYTES_MAX: usize = 512, "bytes", "hos.signer_failed";
    /// Calls that are judged as one.
    ALL_MAX: usize = 16, "calls", "hos.call_malformed";
    /// Patterns that say what an export hides.
    HIDE_PATTERNS_MAX: usize = 64, "patterns", "hos.call_malformed";
    /// One such pattern.
    HIDE_PATTERN_BYTES_MAX: usize = 255, "bytes", "hos.call_malformed";
    /// How long messages of the outbox are leased: a week.
    LEASE_MS_MAX: i64 = 7 * 86_400_000, "milliseconds", "hos.call_malformed";
}

/// Tries one of them where it ends ([`hos_core::limits::held`]).
#[cfg(test)]
pub(crate) fn tried(name: &str, tried: impl FnMut(usize) -> Result<(), String>) -> Result<(), String> {
    let limit = ALL.iter().find(|limit| limit.name == name).ok_or_else(|| format!("there is no `{name}`"))?;
    hos_core::limits::held(limit, tried)
}
