//! By which modes a case is judged: its own call's is what the header says; whether a deadline comes before the call hangs on the table
//! of the activation.

use super::Laid;
use super::case::What;
use crate::law::mode::{Mode, Modes};
use crate::proof::record::Header;

/// The modes of a case, and how many deadlines may fire in it.
///
/// The record of a deadline is of one that fired. Before a call one fires where its own event is enforced. Where the table that says so is
/// not at hand none does: each that fired is a record of its own, before this one.
pub(super) fn of(header: &Header, what: &What, laws: &Laid<'_>) -> (Modes, usize) {
    let own = Mode::from_number(header.mode.into()).unwrap_or(Mode::Enforce);
    let mut modes = Modes { default: own, ..Modes::default() };
    if matches!(what, What::Tick(_)) {
        return (modes, 1);
    }
    let Some(table) = &laws.table else { return (modes, 0) };
    // A call that is not enforced fires nothing, whatever its deadlines' modes.
    let Some(contract) = header.contract.as_ref().filter(|_| own == Mode::Enforce) else { return (modes, 1) };
    for of in laws.older.into_iter().chain([laws.active]).filter_map(|law| law.contracts.get(contract)) {
        let arrows = of.contract.deadlines.iter().filter_map(|deadline| of.contract.events.get(&deadline.event)).flatten();
        modes.entries.extend(arrows.map(|arrow| {
            let mode = table.of_act(&header.tenant, &arrow.action, contract.as_str());
            ((None, arrow.action.clone()), mode)
        }));
    }
    (modes, 1)
}
