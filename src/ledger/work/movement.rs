//! The money of a refund, in one place: taken, posted, released, and taken back.
//!
//! What must stay true: a refund takes from its source when it is created, be it a credit balance
//! or a payment. What it takes of a payment's parts opens their invoices once it is posted: an
//! external refund at once, an electronic one when its gateway approves. A release gives back what
//! was never posted, a cancellation what was. What goes out against a payment is counted beside it
//! (`sending.rs`), and a cancellation does not bring that back.

use super::sending;
use crate::domain::entry_kind::EntryKind;
use crate::domain::facts::{AccountKey, AdjustmentKey, InvoiceKey, PaymentKey};
use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::domain::rules::{Payout, TakenPart};
use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Record};
use crate::ledger::records::{self, Balance, Entry, Invoice, Part, Refund, TAKEN_BY_REFUND};
use crate::ledger::unit::Unit;
use chrono::{DateTime, Utc};

/// What an entry is for.
#[derive(Debug, Clone, Copy)]
pub enum Cause {
    /// A refund.
    Refund(RefundNumber),
    /// An adjustment that was asked for.
    Adjustment(AdjustmentKey),
}

/// A movement of a credit balance.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// Whose.
    pub account: AccountKey,
    /// Why.
    pub kind: EntryKind,
    /// By how much.
    pub delta: MinorUnits,
    /// What caused it.
    pub cause: Cause,
    /// When.
    pub at: DateTime<Utc>,
}

/// Takes the amount of a new refund from its credit balance; gives the key of the entry.
pub fn take_credit(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    account: AccountKey,
    amount: MinorUnits,
    payout: &Payout,
    at: DateTime<Utc>,
) -> Result<i64, BooksError> {
    let kind = match payout {
        Payout::External => EntryKind::Refund,
        Payout::Electronic { .. } => EntryKind::Hold,
    };
    let cause = Cause::Refund(number);
    move_balance(unit, Move { account, kind, delta: negative(amount), cause, at })
}

/// Takes the amount of a refund from the payment that it gives back and from parts of it, and posts
/// it unless a gateway has to answer first.
pub fn take_payment(
    unit: &mut Unit<'_>,
    refund: &Refund,
    payment: PaymentKey,
    parts: &[TakenPart],
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    move_payment(unit, payment, refund.amount, at)?;
    for part in parts {
        unit.change::<Part>(&(part.part,), |row| {
            row.refunded = sum(row.refunded, part.amount);
            row.updated_ms = at;
        })?;
        let key = unit.next_key::<records::TakenPart>()?;
        unit.insert(records::TakenPart {
            key,
            refund: refund.number,
            invoice_payment: part.part,
            amount: part.amount,
            created_ms: at,
            updated_ms: at,
        })?;
    }
    match refund.gateway {
        None => reopen(unit, refund.number, 1, at),
        Some(_) => sending::send(unit, refund.number, payment, refund.amount, at),
    }
}

/// An electronic refund is Processed: the invoices of its payment are open again.
pub fn post(unit: &mut Unit<'_>, refund: &Refund, at: DateTime<Utc>) -> Result<(), BooksError> {
    match refund.payment {
        None => Ok(()),
        Some(_) => reopen(unit, refund.number, 1, at),
    }
}

/// An electronic refund ended in Error: its source has the money again.
pub fn release(unit: &mut Unit<'_>, refund: &Refund, at: DateTime<Utc>) -> Result<(), BooksError> {
    match refund.payment {
        None => give_credit_back(unit, refund, EntryKind::Release, at),
        Some(payment) => {
            sending::release(unit, refund.number, at)?;
            give_back(unit, refund, payment, at)
        }
    }
}

/// A Processed refund of a payment is taken back: the payment has the money again, and pays its
/// invoices again.
pub fn cancel(
    unit: &mut Unit<'_>,
    refund: &Refund,
    payment: PaymentKey,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    reopen(unit, refund.number, -1, at)?;
    give_back(unit, refund, payment, at)
}

