//! `hos export`: one instance's story, single records' proofs, or a whole log, for others to verify.

use crate::global::Global;
use crate::options::needs;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use crate::usage::usage;
use crate::witnesses::Witnesses;
use clap::{ArgGroup, Args};
use hos_core::id::{InstanceId, Name};
use hos_core::proof::tiles::TileFile;
use hos_core::refusal::Code;
use hos_engine::{ExportOptions, Failure, TenantRef, Witnessing};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Export one instance's story as a bundle that anybody can verify; or single records' proofs, or a tenant's whole log.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["instance", "tiles"]))]
pub(crate) struct Export {
    /// The instance, as CONTRACT/ID
    #[arg(long, value_name = "CONTRACT/ID")]
    instance: Option<String>,
    /// The bundle's file; it must not exist
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
    /// Keep parts back: `buyer.*`, `args`, `*.slice` (whose data, then which part; `*` for anything); one that is of no part of the
    /// bundle is refused
    #[arg(long, value_name = "PATTERN")]
    hide: Vec<String>,
    /// Write no record of the map of heads: the bundle is then gapless, but not complete
    #[arg(long)]
    without_map: bool,
    /// Have the checkpoint cosigned by the witnesses of this policy first, until its quorum is met
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Each record's proof as a C2SP tlog-proof, into a new directory
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    proofs: Option<PathBuf>,
    /// The tenant's whole log as C2SP tlog-tiles, into a new directory
    #[arg(long, value_name = "DIR")]
    tiles: Option<PathBuf>,
    /// Also write a trust file that names this store's own keys; a verifier should have them another way
    #[arg(long, value_name = "FILE")]
    trust_out: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let of_a_bundle =
            [("--hide", !self.hide.is_empty()), ("--without-map", self.without_map), ("--policy", self.policy.is_some())];
        needs("--instance", self.instance.is_some(), &[("--out", self.out.is_some()), ("--proofs", self.proofs.is_some())])?;
        needs("--out", self.out.is_some(), &of_a_bundle)?;
        self.all_free()?;
        let mut made = Made::default();
        let engine = global.engine()?;
        let tenant = global.tenant(&engine)?;
        let (done, trust) = match (&self.instance, &self.tiles) {
            (Some(instance), _) => {
                let (contract, id) = instance
                    .split_once('/')
                    .ok_or_else(|| usage(format!("`{}`: an instance is written CONTRACT/ID", show::inert(instance))))?;
                let (contract, id) = (Name::new(contract)?, InstanceId::new(id)?);
                hos_wire::recorded(&*engine.law()?, &tenant, &contract, &id)?;
                match (&self.out, &self.proofs) {
                    (Some(out), _) => self.bundle(&tenant, &contract, &id, out, &mut made)?,
                    (None, Some(directory)) => (proofs(&tenant, &contract, &id, directory, &mut made)?, tenant.trust_file()?),
                    (None, None) => return Err(usage("say where to: `-o FILE` or `--proofs DIR`")),
                }
            }
            (None, Some(directory)) => (tiles(&tenant, directory, &mut made, global.json)?, tenant.trust_file()?),
            (None, None) => return Err(usage("say what: `--instance CONTRACT/ID` or `--tiles DIR`")),
        };
        if let Some(path) = &self.trust_out {
            write_new(path, trust.as_bytes())?;
            made.0.push(path.clone());
        }
        super::closed(engine);
        made.0.clear();
        Ok(done)
    }

    /// Refuses names that are taken before anything is made or recorded for the others.
    fn all_free(&self) -> Result<(), Failure> {
        let all = [&self.out, &self.proofs, &self.tiles, &self.trust_out];
        all.into_iter().flatten().try_for_each(|path| is_free(path))?;
        match &self.trust_out {
            Some(trust) if [&self.out, &self.proofs, &self.tiles].into_iter().flatten().any(|path| path == trust) => {
                let name = show::inert(&trust.to_string_lossy());
                Err(usage(format!("`{name}` is named twice: give the trust file a name of its own")))
            }
            _ => Ok(()),
        }
    }

    /// What is said of a bundle that was written, and the trust file for it.
    fn bundle(
        &self,
        tenant: &TenantRef,
        contract: &Name,
        id: &InstanceId,
        out: &Path,
        made: &mut Made,
    ) -> Result<(Done, String), Failure> {
        let options = ExportOptions { hide: self.hide.clone(), without_map: self.without_map };
        let exported = match &self.policy {
            None => tenant.export(contract, id, &options)?,
            Some(path) => {
                let witnesses = Witnesses::read(path)?;
                witnesses.believes(&tenant.checkpoint()?.unwrap_or_default())?;
                let ask = |note: &str, proof: &hos_engine::Proof<'_>| Ok(witnesses.ask(note, proof));
                let by = Witnessing { trust: witnesses.trust(), ask: &ask };
                tenant.export_cosigned(contract, id, &options, &by).map_err(|failure| witnesses.explain(failure))?
            }
        };
        write_own(out, &exported.bytes).map_err(|e| failed(out, &e))?;
        made.0.push(out.to_owned());
        let name = show::inert(&out.to_string_lossy());
        let (opened, hidden, erased) = exported.parts;
        let done = Done::ok(
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
        );
        Ok((done, exported.trust))
    }
}

