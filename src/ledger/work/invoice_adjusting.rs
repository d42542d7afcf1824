//! Adjusting invoices and their lines: look up the invoice and the line, let the domain decide, and
//! write the adjustment and the invoice's balance together.
//!
//! What must stay true: a balance moves by what its live adjustments say and by nothing else here;
//! a number that was given to an adjustment that is gone is not generated again.

use super::custom;
use super::facts::{self, Named};
use super::movement::move_invoice;
use super::numbering::{self, Numbered};
use crate::domain::draft::invoice_adjustment::{
    InvoiceAdjustmentChange, InvoiceAdjustmentDraft, ItemAdjustmentChange, ItemAdjustmentDraft,
};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::invoicing::{
    ExistingInvoiceAdjustment, InvoiceAdjustmentKey, InvoiceLine, impact,
};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::rules::{
    Asking, InvoiceAdjustmentDecision, InvoiceAdjustmentFacts, ItemFacts,
    decide_invoice_adjustment, decide_invoice_adjustment_deletion,
    decide_invoice_adjustment_update, decide_item_adjustment,
};
use crate::domain::vocabulary::{
    AdjustmentStatus, CustomizedObject, InvoiceAdjustmentType, LineKind,
};
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::record::{ByName, DayText, Field};
use crate::ledger::records::{
    INVOICE_ADJUSTMENT_BY_ID, INVOICE_ADJUSTMENT_BY_LINE, INVOICE_ADJUSTMENT_BY_NUMBER,
    InvoiceAdjustment, LINE_BY_ID, Line,
};
use crate::ledger::unit::Unit;
use crate::ledger::{RowResult, Saved, UserKey};
use chrono::{DateTime, Utc};

/// Which of the two objects an adjustment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adjusted {
    /// An InvoiceAdjustment.
    Invoice,
    /// An InvoiceItemAdjustment.
    Line,
}

impl Adjusted {
    const fn object(self) -> CustomizedObject {
        match self {
            Self::Invoice => CustomizedObject::InvoiceAdjustment,
            Self::Line => CustomizedObject::InvoiceItemAdjustment,
        }
    }

    const fn kind(self) -> IdKind {
        match self {
            Self::Invoice => IdKind::InvoiceAdjustment,
            Self::Line => IdKind::InvoiceItemAdjustment,
        }
    }

    const fn numbered(self) -> Numbered {
        match self {
            Self::Invoice => Numbered::InvoiceAdjustment,
            Self::Line => Numbered::ItemAdjustment,
        }
    }
}

