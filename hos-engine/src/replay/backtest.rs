//! Every kept decision under another law: how many would differ, and which.

use super::ReplayOptions;
use super::again::{event, laws, modes};
use super::walk::{Seen, Walk};
use crate::Failure;
use crate::court::{Court, lock};
use crate::seal;
use crate::store::Tx;
use crate::store::sql::law as sql;
use hos_core::audit::replay::{Decided, Past, Trial};
use hos_core::id::{LawHash, RecordHash, Tenant, TreeHash};
use hos_core::law::Law;
use hos_core::proof::checkpoint::origin;
use hos_core::proof::tree;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many witnesses of each change a report lists.
const WITNESSES_MAX: usize = 5;

/// How a decision would differ. The order is that in which reports list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// What was allowed would be denied.
    AllowToDeny,
    /// What was denied would be allowed.
    DenyToAllow,
    /// It would be denied with another code.
    OtherCode,
    /// It would lead to another state.
    OtherState,
    /// The other law has no such contract.
    ContractGone,
    /// The other law has no such event, birth, state or action.
    EventGone,
    /// The other law reads, or asks for grants of, what the evidence does not hold.
    Unknown,
}

impl Change {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::AllowToDeny => "allow_to_deny",
            Change::DenyToAllow => "deny_to_allow",
            Change::OtherCode => "other_code",
            Change::OtherState => "other_state",
            Change::ContractGone => "contract_gone",
            Change::EventGone => "event_gone",
            Change::Unknown => "unknown",
        }
    }
}

/// Decisions that would differ, by change.
pub type Counts = BTreeMap<Change, u64>;

/// A decision that would differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// How.
    pub change: Change,
    /// The tenant.
    pub tenant: Tenant,
    /// Its record's place in the log; `None` while it waits.
    pub seq: Option<u64>,
    /// `contract/id`, or the event alone where there is no instance or its id is erased.
    pub instance: String,
    /// The contract and event.
    pub event: String,
    /// As it was decided.
    pub was: String,
    /// As it would be.
    pub now: String,
    /// The policies that decided.
    pub policies_before: Vec<String>,
    /// The policies that would decide.
    pub policies_after: Vec<String>,
}

/// What of a log was judged, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The log.
    pub origin: String,
    /// The first and the last entry that was judged; `None`: none was.
    pub seqs: Option<(u64, u64)>,
    /// The log's size up to the last entry.
    pub size: u64,
    /// The tree's root at that size.
    pub root: TreeHash,
    /// The newest checkpoint of at least that size.
    pub checkpoint: Option<String>,
}

/// What trying a law on the past came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacktestReport {
    /// The law tried.
    pub law: LawHash,
    /// Decisions judged under it.
    pub judged: u64,
    /// Decisions that would be the same.
    pub same: u64,
    /// Of those, decisions that other policies would bear.
    pub other_policies: u64,
    /// Records of which a needed part is erased.
    pub erased: u64,
    /// Records that attest what no law judged.
    pub attested: u64,
    /// Those that would differ, by change.
    pub changes: Counts,
    /// By policy: those that decided and would not, or would decide and did not.
    pub by_policy: BTreeMap<String, Counts>,
    /// By contract and event.
    pub by_event: BTreeMap<String, Counts>,
    /// By tenant.
    pub by_tenant: BTreeMap<String, Counts>,
    /// The first of each change.
    pub witnesses: Vec<Witness>,
    /// The logs.
    pub spans: Vec<Span>,
}

impl BacktestReport {
    /// How many decisions would differ.
    pub fn differs(&self) -> u64 {
        self.changes.values().sum()
    }

    fn change(&mut self, witness: Witness) {
        let count = |counts: &mut Counts| *counts.entry(witness.change).or_default() += 1;
        count(&mut self.changes);
        count(self.by_event.entry(witness.event.clone()).or_default());
        count(self.by_tenant.entry(witness.tenant.to_string()).or_default());
        let (before, after) = (&witness.policies_before, &witness.policies_after);
        let gone = before.iter().filter(|p| !after.contains(p));
        let come = after.iter().filter(|p| !before.contains(p));
        for policy in gone.chain(come) {
            count(self.by_policy.entry(policy.clone()).or_default());
        }
        let key = |w: &Witness| (w.change, w.tenant.clone(), w.seq.unwrap_or(u64::MAX));
        let place = self.witnesses.partition_point(|have| key(have) <= key(&witness));
        let change = witness.change;
        self.witnesses.insert(place, witness);
        if self.witnesses.iter().filter(|w| w.change == change).count() > WITNESSES_MAX
            && let Some(last) = self.witnesses.iter().rposition(|w| w.change == change)
        {
            self.witnesses.remove(last);
        }
    }
}