/// What this call has made. It is taken away again unless all of it was made: a part is no export, and would stand in the way of
/// the same call.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

fn proofs(tenant: &TenantRef, contract: &Name, id: &InstanceId, directory: &Path, made: &mut Made) -> Result<Done, Failure> {
    let proofs = tenant.export_proofs(contract, id)?;
    new_directory(directory, made)?;
    for (n, text) in &proofs {
        write_new(&directory.join(format!("{n:06}.tlog-proof")), text.as_bytes())?;
    }
    let name = show::inert(&directory.to_string_lossy());
    Ok(Done::ok(format!("exported {name}  {} proofs\n", proofs.len()), json!({ "directory": name, "proofs": proofs.len() })))
}

fn tiles(tenant: &TenantRef, directory: &Path, made: &mut Made, quiet: bool) -> Result<Done, Failure> {
    new_directory(directory, made)?;
    let progress = Progress::new("exporting", quiet);
    let tell = |done, all| progress.tell(done, all);
    let mut files = 0u64;
    let mut write = |(path, bytes): &TileFile| {
        let path = directory.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        }
        files += 1;
        write_new(&path, bytes)
    };
    let size = tenant.export_tiles(&mut write, Some(&tell))?;
    drop(progress);
    let name = show::inert(&directory.to_string_lossy());
    Ok(Done::ok(
        format!("exported {name}  {size} entries in {files} files\n"),
        json!({ "directory": name, "entries": size, "files": files }),
    ))
}

/// Refuses a name that is taken: what is written for the first time replaces nothing.
pub(crate) fn is_free(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(failed(path, &ErrorKind::AlreadyExists.into()));
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let exists = error.kind() == ErrorKind::AlreadyExists;
    let what = if exists { "it exists already; it is not replaced".to_owned() } else { error.to_string() };
    Failure::new(code_of(error), format!("`{}`: {what}", show::inert(&path.to_string_lossy())))
}

/// What it says that a file could not be written: that its name was ill chosen, or that the machine failed.
pub(crate) fn code_of(error: &std::io::Error) -> Code {
    match error.kind() {
        ErrorKind::AlreadyExists
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem => Code::CallMalformed,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::StoreFull,
        _ => Code::StoreUnavailable,
    }
}

/// Makes a directory that must not exist.
fn new_directory(path: &Path, made: &mut Made) -> Result<(), Failure> {
    std::fs::create_dir(path).map_err(|e| failed(path, &e))?;
    made.0.push(path.to_owned());
    Ok(())
}

/// Writes a file that must not exist, whole or not at all.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    written(OpenOptions::new().write(true), path, bytes).map_err(|e| failed(path, &e))
}

/// The same, for nobody else to read: a bundle, or a page, holds what it is about in the clear.
pub(crate) fn write_own(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    written(options.write(true), path, bytes)
}

fn written(options: &mut OpenOptions, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = options.create_new(true).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| {
        // What is half written is no evidence.
        let _ = std::fs::remove_file(path);
    })
}
