//! The money of a refund, in one place: taken, posted, released, and taken back.
//!
//! What must stay true: a refund takes from its source when it is created, be it a credit balance,
//! a payment or a credit memo. What it takes of a payment's parts opens their invoices once it is
//! posted: an external refund at once, an electronic one when its gateway approves. A release gives
//! back what was never posted, a cancellation what was. What goes out against a payment is counted
//! beside it (`sending.rs`), and a cancellation does not bring that back.

use super::sending;
use crate::domain::entry_kind::EntryKind;
use crate::domain::facts::{AccountKey, AdjustmentKey, InvoiceKey, MemoKey, PartKey, PaymentKey};
use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::domain::rules::{Payout, TakenLine, TakenPart};
use crate::domain::vocabulary::SourceType;
use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Record};
use crate::ledger::records::{
    self, Balance, CreditMemo, Entry, Invoice, MemoLine, Part, REFUND_LINE_BY_REFUND, Refund,
    RefundDetail, RefundLine, TAKEN_BY_REFUND,
};
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
    let of_parts: i64 = parts.iter().map(|part| part.amount.units()).sum();
    move_payment(unit, payment, refund.amount, MinorUnits::new(-of_parts), at)?;
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
        None => parts.iter().try_for_each(|part| reopen_part(unit, part.part, part.amount, at)),
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

/// Takes the amount of a refund from the unapplied part of its credit memo, and what is named of
/// items and taxes from these.
pub fn take_memo(
    unit: &mut Unit<'_>,
    refund: &Refund,
    memo: MemoKey,
    lines: &[TakenLine],
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    move_memo(unit, memo, refund.amount, at)?;
    for taken in lines {
        unit.change::<MemoLine>(&(taken.line,), |row| {
            row.refunded = sum(row.refunded, taken.amount);
            row.updated_ms = at;
        })?;
        let key = unit.next_key::<RefundLine>()?;
        unit.insert(RefundLine {
            key,
            refund: refund.number,
            line: taken.line,
            amount: taken.amount,
            created_ms: at,
        })?;
    }
    Ok(())
}

/// An electronic refund ended in Error: its source has the money again.
pub fn release(unit: &mut Unit<'_>, refund: &Refund, at: DateTime<Utc>) -> Result<(), BooksError> {
    match source_of(refund)? {
        TakenFrom::CreditBalance => give_credit_back(unit, refund, EntryKind::Release, at),
        TakenFrom::Payment(payment) => {
            sending::release(unit, refund.number, at)?;
            give_back(unit, refund, payment, at)
        }
        TakenFrom::CreditMemo => give_memo_back(unit, refund, at),
    }
}

/// A Processed refund of a payment or a credit memo is taken back: its source has the money again,
/// and a payment pays its invoices again.
pub fn cancel(unit: &mut Unit<'_>, refund: &Refund, at: DateTime<Utc>) -> Result<(), BooksError> {
    match source_of(refund)? {
        TakenFrom::CreditBalance => {
            let fault = "a refund of a credit balance is final";
            Err(BooksError::Fault { table: Refund::TABLE.name, fault })
        }
        TakenFrom::Payment(payment) => {
            reopen(unit, refund.number, -1, at)?;
            give_back(unit, refund, payment, at)
        }
        TakenFrom::CreditMemo => give_memo_back(unit, refund, at),
    }
}

/// A Processed refund was rejected by its gateway after all: its source has the money again.
pub fn compensate(
    unit: &mut Unit<'_>,
    refund: &Refund,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    match source_of(refund)? {
        TakenFrom::CreditBalance => give_credit_back(unit, refund, EntryKind::Compensation, at),
        TakenFrom::Payment(_) => {
            sending::release(unit, refund.number, at)?;
            cancel(unit, refund, at)
        }
        TakenFrom::CreditMemo => give_memo_back(unit, refund, at),
    }
}

/// What a refund took its money from.
enum TakenFrom {
    CreditBalance,
    Payment(PaymentKey),
    CreditMemo,
}

fn source_of(refund: &Refund) -> Result<TakenFrom, BooksError> {
    Ok(match (refund.source_type, refund.payment) {
        (SourceType::CreditBalance, _) => TakenFrom::CreditBalance,
        (SourceType::CreditMemo, _) => TakenFrom::CreditMemo,
        (SourceType::Payment, payment) => {
            TakenFrom::Payment(payment.ok_or(BooksError::Missing("payment"))?)
        }
    })
}

/// Gives a credit memo, its items and its taxes back what a refund took.
fn give_memo_back(
    unit: &mut Unit<'_>,
    refund: &Refund,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let detail: RefundDetail = unit.existing(&(refund.number,))?;
    let memo = detail.credit_memo.ok_or(BooksError::Missing(CreditMemo::TABLE.name))?;
    move_memo(unit, memo, negative(refund.amount), at)?;
    let of_refund = [Field::stored(&refund.number)];
    for taken in unit.all::<RefundLine>(&REFUND_LINE_BY_REFUND, &of_refund)? {
        unit.change::<MemoLine>(&(taken.line,), |row| {
            row.refunded = sum(row.refunded, negative(taken.amount));
            row.updated_ms = at;
        })?;
    }
    Ok(())
}

/// Grows or shrinks what refunds took of a credit memo.
fn move_memo(
    unit: &mut Unit<'_>,
    memo: MemoKey,
    delta: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    unit.change::<CreditMemo>(&(memo,), |row| {
        row.refunded = sum(row.refunded, delta);
        row.updated_ms = at;
    })
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

/// Moves what refunds took of a payment, and what of it pays invoices.
pub(super) fn move_payment(
    unit: &mut Unit<'_>,
    payment: PaymentKey,
    refunded: MinorUnits,
    applied: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    unit.change::<records::Payment>(&(payment,), |row| {
        row.refunded = sum(row.refunded, refunded);
        row.applied = sum(row.applied, applied);
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
        let delta = MinorUnits::new(sign * taken.amount.units());
        reopen_part(unit, taken.invoice_payment, delta, at)?;
    }
    Ok(())
}

/// Moves what is owed on the invoice of a payment's part.
fn reopen_part(
    unit: &mut Unit<'_>,
    part: PartKey,
    delta: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let part: Part = unit.existing(&(part,))?;
    move_invoice(unit, part.invoice, delta, at)
}

/// Gives a payment and its parts back what a refund took.
fn give_back(
    unit: &mut Unit<'_>,
    refund: &Refund,
    payment: PaymentKey,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let parts = taken_by(unit, refund.number)?;
    let of_parts = MinorUnits::new(parts.iter().map(|taken| taken.amount.units()).sum());
    move_payment(unit, payment, negative(refund.amount), of_parts, at)?;
    for taken in parts {
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

pub(super) fn sum(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits::new(one.units().saturating_add(other.units()))
}

pub(super) fn negative(amount: MinorUnits) -> MinorUnits {
    MinorUnits::new(amount.units().saturating_neg())
}
