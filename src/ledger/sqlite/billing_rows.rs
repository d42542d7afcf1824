//! Payments and invoices of the file as facts of the domain.

use super::rows::{self, known};
use super::sending;
use crate::domain::facts::{Invoice, InvoiceKey, PartKey, Payment, PaymentKey, PaymentPart};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{PaymentStatus, PaymentType};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// How an object is named.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named<'a> {
    Id(&'a ObjectId),
    Number(&'a str),
}

impl Named<'_> {
    const fn column(self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Number(_) => "number",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Number(number) => number,
        }
    }
}

/// A payment with its parts.
pub(super) fn payment(
    connection: &Connection,
    named: Named<'_>,
) -> rusqlite::Result<Option<Payment>> {
    let select = format!(
        "select key, number, account, type, status, amount, refunded, \
         to_credit_balance + draft_credit, \
         effective_date, payment_method, gateway, reference_id from payment where {} = ?1",
        named.column()
    );
    let mut statement = connection.prepare_cached(&select)?;
    let mut found = statement.query(params![named.text()])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let method: Option<i64> = row.get(9)?;
    let key: i64 = row.get(0)?;
    let method = method.map(|key| rows::payment_method_by_key(connection, key)).transpose()?;
    let (number, gateway): (String, Option<String>) = (row.get(1)?, row.get(10)?);
    let reference_id: Option<String> = row.get(11)?;
    let reference = reference_id.as_ref().unwrap_or(&number);
    let collected = gateway.as_ref().map(|name| sending::collected(connection, name, reference));
    let collected = collected.transpose()?;
    Ok(Some(Payment {
        key: PaymentKey(key),
        number,
        account: rows::account_by_key(connection, row.get(2)?)?,
        payment_type: known(row, 3, PaymentType::from_name)?,
        status: known(row, 4, PaymentStatus::from_name)?,
        amount: MinorUnits::new(row.get(5)?),
        refunded: MinorUnits::new(row.get(6)?),
        to_credit_balance: MinorUnits::new(row.get(7)?),
        effective_date: known(row, 8, |text| text.parse().ok())?,
        method: method.flatten(),
        gateway,
        reference_id,
        collected,
        parts: parts(connection, key)?,
    }))
}

fn parts(connection: &Connection, payment: i64) -> rusqlite::Result<Vec<PaymentPart>> {
    let select = "select part.key, part.invoice, invoice.id, invoice.number, part.amount, \
                  part.refunded from invoice_payment as part \
                  join invoice on invoice.key = part.invoice \
                  where part.payment = ?1 order by part.key";
    let mut statement = connection.prepare_cached(select)?;
    let parts = statement.query_map([payment], |row| {
        Ok(PaymentPart {
            key: PartKey(row.get(0)?),
            invoice: InvoiceKey(row.get(1)?),
            invoice_id: known(row, 2, ObjectId::parse)?,
            invoice_number: row.get(3)?,
            amount: MinorUnits::new(row.get(4)?),
            refunded: MinorUnits::new(row.get(5)?),
        })
    })?;
    parts.collect()
}

/// An invoice.
pub(super) fn invoice(
    connection: &Connection,
    named: Named<'_>,
) -> rusqlite::Result<Option<Invoice>> {
    let select = format!("{INVOICE} where {} = ?1", named.column());
    let mut statement = connection.prepare_cached(&select)?;
    statement.query_row(params![named.text()], |row| read_invoice(connection, row)).optional()
}

/// The invoice of this key, which exists.
pub(super) fn invoice_by_key(connection: &Connection, key: i64) -> rusqlite::Result<Invoice> {
    let select = format!("{INVOICE} where key = ?1");
    let mut statement = connection.prepare_cached(&select)?;
    statement.query_row([key], |row| read_invoice(connection, row))
}

const INVOICE: &str = "select key, account, number, date, amount, balance from invoice";

fn read_invoice(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Invoice> {
    Ok(Invoice {
        key: InvoiceKey(row.get(0)?),
        account: rows::account_by_key(connection, row.get(1)?)?,
        number: row.get(2)?,
        date: known(row, 3, |text| text.parse().ok())?,
        amount: MinorUnits::new(row.get(4)?),
        balance: MinorUnits::new(row.get(5)?),
    })
}

/// Moves what is owed on an invoice. The schema guards its bounds, as the rules do before it.
pub(super) fn move_invoice(
    connection: &Connection,
    invoice: InvoiceKey,
    delta: MinorUnits,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let update = "update invoice set balance = balance + ?2, updated_ms = ?3 where key = ?1 \
                  returning key";
    let mut statement = connection.prepare_cached(update)?;
    statement.query_row(params![invoice.0, delta.units(), at_ms], |_| Ok(()))
}
