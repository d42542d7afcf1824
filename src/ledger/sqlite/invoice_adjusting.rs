//! Adjusting invoices and their lines inside the open transaction: look up the invoice and the
//! line, let the domain decide, and write the adjustment and the invoice's balance together.
//!
//! What must stay true: a balance moves by what its live adjustments say and by nothing else here;
//! a number that was given to an adjustment that is gone is not generated again.

use super::billing_rows::{self, Named};
use super::custom::{self, Owner};
use super::rows::known;
use super::store::Store;
use crate::domain::draft::invoice_adjustment::{
    InvoiceAdjustmentChange, InvoiceAdjustmentDraft, ItemAdjustmentChange, ItemAdjustmentDraft,
};
use crate::domain::facts::{Invoice, InvoiceKey};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::invoicing::{
    ExistingInvoiceAdjustment, InvoiceAdjustmentKey, InvoiceLine, LineKey, impact,
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
use crate::ledger::change::ChangeResult;
use crate::ledger::{RowResult, UserKey};
use rusqlite::{Connection, OptionalExtension, named_params, params};

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

    /// The counter of its numbers, and what they begin with (documented).
    const fn numbers(self) -> (&'static str, &'static str) {
        match self {
            Self::Invoice => ("invoice_adjustment", "IA-"),
            Self::Line => ("invoice_item_adjustment", "IILA-"),
        }
    }
}

/// Makes an adjustment of a whole invoice, or finds why not.
pub(super) fn create(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &InvoiceAdjustmentDraft,
) -> rusqlite::Result<RowResult> {
    let facts = facts(store, draft)?;
    match decide_invoice_adjustment(draft, &facts, asking) {
        Ok(decision) => write(store, user, Adjusted::Invoice, &decision, asking).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// Makes an adjustment of a line, or finds why not.
pub(super) fn create_of_line(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &ItemAdjustmentDraft,
) -> rusqlite::Result<RowResult> {
    let facts = facts(store, &draft.whole)?;
    let line = draft.source_id.look_up(|id| line(store.connection(), id))?;
    let number = draft.number.look_up(|number| {
        let taken = "select key from invoice_adjustment where number = ?1";
        let mut statement = store.connection().prepare_cached(taken)?;
        statement.query_row([number], |row| row.get::<_, i64>(0)).optional()
    })?;
    let of_item = ItemFacts { line, is_number_taken: number.is_some() };
    match decide_item_adjustment(draft, &facts, &of_item, asking) {
        Ok(decision) => write(store, user, Adjusted::Line, &decision, asking).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

fn facts<'s>(
    store: &'s Store,
    draft: &InvoiceAdjustmentDraft,
) -> rusqlite::Result<InvoiceAdjustmentFacts<'s>> {
    let connection = store.connection();
    let by_id = draft.invoice_id.look_up(|id| billing_rows::invoice(connection, Named::Id(id)))?;
    let by_number = draft
        .invoice_number
        .look_up(|number| billing_rows::invoice(connection, Named::Number(number)))?;
    Ok(InvoiceAdjustmentFacts { tenant: store.tenant(), by_id, by_number })
}

/// The line of this id, with what live credits took off it.
fn line(connection: &Connection, id: &ObjectId) -> rusqlite::Result<Option<InvoiceLine>> {
    let select = "select key, invoice, item is null, amount, ( \
             select coalesce(sum(amount), 0) from invoice_adjustment \
             where line = invoice_line.key and type = 'Credit' and status = 'Processed') \
         from invoice_line where id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row([id.as_str()], |row| {
        let is_charge: bool = row.get(2)?;
        Ok(InvoiceLine {
            key: LineKey(row.get(0)?),
            invoice: InvoiceKey(row.get(1)?),
            kind: if is_charge { LineKind::InvoiceDetail } else { LineKind::Tax },
            amount: MinorUnits::new(row.get(3)?),
            credited: MinorUnits::new(row.get(4)?),
        })
    });
    found.optional()
}

fn write(
    store: &Store,
    user: UserKey,
    adjusted: Adjusted,
    decision: &InvoiceAdjustmentDecision<'_>,
    asking: &Asking,
) -> rusqlite::Result<ObjectId> {
    let at_ms = asking.now.timestamp_millis();
    let key = store.next_key("invoice_adjustment")?;
    let id = ObjectId::from(store.row_id(adjusted.kind(), at_ms, key)?);
    let number = match decision.number {
        Some(number) => number.to_owned(),
        None => {
            let (counter, prefix) = adjusted.numbers();
            store.next_number("invoice_adjustment", counter, prefix)?
        }
    };
    let insert = "insert into invoice_adjustment (key, id, number, invoice, line, type, amount, \
         status, adjustment_date, accounting_code, comment, reason_code, reference_id, created_by, \
         created_ms, updated_by, updated_ms) values (:key, :id, :number, :invoice, :line, :type, \
         :amount, :status, :adjustment_date, :accounting_code, :comment, :reason_code, \
         :reference_id, :user, :at_ms, :user, :at_ms)";
    let connection = store.connection();
    connection.prepare_cached(insert)?.execute(named_params! {
        ":key": key,
        ":id": id.as_str(),
        ":number": number,
        ":invoice": decision.invoice.0,
        ":line": decision.line.map(|line| line.0),
        ":type": decision.adjustment_type.name(),
        ":amount": decision.amount.units(),
        ":status": AdjustmentStatus::Processed.name(),
        ":adjustment_date": decision.adjustment_date.to_string(),
        ":accounting_code": decision.accounting_code,
        ":comment": decision.comment,
        ":reason_code": decision.reason_code,
        ":reference_id": decision.reference_id,
        ":user": user.0,
        ":at_ms": at_ms,
    })?;
    custom::keep(connection, Owner::InvoiceAdjustment(key), &decision.custom)?;
    let moved = impact(decision.adjustment_type, decision.amount);
    billing_rows::move_invoice(connection, decision.invoice, moved, at_ms)?;
    Ok(id)
}

