//! Plain tables: what belongs to an account beside its refunds and entries.

use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::readings::{ListedAdjustment, ListedInvoice, ListedPayment};

/// A table, as its template draws it.
pub(super) struct Listing {
    /// Its id in the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) columns: Vec<Column>,
    /// A cell for each column; the first names the row.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A column.
pub(super) struct Column {
    pub(super) head: &'static str,
    /// `number` where its cells are amounts.
    pub(super) class: &'static str,
}

/// A cell, of the class of its column.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) class: &'static str,
}

/// The columns of these heads; one that ends with `#` has amounts.
fn columns(heads: &[&'static str]) -> Vec<Column> {
    let column = |head: &&'static str| match head.strip_suffix('#') {
        Some(head) => Column { head, class: "number" },
        None => Column { head, class: "" },
    };
    heads.iter().map(column).collect()
}

fn any(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "–".to_owned())
}

impl Listing {
    /// Adjustments of the credit balance.
    pub(super) fn adjustments(rows: &[ListedAdjustment], currency: Currency) -> Self {
        let row = |one: &ListedAdjustment| {
            vec![
                any(&one.number),
                one.adjustment_type.name().to_owned(),
                one.status.name().to_owned(),
                currency.format(one.amount),
                one.date.to_string(),
                any(&one.source),
                any(&one.reason_code),
            ]
        };
        let heads = ["Number", "Type", "State", "Amount#", "Day", "Other side", "Reason"];
        Self::of(("adjustments", "Adjustments"), &heads, rows.iter().map(row).collect())
    }

    /// Invoices.
    pub(super) fn invoices(rows: &[ListedInvoice], currency: Currency) -> Self {
        let row = |one: &ListedInvoice| {
            let money = |amount: MinorUnits| currency.format(amount);
            let (number, id) = (one.number.clone(), one.id.to_string());
            vec![number, one.date.to_string(), money(one.amount), money(one.balance), id]
        };
        let heads = ["Number", "Day", "Amount#", "Open#", "Id"];
        Self::of(("invoices", "Invoices"), &heads, rows.iter().map(row).collect())
    }

    /// Payments.
    pub(super) fn payments(rows: &[ListedPayment], currency: Currency) -> Self {
        let row = |one: &ListedPayment| {
            vec![
                one.number.clone(),
                one.payment_type.name().to_owned(),
                one.status.name().to_owned(),
                one.date.to_string(),
                currency.format(one.amount),
                currency.format(one.refunded),
                any(&one.gateway),
            ]
        };
        let heads = ["Number", "Type", "State", "Day", "Amount#", "Given back#", "Gateway"];
        Self::of(("payments", "Payments"), &heads, rows.iter().map(row).collect())
    }

    fn of(
        (id, title): (&'static str, &'static str),
        heads: &[&'static str],
        rows: Vec<Vec<String>>,
    ) -> Self {
        let columns = columns(heads);
        let cell = |(text, column): (String, &Column)| Cell { text, class: column.class };
        let row = |row: Vec<String>| row.into_iter().zip(&columns).map(cell).collect();
        let rows = rows.into_iter().map(row).collect();
        Self { id, title, columns, rows }
    }
}
