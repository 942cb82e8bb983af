//! The store against its own evidence, against the model, and against everything that was acknowledged.

use super::{Act, Code, Deed, Heard, Kept, Outcome, Trial};
use crate::words;
use hos_core::call::By;
use hos_core::id::{Handle, InstanceId, Name, RecordHash, Tenant};
use hos_engine::{Level, VerifyOptions};
use hos_testkit::model::{ACCOUNTS, Contract, IDS, TENANTS};
use std::collections::BTreeMap;
use std::fmt::Write as _;

impl Trial {
    /// An old copy comes back: whoever opens it sees that something answered for is lost, answers nothing more, and goes on in a
    /// new epoch.
    pub(super) fn restore(&mut self) -> Outcome<()> {
        let Some(kept): Option<Kept> = self.kept.take() else { return Ok(()) };
        self.rig.skew(0, 0);
        let work = Act { process: 0, deed: Deed::Work, fault: None };
        self.acts(0, std::slice::from_ref(&work))?;
        let lost: Vec<&str> =
            self.rig.sizes().into_iter().filter(|(tenant, size)| *size > kept.sizes[tenant]).map(|(tenant, _)| tenant).collect();
        let engine = &self.rig.life(0).map_err(|f| f.to_string())?.engine;
        let note = |tenant: &&str| engine.tenant(tenant).and_then(|at| at.checkpoint());
        let notes: Vec<String> =
            lost.iter().filter_map(|tenant| note(tenant).transpose()).collect::<Result<_, _>>().map_err(|f| f.to_string())?;
        ensure!(notes.len() == lost.len(), "a log that has grown has no checkpoint");
        self.rig.restore();
        let engine = self.rig.repairs(0).map_err(|f| format!("the restored store does not open: {f}"))?;
        let noticed = engine.quarantine().is_some();
        ensure!(noticed != lost.is_empty(), "the ends of {lost:?} are lost, and it was noticed: {noticed}");
        if noticed {
            let root = By::new(words::account(ACCOUNTS[0]));
            let asked = engine.open_tenant(&root, &Tenant::new("late").map_err(|e| e.to_string())?);
            let code = asked.map_err(|f| f.code).map(|answer| answer.allowed);
            ensure!(code == Err(Code::Quarantined), "a store that is behind answers {code:?}");
            engine.new_epoch("restored", &notes).map_err(|f| format!("no new epoch begins: {f}"))?;
        }
        self.world = kept.world.restored(self.world.now, noticed);
        (self.receipts, self.onces, self.leases) = kept.memory;
        // Checkpoints are of the epoch before.
        self.checkpoints.clear();
        _ = writeln!(self.trace, "restored {notes:?}");
        Ok(())
    }

    /// An instance stands in every tenant as in the model.
    pub(super) fn stands(&mut self, contract: Contract, id: &'static str) -> Outcome<()> {
        let name = Name::new(contract.name()).map_err(|e| e.to_string())?;
        let of = InstanceId::new(id).map_err(|e| e.to_string())?;
        let life = self.rig.looks().map_err(|f| f.to_string())?;
        for tenant in TENANTS {
            let at = life.engine.tenant_named(&Tenant::new(tenant).map_err(|e| e.to_string())?);
            let found = at.instance(&name, &of).map_err(|f| f.to_string())?;
            let found = found.as_ref().map(|i| (i.state.as_str(), i.version));
            let wanted = self.world.instance(tenant, contract, id);
            ensure!(found == wanted, "{tenant} {contract:?} {id:?} stands at {found:?}, in the model at {wanted:?}");
        }
        Ok(())
    }

