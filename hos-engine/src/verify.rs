//! stub
use crate::court::Court;
use crate::report::{VerifyOptions, VerifyReport};
use crate::store::sqlite::Tx;
use crate::Failure;
use std::path::Path;

pub(crate) fn store(_tx: &Tx<'_>, _court: &Court, _options: &VerifyOptions<'_>) -> Result<VerifyReport, Failure> {
    Err(Failure::new(hos_core::refusal::Code::Internal, "stub"))
}
pub(crate) fn copy(_path: &Path, _court: &Court) -> Result<VerifyReport, Failure> {
    Err(Failure::new(hos_core::refusal::Code::Internal, "stub"))
}
