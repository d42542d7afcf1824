//! Rows of the ledger as facts of the domain.

use crate::domain::collected::{Collected, ReferenceKey};
use crate::domain::facts::{
    Account, AccountKey, Ahead, ExistingRefund, Invoice, InvoiceKey, MethodKey, Payment,
    PaymentMethod, PaymentPart, ReopenedInvoice,
};
use crate::domain::id::{ObjectId, RefundId};
use crate::domain::money::MinorUnits;
pub use crate::domain::rules::Named;
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{self, Refund, TAKEN_BY_REFUND, TakenPart};
use crate::ledger::unit::Unit;

/// The account of this id, with its default method if that will be needed.
pub fn account(
    unit: &mut Unit<'_>,
    id: &ObjectId,
    with_default_method: bool,
) -> Result<Option<Account>, BooksError> {
    let row: Option<records::Account> = unit.find(&records::ACCOUNT_BY_ID, &[id.stored()])?;
    let Some(row) = row else { return Ok(None) };
    let default_method = row.default_payment_method.filter(|_| with_default_method);
    let mut account = of_row(unit, row)?;
    if let Some(key) = default_method {
        account.default_method = method_by_key(unit, key)?;
    }
    Ok(Some(account))
}

/// The account of this key, which is there, without its default method.
pub fn account_by_key(unit: &mut Unit<'_>, key: AccountKey) -> Result<Account, BooksError> {
    let row = unit.existing(&(key,))?;
    of_row(unit, row)
}

fn of_row(unit: &mut Unit<'_>, row: records::Account) -> Result<Account, BooksError> {
    Ok(Account {
        key: row.key,
        currency: row.currency,
        balance: unit.balance(row.key)?.units,
        ahead: Ahead::default(),
        default_method: None,
        gateway: row.gateway,
    })
}

