//! Payments, invoices, refunds and adjustments of the file as facts of the domain.

use super::rows::{self, known};
use super::sending;
use super::store::Store;
use crate::domain::facts::{
    AdjustmentKey, AdjustmentSource, AskedAdjustment, ExistingAdjustment, ExistingRefund, Invoice,
    InvoiceKey, PartKey, Payment, PaymentKey, PaymentPart, ReopenedInvoice,
};
use crate::domain::id::{IdKind, ObjectId, RefundId, RowId};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::{
    AdjustmentStatus, AdjustmentType, PaymentStatus, PaymentType, RefundStatus, RefundType,
};
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

/// The refund of this id.
pub(super) fn refund(
    connection: &Connection,
    id: &ObjectId,
) -> rusqlite::Result<Option<ExistingRefund>> {
    let Some(parsed) = RefundId::parse(id.as_str()) else {
        return Ok(None);
    };
    let number = parsed.number();
    let select = "select refund.created_ms, refund.salt, refund.type, refund.status, \
                  refund.payment, account.currency, \
                  refund.compensated_ms is not null from refund \
                  join account on account.key = refund.account where refund.number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row([number.value()], |row| {
        let refund = ExistingRefund {
            number,
            refund_type: known(row, 2, RefundType::from_name)?,
            status: known(row, 3, RefundStatus::from_name)?,
            payment: row.get::<_, Option<i64>>(4)?.map(PaymentKey),
            currency: known(row, 5, Currency::from_code)?,
            is_compensated: row.get(6)?,
            invoices: Vec::new(),
        };
        Ok((RefundId::new(row.get(0)?, row.get(1)?, number), refund))
    });
    // An id of another moment or another ledger is nobody's, though its number may be somebody's.
    let Some((_, mut refund)) = found.optional()?.filter(|(stored, _)| *stored == parsed) else {
        return Ok(None);
    };
    if refund.payment.is_some() {
        refund.invoices = reopened(connection, number.value())?;
    }
    Ok(Some(refund))
}

fn reopened(connection: &Connection, number: i64) -> rusqlite::Result<Vec<ReopenedInvoice>> {
    let select = "select invoice.number, invoice.balance, taken.amount \
                  from refund_invoice_payment as taken \
                  join invoice_payment as part on part.key = taken.invoice_payment \
                  join invoice on invoice.key = part.invoice where taken.refund = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let invoices = statement.query_map([number], |row| {
        Ok(ReopenedInvoice {
            number: row.get(0)?,
            balance: MinorUnits::new(row.get(1)?),
            amount: MinorUnits::new(row.get(2)?),
        })
    })?;
    invoices.collect()
}

/// The adjustment of this id, which is that of its first entry.
pub(super) fn adjustment(
    store: &Store,
    id: &ObjectId,
) -> rusqlite::Result<Option<ExistingAdjustment>> {
    let kind = IdKind::CreditBalanceAdjustment;
    let Some(parsed) = RowId::parse(kind, id.as_str()) else {
        return Ok(None);
    };
    let select = "select adjustment, at_ms from entry where key = ?1 \
                  and kind in ('refund', 'hold', 'increase', 'decrease')";
    let mut statement = store.connection().prepare_cached(select)?;
    let found = statement
        .query_row([parsed.key()], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?)))
        .optional()?;
    let Some((adjustment, at_ms)) = found else {
        return Ok(None);
    };
    if store.row_id(kind, at_ms, parsed.key())? != parsed {
        return Ok(None);
    }
    let Some(key) = adjustment else {
        return Ok(Some(ExistingAdjustment::OfRefund));
    };
    asked_adjustment(store.connection(), key).map(|one| Some(ExistingAdjustment::Asked(one)))
}

fn asked_adjustment(connection: &Connection, key: i64) -> rusqlite::Result<AskedAdjustment> {
    let select = "select account, type, amount, adjustment_date, status, invoice, payment \
                  from adjustment where key = ?1";
    connection.prepare_cached(select)?.query_row([key], |row| {
        let invoice = row.get::<_, Option<i64>>(5)?.map(InvoiceKey);
        let source = match invoice {
            Some(invoice) => AdjustmentSource::Invoice(invoice),
            None => AdjustmentSource::Payment(PaymentKey(row.get(6)?)),
        };
        Ok(AskedAdjustment {
            key: AdjustmentKey(key),
            account: rows::account_by_key(connection, row.get(0)?)?,
            adjustment_type: known(row, 1, AdjustmentType::from_name)?,
            amount: MinorUnits::new(row.get(2)?),
            adjustment_date: known(row, 3, |text| text.parse().ok())?,
            status: known(row, 4, AdjustmentStatus::from_name)?,
            source,
        })
    })
}
