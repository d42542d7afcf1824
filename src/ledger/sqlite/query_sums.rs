//! Comparing the rows that a query found with their sums, before anything of them is answered: the
//! object's own row, and those that its amounts come from. Names and texts of other rows that are
//! shown beside them are left to the check of the whole file.

use super::books::RowColumns;
use super::sums;
use crate::domain::query::QueryObject;
use crate::ledger::record::{Columns, Record, Table, Value};
use crate::ledger::records::{
    AccountRow, Adjustment, Balance, Entry, Exchange, Invoice, InvoiceAdjustment, Line, MethodRow,
    Part, Payment, Refund, TakenPart,
};
use rusqlite::Connection;
use std::sync::LazyLock;

/// Rows that have a value in one of their columns.
struct Rows {
    table: &'static Table,
    /// The place of the value in the object's own row.
    through: usize,
    select: String,
}

/// The rows behind an object, its own first.
struct Behind {
    object: QueryObject,
    rows: Vec<Rows>,
}

/// A column of the object's own row, and the table and the column that have the same value.
type Link = (&'static str, &'static Table, &'static str);

static ALL: LazyLock<Vec<Behind>> = LazyLock::new(|| {
    QueryObject::ALL
        .iter()
        .map(|object| {
            let (own, links) = behind(*object);
            let key = own.columns.first().copied().unwrap_or_default();
            let links = std::iter::once((key, own, key)).chain(links.iter().copied());
            let rows = links.map(|link| rows(own, link)).collect();
            Behind { object: *object, rows }
        })
        .collect()
});

fn rows(own: &'static Table, (through, table, by): Link) -> Rows {
    let place = own.columns.iter().position(|column| *column == through);
    let (columns, name) = (sums::columns(table), table.name);
    let select = format!("select {columns} from {name} where {by} = ?1");
    Rows { table, through: place.unwrap_or(usize::MAX), select }
}

const fn behind(object: QueryObject) -> (&'static Table, &'static [Link]) {
    const ACCOUNT: Link = ("account", AccountRow::TABLE, "key");
    const REFUND: Link = ("refund", Refund::TABLE, "number");
    const INVOICE: Link = ("invoice", Invoice::TABLE, "key");
    match object {
        QueryObject::Account => (
            AccountRow::TABLE,
            &[("key", Balance::TABLE, "account"), ("key", Invoice::TABLE, "account")],
        ),
        QueryObject::CreditBalanceAdjustment => {
            (Entry::TABLE, &[ACCOUNT, REFUND, ("adjustment", Adjustment::TABLE, "key")])
        }
        QueryObject::Invoice => (
            Invoice::TABLE,
            &[
                ACCOUNT,
                ("key", Part::TABLE, "invoice"),
                ("key", InvoiceAdjustment::TABLE, "invoice"),
                ("key", Line::TABLE, "invoice"),
            ],
        ),
        QueryObject::InvoiceAdjustment | QueryObject::InvoiceItemAdjustment => {
            (InvoiceAdjustment::TABLE, &[INVOICE])
        }
        QueryObject::InvoiceItem | QueryObject::TaxationItem => (Line::TABLE, &[INVOICE]),
        QueryObject::InvoicePayment => {
            (Part::TABLE, &[INVOICE, ("payment", Payment::TABLE, "key")])
        }
        QueryObject::Payment => (Payment::TABLE, &[ACCOUNT, ("key", Part::TABLE, "payment")]),
        QueryObject::PaymentMethod => (MethodRow::TABLE, &[]),
        QueryObject::Refund => (Refund::TABLE, &[ACCOUNT]),
        QueryObject::RefundInvoicePayment => {
            (TakenPart::TABLE, &[REFUND, ("invoice_payment", Part::TABLE, "key")])
        }
        QueryObject::RefundTransactionLog => (Exchange::TABLE, &[REFUND]),
    }
}

/// Compares the rows of these keys, and those behind them; a row that differs is an error.
pub(super) fn verify(
    connection: &Connection,
    object: QueryObject,
    keys: impl Iterator<Item = i64>,
) -> rusqlite::Result<()> {
    let behind = ALL.iter().find(|behind| behind.object == object);
    let Some([own, others @ ..]) = behind.map(|behind| behind.rows.as_slice()) else {
        return Ok(());
    };
    let mut statement = connection.prepare_cached(&own.select)?;
    // What the row before led to is nearly always what this one leads to.
    let mut before = vec![None; others.len()];
    for key in keys {
        let mut rows = statement.query([key])?;
        let Some(row) = rows.next()? else { continue };
        sums::verify(row, 0, own.table)?;
        let columns = RowColumns { row, table: own.table };
        for (other, before) in others.iter().zip(&mut before) {
            let value = match columns.value(other.through) {
                Value::Integer(value) => Some(value),
                _ => None,
            };
            if let Some(value) = value.filter(|_| value != *before) {
                verify_those(connection, other, value)?;
                *before = Some(value);
            }
        }
    }
    Ok(())
}

fn verify_those(connection: &Connection, those: &Rows, value: i64) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&those.select)?;
    let mut rows = statement.query([value])?;
    while let Some(row) = rows.next()? {
        sums::verify(row, 0, those.table)?;
    }
    Ok(())
}
