//! Every bound on what comes from outside, in one place: what it counts, why it is there, and the code of who goes beyond it.
//!
//! Each is tried at its edge, which is accepted, and one beyond, which is refused with the code that stands here
//! ([`held`]; `tests/limits/` here, `tests/limits.rs` of the wire, and in the engine beside what each bounds). The tables of
//! `docs/limits.md` are made from this file and its like above: `cargo xtask limits --write`.

/// A bound as data, for who tries them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The name of its constant.
    pub name: &'static str,
    /// The most that is accepted.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// The code of what goes beyond it.
    pub code: &'static str,
}

/// Makes the constants, and the list of them. One line each: `NAME: type = value, "unit", "code";` under a sentence that says what is
/// bounded, and why.
#[macro_export]
macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident: $ty:ty = $value:expr, $unit:literal, $code:literal;)+) => {
        $(
            $(#[$doc])+
            #[doc = concat!("In ", $unit, "; beyond it: `", $code, "`.")]
            pub const $name: $ty = $value;
        )+
        /// All of them, in their order here.
        pub const ALL: &[$crate::limits::Limit] = &[
            $($crate::limits::Limit { name: stringify!($name), value: $name as u64, unit: $unit, code: $code },)+
        ];
    };
}

limits! {
    // Ground words.
    /// An entity type, entity id, instance id or once-key: what a column of any database holds, and an index.
    ID_BYTES_MAX: usize = 255, "bytes", "hos.id_invalid";
    /// A tenant's name, which may be a label of a host's name.
    TENANT_BYTES_MAX: usize = 63, "bytes", "hos.id_invalid";
    /// A name of a contract, state, event, policy or template; several with dots between them, as of an action or a stream.
    NAME_BYTES_MAX: usize = 128, "bytes", "hos.id_invalid";
    /// A caller's own id of a request, which stands in the header of every record of the call.
    REQUEST_BYTES_MAX: usize = 64, "bytes", "hos.id_invalid";
    /// How deep a value from outside nests, so that the stack never decides.
    VALUE_DEPTH_MAX: usize = 32, "levels", "hos.call_too_large";
    /// Text and ids of the values of one call, context or entity.
    VALUE_BYTES_MAX: usize = 1 << 20, "bytes", "hos.call_too_large";
    /// How deep canonical bytes nest: a value with what stands around it.
    CANON_DEPTH_MAX: usize = VALUE_DEPTH_MAX + 8, "levels", "not_canonical";

    // Files of a law.
    /// Files of a law.
    LAW_FILES_MAX: usize = 4096, "files", "law.file.too_many";
    /// All files of a law together.
    LAW_BYTES_MAX: usize = 64 << 20, "bytes", "law.file.total_too_large";
    /// One file of a law; the readers of TOML and of the schema stop earlier.
    LAW_FILE_BYTES_MAX: usize = 16 << 20, "bytes", "law.file.too_large";
    /// A path inside a law.
    LAW_PATH_BYTES_MAX: usize = 255, "bytes", "law.file.path";
    /// A TOML file: `law.toml`, a contract, messages.
    TOML_BYTES_MAX: usize = 1 << 20, "bytes", "law.toml.too_large";
    /// How deep tables and arrays of TOML nest, the pieces of dotted keys and headers included.
    TOML_NESTING_MAX: usize = 32, "levels", "law.toml.too_deep";
    /// A schema.
    SCHEMA_BYTES_MAX: usize = 4 << 20, "bytes", "law.schema.too_large";
    /// All that entity types and actions of a schema are in, by others too: each pair is kept, and costs a kilobyte. A chain of
    /// them has at most 362.
    SCHEMA_ANCESTORS_MAX: usize = 1 << 16, "ancestors", "law.schema.too_large";
    /// What a schema's common types come to where they are written out, at each place that names them: each type is kept there, and
    /// costs half a kilobyte. They nest as deep as `CEDAR_DEPTH_MAX` then.
    SCHEMA_EXPANDED_MAX: usize = 1 << 18, "types", "law.schema.too_large";
    /// One policy.
    POLICY_BYTES_MAX: usize = 1 << 20, "bytes", "law.policy.too_large";
    /// How deep Cedar's text nests, before its parser sees it.
    CEDAR_DEPTH_MAX: usize = 384, "levels", "law.policy.too_deep";
    /// One expression of Cedar, whoever wrote it: a contract's are shorter.
    CEDAR_EXPRESSION_BYTES_MAX: usize = 64 << 10, "bytes", "law.contract.expression_parse";
    /// A message to people: one that a telephone shows.
    MESSAGE_CHARS_MAX: usize = 500, "characters", "law.message.text";
    /// What `deadlines_per_call` of `[limits]` in `law.toml` may be set to (from 1; 16 where it says nothing): so many due deadlines
    /// one call fires.
    DEADLINES_PER_CALL_MAX: i64 = 256, "deadlines", "law.manifest.value";
    /// What `refusals_per_hour` of `[limits]` in `law.toml` may be set to (from 0; 100 where it says nothing): so many refusals of
    /// one principal are kept as evidence.
    REFUSALS_PER_HOUR_MAX: i64 = 10_000, "refusals", "law.manifest.value";

    // Contracts.
    /// States of a contract: a byte names one, with room.
    STATES_MAX: usize = 256, "states", "law.contract.limit";
    /// Births, arrows and overrides of a contract.
    EVENTS_MAX: usize = 512, "arrows", "law.contract.limit";
    /// Guards of an arrow; all are judged.
    GUARDS_MAX: usize = 32, "guards", "law.contract.limit";
    /// Branches of an arrow.
    BRANCHES_MAX: usize = 32, "branches", "law.contract.limit";
    /// Messages of an arrow; replies to one.
    EFFECTS_MAX: usize = 16, "effects", "law.contract.limit";
    /// Facts of a contract, arguments of an event, fields of a message.
    ATTRIBUTES_MAX: usize = 64, "attributes", "law.contract.limit";
    /// Deadlines of a contract.
    DEADLINES_MAX: usize = 256, "deadlines", "law.contract.limit";
    /// Migrations of a contract.
    MIGRATIONS_MAX: usize = 64, "migrations", "law.contract.limit";
    /// Promises of a contract.
    PROMISES_MAX: usize = 64, "promises", "law.contract.limit";
    /// An expression of a contract.
    EXPRESSION_BYTES_MAX: usize = 4096, "bytes", "law.contract.limit";
    /// How long a deadline waits: a hundred years.
    DEADLINE_WAIT_MS_MAX: i64 = 100 * 366 * 86_400_000, "milliseconds", "law.contract.bad_value";

    // Judging.
    /// Entities that a call brings along.
    GIVEN_MAX: usize = 1_024, "entities", "hos.call_too_large";
    /// Persons whom an entity's attributes name, with those whom theirs name in turn: each is a part of every record about it.
    PERSONS_NAMED_MAX: usize = 40, "persons", "hos.call_too_large";
    /// Stored entities that judging one call draws in.
    SLICE_MAX: usize = 8_192, "entities", "hos.hierarchy_invalid";
    /// Levels of parents.
    HIERARCHY_DEPTH_MAX: usize = 64, "levels", "hos.hierarchy_invalid";
    /// Ancestors of one entity, and its parents.
    ANCESTORS_MAX: usize = 4_096, "entities", "hos.hierarchy_invalid";
    /// Entities of one tenant's directory, which is held in memory.
    DIRECTORY_ENTITIES_MAX: usize = 1 << 22, "entities", "hos.hierarchy_invalid";
    /// Template links of one tenant's directory.
    DIRECTORY_LINKS_MAX: usize = 1 << 22, "links", "hos.hierarchy_invalid";
    /// Rows of an older log that one call tells.
    LEGACY_ENTRIES_MAX: usize = 64, "rows", "hos.call_malformed";
    /// A word of an older log: a state, an event, an actor, a key.
    LEGACY_WORD_BYTES_MAX: usize = 255, "bytes", "hos.call_malformed";
    /// What else a row of an older log says: what a MySQL `TEXT` holds.
    LEGACY_DETAIL_BYTES_MAX: usize = 65_535, "bytes", "hos.call_malformed";
    /// Entries of a table of modes.
    MODES_MAX: usize = 100_000, "entries", "not_canonical";

    // Records.
    /// A record's header.
    HEADER_BYTES_MAX: usize = 16 * 1024, "bytes", "too_large";
    /// Policies that a header names.
    POLICIES_MAX: usize = 64, "policies", "too_large";
    /// Parts of a record, and boxes.
    PARTS_MAX: usize = 64, "parts", "too_large";
    /// The content of one part.
    PART_BYTES_MAX: usize = 4 << 20, "bytes", "too_large";
    /// The boxes of one record.
    BOXES_BYTES_MAX: usize = 32 << 20, "bytes", "too_large";
    /// An entry of a log: a header and its place.
    ENTRY_BYTES_MAX: usize = HEADER_BYTES_MAX + 512, "bytes", "too_large";
    /// A receipt: a checkpoint and the record's place.
    RECEIPT_BYTES_MAX: usize = NOTE_BYTES_MAX + 512, "bytes", "too_large";
    /// A signed note.
    NOTE_BYTES_MAX: usize = 64 * 1024, "bytes", "too_large";
    /// Signatures of a note: the log's, and its witnesses'.
    SIGNATURES_MAX: usize = 16, "signatures", "too_large";
    /// Hashes of a proof in a tree: a path among 2^64 leaves, or growth to 2^63, more than a store can number.
    PROOF_MAX: usize = 64, "hashes", "TreeError::Length";
    /// Hashes of a proof in the map of heads, one for each bit of a key.
    SIBLINGS_MAX: usize = 256, "hashes", "HeadsError::Length";
    /// Keys that one store has had.
    STORE_KEYS_MAX: usize = 256, "keys", "KeyRingError::Order";
    /// Why a key was revoked.
    REVOKED_REASON_BYTES_MAX: usize = 1024, "bytes", "KeyRingError::Content";

    /// Why a log begins a new epoch, or a person is held, or held no longer; the ground of an erasure, and its article of law.
    EPOCH_REASON_BYTES_MAX: usize = 1024, "bytes", "hos.call_malformed";

    // What is carried to somebody else.
    /// A bundle.
    BUNDLE_BYTES_MAX: usize = 64 << 20, "bytes", "bundle.too_large";
    /// Records of a bundle, and records that it cites.
    BUNDLE_RECORDS_MAX: usize = 100_000, "records", "bundle.limit";
    /// Laws of a bundle.
    BUNDLE_LAWS_MAX: usize = 64, "laws", "bundle.limit";
    /// Ranges of keys of a bundle.
    BUNDLE_KEYS_MAX: usize = 256, "ranges", "bundle.limit";
    /// Logs of a bundle: the tenant's and the universe's.
    BUNDLE_LOGS_MAX: usize = 2, "logs", "bundle.limit";
    /// How arrays and maps of a bundle stand in each other: map, cited, pair, item, opened parts, part.
    BUNDLE_NESTING_MAX: usize = 6, "levels", "bundle.not_canonical";
    /// A trust file.
    TRUST_BYTES_MAX: usize = 64 * 1024, "bytes", "policy.too_large";
    /// Lines of one kind in a trust file.
    TRUST_LINES_MAX: usize = 64, "lines", "policy.too_large";
    /// A report of two histories: two notes and a proof.
    FORK_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 8192, "bytes", "fork.malformed";
    /// A proof as text (C2SP tlog-proof).
    TLOG_PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 2 * ENTRY_BYTES_MAX + 64 * PROOF_MAX, "bytes", "the proof is too long";
    /// A witness's answer.
    WITNESS_ANSWER_BYTES_MAX: usize = 16 * 1024, "bytes", "too_large";
}

