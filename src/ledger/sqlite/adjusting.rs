//! Adjusting credit balances inside the open transaction: look up the source, let the domain
//! decide, move balance and source together, and cancel by an entry of the opposite sign.

use super::billing_rows::{self, Named};
use super::custom::{self, Owner};
use super::movement::{Cause, move_balance, move_invoice};
use super::store::Store;
use super::{ahead, rows};
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::facts::{AdjustmentSource, AskedAdjustment};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::rules::{
    AdjustmentDecision, AdjustmentFacts, Asking, FoundSource, decide_adjustment,
};
use crate::domain::vocabulary::{AdjustmentStatus, AdjustmentType};
use crate::ledger::{RowResult, UserKey};
use rusqlite::{Connection, named_params, params};

/// Makes one adjustment, or finds why not.
pub(super) fn create_one(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &AdjustmentDraft,
) -> rusqlite::Result<RowResult> {
    let connection = store.connection();
    let by_id = draft.source_id.given().map(Named::Id);
    let by_number = draft.source_number.given().map(|number| Named::Number(number));
    let look =
        |named: Option<Named<'_>>| named.map(|named| source(store, asking, named)).transpose();
    let account = draft.account_id.look_up(|id| rows::account(connection, id, false))?;
    let account = account.map(|account| account.key);
    let facts = AdjustmentFacts {
        tenant: store.tenant(),
        by_id: look(by_id)?.flatten(),
        by_number: look(by_number)?.flatten(),
        account,
    };
    let decision = match decide_adjustment(draft, &facts, asking) {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    write(store, user, &decision, asking.now.timestamp_millis()).map(Ok)
}

/// Writes an adjustment that was decided on, and moves its money.
pub(super) fn write(
    store: &Store,
    user: UserKey,
    decision: &AdjustmentDecision,
    at_ms: i64,
) -> rusqlite::Result<ObjectId> {
    let connection = store.connection();
    let key = insert(connection, user, decision, at_ms)?;
    custom::keep(connection, Owner::Adjustment(key), &decision.custom)?;
    let amount = decision.amount.units();
    let (kind, delta) = match decision.adjustment_type {
        AdjustmentType::Increase => ("increase", amount),
        AdjustmentType::Decrease => ("decrease", -amount),
    };
    move_source(connection, decision.source, delta, at_ms)?;
    let cause = Cause::Adjustment(key);
    let entry = move_balance(connection, decision.account.0, kind, delta, cause, at_ms)?;
    Ok(store.row_id(IdKind::CreditBalanceAdjustment, at_ms, entry)?.into())
}

/// What a source is: an invoice or a payment.
fn source(
    store: &Store,
    asking: &Asking,
    named: Named<'_>,
) -> rusqlite::Result<Option<FoundSource>> {
    if let Some(mut invoice) = billing_rows::invoice(store.connection(), named)? {
        ahead::look(store, asking, &mut invoice.account)?;
        return Ok(Some(FoundSource::Invoice(Box::new(invoice))));
    }
    let payment = billing_rows::payment(store.connection(), named)?;
    Ok(payment.map(|payment| FoundSource::Payment(Box::new(payment))))
}

/// The other side of a credit balance that moves by `delta`: what a negative invoice no longer
/// owes, what an invoice is paid, or what an overpayment became.
fn move_source(
    connection: &Connection,
    source: AdjustmentSource,
    delta: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let payment = match source {
        AdjustmentSource::Invoice(invoice) => {
            return move_invoice(connection, invoice, MinorUnits::new(delta), at_ms);
        }
        AdjustmentSource::Payment(payment) => payment,
    };
    let update = "update payment set to_credit_balance = to_credit_balance + ?2, updated_ms = ?3 \
                  where key = ?1 and refunded + to_credit_balance + ?2 <= amount returning key";
    let mut statement = connection.prepare_cached(update)?;
    statement.query_row(params![payment.0, delta, at_ms], |_| Ok(()))
}

/// Takes an adjustment back: the balance moves the other way, and so does its source.
pub(super) fn cancel(
    connection: &Connection,
    adjustment: &AskedAdjustment,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let amount = adjustment.amount.units();
    let delta = match adjustment.adjustment_type {
        AdjustmentType::Increase => -amount,
        AdjustmentType::Decrease => amount,
    };
    move_source(connection, adjustment.source, delta, at_ms)?;
    let cause = Cause::Adjustment(adjustment.key.0);
    move_balance(connection, adjustment.account.key.0, "cancellation", delta, cause, at_ms)?;
    let update = "update adjustment set status = ?2, cancelled_ms = ?3 where key = ?1";
    let status = AdjustmentStatus::Canceled.name();
    connection.prepare_cached(update)?.execute(params![adjustment.key.0, status, at_ms])?;
    Ok(())
}

fn insert(
    connection: &Connection,
    user: UserKey,
    decision: &AdjustmentDecision,
    at_ms: i64,
) -> rusqlite::Result<i64> {
    let insert = "insert into adjustment (account, type, amount, invoice, payment, status, \
         adjustment_date, accounting_code, comment, reason_code, reference_id, created_by, \
         created_ms, updated_ms) values (:account, :type, :amount, :invoice, :payment, :status, \
         :adjustment_date, :accounting_code, :comment, :reason_code, :reference_id, :created_by, \
         :at_ms, :at_ms)";
    let (invoice, payment) = match decision.source {
        AdjustmentSource::Invoice(invoice) => (Some(invoice.0), None),
        AdjustmentSource::Payment(payment) => (None, Some(payment.0)),
    };
    connection.prepare_cached(insert)?.insert(named_params! {
        ":account": decision.account.0,
        ":type": decision.adjustment_type.name(),
        ":amount": decision.amount.units(),
        ":invoice": invoice,
        ":payment": payment,
        ":status": AdjustmentStatus::Processed.name(),
        ":adjustment_date": decision.adjustment_date.to_string(),
        ":accounting_code": decision.accounting_code,
        ":comment": decision.comment,
        ":reason_code": decision.reason_code,
        ":reference_id": decision.reference_id,
        ":created_by": user.0,
        ":at_ms": at_ms,
    })
}
