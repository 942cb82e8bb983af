//! What shadow showed: how often the law and the world agreed, and where they did not. It is counted from the records, which say
//! what the law held of each move that the world made.

use crate::store::sql::evidence as sql;
use crate::{Engine, Failure};
use hos_core::id::{Handle, LawHash, Tenant};
use hos_core::law::Law;
use hos_core::law::mode::Mode;
use hos_core::proof::record::{Decision, Header, Kind};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Moves of the world that the law allows, and what both refused.
    pub agreed: u64,
    /// Moves of the world that the law allows, to a state to which it leads by none of the event's branches.
    pub elsewhere: u64,
    /// Calls that the world refused and the law allows.
    pub held: u64,
    /// Moves of the world that the law would have refused, by refusal code.
    pub moved: BTreeMap<String, u64>,
    /// Calls that the law refused and that moved no instance here, whatever the world did (no such instance, nobody known, a state
    /// of the world's that the contract does not have), by refusal code. Where the world refused as well they are `agreed`; records
    /// of before that was told apart are here.
    pub refused: BTreeMap<String, u64>,
    /// Policies that decided what the law would have refused.
    pub policies: BTreeMap<String, u64>,
    /// The first and the last such difference.
    pub between: Option<(Timestamp, Timestamp)>,
}

impl Shadowed {
    /// In how many law and world differ.
    pub fn diverged(&self) -> u64 {
        self.moved.values().chain(self.refused.values()).sum::<u64>() + self.elsewhere + self.held
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
                let after = self.desk().read(|tx| {
                    let page = tx.rows(&sql::records_from(tenant, &thread, n, PAGE))?;
                    for row in &page {
                        let broken =
                            |e| Failure::new(Code::StoreIntegrity, format!("a record of `{tenant}`: {e}; see `hos verify`"));
                        let header = Header::decode(row.blob(2)?).map_err(broken)?;
                        let laws = |hash: &LawHash| self.desk().court.laws.get(tx, hash);
                        count(&mut found, &header, laws)?;
                    }
                    page.last().map(|last| Ok((Handle(last.bytes(0)?), last.uint(1)? + 1))).transpose()
                })?;
                let Some(after) = after else { break };
                (thread, n) = after;
            }
        }
        Ok(found)
    }
}

fn count(
    found: &mut BTreeMap<Act, Shadowed>,
    header: &Header,
    laws: impl Fn(&LawHash) -> Result<Arc<Law>, Failure>,
) -> Result<(), Failure> {
    if !matches!(header.kind, Kind::Observed | Kind::Refused) || header.mode != Mode::Shadow as u8 {
        return Ok(());
    }
    let act = Act {
        tenant: header.tenant.clone(),
        contract: header.contract.as_ref().map(ToString::to_string).unwrap_or_default(),
        event: header.event.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let of = found.entry(act).or_default();
    let is_elsewhere = header.decision == Decision::Allow && header.n.is_some() && leads_elsewhere(header, laws)?;
    match (header.kind, header.decision, header.n) {
        // A deadline that was refused is no call of anybody's.
        (Kind::Refused, _, Some(_)) => return Ok(()),
        (Kind::Refused, ..) => {
            of.agreed += 1;
            return Ok(());
        }
        (_, Decision::Allow, Some(_)) if !is_elsewhere => {
            of.agreed += 1;
            return Ok(());
        }
        (_, Decision::Allow, Some(_)) => of.elsewhere += 1,
        // Nothing moved, and the law allows it: so the world did not.
        (_, Decision::Allow, None) => of.held += 1,
        _ => refused(of, header),
    }
    of.between = Some(match of.between {
        Some((first, last)) => (first.min(header.time), last.max(header.time)),
        None => (header.time, header.time),
    });
    Ok(())
}

/// Whether the world moved an instance to where no branch of the event leads.
fn leads_elsewhere(header: &Header, laws: impl Fn(&LawHash) -> Result<Arc<Law>, Failure>) -> Result<bool, Failure> {
    let (Some(hash), Some(contract), Some(event), Some(to)) =
        (header.guard_law.or(header.law), &header.contract, &header.event, &header.to)
    else {
        return Ok(false);
    };
    let law = laws(&hash)?;
    let Some(of) = law.contracts.get(contract).map(|held| &held.contract) else { return Ok(false) };
    let arrow = match &header.from {
        Some(from) => of.event(event.as_str(), from.as_str()).map(|(arrow, _)| arrow),
        None => of.begins.get(event.as_str()),
    };
    Ok(arrow.is_some_and(|arrow| arrow.targets().all(|target| target != to)))
}

fn refused(of: &mut Shadowed, header: &Header) {
    let code = header.refusal.as_deref().unwrap_or("hos.not_permitted").to_owned();
    // A record in an instance's thread says that the world moved it.
    let by_code = if header.n.is_some() { &mut of.moved } else { &mut of.refused };
    *by_code.entry(code).or_default() += 1;
    for policy in &header.policies {
        *of.policies.entry(policy.clone()).or_default() += 1;
    }
}
