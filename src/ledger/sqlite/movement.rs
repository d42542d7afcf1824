//! The money of a refund, in one place: taken, posted, released, and taken back.
//!
//! What must stay true: a refund takes from its source when it is created, be it a credit balance
//! or a payment. What it takes of a payment's parts opens their invoices once it is posted: an
//! external refund at once, an electronic one when its gateway approves. A release gives back what
//! was never posted, a cancellation what was. What goes out against a payment is counted beside it
//! (`sending.rs`), and a cancellation does not bring that back.

use super::sending;
use crate::domain::facts::InvoiceKey;
use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::domain::rules::{Decision, Payout, Source, TakenPart};
use rusqlite::{Connection, params};

/// A refund whose money moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) number: i64,
    pub(super) account: i64,
    pub(super) amount: i64,
    /// None when it drew on the credit balance.
    pub(super) payment: Option<i64>,
}

/// What an entry is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause {
    /// The refund of this number.
    Refund(i64),
    /// The adjustment of this key.
    Adjustment(i64),
}

/// Takes what a new refund decided on, and posts it unless a gateway has to say so first.
pub(super) fn take(
    connection: &Connection,
    number: RefundNumber,
    decision: &Decision,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let (number, amount) = (number.value(), decision.amount.units());
    let is_external = decision.payout == Payout::External;
    match &decision.source {
        Source::CreditBalance => {
            let kind = if is_external { "refund" } else { "hold" };
            let cause = Cause::Refund(number);
            move_balance(connection, decision.account.0, kind, -amount, cause, at_ms).map(|_| ())
        }
        Source::Payment { payment, parts } => {
            move_payment(connection, payment.0, amount, at_ms)?;
            take_parts(connection, number, parts, at_ms)?;
            if is_external {
                reopen(connection, number, 1, at_ms)
            } else {
                sending::send(connection, number, payment.0, amount, at_ms)
            }
        }
    }
}

/// An electronic refund is Processed: the invoices of its payment are open again.
pub(super) fn post(connection: &Connection, moved: Moved, at_ms: i64) -> rusqlite::Result<()> {
    match moved.payment {
        None => Ok(()),
        Some(_) => reopen(connection, moved.number, 1, at_ms),
    }
}

/// An electronic refund ended in Error: its source has the money again.
pub(super) fn release(connection: &Connection, moved: Moved, at_ms: i64) -> rusqlite::Result<()> {
    let Moved { number, account, amount, payment } = moved;
    match payment {
        None => {
            let cause = Cause::Refund(number);
            move_balance(connection, account, "release", amount, cause, at_ms).map(|_| ())
        }
        Some(payment) => {
            sending::release(connection, number, at_ms)?;
            give_back(connection, number, payment, amount, at_ms)
        }
    }
}

/// A Processed refund of a payment is taken back: the payment has the money again, and pays its
/// invoices again.
pub(super) fn cancel(
    connection: &Connection,
    number: i64,
    payment: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let amount = "select amount from refund where number = ?1";
    let amount: i64 = connection.prepare_cached(amount)?.query_row([number], |row| row.get(0))?;
    reopen(connection, number, -1, at_ms)?;
    give_back(connection, number, payment, amount, at_ms)
}

/// A Processed refund was rejected by its gateway after all: its source has the money again.
pub(super) fn compensate(
    connection: &Connection,
    moved: Moved,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let Moved { number, account, amount, payment } = moved;
    match payment {
        None => {
            let cause = Cause::Refund(number);
            move_balance(connection, account, "compensation", amount, cause, at_ms).map(|_| ())
        }
        Some(payment) => {
            sending::release(connection, number, at_ms)?;
            cancel(connection, number, payment, at_ms)
        }
    }
}

/// Moves a credit balance and adds the entry behind it; gives the entry's key. That the balance
/// stays above zero is the schema's to guard: a decision that overdraws is an error of this
/// program.
///
/// The update does not return the balance, because SQLite puts what an update returns into a table
/// made for it, which takes longer than reading the balance again.
pub(super) fn move_balance(
    connection: &Connection,
    account: i64,
    kind: &str,
    delta: i64,
    cause: Cause,
    at_ms: i64,
) -> rusqlite::Result<i64> {
    let update = "update account set balance = balance + ?2 \
                  where key = ?1 and balance + ?2 >= 0";
    let moved = connection.prepare_cached(update)?.execute(params![account, delta])?;
    if moved != 1 {
        return Err(rusqlite::Error::StatementChangedRows(moved));
    }
    let insert = "insert into entry (account, kind, delta, balance, refund, adjustment, at_ms) \
                  values (?1, ?2, ?3, (select balance from account where key = ?1), ?4, ?5, ?6)";
    let (refund, adjustment) = match cause {
        Cause::Refund(number) => (Some(number), None),
        Cause::Adjustment(key) => (None, Some(key)),
    };
    let values = params![account, kind, delta, refund, adjustment, at_ms];
    connection.prepare_cached(insert)?.insert(values)
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

/// Grows or shrinks what refunds took of a payment. The guard repeats the rule.
fn move_payment(
    connection: &Connection,
    payment: i64,
    delta: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let update = "update payment set refunded = refunded + ?2, updated_ms = ?3 \
                  where key = ?1 and refunded + to_credit_balance + ?2 <= amount returning key";
    let mut statement = connection.prepare_cached(update)?;
    statement.query_row(params![payment, delta, at_ms], |_| Ok(()))
}

fn take_parts(
    connection: &Connection,
    number: i64,
    parts: &[TakenPart],
    at_ms: i64,
) -> rusqlite::Result<()> {
    let take =
        "update invoice_payment set refunded = refunded + ?2, updated_ms = ?3 where key = ?1";
    let insert = "insert into refund_invoice_payment \
                  (refund, invoice_payment, amount, created_ms, updated_ms) \
                  values (?1, ?2, ?3, ?4, ?4)";
    for part in parts {
        let (key, amount) = (part.part.0, part.amount.units());
        connection.prepare_cached(take)?.execute(params![key, amount, at_ms])?;
        connection.prepare_cached(insert)?.execute(params![number, key, amount, at_ms])?;
    }
    Ok(())
}

/// Opens the invoices of a refund by what it took of their parts (`sign` 1), or closes them (-1).
fn reopen(connection: &Connection, number: i64, sign: i64, at_ms: i64) -> rusqlite::Result<()> {
    let update = "update invoice set balance = balance + ?2 * part.amount, updated_ms = ?3 from ( \
             select invoice_payment.invoice, taken.amount from refund_invoice_payment as taken \
             join invoice_payment on invoice_payment.key = taken.invoice_payment \
             where taken.refund = ?1) as part \
         where part.invoice = invoice.key";
    connection.prepare_cached(update)?.execute(params![number, sign, at_ms])?;
    Ok(())
}

/// Gives a payment and its parts back what a refund took.
fn give_back(
    connection: &Connection,
    number: i64,
    payment: i64,
    amount: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    move_payment(connection, payment, -amount, at_ms)?;
    let update = "update invoice_payment set refunded = refunded - taken.amount, updated_ms = ?2 \
         from refund_invoice_payment as taken \
         where taken.refund = ?1 and taken.invoice_payment = invoice_payment.key";
    connection.prepare_cached(update)?.execute(params![number, at_ms])?;
    Ok(())
}
