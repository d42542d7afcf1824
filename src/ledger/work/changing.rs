//! Calls to update and to delete: each object on its own, and the record of the call.

use super::invoice_adjusting::{self, Adjusted};
use super::trail::{self, Done};
use super::trail_facts::{of_changes, of_refund, type_of_changes, type_of_deleted};
use super::{accounts, adjusting, changing_refunds, methods, payments, settlement_changing, views};
use crate::domain::id::ObjectId;
use crate::ledger::books::BooksError;
use crate::ledger::change::{ChangeResult, Changes, Deletable, Delete, Update};
use crate::ledger::record::Field;
use crate::ledger::records::{
    ACCOUNT_BY_ID, Account, INVOICE_ADJUSTMENT_BY_ID, InvoiceAdjustment, METHOD_BY_ID, Method,
};
use crate::ledger::trail::{Act, Actor, Touched};
use crate::ledger::unit::Unit;
use serde_json::{Value, json};

/// Makes each change, or finds why not, and records the call.
pub fn update(unit: &mut Unit<'_>, request: &Update) -> Result<Vec<ChangeResult>, BooksError> {
    let mut rows = update_rows(unit, request)?;
    if matches!(request.changes, Changes::SettlementRefunds(_)) {
        views::show(unit, &mut rows, views::of_refund)?;
    }
    let (actor, at) = (Actor::User(request.context.user), request.context.asking.now);
    let act = Act { actor, origin: request.context.origin.clone(), at };
    let done = Done::new("update", type_of_changes(&request.changes));
    trail::keep(unit, &act, done, &of_changes(&request.changes, &rows))?;
    Ok(rows)
}

fn update_rows(unit: &mut Unit<'_>, request: &Update) -> Result<Vec<ChangeResult>, BooksError> {
    let (user, asking) = (request.context.user, &request.context.asking);
    macro_rules! each {
        ($changes:ident, $update:path) => {
            $changes.iter().map(|change| $update(unit, user, asking, change)).collect()
        };
    }
    match &request.changes {
        Changes::Accounts(changes) => each!(changes, accounts::update),
        Changes::Adjustments(changes) => each!(changes, adjusting::update),
        Changes::InvoiceAdjustments(changes) => each!(changes, invoice_adjusting::update),
        Changes::InvoiceItemAdjustments(changes) => {
            each!(changes, invoice_adjusting::update_of_line)
        }
        Changes::Payments(changes) => each!(changes, payments::update),
        Changes::PaymentMethods(changes) => each!(changes, methods::update),
        Changes::Refunds(changes) => each!(changes, changing_refunds::update),
        Changes::SettlementRefunds(changes) => each!(changes, settlement_changing::update),
    }
}

/// Deletes each object, or finds why not, and records the call with what each was.
pub fn delete(unit: &mut Unit<'_>, request: &Delete) -> Result<Vec<ChangeResult>, BooksError> {
    let object = type_of_deleted(request.object);
    let (mut rows, mut touched) = (Vec::with_capacity(request.ids.len()), Vec::new());
    for id in &request.ids {
        let row = match id {
            Ok(id) => {
                let facts = before_deletion(unit, request.object, id)?;
                let row = delete_one(unit, request, id)?;
                if row.is_ok() {
                    touched.push(Touched { object, id: id.to_string(), facts });
                }
                row
            }
            Err(error) => Err(error.clone()),
        };
        rows.push(row);
    }
    let (actor, at) = (Actor::User(request.context.user), request.context.asking.now);
    let act = Act { actor, origin: request.context.origin.clone(), at };
    trail::keep(unit, &act, Done::new("delete", object), &touched)?;
    Ok(rows)
}

fn delete_one(
    unit: &mut Unit<'_>,
    request: &Delete,
    id: &ObjectId,
) -> Result<ChangeResult, BooksError> {
    let asking = &request.context.asking;
    match request.object {
        Deletable::Account => accounts::delete(unit, asking, id),
        Deletable::InvoiceAdjustment => {
            invoice_adjusting::delete(unit, asking, Adjusted::Invoice, id)
        }
        Deletable::InvoiceItemAdjustment => {
            invoice_adjusting::delete(unit, asking, Adjusted::Line, id)
        }
        Deletable::PaymentMethod => methods::delete(unit, asking, id),
        Deletable::Refund => changing_refunds::delete(unit, asking, id),
        Deletable::CanceledRefund => settlement_changing::delete(unit, asking, id),
    }
}

/// What an object is just before it is deleted; nothing that could be asked for later.
fn before_deletion(
    unit: &mut Unit<'_>,
    object: Deletable,
    id: &ObjectId,
) -> Result<Value, BooksError> {
    let by_id = [id.stored()];
    Ok(match object {
        Deletable::Refund | Deletable::CanceledRefund => of_refund(unit, id)?,
        Deletable::Account => {
            let row: Option<Account> = unit.find(&ACCOUNT_BY_ID, &by_id)?;
            json!({ "number": row.map(|row| row.number) })
        }
        Deletable::PaymentMethod => {
            let row: Option<Method> = unit.find(&METHOD_BY_ID, &by_id)?;
            json!({ "type": row.map(|row| row.method_type.0.name()) })
        }
        Deletable::InvoiceAdjustment | Deletable::InvoiceItemAdjustment => {
            let row: Option<InvoiceAdjustment> = unit.find(&INVOICE_ADJUSTMENT_BY_ID, &by_id)?;
            json!({ "number": row.map(|row| row.number) })
        }
    })
}