/// Changes an adjustment of a whole invoice, or finds why not.
pub(super) fn update(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    change: &InvoiceAdjustmentChange,
) -> rusqlite::Result<ChangeResult> {
    change_one(store, user, asking, change, Adjusted::Invoice)
}

/// Changes an adjustment of a line, or finds why not.
pub(super) fn update_of_line(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    change: &ItemAdjustmentChange,
) -> rusqlite::Result<ChangeResult> {
    change_one(store, user, asking, &change.0, Adjusted::Line)
}

fn change_one(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    change: &InvoiceAdjustmentChange,
    adjusted: Adjusted,
) -> rusqlite::Result<ChangeResult> {
    let (connection, tenant) = (store.connection(), store.tenant());
    let id = change.common.id.given();
    let found = change.common.id.look_up(|id| existing(connection, adjusted, id))?;
    let (object, found) = (adjusted.object(), found.as_ref());
    let update = match decide_invoice_adjustment_update(change, object, found, tenant, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let Some(id) = id else {
        return Ok(Err(RowError::missing("Id")));
    };
    let at_ms = asking.now.timestamp_millis();
    if update.cancels {
        give_back(connection, update.adjustment, at_ms)?;
    }
    let sql = "update invoice_adjustment set \
         reason_code = iif(:sets_reason, :reason, reason_code), \
         transferred_to_accounting = iif(:sets_transferred, :transferred, \
             transferred_to_accounting), \
         status = iif(:cancels, :canceled, status), \
         cancelled_ms = iif(:cancels, :at_ms, cancelled_ms), \
         cancelled_by = iif(:cancels, :user, cancelled_by), \
         updated_ms = :at_ms, updated_by = :user where key = :key";
    let (sets_reason, reason) = update.reason_code.into_parts();
    let (sets_transferred, transferred) =
        update.transferred_to_accounting.map(|value| value.name()).into_parts();
    let key = update.adjustment.key.0;
    connection.prepare_cached(sql)?.execute(named_params! {
        ":sets_reason": sets_reason,
        ":reason": reason,
        ":sets_transferred": sets_transferred,
        ":transferred": transferred,
        ":cancels": update.cancels,
        ":canceled": AdjustmentStatus::Canceled.name(),
        ":at_ms": at_ms,
        ":user": user.0,
        ":key": key,
    })?;
    custom::keep(connection, Owner::InvoiceAdjustment(key), &update.custom)?;
    Ok(Ok(id.clone()))
}

/// Deletes an adjustment, or finds why not. What a live one moved goes back.
pub(super) fn delete(
    store: &Store,
    asking: &Asking,
    adjusted: Adjusted,
    id: &ObjectId,
) -> rusqlite::Result<ChangeResult> {
    let connection = store.connection();
    let found = existing(connection, adjusted, id)?;
    let (object, tenant) = (adjusted.object(), store.tenant());
    let decision = decide_invoice_adjustment_deletion(id, object, found.as_ref(), tenant, asking);
    let adjustment = match decision {
        Ok(adjustment) => adjustment,
        Err(error) => return Ok(Err(error)),
    };
    if adjustment.is_live() {
        give_back(connection, adjustment, asking.now.timestamp_millis())?;
    }
    let delete = "delete from invoice_adjustment where key = ?1";
    connection.prepare_cached(delete)?.execute(params![adjustment.key.0])?;
    Ok(Ok(id.clone()))
}

/// Moves an invoice's balance back by what an adjustment moved it.
fn give_back(
    connection: &Connection,
    adjustment: &ExistingInvoiceAdjustment,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let moved = impact(adjustment.adjustment_type, adjustment.amount);
    let back = MinorUnits::new(-moved.units());
    billing_rows::move_invoice(connection, adjustment.invoice.key, back, at_ms)
}

/// The adjustment of this object that has the id.
fn existing(
    connection: &Connection,
    adjusted: Adjusted,
    id: &ObjectId,
) -> rusqlite::Result<Option<ExistingInvoiceAdjustment>> {
    let select = "select key, invoice, type, amount, status from invoice_adjustment \
                  where id = ?1 and (line is null) = ?2";
    let mut statement = connection.prepare_cached(select)?;
    let is_whole = adjusted == Adjusted::Invoice;
    let found = statement.query_row(params![id.as_str(), is_whole], |row| {
        let invoice: Invoice = billing_rows::invoice_by_key(connection, row.get(1)?)?;
        Ok(ExistingInvoiceAdjustment {
            key: InvoiceAdjustmentKey(row.get(0)?),
            invoice,
            adjustment_type: known(row, 2, InvoiceAdjustmentType::from_name)?,
            amount: MinorUnits::new(row.get(3)?),
            status: known(row, 4, AdjustmentStatus::from_name)?,
        })
    });
    found.optional()
}
