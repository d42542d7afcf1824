//! Updates and deletions of refunds: look up what is there, let the domain decide, write, and move
//! the money back where a refund is taken back.

use super::{custom, events, facts, movement};
use crate::domain::draft::change::RefundChange;
use crate::domain::event::EventKind;
use crate::domain::facts::ExistingRefund;
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, decide_refund_deletion, decide_refund_update};
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::record::Field;
use crate::ledger::records::{
    Balance, REFUND_LINE_BY_REFUND, Refund, RefundDetail, RefundLine, TAKEN_BY_REFUND, TakenPart,
};
use crate::ledger::unit::Unit;

/// Changes a refund, or finds why not.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    change: &RefundChange,
) -> Result<ChangeResult, BooksError> {
    let id = change.common.id.given();
    let found = change.common.id.look_up(|id| facts::refund(unit, id))?;
    let tenant = &unit.world.tenant;
    let decision = match decide_refund_update(change, found.as_ref(), tenant, asking) {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    let (Some(id), Some(ExistingRefund { number, .. })) = (id, found) else {
        return Ok(Err(RowError::missing("Id")));
    };
    let row: Refund = unit.existing(&(number,))?;
    let at = asking.now;
    if decision.cancels {
        movement::cancel(unit, &row, at)?;
    }
    let custom = custom::merged(row.custom.as_deref(), &decision.custom)?;
    let (sets_reason, reason) = decision.reason_code.map(ToOwned::to_owned).into_parts();
    let (sets_transferred, transferred) =
        decision.transferred_to_accounting.map(|value| value.name().to_owned()).into_parts();
    unit.change::<Refund>(&(number,), |row| {
        if sets_reason {
            row.reason_code = reason;
        }
        if sets_transferred {
            row.transferred_to_accounting = transferred;
        }
        if decision.cancels {
            row.status = RefundStatus::Canceled;
            row.cancelled_ms = Some(at);
        }
        (row.updated_ms, row.updated_by, row.custom) = (Some(at), Some(user), custom);
    })?;
    if decision.cancels {
        events::keep(unit, number, EventKind::Canceled, at)?;
    }
    Ok(Ok(id.clone().into()))
}

/// Deletes a refund, or finds why not.
pub(super) fn delete(
    unit: &mut Unit<'_>,
    asking: &Asking,
    id: &ObjectId,
) -> Result<ChangeResult, BooksError> {
    let found = facts::refund(unit, id)?;
    if let Err(error) = decide_refund_deletion(id, found.as_ref(), asking) {
        return Ok(Err(error));
    }
    if let Some(refund @ ExistingRefund { number, .. }) = found {
        events::keep(unit, number, EventKind::Deleted, asking.now)?;
        let row: Refund = unit.existing(&(number,))?;
        if refund.status == RefundStatus::Processed && !refund.is_compensated {
            movement::cancel(unit, &row, asking.now)?;
        }
        remove(unit, &row)?;
    }
    Ok(Ok(id.clone().into()))
}

/// Takes the row away, but not its number: nothing is ever called by it again. What led to it leads
/// to the account's refund before it.
pub(super) fn remove(unit: &mut Unit<'_>, refund: &Refund) -> Result<(), BooksError> {
    unit.never_give_again(refund.number)?;
    let newest = unit.balance(refund.account)?.newest_refund;
    if newest == Some(refund.number) {
        unit.change::<Balance>(&(refund.account,), |row| row.newest_refund = refund.previous)?;
    } else {
        let next = next_of_account(unit, newest, refund.number)?;
        unit.change::<Refund>(&(next,), |row| row.previous = refund.previous)?;
    }
    for taken in unit.all::<TakenPart>(&TAKEN_BY_REFUND, &[refund.number.stored()])? {
        unit.remove::<TakenPart>(&(taken.key,))?;
    }
    for taken in unit.all::<RefundLine>(&REFUND_LINE_BY_REFUND, &[refund.number.stored()])? {
        unit.remove::<RefundLine>(&(taken.key,))?;
    }
    unit.remove::<RefundDetail>(&(refund.number,))?;
    unit.remove::<Refund>(&(refund.number,))
}

/// The account's refund that follows the one of this number, among those that `newest` leads to.
fn next_of_account(
    unit: &mut Unit<'_>,
    newest: Option<RefundNumber>,
    number: RefundNumber,
) -> Result<RefundNumber, BooksError> {
    let missing = || BooksError::Missing("refund_row");
    let mut next = newest.ok_or_else(missing)?;
    loop {
        let row: Refund = unit.peek(&(next,))?.ok_or_else(missing)?;
        match row.previous {
            Some(previous) if previous == number => return Ok(next),
            Some(previous) => next = previous,
            None => return Err(missing()),
        }
    }
}
