//! What shadow showed: how often the law and the world agreed, and where they did not. It is counted from the records, which say
//! what the law held of each move that the world made.

use crate::store::sql::evidence as sql;
use crate::{Engine, Failure};
use hos_core::id::{Handle, Tenant};
use hos_core::law::mode::Mode;
use hos_core::proof::record::{Decision, Header, Kind};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use std::collections::BTreeMap;

/// How many records are read at once.
const PAGE: usize = 512;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// The tenant.
    pub tenant: Tenant,
    /// The contract; empty where the law has none of that name.
    pub contract: String,
    /// The event; empty where the contract has none of that name.
    pub event: String,
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shadowed {
    /// Moves of the world that the law allows.
    pub agreed: u64,
    /// Moves of the world that the law would have refused, by refusal code.
    pub moved: BTreeMap<String, u64>,
    /// Calls that the law refused before they came to an instance (no such instance, nobody known), by refusal code. What the world
    /// did there is not recorded.
    pub refused: BTreeMap<String, u64>,
    /// Policies that decided what the law would have refused.
    pub policies: BTreeMap<String, u64>,
    /// The first and the last such refusal.
    pub between: Option<(Timestamp, Timestamp)>,
}

impl Shadowed {
    /// How many the law would have refused.
    pub fn diverged(&self) -> u64 {
        self.moved.values().chain(self.refused.values()).sum()
    }
}

impl Engine {
    /// What shadow showed in these tenants, or in all. Calls that wait in an inbox are not among it: `work` judges them.
    pub fn shadowed(&self, tenants: &[Tenant]) -> Result<BTreeMap<Act, Shadowed>, Failure> {
        let tenants = if tenants.is_empty() { self.tenants()? } else { tenants.to_vec() };
        let mut found: BTreeMap<Act, Shadowed> = BTreeMap::new();
        for tenant in &tenants {
            let (mut thread, mut n) = (Handle([0; 16]), 0);
            loop {
                let page = self.desk().read(|tx| Ok(tx.rows(&sql::records_from(tenant, &thread, n, PAGE))?))?;
                let Some(last) = page.last() else { break };
                (thread, n) = (Handle(last.bytes(0)?), last.uint(1)? + 1);
                for row in &page {
                    let broken = |e| Failure::new(Code::StoreIntegrity, format!("a record of `{tenant}`: {e}; see `hos verify`"));
                    count(&mut found, &Header::decode(row.blob(2)?).map_err(broken)?);
                }
            }
        }
        Ok(found)
    }
}

fn count(found: &mut BTreeMap<Act, Shadowed>, header: &Header) {
    if header.kind != Kind::Observed || header.mode != Mode::Shadow as u8 {
        return;
    }
    let act = Act {
        tenant: header.tenant.clone(),
        contract: header.contract.as_ref().map(ToString::to_string).unwrap_or_default(),
        event: header.event.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let of = found.entry(act).or_default();
    if header.decision == Decision::Allow {
        of.agreed += 1;
        return;
    }
    let code = header.refusal.as_deref().unwrap_or("hos.not_permitted").to_owned();
    // A record in an instance's thread says that the world moved it.
    let by_code = if header.n.is_some() { &mut of.moved } else { &mut of.refused };
    *by_code.entry(code).or_default() += 1;
    for policy in &header.policies {
        *of.policies.entry(policy.clone()).or_default() += 1;
    }
    of.between = Some(match of.between {
        Some((first, last)) => (first.min(header.time), last.max(header.time)),
        None => (header.time, header.time),
    });
}
