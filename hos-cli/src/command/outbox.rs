//! `hos outbox`: messages that wait for the world.

use super::closed;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::usage::usage;
use clap::{Args, Subcommand};
use hos_core::id::KeyId;
use hos_core::refusal::Code;
use hos_core::time::Span;
use hos_engine::{Failure, OutboxMessage};
use hos_wire::answer::receipt_json;
use hos_wire::value::record_json;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Messages that wait for the world.
#[derive(Debug, Args)]
pub(crate) struct Outbox {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lease waiting messages, oldest first
    Poll {
        /// How many at most
        #[arg(long, value_name = "COUNT", default_value_t = 10)]
        limit: usize,
        /// How long they are yours (ISO 8601), a week at most
        #[arg(long, value_name = "DURATION", default_value = "PT60S")]
        lease: String,
    },
    /// Acknowledge a message under its lease: it is delivered, and leased no more; the store keeps it
    Ack {
        /// Its place
        #[arg(value_name = "POS")]
        pos: u64,
        /// Its lease
        #[arg(value_name = "LEASE")]
        lease: String,
    },
}

impl Outbox {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let tenant = global.tenant(&engine)?;
        let by = global.by(&*engine.law()?)?;
        let done = match &self.verb {
            Verb::Poll { limit, lease } => {
                let span = Span::parse(lease).map_err(|e| Failure::new(Code::ValueInvalid, format!("--lease: {e}")))?;
                let messages = tenant.outbox_poll(&by, *limit, Duration::from_millis(span.0.unsigned_abs()))?;
                let json = json!({ "messages": messages.iter().map(message_json).collect::<Vec<_>>() });
                Done::ok(messages.iter().map(line).collect::<String>(), json)
            }
            Verb::Ack { pos, lease } => {
                let key =
                    KeyId::from_hex(lease).ok_or_else(|| usage("a lease is 32 hexadecimal digits, as `outbox poll` said it"))?;
                tenant.outbox_ack(&by, *pos, &key)?;
                Done::ok(format!("delivered {pos}"), json!({ "delivered": pos }))
            }
        };
        closed(engine);
        Ok(done)
    }
}

fn line(message: &OutboxMessage) -> String {
    let body = message.body.as_ref().map_or_else(|| "(erased)".to_owned(), show::record);
    format!("{}  {}  {body}  attempt {}  lease {}\n", message.pos, show::inert(&message.kind), message.attempts, message.lease)
}

fn message_json(message: &OutboxMessage) -> Json {
    let mut json = json!({
        "pos": message.pos,
        "kind": message.kind,
        "receipt": receipt_json(&message.receipt),
        "attempts": message.attempts,
        "lease": message.lease.to_string(),
    });
    if let Some(body) = &message.body {
        json["body"] = record_json(body);
    }
    json
}