/// Tries a law on the past.
pub(crate) fn backtest(
    tx: &Tx<'_>,
    court: &Court,
    law: &Arc<Law>,
    options: &ReplayOptions<'_>,
) -> Result<BacktestReport, Failure> {
    let laws = laws(tx, court);
    let ever = OnceCell::new();
    // Where the laws cannot all be read, anybody may have been granted anything.
    let granted = |template: &str| {
        let ever: &Option<Vec<Arc<Law>>> = ever.get_or_init(|| ever_in_force(tx, court).ok());
        ever.as_ref().is_none_or(|laws| laws.iter().any(|law| law.policy.template_slots(template).is_some()))
    };
    let tables = modes(tx)?;
    let activated = |record: &RecordHash| tables.get(record).cloned();
    let past = Past::new(&laws).granting(&granted).activated(&activated);
    let mut walk = Walk::new(tx, court, &past, options);
    let mut report = BacktestReport {
        law: law.hash,
        judged: 0,
        same: 0,
        other_policies: 0,
        erased: 0,
        attested: 0,
        changes: Counts::new(),
        by_policy: BTreeMap::new(),
        by_event: BTreeMap::new(),
        by_tenant: BTreeMap::new(),
        witnesses: Vec::new(),
        spans: Vec::new(),
    };
    for tenant in walk.tenants()? {
        let mut seqs: Option<(u64, u64)> = None;
        walk.tenant(&tenant, &mut |seen, before| {
            if let Some(seq) = seen.seq {
                let (first, last) = seqs.unwrap_or((seq, seq));
                seqs = Some((first.min(seq), last.max(seq)));
            }
            take(&mut report, seen, past.under(law, seen.record, before), before);
            Ok(())
        })?;
        report.spans.push(span(tx, court, &tenant, seqs)?);
    }
    Ok(report)
}

/// Every law that was ever in force: a grant is of a template that one of them had.
fn ever_in_force(tx: &Tx<'_>, court: &Court) -> Result<Vec<Arc<Law>>, Failure> {
    let activations = tx.rows(&sql::activations())?;
    activations.iter().map(|row| court.laws.get(tx, &sql::activation_from(row)?.law)).collect()
}

fn take(report: &mut BacktestReport, seen: &Seen<'_>, trial: Trial, before: &hos_core::audit::replay::Before<'_>) {
    let none = || Decided { allowed: false, code: None, policies: Vec::new(), to: None, words: String::new() };
    let (change, was, now) = match trial {
        Trial::Erased => {
            report.erased += 1;
            return;
        }
        Trial::Attested => {
            report.attested += 1;
            return;
        }
        Trial::Decided { was, now } => match changed(&was, &now) {
            Some(change) => (change, was, now),
            None => {
                report.judged += 1;
                report.same += 1;
                report.other_policies += u64::from(was.policies != now.policies);
                return;
            }
        },
        Trial::ContractGone(contract) => {
            (Change::ContractGone, none(), Decided { words: format!("no contract `{contract}`"), ..none() })
        }
        Trial::EventGone(words) => (Change::EventGone, none(), Decided { words, ..none() }),
        Trial::Unknown(words) => (Change::Unknown, none(), Decided { words, ..none() }),
    };
    report.judged += 1;
    let header = seen.record.header;
    let was = match change {
        Change::ContractGone | Change::EventGone | Change::Unknown => Decided::of(header),
        _ => was,
    };
    report.change(Witness {
        change,
        tenant: seen.tenant.clone(),
        seq: seen.seq,
        instance: seen.record.instance(before).unwrap_or_else(|| event(header)),
        event: event(header),
        was: was.words,
        now: now.words,
        policies_before: was.policies,
        policies_after: now.policies,
    });
}

fn changed(was: &Decided, now: &Decided) -> Option<Change> {
    match (was.allowed, now.allowed) {
        (true, false) => Some(Change::AllowToDeny),
        (false, true) => Some(Change::DenyToAllow),
        (false, false) => (was.code != now.code).then_some(Change::OtherCode),
        (true, true) => (was.to != now.to).then_some(Change::OtherState),
    }
}

fn span(tx: &Tx<'_>, court: &Court, tenant: &Tenant, seqs: Option<(u64, u64)>) -> Result<Span, Failure> {
    let head = seal::head(tx, tenant, court.of)?;
    let size = seqs.map_or(0, |(_, last)| last + 1);
    let nodes = |level: u8, index: u64| seal::node(tx, tenant, head.size, level, index);
    let root = tree::root(size, &nodes)
        .map_err(|e| Failure::new(hos_core::refusal::Code::StoreIntegrity, format!("the tree of `{tenant}` at {size}: {e}")))?;
    let signed = lock(&court.checkpoints).get(tenant).filter(|signed| signed.size >= size).map(|signed| signed.note.to_string());
    Ok(Span { origin: origin(&court.of.store, tenant, court.of.epoch), seqs, size, root, checkpoint: signed })
}
