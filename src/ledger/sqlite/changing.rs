//! Updates and deletions inside the open transaction: look up what is there, let the domain
//! decide, write, and move the money back where a refund or an adjustment is taken back.

use super::custom::{self, Owner};
use super::invoice_adjusting::{self, Adjusted};
use super::store::Store;
use super::{accounts, adjusting, ahead, billing_rows, methods, movement, outbox, payments};
use crate::domain::draft::change::{AdjustmentChange, RefundChange};
use crate::domain::event::EventKind;
use crate::domain::facts::{ExistingAdjustment, ExistingRefund, PaymentKey};
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::rules::{
    Asking, decide_adjustment_update, decide_refund_deletion, decide_refund_update,
};
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::UserKey;
use crate::ledger::change::{ChangeResult, Changes, Deletable, Delete, Update};
use rusqlite::{Connection, named_params};

/// Makes each change, or finds why not.
pub(super) fn update(store: &Store, request: &Update) -> rusqlite::Result<Vec<ChangeResult>> {
    let Update { user, asking, changes, .. } = request;
    match changes {
        Changes::Accounts(changes) => {
            changes.iter().map(|change| accounts::update(store, *user, asking, change)).collect()
        }
        Changes::PaymentMethods(changes) => {
            changes.iter().map(|change| methods::update(store, *user, asking, change)).collect()
        }
        Changes::InvoiceAdjustments(changes) => changes
            .iter()
            .map(|change| invoice_adjusting::update(store, *user, asking, change))
            .collect(),
        Changes::InvoiceItemAdjustments(changes) => changes
            .iter()
            .map(|change| invoice_adjusting::update_of_line(store, *user, asking, change))
            .collect(),
        Changes::Payments(changes) => {
            changes.iter().map(|change| payments::update(store, *user, asking, change)).collect()
        }
        Changes::Refunds(changes) => {
            changes.iter().map(|change| refund(store, *user, asking, change)).collect()
        }
        Changes::Adjustments(changes) => {
            changes.iter().map(|change| adjustment(store, *user, asking, change)).collect()
        }
    }
}

/// Deletes each object, or finds why not.
pub(super) fn delete(store: &Store, request: &Delete) -> rusqlite::Result<Vec<ChangeResult>> {
    let delete = |id: &ChangeResult| match (id, request.object) {
        (Ok(id), Deletable::Account) => accounts::delete(store, &request.asking, id),
        (Ok(id), Deletable::InvoiceAdjustment) => {
            invoice_adjusting::delete(store, &request.asking, Adjusted::Invoice, id)
        }
        (Ok(id), Deletable::InvoiceItemAdjustment) => {
            invoice_adjusting::delete(store, &request.asking, Adjusted::Line, id)
        }
        (Ok(id), Deletable::PaymentMethod) => methods::delete(store, &request.asking, id),
        (Ok(id), Deletable::Refund) => delete_refund(store, &request.asking, id),
        (Err(error), _) => Ok(Err(error.clone())),
    };
    request.ids.iter().map(delete).collect()
}

