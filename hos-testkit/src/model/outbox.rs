//! The outbox: each move leaves its message once, and a lease hands it to one at a time.

use super::contracts::Contract;
use super::{Tenancy, World};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    kind: &'static str,
    of: (Contract, &'static str),
    attempts: u32,
    leased_until: i64,
    /// Which lease holds it, by its number.
    lease: Option<u64>,
    acked: bool,
}

/// A lease that was given: of which message of the tenant, under which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The message's place.
    pub message: usize,
    /// The lease's number.
    pub number: u64,
}

/// A message as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// Its kind.
    pub kind: &'static str,
    /// Of which instance it tells.
    pub of: (Contract, &'static str),
    /// How often it was handed out, this time included.
    pub attempts: u32,
    /// Its lease.
    pub lease: Lease,
}

impl Tenancy {
    /// The message of an event, if it leaves one.
    pub(super) fn leave(&mut self, contract: Contract, id: &'static str, event: &str) {
        if let Some(kind) = contract.effect(event) {
            let of = (contract, id);
            self.outbox.push(Message { kind, of, attempts: 0, leased_until: 0, lease: None, acked: false });
        }
    }
}

impl World {
    /// Leases messages, the oldest first; or the code of the refusal. `number` is one that no lease had before.
    pub fn poll(
        &mut self,
        tenant: &str,
        by: &str,
        limit: usize,
        lease_ms: i64,
        number: u64,
    ) -> Result<Vec<Leased>, &'static str> {
        self.operates(tenant, by)?;
        let now = self.now;
        let Some(tenancy) = self.tenancy_mut(tenant) else { return Err("hos.tenant_unknown") };
        let waiting = tenancy.outbox.iter_mut().enumerate().filter(|(_, m)| !m.acked && m.leased_until <= now);
        Ok(waiting
            .take(limit)
            .map(|(message, m)| {
                m.attempts += 1;
                m.leased_until = now + lease_ms;
                m.lease = Some(number);
                Leased { kind: m.kind, of: m.of, attempts: m.attempts, lease: Lease { message, number } }
            })
            .collect())
    }

    /// Acknowledges a message under its lease; or the code of the refusal.
    pub fn acknowledge(&mut self, tenant: &str, by: &str, lease: Lease) -> Result<(), &'static str> {
        self.operates(tenant, by)?;
        let message = self.tenancy_mut(tenant).and_then(|t| t.outbox.get_mut(lease.message));
        let message = message.filter(|m| !m.acked && m.lease == Some(lease.number)).ok_or("hos.lease_lost")?;
        (message.acked, message.lease) = (true, None);
        Ok(())
    }

    /// Messages of a tenant: how many there ever were, and how many wait.
    pub fn messages(&self, tenant: &str) -> (usize, usize) {
        self.tenancy(tenant).map_or((0, 0), |t| (t.outbox.len(), t.outbox.iter().filter(|m| !m.acked).count()))
    }

    /// Whether somebody may do what operators do.
    pub(super) fn operates(&self, tenant: &str, by: &str) -> Result<(), &'static str> {
        match self.accounts.get(by) {
            None => Err("hos.principal_unknown"),
            Some(false) => Err("hos.forbidden"),
            Some(true) if !self.is_in(tenant, by, "operator") => Err("hos.not_permitted"),
            Some(true) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Call, Field, Operation};

    #[test]
    fn a_message_is_one_s_until_its_lease_is_over_and_nobody_s_once_it_is_acknowledged() {
        let mut world = World::new(1_000);
        let facts = [("buyer", Field::Account("ayse")), ("total", Field::Long(1))].into();
        let operation = Operation::Begin { by: "ayse", contract: Contract::Ticket, id: "1", event: "place", facts };
        assert!(world.call(&Call { tenant: "north", operation, once: None }).allowed);
        assert_eq!(world.poll("north", "ayse", 9, 100, 1), Err("hos.not_permitted"));
        assert_eq!(world.poll("south", "root", 9, 100, 1), Ok(Vec::new()));
        let first = world.poll("north", "root", 9, 100, 1).unwrap();
        assert_eq!((first.len(), first[0].kind, first[0].attempts), (1, "mail.placed", 1));
        assert_eq!(world.poll("north", "root", 9, 100, 2), Ok(Vec::new()));
        world.now += 100;
        let again = world.poll("north", "root", 9, 100, 3).unwrap();
        assert_eq!((again.len(), again[0].attempts), (1, 2));
        assert_eq!(world.acknowledge("north", "root", first[0].lease), Err("hos.lease_lost"));
        assert_eq!(world.acknowledge("north", "root", again[0].lease), Ok(()));
        assert_eq!((world.poll("north", "root", 9, 100, 4), world.messages("north")), (Ok(Vec::new()), (1, 0)));
    }
}