/// Tries a limit where it ends: at its edge, which must be accepted, and one beyond, which must be refused with its code. `tried` is
/// given a size and says by which code it was refused, if it was.
///
/// # Errors
/// What does not hold, in words.
pub fn held(limit: &Limit, mut tried: impl FnMut(usize) -> Result<(), String>) -> Result<(), String> {
    let Limit { name, value, unit, code } = limit;
    let edge = usize::try_from(*value).map_err(|_| format!("{name}: {value} {unit} are not to be made here"))?;
    if let Err(found) = tried(edge) {
        return Err(format!("{name}: {value} {unit} are refused with `{found}`, and are the edge"));
    }
    match tried(edge + 1) {
        Ok(()) => Err(format!("{name}: {} {unit} are accepted", value + 1)),
        Err(found) if found == *code => Ok(()),
        Err(found) => Err(format!("{name}: {} {unit} are refused with `{found}`, not with `{code}`", value + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Limit = Limit { name: "THREE", value: 3, unit: "things", code: "hos.call_too_large" };

    /// Who accepts so many, and refuses more with this code.
    fn bounded(most: usize, code: &'static str) -> impl FnMut(usize) -> Result<(), String> {
        move |n| if n > most { Err(code.to_owned()) } else { Ok(()) }
    }

    #[test]
    fn a_limit_that_is_none_is_found() {
        assert_eq!(held(&THREE, bounded(3, THREE.code)), Ok(()));
        for (planted, told) in [(2, "are the edge"), (4, "4 things are accepted"), (usize::MAX, "are accepted")] {
            let found = held(&THREE, bounded(planted, THREE.code)).unwrap_err();
            assert!(found.contains(told), "{found}");
        }
        assert!(held(&THREE, bounded(3, "hos.internal")).unwrap_err().contains("not with `hos.call_too_large`"));
    }

    #[test]
    fn every_limit_has_one_name() {
        let mut names: Vec<&str> = ALL.iter().map(|limit| limit.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]) && names.len() > 50);
        assert!(ALL.iter().all(|limit| limit.value > 0 && !limit.unit.is_empty() && !limit.code.is_empty()));
    }
}
