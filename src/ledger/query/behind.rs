//! The rows behind what a query found: the object's own row, and those that its amounts come from.
//! They are read as records before anything of them is answered, so that an engine that can say
//! whether a record is what was written says it. Names and texts of other rows that are shown
//! beside them are left to the check of everything.

use crate::domain::query::QueryObject;
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Lookup, Record, Value};
use crate::ledger::records::{
    AccountRow, Adjustment, Balance, Entry, Exchange, INVOICE_BY_ACCOUNT, Invoice,
    InvoiceAdjustment, LINE_BY_INVOICE, Line, MethodRow, PART_BY_INVOICE, PART_BY_PAYMENT, Part,
    Payment, Refund, TakenPart,
};
use std::collections::BTreeSet;

/// A column of the object's own row, and the way to the rows that have its value.
type Link = (&'static str, &'static Lookup);

/// Adjustments of an invoice.
static ADJUSTMENT_BY_INVOICE: Lookup = Lookup::new(InvoiceAdjustment::TABLE, &["invoice"]);

static OF_ACCOUNT: [Link; 2] = [("key", Balance::BY_KEY), ("key", &INVOICE_BY_ACCOUNT)];
static OF_ENTRY: [Link; 3] = [
    ("account", AccountRow::BY_KEY),
    ("refund", Refund::BY_KEY),
    ("adjustment", Adjustment::BY_KEY),
];
static OF_INVOICE: [Link; 4] = [
    ("account", AccountRow::BY_KEY),
    ("key", &PART_BY_INVOICE),
    ("key", &ADJUSTMENT_BY_INVOICE),
    ("key", &LINE_BY_INVOICE),
];
static WITH_INVOICE: [Link; 1] = [("invoice", Invoice::BY_KEY)];
static OF_PART: [Link; 2] = [("invoice", Invoice::BY_KEY), ("payment", Payment::BY_KEY)];
static OF_PAYMENT: [Link; 2] = [("account", AccountRow::BY_KEY), ("key", &PART_BY_PAYMENT)];
static WITH_ACCOUNT: [Link; 1] = [("account", AccountRow::BY_KEY)];
static OF_TAKEN: [Link; 2] = [("refund", Refund::BY_KEY), ("invoice_payment", Part::BY_KEY)];
static WITH_REFUND: [Link; 1] = [("refund", Refund::BY_KEY)];

/// The way to the object's own row, and what is behind it.
fn behind(object: QueryObject) -> (&'static Lookup, &'static [Link]) {
    match object {
        QueryObject::Account => (AccountRow::BY_KEY, &OF_ACCOUNT),
        QueryObject::CreditBalanceAdjustment => (Entry::BY_KEY, &OF_ENTRY),
        QueryObject::Invoice => (Invoice::BY_KEY, &OF_INVOICE),
        QueryObject::InvoiceAdjustment | QueryObject::InvoiceItemAdjustment => {
            (InvoiceAdjustment::BY_KEY, &WITH_INVOICE)
        }
        QueryObject::InvoiceItem | QueryObject::TaxationItem => (Line::BY_KEY, &WITH_INVOICE),
        QueryObject::InvoicePayment => (Part::BY_KEY, &OF_PART),
        QueryObject::Payment => (Payment::BY_KEY, &OF_PAYMENT),
        QueryObject::PaymentMethod => (MethodRow::BY_KEY, &[]),
        QueryObject::Refund => (Refund::BY_KEY, &WITH_ACCOUNT),
        QueryObject::RefundInvoicePayment => (TakenPart::BY_KEY, &OF_TAKEN),
        QueryObject::RefundTransactionLog => (Exchange::BY_KEY, &WITH_REFUND),
    }
}

/// Reads the rows of these keys, and those behind them; one that is not what was written is an
/// error.
pub(in crate::ledger) fn verify(
    reader: &mut dyn Reader,
    object: QueryObject,
    keys: impl Iterator<Item = i64>,
) -> Result<(), BooksError> {
    let (own, links) = behind(object);
    let place = |column| own.table.columns.iter().position(|one| *one == column);
    let places: Vec<_> =
        links.iter().map(|(column, _)| place(*column).unwrap_or(usize::MAX)).collect();
    let mut values = vec![BTreeSet::new(); links.len()];
    reader.books().find_many(own, &wanted(keys.collect()), 1, &mut |columns| {
        for (values, place) in values.iter_mut().zip(&places) {
            if let Value::Integer(found) = columns.value(*place) {
                values.insert(found);
            }
        }
        Ok(())
    })?;
    for ((_, lookup), values) in links.iter().zip(values) {
        reader.books().find_many(lookup, &wanted(values), usize::MAX, &mut |_| Ok(()))?;
    }
    Ok(())
}

/// Values of one column, as they are looked for.
fn wanted(values: BTreeSet<i64>) -> Vec<Vec<Value<'static>>> {
    values.into_iter().map(|value| vec![value.into()]).collect()
}