/// Makes an adjustment of a whole invoice, or finds why not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &InvoiceAdjustmentDraft,
) -> Result<RowResult, BooksError> {
    let facts = named(unit, draft)?;
    match decide_invoice_adjustment(draft, &facts, asking) {
        Ok(decision) => write(unit, user, Adjusted::Invoice, &decision, asking.now).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// Makes an adjustment of a line, or finds why not.
pub(super) fn create_of_line(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &ItemAdjustmentDraft,
) -> Result<RowResult, BooksError> {
    let facts = named(unit, &draft.whole)?;
    let line = draft.source_id.look_up(|id| line(unit, id))?;
    let is_number_taken = match draft.number.given() {
        Some(number) => {
            unit.any::<InvoiceAdjustment>(&INVOICE_ADJUSTMENT_BY_NUMBER, &[number.stored()])?
        }
        None => false,
    };
    match decide_item_adjustment(draft, &facts, &ItemFacts { line, is_number_taken }, asking) {
        Ok(decision) => write(unit, user, Adjusted::Line, &decision, asking.now).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

fn named<'w>(
    unit: &mut Unit<'w>,
    draft: &InvoiceAdjustmentDraft,
) -> Result<InvoiceAdjustmentFacts<'w>, BooksError> {
    let by_id = draft.invoice_id.look_up(|id| facts::invoice(unit, Named::Id(id)))?;
    let by_number =
        draft.invoice_number.look_up(|number| facts::invoice(unit, Named::Number(number)))?;
    Ok(InvoiceAdjustmentFacts { tenant: &unit.world.tenant, by_id, by_number })
}

/// The line of this id, with what live credits took off it.
fn line(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<InvoiceLine>, BooksError> {
    let found: Option<Line> = unit.find(&LINE_BY_ID, &[id.stored()])?;
    let Some(row) = found else { return Ok(None) };
    let mut all: Vec<InvoiceAdjustment> =
        unit.all(&INVOICE_ADJUSTMENT_BY_LINE, &[row.key.stored()])?;
    all.retain(|one| {
        one.adjustment_type.0 == InvoiceAdjustmentType::Credit
            && one.status.0 == AdjustmentStatus::Processed
    });
    let credited = all.iter().fold(0_i64, |sum, credit| sum.saturating_add(credit.amount.units()));
    Ok(Some(InvoiceLine {
        key: row.key,
        invoice: row.invoice,
        kind: if row.item.is_none() { LineKind::InvoiceDetail } else { LineKind::Tax },
        amount: row.amount,
        credited: MinorUnits::new(credited),
    }))
}

fn write(
    unit: &mut Unit<'_>,
    user: UserKey,
    adjusted: Adjusted,
    decision: &InvoiceAdjustmentDecision<'_>,
    at: DateTime<Utc>,
) -> Result<Saved, BooksError> {
    let key = numbering::next_key::<InvoiceAdjustment>(unit, "invoice_adjustment")?;
    let id = ObjectId::from(unit.row_id(adjusted.kind(), at, key)?);
    let number = match decision.number {
        Some(number) => number.to_owned(),
        None => adjusted.numbered().next::<InvoiceAdjustment>(unit)?,
    };
    unit.insert(InvoiceAdjustment {
        key: InvoiceAdjustmentKey(key),
        id: id.clone(),
        number: number.clone(),
        invoice: decision.invoice,
        line: decision.line,
        adjustment_type: ByName(decision.adjustment_type),
        amount: decision.amount,
        status: ByName(AdjustmentStatus::Processed),
        adjustment_date: DayText(decision.adjustment_date),
        accounting_code: decision.accounting_code.map(str::to_owned),
        comment: decision.comment.map(str::to_owned),
        reason_code: decision.reason_code.clone(),
        reference_id: decision.reference_id.map(str::to_owned),
        transferred_to_accounting: None,
        created_by: user,
        created_ms: at,
        updated_by: user,
        updated_ms: at,
        cancelled_by: None,
        cancelled_ms: None,
        custom: custom::merged(None, &decision.custom)?,
    })?;
    let moved = impact(decision.adjustment_type, decision.amount);
    move_invoice(unit, decision.invoice, moved, at)?;
    Ok(Saved::numbered(id, number))
}

/// Changes an adjustment of a whole invoice, or finds why not.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    change: &InvoiceAdjustmentChange,
) -> Result<ChangeResult, BooksError> {
    change_one(unit, user, asking, change, Adjusted::Invoice)
}

/// Changes an adjustment of a line, or finds why not.
pub(super) fn update_of_line(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    change: &ItemAdjustmentChange,
) -> Result<ChangeResult, BooksError> {
    change_one(unit, user, asking, &change.0, Adjusted::Line)
}

fn change_one(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    change: &InvoiceAdjustmentChange,
    adjusted: Adjusted,
) -> Result<ChangeResult, BooksError> {
    let id = change.common.id.given();
    let found = change.common.id.look_up(|id| existing(unit, adjusted, id))?;
    let (object, found, tenant) = (adjusted.object(), found.as_ref(), &unit.world.tenant);
    let update = match decide_invoice_adjustment_update(change, object, found, tenant, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let Some(id) = id else {
        return Ok(Err(RowError::missing("Id")));
    };
    let at = asking.now;
    if update.cancels {
        give_back(unit, update.adjustment, at)?;
    }
    let key = (update.adjustment.key,);
    let row: InvoiceAdjustment = unit.existing(&key)?;
    let custom = custom::merged(row.custom.as_deref(), &update.custom)?;
    let (sets_reason, reason) = update.reason_code.map(ToOwned::to_owned).into_parts();
    let (sets_transferred, transferred) =
        update.transferred_to_accounting.map(|value| value.name().to_owned()).into_parts();
    unit.change::<InvoiceAdjustment>(&key, |row| {
        if sets_reason {
            row.reason_code = reason;
        }
        if sets_transferred {
            row.transferred_to_accounting = transferred;
        }
        if update.cancels {
            row.status = ByName(AdjustmentStatus::Canceled);
            (row.cancelled_ms, row.cancelled_by) = (Some(at), Some(user));
        }
        (row.updated_ms, row.updated_by, row.custom) = (at, user, custom);
    })?;
    Ok(Ok(id.clone().into()))
}

/// Deletes an adjustment, or finds why not. What a live one moved goes back.
pub(super) fn delete(
    unit: &mut Unit<'_>,
    asking: &Asking,
    adjusted: Adjusted,
    id: &ObjectId,
) -> Result<ChangeResult, BooksError> {
    let found = existing(unit, adjusted, id)?;
    let (object, tenant) = (adjusted.object(), &unit.world.tenant);
    let decision = decide_invoice_adjustment_deletion(id, object, found.as_ref(), tenant, asking);
    let adjustment = match decision {
        Ok(adjustment) => adjustment,
        Err(error) => return Ok(Err(error)),
    };
    if adjustment.is_live() {
        give_back(unit, adjustment, asking.now)?;
    }
    unit.remove::<InvoiceAdjustment>(&(adjustment.key,))?;
    Ok(Ok(id.clone().into()))
}

/// Moves an invoice's balance back by what an adjustment moved it.
fn give_back(
    unit: &mut Unit<'_>,
    adjustment: &ExistingInvoiceAdjustment,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let moved = impact(adjustment.adjustment_type, adjustment.amount);
    let back = MinorUnits::new(moved.units().saturating_neg());
    move_invoice(unit, adjustment.invoice.key, back, at)
}

/// The adjustment of this object that has the id.
fn existing(
    unit: &mut Unit<'_>,
    adjusted: Adjusted,
    id: &ObjectId,
) -> Result<Option<ExistingInvoiceAdjustment>, BooksError> {
    let found: Option<InvoiceAdjustment> = unit.find(&INVOICE_ADJUSTMENT_BY_ID, &[id.stored()])?;
    let is_whole = adjusted == Adjusted::Invoice;
    let Some(row) = found.filter(|row| row.line.is_none() == is_whole) else { return Ok(None) };
    Ok(Some(ExistingInvoiceAdjustment {
        key: row.key,
        invoice: facts::invoice_by_key(unit, row.invoice)?,
        adjustment_type: row.adjustment_type.0,
        amount: row.amount,
        status: row.status.0,
    }))
}
