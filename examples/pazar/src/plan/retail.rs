//! Invoices as births of the contracts `order` and `return`, and the shop's own book of what each customer may still return.

use super::{Cast, Event, REPLAYER, Step, account, entity};
use crate::input::retail::{Line, Lines, is_return};
use crate::trouble::Trouble;
use hos_core::call::{Begin, Call};
use hos_core::id::{InstanceId, Tenant, Uid};
use hos_core::value::Value;
use std::collections::{BTreeSet, HashMap};

/// The shop, its tenant and its id.
const SHOP: &str = "online-retail";

/// Orders and returns, ready to be called.
#[derive(Debug)]
pub(crate) struct Shop {
    file: Lines,
    customers: Vec<Uid>,
    shop: Uid,
    /// Each invoice's lines, as indices, in order.
    lines_of: HashMap<u32, Vec<u32>>,
    /// Each return's balance before it, and what the shop's guard says of it, by index of the line.
    returns: HashMap<u32, (i64, &'static [&'static str])>,
    orders: u64,
}

impl Shop {
    /// Walks the lines in order and keeps the shop's book: a line sold adds its quantity, a return that the guard lets
    /// through takes its quantity off, a refused one leaves the book alone.
    pub(super) fn plan(file: Lines) -> Result<(Self, Vec<Event>), Trouble> {
        let customers = file.customers.texts().iter().map(|id| account(id)).collect::<Result<_, _>>()?;
        let mut shop =
            Self { file, customers, shop: entity("Shop", SHOP)?, lines_of: HashMap::new(), returns: HashMap::new(), orders: 0 };
        let mut events = Vec::new();
        let mut book: HashMap<(u32, u32), i64> = HashMap::new();
        for (item, line) in shop.file.lines.iter().enumerate() {
            let item = u32::try_from(item).map_err(|_| Trouble::new("too many lines"))?;
            let balance = book.entry((line.customer, line.sku)).or_insert(0);
            if is_return(shop.file.invoices.text(line.invoice)) {
                let expected = guards(*balance, -line.quantity);
                shop.returns.insert(item, (*balance, expected));
                if expected.is_empty() {
                    *balance += line.quantity;
                }
                events.push(Event { at: line.at, item, step: 0, what: Step::Return });
                continue;
            }
            *balance = balance.checked_add(line.quantity).ok_or_else(|| Trouble::new("a balance exceeds 64 bits"))?;
            let lines = shop.lines_of.entry(line.invoice).or_default();
            if lines.is_empty() {
                // Once for each invoice number, at its first line: an invoice may go over two times.
                events.push(Event { at: line.at, item, step: 0, what: Step::Place });
                shop.orders += 1;
            }
            lines.push(item);
        }
        Ok((shop, events))
    }

    /// How many orders are to be placed.
    pub(crate) fn orders(&self) -> u64 {
        self.orders
    }

    /// How many lines are to be returned.
    pub(crate) fn returns(&self) -> u64 {
        self.returns.len() as u64
    }