/// The payment method of this id.
pub fn method(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<PaymentMethod>, BooksError> {
    let row: Option<records::Method> = unit.find(&records::METHOD_BY_ID, &[id.stored()])?;
    Ok(row.map(of_method))
}

/// The payment method of this key.
pub fn method_by_key(
    unit: &mut Unit<'_>,
    key: MethodKey,
) -> Result<Option<PaymentMethod>, BooksError> {
    Ok(unit.get::<records::Method>(&(key,))?.cloned().map(of_method))
}

fn of_method(row: records::Method) -> PaymentMethod {
    PaymentMethod {
        key: row.key,
        id: row.id,
        account: row.account,
        method_type: row.method_type.0,
        status: row.status.0,
        gateway: row.gateway,
    }
}

/// A payment with its parts.
pub fn payment(unit: &mut Unit<'_>, named: Named<'_>) -> Result<Option<Payment>, BooksError> {
    let row: Option<records::Payment> = match named {
        Named::Id(id) => unit.find(&records::PAYMENT_BY_ID, &[id.stored()])?,
        Named::Number(number) => unit.find(&records::PAYMENT_BY_NUMBER, &[number.stored()])?,
    };
    let Some(row) = row else { return Ok(None) };
    let method = match row.payment_method {
        Some(key) => method_by_key(unit, key)?,
        None => None,
    };
    let reference = row.reference_id.as_ref().unwrap_or(&row.number);
    let collected = match &row.gateway {
        Some(gateway) => Some(collected(unit, gateway, reference)?),
        None => None,
    };
    Ok(Some(Payment {
        key: row.key,
        account: account_by_key(unit, row.account)?,
        payment_type: row.payment_type.0,
        status: row.status.0,
        amount: row.amount,
        refunded: row.refunded,
        to_credit_balance: MinorUnits::new(
            row.to_credit_balance.units().saturating_add(row.draft_credit.units()),
        ),
        effective_date: row.effective_date.0,
        method,
        collected,
        parts: parts(unit, &row)?,
        number: row.number,
        gateway: row.gateway,
        reference_id: row.reference_id,
    }))
}

fn parts(unit: &mut Unit<'_>, payment: &records::Payment) -> Result<Vec<PaymentPart>, BooksError> {
    let rows: Vec<records::Part> = unit.all(&records::PART_BY_PAYMENT, &[payment.key.stored()])?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in rows {
        let invoice: records::Invoice = unit.existing(&(row.invoice,))?;
        parts.push(PaymentPart {
            key: row.key,
            invoice: row.invoice,
            invoice_id: invoice.id,
            invoice_number: invoice.number,
            amount: row.amount,
            refunded: row.refunded,
        });
    }
    Ok(parts)
}

/// What a gateway collected under a reference. Nothing, if it knows no payment by it.
fn collected(unit: &mut Unit<'_>, gateway: &str, reference: &str) -> Result<Collected, BooksError> {
    let key = (ReferenceKey::of(reference).as_str().to_owned(), gateway.to_owned());
    let found = unit.get::<records::Collected>(&key)?;
    Ok(found.map_or(Collected::NOTHING, |row| Collected { amount: row.amount, sent: row.sent }))
}

/// An invoice.
pub fn invoice(unit: &mut Unit<'_>, named: Named<'_>) -> Result<Option<Invoice>, BooksError> {
    let row: Option<records::Invoice> = match named {
        Named::Id(id) => unit.find(&records::INVOICE_BY_ID, &[id.stored()])?,
        Named::Number(number) => unit.find(&records::INVOICE_BY_NUMBER, &[number.stored()])?,
    };
    row.map(|row| of_invoice(unit, row)).transpose()
}

/// The invoice of this key, which is there.
pub fn invoice_by_key(unit: &mut Unit<'_>, key: InvoiceKey) -> Result<Invoice, BooksError> {
    let row = unit.existing(&(key,))?;
    of_invoice(unit, row)
}

fn of_invoice(unit: &mut Unit<'_>, row: records::Invoice) -> Result<Invoice, BooksError> {
    Ok(Invoice {
        key: row.key,
        account: account_by_key(unit, row.account)?,
        number: row.number,
        date: row.date.0,
        amount: row.amount,
        balance: row.balance,
    })
}

/// The row of the refund of this id. An id of another moment or another ledger is none of this
/// ledger's, though its number may be.
pub fn refund_row(unit: &mut Unit<'_>, id: RefundId) -> Result<Option<Refund>, BooksError> {
    let row = unit.get::<Refund>(&(id.number(),))?;
    Ok(row.filter(|row| row.id() == id).cloned())
}

/// The refund of this id, for those who want to change or delete it.
pub fn refund(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<ExistingRefund>, BooksError> {
    let Some(id) = RefundId::parse(id.as_str()) else { return Ok(None) };
    match refund_row(unit, id)? {
        Some(row) => existing_refund(unit, &row).map(Some),
        None => Ok(None),
    }
}

/// A refund with the invoices that it reopens.
pub fn existing_refund(unit: &mut Unit<'_>, row: &Refund) -> Result<ExistingRefund, BooksError> {
    let account: records::Account = unit.existing(&(row.account,))?;
    Ok(ExistingRefund {
        number: row.number,
        refund_type: row.refund_type,
        status: row.status,
        source_type: row.source_type,
        payment: row.payment,
        is_compensated: row.compensated_ms.is_some(),
        currency: account.currency,
        invoices: reopened(unit, row)?,
    })
}

fn reopened(unit: &mut Unit<'_>, refund: &Refund) -> Result<Vec<ReopenedInvoice>, BooksError> {
    if refund.payment.is_none() {
        return Ok(Vec::new());
    }
    let taken: Vec<TakenPart> = unit.all(&TAKEN_BY_REFUND, &[Field::stored(&refund.number)])?;
    let mut invoices = Vec::with_capacity(taken.len());
    for taken in taken {
        let part: records::Part = unit.existing(&(taken.invoice_payment,))?;
        let invoice: records::Invoice = unit.existing(&(part.invoice,))?;
        let (number, balance) = (invoice.number, invoice.balance);
        invoices.push(ReopenedInvoice { number, balance, amount: taken.amount });
    }
    Ok(invoices)
}