/// A Processed refund was rejected by its gateway after all: its source has the money again.
pub fn compensate(
    unit: &mut Unit<'_>,
    refund: &Refund,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    match refund.payment {
        None => give_credit_back(unit, refund, EntryKind::Compensation, at),
        Some(payment) => {
            sending::release(unit, refund.number, at)?;
            cancel(unit, refund, payment, at)
        }
    }
}

fn give_credit_back(
    unit: &mut Unit<'_>,
    refund: &Refund,
    kind: EntryKind,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let cause = Cause::Refund(refund.number);
    let moved = Move { account: refund.account, kind, delta: refund.amount, cause, at };
    move_balance(unit, moved).map(|_| ())
}

/// Moves a credit balance and adds the entry behind it; gives the entry's key. A movement that
/// overdraws it is an error of this program, because the rules come before.
pub fn move_balance(unit: &mut Unit<'_>, moved: Move) -> Result<i64, BooksError> {
    let Move { account, kind, delta, cause, at } = moved;
    let before = unit.balance(account)?.units;
    let too_far = BooksError::Fault {
        table: Balance::TABLE.name,
        fault: "a movement leaves what can be counted",
    };
    let after = before.units().checked_add(delta.units()).map(MinorUnits::new).ok_or(too_far)?;
    let key = unit.next_key::<Entry>()?;
    let (refund, adjustment) = match cause {
        Cause::Refund(number) => (Some(number), None),
        Cause::Adjustment(key) => (None, Some(key)),
    };
    unit.insert(Entry {
        key,
        account,
        kind,
        delta,
        balance: after,
        refund,
        adjustment,
        at_ms: at,
    })?;
    unit.change::<Balance>(&(account,), |row| {
        row.units = after;
        row.newest_entry = Some(key);
    })?;
    Ok(key)
}

/// Moves what is owed on an invoice. The schema guards its bounds, as the rules do before it.
pub fn move_invoice(
    unit: &mut Unit<'_>,
    invoice: InvoiceKey,
    delta: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    unit.change::<Invoice>(&(invoice,), |row| {
        row.balance = sum(row.balance, delta);
        row.updated_ms = at;
    })
}

/// Grows or shrinks what refunds took of a payment.
fn move_payment(
    unit: &mut Unit<'_>,
    payment: PaymentKey,
    delta: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    unit.change::<records::Payment>(&(payment,), |row| {
        row.refunded = sum(row.refunded, delta);
        row.updated_ms = at;
    })
}

/// Opens the invoices of a refund by what it took of their parts (`sign` 1), or closes them (-1).
fn reopen(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    sign: i64,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    for taken in taken_by(unit, number)? {
        let part: Part = unit.existing(&(taken.invoice_payment,))?;
        let delta = MinorUnits::new(sign * taken.amount.units());
        move_invoice(unit, part.invoice, delta, at)?;
    }
    Ok(())
}

/// Gives a payment and its parts back what a refund took.
fn give_back(
    unit: &mut Unit<'_>,
    refund: &Refund,
    payment: PaymentKey,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    move_payment(unit, payment, negative(refund.amount), at)?;
    for taken in taken_by(unit, refund.number)? {
        unit.change::<Part>(&(taken.invoice_payment,), |row| {
            row.refunded = sum(row.refunded, negative(taken.amount));
            row.updated_ms = at;
        })?;
    }
    Ok(())
}

fn taken_by(
    unit: &mut Unit<'_>,
    number: RefundNumber,
) -> Result<Vec<records::TakenPart>, BooksError> {
    unit.all(&TAKEN_BY_REFUND, &[Field::stored(&number)])
}

fn sum(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits::new(one.units().saturating_add(other.units()))
}

fn negative(amount: MinorUnits) -> MinorUnits {
    MinorUnits::new(amount.units().saturating_neg())
}
