//! Bounds on the JSON of a call and of options. What stands in it is bounded by [`hos_core::limits`].

hos_core::limits! {
    /// A call, as JSON; refused before it is read.
    CALL_BYTES_MAX: usize = 1 << 20, "bytes", "hos.call_too_large";
    /// How deep JSON nests: a value as deep as values may be, and what stands around it; found before it is read.
    JSON_NESTING_MAX: usize = 40, "levels", "hos.call_too_large";
    /// Options to open an engine with.
    OPTIONS_BYTES_MAX: usize = 64 << 10, "bytes", "hos.call_too_large";
    /// What `directory_age_max_ms` may be set to (500 where it is not): so old is the directory that `can` judges under.
    DIRECTORY_AGE_MS_MAX: u64 = 60_000, "milliseconds", "hos.call_malformed";
    /// What `busy_timeout_ms` may be set to (10,000 where it is not): so long is another process waited for.
    BUSY_TIMEOUT_MS_MAX: u64 = 3_600_000, "milliseconds", "hos.call_malformed";
    /// Questions in one `can_all`.
    EVALUATIONS_MAX: usize = 1_000, "questions", "hos.call_malformed";
    /// Parents of all entities that a call brings along: for each, all that stands above it is gone through.
    PARENTS_GIVEN_MAX: usize = 8_192, "parents", "hos.call_too_large";
    /// Rows of a host's database, handed to a step.
    ROWS_BYTES_MAX: usize = 256 << 20, "bytes", "hos.call_too_large";
}