    /// How many lines have no customer and were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.file.left_out
    }

    /// The unit of an order's total: one of 10 to this power make one of the currency.
    pub(crate) fn places(&self) -> u32 {
        self.file.places
    }

    pub(super) fn cast(&self) -> Cast {
        let mut accounts = vec![REPLAYER.to_owned()];
        accounts.extend(self.file.customers.texts().iter().cloned());
        Cast {
            tenants: Tenant::new(SHOP).into_iter().collect(),
            accounts,
            shops: vec![(0, SHOP.to_owned())],
            members: vec![(0, "worker", REPLAYER)],
        }
    }

    pub(super) fn call(&self, event: &Event) -> Result<Call, Trouble> {
        let line = self.line(event)?;
        let customer =
            self.customers.get(line.customer as usize).cloned().ok_or_else(|| Trouble::new("a line without a customer"))?;
        let id = self.id(event, line);
        let begin = Begin::new(customer.clone(), event.what.contract(), &id, event.what.name())?;
        let begin = match event.what {
            Step::Return => begin
                .fact("customer", customer)
                .fact("sku", self.file.skus.text(line.sku))
                .fact("quantity", -line.quantity)
                .fact("price", self.file.prices.text(line.price))
                .arg("balance", self.returns.get(&event.item).map_or(0, |(balance, _)| *balance)),
            _ => begin
                .fact("buyer", customer)
                .fact("shop", self.shop.clone())
                .fact("total", self.file.totals.get(&line.invoice).copied().unwrap_or(0))
                .fact("lines", Value::Set(self.texts(line.invoice))),
        };
        let prefix = if event.what == Step::Return { "return" } else { "order" };
        Ok(Call::Begin(begin.once(&format!("{prefix}-{id}"))?))
    }

    pub(super) fn expected(&self, event: &Event) -> &'static [&'static str] {
        match event.what {
            Step::Return => self.returns.get(&event.item).map_or(&[], |(_, expected)| expected),
            _ => &[],
        }
    }

    pub(super) fn instance(&self, event: &Event) -> Result<InstanceId, Trouble> {
        Ok(InstanceId::new(self.id(event, self.line(event)?))?)
    }

    pub(super) fn describe(&self, event: &Event) -> String {
        let Some(line) = self.file.lines.get(event.item as usize) else { return "an unknown line".into() };
        let invoice = hos_core::id::Shown(self.file.invoices.text(line.invoice)).to_string();
        format!("invoice {invoice}, line {}, `{}.{}`", line.line, event.what.contract(), event.what.name())
    }

    /// Where the file says when an event happens: its line and column.
    pub(super) fn place(&self, event: &Event) -> (u64, &str) {
        self.file.lines.get(event.item as usize).map_or((0, ""), |line| (line.file_line, self.file.date.as_str()))
    }

    /// An order is named by its invoice, a return by its invoice and line.
    fn id(&self, event: &Event, line: &Line) -> String {
        let invoice = self.file.invoices.text(line.invoice);
        if event.what == Step::Return { format!("{invoice}-{}", line.line) } else { invoice.to_owned() }
    }

    fn line(&self, event: &Event) -> Result<&Line, Trouble> {
        self.file.lines.get(event.item as usize).ok_or_else(|| Trouble::new("an event without a line"))
    }

    /// An invoice's lines as text. The line's number keeps equal ones apart: a set has no order and no repetition.
    fn texts(&self, invoice: u32) -> BTreeSet<Value> {
        let lines = self.lines_of.get(&invoice).into_iter().flatten().filter_map(|i| self.file.lines.get(*i as usize));
        let text = |l: &Line| {
            format!("{}: {} x {} at {}", l.line, l.quantity, self.file.skus.text(l.sku), self.file.prices.text(l.price))
        };
        lines.map(|l| Value::String(text(l))).collect()
    }
}

/// What the shop's own guards have against a return.
fn guards(balance: i64, quantity: i64) -> &'static [&'static str] {
    match (quantity < 1, balance <= 0, quantity > balance) {
        (true, true, _) => &["return.no_quantity", "return.nothing_bought"],
        (true, false, _) => &["return.no_quantity"],
        (false, true, _) => &["return.nothing_bought"],
        (false, false, true) => &["return.exceeds_balance"],
        (false, false, false) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_says_what_may_be_returned() {
        for (balance, quantity, expected) in [
            (3, 3, vec![]),
            (3, 4, vec!["return.exceeds_balance"]),
            (0, 1, vec!["return.nothing_bought"]),
            (-2, 1, vec!["return.nothing_bought"]),
            (3, 0, vec!["return.no_quantity"]),
            (0, 0, vec!["return.no_quantity", "return.nothing_bought"]),
        ] {
            assert_eq!(guards(balance, quantity), expected, "{quantity} of {balance}");
        }
    }
}
