//! Adjusting credit balances: look up the source, let the domain decide, move balance and source
//! together, and cancel by an entry of the opposite sign.

use super::facts::{self, Named};
use super::movement::{self, Cause, Move, move_invoice};
use super::{ahead, custom};
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::draft::change::AdjustmentChange;
use crate::domain::entry_kind::EntryKind;
use crate::domain::facts::{AdjustmentKey, AdjustmentSource, AskedAdjustment, ExistingAdjustment};
use crate::domain::id::{IdKind, ObjectId, RowId};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::rules::{
    AdjustmentDecision, AdjustmentFacts, Asking, FoundSource, decide_adjustment,
    decide_adjustment_update,
};
use crate::domain::vocabulary::{AdjustmentStatus, AdjustmentType};
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::record::{ByName, DayText};
use crate::ledger::records::{Adjustment, Entry, Payment};
use crate::ledger::unit::Unit;
use crate::ledger::{RowResult, Saved, UserKey};
use chrono::{DateTime, Utc};

/// Makes one adjustment, or finds why not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &AdjustmentDraft,
) -> Result<RowResult, BooksError> {
    let by_id = match draft.source_id.given() {
        Some(id) => source(unit, asking, Named::Id(id))?,
        None => None,
    };
    let by_number = match draft.source_number.given() {
        Some(number) => source(unit, asking, Named::Number(number))?,
        None => None,
    };
    let account = draft.account_id.look_up(|id| facts::account(unit, id, false))?;
    let account = account.map(|account| account.key);
    let tenant = &unit.world.tenant;
    let facts = AdjustmentFacts { tenant, by_id, by_number, account };
    let decision = match decide_adjustment(draft, &facts, asking) {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    write(unit, user, &decision, asking.now).map(Ok)
}

/// Writes an adjustment that was decided on, and moves its money. Its id is that of its first
/// entry.
pub(super) fn write(
    unit: &mut Unit<'_>,
    user: UserKey,
    decision: &AdjustmentDecision,
    at: DateTime<Utc>,
) -> Result<Saved, BooksError> {
    let key = AdjustmentKey(unit.next_key::<Adjustment>()?);
    unit.insert(row(key, user, decision, at)?)?;
    let (kind, delta) = match decision.adjustment_type {
        AdjustmentType::Increase => (EntryKind::Increase, decision.amount),
        AdjustmentType::Decrease => (EntryKind::Decrease, opposite(decision.amount)),
    };
    move_source(unit, decision.source, delta, at)?;
    let (account, cause) = (decision.account, Cause::Adjustment(key));
    let entry = movement::move_balance(unit, Move { account, kind, delta, cause, at })?;
    let id = unit.row_id(IdKind::CreditBalanceAdjustment, at, entry)?.into();
    // As the query of the object writes it.
    Ok(Saved::numbered(id, format!("CBA-{entry:08}")))
}

/// What a source is: an invoice or a payment.
fn source(
    unit: &mut Unit<'_>,
    asking: &Asking,
    named: Named<'_>,
) -> Result<Option<FoundSource>, BooksError> {
    if let Some(mut invoice) = facts::invoice(unit, named)? {
        ahead::look(unit, asking, &mut invoice.account)?;
        return Ok(Some(FoundSource::Invoice(Box::new(invoice))));
    }
    let payment = facts::payment(unit, named)?;
    Ok(payment.map(|payment| FoundSource::Payment(Box::new(payment))))
}

/// The other side of a credit balance that moves by `delta`: what a negative invoice no longer
/// owes, what an invoice is paid, or what an overpayment became.
fn move_source(
    unit: &mut Unit<'_>,
    source: AdjustmentSource,
    delta: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    match source {
        AdjustmentSource::Invoice(invoice) => move_invoice(unit, invoice, delta, at),
        AdjustmentSource::Payment(payment) => unit.change::<Payment>(&(payment,), |row| {
            let units = row.to_credit_balance.units().saturating_add(delta.units());
            row.to_credit_balance = MinorUnits::new(units);
            row.updated_ms = at;
        }),
    }
}

/// Changes an adjustment of a credit balance, or finds why not.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    change: &AdjustmentChange,
) -> Result<ChangeResult, BooksError> {
    let id = change.common.id.given();
    let mut found = change.common.id.look_up(|id| existing(unit, id))?;
    if let Some(ExistingAdjustment::Asked(asked)) = &mut found {
        ahead::look(unit, asking, &mut asked.account)?;
    }
    let tenant = &unit.world.tenant;
    let decision = match decide_adjustment_update(change, found.as_ref(), tenant, asking) {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    let Some(id) = id else {
        return Ok(Err(RowError::missing("Id")));
    };
    let at = asking.now;
    if decision.cancels {
        cancel(unit, decision.adjustment, at)?;
    }
    let key = decision.adjustment.key;
    let row: Adjustment = unit.existing(&(key,))?;
    let custom = custom::merged(row.custom.as_deref(), &decision.custom)?;
    let (sets_comment, comment) = decision.comment.map(ToOwned::to_owned).into_parts();
    let (sets_reason, reason) = decision.reason_code.map(ToOwned::to_owned).into_parts();
    let (sets_transferred, transferred) =
        decision.transferred_to_accounting.map(|value| value.name().to_owned()).into_parts();
    unit.change::<Adjustment>(&(key,), |row| {
        if sets_comment {
            row.comment = comment;
        }
        if sets_reason {
            row.reason_code = reason;
        }
        if sets_transferred {
            row.transferred_to_accounting = transferred;
        }
        (row.updated_ms, row.updated_by, row.custom) = (at, Some(user), custom);
    })?;
    Ok(Ok(id.clone().into()))
}

/// Takes an adjustment back: the balance moves the other way, and so does its source.
fn cancel(
    unit: &mut Unit<'_>,
    adjustment: &AskedAdjustment,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let delta = match adjustment.adjustment_type {
        AdjustmentType::Increase => opposite(adjustment.amount),
        AdjustmentType::Decrease => adjustment.amount,
    };
    move_source(unit, adjustment.source, delta, at)?;
    let (account, cause) = (adjustment.account.key, Cause::Adjustment(adjustment.key));
    let kind = EntryKind::Cancellation;
    movement::move_balance(unit, Move { account, kind, delta, cause, at })?;
    unit.change::<Adjustment>(&(adjustment.key,), |row| {
        row.status = ByName(AdjustmentStatus::Canceled);
        row.cancelled_ms = Some(at);
    })
}

/// The adjustment of this id, which is that of its first entry.
fn existing(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<ExistingAdjustment>, BooksError> {
    let kind = IdKind::CreditBalanceAdjustment;
    let Some(parsed) = RowId::parse(kind, id.as_str()) else { return Ok(None) };
    let entry = unit.get::<Entry>(&(parsed.key(),))?.cloned();
    let is_first = |entry: &Entry| match entry.kind {
        EntryKind::Refund | EntryKind::Hold | EntryKind::Increase | EntryKind::Decrease => true,
        EntryKind::Release | EntryKind::Compensation | EntryKind::Cancellation => false,
    };
    let Some(entry) = entry.filter(is_first) else { return Ok(None) };
    if unit.row_id(kind, entry.at_ms, entry.key)? != parsed {
        return Ok(None);
    }
    let Some(key) = entry.adjustment else { return Ok(Some(ExistingAdjustment::OfRefund)) };
    let row: Adjustment = unit.existing(&(key,))?;
    let source = match (row.invoice, row.payment) {
        (Some(invoice), _) => AdjustmentSource::Invoice(invoice),
        (None, Some(payment)) => AdjustmentSource::Payment(payment),
        (None, None) => return Err(BooksError::Missing("invoice")),
    };
    Ok(Some(ExistingAdjustment::Asked(AskedAdjustment {
        key,
        account: facts::account_by_key(unit, row.account)?,
        adjustment_type: row.adjustment_type.0,
        amount: row.amount,
        adjustment_date: row.adjustment_date.0,
        status: row.status.0,
        source,
    })))
}

fn row(
    key: AdjustmentKey,
    user: UserKey,
    decision: &AdjustmentDecision,
    at: DateTime<Utc>,
) -> Result<Adjustment, BooksError> {
    let (invoice, payment) = match decision.source {
        AdjustmentSource::Invoice(invoice) => (Some(invoice), None),
        AdjustmentSource::Payment(payment) => (None, Some(payment)),
    };
    Ok(Adjustment {
        key,
        account: decision.account,
        adjustment_type: ByName(decision.adjustment_type),
        amount: decision.amount,
        invoice,
        payment,
        status: ByName(AdjustmentStatus::Processed),
        adjustment_date: DayText(decision.adjustment_date),
        accounting_code: decision.accounting_code.clone(),
        comment: decision.comment.clone(),
        reason_code: decision.reason_code.clone(),
        reference_id: decision.reference_id.clone(),
        transferred_to_accounting: None,
        created_by: user,
        created_ms: at,
        updated_by: None,
        updated_ms: at,
        cancelled_ms: None,
        custom: custom::merged(None, &decision.custom)?,
    })
}

fn opposite(amount: MinorUnits) -> MinorUnits {
    MinorUnits::new(amount.units().saturating_neg())
}
