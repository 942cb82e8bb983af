//! The command line's own reader of tables, so that it is fuzzed as it is: the files of `hos infer`.

#[path = "../../hos-cli/src/infer/columns.rs"]
mod columns;
#[path = "../../hos-cli/src/infer/instant.rs"]
mod instant;
#[path = "../../hos-cli/src/infer/read.rs"]
mod read;
#[path = "../../hos-cli/src/infer/table.rs"]
mod table;

pub(crate) use columns::Said;
pub(crate) use read::Read;

use hos_engine::Failure;

/// A history out of bytes.
pub(crate) fn read_bytes(bytes: &[u8], said: &Said<'_>, contract: &str, file_order: bool) -> Result<Read, Failure> {
    let source = Box::new(std::io::Cursor::new(bytes.to_vec()));
    read::of_table(table::Table::of("it", source)?, said, contract, file_order)
}