fn refund(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    change: &RefundChange,
) -> rusqlite::Result<ChangeResult> {
    let connection = store.connection();
    let id = change.common.id.given();
    let found = change.common.id.look_up(|id| billing_rows::refund(connection, id))?;
    let decision = match decide_refund_update(change, found.as_ref(), store.tenant(), asking) {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    let (Some(id), Some(refund)) = (id, found) else {
        return Ok(Err(RowError::missing("Id")));
    };
    let at_ms = asking.now.timestamp_millis();
    if let (true, Some(PaymentKey(payment))) = (decision.cancels, refund.payment) {
        movement::cancel(connection, refund.number.value(), payment, at_ms)?;
    }
    let update = "update refund set \
         reason_code = iif(:sets_reason, :reason, reason_code), \
         transferred_to_accounting = iif(:sets_transferred, :transferred, \
             transferred_to_accounting), \
         status = iif(:cancels, :canceled, status), \
         cancelled_ms = iif(:cancels, :at_ms, cancelled_ms), \
         updated_ms = :at_ms, updated_by = :user where number = :number";
    let (sets_reason, reason) = decision.reason_code.into_parts();
    let (sets_transferred, transferred) =
        decision.transferred_to_accounting.map(|value| value.name()).into_parts();
    connection.prepare_cached(update)?.execute(named_params! {
        ":sets_reason": sets_reason,
        ":reason": reason,
        ":sets_transferred": sets_transferred,
        ":transferred": transferred,
        ":cancels": decision.cancels,
        ":canceled": RefundStatus::Canceled.name(),
        ":at_ms": at_ms,
        ":user": user.0,
        ":number": refund.number.value(),
    })?;
    custom::keep(connection, Owner::Refund(refund.number.value()), &decision.custom)?;
    if decision.cancels {
        outbox::keep(store, refund.number, EventKind::Canceled, at_ms)?;
    }
    Ok(Ok(id.clone()))
}

fn delete_refund(store: &Store, asking: &Asking, id: &ObjectId) -> rusqlite::Result<ChangeResult> {
    let connection = store.connection();
    let found = billing_rows::refund(connection, id)?;
    if let Err(error) = decide_refund_deletion(id, found.as_ref(), asking) {
        return Ok(Err(error));
    }
    if let Some(refund @ ExistingRefund { number, payment: Some(payment), .. }) = found {
        let at_ms = asking.now.timestamp_millis();
        outbox::keep(store, number, EventKind::Deleted, at_ms)?;
        if refund.status == RefundStatus::Processed && !refund.is_compensated {
            movement::cancel(connection, number.value(), payment.0, at_ms)?;
        }
        remove(connection, number.value())?;
    }
    Ok(Ok(id.clone()))
}

/// Takes the row away, but not its number: nothing is ever called by it again.
fn remove(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    never_give_again(connection, number)?;
    connection.prepare_cached("delete from refund where number = ?1")?.execute([number])?;
    Ok(())
}

/// Notes that the number of a refund, and those before it, were given.
pub(super) fn never_give_again(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    let note = "insert into meta (key, value) values ('last_deleted_refund', ?1) \
                on conflict (key) do update set value = excluded.value \
                where cast(value as integer) < ?1";
    connection.prepare_cached(note)?.execute([number]).map(|_| ())
}

fn adjustment(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    change: &AdjustmentChange,
) -> rusqlite::Result<ChangeResult> {
    let connection = store.connection();
    let id = change.common.id.given();
    let mut found = change.common.id.look_up(|id| billing_rows::adjustment(store, id))?;
    if let Some(ExistingAdjustment::Asked(asked)) = &mut found {
        ahead::look(store, asking, &mut asked.account)?;
    }
    let decision = match decide_adjustment_update(change, found.as_ref(), store.tenant(), asking) {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    let Some(id) = id else {
        return Ok(Err(RowError::missing("Id")));
    };
    let at_ms = asking.now.timestamp_millis();
    if decision.cancels {
        adjusting::cancel(connection, decision.adjustment, at_ms)?;
    }
    let update = "update adjustment set \
         comment = iif(:sets_comment, :comment, comment), \
         reason_code = iif(:sets_reason, :reason, reason_code), \
         transferred_to_accounting = iif(:sets_transferred, :transferred, \
             transferred_to_accounting), \
         updated_ms = :at_ms, updated_by = :user where key = :key";
    let (sets_comment, comment) = decision.comment.into_parts();
    let (sets_reason, reason) = decision.reason_code.into_parts();
    let (sets_transferred, transferred) =
        decision.transferred_to_accounting.map(|value| value.name()).into_parts();
    connection.prepare_cached(update)?.execute(named_params! {
        ":sets_comment": sets_comment,
        ":comment": comment,
        ":sets_reason": sets_reason,
        ":reason": reason,
        ":sets_transferred": sets_transferred,
        ":transferred": transferred,
        ":at_ms": at_ms,
        ":user": user.0,
        ":key": decision.adjustment.key.0,
    })?;
    custom::keep(connection, Owner::Adjustment(decision.adjustment.key.0), &decision.custom)?;
    Ok(Ok(id.clone()))
}
