//! Changing, cancelling, deleting and reconciling refunds by the v1 operations.

use super::changing_refunds::remove;
use super::reconciling::{Terms, reconcile_one};
use super::refund_details::{self, unwritable};
use super::settlement_facts::refund;
use super::{custom, events, movement};
use crate::domain::access::{Object, Operation};
use crate::domain::calendar::Moment;
use crate::domain::draft::Field as Sent;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::draft::settlement_refunds::{RefundSettlementDraft, RefundUpdateDraft};
use crate::domain::event::EventKind;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::rules::{
    Asking, SettlementUpdate, decide_settlement_deletion, decide_settlement_update,
};
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::reconciliation::{Reconciliation, RefundName, When};
use crate::ledger::records::{Refund, RefundDetail};
use crate::ledger::unit::Unit;
use crate::ledger::{RowResult, UserKey};

/// Changes or cancels a refund, or finds why not.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &RefundUpdateDraft,
) -> Result<ChangeResult, BooksError> {
    let found = refund(unit, &draft.refund)?;
    let existing = found.as_ref().map(|(_, existing)| existing);
    let tenant = &unit.world.tenant;
    let update = match decide_settlement_update(draft, existing, tenant, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let Some((row, _)) = found else { return Err(BooksError::Missing("refund_row")) };
    let (number, at) = (row.number, asking.now);
    if update.cancels {
        movement::cancel(unit, &row, at)?;
    }
    keep_notes(unit, &row, &update)?;
    let custom = custom::merged(row.custom.as_deref(), &update.custom)?;
    let SettlementUpdate { cancels, comment, reason_code, reference_id, transferred, .. } = update;
    unit.change::<Refund>(&(number,), |row| {
        if cancels {
            row.status = RefundStatus::Canceled;
            row.cancelled_ms = Some(at);
        }
        if let Some(comment) = comment {
            row.comment = comment;
        }
        if let Some(reason_code) = reason_code {
            row.reason_code = reason_code;
        }
        if let Some(reference_id) = reference_id {
            row.reference_id = reference_id;
        }
        if let Some(transferred) = transferred {
            row.transferred_to_accounting = transferred.map(|value| value.name().to_owned());
        }
        (row.updated_ms, row.updated_by, row.custom) = (Some(at), Some(user), custom);
    })?;
    if cancels {
        events::keep(unit, number, EventKind::Canceled, at)?;
    }
    Ok(Ok(row.id().into()))
}

fn keep_notes(
    unit: &mut Unit<'_>,
    row: &Refund,
    update: &SettlementUpdate,
) -> Result<(), BooksError> {
    if update.notes.is_empty() {
        return Ok(());
    }
    let detail = refund_details::ensure(unit, row)?;
    let mut notes = refund_details::notes(&detail.notes)?;
    for (name, value) in &update.notes {
        match value {
            Some(value) => notes.insert((*name).to_owned(), value.clone()),
            None => notes.remove(*name),
        };
    }
    let notes = serde_json::to_string(&notes).map_err(unwritable)?;
    unit.change::<RefundDetail>(&(row.number,), |detail| detail.notes = notes)
}

/// Deletes a refund that is Canceled, or finds why not.
pub(super) fn delete(
    unit: &mut Unit<'_>,
    asking: &Asking,
    id: &ObjectId,
) -> Result<ChangeResult, BooksError> {
    let found = refund(unit, &ObjectKey::Id(id.clone()))?;
    let existing = found.as_ref().map(|(_, existing)| existing);
    if let Err(error) = decide_settlement_deletion(id.as_str(), existing, asking) {
        return Ok(Err(error));
    }
    if let Some((row, _)) = found {
        events::keep(unit, row.number, EventKind::Deleted, asking.now)?;
        remove(unit, &row)?;
    }
    Ok(Ok(id.clone().into()))
}

/// Notes what a gateway's settlement says of a refund, or finds why not.
pub(super) fn reconcile(
    unit: &mut Unit<'_>,
    asking: &Asking,
    draft: &RefundSettlementDraft,
    audit: i64,
) -> Result<RowResult, BooksError> {
    let Some((row, existing)) = refund(unit, &draft.refund)? else {
        return Ok(Err(RowError::no_such(draft.refund.as_str())));
    };
    let checked = || {
        let object = Object::Refund(existing.source_type, existing.refund_type);
        asking.check(Operation::Update, object)?;
        let action = draft.action.checked()?.ok_or_else(|| RowError::missing("action"))?;
        let at = draft.action_date.checked()?;
        let texts: [&Sent<String>; 3] = [&draft.status, &draft.reason, &draft.payout_id];
        for text in texts {
            text.checked()?;
        }
        Ok((*action, at))
    };
    let (settlement, at) = match checked() {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error)),
    };
    let zone = unit.world.tenant.time_zone;
    let at = match at {
        None => When::Moment(asking.now),
        Some(Moment::Local(local)) if local.time() == chrono::NaiveTime::MIN => {
            When::Day(local.date())
        }
        Some(moment) => When::Moment(moment.utc(zone)),
    };
    let reason = draft.reason.given().cloned();
    let refund = RefundName::Id(row.id());
    let event = Reconciliation { refund, settlement, at, reason, event_id: None };
    let terms = Terms { rejected: draft.rejected, at: asking.now, audit };
    if let Err(error) = reconcile_one(unit, &event, &terms)? {
        return Ok(Err(RowError::not_reconciled(&error.to_string())));
    }
    refund_details::ensure(unit, &row)?;
    unit.change::<RefundDetail>(&(row.number,), |detail| {
        detail.reconciliation_status = draft.status.given().cloned();
        detail.reconciliation_reason = draft.reason.given().cloned();
        detail.payout_id = draft.payout_id.given().cloned();
    })?;
    Ok(Ok(row.id().into()))
}
