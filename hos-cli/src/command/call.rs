//! `hos call`: one call as JSON, as a binding would make it.

use crate::exit;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::Args;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::answer::failure_json;
use hos_wire::{CALL_BYTES_MAX, Served, Standing, serve_with};

/// Serve one call given as JSON, as a binding would.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  echo '{\"tenant\":\"pazar-tr\",\"principal\":{\"type\":\"Pazar::Account\",\"id\":\"ayse\"},\"contract\":\"order\",\"id\":\"o-17\"}' |
    hos call available")]
pub(crate) struct Call {
    /// The operation: can, can_all, begin, transition, record, directory, adopt, legacy, available, history or message
    #[arg(value_name = "OPERATION")]
    operation: String,
    /// A file with the call (`-`: standard input)
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
}

impl Call {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        // Who speaks JSON is answered in JSON, with or without `--json`.
        let served = self.serve(global).unwrap_or_else(|failure| Served {
            standing: Standing::Failed(failure.code),
            json: failure_json(&failure).to_string().into_bytes(),
        });
        let exit = match served.standing {
            Standing::Allowed => exit::OK,
            Standing::Refused => exit::REFUSED,
            Standing::Failed(code) => exit::of(code),
        };
        let json: serde_json::Value = serde_json::from_slice(&served.json)
            .map_err(|e| Failure::new(Code::Internal, format!("the answer is no JSON: {e}")))?;
        Ok(Done { exit, text: json.to_string(), json })
    }

    fn serve(&self, global: &Global) -> Result<Served, Failure> {
        let bytes = input::call(&self.file)?;
        let engine = global.engine()?;
        let served = serve_with(&engine, &self.operation, &bytes, CALL_BYTES_MAX);
        super::closed(engine);
        Ok(served)
    }
}
