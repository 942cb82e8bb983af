//! `hos export`: one instance's story, for others to verify.

use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::usage::usage;
use crate::witnesses::Witnesses;
use clap::Args;
use hos_core::id::{InstanceId, Name};
use hos_core::refusal::Code;
use hos_engine::{ExportOptions, Failure};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Export one instance's story as a bundle that anybody can verify.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The instance, as CONTRACT/ID
    #[arg(long, value_name = "CONTRACT/ID")]
    instance: String,
    /// The bundle's file; it must not exist
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: PathBuf,
    /// Keep parts back: `buyer.*`, `args`, `*.slice` (whose data, then which part; `*` for anything)
    #[arg(long, value_name = "PATTERN")]
    hide: Vec<String>,
    /// Write no record of the map of heads: the bundle is then gapless, but not complete
    #[arg(long)]
    without_map: bool,
    /// Have the checkpoint cosigned by the witnesses of this policy first, until its quorum is met
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Also write a trust file that names this store's own key; a verifier should have the key another way
    #[arg(long, value_name = "FILE")]
    trust_out: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let (contract, id) = self
            .instance
            .split_once('/')
            .ok_or_else(|| usage(format!("`{}`: an instance is written CONTRACT/ID", show::inert(&self.instance))))?;
        let (contract, id) = (Name::new(contract)?, InstanceId::new(id)?);
        let engine = global.engine()?;
        let tenant = global.tenant(&engine)?;
        hos_wire::present(&engine.law(), &tenant, &contract, &id)?;
        let options = ExportOptions { hide: self.hide.clone(), without_map: self.without_map };
        let exported = match &self.policy {
            None => tenant.export(&contract, &id, &options)?,
            Some(path) => {
                let witnesses = Witnesses::read(path)?;
                tenant.export_cosigned(&contract, &id, &options, &|note, proof| Ok(witnesses.quorum(note, proof)?.0))?
            }
        };
        engine.close()?;
        write_new(&self.out, &exported.bytes)?;
        if let Some(trust) = &self.trust_out {
            write_new(trust, exported.trust.as_bytes())?;
        }
        let name = show::inert(&self.out.to_string_lossy());
        let (opened, hidden, erased) = exported.parts;
        Ok(Done::ok(
            format!(
                "exported {name}  {} bytes: {} records, {} cited, parts {opened} opened, {hidden} hidden, {erased} erased\n\
                 under    {} at size {}\n",
                exported.bytes.len(),
                exported.records,
                exported.cited,
                exported.origin,
                exported.size
            ),
            json!({
                "file": name,
                "bytes": exported.bytes.len(),
                "records": exported.records,
                "cited": exported.cited,
                "parts": { "opened": opened, "hidden": hidden, "erased": erased },
                "origin": exported.origin,
                "size": exported.size,
            }),
        ))
    }
}

/// Writes a file that must not exist, whole or not at all.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        let what = if e.kind() == std::io::ErrorKind::AlreadyExists {
            "it exists already; it is not replaced".to_owned()
        } else {
            e.to_string()
        };
        Failure::new(Code::CallMalformed, format!("`{}`: {what}", show::inert(&path.to_string_lossy())))
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| {
        // What is half written is no bundle.
        let _ = std::fs::remove_file(path);
        failed(e)
    })
}
