//! The public Online Retail formats (Chen, Sain, Guo 2012, and its second edition): one row, one line of an invoice. An
//! invoice whose number begins with `C` takes goods back.

use super::names::Names;
use super::table::{Table, clip};
use super::{InputError, Text, number};
use crate::calendar;
use std::collections::{HashMap, HashSet};

/// The unit of an order's total has at least so many decimal places: prices in tenths of a penny are usual.
const PLACES_MIN: u32 = 3;

/// One line. Texts are numbers into the file's [`Names`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// The invoice.
    pub(crate) invoice: u32,
    /// The line of the original, from 1.
    pub(crate) line: u32,
    /// The line of the file that it begins in, for messages.
    pub(crate) file_line: u64,
    /// The customer's account.
    pub(crate) customer: u32,
    /// The stock code; postage, discounts and the like are goods as any.
    pub(crate) sku: u32,
    /// Signed, as in the file.
    pub(crate) quantity: i64,
    /// The unit price, as decimal text.
    pub(crate) price: u32,
}

/// All lines with a customer, in order: time, invoice number, line.
#[derive(Debug)]
pub(crate) struct Lines {
    /// In order.
    pub(crate) lines: Vec<Line>,
    /// Lines without a customer, left out.
    pub(crate) left_out: u64,
    /// Invoice numbers.
    pub(crate) invoices: Names,
    /// Accounts: `customer-17850`.
    pub(crate) customers: Names,
    /// Stock codes.
    pub(crate) skus: Names,
    /// Prices.
    pub(crate) prices: Names,
    /// How many decimal places the unit of totals has: the finest price of the file decides.
    pub(crate) places: u32,
    /// Each invoice's total in that unit.
    pub(crate) totals: HashMap<u32, i64>,
    /// What the file calls the column that says when.
    pub(crate) date: String,
}

/// Whether an invoice takes goods back.
pub(crate) fn is_return(invoice: &str) -> bool {
    invoice.starts_with(['C', 'c'])
}

/// Reads the whole file or says where it is wrong. Lines without a customer are not looked at any further.
pub(crate) fn parse(text: &Text) -> Result<Lines, InputError> {
    let mut table = Table::open(text)?;
    let line_column = table.optional(&["line", "row"])?;
    let invoice = table.column(&["InvoiceNo", "Invoice"])?;
    let sku = table.column(&["StockCode"])?;
    let quantity = table.column(&["Quantity"])?;
    let date = table.column(&["InvoiceDate"])?;
    let price = table.column(&["UnitPrice", "Price"])?;
    let customer = table.column(&["CustomerID", "Customer"])?;

    let mut all = Lines {
        lines: Vec::new(),
        left_out: 0,
        invoices: Names::default(),
        customers: Names::default(),
        skus: Names::default(),
        prices: Names::default(),
        places: PLACES_MIN,
        totals: HashMap::new(),
        date: date.name().to_owned(),
    };
    let mut seen = HashSet::new();
    while let Some(row) = table.next_row()? {
        let line = match &line_column {
            Some(column) => row.whole(column, 1, i64::from(u32::MAX))?,
            None => i64::try_from(row.number).unwrap_or(i64::MAX),
        };
        let line = u32::try_from(line).map_err(|_| row.wrong("too many lines"))?;
        if !seen.insert(line) {
            return Err(row.wrong(format!("the line {line} is there twice")));
        }
        let Some(customer) = row.known(&customer)? else {
            all.left_out += 1;
            continue;
        };
        let when = row.filled(&date)?;
        let at = calendar::moment(when)
            .filter(|ms| *ms >= 0)
            .ok_or_else(|| row.error(&date, format!("`{}` is not a time such as 2010-12-01 08:26:00", clip(when))))?;
        let price_text = row.decimal(&price)?;
        let places = number::decimal(&price_text).map_or(0, |(_, places)| places);
        all.places = all.places.max(places);
        all.lines.push(Line {
            at,
            invoice: all.invoices.number(row.filled(&invoice)?),
            line,
            file_line: row.line,
            customer: all.customers.number(&format!("customer-{}", customer.strip_suffix(".0").unwrap_or(customer))),
            sku: all.skus.number(row.filled(&sku)?),
            quantity: row.whole(&quantity, -1_000_000_000, 1_000_000_000)?,
            price: all.prices.number(&price_text),
        });
    }
    if all.lines.is_empty() {
        return Err(table.error(0, "", "holds no lines with a customer".into()));
    }
    let Lines { lines, invoices, .. } = &mut all;
    lines.sort_unstable_by(|a, b| (a.at, invoices.text(a.invoice), a.line).cmp(&(b.at, invoices.text(b.invoice), b.line)));
    sum(&mut all).map_err(|line| table.error(0, "", format!("the total of the invoice of line {line} exceeds 64 bits")))?;
    Ok(all)
}

/// Adds up the invoices exactly; the line where that cannot be done.
fn sum(all: &mut Lines) -> Result<(), u32> {
    for line in &all.lines {
        let price = number::scaled(all.prices.text(line.price), all.places).ok_or(line.line)?;
        let amount = price.checked_mul(line.quantity).ok_or(line.line)?;
        let total = all.totals.entry(line.invoice).or_insert(0);
        *total = total.checked_add(amount).ok_or(line.line)?;
    }
    Ok(())
}