    /// Everything against everything.
    pub(super) fn inspect(&mut self) -> Outcome<()> {
        for contract in [Contract::Ticket, Contract::Stay] {
            IDS.into_iter().try_for_each(|id| self.stands(contract, id))?;
        }
        let anchors: Vec<String> = self.checkpoints.values().map(|(_, note)| note.clone()).collect();
        let life = self.rig.looks().map_err(|f| f.to_string())?;
        let options = VerifyOptions { anchors, ..VerifyOptions::default() };
        let (report, replay) = life.engine.verify_replayed(&options, None).map_err(|f| f.to_string())?;
        ensure!(report.findings.is_empty(), "verification finds {:?}", report.findings);
        ensure!(report.level == Level::Replayed, "verified as {}; {:?}", report.level.as_str(), replay.listed);
        let begun = self.rig.begun();
        let of = |tenant: &str| report.logs.iter().find(|(t, ..)| t == tenant).map_or(0, |(_, size, _)| *size);
        let tenants: Vec<&str> = TENANTS.into_iter().chain([Tenant::UNIVERSE]).collect();
        let sealed: u64 = tenants.iter().map(|t| of(t) - begun.get(*t).copied().unwrap_or(0)).sum();
        let wanted: u64 = tenants.iter().map(|t| self.world.records(t)).sum();
        ensure!(
            sealed + report.unsealed.0 == wanted,
            "{sealed} records and {} to be sealed, in the model {wanted}",
            report.unsealed.0
        );
        if report.unsealed.0 == 0 {
            for tenant in tenants {
                let (made, wanted) = (of(tenant) - begun.get(tenant).copied().unwrap_or(0), self.world.records(tenant));
                ensure!(made == wanted, "{tenant} has {made} records, in the model {wanted}");
            }
        }
        for (tenant, size, root) in &report.logs {
            _ = writeln!(self.trace, "log {tenant} {size} {root}");
        }
        for tenant in TENANTS {
            let count = |and: &str| self.rig.number(&format!("SELECT count(*) FROM hos_outbox WHERE tenant = '{tenant}' {and}"));
            let (all, waiting) = self.world.messages(tenant);
            let found = (count("") as usize, count("AND acked = 0") as usize);
            ensure!(found == (all, waiting), "{tenant} has {found:?} messages, in the model {:?}", (all, waiting));
        }
        self.acknowledged()
    }

    /// What was acknowledged is in the logs, where it was said to be.
    fn acknowledged(&mut self) -> Outcome<()> {
        let life = self.rig.looks().map_err(|f| f.to_string())?;
        let mut found: BTreeMap<(String, Handle, u64), (RecordHash, Option<u64>)> = BTreeMap::new();
        for tenant in TENANTS.into_iter().chain([Tenant::UNIVERSE]) {
            let at = life.engine.tenant_named(&Tenant::new(tenant).map_err(|e| e.to_string())?);
            let mut from = 0;
            loop {
                let page = at.log(from, 200).map_err(|f| f.to_string())?;
                let Some(last) = page.last().and_then(|entry| entry.receipt.seal.as_ref()) else { break };
                from = last.seq + 1;
                for entry in page {
                    let receipt = entry.receipt;
                    let n = receipt.n.ok_or("a sealed record without a place in its thread")?;
                    found.insert((tenant.to_owned(), receipt.thread, n), (receipt.record, receipt.seal.map(|seal| seal.seq)));
                }
            }
        }
        for (place, (record, seq)) in &self.receipts {
            match (found.get(place), seq) {
                (Some((same, _)), None) if same == record => {}
                (Some(same), Some(_)) if *same == (*record, *seq) => {}
                // It waits for its seal.
                (None, None) => {}
                (other, _) => return Err(format!("acknowledged as {record} at {seq:?}, found {other:?}: {place:?}")),
            }
        }
        Ok(())
    }

    /// The day's end: a round of work seals what waits, then all is inspected, and every once-key is asked again.
    pub(super) fn end(&mut self) -> Outcome<u64> {
        self.rig.skew(0, 0);
        let act = Act { process: 0, deed: Deed::Work, fault: None };
        self.acts(0, std::slice::from_ref(&act))?;
        self.inspect()?;
        for (call, record) in self.onces.values().cloned().collect::<Vec<_>>() {
            let act = Act { process: 0, deed: Deed::Call(call), fault: None };
            let (done, _) = self.rig.act(0, std::slice::from_ref(&act), &[None]).map_err(|f| f.to_string())?;
            let again = done.first().and_then(|done| match &done.heard {
                Heard::Answer(Ok(answer)) => answer.receipt.as_ref().filter(|_| answer.again),
                _ => None,
            });
            ensure!(again.is_some_and(|receipt| receipt.record == record), "`{act}` is answered otherwise than at first");
        }
        let life = self.rig.life(0).map_err(|f| f.to_string())?;
        let mut notes = String::new();
        let report = life.engine.verify(&VerifyOptions::default()).map_err(|f| f.to_string())?;
        ensure!(report.unsealed.0 == 0, "{} records wait for their seal behind a round of work", report.unsealed.0);
        for tenant in TENANTS.into_iter().chain([Tenant::UNIVERSE]) {
            let at = life.engine.tenant(tenant).map_err(|f| f.to_string())?;
            notes += &at.checkpoint().map_err(|f| f.to_string())?.unwrap_or_default();
        }
        self.trace += &notes;
        Ok(report.records)
    }
}
